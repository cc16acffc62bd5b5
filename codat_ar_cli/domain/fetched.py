"""What a fetch of reference data brought, and how records differ from the ones cached before. Pure values."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from codat_ar_cli.domain.types import CompanyId, ConnectionId, DatasetId, DataType
from codat_ar_cli.errors import CodatArError, ExitCode, most_urgent

NAME_FIELDS = (
    "name",
    "accountName",
    "customerName",
    "supplierName",
    "companyName",
    "invoiceNumber",
    "creditNoteNumber",
)
CODE_FIELDS = ("nominalCode", "code")
STATUS_FIELDS = ("status", "itemStatus")
_BOOKKEEPING = frozenset({"id", "modifiedDate", "sourceModifiedDate", "metadata"})
_NO_ID = "-"
"""Stands for the id of company info, the one record that has none."""


class Change(StrEnum):
    """How a record differs from the cached one of the same id; the first that fits, in this order."""

    ADDED = "added"
    REMOVED = "removed"
    """Codat no longer lists it."""
    DELETED = "deleted"
    """Codat still lists it, marked as gone from the accounting package (reference §3.4)."""
    RESTORED = "restored"
    """Was deleted or archived, is in use again."""
    ARCHIVED = "archived"
    RENAMED = "renamed"
    """Its name or code is another."""
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One record that is not as it was."""

    change: Change
    id: str
    name: str
    """As it is now; as it was, where it was removed."""
    was: str | None = None
    """For RENAMED: the name and code before."""
    fields: tuple[str, ...] = ()
    """For CHANGED: the fields that differ, in Codat's spelling."""


class FetchStatus(StrEnum):
    """What became of one data type."""

    FETCHED = "fetched"
    NOT_SUPPORTED = "not_supported"
    """The platform has no such records, or Codat does not read them there. No fault."""
    FAILED = "failed"
    """`error` says why; what was cached before is kept."""


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What became of one data type, and what the cache holds of it now."""

    data_type: DataType
    status: FetchStatus
    records: int = 0
    """In the cache now, whether this fetch or an earlier one put them there."""
    fetched_at: dt.datetime | None = None
    """When they were read from Codat; None: never."""
    dataset_at: dt.datetime | None = None
    """When Codat last read them from the accounting package (`lastSuccessfulSync`)."""
    dataset_id: DatasetId | None = None
    changes: tuple[RecordChange, ...] | None = None
    """Against what was cached before; None: not asked for, or nothing was cached before."""
    error: CodatArError | None = None


@dataclass(frozen=True, slots=True)
class FetchReport:
    """All data types of one fetch, in the order they were asked for."""

    company: CompanyId
    connection: ConnectionId
    at: dt.datetime
    outcomes: tuple[FetchOutcome, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The most urgent of what failed; DONE when nothing did."""
        return most_urgent(outcome.error.exit_code for outcome in self.outcomes if outcome.error)

    @property
    def has_changes(self) -> bool:
        """Whether any data type differs from what was cached before."""
        return any(outcome.changes for outcome in self.outcomes)


def record_name(record: Mapping[str, Any]) -> str:
    """Give what people call a wire record, of whatever type; its id where it has no name."""
    return next((str(record[field]) for field in NAME_FIELDS if record.get(field)), str(record.get("id", _NO_ID)))


def record_code(record: Mapping[str, Any]) -> str | None:
    """Give a wire record's code, where its type has one."""
    return next((str(record[field]) for field in CODE_FIELDS if record.get(field)), None)


def compare(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> tuple[RecordChange, ...]:
    """Find what differs between two readings of one data type, matched by id.

    Sorted by kind of change, then name. `modifiedDate` and the like are no change by themselves.
    """
    old = {str(record.get("id", _NO_ID)): record for record in before}
    new = {str(record.get("id", _NO_ID)): record for record in after}
    changes = [RecordChange(Change.ADDED, key, _label(new[key])) for key in new.keys() - old.keys()]
    changes += [RecordChange(Change.REMOVED, key, _label(old[key])) for key in old.keys() - new.keys()]
    for key in old.keys() & new.keys():
        change = _compare_one(key, old[key], new[key])
        if change:
            changes.append(change)
    order = list(Change)
    return tuple(sorted(changes, key=lambda change: (order.index(change.change), change.name, change.id)))


def _compare_one(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> RecordChange | None:
    was_usable, is_usable = _usable(old), _usable(new)
    if was_usable != is_usable:
        change = Change.RESTORED if is_usable else Change.DELETED if _deleted(new) else Change.ARCHIVED
        return RecordChange(change, key, _label(new))
    if _deleted(new) and not _deleted(old):
        return RecordChange(Change.DELETED, key, _label(new))
    if _label(old) != _label(new):
        return RecordChange(Change.RENAMED, key, _label(new), was=_label(old))
    fields = tuple(sorted(name for name in (old.keys() | new.keys()) - _BOOKKEEPING if old.get(name) != new.get(name)))
    return RecordChange(Change.CHANGED, key, _label(new), fields=fields) if fields else None


def _label(record: Mapping[str, Any]) -> str:
    code = record_code(record)
    return f"{code} {record_name(record)}" if code else record_name(record)


def _deleted(record: Mapping[str, Any]) -> bool:
    metadata = record.get("metadata")
    return bool(isinstance(metadata, Mapping) and metadata.get("isDeleted"))


def _usable(record: Mapping[str, Any]) -> bool:
    archived = any(record.get(field) in ("Archived", "Void") for field in STATUS_FIELDS)
    return not archived and not _deleted(record)
