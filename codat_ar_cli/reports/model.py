"""Reports as values: titled tables of typed cells and notes, before anyone decides how they look."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from codat_ar_cli.domain.ids import Currency


class Kind(StrEnum):
    """What a column holds; decides alignment, spelling and the form in JSON and CSV."""

    TEXT = "text"
    ID = "id"
    """An id as Codat gives it: never wrapped inside a word where that can be helped, never reformatted."""
    AMOUNT = "amount"
    """`Money`: the amount with its currency."""
    PERCENT = "percent"
    """A `Decimal` percentage: 20 = 20 %."""
    COUNT = "count"
    DATE = "date"
    """A calendar date."""
    INSTANT = "instant"
    """An aware UTC instant."""


class Shown(StrEnum):
    """Where a column appears."""

    EVERYWHERE = "everywhere"
    WIDE = "wide"
    """For people only on a wide terminal; in JSON and CSV always."""
    PEOPLE = "people"
    """Words made for reading, such as an age; not in JSON or CSV."""
    MACHINES = "machines"
    """In JSON and CSV only."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with the currency it is in; `None` where the books do not say which."""

    amount: Decimal
    currency: Currency | None


Cell = str | int | Decimal | dt.date | dt.datetime | Money | None
"""What a column may hold, by its kind; `None` is an empty cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` names it in JSON and CSV for ever, `title` heads it for people."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    shown: Shown = Shown.EVERYWHERE

    @property
    def for_machines(self) -> bool:
        """Whether it is in JSON and CSV."""
        return self.shown is not Shown.PEOPLE


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. Every row has one cell per column."""

    name: str
    """In JSON and CSV, stable."""
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str | None = None
    empty: str = "none"
    """What to say for people when there is no row."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: a row has {len(row)} cells for {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found: tables, and notes a person should read after them."""

    name: str
    """Names it in JSON, stable: `fetch`, `mapping`."""
    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
