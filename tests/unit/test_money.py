"""Amounts: read by our own rule, exact in every product and sum, rounded once."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.domain import money
from codat_ar_cli.domain.types import Currency

GBP, JPY, KWD = Currency("GBP"), Currency("JPY"), Currency("KWD")
amounts = st.decimals(min_value=-(10**14), max_value=10**14, places=4, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("text", ["0", "-0.50", "1234.56", "00012", "99999999999999999999.123456789012"])
def test_plain_amounts_are_read_digit_for_digit(text):
    assert str(money.parse_amount(text)) == str(Decimal(text))


@pytest.mark.parametrize(
    "text",
    ["", "1_000", "1e3", "NaN", "Infinity", "٣", "１", "1,0", ".5", "5.", "+1", " 1", "1 ", "0x10", "--1", "9" * 21],
)
def test_anything_else_is_refused(text):
    with pytest.raises(money.AmountError):
        money.parse_amount(text)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("0.005", GBP, "0.01"), ("-0.005", GBP, "-0.01"), ("0.5", JPY, "1"), ("1.0005", KWD, "1.001"), ("2", GBP, "2.00")],
)
def test_halves_are_rounded_away_from_zero_to_the_currencys_decimals(amount, currency, rounded):
    assert str(money.round_to(Decimal(amount), currency)) == rounded


def test_the_largest_amounts_that_can_be_read_are_rounded_not_refused():
    assert money.round_to(Decimal("99999999999999999999.129999999999"), GBP) == Decimal("99999999999999999999.13")


def test_a_line_is_rounded_once_after_its_discount():
    assert money.line_net(Decimal("0.25"), Decimal("129.99"), GBP) == Decimal("32.50")
    assert money.line_net(Decimal(3), Decimal("9.99"), GBP, discount_percentage=Decimal("33.3")) == Decimal("19.99")
    assert money.line_net(Decimal(3), Decimal("9.99"), GBP, discount_amount=Decimal("0.97")) == Decimal("29.00")
    assert money.line_net(Decimal(3), Decimal(5), JPY, discount_percentage=Decimal(50)) == Decimal(8)


def test_tax_is_rounded_to_the_currency():
    assert money.tax_on(Decimal("10.03"), Decimal(20), GBP) == Decimal("2.01")
    assert money.tax_on(Decimal(105), Decimal(10), JPY) == Decimal(11)


def test_the_smallest_amount_follows_the_currency():
    assert (money.smallest(GBP), money.smallest(JPY), money.smallest(KWD)) == (
        Decimal("0.01"),
        Decimal(1),
        Decimal("0.001"),
    )


@given(st.lists(amounts, max_size=40))
def test_a_sum_is_exact(parts):
    assert Fraction(money.total(parts)) == sum(map(Fraction, parts))


@given(amounts, amounts)
def test_a_line_is_within_half_a_cent_of_the_exact_product(quantity, price):
    line = money.line_net(quantity, price, GBP)

    assert abs(Fraction(line) - Fraction(quantity) * Fraction(price)) <= Fraction(1, 200)
    assert line.as_tuple().exponent == -2
