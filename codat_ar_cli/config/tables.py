"""TOML tables that note what is wrong with them, key by key, instead of raising at the first."""

from collections.abc import Iterable
from typing import Any

from codat_ar_cli.config.model import ConfigProblem

_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number with a fraction"),
    (str, "text"),
    (list, "a list"),
    (dict, "a table"),
)


def _type_name(value: Any) -> str:
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "a date or time")


class Table:
    """A TOML table being read: gives values by type, and notes in `problems` what is missing, wrong or unknown."""

    def __init__(self, raw: Any, path: str, problems: list[ConfigProblem]) -> None:
        self.path = path
        self.problems = problems
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        self._asked: set[str] = set()
        if not isinstance(raw, dict):
            problems.append(ConfigProblem(path, f"expected a table, found {_type_name(raw)}"))

    def at(self, key: str) -> str:
        """Give the full dotted path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def problem(self, key: str, text: str) -> None:
        """Note what is wrong with a key."""
        self.problems.append(ConfigProblem(self.at(key), text))

    def text(self, key: str) -> str | None:
        """Read text that is not empty; None when the key is absent or wrong."""
        self._asked.add(key)
        value = self.raw.get(key)
        if isinstance(value, str) and "\0" in value:
            self.problem(key, "expected text, found a NUL character in it")
            return None
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        found = "empty text" if isinstance(value, str) else _type_name(value)
        self.problem(key, f"expected text in quotes, found {found}")
        return None

    def required(self, key: str) -> str:
        """Read text that must be there; empty when it is not, with the problem noted."""
        value = self.text(key)
        if value is None and key not in self.raw:
            self.problem(key, "missing")
        return value or ""

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Read a list of texts, or one text for a list of one."""
        self._asked.add(key)
        value = self.raw.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.problem(key, f"expected text or a list of texts, found {_type_name(value)}")
            return ()
        if any("\0" in item for item in items):
            self.problem(key, "expected text, found a NUL character in it")
            return ()
        if required and not items:
            self.problem(key, "missing" if key not in self.raw else "expected at least one text")
        return tuple(items)

    def table(self, key: str) -> "Table":
        """Read a table; an absent one is empty."""
        self._asked.add(key)
        return Table(self.raw.get(key, {}), self.at(key), self.problems)

    def tables(self, known: Iterable[str] | None = None) -> list[tuple[str, "Table"]]:
        """Read all keys as tables; with `known`, only those, and `finish` reports the others."""
        names = [name for name in self.raw if known is None or name in set(known)]
        self._asked.update(names if known is None else known)
        return [(name, self.table(name)) for name in names]

    def list_of_tables(self, key: str) -> list["Table"]:
        """Read a list of tables, numbered from 1 in problems."""
        self._asked.add(key)
        value = self.raw.get(key, [])
        if not isinstance(value, list):
            self.problem(key, f"expected a list of tables ([[…]]), found {_type_name(value)}")
            return []
        return [Table(item, self.at(f"{key}[{number}]"), self.problems) for number, item in enumerate(value, 1)]

    def finish(self) -> None:
        """Report the keys nobody asked for, each with the nearest one that exists."""
        for key in self.raw.keys() - self._asked:
            from difflib import get_close_matches

            near = get_close_matches(key, self._asked, n=1)
            self.problem(key, f"unknown key; did you mean `{near[0]}`?" if near else "unknown key")
