"""Amounts: read them, round them per currency, compare them. The only place that rounds."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation

from codat_ar_cli.domain.ids import Currency

_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,12})?")

_EXACT = Context(prec=120, rounding=ROUND_HALF_UP, traps=[InvalidOperation, Inexact])
"""Products of amounts as read have at most 64 digits; the default 28 would round them without a word."""
_ROUNDING = Context(prec=120, rounding=ROUND_HALF_UP, traps=[InvalidOperation])

_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER "
    "ZAR ZMW ZWG ZWL"
)
_MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
"""ISO 4217 list one, with the decimals of each currency."""

_SMALLEST = {code: Decimal(1).scaleb(-decimals) for code, decimals in _MINOR_UNITS.items()}
_CENT = Decimal("0.01")


class AmountError(ValueError):
    """The text is not an amount in plain notation."""


def parse_amount(text: str) -> Decimal:
    """Read `-1234.56`: ASCII digits, optional minus, optional point; no exponent, separators, NaN or other digits.

    Raises AmountError. `Decimal` itself would take `1_000`, `1e3`, `NaN` and Arabic digits.
    """
    if not _PLAIN.fullmatch(text):
        raise AmountError(f"{text!r} is not an amount such as 1234.56")
    return Decimal(text)


def is_currency(code: str) -> bool:
    """Tell whether this is an ISO 4217 code of a currency documents can be in."""
    return code in _MINOR_UNITS


def minor_units(currency: Currency) -> int:
    """Give the decimals of a currency (JPY 0, GBP 2, KWD 3); 2 for a code we don't know."""
    return _MINOR_UNITS.get(currency, 2)


def round_to(amount: Decimal, currency: Currency) -> Decimal:
    """Round half up, away from zero, to the currency's own decimals; the result always shows them all."""
    return amount.quantize(smallest(currency), context=_ROUNDING)


def fits(amount: Decimal, currency: Currency) -> bool:
    """Tell whether an amount has no more decimals than its currency."""
    return round_to(amount, currency) == amount


def show(amount: Decimal, currency: Currency) -> str:
    """Write an amount for people: `1,234.50 GBP`."""
    return f"{round_to(amount, currency):,f} {currency}"


def smallest(currency: Currency) -> Decimal:
    """Give the smallest amount of a currency: 0.01 for GBP, 1 for JPY."""
    return _SMALLEST.get(currency, _CENT)


def line_net(
    quantity: Decimal,
    unit_amount: Decimal,
    currency: Currency,
    *,
    discount_amount: Decimal | None = None,
    discount_percentage: Decimal | None = None,
) -> Decimal:
    """Compute a line's amount before tax, rounded once: quantity × unit amount − discount (design D5).

    discount_percentage: 10 means 10 %, taken off the exact product; at most one of the two discounts is given.
    """
    net = _EXACT.multiply(quantity, unit_amount)
    if discount_percentage is not None:
        net = _EXACT.multiply(net, (100 - discount_percentage).scaleb(-2))
    if discount_amount is not None:
        net = _EXACT.subtract(net, discount_amount)
    return round_to(net, currency)


def tax_on(net: Decimal, percentage: Decimal, currency: Currency) -> Decimal:
    """Compute tax on an amount before tax, rounded half up; percentage: 20 means 20 %."""
    return round_to(_EXACT.multiply(net, percentage.scaleb(-2)), currency)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts exactly, however many; 0 for none."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result
