"""The platform's push options as a tree, and what a body violates of them (design D7; reference §9.1).

Required, choices and property names are data in the options; lengths and decimals exist there only as prose,
from which the wordings that mean one thing are read. Everything else in the prose is for people.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.errors import CodatArError


class OptionsUnreadable(CodatArError):
    """Codat's answer to the options request is not a tree of push options."""

    code = "options.unreadable"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a closed list."""

    value: str
    """What is sent; the display name where Codat gives no value (link types on Zoho Books)."""
    display_name: str


@dataclass(frozen=True, slots=True)
class Note:
    """One remark of the platform about a property, in its own words."""

    field: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Option:
    """One property of a push body: what may stand there."""

    type: str
    """`Array`, `Object`, `String`, `Number`, `Boolean`, `DateTime`, `File` or `MultiPart`; a hint for scalars."""
    display_name: str
    required: bool
    """Counts only where the parent is sent."""
    properties: Mapping[str, "Option"] = field(default_factory=dict)
    """Of an object, or of one element of an array."""
    choices: tuple[Choice, ...] = ()
    """Closed: only these values; empty: any."""
    warnings: tuple[Note, ...] = ()
    information: tuple[Note, ...] = ()
    max_length: int | None = None
    """Characters, read from the remarks where they are plain; None: not stated."""
    max_decimals: int | None = None
    positive: bool = False

    def at(self, path: str) -> "Option | None":
        """Find a property by its dotted path (`lineItems.accountRef.id`); None where it is not offered."""
        found: Option | None = self
        for name in path.split("."):
            if found is None:
                return None
            found = found.properties.get(name)
        return found

    def offers(self, path: str) -> bool:
        """Tell whether a body may hold this path."""
        return self.at(path) is not None

    def requires(self, path: str) -> bool:
        """Tell whether the path must be there when its parent is."""
        found = self.at(path)
        return found is not None and found.required


def parse_options(raw: Mapping[str, Any]) -> Option:
    """Read the answer of `get-create-update-model-options-by-data-type` (reference §9.1).

    Raises OptionsUnreadable where it isn't a tree of push options.
    """
    try:
        return _option(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OptionsUnreadable(
            f"Codat's push options have an unexpected shape ({error!r})", hint="try again; report it if it stays"
        ) from error


def _option(raw: Mapping[str, Any]) -> Option:
    validation = raw.get("validation") or {}
    warnings = _notes(validation.get("warnings"))
    information = _notes(validation.get("information"))
    texts = [note.text for note in (*warnings, *information)]
    return Option(
        type=str(raw["type"]),
        display_name=str(raw.get("displayName") or ""),
        required=bool(raw["required"]),
        properties={str(name): _option(child) for name, child in (raw.get("properties") or {}).items()},
        choices=tuple(_choice(choice) for choice in raw.get("options") or ()),
        warnings=warnings,
        information=information,
        max_length=min((length for text in texts if (length := _stated_length(text)) is not None), default=None),
        max_decimals=2 if any(_TWO_DECIMALS.search(text) for text in texts) else None,
        positive=any(_POSITIVE.fullmatch(text) for text in texts),
    )


def _notes(raw: list[dict[str, Any]] | None) -> tuple[Note, ...]:
    return tuple(Note(item.get("field"), str(item.get("details") or "")) for item in raw or ())


def _choice(raw: Mapping[str, Any]) -> Choice:
    display = str(raw.get("displayName") or "")
    value = raw.get("value")
    return Choice(value=display if value is None else str(value), display_name=display)


_CONDITIONAL = re.compile(r"\bif (?!included|provided)|\bpart\b|first and last|only for", re.IGNORECASE)
"""Wordings whose limit holds only sometimes, or for a piece of the text: not enforced."""
_AT_MOST = re.compile(
    r"(?:max(?:imum)?(?: character)? length(?: should not be longer than| of)?|longer than|greater than|no more than|"
    r"not contain more than|at most|exceed|maximum(?: of)?|between \d+ and) (\d+)(?= char|\.?$)",
    re.IGNORECASE,
)
_LESS_THAN = re.compile(r"less than (\d+) char", re.IGNORECASE)
_IS_LENGTH = re.compile(r"char|length", re.IGNORECASE)
_TWO_DECIMALS = re.compile(r"maximum of two decimal places", re.IGNORECASE)
_POSITIVE = re.compile(r"Must be greater than (?:zero|0)\.?", re.IGNORECASE)


def _stated_length(text: str) -> int | None:
    if not _IS_LENGTH.search(text) or _CONDITIONAL.search(text):
        return None
    if found := _AT_MOST.search(text):
        return int(found[1])
    if found := _LESS_THAN.search(text):
        return int(found[1]) - 1
    return None


def preflight(
    body: Mapping[str, Any],
    option: Option,
    *,
    enforce_required: bool,
    also_offered: frozenset[str] = frozenset(),
    not_required: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Find everything in a body that the platform's options forbid, in the order of the body.

    enforce_required: False for platforms whose options mark everything required (Codat Sandbox, reference §9.1).
    also_offered, not_required: dotted paths in which a platform's options are known to be wrong.
    """
    check = _Check(enforce_required, also_offered, not_required)
    return list(check.object(body, option, "", ""))


_CONTAINERS = {"Object": dict, "Array": list}
_TEXTS_CALLED_NUMBERS = frozenset({"date", "issueDate", "dueDate", "reference", "note"})
"""Sage 50 calls these `Number`, although they are dates and texts (platforms: reading rules)."""


@dataclass(frozen=True, slots=True)
class _Check:
    enforce_required: bool
    also_offered: frozenset[str]
    not_required: frozenset[str]

    def object(self, body: Mapping[str, Any], option: Option, path: str, where: str) -> Iterator[Problem]:
        """Check one object; `path` is dotted as in the options, `where` has list positions for the message."""
        for name, value in body.items():
            child_path, child_where = _join(path, name), _join(where, name)
            child = option.properties.get(name)
            if child is not None:
                yield from self.value(value, child, child_path, child_where)
            elif option.properties and child_path not in self.also_offered:
                yield Problem("options.unknown", f"{child_where} is not offered by the platform", path=child_where)
        if not self.enforce_required:
            return
        for name, child in option.properties.items():
            if child.required and body.get(name) is None and _join(path, name) not in self.not_required:
                missing = _join(where, name)
                yield Problem("options.required", f"{missing} is required by the platform", path=missing)

    def value(self, value: Any, option: Option, path: str, where: str) -> Iterator[Problem]:
        if value is None:
            return
        wanted = _CONTAINERS.get(option.type)
        if wanted is not None or isinstance(value, dict | list):
            if wanted is None or not isinstance(value, wanted):
                yield Problem("options.type", f"{where} must be of type {option.type}", path=where)
            elif isinstance(value, dict):
                yield from self.object(value, option, path, where)
            else:
                yield from self.array(value, option, path, where)
            return
        yield from _scalar(value, option, where)

    def array(self, values: list[Any], option: Option, path: str, where: str) -> Iterator[Problem]:
        if not values and option.required and self.enforce_required and path not in self.not_required:
            yield Problem("options.required", f"{where} must not be empty", path=where)
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield from self.object(value, option, path, f"{where}[{index}]")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _scalar(value: Any, option: Option, where: str) -> Iterator[Problem]:
    if not _fits_type(value, option.type, where.rsplit(".", 1)[-1]):
        yield Problem("options.type", f"{where} must be of type {option.type}, not {value!r}", path=where)
        return
    if option.choices and str(value) not in {choice.value for choice in option.choices}:
        shown = [choice.value for choice in option.choices[:_SHOWN_CHOICES]]
        more = "" if len(option.choices) <= _SHOWN_CHOICES else f" and {len(option.choices) - _SHOWN_CHOICES} more"
        yield Problem(
            "options.choice", f"{where} is `{value}`; the platform takes only {', '.join(shown)}{more}", path=where
        )
    if isinstance(value, str) and option.max_length is not None and len(value) > option.max_length:
        yield Problem(
            "options.too-long",
            f"{where} has {len(value)} characters; the platform takes at most {option.max_length}",
            path=where,
        )
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield from _number(Decimal(value), option, where)


_SHOWN_CHOICES = 8


def _number(value: Decimal, option: Option, where: str) -> Iterator[Problem]:
    exponent = value.normalize().as_tuple().exponent
    if option.max_decimals is not None and isinstance(exponent, int) and -exponent > option.max_decimals:
        yield Problem(
            "options.precision",
            f"{where} is {value:f}; the platform takes at most {option.max_decimals} decimals",
            path=where,
        )
    if option.positive and value <= 0:
        yield Problem("options.not-positive", f"{where} is {value:f}; it must be above zero", path=where)


def _fits_type(value: Any, wanted: str, name: str) -> bool:
    if wanted == "Boolean":
        return isinstance(value, bool)
    if wanted == "Number":
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return is_number or (isinstance(value, str) and name in _TEXTS_CALLED_NUMBERS)
    if wanted == "DateTime":
        return isinstance(value, str) and _is_date(value)
    return isinstance(value, str) if wanted == "String" else True


def _is_date(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
