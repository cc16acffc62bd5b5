"""What goes into a body on platforms with peculiar demands, and what can't."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.documents import PartyDraft
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.mapping import Mapping, Slot, SlotMapping, Target
from codat_ar_cli.domain.marking import carried_ids, carries
from codat_ar_cli.domain.options import parse_options
from codat_ar_cli.domain.plan import Disposition, plan_invoices, plan_payments
from codat_ar_cli.domain.types import Currency, DataType, RecordId

EUR = Currency("EUR")


@pytest.fixture
def planned(context, drafted, index, open_invoice):
    """Plan one document for a platform: `planned("tgff", options, draft)`."""

    def run(key, raw_options, draft, due="120.00", **more):
        options = parse_options(raw_options)
        made = context(key, draft.data_type, options=options, **more)
        if draft.data_type is DataType.INVOICES:
            (document,) = plan_invoices(drafted(draft), made).documents
        else:
            books = index(
                open_invoice("77", "INV-1", due),
                open_invoice("78", "INV-2", due, issue_date=dt.date(2026, 5, 20)),
                key=key,
            )
            (document,) = plan_payments(drafted(draft), made, books).documents
        return document

    return run


def codes(document):
    return [finding.code for finding in document.holds]


def body_of(document):
    assert document.disposition is Disposition.SEND, document.findings
    return jsontext.loads(document.body or "")


def test_sage_business_cloud_has_25_characters_for_a_payment_note(planned, payment, sample_options):
    options = sample_options("sage-business-cloud", "payments")
    fits = planned("tgff", options, payment("PMT-1", "120.00", "INV-1", note="thank you"))
    assert body_of(fits)["note"] == "PMT-1 - thank you"
    held = planned("tgff", options, payment("PMT-1", "120.00", "INV-1", note="thank you very much indeed"))
    assert [finding.acceptable for finding in held.holds] == ["payments.note"]
    assert "25 characters" in held.holds[0].message


def test_an_accepted_note_that_does_not_fit_leaves_the_id_alone(planned, payment, sample_options, mapping):
    accepted = Mapping(mapping.slots, frozenset({"payments.note"}))
    draft = payment("PMT-1", "120.00", "INV-1", note="thank you very much indeed")
    document = planned("tgff", sample_options("sage-business-cloud", "payments"), draft, mapping=accepted)
    assert body_of(document)["note"] == "PMT-1"


def test_an_id_that_does_not_fit_its_marker_is_held(planned, payment, sample_options):
    document = planned("tgff", sample_options("sage-business-cloud", "payments"), payment("P" * 26, "120.00", "INV-1"))
    assert codes(document) == ["marker.too-long"]


def test_freeagent_carries_the_number_in_the_first_line(planned, invoice, line, sample_options, mapping):
    accepted = Mapping(mapping.slots, frozenset({"invoices.invoiceNumber"}))
    draft = invoice(lines=(line(), line(3)))
    document = planned("fbrh", sample_options("freeagent", "invoices"), draft, mapping=accepted)
    texts = [each["description"] for each in body_of(document)["lineItems"]]
    assert texts == ["INV-1 - Work", "Work"]


def test_freeagent_takes_one_invoice_per_payment_and_always_a_rate(planned, payment, sample_options):
    options = sample_options("freeagent", "payments")
    assert body_of(planned("fbrh", options, payment("P", "120.00", "INV-1")))["currencyRate"] == 1
    document = planned("fbrh", options, payment("P", "240.00", "INV-1", "INV-2"))
    assert codes(document) == ["payment.too-many-allocations"]


def test_zoho_puts_all_links_in_one_line_that_comes_to_the_total(planned, payment, sample_options):
    document = planned("rwuv", sample_options("zoho-books", "payments"), payment("P", "240.00", "INV-1", "INV-2"))
    body = body_of(document)
    (line,) = body["lines"]
    assert sum(link["amount"] for link in line["links"]) == -body["totalAmount"]
    assert body["currencyRate"] == 1


def test_netsuite_never_puts_our_reference_where_its_location_goes(planned, payment, sample_options):
    draft = payment("PMT-1", "120.00", "INV-1", reference="R-1")
    body = body_of(planned("akxx", sample_options("netsuite", "payments"), draft))
    assert "reference" not in body
    assert body["note"] == "PMT-1 - R-1"


def test_netsuite_needs_a_location_on_every_line(planned, invoice, sample_options, mapping):
    accepted = Mapping(mapping.slots, frozenset({"invoices.invoiceNumber"}))
    document = planned("akxx", sample_options("netsuite", "invoices"), invoice(), mapping=accepted)
    assert "tracking.missing" in codes(document)


def test_intacct_takes_one_unit_per_account_line_and_no_base_currency(planned, invoice, line, sample_options, mapping):
    accepted = Mapping(mapping.slots, frozenset({"invoices.invoiceNumber", "invoices.description"}))
    options = sample_options("sage-intacct", "invoices")
    sent = body_of(planned("knfz", options, invoice(), mapping=accepted))
    assert "currency" not in sent
    assert "itemRef" not in sent["lineItems"][0]
    two = invoice(lines=(line(quantity=Decimal(2)),))
    assert codes(planned("knfz", options, two, mapping=accepted)) == ["platform.quantity"]
    foreign = invoice(currency=EUR)
    assert "currency.not-offered" in codes(planned("knfz", options, foreign, mapping=accepted))


def test_intacct_pays_only_after_the_invoice_date(planned, payment, sample_options, books):
    method = replace(books.payment_methods[0], id=RecordId("5"))
    draft = payment("P", "120.00", "INV-2", method="bank transfer")
    reference = replace(books, payment_methods=(method,))
    document = planned("knfz", sample_options("sage-intacct", "payments"), draft, reference=reference)
    assert codes(document) == ["payment.too-early"]


def test_intacct_must_name_a_payment_method(planned, payment, sample_options):
    document = planned("knfz", sample_options("sage-intacct", "payments"), payment("P", "120.00", "INV-1"))
    assert codes(document) == ["mapping.payment-method"]


def test_sage_50_takes_amounts_that_its_options_leave_out(planned, invoice, sample_options):
    body = body_of(planned("hbql", sample_options("sage-50-uk", "invoices"), invoice()))
    assert body["lineItems"][0]["unitAmount"] == Decimal("100.00")
    assert body["issueDate"] == "2026-05-01T00:00:00"


def test_a_document_must_be_in_the_customers_currency_where_the_platform_says_so(planned, invoice, sample_options):
    draft = invoice(customer=PartyDraft("Schröder & Grüber GmbH"))
    assert codes(planned("hbql", sample_options("sage-50-uk", "invoices"), draft)) == ["currency.customer"]


def test_quickbooks_online_would_charge_tax_that_the_file_states_as_zero(
    planned, invoice, line, sample_options, mapping
):
    accepted = Mapping(mapping.slots, frozenset({"invoices.invoiceNumber", "invoices.issueDate"}))
    draft = invoice(lines=(line(tax_amount=Decimal("0.00")),))
    options = sample_options("quickbooks-online-sandbox", "invoices")
    document = planned("qhyg", options, draft, mapping=accepted)
    assert codes(document) == ["arithmetic.platform-total"]
    assert [each.code for each in document.findings if each.severity is Severity.WARNING] == ["arithmetic.tax"]


def test_a_department_of_quickbooks_online_stands_once_on_the_first_line(
    planned, invoice, line, sample_options, mapping, books
):
    categories = tuple(
        replace(books.tracking_categories[1], id=RecordId(id), name=name)
        for id, name in (("DEPARTMENT_1", "London"), ("DEPARTMENT_2", "Leeds"), ("CLASS_1", "Retail"))
    )
    accepted = Mapping(mapping.slots, frozenset({"invoices.invoiceNumber", "invoices.issueDate"}))
    known = {"mapping": accepted, "reference": replace(books, tracking_categories=categories)}
    options = sample_options("quickbooks-online-sandbox", "invoices")
    same = invoice(lines=(line(tracking=("London", "Retail")), line(3, tracking=("London",))))
    lines = body_of(planned("qhyg", options, same, **known))["lineItems"]
    assert lines[0]["trackingCategoryRefs"] == [{"id": "CLASS_1"}, {"id": "DEPARTMENT_1"}]
    assert "trackingCategoryRefs" not in lines[1]
    mixed = invoice(lines=(line(tracking=("London",)), line(3, tracking=("Leeds",))))
    assert codes(planned("qhyg", options, mixed, **known)) == ["tracking.document-wide"]
    both = invoice(lines=(line(tracking=("London", "Leeds")),))
    assert "tracking.same-kind" in codes(planned("qhyg", options, both, **known))


def test_xero_takes_two_tracking_categories_per_line(planned, invoice, line, sample_options, books):
    third = replace(books.tracking_categories[1], id=RecordId("col-r"), name="Red", parent_id=RecordId("col"))
    reference = replace(books, tracking_categories=(*books.tracking_categories, third))
    draft = invoice(lines=(line(tracking=("North", "Export", "Red")),))
    document = planned("gbol", sample_options("xero", "invoices"), draft, reference=reference)
    assert codes(document) == ["tracking.too-many"]


def test_a_line_discount_that_the_platform_does_not_take_is_held(planned, invoice, line, sample_options):
    draft = invoice(lines=(line(discount_percentage=Decimal(10)),))
    document = planned("pqsw", sample_options("quickbooks-desktop", "invoices"), draft)
    assert "platform.discount" in codes(document)


def test_tax_that_no_field_can_carry_is_held_not_lost(planned, invoice, sample_options):
    raw = sample_options("freeagent", "invoices")
    del raw["properties"]["lineItems"]["properties"]["taxAmount"]
    assert "platform.no-tax" in codes(planned("fbrh", raw, invoice()))


def test_options_that_offer_no_quantity_hold_the_invoice(planned, invoice, sample_options):
    raw = sample_options("xero", "invoices")
    del raw["properties"]["lineItems"]["properties"]["quantity"]
    assert "platform.no-amounts" in codes(planned("gbol", raw, invoice()))


def test_a_rate_whose_percentage_the_books_do_not_say_needs_a_stated_tax(
    planned, invoice, line, sample_options, mapping
):
    silent = Mapping({**mapping.slots, Slot.TAX_RATE: SlotMapping(Target(RecordId("SILENT"), "Foreign rate"))})
    options = sample_options("xero", "invoices")
    unknown = planned("gbol", options, invoice(lines=(line(tax_rate=None),)), mapping=silent)
    assert codes(unknown) == ["arithmetic.rate-unknown"]
    stated = invoice(lines=(line(tax_rate=None, tax_amount=Decimal("7.00")),))
    body = body_of(planned("gbol", options, stated, mapping=silent))
    assert body["lineItems"][0]["taxAmount"] == Decimal("7.00")


def test_a_marker_is_recognised_with_and_without_text_after_it():
    assert carries("INV-1", "INV-1")
    assert carries("INV-1 - PO-7", "INV-1")
    assert not carries("INV-10", "INV-1")
    assert not carries(None, "INV-1")
    assert list(carried_ids("A - B - C")) == ["A", "A - B", "A - B - C"]
