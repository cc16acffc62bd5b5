"""From what a row says to the record that is meant: rules, then the cell's own text, then the default (design D6).

Nothing is guessed: a stated value that can't be found is never replaced by a default.
"""

from collections.abc import Mapping as MappingABC
from collections.abc import Sequence
from decimal import Decimal

from codat_ar_cli.domain.candidates import DELETED, Candidate, candidates
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.money import AmountError, parse_amount
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.slots import Mapping, Rule, Slot, SlotMapping, Target, fold
from codat_ar_cli.domain.types import DataType, RecordId, ReferenceData, TaxRate

_COLUMNS: dict[Slot, str] = {
    Slot.BANK_ACCOUNT: "bank_account",
    Slot.INCOME_ACCOUNT: "account",
    Slot.FEE_ACCOUNT: "fee_account",
    Slot.FEE_SUPPLIER: "fee_supplier",
    Slot.TAX_RATE: "tax_rate",
    Slot.ITEM: "item",
    Slot.TRACKING: "tracking",
    Slot.PAYMENT_METHOD: "method",
}
"""The column of the generic layouts in which a row states each slot's value."""

_DATA_TYPES: dict[Slot, DataType] = {
    Slot.BANK_ACCOUNT: DataType.ACCOUNTS,
    Slot.INCOME_ACCOUNT: DataType.ACCOUNTS,
    Slot.FEE_ACCOUNT: DataType.ACCOUNTS,
    Slot.FEE_SUPPLIER: DataType.SUPPLIERS,
    Slot.TAX_RATE: DataType.TAX_RATES,
    Slot.ITEM: DataType.ITEMS,
    Slot.TRACKING: DataType.TRACKING_CATEGORIES,
    Slot.PAYMENT_METHOD: DataType.PAYMENT_METHODS,
}


def percentage(text: str | None) -> Decimal | None:
    """Read a tax rate that is written as a percentage (`20`, `17.5`, `20 %`); None where it is a name or a code."""
    if text is None:
        return None
    try:
        return parse_amount(text.strip().removesuffix("%").rstrip())
    except AmountError:
        return None


class Resolver:
    """Answer slots for many rows of one file: reference data is indexed once, each distinct question answered once."""

    def __init__(self, mapping: Mapping, reference: ReferenceData, platform: PlatformRules) -> None:
        self.mapping = mapping
        self.reference = reference
        self.platform = platform
        self._indexes: dict[Slot, _Index] = {}
        self._columns: dict[Slot, tuple[str, ...]] = {}
        """The columns that a slot's rules look at."""
        self._answers: dict[tuple[object, ...], Target | Problem | None] = {}
        self._rates: dict[RecordId, TaxRate] = {rate.id: rate for rate in reference.tax_rates}

    def resolve(
        self,
        slot: Slot,
        cells: MappingABC[str, str],
        *,
        stated: str | None = None,
        replaces: str | None = None,
    ) -> Target | Problem | None:
        """Find the record that a row means for a slot.

        stated: the row's own word for it. replaces: a word for the same thing in another slot's terms (an account
        where the platform takes items), which a rule may translate and no default may stand in for.
        Returns None where the row says nothing and the slot has neither a matching rule nor a default.
        """
        stated = (stated or "").strip() or None
        replaces = (replaces or "").strip() or None
        answers = self.mapping.slot(slot)
        if slot not in self._columns:
            self._columns[slot] = tuple(sorted(answers.columns))
        seen = tuple([(column, _cell(cells, column)) for column in self._columns[slot]])
        key = (slot, stated, replaces, seen)
        if key not in self._answers:
            self._answers[key] = self._find(slot, answers, dict(seen), stated, replaces)
        return self._answers[key]

    def effective_rate(self, target: Target) -> Decimal | None:
        """Give the percent that a tax rate really charges; None where the platform doesn't say."""
        rate = self._rates.get(target.id)
        return None if rate is None else rate.effective_rate

    def renamed_in_use(self) -> list[Problem]:
        """Name the mapped records among the answers so far whose name in the books has changed."""
        problems: dict[Problem, None] = {}
        for key, answer in self._answers.items():
            slot = key[0]
            if isinstance(slot, Slot) and isinstance(answer, Target):
                name = self.index(slot).renamed(answer)
                if name is not None:
                    problems[_renamed(slot, answer, name)] = None
        return list(problems)

    def check(self, slot: Slot, target: Target) -> Problem | None:
        """Tell what keeps a mapped record from being used now: gone, deleted, archived, not valid there."""
        return self.index(slot).check(target)

    def index(self, slot: Slot) -> "_Index":
        """Give the slot's candidates, indexed."""
        if slot not in self._indexes:
            fetched = _DATA_TYPES[slot] in self.reference.fetched
            self._indexes[slot] = _Index(slot, candidates(slot, self.reference, self.platform), fetched)
        return self._indexes[slot]

    def _find(
        self, slot: Slot, answers: SlotMapping, cells: MappingABC[str, str], stated: str | None, replaces: str | None
    ) -> Target | Problem | None:
        rule = next((rule for rule in answers.rules if rule.matches(cells)), None)
        if rule is not None:
            return self.check(slot, rule.target) or self._contradiction(slot, rule, stated) or rule.target
        own = stated or replaces
        if own is None:
            return None if answers.default is None else self.check(slot, answers.default) or answers.default
        if slot is Slot.TAX_RATE and (percent := percentage(own)) is not None:
            return self._tax_by_percent(answers, own, percent)
        return self.index(slot).named(own, column=_COLUMNS[slot] if stated else _COLUMNS[Slot.INCOME_ACCOUNT])

    def _contradiction(self, slot: Slot, rule: Rule, stated: str | None) -> Problem | None:
        """Refuse a rule that says nothing of the tax rate column, yet charges another percent than the row states."""
        percent = percentage(stated) if slot is Slot.TAX_RATE else None
        if percent is None or any(fold(column) == _COLUMNS[Slot.TAX_RATE] for column, _ in rule.when):
            return None
        effective = self.effective_rate(rule.target)
        if effective is None or effective == percent:
            return None
        return Problem(
            "mapping.tax-rate",
            f"the row says tax rate `{stated}`, but its rule gives {rule.target}, which charges {_plain(effective)}%",
            hint=f"codat-ar map set tax-rate --when tax_rate={stated} ID",
            severity=Severity.ERROR,
        )

    def _tax_by_percent(self, answers: SlotMapping, own: str, percent: Decimal) -> Target | Problem:
        index = self.index(Slot.TAX_RATE)
        exact = index.named(own, column=_COLUMNS[Slot.TAX_RATE])
        if isinstance(exact, Target) and self.effective_rate(exact) == percent:
            return exact
        default = answers.default
        if default is not None and self.effective_rate(default) == percent:
            return self.check(Slot.TAX_RATE, default) or default
        charging = [each for each in index.usable if self.effective_rate(each.target) == percent]
        id_to_type = charging[0].target.id if len(charging) == 1 else "ID"
        hint = f"codat-ar map set tax-rate --when tax_rate={own} {id_to_type}"
        if not charging:
            return Problem(
                "mapping.tax-rate",
                f"tax rate `{own}` is not mapped, and no tax rate for invoices in the books charges {_plain(percent)}%",
                hint=hint,
                severity=Severity.ERROR,
            )
        names = ", ".join(f"{each.target.name} ({each.target.id})" for each in charging[:3])
        message = f"tax rate `{own}` is not mapped; charging {_plain(percent)}%: {names}"
        return Problem("mapping.tax-rate", message, hint, Severity.ERROR)


def _cell(cells: MappingABC[str, str], column: str) -> str:
    """Give a cell as rules compare it, whatever the spelling of its column."""
    value = cells.get(column)
    if value is None:
        value = next((text for name, text in cells.items() if fold(name) == column), "")
    return fold(value)


def _plain(percent: Decimal) -> str:
    return f"{percent.normalize():f}"


class _Index:
    """One slot's candidates by id and by the names and codes that files use."""

    def __init__(self, slot: Slot, found: Sequence[Candidate], fetched: bool) -> None:
        self.slot = slot
        self.usable = tuple(each for each in found if each.excluded is None)
        self._fetched = fetched or bool(found)
        self._by_id = {each.target.id: each for each in found}
        self._by_text: dict[str, list[Candidate]] = {}
        for each in found:
            for text in {fold(each.target.name), fold(each.target.code or "")} - {""}:
                self._by_text.setdefault(text, []).append(each)

    def check(self, target: Target) -> Problem | None:
        """Tell what keeps a mapped record from being used now."""
        label, name = self.slot.label, f"{target} ({target.id})"
        hint = f"codat-ar map set {self.slot.option_name} ID"
        if not self._fetched:
            what = _DATA_TYPES[self.slot].label
            message = f"{what} were never fetched, so {name} can't be checked"
            return Problem("mapping.not-fetched", message, "codat-ar fetch", Severity.ERROR)
        found = self._by_id.get(target.id)
        if found is None:
            message = f"the mapped {label} {name} is no longer in the books"
            return Problem("mapping.gone", message, hint, Severity.ERROR)
        if found.excluded is None:
            return None
        code = {DELETED: "mapping.deleted", "archived": "mapping.archived"}.get(found.excluded, "mapping.not-valid")
        return Problem(code, f"the mapped {label} {name} can't be used: {found.excluded}", hint, Severity.ERROR)

    def renamed(self, target: Target) -> str | None:
        """Give the record's name today where it is not the one that was mapped."""
        found = self._by_id.get(target.id)
        return found.target.name if found is not None and found.target.name != target.name else None

    def named(self, text: str, *, column: str) -> Target | Problem:
        """Find the one usable record that has this id, code or name; else say why there is none."""
        # One record's id may be another's code: short numbers are both on some platforms.
        by_id = self._by_id.get(RecordId(text))
        by_text = self._by_text.get(fold(text), [])
        found = by_text if by_id is None or by_id in by_text else [by_id, *by_text]
        usable = [each for each in found if each.excluded is None]
        if len(usable) == 1:
            return usable[0].target
        code = f"mapping.{self.slot.option_name}"
        hint = f"codat-ar map set {self.slot.option_name} --when {column}={_quoted(text)} ID"
        label = self.slot.label
        if usable:
            fits = ", ".join(f"{each.target} (id {each.target.id})" for each in usable[:5])
            message = f"`{text}` fits {len(usable)} records of the books as {label}: {fits}"
            return Problem(code, message, hint, Severity.ERROR)
        if found:
            why = f"can't be used as {label}: {found[0].excluded}"
            return Problem(code, f"{column} `{text}` {why}", hint, severity=Severity.ERROR)
        if column != _COLUMNS[self.slot]:
            message = f"{column} `{text}` is not mapped to an {label}, which this platform takes instead"
            return Problem(code, message, hint, Severity.ERROR)
        return Problem(code, f"{label} `{text}` is neither mapped nor in the books", hint, severity=Severity.ERROR)


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def resolve(
    slot: Slot,
    mapping: Mapping,
    cells: MappingABC[str, str],
    *,
    stated: str | None,
    reference: ReferenceData,
    platform: PlatformRules,
) -> Target | Problem:
    """Find the record that one row means for a slot, or the problem with it. For many rows use `Resolver`."""
    found = Resolver(mapping, reference, platform).resolve(slot, cells, stated=stated)
    return unmapped(slot) if found is None else found


def unmapped(slot: Slot) -> Problem:
    """Give the problem of a slot that has no answer at all."""
    code = f"mapping.{slot.option_name}"
    hint = f"codat-ar map set {slot.option_name} ID"
    return Problem(code, f"no {slot.label} is mapped", hint, Severity.ERROR)


def check_mapping(mapping: Mapping, reference: ReferenceData, platform: PlatformRules) -> tuple[Finding, ...]:
    """Look every mapped record up again: gone, deleted, archived, no longer valid there, or renamed."""
    resolver = Resolver(mapping, reference, platform)
    findings: list[Finding] = []
    for slot in Slot:
        index = resolver.index(slot)
        place = Place("mapping", column=slot.value)
        for target in mapping.slot(slot).targets:
            problem = index.check(target)
            if problem is not None:
                findings.append(problem.at(place, None))
            elif (name := index.renamed(target)) is not None:
                findings.append(_renamed(slot, target, name).at(place, None))
    return tuple(findings)


def _renamed(slot: Slot, target: Target, name: str) -> Problem:
    return Problem(
        "mapping.renamed",
        f"the mapped {slot.label} `{target.name}` ({target.id}) is now called `{name}`",
        hint=f"if it is still the right one: codat-ar map set {slot.option_name} {target.id}",
        severity=Severity.WARNING,
    )
