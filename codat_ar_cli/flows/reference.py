"""What the rest of the tool knows of a company's books: the cache as domain values, and the open invoices."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from codat_ar_cli.codat import wire
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.fetched import FetchOutcome, FetchReport
from codat_ar_cli.domain.types import CompanyId, ConnectionId, DataStatus, DataType, OpenInvoice, ReferenceData
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.flows.fetch import REFERENCE_TYPES, NeverSynced, fetch
from codat_ar_cli.flows.sync import DEFAULT_WAIT, FetchProgress

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger

NEEDED: frozenset[DataType] = frozenset({DataType.COMPANY_INFO, DataType.ACCOUNTS, DataType.CUSTOMERS})
"""Without these nothing can be planned; the others a platform may lack."""


class NotFetched(CodatArError):
    """The cache has no reference data of this connection yet."""

    code = "fetch.not-fetched"
    exit_code = ExitCode.USAGE

    def __init__(self, missing: Sequence[DataType]) -> None:
        names = ", ".join(data_type.label for data_type in missing)
        super().__init__(
            f"nothing is known yet of this company's {names}",
            hint="read them first: codat-ar fetch",
            details={"missing": [data_type.value for data_type in missing]},
        )


def load_reference(ledger: "Ledger", *, company: CompanyId, connection: ConnectionId) -> ReferenceData:
    """Give the cached reference data of a connection; types that were never fetched are empty and not in `fetched`.

    Raises WireError for a cached record that no longer has the shape we read.
    """
    sets: dict[DataType, list[dict[str, Any]]] = {}
    ages: dict[DataType, dt.datetime] = {}
    for data_type in REFERENCE_TYPES:
        cached = ledger.cached(company, connection, data_type)
        if cached is not None:
            sets[data_type] = [jsontext.loads(text) for text in cached.records]
            ages[data_type] = cached.fetched_at
    return wire.reference_data(sets, ages)


def require_reference(
    ledger: "Ledger", *, company: CompanyId, connection: ConnectionId, needed: frozenset[DataType] = NEEDED
) -> ReferenceData:
    """Give the cached reference data, or say what was never fetched. Raises NotFetched."""
    reference = load_reference(ledger, company=company, connection=connection)
    missing = sorted(needed - reference.fetched.keys())
    if missing:
        raise NotFetched(missing)
    return reference


async def ensure_fresh(
    client: "CodatClient",
    ledger: "Ledger",
    *,
    company: CompanyId,
    connection: ConnectionId,
    types: Sequence[DataType],
    newer_than: dt.datetime | None,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    on_progress: Callable[[FetchProgress], None] = lambda _: None,
    wait: dt.timedelta = DEFAULT_WAIT,
) -> FetchReport:
    """Have Codat read these types anew, where its copy is not newer than `newer_than`, and cache them all.

    `newer_than`: usually when the last push ended, since written records show only after a later sync
    (reference §0.1 fact 1); None: always sync. Payments are synced before invoices whatever the order given.
    The report says of each type what became of it; `raise_failures` turns that into an error.
    """
    status = await client.data_status(company)
    newer_than = _by_codats_clock(newer_than, client.server_time, clock())
    stale = await _stale(client, company, types, status, newer_than)
    outcomes: dict[DataType, FetchOutcome] = {}
    for refresh in (True, False):
        some = [data_type for data_type in types if (data_type in stale) is refresh]
        if not some:
            continue
        report = await fetch(
            client,
            ledger,
            company=company,
            connection=connection,
            types=some,
            refresh=refresh,
            clock=clock,
            sleep=sleep,
            on_progress=on_progress,
            wait=wait,
            newer_than=newer_than,
        )
        outcomes |= {outcome.data_type: outcome for outcome in report.outcomes}
    return FetchReport(company, connection, clock(), tuple(outcomes[data_type] for data_type in types))


def _by_codats_clock(ours: dt.datetime | None, codats_now: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Give an instant of our clock as Codat's clock would show it, where ours runs behind.

    Else a copy that Codat made just before our push could seem newer than the push. A clock of ours that runs
    ahead does no harm: it only asks for a sync too many.
    """
    if ours is None or codats_now is None:
        return ours
    return ours + max(codats_now - now, dt.timedelta(0))


async def _stale(
    client: "CodatClient",
    company: CompanyId,
    types: Sequence[DataType],
    status: Mapping[str, DataStatus],
    newer_than: dt.datetime | None,
) -> frozenset[DataType]:
    """Find the types whose last good sync was not *asked for* after `newer_than`.

    One that began before and ended after it may have read the books too early.
    """
    if newer_than is None:
        return frozenset(types)
    stale: set[DataType] = set()
    for data_type in types:
        seen = status.get(data_type.value)
        fresh = False
        if seen and seen.latest_successful_dataset and (seen.last_successful_sync or newer_than) > newer_than:
            dataset = await client.dataset(company, seen.latest_successful_dataset)
            fresh = dataset.requested_at is not None and dataset.requested_at > newer_than
        if not fresh:
            stale.add(data_type)
    if DataType.PAYMENTS in stale:
        # The allocations shown on invoices are filled in from the payments Codat has at that time (reference §3.4).
        stale |= {DataType.INVOICES, DataType.CREDIT_NOTES} & set(types)
    return frozenset(stale)


def raise_failures(report: FetchReport) -> None:
    """Raise the error of the first type that could not be fetched; nothing when all could."""
    for outcome in report.outcomes:
        if outcome.error:
            raise outcome.error


async def open_invoices(
    client: "CodatClient",
    ledger: "Ledger",
    *,
    company: CompanyId,
    connection: ConnectionId,
    refresh: bool,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    on_progress: Callable[[FetchProgress], None] = lambda _: None,
    newer_than: dt.datetime | None = None,
) -> list[OpenInvoice]:
    """Give every invoice of the books, paid and void ones too, so that a payment can be told why it does not fit.

    With `refresh`, Codat syncs payments, then invoices, first (unless its copy is newer than `newer_than`);
    without, its present copy is read. Read from Codat either way and cached; never from an old cache.
    Raises NeverSynced (only without `refresh`), SyncFailed, ConnectionNeedsLink, StillSyncing, CodatError.
    """
    types = (DataType.PAYMENTS, DataType.INVOICES) if refresh else (DataType.INVOICES,)
    if refresh:
        report = await ensure_fresh(
            client,
            ledger,
            company=company,
            connection=connection,
            types=types,
            newer_than=newer_than,
            clock=clock,
            sleep=sleep,
            on_progress=on_progress,
        )
    else:
        report = await fetch(
            client,
            ledger,
            company=company,
            connection=connection,
            types=types,
            refresh=False,
            clock=clock,
            sleep=sleep,
            on_progress=on_progress,
        )
    raise_failures(report)
    return cached_invoices(ledger, company=company, connection=connection)


def cached_invoices(ledger: "Ledger", *, company: CompanyId, connection: ConnectionId) -> list[OpenInvoice]:
    """Give the invoices as last fetched. Raises NeverSynced when they never were."""
    cached = ledger.cached(company, connection, DataType.INVOICES)
    if cached is None:
        raise NeverSynced(DataType.INVOICES)
    return [wire.open_invoice(jsontext.loads(text)) for text in cached.records]
