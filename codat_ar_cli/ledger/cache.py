"""Reference data as Codat gave it, kept beside the pushes; losing it costs a fetch and nothing else."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from codat_ar_cli.domain.ids import CompanyId, ConnectionId, DatasetId, DataType
from codat_ar_cli.domain.pushes import CachedSet
from codat_ar_cli.ledger import texts
from codat_ar_cli.ledger.tables import cache_record, cache_set


def replace(
    connection: sa.Connection,
    company: CompanyId,
    link: ConnectionId,
    data_type: DataType,
    records: Sequence[str],
    *,
    fetched_at: dt.datetime,
    dataset_id: str | None,
    dataset_at: dt.datetime | None,
) -> None:
    """Put these records in place of the ones there are, all or none."""
    key = {"company": company, "connection": link, "data_type": data_type.value}
    for table in (cache_record, cache_set):
        connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in key.items())))
    connection.execute(
        sa.insert(cache_set).values(
            **key,
            fetched_at=texts.instant(fetched_at),
            dataset_id=dataset_id,
            dataset_at=None if dataset_at is None else texts.instant(dataset_at),
        )
    )
    if records:
        connection.execute(
            sa.insert(cache_record), [{**key, "ordinal": index, "body": body} for index, body in enumerate(records)]
        )


def read(
    connection: sa.Connection, company: CompanyId, link: ConnectionId, data_type: DataType, *, with_records: bool
) -> CachedSet | None:
    """Give what is cached; None where this type was never fetched (which is not the same as empty)."""
    key = {"company": company, "connection": link, "data_type": data_type.value}
    header = connection.execute(
        sa.select(cache_set).where(*(cache_set.c[name] == value for name, value in key.items()))
    ).first()
    if header is None:
        return None
    query = (
        sa.select(cache_record.c.body)
        .where(*(cache_record.c[name] == value for name, value in key.items()))
        .order_by(cache_record.c.ordinal)
    )
    return CachedSet(
        data_type=data_type,
        records=tuple(connection.execute(query).scalars()) if with_records else (),
        fetched_at=texts.read_instant(header.fetched_at),
        dataset_id=DatasetId(header.dataset_id) if header.dataset_id else None,
        dataset_at=texts.read_instant_or_none(header.dataset_at),
    )
