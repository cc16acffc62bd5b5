"""JSON whose numbers are exact: read as `Decimal` or `int`, written digit for digit, never a float."""

import json
from decimal import Decimal
from typing import Any

_LARGEST_EXPONENT = 100
"""Powers of ten; a number is written out in full, so `1e999999` would be a megabyte."""
_text = json.encoder.encode_basestring


def loads(text: str | bytes) -> Any:
    """Read JSON; raises ValueError on text that is not JSON, on NaN and Infinity, and on absurd nesting.

    Also on what could be read and never written again: a number with an exponent beyond reason, half a character.
    """
    try:
        value = json.loads(text, parse_float=_exact, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if (b"\\u" if isinstance(text, bytes) else "\\u") in text:  # type: ignore[operator]
        dumps(value).encode()  # an escaped lone surrogate is a UnicodeEncodeError, which is a ValueError
    return value


def dumps(value: Any) -> str:
    """Write compact JSON; raises TypeError on a float or on a value that JSON does not have."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _exact(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"{text[:40]} is out of range")
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _write(value: Any, parts: list[str]) -> None:
    kind = type(value)
    if kind is str:
        parts.append(_text(value))
    elif kind is dict:
        _write_object(value, parts)
    elif kind is list or kind is tuple:
        parts.append("[")
        for index, item in enumerate(value):
            if index:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        parts.append(_scalar(value))


def _write_object(value: dict[str, Any], parts: list[str]) -> None:
    separator = "{"
    for key, item in value.items():
        parts.append(separator)
        parts.append(_text(key))
        parts.append(":")
        _write(item, parts)
        separator = ","
    parts.append("}" if value else "{}")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, str):
        return _text(str(value))
    raise TypeError(f"{value!r} has no exact JSON form")
