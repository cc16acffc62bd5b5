"""Payments in the sandbox's books: what settles, what is refused, and what never may happen."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def one(books: Books, data_type: str, **wanted: Any) -> Record:
    found = [r for r in books.live(data_type) if all(r.get(name) == value for name, value in wanted.items())]
    assert found, wanted
    return found[0]


def customer(books: Books, name: str = "Acorn Bakery Ltd") -> str:
    return str(one(books, "customers", customerName=name)["id"])


def bank(books: Books, currency: str = "GBP") -> str:
    return str(one(books, "chartOfAccounts", isBankAccount=True, currency=currency)["id"])


def invoice(books: Books, total: str = "120.00", *, currency: str = "GBP", rate: str = "1", payer: str = "") -> str:
    """Create an untaxed invoice of a total; gives its id."""
    line = {
        "description": "Work",
        "quantity": 1,
        "unitAmount": Decimal(total),
        "taxAmount": 0,
        "accountRef": {"id": one(books, "chartOfAccounts", nominalCode="200")["id"]},
        "itemRef": {"id": one(books, "items", code="SVC")["id"]},
        "taxRateRef": {"id": "20_Invoices" if books.platform.key == "qhyg" else "OUTPUT2"},
    }
    body = {
        "customerRef": {"id": payer or customer(books)},
        "issueDate": "2026-11-01T00:00:00",
        "dueDate": "2026-12-01T00:00:00",
        "currency": currency,
        "currencyRate": Decimal(rate),
        "status": "Submitted",
        "lineItems": [line],
    }
    return written(books.create("invoices", body, NOW))


def credit_note(books: Books, total: str, *, payer: str = "") -> str:
    line = {
        "description": "Goodwill",
        "quantity": 1,
        "unitAmount": Decimal(total),
        "taxAmount": 0,
        "totalAmount": Decimal(total),
        "accountRef": {"id": one(books, "chartOfAccounts", nominalCode="200")["id"]},
        "itemRef": {"id": one(books, "items", code="SVC")["id"]},
        "taxRateRef": {"id": "10_Invoices" if books.platform.key == "qhyg" else "ZERORATEDOUTPUT"},
    }
    body = {
        "customerRef": {"id": payer or customer(books)},
        "issueDate": "2026-11-01T00:00:00",
        "currency": "GBP",
        "totalAmount": Decimal(total),
        "status": "Submitted",
        "lineItems": [line],
    }
    return written(books.create("creditNotes", body, NOW))


def payment(books: Books, amount: str, *lines: tuple[str, list[tuple[str, str, str]]], **own: Any) -> Record:
    """Build a payment body from lines of (amount, [(link type, id, amount)])."""
    return {
        "customerRef": {"id": customer(books)},
        "accountRef": {"id": bank(books)},
        "totalAmount": Decimal(amount),
        "currency": "GBP",
        "date": "2026-11-20T00:00:00",
        "lines": [
            {
                "amount": Decimal(line),
                "links": [{"type": kind, "id": to, "amount": Decimal(part)} for kind, to, part in links],
            }
            for line, links in lines
        ],
        **own,
    }


def written(outcome: Written | Refused) -> str:
    assert isinstance(outcome, Written), outcome
    return str(outcome.changes[0]["recordRef"]["id"])


def messages(outcome: Written | Refused | None) -> str:
    assert isinstance(outcome, Refused), outcome
    assert outcome.status_code == 400
    return " | ".join(f"{error['itemId']}: {error['message']}" for error in outcome.errors)


def shown(books: Books, data_type: str, record_id: str) -> Record:
    for name in ("payments", data_type):
        books.sync(name, NOW)
    record = books.cached_record(data_type, record_id)
    assert record is not None
    return record


def balance(books: Books, account: str) -> Decimal:
    books.sync("chartOfAccounts", NOW)
    record = books.cached_record("chartOfAccounts", account)
    assert record is not None
    return Decimal(record["currentBalance"])


def test_a_full_payment_pays_the_invoice_and_fills_the_bank(quickbooks: Books) -> None:
    due = invoice(quickbooks)
    before = balance(quickbooks, bank(quickbooks))

    written(quickbooks.create("payments", payment(quickbooks, "120", ("120", [("Invoice", due, "-120")])), NOW))

    paid = shown(quickbooks, "invoices", due)
    assert (paid["status"], paid["amountDue"], paid["paidOnDate"]) == ("Paid", 0, "2026-11-20T00:00:00")
    assert [part["allocation"]["totalAmount"] for part in paid["paymentAllocations"]] == [Decimal("-120")]
    assert balance(quickbooks, bank(quickbooks)) == before + 120


def test_two_parts_of_a_payment_leave_the_rest_due(quickbooks: Books) -> None:
    due = invoice(quickbooks)

    for part in ("42.75", "50.00"):
        body = payment(quickbooks, part, (part, [("Invoice", due, f"-{part}")]))
        written(quickbooks.create("payments", body, NOW))

    left = shown(quickbooks, "invoices", due)
    assert (left["status"], left["amountDue"]) == ("PartiallyPaid", Decimal("27.25"))
    assert len(left["paymentAllocations"]) == 2


def test_one_payment_settles_two_invoices_and_leaves_the_rest_on_account(quickbooks: Books) -> None:
    first, second = invoice(quickbooks, "100"), invoice(quickbooks, "50")
    lines = (
        ("100", [("Invoice", first, "-100")]),
        ("50", [("Invoice", second, "-50")]),
        ("30", [("PaymentOnAccount", customer(quickbooks), "-30")]),
    )

    receipt = written(quickbooks.create("payments", payment(quickbooks, "180", *lines), NOW))

    assert {shown(quickbooks, "invoices", one_id)["status"] for one_id in (first, second)} == {"Paid"}
    links = [link for line in shown(quickbooks, "payments", receipt)["lines"] for link in line["links"]]
    assert [link["type"] for link in links] == ["Invoice", "Invoice", "PaymentOnAccount"]


def test_xero_takes_no_money_on_account(xero: Books) -> None:
    body = payment(xero, "30", ("30", [("PaymentOnAccount", customer(xero), "-30")]))

    assert "must be one of Invoice, CreditNote, Payment" in messages(xero.create("payments", body, NOW))


def test_a_credit_note_is_allocated_by_a_payment_of_nothing(xero: Books) -> None:
    due, note = invoice(xero, "120"), credit_note(xero, "40")
    body = payment(xero, "0", ("0", [("Invoice", due, "-40"), ("CreditNote", note, "40")]))

    written(xero.create("payments", body, NOW))

    assert shown(xero, "invoices", due)["amountDue"] == Decimal("80.00")
    used = shown(xero, "creditNotes", note)
    assert (used["status"], used["remainingCredit"]) == ("Paid", 0)
    assert [part["allocation"]["totalAmount"] for part in used["paymentAllocations"]] == [Decimal(40)]


@pytest.mark.parametrize(
    ("total", "line", "link", "reason"),
    [
        ("130", "130", "-130", "more than the amount due"),
        ("100", "100", "-90", "must add up to 0"),
        ("100", "90", "-90", "add up to 90, not to 100"),
        ("10.005", "10.005", "-10.005", "more decimals than GBP allows"),
        ("-10", "-10", "10", "more than was ever allocated"),
    ],
)
def test_amounts_that_do_not_fit_are_refused(quickbooks: Books, total: str, line: str, link: str, reason: str) -> None:
    due = invoice(quickbooks, "120")

    outcome = quickbooks.create("payments", payment(quickbooks, total, (line, [("Invoice", due, link)])), NOW)

    assert reason in messages(outcome)
    assert shown(quickbooks, "invoices", due)["amountDue"] == 120


def test_an_invoice_of_another_customer_is_refused(quickbooks: Books) -> None:
    theirs = invoice(quickbooks, payer=customer(quickbooks, "Riverside Dental"))

    outcome = quickbooks.create("payments", payment(quickbooks, "120", ("120", [("Invoice", theirs, "-120")])), NOW)

    assert "belongs to another customer" in messages(outcome)


def test_money_needs_an_account_that_takes_payments(xero: Books) -> None:
    due = invoice(xero)
    body = payment(xero, "120", ("120", [("Invoice", due, "-120")]))
    for code, fits in (("400", False), ("095", True)):
        body["accountRef"] = {"id": one(xero, "chartOfAccounts", nominalCode=code)["id"]}

        outcome = xero.create("payments", body, NOW)

        assert isinstance(outcome, Written) is fits, outcome


def test_a_foreign_payment_cannot_land_in_another_foreign_account(quickbooks: Books) -> None:
    due = invoice(quickbooks, currency="EUR", rate="0.86")
    body = payment(quickbooks, "120", ("120", [("Invoice", due, "-120")]), currency="EUR")
    body |= {"currencyRate": Decimal("0.87"), "accountRef": {"id": bank(quickbooks, "USD")}}

    assert "is in USD: it must be in EUR or GBP" in messages(quickbooks.create("payments", body, NOW))


def test_a_foreign_payment_moves_the_bank_in_its_own_currency_and_books_the_gain(quickbooks: Books) -> None:
    due = invoice(quickbooks, currency="EUR", rate="0.86")
    before = balance(quickbooks, bank(quickbooks, "EUR"))
    gains = one(quickbooks, "chartOfAccounts", nominalCode="499")["id"]
    body = payment(quickbooks, "120", ("120", [("Invoice", due, "-120")]), currency="EUR")
    body |= {"currencyRate": Decimal("0.87"), "accountRef": {"id": bank(quickbooks, "EUR")}}

    written(quickbooks.create("payments", body, NOW))

    assert balance(quickbooks, bank(quickbooks, "EUR")) == before + 120
    assert balance(quickbooks, gains) == Decimal("-1.20")


def test_a_euro_invoice_is_paid_in_pounds_at_the_rate_of_the_link(xero: Books) -> None:
    due = invoice(xero, "50", currency="EUR", rate="0.86")
    body = payment(xero, "43.00", ("43.00", [("Invoice", due, "-50")]))
    without = xero.create("payments", body, NOW)
    body["lines"][0]["links"][0]["currencyRate"] = Decimal("0.86")

    written(xero.create("payments", body, NOW))

    assert "A rate from EUR to GBP must be provided" in messages(without)
    assert shown(xero, "invoices", due)["amountDue"] == 0


def test_dates_before_the_lock_are_refused(quickbooks: Books) -> None:
    due = invoice(quickbooks)
    body = payment(quickbooks, "120", ("120", [("Invoice", due, "-120")]), date="2025-12-30")

    assert "locked period" in messages(quickbooks.create("payments", body, NOW))


def test_deleting_an_invoice_puts_its_payments_on_account(quickbooks: Books) -> None:
    due = invoice(quickbooks)
    receipt = written(
        quickbooks.create("payments", payment(quickbooks, "120", ("120", [("Invoice", due, "-120")])), NOW)
    )
    shown(quickbooks, "invoices", due)

    quickbooks.delete("invoices", due, NOW)

    gone = shown(quickbooks, "invoices", due)
    assert (gone["metadata"]["isDeleted"], gone["status"]) == (True, "Paid")
    links = [link for line in shown(quickbooks, "payments", receipt)["lines"] for link in line["links"]]
    assert [(link["type"], link["id"]) for link in links] == [("PaymentOnAccount", customer(quickbooks))]


def test_only_quickbooks_and_the_sandbox_delete_invoices(xero: Books) -> None:
    assert "cannot be deleted on Xero" in messages(xero.delete("invoices", invoice(xero), NOW))


# -- promises ----

AMOUNTS = st.integers(1, 20000).map(lambda cents: Decimal(cents) / 100)
MOVES = st.lists(
    st.tuples(st.sampled_from(["invoice", "note", "pay", "allocate", "delete", "account"]), AMOUNTS), max_size=14
)


@settings(max_examples=40, deadline=None)
@given(moves=MOVES)
def test_whatever_is_written_the_books_stay_true(moves: list[tuple[str, Decimal]]) -> None:
    books = seed_books("quickbooks-online", seed=1, now=NOW, invoices=0)
    opening = _bank_balance(books)
    received = Decimal(0)
    invoices: list[str] = []
    notes: list[str] = []

    for kind, amount in moves:
        received += _make(books, kind, amount, invoices, notes)

    for name in ("payments", "invoices", "creditNotes", "bankAccounts"):
        books.sync(name, NOW)
    for record in books.cached("invoices") or []:
        allocated = sum(part["allocation"]["totalAmount"] for part in record["paymentAllocations"])
        assert 0 <= record["amountDue"] <= record["totalAmount"]
        assert record["metadata"]["isDeleted"] or record["amountDue"] == record["totalAmount"] + allocated
    for record in books.cached("creditNotes") or []:
        used = sum(part["allocation"]["totalAmount"] for part in record["paymentAllocations"])
        assert record["remainingCredit"] == record["totalAmount"] - used >= 0
    for record in books.cached("payments") or []:
        for line in record["lines"]:
            assert line["amount"] + sum(link["amount"] for link in line["links"]) == 0
        assert sum(line["amount"] for line in record["lines"]) == record["totalAmount"]
    assert _bank_balance(books) == opening + received
    assert sum(base for _, _, (base, _) in _balances(books)) == 0


def _balances(books: Books) -> list[Any]:
    return [entry for entry in books.entries() if entry.section == "balance"]


def _bank_balance(books: Books) -> Decimal:
    account = bank(books)
    return next((own for _, key, (_, own) in _balances(books) if key == account), Decimal(0))


def _make(books: Books, kind: str, amount: Decimal, invoices: list[str], notes: list[str]) -> Decimal:
    """Try one move, refused or not; gives the money that really arrived."""
    text = str(amount)
    if kind == "invoice":
        invoices.append(invoice(books, text))
    elif kind == "note":
        notes.append(credit_note(books, text))
    elif kind == "delete" and invoices:
        books.delete("invoices", invoices.pop(), NOW)
    elif kind == "allocate" and invoices and notes:
        links = [("Invoice", invoices[-1], f"-{text}"), ("CreditNote", notes[-1], text)]
        books.create("payments", payment(books, "0", ("0", links)), NOW)
    elif kind in ("pay", "account"):
        link = ("Invoice", invoices[-1]) if kind == "pay" and invoices else ("PaymentOnAccount", customer(books))
        outcome = books.create("payments", payment(books, text, (text, [(*link, f"-{text}")])), NOW)
        return amount if isinstance(outcome, Written) else Decimal(0)
    return Decimal(0)
