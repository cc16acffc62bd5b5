"""The ledger: what was planned, sent and answered, committed before and after every effect (design D9, D10)."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from codat_ar_cli.domain.ids import (
    CompanyId,
    ConnectionId,
    DataType,
    PushId,
    PushOperationKey,
    RecordId,
    RunId,
)
from codat_ar_cli.domain.lifecycle import UNFINISHED, Event, State
from codat_ar_cli.domain.planned import KnownPush, Plan
from codat_ar_cli.domain.pushes import NO_FACTS, CachedSet, Facts, LedgerEvent, Push, RunHeader, RunItem, RunSummary
from codat_ar_cli.ledger import cache, chain, database, pushes, runs, settling, texts
from codat_ar_cli.ledger.tables import event as events
from codat_ar_cli.ledger.tables import push as push_table


class Ledger:
    """One open ledger. Every writing method is one transaction, on disk when it returns.

    A document has one push for ever (its identity's); every change of its state is a row of `events`. All
    methods raise LedgerError subclasses where the file itself fails.
    """

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        *,
        clock: Callable[[], dt.datetime],
        on_effect: Callable[[str], None] | None = None,
    ) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reading=True)
        self._clock = clock
        self._on_effect = on_effect or _nothing
        self.name = name
        """Where it is, for messages."""

    @classmethod
    def open(
        cls,
        location: Path | str,
        *,
        clock: Callable[[], dt.datetime],
        on_effect: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the ledger at a path (or `sqlite:///` URL), making it where there is none.

        clock: gives the aware UTC instant. on_effect: a seam for fault tests; called with a name just before
        and just after every commit, so that a test can end the process (by raising) at each of those points.
        Raises LedgerUnreachable, LedgerForeign, LedgerDamaged, LedgerNewer or LedgerBusy.
        """
        engine, name = database.connect(location)
        return cls(engine, name, clock=clock, on_effect=on_effect)

    def close(self) -> None:
        """Give back the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- reference data -------------------------------------------------------------------------------------

    def replace_cache(
        self,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        records: Sequence[str],
        *,
        fetched_at: dt.datetime,
        dataset_id: str | None,
        dataset_at: dt.datetime | None,
    ) -> None:
        """Put records (canonical JSON texts) in place of the cached ones, all or none."""
        with self._writing(f"cache {data_type}") as db:
            cache.replace(
                db,
                company,
                connection,
                data_type,
                records,
                fetched_at=fetched_at,
                dataset_id=dataset_id,
                dataset_at=dataset_at,
            )

    def cached(self, company: CompanyId, connection: ConnectionId, data_type: DataType) -> CachedSet | None:
        """Give the cached records of one type with their age; None where it was never fetched."""
        with self._reading() as db:
            return cache.read(db, company, connection, data_type, with_records=True)

    def cache_age(self, company: CompanyId, connection: ConnectionId, data_type: DataType) -> CachedSet | None:
        """Tell how old the cached records of one type are, without reading them: `records` is empty."""
        with self._reading() as db:
            return cache.read(db, company, connection, data_type, with_records=False)

    # --- runs -----------------------------------------------------------------------------------------------

    def begin_run(self, header: RunHeader) -> RunId:
        """Open a run; its id is readable and in order of time: `R20261122-104512-7f3a`."""
        with self._writing("begin run") as db:
            return runs.begin(db, header, at=self._clock())

    def end_run(self, run_id: RunId, exit_code: int, counts: Mapping[State, int]) -> None:
        """Write how a run ended; a second end replaces the first. Raises UnknownRun."""
        with self._writing("end run") as db:
            runs.end(db, run_id, exit_code=exit_code, counts=counts, at=self._clock())

    def runs(self, *, limit: int = 20, company: CompanyId | None = None) -> list[RunSummary]:
        """Give the newest runs, newest first."""
        with self._reading() as db:
            return runs.newest(db, limit=limit, company=company)

    def run(self, run_id: RunId) -> RunSummary:
        """Give one run; raises UnknownRun, which names the nearest ids."""
        with self._reading() as db:
            return runs.summary(db, run_id)

    def items(self, run_id: RunId) -> list[RunItem]:
        """Give what the run's plan said of each document beside its push today, in file order. Raises UnknownRun."""
        with self._reading() as db:
            return runs.run_items(db, run_id)

    # --- pushes ---------------------------------------------------------------------------------------------

    def record_plan(self, run_id: RunId, plan: Plan) -> None:
        """Write a plan: what it sends is planned, what it holds is held, the rest stays as it is.

        A document that was rejected gets its next attempt, hence a new idempotency key; one that was never
        sent keeps its attempt. Raises LedgerMoved where the plan is stale; then nothing is written.
        """
        with self._writing("record plan") as db:
            pushes.record_plan(db, run_id=run_id, plan=plan, at=self._clock())

    def move(
        self,
        push_id: PushId,
        event: Event,
        facts: Facts = NO_FACTS,
        *,
        run_id: RunId | None = None,
        renew_key: bool = False,
    ) -> State:
        """Make one move of a push with its event row; give the new state.

        renew_key: with STOP, give the document its next attempt, because Codat has cached a refusal under the
        present key. Raises IllegalMove (a defect of ours) where the table has no such move.
        """
        with self._writing(event.value) as db:
            return pushes.make_move(db, push_id, event, facts, run_id=run_id, renew_key=renew_key, at=self._clock())

    def known(
        self,
        *,
        api_host: str,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        source_system: str,
        source_ids: Collection[str],
    ) -> dict[str, KnownPush]:
        """Give what is known of these documents, by source id; absent: never planned."""
        place = self._place(api_host, company, connection, data_type)
        known: dict[str, KnownPush] = {}
        columns = push_table.c
        with self._reading() as db:
            for chunk in pushes.chunks(source_ids):
                query = sa.select(push_table).where(
                    *place, columns.source_system == source_system, columns.source_id.in_(chunk)
                )
                for row in db.execute(query):
                    record = RecordId(row.record_id) if row.record_id else None
                    known[row.source_id] = KnownPush(State(row.state), row.content_hash, record, row.run_id)
        return known

    def records_pushed(
        self,
        *,
        api_host: str,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        source_ids: Collection[str],
    ) -> dict[str, list[RecordId]]:
        """Give the records that these source ids became, whatever source system they came from."""
        place = self._place(api_host, company, connection, data_type)
        found: dict[str, list[RecordId]] = {}
        columns = push_table.c
        with self._reading() as db:
            for chunk in pushes.chunks(source_ids):
                query = (
                    sa.select(columns.source_id, columns.record_id)
                    .where(
                        *place,
                        columns.source_id.in_(chunk),
                        columns.state == State.SUCCEEDED.value,
                        columns.record_id.is_not(None),
                    )
                    .order_by(columns.finished_at, columns.push_id)
                )
                for row in db.execute(query):
                    found.setdefault(row.source_id, []).append(RecordId(row.record_id))
        return found

    def last_success_at(self, company: CompanyId, connection: ConnectionId, data_type: DataType) -> dt.datetime | None:
        """Tell when a push of this type last succeeded; books read before that don't show it."""
        columns = push_table.c
        query = sa.select(sa.func.max(columns.finished_at)).where(
            columns.company == company,
            columns.connection == connection,
            columns.data_type == data_type.value,
            columns.state == State.SUCCEEDED.value,
        )
        with self._reading() as db:
            return texts.read_instant_or_none(db.execute(query).scalar())

    def unfinished(self, *, api_host: str, company: CompanyId, connection: ConnectionId) -> list[Push]:
        """Give all pushes of a connection that a run has work with, in the order they were planned."""
        columns = push_table.c
        query = (
            sa.select(push_table)
            .where(
                columns.api_host == api_host,
                columns.company == company,
                columns.connection == connection,
                columns.state.in_([state.value for state in UNFINISHED]),
            )
            .order_by(columns.run_id, columns.ordinal)
        )
        with self._reading() as db:
            return [pushes.read_push(row) for row in db.execute(query).mappings()]

    def pushes(self, run_id: RunId) -> list[Push]:
        """Give the pushes of a run as they stand now, each once, in file order. Raises UnknownRun."""
        return list({item.push.id: item.push for item in self.items(run_id)}.values())

    def push(self, push_id: PushId) -> Push:
        """Give one push; raises UnknownPush."""
        with self._reading() as db:
            return pushes.read_push(pushes.one_row(db, push_id))

    def events(self, of: PushId | RunId) -> list[LedgerEvent]:
        """Give what happened to a push, or in a run, oldest first."""
        with self._reading() as db:
            return chain.read(db, sa.or_(events.c.push_id == of, events.c.run_id == of))

    def latest_instant_since_send(self, push_id: PushId) -> dt.datetime | None:
        """Give the latest instant the ledger has seen since this push's present key was first sent.

        A clock that shows less has gone back since. Only later events count: one wrong date, long ago, must not
        make every later key look untrustworthy. None: it was never sent.
        """
        sent = (
            sa.select(events.c.chain, sa.func.min(events.c.position).label("position"))
            .join(push_table, push_table.c.push_id == events.c.push_id)
            .where(events.c.push_id == push_id, events.c.at >= push_table.c.first_sent_at)
            .group_by(events.c.chain)
            .subquery()
        )
        query = sa.select(sa.func.max(events.c.at)).where(
            events.c.chain == sent.c.chain, events.c.position >= sent.c.position
        )
        with self._reading() as db:
            return texts.read_instant_or_none(db.execute(query).scalar())

    # --- settling -------------------------------------------------------------------------------------------

    def operations_known(self, *, api_host: str, company: CompanyId, since: dt.datetime) -> frozenset[PushOperationKey]:
        """Give the keys of all push operations of a company that this ledger has met since then."""
        with self._reading() as db:
            return settling.operations_known(db, chain.chain_of(api_host, company), since)

    def record_owners(
        self,
        *,
        api_host: str,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        records: Collection[RecordId],
    ) -> dict[RecordId, str]:
        """Give, of these records, those that pushes of ours became, with the source ids."""
        place = self._place(api_host, company, connection, data_type)
        with self._reading() as db:
            return settling.record_owners(db, place, records)

    def note_look(self, push_id: PushId, evidence: Mapping[str, Any]) -> None:
        """Keep what settling saw of a push that it could not decide. Raises UnknownPush."""
        with self._writing("note look") as db:
            settling.note_look(db, push_id, evidence, self._clock())

    def chain_breaks(self) -> list[str]:
        """Name every place where the event chain shows an edit; empty: none."""
        with self._reading() as db:
            return list(chain.breaks(db))

    # --- inside ---------------------------------------------------------------------------------------------

    @staticmethod
    def _place(
        api_host: str, company: CompanyId, connection: ConnectionId, data_type: DataType
    ) -> tuple[sa.ColumnElement[bool], ...]:
        columns = push_table.c
        return (
            columns.api_host == api_host,
            columns.company == company,
            columns.connection == connection,
            columns.data_type == data_type.value,
        )

    @contextmanager
    def _writing(self, what: str) -> Iterator[sa.Connection]:
        with database.translated(self.name), self._engine.begin() as db:
            yield db
            self._on_effect(f"before commit: {what}")
        self._on_effect(f"after commit: {what}")

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with database.translated(self.name), self._reader.connect() as db:
            yield db


def _nothing(_effect: str) -> None:
    """Stand in where no test listens."""
