"""Codat's query language and ordering (reference §3.3): text → a test on records, or the 400 Codat gives.

A value is bare and runs to the next `&&`, `||`, `}` or the end. `&&` binds tighter than `||`. Properties of
objects are reached with a dot; properties inside arrays can't be queried. There is no test for null: a null
differs from every value, and is neither equal to, inside, above nor below any.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from codat_ar_cli.sandbox.answers import ApiError, parse_stamp

Test = Callable[[Mapping[str, Any]], bool]
LONGEST = 2048
"""Queries of this many characters or more are refused."""

_TOKEN = re.compile(r"&&|\|\||[{}]|(?:(?!&&|\|\||[{}]).)+", re.DOTALL)
_CONDITION = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(!=|>=|<=|=|~|>|<)\s*(.*?)\s*", re.DOTALL)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    "<": lambda a, b: bool(a < b),
    ">=": lambda a, b: bool(a >= b),
    "<=": lambda a, b: bool(a <= b),
    "~": lambda a, b: b in a,
}
_OPERATORS = {
    "number": "= != > < >= <=",
    "date": "= != > < >= <=",
    "string": "= != ~",
    "enum": "= != ~",
    "boolean": "= !=",
}


class Model:
    """The queryable properties of one kind of record: dotted name → number, string, enum, boolean or date."""

    def __init__(self, name: str, properties: str) -> None:
        self.name = name
        self._kinds: dict[str, str] = {}
        kind = ""
        for word in properties.split():
            if word.endswith(":"):
                kind = word[:-1]
            else:
                self._kinds[word] = kind

    def kind(self, path: str) -> str:
        """Say what kind of value a property holds; raises the 400 for one that can't be queried."""
        if path not in self._kinds:
            raise _malformed(f"Could not resolve property {path} on {self.name}")
        return self._kinds[path]


class AnyTag(Model):
    """A company's tags: any name, always a string; only `=`, `!=` and `~`."""

    def __init__(self) -> None:
        super().__init__("Tags", "")

    def kind(self, path: str) -> str:
        """Take any property as a string."""
        return "string"


def _malformed(reason: str = "Malformed query.") -> ApiError:
    return ApiError(400, f"Error parsing query - {reason}", service="ClientsApi")


def parse_query(text: str, model: Model) -> Test:
    """Compile a query; raises ApiError 400 when it is malformed, too long, or names an unknown property."""
    if len(text) >= LONGEST:
        raise _malformed(f"The query must be under {LONGEST} characters.")
    tokens = [token for token in _TOKEN.findall(text) if token.strip()]
    if not tokens:
        raise _malformed()
    test, rest = _either(tokens, model, 0)
    if rest != len(tokens):
        raise _malformed()
    return test


def _either(tokens: list[str], model: Model, at: int) -> tuple[Test, int]:
    test, at = _both(tokens, model, at)
    while at < len(tokens) and tokens[at] == "||":
        right, at = _both(tokens, model, at + 1)
        test = _or(test, right)
    return test, at


def _both(tokens: list[str], model: Model, at: int) -> tuple[Test, int]:
    test, at = _one(tokens, model, at)
    while at < len(tokens) and tokens[at] == "&&":
        right, at = _one(tokens, model, at + 1)
        test = _and(test, right)
    return test, at


def _one(tokens: list[str], model: Model, at: int) -> tuple[Test, int]:
    if at >= len(tokens) or tokens[at] in {"&&", "||", "}"}:
        raise _malformed()
    if tokens[at] != "{":
        return _condition(tokens[at], model), at + 1
    try:
        test, at = _either(tokens, model, at + 1)
    except RecursionError as error:
        raise _malformed() from error
    if at >= len(tokens) or tokens[at] != "}":
        raise _malformed()
    return test, at + 1


def _and(left: Test, right: Test) -> Test:
    return lambda record: left(record) and right(record)


def _or(left: Test, right: Test) -> Test:
    return lambda record: left(record) or right(record)


def _condition(text: str, model: Model) -> Test:
    match = _CONDITION.fullmatch(text)
    if match is None or not match[3] or match[3].startswith("="):
        raise _malformed()
    path, operator, value = match.groups()
    kind = model.kind(path)
    if operator not in _OPERATORS[kind].split():
        raise _malformed()
    read = _READERS[kind]
    if kind == "string" and operator == "~":
        read = _folded
    try:
        wanted = read(value)
    except (ValueError, InvalidOperation) as error:
        raise _malformed() from error
    compare, steps, unequal = _COMPARE[operator], path.split("."), operator == "!="

    def test(record: Mapping[str, Any]) -> bool:
        found = _reach(record, steps)
        if found is None:
            return unequal
        return compare(read(found), wanted)

    return test


def _reach(record: Any, steps: list[str]) -> Any:
    for step in steps:
        if not isinstance(record, Mapping):
            return None
        record = record.get(step)
    return record


def _folded(value: Any) -> str:
    return str(value).casefold()


def _number(value: Any) -> Decimal | int:
    if type(value) is Decimal or type(value) is int:  # as records hold it
        return value
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in {"true", "false"}:
        raise ValueError(value)
    return text == "true"


def _instant(value: Any) -> dt.datetime:
    return parse_stamp(str(value))


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "string": str,
    "enum": _folded,
    "boolean": _boolean,
    "date": _instant,
}


def parse_order(text: str, model: Model) -> tuple[Callable[[Mapping[str, Any]], Any], bool]:
    """Read `issueDate` or `-issueDate` into a sort key, nulls first, and whether it descends."""
    descending = text.startswith("-")
    path = text.removeprefix("-").strip()
    read, steps = _READERS[model.kind(path)], path.split(".")

    def key(record: Mapping[str, Any]) -> Any:
        found = _reach(record, steps)
        return (0, 0) if found is None else (1, read(found))

    return key, descending
