"""The platform's push options as a tree, and what a body violates of them (design D7; reference §9.1).

Required, choices and property names are data in the options; lengths and decimals exist there only as prose,
from which the wordings that mean one thing are read. Everything else in the prose is for people.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
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
    _found: dict[str, "Option | None"] = field(default_factory=dict, repr=False, compare=False)
    """Answers of `at`: every document asks for the same few paths."""

    def at(self, path: str) -> "Option | None":
        """Find a property by its dotted path (`lineItems.accountRef.id`); None where it is not offered."""
        if path not in self._found:
            name, _, rest = path.partition(".")
            child = self.properties.get(name)
            self._found[path] = child.at(rest) if child is not None and rest else child
        return self._found[path]

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


_CONTAINERS = {"Object": dict, "Array": list}
_TEXTS_CALLED_NUMBERS = frozenset({"date", "issueDate", "dueDate", "reference", "note"})
"""Sage 50 calls these `Number`, although they are dates and texts (platforms: reading rules)."""

_Trail = tuple[str | int, ...]
"""Where something stands in a body: names, and positions in lists. Spelt out only for what is wrong there."""


class Preflight:
    """Finds what a platform's options forbid in bodies; what the options alone tell is worked out once.

    enforce_required: False for platforms whose options mark everything required (Codat Sandbox, reference §9.1).
    also_offered, not_required: dotted paths in which a platform's options are known to be wrong.
    """

    def __init__(
        self,
        option: Option,
        *,
        enforce_required: bool,
        also_offered: frozenset[str] = frozenset(),
        not_required: frozenset[str] = frozenset(),
    ) -> None:
        self._option = option
        self._enforce_required = enforce_required
        self._also_offered = also_offered
        self._not_required = not_required
        self._required: dict[str, tuple[str, ...]] = {}
        self._choices: dict[str, frozenset[str]] = {}

    def problems(self, body: Mapping[str, Any]) -> list[Problem]:
        """Find everything that the options forbid, in the order of the body."""
        found: list[Problem] = []
        self._object(body, self._option, (), "", found)
        return found

    def _object(self, body: Mapping[str, Any], option: Option, trail: _Trail, path: str, found: list[Problem]) -> None:
        """Check one object; `path` is dotted as in the options, `trail` has list positions for the message."""
        for name, value in body.items():
            child = option.properties.get(name)
            if child is not None:
                self._value(value, child, (*trail, name), _join(path, name), found)
            elif option.properties and _join(path, name) not in self._also_offered:
                where = _spell((*trail, name))
                found.append(Problem("options.unknown", f"{where} is not offered by the platform", path=where))
        for name in self._required_in(option, path) if self._enforce_required else ():
            if body.get(name) is None:
                missing = _spell((*trail, name))
                found.append(Problem("options.required", f"{missing} is required by the platform", path=missing))

    def _required_in(self, option: Option, path: str) -> tuple[str, ...]:
        if path not in self._required:
            self._required[path] = tuple(
                name
                for name, child in option.properties.items()
                if child.required and _join(path, name) not in self._not_required
            )
        return self._required[path]

    def _value(self, value: Any, option: Option, trail: _Trail, path: str, found: list[Problem]) -> None:
        if value is None:
            return
        wanted = _CONTAINERS.get(option.type)
        if wanted is None and not isinstance(value, dict | list):
            found.extend(self._scalar(value, option, trail, path))
        elif wanted is None or not isinstance(value, wanted):
            where = _spell(trail)
            found.append(Problem("options.type", f"{where} must be of type {option.type}", path=where))
        elif isinstance(value, dict):
            self._object(value, option, trail, path, found)
        else:
            self._array(value, option, trail, path, found)

    def _array(self, values: list[Any], option: Option, trail: _Trail, path: str, found: list[Problem]) -> None:
        if not values and option.required and self._enforce_required and path not in self._not_required:
            where = _spell(trail)
            found.append(Problem("options.required", f"{where} must not be empty", path=where))
        for index, value in enumerate(values):
            if isinstance(value, dict):
                self._object(value, option, (*trail, index), path, found)

    def _scalar(self, value: Any, option: Option, trail: _Trail, path: str) -> Iterable[Problem]:
        if not _fits_type(value, option.type, trail[-1]):
            where = _spell(trail)
            return (Problem("options.type", f"{where} must be of type {option.type}, not {value!r}", path=where),)
        if option.choices:
            if path not in self._choices:
                self._choices[path] = frozenset(choice.value for choice in option.choices)
            if str(value) not in self._choices[path]:
                return (_not_a_choice(value, option, _spell(trail)), *_limits(value, option, trail))
        return _limits(value, option, trail)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _spell(trail: _Trail) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in trail).removeprefix(".")


def _not_a_choice(value: Any, option: Option, where: str) -> Problem:
    shown = [choice.value for choice in option.choices[:_SHOWN_CHOICES]]
    more = "" if len(option.choices) <= _SHOWN_CHOICES else f" and {len(option.choices) - _SHOWN_CHOICES} more"
    message = f"{where} is `{value}`; the platform takes only {', '.join(shown)}{more}"
    return Problem("options.choice", message, path=where)


def _limits(value: Any, option: Option, trail: _Trail) -> Iterable[Problem]:
    """Check the limits that the remarks state: of a text its length, of a number its decimals and its sign."""
    if isinstance(value, str):
        if option.max_length is None or len(value) <= option.max_length:
            return ()
        where = _spell(trail)
        message = f"{where} has {len(value)} characters; the platform takes at most {option.max_length}"
        return (Problem("options.too-long", message, path=where),)
    if (option.positive or option.max_decimals is not None) and not isinstance(value, bool):
        return _number(Decimal(value), option, _spell(trail))
    return ()


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


def _fits_type(value: Any, wanted: str, name: str | int) -> bool:
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
