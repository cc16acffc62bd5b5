"""The small forms that schemas are put together from."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"


def of_type(kind: str, about: str = "", **more: Any) -> Schema:
    """Describe a value of one JSON type; `about` says what it means, `more` are further keywords."""
    return {"type": kind, **({"description": about} if about else {}), **more}


def text(about: str = "") -> Schema:
    """Describe a string."""
    return of_type("string", about)


def count(about: str = "") -> Schema:
    """Describe a whole number of things."""
    return of_type("integer", about, minimum=0)


def flag(about: str = "") -> Schema:
    """Describe true or false."""
    return of_type("boolean", about)


def date(about: str = "") -> Schema:
    """Describe a calendar date: `2026-05-31`."""
    return of_type("string", about, format="date", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


def instant(about: str = "") -> Schema:
    """Describe an instant in UTC: `2026-05-31T10:00:00Z`."""
    return of_type("string", about, format="date-time", pattern=_INSTANT)


def decimal(about: str = "") -> Schema:
    """Describe an exact number as a string, so that no reader can turn it into a float."""
    return of_type("string", about, pattern=_DECIMAL)


def currency(about: str = "ISO 4217 code") -> Schema:
    """Describe a currency code."""
    return of_type("string", about, pattern="^[A-Z]{3}$")


def one_of(*values: str, about: str = "") -> Schema:
    """Describe a word out of a closed list."""
    return of_type("string", about, enum=list(values))


def or_null(schema: Schema) -> Schema:
    """Allow null too."""
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def list_of(of: Schema, about: str = "") -> Schema:
    """Describe a list of equal forms."""
    return of_type("array", about, items=of)


def object_of(fields: Mapping[str, Schema], about: str = "", *, optional: Mapping[str, Schema] | None = None) -> Schema:
    """Describe an object of exactly these fields: all of `fields` always, those of `optional` where they apply."""
    properties = {**fields, **(optional or {})}
    return of_type("object", about, properties=properties, required=list(fields), additionalProperties=False)


def by_key(of: Schema, about: str) -> Schema:
    """Describe an object whose keys are data: columns, currencies, slots."""
    return of_type("object", about, additionalProperties=of)


def money(about: str = "") -> Schema:
    """Describe an amount with its currency beside it."""
    return object_of({"amount": decimal(), "currency": or_null(currency("ISO 4217 code; null: not known"))}, about)
