"""Look for documents in doubt: Codat's push operations, then its books, refreshed and read back (design D10)."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from codat_ar_cli.codat.written import book_record
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.fetched import FetchStatus
from codat_ar_cli.domain.ids import CompanyId, ConnectionId, DataType, PushOperationKey, RecordId
from codat_ar_cli.domain.platforms import PlatformRules, rules_for
from codat_ar_cli.domain.pushes import Push
from codat_ar_cli.domain.settling import CLOCK_MARGIN, BookRecord, Lookup, is_inside
from codat_ar_cli.domain.types import PushOperation
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.flows.fetch import fetch
from codat_ar_cli.flows.reference import raise_failures
from codat_ar_cli.flows.sync import FetchProgress

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger

_PAGE = 2000
"""Reference §3.2: what both of Codat's statements on page size allow."""
_SHOWN = 10
"""Unknown operations and candidates written out as evidence; of more, only their number."""


class NoSuchConnection(CodatArError):
    """The company no longer has the connection that documents in doubt were sent through."""

    code = "settle.no-connection"

    def __init__(self, connection: ConnectionId) -> None:
        super().__init__(
            f"the company has no connection {connection} any more, so its books can't be read",
            hint="look in the accounting package",
            details={"connection": connection},
        )


class BooksUnreadable(CodatArError):
    """Codat does not read this data type on the platform, so that nothing can be looked up."""

    code = "settle.unreadable"
    exit_code = ExitCode.IN_DOUBT

    def __init__(self, data_type: DataType) -> None:
        super().__init__(
            f"Codat does not read {data_type.label} from this accounting platform",
            hint="look in the accounting package",
            details={"data_type": data_type.value},
        )


@dataclass(frozen=True, slots=True)
class View:
    """What one look has seen of one data type."""

    data_type: DataType
    strangers: tuple[PushOperation, ...]
    """Operations of this type and connection that the ledger does not know, not older than the documents."""
    listed: int
    records: Mapping[RecordId, BookRecord]
    taken: Mapping[RecordId, str]
    """Records that pushes of ours became, with their source ids."""
    at: dt.datetime

    def evidence(self, lookup: Lookup, strangers: Sequence[PushOperation] = ()) -> dict[str, Any]:
        """Give what was looked at, and the records and operations that speak for one document, as JSON values."""
        seen = [record for record in (lookup.found, *lookup.candidates) if record is not None]
        return {
            "looked_at": _stamp(self.at),
            "operations_listed": self.listed,
            "records_read": len(self.records),
            "records_found": len(seen),
            "records": [record.as_json() for record in seen[:_SHOWN]],
            "unknown_operations_found": len(strangers),
            "unknown_operations": [operation_json(operation) for operation in strangers[:_SHOWN]],
        }


@dataclass(slots=True)
class Reader:
    """Reads what one connection's documents in doubt are looked for in."""

    client: "CodatClient"
    ledger: "Ledger"
    api_host: str
    company: CompanyId
    connection: ConnectionId
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[None]]
    on_progress: Callable[[str], None]
    wait: dt.timedelta
    """For Codat's syncs."""
    platform: PlatformRules = field(init=False)
    is_offline: bool = field(init=False)
    """Whether the platform runs on the customer's own machine, where a write may wait for long."""

    async def open(self) -> None:
        """Learn whose books these are. Raises NoSuchConnection."""
        company = await self.client.company(self.company)
        keys = [link.platform_key for link in company.connections if link.id == self.connection]
        if not keys:
            raise NoSuchConnection(self.connection)
        integration = await self.client.integration(keys[0])
        self.platform = rules_for(keys[0])
        self.is_offline = integration.is_offline or self.platform.is_offline

    async def operations(self, types: Iterable[DataType]) -> list[PushOperation]:
        """List all push operations of the connection, to the end: those without a time may stand anywhere."""
        self.on_progress("listing Codat's push operations")
        names = {data_type.value for data_type in types}
        walk = self.client.push_operations(self.company, order_by="-requestedOnUtc", page_size=_PAGE)
        return [each async for each in walk if each.connection == self.connection and each.data_type in names]

    async def view(self, data_type: DataType, doubts: Sequence[Push], listed: Iterable[PushOperation]) -> View:
        """Refresh one data type in Codat and read it back, beside the operations that nobody here knows.

        `listed` is from before the refresh, so that whatever it shows as finished is in the books read.
        Raises BooksUnreadable and what `fetch` ends in.
        """
        records = {record.id: record for record in await self._refreshed(data_type)}
        oldest = min((push.first_sent_at for push in doubts if push.first_sent_at), default=self.clock())
        known = self._known(doubts, oldest)
        own = [each for each in listed if each.data_type == data_type.value]
        taken = self.ledger.record_owners(
            api_host=self.api_host,
            company=self.company,
            connection=self.connection,
            data_type=data_type,
            records=list(records),
        )
        strangers = tuple(each for each in own if each.key not in known and is_inside(each, oldest))
        return View(data_type, strangers, len(own), records, taken, self.clock())

    async def _refreshed(self, data_type: DataType) -> list[BookRecord]:
        report = await fetch(
            self.client,
            self.ledger,
            company=self.company,
            connection=self.connection,
            types=(data_type,),
            refresh=True,
            clock=self.clock,
            sleep=self.sleep,
            on_progress=lambda step: self.on_progress(_words(step)),
            wait=self.wait,
            newer_than=self.client.server_time or self.clock(),
        )
        raise_failures(report)
        cached = self.ledger.cached(self.company, self.connection, data_type)
        if cached is None or report.outcomes[0].status is not FetchStatus.FETCHED:
            raise BooksUnreadable(data_type)
        return [book_record(jsontext.loads(text)) for text in cached.records]

    def _known(self, doubts: Iterable[Push], oldest: dt.datetime) -> frozenset[PushOperationKey]:
        since = oldest - 2 * CLOCK_MARGIN
        known = self.ledger.operations_known(api_host=self.api_host, company=self.company, since=since)
        return known | {push.operation_key for push in doubts if push.operation_key}


def operation_json(operation: PushOperation) -> dict[str, Any]:
    """Give what a person or Codat's support needs to find an operation again, as JSON values."""
    return {
        "key": operation.key,
        "status": operation.status.value,
        "requested_at": operation.requested_at and _stamp(operation.requested_at),
        "record_id": operation.record_id,
    }


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _words(step: FetchProgress) -> str:
    return f"{step.data_type.label}: {step.phase}"
