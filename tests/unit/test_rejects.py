"""Rejected records: in the user's own columns, with the reason, safe in a spreadsheet, and good to give again."""

import csv
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codat_ar_cli.domain.drafting import draft_invoices
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.files.errors import RejectsNotWritten
from codat_ar_cli.files.guard import guard, without_guard
from codat_ar_cli.files.readers import Table, read_table
from codat_ar_cli.files.rejects import reasons_of, rejects_path, write_rejects

DATA = Path(__file__).parents[1] / "data"
HEADER = "Invoice No;invoice_number;customer;issue_date;currency;line_description;quantity;unit_price"


def table_of(tmp_path: Path, *records: str, header: str = HEADER, name: str = "in.csv") -> Table:
    path = tmp_path / name
    path.write_text("\n".join([header, *records]) + "\n", encoding="utf-8")
    return read_table(path, INVOICES)


def record(customer: str = "Acorn", number: str = "INV-1") -> str:
    return f'x;{number};"{customer}";2026-05-01;GBP;Bread;1;10.00'


def read_back(path: Path, delimiter: str = ";") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_only_rows_with_a_reason_are_written_in_the_inputs_own_columns(tmp_path):
    table = table_of(tmp_path, record(), record("Birchwood", "INV-2"))

    written = write_rejects(table, {table.rows[1].place: "no such customer"}, tmp_path / "out.csv")

    assert written == tmp_path / "out.csv"
    assert read_back(written) == [
        [*HEADER.split(";"), "reason"],
        ["x", "INV-2", "Birchwood", "2026-05-01", "GBP", "Bread", "1", "10.00", "no such customer"],
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits; the folder's rights hold")
def test_only_its_owner_can_read_it(tmp_path):
    table = table_of(tmp_path, record())

    written = write_rejects(table, {table.rows[0].place: "r"}, tmp_path / "out.csv")

    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path):
    table = table_of(tmp_path, record())
    (tmp_path / "out.csv").write_text("mine")

    names = [write_rejects(table, {table.rows[0].place: why}, tmp_path / "out.csv").name for why in ("r", "s", "r")]

    assert names == ["out-2.csv", "out-3.csv", "out-2.csv"]
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out-2.csv", "out-3.csv", "out.csv"]


def test_a_folder_that_is_not_there_is_a_named_error(tmp_path):
    table = table_of(tmp_path, record())

    with pytest.raises(RejectsNotWritten) as caught:
        write_rejects(table, {table.rows[0].place: "r"}, tmp_path / "missing" / "out.csv")

    assert "--rejects" in str(caught.value.hint)


def test_cells_that_a_spreadsheet_would_run_are_made_harmless_and_numbers_stay(tmp_path):
    table = table_of(tmp_path, "=1+1;INV-1;@Home;2026-05-01;GBP;+Bread;-1;-10.00")

    written = write_rejects(table, {table.rows[0].place: '=HYPERLINK("x")'}, tmp_path / "out.csv")

    assert read_back(written)[1] == [
        "'=1+1",
        "INV-1",
        "'@Home",
        "2026-05-01",
        "GBP",
        "'+Bread",
        "-1",
        "-10.00",
        '\'=HYPERLINK("x")',
    ]


def test_a_rejects_file_given_again_reads_as_the_same_rows_and_is_rejected_in_the_same_columns(tmp_path):
    table = table_of(tmp_path, record("@Home", "INV-1"))
    first = write_rejects(table, {table.rows[0].place: "once"}, tmp_path / "out.csv")

    again = read_table(first, INVOICES)
    second = write_rejects(again, {again.rows[0].place: "twice"}, tmp_path / "out2.csv")

    assert again.rows[0].cells["customer"] == "@Home"
    assert read_back(second) == [
        read_back(first)[0],
        [*read_back(first)[1][:-1], "twice"],
    ]


def test_damaged_rows_stay_damaged(tmp_path):
    table = read_table(DATA / "invoices_ragged.csv", INVOICES)
    damaged = [row.place for row in table.rows if row.fault]

    written = write_rejects(table, dict.fromkeys(damaged, "ragged"), tmp_path / "out.csv")

    again = read_table(written, INVOICES)
    assert [row.fault is not None for row in again.rows] == [True, True]


def test_json_is_rejected_as_csv_that_can_be_given_again(tmp_path):
    table = read_table(DATA / "payments_nested.json", PAYMENTS)

    written = write_rejects(table, {row.place: "held" for row in table.rows[:3]}, tmp_path / "out.csv")

    again = read_table(written, PAYMENTS)
    assert [row.cells["allocated_amount"] for row in again.rows] == ["300.00", "150.00", "50.00"]
    assert {row.cells["reason"] for row in again.rows} == {"held"}


def test_a_byte_order_mark_is_kept_for_the_spreadsheet_that_needs_it(tmp_path):
    table = read_table(DATA / "invoices_semicolon_bom.csv", INVOICES)

    written = write_rejects(table, {table.rows[0].place: "r"}, tmp_path / "out.csv")

    assert written.read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_reason_of_a_row_tells_its_own_mistake_first_and_then_the_others():
    rows = [Place("i.csv", 2), Place("i.csv", 3)]
    findings = [
        Finding("a", Severity.ERROR, "not a date", Place("i.csv", 2, "due_date")),
        Finding("b", Severity.HOLD, "nobody of that name", Place("i.csv", 3, "customer")),
        Finding("c", Severity.NOTE, "a note", Place("i.csv", 2)),
    ]

    assert reasons_of(rows, findings) == {
        rows[0]: "due_date: not a date; line 3: customer: nobody of that name",
        rows[1]: "customer: nobody of that name; line 2: due_date: not a date",
    }


def test_the_rows_of_broken_documents_have_their_reasons(shared):
    table = read_table(shared / "samples/invoices_with_mistakes.csv", INVOICES)
    drafted = draft_invoices(table.rows, source=table.name, columns=table.canonical)

    reasons = {
        place: reason
        for broken in drafted.broken
        for place, reason in reasons_of(broken.places, broken.findings).items()
    }

    assert sorted(place.row or 0 for place in reasons) == [2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert all(reason != "not sent" for reason in reasons.values())


def test_a_rejects_file_is_named_after_its_input():
    assert rejects_path(Path("in/june.json")) == Path("in/june.rejects.csv")
    assert rejects_path(Path("in/june.csv"), Path("out")) == Path("out/june.rejects.csv")


@given(st.text(max_size=12) | st.text(alphabet="'=+-@\t\r\n 1.a", max_size=6))
def test_a_guarded_cell_never_starts_a_formula_and_is_restored_exactly(cell):
    guarded = guard(cell)

    assert without_guard(guarded) == cell
    assert guarded[:1] not in set("=@\t\r\n")
    assert guarded[:1] not in set("+-") or guarded.lstrip("+-").replace(".", "").replace(",", "").isdigit()


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(cells, min_size=2, max_size=2).filter(lambda c: any(x.strip() for x in c)), min_size=1))
def test_what_is_rejected_is_read_back_cell_for_cell(tmp_path_factory, extra):
    folder = tmp_path_factory.mktemp("r")
    header = ["own", "other", *INVOICES.required]
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *([*cells, *(["1"] * 7)] for cells in extra)])
    table = read_table(folder / "in.csv", INVOICES)

    written = write_rejects(table, {row.place: "=reason" for row in table.rows}, folder / "out.csv")

    again = read_table(written, INVOICES)
    assert [{**row.cells, "reason": "=reason"} for row in table.rows] == [dict(row.cells) for row in again.rows]
