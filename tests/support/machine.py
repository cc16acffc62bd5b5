"""A machine whose user has a config, a ledger, a key and an API address of their own, and the demo run on it once."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(sys.executable).parent
USERS_KEY = "canary-key-of-the-user"


def snapshot(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder with its content."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Machine:
    """A home folder that must stay as it is, a working folder, and an environment that leads to both."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work = folder / "home", folder / "work"
        own = self.home / ".config" / "codat-ar"
        for made in (own, self.home / ".local" / "state" / "codat-ar", self.work):
            made.mkdir(parents=True)
        (own / "config.toml").write_text("this is not even TOML", encoding="utf-8")
        (self.home / ".local" / "state" / "codat-ar" / "ledger.db").write_bytes(b"not a database")
        self.before = snapshot(self.home)
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        self.environment = {
            **kept,
            "PATH": os.pathsep.join((str(SCRIPTS), os.environ["PATH"])),
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "APPDATA": str(self.home),
            "LOCALAPPDATA": str(self.home),
            "CODAT_AR_CONFIG": str(own / "config.toml"),
            "CODAT_AR_STATE_DIR": str(self.home / ".local" / "state" / "codat-ar"),
            "CODAT_AR_BASE_URL": "http://127.0.0.1:9",
            "CODAT_AR_PROFILE": "production",
            "CODAT_API_USERS_KEY": USERS_KEY,
            "PYTHONUTF8": "1",
        }

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command line as it is typed, in the user's working folder."""
        return subprocess.run(
            command,
            shell=True,
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )


@dataclass(frozen=True)
class Demo:
    """One whole run of `codat-ar demo`, as a person sees it at 80 columns."""

    machine: Machine
    code: int
    out: str
    err: str

    @property
    def folder(self) -> Path:
        """What it made."""
        return self.machine.work / "codat-ar-demo-2"

    @property
    def next_commands(self) -> list[str]:
        """The command lines it offers at its end."""
        return [line.strip() for line in self.out.split("Try next:")[1].splitlines() if line.startswith("  ")]


def run_demo(folder: Path) -> Demo:
    """Run the demo where an earlier one has left its folder."""
    machine = Machine(folder)
    (machine.work / "codat-ar-demo-1").mkdir()
    done = machine.shell("codat-ar demo")
    return Demo(machine, done.returncode, done.stdout, done.stderr)
