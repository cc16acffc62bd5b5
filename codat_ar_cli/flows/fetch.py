"""Codat → reference cache: every page of every data type asked for, each type on its own, with its age."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from codat_ar_cli.codat import wire
from codat_ar_cli.codat.errors import CodatError, DataNotReady, RecordNotFound, WireError
from codat_ar_cli.domain import fetched, jsontext
from codat_ar_cli.domain.fetched import FetchOutcome, FetchReport, FetchStatus
from codat_ar_cli.domain.types import CompanyId, ConnectionId, DataStatus, DataType, RecordId
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.flows.sync import (
    DEFAULT_WAIT,
    STOPS_EVERYTHING,
    FetchProgress,
    Phase,
    StillSyncing,
    Synced,
    is_unsupported,
    sync,
)
from codat_ar_cli.ledger.errors import LedgerError

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.domain.pushes import CachedSet
    from codat_ar_cli.ledger.store import Ledger

REFERENCE_TYPES: tuple[DataType, ...] = (
    DataType.COMPANY_INFO,
    DataType.ACCOUNTS,
    DataType.BANK_ACCOUNTS,
    DataType.TAX_RATES,
    DataType.TRACKING_CATEGORIES,
    DataType.ITEMS,
    DataType.PAYMENT_METHODS,
    DataType.CUSTOMERS,
    DataType.SUPPLIERS,
)
"""What mapping and preflight need (reference §4); what `fetch` reads when no type is named."""

AT_ONCE = 5
"""Requests in flight; half of what Codat allows per company (reference §1.3), so a push beside it is not starved."""

_DONE_STATUSES = frozenset({"Complete", "NotSupported", "Cancelled"})
_TELL_EVERY = 100
_ENDING: tuple[type[CodatArError], ...] = (*STOPS_EVERYTHING, LedgerError)
"""What ends the fetch of all types, raised as itself."""


class NeverSynced(CodatArError):
    """Codat has no copy of this data type yet (409 on a read)."""

    code = "fetch.never-synced"
    exit_code = ExitCode.UNFINISHED

    def __init__(self, data_type: DataType) -> None:
        super().__init__(
            f"Codat has never read {data_type.label} from the accounting package",
            hint=f"have it read now: codat-ar fetch {data_type.value} --refresh",
            details={"data_type": data_type.value},
        )


@dataclass(frozen=True, slots=True)
class _Fetching:
    """What the fetches of all types share."""

    client: "CodatClient"
    ledger: "Ledger"
    company: CompanyId
    connection: ConnectionId
    clock: Callable[[], dt.datetime]
    on_progress: Callable[[FetchProgress], None]
    status: Mapping[str, DataStatus]
    diff: bool

    def cached(self, data_type: DataType) -> "CachedSet | None":
        return self.ledger.cached(self.company, self.connection, data_type)


async def fetch(
    client: "CodatClient",
    ledger: "Ledger",
    *,
    company: CompanyId,
    connection: ConnectionId,
    types: Sequence[DataType] = REFERENCE_TYPES,
    refresh: bool = False,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    on_progress: Callable[[FetchProgress], None] = lambda _: None,
    diff: bool = False,
    wait: dt.timedelta = DEFAULT_WAIT,
    newer_than: dt.datetime | None = None,
) -> FetchReport:
    """Read all records of each data type from Codat into the ledger's cache; say of each what became of it.

    With `refresh`, Codat first reads them anew from the accounting package, and we wait up to `wait`;
    `newer_than` asks for a sync requested at or after that instant. With `diff`, changes against the earlier
    cache come along. A type that fails keeps its earlier cache and does not stop the others.
    Raises KeyRefused, AccountLimited, PlaceGone, and what reading `dataStatus` raises.
    """
    types = tuple(dict.fromkeys(types))
    synced: Mapping[DataType, Synced] = {}
    if refresh:
        synced = await sync(
            client,
            company=company,
            connection=connection,
            types=types,
            clock=clock,
            sleep=sleep,
            on_progress=on_progress,
            wait=wait,
            newer_than=newer_than,
        )
    status = await client.data_status(company)
    fetching = _Fetching(client, ledger, company, connection, clock, on_progress, status, diff)
    outcomes = await _fetch_all(fetching, types, synced)
    return FetchReport(company, connection, clock(), tuple(outcomes[data_type] for data_type in types))


async def read_records(
    client: "CodatClient",
    *,
    company: CompanyId,
    connection: ConnectionId,
    data_type: DataType,
    query: str | None = None,
    on_records: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Read the wire records of one data type that fit `query`, all pages, past the cache.

    Tracking categories come with all their descendants, flat, each naming its parent; company info as a list of one.
    Raises CodatError; DataNotReady where Codat has no copy yet. Source: reference §3.1, §6.3.
    """
    if data_type is DataType.COMPANY_INFO:
        return [await client.company_info(company)]
    records: list[dict[str, Any]] = []
    async for record in client.records(company, connection, data_type, query=query):
        records.append(record)
        if len(records) % _TELL_EVERY == 0:
            on_records(len(records))
    if data_type is DataType.TRACKING_CATEGORIES:
        return await _with_descendants(client, company, connection, records)
    return records


async def _fetch_all(
    fetching: _Fetching, types: Iterable[DataType], synced: Mapping[DataType, Synced]
) -> dict[DataType, FetchOutcome]:
    outcomes: dict[DataType, FetchOutcome] = {}
    fatal: list[CodatArError] = []
    limiter = anyio.Semaphore(AT_ONCE)

    async def one(data_type: DataType) -> None:
        async with limiter:
            try:
                outcome = await _fetch_one(fetching, data_type, synced.get(data_type, Synced()))
                outcomes[data_type] = outcome
                fetching.on_progress(FetchProgress(data_type, Phase.DONE, outcome.records))
            except _ENDING as error:
                fatal.append(error)
                group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for data_type in types:
            group.start_soon(one, data_type)
    if fatal:
        raise fatal[0]
    return outcomes


async def _fetch_one(fetching: _Fetching, data_type: DataType, synced: Synced) -> FetchOutcome:
    status = fetching.status.get(data_type.value)
    if synced.unsupported or (status and status.current_status == "NotSupported" and not status.last_successful_sync):
        return FetchOutcome(data_type, FetchStatus.NOT_SUPPORTED)
    if synced.error:
        return _failed(fetching, data_type, synced.error)
    fetching.on_progress(FetchProgress(data_type, Phase.READING))
    try:
        records = await read_records(
            fetching.client,
            company=fetching.company,
            connection=fetching.connection,
            data_type=data_type,
            on_records=lambda count: fetching.on_progress(FetchProgress(data_type, Phase.READING, count)),
        )
        wire.check(data_type, records)  # before it takes the place of a cache that could be read
        texts = _texts(records)
    except STOPS_EVERYTHING:
        raise
    except CodatError as error:
        return await _not_read(fetching, data_type, error)
    return _keep(fetching, data_type, records, texts, status)


async def _not_read(fetching: _Fetching, data_type: DataType, error: CodatError) -> FetchOutcome:
    if is_unsupported(error):
        return FetchOutcome(data_type, FetchStatus.NOT_SUPPORTED)
    if not isinstance(error, DataNotReady):
        return _failed(fetching, data_type, error)
    if not await _is_readable(fetching, data_type):
        return FetchOutcome(data_type, FetchStatus.NOT_SUPPORTED)
    return _failed(fetching, data_type, _why_not_ready(data_type, fetching.status.get(data_type.value)))


def _texts(records: Sequence[dict[str, Any]]) -> list[str]:
    try:
        return [jsontext.dumps(record, sort_keys=True) for record in records]
    except RecursionError as error:
        raise WireError("a record from Codat is nested too deeply") from error


def _keep(
    fetching: _Fetching,
    data_type: DataType,
    records: Sequence[dict[str, Any]],
    texts: Sequence[str],
    status: DataStatus | None,
) -> FetchOutcome:
    """Put the records into the cache.

    The dataset named is the one known before the read began: a sync that landed during it makes the cache newer
    than it says, never older.
    """
    before = fetching.cached(data_type)
    outcome = FetchOutcome(
        data_type,
        FetchStatus.FETCHED,
        records=len(records),
        fetched_at=fetching.clock(),
        dataset_at=status.last_successful_sync if status else None,
        dataset_id=status.latest_successful_dataset if status else None,
    )
    assert outcome.fetched_at is not None
    fetching.ledger.replace_cache(
        fetching.company,
        fetching.connection,
        data_type,
        texts,
        fetched_at=outcome.fetched_at,
        dataset_id=outcome.dataset_id,
        dataset_at=outcome.dataset_at,
    )
    if not fetching.diff or before is None:
        return outcome
    return replace(outcome, changes=fetched.compare(map(jsontext.loads, before.records), records))


def _failed(fetching: _Fetching, data_type: DataType, error: CodatArError) -> FetchOutcome:
    kept = fetching.cached(data_type)
    if kept is None:
        return FetchOutcome(data_type, FetchStatus.FAILED, error=error)
    return FetchOutcome(
        data_type,
        FetchStatus.FAILED,
        records=len(kept.records),
        fetched_at=kept.fetched_at,
        dataset_at=kept.dataset_at,
        error=error,
    )


async def _is_readable(fetching: _Fetching, data_type: DataType) -> bool:
    """Tell whether Codat reads this type on the platform at all; yes where it does not say (reference §2)."""
    try:
        company = await fetching.client.company(fetching.company)
        platform = next(link.platform_key for link in company.connections if link.id == fetching.connection)
        integration = await fetching.client.integration(platform)
    except STOPS_EVERYTHING:
        raise
    except (CodatError, StopIteration):
        return True
    return not integration.features or integration.supports(data_type, "Get")


def _why_not_ready(data_type: DataType, status: DataStatus | None) -> CodatArError:
    current = status.current_status if status else None
    if current is None or current in _DONE_STATUSES or current.endswith("Error"):
        return NeverSynced(data_type)
    return StillSyncing(data_type, current)


async def _with_descendants(
    client: "CodatClient", company: CompanyId, connection: ConnectionId, listed: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Read the tree under each top category and put what the list left out behind it (reference §6.3)."""
    wire.check(DataType.TRACKING_CATEGORIES, listed)
    known = {record["id"]: record for record in listed}
    for top in listed:
        if not top.get("hasChildren") or top.get("parentId") in known:
            continue
        try:
            tree = await client.record(company, connection, DataType.TRACKING_CATEGORIES, RecordId(top["id"]))
        except RecordNotFound:
            continue
        descendants = _flat(tree)
        wire.check(DataType.TRACKING_CATEGORIES, descendants)
        for record in descendants:
            known.setdefault(record["id"], record)
    return list(known.values())


def _flat(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    flat: list[dict[str, Any]] = []
    pending: list[tuple[Any, str | None]] = [(tree, None)]
    while pending:
        node, parent = pending.pop()
        children = node.get("subCategories") or [] if isinstance(node, Mapping) else None
        if not isinstance(children, list):
            raise WireError("a tracking category from Codat is not as documented: subCategories")
        record = {key: value for key, value in node.items() if key != "subCategories"}
        record.setdefault("hasChildren", bool(children))
        if parent is not None and not record.get("parentId"):
            record["parentId"] = parent
        flat.append(record)
        pending += [(child, record.get("id")) for child in reversed(children)]
    return flat
