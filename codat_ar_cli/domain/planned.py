"""What a plan is made of: every document of a file with its fate, and the findings."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.ids import Currency, Identity, RecordId
from codat_ar_cli.domain.lifecycle import State


class Disposition(StrEnum):
    """What the plan says of one document."""

    SEND = "send"
    HELD = "held"
    """Has a finding that holds it, or the whole file is held by an error elsewhere."""
    DONE = "done"
    """Same identity, same content, already succeeded."""
    UNDER_WAY = "under_way"
    """Same identity, same content; sending, pending or in doubt from an earlier run: resumed, not sent anew."""


@dataclass(frozen=True, slots=True)
class KnownPush:
    """What the ledger already knows of an identity."""

    state: State
    content_hash: str
    record_id: RecordId | None
    run_id: str


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One document with its fate. `body` is exactly what will be sent, canonical text; None unless it is to be sent."""

    identity: Identity
    disposition: Disposition
    content_hash: str
    places: tuple[Place, ...]
    customer: str
    date: dt.date
    currency: Currency
    total: Decimal
    """Invoices: tax included, as we predict the platform's total. Payments: money that moved."""
    label: str
    """What a bookkeeper calls it: the invoice number, or `PMT-7 for INV-1, INV-2`."""
    body: str | None = None
    findings: tuple[Finding, ...] = ()
    known: KnownPush | None = None

    @property
    def holds(self) -> tuple[Finding, ...]:
        """The findings that keep it from being sent."""
        return tuple(finding for finding in self.findings if finding.severity in {Severity.ERROR, Severity.HOLD})


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What was read, to compare with the file's own totals by eye before anything is sent."""

    rows: int
    documents: int
    amounts: dict[Currency, Decimal] = field(default_factory=dict)
    """Sum of document totals per currency."""
    fees: dict[Currency, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All documents of one file, in file order, with the findings of the file itself."""

    documents: tuple[PlannedDocument, ...]
    findings: tuple[Finding, ...]
    """Findings that belong to no single document (columns, file); those of documents stand in them."""
    totals: ControlTotals

    @property
    def to_send(self) -> tuple[PlannedDocument, ...]:
        """The documents that this plan sends, in order."""
        return tuple(document for document in self.documents if document.disposition is Disposition.SEND)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Every finding once, the file's first; one that several documents share is not repeated."""
        of_documents = (finding for document in self.documents for finding in document.findings)
        return tuple(dict.fromkeys((*self.findings, *of_documents)))
