"""Amounts: sub-totals, tax, totals, and what a platform makes of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.domain.arithmetic import (
    LineAmounts,
    add_up,
    line_amounts,
    platform_problem,
    predicted_total,
    tax_problem,
    total_problem,
)
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.money import minor_units, round_to
from codat_ar_cli.domain.platforms import TotalsBy
from codat_ar_cli.domain.types import Currency

GBP, JPY, KWD = Currency("GBP"), Currency("JPY"), Currency("KWD")


def amounts(
    quantity: str, price: str, percent: str | None = "20", currency: Currency = GBP, **more: str
) -> LineAmounts:
    return line_amounts(
        quantity=Decimal(quantity),
        unit_amount=Decimal(price),
        currency=currency,
        tax_percent=None if percent is None else Decimal(percent),
        **{name: Decimal(value) for name, value in more.items()},
    )


def test_a_line_is_quantity_times_price_plus_tax():
    line = amounts("0.25", "680.88")
    assert (line.sub_total, line.tax, line.total) == (Decimal("170.22"), Decimal("34.04"), Decimal("204.26"))


@pytest.mark.parametrize(
    ("currency", "sub_total", "tax"), [(JPY, "11", "2"), (GBP, "10.58", "2.12"), (KWD, "10.575", "2.115")]
)
def test_each_currency_rounds_to_its_own_decimals(currency, sub_total, tax):
    line = amounts("1.5", "7.05", currency=currency)
    assert (line.sub_total, line.tax) == (Decimal(sub_total), Decimal(tax))
    assert line.sub_total.as_tuple().exponent == 0 - minor_units(currency)


def test_halves_round_away_from_zero_on_credits_too():
    assert amounts("-1", "0.125", "0").sub_total == Decimal("-0.13")


def test_a_stated_tax_amount_wins_over_the_rate():
    assert amounts("1", "100", tax_amount="19.99").tax == Decimal("19.99")


def test_discounts_come_off_before_tax():
    by_percentage = amounts("2", "50", discount_percentage="10")
    by_amount = amounts("2", "50", discount_amount="10")
    assert by_percentage == by_amount
    assert by_amount.sub_total == Decimal("90.00")
    assert by_amount.tax == Decimal("18.00")


def test_the_discount_that_is_sent_leaves_the_platform_with_our_sub_total():
    line = amounts("1.5", "6.75", discount_percentage="10")
    assert line.sub_total == Decimal("9.11")
    assert round_to(Decimal("1.5") * Decimal("6.75") - line.discount, GBP) == line.sub_total


def test_a_wrong_stated_total_names_both_figures():
    problem = total_problem(add_up([amounts("1", "100")]), GBP, Decimal("121"))
    assert problem is not None
    assert problem.code == "arithmetic.total"
    assert "121.00 GBP" in problem.message
    assert "120.00 GBP" in problem.message


def test_a_total_rounded_over_the_document_is_a_choice_not_an_error():
    lines = add_up([amounts("1", "0.03"), amounts("1", "0.03"), amounts("1", "0.03")])
    assert lines.total == Decimal("0.12")
    problem = total_problem(lines, GBP, Decimal("0.11"))
    assert problem is not None
    assert (problem.code, problem.severity) == ("arithmetic.rounding", Severity.HOLD)


def test_the_platforms_own_rounding_is_predicted_where_our_tax_is_not_sent():
    lines = add_up([amounts("1", "0.03"), amounts("1", "0.03"), amounts("1", "0.03")])
    per_document = predicted_total(lines, GBP, totals_by=TotalsBy.DOCUMENT, tax_is_sent=False, zero_overrides=True)
    per_line = predicted_total(lines, GBP, totals_by=TotalsBy.LINE, tax_is_sent=False, zero_overrides=True)
    sent = predicted_total(lines, GBP, totals_by=TotalsBy.DOCUMENT, tax_is_sent=True, zero_overrides=True)
    assert (per_document, per_line, sent) == (Decimal("0.11"), Decimal("0.12"), Decimal("0.12"))
    problem = platform_problem(lines.total, per_document, GBP)
    assert problem is not None
    assert "0.12 GBP" in problem.message
    assert "0.11 GBP" in problem.message


def test_a_stated_tax_of_zero_is_not_believed_where_zero_does_not_override():
    lines = add_up([amounts("1", "100", tax_amount="0")])
    total = predicted_total(lines, GBP, totals_by=TotalsBy.DOCUMENT, tax_is_sent=True, zero_overrides=False)
    assert total == Decimal("120.00")


def test_stated_tax_far_from_the_rate_is_a_warning_and_a_cent_is_not():
    line = amounts("1", "100", tax_amount="25")
    problem = tax_problem(line, GBP, Decimal("25"))
    assert problem is not None
    assert problem.severity is Severity.WARNING
    assert tax_problem(line, GBP, Decimal("20.01")) is None


money = st.decimals(min_value=-(10**6), max_value=10**6, places=4, allow_nan=False, allow_infinity=False)
percents = st.sampled_from([Decimal(each) for each in ("0", "5", "7.7", "17.5", "20", "25")])
currencies = st.sampled_from([GBP, JPY, KWD])


@given(lines=st.lists(st.tuples(money, money, percents), min_size=1, max_size=8), currency=currencies)
def test_totals_are_exactly_the_sums_of_rounded_lines(lines, currency):
    worked = [
        line_amounts(quantity=quantity, unit_amount=price, currency=currency, tax_percent=percent)
        for quantity, price, percent in lines
    ]
    document = add_up(worked)
    assert document.sub_total + document.tax == document.total == sum(line.total for line in worked)
    step = Decimal(1).scaleb(-minor_units(currency))
    assert document.total % step == 0


@given(lines=st.lists(st.tuples(money, percents), min_size=1, max_size=8), currency=currencies)
def test_rounding_over_the_document_moves_the_total_by_less_than_a_unit_per_line(lines, currency):
    document = add_up(
        [
            line_amounts(quantity=Decimal(1), unit_amount=price, currency=currency, tax_percent=percent)
            for price, percent in lines
        ]
    )
    predicted = predicted_total(document, currency, totals_by=TotalsBy.DOCUMENT, tax_is_sent=False, zero_overrides=True)
    assert abs(predicted - document.total) <= Decimal(1).scaleb(-minor_units(currency)) * len(lines)


@given(quantity=money, price=money, percent=st.integers(0, 100).map(Decimal), currency=currencies)
def test_the_platform_gets_our_sub_total_from_what_is_sent_of_any_discount(quantity, price, percent, currency):
    line = line_amounts(
        quantity=quantity, unit_amount=price, currency=currency, tax_percent=None, discount_percentage=percent
    )
    assert round_to(quantity * price - line.discount, currency) == line.sub_total
