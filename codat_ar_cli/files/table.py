"""A file as rows, with all that is needed to say where things stand and to write its records out again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.layouts import Layout, own_name, recognise
from codat_ar_cli.files.errors import WrongColumns

REASON_COLUMN = "reason"
"""The column that a rejects file adds; read back without remark, so a corrected rejects file can be pushed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read before a file counts as damaged or hostile. Sizes in bytes, lengths in characters.

    A cell of a CSV file is limited too, by the `csv` module itself: 131,072 characters.
    """

    csv_bytes: int = 1 << 30
    json_bytes: int = 64 << 20
    """JSON is held in memory as a whole."""
    line: int = 1 << 20


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Table:
    """A whole file, read. `rows` and `raw` run in parallel."""

    name: str
    """The file's name as the user gave it; also the `source` of every place in it."""
    sha256: str
    """Of the bytes that were read."""
    columns: tuple[str, ...]
    """Headers as the file has them."""
    canonical: tuple[str, ...]
    """Names in `Row.cells`, one for each of `columns`."""
    rows: list[Row]
    raw: list[list[str]]
    """The cells of each row as they came, in the order of `columns`; damaged rows have more or fewer."""
    encoding: str
    """`utf-8`, `utf-8-sig` (with a byte order mark) or `utf-16`."""
    delimiter: str
    """Between the cells; for JSON a comma, which its rejects are written with."""
    notes: tuple[Finding, ...]
    """Facts about the file as a whole, such as columns nobody knows. What is wrong with a row stands in `Row.fault`."""


@dataclass(frozen=True, slots=True)
class Header:
    """A file's headers, understood."""

    names: tuple[str, ...]
    """Canonical names, or the column's own normalised name, or `column_7` for one without a name."""
    notes: tuple[Finding, ...]


def understand(headers: Sequence[str], layout: Layout, *, name: str, line: int | None) -> Header:
    """Recognise columns by their names (design D4).

    line: of the header, None where the file has none (JSON). Raises WrongColumns, which names every required
    column that is missing and every column that is there twice.
    """
    names = [
        layout.canonical(header) or own_name(header) or f"column_{position}"
        for position, header in enumerate(headers, start=1)
    ]
    missing = layout.missing(names)
    counts = Counter(names)
    doubled = {known: [h for h, n in zip(headers, names, strict=True) if n == known] for known in counts}
    doubled = {known: spelt for known, spelt in doubled.items() if len(spelt) > 1}
    if missing or doubled:
        raise _wrong_columns(headers, layout, missing, doubled, name)
    notes = [
        _unknown_column(header, own, layout, names, Place(name, line, header.strip() or own))
        for header, own in zip(headers, names, strict=True)
        if layout.canonical(header) is None and own != REASON_COLUMN
    ]
    return Header(tuple(names), tuple(notes))


def _unknown_column(header: str, own: str, layout: Layout, names: Sequence[str], place: Place) -> Finding:
    """A column nobody asked for: a NOTE, or a WARNING where it looks like a misspelling of one we know."""
    meant = layout.nearest(header, beside=names)
    if meant:
        return Finding(
            "file.unknown-column",
            Severity.WARNING,
            f"column `{header.strip()}` is not known and is not used; did you mean `{meant}`?",
            place,
            hint=f"rename it to `{meant}`, or leave it if it is something else",
        )
    return Finding(
        "file.unknown-column",
        Severity.NOTE,
        f"column `{header.strip() or own}` is not known; it is not sent, mapping rules can use it as `{own}`",
        place,
    )


def _wrong_columns(
    headers: Sequence[str], layout: Layout, missing: Sequence[str], doubled: dict[str, list[str]], name: str
) -> WrongColumns:
    parts = []
    if missing:
        parts.append("missing " + ", ".join(f"`{column}`" for column in missing))
    if doubled:
        parts.append(
            "there twice "
            + ", ".join(f"`{known}` ({', '.join(repr(h) for h in spelt)})" for known, spelt in doubled.items())
        )
    found = ", ".join(header.strip() for header in headers if header.strip())
    return WrongColumns(
        f"the columns are not those of {layout.name}: {'; '.join(parts)}; found: {_shorten(found) or 'none'}",
        name=name,
        hint=_columns_hint(headers, layout, missing),
        missing=list(missing),
        doubled=sorted(doubled),
        found=list(headers),
    )


def _columns_hint(headers: Sequence[str], layout: Layout, missing: Sequence[str]) -> str:
    other = recognise(headers)
    if other is not None and other is not layout:
        return f"these are the columns of {other.name}: `codat-ar push {other.name} FILE`"
    known = [name for header in headers if (name := layout.canonical(header))]
    meant = {
        near: header.strip()
        for header in headers
        if layout.canonical(header) is None and (near := layout.nearest(header, beside=known)) in missing and near
    }
    if meant:
        return "rename " + ", ".join(f"`{header}` to `{column}`" for column, header in meant.items())
    return f"a file of {layout.name} needs the columns {', '.join(layout.required)}, once each, in any order"


def _shorten(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
