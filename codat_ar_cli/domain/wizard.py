"""The mapping conversation without the talking: what is open, what to ask next, what needs no asking (design D6)."""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass

from codat_ar_cli.domain.candidates import Candidate, candidates
from codat_ar_cli.domain.platforms import IncomeBy, PlatformRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.resolving import Resolver, percentage
from codat_ar_cli.domain.slots import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.types import ReferenceData


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask: which record answers this slot."""

    slot: Slot
    text: str
    required: bool
    """Whether nothing can be pushed without an answer; else it may be left empty."""
    candidates: tuple[Candidate, ...]
    """Usable ones, best first."""
    excluded: tuple[Candidate, ...]
    """Records of the same kind that can't be used, each with its reason."""
    current: Target | None
    """The answer so far."""
    problem: Problem | None
    """What is wrong with the answer so far."""


_TEXTS: dict[Slot, str] = {
    Slot.BANK_ACCOUNT: "Which account receives the payments?",
    Slot.INCOME_ACCOUNT: "Which income account do lines post to?",
    Slot.ITEM: "Which item do invoice lines use?",
    Slot.TAX_RATE: "Which tax rate applies unless a line says else?",
    Slot.TRACKING: "Which tracking category for lines that name none?",
    Slot.PAYMENT_METHOD: "Which method for payments that name none?",
    Slot.FEE_ACCOUNT: "Which expense account do platform fees go to?",
    Slot.FEE_SUPPLIER: "Which supplier is the payee of platform fees?",
}


def slots_for(platform: PlatformRules, reference: ReferenceData) -> tuple[Slot, ...]:
    """Give the slots that matter for this company, in the order of asking; those that must be answered come first."""
    required = _required(platform)
    optional = [Slot.TRACKING, Slot.PAYMENT_METHOD, Slot.FEE_ACCOUNT, Slot.FEE_SUPPLIER]
    present = {
        Slot.TRACKING: bool(reference.tracking_categories),
        Slot.PAYMENT_METHOD: bool(reference.payment_methods),
        Slot.FEE_ACCOUNT: bool(reference.accounts),
        Slot.FEE_SUPPLIER: bool(reference.suppliers),
    }
    return (*required, *(slot for slot in optional if present[slot]))


def _required(platform: PlatformRules) -> tuple[Slot, ...]:
    income = Slot.ITEM if platform.income_by is IncomeBy.ITEM else Slot.INCOME_ACCOUNT
    return (Slot.BANK_ACCOUNT, income, Slot.TAX_RATE)


def question(slot: Slot, mapping: Mapping, reference: ReferenceData, platform: PlatformRules) -> Question:
    """Put one slot as a question, with the answer so far and whether it still holds."""
    found = candidates(slot, reference, platform)
    current = mapping.slot(slot).default
    problem = None if current is None else Resolver(mapping, reference, platform).check(slot, current)
    return Question(
        slot=slot,
        text=_TEXTS[slot],
        required=slot in _required(platform),
        candidates=tuple(each for each in found if each.excluded is None),
        excluded=tuple(each for each in found if each.excluded is not None),
        current=current,
        problem=problem,
    )


def next_question(
    mapping: Mapping,
    reference: ReferenceData,
    platform: PlatformRules,
    *,
    asked: Collection[Slot] = (),
    slots: Sequence[Slot] | None = None,
    revisit: bool = False,
) -> Question | None:
    """Give the next open slot, or None when nothing is left to ask: the whole wizard is this in a loop.

    asked: slots already put in this conversation, answered or skipped. slots: which to ask about; None: those
    that matter here. revisit: ask about answered slots too; else only about missing and broken answers.
    """
    for slot in slots_for(platform, reference) if slots is None else slots:
        if slot in asked:
            continue
        put = question(slot, mapping, reference, platform)
        if revisit or put.current is None or put.problem is not None:
            return put
    return None


def with_default(mapping: Mapping, slot: Slot, target: Target | None) -> Mapping:
    """Give the mapping with another default for a slot; its rules stay."""
    changed = SlotMapping(target, mapping.slot(slot).rules)
    return Mapping({**mapping.slots, slot: changed}, mapping.accepted)


def with_rule(mapping: Mapping, slot: Slot, rule: Rule) -> Mapping:
    """Give the mapping with one more rule; it replaces a rule with the same condition, else it comes last."""
    old = mapping.slot(slot)
    kept = [rule if each.when == rule.when else each for each in old.rules]
    rules = tuple(kept) if rule in kept else (*kept, rule)
    return Mapping({**mapping.slots, slot: SlotMapping(old.default, rules)}, mapping.accepted)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What can be taken without asking, and what can't."""

    defaults: MappingABC[Slot, Candidate]
    """The only good candidate of an open slot."""
    rules: tuple[tuple[Slot, Rule, Candidate], ...]
    """Rules for tax percentages of the given rows that exactly one rate of the books charges."""
    undecided: MappingABC[Slot, tuple[Candidate, ...]]
    """Open slots with several good candidates, or none: the usable ones, best first."""

    def applied_to(self, mapping: Mapping) -> Mapping:
        """Give the mapping with everything accepted."""
        for slot, candidate in self.defaults.items():
            mapping = with_default(mapping, slot, candidate.target)
        for slot, rule, _ in self.rules:
            mapping = with_rule(mapping, slot, rule)
        return mapping


_NEVER_BY_ITSELF = frozenset({Slot.TRACKING, Slot.PAYMENT_METHOD})
"""A default here would say something about every line or payment that its row does not say."""


def suggest(
    mapping: Mapping,
    reference: ReferenceData,
    platform: PlatformRules,
    rows: Iterable[MappingABC[str, str]] = (),
) -> Suggestions:
    """Find, for every open slot, the only good candidate; name the choices where there isn't one.

    rows: cells of a file to be pushed; their tax percentages are suggested as rules where one rate fits.
    """
    defaults: dict[Slot, Candidate] = {}
    undecided: dict[Slot, tuple[Candidate, ...]] = {}
    for slot in slots_for(platform, reference):
        put = question(slot, mapping, reference, platform)
        if put.current is not None and put.problem is None:
            continue
        only = only_good(put.candidates)
        if only is not None and slot not in _NEVER_BY_ITSELF:
            defaults[slot] = only
        else:
            undecided[slot] = put.candidates
    return Suggestions(defaults, tuple(_tax_rules(mapping, reference, platform, rows)), undecided)


def only_good(usable: Sequence[Candidate]) -> Candidate | None:
    """Give the candidate to take without asking: the only usable one, or the only one that something speaks for."""
    if len(usable) == 1:
        return usable[0]
    good = [each for each in usable if each.is_good]
    return good[0] if len(good) == 1 else None


def _tax_rules(
    mapping: Mapping, reference: ReferenceData, platform: PlatformRules, rows: Iterable[MappingABC[str, str]]
) -> Iterable[tuple[Slot, Rule, Candidate]]:
    resolver = Resolver(mapping, reference, platform)
    stated = {row.get("tax_rate", "").strip(): row for row in rows}
    for text, row in sorted(stated.items()):
        percent = percentage(text)
        if percent is None or not isinstance(resolver.resolve(Slot.TAX_RATE, row, stated=text), Problem):
            continue
        usable = resolver.index(Slot.TAX_RATE).usable
        charging = [each for each in usable if resolver.effective_rate(each.target) == percent]
        if len(charging) == 1:
            yield Slot.TAX_RATE, Rule((("tax_rate", (text,)),), charging[0].target), charging[0]
