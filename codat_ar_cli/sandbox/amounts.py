"""Money as these books keep it: Decimal, rounded half up to the currency's minor unit.

Written apart from the tool's own arithmetic on purpose: the sandbox must be able to disagree with it.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)
HUNDRED = Decimal(100)

_PLACES = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)
_QUANTA = {0: Decimal(1), 2: Decimal("0.01"), 3: Decimal("0.001")}


def quantum(currency: str) -> Decimal:
    """Give the smallest amount of a currency (ISO 4217 minor units): 0.01 for GBP, 1 for JPY."""
    return _QUANTA[_PLACES.get(currency, 2)]


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round an amount half up, away from zero, to the currency's minor unit."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


def decimal_of(value: Any, default: Decimal = ZERO) -> Decimal:
    """Read a number of a JSON body (int or Decimal); `None` gives the default."""
    return default if value is None else Decimal(value)


def date_of(text: str) -> date:
    """Read the calendar date of a wire date-time, ignoring time and zone (reference §5)."""
    return date.fromisoformat(text[:10])


def wire_date(day: date) -> str:
    """Write a business date as platforms show it: midnight without a zone (reference §5)."""
    return f"{day.isoformat()}T00:00:00"


def wire_instant(moment: datetime) -> str:
    """Write an instant as Codat writes `modifiedDate`: UTC with `Z`, to the microsecond so that order survives."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
