import csv
import datetime as dt
import io
from decimal import Decimal

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.types import Currency
from codat_ar_cli.reports.model import Column, Kind, Money, Report, Shown, Table
from codat_ar_cli.reports.render import RENDERERS, printable, render_csv, render_json, render_terminal, to_json

COLUMNS = (
    Column("name", "Name"),
    Column("balance", "Balance", Kind.AMOUNT),
    Column("rate", "Rate", Kind.PERCENT),
    Column("count", "Count", Kind.COUNT),
    Column("on", "On", Kind.DATE),
    Column("at", "At", Kind.INSTANT, shown=Shown.WIDE),
)
ROW = (
    "Clearing",
    Money(Decimal("1234.5"), Currency("GBP")),
    Decimal("20.00"),
    12345,
    dt.date(2026, 5, 1),
    dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC),
)


def report_of(*rows, notes=()):
    return Report("test", "A title", (Table("accounts", COLUMNS, rows),), notes)


def text_report(*cells):
    columns = tuple(Column(f"c{index}", f"C{index}") for index in range(len(cells)))
    return Report("test", "", (Table("t", columns, (cells,)),))


def test_terminal_shows_amounts_with_their_currency_and_thousands():
    text = render_terminal(report_of(ROW))

    assert "1,234.50 GBP" in text
    assert "20 %" in text
    assert "12,345" in text


def test_terminal_never_exceeds_its_width():
    text = render_terminal(report_of(("N" * 300, *ROW[1:]), notes=("word " * 60,)), width=80)

    assert max(len(line) for line in text.splitlines()) <= 80


def test_narrow_terminal_leaves_out_what_is_marked_wide():
    assert "12:30" not in render_terminal(report_of(ROW), width=80)
    assert "12:30" in render_terminal(report_of(ROW), width=120)


def test_words_for_people_are_not_in_what_machines_read_and_the_other_way_round():
    columns = (Column("age", "Age", shown=Shown.PEOPLE), Column("code", "Code", shown=Shown.MACHINES))
    report = Report("t", "", (Table("t", columns, (("2 h ago", "x.y"),)),))

    assert "2 h ago" in render_terminal(report, width=200)
    assert "x.y" not in render_terminal(report, width=200)
    for text in (render_json(report), render_csv(report)):
        assert "2 h ago" not in text
        assert "x.y" in text


def test_an_empty_table_says_so_instead_of_showing_a_bare_heading():
    table = Table("accounts", COLUMNS, (), title="Accounts", empty="none fetched yet")

    assert "Accounts: none fetched yet" in render_terminal(Report("t", "", (table,)))


def test_a_terminal_without_box_drawing_gets_ascii_frames_and_its_letters_as_they_are():
    text = render_terminal(text_report("Grüber"), unicode=False)

    assert text.replace("ü", "").isascii()
    assert "Grüber" in text


def test_names_from_the_books_cannot_drive_the_terminal():
    text = render_terminal(text_report("evil\x1b[2Jname\u202e", "[bold]kept[/bold]"))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]kept[/bold]" in text


def test_printable_keeps_ordinary_letters_of_any_script():
    assert printable("Dupré 株式会社 É") == "Dupré 株式会社 É"


def test_a_table_longer_than_anyone_reads_is_cut_for_people_and_says_so():
    table = Table("t", (Column("n", "N", Kind.COUNT),), tuple((number,) for number in range(1200)))
    report = Report("t", "", (table,))

    text = render_terminal(report)

    assert text.endswith("and 200 more rows; --json gives all 1,200")
    assert len(to_json(report)["tables"]["t"]) == 1200


def test_json_has_amounts_as_strings_beside_their_currency():
    row = jsontext.loads(render_json(report_of(ROW)))["tables"]["accounts"][0]

    assert row["balance"] == {"amount": "1234.5", "currency": "GBP"}
    assert row["rate"] == "20.00"
    assert row["count"] == 12345
    assert row["on"] == "2026-05-01"
    assert row["at"] == "2026-05-01T12:30:00Z"


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_csv_text_cannot_become_a_formula(start):
    rows = list(csv.reader(io.StringIO(render_csv(text_report(start)), newline="")))

    assert rows[1][0] == f"'{start}"


def test_csv_keeps_negative_amounts_as_numbers():
    row = ("Refund", Money(Decimal("-5.00"), Currency("EUR")), None, None, None, None)

    rows = list(csv.DictReader(io.StringIO(render_csv(report_of(row)))))

    assert rows[0]["balance"] == "-5.00"
    assert rows[0]["balance_currency"] == "EUR"


def test_csv_of_several_tables_names_the_table_of_each_row():
    one = Table("one", (Column("a", "A"),), (("x",),))
    two = Table("two", (Column("b", "B"),), (("y",),))

    rows = list(csv.DictReader(io.StringIO(render_csv(Report("t", "", (one, two))))))

    assert rows == [{"table": "one", "a": "x", "b": ""}, {"table": "two", "a": "", "b": "y"}]


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="a row has 1 cells for 2 columns"):
        Table("t", (Column("a", "A"), Column("b", "B")), (("x",),))


def test_every_format_renders_the_same_report():
    assert set(RENDERERS) == {"table", "json", "csv"}
    for render in RENDERERS.values():
        assert "Clearing" in render(report_of(ROW))


def test_people_are_spared_columns_with_nothing_in_them_and_headings_without_a_word():
    bare = (Column("name", ""), Column("value", ""), Column("why", "Why"))
    table = Table("facts", bare, (("Run", "R-1", None), ("File", "a.csv", None)))

    assert render_terminal(Report("run", "", (table,))).splitlines() == ["Run   R-1", "File  a.csv"]
