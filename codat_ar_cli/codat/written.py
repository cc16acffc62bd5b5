"""Records that a push may have made, read just far enough to recognise our own (reference §7, §8, §10)."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from codat_ar_cli.codat import models
from codat_ar_cli.codat.models import BusinessDate, Instant, Number, RefShape, Shape
from codat_ar_cli.codat.wire import Raw, read
from codat_ar_cli.domain.settling import BookRecord
from codat_ar_cli.domain.types import Currency, RecordId

_NullIsEmpty = BeforeValidator(lambda value: [] if value is None else value)


class _LinkShape(Shape):
    type: str | None = None
    id: str | None = None


class _LineShape(Shape):
    """A line item of a document, or a line of a payment."""

    description: str | None = None
    links: Annotated[list[_LinkShape], _NullIsEmpty] = Field(default_factory=list)


class _WrittenShape(models.RecordShape):
    """What invoices, credit notes, payments and direct costs have in common, each under its own name."""

    invoice_number: str | None = None
    credit_note_number: str | None = None
    reference: str | None = None
    note: str | None = None
    customer_ref: RefShape | None = None
    currency: str | None = None
    issue_date: BusinessDate = None
    date: BusinessDate = None
    total_amount: Number = None
    status: str | None = None
    line_items: Annotated[list[_LineShape], _NullIsEmpty] = Field(default_factory=list)
    lines: Annotated[list[_LineShape], _NullIsEmpty] = Field(default_factory=list)
    source_modified_date: Instant = None


def book_record(raw: Raw) -> BookRecord:
    """Read a record of any type we push; raises WireError."""
    seen = read(_WrittenShape, raw)
    first_line = seen.line_items[0].description if seen.line_items else None
    texts = (seen.invoice_number, seen.credit_note_number, seen.reference, seen.note, first_line)
    party = seen.customer_ref
    invoices = (link.id for line in seen.lines for link in line.links if link.type == "Invoice" and link.id)
    return BookRecord(
        id=RecordId(seen.id),
        texts=tuple(text for text in texts if text),
        customer=RecordId(party.id) if party and party.id else None,
        date=seen.issue_date or seen.date,
        currency=Currency(seen.currency) if seen.currency and seen.currency != "XXX" else None,
        total=seen.total_amount,
        invoices=frozenset(RecordId(invoice) for invoice in invoices),
        status=seen.status,
        changed_at=seen.source_modified_date,
        is_deleted=seen.is_deleted,
    )
