"""Syncs of one data type from the books into Codat's cache: PullOperations (reference §4)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from codat_ar_cli.sandbox.answers import parse_stamp, stamp

_STAGES = ("Queued", "Fetching", "MapQueued", "Mapping", "ProcessingQueued", "Processing", "Validating")
_FINE = frozenset({"Complete", "NotSupported"})
"""`NotSupported` is no fault: the platform has no such data (reference §4)."""


@dataclass(slots=True)
class Sync:
    """One sync, in progress until `ends`, then `Complete` or an error."""

    id: str
    company_id: str
    connection_id: str
    data_type: str
    requested: datetime
    ends: datetime
    ended: bool = False
    status: str = "Complete"
    """The status it ends with."""
    message: str | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def wire(self, now: datetime) -> dict[str, Any]:
        """Show it as a PullOperation as of now."""
        pull: dict[str, Any] = {
            "id": self.id,
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "dataType": self.data_type,
            "status": self.status if self.ended else self.stage(now),
            "statusDescription": None,
            "errorMessage": self.message if self.ended else None,
            "requested": stamp(self.requested),
            "progress": 100 if self.ended else self._progress(now),
            "isCompleted": self.ended and self.status in _FINE,
            "isErrored": self.ended and self.status not in _FINE,
        }
        if self.ended:
            pull["completed"] = stamp(self.ends)
        return pull

    def stage(self, now: datetime) -> str:
        """Name the running status that it has reached."""
        return _STAGES[min(len(_STAGES) - 1, self._progress(now) * len(_STAGES) // 100)]

    def _progress(self, now: datetime) -> int:
        whole = (self.ends - self.requested).total_seconds()
        gone = (now - self.requested).total_seconds()
        return 0 if whole <= 0 else max(0, min(99, int(100 * gone / whole)))

    def dump(self) -> dict[str, Any]:
        """Write for the state file."""
        return {
            "id": self.id,
            "companyId": self.company_id,
            "connectionId": self.connection_id,
            "dataType": self.data_type,
            "requested": stamp(self.requested),
            "ends": stamp(self.ends),
            "ended": self.ended,
            "status": self.status,
            "message": self.message,
            "warnings": self.warnings,
        }

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> "Sync":
        """Read what `dump` wrote."""
        return cls(
            id=raw["id"],
            company_id=raw["companyId"],
            connection_id=raw["connectionId"],
            data_type=raw["dataType"],
            requested=parse_stamp(raw["requested"]),
            ends=parse_stamp(raw["ends"]),
            ended=raw["ended"],
            status=raw["status"],
            message=raw["message"],
            warnings=raw["warnings"],
        )


def new_sync_id() -> str:
    """Give a fresh dataset id."""
    return str(uuid.uuid4())
