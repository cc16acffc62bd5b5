"""Direct costs and incomes, transfers, journals, and new records of the lists, in the sandbox's books."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from codat_ar_cli.sandbox.books import Books, Refused, Written
from codat_ar_cli.sandbox.seed import seed_books

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
Record = dict[str, Any]


@pytest.fixture
def quickbooks() -> Books:
    return seed_books("quickbooks-online", seed=1, now=NOW, invoices=0)


@pytest.fixture
def xero() -> Books:
    return seed_books("xero", seed=1, now=NOW, invoices=0)


def account(books: Books, code: str) -> str:
    return next(str(one["id"]) for one in books.live("chartOfAccounts") if one["nominalCode"] == code)


def balance(books: Books, code: str, data_type: str = "chartOfAccounts", name: str = "currentBalance") -> Decimal:
    books.sync(data_type, NOW)
    return next(Decimal(one[name]) for one in books.cached(data_type) or [] if one["nominalCode"] == code)


def supplier(books: Books) -> str:
    return next(str(one["id"]) for one in books.live("suppliers") if one["supplierName"].startswith("Brightcard"))


def fee(books: Books, amount: str = "4.20", **own: Any) -> Record:
    """Build a direct cost from the current account, without tax."""
    xero = books.platform.key == "gbol"
    line = {
        "description": "Card fee",
        "quantity": 1,
        "unitAmount": Decimal(amount),
        "taxAmount": 0,
        "accountRef": {"id": account(books, "405")},
        "taxRateRef": {"id": "NONE" if xero else "10_Bills"},
    }
    bank = {"payment": {"accountRef": {"id": account(books, "090")}}, "allocation": {"totalAmount": Decimal(amount)}}
    return {
        "contactRef": {"id": supplier(books), "dataType": "suppliers"},
        "issueDate": "2026-11-20",
        "currency": "GBP",
        "taxAmount": 0,
        "totalAmount": Decimal(amount),
        "reference": "PMT-1:fee",
        "lineItems": [line],
        "paymentAllocations": [bank],
        **own,
    }


def written(outcome: Written | Refused) -> Record:
    assert isinstance(outcome, Written), outcome
    reference: Record = outcome.changes[0]["recordRef"]
    return reference


def messages(outcome: Written | Refused) -> str:
    assert isinstance(outcome, Refused), outcome
    return " | ".join(f"{error['itemId']}: {error['message']}" for error in outcome.errors)


def test_a_fee_leaves_the_bank_for_the_expense(quickbooks: Books) -> None:
    before = balance(quickbooks, "090", "bankAccounts", "balance")

    made = written(quickbooks.create("directCosts", fee(quickbooks), NOW))

    assert balance(quickbooks, "405") == Decimal("4.20")
    assert balance(quickbooks, "090", "bankAccounts", "balance") == before - Decimal("4.20")
    quickbooks.sync("directCosts", NOW)
    shown = quickbooks.cached_record("directCosts", made["id"])
    assert shown is not None
    assert made["id"].startswith("PUR-")
    assert shown["paymentAllocations"][0]["allocation"]["totalAmount"] == Decimal("-4.20")


def test_a_fee_needs_its_supplier_one_bank_and_a_short_reference(quickbooks: Books) -> None:
    twice = fee(quickbooks)["paymentAllocations"] * 2
    for own, reason in (
        ({"contactRef": {"id": "404", "dataType": "suppliers"}}, "existing supplier"),
        ({"contactRef": {"id": supplier(quickbooks), "dataType": "customers"}}, "must be one of Suppliers"),
        ({"paymentAllocations": twice}, "exactly one payment allocation"),
        ({"reference": "x" * 22}, "longer than 21"),
        ({"issueDate": "2025-01-01"}, "locked period"),
    ):
        assert reason in messages(quickbooks.create("directCosts", fee(quickbooks, **own), NOW))


def test_an_expense_account_pays_no_fee(xero: Books) -> None:
    body = fee(xero)
    body["paymentAllocations"][0]["payment"]["accountRef"]["id"] = account(xero, "400")

    assert "existing bank account" in messages(xero.create("directCosts", body, NOW))


def test_a_negative_direct_cost_on_xero_becomes_a_direct_income(xero: Books) -> None:
    before = balance(xero, "090")
    body = fee(xero, "-4.20")
    body["lineItems"][0] |= {"quantity": -1, "unitAmount": Decimal("4.20")}

    made = written(xero.create("directCosts", body, NOW))

    assert made["dataType"] == "directIncomes"
    assert balance(xero, "090") == before + Decimal("4.20")


def test_money_received_without_an_invoice_fills_the_bank(quickbooks: Books) -> None:
    before = balance(quickbooks, "090")
    line = {
        "quantity": 2,
        "unitAmount": Decimal("5"),
        "subTotal": Decimal("10"),
        "taxRateRef": {"id": "20_Invoices"},
    }
    body = {
        "issueDate": "2026-11-20",
        "currency": "GBP",
        "lineItems": [line],
        "paymentAllocations": [{"payment": {"accountRef": {"id": account(quickbooks, "090")}}, "allocation": {}}],
    }

    written(quickbooks.create("directIncomes", body, NOW))

    assert balance(quickbooks, "090") == before + 12


def test_a_transfer_moves_money_between_banks(xero: Books) -> None:
    before = balance(xero, "090"), balance(xero, "091")
    sides = {
        side: {"accountRef": {"id": account(xero, code)}, "amount": Decimal(75), "status": "Reconciled"}
        for side, code in (("from", "090"), ("to", "091"))
    }

    written(xero.create("transfers", {"date": "2026-11-20", **sides}, NOW))
    sides["to"]["amount"] = Decimal(76)
    unequal = xero.create("transfers", {"date": "2026-11-20", **sides}, NOW)

    assert (balance(xero, "090"), balance(xero, "091")) == (before[0] - 75, before[1] + 75)
    assert "Must be equal to From.Amount" in messages(unequal)


def test_a_quickbooks_transfer_works_the_other_currency_out(quickbooks: Books) -> None:
    before = balance(quickbooks, "092")
    body = {
        "from": {"accountRef": {"id": account(quickbooks, "090")}, "amount": Decimal("86.12")},
        "to": {"accountRef": {"id": account(quickbooks, "092")}},
    }

    written(quickbooks.create("transfers", body, NOW))

    assert balance(quickbooks, "092") == before + 100


def test_a_journal_balances_and_can_be_deleted_on_quickbooks(quickbooks: Books) -> None:
    def body(debit: str, credit: str) -> Record:
        pairs = (("469", debit), ("489", credit))
        lines = [{"netAmount": Decimal(net), "accountRef": {"id": account(quickbooks, code)}} for code, net in pairs]
        return {"postedOn": "2026-11-20", "journalLines": lines}

    made = written(quickbooks.create("journalEntries", body("30", "-30"), NOW))
    assert balance(quickbooks, "469") == 30
    assert "they differ by 1" in messages(quickbooks.create("journalEntries", body("31", "-30"), NOW))

    written(quickbooks.delete("journalEntries", made["id"], NOW))

    assert balance(quickbooks, "469") == 0


def test_the_receivables_account_is_out_of_reach(quickbooks: Books) -> None:
    lines = [
        {"netAmount": net, "accountRef": {"id": account(quickbooks, code)}} for code, net in (("610", 5), ("200", -5))
    ]

    outcome = quickbooks.create("journalEntries", {"postedOn": "2026-11-20", "journalLines": lines}, NOW)

    assert "kept by the system" in messages(outcome)


def test_a_new_account_can_be_used_at_once(xero: Books) -> None:
    body = {"nominalCode": "201", "name": "Online Sales", "fullyQualifiedCategory": "Income.Sales"}

    made = written(xero.create("chartOfAccounts", body, NOW))

    record = xero.live_record("chartOfAccounts", made["id"])
    assert record is not None
    assert (record["type"], record["isBankAccount"]) == ("Income", False)
    assert "Invoice.LineItems.AccountRef.Id" in record["validDatatypeLinks"][0]["links"]
    assert "already in use" in messages(xero.create("chartOfAccounts", body, NOW))
    assert "must be one of" in messages(xero.create("chartOfAccounts", body | {"fullyQualifiedCategory": "X"}, NOW))


def test_a_new_bank_account_comes_with_its_account(xero: Books) -> None:
    body = {"accountName": "Deposit", "accountNumber": "12345678", "sortCode": "445566", "currency": "GBP"}

    made = written(xero.create("bankAccounts", body, NOW))

    chart = xero.live_record("chartOfAccounts", made["id"])
    assert chart is not None
    assert chart["isBankAccount"] is True


def test_bank_account_ids_of_codats_sandbox_are_no_account_ids() -> None:
    books = seed_books("codat-sandbox", seed=1, now=NOW, invoices=0)

    banks = {one["id"] for one in books.live("bankAccounts")}

    assert banks
    assert not banks & {one["id"] for one in books.live("chartOfAccounts")}


def test_items_are_unique_by_name_on_quickbooks(quickbooks: Books) -> None:
    side = {
        "description": "New",
        "accountRef": {"id": account(quickbooks, "200")},
        "taxRateRef": {"id": "20_Invoices"},
    }
    bill = side | {"accountRef": {"id": account(quickbooks, "405")}, "taxRateRef": {"id": "20_Bills"}}
    body = {
        "name": "New thing",
        "isBillItem": True,
        "isInvoiceItem": True,
        "type": "Service",
        "invoiceItem": side,
        "billItem": bill,
    }

    written(quickbooks.create("items", body, NOW))

    assert "already in use" in messages(quickbooks.create("items", body, NOW))
    assert "longer than 21" in messages(quickbooks.create("items", body | {"name": "x" * 22}, NOW))


def test_a_xero_item_has_a_side_for_each_use_it_names(xero: Books) -> None:
    without = xero.create("items", {"code": "A1", "isInvoiceItem": True}, NOW)
    wrong = {"code": "A2", "isInvoiceItem": False, "invoiceItem": {"description": "x"}}

    assert "Must be provided if isInvoiceItem is true" in messages(without)
    assert "Must not be provided" in messages(xero.create("items", wrong, NOW))


def test_an_archived_customer_gets_no_invoice(quickbooks: Books) -> None:
    old = next(one["id"] for one in quickbooks.live("customers") if one["status"] == "Archived")
    body = {"customerRef": {"id": old}, "currency": "GBP", "dueDate": "2026-12-01", "status": "Submitted"}

    assert "is archived" in messages(quickbooks.create("invoices", body, NOW))
