"""Corners of the road from file to books in which money could be lost, doubled or guessed."""

import tomllib

import pytest

HEADER = "invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account\n"
GOOD = "A-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200\n"


@pytest.fixture
def books(codat, acme):
    """A terminal with mapped profiles and one good invoice in a file."""
    (acme.folder / "invoices.csv").write_text(HEADER + GOOD, encoding="utf-8")
    return acme


def test_a_platform_whose_options_offer_nothing_gets_no_empty_body(books, codat):
    nothing = {"type": "Object", "displayName": "Invoice", "description": "", "required": True, "properties": None}
    codat.fault(path="/options/invoices$", shape=nothing)

    ran = books("push", "invoices", "invoices.csv", "--partial", "--yes", "--json")

    assert ran.code == 2
    assert ran.json["error"]["code"] == "platform.write-not-offered"
    assert codat.written() == []


def rejects(books, ran) -> str:
    text: str = (books.folder / ran.json["rejects_file"]).read_text(encoding="utf-8")
    return text


def test_a_file_of_which_everything_is_held_is_given_back_too_and_only_once(books):
    on_account = "payment_id,date,amount,currency,customer,invoice_number\nP-1,2026-05-20,9.00,GBP,Acorn Bakery Ltd,\n"
    (books.folder / "p.csv").write_text(on_account, encoding="utf-8")

    ran = [books("push", "payments", "p.csv", "--profile", "xero", "--yes", "--json") for _ in range(2)]

    assert [one.code for one in ran] == [3, 3]
    assert "no payments on account" in rejects(books, ran[0])
    assert ran[0].json["rejects_file"] == ran[1].json["rejects_file"]


def test_an_outcome_is_told_though_the_rejects_file_cannot_be_written_where_it_was_asked_for(books, codat):
    wrong = GOOD.replace("A-1", "A-2").replace("Acorn Bakery Ltd", "Nobody")
    (books.folder / "two.csv").write_text(HEADER + GOOD + wrong, encoding="utf-8")

    ran = books("push", "invoices", "two.csv", "--partial", "--yes", "--json", "--rejects", "no/such/folder.csv")

    assert ran.code == 3
    assert ran.json["counts"]["succeeded"] == 1
    assert "Nobody" in rejects(books, ran)


def test_corrected_rejects_send_exactly_what_is_missing(books, codat):
    wrong = GOOD.replace("A-1", "A-2").replace("Acorn Bakery Ltd", "Nobody")
    (books.folder / "two.csv").write_text(HEADER + GOOD + wrong, encoding="utf-8")
    first = books("push", "invoices", "two.csv", "--partial", "--yes", "--json")
    corrected = rejects(books, first).replace("Nobody", "Acorn Bakery Ltd")
    (books.folder / "again.csv").write_text(corrected, encoding="utf-8")

    second = books("push", "invoices", "again.csv", "--yes", "--json")

    assert [row["id"] for row in second.json["documents"]] == ["A-2"]
    assert second.json["counts"]["succeeded"] == 1
    assert len(codat.written()) == 2


def test_a_document_refused_after_its_run_ended_is_given_back_with_the_reason_by_the_next(books, codat):
    codat.fault(method="POST", path="/push/invoices$", times=1, operation={"outcome": "Failed", "delay": 2.0})
    assert books("push", "invoices", "invoices.csv", "--yes", "--wait", "0").code == 9
    (books.folder / "other.csv").write_text(HEADER + GOOD.replace("A-1", "A-2"), encoding="utf-8")

    ran = books("push", "invoices", "other.csv", "--yes", "--json")

    assert ran.code == 3
    assert ran.json["counts"]["succeeded"] == 1
    assert "A-1: rejected: " in ran.err


@pytest.mark.parametrize(("key", "told"), [("id", "connection id"), ("platform_key", "platform key")])
def test_a_profile_that_spells_its_place_otherwise_than_codat_sends_nothing(books, codat, key, told):
    config = books.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    ours = tomllib.loads(text)["profiles"]["acme"]["connection"][key]
    config.write_text(text.replace(ours, ours.upper()), encoding="utf-8")

    ran = books("push", "invoices", "invoices.csv", "--yes", "--json")

    assert ran.code == 2
    assert ran.json["error"]["code"] == "profile.differs"
    assert told in ran.json["error"]["message"]
    assert codat.written() == []
