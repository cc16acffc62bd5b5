"""What a platform accepts, as a tree of fields, and small functions that write such trees readably.

One tree serves twice: `wire` shows it as Codat's options endpoint does (reference §9.1), and the books check writes
against it. Names in the trees are Codat's; every word of explanation is ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One property a platform takes, or the whole document at the root."""

    kind: str
    """`Object`, `Array`, `String`, `Number`, `Boolean` or `DateTime`; the fields of an Array describe one element."""
    required: bool = False
    """Holds only where the parent is sent (reference §9.1)."""
    enforced: bool = True
    """Whether a write without a required value fails."""
    fields: Mapping[str, "Field"] | None = None
    choices: tuple[str, ...] = ()
    """Closed list of values; empty where anything goes."""
    longest: int | None = None
    """Characters at most."""
    rules: tuple[str, ...] = ()
    """Shown as validation warnings: what makes a write fail."""
    notes: tuple[str, ...] = ()
    """Shown as validation information."""
    refers: str | None = None
    """Data type an id must name a live record of; `contacts` and `bank` are understood by the books as well."""
    text: str = ""


def obj(
    fields: Mapping[str, Field] | None = None,
    /,
    *,
    rules: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    **named: Field,
) -> Field:
    """An object with these properties."""
    return Field("Object", fields={**(fields or {}), **named} or None, rules=rules, notes=notes)


def arr(
    fields: Mapping[str, Field] | None = None,
    /,
    *,
    rules: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    **named: Field,
) -> Field:
    """A list of objects with these properties."""
    return Field("Array", fields={**(fields or {}), **named} or None, rules=rules, notes=notes)


def string(longest: int | None = None, *, rules: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Field:
    """A text, of at most `longest` characters."""
    return Field("String", longest=longest, rules=rules, notes=notes)


def number(*, rules: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Field:
    """A JSON number."""
    return Field("Number", rules=rules, notes=notes)


def date(*, notes: tuple[str, ...] = ()) -> Field:
    """A date, with or without a time."""
    return Field("DateTime", notes=notes)


def boolean() -> Field:
    """True or false."""
    return Field("Boolean")


def choice(*values: str, notes: tuple[str, ...] = ()) -> Field:
    """A text out of a closed list."""
    return Field("String", choices=values, notes=notes)


def ref(refers: str, *, notes: tuple[str, ...] = ()) -> Field:
    """A required id of a record of another data type."""
    return Field("String", required=True, refers=refers, notes=notes)


def req(inner: Field) -> Field:
    """Make a field required."""
    return replace(inner, required=True)


def said_required(inner: Field) -> Field:
    """Show a field as required, yet take writes without it."""
    return replace(inner, required=True, enforced=False)


def optional(inner: Field) -> Field:
    """Make a field optional."""
    return replace(inner, required=False)


def all_required(tree: Field) -> Field:
    """Mark a tree and everything in it as required, as Codat's own sandbox platform does."""
    fields = None if tree.fields is None else {name: all_required(inner) for name, inner in tree.fields.items()}
    return replace(tree, required=True, fields=fields)


def pascal(name: str) -> str:
    """Write a property name as validation items do: `lineItems` → `LineItems`."""
    return name[:1].upper() + name[1:]


def words(name: str) -> str:
    """Write a property name or a choice as words for people: `customerRef` → `Customer reference`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.rsplit(".", maxsplit=1)[-1].replace("_", " "))
    text = re.sub(r"\brefs\b", "references", re.sub(r"\bref\b", "reference", spaced.lower()))
    return text[:1].upper() + text[1:]


_THINGS = {
    "customers": "customer",
    "suppliers": "supplier",
    "contacts": "customer or supplier",
    "chartOfAccounts": "account",
    "bank": "bank account",
    "bankAccounts": "bank account",
    "taxRates": "tax rate",
    "items": "item",
    "trackingCategories": "tracking category",
    "paymentMethods": "payment method",
}


def thing(refers: str) -> str:
    """Name one record of a data type for people."""
    return _THINGS.get(refers, words(refers).lower())


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    parent: str
    within: str
    path: tuple[str, ...] = field(default=())


def wire(tree: Field, document: str) -> dict[str, Any]:
    """Give the options answer for a document, in the shape of Codat's `PushOption` (reference §9.1)."""
    shown = _shown(tree, _Place(document, "", document), label=document)
    shown["required"] = True
    shown["description"] = f"What this platform takes to write one {document.lower()}."
    return shown


def _shown(tree: Field, place: _Place, *, label: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"type": tree.kind, "displayName": label, "description": _description(tree, place)}
    if tree.fields:
        answer["properties"] = {
            name: _shown(inner, _Place(name, place.name, place.within, (*place.path, pascal(name))), label=words(name))
            for name, inner in tree.fields.items()
        }
    if tree.choices:
        answer["options"] = [
            {"value": value, "type": "String", "displayName": words(value), "required": False} for value in tree.choices
        ]
    answer["required"] = tree.required
    rules, notes = _remarks(tree)
    if rules or notes:
        where = ".".join(place.path[-2:])
        answer["validation"] = {"warnings": _items(rules, where), "information": _items(notes, where)}
    return answer


def _items(texts: tuple[str, ...], where: str) -> list[dict[str, str]]:
    return [{"field": where, "details": text} if where else {"details": text} for text in texts]


def _remarks(tree: Field) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rules, notes = tree.rules, tree.notes
    if tree.longest is not None:
        rules = (*rules, f"At most {tree.longest} characters.")
    if tree.refers is not None:
        rules = (*rules, f"Names an existing {thing(tree.refers)}.")
    return rules, notes


def _description(tree: Field, place: _Place) -> str:
    if tree.text:
        return tree.text
    if tree.refers is not None:
        return f"Id of the {thing(tree.refers)}."
    if tree.kind == "Array":
        return f"{words(place.name)} of the {words(place.parent or place.within).lower()}, as a list."
    return f"{words(place.name)} of the {words(place.parent or place.within).lower()}."
