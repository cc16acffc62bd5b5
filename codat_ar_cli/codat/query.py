"""Codat's query language and the percent-encoding of addresses (reference §1, §3.3).

A value stands bare in a query, and neither quoting nor escaping is documented. So a value that holds a
character of the language is refused here: read by id, or by date, and compare locally.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import quote

MAX_QUERY = 2047
"""Characters; Codat takes fewer than 2,048 (reference §3.3)."""

_OPERATORS = frozenset({"=", "!=", "~", ">", "<", ">=", "<="})
_ORDERING = frozenset({">", "<", ">=", "<="})
_FIELD = re.compile(r"-?[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_UNSAFE = re.compile(r"""[\s&|{}=!<>~,;"'()\\]|[^\x20-\x7e]""")

Value = str | int | bool | Decimal | dt.date | dt.datetime


class UnqueryableValue(ValueError):
    """The value can't be put into a query: Codat documents no escaping. Read more widely and compare locally."""


def where(field: str, operator: str, value: Value) -> str:
    """Build one condition, such as `modifiedDate>=2026-01-31` or `metadata.isDeleted!=true`.

    `field` may be a dotted path into objects, never into arrays. Raises UnqueryableValue for text the
    language can't carry and for `>` or `<` on text; ValueError for a field or operator it does not have.
    """
    if not _FIELD.fullmatch(field) or field.startswith("-"):
        raise ValueError(f"`{field}` is not a property path")
    if operator not in _OPERATORS:
        raise ValueError(f"`{operator}` is not an operator of Codat's query language")
    if operator in _ORDERING and isinstance(value, str | bool):
        raise UnqueryableValue(f"`{operator}` compares numbers and dates, not {value!r}")
    return f"{field}{operator}{_text(value)}"


def all_of(*conditions: str) -> str:
    """Join conditions with and; each that holds an `||` is put into braces."""
    return "&&".join(_grouped(condition) for condition in conditions)


def any_of(*conditions: str) -> str:
    """Join conditions with or; each that holds an `&&` is put into braces."""
    return "||".join(_grouped(condition) for condition in conditions)


def descending(field: str) -> str:
    """Write an `orderBy` value: newest, or largest, first."""
    return f"-{field}"


def encode_segment(value: str) -> str:
    """Percent-encode one id for a path, `/` included; an id of dots only is kept from climbing the path."""
    if not value:
        raise ValueError("an empty id would address the whole list")
    if set(value) <= {"."}:
        return value.replace(".", "%2E")
    return quote(value, safe="")


def encode_parameters(parameters: Mapping[str, str | int | bool | None]) -> str:
    """Write a query string in the order given; None is left out, a space is `%20`, never `+`.

    Raises UnqueryableValue when `query` is longer than Codat takes.
    """
    parts = []
    for name, value in parameters.items():
        if value is None:
            continue
        text = _text(value) if isinstance(value, bool) else str(value)
        if name == "query" and len(text) > MAX_QUERY:
            raise UnqueryableValue(f"the query has {len(text)} characters; Codat takes at most {MAX_QUERY}")
        parts.append(f"{quote(name, safe='')}={quote(text, safe='')}")
    return "&".join(parts)


def _grouped(condition: str) -> str:
    return f"{{{condition}}}" if "&&" in condition or "||" in condition else condition


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError("an instant in a query needs a time zone")
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value)
    if not text or _UNSAFE.search(text):
        raise UnqueryableValue(f"{text!r} can't stand in a query: Codat documents no quoting for it")
    return text
