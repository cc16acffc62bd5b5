"""The books' invoices as payments look them up: by id, by number, by the marker that carries our own number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.marking import carried_ids
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.slots import fold
from codat_ar_cli.domain.types import DataType, OpenInvoice, RecordId


@dataclass(frozen=True, slots=True)
class InvoiceIndex:
    """Invoices of the books. Numbers are folded: without case and outer blanks."""

    by_id: Mapping[RecordId, OpenInvoice] = field(default_factory=dict)
    by_number: Mapping[str, tuple[OpenInvoice, ...]] = field(default_factory=dict)
    pushed: Mapping[str, tuple[RecordId, ...]] = field(default_factory=dict)
    """What the ledger knows: our own invoice number → the records that we made for it."""
    under_way: Mapping[str, State] = field(default_factory=dict)
    """Our own number of invoices that earlier runs planned or sent, and that have not finished."""

    @classmethod
    def of(
        cls,
        invoices: Iterable[OpenInvoice],
        platform: PlatformRules,
        pushed: Mapping[str, Iterable[RecordId]] | None = None,
        under_way: Mapping[str, State] | None = None,
    ) -> "InvoiceIndex":
        """Index the books' invoices; where the platform takes no number, also by the marker in the note."""
        by_id: dict[RecordId, OpenInvoice] = {}
        by_number: dict[str, dict[RecordId, OpenInvoice]] = {}
        marker = platform.marker(DataType.INVOICES)
        in_note = marker is not None and marker.field == "note"
        for invoice in invoices:
            if invoice.is_deleted:
                continue
            by_id[invoice.id] = invoice
            names = {invoice.number} if invoice.number else set()
            if in_note and invoice.note:
                names |= set(carried_ids(invoice.note))
            for name in names:
                by_number.setdefault(fold(name), {})[invoice.id] = invoice
        numbers = {name: tuple(found.values()) for name, found in by_number.items()}
        ours = {number: tuple(ids) for number, ids in (pushed or {}).items()}
        return cls(by_id, numbers, ours, under_way or {})

    def numbered(self, number: str) -> tuple[OpenInvoice, ...]:
        """Give every invoice that this number may mean: those we pushed under it, and those that carry it."""
        ours = (self.by_id[record] for record in self.pushed.get(number, ()) if record in self.by_id)
        found = {invoice.id: invoice for invoice in (*ours, *self.by_number.get(fold(number), ()))}
        standing = tuple(invoice for invoice in found.values() if invoice.status != "Void")
        return standing or tuple(found.values())

    def is_pushed(self, number: str) -> bool:
        """Tell whether the ledger says that we made an invoice of this number."""
        return bool(self.pushed.get(number))
