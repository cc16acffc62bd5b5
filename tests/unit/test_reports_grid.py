import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.reports.grid import Heading, cell_width, draw, fold

PRINTABLE = st.text(st.sampled_from("ab -é株式ﾊe\u0301"), max_size=40)


def body(text: str) -> list[str]:
    return text.splitlines()[2:]


def test_columns_line_up_and_amounts_stand_to_the_right():
    drawn = draw([Heading("Name"), Heading("Due", right=True)], [["Ada", "1.00"], ["Bo", "12.50"]], width=80)

    assert drawn.splitlines() == ["Name    Due", "───────────", "Ada    1.00", "Bo    12.50"]


def test_the_rule_is_plain_where_the_terminal_has_no_box_drawing():
    assert draw([Heading("Name")], [["Ada"]], width=80, unicode=False).splitlines()[1] == "----"


def test_words_give_way_before_ids_and_amounts_do():
    id_, amount = "R20261122-104512-7f3a", "1,234.50 GBP"
    headings = [Heading("Id", whole=True), Heading("Why"), Heading("Due", right=True, whole=True)]

    drawn = draw(headings, [[id_, "the customer is not in the books", amount]], width=50)

    assert f"{id_}  the customer" in body(drawn)[0]
    assert body(drawn)[0].endswith(amount)
    assert [line.strip() for line in body(drawn)[1:]] == ["is not in the", "books"]


def test_a_word_longer_than_its_column_is_broken_not_cut():
    lines = list(fold("see abcdefghij now", 4))

    assert lines == ["see", "abcd", "efgh", "ij", "now"]


def test_wide_characters_count_two_cells_and_combining_marks_none():
    assert cell_width("株式") == 4
    assert cell_width("e\u0301") == 1


def test_a_column_without_any_text_takes_its_headings_width():
    assert draw([Heading("Why"), Heading("B")], [["", "x"]], width=80).splitlines()[2] == "     x"


@given(text=PRINTABLE, width=st.integers(2, 30))
def test_folding_loses_nothing_but_the_blanks_it_breaks_at(text, width):
    lines = list(fold(text, width))

    assert all(cell_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(
    rows=st.lists(st.tuples(PRINTABLE, PRINTABLE, PRINTABLE), min_size=1, max_size=5),
    width=st.sampled_from([20, 40, 80]),
)
def test_no_line_is_wider_than_asked_and_no_character_is_lost(rows, width):
    headings = [Heading("A", whole=True), Heading("B"), Heading("C", right=True, whole=True)]

    drawn = draw(headings, [list(row) for row in rows], width=width)

    assert all(cell_width(line) <= width for line in drawn.splitlines())
    for char in "ab-é株式ﾊe":
        assert "".join(body(drawn)).count(char) == "".join(map("".join, rows)).count(char)


@pytest.mark.parametrize("width", [1, 5])
def test_even_a_width_that_nothing_fits_is_survived(width):
    drawn = draw([Heading("N"), Heading("M")], [["Ada", "株"]], width=width)

    assert [sum(line.count(char) for line in body(drawn)) for char in "Ada株"] == [1, 1, 1, 1]
