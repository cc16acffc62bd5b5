"""Is a document in doubt in the books? The rules of settling (design D10), without any reading or writing.

The road: what to look for (`sought`), what the books hold (`BookRecord`), what they say of it (`look_up`), and
whether their silence would be proof enough for a new attempt (`why_never_again`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import Currency, DataType, RecordId
from codat_ar_cli.domain.lifecycle import Cause, State
from codat_ar_cli.domain.marking import carries
from codat_ar_cli.domain.money import smallest
from codat_ar_cli.domain.payload import paid_invoices
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.pushes import Push
from codat_ar_cli.domain.slots import fold
from codat_ar_cli.domain.types import PushOperation, PushStatus
from codat_ar_cli.errors import CodatArError

CLOCK_MARGIN = dt.timedelta(days=1)
"""How far our clock at the time of sending may have been from Codat's: what is older than the first request by
more than this can't stem from it."""

LOST_OR_FAULT = frozenset({Cause.ANSWER_LOST, Cause.WINDOW_OVER, Cause.CLOCK_WENT_BACK, Cause.SERVER_FAULT})
"""The doubts that nothing in the books, twice, can end: a lost answer or a 5xx (design D10)."""

_TEXT_FIELDS = ("invoiceNumber", "creditNoteNumber", "reference", "note")
_DATE_FIELDS = ("issueDate", "date")


@dataclass(frozen=True, slots=True)
class BookRecord:
    """A record of the books, as far as recognising our own needs to know it; what the books don't say is None."""

    id: RecordId
    texts: tuple[str, ...] = ()
    """Whatever may carry a source id: number, reference, note, the first line's description."""
    customer: RecordId | None = None
    date: dt.date | None = None
    currency: Currency | None = None
    total: Decimal | None = None
    invoices: frozenset[RecordId] = frozenset()
    """Of a payment: the invoices it is against."""
    status: str | None = None
    changed_at: dt.datetime | None = None
    """When the accounting package says it last changed."""
    is_deleted: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give what a person needs to find it in the books, as JSON values."""
        return {
            "id": self.id,
            "texts": list(self.texts),
            "customer_id": self.customer,
            "date": self.date and self.date.isoformat(),
            "total": None if self.total is None else format(self.total, "f"),
            "currency": self.currency,
            "status": "Deleted" if self.is_deleted else self.status,
        }


@dataclass(frozen=True, slots=True)
class Sought:
    """What a document would look like in the books: read from the very body that was sent."""

    source_id: str
    is_marked: bool
    """Whether the body carries the source id in some field."""
    has_marker: bool
    """Whether it does so in the field that the platform is known to keep (reference §10)."""
    customer: RecordId | None
    date: dt.date | None
    """None: the platform dates the document itself."""
    currency: Currency
    total: Decimal
    slack: Decimal
    """How far the platform's own rounding of tax may bring its total from ours: a smallest unit per line."""
    invoices: frozenset[RecordId]
    sent_at: dt.datetime | None


def sought(push: Push, platform: PlatformRules) -> Sought:
    """Read from a push what to look for."""
    body: dict[str, Any] = jsontext.loads(push.body or "{}")
    source_id, data_type = push.identity.source_id, push.identity.data_type
    lines = body.get("lineItems") or body.get("lines") or ()
    carrying = {name for name in _TEXT_FIELDS if _carries(body.get(name), source_id)}
    if lines and _carries(lines[0].get("description"), source_id):
        carrying.add("lineItems.description")
    marker = platform.marker(data_type)
    date = next((body[name] for name in _DATE_FIELDS if body.get(name)), None)
    return Sought(
        source_id=source_id,
        is_marked=bool(carrying),
        has_marker=marker is not None and marker.field in carrying,
        customer=RecordId(body["customerRef"]["id"]) if "customerRef" in body else None,
        date=dt.date.fromisoformat(date[:10]) if date else None,
        currency=push.currency,
        total=push.total,
        slack=Decimal(0) if data_type is DataType.PAYMENTS else smallest(push.currency) * len(lines),
        invoices=frozenset(paid_invoices(push.body or "{}")) if data_type is DataType.PAYMENTS else frozenset(),
        sent_at=push.first_sent_at,
    )


class FoundBy(StrEnum):
    """What a record was recognised by."""

    MARKER = "marker"
    """It carries our own id, for the same customer, in the same currency, at the same total."""
    FACTS = "facts"
    """The only one with this customer, date, currency and total (and, of a payment, these invoices)."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the books say of one document. Nothing found and no candidate: it is not there."""

    found: BookRecord | None = None
    by: FoundBy | None = None
    candidates: tuple[BookRecord, ...] = ()
    """Records that may be it, where that is not certain."""
    why: str = ""
    """Why it is not certain, in words."""


def look_up(wanted: Sought, records: Iterable[BookRecord], *, taken: Mapping[RecordId, str]) -> Lookup:
    """Look for a document in the books: by its marker, else by what is known of it.

    taken: records that other pushes of ours became, with their source ids; these are set aside. Where the
    document is marked, a record that merely looks like it is a candidate and no more: the platform may have
    changed its number, or it may be another's.
    """
    free = [record for record in records if record.id not in taken]
    marked = [record for record in free if wanted.is_marked and _is_marked(record, wanted)]
    if marked:
        return _of_marked(wanted, marked)
    alike = [record for record in free if _is_alike(record, wanted)]
    if len(alike) == 1 and not wanted.is_marked and not alike[0].is_deleted:
        return Lookup(alike[0], FoundBy.FACTS)
    if not alike:
        return Lookup()
    if wanted.is_marked:
        why = f"no record carries `{wanted.source_id}`, but {_number(alike)} of the same customer, date and total"
    elif len(alike) == 1:
        why = "a record of the same customer, date and total was deleted in the books"
    else:
        why = f"{_number(alike)} of the same customer, date and total: which one it is can't be told"
    return Lookup(candidates=tuple(alike), why=why)


def _of_marked(wanted: Sought, marked: list[BookRecord]) -> Lookup:
    standing = [record for record in marked if not record.is_deleted]
    if len(standing) == 1 and not _differences(standing[0], wanted):
        return Lookup(standing[0], FoundBy.MARKER)
    if not standing:
        why = f"the record that carries `{wanted.source_id}` was deleted in the books"
    elif len(standing) > 1:
        why = f"{_number(standing)} carry `{wanted.source_id}`"
    else:
        differing = ", ".join(_differences(standing[0], wanted))
        why = f"a record carries `{wanted.source_id}` but differs in {differing}"
    return Lookup(candidates=tuple(marked), why=why)


def _number(records: list[BookRecord]) -> str:
    return "1 record" if len(records) == 1 else f"{len(records)} records"


def _is_marked(record: BookRecord, wanted: Sought) -> bool:
    return any(_carries(text, wanted.source_id) for text in record.texts)


def _carries(text: str | None, source_id: str) -> bool:
    """Tell whether a text begins with our id, also where the platform changed its case or outer blanks."""
    return text is not None and carries(fold(text), fold(source_id))


def _differences(record: BookRecord, wanted: Sought) -> list[str]:
    """Name what speaks against a record; what the books don't say speaks neither for nor against it."""
    total_differs = record.total is not None and abs(record.total - wanted.total) > wanted.slack
    found = {
        "customer": None not in (record.customer, wanted.customer) and record.customer != wanted.customer,
        "currency": record.currency is not None and record.currency != wanted.currency,
        "total": total_differs,
    }
    return [name for name, differs in found.items() if differs]


def _is_alike(record: BookRecord, wanted: Sought) -> bool:
    """Tell whether a record could be the document by all that is known, and did not stand there before it was sent."""
    if wanted.sent_at and record.changed_at and record.changed_at < wanted.sent_at - CLOCK_MARGIN:
        return False
    if record.total is None or record.customer is None or _differences(record, wanted):
        return False
    if wanted.date is not None and record.date != wanted.date:
        return False
    return not wanted.invoices or record.invoices == wanted.invoices


def why_never_again(cause: str | None, wanted: Sought, *, is_offline: bool, key_lives: bool) -> str | None:
    """Say why nothing in the books is no proof that a document was not written; None: twice nothing is proof."""
    if cause not in LOST_OR_FAULT:
        return _NO_PROOF.get(cause or "", "Codat's answer does not tell whether it was written")
    if cause == Cause.ANSWER_LOST and key_lives:
        return "its key still lives: a further run asks again under the same key"
    if not wanted.has_marker:
        return "it carries no id of ours by which it could surely be found again"
    if is_offline:
        return "the accounting platform runs on the customer's own machine, and may still carry it out later"
    return None


_NO_PROOF: dict[str, str] = {
    Cause.TIMED_OUT: "Codat stopped waiting for the accounting platform, and the record may still appear",
    Cause.NO_RECORD_ID: "Codat says that it was written, without saying where",
}


def is_inside(operation: PushOperation, sent_at: dt.datetime | None) -> bool:
    """Tell whether a push operation may stem from a request first sent then; one without a time may."""
    return operation.requested_at is None or sent_at is None or operation.requested_at >= sent_at - CLOCK_MARGIN


def may_have_written(operation: PushOperation, records: Mapping[RecordId, BookRecord], wanted: Sought) -> bool:
    """Tell whether an operation that no ledger of ours knows may be what became of a document not found by marker."""
    if operation.status is PushStatus.FAILED:
        return False
    if operation.change_types and not {"Created", "Unknown"} & set(operation.change_types):
        return False
    if operation.status is PushStatus.SUCCESS and operation.record_id is not None:
        # Its record was read back and is no match, or it can't be seen yet.
        return operation.record_id not in records
    return is_inside(operation, wanted.sent_at)


@dataclass(frozen=True, slots=True)
class Settled:
    """One document that was in doubt, and what reading said of it."""

    push: Push
    """As it stands now."""
    reason: str
    """Why it stands there, in words."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What was looked at and seen, as JSON values; the ledger keeps it too."""


@dataclass(frozen=True, slots=True)
class SettleReport:
    """All documents of a connection that were in doubt, in the order they were planned."""

    settled: tuple[Settled, ...]
    stopped_by: CodatArError | None = None
    """Why some of them could not be looked for."""

    @property
    def counts(self) -> dict[State, int]:
        """Where they stand now."""
        return dict(Counter(one.push.state for one in self.settled))
