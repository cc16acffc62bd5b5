"""CSV, TSV and semicolon files into rows. Strict: what could be read in two ways is refused, never repaired."""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.layouts import Layout, own_name
from codat_ar_cli.files.errors import BrokenCsv, FileEmpty, LineTooLong, NoRecords
from codat_ar_cli.files.guard import without_guard
from codat_ar_cli.files.source import open_source
from codat_ar_cli.files.table import REASON_COLUMN, Header, Limits, Table, understand

DELIMITERS = (",", ";", "\t", "|")
REMEMBERED = 50_000
"""How many distinct cells are kept to share equal ones: files repeat customers, dates and prices on every row."""
Record = tuple[int, list[str]]
"""The physical line where a record starts, and its cells."""


def read_csv(path: Path, layout: Layout, limits: Limits) -> Table:
    """Read a delimited file whose first record is its header.

    Raises FileError subclasses for the file; a record with too many or too few cells is a row with a fault.
    """
    with open_source(path, max_bytes=limits.csv_bytes) as source:
        lines = source.lines(limits.line)
        first = _first_line(lines, source.name)
        delimiter = sniff_delimiter(first[-1], layout)
        records = _records(chain(first, lines), delimiter, source.name)
        header_line, columns = next(records)
        if any(own_name(column) == REASON_COLUMN for column in columns):
            columns = list(map(without_guard, columns))
            records = ((line, list(map(without_guard, cells))) for line, cells in records)
        header = understand(columns, layout, name=source.name, line=header_line)
        rows, raw, blank = _rows(records, header.names, source.name)
        if not rows:
            raise NoRecords("has a header and no records", name=source.name)
        return Table(
            name=source.name,
            sha256=source.sha256,
            columns=tuple(columns),
            canonical=header.names,
            rows=rows,
            raw=raw,
            encoding=source.encoding,
            delimiter=delimiter,
            notes=_notes(header, rows, blank, source.name),
        )


def sniff_delimiter(header: str, layout: Layout) -> str:
    """Choose the delimiter that yields the most columns the layout knows, then the most columns."""

    def score(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            cells = []
        return sum(layout.canonical(cell) is not None for cell in cells), len(cells)

    return max(DELIMITERS, key=score)


def _first_line(lines: Iterator[str], name: str) -> list[str]:
    """Take lines up to and with the first that is not blank: line numbers must go on counting from 1."""
    taken = []
    for line in lines:
        taken.append(line)
        if line.strip():
            return taken
    raise FileEmpty("holds only blank lines", name=name)


def _records(lines: Iterator[str], delimiter: str, name: str) -> Iterator[Record]:
    """Yield each record that is not a blank line, with the line where it starts."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells and not (len(cells) == 1 and not cells[0].strip()):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise _csv_error(error, start, reader.line_num, name) from error


def _csv_error(error: csv.Error, start: int, line: int, name: str) -> BrokenCsv | LineTooLong:
    if "field limit" in str(error):
        return LineTooLong(
            f"a cell of the record that starts on line {start} is longer than {csv.field_size_limit():,} characters",
            name=name,
            line=start,
            hint='a quote (") that is opened and never closed swallows all that follows: look at that line',
        )
    if "unexpected end" in str(error):
        return BrokenCsv(
            f'a quote (") opened in the record that starts on line {start} is never closed',
            name=name,
            line=start,
            hint='close the quote; a quote inside a quoted cell is written twice ("")',
        )
    return BrokenCsv(
        f"the record that starts on line {start} can't be split into cells (line {line}: {error})",
        name=name,
        line=start,
        hint='a quote inside a quoted cell is written twice (""), and nothing may follow the closing quote',
    )


def _rows(records: Iterator[Record], names: tuple[str, ...], name: str) -> tuple[list[Row], list[list[str]], int]:
    """Turn records into rows; gives them, their raw cells, and how many records had only blank cells."""
    rows: list[Row] = []
    raw: list[list[str]] = []
    blank = 0
    width = len(names)
    seen: dict[str, str] = {}
    for line, cells in records:
        if not any(cells) or not any(map(str.strip, cells)):
            blank += 1
            continue
        place = Place(name, line)
        fault = None
        if len(cells) != width:
            if len(cells) > width and not any(map(str.strip, cells[width:])):
                del cells[width:]  # empty cells beyond the header say nothing
            else:
                fault = _ragged(place, len(cells), names)
        if len(seen) > REMEMBERED:
            seen.clear()
        shared = list(map(seen.setdefault, cells, cells))
        rows.append(Row(place, _cells(names, map(str.strip, shared), len(shared)), fault))
        raw.append(shared)
    return rows, raw, blank


def _cells(names: tuple[str, ...], values: Iterator[str], count: int) -> dict[str, str]:
    if count == len(names):
        return dict(zip(names, values, strict=False))  # the usual case, and the fast one
    return dict(zip([*names, *(f"column_{n}" for n in range(len(names) + 1, count + 1))], values, strict=False))


def _ragged(place: Place, count: int, names: tuple[str, ...]) -> Finding:
    too = "few" if count < len(names) else "many"
    return Finding(
        "row.ragged",
        Severity.ERROR,
        f"the record has too {too} cells: {count}, where the header has {len(names)}",
        place,
        hint="put cells that hold a delimiter or a line break in quotes; write empty cells too",
    )


def _notes(header: Header, rows: list[Row], blank: int, name: str) -> tuple[Finding, ...]:
    """What to say of the file as a whole; a nameless column without any content is not worth a word."""
    empty = {own for own in header.names if own.startswith("column_") and not any(row.cells.get(own) for row in rows)}
    notes = [note for note in header.notes if note.place is None or note.place.column not in empty]
    if blank:
        notes.append(
            Finding("file.blank-rows", Severity.NOTE, f"{blank} rows without any content are left out", Place(name))
        )
    return tuple(notes)
