"""The cache as the rest of the tool sees it, over the real ledger."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from codat_ar_cli.codat.errors import DataNotReady
from codat_ar_cli.domain.types import (
    Company,
    CompanyId,
    ConnectionId,
    Dataset,
    DatasetId,
    DataStatus,
    DataType,
)
from codat_ar_cli.flows.fetch import NeverSynced
from codat_ar_cli.flows.reference import (
    NotFetched,
    cached_invoices,
    ensure_fresh,
    load_reference,
    open_invoices,
    require_reference,
)
from codat_ar_cli.ledger.store import Ledger

COMPANY, CONNECTION = CompanyId("c-1"), ConnectionId("n-1")
START = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
INVOICE = {
    "id": "inv-1",
    "invoiceNumber": "INV-1",
    "issueDate": "2026-04-01T00:00:00",
    "currency": "GBP",
    "totalAmount": Decimal("120.00"),
    "totalTaxAmount": Decimal("20.00"),
    "amountDue": Decimal("120.00"),
    "status": "Submitted",
}


class _FakeCodat:
    def __init__(self, sets=None, status=None, requested_at=START):
        self.sets = sets or {}
        self.status = status or {}
        self.requested_at = requested_at
        self.queued = []
        self.server_time: dt.datetime | None = None

    async def records(self, company, connection, data_type, *, query=None):
        if data_type not in self.sets:
            raise DataNotReady("The data set has not been requested.")
        for record in self.sets[data_type]:
            yield record

    async def data_status(self, company):
        return self.status

    async def queue_sync(self, company, data_type, *, connection=None):
        self.queued.append(data_type)
        return Dataset(DatasetId("new"), data_type.value, "Complete", START, START, 100, True, False)

    async def company(self, company):
        return Company(COMPANY, "Acorn")

    async def dataset(self, company, dataset_id):
        return Dataset(dataset_id, "x", "Complete", self.requested_at, START, 100, True, False)


def scripted_codat(*arguments, **named) -> Any:
    return _FakeCodat(*arguments, **named)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path / "ledger.db", clock=lambda: START) as opened:
        yield opened


@pytest.fixture
def place():
    return {"company": COMPANY, "connection": CONNECTION}


def timed(place):
    async def sleep(_seconds):
        return None

    return {**place, "clock": lambda: START, "sleep": sleep}


def status_of(*types):
    at = START - dt.timedelta(minutes=5)
    dataset = DatasetId("old")
    return {each.value: DataStatus(each.value, "Complete", at, dataset, dataset) for each in types}


def keep(ledger, data_type, *texts):
    ledger.replace_cache(COMPANY, CONNECTION, data_type, texts, fetched_at=START, dataset_id=None, dataset_at=None)


def test_what_was_fetched_comes_back_as_domain_values(ledger, place):
    keep(ledger, DataType.ACCOUNTS, '{"id":"a","name":"Sales","nominalCode":"200","type":"Income","status":"Active"}')
    keep(ledger, DataType.COMPANY_INFO, '{"companyName":"Acorn","baseCurrency":"GBP"}')
    keep(ledger, DataType.ITEMS)

    reference = load_reference(ledger, **place)

    assert reference.accounts[0].nominal_code == "200"
    assert reference.company_info is not None
    assert reference.company_info.base_currency == "GBP"
    assert reference.fetched.keys() == {DataType.ACCOUNTS, DataType.COMPANY_INFO, DataType.ITEMS}


def test_what_was_never_fetched_is_said_by_name(ledger, place):
    keep(ledger, DataType.ACCOUNTS)

    with pytest.raises(NotFetched) as caught:
        require_reference(ledger, **place)

    assert "company info" in caught.value.message
    assert "customers" in caught.value.message
    assert caught.value.hint == "read them first: codat-ar fetch"


@pytest.mark.anyio
async def test_invoices_are_read_from_codat_not_from_an_old_cache(ledger, place):
    keep(ledger, DataType.INVOICES)

    found = await open_invoices(scripted_codat({DataType.INVOICES: [INVOICE]}), ledger, refresh=False, **timed(place))

    assert [invoice.amount_due for invoice in found] == [Decimal("120.00")]
    assert cached_invoices(ledger, **place) == found


@pytest.mark.anyio
async def test_invoices_that_codat_never_synced_are_an_error_without_refresh(ledger, place):
    with pytest.raises(NeverSynced, match="never read invoices"):
        await open_invoices(scripted_codat(), ledger, refresh=False, **timed(place))


@pytest.mark.anyio
async def test_refreshing_invoices_syncs_payments_first(ledger, place):
    codat = scripted_codat({DataType.INVOICES: [INVOICE], DataType.PAYMENTS: []})

    await open_invoices(codat, ledger, refresh=True, **timed(place))

    assert codat.queued == [DataType.PAYMENTS, DataType.INVOICES]


@pytest.mark.anyio
async def test_nothing_is_synced_when_codat_is_fresh_enough(ledger, place):
    codat = scripted_codat(
        {DataType.PAYMENTS: [], DataType.INVOICES: []}, status_of(DataType.PAYMENTS, DataType.INVOICES)
    )

    await ensure_fresh(
        codat,
        ledger,
        types=[DataType.PAYMENTS, DataType.INVOICES],
        newer_than=START - dt.timedelta(hours=1),
        **timed(place),
    )

    assert codat.queued == []


@pytest.mark.anyio
async def test_where_our_clock_runs_behind_a_copy_from_before_the_push_is_not_taken_for_fresh(ledger, place):
    pushed = START - dt.timedelta(minutes=2)
    codat = scripted_codat(
        {DataType.INVOICES: []}, status_of(DataType.INVOICES), requested_at=pushed + dt.timedelta(minutes=1)
    )
    codat.server_time = START + dt.timedelta(minutes=5)

    await ensure_fresh(codat, ledger, types=[DataType.INVOICES], newer_than=pushed, **timed(place))

    assert set(codat.queued) == {DataType.INVOICES}


@pytest.mark.anyio
async def test_a_sync_asked_for_before_the_push_ended_is_not_fresh_though_it_finished_after(ledger, place):
    pushed = START - dt.timedelta(hours=1)
    codat = scripted_codat(
        {DataType.INVOICES: []}, status_of(DataType.INVOICES), requested_at=pushed - dt.timedelta(seconds=1)
    )

    await ensure_fresh(codat, ledger, types=[DataType.INVOICES], newer_than=pushed, **timed(place))

    assert codat.queued == [DataType.INVOICES]


@pytest.mark.anyio
async def test_stale_payments_make_invoices_stale_too(ledger, place):
    codat = scripted_codat({DataType.PAYMENTS: [], DataType.INVOICES: []}, status_of(DataType.INVOICES))

    await ensure_fresh(
        codat,
        ledger,
        types=[DataType.INVOICES, DataType.PAYMENTS],
        newer_than=START - dt.timedelta(hours=1),
        **timed(place),
    )

    assert codat.queued == [DataType.PAYMENTS, DataType.INVOICES]
