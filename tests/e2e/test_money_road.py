"""Corners of the road from file to books in which money could be lost, doubled or guessed."""

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
