"""The real command line against the sandbox on a real socket: in this process mostly, as its own where that matters."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

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
        """Run one command through `main` in this process: the true streams and exit code, not the start of Python."""
        return checked(words, self.unchecked(*words, stdin=stdin, extra=extra))

    def unchecked(self, *words: str, stdin: str = "", extra: Mapping[str, str] | None = None) -> Ran:
        """Run one command likewise, also one that is meant to crash."""
        from codat_ar_cli.cli import main

        environment = {**self.environment, **(extra or {})}
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "stdin", io.StringIO(stdin)),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
        ):
            code = main(words)
        for stream in streams:
            stream.flush()
        out, err = (stream.buffer.getvalue().decode("utf-8") for stream in streams)
        return Ran(code, out, err)

    def process(self, *words: str, stdin: str = "", extra: Mapping[str, str] | None = None) -> Ran:
        """Run one command as its own process, as the shell does."""
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
        return checked(words, Ran(done.returncode, done.stdout, done.stderr))

    def ok(self, *words: str) -> Ran:
        """Run and insist on success; the failure shows what the user would have read."""
        ran = self(*words)
        assert ran.code == 0, f"{' '.join(words)} → {ran.code}\n{ran.out}\n{ran.err}"
        return ran


def checked(words: Sequence[str], ran: Ran) -> Ran:
    """Hold what every command promises: no traceback, no crash, and under `--json` one object alone on stdout."""
    assert "Traceback (most recent call last)" not in ran.out + ran.err, ran.err
    assert ran.code != 1, f"{' '.join(words)} crashed\n{ran.out}\n{ran.err}"
    if "--json" in words and "--help" not in words:
        assert ran.json["schema"].startswith("codat-ar/"), ran.out
    return ran


@dataclass(frozen=True)
class Server:
    """The sandbox, with its levers: what was written to its books, and faults."""

    url: str

    def written(self) -> list[Any]:
        """Every write that reached the books, whatever the client was told."""
        writes: list[Any] = jsontext.loads(httpx.get(f"{self.url}/__sandbox/record").content)["writes"]
        return writes

    def fault(self, **rule: Any) -> None:
        """Put one fault in force (see `sandbox/faults.py`)."""
        httpx.put(f"{self.url}/__sandbox/faults", json={"rules": [rule]}).raise_for_status()


def open_terminal(folder: Path, base_url: str) -> CommandLine:
    """A terminal in a folder, with a home, a config and a state directory below it, nothing of this machine."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    own = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "CODAT_AR_CONFIG": str(folder / "config.toml"),
        "CODAT_AR_STATE_DIR": str(folder / "state"),
        "CODAT_AR_BASE_URL": base_url,
        "CODAT_API_KEY": KEY,
        "PYTHONUTF8": "1",
        "COLUMNS": "100",
    }
    return CommandLine(folder, kept | own)


COMPANIES = {
    "acme": "Larkfield Trading Ltd (QuickBooks Online)",
    "xero": "Larkfield Trading Ltd (Xero)",
    "plain": "Larkfield Trading Ltd (Codat Sandbox)",
}
"""Profiles of the prepared terminal, and the sandbox's companies they lead to."""

MAPPING = {
    "acme": (
        "set bank-account 090",
        "set bank-account --when currency=EUR 092",
        "set item --when account=200 PLAN-M",
        "set item --when account=260 WORKSHOP",
        "set item --when account=4000 CONSULT",
        "set tax-rate 20_Invoices",
        "set tax-rate --when tax_rate=0 10_Invoices",
        "accept invoices.issueDate invoices.invoiceNumber",
    ),
    "xero": (
        "set bank-account 090",
        "set bank-account --when currency=EUR 092",
        "set tax-rate OUTPUT2",
        "set tax-rate --when tax_rate=0 ZERORATEDOUTPUT",
    ),
}


def prepare(folder: Path, base_url: str) -> None:
    """Run `init`, `fetch` and `map` in a folder for each of the profiles."""
    run = open_terminal(folder, base_url)
    for profile, company in COMPANIES.items():
        run.ok("init", "--company", company, "--profile", profile, "--no-input")
        run.ok("fetch", "--profile", profile)
        for words in MAPPING.get(profile, ()):
            run.ok("map", *words.split(), "--profile", profile)
