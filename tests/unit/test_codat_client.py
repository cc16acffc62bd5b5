"""Each endpoint's wire details, paging and its traps, and what a push's answer means."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs

import httpx
import pytest
from openapi_check import ContractChecker, Seen
from recording import Recorder

from codat_ar_cli.codat import client as client_module
from codat_ar_cli.codat import errors
from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.domain.types import (
    CompanyId,
    ConnectionId,
    DatasetId,
    DataType,
    PlatformKey,
    PushOperationKey,
    PushStatus,
)

COMPANY = CompanyId("8a210b68-6988-11ed-a1eb-0242ac120002")
CONNECTION = ConnectionId("2e9d2c44-f675-40ba-8049-353bfcb5e171")
KEY = "0b9d5a52-3f4e-4c1a-9a53-0a4f6a0e7f11"
OPERATION: dict[str, Any] = {
    "pushOperationKey": "11111111-1111-4111-8111-111111111111",
    "companyId": COMPANY,
    "dataConnectionKey": CONNECTION,
    "dataType": "invoices",
    "status": "Pending",
    "statusCode": 202,
    "requestedOnUtc": "2026-11-22T10:00:00Z",
}
DATASET: dict[str, Any] = {
    "id": "97d60846-f07a-4d42-b5a0-0bdcc6ebf56b",
    "companyId": COMPANY,
    "connectionId": CONNECTION,
    "dataType": "invoices",
    "status": "Queued",
    "requested": "2026-11-22T10:00:00Z",
    "progress": 0,
    "isCompleted": False,
    "isErrored": False,
}


class Far:
    """Answers by raw path, in order; the last answer of a path repeats."""

    everywhere: ClassVar[list[httpx.Request]] = []

    def __init__(self, answers: dict[str, list[httpx.Response] | httpx.Response]):
        self.answers = {path: list(a) if isinstance(a, list) else [a] for path, a in answers.items()}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.everywhere.append(request)
        raw = request.url.raw_path.decode()
        found = self.answers.get(raw) or self.answers.get(raw.partition("?")[0])
        if not found:
            return httpx.Response(404, json={"statusCode": 404, "error": f"nothing at {raw}", "correlationId": "c"})
        return found.pop(0) if len(found) > 1 else found[0]

    @property
    def targets(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.requests]


@pytest.fixture(autouse=True)
def _every_request_keeps_codats_contract(contract_or_none: ContractChecker | None) -> Iterator[None]:
    Far.everywhere.clear()
    yield
    if contract_or_none is not None:
        recorder = Recorder(contract_or_none)
        for request in Far.everywhere:
            recorder(
                Seen(
                    method=request.method,
                    path=request.url.raw_path.decode(),
                    request_headers={name.lower(): value for name, value in request.headers.items()},
                    request_body=request.content,
                    status=0,
                    response_headers={},
                    response_body=b"",
                )
            )
        recorder.assert_clean()


def open_client(far: Far) -> CodatClient:
    async def no_sleep(seconds: float) -> None:
        return None

    return CodatClient(
        base_url="https://api.codat.example", api_key="k", sleep=no_sleep, transport=httpx.MockTransport(far)
    )


def page(records: list[dict[str, Any]], following: str | None = None) -> httpx.Response:
    links = {"self": {"href": "/s"}, "current": {"href": "/c"}} | ({"next": {"href": following}} if following else {})
    return httpx.Response(
        200, json={"results": records, "pageNumber": 1, "pageSize": 2, "totalResults": 9, "_links": links}
    )


async def ids(records) -> list[str]:
    return [record["id"] async for record in records]


LIST = f"/companies/{COMPANY}/data/invoices"


@pytest.mark.anyio
async def test_a_list_is_followed_to_its_end_and_each_record_comes_once():
    far = Far(
        {
            f"{LIST}?page=1&pageSize=2": page([{"id": "a"}, {"id": "b"}], f"{LIST}?page=2&pageSize=2"),
            f"{LIST}?page=2&pageSize=2": page([{"id": "b"}, {"id": "c"}], f"{LIST}?page=3&pageSize=2"),
            f"{LIST}?page=3&pageSize=2": page([{"id": "d"}]),
        }
    )

    async with open_client(far) as codat:
        found = await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES, page_size=2))

    assert found == ["a", "b", "c", "d"]
    assert len(far.requests) == 3


@pytest.mark.anyio
async def test_a_link_is_followed_exactly_as_it_stands():
    href = f"{LIST}?page=2&pageSize=2&query=metadata.isDeleted%21%3Dtrue%26%26note~100%25&orderBy=-modifiedDate"
    far = Far({LIST: page([{"id": "a"}], href), href: page([{"id": "b"}])})

    async with open_client(far) as codat:
        found = await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES))

    assert found == ["a", "b"]
    assert far.targets[1] == href


@pytest.mark.anyio
async def test_a_link_seen_before_ends_the_walk():
    far = Far({LIST: page([{"id": "a"}], f"{LIST}?page=1&pageSize=500")})

    async with open_client(far) as codat:
        assert await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES)) == ["a"]

    assert len(far.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/companies",
        "//evil.example/x",
        f"/companies/{COMPANY}/data/customers?page=2",
        "/companies/other/data/invoices?page=2",
        f"{LIST}/../customers?page=2",
        "http://api.codat.example" + LIST,
    ],
)
async def test_a_link_that_leads_out_of_the_list_is_refused(href):
    far = Far({LIST: page([{"id": "a"}], href)})

    async with open_client(far) as codat:
        with pytest.raises(errors.WireError, match="leads"):
            await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES))

    assert len(far.requests) == 1


@pytest.mark.anyio
async def test_a_list_without_end_is_an_error(monkeypatch):
    monkeypatch.setattr(client_module, "MAX_PAGES", 3)
    far = Far({LIST: [page([{"id": str(n)}], f"{LIST}?page={n}") for n in range(2, 9)]})

    async with open_client(far) as codat:
        with pytest.raises(errors.WireError, match="beyond 3 pages"):
            await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES))


@pytest.mark.anyio
async def test_links_that_lead_on_without_a_new_record_are_not_followed_for_ever():
    far = Far({LIST: [page([{"id": "a"}], f"{LIST}?page={n}") for n in range(2, 9)]})

    async with open_client(far) as codat:
        with pytest.raises(errors.WireError, match="3 pages without a new record"):
            await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES))

    assert len(far.requests) == 4


@pytest.mark.anyio
async def test_a_connection_without_a_platform_is_a_wire_error():
    far = Far({})

    async with open_client(far) as codat:
        with pytest.raises(errors.WireError, match="names no platform"):
            await codat.integration(PlatformKey(""))

    assert far.requests == []


@pytest.mark.anyio
async def test_records_without_an_id_are_all_given():
    far = Far({LIST: page([{"id": None, "n": 1}, {"n": 2}, {"id": "None"}])})

    async with open_client(far) as codat:
        found = [record async for record in codat.records(COMPANY, CONNECTION, DataType.INVOICES)]

    assert len(found) == 3


@pytest.mark.anyio
@pytest.mark.parametrize(("asked", "sent"), [(100, "100"), (2000, "2000"), (5000, "2000"), (0, "1")])
async def test_the_page_size_stays_within_what_codat_takes(asked, sent):
    far = Far({LIST: page([])})

    async with open_client(far) as codat:
        await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES, page_size=asked))

    assert parse_qs(far.requests[0].url.query.decode())["pageSize"] == [sent]


@pytest.mark.anyio
async def test_query_and_order_are_encoded_whole():
    far = Far({LIST: page([])})

    async with open_client(far) as codat:
        text = "amountDue>0&&{status=Submitted||status=PartiallyPaid}"
        await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES, query=text, order_by="-issueDate"))

    raw = far.targets[0].partition("?")[2]
    assert raw == (
        "page=1&pageSize=500&query=amountDue%3E0%26%26%7Bstatus%3DSubmitted%7C%7Cstatus%3DPartiallyPaid%7D"
        "&orderBy=-issueDate"
    )


@pytest.mark.anyio
@pytest.mark.parametrize("content", ["[]", "{}", '{"results": null}', '{"results": [1]}', "null"])
async def test_a_page_of_the_wrong_shape_is_a_wire_error(content):
    far = Far({LIST: httpx.Response(200, text=content)})

    async with open_client(far) as codat:
        with pytest.raises(errors.WireError):
            await ids(codat.records(COMPANY, CONNECTION, DataType.INVOICES))


@pytest.mark.anyio
@pytest.mark.parametrize("data_type", list(DataType))
async def test_each_type_is_read_below_company_or_connection_as_codat_has_it(data_type):
    below_connection = {"bankAccounts", "directCosts", "directIncomes", "transfers"}
    owner = f"/companies/{COMPANY}"
    if data_type.value in below_connection:
        owner += f"/connections/{CONNECTION}"
    name = {"chartOfAccounts": "accounts", "company": "info"}.get(data_type.value, data_type.value)
    far = Far(
        {f"{owner}/data/{name}": httpx.Response(200, json={"companyName": "Ann"}) if name == "info" else page([])}
    )

    async with open_client(far) as codat:
        found = [record async for record in codat.records(COMPANY, CONNECTION, data_type)]

    assert found == ([{"companyName": "Ann"}] if name == "info" else [])
    assert far.targets[0].partition("?")[0] == f"{owner}/data/{name}"


@pytest.mark.anyio
async def test_ids_with_any_characters_are_one_path_segment():
    path = f"/companies/{COMPANY}/data/trackingCategories/__DEPARTMENTS%2F3%20a%3Ab%25"
    far = Far({path: httpx.Response(200, json={"id": "__DEPARTMENTS/3 a:b%", "subCategories": []})})

    async with open_client(far) as codat:
        tree = await codat.record(COMPANY, CONNECTION, DataType.TRACKING_CATEGORIES, "__DEPARTMENTS/3 a:b%")

    assert tree["subCategories"] == []
    assert far.targets == [path]


@pytest.mark.anyio
async def test_an_id_of_dots_does_not_climb_the_path():
    far = Far({f"/companies/{COMPANY}/data/items/%2E%2E": httpx.Response(200, json={"id": ".."})})

    async with open_client(far) as codat:
        assert await codat.record(COMPANY, CONNECTION, DataType.ITEMS, "..") == {"id": ".."}


@pytest.mark.anyio
async def test_amounts_in_records_are_exact():
    far = Far(
        {LIST: httpx.Response(200, text='{"results":[{"id":"a","totalAmount":0.10,"rate":0.1234567890123456789}]}')}
    )

    async with open_client(far) as codat:
        [record] = [record async for record in codat.records(COMPANY, CONNECTION, DataType.INVOICES)]

    assert str(record["totalAmount"]) == "0.10"
    assert str(record["rate"]) == "0.1234567890123456789"


@pytest.mark.anyio
async def test_small_reads_go_where_codat_has_them():
    company: dict[str, Any] = {"id": COMPANY, "name": "Ann Ltd", "dataConnections": []}
    below = f"/companies/{COMPANY}"
    far = Far(
        {
            "/profile": httpx.Response(200, json={"name": "Client", "redirectUrl": "x"}),
            "/companies": page([company]),
            below: httpx.Response(200, json=company),
            "/integrations/gbol": httpx.Response(200, json={"key": "gbol", "name": "Xero"}),
            f"{below}/data/info": httpx.Response(200, json={"baseCurrency": "GBP"}),
            f"{below}/connections/{CONNECTION}/options/chartOfAccounts": httpx.Response(200, json={"type": "Object"}),
            f"{below}/dataStatus": httpx.Response(200, json={"items": {"dataType": "items"}}),
            f"{below}/data/history/{DATASET['id']}": httpx.Response(200, json=DATASET),
            f"{below}/data/history": page([DATASET]),
            f"{below}/push/{OPERATION['pushOperationKey']}": httpx.Response(200, json=OPERATION),
        }
    )

    async with open_client(far) as codat:
        assert await codat.profile_name() == "Client"
        assert [found.name for found in await codat.companies(query="name=Ann")] == ["Ann Ltd"]
        assert (await codat.company(COMPANY)).id == COMPANY
        assert (await codat.integration(PlatformKey("gbol"))).name == "Xero"
        assert (await codat.company_info(COMPANY))["baseCurrency"] == "GBP"
        assert (await codat.options(COMPANY, CONNECTION, DataType.ACCOUNTS))["type"] == "Object"
        assert list(await codat.data_status(COMPANY)) == ["items"]
        assert (await codat.dataset(COMPANY, DatasetId(DATASET["id"]))).status == "Queued"
        assert [found.id async for found in codat.datasets(COMPANY)] == [DATASET["id"]]
        assert (await codat.push_operation(COMPANY, PushOperationKey(OPERATION["pushOperationKey"]))).status_code == 202
        assert codat.api_host == "api.codat.example"
        assert repr(codat) == "CodatClient('api.codat.example')"

    assert {request.method for request in far.requests} == {"GET"}


@pytest.mark.anyio
async def test_operations_are_listed_newest_first_each_key_once():
    path = f"/companies/{COMPANY}/push"
    far = Far({path: [page([OPERATION, OPERATION], f"{path}?page=2"), page([OPERATION])]})

    async with open_client(far) as codat:
        found = [operation async for operation in codat.push_operations(COMPANY)]

    assert len(found) == 1
    assert "orderBy=-requestedOnUtc" in far.targets[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("data_type", "path"),
    [
        (DataType.ACCOUNTS, f"/companies/{COMPANY}/data/queue/chartOfAccounts?connectionId={CONNECTION}"),
        (DataType.COMPANY_INFO, f"/companies/{COMPANY}/data/info"),
    ],
)
async def test_a_sync_is_queued_by_data_type_key_and_company_info_by_its_own_way(data_type, path):
    far = Far({path: httpx.Response(200, json=DATASET)})

    async with open_client(far) as codat:
        assert (await codat.queue_sync(COMPANY, data_type, connection=CONNECTION)).id == DATASET["id"]

    assert [(request.method, request.url.raw_path.decode()) for request in far.requests] == [("POST", path)]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 409, 500])
@pytest.mark.parametrize("named", [DATASET["id"], "", COMPANY])
async def test_a_sync_already_running_is_given_instead_whatever_the_status(status, named):
    text = f"DatasetAlreadyInProgressException: {named} is running"
    far = Far(
        {
            f"/companies/{COMPANY}/data/queue/invoices": httpx.Response(status, json={"error": text}),
            f"/companies/{COMPANY}/data/history/{DATASET['id']}": httpx.Response(200, json=DATASET),
            f"/companies/{COMPANY}/data/history": page([DATASET | {"id": "old", "isCompleted": True}, DATASET]),
        }
    )

    async with open_client(far) as codat:
        assert (await codat.queue_sync(COMPANY, DataType.INVOICES)).id == DATASET["id"]

    assert sum(request.method == "POST" for request in far.requests) == 1


PUSH = f"/companies/{COMPANY}/connections/{CONNECTION}/push"
BODY = '{"totalAmount":10.10,"note":"naïve"}'


@pytest.mark.anyio
async def test_a_push_sends_the_body_byte_for_byte_with_its_key():
    far = Far({f"{PUSH}/invoices?timeoutInMinutes=30": httpx.Response(200, json=OPERATION)})

    async with open_client(far) as codat:
        operation = await codat.push(
            COMPANY, CONNECTION, DataType.INVOICES, BODY, idempotency_key=KEY, timeout_minutes=30
        )

    [request] = far.requests
    assert operation.status is PushStatus.PENDING
    assert request.content == BODY.encode()
    assert request.headers["idempotency-key"] == KEY
    assert request.headers["content-type"] == "application/json"


@pytest.mark.anyio
async def test_an_account_is_pushed_under_its_url_name():
    far = Far({f"{PUSH}/accounts": httpx.Response(200, json=OPERATION)})

    async with open_client(far) as codat:
        await codat.push(COMPANY, CONNECTION, DataType.ACCOUNTS, "{}", idempotency_key=KEY)

    assert far.targets == [f"{PUSH}/accounts"]


@pytest.mark.anyio
async def test_a_push_without_a_guid_is_never_sent():
    far = Far({})

    async with open_client(far) as codat:
        with pytest.raises(ValueError, match="UUID"):
            await codat.push(COMPANY, CONNECTION, DataType.INVOICES, BODY, idempotency_key="INV-1")

    assert far.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 408, 409, 422, 429, 500, 503])
async def test_a_push_is_one_attempt_whatever_comes_back(status):
    far = Far({f"{PUSH}/invoices": httpx.Response(status, json={"error": "x"}, headers={"retry-after": "1"})})

    async with open_client(far) as codat:
        with pytest.raises(errors.CodatError):
            await codat.push(COMPANY, CONNECTION, DataType.INVOICES, BODY, idempotency_key=KEY)

    assert len(far.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<h1>ok</h1>"),
        httpx.Response(200, text='{"pushOperationKey": "1'),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={**OPERATION, "pushOperationKey": None}),
        httpx.Response(204),
        httpx.Response(302, headers={"location": "/elsewhere"}),
    ],
    ids=["html", "cut", "empty", "list", "no-key", "204", "redirect"],
)
async def test_an_accepted_push_whose_answer_cannot_be_read_may_have_been_done(answer):
    far = Far({f"{PUSH}/invoices": answer})

    async with open_client(far) as codat:
        with pytest.raises(errors.AnswerLost):
            await codat.push(COMPANY, CONNECTION, DataType.INVOICES, BODY, idempotency_key=KEY)

    assert len(far.requests) == 1


@pytest.mark.anyio
async def test_a_429_on_a_push_tells_the_pause():
    far = Far({f"{PUSH}/invoices": httpx.Response(429, headers={"retry-after": "90"})})

    async with open_client(far) as codat:
        with pytest.raises(errors.RateLimited, match="pause of 90 s") as caught:
            await codat.push(COMPANY, CONNECTION, DataType.INVOICES, BODY, idempotency_key=KEY)

    assert caught.value.retry_after == 90.0


def test_the_clock_is_aware_and_utc():
    assert client_module.utc_now().tzinfo is dt.UTC
