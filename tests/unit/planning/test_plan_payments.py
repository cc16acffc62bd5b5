"""Payments of a file find their invoices, their account and their sums, or say why not."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.allocating import Claim
from codat_ar_cli.domain.documents import AllocationDraft, PartyDraft
from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.payload import paid_invoices
from codat_ar_cli.domain.plan import Disposition, KnownPush, plan_payments
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import Currency, DataType, PlatformKey, RecordId

XERO, QBO = "gbol", "qhyg"
EUR = Currency("EUR")


@pytest.fixture
def receivables(index, open_invoice):
    """INV-1 with 120.00 due, INV-2 with 80.00; one of another customer, a draft, a paid one, a doubled number."""

    def make(key, **more):
        return index(
            open_invoice("i-1", "INV-1", "120.00"),
            open_invoice("i-2", "INV-2", "80.00"),
            open_invoice("i-3", "INV-3", "50.00", customer_id=RecordId("cus-2"), customer_name="Birchwood Builders"),
            open_invoice("i-4", "INV-4", "50.00", status="Draft"),
            open_invoice("i-5", "INV-5", "0.00", status="Paid"),
            open_invoice("i-6", "INV-6", "70.00", currency=EUR),
            open_invoice("i-7", "TWICE", "10.00"),
            open_invoice("i-8", "twice", "10.00"),
            key=key,
            **more,
        )

    return make


@pytest.fixture
def plan(context, drafted, receivables):
    """Plan payments: `plan(XERO, draft, …, partial=True)`."""

    def run(key, *documents, fees=None, invoices=None, **more):
        made = context(key, DataType.PAYMENTS, **more)
        return plan_payments(drafted(*documents, fees=fees), made, invoices or receivables(key))

    return run


def only(plan):
    (document,) = plan.documents
    return document


def codes(document):
    return [finding.code for finding in document.findings]


def lines_of(document):
    return jsontext.loads(document.body)["lines"]


def assert_sums_hold(body):
    for line in body["lines"]:
        assert line["amount"] + sum(link["amount"] for link in line["links"]) == 0
    assert sum(line["amount"] for line in body["lines"]) == body["totalAmount"]


def test_a_full_payment_becomes_the_body_of_the_reference(plan, payment):
    document = only(plan(XERO, payment("PMT-1", "120.00", "inv-1")))
    assert document.disposition is Disposition.SEND
    assert document.label == "PMT-1 for inv-1"
    body = jsontext.loads(document.body)
    assert_sums_hold(body)
    assert body == {
        "customerRef": {"id": "cus-1"},
        "accountRef": {"id": "acc-bank"},
        "totalAmount": Decimal("120.00"),
        "currency": "GBP",
        "date": "2026-05-20T00:00:00",
        "reference": "PMT-1",
        "lines": [
            {
                "amount": Decimal("120.00"),
                "links": [{"type": "Invoice", "id": "i-1", "amount": Decimal("-120.00")}],
            }
        ],
    }


def test_a_part_payment_leaves_the_rest_due(plan, payment):
    assert only(plan(XERO, payment("PMT-1", "20.00", "INV-1"))).disposition is Disposition.SEND


def test_two_halves_of_one_file_fit_and_a_third_does_not(plan, payment):
    halves = [payment(f"PMT-{number}", "60.00", "INV-1") for number in (1, 2)]
    assert len(plan(XERO, *halves).to_send) == 2
    made = plan(XERO, *halves, payment("PMT-3", "0.01", "INV-1"), partial=True)
    assert [document.disposition for document in made.documents] == [Disposition.SEND] * 2 + [Disposition.HELD]
    (finding,) = made.documents[2].findings
    assert "0.00 GBP after the earlier payments" in finding.message


def test_paying_more_than_is_due_is_an_error_that_names_both(plan, payment):
    (finding,) = only(plan(XERO, payment("PMT-1", "170.00", "INV-1"))).findings[:1]
    assert (finding.code, finding.severity) == ("payment.exceeds-due", Severity.ERROR)
    assert "170.00 GBP" in finding.message
    assert "120.00 GBP" in finding.message
    assert finding.hint == "correct the amount: Xero has no payments on account"


def test_an_overpayment_goes_on_account_where_asked_for_and_offered(plan, payment):
    draft = payment("PMT-1", "170.00", "INV-1")
    document = only(plan(QBO, draft, overpayment_on_account=True))
    body = jsontext.loads(document.body)
    assert_sums_hold(body)
    links = [line["links"][0] for line in body["lines"]]
    assert links == [
        {"type": "Invoice", "id": "i-1", "amount": Decimal("-120.00")},
        {"type": "PaymentOnAccount", "id": "cus-1", "amount": Decimal("-50.00")},
    ]
    refused = only(plan(XERO, draft, overpayment_on_account=True))
    assert codes(refused)[0] == "payment.exceeds-due"
    assert "no payments on account" in refused.findings[0].hint


def test_several_invoices_without_amounts_are_paid_when_their_dues_add_up(plan, payment):
    body = jsontext.loads(only(plan(XERO, payment("PMT-1", "200.00", "INV-1", "INV-2"))).body)
    assert_sums_hold(body)
    assert [line["amount"] for line in body["lines"]] == [Decimal("120.00"), Decimal("80.00")]


def test_several_invoices_without_amounts_that_do_not_add_up_ask_for_the_split(plan, payment):
    (finding,) = only(plan(XERO, payment("PMT-1", "150.00", "INV-1", "INV-2"))).findings[:1]
    assert (finding.code, finding.severity) == ("payment.split-unknown", Severity.ERROR)
    assert "allocated_amount" in finding.hint


def test_stated_amounts_are_taken_and_their_rest_goes_on_account(plan, payment):
    document = only(plan(QBO, payment("PMT-1", "100.00", ("INV-1", "60.00"), ("INV-2", "30.00"))))
    body = jsontext.loads(document.body)
    assert_sums_hold(body)
    assert [line["links"][0]["type"] for line in body["lines"]] == ["Invoice", "Invoice", "PaymentOnAccount"]
    assert body["lines"][2]["amount"] == Decimal("10.00")


def test_more_stated_than_received_is_an_error(plan, payment):
    document = only(plan(QBO, payment("PMT-1", "80.00", ("INV-1", "60.00"), ("INV-2", "30.00"))))
    assert codes(document)[0] == "payment.over-allocated"


def test_money_without_an_invoice_goes_on_account_where_offered(plan, payment):
    document = only(plan(QBO, payment("PMT-1", "129.00")))
    assert document.label == "PMT-1 on account"
    assert lines_of(document) == [
        {
            "amount": Decimal("129.00"),
            "links": [{"type": "PaymentOnAccount", "id": "cus-1", "amount": Decimal("-129.00")}],
        }
    ]


def test_money_without_an_invoice_is_held_with_its_reason_where_not_offered(plan, payment):
    made = plan(XERO, payment("PMT-1", "129.00"), payment("PMT-2", "80.00", "INV-2"))
    assert [document.disposition for document in made.documents] == [Disposition.HELD, Disposition.SEND]
    (finding,) = made.documents[0].findings
    assert (finding.code, finding.severity) == ("payment.on-account-not-offered", Severity.HOLD)
    assert "Xero" in finding.message
    assert "129.00 GBP" in finding.message
    assert finding.hint


def test_a_refund_is_held_and_said_to_be_not_pushed_yet(plan, payment):
    (finding,) = only(plan(XERO, payment("PMT-1", "-10.00", "INV-1"))).findings
    assert (finding.code, finding.severity) == ("payment.refund", Severity.HOLD)
    assert "not pushed yet" in finding.message


@pytest.mark.parametrize(
    ("number", "code", "severity"),
    [
        ("INV-99", "payment.unknown-invoice", Severity.ERROR),
        ("INV-3", "payment.other-customer", Severity.ERROR),
        ("INV-4", "payment.not-payable", Severity.ERROR),
        ("INV-5", "payment.exceeds-due", Severity.ERROR),
        ("INV-6", "payment.currency", Severity.ERROR),
        ("TWICE", "payment.ambiguous-invoice", Severity.ERROR),
    ],
)
def test_an_invoice_that_cannot_be_paid_is_named(plan, payment, number, code, severity):
    finding = only(plan(XERO, payment("PMT-1", "50.00", number))).findings[0]
    assert (finding.code, finding.severity) == (code, severity)
    assert number in finding.message or number.lower() in finding.message
    assert finding.place.source == "payments.csv"


def test_an_ambiguous_number_lists_the_ids(plan, payment):
    finding = only(plan(XERO, payment("PMT-1", "10.00", "TWICE"))).findings[0]
    assert "i-7" in finding.message
    assert "i-8" in finding.message


def test_an_invoice_id_wins_over_the_number(plan, payment):
    draft = payment("PMT-1", "10.00", "TWICE")
    named = replace(draft, allocations=(AllocationDraft(Place("payments.csv", 2), "TWICE", "i-8"),))
    assert lines_of(only(plan(XERO, named)))[0]["links"][0]["id"] == "i-8"


def test_an_invoice_is_found_by_the_marker_in_its_note(plan, payment, index, open_invoice):
    invoices = index(open_invoice("q-1", None, "120.00", note="INV-1 - PO-9"), key=QBO)
    document = only(plan(QBO, payment("PMT-1", "120.00", "INV-1"), invoices=invoices))
    assert lines_of(document)[0]["links"][0]["id"] == "q-1"


def test_an_invoice_is_found_by_what_the_ledger_pushed(plan, payment, index, open_invoice):
    invoices = index(open_invoice("q-1", None, "120.00"), key=QBO, pushed={"INV-1": [RecordId("q-1")]})
    document = only(plan(QBO, payment("PMT-1", "120.00", "INV-1"), invoices=invoices))
    assert lines_of(document)[0]["links"][0]["id"] == "q-1"


def test_a_pushed_invoice_that_the_books_do_not_show_yet_asks_for_a_fetch(plan, payment, index):
    invoices = index(key=QBO, pushed={"INV-1": [RecordId("q-1")]})
    finding = only(plan(QBO, payment("PMT-1", "120.00", "INV-1"), invoices=invoices)).findings[0]
    assert (finding.code, finding.severity) == ("payment.invoice-not-fetched", Severity.HOLD)
    assert "--refresh" in finding.hint


def test_a_done_payment_of_a_paid_invoice_has_no_errors(plan, payment):
    draft = payment("PMT-1", "50.00", "INV-5")
    known = {"PMT-1": KnownPush(State.SUCCEEDED, draft.content_hash(), RecordId("p-1"), "run-1")}
    made = plan(XERO, draft, payment("PMT-2", "80.00", "INV-2"), known=known)
    assert [document.disposition for document in made.documents] == [Disposition.DONE, Disposition.SEND]
    assert made.documents[0].findings == ()


def test_a_payment_waits_for_one_under_way_that_may_take_the_same_money(plan, payment):
    claims = {RecordId("i-1"): (Claim(Decimal("100.00"), "`PMT-1` (pending, run R1)"),)}
    fits, waits = payment("PMT-2", "20.00", "INV-1"), payment("PMT-3", "20.00", "INV-1")
    made = plan(XERO, fits, waits, claims=claims)
    assert [document.disposition for document in made.documents] == [Disposition.SEND, Disposition.HELD]
    assert codes(made.documents[1]) == ["payment.under-way"]
    assert "`PMT-1` (pending, run R1)" in made.documents[1].findings[0].message


def test_what_a_payment_claims_is_read_from_the_body_that_is_sent(plan, payment):
    body = only(plan(XERO, payment("PMT-1", "150.00", ("INV-1", "100.00"), ("INV-2", "50.00")))).body
    assert paid_invoices(body) == {"i-1": Decimal("100.00"), "i-2": Decimal("50.00")}


def test_an_invoice_that_an_earlier_run_left_unfinished_is_waited_for(plan, payment, index):
    sent = index(under_way={"INV-9": State.IN_DOUBT})
    finding = only(plan(XERO, payment("PMT-1", "10.00", "INV-9"), invoices=sent)).findings[0]
    assert (finding.code, finding.severity) == ("payment.invoice-under-way", Severity.HOLD)
    assert "in doubt" in finding.message


def test_the_account_must_be_in_the_payments_or_the_base_currency(plan, payment, mapping, index, open_invoice):
    euro = Target(RecordId("acc-euro"), "Euro account")
    changed = Mapping({**mapping.slots, Slot.BANK_ACCOUNT: SlotMapping(euro)})
    assert codes(only(plan(XERO, payment("PMT-1", "120.00", "INV-1"), mapping=changed))) == ["payment.account-currency"]
    in_euro = only(plan(XERO, payment("PMT-1", "70.00", "INV-6", currency=EUR), mapping=changed))
    assert in_euro.disposition is Disposition.SEND


def test_an_account_in_another_currency_waits_where_the_base_currency_is_not_known(plan, payment, books):
    unsaid = replace(books, company_info=replace(books.company_info, base_currency=None))
    document = only(plan(XERO, payment("PMT-1", "70.00", "INV-6", currency=EUR), reference=unsaid))
    assert [(one.code, one.severity) for one in document.findings] == [("payment.account-currency", Severity.HOLD)]


def test_a_rule_chooses_the_account_by_currency(plan, payment, mapping):
    default = mapping.slot(Slot.BANK_ACCOUNT).default
    rule = Rule((("currency", ("EUR",)),), Target(RecordId("acc-euro"), "Euro account"))
    ruled = Mapping({**mapping.slots, Slot.BANK_ACCOUNT: SlotMapping(default, (rule,))})
    draft = payment("PMT-1", "70.00", "INV-6", currency=EUR, cells={"currency": "eur"})
    assert jsontext.loads(only(plan(XERO, draft, mapping=ruled)).body)["accountRef"] == {"id": "acc-euro"}


def test_a_method_that_the_books_have_is_sent_and_another_needs_leave(plan, payment, mapping):
    sent = only(plan(QBO, payment("PMT-1", "80.00", "INV-2", method="bank transfer")))
    assert jsontext.loads(sent.body)["paymentMethodRef"] == {"id": "pm-1"}
    held = only(plan(QBO, payment("PMT-1", "80.00", "INV-2", method="card")))
    assert [(each.code, each.acceptable) for each in held.findings] == [("mapping.payment-method", "payments.method")]
    accepted = Mapping(mapping.slots, frozenset({"payments.method"}))
    allowed = only(plan(QBO, payment("PMT-1", "80.00", "INV-2", method="card"), mapping=accepted))
    assert "paymentMethodRef" not in jsontext.loads(allowed.body)


def test_a_method_where_the_platform_keeps_none_is_noted_once_and_holds_nothing(plan, payment):
    planned = plan(
        XERO, payment("PMT-1", "80.00", "INV-2", method="card"), payment("PMT-2", "10.00", "INV-1", method="cash")
    )
    assert [document.disposition for document in planned.documents] == [Disposition.SEND, Disposition.SEND]
    (note,) = [finding for finding in planned.findings if finding.code == "payment.method-not-kept"]
    assert note.message.endswith("(2 documents)")


def test_the_note_follows_the_payment_id_in_the_marker(plan, payment):
    document = only(plan(QBO, payment("PMT-1", "80.00", "INV-2", note="thanks", reference="R-1")))
    assert jsontext.loads(document.body)["note"] == "PMT-1 - R-1 - thanks"


def test_fees_are_noted_with_their_sum(plan, payment):
    made = plan(XERO, payment("PMT-1", "80.00", "INV-2"), fees={Currency("GBP"): Decimal("3.05")})
    (finding,) = made.findings
    assert finding.severity is Severity.NOTE
    assert "3.05 GBP" in finding.message


def test_an_unknown_payer_is_an_error(plan, payment):
    document = only(plan(XERO, payment("PMT-1", "80.00", "INV-2", customer=PartyDraft("Nobody"))))
    assert "customer.unknown" in codes(document)


def test_a_void_invoice_of_the_same_number_does_not_make_it_ambiguous(plan, payment, index, open_invoice):
    invoices = index(open_invoice("i-1", "INV-1", "120.00", status="Void"), open_invoice("i-2", "INV-1", "120.00"))
    document = only(plan(XERO, payment("PMT-1", "120.00", "INV-1"), invoices=invoices))
    assert lines_of(document)[0]["links"][0]["id"] == "i-2"


def test_a_payment_dated_in_the_future_is_said(plan, payment):
    document = only(plan(XERO, payment("PMT-1", "120.00", "INV-1", date=dt.date(2062, 5, 20))))
    assert document.disposition is Disposition.SEND
    assert [(one.code, one.severity) for one in document.findings] == [("payment.in-future", Severity.WARNING)]
    tomorrow = only(plan(XERO, payment("PMT-1", "120.00", "INV-1", date=dt.date(2026, 6, 2))))
    assert tomorrow.findings == ()


def test_what_is_due_counts_not_what_was_billed(plan, payment, index, open_invoice):
    part_paid = index(open_invoice("i-1", "INV-1", "20.00", total_amount=Decimal("120.00"), status="PartiallyPaid"))
    assert codes(only(plan(XERO, payment("PMT-1", "20.01", "INV-1"), invoices=part_paid))) == ["payment.exceeds-due"]


def test_an_invoice_deleted_in_the_books_is_unknown(plan, payment, index, open_invoice):
    gone = index(open_invoice("i-1", "INV-1", "20.00", is_deleted=True))
    assert codes(only(plan(XERO, payment("PMT-1", "20.00", "INV-1"), invoices=gone))) == ["payment.unknown-invoice"]


def test_texts_that_the_marker_field_has_no_room_for_are_not_cut(plan, payment, context):
    sage = context(QBO, DataType.PAYMENTS, platform=rules_for(PlatformKey("tgff"))).platform
    long_note = only(plan(QBO, payment("PMT-1", "120.00", "INV-1", note="paid by bank transfer"), platform=sage))
    assert codes(long_note) == ["platform.not-taken"]
    assert "room for 25 characters" in long_note.findings[0].message
    long_id = only(plan(QBO, payment("P" * 26, "120.00", "INV-1"), platform=sage))
    assert codes(long_id) == ["marker.too-long"]


def test_a_payment_of_zero_is_an_error(plan, payment):
    (finding,) = only(plan(XERO, payment("PMT-1", "0.00", "INV-1"))).findings
    assert (finding.code, finding.severity) == ("payment.zero", Severity.ERROR)
