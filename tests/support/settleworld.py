"""The small world of `pushworld` with books that can be read back: Codat's copy shows a write only after a sync."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

import anyio.lowlevel
from pushworld import COMPANY, CONNECTION, HOST, FakeClient, Server, World, Written, document

from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.codat.errors import CodatError
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import PlannedDocument
from codat_ar_cli.domain.settling import Settled, SettleReport
from codat_ar_cli.domain.types import (
    Company,
    CompanyId,
    Connection,
    ConnectionId,
    Dataset,
    DatasetId,
    DataStatus,
    DataType,
    Integration,
    PlatformKey,
    PushOperation,
    PushOperationKey,
    PushStatus,
    RecordId,
    RunId,
)
from codat_ar_cli.flows.settle import settle
from codat_ar_cli.ledger.store import Ledger


class ReadableClient(FakeClient):
    """A client that can read the books as well. `platform` and `is_offline` say whose they are."""

    def __init__(self, server: Server, *, platform: str = "gbol", is_offline: bool = False) -> None:
        super().__init__(server)
        self.platform = PlatformKey(platform)
        self.is_offline = is_offline
        self.copy: dict[str, list[dict[str, Any]]] = {}
        self.syncs: list[str] = []
        self.sync_error: CodatError | None = None
        self.unreadable: tuple[str, ...] = ()
        """Data types that Codat does not read on this platform."""
        self.rewrite: Callable[[dict[str, Any]], dict[str, Any]] = lambda record: record
        """What the accounting platform makes of what it is given."""
        self.others: list[dict[str, Any]] = []
        """Records that people and other programs made, with `dataType`."""
        self.foreign: list[PushOperation] = []

    async def company(self, company: CompanyId) -> Company:
        assert company == COMPANY
        link = Connection(CONNECTION, self.platform, "Books", "Accounting", "Linked", "", None, ())
        return Company(company, "Ahlers GmbH", (link,))

    async def integration(self, key: PlatformKey) -> Integration:
        assert key == self.platform
        return Integration(key, "Books", is_offline=self.is_offline)

    async def data_status(self, _company: CompanyId) -> dict[str, DataStatus]:
        return {name: DataStatus(name, "NotSupported", None, None, None) for name in self.unreadable}

    async def queue_sync(self, _company: CompanyId, data_type: DataType, *, connection: ConnectionId) -> Dataset:
        assert connection == CONNECTION
        if self.sync_error is not None:
            raise self.sync_error
        self.syncs.append(data_type.value)
        mine = [self._shown(each) for each in self.server.records if each.data_type == data_type.value]
        others = [each for each in self.others if each["dataType"] == data_type.value]
        self.copy[data_type.value] = [*mine, *others]
        now = self.server.time()
        return Dataset(DatasetId(str(uuid.uuid4())), data_type.value, "Complete", now, now, 100, True, False)

    def _shown(self, written: Written) -> dict[str, Any]:
        return self.rewrite({**jsontext.loads(written.body), "id": written.id})

    async def records(
        self, _company: CompanyId, _connection: ConnectionId, data_type: DataType, *, query: str | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        assert query is None
        await anyio.lowlevel.checkpoint()
        for record in self.copy[data_type.value]:
            yield record

    async def push_operations(self, _company: CompanyId, **more: Any) -> AsyncIterator[PushOperation]:
        for operation in self.foreign:
            yield operation
        async for operation in super().push_operations(_company, **more):
            yield operation


@dataclass
class SettleWorld(World):
    """A world whose doubts can be settled."""

    platform: str = "gbol"
    is_offline: bool = False
    books: ReadableClient = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client = self.books = ReadableClient(self.server, platform=self.platform, is_offline=self.is_offline)

    async def settle(self, ledger: Ledger) -> SettleReport:
        return await settle(
            cast(CodatClient, self.client),
            ledger,
            api_host=HOST,
            company=COMPANY,
            connection=CONNECTION,
            clock=self.time,
            sleep=self.time.sleep,
        )

    async def push(self, ledger: Ledger, *documents: PlannedDocument, minutes: float = 10) -> RunId:
        """Plan and send; the run may leave anything in doubt."""
        run_id = self.plan(ledger, *documents)
        await self.execute(ledger, run_id, minutes=minutes)
        return run_id

    def states(self, ledger: Ledger, run_id: RunId) -> dict[str, State]:
        return {push.identity.source_id: push.state for push in ledger.pushes(run_id)}

    def land(self, one: PlannedDocument) -> None:
        """Have the accounting platform write a document after all."""
        number = len(self.server.records) + 1
        self.server.records.append(Written(one.identity.data_type.value, one.body or "", f"rec-{number}"))

    def foreign_operation(self, status: PushStatus, record_id: str | None = None, **more: Any) -> None:
        """Have Codat list an operation that our ledger does not know."""
        plain = PushOperation(
            PushOperationKey(str(uuid.uuid4())),
            COMPANY,
            CONNECTION,
            "invoices",
            status,
            200,
            self.time(),
            None,
            RecordId(record_id) if record_id else None,
        )
        self.books.foreign.append(replace(plain, **more))


def invoice(number: str, *, total: str = "120.00", customer: str = "c-1", marked: bool = True) -> PlannedDocument:
    body: dict[str, Any] = {
        "customerRef": {"id": customer},
        "issueDate": "2026-11-20T00:00:00",
        "currency": "EUR",
        "lineItems": [{"description": "Monthly plan", "totalAmount": Decimal(total)}],
        "totalAmount": Decimal(total),
    }
    if marked:
        body["invoiceNumber"] = number
    return replace(document(number, total=total), body=jsontext.dumps(body))


def payment(
    source_id: str, *, total: str = "50.00", paid: str = "rec-i", marked: bool = True, date: str = "2026-11-20"
) -> PlannedDocument:
    link = {"type": "Invoice", "id": paid, "amount": -Decimal(total)}
    body: dict[str, Any] = {
        "customerRef": {"id": "c-1"},
        "date": f"{date}T00:00:00",
        "currency": "EUR",
        "totalAmount": Decimal(total),
        "lines": [{"amount": Decimal(total), "links": [link]}],
    }
    if marked:
        body["reference"] = source_id
    plain = document(source_id, data_type=DataType.PAYMENTS, total=total)
    return replace(plain, body=jsontext.dumps(body), date=dt.date.fromisoformat(date))


def only(report: SettleReport) -> Settled:
    [one] = report.settled
    return one
