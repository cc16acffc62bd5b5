"""What no client should send: the sandbox refuses it with Codat's error body and lives on."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

Company = tuple[httpx.Client, str, str]
"""(client, company path, connection path)."""


@pytest.fixture
def company(request: pytest.FixtureRequest, start_sandbox: Callable[..., str]) -> Iterator[Company]:
    """A company, on Xero by default, whose operations and syncs end at once."""
    platform = getattr(request, "param", "xero")
    url = start_sandbox(platforms=(platform,), customers=4, invoices=8, operation_delay=0.0, sync_delay=0.0)
    headers = {"Authorization": "Basic " + base64.b64encode(b"any key").decode()}
    with httpx.Client(base_url=url, headers=headers) as http:
        found = http.get("/__sandbox/health").json()["companies"][0]
        path = f"/companies/{found['id']}"
        yield http, path, f"{path}/connections/{found['connections'][0]['id']}"


def error(answer: httpx.Response, status: int) -> str:
    body = answer.json()
    assert (answer.status_code, body["statusCode"]) == (status, status)
    assert body["correlationId"]
    assert "Traceback" not in body["error"]
    return str(body["error"])


@pytest.mark.parametrize(
    "query",
    [
        "status==Paid",
        "issueDate>9999-12-31T23:59:59-14:00",
        "issueDate>0001-01-01T00:00:00+14:00",
        "totalAmount>1e999999999999999999999",
        "totalAmount>NaN",
        "{" * 2000,
    ],
)
def test_a_query_nobody_can_mean_is_malformed(company: Company, query: str) -> None:
    http, path, _ = company

    answer = http.get(f"{path}/data/invoices", params={"query": query})

    assert error(answer, 400).startswith("Error parsing query")


@pytest.mark.parametrize("number", ["1e99999999", "-1e-99999999", '"\\ud800"', "NaN"])
def test_json_that_could_never_be_written_again_is_refused(company: Company, number: str) -> None:
    http, _, connection = company
    body = f'{{"customerName":"Acme","totalAmount":{number}}}'

    answer = http.post(f"{connection}/push/payments", content=body, headers={"Content-Type": "application/json"})

    assert error(answer, 400).startswith("Error processing request - not valid.")


def test_an_amount_beyond_any_ledger_fails_its_operation_and_nothing_else(company: Company) -> None:
    http, path, connection = company
    customer = http.get(f"{path}/data/customers").json()["results"][0]["id"]
    account = next(one["id"] for one in http.get(f"{path}/data/accounts").json()["results"] if one["isBankAccount"])
    invoice = http.get(f"{path}/data/invoices", params={"query": "amountDue>0"}).json()["results"][0]
    payment = {
        "customerRef": {"id": customer},
        "accountRef": {"id": account},
        "totalAmount": 10**40,
        "currency": invoice["currency"],
        "date": "2026-11-20",
        "lines": [{"amount": 10**40, "links": [{"type": "Invoice", "id": invoice["id"], "amount": -(10**40)}]}],
    }

    begun = http.post(f"{connection}/push/payments", json=payment).json()
    ended = http.get(f"{path}/push/{begun['pushOperationKey']}").json()

    assert (begun["status"], ended["status"], ended["statusCode"]) == ("Pending", "Failed", 400)
    assert http.get(f"{path}/push").json()["totalResults"] == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_push_that_is_not_sent_as_json_is_refused(company: Company, content_type: str) -> None:
    http, _, connection = company

    answer = http.post(f"{connection}/push/customers", content=b"{}", headers={"Content-Type": content_type})

    assert content_type in error(answer, 400)


@pytest.mark.parametrize(
    "setting",
    [
        {"dataType": [], "fetchOnFirstLink": True, "syncSchedule": 0, "syncOrder": 0},
        {"dataType": "invoices", "fetchOnFirstLink": "yes", "syncSchedule": 0, "syncOrder": 0},
        {"dataType": "invoices", "fetchOnFirstLink": True, "syncSchedule": 0, "syncOrder": "first"},
    ],
)
def test_a_sync_setting_of_wrong_types_is_refused_before_it_can_harm_a_sync(
    company: Company, setting: dict[str, Any]
) -> None:
    http, path, _ = company
    body = json.dumps({"settings": [setting]})

    answer = http.post(f"{path}/syncSettings", content=body, headers={"Content-Type": "application/json"})

    assert "settings" in error(answer, 400)
    assert http.post(f"{path}/data/all").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/webhooks", {"url": "https://x.example", "eventTypes": [{}]}),
        ("POST", "/webhooks", {"url": "https://x.example", "eventTypes": ["read.completed"], "companyTags": [None]}),
        ("PUT", "/profile", {"name": "A", "redirectUrl": "https://x.example", "confirmCompanyName": {}}),
        ("PUT", "/profile", {"name": "A", "redirectUrl": "https://x.example", "whiteListUrls": [1]}),
    ],
)
def test_settings_of_the_client_take_no_wrong_types(company: Company, method: str, path: str, body: Any) -> None:
    http, _, _ = company
    before = http.get(path).json()

    answer = http.request(method, path, json=body)

    error(answer, 400)
    assert http.get(path).json() == before


def test_aged_debtors_of_the_first_day_of_all_are_none(company: Company) -> None:
    http, path, _ = company

    answer = http.get(f"{path}/reports/agedDebtor", params={"reportDate": "0001-01-01"})

    assert (answer.status_code, answer.json()["data"]) == (200, [])


@pytest.mark.parametrize("date", ["0000-01-01", "٢٠٢٦-01-01", "2026-02-30"])
def test_a_date_that_no_calendar_has_is_refused_at_once(company: Company, date: str) -> None:
    http, _, connection = company

    answer = http.post(f"{connection}/push/payments", json={"date": date})

    error(answer, 400)
    assert answer.json()["validation"]["errors"]


def test_a_key_that_is_not_even_ascii_is_401(company: Company) -> None:
    http, _, _ = company

    answer = http.get("/profile", headers={b"Authorization": "Basic é".encode()})

    assert error(answer, 401) == "Unauthorized"


@pytest.mark.parametrize("body", [{"lines": [None]}, {"lines": [{"amount": 1, "links": [None]}]}])
def test_a_list_with_nothing_in_a_place_is_refused_at_once(company: Company, body: dict[str, Any]) -> None:
    http, _, connection = company

    answer = http.post(f"{connection}/push/payments", json=body)

    error(answer, 400)
    assert answer.json()["validation"]["errors"]


def test_a_write_that_breaks_the_sandbox_fails_alone(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    http, path, connection = company
    nothing: dict[str, int] = {}
    monkeypatch.setattr("codat_ar_cli.sandbox.books.Books.create", lambda *_: nothing["here"])

    begun = http.post(f"{connection}/push/customers", json={"customerName": "Acme", "status": "Active"}).json()
    ended = http.get(f"{path}/push/{begun['pushOperationKey']}").json()

    assert (ended["status"], ended["statusCode"]) == ("Failed", 500)
    assert "KeyError" in ended["errorMessage"]


@pytest.mark.parametrize("status", [1, [None], {}, "Gone"])
def test_a_bank_account_takes_no_status_that_is_none(company: Company, status: Any) -> None:
    http, path, connection = company
    bank = http.get(f"{connection}/data/bankAccounts").json()["results"][0]

    target = f"{connection}/push/bankAccounts/{quote(bank['id'], safe='')}"
    begun = http.put(target, json={"accountName": bank["accountName"], "status": status}).json()
    ended = http.get(f"{path}/push/{begun['pushOperationKey']}").json()

    assert ended["status"] == "Failed"
    assert [item["itemId"] for item in ended["validation"]["errors"]] == ["Status"]


@pytest.mark.parametrize("company", ["codat-sandbox"], indirect=True)
def test_an_address_of_no_kind_is_read_back_as_of_unknown_kind(company: Company) -> None:
    http, path, connection = company
    customer = {
        "customerName": "Acme",
        "status": "Active",
        "emailAddress": "ann@example.com",
        "addresses": [{"line1": "1 High Street", "city": "Bath"}],
    }

    http.post(f"{connection}/push/customers", json=customer)
    http.post(f"{path}/data/queue/customers")
    found = http.get(f"{path}/data/customers", params={"query": "customerName=Acme"}).json()["results"]

    assert [[address["type"] for address in one["addresses"]] for one in found] == [["Unknown"]]


def test_a_transfer_made_of_what_the_published_model_has_is_taken(company: Company) -> None:
    http, path, connection = company
    banks = [one for one in http.get(f"{path}/data/accounts").json()["results"] if one["isBankAccount"]]
    source = banks[0]
    target = next(one for one in banks[1:] if one["currency"] == source["currency"])
    side = {"amount": 5, "currency": source["currency"]}
    transfer = {
        "date": "2026-11-20T00:00:00",
        "from": {"accountRef": {"id": source["id"]}, **side},
        "to": {"accountRef": {"id": target["id"]}, **side},
    }

    begun = http.post(f"{connection}/push/transfers", json=transfer).json()
    ended = http.get(f"{path}/push/{begun['pushOperationKey']}").json()

    assert ended["status"] == "Success", ended["validation"]
