"""The public sample files, planned from end to end for three platforms' recorded options."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.drafting import draft_invoices, draft_payments
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.domain.limits import limits
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.options import parse_options
from codat_ar_cli.domain.plan import Disposition, InvoiceIndex, plan_invoices, plan_payments
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import Currency, DataType, OpenInvoice, PlatformKey, RecordId
from codat_ar_cli.files.readers import read_table

FOLDERS = {"gbol": "xero", "qhyg": "quickbooks-online-sandbox", "mqjo": "sandbox"}
RATES = {Currency("EUR"): Decimal("0.86"), Currency("USD"): Decimal("0.79")}


@pytest.fixture
def invoice_drafts(shared: Path):
    def read(name):
        table = read_table(shared / "samples" / name, INVOICES)
        return draft_invoices(table.rows, source=table.name, columns=table.canonical)

    return read


@pytest.fixture
def payment_drafts(shared: Path):
    table = read_table(shared / "samples" / "payments.csv", PAYMENTS)
    return draft_payments(table.rows, source=table.name, columns=table.canonical)


@pytest.fixture
def company(books, invoice_drafts):
    """The company of `books` with the samples' customers, each in the currency it is billed in."""
    parties = {draft.customer.name: draft.currency for draft in invoice_drafts("invoices.csv").documents}
    template = books.customers[0]
    customers = tuple(
        replace(template, id=RecordId(f"cus-{number}"), name=name, currency=currency, email=None)
        for number, (name, currency) in enumerate(sorted(parties.items()))
    )
    return replace(books, customers=customers)


@pytest.fixture
def answers(mapping):
    """Accounts of the samples as items, for platforms that take items."""
    rules = tuple(
        Rule((("account", (code,)),), Target(RecordId(item), item))
        for code, item in (("200", "item-1"), ("260", "item-2"), ("4000", "item-2"))
    )
    return Mapping({**mapping.slots, Slot.ITEM: SlotMapping(None, rules)})


@pytest.fixture
def situation(context, company, answers, sample_options):
    def make(key, data_type, **more):
        option = parse_options(sample_options(FOLDERS[key], data_type.value))
        taken = {limit.name for limit in limits(option, rules_for(PlatformKey(key)), data_type)}
        mapping = Mapping(answers.slots, frozenset(taken | {"payments.method"}))
        return context(key, data_type, options=option, mapping=mapping, reference=company, rates=RATES, **more)

    return make


def in_the_books(plan, key):
    """Put every planned invoice into the books, as if it had been pushed."""
    return InvoiceIndex.of(
        [
            OpenInvoice(
                id=RecordId(f"id-{document.label}"),
                number=document.label,
                customer_id=RecordId(jsontext.loads(document.body)["customerRef"]["id"]),
                customer_name=document.customer,
                currency=document.currency,
                issue_date=document.date,
                due_date=None,
                total_amount=document.total,
                amount_due=document.total,
                status="Submitted",
            )
            for document in plan.to_send
        ],
        rules_for(PlatformKey(key)),
    )


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_all_sample_invoices_are_planned_and_their_lines_add_up(key, situation, invoice_drafts):
    drafted = invoice_drafts("invoices.csv")
    plan = plan_invoices(drafted, situation(key, DataType.INVOICES))
    assert [finding for document in plan.documents for finding in document.holds] == []
    assert len(plan.to_send) == len(drafted.documents) > 20
    totals: defaultdict[Currency, Decimal] = defaultdict(Decimal)
    for document in plan.to_send:
        body = jsontext.loads(document.body or "")
        totals[document.currency] += document.total
        nets = [round(line["quantity"] * line["unitAmount"], 6) for line in body["lineItems"]]
        taxes = sum(line["taxAmount"] for line in body["lineItems"])
        assert abs(sum(nets) + taxes - document.total) <= Decimal("0.01") * len(nets)
        if "totalAmount" in body:
            assert body["totalAmount"] == document.total
    assert dict(totals) == dict(drafted.totals.amounts)


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_the_sample_payments_meet_exactly_their_known_troubles(key, situation, invoice_drafts, payment_drafts):
    invoices = plan_invoices(invoice_drafts("invoices.csv"), situation(key, DataType.INVOICES))
    context = situation(key, DataType.PAYMENTS, partial=True)
    plan = plan_payments(payment_drafts, context, in_the_books(invoices, key))
    held = {each.identity.source_id: each.holds[0].code for each in plan.documents if each.holds}
    expected = {"PMT-009-1": "payment.exceeds-due", "PMT-020-1": "payment.refund"}
    if not rules_for(PlatformKey(key)).offers_on_account():
        expected["PMT-014-1"] = "payment.on-account-not-offered"
    assert held == expected
    for document in plan.to_send:
        body = jsontext.loads(document.body or "")
        assert sum(line["amount"] for line in body["lines"]) == body["totalAmount"] == document.total
        for line in body["lines"]:
            assert line["amount"] + sum(link["amount"] for link in line["links"]) == 0
    assert any(finding.code == "payments.fees-not-pushed" for finding in plan.findings)


def test_a_file_of_mistakes_sends_nothing_and_names_each(situation, invoice_drafts):
    plan = plan_invoices(invoice_drafts("invoices_with_mistakes.csv"), situation("gbol", DataType.INVOICES))
    assert plan.to_send == ()
    errors = {finding.code for finding in plan.all_findings if finding.severity is Severity.ERROR}
    assert "customer.unknown" in errors
    assert len(errors) >= 7
    assert all(document.disposition is Disposition.HELD for document in plan.documents)
