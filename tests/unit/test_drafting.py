"""Rows into drafts: what good rows become, and how each kind of mistake is found, once, where it stands."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from codat_ar_cli.domain.documents import InvoiceDraft, Row
from codat_ar_cli.domain.drafting import Drafted, draft_invoices
from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.layouts import INVOICES
from codat_ar_cli.files.readers import read_table

DATA = Path(__file__).parents[1] / "data"
GOOD = {
    "invoice_number": "INV-1",
    "customer": "Acorn Bakery Ltd",
    "issue_date": "2026-05-01",
    "due_date": "2026-05-31",
    "currency": "GBP",
    "line_description": "Bread",
    "quantity": "2",
    "unit_price": "10.00",
    "tax_rate": "20",
}


def draft(*changes: dict[str, str]) -> Drafted[InvoiceDraft]:
    rows = [Row(Place("i.csv", line), {**GOOD, **change}) for line, change in enumerate(changes, start=2)]
    return draft_invoices(rows, source="i.csv", columns=[*GOOD, *changes[0]])


def draft_file(path: Path) -> Drafted[InvoiceDraft]:
    table = read_table(path, INVOICES)
    return draft_invoices(table.rows, source=table.name, columns=table.canonical)


def test_a_row_becomes_an_invoice_with_exact_values():
    drafted = draft({"customer_email": "ap@acorn.example", "tracking": "North| Red;", "currency_rate": "0.781"})

    (invoice,) = drafted.documents
    assert (invoice.number, invoice.customer.name, invoice.currency) == ("INV-1", "Acorn Bakery Ltd", "GBP")
    assert (invoice.issue_date, invoice.due_date) == (dt.date(2026, 5, 1), dt.date(2026, 5, 31))
    assert invoice.currency_rate == Decimal("0.781")
    assert invoice.lines[0].tracking == ("North", "Red")
    assert (invoice.lines[0].quantity, invoice.lines[0].unit_amount) == (Decimal(2), Decimal("10.00"))
    assert invoice.lines[0].cells["tracking"] == "North| Red;"
    assert drafted.findings == ()
    assert drafted.totals.amounts == {"GBP": Decimal("24.00")}


def test_rows_of_one_number_are_one_invoice_also_when_they_are_apart():
    drafted = draft({}, {"invoice_number": "INV-2"}, {"line_description": "Rolls", "issue_date": ""})

    assert [(invoice.number, len(invoice.lines)) for invoice in drafted.documents] == [("INV-1", 2), ("INV-2", 1)]
    assert [place.row for place in drafted.documents[0].rows] == [2, 4]
    assert (drafted.totals.rows, drafted.totals.documents) == (3, 2)


MISTAKES = [
    ({"invoice_number": ""}, "row.required", "invoice_number"),
    ({"customer": ""}, "row.required", "customer"),
    ({"unit_price": ""}, "row.required", "unit_price"),
    ({"issue_date": "2026-02-30"}, "row.bad-date", "issue_date"),
    ({"issue_date": "20260501"}, "row.bad-date", "issue_date"),
    ({"issue_date": "2026-W18-5"}, "row.bad-date", "issue_date"),
    ({"issue_date": "01/05/2026"}, "row.bad-date", "issue_date"),
    ({"issue_date": "0202-05-01"}, "row.bad-date", "issue_date"),
    ({"due_date": "2026-04-01"}, "document.due-before-issue", "due_date"),
    ({"currency": "POUNDS"}, "row.bad-currency", "currency"),
    ({"currency": "ＧＢＰ"}, "row.bad-currency", "currency"),
    ({"currency": "XXX"}, "row.bad-currency", "currency"),
    ({"currency_rate": "0"}, "row.bad-rate", "currency_rate"),
    ({"quantity": "0.00"}, "row.zero-quantity", "quantity"),
    ({"quantity": "1_000"}, "row.bad-amount", "quantity"),
    ({"unit_price": "ten"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "1e3"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "NaN"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "1,000.00"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "£10"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "(10.00)"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "١٠"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "1О.00"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "1000000000000000"}, "row.bad-amount", "unit_price"),
    ({"unit_price": "10000000000000.00", "quantity": "100"}, "row.too-large", "unit_price"),
    ({"unit_price": "10.005"}, "row.too-many-decimals", "unit_price"),
    ({"unit_price": "10.5", "currency": "JPY"}, "row.too-many-decimals", "unit_price"),
    ({"unit_price": "-10.00"}, "document.negative-total", None),
    ({"customer": "Acorn\u202eLtd"}, "row.bad-text", "customer"),
    ({"customer": "Gr\ufffdber"}, "row.bad-text", "customer"),
    ({"customer": "Acorn\nLtd"}, "row.bad-text", "customer"),
    ({"customer": "A" * 256}, "row.too-long", "customer"),
    ({"line_description": "x" * 4001}, "row.too-long", "line_description"),
    ({"line_description": "bell\x07"}, "row.bad-text", "line_description"),
    ({"invoice_number": "INV-１"}, "row.lookalike", "invoice_number"),
    ({"invoice_number": "ІNV-1"}, "row.lookalike", "invoice_number"),
    ({"discount_amount": "1.00", "discount_percent": "5"}, "row.two-discounts", "discount_percent"),
    ({"discount_percent": "101"}, "row.bad-discount", "discount_percent"),
    ({"discount_amount": "20.01"}, "row.bad-discount", "discount_amount"),
    ({"discount_amount": "-1.00"}, "row.bad-discount", "discount_amount"),
    ({"tax_amount": "5.00"}, "row.tax-contradiction", "tax_amount"),
    ({"total_amount": "25.00"}, "document.total-differs", "total_amount"),
]


@pytest.mark.parametrize(("change", "code", "column"), MISTAKES)
def test_one_mistake_is_one_finding_where_it_stands(change, code, column):
    drafted = draft(change, {"invoice_number": "INV-GOOD"})

    (finding,) = drafted.findings
    assert (finding.code, finding.severity) == (code, Severity.ERROR)
    assert finding.place == Place("i.csv", 2, column)
    assert [invoice.number for invoice in drafted.documents] == ["INV-GOOD"]
    assert [[place.row for place in broken.places] for broken in drafted.broken] == [[2]]
    assert drafted.broken[0].findings == drafted.findings


@pytest.mark.parametrize("change", [change for change, code, _ in MISTAKES if code.startswith("row.")])
def test_a_mistake_names_the_value_or_its_kind_and_has_a_hint_where_one_helps(change):
    (finding,) = draft(change).findings

    assert finding.hint or finding.code == "row.bad-discount"
    assert len(finding.message) < 400


def test_mistakes_of_one_document_are_all_found_at_once():
    drafted = draft({"issue_date": "x", "quantity": "y", "due_date": "z"}, {"unit_price": "10.005"})

    assert [(f.place.row, f.place.column) for f in drafted.findings if f.place] == [
        (2, "issue_date"),
        (2, "due_date"),
        (2, "quantity"),
        (3, "unit_price"),
    ]


def test_a_bad_cell_on_one_row_is_named_itself_not_as_a_contradiction():
    drafted = draft({"issue_date": "2026-02-30"}, {}, {"currency": "POUNDS"}, {})

    assert [(f.code, f.place.row) for f in drafted.findings if f.place] == [
        ("row.bad-date", 2),
        ("row.bad-currency", 4),
    ]


def test_a_bad_cell_that_repeats_on_every_row_of_its_document_is_found_once():
    drafted = draft(*[{"issue_date": "2026-02-30"}] * 3)

    assert [finding.place for finding in drafted.findings] == [Place("i.csv", 2, "issue_date")]


def test_rows_that_contradict_each_other_are_named_with_both_lines():
    drafted = draft({}, {"invoice_number": "INV-2"}, {"due_date": "2026-06-30"})

    (finding,) = drafted.findings
    assert finding.code == "document.conflict"
    assert finding.place == Place("i.csv", 4, "due_date")
    assert "'2026-06-30' here and '2026-05-31' on line 2" in finding.message
    assert [place.row for place in drafted.broken[0].places] == [2, 4]


def test_decimals_are_checked_also_where_rows_contradict_each_other_in_currency():
    drafted = draft({}, {"currency": "EUR", "unit_price": "1.005"})

    assert [finding.code for finding in drafted.findings] == ["document.conflict", "row.too-many-decimals"]


def test_a_number_used_for_another_customer_is_one_finding_whatever_else_differs():
    drafted = draft(
        {"customer_id": "1", "customer_email": "a@a.example"},
        {"customer": "Birchwood", "customer_id": "2", "customer_email": "b@b.example"},
    )

    assert [finding.code for finding in drafted.findings] == ["document.number-reused"]


def test_spellings_of_one_amount_and_currency_do_not_contradict_each_other():
    drafted = draft({"total_amount": "48.0", "currency": "gbp"}, {"total_amount": "48.00"})

    assert drafted.findings == ()
    assert drafted.documents[0].currency == "GBP"


def test_numbers_that_differ_only_in_case_are_pointed_out_but_stop_nothing():
    drafted = draft({}, {"invoice_number": "inv-1"})

    assert [(finding.code, finding.severity) for finding in drafted.findings] == [
        ("document.case-twin", Severity.WARNING)
    ]
    assert len(drafted.documents) == 2


def test_rounding_of_tax_per_line_or_per_document_is_no_contradiction():
    line = {"quantity": "1", "unit_price": "0.33", "tax_rate": "20", "total_amount": "1.19"}

    assert draft(line, line, line).findings == ()


def test_a_total_cannot_be_checked_while_the_tax_waits_for_the_mapping():
    drafted = draft({"tax_rate": "20% (VAT on Income)", "total_amount": "99.00"})

    assert [(finding.code, finding.severity) for finding in drafted.findings] == [("totals.without-tax", Severity.NOTE)]
    assert drafted.totals.amounts == {"GBP": Decimal("20.00")}


def test_a_discount_is_taken_off_before_tax():
    assert draft({"discount_percent": "10"}).totals.amounts == {"GBP": Decimal("21.60")}
    assert draft({"discount_amount": "5.00"}).totals.amounts == {"GBP": Decimal("18.00")}


def test_a_missing_column_is_a_finding_and_breaks_every_document():
    drafted = draft_invoices([Row(Place("i.csv", 2), GOOD)], source="i.csv", columns=["invoice_number"])

    assert "row.required" not in {finding.code for finding in drafted.findings}
    assert {finding.message for finding in drafted.findings} >= {"column `customer` is missing"}
    assert [broken.source_id for broken in drafted.broken] == ["INV-1"]


def test_a_damaged_row_takes_every_document_it_names_with_it():
    drafted = draft_file(DATA / "invoices_ragged.csv")

    assert [invoice.number for invoice in drafted.documents] == ["INV-3"]
    assert {broken.source_id: [p.row for p in broken.places] for broken in drafted.broken} == {
        "INV-1": [2, 4],
        "INV-2": [3],
    }
    errors = [finding for finding in drafted.findings if finding.severity is Severity.ERROR]
    assert [(f.code, f.place.row, f.document) for f in errors if f.place] == [
        ("row.ragged", 3, "INV-2"),
        ("row.ragged", 4, "INV-1"),
    ]
    assert drafted.totals.rows == 4


def test_the_samples_mistakes_are_found_one_for_one(shared):
    drafted = draft_file(shared / "samples/invoices_with_mistakes.csv")

    assert [(f.place.row, f.place.column, f.code) for f in drafted.findings if f.place] == [
        (3, "invoice_number", "row.required"),
        (4, "issue_date", "row.bad-date"),
        (5, "due_date", "document.due-before-issue"),
        (6, "currency", "row.bad-currency"),
        (7, "unit_price", "row.bad-amount"),
        (8, "unit_price", "row.too-many-decimals"),
        (9, "customer", "document.number-reused"),
        (11, "quantity", "row.zero-quantity"),
    ]
    assert [invoice.number for invoice in drafted.documents] == ["INV003307"]


def test_csv_and_json_samples_are_the_same_invoices(shared):
    from_csv = {i.number: i for i in draft_file(shared / "samples/invoices.csv").documents}
    from_json = draft_file(shared / "samples/invoices.json")

    assert from_json.findings == ()
    assert len(from_json.documents) == 12
    for invoice in from_json.documents:
        twin = from_csv[invoice.number]
        assert [(x.description, x.quantity, x.unit_amount, x.tracking) for x in invoice.lines] == [
            (x.description, x.quantity, x.unit_amount, x.tracking) for x in twin.lines
        ]
        assert (invoice.customer, invoice.issue_date, invoice.currency) == (
            twin.customer,
            twin.issue_date,
            twin.currency,
        )


def test_a_total_that_rows_contradict_is_not_compared_with_the_lines():
    drafted = draft({"total_amount": "1.00"}, {"total_amount": "2.00"})
    assert [finding.code for finding in drafted.findings] == ["document.conflict"]
