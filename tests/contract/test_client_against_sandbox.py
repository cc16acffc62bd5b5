"""Every method of the client over a real socket, each exchange judged by Codat's OpenAPI documents."""

import base64
import contextlib
import json
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
import recording

from codat_ar_cli.codat import errors, query, wire
from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.codat.transport import RetryPolicy
from codat_ar_cli.domain.types import (
    Company,
    CompanyId,
    Connection,
    ConnectionId,
    DataType,
    PlatformKey,
    PushOperation,
    PushOperationKey,
    PushStatus,
)

pytestmark = pytest.mark.anyio

NOBODY = CompanyId("00000000-0000-4000-8000-000000000000")
LISTED = [data_type for data_type in DataType if data_type is not DataType.COMPANY_INFO]
QUICK = RetryPolicy(attempts=2, first_pause=0.01)


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[CodatClient]:
    async with CodatClient(base_url=url, api_key="any-key", retry=QUICK, **options) as codat:
        yield codat


async def on_platform(codat: CodatClient, key: str) -> tuple[Company, Connection]:
    """The company whose linked accounting package is the platform."""
    for company in await codat.companies():
        for connection in company.connections:
            if connection.platform_key == key and connection.is_usable:
                return company, connection
    raise AssertionError(f"the sandbox has no company on {key}")


async def synced(codat: CodatClient, company: CompanyId, data_type: DataType) -> str:
    """Refresh one type and wait for it; give the sync's final status."""
    dataset = await codat.queue_sync(company, data_type)
    with anyio.fail_after(10):
        while not dataset.is_completed and not dataset.is_errored:
            await anyio.sleep(0.02)
            dataset = await codat.dataset(company, dataset.id)
    return dataset.status


async def finished(codat: CodatClient, company: CompanyId, key: PushOperationKey) -> PushOperation:
    with anyio.fail_after(10):
        while True:
            operation = await codat.push_operation(company, key)
            if operation.status is not PushStatus.PENDING:
                return operation
            await anyio.sleep(0.02)


async def test_the_platform_side_is_read(sandbox):
    async with connected(sandbox) as codat:
        assert await codat.profile_name()
        companies = await codat.companies()
        company, connection = await on_platform(codat, "gbol")
        integration = await codat.integration(PlatformKey("gbol"))
        status = await codat.data_status(company.id)

        assert len(companies) >= 3
        assert await codat.company(company.id) == company
        assert integration.supports(DataType.INVOICES, "Post")
        assert integration.key == connection.platform_key
        assert DataType.ACCOUNTS.value in status
        assert codat.server_time is not None


@pytest.mark.parametrize("platform", ["gbol", "qhyg", "mqjo"])
async def test_every_type_is_listed_page_by_page_and_record_by_record(start_sandbox, platform):
    url = start_sandbox(platforms=(platform,), operation_delay=0.01, sync_delay=0.01, customers=7, invoices=9)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, platform)
        for data_type in LISTED:
            if (await synced(codat, company.id, data_type)) == "NotSupported":
                continue
            small = [raw async for raw in codat.records(company.id, connection.id, data_type, page_size=3)]
            large = [raw async for raw in codat.records(company.id, connection.id, data_type)]

            assert small == large
            assert len({raw["id"] for raw in small}) == len(small)
            for raw in small[:2]:
                assert (await codat.record(company.id, connection.id, data_type, raw["id"]))["id"] == raw["id"]


async def test_company_info_and_reference_data_become_values(start_sandbox):
    url = start_sandbox(platforms=("xero",), operation_delay=0.01, sync_delay=0.01)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "gbol")
        assert await synced(codat, company.id, DataType.COMPANY_INFO) == "Complete"
        sets = {
            data_type: [raw async for raw in codat.records(company.id, connection.id, data_type)]
            for data_type in (
                DataType.COMPANY_INFO,
                DataType.ACCOUNTS,
                DataType.BANK_ACCOUNTS,
                DataType.CUSTOMERS,
                DataType.TAX_RATES,
                DataType.TRACKING_CATEGORIES,
            )
        }
        seen = wire.reference_data(sets, {})

    assert seen.company_info is not None
    assert seen.company_info.base_currency
    assert any(account.is_bank_account and account.is_alive for account in seen.accounts)
    assert seen.bank_accounts
    assert seen.customers
    assert seen.tax_rates
    assert any(category.parent_id for category in seen.tracking_categories)


async def test_a_tracking_category_comes_with_its_tree(start_sandbox):
    url = start_sandbox(platforms=("xero",))
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "gbol")
        roots = [
            raw
            async for raw in codat.records(company.id, connection.id, DataType.TRACKING_CATEGORIES)
            if raw["hasChildren"]
        ]
        tree = await codat.record(company.id, connection.id, DataType.TRACKING_CATEGORIES, roots[0]["id"])

    assert tree["subCategories"]


async def test_queries_and_order_cross_the_wire(start_sandbox):
    url = start_sandbox(platforms=("xero",), invoices=20, customers=5)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "gbol")
        wanted = query.all_of(
            query.where("amountDue", ">", 0),
            query.any_of(query.where("status", "=", "Submitted"), query.where("status", "=", "PartiallyPaid")),
            query.where("metadata.isDeleted", "!=", True),
        )
        records = codat.records(
            company.id,
            connection.id,
            DataType.INVOICES,
            query=wanted,
            order_by=query.descending("issueDate"),
            page_size=4,
        )
        found = [wire.open_invoice(raw) async for raw in records]
        everything = [
            wire.open_invoice(raw) async for raw in codat.records(company.id, connection.id, DataType.INVOICES)
        ]

    assert {invoice.id for invoice in found} == {
        invoice.id
        for invoice in everything
        if invoice.status in {"Submitted", "PartiallyPaid"} and invoice.amount_due > 0
    }
    assert [invoice.issue_date for invoice in found] == sorted((i.issue_date for i in found), reverse=True)


@pytest.mark.parametrize("platform", ["gbol", "qhyg", "mqjo"])
async def test_options_of_each_pushed_type_are_read(start_sandbox, platform):
    url = start_sandbox(platforms=(platform,))
    async with connected(url) as codat:
        company, connection = await on_platform(codat, platform)
        for data_type in (DataType.INVOICES, DataType.PAYMENTS, DataType.CUSTOMERS, DataType.ACCOUNTS):
            assert (await codat.options(company.id, connection.id, data_type))["properties"]


async def test_a_push_is_accepted_followed_listed_and_read_back(start_sandbox):
    url = start_sandbox(platforms=("mqjo",), operation_delay=0.05, sync_delay=0.01)
    key = str(uuid.uuid4())
    body = json.dumps({"customerName": "Ann & Söhne <Ltd>", "status": "Active"})
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "mqjo")
        pushed = await codat.push(company.id, connection.id, DataType.CUSTOMERS, body, idempotency_key=key)
        again = await codat.push(company.id, connection.id, DataType.CUSTOMERS, body, idempotency_key=key)
        done = await finished(codat, company.id, pushed.key)
        listed = [operation async for operation in codat.push_operations(company.id)]
        before = [raw["customerName"] async for raw in codat.records(company.id, connection.id, DataType.CUSTOMERS)]
        await synced(codat, company.id, DataType.CUSTOMERS)
        after = await codat.record(company.id, connection.id, DataType.CUSTOMERS, done.record_id or "")

    assert pushed.status is PushStatus.PENDING
    assert again.key == pushed.key, "the same key replays the first answer"
    assert done.status is PushStatus.SUCCESS
    assert [operation.key for operation in listed].count(pushed.key) == 1
    assert "Ann & Söhne <Ltd>" not in before, "a write is not in the cache before a refresh"
    assert after["customerName"] == "Ann & Söhne <Ltd>"


async def test_a_push_with_a_time_limit_and_the_history_of_syncs_keep_the_contract(start_sandbox):
    url = start_sandbox(platforms=("mqjo",), operation_delay=0.01, sync_delay=0.01)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "mqjo")
        pushed = await codat.push(
            company.id,
            connection.id,
            DataType.CUSTOMERS,
            '{"customerName":"Ann","status":"Active"}',
            idempotency_key=str(uuid.uuid4()),
            timeout_minutes=5,
        )
        await synced(codat, company.id, DataType.CUSTOMERS)
        await synced(codat, company.id, DataType.COMPANY_INFO)
        history = [dataset async for dataset in codat.datasets(company.id)]

    assert pushed.status is PushStatus.PENDING
    assert {"customers", "company"} <= {dataset.data_type for dataset in history}


async def test_a_key_with_another_body_is_a_mismatch(start_sandbox):
    url = start_sandbox(platforms=("mqjo",))
    key = str(uuid.uuid4())
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "mqjo")
        first = '{"customerName":"Ann","status":"Active"}'
        await codat.push(company.id, connection.id, DataType.CUSTOMERS, first, idempotency_key=key)
        with pytest.raises(errors.KeyBodyMismatch):
            await codat.push(
                company.id, connection.id, DataType.CUSTOMERS, first.replace("Ann", "Bob"), idempotency_key=key
            )


async def test_a_body_of_the_wrong_types_is_rejected_at_once(start_sandbox, contract_or_none):
    recorder = recording.Recorder(contract_or_none) if contract_or_none else None
    url = start_sandbox(platforms=("xero",), on_exchange=recorder)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "gbol")
        with pytest.raises(errors.RequestRejected) as caught:
            await codat.push(
                company.id, connection.id, DataType.INVOICES, '{"lineItems":"none"}', idempotency_key=str(uuid.uuid4())
            )

    assert caught.value.correlation_id
    if recorder is not None:
        assert {violation.rule for violation in recorder.violations} == {"request-schema"}


async def test_what_is_not_there_is_named(sandbox):
    async with connected(sandbox) as codat:
        company, connection = await on_platform(codat, "gbol")
        with pytest.raises(errors.PlaceGone):
            await codat.company(NOBODY)
        with pytest.raises(errors.PlaceGone):
            await codat.options(company.id, ConnectionId(NOBODY), DataType.INVOICES)
        with pytest.raises(errors.RecordNotFound):
            await codat.record(company.id, connection.id, DataType.INVOICES, "no/such id:7%")
        with pytest.raises(errors.RecordNotFound):
            await codat.push_operation(company.id, PushOperationKey(NOBODY))


async def test_a_malformed_query_is_rejected_with_codats_own_words(sandbox):
    async with connected(sandbox) as codat:
        company, connection = await on_platform(codat, "gbol")
        with pytest.raises(errors.RequestRejected, match="parsing query"):
            async for _ in codat.records(company.id, connection.id, DataType.INVOICES, query="amountDue>>0"):
                pass


async def test_a_wrong_key_is_refused(start_sandbox):
    url = start_sandbox(platforms=("xero",), require_key="the-right-key")
    async with connected(url) as codat:
        with pytest.raises(errors.KeyRefused):
            await codat.profile_name()


async def test_a_proxy_never_sees_what_stays_on_this_machine(sandbox, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async with connected(sandbox) as codat:
        assert await codat.profile_name()


async def test_the_key_is_in_no_log_not_even_at_debug(start_sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    url = start_sandbox(platforms=("xero",), require_key="canary-key-5512")
    for key in ("canary-key-5512", "canary-key-wrong"):
        async with CodatClient(base_url=url, api_key=key, retry=QUICK) as codat:
            with contextlib.suppress(errors.KeyRefused):
                await codat.companies()

    assert caplog.text
    assert "canary" not in caplog.text
    assert base64.b64encode(b"canary-key-5512").decode() not in caplog.text


async def test_nothing_listening_is_not_sent():
    async with connected("http://127.0.0.1:1") as codat:
        with pytest.raises(errors.NotSent, match="no connection"):
            await codat.profile_name()


async def test_limits_are_told_by_headers_and_429(start_sandbox):
    url = start_sandbox(platforms=("xero",), limits=True)
    async with connected(url) as codat:
        await codat.profile_name()
        assert codat.rate_limit.limit
        assert codat.rate_limit.remaining is not None
        assert codat.rate_limit.reset is not None


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"drop": "before"}, errors.AnswerLost),
        ({"drop": "after"}, errors.AnswerLost),
        ({"cut": True}, errors.AnswerLost),
        ({"cut": 0}, errors.AnswerLost),
        ({"malformed": True}, errors.AnswerLost),
        ({"shape": {}}, errors.AnswerLost),
        ({"shape": []}, errors.AnswerLost),
        ({"status": 429, "retryAfter": 7}, errors.RateLimited),
        ({"status": 500}, errors.CodatFault),
        ({"status": 503, "when": "after"}, errors.CodatFault),
        ({"status": 401}, errors.KeyRefused),
        ({"status": 402}, errors.AccountLimited),
        ({"status": 403}, errors.AccessForbidden),
        ({"status": 408}, errors.AnswerLost),
        ({"status": 409}, errors.KeyInProgress),
        ({"status": 413}, errors.RequestRejected),
        ({"status": 302}, errors.RedirectRefused),
    ],
)
async def test_a_push_over_a_bad_network_ends_in_the_error_that_says_what_is_known(start_sandbox, fault, expected):
    plan = {"rules": [{"method": "POST", **fault}]}
    url = start_sandbox(platforms=("mqjo",), faults=plan)
    async with connected(url) as codat:
        company, connection = await on_platform(codat, "mqjo")
        with pytest.raises(errors.CodatError) as caught:
            await codat.push(
                company.id,
                connection.id,
                DataType.CUSTOMERS,
                '{"customerName":"Ann","status":"Active"}',
                idempotency_key=str(uuid.uuid4()),
            )

    assert type(caught.value) is expected


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"cut": True}, {"malformed": True}, {"status": 503}])
async def test_a_read_over_a_bad_network_is_repeated(start_sandbox, fault):
    plan = {"rules": [{"path": "/profile", "nth": 1, **fault}]}
    url = start_sandbox(platforms=("xero",), faults=plan)
    async with connected(url) as codat:
        assert await codat.profile_name()


async def test_the_recording_transport_judges_the_client_from_its_own_side(sandbox, contract):
    recorder = recording.Recorder(contract)
    transport = recording.RecordingTransport(httpx.AsyncHTTPTransport(), recorder)
    async with connected(sandbox, transport=transport) as codat:
        await on_platform(codat, "gbol")

    assert recorder.checked == 1
    recorder.assert_clean()


async def test_the_log_of_a_sandbox_keeps_the_contract(start_sandbox, tmp_path, check_sandbox_log):
    log = tmp_path / "exchanges.jsonl"
    url = start_sandbox(platforms=("xero",), log=log)
    async with connected(url) as codat:
        await on_platform(codat, "gbol")

    assert log.read_text(encoding="utf-8").count("\n") == 1
    check_sandbox_log(log)
