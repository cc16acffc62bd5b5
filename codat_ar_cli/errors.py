"""Every situation a person can act on has a name here; what they can do about it is its hint."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What a command's exit status means. Numbers never change meaning (design D15)."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    FINDINGS = 3
    KEY_REFUSED = 4
    IN_DOUBT = 5
    NOT_APPROVED = 6
    LOCKED = 7
    TRY_LATER = 8
    UNFINISHED = 9
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """One line for the documentation and for `--help`."""
        return _MEANINGS[self]


_MEANINGS: dict[ExitCode, str] = {
    ExitCode.DONE: "done, or already done",
    ExitCode.DEFECT: "a defect of codat-ar; please report it",
    ExitCode.USAGE: "usage, file or configuration: nothing was sent",
    ExitCode.FINDINGS: "some documents were rejected or held; for checks: there are findings",
    ExitCode.KEY_REFUSED: "the API key was refused",
    ExitCode.IN_DOUBT: "it is not known whether some documents reached the books",
    ExitCode.NOT_APPROVED: "the plan is stale or unapproved, or a question was answered no",
    ExitCode.LOCKED: "another run holds this company",
    ExitCode.TRY_LATER: "a limit, the quota, or Codat unreachable: try later",
    ExitCode.UNFINISHED: "accepted but not finished, or not all sent: run again",
    ExitCode.HUNG_UP: "interrupted: the terminal went away (SIGHUP)",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "interrupted (SIGTERM)",
}

_PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.DEFECT,
    ExitCode.HUNG_UP,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.KEY_REFUSED,
    ExitCode.LOCKED,
    ExitCode.NOT_APPROVED,
    ExitCode.TRY_LATER,
    ExitCode.IN_DOUBT,
    ExitCode.FINDINGS,
    ExitCode.UNFINISHED,
    ExitCode.USAGE,
)


def most_urgent(codes: Iterable[ExitCode]) -> ExitCode:
    """Choose the one exit code when several apply, in the order of design D15; DONE when none does."""
    present = set(codes)
    return next((code for code in _PRECEDENCE if code in present), ExitCode.DONE)


class CodatArError(Exception):
    """A situation a person can act on. Subclasses fix `code` and `exit_code`; instances carry the facts.

    `message` is one line that names what was found and what was expected; `hint` is what to do next,
    best a command that can be typed; `details` are facts for `--json` (JSON values, no secrets).
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})
