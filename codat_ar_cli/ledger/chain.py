"""The event rows: each carries the hash of the one before it of the same company, so an edit shows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import PushId, RunId
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.pushes import LedgerEvent
from codat_ar_cli.ledger import texts
from codat_ar_cli.ledger.tables import event as events

_GENESIS = "0" * 64
_HASHED = ("chain", "position", "at", "event", "run_id", "push_id", "from_state", "to_state", "facts", "prev_hash")

_LAST = (
    sa.select(events.c.position, events.c.hash)
    .where(events.c.chain == sa.bindparam("chain"))
    .order_by(events.c.position.desc())
    .limit(1)
)
_APPEND = sa.insert(events)


def chain_of(api_host: str, company: str) -> str:
    """Name the chain that a company's events stand in."""
    return f"{api_host}/{company}"


def append(connection: sa.Connection, *, chain: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Add events in the caller's transaction, in order.

    values: per event `at`, `event`, `run_id`, `push_id`, `from_state`, `to_state` and `facts` (JSON values).
    Where another writer got in between, the position is taken and the whole transaction fails.
    """
    last = connection.execute(_LAST, {"chain": chain}).first()
    position, previous = (last.position, last.hash) if last else (0, _GENESIS)
    rows = []
    for value in values:
        position += 1
        row = {**value, "chain": chain, "position": position, "prev_hash": previous}
        row["facts"] = jsontext.dumps(value["facts"], sort_keys=True)
        row["hash"] = previous = _hash(row)
        rows.append(row)
    if rows:
        connection.execute(_APPEND, rows)


def read(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[LedgerEvent]:
    """Give events as values, in chain order."""
    rows = connection.execute(sa.select(events).where(condition).order_by(events.c.chain, events.c.position))
    return [_value(row) for row in rows]


def breaks(connection: sa.Connection) -> Iterator[str]:
    """Walk every chain and name each place where it does not hold: edited, removed or put in between."""
    previous: dict[str, tuple[int, str]] = {}
    for row in connection.execute(sa.select(events).order_by(events.c.chain, events.c.position)).mappings():
        position, digest = previous.get(row["chain"], (0, _GENESIS))
        where = f"{row['chain']} event {row['position']}"
        if row["position"] != position + 1:
            yield f"{where}: {row['position'] - position - 1} event(s) missing before it"
        elif row["prev_hash"] != digest:
            yield f"{where}: does not follow from the event before it"
        if _hash(row) != row["hash"]:
            yield f"{where}: was edited"
        previous[row["chain"]] = (row["position"], row["hash"])


def _hash(row: Mapping[Any, Any]) -> str:
    return hashlib.sha256(jsontext.dumps([row[name] for name in _HASHED]).encode()).hexdigest()


def _value(row: Any) -> LedgerEvent:
    return LedgerEvent(
        position=row.position,
        at=texts.read_instant(row.at),
        event=row.event,
        run_id=RunId(row.run_id) if row.run_id else None,
        push_id=PushId(row.push_id) if row.push_id else None,
        from_state=State(row.from_state) if row.from_state else None,
        to_state=State(row.to_state) if row.to_state else None,
        facts=jsontext.loads(row.facts),
        hash=row.hash,
    )
