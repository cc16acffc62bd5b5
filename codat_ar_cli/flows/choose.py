"""The mapping conversation: puts the open questions one by one, through a function that asks; keeps each answer."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path

from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.grouping import split_cell
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.domain.mapping import (
    Candidate,
    Mapping,
    Problem,
    Resolver,
    Rule,
    Slot,
    Target,
    candidates,
    fold,
    next_question,
    slots_for,
    with_default,
    with_rule,
)
from codat_ar_cli.domain.platforms import IncomeBy, PlatformRules
from codat_ar_cli.domain.resolving import percentage
from codat_ar_cli.domain.types import RecordId, ReferenceData
from codat_ar_cli.files.errors import WrongColumns
from codat_ar_cli.files.readers import read_table


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value of the user's file that leads to no record yet."""

    slot: Slot
    column: str
    value: str
    rows: int
    """How many rows have it."""
    problem: Problem
    """Why it leads nowhere."""
    percent: Decimal | None = None
    """Of a tax rate that is stated as a percentage."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One question as it is put to a person."""

    slot: Slot
    text: str
    offers: tuple[Candidate, ...]
    """What may be chosen, best first; never empty."""
    excluded: tuple[Candidate, ...]
    """What may not, each with its reason."""
    current: Target | None = None
    """The answer so far; choosing it again keeps it."""
    remark: str | None = None
    """What is wrong with the answer so far, or what is known of the value asked about."""
    background: str | None = None
    """What the answer is used for, where the question alone does not say."""
    required: bool = False
    """Whether nothing can be pushed without an answer. It may be left open all the same, for later."""
    value: OpenValue | None = None
    """The value of the file it is about; None: it is about a slot's default."""
    best_left_open: bool = False
    """Whether an answer given by mistake would say something about every row that the row does not say."""


_BACKGROUND: MappingABC[Slot, str] = {
    Slot.ITEM: "On this platform the item of a line decides its income account.",
    Slot.TAX_RATE: "For lines that name no tax rate, or name the percentage that it charges.",
    Slot.TRACKING: "Optional: it would go on every line that names none.",
    Slot.PAYMENT_METHOD: "Optional: it would go on every payment that names none.",
    Slot.FEE_ACCOUNT: "Optional: needed only to book what payment processors keep.",
    Slot.FEE_SUPPLIER: "Optional: needed only to book what payment processors keep.",
}

_BEST_LEFT_OPEN = frozenset({Slot.TRACKING, Slot.PAYMENT_METHOD})

Ask = Callable[[Asking], Target | None]
"""Puts a question; gives the chosen record, None to leave it open."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """How the conversation ended."""

    mapping: Mapping
    answered: int
    left_open: tuple[Asking, ...]
    """What was asked and left open."""
    without_choice: tuple[Asking, ...]
    """What could not be asked: the books have no usable record for it."""


def choose(
    mapping: Mapping,
    reference: ReferenceData,
    platform: PlatformRules,
    *,
    ask: Ask,
    save: Callable[[Mapping], None],
    rows: Sequence[Row] = (),
    source: str = "",
    revisit: bool = False,
) -> Conversation:
    """Ask every open question, then for each value of `rows` that leads to no record, which record it means.

    `save` is called after each answer, so that a conversation that breaks off is taken up where it stood.
    revisit: ask again what is answered already. What `ask` raises (an interrupt) ends the conversation.
    """
    talk = _Talk(mapping, reference, platform, ask, save)
    talk.about_slots(revisit=revisit)
    talk.about_values(rows, source)
    return Conversation(talk.mapping, talk.answered, tuple(talk.left_open), tuple(talk.without_choice))


class _Talk:
    """The state of one conversation."""

    def __init__(
        self,
        mapping: Mapping,
        reference: ReferenceData,
        platform: PlatformRules,
        ask: Ask,
        save: Callable[[Mapping], None],
    ) -> None:
        self.mapping = mapping
        self.answered = 0
        self.left_open: list[Asking] = []
        self.without_choice: list[Asking] = []
        self._reference = reference
        self._platform = platform
        self._ask = ask
        self._save = save

    def about_slots(self, *, revisit: bool) -> None:
        asked: list[Slot] = []
        while True:
            put = next_question(self.mapping, self._reference, self._platform, asked=asked, revisit=revisit)
            if put is None:
                return
            asked.append(put.slot)
            remark = put.problem.message if put.problem else None
            background = _BACKGROUND.get(put.slot)
            asking = Asking(
                put.slot,
                put.text,
                put.candidates,
                put.excluded,
                put.current,
                remark,
                background,
                put.required,
                best_left_open=put.slot in _BEST_LEFT_OPEN and put.current is None,
            )
            target = self._put(asking)
            if target is not None:
                self._keep(with_default(self.mapping, put.slot, target))

    def about_values(self, rows: Sequence[Row], source: str) -> None:
        for value in open_values(rows, self.mapping, self._reference, self._platform):
            asking = _asking_value(value, source, self._reference, self._platform)
            target = self._put(asking)
            if target is not None:
                self._keep(with_rule(self.mapping, value.slot, Rule(((value.column, (value.value,)),), target)))

    def _put(self, asking: Asking) -> Target | None:
        if not asking.offers:
            self.without_choice.append(asking)
            return None
        target = self._ask(asking)
        if target is None:
            self.left_open.append(asking)
        return target

    def _keep(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self._save(mapping)
        self.answered += 1


def read_rows(path: Path) -> list[Row]:
    """Read the rows of an invoices or payments file. Raises FileError subclasses."""
    try:
        return read_table(path, INVOICES).rows
    except WrongColumns as not_invoices:
        try:
            return read_table(path, PAYMENTS).rows
        except WrongColumns:
            raise not_invoices from None


def open_values(
    rows: Iterable[Row], mapping: Mapping, reference: ReferenceData, platform: PlatformRules
) -> tuple[OpenValue, ...]:
    """Find the distinct values of a file that lead to no record, in the order slots are asked, then of the file."""
    resolver = Resolver(mapping, reference, platform)
    found: dict[tuple[Slot, str, str], OpenValue] = {}
    counts: Counter[tuple[Slot, str, str]] = Counter()
    offered = set(slots_for(platform, reference))
    for row in rows:
        for slot, column, value in _stated(row.cells, platform):
            if slot not in offered:
                continue
            key = (slot, column, fold(value))
            counts[key] += 1
            if counts[key] > 1:
                continue
            replaces = value if column == "account" and slot is Slot.ITEM else None
            outcome = resolver.resolve(slot, row.cells, stated=None if replaces else value, replaces=replaces)
            if isinstance(outcome, Problem):
                percent = percentage(value) if slot is Slot.TAX_RATE else None
                found[key] = OpenValue(slot, column, value, 0, outcome, percent)
    ordered = sorted(found, key=lambda key: list(Slot).index(key[0]))
    return tuple(
        OpenValue(each.slot, each.column, each.value, counts[key], each.problem, each.percent)
        for key, each in ((key, found[key]) for key in ordered)
    )


def _stated(cells: MappingABC[str, str], platform: PlatformRules) -> Iterable[tuple[Slot, str, str]]:
    """Give the words of one row that name records: slot, column, value. Several tracking values can't be one rule."""
    account, item = cells.get("account", "").strip(), cells.get("item", "").strip()
    if platform.income_by is IncomeBy.ITEM:
        if item or account:
            yield Slot.ITEM, "item" if item else "account", item or account
    elif account:
        yield Slot.INCOME_ACCOUNT, "account", account
    if cells.get("tax_rate", "").strip():
        yield Slot.TAX_RATE, "tax_rate", cells["tax_rate"].strip()
    tracking = split_cell(cells.get("tracking"))
    if len(tracking) == 1:
        yield Slot.TRACKING, "tracking", tracking[0]
    if cells.get("method", "").strip():
        yield Slot.PAYMENT_METHOD, "method", cells["method"].strip()


def _asking_value(value: OpenValue, source: str, reference: ReferenceData, platform: PlatformRules) -> Asking:
    found = candidates(value.slot, reference, platform)
    posting = _posting_to(value, reference)
    likeness = {each.target.id: 1.0 if each.target.id in posting else _likeness(value, each) for each in found}
    usable = sorted((each for each in found if each.excluded is None), key=lambda each: -likeness[each.target.id])
    rows = "1 row" if value.rows == 1 else f"{value.rows:,} rows"
    return Asking(
        value.slot,
        f"Which {value.slot.label} is {value.column} `{value.value}` ({rows} of {source})?",
        tuple(usable),
        tuple(each for each in found if each.excluded is not None),
        remark=value.problem.message,
        value=value,
        best_left_open=sum(likeness[each.target.id] >= _LIKELY for each in usable) != 1,
    )


_LIKELY = 0.6
"""From this likeness on a candidate may be what is meant."""


def _posting_to(value: OpenValue, reference: ReferenceData) -> frozenset[RecordId]:
    """Give the items that post to the account that the file names, where the platform takes items instead."""
    if value.slot is not Slot.ITEM or value.column != "account":
        return frozenset()
    named = fold(value.value)
    accounts = {
        each.id for each in reference.accounts if named in {fold(each.nominal_code or ""), fold(each.name), each.id}
    }
    return frozenset(each.id for each in reference.items if each.income_account in accounts)


def _likeness(value: OpenValue, candidate: Candidate) -> float:
    """Tell, from 0 to 1, how like the value a record is: by what it charges, else by its name or code."""
    if value.percent is not None:
        charges_it = candidate.percent is not None and Decimal(candidate.percent) == value.percent
        return 1.0 if charges_it else 0.0
    texts = (candidate.target.name, candidate.target.code or "")
    likeness = max(SequenceMatcher(None, fold(value.value), fold(text)).ratio() for text in texts)
    return likeness if likeness >= _LIKELY else 0.0
