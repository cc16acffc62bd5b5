"""The contract check can fail: each kind of breach is fed to it and seen."""

import base64
import json
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import openapi_check
import pytest
import recording

ID = "8a210b68-6988-11ed-a1eb-0242ac120002"
LIST = f"/companies/{ID}/data/invoices"
PUSH = f"/companies/{ID}/connections/{ID}/push/invoices"
INVOICE = {
    "id": "1",
    "issueDate": "2026-01-31T00:00:00",
    "totalTaxAmount": 0,
    "totalAmount": 10.10,
    "amountDue": 10.10,
    "status": "Submitted",
    "currency": "GBP",
}
LINKS = {"self": {"href": LIST}, "current": {"href": f"{LIST}?page=1"}}
OPERATION = {
    "pushOperationKey": ID,
    "companyId": ID,
    "dataConnectionKey": ID,
    "dataType": "invoices",
    "status": "Pending",
    "statusCode": 202,
    "requestedOnUtc": "2026-11-22T10:00:00Z",
}
REFUSAL = {
    "statusCode": 404,
    "service": "PublicApi",
    "error": "no such thing",
    "correlationId": "c",
    "validation": None,
    "canBeRetried": "Unknown",
    "detailedErrorCode": 0,
}
OURS = {"user-agent": "codat-ar/0.1.0"}
PUSH_HEADERS = OURS | {"content-type": "application/json", "idempotency-key": ID}


@pytest.fixture
def make_seen():
    """Build an exchange that keeps the contract; keywords break it."""

    def make(**changes: Any) -> Any:
        page = {"results": [INVOICE], "pageNumber": 1, "pageSize": 100, "totalResults": 1, "_links": LINKS}
        good = openapi_check.Seen(
            method="GET",
            path=f"{LIST}?page=1&pageSize=100&query=amountDue%3E0",
            request_headers=OURS,
            request_body=b"",
            status=200,
            response_headers={"content-type": "application/json; charset=utf-8"},
            response_body=json.dumps(page).encode(),
        )
        return replace(good, **changes)

    return make


@pytest.fixture
def make_push(make_seen):
    """Build a push that keeps the contract; keywords break it."""

    def make(body: Any = None, **changes: Any) -> Any:
        good = make_seen(
            method="POST",
            path=PUSH,
            request_headers=PUSH_HEADERS,
            request_body=json.dumps(body or {"customerRef": {"id": "c"}, "lineItems": [{"quantity": 1}]}).encode(),
            response_body=json.dumps(OPERATION).encode(),
        )
        return replace(good, **changes)

    return make


def rules(contract: Any, seen: Any) -> set[str]:
    return {violation.rule for violation in contract.check(seen)}


def page_of(record: dict[str, Any], **changes: Any) -> bytes:
    page = {"results": [record], "pageNumber": 1, "pageSize": 100, "totalResults": 1, "_links": LINKS}
    return json.dumps(page | changes).encode()


def test_good_exchanges_pass(contract, make_seen, make_push):
    assert contract.check(make_seen()) == []
    assert contract.check(make_push()) == []
    assert contract.check(make_seen(status=404, response_body=json.dumps(REFUSAL).encode())) == []
    assert contract.check(make_seen(status=0, response_body=b"")) == []
    assert contract.check(make_seen(path="/__sandbox/anything", response_body=b"free")) == []


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (f"/companies/{ID}/data/invoicez?page=1", "unknown-path"),
        (f"/companies/{ID}/data/bankAccounts?page=1", "unknown-path"),
        (f"/companies/{ID}/data/bankAccounts/7", "unknown-path"),
        (f"/companies/{ID}/data/directCosts", "unknown-path"),
        ("/companies/not-a-guid/data/invoices", "path-parameter"),
        (f"{LIST}?pagesize=100", "query"),
        (f"{LIST}?page=0", "query"),
        (f"{LIST}?page=one", "query"),
        (f"{LIST}?pageSize=5001", "query"),
        (f"{LIST}?page=1&page=2", "query"),
        (f"{LIST}?page=1&query=a=1&&b=2", "query"),
        (f"{LIST}?query=amountDue>0", "encoding"),
        (f"{LIST}?query={{a%3D1}}", "encoding"),
        (f"{LIST}?query=a%3D1+b", "encoding"),
        (f"{LIST}/", "encoding"),
        (f"{LIST}/a b", "encoding"),
        (f"{LIST}/a%2", "encoding"),
    ],
)
def test_a_wrong_address_is_seen(contract, make_seen, path, rule):
    assert rule in rules(contract, make_seen(path=path))


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (page_of(INVOICE | {"ammountDue": 1}), "response-schema"),
        (page_of(INVOICE | {"totalAmount": "10.10"}), "response-schema"),
        (page_of(INVOICE | {"totalAmount": None}), "response-schema"),
        (page_of({k: v for k, v in INVOICE.items() if k != "amountDue"}), "response-schema"),
        (page_of(INVOICE | {"status": "Open"}), "response-schema"),
        (page_of(INVOICE | {"issueDate": "31/01/2026"}), "response-schema"),
        (page_of(INVOICE | {"currency": "Pounds"}), "response-schema"),
        (page_of(INVOICE | {"salesOrderRefs": ["1"]}), "response-schema"),
        (page_of(INVOICE | {"lineItems": [{"unitAmount": 1}]}), "response-schema"),
        (page_of(INVOICE | {"lineItems": [{"unitAmount": 1, "quantity": 1, "price": 1}]}), "response-schema"),
        (page_of(INVOICE, totalResults=None), "response-schema"),
        (page_of(INVOICE, _links={"self": {"href": LIST}}), "response-schema"),
        (page_of(INVOICE, _links=LINKS | {"next": {"href": f"https://api.codat.io{LIST}"}}), "links"),
        (page_of(INVOICE, _links=LINKS | {"next": {"href": f"{LIST}?query=a>0"}}), "links"),
        (page_of(INVOICE | {"totalAmount": 0.1 + 0.2}), "response-number"),
        (page_of(INVOICE).replace(b"10.1", b"1.01e1"), "response-number"),
        (page_of(INVOICE).replace(b"10.1", b"NaN"), "response-json"),
        (b"<html>", "response-json"),
        (b"", "response-json"),
    ],
)
def test_a_wrong_answer_is_seen(contract, make_seen, body, rule):
    assert rule in rules(contract, make_seen(response_body=body))


def test_an_answer_of_the_wrong_type_or_status_is_seen(contract, make_seen):
    assert rules(contract, make_seen(response_headers={"content-type": "text/html"})) == {"response-type"}
    assert rules(contract, make_seen(response_headers={})) == {"response-type"}
    assert rules(contract, make_seen(status=201)) == {"status"}
    assert rules(contract, make_seen(status=502)) == {"status"}
    assert rules(contract, make_seen(status=302)) == {"status"}


def test_quota_headers_that_are_no_numbers_are_seen(contract, make_seen):
    headers = {"content-type": "application/json", "x-rate-limit-remaining": "some"}

    assert rules(contract, make_seen(response_headers=headers)) == {"quota-headers"}


@pytest.mark.parametrize("missing", ["statusCode", "service", "error", "correlationId"])
def test_an_error_body_without_its_parts_is_seen(contract, make_seen, missing):
    body = {name: value for name, value in REFUSAL.items() if name != missing}

    assert rules(contract, make_seen(status=404, response_body=json.dumps(body).encode())) == {"error-body"}


@pytest.mark.parametrize(
    "change", [{"statusCode": 400}, {"statusCode": "404"}, {"canBeRetried": False}, {"extra": 1}, {"validation": []}]
)
def test_an_error_body_of_the_wrong_shape_is_seen(contract, make_seen, change):
    assert rules(contract, make_seen(status=404, response_body=json.dumps(REFUSAL | change).encode())) == {"error-body"}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"customerReference": {"id": "c"}}, "request-schema"),
        ({"lineItems": [{"quantity": "1"}]}, "request-schema"),
        ({"issueDate": "2026-13-1"}, "request-schema"),
        ({"status": "Sent"}, "request-schema"),
        ({"totalAmount": 0.1 + 0.2}, "request-number"),
        ({"metadata": {"isDeleted": False}}, "read-only"),
        ({"modifiedDate": "2026-01-01T00:00:00Z"}, "read-only"),
    ],
)
def test_a_wrong_push_body_is_seen(contract, make_push, body, rule):
    assert rule in rules(contract, make_push(body))


def test_what_a_push_must_carry_is_left_to_the_options(contract, make_push):
    assert rules(contract, make_push({"note": "no dates, no lines"})) == set()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"request_headers": PUSH_HEADERS | {"idempotency-key": "INV-1"}}, "idempotency-key"),
        ({"request_headers": OURS | {"content-type": "application/json"}}, "idempotency-key"),
        ({"request_headers": OURS | {"idempotency-key": ID, "content-type": "text/plain"}}, "request-type"),
        ({"request_body": b"{"}, "request-json"),
        ({"request_body": b'{"totalAmount": NaN}'}, "request-json"),
        ({"response_body": json.dumps(OPERATION | {"data": INVOICE}).encode()}, "response-schema"),
        ({"response_body": json.dumps(OPERATION | {"status": "Processing"}).encode()}, "response-schema"),
        ({"response_body": json.dumps(OPERATION | {"pushOperationKey": "7"}).encode()}, "response-schema"),
        ({"path": f"{PUSH}?allowSyncOnPushComplet=true"}, "query"),
        ({"path": f"{PUSH}?timeoutInMinutes=soon"}, "query"),
    ],
)
def test_a_wrong_push_is_seen(contract, make_push, changes, rule):
    assert rule in rules(contract, make_push(**changes))


def test_a_key_on_a_put_or_a_body_on_a_get_is_seen(contract, make_seen, make_push):
    assert "idempotency-key" in rules(contract, make_push(method="PUT", path=f"{PUSH}/7"))
    assert "request-body" in rules(contract, make_seen(request_body=b"{}"))


@pytest.mark.parametrize(
    "header", ["Bearer abc", "Basic not base64!", "Basic " + base64.b64encode(b"Basic a2V5").decode()]
)
def test_a_wrong_authorization_header_is_seen(contract, make_seen, header):
    assert rules(contract, make_seen(request_headers=OURS | {"authorization": header})) == {"authorization"}


def test_a_stranger_may_ask_wrongly_and_be_refused_but_we_may_not(contract, make_seen):
    wrong = {"path": f"{LIST}?page=0", "status": 400}
    body = json.dumps(REFUSAL | {"statusCode": 400}).encode()

    assert rules(contract, make_seen(**wrong, response_body=body, request_headers={"user-agent": "other"})) == set()
    assert rules(contract, make_seen(**wrong, response_body=body)) == {"query"}


def test_a_stranger_whose_wrong_request_is_accepted_shows_a_fault_of_the_server(contract, make_seen):
    assert rules(contract, make_seen(path=f"{LIST}?page=0", request_headers={})) == {"query"}


def test_every_waiver_names_its_section_and_its_reason(contract):
    for waiver in contract.waivers:
        assert waiver["reference"].startswith("§")
        assert waiver["why"]
        assert ("rule" in waiver) != ("at" in waiver)


def test_a_waiver_that_leads_nowhere_is_an_error(shared, tmp_path):
    stale = tmp_path / "waivers.toml"
    stale.write_text('waivers = [{ document = "platform", at = "/components/schemas/Nothing/required", drop = true }]')

    with pytest.raises(KeyError):
        openapi_check.ContractChecker(shared / "codat" / "openapi", stale)


def test_without_the_waivers_the_documents_refuse_what_the_reference_allows(shared, tmp_path, make_seen, make_push):
    none = tmp_path / "waivers.toml"
    none.write_text("waivers = []")
    bare = openapi_check.ContractChecker(shared / "codat" / "openapi", none)

    assert "status" in rules(bare, make_seen(status=404, response_body=json.dumps(REFUSAL).encode()))
    assert "query" in rules(bare, make_seen(path=LIST)), "2.1 says page is required"
    assert "request-schema" in rules(bare, make_push())
    assert rules(bare, make_push(response_body=json.dumps(OPERATION | {"data": INVOICE}).encode())) == {
        "request-schema"
    }


def test_every_sample_read_keeps_the_contract_except_for_known_leftovers(contract, make_seen, shared):
    leftovers = {"clearbooks/taxRates", "quickbooks-desktop/taxRates"}
    below_connection = {"bankAccounts", "directCosts", "directIncomes", "transfers"}
    broken = set()
    for path in sorted((shared / "codat" / "platforms").glob("*/*.read-example.json")):
        kind = path.name.removesuffix(".read-example.json")
        answer = json.loads(path.read_text(encoding="utf-8"))["response"]
        owner = f"/companies/{ID}" + (f"/connections/{ID}" if kind in below_connection else "")
        if kind != "company":
            answer = {"pageNumber": 1, "pageSize": 100, "totalResults": 2, "_links": LINKS} | answer
        address = f"{owner}/data/{'info' if kind == 'company' else kind}"
        if rules(contract, make_seen(path=address, response_body=json.dumps(answer).encode())):
            broken.add(f"{path.parent.name}/{kind}")

    assert broken == leftovers, "two samples carry `temp_…` fields that no document has"


@pytest.mark.anyio
async def test_the_recording_transport_shows_both_sides_and_changes_neither(contract):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, content=page_of(INVOICE | {"invented": 1}), headers={"content-type": "application/json"}
        )

    recorder = recording.Recorder(contract)
    transport = recording.RecordingTransport(httpx.MockTransport(answer), recorder)

    async with httpx.AsyncClient(transport=transport, base_url="https://api.codat.example") as http:
        response = await http.get(LIST, params={"pageNumber": 1})

    assert response.json()["results"][0]["invented"] == 1
    assert {violation.rule for violation in recorder.violations} == {"query", "response-schema"}
    with pytest.raises(AssertionError, match=r"breaches of Codat's contract"):
        recorder.assert_clean()


def test_a_recorder_can_leave_answers_that_are_broken_on_purpose_alone(contract, make_seen):
    recorder = recording.Recorder(contract, responses=False)

    recorder(make_seen(status=502, response_body=b"<html>", path=f"{LIST}?pagesize=1"))

    assert [violation.rule for violation in recorder.violations] == ["query"]


def test_an_answer_that_a_fault_has_spoiled_is_not_judged_but_its_request_is(contract):
    recorder = recording.Recorder(contract)
    facts = {"method": "GET", "path": LIST, "query": "pagesize=1", "request_headers": OURS, "request_body": b""}
    spoiled = SimpleNamespace(**facts, status=502, response_headers={}, response_body=b"<html>", spoiled=True)

    recorder(spoiled)

    assert [violation.rule for violation in recorder.violations] == ["query"]


def test_a_recorder_takes_exchanges_as_the_sandbox_tells_them_from_any_thread(contract):
    recorder = recording.Recorder(contract)
    told = SimpleNamespace(
        method="GET",
        path=LIST,
        query="pagesize=1",
        request_headers={"User-Agent": "codat-ar/0"},
        request_body=b"",
        status=200,
        response_headers={"Content-Type": "application/json"},
        response_body=page_of(INVOICE),
    )

    threads = [threading.Thread(target=recorder, args=(told,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert recorder.checked == 8
    assert [violation.rule for violation in recorder.violations] == ["query"] * 8


def test_a_log_of_json_lines_is_judged(contract, tmp_path):
    log = tmp_path / "exchanges.jsonl"
    good = {
        "method": "GET",
        "path": LIST,
        "query": "page=1",
        "requestHeaders": {"user-agent": "codat-ar/0"},
        "requestBody": "",
        "status": 200,
        "responseHeaders": {"Content-Type": "application/json"},
        "responseBody": page_of(INVOICE).decode(),
    }
    bad = good | {"query": "page=0", "responseBody": "{}"}
    log.write_text("\n".join(json.dumps(line) for line in (good, bad)) + "\n")

    found = {violation.rule for violation in recording.check_log(contract, log)}

    assert found == {"query", "response-schema"}
