"""What the config files say, as values; where they and the state lie; what can be wrong with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from codat_ar_cli.domain.ids import CompanyId, ConnectionId, Currency, PlatformKey
from codat_ar_cli.domain.keys import KeySource
from codat_ar_cli.domain.slots import Mapping as SlotAnswers
from codat_ar_cli.errors import CodatArError

APP = "codat-ar"
DEFAULT_BASE_URL = "https://api.codat.io"
PROJECT_FILE = Path("codat-ar.toml")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong in a config file."""

    key: str
    """Dotted path, such as `profiles.acme.company.id`."""
    text: str


class ConfigInvalid(CodatArError):
    """The file is TOML but does not say what it must; all problems are listed."""

    code = "config.invalid"

    def __init__(self, path: Path, problems: Iterable[ConfigProblem]) -> None:
        listed = sorted(problems, key=lambda problem: problem.key)
        count = "1 problem" if len(listed) == 1 else f"{len(listed)} problems"
        super().__init__(
            f"config file {path} has {count}: {listed[0].key}: {listed[0].text}",
            hint="compare with sample_config.toml, or write the profile anew with `codat-ar init`",
            details={
                "path": str(path),
                "problems": [{"key": problem.key, "text": problem.text} for problem in listed],
            },
        )


class ConfigUnreadable(CodatArError):
    """The file can't be read or written, or is not TOML."""

    code = "config.unreadable"


class ConfigMissing(CodatArError):
    """The file named by `--config` or CODAT_AR_CONFIG is not there."""

    code = "config.missing"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"config file {path} does not exist",
            hint=f"create it with `codat-ar --config '{path}' init`",
            details={"path": str(path)},
        )


class UnknownProfile(CodatArError):
    """No profile of that name."""

    code = "config.unknown-profile"

    def __init__(self, name: str, *, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f"profile `{name}` does not exist; known: {', '.join(names) or 'none yet'}",
            hint=f"create it with `codat-ar init --profile {name}`",
            details={"profile": name, "known": names},
        )


class InsecureUrl(CodatArError):
    """A base URL that would send the key unprotected, or is no URL."""

    code = "config.insecure-url"


@dataclass(frozen=True, slots=True)
class Profile:
    """One company's books, how to reach them, and the answers to "which account is that?"."""

    name: str
    company_id: CompanyId
    company_name: str
    connection_id: ConnectionId
    platform_key: PlatformKey
    platform_name: str
    base_url: str = DEFAULT_BASE_URL
    key: KeySource = field(default_factory=KeySource)
    mapping: SlotAnswers = field(default_factory=SlotAnswers)
    rates: Mapping[Currency, Decimal] = field(default_factory=dict)
    """What one unit of a foreign currency is worth in the company's base currency."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the config files say, the project's file before the user's."""

    path: Path
    """Where a new profile is written."""
    default_profile: str | None = None
    state_dir: Path | None = None
    ledger_url: str | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    """The files that were found, strongest first."""
    origins: Mapping[str, Path] = field(default_factory=dict)
    """Key → the file it was taken from; whole profiles under `profiles.NAME`."""

    def origin(self, key: str) -> Path | None:
        """Give the file that a key, or the profile it lies in, was taken from; None when no file sets it."""
        parts = key.split(".")
        found = (self.origins.get(".".join(parts[:length])) for length in range(len(parts), 0, -1))
        return next((path for path in found if path is not None), None)

    def profile(self, name: str) -> Profile:
        """Give a profile by name; raises UnknownProfile with the known ones."""
        try:
            return self.profiles[name]
        except KeyError:
            raise UnknownProfile(name, known=self.profiles) from None


def config_path(option: Path | None, env: Mapping[str, str]) -> Path:
    """Say which file is the user's: `--config`, else CODAT_AR_CONFIG, else the system's place for it."""
    if option is not None:
        return option
    if env.get("CODAT_AR_CONFIG"):
        return Path(env["CODAT_AR_CONFIG"])
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False) / "config.toml"


def state_dir(option: Path | None, env: Mapping[str, str], *, configured: Path | None = None) -> Path:
    """Say where ledger, cache and reports live: option, CODAT_AR_STATE_DIR, config file, the system's place."""
    if option is not None:
        return option
    if env.get("CODAT_AR_STATE_DIR"):
        return Path(env["CODAT_AR_STATE_DIR"])
    if configured is not None:
        return configured
    from platformdirs import user_state_path

    return user_state_path(APP, appauthor=False)


def check_base_url(url: str) -> str:
    """Give the URL without a trailing slash; raises InsecureUrl unless https, or http to this very machine."""
    if url == DEFAULT_BASE_URL:
        return url
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        shown = f"…@{url.rpartition('@')[2]}" if "@" in url else url  # what stands before it may be a password
        raise InsecureUrl(
            f"`{shown}` is not a base URL; expected one such as {DEFAULT_BASE_URL}",
            hint="give scheme, host and port only: no user name, path or query",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise InsecureUrl(
            f"`{url}` would send the API key unencrypted; expected https://",
            hint="plain http is for this machine only, such as http://127.0.0.1:8080",
        )
    return url.rstrip("/")
