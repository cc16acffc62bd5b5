"""JSON into rows: documents with their lines nested, or one flat object per line. Numbers stay the text they were."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.layouts import LAYOUTS, Layout, fold, own_name
from codat_ar_cli.files.errors import BrokenJson, FileEmpty, NoRecords, WrongShape
from codat_ar_cli.files.source import open_source
from codat_ar_cli.files.table import Limits, Table, understand


def read_json(path: Path, layout: Layout, limits: Limits) -> Table:
    """Read `{"invoices": [...]}` or a bare list; a document may nest its lines (`lines`, `allocations`) or be flat.

    Raises FileError subclasses for the file; a record of the wrong shape is a row with a fault.
    """
    with open_source(path, max_bytes=limits.json_bytes) as source:
        text = source.read(limits.json_bytes + 1)
        name, sha256, encoding = source.name, source.sha256, source.encoding
    if not text.strip():
        raise FileEmpty("holds only blanks", name=name)
    documents, prefix, notes = _documents(_parse(text, name), layout, name)
    if not documents:
        raise NoRecords(f"holds an empty list of {layout.name}", name=name)
    if not any(isinstance(document, dict) for document in documents):
        raise WrongShape(f"is a list, but not of {layout.name}: no entry is an object", name=name, hint=_hint(layout))
    flat = _Flattener(layout, name)
    rows = [
        row for index, document in enumerate(documents) for row in flat.rows(document, f"{prefix}[{index}]", index + 1)
    ]
    header = understand(flat.names, layout, name=name, line=None)
    return Table(
        name=name,
        sha256=sha256,
        columns=tuple(flat.names),
        canonical=header.names,
        rows=rows,
        raw=[[row.cells.get(column, "") for column in header.names] for row in rows],
        encoding=encoding,
        delimiter=",",
        notes=(*notes, *header.notes),
    )


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys it had twice; `dict` would keep the last without a word."""

    doubled: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    result = _Object(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        result.doubled = tuple(key for key in result if keys.count(key) > 1)
    for key in result:
        if not _is_text(key):
            raise ValueError("a key holds half of a surrogate pair")
    return result


def _is_text(value: str) -> bool:
    """Tell whether a string can be written at all: JSON escapes can name half a character (U+D800)."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _parse(text: str, name: str) -> Any:
    """Read JSON with every number as the text it was: neither a float nor `1e3` comes near an amount."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BrokenJson(
            f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}",
            name=name,
            line=error.lineno,
            hint="check it with `python -m json.tool FILE`",
        ) from error
    except ValueError as error:
        raise BrokenJson(f"is not JSON: {error}", name=name) from error
    except RecursionError as error:
        raise BrokenJson("is nested too deeply", name=name) from error


def _hint(layout: Layout) -> str:
    return f'write {{"{layout.name}": [{{"{layout.key}": …, "{layout.lines_key}": [{{…}}]}}]}}'


def _documents(data: Any, layout: Layout, name: str) -> tuple[list[Any], str, list[Finding]]:
    """Find the list of documents; gives it with how its entries are called, and notes on what stands beside it."""
    if isinstance(data, list):
        return data, "", []
    if not isinstance(data, dict):
        raise WrongShape(f"holds no list of {layout.name}", name=name, hint=_hint(layout))
    wanted = [key for key in data if fold(key) == fold(layout.name)]
    if len(wanted) != 1 or not isinstance(data[wanted[0]], list):
        other = next((known for known in LAYOUTS if known is not layout and known.name in map(fold, data)), None)
        hint = f"it holds {other.name}: `codat-ar push {other.name} FILE`" if other else _hint(layout)
        found = ", ".join(map(repr, data)) or "nothing"
        raise WrongShape(f"has no list `{layout.name}`; found: {found[:300]}", name=name, hint=hint)
    notes = [
        Finding("file.unknown-column", Severity.NOTE, f"`{key}` is not known and not used", Place(name, column=key))
        for key in data
        if key != wanted[0]
    ]
    return data[wanted[0]], wanted[0], notes


@dataclass
class _Flattener:
    """Makes rows of documents, and gathers the names of all columns that any of them has, in order of appearance."""

    layout: Layout
    source: str
    _names: dict[str, None] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Canonical names, and own names of columns nobody knows."""
        return list(self._names)

    def rows(self, document: Any, path: str, number: int) -> Iterator[Row]:
        """Yield one row per line of a document, or one if it has none; `number` counts documents from 1."""
        place = Place(self.source, number, path=path)
        if not isinstance(document, dict):
            yield Row(place, {}, _fault(place, f"is {_kind(document)}, not an object"))
            return
        keys = [key for key in document if fold(key) == fold(self.layout.lines_key)]
        cells, fault = self._cells(document, place, leave_out=keys)
        lines = document[keys[0]] if keys else None
        if lines is None or lines == []:
            if keys and self.layout.needs_lines:
                fault = fault or _fault(place, f"`{keys[0]}` is empty")
            yield Row(place, cells, fault)
        elif not isinstance(lines, list):
            yield Row(place, cells, fault or _fault(place, f"`{keys[0]}` is {_kind(lines)}, not a list"))
        else:
            for index, line in enumerate(lines):
                where = Place(self.source, number, path=f"{path}.{keys[0]}[{index}]")
                yield self._line(line, where, cells, fault)

    def _line(self, line: Any, place: Place, document: dict[str, str], fault: Finding | None) -> Row:
        if not isinstance(line, dict):
            return Row(place, document, fault or _fault(place, f"is {_kind(line)}, not an object"))
        cells, line_fault = self._cells(line, place, in_line=True)
        fault = fault or line_fault
        for name, value in cells.items():
            stated = document.get(name)
            if stated and value and stated != value and name in self.layout.document_columns:
                fault = fault or _fault(place, f"`{name}` is `{value}` here and `{stated}` in the document", name)
        return Row(
            place,
            {**document, **{name: value for name, value in cells.items() if value or name not in document}},
            fault,
        )

    def _cells(
        self, record: dict[str, Any], place: Place, *, in_line: bool = False, leave_out: list[str] | None = None
    ) -> tuple[dict[str, str], Finding | None]:
        """Give an object's values as text by canonical name, and what is wrong with the object, if anything."""
        cells: dict[str, str] = {}
        fault = None
        doubled = record.doubled if isinstance(record, _Object) else ()
        if doubled or len(leave_out or ()) > 1:
            fault = _fault(place, f"has {', '.join(f'`{key}`' for key in doubled or leave_out or ())} twice")
        for key, value in record.items():
            if key in (leave_out or ()):
                continue
            name = self.layout.canonical(key, in_line=in_line) or own_name(key) or "unnamed"
            if name in cells:
                fault = fault or _fault(place, f"states `{name}` twice, the second time as `{key}`", name)
            text, problem = _text(value)
            if problem:
                fault = fault or _fault(place, f"`{key}` {problem}", name)
            cells[name] = text
            self._names[name] = None
        return cells, fault


def _text(value: Any) -> tuple[str, str | None]:
    """Give a JSON value as a cell, and what is wrong with it; a list of words is one cell, joined with `|`."""
    if value is None:
        return "", None
    if isinstance(value, bool):
        return ("true" if value else "false"), None
    if isinstance(value, str):
        return (value.strip(), None) if _is_text(value) else (ascii(value), "holds half of a surrogate pair")
    if isinstance(value, list) and all(isinstance(part, str) and _is_text(part) for part in value):
        joined = "|".join(part.strip() for part in value)
        return joined, None if joined.count("|") == max(0, len(value) - 1) else "is a list with a `|` in an entry"
    return json.dumps(value), f"is {_kind(value)}, where one value is expected"


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return {dict: "an object", _Object: "an object", bool: "true or false", type(None): "null"}.get(type(value), "text")


def _fault(place: Place, message: str, column: str | None = None) -> Finding:
    where = place if column is None else Place(place.source, place.row, column, place.path)
    return Finding("row.bad-shape", Severity.ERROR, message, where, hint="see the page on file formats for an example")
