"""What the ledger tells of runs, pushes and cached data: frozen values, without a database behind them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from codat_ar_cli.domain.findings import Place
from codat_ar_cli.domain.ids import (
    CompanyId,
    ConnectionId,
    CorrelationId,
    Currency,
    DatasetId,
    DataType,
    Identity,
    PlatformKey,
    PushId,
    PushOperationKey,
    RecordId,
    RunId,
)
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition


@dataclass(frozen=True, slots=True)
class RunHeader:
    """What a run is about, known before it begins."""

    command: str
    """As a user would name it: `push invoices`."""
    profile: str
    api_host: str
    company: CompanyId
    company_name: str
    connection: ConnectionId
    platform_key: PlatformKey
    platform_name: str
    data_type: DataType | None = None
    """None: a run that only resumes."""
    source: str | None = None
    """The input file as the user named it."""
    source_sha256: str | None = None
    totals: Mapping[str, str] = field(default_factory=dict)
    """Control totals of what was read: documents' sum as text, per currency."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run with where its documents stand today, which a later run may have changed."""

    id: RunId
    header: RunHeader
    started_at: dt.datetime
    ended_at: dt.datetime | None
    """None: still going, or killed."""
    exit_code: int | None
    ended_counts: Mapping[State, int]
    """As the run left them; empty while it goes."""
    counts: Mapping[State, int]
    """As they are now."""


@dataclass(frozen=True, slots=True)
class Push:
    """One intended write and where it stands."""

    id: PushId
    identity: Identity
    state: State
    attempt: int
    """From 1; rises only when design D10 permits a new idempotency key."""
    idempotency_key: str | None
    """None while held: there is no body yet."""
    body: str | None
    """Exactly the text that is sent."""
    body_sha256: str | None
    content_hash: str
    label: str
    customer: str
    date: dt.date
    currency: Currency
    total: Decimal
    places: tuple[Place, ...]
    cause_code: str | None
    """Why it was held, rejected, stopped or is in doubt."""
    cause_text: str | None
    operation_key: PushOperationKey | None
    record_id: RecordId | None
    correlation_id: CorrelationId | None
    http_status: int | None
    first_sent_at: dt.datetime | None
    """When the present key's first request was about to leave; None: nothing was sent that could have arrived."""
    planned_at: dt.datetime
    updated_at: dt.datetime
    finished_at: dt.datetime | None
    run_id: RunId
    """The run that planned it last."""
    ordinal: int
    """Its place in that run, from 0."""


@dataclass(frozen=True, slots=True)
class RunItem:
    """What a run's plan said of one document, beside the push as it stands now."""

    ordinal: int
    disposition: Disposition
    content_hash: str
    """Of the document as this run's file had it."""
    findings: tuple[Mapping[str, Any], ...]
    """As JSON values: code, severity, message, place, hint."""
    push: Push

    @property
    def state(self) -> State:
        """Where this run's document stands now: a changed version that was held did not touch the push."""
        if self.disposition is Disposition.HELD and self.content_hash != self.push.content_hash:
            return State.HELD
        return self.push.state


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One thing that happened, chained by hash to the one before it of the same company."""

    position: int
    """From 1, without gaps, per company."""
    at: dt.datetime
    event: str
    """An `Event`, or `run-begun`, `run-ended`, `settle_looked`."""
    run_id: RunId | None
    push_id: PushId | None
    from_state: State | None
    to_state: State | None
    facts: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class CachedSet:
    """All records of one data type as Codat gave them, and how old they are."""

    data_type: DataType
    records: tuple[str, ...]
    """Canonical JSON texts, in Codat's order."""
    fetched_at: dt.datetime
    dataset_id: DatasetId | None
    dataset_at: dt.datetime | None
    """When Codat read them from the accounting package; None: it did not say."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside a move; a field that is None leaves the push's own as it is."""

    operation_key: PushOperationKey | None = None
    record_id: RecordId | None = None
    correlation_id: CorrelationId | None = None
    http_status: int | None = None
    cause_code: str | None = None
    cause_text: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Further JSON values for the event row only."""


NO_FACTS = Facts()
