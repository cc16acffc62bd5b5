"""Rows of one document, wherever they stand in the file, and the cells that all of them must agree on."""

import functools
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from codat_ar_cli.domain.cells import CellReader
from codat_ar_cli.domain.documents import PartyDraft, Row
from codat_ar_cli.domain.findings import Place
from codat_ar_cli.domain.ids import Currency
from codat_ar_cli.domain.layouts import Kind, Layout

_SEVERAL = re.compile(r"[;|]")


@dataclass(slots=True)
class Group:
    """The rows that carry one document number, in file order."""

    key: str | None
    """None: the row states no number, so it can belong to no other."""
    rows: list[Row] = field(default_factory=list)
    damaged: list[Row] = field(default_factory=list)
    """Rows with a fault that name this document in any of their cells."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Of all its rows, damaged ones included, in file order."""
        if not self.damaged:
            return tuple(row.place for row in self.rows)
        return tuple(sorted((row.place for row in (*self.rows, *self.damaged)), key=lambda place: place.row or 0))


def group_rows(rows: Iterable[Row], layout: Layout) -> tuple[list[Group], int]:
    """Put the rows of each document together, also when they are not adjacent; gives them with the number of rows.

    Documents come in order of first appearance. A row with a fault belongs to every document that any of its cells
    names: which of its cells shifted is unknown, and a document that may have lost a line must not be sent.
    """
    groups: dict[str, Group] = {}
    ordered: list[Group] = []
    faulty: list[Row] = []
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 (the last value is the number of rows)
        if row.fault is not None:
            faulty.append(row)
            continue
        number = row.cells.get(layout.key)
        group = groups.get(number) if number else None
        if group is None:
            group = Group(number or None)
            ordered.append(group)
            if number:
                groups[number] = group
        group.rows.append(row)
    for row in faulty:
        ordered += _place_faulty(row, groups, layout)
    return ordered, count


def _place_faulty(row: Row, groups: Mapping[str, Group], layout: Layout) -> list[Group]:
    """Add a damaged row to the documents it names; gives a document of its own where it names none."""
    named = [groups[value] for value in dict.fromkeys(row.cells.values()) if value in groups]
    own = row.cells.get(layout.key) or None
    if row.fault is not None and len(named) < 2:
        document = named[0].key if named else own
        row = replace(row, fault=replace(row.fault, document=document))
    for group in named:
        group.damaged.append(row)
    return [] if named else [Group(own, damaged=[row])]


class Header:
    """The cells that belong to a whole document: where each is stated, and where rows contradict each other."""

    def __init__(
        self, reader: CellReader, group: Group, layout: Layout, hints: Mapping[str, str] | None = None
    ) -> None:
        self._first = group.rows[0]
        self._elsewhere: dict[str, Row | None] = {}
        if len(group.rows) > 1 and not _plainly_agree(group, layout):
            self._compare(reader, group, layout, hints or {})

    def at(self, column: str) -> Row | None:
        """Give the row to read a cell from: the first that states it; None where rows contradict each other."""
        return self._elsewhere.get(column, self._first)

    def _compare(self, reader: CellReader, group: Group, layout: Layout, hints: Mapping[str, str]) -> None:
        """Find contradictions; a blank cell on a further row contradicts nothing."""
        for column, kind in layout.document_columns.items():
            texts: dict[str, Row] = {}
            for row in group.rows:
                if text := row.cells.get(column, ""):
                    texts.setdefault(text, row)
            if len(texts) == 1:
                self._elsewhere.setdefault(column, *texts.values())
            elif len(texts) > 1 and column not in self._elsewhere:
                self._choose(reader, group, layout, column, kind=kind, texts=texts, hint=hints.get(column))

    def _choose(
        self,
        reader: CellReader,
        group: Group,
        layout: Layout,
        column: str,
        *,
        kind: Kind,
        texts: Mapping[str, Row],
        hint: str | None,
    ) -> None:
        """Decide between different texts of one cell: spellings of one value agree, a bad cell is named as such."""
        values = {text: reader.value(text, kind) for text in texts}
        good = [text for text in texts if values[text] is not None]
        for text, row in texts.items():
            if values[text] is None:
                reader.read(row, column, kind)
        self._elsewhere[column] = texts[good[0]] if good else None
        other = next((text for text in good if values[text] != values[good[0]]), None)
        if other is not None:
            self._conflict(reader, group, layout, column, stating=texts[good[0]], row=texts[other], hint=hint)

    def _conflict(
        self,
        reader: CellReader,
        group: Group,
        layout: Layout,
        column: str,
        *,
        stating: Row,
        row: Row,
        hint: str | None,
    ) -> None:
        one = layout.name.removesuffix("s")
        here, there = row.cells[column], stating.cells[column]
        if column == "customer":
            code = "document.number-reused"
            message = f"{one} {group.key} is for {here!r} here and for {there!r} on {_line(stating)}"
            hint = f"give each {one} its own {layout.key}"
            # The same contradiction, seen in other columns.
            self._elsewhere.update(customer_id=None, customer_email=None)
        else:
            code = "document.conflict"
            message = f"`{column}` of {one} {group.key} is {here!r} here and {there!r} on {_line(stating)}"
            hint = hint or f"rows with the same {layout.key} are one {one}: make them agree"
        reader.report(code, row, column, message, hint=hint)
        # The currency is still needed to check the decimals of other cells; any other value would mislead its checks.
        self._elsewhere[column] = stating if column == "currency" else None


def _line(row: Row) -> str:
    return row.place.path or f"line {row.place.row}"


def _plainly_agree(group: Group, layout: Layout) -> bool:
    """Tell whether all rows state the document's cells in the same words: the usual case, and the fast one."""
    get = _document_cells(layout, tuple(group.rows[0].cells))
    try:
        first = get(group.rows[0].cells)
        return all(get(row.cells) == first for row in group.rows[1:])
    except KeyError:
        return False


@functools.lru_cache(maxsize=64)
def _document_cells(layout: Layout, names: tuple[str, ...]) -> Callable[[Mapping[str, str]], object]:
    """Give a getter of all cells that belong to the document, for rows with these columns."""
    return operator.itemgetter(layout.key, *(name for name in names if name in layout.document_columns))


@dataclass(slots=True)
class Tally:
    """Control totals in the making."""

    amounts: dict[Currency, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    fees: dict[Currency, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    untaxed: int = 0
    """Invoices whose tax the file leaves to the mapping."""


def read_party(reader: CellReader, header: Header) -> PartyDraft:
    """Read who a document is for."""
    return PartyDraft(
        name=reader.text(header.at("customer"), "customer", required=True) or "",
        id=reader.text(header.at("customer_id"), "customer_id"),
        email=reader.text(header.at("customer_email"), "customer_email"),
    )


def read_rate(reader: CellReader, header: Header) -> Decimal | None:
    """Read the exchange rate a document states: base currency units per unit of its own."""
    row = header.at("currency_rate")
    rate = reader.number(row, "currency_rate")
    if row is not None and rate is not None and rate <= 0:
        reader.report(
            "row.bad-rate",
            row,
            "currency_rate",
            f"{row.cells['currency_rate']!r} is not an exchange rate",
            hint="write how much of the company's currency one unit of the document's currency is worth",
        )
        return None
    return rate


@functools.lru_cache(maxsize=4096)
def split_cell(cell: str | None) -> tuple[str, ...]:
    """Take apart a cell with several values, separated by `;` or `|`."""
    return tuple(part.strip() for part in _SEVERAL.split(cell) if part.strip()) if cell else ()
