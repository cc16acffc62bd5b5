"""The ledger's tables, portable between SQLite and PostgreSQL.

Amounts, dates and instants are text: digits as they are sent, ISO dates, and UTC instants of one fixed width
that sort as they pass. A float column or a local time could change either in silence.
"""

import sqlalchemy as sa

SCHEMA = 1
"""Rises with every change of the tables; stands in `meta`."""
APPLICATION = "codat-ar ledger"

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

run = sa.Table(
    "run",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("ended_at", sa.Text),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("api_host", sa.Text, nullable=False),
    sa.Column("company", sa.Text, nullable=False),
    sa.Column("company_name", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("platform_key", sa.Text, nullable=False),
    sa.Column("platform_name", sa.Text, nullable=False),
    sa.Column("data_type", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("source_sha256", sa.Text),
    sa.Column("totals", sa.Text, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("counts", sa.Text),
    sa.Index("run_by_company", "company", "started_at"),
)

push = sa.Table(
    "push",
    metadata,
    sa.Column("push_id", sa.Text, primary_key=True),
    sa.Column("api_host", sa.Text, nullable=False),
    sa.Column("company", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("data_type", sa.Text, nullable=False),
    sa.Column("source_system", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.Text, unique=True),
    sa.Column("body", sa.Text),
    sa.Column("body_sha256", sa.Text),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("date", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total", sa.Text, nullable=False),
    sa.Column("places", sa.Text, nullable=False),
    sa.Column("cause_code", sa.Text),
    sa.Column("cause_text", sa.Text),
    sa.Column("operation_key", sa.Text),
    sa.Column("record_id", sa.Text),
    sa.Column("correlation_id", sa.Text),
    sa.Column("http_status", sa.Integer),
    sa.Column("first_sent_at", sa.Text),
    sa.Column("planned_at", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
    sa.Column("finished_at", sa.Text),
    sa.Column("run_id", sa.Text, sa.ForeignKey("run.run_id"), nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.UniqueConstraint(
        "company", "connection", "data_type", "source_id", "source_system", "api_host", name="one_push_per_identity"
    ),
    sa.Index("push_by_state", "company", "connection", "state"),
    sa.Index("push_by_operation", "operation_key"),
)

run_item = sa.Table(
    "run_item",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("run.run_id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("push_id", sa.Text, sa.ForeignKey("push.push_id"), nullable=False),
    sa.Column("disposition", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sa.Index("run_item_by_push", "push_id"),
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("push_id", sa.Text),
    sa.Column("from_state", sa.Text),
    sa.Column("to_state", sa.Text),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("event_by_push", "push_id"),
    sa.Index("event_by_run", "run_id"),
)
"""One chain per company: its one writer (design D9) needs no lock that another company's writer could hold."""

cache_set = sa.Table(
    "cache_set",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("data_type", sa.Text, primary_key=True),
    sa.Column("fetched_at", sa.Text, nullable=False),
    sa.Column("dataset_id", sa.Text),
    sa.Column("dataset_at", sa.Text),
)

cache_record = sa.Table(
    "cache_record",
    metadata,
    sa.Column("company", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("data_type", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
