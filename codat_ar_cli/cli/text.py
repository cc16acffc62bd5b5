"""Text for the terminal and values for `--json`, both made harmless."""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

_JOINERS = {"\u200c", "\u200d"}
"""Format characters that scripts and emoji need and that can't reorder or hide anything."""


def harmless(text: str) -> str:
    r"""Show what a terminal would obey: `\x1b` for escapes, `<U+202E>` for overrides, `\n` for line breaks.

    Names and messages come from files and servers; shown raw they could recolour, hide or reorder a result.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs":
        return char
    code = ord(char)
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>")


def jsonable(value: Any) -> Any:
    """Turn a result into JSON values: amounts become strings, dates ISO, instants ISO in UTC with `Z`.

    Raises TypeError on a float or an unknown type: a money value must not slip through unnoticed.
    """
    if isinstance(value, Enum):
        return jsonable(value.value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(jsonable(key)): jsonable(entry) for key, entry in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(jsonable(entry) for entry in value)
    if isinstance(value, Iterable):
        return [jsonable(entry) for entry in value]
    return _scalar(value)


def _scalar(value: Any) -> str | int:
    match value:
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case dt.timedelta():
            return round(value.total_seconds())
        case PurePath():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form in a result")
