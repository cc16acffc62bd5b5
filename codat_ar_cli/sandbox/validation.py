"""Checks a body against a platform's fields: shape, required values, closed lists, lengths, references.

Two gates, as at Codat (reference §9.4): `misfits` is what Codat refuses at once with HTTP 400, because the JSON does
not fit its model; `examine` is what the platform refuses when the operation runs.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.booksdata import Item, Record
from codat_ar_cli.sandbox.platforms.fields import Field, pascal, thing, words
from codat_ar_cli.sandbox.platforms.model import CLOSED, MODEL
from codat_ar_cli.sandbox.platforms.platform import Rules, document_name

Find = Callable[[str, str], Record | None]
"""Looks a live record up: (what it refers to, id) → record."""

READ_ONLY = frozenset(
    "id modifiedDate sourceModifiedDate metadata paymentAllocations amountDue remainingCredit paidOnDate "
    "salesOrderRefs "
    "withholdingTax additionalTaxAmount additionalTaxPercentage totalDiscount discountPercentage issueDate totalAmount "
    "subTotal totalTaxAmount taxAmount status isDirectIncome contacts itemStatus type isBillItem isInvoiceItem".split()
)
"""Fields clients built on Codat's read models have to send; left out silently where not taken."""

_NAMES = frozenset({"name", "companyName", "effectiveTaxRate"})
"""What references carry beside their id when they are read; on a write only the id counts (reference §5)."""
_DATE = re.compile(
    r"(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_INDEX = re.compile(r"\[\d+\]")
_USES = {
    "invoices": "Invoice",
    "creditNotes": "CreditNote",
    "payments": "Payment",
    "directCosts": "DirectCost",
    "directIncomes": "DirectIncome",
    "transfers": "Transfer",
}
_SAME_LINKS = {
    "CreditNote.LineItems.AccountRef.Id": "Invoice.LineItems.AccountRef.Id",
    "CreditNote.LineItems.TaxRateRef.Id": "Invoice.LineItems.TaxRateRef.Id",
    "DirectIncome.LineItems.TaxRateRef.Id": "Invoice.LineItems.TaxRateRef.Id",
    "DirectCost.LineItems.TaxRateRef.Id": "Bill.LineItems.TaxRateRef.Id",
}
"""Uses that Codat's links leave out, and the use that stands for them (reference §6.1)."""
_LINKED_USES = frozenset(_SAME_LINKS) | frozenset(
    "Invoice.LineItems.AccountRef.Id Invoice.LineItems.TaxRateRef.Id Payment.AccountRef.Id "
    "DirectCost.LineItems.AccountRef.Id DirectIncome.LineItems.AccountRef.Id".split()
)


def is_number(value: Any) -> bool:
    """Tell a JSON number (int or Decimal) from everything else; true and false are no numbers."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def misfits(data_type: str, body: Any) -> list[Item]:
    """Find where a body does not fit Codat's model: wrong JSON types, unreadable dates, unknown enum values."""
    validator = document_name(data_type)
    if not isinstance(body, dict):
        return [Item("", "The request body must be a JSON object.", validator)]
    closed = CLOSED.get(data_type, {})
    return [Item(place, message, validator) for place, message in _misfits(body, MODEL[data_type], "", "", closed)]


def _misfits(
    value: Any, tree: Field, place: str, path: str, closed: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not _fits(value, tree.kind):
        yield place, f"The JSON value could not be converted to {tree.kind}. Path: {place}."
    elif path in closed and value.casefold() not in {known.casefold() for known in closed[path]}:
        yield place, f"`{value}` is not one of {', '.join(closed[path])}. Path: {place}."
    elif tree.kind == "Array":
        for index, element in enumerate(value):
            if element is None:
                yield f"{place}[{index}]", f"The JSON value could not be converted to Object. Path: {place}[{index}]."
            elif tree.fields is not None:
                within = Field("Object", fields=tree.fields)
                yield from _misfits(element, within, f"{place}[{index}]", path, closed)
    elif tree.kind == "Object":
        for name, inner in (tree.fields or {}).items():
            yield from _misfits(
                value.get(name), inner, f"{place}.{name}".lstrip("."), f"{path}.{name}".lstrip("."), closed
            )


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "Object":
            return isinstance(value, dict)
        case "Array":
            return isinstance(value, list)
        case "Number":
            return is_number(value)
        case "Boolean":
            return isinstance(value, bool)
        case "DateTime":
            return isinstance(value, str) and _DATE.fullmatch(value) is not None and _exists(value)
        case _:
            return isinstance(value, str)


def _exists(text: str) -> bool:
    day, month = int(text[8:10]), int(text[5:7])
    leap = int(text[:4]) % 4 == 0 and (int(text[:4]) % 100 != 0 or int(text[:4]) % 400 == 0)
    return day <= (29 if leap else 28) if month == 2 else day <= (30 if month in (4, 6, 9, 11) else 31)


@dataclass(slots=True)
class Examined:
    """What is left of a body once a platform looked at it."""

    body: Record
    """Only the fields the platform takes; closed values in the platform's own spelling."""
    errors: list[Item] = field(default_factory=list)
    warnings: list[Item] = field(default_factory=list)


def examine(data_type: str, body: Record, tree: Field, *, rules: Rules, find: Find) -> Examined:
    """Check a body against a platform's fields and keep what it takes.

    find: looks live records up for fields that refer to one.
    The result's errors are every violation found, not only the first.
    """
    examiner = _Examiner(data_type, rules, find)
    found = Examined({})
    found.body = examiner.inside(body, tree, "", found)
    return found


@dataclass(slots=True)
class _Examiner:
    data_type: str
    rules: Rules
    find: Find

    def inside(self, value: Record, tree: Field, place: str, found: Examined) -> Record:
        """Check an object's properties; `place` is its dotted Pascal path."""
        if tree.fields is None:
            return value
        kept: Record = {}
        honoured = self.rules.honoured.get(self.data_type, frozenset()) if not place else frozenset()
        silent = READ_ONLY | _NAMES if place else READ_ONLY
        for name, given in value.items():
            if name in honoured and given is not None:
                kept[name] = given
            elif name not in tree.fields and given and name not in silent:
                where = f"{place}.{pascal(name)}".lstrip(".")
                self._warn(found, where, f"{words(name)} is not taken by this platform and was left out.")
        for name, inner in tree.fields.items():
            where = f"{place}.{pascal(name)}".lstrip(".")
            given = value.get(name)
            if given is None:
                if inner.required and inner.enforced and self.rules.enforce_required:
                    self._fail(found, where, f"{words(name)} must be provided.")
                continue
            kept[name] = self._checked(given, inner, where, name, found)
        return kept

    def _checked(self, value: Any, tree: Field, place: str, name: str, found: Examined) -> Any:
        if not _fits(value, tree.kind):  # only where the platform has a field that Codat's model has not
            self._fail(found, place, f"{words(name)} must be of type {tree.kind}.")
            return None
        if tree.kind == "Object":
            return self.inside(value, tree, place, found)
        if tree.kind == "Array":
            if tree.required and not value and self.rules.enforce_required:
                self._fail(found, place, f"{words(name)} must hold one at least.")
            return [
                self.inside(one, tree, f"{place}[{index}]", found) if isinstance(one, dict) else one
                for index, one in enumerate(value)
            ]
        if tree.kind == "String":
            return self._text(value, tree, place, name, found)
        return value

    def _text(self, value: str, tree: Field, place: str, name: str, found: Examined) -> str:
        if tree.required and not value.strip() and self.rules.enforce_required:
            self._fail(found, place, f"{words(name)} must be provided.")
        elif tree.longest is not None and len(value) > tree.longest:
            self._fail(found, place, f"{words(name)} must not be longer than {tree.longest} characters long.")
        elif tree.choices:
            fitting = [known for known in tree.choices if known.casefold() == value.casefold()]
            if not fitting:
                self._fail(found, place, f"{words(name)} must be one of {', '.join(tree.choices[:12])}; not `{value}`.")
            return fitting[0] if fitting else value
        elif tree.refers is not None and value:
            self._reference(value, tree.refers, place, found)
        return value

    def _reference(self, record_id: str, refers: str, place: str, found: Examined) -> None:
        named = thing(refers)
        record = self.find(refers, record_id)
        if record is None:
            if self.rules.guid_ids and refers != "taxRates" and not _is_guid(record_id):
                self._fail(found, place, f"The ID of the {named} must be a valid GUID; not `{record_id}`.")
            self._fail(found, place, f"`{record_id}` must match the ID of an existing {named}.")
        elif record.get("status") == "Archived":
            self._fail(found, place, f"The {named} `{record_id}` is archived and cannot be used.")
        elif not self._may_stand(record, place):
            self._fail(found, place, f"The {named} `{record_id}` cannot be used here.")

    def _may_stand(self, record: Record, place: str) -> bool:
        """Tell whether the record's links allow this place; no links mean no information (reference §6.1)."""
        use = f"{_USES.get(self.data_type, '')}.{_INDEX.sub('', place)}"
        links = [link for group in record.get("validDatatypeLinks") or [] for link in group["links"]]
        return not links or use not in _LINKED_USES or use in links or _SAME_LINKS.get(use) in links

    def _fail(self, found: Examined, place: str, message: str) -> None:
        found.errors.append(Item(place, message, document_name(self.data_type)))

    def _warn(self, found: Examined, place: str, message: str) -> None:
        found.warnings.append(Item(place, message, document_name(self.data_type)))


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
