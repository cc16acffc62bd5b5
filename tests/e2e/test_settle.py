"""`codat-ar settle` through the real command line: nothing that may be in the books is there twice."""

import datetime as dt

import pytest

from codat_ar_cli.domain.settling import Lookup
from codat_ar_cli.flows import settle as settle_flow

FILE = (
    "invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account\n"
    + "".join(f"S-{n},Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,{n}00.00,20,200\n" for n in (1, 2, 3))
)
PAYMENTS = """\
payment_id,date,amount,currency,customer,invoice_number
SP-1,2026-05-20,20.00,GBP,Acorn Bakery Ltd,S-1
SP-2,2026-05-20,30.00,GBP,Acorn Bakery Ltd,S-2
"""
ALL_DONE = {"succeeded": 1, "rejected": 0, "held": 0, "in_doubt": 0, "pending": 0, "planned": 0}


@pytest.fixture
def push(codat, acme):
    """Push three invoices on a platform; the fault meets one of them."""
    (acme.folder / "invoices.csv").write_text(FILE, encoding="utf-8")
    (acme.folder / "payments.csv").write_text(PAYMENTS, encoding="utf-8")

    def run(profile="acme", kind="invoices", **fault):
        if fault:
            codat.fault(method="POST", path=f"/push/{kind}$", nth=2, **fault)
        else:
            codat.fault(method="POST", path="^never$", delay=0)
        return acme("push", kind, f"{kind}.csv", "--yes", "--wait", "10", "--profile", profile)

    return run


@pytest.fixture
def at_once(monkeypatch):
    """Let the second look follow the first at once."""
    monkeypatch.setattr(settle_flow, "APART", dt.timedelta(0))


def in_the_books(codat, kind="invoices"):
    field = {"invoices": lambda body: body["lineItems"][0]["unitAmount"], "payments": lambda body: body["totalAmount"]}
    return sorted(field[kind](write["body"]) for write in codat.written() if write["dataType"] == kind)


@pytest.mark.parametrize("profile", ["acme", "xero"])
@pytest.mark.parametrize(
    "fault", [{"operation": {"outcome": "NoId"}}, {"status": 500, "when": "after"}], ids=["no id", "500 after"]
)
def test_what_was_written_is_found_and_every_document_is_there_once(codat, acme, push, profile, fault):
    assert push(profile, **fault).code == 5

    settled = acme("settle", "--profile", profile, "--json")

    assert settled.code == 0
    [document] = settled.json["documents"]
    assert (document["state"], document["evidence"]["by"], document["choices"]) == ("succeeded", "marker", None)
    assert settled.json["counts"] == ALL_DONE
    assert push(profile).code == 0
    assert in_the_books(codat) == [100, 200, 300]


def test_a_payment_that_was_written_is_found(codat, acme, push):
    assert push().code == 0
    assert push(kind="payments", status=500, when="after").code == 5

    assert acme("settle").code == 0
    assert push(kind="payments").code == 0
    assert in_the_books(codat, "payments") == [20, 30]


def test_what_was_not_written_is_sent_again_once(codat, acme, push, at_once):
    assert push(status=500).code == 5
    assert in_the_books(codat) != [100, 200, 300]

    settled = acme("settle")

    assert settled.code == 9
    assert "goes out with the next push" in settled.err
    assert push().code == 0
    assert in_the_books(codat) == [100, 200, 300]


def test_a_push_settles_by_itself_and_sends_what_is_missing(codat, push, at_once):
    assert push(status=500).code == 5

    assert push().code == 0
    assert in_the_books(codat) == [100, 200, 300]


def test_what_timed_out_is_a_persons_decision(codat, acme, push):
    assert push(operation={"outcome": "TimedOut", "landsAfter": None}).code == 5

    settled = acme("settle", "--json")
    said = acme("settle")

    assert (settled.code, said.code) == (5, 5)
    [document] = settled.json["documents"]
    assert "may still appear" in document["reason"]
    assert document["choices"] == {
        "in_the_books": f"codat-ar settle --adopt {document['id']}=RECORD_ID",
        "not_in_the_books": f"codat-ar settle --resend {document['id']}",
    }
    shown = " ".join(said.out.split())
    assert all(command in shown for command in document["choices"].values())
    assert "push operations" in shown

    assert acme("settle", "--resend", document["id"]).code == 2  # nobody to ask
    assert acme("settle", "--resend", document["id"], "--yes").code == 9
    assert push().code == 0
    assert in_the_books(codat) == [100, 200, 300]


def test_a_person_can_name_the_record(codat, acme, push):
    """The platform took it under another number: a candidate, and no more."""
    assert push("xero", operation={"outcome": "TimedOut", "landsAfter": None}).code == 5
    [document] = acme("settle", "--profile", "xero", "--json").json["documents"]
    taken = acme("runs", "list", "--json").json["runs"][0]["run"]
    records = [row["record_id"] for row in acme("runs", "show", taken, "--json").json["documents"] if row["record_id"]]

    def adopt(record):
        return acme("settle", "--profile", "xero", "--yes", "--adopt", f"{document['id']}={record}")

    assert "which was pushed as well" in adopt(records[0]).err
    assert "no such record" in adopt("00000000-0000-0000-0000-000000000000").err
    fetched = acme("fetch", "invoices", "--profile", "xero", "--json").json["invoices"]
    other = next(row["id"] for row in fetched if row["id"] not in records)
    assert adopt(other).code == 0
    assert len(in_the_books(codat)) == 2


@pytest.mark.parametrize(("words", "code"), [(["--resend", "S-9", "--yes"], 2), (["--adopt", "S-1"], 2), ([], 0)])
def test_with_nothing_in_doubt_there_is_nothing_to_decide(acme, push, words, code):
    assert push().code == 0

    assert acme("settle", *words).code == code


def test_blind_settling_would_pay_twice(codat, acme, push, at_once, monkeypatch):
    """What the tests above forbid happens once the looking is switched off."""
    monkeypatch.setattr(settle_flow, "look_up", lambda *_args, **_more: Lookup())
    assert push().code == 0
    assert push(kind="payments", status=500, when="after").code == 5

    assert acme("settle").code == 9
    push(kind="payments")

    assert in_the_books(codat, "payments") in ([20, 20, 30], [20, 30, 30])
