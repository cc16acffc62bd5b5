"""JSON whose numbers are exact: `Decimal` in both directions, never a float."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

_ESCAPE = json.encoder.encode_basestring
_TEXTS = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_LITERALS = {None: "null", True: "true", False: "false"}


class JsonTextError(ValueError):
    """The text is not JSON, or holds what we could not write again: NaN, Infinity, 1e9999, half a character."""


_LARGEST_EXPONENT = 100
"""Beyond it a number is no amount, and written out it would fill the memory."""


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a fraction or an exponent become `Decimal`, whole numbers `int`.

    Raises JsonTextError, with line and column in its text where the parser tells them.
    """
    try:
        if isinstance(text, bytes):  # strictly: json itself would let half characters through
            text = text.decode(json.detect_encoding(text))
        value = json.loads(text, parse_float=_decimal, parse_constant=_refuse)
        if "\\ud" in text or "\\uD" in text:
            dumps(value).encode()
    except RecursionError as error:
        raise JsonTextError("nested too deeply") from error
    except UnicodeEncodeError as error:
        raise JsonTextError("it holds half of a character (a lone surrogate)") from error
    except ValueError as error:
        raise JsonTextError(str(error)) from error
    return value


def dumps(value: Any, *, sort_keys: bool = False) -> str:
    """Write compact JSON, amounts digit for digit (`12.50` stays `12.50`, never `1.25E+1`).

    With `sort_keys` the text is canonical: equal values give equal text. Raises TypeError on a float.
    """
    return _text(value, sort_keys)


def dumps_texts(value: Any) -> str:
    """Write what holds no numbers, only texts, nulls, lists and objects, as `dumps` does with sorted keys.

    The standard library's own writer is several times faster, and only numbers keep it from writing the rest.
    """
    return _TEXTS.encode(value)


def dumps_pretty(value: Any) -> str:
    """Write the same digits, indented for people."""
    return _indent(value, "")


def _refuse(constant: str) -> Any:
    raise JsonTextError(f"{constant} is not a JSON number")


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent beyond what the library itself carries
        raise JsonTextError("a number's exponent is out of range") from None
    if abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise JsonTextError(f"a number's exponent is out of range: {value.adjusted()}")
    return value


def _scalar(value: Any) -> str | None:
    if value is None or value is True or value is False:
        return _LITERALS[value]
    if isinstance(value, str):
        return _ESCAPE(str(value))
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} can't be written as a JSON number")
        return format(value, "f")
    if isinstance(value, float):
        raise TypeError("a float reached JSON; money and rates are Decimal here")
    return None


def _text(value: Any, sort_keys: bool) -> str:
    kind = type(value)
    if kind is str:  # most values are; the general way below gives the same
        return _ESCAPE(value)
    if isinstance(value, dict):
        items = sorted(value.items()) if sort_keys else value.items()
        return "{" + ",".join([f"{_ESCAPE(key)}:{_text(item, sort_keys)}" for key, item in items]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_text(item, sort_keys) for item in value]) + "]"
    text = _scalar(value)
    if text is not None:
        return text
    raise TypeError(f"{kind.__name__} has no JSON form here")


def _indent(value: Any, margin: str) -> str:
    inner = margin + "  "
    if isinstance(value, dict) and value:
        rows = (f"{inner}{_ESCAPE(key)}: {_indent(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(rows) + f"\n{margin}}}"
    if isinstance(value, list | tuple) and value:
        return "[\n" + ",\n".join(inner + _indent(item, inner) for item in value) + f"\n{margin}]"
    return dumps(value)


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def as_decimal(value: Any) -> Decimal:
    """Take a number as JSON gave it, or as a plain decimal string; raises JsonTextError on anything else."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and value.isascii() and _NUMBER.fullmatch(value):
        return Decimal(value)
    raise JsonTextError(f"expected a number, found {value!r}")
