"""Slots, rules and targets: a company's answers to "which account is that?" as values (design D6)."""

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from enum import StrEnum

from codat_ar_cli.domain.ids import RecordId


def fold(text: str) -> str:
    """Give the form in which names, codes and cells are compared: no outer blanks, single inner ones, no case."""
    return " ".join(text.split()).casefold()


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

    @property
    def label(self) -> str:
        """The words a bookkeeper uses, singular."""
        return _LABELS[self]

    @property
    def option_name(self) -> str:
        """As commands and finding codes write it: `tax-rate`."""
        return self.value.replace("_", "-")


_LABELS: dict[Slot, str] = {
    Slot.BANK_ACCOUNT: "receiving bank account",
    Slot.INCOME_ACCOUNT: "income account",
    Slot.FEE_ACCOUNT: "fee account",
    Slot.FEE_SUPPLIER: "fee supplier",
    Slot.TAX_RATE: "tax rate",
    Slot.ITEM: "item",
    Slot.TRACKING: "tracking category",
    Slot.PAYMENT_METHOD: "payment method",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A mapped record: the id that is sent, with the name and code that people check it by."""

    id: RecordId
    name: str
    code: str | None = None

    def __str__(self) -> str:
        return f"{self.code} {self.name}" if self.code and self.code != self.name else self.name


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer with a condition: applies to a row whose cells equal all of `when`."""

    when: tuple[tuple[str, tuple[str, ...]], ...]
    """Pairs of column and accepted values; values are compared without case and outer blanks."""
    target: Target

    def matches(self, cells: MappingABC[str, str]) -> bool:
        """Tell whether a row meets every condition. `cells` have folded column names and folded values."""
        return all(cells.get(fold(column)) in {fold(value) for value in values} for column, values in self.when)


@dataclass(frozen=True, slots=True)
class SlotMapping:
    """One slot's answers: rules in order, first match wins, then the default."""

    default: Target | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """The folded names of the columns that its rules look at."""
        return frozenset(fold(column) for rule in self.rules for column, _ in rule.when)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target it can give, the default first."""
        default = () if self.default is None else (self.default,)
        return tuple(dict.fromkeys((*default, *(rule.target for rule in self.rules))))


@dataclass(frozen=True, slots=True)
class Mapping:
    """All of a profile's answers, and the platform limits its owner has accepted."""

    slots: MappingABC[Slot, SlotMapping] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    """Names of accepted findings, such as `invoices.invoiceNumber` (design D7)."""

    def slot(self, slot: Slot) -> SlotMapping:
        """Give a slot's answers; empty ones where it was never mapped."""
        return self.slots.get(slot, SlotMapping())
