"""What is wrong with a record, said once, with the place as the user knows it and a way out."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How far a finding reaches."""

    ERROR = "error"
    """The file is wrong here: nothing of it is sent, unless the user asked for a partial run."""
    HOLD = "hold"
    """This document can't be sent as it is, or needs a choice; the others can go."""
    WARNING = "warning"
    """Worth reading before sending; stops nothing."""
    NOTE = "note"
    """A fact about how the file was read."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the user's input: `invoices.csv line 7, column tax_rate`."""

    source: str
    """File name as the user gave it, or `mapping`, `config`."""
    row: int | None = None
    """Line number in a text file (the header is line 1), record number elsewhere; None: the whole source."""
    column: str | None = None
    path: str | None = None
    """For nested files, such as `invoices[3].lines[0]`."""

    def __str__(self) -> str:
        where = self.source
        if self.path is not None:
            where += f" {self.path}"
        elif self.row is not None:
            where += f" line {self.row}"
        return f"{where}, column {self.column}" if self.column else where


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: a stable `code`, one line of plain words, where, and what to do."""

    code: str
    """Stable, dotted: `row.bad-date`, `mapping.tax-rate`, `options.required`."""
    severity: Severity
    message: str
    """What was found and what was expected, with the value in it."""
    place: Place | None = None
    hint: str | None = None
    """What to do; best a command that can be typed."""
    document: str | None = None
    """The source id of the document it belongs to, where there is one."""
    acceptable: str | None = None
    """The name under which a profile accepts it for good, such as `invoices.issueDate`; None: it can't be accepted."""
