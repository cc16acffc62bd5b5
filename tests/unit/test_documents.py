"""A document's content hash is kept in ledgers for ever: were it to change, all that was pushed would look changed."""

import datetime as dt
from dataclasses import make_dataclass, replace
from decimal import Decimal

import pytest

from codat_ar_cli.domain.documents import AllocationDraft, InvoiceDraft, LineDraft, PartyDraft, PaymentDraft
from codat_ar_cli.domain.findings import Place
from codat_ar_cli.domain.types import Currency

PLACE = Place("file.csv", 2)
INVOICE = InvoiceDraft(
    number="INV-1",
    customer=PartyDraft("Acorn Bakery Ltd"),
    issue_date=dt.date(2026, 5, 1),
    due_date=None,
    currency=Currency("GBP"),
    lines=(LineDraft(PLACE, "Work", Decimal("1.50"), Decimal("100.00"), {}, tax_rate="20", tracking=("North",)),),
    place=PLACE,
    rows=(PLACE,),
    cells={},
)
PAYMENT = PaymentDraft(
    payment_id="P-1",
    customer=PartyDraft("Acorn Bakery Ltd", email="ap@acorn.example"),
    date=dt.date(2026, 5, 20),
    amount=Decimal("100.00"),
    currency=Currency("GBP"),
    allocations=(AllocationDraft(PLACE, "INV-1", amount=Decimal("100.00")),),
    place=PLACE,
    rows=(PLACE,),
    cells={},
)


@pytest.mark.parametrize(
    ("draft", "digest"),
    [
        (INVOICE, "7780281edfb6548564278ba9ba6cad87c5ee51ae6ec9dc96c783fcb608018763"),
        (PAYMENT, "165b51afb90159aa11a18894b7bd95b713136891ecdeac3e749c255278be114e"),
    ],
)
def test_the_hash_of_a_document_is_the_same_in_every_version(draft, digest):
    assert draft.content_hash() == digest


def test_a_field_that_a_later_version_adds_changes_nothing_while_it_is_empty():
    later = make_dataclass("PartyDraft", [("vat_number", str | None, None)], bases=(PartyDraft,), frozen=True)
    assert replace(INVOICE, customer=later("Acorn Bakery Ltd")).content_hash() == INVOICE.content_hash()
    stated = replace(INVOICE, customer=later("Acorn Bakery Ltd", vat_number="GB1"))
    assert stated.content_hash() != INVOICE.content_hash()
