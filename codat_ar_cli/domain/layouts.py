"""The columns of our generic files: what each is called, which must be there, which belong to the whole document.

A layout knows names only; drafting knows what the cells mean. A file is recognised by the set of its header
names (design D4): case, blanks, underscores, hyphens, stars and a byte order mark make no difference, order never.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from codat_ar_cli.domain.ids import DataType

_IGNORED = re.compile(r"[\s_*\-\u00ad\u200b\ufeff]+")


def fold(header: str) -> str:
    """Reduce a header to what it is recognised by: `* Invoice_Number ` and `invoiceNumber` are the same."""
    return _IGNORED.sub("", header).casefold()


def own_name(header: str) -> str:
    """Name a column we don't know for mapping rules: `Cost Centre*` becomes `cost_centre`; "" for a blank header."""
    return _IGNORED.sub("_", header.strip()).strip("_").casefold()


class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    """Amounts, too: how many decimals are right depends on the currency beside it."""
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layout, under its canonical name."""

    name: str
    required: bool = False
    """Must be among the headers, and stated for every document or line."""
    per_line: bool = False
    """May differ between the rows of one document; otherwise they must agree."""
    aliases: tuple[str, ...] = ()
    """Other headers that mean exactly the same."""
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, eq=False)
class Layout:
    """A kind of generic file: one row per line, the document's own cells repeated on each of its rows."""

    name: str
    """Also the key of the record list in JSON: `{"invoices": [...]}`."""
    data_type: DataType
    key: str
    """The column that says which document a row belongs to."""
    columns: tuple[Column, ...]
    lines_key: str
    """The key of the nested list in JSON: `lines` of an invoice, `allocations` of a payment."""
    line_names: Mapping[str, str] = field(default_factory=dict)
    """Shorter JSON keys inside that list, such as `amount` for `allocated_amount`; folded."""

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Canonical names that a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    @cached_property
    def needs_lines(self) -> bool:
        """Whether a document is nothing without lines: an invoice is, a payment can be wholly on account."""
        return any(column.required and column.per_line for column in self.columns)

    @cached_property
    def document_columns(self) -> Mapping[str, Kind]:
        """Canonical names whose cells must agree between the rows of one document; not the key itself."""
        return {column.name: column.kind for column in self.columns if not column.per_line and column.name != self.key}

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        return {fold(name): column.name for column in self.columns for name in (column.name, *column.aliases)}

    def canonical(self, header: str, *, in_line: bool = False) -> str | None:
        """Give the canonical name of a header, None if the layout has no such column.

        in_line: the header is a JSON key inside the nested list, where shorter keys hold too.
        """
        folded = fold(header)
        if in_line and folded in self.line_names:
            return self.line_names[folded]
        return self._by_fold.get(folded)

    def missing(self, canonical: Collection[str]) -> tuple[str, ...]:
        """Name the required columns that are not there."""
        return tuple(name for name in self.required if name not in canonical)

    def nearest(self, header: str, *, beside: Collection[str] = ()) -> str | None:
        """Guess which column a misspelt header was meant to be, leaving out those already there."""
        wanted = {folded: name for folded, name in self._by_fold.items() if name not in beside}
        close = difflib.get_close_matches(fold(header), list(wanted), n=1, cutoff=0.8)
        return wanted[close[0]] if close else None


_PARTY = (Column("customer", required=True), Column("customer_id"), Column("customer_email"))

INVOICES = Layout(
    name="invoices",
    data_type=DataType.INVOICES,
    key="invoice_number",
    lines_key="lines",
    line_names={"description": "line_description"},
    columns=(
        Column("invoice_number", required=True),
        *_PARTY,
        Column("issue_date", required=True, kind=Kind.DATE),
        Column("due_date", kind=Kind.DATE),
        Column("currency", required=True, kind=Kind.CURRENCY),
        Column("currency_rate", kind=Kind.NUMBER),
        Column("reference"),
        Column("note"),
        Column("total_amount", kind=Kind.NUMBER),
        Column("line_description", required=True, per_line=True, aliases=("description",)),
        Column("quantity", required=True, per_line=True, kind=Kind.NUMBER),
        Column("unit_price", required=True, per_line=True, kind=Kind.NUMBER),
        Column("discount_amount", per_line=True, kind=Kind.NUMBER),
        Column("discount_percent", per_line=True, kind=Kind.NUMBER),
        Column("tax_rate", per_line=True),
        Column("tax_amount", per_line=True, kind=Kind.NUMBER),
        Column("account", per_line=True),
        Column("item", per_line=True),
        Column("tracking", per_line=True),
    ),
)
"""Invoices, one row per line (samples: `invoices.csv`, `invoices.json`)."""

PAYMENTS = Layout(
    name="payments",
    data_type=DataType.PAYMENTS,
    key="payment_id",
    lines_key="allocations",
    line_names={"amount": "allocated_amount"},
    columns=(
        Column("payment_id", required=True),
        *_PARTY,
        Column("date", required=True, kind=Kind.DATE),
        Column("amount", required=True, kind=Kind.NUMBER),
        Column("currency", required=True, kind=Kind.CURRENCY),
        Column("currency_rate", kind=Kind.NUMBER),
        Column("method"),
        Column("fee", kind=Kind.NUMBER),
        Column("note"),
        Column("reference"),
        Column("invoice_number", per_line=True),
        Column("invoice_id", per_line=True),
        Column("allocated_amount", per_line=True, kind=Kind.NUMBER),
    ),
)
"""Receipts, one row per allocation (samples: `payments.csv`, `payments.json`)."""

LAYOUTS: tuple[Layout, ...] = (INVOICES, PAYMENTS)


def recognise(headers: Collection[str]) -> Layout | None:
    """Tell which layout a set of header names is, None where no one layout has all its required columns there."""
    fitting = [
        layout for layout in LAYOUTS if not layout.missing({layout.canonical(header) or "" for header in headers})
    ]
    return fitting[0] if len(fitting) == 1 else None
