"""Single answers of a mapping: found by id, code or name, set, taken back, and checked against the books."""

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.mapping import (
    Candidate,
    Mapping,
    Rule,
    Slot,
    SlotMapping,
    Target,
    candidates,
    check_mapping,
    fold,
    question,
    slots_for,
    with_default,
    with_rule,
)
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.types import DataType, ReferenceData
from codat_ar_cli.errors import CodatArError

STALE_AFTER = dt.timedelta(days=1)
"""How old the cache may be before `map check` says so; pushing checks mapped ids against a younger one anyway."""

Condition = tuple[tuple[str, tuple[str, ...]], ...]

_FINDING_NAME = re.compile(r"[a-zA-Z]+(\.[a-zA-Z]+)+")
_NAMED = 3
"""How many records an error message names."""


class UnknownSlot(CodatArError):
    """There is no such mapping slot."""

    code = "mapping.unknown-slot"

    def __init__(self, name: str) -> None:
        known = [slot.option_name for slot in Slot]
        near = difflib.get_close_matches(name.replace("_", "-").casefold(), known, n=1)
        super().__init__(
            f"`{name}` is no mapping slot; expected {', '.join(known)}",
            hint=f"did you mean {near[0]}?" if near else "codat-ar map show",
            details={"slot": name, "known": known},
        )


class BadCondition(CodatArError):
    """A `--when` that is not COLUMN=VALUE."""

    code = "mapping.bad-condition"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"`{text}` is not a condition such as tax_rate=20",
            hint='give a column of the file and the value its cell must have: --when "tax_rate=20"',
            details={"condition": text},
        )


class NoSuchRecord(CodatArError):
    """The books have no record of that id, code or name."""

    code = "mapping.no-such-record"

    def __init__(self, slot: Slot, text: str, near: Sequence[Candidate]) -> None:
        named = "; nearest: " + ", ".join(_shown(each) for each in near) if near else ""
        super().__init__(
            f"no record of the books has the id, code or name `{text}` ({slot.label}){named}",
            hint="choose from a list with `codat-ar map`, or `codat-ar fetch` if it is new",
            details={"slot": slot.value, "text": text, "nearest": [each.target.id for each in near]},
        )


class AmbiguousRecord(CodatArError):
    """Several records have that code or name."""

    code = "mapping.ambiguous-record"

    def __init__(self, slot: Slot, text: str, fitting: Sequence[Candidate]) -> None:
        super().__init__(
            f"`{text}` fits {len(fitting)} records ({slot.label}): {', '.join(_shown(each) for each in fitting)}",
            hint="give the id instead",
            details={"slot": slot.value, "text": text, "fitting": [each.target.id for each in fitting]},
        )


class UnusableRecord(CodatArError):
    """The record is there, but can't answer this slot."""

    code = "mapping.unusable-record"

    def __init__(self, slot: Slot, found: Candidate) -> None:
        super().__init__(
            f"{_shown(found)} can't be the {slot.label}: {found.excluded}",
            hint="see what can be, best first: codat-ar map",
            details={"slot": slot.value, "id": found.target.id, "reason": found.excluded},
        )


class NoSuchAnswer(CodatArError):
    """There is nothing to take back."""

    code = "mapping.no-such-answer"

    def __init__(self, slot: Slot, condition: Condition) -> None:
        what = f"no rule with the condition {show_condition(condition)}" if condition else "no default"
        super().__init__(f"the {slot.label} has {what}", hint="codat-ar map show", details={"slot": slot.value})


class BadFindingName(CodatArError):
    """Not the name of a finding that a profile can accept, or not accepted."""

    code = "mapping.bad-finding-name"


def slot_named(name: str) -> Slot:
    """Read a slot's name as people write it: `tax-rate`, `tax_rate`, `Tax-Rate`. Raises UnknownSlot."""
    try:
        return Slot(name.strip().replace("-", "_").casefold())
    except ValueError:
        raise UnknownSlot(name) from None


def read_condition(texts: Iterable[str]) -> Condition:
    """Read conditions such as `currency=EUR`; several values of one column are alternatives. Raises BadCondition."""
    values: dict[str, tuple[str, list[str]]] = {}
    for text in texts:
        column, sign, value = (part.strip() for part in text.partition("="))
        if not (column and sign and value):
            raise BadCondition(text)
        values.setdefault(fold(column), (column, []))[1].append(value)
    return tuple((column, tuple(dict.fromkeys(cells))) for column, cells in values.values())


def show_condition(condition: Condition) -> str:
    """Write a condition for people: `tax_rate = 20 and currency = EUR or USD`."""
    return " and ".join(f"{column} = {' or '.join(values)}" for column, values in condition)


def find_target(slot: Slot, text: str, reference: ReferenceData, platform: PlatformRules) -> Target:
    """Find the one record that an id, code or name means. Raises NoSuchRecord, AmbiguousRecord, UnusableRecord.

    An id wins over a code or a name; among records of the same name, the usable ones count.
    """
    found = candidates(slot, reference, platform)
    fitting = [each for each in found if each.target.id == text] or [
        each for each in found if fold(text) in {fold(each.target.name), fold(each.target.code or ""), _both(each)}
    ]
    usable = [each for each in fitting if each.excluded is None]
    if len(usable) == 1:
        return usable[0].target
    if usable:
        raise AmbiguousRecord(slot, text, usable)
    if fitting:
        raise UnusableRecord(slot, fitting[0])
    raise NoSuchRecord(slot, text, _nearest(text, found))


def set_answer(mapping: Mapping, slot: Slot, condition: Condition, target: Target) -> Mapping:
    """Give the mapping with this default, or with this rule where there is a condition.

    A rule of the same condition, however it is spelled, is replaced where it stands; a new one comes last.
    """
    if not condition:
        return with_default(mapping, slot, target)
    same = next((rule.when for rule in mapping.slot(slot).rules if _same(rule.when, condition)), condition)
    return with_rule(mapping, slot, Rule(same, target))


def unset_answer(mapping: Mapping, slot: Slot, condition: Condition) -> Mapping:
    """Give the mapping without the default, or without the rule of this condition. Raises NoSuchAnswer."""
    answers = mapping.slot(slot)
    if not condition:
        if answers.default is None:
            raise NoSuchAnswer(slot, condition)
        return with_default(mapping, slot, None)
    kept = tuple(rule for rule in answers.rules if not _same(rule.when, condition))
    if len(kept) == len(answers.rules):
        raise NoSuchAnswer(slot, condition)
    return replace(mapping, slots={**mapping.slots, slot: SlotMapping(answers.default, kept)})


def accept(mapping: Mapping, names: Iterable[str]) -> Mapping:
    """Give the mapping with these platform limits accepted, such as `invoices.issueDate`. Raises BadFindingName."""
    for name in names:
        head = name.partition(".")[0]
        if not _FINDING_NAME.fullmatch(name) or head not in set(DataType):
            raise BadFindingName(
                f"`{name}` is not the name of a limit to accept; expected one such as invoices.issueDate",
                hint="the name stands with the finding: codat-ar push invoices FILE --dry-run",
                details={"name": name},
            )
    return replace(mapping, accepted=mapping.accepted | set(names))


def unaccept(mapping: Mapping, names: Iterable[str]) -> Mapping:
    """Give the mapping with these limits no longer accepted. Raises BadFindingName for one that was not."""
    for name in names:
        if name not in mapping.accepted:
            known = ", ".join(sorted(mapping.accepted)) or "none"
            raise BadFindingName(
                f"`{name}` is not accepted; accepted: {known}", hint="codat-ar map show", details={"name": name}
            )
    return replace(mapping, accepted=mapping.accepted - set(names))


def check(
    mapping: Mapping, reference: ReferenceData, platform: PlatformRules, *, now: dt.datetime
) -> tuple[Finding, ...]:
    """Look the whole mapping over: missing answers, mapped records that changed, a cache too old to tell."""
    return (
        *_missing(mapping, reference, platform),
        *check_mapping(mapping, reference, platform),
        *_stale(reference, now),
    )


def needs_attention(found: Iterable[Finding]) -> bool:
    """Tell whether anything found is more than a note."""
    return any(finding.severity is not Severity.NOTE for finding in found)


def undecided(mapping: Mapping, reference: ReferenceData, platform: PlatformRules) -> tuple[Slot, ...]:
    """Give the slots without which nothing can be pushed and that have no default yet."""
    put = (question(slot, mapping, reference, platform) for slot in slots_for(platform, reference))
    return tuple(each.slot for each in put if each.required and each.current is None)


def _missing(mapping: Mapping, reference: ReferenceData, platform: PlatformRules) -> Iterable[Finding]:
    for slot in undecided(mapping, reference, platform):
        place = Place("mapping", column=slot.value)
        if mapping.slot(slot).rules:
            message = f"no {slot.label} is mapped for rows that no rule fits; such rows are refused"
            hint = f"codat-ar map set {slot.option_name} ID"
            yield Finding("mapping.no-default", Severity.NOTE, message, place, hint)
        else:
            yield Finding("mapping.missing", Severity.ERROR, f"no {slot.label} is mapped", place, hint="codat-ar map")


def _stale(reference: ReferenceData, now: dt.datetime) -> Iterable[Finding]:
    old = {data_type: now - at for data_type, at in reference.fetched.items() if now - at > STALE_AFTER}
    if old:
        names = ", ".join(sorted(data_type.label for data_type in old))
        hours = int(max(old.values()).total_seconds() // 3600)
        yield Finding(
            "mapping.stale-cache",
            Severity.WARNING,
            f"checked against data read up to {hours} hours ago: {names}",
            Place("cache"),
            hint="codat-ar fetch",
        )


def _same(one: Condition, other: Condition) -> bool:
    return _folded(one) == _folded(other)


def _folded(condition: Condition) -> dict[str, frozenset[str]]:
    return {fold(column): frozenset(fold(value) for value in values) for column, values in condition}


def _both(candidate: Candidate) -> str:
    return fold(str(candidate.target))


def _nearest(text: str, found: Sequence[Candidate]) -> list[Candidate]:
    usable = {fold(str(each.target)): each for each in found if each.excluded is None}
    holding = [each for name, each in usable.items() if fold(text) in name]
    close = difflib.get_close_matches(fold(text), list(usable), n=_NAMED, cutoff=0.5)
    return (holding or [usable[name] for name in close])[:_NAMED]


def _shown(candidate: Candidate) -> str:
    return f"{candidate.target} ({candidate.target.id})"
