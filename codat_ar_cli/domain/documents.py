"""Drafts: what the user's file asks for, in our terms, before any mapping.

A draft holds only what the file says; ids of accounts, customers and tax rates come later, in `plan`.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.findings import Finding, Place
from codat_ar_cli.domain.ids import Currency, DataType


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file as the file has it: cells as text, by normalised column name."""

    place: Place
    cells: Mapping[str, str]
    """Keys are canonical column names of the layout; unknown columns keep their own name."""
    fault: Finding | None = None
    """Set where the record itself is damaged (ragged, not an object): its cells can't be trusted."""


@dataclass(frozen=True, slots=True)
class PartyDraft:
    """Who the document is for, in the file's own words."""

    name: str
    id: str | None = None
    """The customer's id in Codat, where the file gives it (column `customer_id`)."""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line of an invoice or credit note. Amounts are in the document's currency, tax excluded."""

    place: Place
    description: str
    quantity: Decimal
    unit_amount: Decimal
    cells: Mapping[str, str]
    """All cells of the row, for mapping rules."""
    discount_amount: Decimal | None = None
    discount_percentage: Decimal | None = None
    tax_rate: str | None = None
    """As the file says it: a percentage, or the name, code or id of a rate."""
    tax_amount: Decimal | None = None
    """Stated by the file; None: computed from the mapped rate."""
    account: str | None = None
    item: str | None = None
    tracking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """One invoice."""

    number: str
    customer: PartyDraft
    issue_date: dt.date
    due_date: dt.date | None
    currency: Currency
    lines: tuple[LineDraft, ...]
    place: Place
    """Of its first row."""
    rows: tuple[Place, ...]
    cells: Mapping[str, str]
    """Cells of its first row, for mapping rules."""
    currency_rate: Decimal | None = None
    """Base currency units per one unit of the document's currency (reference §5)."""
    reference: str | None = None
    note: str | None = None
    stated_total: Decimal | None = None
    """The document total given in the file: checked, never trusted."""

    data_type = DataType.INVOICES

    @property
    def source_id(self) -> str:
        """The caller's own unique id."""
        return self.number

    def content_hash(self) -> str:
        """Hash what the file says: equal for equal content, whatever the spelling of numbers or the mapping."""
        return _digest(self)


@dataclass(frozen=True, slots=True)
class AllocationDraft:
    """The part of a payment that the file puts against one invoice, or on account."""

    place: Place
    invoice_number: str | None = None
    invoice_id: str | None = None
    """The invoice's id in Codat, where the file gives it; wins over the number."""
    amount: Decimal | None = None
    """None: not stated. With one invoice it is the whole payment; with several, see `plan`."""


@dataclass(frozen=True, slots=True)
class PaymentDraft:
    """One receipt. What `allocations` leave over is a payment on account, where the file says so."""

    payment_id: str
    customer: PartyDraft
    date: dt.date
    amount: Decimal
    """Money that moved, in `currency`; negative = money out."""
    currency: Currency
    allocations: tuple[AllocationDraft, ...]
    """Empty: the whole payment is on account."""
    place: Place
    rows: tuple[Place, ...]
    cells: Mapping[str, str]
    currency_rate: Decimal | None = None
    method: str | None = None
    note: str | None = None
    reference: str | None = None
    fee: Decimal | None = None
    """What the processor kept, positive, in `currency`; not part of the payment's own lines."""

    data_type = DataType.PAYMENTS

    @property
    def source_id(self) -> str:
        """The caller's own unique id."""
        return self.payment_id

    def content_hash(self) -> str:
        """Hash what the file says: equal for equal content, whatever the spelling of numbers or the mapping."""
        return _digest(self)


Draft = InvoiceDraft | PaymentDraft

_LOCATION_FIELDS = frozenset({"place", "rows", "cells"})


def _digest(draft: Draft) -> str:
    return hashlib.sha256(jsontext.dumps_texts(_plain(draft)).encode()).hexdigest()


def _plain(value: object) -> object:
    """Content only, no places; numbers as texts in one spelling, so `10.0` and `10.00` hash alike.

    What isn't stated is left out: a column that a later version reads must not change what was pushed before it.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    kind = type(value)
    if kind not in _content_fields:
        fields = getattr(kind, "__dataclass_fields__", ())
        _content_fields[kind] = tuple(name for name in fields if name not in _LOCATION_FIELDS)
    names = _content_fields[kind]
    if not names:
        return value
    stated = ((name, getattr(value, name)) for name in names)
    return {name: _plain(content) for name, content in stated if content is not None and content != ()}


_content_fields: dict[type, tuple[str, ...]] = {}
"""The fields of a draft's parts that are content, not place; none for what is no such part. Filled as they are met."""
