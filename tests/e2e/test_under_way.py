"""What earlier runs left unfinished is known to the next one, whatever file it reads."""

import pytest

INVOICES = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
A-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""
PAYMENT = """\
payment_id,date,amount,currency,customer,invoice_number
{},2026-05-20,{},GBP,Acorn Bakery Ltd,A-1
"""


@pytest.fixture
def books(codat, acme):
    """A terminal with a mapped profile on QuickBooks Online, an invoices file, and payments files for it."""
    files = {"invoices": INVOICES, "first": PAYMENT.format("P-1", "100.00"), "second": PAYMENT.format("P-2", "100.00")}
    for name, text in files.items():
        (acme.folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return acme


@pytest.fixture
def stays_pending(codat):
    """Have Codat accept writes of one type and never finish them."""
    return lambda data_type: codat.fault(
        method="POST", path=f"/push/{data_type}$", operation={"outcome": "Pending", "landsAfter": None}
    )


def held(ran) -> dict[str, str]:
    return {row["id"]: row["code"] for row in ran.json["documents"] if row["state"] == "held"}


def test_a_payment_waits_for_another_files_payment_that_may_take_the_same_money(books, codat, stays_pending):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    stays_pending("payments")
    assert books("push", "payments", "first.csv", "--yes", "--wait", "0").code == 9

    second = books("push", "payments", "second.csv", "--yes", "--wait", "0", "--json")

    assert second.code == 3
    assert held(second) == {"P-2": "payment.under-way"}
    assert "`P-1` (pending, run R" in second.json["findings"][0]["message"]


def test_a_payment_for_an_invoice_under_way_is_held_and_does_not_call_it_unknown(books, stays_pending):
    stays_pending("invoices")
    assert books("push", "invoices", "invoices.csv", "--yes", "--wait", "0").code == 9

    paid = books("push", "payments", "first.csv", "--yes", "--wait", "0", "--json")

    assert paid.code == 3
    assert held(paid) == {"P-1": "payment.invoice-under-way"}


def test_a_number_under_way_from_one_source_is_held_from_another(books, stays_pending):
    stays_pending("invoices")
    assert books("push", "invoices", "invoices.csv", "--yes", "--wait", "0").code == 9

    again = books("push", "invoices", "invoices.csv", "--source", "shop", "--yes", "--wait", "0", "--json")

    assert held(again) == {"A-1": "books.duplicate"}


def test_a_payment_waits_for_one_of_its_own_file_that_may_take_the_same_money(books, codat, stays_pending):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    stays_pending("payments")
    assert books("push", "payments", "first.csv", "--yes", "--wait", "0").code == 9
    both = PAYMENT.format("P-1", "100.00") + PAYMENT.format("P-2", "100.00").splitlines()[1] + "\n"
    (books.folder / "both.csv").write_text(both, encoding="utf-8")

    assert held(books("push", "payments", "both.csv", "--yes", "--wait", "0", "--json")) == {"P-2": "payment.under-way"}


def test_what_was_never_sent_waits_for_a_yes_though_other_documents_are_asked_after(books, codat, stays_pending):
    stays_pending("invoices")
    assert books("push", "invoices", "invoices.csv", "--yes", "--wait", "0").code == 9
    codat.fault(method="POST", path="/push/invoices$", status=401, times=1)
    for number in ("B-1", "C-1"):
        (books.folder / f"{number}.csv").write_text(INVOICES.replace("A-1", number), encoding="utf-8")
    assert books("push", "invoices", "B-1.csv", "--yes", "--wait", "0").code == 4

    asked = books("push", "invoices", "C-1.csv", "--wait", "0")

    assert asked.code == 2
    assert "first 1 that earlier runs left unsent" in asked.err
    assert codat.written() == []
