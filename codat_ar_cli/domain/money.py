"""Amounts: read them, round them per currency, compare them. The only place that rounds."""

import re
from decimal import ROUND_HALF_UP, Decimal

from codat_ar_cli.domain.types import Currency

_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,12})?")

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
    return amount.quantize(Decimal(1).scaleb(-minor_units(currency)), rounding=ROUND_HALF_UP)


def fits(amount: Decimal, currency: Currency) -> bool:
    """Tell whether an amount has no more decimals than its currency."""
    return round_to(amount, currency) == amount


def show(amount: Decimal, currency: Currency) -> str:
    """Write an amount for people: `1,234.50 GBP`."""
    return f"{round_to(amount, currency):,f} {currency}"
