"""Invoices of a file become bodies, or findings that say why not."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.documents import PartyDraft
from codat_ar_cli.domain.drafting import BrokenDocument
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.plan import Disposition, KnownPush, plan_invoices
from codat_ar_cli.domain.types import Currency, DataType, RecordId

XERO, QBO = "gbol", "qhyg"
EUR = Currency("EUR")


@pytest.fixture
def plan(context, drafted):
    """Plan invoices: `plan(XERO, draft, …, known={…})`."""

    def run(key, *documents, index=None, findings=(), broken=(), **more):
        made = context(key, DataType.INVOICES, **more)
        return plan_invoices(drafted(*documents, findings=findings, broken=broken), made, index)

    return run


def only(plan):
    (document,) = plan.documents
    return document


def codes(document):
    return [finding.code for finding in document.findings]


def accepting(mapping, *names):
    return Mapping(mapping.slots, frozenset(names))


def test_an_invoice_becomes_the_body_that_the_platform_takes(plan, invoice, line):
    lines = (line(account="260", tracking=("South",)), line(3, quantity=Decimal("0.25"), unit_amount=Decimal("680.88")))
    document = only(plan(XERO, invoice(lines=lines)))
    assert document.disposition is Disposition.SEND
    assert document.total == Decimal("324.26")
    assert document.customer == "Acorn Bakery Ltd"
    assert jsontext.loads(document.body) == {
        "customerRef": {"id": "cus-1"},
        "invoiceNumber": "INV-1",
        "issueDate": "2026-05-01T00:00:00",
        "dueDate": "2026-05-31T00:00:00",
        "currency": "GBP",
        "status": "Submitted",
        "lineItems": [
            {
                "description": "Work",
                "quantity": 1,
                "unitAmount": Decimal("100.00"),
                "taxAmount": Decimal("20.00"),
                "accountRef": {"id": "acc-other"},
                "taxRateRef": {"id": "OUTPUT2"},
                "trackingCategoryRefs": [{"id": "reg-s"}],
            },
            {
                "description": "Work",
                "quantity": Decimal("0.25"),
                "unitAmount": Decimal("680.88"),
                "taxAmount": Decimal("34.04"),
                "accountRef": {"id": "acc-sales"},
                "taxRateRef": {"id": "OUTPUT2"},
            },
        ],
    }


def test_equal_content_gives_equal_text_whatever_the_spelling_of_numbers(plan, invoice, line):
    first = only(plan(XERO, invoice(lines=(line(quantity=Decimal("1.0"), unit_amount=Decimal("100")),))))
    second = only(plan(XERO, invoice(lines=(line(quantity=Decimal("1"), unit_amount=Decimal("100.000")),))))
    assert first.body == second.body
    assert first.content_hash == second.content_hash


def test_what_the_platform_does_not_take_holds_the_invoice_until_accepted(plan, invoice, mapping):
    document = only(plan(QBO, invoice()))
    assert document.disposition is Disposition.HELD
    assert document.body is None
    by_name = {finding.acceptable: finding for finding in document.findings}
    assert set(by_name) == {"invoices.invoiceNumber", "invoices.issueDate"}
    assert by_name["invoices.issueDate"].severity is Severity.HOLD
    assert by_name["invoices.issueDate"].hint == "codat-ar map accept invoices.issueDate"
    assert by_name["invoices.issueDate"].place == Place("invoices.csv", 2, "issue_date")


def test_what_was_accepted_is_one_note_for_the_file_and_the_number_goes_into_the_note(plan, invoice, mapping):
    accepted = accepting(mapping, "invoices.invoiceNumber", "invoices.issueDate")
    made = plan(QBO, invoice("INV-1", reference="PO-7", note="Thanks"), invoice("INV-2"), mapping=accepted)
    assert [document.disposition for document in made.documents] == [Disposition.SEND] * 2
    body = jsontext.loads(made.documents[0].body)
    assert body["note"] == "INV-1 - PO-7 - Thanks"
    assert "invoiceNumber" not in body
    assert "issueDate" not in body
    assert body["lineItems"][0]["itemRef"] == {"id": "item-1"}
    notes = [finding for finding in made.findings if finding.code == "platform.accepted"]
    assert len(notes) == 2
    assert all(finding.severity is Severity.NOTE and "2 documents" in finding.message for finding in notes)


def test_a_reference_that_xero_does_not_take_is_held_not_dropped(plan, invoice):
    document = only(plan(XERO, invoice(reference="PO-1")))
    assert document.disposition is Disposition.HELD
    (finding,) = document.findings
    assert finding.acceptable == "invoices.reference"
    assert "PO-1" in finding.message


def test_an_unknown_customer_is_an_error_that_names_the_nearest(plan, invoice):
    document = only(plan(XERO, invoice(customer=PartyDraft("Acorn Bakery Limited"))))
    (finding,) = [each for each in document.findings if each.code == "customer.unknown"]
    assert finding.severity is Severity.ERROR
    assert "Acorn Bakery Limited" in finding.message
    assert "`Acorn Bakery Ltd`" in finding.hint
    assert finding.place.column == "customer"


@pytest.mark.parametrize(
    "party",
    [
        PartyDraft("  acorn   BAKERY ltd"),
        PartyDraft("anything", id="cus-1"),
        PartyDraft("Acorn", email="AP@acorn.example"),
    ],
)
def test_a_customer_is_found_by_id_by_folded_name_or_by_email(plan, invoice, party):
    document = only(plan(XERO, invoice(customer=party)))
    assert jsontext.loads(document.body)["customerRef"] == {"id": "cus-1"}


def test_an_ambiguous_customer_is_an_error_that_a_partial_run_keeps_to_its_own_invoice(plan, invoice):
    twin, good = invoice("INV-1", customer=PartyDraft("Twin")), invoice("INV-2")
    whole, partial = plan(XERO, twin, good), plan(XERO, twin, good, partial=True)
    assert whole.to_send == ()
    assert [document.disposition for document in partial.documents] == [Disposition.HELD, Disposition.SEND]
    assert "cus-5" in whole.documents[0].findings[0].message


def test_an_archived_customer_is_named_as_archived(plan, invoice):
    assert "customer.archived" in codes(only(plan(XERO, invoice(customer=PartyDraft("Closed Shop")))))


def test_an_error_holds_the_whole_file_unless_a_partial_run_is_asked_for(plan, invoice):
    bad, good = invoice("INV-1", customer=PartyDraft("Nobody")), invoice("INV-2")
    whole = plan(XERO, bad, good)
    assert [document.disposition for document in whole.documents] == [Disposition.HELD] * 2
    assert whole.documents[1].body is None
    assert codes(whole.documents[1]) == ["plan.file-has-errors"]
    partial = plan(XERO, bad, good, partial=True)
    assert [document.disposition for document in partial.documents] == [Disposition.HELD, Disposition.SEND]


def test_a_broken_document_holds_the_file_and_its_findings_stand_in_the_plan(plan, invoice):
    finding = Finding("row.bad-date", Severity.ERROR, "no such day", Place("invoices.csv", 9), document="INV-9")
    broken = BrokenDocument("INV-9", (Place("invoices.csv", 9),), (finding,))
    made = plan(XERO, invoice(), findings=[finding], broken=[broken])
    assert finding in made.findings
    assert only(made).disposition is Disposition.HELD
    assert made.all_findings.count(finding) == 1


def test_an_unknown_account_is_never_replaced_by_the_default(plan, invoice, line):
    document = only(plan(XERO, invoice(lines=(line(account="999"),))))
    (finding,) = document.findings
    assert (finding.code, finding.severity) == ("mapping.income-account", Severity.ERROR)
    assert "`999`" in finding.message
    assert finding.hint == "codat-ar map set income-account --when account=999 ID"
    assert finding.place == Place("invoices.csv", 2, "account")


def test_a_number_that_is_one_records_id_and_anothers_code_is_never_chosen_between(plan, invoice, line, books):
    other = replace(books.accounts[4], id=RecordId("260"), name="Rent received", nominal_code="700")
    twofold = replace(books, accounts=(*books.accounts, other))
    (finding,) = only(plan(XERO, invoice(lines=(line(account="260"),)), reference=twofold)).findings
    assert (finding.code, finding.severity) == ("mapping.income-account", Severity.ERROR)
    assert "700 Rent received (id 260)" in finding.message
    assert "260 Other revenue (id acc-other)" in finding.message


def test_an_archived_account_in_a_row_is_named_as_such(plan, invoice, line):
    (finding,) = only(plan(XERO, invoice(lines=(line(account="270"),)))).findings
    assert "archived" in finding.message


def test_a_percentage_without_a_mapping_is_an_error_whether_something_charges_it_or_not(plan, invoice, line):
    nothing = only(plan(XERO, invoice(lines=(line(tax_rate="17.5"),))))
    unmapped = only(plan(XERO, invoice(lines=(line(tax_rate="5"),))))
    assert [(each.code, each.severity) for each in nothing.findings] == [("mapping.tax-rate", Severity.ERROR)]
    assert [(each.code, each.severity) for each in unmapped.findings] == [("mapping.tax-rate", Severity.ERROR)]
    assert unmapped.findings[0].hint == "codat-ar map set tax-rate --when tax_rate=5 REDUCED"


def test_an_account_on_an_item_platform_needs_a_rule(plan, invoice, line, mapping):
    draft = invoice(lines=(line(account="200"),))
    accepted = accepting(mapping, "invoices.invoiceNumber", "invoices.issueDate")
    held = only(plan(QBO, draft, mapping=accepted))
    assert [(each.code, each.severity) for each in held.findings] == [("mapping.item", Severity.ERROR)]
    assert held.findings[0].hint == "codat-ar map set item --when account=200 ID"
    rule = Rule((("Account", (" 200 ",)),), Target(RecordId("item-2"), "Goods"))
    answers = SlotMapping(mapping.slot(Slot.ITEM).default, (rule,))
    ruled = Mapping({**mapping.slots, Slot.ITEM: answers}, accepted.accepted)
    sent = only(plan(QBO, draft, mapping=ruled))
    assert jsontext.loads(sent.body)["lineItems"][0]["itemRef"] == {"id": "item-2"}


def test_a_mapped_record_that_is_gone_holds_and_says_so(plan, invoice, mapping):
    broken = Mapping({**mapping.slots, Slot.INCOME_ACCOUNT: SlotMapping(Target(RecordId("acc-x"), "Was here"))})
    document = only(plan(XERO, invoice(), mapping=broken))
    assert codes(document) == ["mapping.gone"]


def test_a_wrong_stated_total_is_an_error_with_both_figures(plan, invoice):
    (finding,) = only(plan(XERO, invoice(stated_total=Decimal("121.00")))).findings
    assert finding.code == "arithmetic.total"
    assert "121.00 GBP" in finding.message
    assert "120.00 GBP" in finding.message


def test_an_invoice_that_comes_to_nothing_is_said(plan, invoice, line):
    crumb = line(quantity=Decimal("0.0001"), unit_amount=Decimal("1.00"))
    document = only(plan(XERO, invoice(lines=(crumb,))))
    assert document.disposition is Disposition.SEND
    assert [(one.code, one.severity) for one in document.findings] == [("document.zero-total", Severity.WARNING)]


def test_what_is_dated_in_a_locked_period_is_held(plan, invoice):
    document = only(plan(XERO, invoice(issue_date=dt.date(2025, 12, 31))))
    assert "books.locked" in codes(document)


def test_a_foreign_currency_needs_a_rate_where_the_platform_needs_one(plan, invoice, mapping):
    accepted = accepting(mapping, "invoices.invoiceNumber", "invoices.issueDate")
    draft = invoice(currency=EUR, customer=PartyDraft("Schröder & Grüber GmbH"))
    held = only(plan(QBO, draft, mapping=accepted))
    assert codes(held) == ["currency.rate-missing"]
    sent = only(plan(QBO, draft, mapping=accepted, rates={EUR: Decimal("0.85")}))
    assert jsontext.loads(sent.body)["currencyRate"] == Decimal("0.85")
    own = only(plan(QBO, replace(draft, currency_rate=Decimal("0.9")), mapping=accepted, rates={EUR: Decimal("0.85")}))
    assert jsontext.loads(own.body)["currencyRate"] == Decimal("0.9")


def test_xero_takes_its_own_rate_of_the_day(plan, invoice):
    body = jsontext.loads(only(plan(XERO, invoice(currency=EUR))).body)
    assert body["currency"] == "EUR"
    assert "currencyRate" not in body


def test_no_rate_is_guessed_where_the_base_currency_is_not_known(plan, invoice, mapping, books):
    unsaid = replace(books, company_info=replace(books.company_info, base_currency=None))
    accepted = accepting(mapping, "invoices.invoiceNumber", "invoices.issueDate")
    held = only(plan(QBO, invoice(), mapping=accepted, reference=unsaid))
    assert codes(held) == ["currency.rate-missing"]
    assert "the books don't say theirs" in held.findings[0].message
    stated = only(plan(QBO, invoice(currency_rate=Decimal("1.25")), mapping=accepted, reference=unsaid))
    assert jsontext.loads(stated.body)["currencyRate"] == Decimal("1.25")


def test_a_rate_other_than_one_for_the_base_currency_is_an_error(plan, invoice):
    assert "currency.base-rate" in codes(only(plan(XERO, invoice(currency_rate=Decimal("1.1")))))


def known(draft, state, record="rec-1", content_hash=None):
    return {draft.source_id: KnownPush(state, content_hash or draft.content_hash(), RecordId(record), "run-1")}


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        (State.SUCCEEDED, Disposition.DONE),
        (State.SENDING, Disposition.UNDER_WAY),
        (State.PENDING, Disposition.UNDER_WAY),
        (State.IN_DOUBT, Disposition.UNDER_WAY),
        (State.PLANNED, Disposition.SEND),
        (State.HELD, Disposition.SEND),
        (State.REJECTED, Disposition.SEND),
    ],
)
def test_the_same_content_again_is_done_resumed_or_planned_anew(plan, invoice, state, fate):
    draft = invoice()
    document = only(plan(XERO, draft, known=known(draft, state)))
    assert document.disposition is fate
    assert (document.body is not None) is (fate is Disposition.SEND)
    assert document.findings == ()


def test_other_content_under_a_pushed_number_is_held_as_a_change(plan, invoice):
    draft = invoice()
    document = only(plan(XERO, draft, known=known(draft, State.SUCCEEDED, content_hash="other")))
    assert document.disposition is Disposition.HELD
    assert codes(document) == ["ledger.changed"]
    assert "rec-1" in document.findings[0].message


def test_a_corrected_row_of_a_rejected_invoice_is_planned(plan, invoice):
    draft = invoice()
    document = only(plan(XERO, draft, known=known(draft, State.REJECTED, content_hash="other")))
    assert document.disposition is Disposition.SEND


def test_a_done_invoice_has_no_errors_of_its_own(plan, invoice, index, open_invoice):
    draft = invoice(customer=PartyDraft("Closed Shop"))
    books = index(open_invoice("rec-1", "INV-1", "0.00", status="Paid"))
    made = plan(XERO, draft, invoice("INV-2"), known=known(draft, State.SUCCEEDED), index=books)
    assert [document.disposition for document in made.documents] == [Disposition.DONE, Disposition.SEND]
    assert made.documents[0].total == Decimal("120.00")


def test_a_number_that_the_books_already_have_is_held(plan, invoice, index, open_invoice):
    books = index(open_invoice("rec-9", "inv-1 ", "10.00"))
    document = only(plan(XERO, invoice(), index=books))
    assert codes(document) == ["books.duplicate"]
    assert "rec-9" in document.findings[0].message


def test_a_number_that_only_a_void_invoice_has_is_free(plan, invoice, index, open_invoice):
    books = index(open_invoice("rec-9", "INV-1", "0.00", status="Void"))
    assert only(plan(XERO, invoice(), index=books)).disposition is Disposition.SEND


def test_a_marker_in_a_note_counts_as_the_number(plan, invoice, index, open_invoice, mapping):
    accepted = accepting(mapping, "invoices.invoiceNumber", "invoices.issueDate")
    books = index(open_invoice("rec-9", None, "10.00", note="INV-1 - PO-7"), key=QBO)
    assert codes(only(plan(QBO, invoice(), mapping=accepted, index=books))) == ["books.duplicate"]


def test_two_tracking_categories_of_one_heading_are_held_on_xero(plan, invoice, line):
    same = only(plan(XERO, invoice(lines=(line(tracking=("North", "South")),))))
    assert codes(same) == ["tracking.same-parent"]
    different = only(plan(XERO, invoice(lines=(line(tracking=("North", "Export")),))))
    assert different.disposition is Disposition.SEND


def test_a_third_tracking_category_is_held_on_xero(plan, invoice, line):
    crowded = line(tracking=("North", "South", "Export"))
    assert "tracking.too-many" in codes(only(plan(XERO, invoice(lines=(crowded,)))))


def test_a_rule_that_gives_a_stated_percentage_another_is_said(plan, invoice, line):
    mapped = Rule((("tax_rate", ("20",)),), Target(RecordId("REDUCED"), "5% (VAT on Income)"))
    slots = Mapping(
        {
            Slot.INCOME_ACCOUNT: SlotMapping(Target(RecordId("acc-sales"), "Sales")),
            Slot.TAX_RATE: SlotMapping(None, (mapped,)),
        }
    )
    document = only(plan(XERO, invoice(lines=(line(tax_rate="20"),)), mapping=slots))
    assert [(one.code, one.severity) for one in document.findings] == [("mapping.tax-differs", Severity.WARNING)]


def test_a_heading_is_no_tracking_category_to_write(plan, invoice, line):
    (finding,) = only(plan(XERO, invoice(lines=(line(tracking=("Region",)),)))).findings
    assert finding.code == "mapping.tracking"
    assert "heading" in finding.message


def test_a_discount_amount_goes_to_xero_as_the_percentage_that_comes_to_the_same(plan, invoice, line):
    draft = invoice(lines=(line(discount_amount=Decimal("12.50")),))
    body = jsontext.loads(only(plan(XERO, draft)).body)
    assert body["lineItems"][0]["discountPercentage"] == Decimal("12.5")
    odd = invoice(lines=(line(unit_amount=Decimal("9999999.99"), discount_amount=Decimal("0.01")),))
    assert codes(only(plan(XERO, odd))) == ["platform.discount"]


def test_a_description_that_is_too_long_is_found_before_sending(plan, invoice, line, sample_options):
    from codat_ar_cli.domain.options import parse_options

    options = parse_options(sample_options("xero", "invoices"))
    document = only(plan(XERO, invoice(lines=(line(description="x" * 4001),)), options=options))
    (finding,) = document.findings
    assert finding.code == "options.too-long"
    assert finding.place == Place("invoices.csv", 2, "line_description")


def test_a_missing_due_date_is_found_by_the_options(plan, invoice):
    (finding,) = only(plan(XERO, invoice(due_date=None))).findings
    assert (finding.code, finding.place.column) == ("options.required", "due_date")


def test_a_rule_by_another_column_must_not_change_the_tax_that_the_row_states(plan, invoice, line, mapping):
    rule = Rule((("country", ("DE",)),), Target(RecordId("ZERORATED"), "Zero rated income"))
    answers = SlotMapping(mapping.slot(Slot.TAX_RATE).default, (rule,))
    ruled = Mapping({**mapping.slots, Slot.TAX_RATE: answers})
    draft = invoice(lines=(line(cells={"Country": "de ", "tax_rate": "20"}),))
    assert codes(only(plan(XERO, draft, mapping=ruled))) == ["mapping.tax-rate"]
    silent = invoice(lines=(line(tax_rate=None, cells={"Country": "de "}),))
    body = jsontext.loads(only(plan(XERO, silent, mapping=ruled)).body)
    assert body["lineItems"][0]["taxRateRef"] == {"id": "ZERORATED"}
