"""A small world to push into: virtual time, an in-memory Codat that keeps its idempotency rules, plans to send.

`Server` shares no code with the product: what it holds in `records` is the truth of what was written.
"""

import datetime as dt
import hashlib
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import anyio.lowlevel

from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.codat.errors import CodatError, KeyBodyMismatch, RateLimited, RecordNotFound, Where
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.planned import ControlTotals, Disposition, Plan, PlannedDocument
from codat_ar_cli.domain.pushes import RunHeader
from codat_ar_cli.domain.types import (
    CompanyId,
    ConnectionId,
    Currency,
    DataType,
    Identity,
    PlatformKey,
    PushOperation,
    PushOperationKey,
    PushStatus,
    RecordId,
    RunId,
    ValidationItem,
)
from codat_ar_cli.errors import CodatArError
from codat_ar_cli.flows.execute import Progress, RunOutcome, execute
from codat_ar_cli.ledger.store import Ledger

HOST = "api.codat.io"
COMPANY = CompanyId("8a210b68-6988-11ed-a1eb-0242ac120002")
CONNECTION = ConnectionId("2e9d2c44-f675-40ba-8049-353bfcb5e171")
KEY_LIFE = dt.timedelta(minutes=90)


class Time:
    """A clock that moves only when everyone sleeps."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 22, 10, 45, 12, tzinfo=dt.UTC)
        self._sleepers: list[dt.datetime] = []

    def __call__(self) -> dt.datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        target = self.now + dt.timedelta(seconds=seconds)
        self._sleepers.append(target)
        try:
            while self.now < target:
                for _ in range(25):
                    await anyio.lowlevel.checkpoint()
                if min(self._sleepers) == target and self.now < target:
                    self.now = target
        finally:
            self._sleepers.remove(target)

    def pass_by(self, **parts: float) -> None:
        self.now += dt.timedelta(**parts)


@dataclass
class Written:
    """One record in the books."""

    data_type: str
    body: str
    id: str


@dataclass
class Server:
    """Codat as far as writing goes (reference §1.5, §9.3, §9.4)."""

    time: Time
    settles_after: float = 3.0
    """Seconds until a push operation is finished."""
    verdict: Callable[[str], tuple[PushStatus, str | None]] = lambda _body: (PushStatus.SUCCESS, None)
    """What becomes of a body: the final status, and a reason where it is refused."""
    names_records: bool = True
    records: list[Written] = field(default_factory=list)
    operations: dict[str, tuple[PushOperation, dt.datetime, str]] = field(default_factory=dict)
    keys: dict[str, tuple[str, PushOperationKey | CodatError, dt.datetime]] = field(default_factory=dict)

    def post(self, connection: ConnectionId, data_type: DataType, body: str, key: str) -> PushOperation:
        kept = self.keys.get(key)
        if kept is not None and self.time() - kept[2] < KEY_LIFE:
            first_body, answer, _ = kept
            if first_body != body:
                raise KeyBodyMismatch("this key belongs to another body", where=Where("POST", "/push", 422))
            if isinstance(answer, CodatError):
                raise answer
            return self._shown(answer)
        operation = PushOperationKey(str(uuid.uuid4()))
        self.keys[key] = (body, operation, self.time())
        self.operations[operation] = (
            PushOperation(
                operation, COMPANY, connection, data_type.value, PushStatus.PENDING, 202, self.time(), None, None
            ),
            self.time() + dt.timedelta(seconds=self.settles_after),
            body,
        )
        if self.verdict(body)[0] is PushStatus.SUCCESS:
            self.records.append(Written(data_type.value, body, f"rec-{len(self.records) + 1}"))
        return self._shown(operation)

    def refuse(self, body: str, key: str, error: CodatError) -> None:
        """Answer with an error, kept under the key as Codat keeps all but 429."""
        if not isinstance(error, RateLimited):
            self.keys[key] = (body, error, self.time())

    def read(self, key: PushOperationKey) -> PushOperation:
        if key not in self.operations:
            raise RecordNotFound("no such push operation", where=Where("GET", "/push", 404))
        return self._shown(key)

    def newest_first(self) -> list[PushOperation]:
        return [self._shown(PushOperationKey(key)) for key in reversed(self.operations)]

    def _shown(self, key: PushOperationKey) -> PushOperation:
        pending, ends_at, body = self.operations[key]
        status, why = self.verdict(body)
        if self.time() < ends_at or status is PushStatus.PENDING:
            return pending
        written = next((one.id for one in self.records if one.body == body), None) if self.names_records else None
        failed = status is PushStatus.FAILED
        return PushOperation(
            key=pending.key,
            company=pending.company,
            connection=pending.connection,
            data_type=pending.data_type,
            status=status,
            status_code=400 if failed else 200,
            requested_at=pending.requested_at,
            completed_at=ends_at,
            record_id=RecordId(written) if written and status is PushStatus.SUCCESS else None,
            error_message="An error occurred in a downstream service. Correlation ID: abc-1" if failed else None,
            errors=(ValidationItem(why, "NominalCode", "Account"),) if failed and why else (),
        )


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong: `before` Codat saw it, `after` it was done, or as Codat's own `answer`."""

    where: str
    error: CodatError


class FakeClient:
    """Stands where the client stands; `faults` are met one per push, in order, then all goes well."""

    def __init__(self, server: Server, *, on_effect: Callable[[str], None] | None = None) -> None:
        self.server = server
        self.faults: deque[Fault | None] = deque()
        self.server_time: dt.datetime | None = None
        self.requests: list[str] = []
        self.sent: list[tuple[str, str]] = []
        """Idempotency key and body of every push that left."""
        self.latency = 0.0
        """Seconds that a push takes."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.read_faults: deque[CodatError | None] = deque()
        self.unlisted: set[str] = set()
        self.on_push: Callable[[], None] | None = None
        self._on_effect = on_effect or (lambda _effect: None)

    async def push(
        self, company: CompanyId, connection: ConnectionId, data_type: DataType, body: str, *, idempotency_key: str
    ) -> PushOperation:
        assert company == COMPANY
        self.requests.append(f"POST {data_type}")
        fault = self.faults.popleft() if self.faults else None
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await (self.server.time.sleep(self.latency) if self.latency else anyio.lowlevel.checkpoint())
            if self.on_push is not None:
                self.on_push()
            self._on_effect("request leaves")
            self.sent.append((idempotency_key, body))
            return self._answer(connection, data_type, body, idempotency_key, fault)
        finally:
            self.in_flight -= 1

    def _answer(
        self, connection: ConnectionId, data_type: DataType, body: str, key: str, fault: Fault | None
    ) -> PushOperation:
        if fault is not None and fault.where == "before":
            raise fault.error
        if fault is not None and fault.where == "answer":
            self.server.refuse(body, key, fault.error)
            raise fault.error
        operation = self.server.post(connection, data_type, body, key)
        self._on_effect("answer on its way")
        if fault is not None:
            raise fault.error
        return operation

    async def push_operation(self, _company: CompanyId, key: PushOperationKey) -> PushOperation:
        self.requests.append("GET one")
        await self._read()
        return self.server.read(key)

    async def push_operations(
        self, _company: CompanyId, *, order_by: str, page_size: int
    ) -> AsyncIterator[PushOperation]:
        assert order_by == "-requestedOnUtc"
        self.requests.append("GET list")
        await self._read()
        for number, operation in enumerate(self.server.newest_first()):
            if number and number % page_size == 0:
                self.requests.append("GET list")
            if operation.key not in self.unlisted:
                yield operation

    async def _read(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.server_time = self.server.time()
        fault = self.read_faults.popleft() if self.read_faults else None
        if fault is not None:
            raise fault


def document(
    source_id: str,
    *,
    data_type: DataType = DataType.INVOICES,
    disposition: Disposition = Disposition.SEND,
    content: str = "as first given",
    total: str = "120.00",
) -> PlannedDocument:
    holds = (Finding("mapping.tax-rate", Severity.HOLD, "tax rate `19%` is not mapped"),)
    is_sent = disposition is Disposition.SEND
    return PlannedDocument(
        identity=Identity(HOST, COMPANY, CONNECTION, data_type, "file", source_id),
        disposition=disposition,
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        places=(Place("invoices.csv", 2), Place("invoices.csv", 3)),
        customer="Ahlers & Söhne",
        date=dt.date(2026, 11, 20),
        currency=Currency("EUR"),
        total=Decimal(total),
        label=source_id,
        body=f'{{"number":"{source_id}","content":"{content}","totalAmount":{total}}}' if is_sent else None,
        findings=holds if disposition is Disposition.HELD else (),
    )


def plan_of(*documents: PlannedDocument) -> Plan:
    totals = ControlTotals(
        len(documents), len(documents), {Currency("EUR"): sum((one.total for one in documents), Decimal(0))}
    )
    return Plan(documents, (), totals)


def header(command: str = "push invoices") -> RunHeader:
    return RunHeader(
        command=command,
        profile="demo",
        api_host=HOST,
        company=COMPANY,
        company_name="Ahlers GmbH",
        connection=CONNECTION,
        platform_key=PlatformKey("gbol"),
        platform_name="Xero",
        data_type=DataType.INVOICES,
        source="invoices.csv",
        source_sha256="0" * 64,
        totals={"EUR": "360.00"},
    )


@dataclass
class World:
    """A ledger on disk, a server, a client, and the clock they share."""

    folder: Path
    time: Time = field(default_factory=Time)
    progress: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(self.time)
        self.client = FakeClient(self.server)

    @property
    def path(self) -> Path:
        return self.folder / "ledger.db"

    def open(self, on_effect: Callable[[str], None] | None = None) -> Ledger:
        return Ledger.open(self.path, clock=self.time, on_effect=on_effect)

    def plan(self, ledger: Ledger, *documents: PlannedDocument) -> RunId:
        run_id = ledger.begin_run(header())
        ledger.record_plan(run_id, plan_of(*documents))
        return run_id

    async def execute(
        self, ledger: Ledger, run_id: RunId | None, *, minutes: float = 10, stop: anyio.Event | None = None
    ) -> RunOutcome:
        return await execute(
            ledger,
            cast(CodatClient, self.client),
            api_host=HOST,
            company=COMPANY,
            connection=CONNECTION,
            run_id=run_id,
            wait=dt.timedelta(minutes=minutes),
            clock=self.time,
            sleep=self.time.sleep,
            on_progress=self.progress.append,
            stop=stop,
        )

    def bodies(self) -> list[str]:
        """What the books hold, sorted."""
        return sorted(one.body for one in self.server.records)


def failing(kind: type[CodatError], status: int | None = None, **more: Any) -> CodatError:
    """Make one of Codat's errors as the client raises it."""
    return kind(f"made up: {kind.__name__}", where=Where("POST", "/push/invoices", status, "corr-1"), **more)


def bodies_of(documents: Sequence[PlannedDocument]) -> list[str]:
    return sorted(one.body or "" for one in documents)


def facts(error: CodatArError) -> tuple[str, int]:
    return error.code, int(error.exit_code)
