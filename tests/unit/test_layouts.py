"""Columns by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.domain.layouts import INVOICES, LAYOUTS, PAYMENTS, fold, own_name, recognise


@pytest.mark.parametrize(
    "header", ["invoice_number", "Invoice Number", "*InvoiceNumber", "\ufeffINVOICE-NUMBER ", "invoicenumber"]
)
def test_a_header_is_recognised_in_any_spelling(header):
    assert INVOICES.canonical(header) == "invoice_number"


def test_no_two_columns_of_a_layout_can_be_confused():
    for layout in LAYOUTS:
        folded = [fold(name) for column in layout.columns for name in (column.name, *column.aliases)]
        assert len(set(folded)) == len(folded)


def test_the_key_and_what_nested_keys_stand_for_are_columns():
    for layout in LAYOUTS:
        names = {column.name for column in layout.columns}
        assert layout.key in layout.required
        assert set(layout.line_names.values()) <= names
        assert layout.key not in layout.document_columns


def test_a_shorter_key_holds_only_inside_the_nested_list():
    assert PAYMENTS.canonical("Amount", in_line=True) == "allocated_amount"
    assert PAYMENTS.canonical("Amount") == "amount"


def test_the_kind_of_file_is_recognised_from_its_headers():
    assert recognise([column.name for column in PAYMENTS.columns]) is PAYMENTS
    assert recognise([*INVOICES.required, "surprise"]) is INVOICES
    assert recognise(["a", "b"]) is None


def test_a_misspelt_header_is_traced_but_not_to_a_column_that_is_there():
    assert INVOICES.nearest("custmer") == "customer"
    assert INVOICES.nearest("custmer", beside=["customer"]) != "customer"
    assert INVOICES.nearest("colour") is None


@given(st.text(max_size=30))
def test_an_own_name_is_its_own_own_name(header):
    assert own_name(own_name(header)) == own_name(header)
