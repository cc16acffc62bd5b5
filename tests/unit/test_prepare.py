"""What the plan is told of the books, over the real ledger."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from codat_ar_cli.domain.drafting import draft_payments
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.mapping import Mapping
from codat_ar_cli.domain.types import CompanyId, ConnectionId, DatasetId, DataStatus, PlatformKey
from codat_ar_cli.flows.prepare import Destination, Workshop, invoice_index
from codat_ar_cli.ledger.store import Ledger

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
INVOICE = {"id": "inv-1", "invoiceNumber": "INV-1", "totalAmount": Decimal("120.00"), "status": "Submitted"}
DESTINATION = Destination(
    profile="acme",
    api_host="api.codat.io",
    company=CompanyId("c-1"),
    company_name="Acme",
    connection=ConnectionId("n-1"),
    platform_key=PlatformKey("gbol"),
    platform_name="Xero",
    mapping=Mapping(),
)


class _Codat:
    """Codat with one invoice, read from the accounting package at `synced_at`."""

    def __init__(self, synced_at: dt.datetime) -> None:
        self.synced_at = synced_at
        self.server_time: dt.datetime | None = None

    async def records(self, company, connection, data_type, *, query=None):
        yield INVOICE

    async def data_status(self, company):
        dataset = DatasetId("d-1")
        return {"invoices": DataStatus("invoices", "Complete", self.synced_at, dataset, dataset)}


@pytest.fixture
def find_index(tmp_path):
    async def find(synced_at: dt.datetime):
        codat: Any = _Codat(synced_at)
        with Ledger.open(tmp_path / "ledger.db", clock=lambda: NOW) as ledger:
            drafted = draft_payments([], source="payments.csv", columns=[])
            return await invoice_index(drafted, DESTINATION, Workshop(codat, ledger, lambda: NOW))

    return find


@pytest.mark.anyio
async def test_a_copy_of_the_books_older_than_a_day_is_said(find_index):
    index, (finding,) = await find_index(NOW - dt.timedelta(days=3))
    assert (finding.code, finding.severity) == ("books.stale", Severity.WARNING)
    assert "2026-11-19 12:00 UTC" in finding.message
    assert index.numbered("inv-1")[0].id == "inv-1"


@pytest.mark.anyio
async def test_a_fresh_copy_of_the_books_needs_no_remark(find_index):
    assert (await find_index(NOW - dt.timedelta(hours=2)))[1] == ()
