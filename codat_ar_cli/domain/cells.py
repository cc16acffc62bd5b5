"""Cells into values: a date, an amount, a name; or one finding that says what is wrong with the cell and what to write.

Reading is by our own rules, not by `Decimal` or `fromisoformat`, which take `1_000`, `1e3`, `NaN`, digits of other
scripts and week dates. Each distinct text is parsed once: files repeat their dates and prices.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from codat_ar_cli.domain import money
from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.layouts import Kind
from codat_ar_cli.domain.types import Currency

EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2099, 12, 31)
LARGEST = Decimal(10) ** 15
"""No honest amount reaches it; sums of amounts below it stay exact."""
MAX_LENGTH: Mapping[str, int] = {"line_description": 4000, "note": 4000, "customer_email": 320}
DEFAULT_LENGTH = 255
"""Characters; platforms are stricter, which preflight knows."""
MULTILINE = frozenset({"line_description", "note"})

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BIDI = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
_REPLACEMENT = "\ufffd"


class CellReader:
    """Reads cells of one file and gathers findings; a method that gives None for a filled cell has added one.

    A row of None stands for a cell that already has its finding: it reads as None without another.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.document: str | None = None
        """The source id of the document being read; every finding carries it."""
        self._dates: dict[str, dt.date | tuple[str, str]] = {}
        self._amounts: dict[str, Decimal | tuple[str, str]] = {}
        self._money: dict[tuple[str, Currency], Decimal] = {}
        self._good_texts: set[str] = set()
        """Texts that are good in any column."""

    def report(
        self,
        code: str,
        row: Row,
        column: str | None,
        message: str,
        *,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a finding at a cell, or at the whole row where `column` is None."""
        place = row.place if column is None else Place(row.place.source, row.place.row, column, row.place.path)
        self.findings.append(Finding(code, severity, message, place, hint, self.document))

    def text(self, row: Row | None, column: str, *, required: bool = False) -> str | None:
        """Read words: None for a blank cell. Refuses invisible and control characters, and texts too long."""
        if row is None:
            return None
        value = row.cells.get(column)
        if value in self._good_texts:
            return value
        if not value:
            if required:
                self.report("row.required", row, column, f"`{column}` is blank", hint="every record needs it")
            return None
        limit = MAX_LENGTH.get(column, DEFAULT_LENGTH)
        if len(value) > limit:
            self.report(
                "row.too-long",
                row,
                column,
                f"`{column}` has {len(value):,} characters; at most {limit:,} are taken",
                hint="shorten it",
            )
            return None
        bad = _bad_character(value, multiline=column in MULTILINE)
        if bad:
            self.report("row.bad-text", row, column, f"`{column}` {bad}: {value[:60]!a}", hint="type it anew")
            return None
        if len(value) <= DEFAULT_LENGTH and (column not in MULTILINE or value.isprintable()):
            self._good_texts.add(value)
        return value

    def code(self, row: Row | None, column: str, *, required: bool = False) -> str | None:
        """Read a number or code people type, such as an invoice number: look-alike letters and digits are refused."""
        value = self.text(row, column, required=required)
        if row is None or value is None or value.isascii():
            return value
        lookalike = _lookalike(value)
        if lookalike is None:
            return value
        self.report("row.lookalike", row, column, f"`{column}` {value!r} {lookalike}", hint="type it anew")
        return None

    def date(self, row: Row | None, column: str, *, required: bool = False) -> dt.date | None:
        """Read an ISO date that exists."""
        value = row.cells.get(column, "") if row else ""
        if not row or not value:
            self.text(row, column, required=required)
            return None
        parsed = self._date(value)
        if isinstance(parsed, tuple):
            message, hint = parsed
            self.report("row.bad-date", row, column, message, hint=hint)
            return None
        return parsed

    def number(self, row: Row | None, column: str, *, required: bool = False) -> Decimal | None:
        """Read a plain decimal number of any scale, such as a quantity, a percentage or a rate."""
        value = row.cells.get(column, "") if row else ""
        if not row or not value:
            self.text(row, column, required=required)
            return None
        parsed = self._number(value)
        if isinstance(parsed, tuple):
            message, hint = parsed
            self.report("row.bad-amount", row, column, message, hint=hint)
            return None
        return parsed

    def read(self, row: Row, column: str, kind: Kind) -> object:
        """Read a cell of any kind, for the finding it may add."""
        if kind is Kind.DATE:
            return self.date(row, column)
        if kind is Kind.NUMBER:
            return self.number(row, column)
        return self.currency(row, column) if kind is Kind.CURRENCY else self.text(row, column)

    def value(self, text: str, kind: Kind) -> object:
        """Give what a text means, for comparing; None where it means nothing. Adds no finding."""
        if kind is Kind.CURRENCY:
            return _parse_currency(text)
        parsed: object = text
        if kind is Kind.DATE:
            parsed = self._date(text)
        elif kind is Kind.NUMBER:
            parsed = self._number(text)
        return None if isinstance(parsed, tuple) else parsed

    def _date(self, value: str) -> dt.date | tuple[str, str]:
        parsed = self._dates.get(value)
        if parsed is None:
            parsed = self._dates[value] = _parse_date(value)
        return parsed

    def _number(self, value: str) -> Decimal | tuple[str, str]:
        parsed = self._amounts.get(value)
        if parsed is None:
            parsed = self._amounts[value] = _parse_number(value)
        return parsed

    def amount(
        self, row: Row | None, column: str, currency: Currency | None, *, required: bool = False
    ) -> Decimal | None:
        """Read money: no more decimals than its currency has (unchecked while the currency is unknown)."""
        if row is not None and currency is not None:
            known = self._money.get((row.cells.get(column, ""), currency))
            if known is not None:
                return known
        value = self.number(row, column, required=required)
        if row is None or value is None or currency is None:
            return value
        if money.fits(value, currency):
            self._money[row.cells[column], currency] = value
            return value
        self.report(
            "row.too-many-decimals",
            row,
            column,
            f"`{row.cells[column]}` has more decimals than {currency}, which has {money.minor_units(currency)}",
            hint=_decimals_hint(column, value, currency),
        )
        return None

    def currency(self, row: Row | None, column: str = "currency") -> Currency | None:
        """Read an ISO 4217 code, in upper or lower case."""
        value = row.cells.get(column, "") if row else ""
        if not row or not value:
            self.text(row, column, required=True)
            return None
        code = _parse_currency(value)
        if code is not None:
            return code
        self.report(
            "row.bad-currency",
            row,
            column,
            f"{value!r} is not an ISO 4217 currency code",
            hint="write three letters, such as GBP, EUR or USD",
        )
        return None


def _decimals_hint(column: str, value: Decimal, currency: Currency) -> str:
    rounded = money.round_to(value, currency)
    if column == "unit_price":
        return f"write a price such as {rounded}; for a finer price, price a larger unit (10 pieces, 100 kWh)"
    return f"write {rounded} if that is what is meant"


def _parse_currency(value: str) -> Currency | None:
    code = value.upper()
    return Currency(code) if value.isascii() and money.is_currency(code) else None


def _parse_date(value: str) -> dt.date | tuple[str, str]:
    found = _ISO.fullmatch(value)
    if not found:
        return f"{value!r} is not a date such as 2026-05-31", "write year-month-day, with two digits each: 2026-05-31"
    year, month, day = map(int, found.groups())
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return f"{value!r} is not a day of the calendar", "correct the day or the month"
    if not EARLIEST <= date <= LATEST:
        return f"{value!r} is outside {EARLIEST.year} to {LATEST.year}", "correct the year"
    return date


def _parse_number(value: str) -> Decimal | tuple[str, str]:
    try:
        number = money.parse_amount(value)
    except money.AmountError:
        return f"{value!r} is not a number such as 1234.56", _number_hint(value)
    if abs(number) >= LARGEST:
        return f"{value!r} is larger than any amount that is taken", "correct it"
    return number


def _number_hint(value: str) -> str:
    lookalike = None if value.isascii() else _lookalike(value)
    if lookalike:
        return f"it {lookalike}: type it anew"
    if not any(character.isdigit() for character in value):
        return "write digits, with a point before the decimals"
    if "," in value:
        return "write no thousands separators, and a point before the decimals"
    if value.startswith("(") or value.endswith("-"):
        return "write a minus in front of a negative number"
    return "write digits only, with a point before the decimals: no currency sign, percent sign, blanks or exponent"


def _bad_character(value: str, *, multiline: bool) -> str | None:
    """Say which character makes a text unfit; None for a good one."""
    if value.isprintable() and value.isascii():
        return None
    for character in value:
        if multiline and character in "\n\r\t":
            continue
        if character == _REPLACEMENT:
            return "holds a replacement character (U+FFFD), so letters were lost in an earlier conversion"
        if character in _BIDI or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
            return f"holds an invisible or control character (U+{ord(character):04X})"
    return None


def _lookalike(value: str) -> str | None:
    """Say which characters only look like the usual digits or letters; None where all is well.

    Foreign digits are never meant in a code. Cyrillic and Greek letters are, but not among Latin ones or digits.
    """
    latin = any(character.isascii() and character.isalnum() for character in value)
    for character in value:
        if character.isascii():
            continue
        name = unicodedata.name(character, "an unnamed character")
        if unicodedata.category(character) in {"Nd", "No"} or "FULLWIDTH" in name:
            return f"holds {name} (U+{ord(character):04X}), which is no ASCII digit or letter"
        if latin and character.isalpha() and name.startswith(("CYRILLIC", "GREEK")):
            return f"holds {name} (U+{ord(character):04X}) among Latin letters and digits"
    return None
