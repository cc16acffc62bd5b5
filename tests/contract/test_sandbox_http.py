"""The sandbox over a real socket: what a client of Codat meets."""

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from codat_ar_cli.sandbox.jsonexact import dumps, loads
from codat_ar_cli.sandbox.serve import running
from codat_ar_cli.sandbox.settings import Exchange, SandboxError, Settings

KEY = base64.b64encode(b"any key").decode()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCKED: dict[str, Any] = {
    "operation_delay": 60.0,
    "sync_delay": 60.0,
    "customers": 4,
    "invoices": 8,
    "clock": lambda: NOW,
}
"""A world that stands still until its clock is moved."""


@dataclass
class Api:
    """A client of one company in one sandbox."""

    http: httpx.Client
    company: str = ""
    connection: str = ""

    def get(self, path: str, **query: str | int) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return loads(answer.text)

    @property
    def c(self) -> str:
        return f"/companies/{self.company}"

    @property
    def n(self) -> str:
        return f"{self.c}/connections/{self.connection}"

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = None if body is None else dumps(body)
        return self.http.post(path, content=content, headers={"Content-Type": "application/json", **headers})

    def push(self, resource: str, body: Any, **headers: str) -> dict[str, Any]:
        answer = self.post(f"{self.n}/push/{resource}", body, **headers)
        assert answer.status_code == 200, answer.text
        operation: dict[str, Any] = loads(answer.text)
        return operation

    def operation(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{self.c}/push/{key}")
        return found

    def advance(self, seconds: int) -> None:
        assert self.post("/__sandbox/clock", {"advance": seconds}).status_code == 200

    def written(self) -> list[dict[str, Any]]:
        writes: list[dict[str, Any]] = self.get("/__sandbox/record")["writes"]
        return writes

    def faults(self, *rules: dict[str, Any]) -> None:
        answer = self.http.put("/__sandbox/faults", content=json.dumps({"rules": list(rules)}))
        assert answer.status_code == 200, answer.text

    def sync(self, data_type: str) -> None:
        assert self.post(f"{self.c}/data/queue/{data_type}").status_code == 200
        self.advance(60)

    def customer(self, name: str = "Acme") -> dict[str, Any]:
        return {"customerName": name, "contactName": "Ann", "emailAddress": "ann@example.com", "status": "Active"}


Open = Callable[..., Api]


@pytest.fixture
def open_api(start_sandbox: Callable[..., str]) -> Iterator[Open]:
    """Start a sandbox, by default with one Xero company and a still clock."""
    with ExitStack() as stack:

        def start(**chosen: Any) -> Api:
            url = start_sandbox(**{"platforms": ("xero",), **CLOCKED, **chosen})
            http = stack.enter_context(httpx.Client(base_url=url, headers={"Authorization": f"Basic {KEY}"}))
            api = Api(http)
            company = loads(http.get("/__sandbox/health").text)["companies"][0]
            api.company, api.connection = company["id"], company["connections"][0]["id"]
            return api

        yield start


@pytest.fixture
def api(open_api: Open) -> Api:
    return open_api()


def error(answer: httpx.Response, status: int) -> str:
    body = loads(answer.text)
    assert answer.status_code == body["statusCode"] == status
    assert isinstance(body["canBeRetried"], str)
    assert len(body["correlationId"]) == 32
    return str(body["error"])


# Keys, errors, headers


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic %%%", "Bearer abc", KEY])
def test_a_missing_or_malformed_key_is_401(api: Api, header: str | None) -> None:
    del api.http.headers["Authorization"]
    headers = {} if header is None else {"Authorization": header}

    answer = api.http.get("/profile", headers=headers)

    assert error(answer, 401) == "Unauthorized"


def test_only_the_required_key_works_when_one_is_required(open_api: Open) -> None:
    api = open_api(require_key="the one")
    right = {"Authorization": "Basic " + base64.b64encode(b"the one").decode()}

    assert api.http.get("/profile").status_code == 401
    assert api.http.get("/profile", headers=right).status_code == 200


def test_every_answer_tells_the_quota(api: Api) -> None:
    before = api.http.get("/profile")
    after = api.http.get("/companies/nowhere")

    assert before.headers["X-Rate-Limit-Limit"] == "2000"
    assert int(before.headers["X-Rate-Limit-Remaining"]) - 1 == int(after.headers["X-Rate-Limit-Remaining"])
    assert before.headers["X-Rate-Limit-Reset"] == "2026-11-23T00:00:00Z"


def test_unknown_companies_connections_records_and_paths_are_404_in_codats_words(api: Api) -> None:
    lost = str(uuid.uuid4())

    assert error(api.http.get(f"/companies/{lost}"), 404) == f"No company was found with ID {lost}"
    missing = api.http.get(f"{api.c}/connections/{lost}/options/invoices")
    assert error(missing, 404) == f"Data connection {lost} not found"
    nothing = api.http.get(f"{api.c}/data/accounts/{lost}")
    assert error(nothing, 404) == f"No data available for accounts for ID {lost}"
    error(api.http.get(f"{api.c}/data/bankAccounts"), 404)
    error(api.http.get("/nowhere"), 404)
    error(api.http.put(f"{api.n}/push/payments/1", content="{}"), 405)
    error(api.http.put("/companies", content="{}"), 405)


# Companies and connections


def test_companies_are_found_by_name_and_tag(api: Api) -> None:
    made = loads(api.post("/companies", {"name": "Bank of <Dave>!", "tags": {"region": "uk"}}).text)

    assert made["name"] == "Bank of Dave!"
    assert made["dataConnections"] == []
    assert [one["id"] for one in api.get("/companies", query="name~dave", pageSize=10)["results"]] == [made["id"]]
    assert [one["id"] for one in api.get("/companies", tags="region = uk")["results"]] == [made["id"]]


def test_put_replaces_a_company_and_patch_changes_only_what_is_given(api: Api) -> None:
    made = loads(api.post("/companies", {"name": "A", "description": "d", "tags": {"a": "b"}}).text)
    path = f"/companies/{made['id']}"

    patched = loads(api.http.patch(path, content='{"name":"B"}').text)
    put = loads(api.http.put(path, content='{"name":"C"}').text)

    assert (patched["name"], patched["description"], patched["tags"]) == ("B", "d", {"a": "b"})
    assert (put["name"], put.get("description"), put["tags"]) == ("C", None, {})
    assert api.http.delete(path).status_code == 204
    error(api.http.get(path), 404)


def test_an_unlinked_connection_still_reads_but_takes_no_writes(api: Api) -> None:
    unlinked = api.http.patch(api.n, content='{"status":"Unlinked"}')

    assert loads(unlinked.text)["status"] == "Unlinked"
    assert api.get(f"{api.c}/data/customers")["totalResults"] > 0
    assert "is Unlinked" in error(api.post(f"{api.n}/push/customers", api.customer()), 400)
    error(api.http.patch(api.n, content='{"status":"Linked"}'), 400)


def test_a_new_company_has_nothing_until_its_business_links_it(api: Api) -> None:
    api.company = loads(api.post("/companies", {"name": "New"}).text)["id"]
    connection = loads(api.post(f"{api.c}/connections", {"platformKey": "qhyg"}).text)
    api.connection = connection["id"]

    assert connection["status"] == "PendingAuth"
    assert error(api.http.get(f"{api.c}/data/accounts"), 409) == "The data set has not been requested."
    assert api.post(f"/__sandbox/link/{api.company}/{api.connection}").status_code == 200
    assert api.get(f"{api.c}/data/accounts")["totalResults"] > 0
    assert api.get(api.n)["status"] == "Linked"


# Writing


def test_a_push_is_pending_then_succeeds_and_is_read_only_after_a_sync(api: Api) -> None:
    before = api.get(f"{api.c}/data/customers")["totalResults"]

    operation = api.push("customers", api.customer())

    assert (operation["status"], operation["statusCode"]) == ("Pending", 202)
    assert "data" not in operation
    assert "completedOnUtc" not in operation
    assert all("id" not in change["recordRef"] for change in operation["changes"])
    api.advance(59)
    assert api.operation(operation["pushOperationKey"])["status"] == "Pending"
    api.advance(1)
    done = api.operation(operation["pushOperationKey"])
    assert (done["status"], done["statusCode"], done["completedOnUtc"]) == ("Success", 200, "2026-11-22T12:01:00Z")
    [change] = done["changes"]
    assert change["type"] == "Created"
    assert api.get(f"{api.c}/data/customers")["totalResults"] == before
    api.sync("customers")
    assert api.get(f"{api.c}/data/customers/{change['recordRef']['id']}")["customerName"] == "Acme"


def test_a_record_id_with_a_slash_is_one_path_segment(api: Api) -> None:
    answer = api.http.get(f"{api.c}/data/trackingCategories/{quote('__DEPARTMENTS/3', safe='')}")

    assert error(answer, 404) == "No data available for trackingCategories for ID __DEPARTMENTS/3"


def test_what_the_platform_refuses_is_a_failed_operation_with_validation(api: Api) -> None:
    operation = api.push("invoices", {"customerRef": {"id": "nobody"}, "issueDate": "2026-11-22", "lineItems": []})
    api.advance(60)

    failed = api.operation(operation["pushOperationKey"])

    assert (failed["status"], failed["statusCode"], failed["changes"]) == ("Failed", 400, [])
    assert failed["errorMessage"]
    assert all(set(item) == {"itemId", "message", "validatorName"} for item in failed["validation"]["errors"])
    assert failed["validation"]["errors"]
    assert api.written() == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"customerName":NaN}', '{"status":"Sleepy"}', '{"customerName":{}}'])
def test_what_is_no_record_at_all_is_refused_at_once(api: Api, body: str) -> None:
    answer = api.http.post(f"{api.n}/push/customers", content=body)

    error(answer, 400)
    assert api.get(f"{api.c}/push")["totalResults"] == 0


def test_operations_are_listed_newest_first_and_can_be_queried(api: Api) -> None:
    keys = []
    for name in "ABC":
        keys.append(api.push("customers", api.customer(name))["pushOperationKey"])
        api.advance(30)

    def listed(**query: str | int) -> list[str]:
        return [one["pushOperationKey"] for one in api.get(f"{api.c}/push", **query)["results"]]

    assert listed() == listed(orderBy="-requestedOnUtc") == keys[::-1]
    assert listed(query="status=pending") == keys[:1:-1]
    assert (
        listed(query="dataType=customers&&requestedOnUtc>=2026-11-22T12:00:30Z", orderBy="requestedOnUtc") == keys[1:]
    )


def test_an_operation_times_out_and_its_record_still_appears(api: Api) -> None:
    answer = api.post(f"{api.n}/push/customers?timeoutInMinutes=0", api.customer())
    key = loads(answer.text)["pushOperationKey"]

    late = api.operation(key)
    nothing_yet = api.written()
    api.advance(60)

    assert (late["status"], late["timeoutInMinutes"], nothing_yet) == ("TimedOut", 0, [])
    assert api.operation(key)["status"] == "TimedOut"
    assert [write["operationKey"] for write in api.written()] == [key]


def test_customers_are_updated_where_the_platform_can(api: Api) -> None:
    customer = api.get(f"{api.c}/data/customers")["results"][0]
    changed = {**customer, "phone": "44 20 123"}

    answer = api.http.put(f"{api.n}/push/customers/{quote(customer['id'], safe='')}", content=dumps(changed))
    api.advance(60)

    done = api.operation(loads(answer.text)["pushOperationKey"])
    assert done["status"] == "Success", done
    assert done["changes"][0]["type"] == "Modified"


def test_deleting_an_invoice_is_quickbooks_online_only(open_api: Open) -> None:
    xero, quickbooks = open_api(), open_api(platforms=("quickbooks-online",))
    for api in (xero, quickbooks):
        invoice = api.get(f"{api.c}/data/invoices")["results"][0]
        answer = api.http.delete(f"{api.n}/push/invoices/{quote(invoice['id'], safe='')}")
        if api is xero:
            assert error(answer, 404) == "Datatype invoices not supported by platform(s) Xero"
        else:
            api.advance(60)
            assert api.operation(loads(answer.text)["pushOperationKey"])["changes"][0]["type"] == "Deleted"


def test_an_attachment_comes_back_byte_for_byte(api: Api) -> None:
    invoice = api.get(f"{api.c}/data/invoices")["results"][0]["id"]
    data = bytes(range(256)) + b"\r\n--x\r\n"
    path = quote(invoice, safe="")

    answer = api.http.post(
        f"{api.n}/push/invoices/{path}/attachment", files={"file": ("a ü.pdf", data, "application/pdf")}
    )
    api.advance(60)

    done = api.operation(loads(answer.text)["pushOperationKey"])
    [change] = done["changes"]
    assert change["type"] == "AttachmentUploaded"
    listed = api.get(f"{api.n}/data/invoices/{path}/attachments")["attachments"]
    assert [(one["id"], one["name"], one["fileSize"]) for one in listed] == [
        (change["attachmentId"], "a ü.pdf", len(data))
    ]
    file = api.http.get(f"{api.n}/data/invoices/{path}/attachments/{change['attachmentId']}/download")
    assert (file.content, file.headers["content-type"]) == (data, "application/octet-stream")


def test_an_invoice_pdf_names_the_invoice(api: Api) -> None:
    invoice = api.get(f"{api.c}/data/invoices")["results"][0]

    pdf = api.http.get(f"{api.c}/data/invoices/{quote(invoice['id'], safe='')}/pdf")

    assert pdf.content.startswith(b"%PDF-1.4")
    assert invoice["invoiceNumber"].encode() in pdf.content
    assert f"invoice-{invoice['invoiceNumber']}.pdf" in pdf.headers["content-disposition"]
    assert pdf.headers["content-type"] == "application/octet-stream"


def test_payments_of_a_connection_are_listed_by_link_type(api: Api) -> None:
    everything = api.get(f"{api.c}/data/payments", pageSize=500)["results"]
    expected = [one["id"] for one in everything if "Invoice" in {x["type"] for y in one["lines"] for x in y["links"]}]

    listed = api.get(f"{api.n}/data/payments", linkType="Invoice", pageSize=500)["results"]

    assert [one["id"] for one in listed] == expected
    assert expected
    error(api.http.get(f"{api.n}/data/payments"), 400)


# Reading and syncing


def test_every_list_pages_queries_and_orders(api: Api) -> None:
    accounts = api.get(f"{api.c}/data/accounts", pageSize=2, query="isBankAccount=false", orderBy="-name")

    assert len(accounts["results"]) == 2
    following = api.http.get(accounts["_links"]["next"]["href"])
    names = [one["name"] for one in accounts["results"] + loads(following.text)["results"]]
    assert names == sorted(names, reverse=True)
    assert "isBankAccount%3Dfalse" in accounts["_links"]["next"]["href"]
    assert error(api.http.get(f"{api.c}/data/accounts?query=name"), 400) == "Error parsing query - Malformed query."


@pytest.mark.parametrize(
    "path",
    """/data/accounts /data/trackingCategories /data/taxRates /data/customers /data/suppliers /data/items
    /data/invoices /data/creditNotes /data/payments /data/journalEntries""".split(),
)
def test_company_level_types_read(api: Api, path: str) -> None:
    page = api.get(api.c + path, page=1)

    assert page["totalResults"] >= len(page["results"])
    for record in page["results"][:2]:
        assert api.get(f"{api.c}{path}/{quote(record['id'], safe='')}")["id"] == record["id"]


@pytest.mark.parametrize("resource", ["bankAccounts", "directCosts", "directIncomes", "transfers"])
def test_connection_level_types_read(api: Api, resource: str) -> None:
    assert api.get(f"{api.n}/data/{resource}", page=1)["pageNumber"] == 1
    error(api.http.get(f"{api.c}/data/{resource}"), 404)


def test_a_tracking_category_comes_as_its_tree(api: Api) -> None:
    parent = next(one for one in api.get(f"{api.c}/data/trackingCategories")["results"] if one["hasChildren"])

    tree = api.get(f"{api.c}/data/trackingCategories/{quote(parent['id'], safe='')}")

    assert {child["parentId"] for child in tree["subCategories"]} == {parent["id"]}


def test_a_sync_runs_through_its_stages_and_is_in_the_history(api: Api) -> None:
    queued = loads(api.post(f"{api.c}/data/queue/invoices").text)
    api.advance(30)
    halfway = api.get(f"{api.c}/data/history/{queued['id']}")
    again = api.post(f"{api.c}/data/queue/invoices")
    api.advance(30)
    done = api.get(f"{api.c}/data/history/{queued['id']}")

    assert (queued["status"], queued["isCompleted"], "completed" in queued) == ("Queued", False, False)
    assert halfway["status"] not in {"Queued", "Complete"}
    message = error(again, 400)
    assert message.startswith("DatasetAlreadyInProgressException")
    assert queued["id"] in message
    assert (done["status"], done["isCompleted"], done["progress"]) == ("Complete", True, 100)
    status = api.get(f"{api.c}/dataStatus")["invoices"]
    assert status["latestSuccessfulSyncId"] == queued["id"]
    assert status["lastSuccessfulSync"] == done["completed"] == "2026-11-22T12:01:00Z"
    assert api.get(f"{api.c}/data/history", pageSize=1)["results"][0]["id"] == queued["id"]
    assert set(api.get(f"{api.c}/sync/{queued['id']}/validation")) == {"errors", "warnings"}
    error(api.http.get(f"{api.c}/data/history?query=isCompleted=true"), 400)


def test_refreshing_everything_queues_each_type_once(api: Api) -> None:
    api.post(f"{api.c}/data/queue/invoices")

    assert api.post(f"{api.c}/data/all").status_code == 204

    running_now = api.get(f"{api.c}/data/history", query="status!=Complete&&status!=NotSupported")["results"]
    types = [one["dataType"] for one in running_now]
    assert len(types) == len(set(types)) == 16


def test_types_codat_has_and_this_platform_has_not_are_404_and_others_400(api: Api) -> None:
    assert "Datatype bills not supported by platform(s) Xero" in error(api.post(f"{api.c}/data/queue/bills"), 404)
    error(api.post(f"{api.c}/data/queue/spells"), 400)
    error(api.http.get(f"{api.n}/options/bills"), 404)


def test_a_type_the_platform_lacks_ends_not_supported_which_is_no_error(api: Api) -> None:
    queued = loads(api.post(f"{api.c}/data/queue/paymentMethods").text)
    api.advance(60)

    done = api.get(f"{api.c}/data/history/{queued['id']}")
    assert (done["status"], done["isErrored"]) == ("NotSupported", False)
    assert "paymentMethods" not in api.get(f"{api.c}/dataStatus")
    refused = error(api.http.get(f"{api.c}/data/paymentMethods"), 404)
    assert refused == "Datatype paymentMethods not supported by platform(s) Xero"


def test_company_info_is_read_and_refreshed(api: Api) -> None:
    dataset = loads(api.post(f"{api.c}/data/info").text)

    assert dataset["dataType"] == "company"
    assert len(api.get(f"{api.c}/data/info")["baseCurrency"]) == 3


def test_reports_options_integrations_and_settings_answer(api: Api) -> None:
    assert api.get(f"{api.c}/reports/agedDebtor/available") is True
    report = api.get(f"{api.c}/reports/agedDebtor", reportDate="2026-11-22", numberOfPeriods=3, periodLengthDays=30)
    assert set(report) == {"generated", "reportDate", "data"}
    assert api.get(f"{api.n}/options/chartOfAccounts")["type"] == "Object"
    assert api.get("/integrations/gbol")["name"] == "Xero"
    assert api.get("/integrations", query="key=qhyg")["totalResults"] == 1
    assert api.get("/profile")["name"]
    assert api.get(f"{api.c}/syncSettings")["overridesDefaults"] is False
    settings = api.get("/profile/syncSettings")["settings"]
    assert api.post(f"{api.c}/syncSettings", {"companyId": api.company, "settings": settings}).status_code == 204
    assert api.get(f"{api.c}/syncSettings")["overridesDefaults"] is True


def test_webhooks_are_kept_until_deleted(api: Api) -> None:
    made = api.post("/webhooks", {"url": "https://example.com/hook", "eventTypes": ["invoices.write.successful"]})
    webhook = loads(made.text)

    assert made.status_code == 201
    assert api.get("/webhooks")["results"] == [webhook]
    assert api.http.delete(f"/webhooks/{webhook['id']}").status_code == 204
    assert api.get("/webhooks")["results"] == []


# Idempotency, limits, faults


def test_the_same_key_and_body_make_one_record_and_one_answer(api: Api) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}

    first = api.push("customers", api.customer(), **key)
    again = api.push("customers", api.customer(), **key)
    other = api.post(f"{api.n}/push/customers", api.customer("Other"), **key)
    api.advance(60)

    assert first == again
    error(other, 422)
    assert len(api.written()) == 1
    api.advance(90 * 60)
    assert api.push("customers", api.customer(), **key)["pushOperationKey"] != first["pushOperationKey"]


def test_a_server_error_is_replayed_under_its_key(api: Api) -> None:
    api.faults({"path": "/push/customers$", "status": 500, "times": 1})
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"{api.n}/push/customers"

    first, second = api.post(path, api.customer(), **key), api.post(path, api.customer(), **key)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code == 500
    assert api.get(f"{api.c}/push")["totalResults"] == 0


def test_a_429_sets_its_key_free(api: Api) -> None:
    api.faults({"path": "/push/customers$", "status": 429, "retryAfter": 3, "times": 1})
    key = {"Idempotency-Key": str(uuid.uuid4())}

    limited = api.post(f"{api.n}/push/customers", api.customer(), **key)

    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "3")
    assert api.push("customers", api.customer(), **key)["status"] == "Pending"


def test_a_second_request_while_the_first_is_running_is_409(api: Api) -> None:
    api.faults({"path": "/push/customers$", "delay": 0.5, "times": 1})
    key = {"Idempotency-Key": str(uuid.uuid4())}
    path = f"{api.n}/push/customers"

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(api.post, path, api.customer(), **key)
        time.sleep(0.2)
        error(api.post(path, api.customer(), **key), 409)

    assert slow.result().status_code == 200


@pytest.mark.parametrize(("when", "operations"), [("before", 0), ("after", 1)])
def test_a_connection_breaks_before_or_after_the_work_is_done(api: Api, when: str, operations: int) -> None:
    api.faults({"path": "/push/customers$", "drop": when, "times": 1})

    with pytest.raises(httpx.TransportError):
        api.post(f"{api.n}/push/customers", api.customer())

    assert api.get(f"{api.c}/push")["totalResults"] == operations


def test_an_answer_is_cut_or_is_no_json_or_has_another_shape(api: Api) -> None:
    api.faults(
        {"path": "/accounts$", "cut": True},
        {"path": "/items$", "malformed": True},
        {"path": "/taxRates$", "shape": [1.5]},
    )

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        api.http.get(f"{api.c}/data/accounts")
    with pytest.raises(ValueError, match="line 1"):
        loads(api.http.get(f"{api.c}/data/items").text)
    assert loads(api.http.get(f"{api.c}/data/taxRates").text) == [Decimal("1.5")]


@pytest.mark.parametrize(
    ("operation", "status", "changes", "writes"),
    [
        ({"outcome": "Failed", "message": "no"}, "Failed", 0, 0),
        ({"outcome": "TimedOut"}, "TimedOut", 0, 1),
        ({"outcome": "TimedOut", "landsAfter": None}, "TimedOut", 0, 0),
        ({"outcome": "NoId"}, "Success", 0, 1),
        ({"outcome": "Pending"}, "Pending", 1, 0),
    ],
)
def test_an_operation_ends_as_the_fault_says(
    api: Api, operation: dict[str, Any], status: str, changes: int, writes: int
) -> None:
    api.faults({"path": "/push/customers$", "operation": operation})

    key = api.push("customers", api.customer())["pushOperationKey"]
    api.advance(3600)

    found = api.operation(key)
    assert (found["status"], len(found["changes"]), len(api.written())) == (status, changes, writes)


def test_limits_refuse_with_retry_after_only_when_enforced(open_api: Open) -> None:
    api = open_api(limits=True)
    api.faults({"path": "/dataStatus$", "delay": 0.5})

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: api.http.get(f"{api.c}/dataStatus"), range(12)))

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}


# Running, state, log


@pytest.mark.parametrize("graceful", [True, False])
def test_everything_survives_a_restart_and_a_crash(tmp_path: Path, open_api: Open, graceful: bool) -> None:
    settings = Settings(**{"platforms": ("xero",), **CLOCKED, "state": tmp_path / "state.db"})
    headers = {"Authorization": f"Basic {KEY}"}
    key = {"Idempotency-Key": str(uuid.uuid4())}
    copy = tmp_path / "copy.db"
    with running(settings) as url, httpx.Client(base_url=url, headers=headers) as http:
        api = Api(http)
        company = api.get("/companies")["results"][0]
        api.company, api.connection = company["id"], company["dataConnections"][0]["id"]
        done = api.push("customers", api.customer("Done"))["pushOperationKey"]
        api.advance(60)
        pending = api.push("customers", api.customer("Pending"), **key)
        before = api.operation(done)
        for name in ("state.db", "state.db-wal"):
            (tmp_path / name.replace("state", "copy")).write_bytes((tmp_path / name).read_bytes())

    chosen = settings.state if graceful else copy
    api2 = open_api(state=chosen)

    assert (api2.company, api2.operation(done)) == (api.company, before)
    assert api2.push("customers", api2.customer("Pending"), **key) == pending
    api2.advance(60)
    assert api2.operation(pending["pushOperationKey"])["status"] == "Success"
    assert [write["body"]["customerName"] for write in api2.written()] == ["Done", "Pending"]
    api2.sync("customers")
    names = {one["customerName"] for one in api2.get(f"{api2.c}/data/customers", pageSize=500)["results"]}
    assert {"Done", "Pending"} <= names


def test_every_exchange_is_told_and_logged_without_the_key(tmp_path: Path, open_api: Open) -> None:
    told: list[Exchange] = []
    api = open_api(on_exchange=told.append, log=tmp_path / "log.jsonl")

    api.push("customers", api.customer())

    [exchange] = told
    assert (exchange.method, exchange.path, exchange.status) == ("POST", f"{api.n}/push/customers", 200)
    [line] = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert loads(line)["requestBody"] == exchange.request_body.decode()
    assert KEY not in line
    assert "authorization" not in line.lower()


def test_a_failing_check_of_an_exchange_reaches_the_client(open_api: Open) -> None:
    def check(exchange: Exchange) -> None:
        raise AssertionError("not as the specification says")

    assert "not as the specification says" in error(open_api(on_exchange=check).http.get("/profile"), 500)


def test_a_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(SandboxError, match=f"port {port} on 127.0.0.1 is in use") as raised:
            running(Settings(**CLOCKED), port=port).__enter__()

    assert raised.value.code == "sandbox.port"


def test_a_host_beyond_this_machine_must_be_asked_for() -> None:
    with pytest.raises(SandboxError, match="is not this machine"):
        running(Settings(**CLOCKED), host="0.0.0.0").__enter__()


def test_an_unknown_platform_lists_the_known_ones() -> None:
    with pytest.raises(SandboxError, match=r"platform `sap` is unknown; known: .*xero"):
        running(Settings(platforms=("sap",))).__enter__()


def test_no_thread_is_left_behind() -> None:
    with running(Settings(platforms=("xero",), **CLOCKED)):
        assert "sandbox" in {thread.name for thread in threading.enumerate()}

    assert "sandbox" not in {thread.name for thread in threading.enumerate()}


def test_the_clock_moves_the_quotas_day(api: Api) -> None:
    used = int(api.http.get("/profile").headers["X-Rate-Limit-Remaining"])
    api.advance(int(timedelta(days=1).total_seconds()))

    assert int(api.http.get("/profile").headers["X-Rate-Limit-Remaining"]) > used - 1
