"""Files into rows: what is recognised, what is kept, what is said about it."""

import hashlib
from pathlib import Path

import pytest

from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.files.readers import Table, read_table

DATA = Path(__file__).parents[1] / "data"
HEADER = "invoice_number,customer,issue_date,currency,line_description,quantity,unit_price"
ROW = "INV-1,Acorn,2026-05-01,GBP,Bread,1,10.00"


def read(tmp_path: Path, text: str | bytes, *, name: str = "invoices.csv") -> Table:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, INVOICES)


def test_a_plain_file_gives_one_row_per_record_with_its_line(tmp_path):
    table = read(tmp_path, f"{HEADER}\n{ROW}\n{ROW}\n")

    assert [row.place.row for row in table.rows] == [2, 3]
    assert table.rows[0].cells["customer"] == "Acorn"
    assert table.rows[0].place.source == str(tmp_path / "invoices.csv")
    assert table.notes == ()


def test_the_hash_is_that_of_the_file_on_disk(tmp_path):
    text = f"{HEADER}\n" + f"{ROW}\n" * 30_000

    assert read(tmp_path, text).sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_columns_are_found_by_name_in_any_order_case_and_spelling(tmp_path):
    header = "*Unit Price,QUANTITY ,Line-Description,currency,issueDate,Customer, Invoice_Number"
    table = read(tmp_path, f"{header}\n10.00,1,Bread,GBP,2026-05-01,Acorn,INV-1\n")

    assert table.rows[0].cells["invoice_number"] == "INV-1"
    assert table.rows[0].cells["unit_price"] == "10.00"
    assert table.columns[0] == "*Unit Price"
    assert table.canonical[0] == "unit_price"


def test_a_semicolon_file_with_byte_order_mark_and_line_breaks_in_cells_is_read_as_it_is():
    table = read_table(DATA / "invoices_semicolon_bom.csv", INVOICES)

    assert (table.encoding, table.delimiter) == ("utf-8-sig", ";")
    assert [row.place.row for row in table.rows] == [2, 3, 4]
    assert table.rows[0].cells["line_description"] == "Beratung; vor Ort"
    assert table.rows[2].cells["line_description"] == "Wartung\r\nJuni 2026"


def test_the_line_of_a_record_is_where_it_starts_also_after_cells_with_line_breaks(tmp_path):
    table = read(tmp_path, f'{HEADER}\nINV-1,Acorn,2026-05-01,GBP,"two\nlines",1,10.00\n\n{ROW}\n')

    assert [row.place.row for row in table.rows] == [2, 5]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(tmp_path, delimiter):
    text = f"{HEADER}\n{ROW}\n".replace(",", delimiter)

    assert read(tmp_path, text, name="export.txt").delimiter == delimiter


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path, end):
    table = read(tmp_path, end.join([HEADER, ROW, ROW]))

    assert [row.place.row for row in table.rows] == [2, 3]


def test_utf_16_with_a_byte_order_mark_is_read(tmp_path):
    text = f"{HEADER}\n{ROW.replace('Acorn', 'Zieliński')}\n".replace(",", "\t")

    table = read(tmp_path, text.encode("utf-16"))

    assert table.encoding == "utf-16"
    assert table.rows[0].cells["customer"] == "Zieliński"


def test_an_unknown_column_is_kept_under_its_own_name_and_noted(tmp_path):
    table = read(tmp_path, f"{HEADER},Cost Centre*\n{ROW},K12\n")

    assert table.rows[0].cells["cost_centre"] == "K12"
    assert [(note.code, note.severity, note.place) for note in table.notes] == [
        ("file.unknown-column", Severity.NOTE, Place(table.name, 1, "Cost Centre*"))
    ]


def test_a_misspelt_optional_column_is_a_warning_that_names_the_right_one(tmp_path):
    table = read(tmp_path, f"{HEADER},trackin\n{ROW},North\n")

    assert table.notes[0].severity is Severity.WARNING
    assert "did you mean `tracking`" in table.notes[0].message


def test_rows_without_content_are_left_out_and_counted(tmp_path):
    table = read(tmp_path, f"{HEADER}\n{ROW}\n,,,,,,\n , ,,,,,\n")

    assert len(table.rows) == 1
    assert table.notes[0].message == "2 rows without any content are left out"


def test_empty_cells_beyond_the_header_are_no_fault_but_filled_ones_are(tmp_path):
    table = read(tmp_path, f"{HEADER}\n{ROW},,\n{ROW},x\n")

    assert table.rows[0].fault is None
    assert table.rows[1].fault is not None
    assert table.rows[1].fault.code == "row.ragged"
    assert "too many cells: 8, where the header has 7" in table.rows[1].fault.message


def test_a_header_ending_in_a_delimiter_is_not_worth_a_word(tmp_path):
    assert read(tmp_path, f"{HEADER},\n{ROW},\n").notes == ()


def test_a_nameless_column_with_content_is_noted(tmp_path):
    table = read(tmp_path, f"{HEADER},\n{ROW},surprise\n")

    assert table.rows[0].cells["column_8"] == "surprise"
    assert "column_8" in table.notes[0].message


def test_a_corrected_rejects_file_is_read_without_its_guards_and_without_remark(tmp_path):
    table = read(tmp_path, f"{HEADER},reason\n{ROW.replace('Acorn', chr(39) + '@Home Ltd')},unknown customer\n")

    assert table.rows[0].cells["customer"] == "@Home Ltd"
    assert table.notes == ()


class TestJson:
    def test_nested_lines_become_rows_that_repeat_the_document(self, shared):
        table = read_table(shared / "samples/invoices.json", INVOICES)

        assert str(table.rows[2].place).endswith("invoices[1].lines[1]")
        assert table.rows[2].cells["invoice_number"] == "INV003201"
        assert table.rows[2].cells["line_description"] == "Support hours"
        assert table.notes == ()

    def test_numbers_stay_the_text_they_were(self, tmp_path):
        text = '[{"invoice_number": 1, "customer": "A", "issue_date": "2026-05-01", "currency": "GBP",'
        text += '"lines": [{"description": "x", "quantity": 1.50, "unit_price": 1e3}]}]'

        cells = read(tmp_path, text, name="i.json").rows[0].cells

        assert (cells["quantity"], cells["unit_price"], cells["invoice_number"]) == ("1.50", "1e3", "1")

    def test_allocations_have_shorter_names_and_unknown_keys_are_noted(self):
        table = read_table(DATA / "payments_nested.json", PAYMENTS)

        assert [row.cells.get("allocated_amount") for row in table.rows] == ["300.00", "150.00", "50.00", None]
        assert [row.cells["amount"] for row in table.rows] == ["500.00"] * 3 + ["25.00"]
        assert [note.message for note in table.notes] == ["`exported` is not known and not used"]

    def test_a_list_of_words_is_one_cell(self, tmp_path):
        text = '[{"invoice_number":"1","customer":"A","issue_date":"2026-05-01","currency":"GBP","description":"x",'
        text += '"quantity":"1","unit_price":"1","tracking":["North","Red"]}]'

        assert read(tmp_path, text, name="i.json").rows[0].cells["tracking"] == "North|Red"

    @pytest.mark.parametrize(
        ("record", "says"),
        [
            ("7", "not an object"),
            ('{"invoice_number":"1","invoice_number":"2"}', "`invoice_number` twice"),
            ('{"invoice_number":"1","InvoiceNumber":"2"}', "states `invoice_number` twice"),
            ('{"customer":{"name":"A"}}', "`customer` is an object, where one value is expected"),
            ('{"lines":{"quantity":1}}', "`lines` is an object, not a list"),
            ('{"lines":[7]}', "not an object"),
            ('{"lines":[]}', "`lines` is empty"),
            ('{"currency":"GBP","lines":[{"currency":"EUR"}]}', "`currency` is `EUR` here and `GBP` in the document"),
            ('{"customer":"\\ud800"}', "half of a surrogate pair"),
        ],
    )
    def test_a_record_of_the_wrong_shape_is_a_row_with_a_fault(self, tmp_path, record, says):
        good = '{"invoice_number":"9","customer":"A","issue_date":"2026-05-01","currency":"GBP",'
        good += '"lines":[{"description":"x","quantity":"1","unit_price":"1"}]}'

        table = read(tmp_path, f'{{"invoices":[{good},{record}]}}', name="i.json")

        assert table.rows[0].fault is None
        fault = table.rows[1].fault
        assert fault is not None
        assert says in fault.message
        assert fault.place is not None
        assert str(fault.place.path).startswith("invoices[1]")


def test_the_samples_are_read_without_a_word(shared):
    for name, layout in [("invoices", INVOICES), ("payments", PAYMENTS)]:
        for suffix in (".csv", ".json"):
            table = read_table(shared / f"samples/{name}{suffix}", layout)
            assert table.rows
            assert table.notes == ()
            assert all(row.fault is None for row in table.rows)
