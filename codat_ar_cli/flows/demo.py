"""The whole road on invented data: a folder of its own, the bundled sandbox, and the commands a user has.

Nothing here knows a short cut: every step is `codat-ar` itself, run as a separate program with the demo's own
config; the user's config, ledger and key are never read or written.
"""

import datetime as dt
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.demo import Due
from codat_ar_cli.errors import CodatArError, ExitCode

QUICKBOOKS, XERO = "quickbooks", "xero"
"""The demo's two profiles, one company on each platform."""

_COMPANIES = {QUICKBOOKS: "Larkfield Trading Ltd (QuickBooks Online)", XERO: "Larkfield Trading Ltd (Xero)"}
"""The companies that the sandbox invents, by the names it gives them."""
_START_SECONDS = 60


class DemoStepFailed(CodatArError):
    """A command of the demo ended otherwise than it must."""

    code = "demo.step-failed"
    exit_code = ExitCode.DEFECT

    def __init__(self, words: Sequence[str], code: int, folder: Path) -> None:
        super().__init__(
            f"`{shlex.join(words)}` ended with exit code {code}",
            hint=f"everything it did is kept in {folder}; please report it",
            details={"exit_code": code},
        )


class DemoFolderUnusable(CodatArError):
    """No folder can be made for the demo here."""

    code = "demo.folder"

    def __init__(self, parent: Path, reason: str) -> None:
        super().__init__(f"no folder can be made in {parent}: {reason}", hint="run it where you can write, or use --in")


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo showed, and what can be typed next."""

    folder: Path
    invoices: tuple[Due, ...]
    on_account: tuple[str, ...]
    """Payments that went on account."""
    held_on_xero: tuple[tuple[str, str], ...]
    """Payments that Xero can't take, each with the reason."""
    next_commands: tuple[tuple[str, str], ...]
    """What each does, and the command line."""


Say = Callable[[str], None]
"""Writes one line for the person who watches."""


def new_folder(parent: Path) -> Path:
    """Make `codat-ar-demo-N`, with the first N that is free. Raises DemoFolderUnusable."""
    for number in range(1, 10_000):
        folder = parent / f"codat-ar-demo-{number}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        except OSError as error:
            raise DemoFolderUnusable(parent, error.strerror or str(error)) from error
        return folder
    raise DemoFolderUnusable(parent, "codat-ar-demo-1 to -9999 exist")


def run_demo(folder: Path, *, today: dt.date, program: Sequence[str], shown_as: Sequence[str], say: Say) -> DemoResult:
    """Run all of it in a new, empty folder; says each command and what it printed.

    program: the words that start codat-ar here. shown_as: those that a person types.
    Raises DemoStepFailed when a step does not end as it must.
    """
    _write_inputs(folder, today)
    steps = _Steps(folder, tuple(program), tuple(shown_as), say)
    with steps.sandbox() as url:
        steps.connect(QUICKBOOKS, url)
        steps.run("fetch", "--profile", QUICKBOOKS)
        steps.map(QUICKBOOKS)
        steps.push("invoices.csv", QUICKBOOKS)
        before = steps.invoices(QUICKBOOKS)
        paid = steps.push("payments.csv", QUICKBOOKS)
        after = steps.invoices(QUICKBOOKS)
        steps.run("push", "payments", steps.path("payments.csv"), "--profile", QUICKBOOKS, "--yes")
        say("The same files, against a company on Xero:")
        steps.connect(XERO, url)
        steps.run("fetch", "--profile", XERO, quiet=True)
        steps.map(XERO)
        steps.push("invoices.csv", XERO, quiet=True)
        on_xero = steps.push("payments.csv", XERO, expect=ExitCode.FINDINGS)
    numbers = [row["id"] for row in steps.first_run["documents"]]
    return DemoResult(
        folder,
        tuple(_dues(numbers, before, after)),
        tuple(row["id"] for row in paid["documents"] if "on account" in row["label"]),
        tuple((row["id"], row["why"]) for row in on_xero["documents"] if row["state"] == "held"),
        steps.next_commands(url),
    )


def _write_inputs(folder: Path, today: dt.date) -> None:
    """Write the two files, dated from today, a key that only the sandbox takes, and a config of the demo's own."""
    days = {f"{{today{offset:+d}}}": (today + dt.timedelta(days=offset)).isoformat() for offset in (14, 30)}
    days["{today}"] = today.isoformat()
    for name in ("invoices.csv", "payments.csv"):
        text = (resources.files("codat_ar_cli") / "files" / "demo" / name).read_text(encoding="utf-8")
        for mark, day in days.items():
            text = text.replace(mark, day)
        _private(folder / name, text)
    _private(folder / "sandbox.key", f"demo-{secrets.token_hex(12)}\n")
    _private(folder / "config.toml", '# The demo\'s own configuration.\nstate_dir = "state"\n')


def _private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _dues(
    numbers: Sequence[str], before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> Iterator[Due]:
    for number in numbers:
        was, now = _find(before, number), _find(after, number)
        yield Due(
            number=number,
            customer=was["customer"],
            currency=was["total"]["currency"],
            total=Decimal(was["total"]["amount"]),
            before=Decimal(was["due"]["amount"]),
            after=Decimal(now["due"]["amount"]),
            status=now["status"],
        )


def _find(invoices: Mapping[str, Mapping[str, Any]], number: str) -> Mapping[str, Any]:
    return invoices[number]


class _Steps:
    """The commands of one demo, run one after the other, shown as a person would type them."""

    def __init__(self, folder: Path, program: tuple[str, ...], shown_as: tuple[str, ...], say: Say) -> None:
        self._folder = folder
        self._program = program
        self._shown_as = shown_as
        self._say = say
        self.first_run: dict[str, Any] = {}
        self._users_own = sorted(name for name in os.environ if name.upper().startswith("CODAT_"))
        kept = {name: value for name, value in os.environ.items() if name not in self._users_own}
        self._environment = kept | {"PYTHONUTF8": "1"}

    def path(self, name: str) -> str:
        """Name a file of the demo as it is typed from here."""
        return str(self._folder / name)

    @contextmanager
    def sandbox(self) -> Iterator[str]:
        """Serve the demo's books while the block runs; yields the base URL."""
        words = [*self._serve_words(0), "--platform", "quickbooks-online", "--platform", "xero"]
        self._tell(words)
        server = subprocess.Popen(
            [*self._program, *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        try:
            url = (server.stdout.readline() if server.stdout else "").strip()
            if not url:
                raise DemoStepFailed(words, server.wait(), self._folder)
            self._say(f"{url}\n")
            yield url
        finally:
            server.terminate()
            server.communicate(timeout=_START_SECONDS)

    def connect(self, profile: str, url: str) -> None:
        """Make a profile for the sandbox's company on a platform."""
        self.run(
            *("init", "--profile", profile, "--base-url", url, "--key-file", self.path("sandbox.key")),
            *("--company", _COMPANIES[profile], "--no-input"),
        )

    def map(self, profile: str) -> None:
        """Answer the questions of mapping as this company would."""
        for answer in _MAPPING[profile]:
            self.run("map", *answer.split(), "--profile", profile, quiet=True)
        self.run("map", "show", "--profile", profile)

    def push(self, name: str, profile: str, *, expect: ExitCode = ExitCode.DONE, quiet: bool = False) -> dict[str, Any]:
        """Push a file as a person would; gives what `runs show --json` says of the run."""
        kind = name.partition(".")[0]
        self.run("push", kind, self.path(name), "--profile", profile, "--yes", expect=expect, quiet=quiet)
        newest = jsontext.loads(self.run("runs", "list", "--limit", "1", "--json", quiet=True, told=False))["runs"][0]
        shown: dict[str, Any] = jsontext.loads(
            self.run("runs", "show", newest["run"], "--json", "--profile", profile, quiet=True, told=False)
        )
        self.first_run = self.first_run or shown
        return shown

    def invoices(self, profile: str) -> dict[str, dict[str, Any]]:
        """Read the books back: the invoices as Codat shows them after a sync, by the demo's own numbers."""
        words = ("fetch", "payments", "invoices", "--refresh", "--profile", profile, "--json")
        found = jsontext.loads(self.run(*words, quiet=True))
        by_id = {row["id"]: row for row in found["invoices"]}
        self._say(f"{len(by_id)} invoices read; those of the demo are in the table at the end.\n")
        return {row["id"]: by_id[row["record_id"]] for row in self.first_run["documents"]}

    def run(
        self,
        *words: str,
        expect: ExitCode = ExitCode.DONE,
        quiet: bool = False,
        told: bool = True,
    ) -> str:
        """Run one command, say it (`told`) and what it printed (not if `quiet`); gives its stdout."""
        options = ("--config", self.path("config.toml"))
        if told:
            self._tell([*options, *words])
        done = subprocess.run(
            [*self._program, *options, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if not quiet:
            self._say(done.stderr + done.stdout)
        if done.returncode != expect:
            if quiet:
                self._say(done.stderr + done.stdout)
            raise DemoStepFailed(words, done.returncode, self._folder)
        return done.stdout

    def next_commands(self, url: str) -> tuple[tuple[str, str], ...]:
        """Give commands that work as printed: each starts the sandbox on the demo's books and names its config.

        Variables of the user's own that would go before that config are taken out of the way.
        """
        without = ["env", *(word for name in self._users_own for word in ("-u", name))]
        apart = without if self._users_own and sys.platform != "win32" else []
        serve = [*apart, *self._shown_as, *self._serve_words(int(url.rpartition(":")[2])), "--"]
        own = [*self._shown_as, "--config", self.path("config.toml")]
        wanted = (
            ("What was pushed:", ["runs", "list"]),
            ("The open invoices as the books have them:", ["fetch", "invoices", "--profile", QUICKBOOKS]),
            (
                "The invoices once more; nothing is sent twice:",
                ["push", "invoices", self.path("invoices.csv"), "--yes"],
            ),
        )
        return tuple((what, _typed([*serve, *own, *words])) for what, words in wanted)

    def _serve_words(self, port: int) -> list[str]:
        log = self.path("exchanges.jsonl")
        return ["sandbox", "serve", "--port", str(port), "--state", self.path("books.sqlite"), "--log", log]

    def _tell(self, words: Sequence[str]) -> None:
        self._say(f"$ {_typed([*self._shown_as, *words])}")


def _typed(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


_MAPPING: dict[str, tuple[str, ...]] = {
    QUICKBOOKS: (
        "set bank-account 090",
        "set bank-account --when currency=EUR 092",
        "set item --when account=200 PLAN-M",
        "set item --when account=260 WORKSHOP",
        "set tax-rate 20_Invoices",
        "set tax-rate --when tax_rate=5 5_Invoices",
        "set tax-rate --when tax_rate=0 10_Invoices",
        "accept invoices.issueDate invoices.invoiceNumber",
    ),
    XERO: (
        "set bank-account 090",
        "set bank-account --when currency=EUR 092",
        "set tax-rate OUTPUT2",
        "set tax-rate --when tax_rate=5 RROUTPUT",
        "set tax-rate --when tax_rate=0 ZERORATEDOUTPUT",
    ),
}
"""What the invented company's bookkeeper would choose."""
