"""Outcomes of a write, and the state of one company's books as rows that can be stored one by one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from codat_ar_cli.sandbox.amounts import ZERO

Record = dict[str, Any]
"""One record in wire form; keys that begin with `_` are the books' own and never shown."""

CUSTOMER_DOCUMENTS = {"Invoice": "invoices", "CreditNote": "creditNotes"}
"""Payment link types that name a document, and the data type of that document."""


class Entry(NamedTuple):
    """One row of the books, as persistence stores it; `value` None means that the row is gone."""

    section: str
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Item:
    """One validation message, as Codat shows it (reference §9.3)."""

    item_id: str
    message: str
    validator: str

    def wire(self) -> dict[str, str]:
        """Give the message in wire form."""
        return {"itemId": self.item_id, "message": self.message, "validatorName": self.validator}


@dataclass(frozen=True, slots=True)
class Written:
    """A write the platform made."""

    changes: list[dict[str, Any]]
    """Wire form: `{"type": "Created", "recordRef": {"id", "dataType"}}`."""
    warnings: list[dict[str, str]] = field(default_factory=list)

    @property
    def validation(self) -> dict[str, list[dict[str, str]]]:
        """Give what the push operation shows under `validation`."""
        return {"errors": [], "warnings": self.warnings}


@dataclass(frozen=True, slots=True)
class Refused:
    """A write the platform or Codat refused; nothing changed."""

    status_code: int
    error_message: str
    errors: list[dict[str, str]]
    warnings: list[dict[str, str]] = field(default_factory=list)

    @property
    def validation(self) -> dict[str, list[dict[str, str]]]:
        """Give what the push operation shows under `validation`."""
        return {"errors": self.errors, "warnings": self.warnings}


class Rejection(Exception):
    """A write that cannot be made, with every reason found; turned into `Refused` by the books."""

    def __init__(self, *items: Item) -> None:
        super().__init__("; ".join(item.message for item in items))
        self.items = items


class State:
    """Everything one company's books hold, with a note of which rows changed since they were last stored.

    `live` is the accounting package, `cache` Codat's copy of it. Balances are kept per account as the sum of its
    postings in base currency and in its own, debit positive, so that all base balances together are always zero.
    """

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.live: dict[str, dict[str, Record]] = defaultdict(dict)
        self.cache: dict[str, dict[str, Record]] = defaultdict(dict)
        self.balances: dict[str, tuple[Decimal, Decimal]] = {}
        self.attachments: dict[str, Record] = {}
        self.settled: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        """Part of a document's total that payments and allocations have taken, by (data type, id). Derived."""
        self.on_account: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        """Unapplied cash by (customer id, currency). Derived."""
        self.payers: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        """Payments that link to a document, by (data type, id), in order. Derived."""
        self.stale: dict[str, dict[str, None]] = defaultdict(dict)
        """Ids that may read differently at the next sync, in the order they were noted. Derived on load: everything."""
        self.banks: dict[str, str] = {}
        """Bank account by account in the chart: two records, on some platforms with two ids. Derived."""
        self._dirty: dict[tuple[str, str], None] = {}

    def mark(self, data_type: str, *record_ids: str) -> None:
        """Note records that may read differently at the next sync of their type."""
        self.stale[data_type].update(dict.fromkeys(record_ids))

    def put(self, data_type: str, record: Record) -> None:
        """Store a live record under its id and note that it changed."""
        record_id = record["id"]
        self.live[data_type][record_id] = record
        if data_type == "bankAccounts":
            self.banks[record["_account"]] = record_id
        self.mark(data_type, record_id)
        self._dirty[f"live.{data_type}", record_id] = None

    def drop(self, data_type: str, record_id: str) -> None:
        """Remove a live record; the cache notices at the next sync."""
        del self.live[data_type][record_id]
        self.mark(data_type, record_id)
        self._dirty[f"live.{data_type}", record_id] = None

    def keep(self, data_type: str, record: Record) -> None:
        """Store Codat's copy of a record."""
        self.cache[data_type][record["id"]] = record
        self._dirty[f"cache.{data_type}", record["id"]] = None

    def post(self, account_id: str, base: Decimal, own: Decimal) -> None:
        """Add to an account's balances: `base` in base currency, `own` in the account's; debit positive."""
        before = self.balances.get(account_id, (ZERO, ZERO))
        self.balances[account_id] = (before[0] + base, before[1] + own)
        self.mark("chartOfAccounts", account_id)
        bank = self.banks.get(account_id)
        if bank is not None:
            self.mark("bankAccounts", bank)
        self._dirty["balance", account_id] = None

    def attach(self, key: str, attachment: Record) -> None:
        """Store one attachment."""
        self.attachments[key] = attachment
        self._dirty["attachment", key] = None

    def touch_head(self) -> None:
        """Note that the head row (company, connection, counters, sync times) changed."""
        self._dirty["head", ""] = None

    def take_dirty(self) -> list[Entry]:
        """Give every row that changed since the last call, and forget that it did."""
        changed = [self._entry(section, key) for section, key in self._dirty]
        self._dirty.clear()
        return changed

    def entries(self) -> Iterator[Entry]:
        """Give every row there is."""
        yield self._entry("head", "")
        for kind, sets in (("live", self.live), ("cache", self.cache)):
            for data_type, records in sets.items():
                for key in records:
                    yield self._entry(f"{kind}.{data_type}", key)
        for section, rows in (("balance", self.balances), ("attachment", self.attachments)):
            for key in rows:
                yield self._entry(section, key)

    def restore(self, entries: Iterable[tuple[str, str, Any]]) -> None:
        """Take rows back, in any order; derived sums are the caller's to rebuild."""
        for section, key, value in entries:
            kind, _, data_type = section.partition(".")
            if kind == "head":
                self.head = value
            elif kind == "balance":
                self.balances[key] = (Decimal(value[0]), Decimal(value[1]))
            elif kind == "attachment":
                self.attachments[key] = value
            else:
                (self.live if kind == "live" else self.cache)[data_type][key] = value
        self.banks = {record["_account"]: key for key, record in self.live["bankAccounts"].items()}
        for data_type, records in (*self.live.items(), *self.cache.items()):
            self.mark(data_type, *records)

    def _entry(self, section: str, key: str) -> Entry:
        kind, _, data_type = section.partition(".")
        if kind == "head":
            return Entry(section, key, self.head)
        if kind == "balance":
            return Entry(section, key, list(self.balances[key]))
        if kind == "attachment":
            return Entry(section, key, self.attachments[key])
        return Entry(section, key, (self.live if kind == "live" else self.cache)[data_type].get(key))
