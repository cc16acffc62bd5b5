"""Reports as text: a terminal table, JSON or CSV. Knows formats, knows no report."""

import csv
import datetime as dt
import io
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from codat_ar_cli.domain import jsontext, money
from codat_ar_cli.reports import grid
from codat_ar_cli.reports.model import Cell, Column, Kind, Money, Report, Shown, Table

NARROW = 80
"""Terminal width, in columns, at and below which columns marked `Shown.WIDE` are left out."""

MOST_ROWS = 1000
"""Rows of one table that people are shown; nobody reads more, and drawing them takes seconds. JSON has them all."""

_RIGHT = frozenset({Kind.AMOUNT, Kind.COUNT, Kind.PERCENT})
_WHOLE = _RIGHT | {Kind.ID, Kind.DATE}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def render_terminal(report: Report, *, width: int = NARROW, unicode: bool = True) -> str:
    """Draw the report as plain text, no line wider than `width` columns; colour carries nothing, so there is none.

    Control characters in names from the books are replaced: they could otherwise drive the terminal.
    unicode: whether the terminal can show box-drawing characters; letters are written as they are either way.
    """
    blocks = [printable(report.title)] if report.title else []
    blocks += [_draw(table, width, unicode) for table in report.tables]
    blocks += [wrap(note, width) for note in report.notes]
    return "\n\n".join(block for block in blocks if block)


def render_json(report: Report) -> str:
    """Write the report as one JSON object; see `to_json` for its shape."""
    return jsontext.dumps_pretty(to_json(report))


def render_csv(report: Report) -> str:
    """Write the rows as RFC 4180 CSV; an amount takes two columns, `KEY` and `KEY_currency`.

    With several tables each row starts with its table's name, under the columns of all. Text that a
    spreadsheet would run as a formula gets a `'` in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    several = len(report.tables) > 1
    keys = list(dict.fromkeys(key for table in report.tables for key in _csv_keys(table)))
    writer.writerow((["table"] if several else []) + keys)
    for table in report.tables:
        for row in table.rows:
            cells = dict(_csv_cells(table, row))
            writer.writerow(([table.name] if several else []) + [cells.get(key, "") for key in keys])
    return out.getvalue()


RENDERERS: dict[str, Callable[[Report], str]] = {
    "table": render_terminal,
    "json": render_json,
    "csv": render_csv,
}
"""Every format a report can be written in, by the name that options use."""


def to_json(report: Report) -> dict[str, Any]:
    """Give the report as JSON values: per table a list of objects, amounts as strings beside their currency."""
    return {
        "title": report.title,
        "tables": {table.name: table_to_json(table) for table in report.tables},
        "notes": list(report.notes),
    }


def table_to_json(table: Table) -> list[dict[str, Any]]:
    """Give one table's rows as objects keyed by column."""
    return [
        {column.key: _json_cell(cell) for column, cell in zip(table.columns, row, strict=True) if column.for_machines}
        for row in table.rows
    ]


def printable(text: str) -> str:
    """Make text safe to show: control, format and bidirectional-override characters become `\N{REPLACEMENT CHARACTER}`.

    Line breaks and tabs become a blank.
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = (" " if char in "\t\n\r" else char for char in text)
    return "".join("�" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in spaced)


def show_cell(column: Column, cell: Cell) -> str:
    """Spell one cell for people."""
    match cell:
        case None:
            shown = ""
        case Money():
            shown = money.show(cell.amount, cell.currency) if cell.currency else f"{cell.amount:,f}"
        case Decimal():
            shown = f"{_plain(cell)} %" if column.kind is Kind.PERCENT else _plain(cell)
        case dt.datetime():
            shown = cell.strftime("%Y-%m-%d %H:%M UTC")
        case dt.date():
            shown = cell.isoformat()
        case int():
            shown = f"{cell:,d}"
        case _:
            shown = printable(cell)
    return shown


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _draw(table: Table, width: int, unicode: bool) -> str:
    heading = printable(table.title) if table.title else ""
    if not table.rows:
        return f"{heading}: {table.empty}" if heading else table.empty
    drawn = _grid(table, width, unicode)
    if len(table.rows) > MOST_ROWS:
        drawn += f"\nand {len(table.rows) - MOST_ROWS:,} more rows; --json gives all {len(table.rows):,}"
    return f"{heading}\n{drawn}" if heading else drawn


def _grid(table: Table, width: int, unicode: bool) -> str:
    visible = {Shown.EVERYWHERE, Shown.PEOPLE} | ({Shown.WIDE} if width > NARROW else set())
    filled = {index for row in table.rows for index, cell in enumerate(row) if cell is not None}
    shown = [index for index, column in enumerate(table.columns) if column.shown in visible and index in filled]
    headings = [
        grid.Heading(column.title, right=column.kind in _RIGHT, whole=column.kind in _WHOLE)
        for column in (table.columns[index] for index in shown)
    ]
    rows = [[show_cell(table.columns[index], row[index]) for index in shown] for row in table.rows[:MOST_ROWS]]
    return grid.draw(headings, rows, width=width, unicode=unicode)


def wrap(note: str, width: int) -> str:
    """Break a note into lines between words, further lines of each paragraph indented."""
    import textwrap

    lines = (printable(line) for line in note.splitlines())
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ")
        for line in lines
    )


def _json_cell(cell: Cell) -> Any:
    if isinstance(cell, Money):
        return {"amount": f"{cell.amount:f}", "currency": cell.currency}
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    if isinstance(cell, dt.datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return cell.isoformat() if isinstance(cell, dt.date) else cell


def _csv_keys(table: Table) -> Iterator[str]:
    for column in table.columns:
        if not column.for_machines:
            continue
        yield column.key
        if column.kind is Kind.AMOUNT:
            yield f"{column.key}_currency"


def _csv_cells(table: Table, row: tuple[Cell, ...]) -> Iterator[tuple[str, str]]:
    for column, cell in zip(table.columns, row, strict=True):
        if isinstance(cell, Money):
            yield column.key, f"{cell.amount:f}"
            yield f"{column.key}_currency", cell.currency or ""
        elif isinstance(cell, str):
            yield column.key, f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
        else:
            value = _json_cell(cell)
            yield column.key, "" if value is None else str(value)
