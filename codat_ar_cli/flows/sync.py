"""Ask Codat to read data types anew from the accounting package, in an order that fills references, and wait."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from codat_ar_cli.codat.errors import AccountLimited, CodatError, KeyRefused, PlaceGone
from codat_ar_cli.domain.types import CompanyId, ConnectionId, Dataset, DataType
from codat_ar_cli.errors import CodatArError, ExitCode

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient

STAGES: tuple[frozenset[DataType], ...] = (
    frozenset(
        {
            DataType.COMPANY_INFO,
            DataType.ACCOUNTS,
            DataType.BANK_ACCOUNTS,
            DataType.TAX_RATES,
            DataType.TRACKING_CATEGORIES,
            DataType.PAYMENT_METHODS,
        }
    ),
    frozenset({DataType.CUSTOMERS, DataType.SUPPLIERS, DataType.ITEMS}),
    frozenset({DataType.PAYMENTS}),
    frozenset(
        {
            DataType.INVOICES,
            DataType.CREDIT_NOTES,
            DataType.DIRECT_COSTS,
            DataType.DIRECT_INCOMES,
            DataType.JOURNAL_ENTRIES,
            DataType.TRANSFERS,
        }
    ),
)
"""A reference is filled in only if the referenced type was synced before, and `paymentAllocations` of invoices
only if payments were (reference §3.4)."""

DEFAULT_WAIT = dt.timedelta(minutes=10)
"""How long to wait for all syncs together. Codat may pause inside `Fetching` for long (reference §4)."""

_FIRST_POLL = 0.5
_SLOWEST_POLL = 10.0
_BACK_OFF = 1.5

STOPS_EVERYTHING: tuple[type[CodatArError], ...] = (KeyRefused, AccountLimited, PlaceGone)
"""Errors that every other request would meet as well."""


class SyncFailed(CodatArError):
    """Codat could not read this data type from the accounting package."""

    code = "fetch.sync-failed"
    exit_code = ExitCode.TRY_LATER

    def __init__(self, data_type: DataType, dataset: Dataset) -> None:
        reason = f": {dataset.message}" if dataset.message else ""
        super().__init__(
            f"Codat could not read {data_type.label} from the accounting package ({dataset.status}){reason}",
            hint=f"try again later: codat-ar fetch {data_type.value} --refresh",
            details={"data_type": data_type.value, "dataset_id": dataset.id, "status": dataset.status},
        )


class ConnectionNeedsLink(CodatArError):
    """The accounting package no longer lets Codat in."""

    code = "fetch.needs-link"
    exit_code = ExitCode.USAGE

    def __init__(self, data_type: DataType, dataset: Dataset, link_url: str | None) -> None:
        way = f": open {link_url}" if link_url else " in Codat's portal"
        super().__init__(
            f"the accounting package refused Codat when it read {data_type.label}: the link has expired or was revoked",
            hint=f"link the company again{way}",
            details={"data_type": data_type.value, "dataset_id": dataset.id, "link_url": link_url},
        )


class StillSyncing(CodatArError):
    """A sync did not end within the time we wait; it goes on without us."""

    code = "fetch.still-syncing"
    exit_code = ExitCode.UNFINISHED

    def __init__(self, data_type: DataType, status: str, waited: dt.timedelta | None = None) -> None:
        after = f" after {waited.total_seconds():.0f} s" if waited is not None else ""
        super().__init__(
            f"Codat is still reading {data_type.label} from the accounting package{after} ({status})",
            hint=f"it goes on by itself; run `codat-ar fetch {data_type.value}` in a few minutes",
            details={"data_type": data_type.value, "status": status},
        )


class Phase(StrEnum):
    """Where the fetch of one data type is."""

    QUEUED = "queued"
    SYNCING = "syncing"
    """Codat is reading it from the accounting package."""
    READING = "reading"
    """We are reading it from Codat."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """A step of one data type, for a progress display."""

    data_type: DataType
    phase: Phase
    records: int = 0
    """Read so far, in READING and DONE."""
    percent: int | None = None
    """Codat's own figure, in SYNCING."""
    detail: str | None = None
    """Codat's word on it, such as `Paused until 14:00`."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one asked-for sync: a dataset that completed, or why not."""

    dataset: Dataset | None = None
    error: CodatArError | None = None
    unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Syncing:
    """What all steps of one sync share."""

    client: "CodatClient"
    company: CompanyId
    connection: ConnectionId
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[None]]
    on_progress: Callable[[FetchProgress], None]
    started: dt.datetime
    wait: dt.timedelta

    @property
    def overdue(self) -> bool:
        """Whether the time to wait is over."""
        return self.clock() >= self.started + self.wait


async def sync(
    client: "CodatClient",
    *,
    company: CompanyId,
    connection: ConnectionId,
    types: Iterable[DataType],
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], Awaitable[None]],
    on_progress: Callable[[FetchProgress], None] = lambda _: None,
    wait: dt.timedelta = DEFAULT_WAIT,
    newer_than: dt.datetime | None = None,
) -> dict[DataType, Synced]:
    """Queue a sync of each data type and wait for all of them, `wait` in total; say of each what became of it.

    A sync that is already running is waited for instead; where it was asked for before `newer_than` (it may
    have read the books too early), another one follows. One type's failure does not stop the others.
    Raises KeyRefused, AccountLimited, PlaceGone. Source: Platform API `refresh-data-type`, `get-pull-operation`.
    """
    syncing = Syncing(client, company, connection, clock, sleep, on_progress, clock(), wait)
    wanted = frozenset(types)
    synced: dict[DataType, Synced] = {}
    for stage in STAGES:
        synced |= await _sync_stage(syncing, sorted(wanted & stage), newer_than)
    return {data_type: synced[data_type] for data_type in types}


async def _sync_stage(
    syncing: Syncing, types: Iterable[DataType], newer_than: dt.datetime | None
) -> dict[DataType, Synced]:
    ended: dict[DataType, Synced] = {}
    running: dict[DataType, Dataset] = {}
    for data_type in types:
        started = await _queue(syncing, data_type)
        if isinstance(started, Dataset):
            running[data_type] = started
        else:
            ended[data_type] = started
    ended |= await _await_all(syncing, running)
    again = [
        data_type
        for data_type, outcome in ended.items()
        if newer_than and outcome.dataset and (outcome.dataset.requested_at or newer_than) < newer_than
    ]
    if again:
        ended |= await _sync_stage(syncing, again, None)
    return ended


async def _queue(syncing: Syncing, data_type: DataType) -> Dataset | Synced:
    """Queue one type; the client gives the running sync where there is one already."""
    syncing.on_progress(FetchProgress(data_type, Phase.QUEUED))
    for last_try in (False, True):
        try:
            return await syncing.client.queue_sync(syncing.company, data_type, connection=syncing.connection)
        except STOPS_EVERYTHING:
            raise
        except CodatError as error:
            if is_unsupported(error):
                return Synced(unsupported=True)
            # It ended between the refusal and the search for it, so that this time there is room.
            if last_try or "DatasetAlreadyInProgress" not in error.message:
                return Synced(error=error)
    raise AssertionError("the last try either gives a dataset or an error")


async def _await_all(syncing: Syncing, running: dict[DataType, Dataset]) -> dict[DataType, Synced]:
    ended: dict[DataType, Synced] = {}
    delay = _FIRST_POLL
    while True:
        for data_type, dataset in list(running.items()):
            if dataset.is_completed or dataset.is_errored:
                ended[data_type] = await _verdict(syncing, data_type, running.pop(data_type))
        if not running:
            return ended
        if syncing.overdue:
            late = {key: StillSyncing(key, dataset.status, syncing.wait) for key, dataset in running.items()}
            return ended | {key: Synced(error=error) for key, error in late.items()}
        await syncing.sleep(delay)
        delay = min(delay * _BACK_OFF, _SLOWEST_POLL)
        for data_type, dataset in list(running.items()):
            running[data_type] = await _look(syncing, data_type, dataset)


async def _look(syncing: Syncing, data_type: DataType, dataset: Dataset) -> Dataset:
    try:
        seen = await syncing.client.dataset(syncing.company, dataset.id)
    except STOPS_EVERYTHING:
        raise
    except CodatError:
        # The sync itself is not touched by our failing to look at it; the time limit ends the waiting.
        return dataset
    syncing.on_progress(FetchProgress(data_type, Phase.SYNCING, percent=seen.progress, detail=seen.message))
    return seen


async def _verdict(syncing: Syncing, data_type: DataType, dataset: Dataset) -> Synced:
    if dataset.status == "NotSupported":
        return Synced(unsupported=True)
    if dataset.status == "AuthError":
        return Synced(error=ConnectionNeedsLink(data_type, dataset, await _link_url(syncing)))
    if dataset.is_errored or dataset.status != "Complete":
        return Synced(error=SyncFailed(data_type, dataset))
    return Synced(dataset=dataset)


async def _link_url(syncing: Syncing) -> str | None:
    try:
        company = await syncing.client.company(syncing.company)
    except CodatError:
        return None
    return next((found.link_url for found in company.connections if found.id == syncing.connection), None)


def is_unsupported(error: CodatError) -> bool:
    """Tell whether Codat says that the platform has no such data type (reference §1.1: a 404 with these words)."""
    return error.status in {400, 404} and "not supported" in error.message.lower()
