"""Rejected records as a file of the user's own columns plus the reason: to be corrected and given again."""

import contextlib
import csv
import filecmp
import itertools
import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.files.errors import RejectsNotWritten
from codat_ar_cli.files.guard import guard
from codat_ar_cli.files.table import REASON_COLUMN, Table


def reasons_of(places: Collection[Place], findings: Iterable[Finding]) -> dict[Place, str]:
    """Say for each row of a document why it is not sent: what is wrong with the row itself first, then the rest.

    places: of the document's rows; findings: the document's own. Findings that stop nothing are left out.
    """
    stopping = [finding for finding in findings if finding.severity in {Severity.ERROR, Severity.HOLD}]
    reasons = {}
    for place in places:
        here = [finding for finding in stopping if finding.place is not None and _is_at(finding.place, place)]
        elsewhere = [finding for finding in stopping if finding not in here]
        told = [_tell(finding) for finding in here] + [f"{_where(finding)}{_tell(finding)}" for finding in elsewhere]
        reasons[place] = "; ".join(dict.fromkeys(told)) or "not sent"
    return reasons


def _is_at(place: Place, row: Place) -> bool:
    return (place.source, place.row, place.path) == (row.source, row.row, row.path)


def _where(finding: Finding) -> str:
    if finding.place is None or finding.place.row is None:
        return ""
    return f"{finding.place.path or f'line {finding.place.row}'}: "


def _tell(finding: Finding) -> str:
    column = finding.place.column if finding.place else None
    return f"{column}: {finding.message}" if column and column not in finding.message else finding.message


def rejects_path(file: Path, folder: Path | None = None) -> Path:
    """Name the rejects file of an input file: `invoices.rejects.csv`, beside it unless a folder is given."""
    return (folder or file.parent) / f"{file.stem}.rejects.csv"


def write_rejects(table: Table, reasons: Mapping[Place, str], path: Path) -> Path:
    """Write the rows that have a reason, in file order, as CSV with the input's own columns and delimiter.

    reasons: by `Row.place`. Nothing is overwritten: where `path` exists with other content, `-2`, `-3`… is put
    before its suffix; a file that has this very content already is left and its path given.
    The file appears whole or not at all, readable by its owner only. Gives the path written. Raises
    RejectsNotWritten.
    """
    try:
        return _publish(path, _records(table, reasons), table)
    except OSError as error:
        raise RejectsNotWritten(
            f"the rejected records can't be written: {error.strerror or error}",
            name=str(path),
            hint="name another place with --rejects FILE",
        ) from error


def _records(table: Table, reasons: Mapping[Place, str]) -> Iterable[list[str]]:
    has_reason = REASON_COLUMN in table.canonical
    at = table.canonical.index(REASON_COLUMN) if has_reason else len(table.columns)
    skip = at + 1 if has_reason else at
    yield _with_reason(table.columns, REASON_COLUMN, at, skip)
    for row, cells in zip(table.rows, table.raw, strict=True):
        reason = reasons.get(row.place)
        if reason is not None:
            yield _with_reason(cells, reason, at, skip)


def _with_reason(cells: Sequence[str], reason: str, at: int, skip: int) -> list[str]:
    """Put the reason under its header. A row with too few cells is not filled up: it must stay an error when read."""
    return [guard(cell) for cell in (*cells[:at], reason, *cells[skip:])]


def _publish(path: Path, records: Iterable[list[str]], table: Table) -> Path:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        # A file made by mkstemp is 0600 from its first byte, on POSIX; on Windows the folder's rights hold.
        with os.fdopen(handle, "w", encoding=_encoding(table), newline="", errors="backslashreplace") as file:
            csv.writer(file, delimiter=table.delimiter, lineterminator="\r\n").writerows(records)
            file.flush()
            os.fsync(file.fileno())
        for candidate in _candidates(path):
            if candidate.is_file() and filecmp.cmp(candidate, temporary, shallow=False):
                return candidate
            with contextlib.suppress(FileExistsError):
                # Taking the name first makes sure that nobody else's file is replaced.
                os.close(os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                Path(temporary).replace(candidate)
                return candidate
    finally:
        Path(temporary).unlink(missing_ok=True)
    raise FileExistsError(17, "too many files of that name", str(path))


def _encoding(table: Table) -> str:
    """With a byte order mark where the input had one: its user's spreadsheet needs it to read UTF-8."""
    return "utf-8" if table.encoding == "utf-8" else "utf-8-sig"


def _candidates(path: Path) -> Iterable[Path]:
    yield path
    for number in itertools.islice(itertools.count(2), 9_998):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
