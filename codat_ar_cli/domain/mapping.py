"""Slots, rules and what they resolve to: the company's answers to "which account is that?" (design D6)."""

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum

from codat_ar_cli.domain.types import RecordId


class Slot(StrEnum):
    """A question that mapping answers, once per company."""

    BANK_ACCOUNT = "bank_account"
    """The GL account that receives payments; an id of `accounts`, valid as payment account."""
    INCOME_ACCOUNT = "income_account"
    FEE_ACCOUNT = "fee_account"
    FEE_SUPPLIER = "fee_supplier"
    TAX_RATE = "tax_rate"
    ITEM = "item"
    """What is sold, on platforms whose lines take an item instead of an income account."""
    TRACKING = "tracking"
    PAYMENT_METHOD = "payment_method"


@dataclass(frozen=True, slots=True)
class Target:
    """A mapped record: the id that is sent, with the name and code that people check it by."""

    id: RecordId
    name: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer with a condition: applies to a row whose cells equal all of `when`."""

    when: tuple[tuple[str, tuple[str, ...]], ...]
    """Pairs of column and accepted values; values are compared without case and outer blanks."""
    target: Target


@dataclass(frozen=True, slots=True)
class SlotMapping:
    """One slot's answers: rules in order, first match wins, then the default."""

    default: Target | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapping:
    """All of a profile's answers, and the platform limits its owner has accepted."""

    slots: MappingABC[Slot, SlotMapping] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    """Names of accepted findings, such as `invoices.invoiceNumber` (design D7)."""

    def slot(self, slot: Slot) -> SlotMapping:
        """Give a slot's answers; empty ones where it was never mapped."""
        return self.slots.get(slot, SlotMapping())
