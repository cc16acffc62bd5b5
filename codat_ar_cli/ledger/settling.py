"""What settling asks of the ledger: which operations and records are already ours, and where it notes what it saw."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import PushId, PushOperationKey, RecordId
from codat_ar_cli.ledger import chain, texts
from codat_ar_cli.ledger.pushes import chunks, one_row
from codat_ar_cli.ledger.tables import event as events
from codat_ar_cli.ledger.tables import push as pushes

LOOKED = "settle_looked"
"""The event of a look that decided nothing."""


def operations_known(connection: sa.Connection, name: str, since: dt.datetime) -> frozenset[PushOperationKey]:
    """Give the keys of all push operations that the chain has met since then, those of earlier attempts too."""
    query = sa.select(events.c.facts).where(
        events.c.chain == name, events.c.at >= texts.instant(since), events.c.facts.like('%"operation_key"%')
    )
    facts = (jsontext.loads(text) for text in connection.execute(query).scalars())
    return frozenset(PushOperationKey(fact["operation_key"]) for fact in facts if fact.get("operation_key"))


def record_owners(
    connection: sa.Connection, place: Collection[sa.ColumnElement[bool]], records: Collection[RecordId]
) -> dict[RecordId, str]:
    """Give the source ids of the pushes that these records are, by record id."""
    owners: dict[RecordId, str] = {}
    for chunk in chunks(records):
        query = sa.select(pushes.c.record_id, pushes.c.source_id).where(*place, pushes.c.record_id.in_(chunk))
        owners |= {RecordId(row.record_id): row.source_id for row in connection.execute(query)}
    return owners


def note_look(connection: sa.Connection, push_id: PushId, evidence: Mapping[str, Any], at: dt.datetime) -> None:
    """Keep what settling saw of a push that it left as it is."""
    row = one_row(connection, push_id)
    event = {
        "at": texts.instant(at),
        "event": LOOKED,
        "run_id": row["run_id"],
        "push_id": push_id,
        "from_state": row["state"],
        "to_state": row["state"],
        "facts": evidence,
    }
    chain.append(connection, chain=chain.chain_of(row["api_host"], row["company"]), values=[event])
