"""The same payments file, on a platform without payments on account: one is held with its reason, the rest goes."""

import csv
import io

import pytest

INVOICES = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
X-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
X-2,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,50.00,20,200
"""
PAYMENTS = """\
payment_id,date,amount,currency,customer,invoice_number,allocated_amount,branch
XP-1,2026-05-20,150.00,GBP,Acorn Bakery Ltd,X-1,120.00,Leeds
XP-1,2026-05-20,150.00,GBP,Acorn Bakery Ltd,X-2,30.00,Leeds
XP-2,2026-05-21,25.00,GBP,Acorn Bakery Ltd,,,Leeds
"""


@pytest.fixture
def paid(codat, acme):
    """The outcome of pushing both files to Xero, and the terminal."""
    (acme.folder / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    (acme.folder / "payments.csv").write_text(PAYMENTS, encoding="utf-8")
    acme.ok("push", "invoices", "invoices.csv", "--yes", "--profile", "xero")
    return acme, acme("push", "payments", "payments.csv", "--yes", "--profile", "xero", "--json")


def pushed_payments(codat):
    return [write["body"] for write in codat.written() if write["dataType"] == "payments"]


def test_the_payment_on_account_is_held_with_its_reason_and_the_rest_goes(codat, paid):
    _, ran = paid

    assert ran.code == 3
    outcome = {row["id"]: (row["state"], row["code"]) for row in ran.json["documents"]}
    assert outcome["XP-1"] == ("succeeded", None)
    assert outcome["XP-2"] == ("held", "payment.on-account-not-offered")
    assert [body["totalAmount"] for body in pushed_payments(codat)] == [150]


def test_the_rejects_file_corrected_is_a_file_to_push(codat, paid):
    run, ran = paid
    rejects = run.folder / ran.json["rejects_file"]
    header, row = csv.reader(io.StringIO(rejects.read_text(encoding="utf-8")))
    assert header == [*PAYMENTS.splitlines()[0].split(","), "reason"]
    assert row[:-1] == PAYMENTS.splitlines()[3].split(",")
    assert "payments on account" in row[-1]

    row[header.index("invoice_number")] = "X-2"
    with rejects.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, row])
    again = run.ok("push", "payments", rejects.name, "--yes", "--profile", "xero", "--json")

    assert again.json["counts"]["succeeded"] == 1
    assert [body["totalAmount"] for body in pushed_payments(codat)] == [150, 25]


def test_the_rejects_file_uncorrected_is_held_again_and_nothing_is_sent_twice(codat, paid):
    run, ran = paid
    before = codat.written()

    again = run("push", "payments", ran.json["rejects_file"], "--yes", "--profile", "xero", "--json")
    whole = run("push", "payments", "payments.csv", "--yes", "--profile", "xero", "--json")

    assert (again.code, whole.code) == (3, 3)
    assert {row["id"]: row["state"] for row in whole.json["documents"]} == {"XP-1": "done", "XP-2": "held"}
    assert codat.written() == before


def test_errors_hold_only_their_own_documents_in_a_partial_run(codat, acme):
    wrong = INVOICES.replace("X-2,Acorn Bakery Ltd", "X-2,Nobody Ltd")
    (acme.folder / "invoices.csv").write_text(wrong, encoding="utf-8")

    ran = acme("push", "invoices", "invoices.csv", "--yes", "--profile", "xero", "--partial", "--json")

    assert ran.code == 3
    assert {row["id"]: row["state"] for row in ran.json["documents"]} == {"X-1": "succeeded", "X-2": "held"}
    assert [write["body"]["invoiceNumber"] for write in codat.written()] == ["X-1"]
    assert "Nobody Ltd" in (acme.folder / ran.json["rejects_file"]).read_text(encoding="utf-8")
