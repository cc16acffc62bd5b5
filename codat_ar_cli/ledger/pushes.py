"""Pushes in the database: recording a plan and making a move, inside a transaction of the caller's."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from codat_ar_cli.domain.ids import (
    CompanyId,
    ConnectionId,
    CorrelationId,
    Currency,
    DataType,
    Identity,
    PushId,
    PushOperationKey,
    RecordId,
    RunId,
)
from codat_ar_cli.domain.lifecycle import FIRST, Event, State, move
from codat_ar_cli.domain.planned import Disposition, Plan, PlannedDocument
from codat_ar_cli.domain.pushes import Facts, Push
from codat_ar_cli.ledger import chain, identity, texts
from codat_ar_cli.ledger.errors import LedgerMoved, UnknownPush
from codat_ar_cli.ledger.tables import push as pushes
from codat_ar_cli.ledger.tables import run_item as items

_CHUNK = 500
"""Values in one `IN (…)`; databases limit them."""

_MAY_BE_HELD = frozenset({State.HELD, State.PLANNED, State.REJECTED})
_CLEARS_CAUSE = frozenset(
    {Event.SEND, Event.ACCEPT, Event.SUCCEED, Event.SETTLE_FOUND, Event.SETTLE_PENDING, Event.SETTLE_RESEND}
)
_FINISHES = frozenset({Event.SUCCEED, Event.REJECT, Event.SETTLE_FOUND, Event.SETTLE_REJECTED})
_FREES_KEY = frozenset({Event.STOP, Event.SETTLE_ABSENT})


class LostMove(Exception):
    """The push was no longer in the state it was just read in: two writers, a defect of ours."""


def chunks(values: Collection[str]) -> Iterator[list[str]]:
    """Cut a list of ids into lists that fit one query."""
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


def record_plan(connection: sa.Connection, *, run_id: RunId, plan: Plan, at: dt.datetime) -> None:
    """Write a plan's documents as pushes and run items, with their events.

    Raises LedgerMoved where the ledger has moved on since the plan was made; then nothing is written.
    """
    ids = [identity.push_id(document.identity) for document in plan.documents]
    known = _states(connection, ids)
    sending = Counter(
        one for one, document in zip(ids, plan.documents, strict=True) if document.disposition is Disposition.SEND
    )
    if any(number > 1 for number in sending.values()):
        raise ValueError("a plan sends one identity twice; planning should have held both")
    fresh: dict[PushId, dict[str, Any]] = {}
    events: dict[str, list[dict[str, Any]]] = {}
    for ordinal, (one, document) in enumerate(zip(ids, plan.documents, strict=True)):
        event = _event_of(document, known.get(one), is_also_sent=one in sending or one in fresh)
        if event is None:
            continue
        row = _planned_row(document, known.get(one), run_id=run_id, ordinal=ordinal, at=at)
        before = known.get(one)
        if before is None:
            fresh[one] = {**row, "push_id": one, "state": FIRST[event].value}
        else:
            _update(connection, one, before.state, {**row, "state": move(before.state, event).value})
        name = chain.chain_of(document.identity.api_host, document.identity.company)
        events.setdefault(name, []).append(_planned_event(one, event, row, before, run_id=run_id))
    if fresh:
        connection.execute(sa.insert(pushes), list(fresh.values()))
    _insert_items(connection, run_id, ids, plan.documents)
    for name, values in events.items():
        chain.append(connection, chain=name, values=values)


def make_move(
    connection: sa.Connection,
    push_id: PushId,
    event: Event,
    facts: Facts,
    *,
    run_id: RunId | None,
    renew_key: bool,
    at: dt.datetime,
) -> State:
    """Make one move and its event row. Raises IllegalMove where the table has none, LostMove on a second writer."""
    row = _row_to_move(connection, push_id)
    before = State(row["state"])
    after = move(before, event)
    values = {"state": after.value, **_moved_values(row, event, facts, renew_key=renew_key, at=at)}
    _update(connection, push_id, before, values)
    told = {name: value for name, value in values.items() if name not in {"state", "updated_at"} and value is not None}
    chain.append(
        connection,
        chain=chain.chain_of(row["api_host"], row["company"]),
        values=[
            {
                "at": texts.instant(at),
                "event": event.value,
                "run_id": run_id or row["run_id"],
                "push_id": push_id,
                "from_state": before.value,
                "to_state": after.value,
                "facts": {**told, **facts.evidence},
            }
        ],
    )
    return after


def _moved_values(
    row: Mapping[Any, Any], event: Event, facts: Facts, *, renew_key: bool, at: dt.datetime
) -> dict[str, Any]:
    """Give what an event changes of a push besides its state."""
    values: dict[str, Any] = {"updated_at": texts.instant(at)}
    if event in _CLEARS_CAUSE:
        values |= {"cause_code": None, "cause_text": None}
    values |= _known_facts(facts)
    if event is Event.SEND and row["first_sent_at"] is None:
        values["first_sent_at"] = texts.instant(at)
    if event in _FINISHES:
        values["finished_at"] = texts.instant(at)
    if event in _FREES_KEY:
        values |= {"first_sent_at": None, "operation_key": None}
    if event is Event.SETTLE_ABSENT or renew_key:
        values |= _next_key(row)
    return values


def one_row(connection: sa.Connection, push_id: PushId) -> Mapping[Any, Any]:
    """Read one push's row; raises UnknownPush."""
    row = connection.execute(sa.select(pushes).where(pushes.c.push_id == push_id)).mappings().first()
    if row is None:
        raise UnknownPush(push_id)
    return row


def read_identity(row: Mapping[Any, Any]) -> Identity:
    """Give the identity that a row stands for."""
    return Identity(
        api_host=row["api_host"],
        company=CompanyId(row["company"]),
        connection=ConnectionId(row["connection"]),
        data_type=DataType(row["data_type"]),
        source_system=row["source_system"],
        source_id=row["source_id"],
    )


def read_push(row: Mapping[Any, Any]) -> Push:
    """Give a row as a value."""
    return Push(
        id=PushId(row["push_id"]),
        identity=read_identity(row),
        state=State(row["state"]),
        attempt=row["attempt"],
        idempotency_key=row["idempotency_key"],
        body=row["body"],
        body_sha256=row["body_sha256"],
        content_hash=row["content_hash"],
        label=row["label"],
        customer=row["customer"],
        date=dt.date.fromisoformat(row["date"]),
        currency=Currency(row["currency"]),
        total=Decimal(row["total"]),
        places=texts.read_places(row["places"]),
        cause_code=row["cause_code"],
        cause_text=row["cause_text"],
        operation_key=PushOperationKey(row["operation_key"]) if row["operation_key"] else None,
        record_id=RecordId(row["record_id"]) if row["record_id"] else None,
        correlation_id=CorrelationId(row["correlation_id"]) if row["correlation_id"] else None,
        http_status=row["http_status"],
        first_sent_at=texts.read_instant_or_none(row["first_sent_at"]),
        planned_at=texts.read_instant(row["planned_at"]),
        updated_at=texts.read_instant(row["updated_at"]),
        finished_at=texts.read_instant_or_none(row["finished_at"]),
        run_id=RunId(row["run_id"]),
        ordinal=row["ordinal"],
    )


_MOVED = ("state", "attempt", "first_sent_at", "run_id", "body_sha256")
_NAMED = ("api_host", "company", "connection", "data_type", "source_system", "source_id")

# Built once: every document takes three moves, and building a statement costs as much as running it.
_ROW_TO_MOVE = sa.select(*(pushes.c[name] for name in (*_MOVED, *_NAMED))).where(
    pushes.c.push_id == sa.bindparam("push_id")
)
_UPDATE = sa.update(pushes).where(
    pushes.c.push_id == sa.bindparam("which"), pushes.c.state == sa.bindparam("state_before")
)


def _row_to_move(connection: sa.Connection, push_id: PushId) -> Mapping[Any, Any]:
    """Read what a move needs, not the body: it is the bulk of a row, and read anew for every move."""
    row = connection.execute(_ROW_TO_MOVE, {"push_id": push_id}).mappings().first()
    if row is None:
        raise UnknownPush(push_id)
    return row


class _Before:
    """What a plan needs to know of a push that is already there."""

    __slots__ = ("attempt", "state")

    def __init__(self, state: str, attempt: int) -> None:
        self.state = State(state)
        self.attempt = attempt


def _states(connection: sa.Connection, ids: Collection[PushId]) -> dict[PushId, _Before]:
    found: dict[PushId, _Before] = {}
    for chunk in chunks(ids):
        query = sa.select(pushes.c.push_id, pushes.c.state, pushes.c.attempt).where(pushes.c.push_id.in_(chunk))
        found |= {PushId(row.push_id): _Before(row.state, row.attempt) for row in connection.execute(query)}
    return found


def _event_of(document: PlannedDocument, before: _Before | None, *, is_also_sent: bool) -> Event | None:
    """Tell what a planned document does to its push; None: it stays as it is."""
    disposition = document.disposition
    if disposition is Disposition.SEND:
        if document.body is None:
            raise ValueError(f"{document.label} is to be sent and has no body")
        if before is not None and before.state not in _MAY_BE_HELD:
            raise LedgerMoved(document.identity.source_id, before.state.value)
        return Event.PLAN
    if disposition is Disposition.HELD:
        # A held twin of a document that is sent, or that is in the books, changes nothing about that one.
        is_movable = before is None or before.state in _MAY_BE_HELD
        return Event.HOLD if is_movable and not is_also_sent else None
    if before is None:
        raise LedgerMoved(document.identity.source_id, "not in this ledger")
    return None


def _planned_row(
    document: PlannedDocument, before: _Before | None, *, run_id: RunId, ordinal: int, at: dt.datetime
) -> dict[str, Any]:
    attempt = 1 if before is None else before.attempt
    if before is not None and before.state is State.REJECTED:
        # Codat would replay the refusal under the old key (reference §1.5).
        attempt += 1
    body = document.body if document.disposition is Disposition.SEND else None
    digest = None if body is None else identity.body_sha256(body)
    cause = document.holds[0] if document.disposition is Disposition.HELD and document.holds else None
    return {
        "api_host": document.identity.api_host,
        "company": document.identity.company,
        "connection": document.identity.connection,
        "data_type": document.identity.data_type.value,
        "source_system": document.identity.source_system,
        "source_id": document.identity.source_id,
        "attempt": attempt,
        "idempotency_key": digest and identity.idempotency_key(document.identity, digest, attempt),
        "body": body,
        "body_sha256": digest,
        "content_hash": document.content_hash,
        "label": document.label,
        "customer": document.customer,
        "date": document.date.isoformat(),
        "currency": document.currency,
        "total": format(document.total, "f"),
        "places": texts.places(document.places),
        "cause_code": cause and cause.code,
        "cause_text": cause and cause.message,
        "planned_at": texts.instant(at),
        "updated_at": texts.instant(at),
        "run_id": run_id,
        "ordinal": ordinal,
        **dict.fromkeys(
            ("operation_key", "record_id", "correlation_id", "http_status", "first_sent_at", "finished_at")
        ),
    }


_PLANNED_FACTS = ("attempt", "idempotency_key", "body_sha256", "content_hash", "total", "currency", "cause_code")


def _planned_event(
    push_id: PushId, event: Event, row: Mapping[str, Any], before: _Before | None, *, run_id: RunId
) -> dict[str, Any]:
    return {
        "at": row["planned_at"],
        "event": event.value,
        "run_id": run_id,
        "push_id": push_id,
        "from_state": before.state.value if before else None,
        "to_state": (move(before.state, event) if before else FIRST[event]).value,
        "facts": {name: row[name] for name in _PLANNED_FACTS if row[name] is not None},
    }


def _insert_items(
    connection: sa.Connection, run_id: RunId, ids: Iterable[PushId], documents: Iterable[PlannedDocument]
) -> None:
    rows = [
        {
            "run_id": run_id,
            "ordinal": ordinal,
            "push_id": one,
            "disposition": document.disposition.value,
            "content_hash": document.content_hash,
            "findings": texts.findings(document.findings),
        }
        for ordinal, (one, document) in enumerate(zip(ids, documents, strict=True))
    ]
    if rows:
        connection.execute(sa.insert(items), rows)


def _update(connection: sa.Connection, push_id: PushId, before: State, values: Mapping[str, Any]) -> None:
    if connection.execute(_UPDATE, {**values, "which": push_id, "state_before": before.value}).rowcount != 1:
        raise LostMove(f"push {push_id} is no longer {before}")


def _known_facts(facts: Facts) -> dict[str, Any]:
    names = ("operation_key", "record_id", "correlation_id", "http_status", "cause_code", "cause_text")
    return {name: value for name in names if (value := getattr(facts, name)) is not None}


def _next_key(row: Mapping[Any, Any]) -> dict[str, Any]:
    attempt = row["attempt"] + 1
    key = identity.idempotency_key(read_identity(row), row["body_sha256"], attempt)
    return {"attempt": attempt, "idempotency_key": key}
