"""Connect, fetch, map, push invoices, push payments against them, see the outcome: as a user types it."""

import shutil
from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext

INVOICES = """\
invoice_number,customer,issue_date,due_date,currency,currency_rate,line_description,quantity,unit_price,tax_rate,account,tracking
A-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Monthly plan,1,100.00,20,200,South
A-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Support hours,2.5,10.01,20,260,South
A-2,Schröder & Grüber GmbH,2026-05-04,2026-06-03,EUR,0.8569,Delivery,1,40.00,0,260,North
A-3,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Monthly plan,1,50.00,20,200,
"""
PAYMENTS = """\
payment_id,date,amount,currency,customer,invoice_number,allocated_amount
P-1,2026-05-20,150.03,GBP,Acorn Bakery Ltd,A-1,90.03
P-1,2026-05-20,150.03,GBP,Acorn Bakery Ltd,A-3,60.00
P-2,2026-05-21,40.00,EUR,Schröder & Grüber GmbH,A-2,
P-3,2026-05-21,25.00,GBP,Acorn Bakery Ltd,,
"""


@pytest.fixture
def books(codat, acme):
    """A terminal with a mapped profile on QuickBooks Online, and the two files."""
    (acme.folder / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    (acme.folder / "payments.csv").write_text(PAYMENTS, encoding="utf-8")
    return acme


def amounts_due(run) -> dict[str, tuple[Decimal, str]]:
    pushed = {
        row["record_id"]: row["id"] for row in run.ok("push", "invoices", "invoices.csv", "--json").json["documents"]
    }
    rows = run.ok("fetch", "payments", "invoices", "--refresh", "--json").json["invoices"]
    return {pushed[row["id"]]: (Decimal(row["due"]["amount"]), row["status"]) for row in rows if row["id"] in pushed}


def test_invoices_and_payments_reach_the_books_and_amounts_due_follow(books):
    pushed = books.ok("push", "invoices", "invoices.csv", "--yes", "--json").json
    paid = books.ok("push", "payments", "payments.csv", "--yes", "--json").json

    assert pushed["counts"]["succeeded"] == 3
    assert paid["counts"]["succeeded"] == 3
    assert amounts_due(books) == {
        "A-1": (Decimal("60.01"), "PartiallyPaid"),
        "A-2": (Decimal("0.00"), "Paid"),
        "A-3": (Decimal("0.00"), "Paid"),
    }


def test_the_same_file_again_sends_nothing_and_says_so(books, codat):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    before = codat.written()

    again = books.ok("push", "invoices", "invoices.csv", "--yes")

    assert "Nothing to send: 3 already in the books." in again.out
    assert codat.written() == before


def test_the_same_content_in_json_is_the_same_documents(books, codat):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    (books.folder / "same.json").write_text(
        '{"invoices": [{"invoice_number": "A-3", "customer": "Acorn Bakery Ltd", "issue_date": "2026-05-04",'
        ' "due_date": "2026-06-03", "currency": "GBP", "lines": [{"description": "Monthly plan", "quantity": 1,'
        ' "unit_price": 50.0, "tax_rate": "20", "account": "200"}]}]}',
        encoding="utf-8",
    )

    again = books.ok("push", "invoices", "same.json", "--yes")

    assert "1 already in the books" in again.out


def test_a_dry_run_shows_the_exact_bodies_and_writes_nothing(books, codat):
    shown = books.ok("push", "invoices", "invoices.csv", "--dry-run", "--json")

    assert '"subTotal":25.03' in shown.json["documents"][0]["body"]
    assert codat.written() == []
    assert books.ok("runs", "list", "--json").json["runs"] == []


def test_a_dry_run_of_many_writes_out_a_few_bodies_for_people_and_all_for_machines(books):
    header, *_, last = INVOICES.splitlines()
    many = [header, *(last.replace("A-3", f"B-{number}") for number in range(12))]
    (books.folder / "many.csv").write_text("\n".join(many), encoding="utf-8")

    shown = books.ok("push", "invoices", "many.csv", "--dry-run")
    told = books.ok("push", "invoices", "many.csv", "--dry-run", "--json").json

    assert shown.out.count('"customerRef"') == 10
    assert "2 more bodies; all of them with --json" in shown.out
    assert all('"customerRef"' in document["body"] for document in told["documents"])


def test_what_is_sent_is_what_the_dry_run_showed(books, codat):
    shown = books.ok("push", "invoices", "invoices.csv", "--dry-run", "--json").json["documents"]
    books.ok("push", "invoices", "invoices.csv", "--yes")

    sent = [write["body"] for write in codat.written()]
    assert sorted(map(str, sent)) == sorted(str(jsontext.loads(row["body"])) for row in shown)


def test_a_push_asks_first_and_without_a_terminal_names_the_option(books, codat):
    refused = books("push", "invoices", "invoices.csv")

    assert refused.code == 2
    assert "--yes" in refused.err
    assert codat.written() == []


def test_a_changed_document_is_held_until_a_person_decides(books, codat):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    path = books.folder / "invoices.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("50.00,20", "55.00,20"), encoding="utf-8")
    before = codat.written()

    changed = books("push", "invoices", "invoices.csv", "--yes", "--json")

    assert changed.code == 3
    assert {row["id"]: row["code"] for row in changed.json["documents"] if row["code"]} == {"A-3": "ledger.changed"}
    assert codat.written() == before


def test_rejected_documents_come_back_in_the_files_own_columns(books, codat):
    codat.fault(method="POST", path="/push/invoices$", nth=1, operation={"outcome": "Failed", "message": "no"})

    ran = books("push", "invoices", "invoices.csv", "--yes", "--json")

    assert ran.code == 3
    assert ran.json["counts"]["rejected"] == 1
    rejects = books.folder / ran.json["rejects_file"]
    header, *rows = rejects.read_text(encoding="utf-8").splitlines()
    assert header == INVOICES.splitlines()[0] + ",reason"
    assert len(rows) >= 1


def test_runs_tell_what_was_pushed(books):
    run_id = books.ok("push", "invoices", "invoices.csv", "--yes", "--json").json["run"]

    listed = books.ok("runs", "list", "--json").json["runs"]
    shown = books.ok("runs", "show", run_id, "--json").json

    assert [run["run"] for run in listed] == [run_id]
    assert {row["id"]: row["state"] for row in shown["documents"]} == dict.fromkeys(("A-1", "A-2", "A-3"), "succeeded")


def test_a_run_that_does_not_exist_is_a_named_error(books):
    ran = books("runs", "show", "R20200101-000000-0000")

    assert ran.code == 2
    assert "R20200101-000000-0000" in ran.err


def test_the_samples_mistakes_are_all_found_in_one_pass_and_nothing_is_sent(books, codat, shared):
    shutil.copy(shared / "samples" / "invoices_with_mistakes.csv", books.folder / "wrong.csv")

    ran = books("push", "invoices", "wrong.csv", "--yes", "--json")

    assert ran.code == 2
    wrong_rows = {found["place"]["row"] for found in ran.json["findings"] if found["severity"] == "error"}
    assert wrong_rows >= {3, 4, 5, 6, 7, 8, 9, 10, 11}
    assert codat.written() == []


def test_a_payment_of_more_than_is_due_is_an_error_before_anything_is_sent(books, codat):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    (books.folder / "more.csv").write_text(
        "payment_id,date,amount,currency,customer,invoice_number\nP-9,2026-05-20,60.01,GBP,Acorn Bakery Ltd,A-3\n",
        encoding="utf-8",
    )

    ran = books("push", "payments", "more.csv", "--yes", "--json")

    assert ran.code == 2
    assert [found["code"] for found in ran.json["findings"] if found["severity"] == "error"] == ["payment.exceeds-due"]
    assert {write["dataType"] for write in codat.written()} == {"invoices"}


def test_an_overpayment_goes_on_account_when_asked_for(books):
    books.ok("push", "invoices", "invoices.csv", "--yes")
    (books.folder / "more.csv").write_text(
        "payment_id,date,amount,currency,customer,invoice_number\nP-9,2026-05-20,75.00,GBP,Acorn Bakery Ltd,A-3\n",
        encoding="utf-8",
    )

    ran = books.ok("push", "payments", "more.csv", "--yes", "--json", "--overpayment-on-account")

    assert ran.json["counts"]["succeeded"] == 1
    assert amounts_due(books)["A-3"] == (Decimal("0.00"), "Paid")
