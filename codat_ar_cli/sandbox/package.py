"""The accounting package behind a company: looks records up, hands out ids, knows the rules of its platform."""

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.amounts import HUNDRED, ZERO, date_of, decimal_of, quantum, rounded, wire_instant
from codat_ar_cli.sandbox.booksdata import Item, Record, Rejection, State
from codat_ar_cli.sandbox.platforms.fields import words
from codat_ar_cli.sandbox.platforms.platform import Platform, Rules, document_name

_NAMES = uuid.UUID("b0a1a7c2-2f0b-4d0c-8f58-5d6c5a5e0002")
DAY_RATES = {
    "GBP": Decimal(1),
    "EUR": Decimal("0.8612"),
    "USD": Decimal("0.7834"),
    "SEK": Decimal("0.0765"),
    "PLN": Decimal("0.2021"),
    "AUD": Decimal("0.5127"),
    "CAD": Decimal("0.5702"),
    "JPY": Decimal("0.0052"),
    "KWD": Decimal("2.5496"),
}
"""Pounds for one unit: what a package takes where a document gives no rate."""

SHIPPING = "SHIPPING_ITEM_ID"


@dataclass(slots=True)
class Draft:
    """A write on its way into the books."""

    data_type: str
    body: Record
    """What the platform takes of it."""
    sent: Record
    """As it was sent."""
    now: datetime
    warnings: list[Item] = field(default_factory=list)
    problems: list[Item] = field(default_factory=list)

    def fail(self, place: str, message: str) -> None:
        """Note one reason to refuse the write; `place` is a dotted Pascal path."""
        self.problems.append(Item(place, message, document_name(self.data_type)))

    def warn(self, place: str, message: str) -> None:
        """Note something the platform did differently from what was sent."""
        self.warnings.append(Item(place, message, document_name(self.data_type)))

    def settle(self) -> None:
        """Stop here if there is any reason to refuse.

        Raises:
            Rejection: with every reason noted so far.
        """
        if self.problems:
            raise Rejection(*self.problems)


@dataclass(frozen=True, eq=False)
class Package:
    """One company's accounting package: its records and its platform's rules."""

    state: State
    platform: Platform

    @property
    def rules(self) -> Rules:
        """Give the platform's rules."""
        return self.platform.rules

    @property
    def base(self) -> str:
        """Give the company's base currency."""
        return str(self.state.head["info"]["baseCurrency"])

    def role(self, name: str) -> str:
        """Give the id of a control account: `receivable`, `tax`, `undeposited`, `fx`, `discount`, `sales`."""
        return str(self.state.head["roles"][name])

    def find(self, refers: str, record_id: str) -> Record | None:
        """Look up a live record that a field refers to; contacts and bank accounts by either kind's id."""
        live = self.state.live
        if refers == "contacts":
            return live["customers"].get(record_id) or live["suppliers"].get(record_id)
        if refers == "bank":
            account = live["chartOfAccounts"].get(record_id)
            return account if account is not None and account["isBankAccount"] else None
        if refers == "items" and record_id == SHIPPING and self.rules.income_by_item:
            return {"id": SHIPPING, "name": "Shipping", "invoiceItem": {"accountRef": {"id": self.role("sales")}}}
        if refers == "taxRates" and record_id == "NON" and self.rules.income_by_item:
            return {"id": "NON", "name": "NON", "effectiveTaxRate": 0}
        return live[refers].get(record_id)

    def next_id(self, data_type: str) -> str:
        """Hand out the next id of a data type in the platform's style, of an attachment in Codat's; never twice."""
        numbers = self.state.head["numbers"]
        group = data_type if data_type in _OWN_NUMBERS else "transactions"
        numbers[group] = number = numbers.get(group, 0) + 1
        self.state.touch_head()
        if self.rules.guid_ids or data_type == "attachments":
            return str(uuid.uuid5(_NAMES, f"{self.state.head['company']['id']}:{data_type}:{number}"))
        return f"{self.rules.id_prefixes.get(data_type, '')}{number}"

    def next_number(self, series: str) -> int:
        """Hand out the next number of a series people read, such as invoice numbers."""
        numbers = self.state.head["numbers"]
        numbers[series] = number = numbers.get(series, 1000) + 1
        self.state.touch_head()
        return int(number)

    def stamp(self, now: datetime) -> str:
        """Write `sourceModifiedDate` as the platform does: Xero without a zone (reference §5)."""
        text = wire_instant(now)
        return text.removesuffix("Z") if self.rules.guid_ids else text

    def currency_of(self, account_id: str) -> str:
        """Give the currency an account is kept in."""
        return str(self.state.live["chartOfAccounts"][account_id].get("currency") or self.base)

    def currency(self, draft: Draft, default: str | None = None) -> str:
        """Read a document's currency; refuses codes that are none."""
        code = draft.body.get("currency") or default or self.base
        if len(code) != 3 or not code.isascii() or not code.isalpha() or not code.isupper():
            draft.fail("Currency", f"`{code}` is not an ISO 4217 currency code.")
            return self.base
        return str(code)

    def rate(self, draft: Draft, currency: str) -> Decimal:
        """Read a document's rate, base units for one foreign unit; without one do as the platform does (§5)."""
        given = draft.body.get("currencyRate")
        if currency == self.base:
            if given is not None and Decimal(given) != 1:
                draft.fail("CurrencyRate", f"The rate of {currency}, the base currency, must be 1; not {given}.")
            return Decimal(1)
        if given is not None:
            if Decimal(given) <= 0:
                draft.fail("CurrencyRate", f"The rate must be above zero; not {given}.")
            return Decimal(given)
        if self.rules.missing_rate_is_one:
            draft.warn("CurrencyRate", f"No rate was given for {currency}: 1 was used.")
            return Decimal(1)
        if currency not in DAY_RATES:
            draft.fail("CurrencyRate", f"There is no day's rate for {currency}: give a rate.")
            return Decimal(1)
        return (DAY_RATES[currency] / DAY_RATES.get(self.base, Decimal(1))).quantize(Decimal("0.000001"))

    def day(self, draft: Draft, name: str) -> date:
        """Read the date a document is booked on, today's where none is given; refuses a locked period (§6.8)."""
        text = draft.body.get(name)
        day = date_of(text) if text else draft.now.date()
        locked = self.state.head["info"].get("ledgerLockDate")
        if locked and day < date_of(locked):
            place = name[:1].upper() + name[1:]
            draft.fail(place, f"{words(name)} {day} is in a locked period: the books are closed until {locked[:10]}.")
        return day

    def amount(self, draft: Draft, value: Any, currency: str, place: str) -> Decimal:
        """Read an amount of money; refuses more decimals than the currency has."""
        amount = decimal_of(value)
        if amount % quantum(currency):
            draft.fail(place, f"{amount} has more decimals than {currency} allows.")
        return amount

    def check_tracking(self, draft: Draft, lines: list[Record], place: str = "LineItems") -> None:
        """Check tracking of all lines against the platform's way (reference §6.3)."""
        for index, line in enumerate(lines):
            ids = [ref["id"] for ref in line.get("trackingCategoryRefs") or () if "id" in ref]
            where = f"{place}[{index}].TrackingCategoryRefs"
            if self.rules.tracking == "options":
                self._check_options(draft, ids, where)
            elif self.rules.tracking == "classes":
                _check_classes(draft, ids, where, first=index == 0)

    def _check_options(self, draft: Draft, ids: list[str], where: str) -> None:
        known = [record for one in ids if (record := self.find("trackingCategories", one)) is not None]
        if len(ids) > 2:
            draft.fail(where, "Maximum of 2 tracking categories.")
        if any(record["hasChildren"] or not record.get("parentId") for record in known):
            draft.fail(where, "Must not be a parent tracking category.")
        parents = [record.get("parentId") for record in known]
        if len(set(parents)) < len(parents):
            draft.fail(where, "Tracking categories must not have the same parent tracking category.")

    def percentage(self, tax_rate_id: str | None) -> Decimal:
        """Give the effective percentage of a tax rate; zero where there is none."""
        record = self.find("taxRates", tax_rate_id) if tax_rate_id else None
        return decimal_of(record.get("effectiveTaxRate")) if record else ZERO

    def tax_on(self, net: Decimal, percentage: Decimal, currency: str) -> Decimal:
        """Work tax out on a net amount, rounded to the currency."""
        return rounded(net * percentage / HUNDRED, currency)

    def control(self, draft: Draft, account_id: str | None, place: str) -> None:
        """Refuse the receivables control account, which only documents may move."""
        if account_id == self.role("receivable"):
            draft.fail(place, "The accounts receivable account is kept by the system and cannot be used here.")


_OWN_NUMBERS = frozenset(
    "chartOfAccounts bankAccounts customers suppliers items taxRates trackingCategories paymentMethods "
    "attachments".split()
)


def _check_classes(draft: Draft, ids: list[str], where: str, *, first: bool) -> None:
    kinds = [one.partition("_")[0] for one in ids]
    if kinds.count("CLASS") > 1:
        draft.fail(where, "Only one tracking category of type CLASS can be provided per line.")
    if kinds.count("DEPARTMENT") > 1:
        draft.fail(where, "Only one tracking category of type DEPARTMENT can be provided per document.")
    if "DEPARTMENT" in kinds and not first:
        draft.fail(where, "A tracking category of type DEPARTMENT must be on the first line.")
