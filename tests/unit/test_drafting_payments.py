"""Payment rows into receipts and what they pay."""

from decimal import Decimal
from pathlib import Path

import pytest

from codat_ar_cli.domain.documents import PaymentDraft, Row
from codat_ar_cli.domain.drafting import Drafted, draft_payments
from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.layouts import PAYMENTS
from codat_ar_cli.files.readers import read_table

DATA = Path(__file__).parents[1] / "data"
GOOD = {"payment_id": "P-1", "date": "2026-06-10", "amount": "100.00", "currency": "GBP", "customer": "Acorn"}


def draft(*changes: dict[str, str]) -> Drafted[PaymentDraft]:
    rows = [Row(Place("p.csv", line), {**GOOD, **change}) for line, change in enumerate(changes, start=2)]
    return draft_payments(rows, source="p.csv", columns=[*GOOD, *changes[0]])


def draft_file(path: Path) -> Drafted[PaymentDraft]:
    table = read_table(path, PAYMENTS)
    return draft_payments(table.rows, source=table.name, columns=table.canonical)


def allocations(payment: PaymentDraft) -> list[tuple[str | None, Decimal | None]]:
    return [(part.invoice_number, part.amount) for part in payment.allocations]


def test_one_invoice_without_a_stated_amount_takes_the_payment():
    (payment,) = draft({"invoice_number": "INV-1", "fee": "1.20"}).documents

    assert allocations(payment) == [("INV-1", None)]
    assert (payment.amount, payment.fee) == (Decimal("100.00"), Decimal("1.20"))


def test_without_an_invoice_the_payment_is_on_account():
    (payment,) = draft({"invoice_number": ""}).documents

    assert payment.allocations == ()


def test_rows_of_one_payment_id_are_its_allocations_and_the_money_counts_once():
    drafted = draft_file(DATA / "payments_several_invoices.csv")

    first, second, third = drafted.documents
    assert allocations(first) == [("INV-1", Decimal("300.00")), ("INV-2", Decimal("150.00")), (None, Decimal("50.00"))]
    assert allocations(second) == [("INV-4", None), ("INV-5", None)]
    assert third.allocations == ()
    assert drafted.totals.amounts == {"GBP": Decimal("585.00")}
    assert drafted.totals.fees == {"GBP": Decimal("1.20")}
    assert (drafted.totals.rows, drafted.totals.documents) == (5, 3)


def test_nested_json_says_the_same_as_flat_csv():
    from_csv = {p.payment_id: p for p in draft_file(DATA / "payments_several_invoices.csv").documents}

    for payment in draft_file(DATA / "payments_nested.json").documents:
        twin = from_csv[payment.payment_id]
        assert allocations(payment) == allocations(twin)
        assert (payment.amount, payment.fee, payment.date) == (twin.amount, twin.fee, twin.date)


def test_an_invoice_id_is_kept_whole_whatever_it_contains():
    (payment,) = draft({"invoice_id": "a;b|c/d"}).documents

    assert payment.allocations[0].invoice_id == "a;b|c/d"


def test_a_refund_is_a_negative_payment():
    (payment,) = draft({"amount": "-100.00", "invoice_number": "INV-1", "allocated_amount": "-40.00"}).documents

    assert allocations(payment) == [("INV-1", Decimal("-40.00"))]


MISTAKES = [
    ([{"payment_id": ""}], "row.required", 2, "payment_id"),
    ([{"date": "2026-13-01"}], "row.bad-date", 2, "date"),
    ([{"amount": "0.00"}], "row.zero-amount", 2, "amount"),
    ([{"amount": "10.001"}], "row.too-many-decimals", 2, "amount"),
    ([{"fee": "-1.00"}], "row.negative-fee", 2, "fee"),
    ([{"invoice_number": "INV-1", "allocated_amount": "0"}], "payment.zero-allocation", 2, "allocated_amount"),
    ([{"invoice_number": "INV-1", "allocated_amount": "-5"}], "payment.allocation-sign", 2, "allocated_amount"),
    ([{"invoice_number": "INV-1", "allocated_amount": "100.01"}], "payment.over-allocated", 2, "allocated_amount"),
    (
        [
            {"invoice_number": "INV-1", "allocated_amount": "60.00"},
            {"invoice_number": "INV-2", "allocated_amount": "40.01"},
        ],
        "payment.over-allocated",
        3,
        "allocated_amount",
    ),
    (
        [{"invoice_number": "INV-1;INV-2", "allocated_amount": "60.00"}],
        "payment.one-for-several",
        2,
        "allocated_amount",
    ),
    ([{"invoice_number": "INV-1;INV-2", "invoice_id": "7"}], "payment.one-for-several", 2, "invoice_id"),
    (
        [{"invoice_number": "INV-1", "allocated_amount": "60.00"}, {"invoice_number": "INV-2"}],
        "payment.unstated-allocation",
        3,
        "allocated_amount",
    ),
    ([{"invoice_number": "INV-1"}, {"invoice_number": ""}], "payment.unstated-allocation", 3, "allocated_amount"),
    ([{"invoice_number": "INV-1"}, {"invoice_number": "INV-1"}], "payment.repeated-invoice", 3, "invoice_number"),
    (
        [{"invoice_number": "INV-1", "amount": "60.00"}, {"invoice_number": "INV-2", "amount": "40.00"}],
        "document.conflict",
        3,
        "amount",
    ),
    (
        [{"invoice_number": "INV-1"}, {"invoice_number": "INV-2", "customer": "B"}],
        "document.number-reused",
        3,
        "customer",
    ),
]


@pytest.mark.parametrize(("changes", "code", "line", "column"), MISTAKES)
def test_one_mistake_is_one_finding_where_it_stands(changes, code, line, column):
    drafted = draft(*changes, {"payment_id": "P-GOOD"})

    (finding,) = drafted.findings
    assert (finding.code, finding.severity) == (code, Severity.ERROR)
    assert finding.place == Place("p.csv", line, column)
    assert [payment.payment_id for payment in drafted.documents] == ["P-GOOD"]
    assert len(drafted.broken[0].places) == len(changes)


def test_amounts_per_row_are_answered_with_the_column_that_is_meant():
    (finding,) = draft({"invoice_number": "A", "amount": "60"}, {"invoice_number": "B", "amount": "40"}).findings

    assert "`allocated_amount`" in str(finding.hint)


def test_the_samples_draft_without_a_word(shared):
    for name in ("payments.csv", "payments.json"):
        drafted = draft_file(shared / "samples" / name)
        assert drafted.findings == ()
        assert not drafted.broken
