"""Profiles and settings in TOML: found, read, checked whole, and written back with their comments kept.

A file's problems are reported together, each with its key. API keys are never in these files (see secrets.py).
"""

from codat_ar_cli.config.model import (
    APP,
    DEFAULT_BASE_URL,
    PROJECT_FILE,
    Config,
    ConfigInvalid,
    ConfigMissing,
    ConfigProblem,
    ConfigUnreadable,
    InsecureUrl,
    Profile,
    UnknownProfile,
    check_base_url,
    config_path,
    state_dir,
)
from codat_ar_cli.config.read import load
from codat_ar_cli.config.write import remove_profile, save_mapping, save_profile, set_default

__all__ = [
    "APP",
    "DEFAULT_BASE_URL",
    "PROJECT_FILE",
    "Config",
    "ConfigInvalid",
    "ConfigMissing",
    "ConfigProblem",
    "ConfigUnreadable",
    "InsecureUrl",
    "Profile",
    "UnknownProfile",
    "check_base_url",
    "config_path",
    "load",
    "remove_profile",
    "save_mapping",
    "save_profile",
    "set_default",
    "state_dir",
]
