"""The real command line, as its own process, against the sandbox on a real socket."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from codat_ar_cli.domain import jsontext

KEY = "sandbox-key-for-tests"


@dataclass(frozen=True)
class Ran:
    """What one command did: exit code and both streams, told apart."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return jsontext.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """A user's terminal: a folder, a config, a state directory, and a key in the environment."""

    folder: Path
    environment: Mapping[str, str]

    def __call__(self, *words: str, stdin: str = "", extra: Mapping[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "codat_ar_cli", *words],
            cwd=self.folder,
            env={**self.environment, **(extra or {})},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert "Traceback (most recent call last)" not in done.stderr + done.stdout, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str) -> Ran:
        """Run and insist on success; the failure shows what the user would have read."""
        ran = self(*words)
        assert ran.code == 0, f"{' '.join(words)} → {ran.code}\n{ran.out}\n{ran.err}"
        return ran


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[[str], CommandLine]:
    """Make a fresh terminal that talks to the server at a URL."""

    def make(base_url: str) -> CommandLine:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        environment = kept | {
            "HOME": str(home),
            "USERPROFILE": str(home),
            "CODAT_AR_CONFIG": str(tmp_path / "config.toml"),
            "CODAT_AR_STATE_DIR": str(tmp_path / "state"),
            "CODAT_AR_BASE_URL": base_url,
            "CODAT_API_KEY": KEY,
            "PYTHONUTF8": "1",
            "COLUMNS": "100",
        }
        return CommandLine(tmp_path, environment)

    return make
