"""Invoices and credit notes in the sandbox's books, as each platform prices, checks and shows them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codat_ar_cli.sandbox.books import Books, Refused, Written
from codat_ar_cli.sandbox.seed import seed_books

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Record = dict[str, Any]


@pytest.fixture
def quickbooks() -> Books:
    return seed_books("quickbooks-online", seed=1, now=NOW, invoices=0)


@pytest.fixture
def xero() -> Books:
    return seed_books("xero", seed=1, now=NOW, invoices=0)


@pytest.fixture
def playground() -> Books:
    return seed_books("codat-sandbox", seed=1, now=NOW, invoices=0)


def one(books: Books, data_type: str, **wanted: Any) -> Record:
    found = [r for r in books.live(data_type) if all(r.get(name) == value for name, value in wanted.items())]
    assert found, wanted
    return found[0]


def ids(books: Books) -> dict[str, str]:
    return {
        "customer": one(books, "customers", customerName="Acorn Bakery Ltd")["id"],
        "sales": one(books, "chartOfAccounts", nominalCode="200")["id"],
        "item": one(books, "items", code="SVC")["id"],
        "north": one(books, "trackingCategories", name="North")["id"],
        "south": one(books, "trackingCategories", name="South")["id"],
        "region": one(books, "trackingCategories", name="North").get("parentId", ""),
        "department": one(books, "trackingCategories", name="Sales")["id"],
    }


def quickbooks_line(books: Books, quantity: str = "1", price: str = "100", **own: Any) -> Record:
    return {
        "description": "Work",
        "quantity": Decimal(quantity),
        "unitAmount": Decimal(price),
        "itemRef": {"id": ids(books)["item"]},
        "taxRateRef": {"id": "20_Invoices"},
        **own,
    }


def quickbooks_invoice(books: Books, *lines: Record, **own: Any) -> Record:
    return {
        "customerRef": {"id": ids(books)["customer"]},
        "dueDate": "2026-12-01T00:00:00",
        "currency": "GBP",
        "status": "Submitted",
        "lineItems": list(lines) or [quickbooks_line(books)],
        **own,
    }


def xero_invoice(books: Books, **own: Any) -> Record:
    line = {
        "description": "Work",
        "quantity": 2,
        "unitAmount": Decimal("50"),
        "taxAmount": Decimal("20.00"),
        "accountRef": {"id": ids(books)["sales"]},
        "taxRateRef": {"id": "OUTPUT2"},
    }
    return {
        "customerRef": {"id": ids(books)["customer"]},
        "issueDate": "2026-11-01",
        "dueDate": "2026-12-01",
        "currency": "GBP",
        "status": "Submitted",
        "lineItems": [line | own.pop("line", {})],
        **own,
    }


def written(outcome: Written | Refused) -> str:
    assert isinstance(outcome, Written), outcome
    return str(outcome.changes[0]["recordRef"]["id"])


def messages(outcome: Written | Refused | None) -> str:
    assert isinstance(outcome, Refused), outcome
    return " | ".join(f"{error['itemId']}: {error['message']}" for error in outcome.errors)


def shown(books: Books, record_id: str, data_type: str = "invoices") -> Record:
    books.sync(data_type, NOW)
    record = books.cached_record(data_type, record_id)
    assert record is not None
    return record


def test_a_quickbooks_invoice_takes_its_account_from_the_item_and_its_number_from_the_series(
    quickbooks: Books,
) -> None:
    body = quickbooks_invoice(quickbooks, issueDate="2026-11-03", invoiceNumber="INV003200")

    outcome = quickbooks.create("invoices", body, NOW)

    invoice = shown(quickbooks, written(outcome))
    assert invoice["invoiceNumber"] == "1001"
    assert invoice["issueDate"] == "2026-11-03T00:00:00"
    assert invoice["lineItems"][0]["accountRef"]["name"] == "Sales"
    assert invoice["customerRef"]["companyName"] == "Acorn Bakery Ltd"
    assert invoice["lineItems"][0]["taxRateRef"] == {
        "id": "20_Invoices",
        "name": "20.0% S Invoices",
        "effectiveTaxRate": 20,
    }
    assert isinstance(outcome, Written)
    assert [warning["itemId"] for warning in outcome.warnings] == ["InvoiceNumber"]


def test_an_empty_item_id_means_the_default_item(quickbooks: Books) -> None:
    body = quickbooks_invoice(quickbooks, quickbooks_line(quickbooks, itemRef={"id": ""}))

    invoice = shown(quickbooks, written(quickbooks.create("invoices", body, NOW)))

    assert invoice["lineItems"][0]["itemRef"]["name"] == "Services"
    assert invoice["issueDate"] == "2026-11-22T00:00:00"


def test_quickbooks_taxes_the_document_once_per_rate(quickbooks: Books) -> None:
    lines = [quickbooks_line(quickbooks, "1", "0.33") for _ in range(3)]

    invoice = shown(quickbooks, written(quickbooks.create("invoices", quickbooks_invoice(quickbooks, *lines), NOW)))

    assert [line["taxAmount"] for line in invoice["lineItems"]] == [Decimal("0.07"), Decimal("0.07"), Decimal("0.06")]
    assert (invoice["totalTaxAmount"], invoice["totalAmount"]) == (Decimal("0.20"), Decimal("1.19"))


@pytest.mark.parametrize(
    ("own", "line", "reason"),
    [
        ({"totalAmount": Decimal("119.99")}, {}, "TotalAmount: Given as 119.99"),
        ({"subTotal": Decimal("90")}, {}, "SubTotal: Given as 90"),
        ({}, {"subTotal": Decimal("99")}, "LineItems[0].SubTotal: Given as 99"),
        ({"totalTaxAmount": Decimal("5")}, {"taxAmount": Decimal("20")}, "TotalTaxAmount: Given as 5"),
        ({"discountPercentage": 101}, {}, "from 0 to 100"),
        ({"status": "Draft"}, {}, "must be one of Submitted"),
        ({"dueDate": None}, {}, "DueDate: Due date must be provided"),
        ({"issueDate": "2025-06-01"}, {}, "locked period"),
        ({"currency": "POUNDS"}, {}, "not an ISO 4217"),
        ({"customerRef": {"id": "99999"}}, {}, "existing customer"),
        ({"customerRef": {}}, {}, "CustomerRef.Id"),
        ({"lineItems": []}, {}, "LineItems"),
        ({}, {"itemRef": None}, "ItemRef: Item reference must be provided"),
        ({}, {"taxRateRef": {"id": "TAX"}}, "existing tax rate"),
        ({}, {"taxRateRef": {"id": "20_Bills"}}, "cannot be used here"),
        ({}, {"taxRateRef": {"id": "17_Invoices"}}, "archived"),
        ({}, {"description": "x" * 4001}, "4000 characters"),
        ({}, {"trackingCategoryRefs": [{"id": "CLASS_1"}, {"id": "CLASS_2"}]}, "type CLASS"),
        ({}, {"trackingCategoryRefs": [{"id": "CLASS_77"}]}, "existing tracking category"),
    ],
)
def test_quickbooks_refuses(quickbooks: Books, own: Record, line: Record, reason: str) -> None:
    body = quickbooks_invoice(quickbooks, quickbooks_line(quickbooks) | line) | own

    assert reason in messages(quickbooks.create("invoices", body, NOW))
    assert quickbooks.live("invoices") == []


def test_a_department_stands_on_the_first_line_only(quickbooks: Books) -> None:
    first = quickbooks_line(quickbooks)
    second = quickbooks_line(quickbooks, trackingCategoryRefs=[{"id": ids(quickbooks)["department"]}])

    assert "must be on the first line" in messages(
        quickbooks.create("invoices", quickbooks_invoice(quickbooks, first, second), NOW)
    )
    assert written(quickbooks.create("invoices", quickbooks_invoice(quickbooks, second, first), NOW))


def test_the_three_discount_styles_of_quickbooks_add_up(quickbooks: Books) -> None:
    by_percentage = quickbooks_invoice(quickbooks, discountPercentage=10, subTotal=90, totalAmount=108)
    by_amount = quickbooks_invoice(quickbooks, totalDiscount=Decimal("10.00"), subTotal=90, totalAmount=108)

    for body in (by_percentage, by_amount):
        invoice = shown(quickbooks, written(quickbooks.create("invoices", body, NOW)))
        assert (invoice["totalDiscount"], invoice["totalTaxAmount"], invoice["totalAmount"]) == (10, 18, 108)


def test_a_missing_rate_is_one_on_quickbooks_and_the_days_rate_on_xero(quickbooks: Books, xero: Books) -> None:
    body = quickbooks_invoice(quickbooks, currency="EUR")
    outcome = quickbooks.create("invoices", body, NOW)

    assert shown(quickbooks, written(outcome))["currencyRate"] == 1
    assert isinstance(outcome, Written)
    assert "1 was used" in outcome.warnings[0]["message"]
    assert shown(xero, written(xero.create("invoices", xero_invoice(xero, currency="EUR"), NOW)))[
        "currencyRate"
    ] == Decimal("0.861200")


def test_xero_keeps_the_number_and_drops_the_note(xero: Books) -> None:
    outcome = xero.create("invoices", xero_invoice(xero, invoiceNumber="INV003200", note="Thanks"), NOW)

    invoice = shown(xero, written(outcome))
    assert (invoice["invoiceNumber"], invoice["totalAmount"]) == ("INV003200", 120)
    assert "note" not in invoice
    assert isinstance(outcome, Written)
    assert [warning["itemId"] for warning in outcome.warnings] == ["Note"]


def test_xero_drafts_owe_nothing_yet(xero: Books) -> None:
    receivable = one(xero, "chartOfAccounts", nominalCode="610")["id"]

    written(xero.create("invoices", xero_invoice(xero, status="Draft"), NOW))

    assert shown(xero, receivable, "chartOfAccounts")["currentBalance"] == 0


def test_xero_tracking_needs_options_of_different_categories(xero: Books) -> None:
    known = ids(xero)
    for refs, reason in (
        ([known["region"]], "must not be a parent"),
        ([known["north"], known["south"]], "same parent"),
        ([known["north"], known["department"], known["south"]], "maximum of 2"),
    ):
        body = xero_invoice(xero, line={"trackingCategoryRefs": [{"id": one_id} for one_id in refs]})
        assert reason in messages(xero.create("invoices", body, NOW)).casefold()
    fits = xero_invoice(xero, line={"trackingCategoryRefs": [{"id": known["north"]}, {"id": known["department"]}]})
    assert written(xero.create("invoices", fits, NOW))


def test_xero_wants_guids(xero: Books) -> None:
    body = xero_invoice(xero, customerRef={"id": "17"})

    assert "must be a valid GUID" in messages(xero.create("invoices", body, NOW))


def test_an_archived_account_is_refused(xero: Books) -> None:
    closed = one(xero, "chartOfAccounts", nominalCode="299")["id"]

    assert "is archived" in messages(
        xero.create("invoices", xero_invoice(xero, line={"accountRef": {"id": closed}}), NOW)
    )


def test_a_bank_account_takes_no_invoice_lines(xero: Books) -> None:
    bank = one(xero, "chartOfAccounts", nominalCode="090")["id"]

    assert "cannot be used here" in messages(
        xero.create("invoices", xero_invoice(xero, line={"accountRef": {"id": bank}}), NOW)
    )


def test_xero_works_the_tax_of_credit_notes_out_itself(xero: Books) -> None:
    body = xero_invoice(xero, line={"taxAmount": Decimal("1.00")}, totalAmount=101)

    note = shown(xero, written(xero.create("creditNotes", body, NOW)), "creditNotes")

    assert (note["totalTaxAmount"], note["totalAmount"], note["remainingCredit"]) == (20, 120, 120)


def test_codats_sandbox_requires_nothing_but_true_references(playground: Books) -> None:
    sparse = {"customerRef": {"id": ids(playground)["customer"]}, "lineItems": [{"unitAmount": 5, "quantity": 2}]}
    wrong = sparse | {"customerRef": {"id": "CUST/9999"}}

    invoice = shown(playground, written(playground.create("invoices", sparse, NOW)))

    assert (invoice["status"], invoice["totalAmount"]) == ("Submitted", 10)
    assert "existing customer" in messages(playground.create("invoices", wrong, NOW))


def test_ids_of_codats_sandbox_need_encoding(playground: Books) -> None:
    assert all(set(record["id"]) & set("/: ") for record in playground.live("customers"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "JSON object"),
        ({"totalAmount": "120"}, "could not be converted to Number. Path: totalAmount"),
        ({"totalAmount": True}, "Path: totalAmount"),
        ({"lineItems": [{"unitAmount": 1, "quantity": "2"}]}, "Path: lineItems[0].quantity"),
        ({"lineItems": {}}, "converted to Array"),
        ({"lineItems": ["x"]}, "Path: lineItems[0]"),
        ({"issueDate": "2026-02-30"}, "converted to DateTime"),
        ({"issueDate": "next week"}, "converted to DateTime"),
        ({"customerRef": {"id": 7}}, "Path: customerRef.id"),
        ({"status": "Sent"}, "is not one of"),
    ],
)
def test_codat_refuses_at_once_what_is_not_its_model(xero: Books, body: Any, reason: str) -> None:
    assert reason in messages(xero.precheck("invoices", body))


def test_a_body_that_fits_passes_the_first_gate(xero: Books) -> None:
    assert xero.precheck("invoices", xero_invoice(xero)) is None
    assert "cannot be created" in messages(xero.precheck("taxRates", {}))


def test_an_update_needs_codats_copy_to_be_current_or_force(xero: Books) -> None:
    invoice = written(xero.create("invoices", xero_invoice(xero), NOW))
    read = shown(xero, invoice)
    xero.update("invoices", invoice, read | {"dueDate": "2026-12-15T00:00:00"}, LATER, force=False)

    conflict = xero.update("invoices", invoice, read | {"invoiceNumber": "X-1"}, LATER, force=False)
    forced = xero.update("invoices", invoice, read | {"invoiceNumber": "X-2"}, LATER, force=True)

    assert "changed on the platform since" in messages(conflict)
    assert written(forced) == invoice
    assert shown(xero, invoice)["invoiceNumber"] == "X-2"


def test_an_update_books_the_difference(quickbooks: Books) -> None:
    receivable = one(quickbooks, "chartOfAccounts", nominalCode="610")["id"]
    invoice = written(quickbooks.create("invoices", quickbooks_invoice(quickbooks), NOW))
    body = quickbooks_invoice(quickbooks, quickbooks_line(quickbooks, "3"))
    shown(quickbooks, invoice)

    written(quickbooks.update("invoices", invoice, body, NOW, force=False))

    assert shown(quickbooks, receivable, "chartOfAccounts")["currentBalance"] == 360
    assert len(quickbooks.live("invoices")) == 1


CENTS = st.integers(-500, 50000).map(lambda cents: Decimal(cents) / 100)
LINES = st.lists(st.tuples(st.integers(1, 40).map(lambda n: Decimal(n) / 4), CENTS), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, percentage=st.integers(0, 100))
def test_every_booked_document_adds_up(lines: list[tuple[Decimal, Decimal]], percentage: int) -> None:
    books = seed_books("quickbooks-online", seed=1, now=NOW, invoices=0)
    given_lines = [quickbooks_line(books, str(quantity), str(price)) for quantity, price in lines]

    outcome = books.create("invoices", quickbooks_invoice(books, *given_lines, discountPercentage=percentage), NOW)

    if isinstance(outcome, Refused):
        assert sum(quantity * price for quantity, price in lines) < 1
        return
    invoice = shown(books, written(outcome))
    assert invoice["subTotal"] + invoice["totalTaxAmount"] == invoice["totalAmount"] == invoice["amountDue"]
    assert sum(line["subTotal"] for line in invoice["lineItems"]) - invoice["totalDiscount"] == invoice["subTotal"]
    assert sum(value[0] for section, _, value in books.entries() if section == "balance") == 0


def test_sending_back_what_was_read_changes_nothing_and_warns_of_what_is_not_taken(quickbooks: Books) -> None:
    line = quickbooks_line(quickbooks, trackingCategoryRefs=[{"id": "CLASS_1"}])
    invoice = written(quickbooks.create("invoices", quickbooks_invoice(quickbooks, line, note="Hello"), NOW))
    read = shown(quickbooks, invoice)

    outcome = quickbooks.update("invoices", invoice, read, NOW, force=False)

    assert shown(quickbooks, invoice) == read
    assert isinstance(outcome, Written)
    assert [warning["itemId"] for warning in outcome.warnings] == ["InvoiceNumber", "LineItems[0].AccountRef"]
