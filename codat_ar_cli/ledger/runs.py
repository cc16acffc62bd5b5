"""Runs in the database: their headers, and where their documents stand."""

import datetime as dt
import difflib
import secrets
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import CompanyId, ConnectionId, DataType, PlatformKey, RunId
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition
from codat_ar_cli.domain.pushes import RunHeader, RunItem, RunSummary
from codat_ar_cli.ledger import chain, texts
from codat_ar_cli.ledger.errors import UnknownRun
from codat_ar_cli.ledger.pushes import chunks, read_push
from codat_ar_cli.ledger.tables import push as pushes
from codat_ar_cli.ledger.tables import run as runs
from codat_ar_cli.ledger.tables import run_item as items


def begin(connection: sa.Connection, header: RunHeader, *, at: dt.datetime) -> RunId:
    """Write a run's header and give its id: readable, and in order of time."""
    run_id = RunId(f"R{at.astimezone(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
    while connection.execute(sa.select(runs.c.run_id).where(runs.c.run_id == run_id)).first():
        run_id = RunId(run_id[:-4] + secrets.token_hex(2))
    connection.execute(
        sa.insert(runs).values(
            run_id=run_id,
            started_at=texts.instant(at),
            command=header.command,
            profile=header.profile,
            api_host=header.api_host,
            company=header.company,
            company_name=header.company_name,
            connection=header.connection,
            platform_key=header.platform_key,
            platform_name=header.platform_name,
            data_type=header.data_type.value if header.data_type else None,
            source=header.source,
            source_sha256=header.source_sha256,
            totals=jsontext.dumps(dict(header.totals), sort_keys=True),
        )
    )
    facts = {"command": header.command, "source": header.source, "source_sha256": header.source_sha256}
    _tell(connection, header.api_host, header.company, "run-begun", run_id=run_id, at=at, facts=facts)
    return run_id


def end(
    connection: sa.Connection, run_id: RunId, *, exit_code: int, counts: Mapping[State, int], at: dt.datetime
) -> None:
    """Write how a run ended; a second end replaces the first. Raises UnknownRun."""
    row = _row(connection, run_id)
    connection.execute(
        sa.update(runs)
        .where(runs.c.run_id == run_id)
        .values(ended_at=texts.instant(at), exit_code=int(exit_code), counts=texts.counts(counts))
    )
    facts = {"exit_code": int(exit_code), "counts": {state.value: number for state, number in counts.items()}}
    _tell(connection, row.api_host, row.company, "run-ended", run_id=run_id, at=at, facts=facts)


def summary(connection: sa.Connection, run_id: RunId) -> RunSummary:
    """Give one run; raises UnknownRun, which names the nearest ids."""
    return _summaries(connection, [_row(connection, run_id)])[0]


def newest(connection: sa.Connection, *, limit: int, company: CompanyId | None) -> list[RunSummary]:
    """Give the newest runs first."""
    query = sa.select(runs).order_by(runs.c.started_at.desc(), runs.c.run_id.desc()).limit(limit)
    if company is not None:
        query = query.where(runs.c.company == company)
    return _summaries(connection, connection.execute(query).all())


def run_items(connection: sa.Connection, run_id: RunId) -> list[RunItem]:
    """Give what the run's plan said of each document, in file order. Raises UnknownRun."""
    _row(connection, run_id)
    query = (
        sa.select(
            pushes,
            items.c.ordinal.label("item_ordinal"),
            items.c.disposition,
            items.c.findings,
            items.c.content_hash.label("item_hash"),
        )
        .join(items, items.c.push_id == pushes.c.push_id)
        .where(items.c.run_id == run_id)
        .order_by(items.c.ordinal)
    )
    return [
        RunItem(
            ordinal=row["item_ordinal"],
            disposition=Disposition(row["disposition"]),
            content_hash=row["item_hash"],
            findings=tuple(jsontext.loads(row["findings"])),
            push=read_push(row),
        )
        for row in connection.execute(query).mappings()
    ]


def _row(connection: sa.Connection, run_id: str) -> Any:
    row = connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).first()
    if row is None:
        recent = sa.select(runs.c.run_id).order_by(runs.c.started_at.desc()).limit(500)
        known = list(connection.execute(recent).scalars())
        raise UnknownRun(run_id, nearest=tuple(difflib.get_close_matches(run_id, known, n=3, cutoff=0.0)))
    return row


def _summaries(connection: sa.Connection, rows: Collection[Any]) -> list[RunSummary]:
    counts: dict[str, dict[State, int]] = {}
    for chunk in chunks([row.run_id for row in rows]):
        # As `RunItem.state` says: a changed version that was held did not touch the push.
        was_held = sa.and_(items.c.disposition == Disposition.HELD.value, items.c.content_hash != pushes.c.content_hash)
        state = sa.case((was_held, State.HELD.value), else_=pushes.c.state).label("state")
        query = (
            sa.select(items.c.run_id, state, sa.func.count().label("number"))
            .join(pushes, pushes.c.push_id == items.c.push_id)
            .where(items.c.run_id.in_(chunk))
            .group_by(items.c.run_id, state)
        )
        for found in connection.execute(query):
            counts.setdefault(found.run_id, {})[State(found.state)] = found.number
    return [_value(row, counts.get(row.run_id, {})) for row in rows]


def _value(row: Any, counts: Mapping[State, int]) -> RunSummary:
    header = RunHeader(
        command=row.command,
        profile=row.profile,
        api_host=row.api_host,
        company=CompanyId(row.company),
        company_name=row.company_name,
        connection=ConnectionId(row.connection),
        platform_key=PlatformKey(row.platform_key),
        platform_name=row.platform_name,
        data_type=DataType(row.data_type) if row.data_type else None,
        source=row.source,
        source_sha256=row.source_sha256,
        totals=jsontext.loads(row.totals),
    )
    return RunSummary(
        id=RunId(row.run_id),
        header=header,
        started_at=texts.read_instant(row.started_at),
        ended_at=texts.read_instant_or_none(row.ended_at),
        exit_code=row.exit_code,
        ended_counts=texts.read_counts(row.counts),
        counts=counts,
    )


def _tell(
    connection: sa.Connection,
    api_host: str,
    company: str,
    event: str,
    *,
    run_id: RunId,
    at: dt.datetime,
    facts: Mapping[str, Any],
) -> None:
    value = {
        "at": texts.instant(at),
        "event": event,
        "run_id": run_id,
        "push_id": None,
        "from_state": None,
        "to_state": None,
        "facts": facts,
    }
    chain.append(connection, chain=chain.chain_of(api_host, company), values=[value])
