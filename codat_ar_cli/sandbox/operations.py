"""Push operations: asynchronous writes from Pending to their outcome (reference §9.2 to §9.4)."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from codat_ar_cli.sandbox.answers import parse_stamp, stamp
from codat_ar_cli.sandbox.books import Books, Refused, Written

_CHANGE = {"create": "Created", "update": "Modified", "delete": "Deleted", "attach": "AttachmentUploaded"}


@dataclass(frozen=True, slots=True)
class Work:
    """What the accounting platform is asked to do."""

    verb: str
    """create, update, delete or attach."""
    data_type: str
    record_id: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    """The record as pushed; for an attachment its `name`, `contentType` and base64 `data`."""
    force: bool = False
    """Whether an update skips the check for newer changes (`forceUpdate`)."""

    def carry_out(self, books: Books, now: datetime) -> Written | Refused:
        """Do it in the books, as of `now`."""
        if self.verb == "create":
            return books.create(self.data_type, self.body, now)
        if self.record_id is None:
            raise ValueError(f"{self.verb} needs a record id")
        if self.verb == "update":
            return books.update(self.data_type, self.record_id, self.body, now, force=self.force)
        if self.verb == "delete":
            return books.delete(self.data_type, self.record_id, now)
        data = base64.b64decode(self.body["data"])
        return books.attach(self.data_type, self.record_id, self.body["name"], self.body["contentType"], data, now)

    def dump(self) -> dict[str, Any]:
        """Write for the state file."""
        return {
            "verb": self.verb,
            "dataType": self.data_type,
            "recordId": self.record_id,
            "body": self.body,
            "force": self.force,
        }

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> "Work":
        """Read what `dump` wrote."""
        return cls(raw["verb"], raw["dataType"], raw["recordId"], raw["body"], raw["force"])


@dataclass(slots=True)
class Operation:
    """One push operation: what Codat shows of it, the work behind it, and the steps still to come."""

    wire: dict[str, Any]
    work: Work
    steps: list[tuple[datetime, str]]
    """(instant, step): `complete`, `complete-without-id`, `fail`, `time-out`, or `land` (in the books, untold)."""
    message: str | None = None
    """The error text of a failure that a fault rule asks for."""

    @property
    def key(self) -> str:
        """Give the push operation key."""
        return str(self.wire["pushOperationKey"])

    def finish(self, status: str, code: int, at: datetime, **facts: Any) -> None:
        """Set the final status, once; a later one changes nothing."""
        if self.wire["status"] == "Pending":
            self.wire.update({"status": status, "statusCode": code, "completedOnUtc": stamp(at), **facts})

    def dump(self) -> dict[str, Any]:
        """Write for the state file."""
        return {
            "wire": self.wire,
            "work": self.work.dump(),
            "steps": [[stamp(at), step] for at, step in self.steps],
            "message": self.message,
        }

    @classmethod
    def load(cls, raw: Mapping[str, Any]) -> "Operation":
        """Read what `dump` wrote."""
        steps = [(parse_stamp(at), step) for at, step in raw["steps"]]
        return cls(raw["wire"], Work.load(raw["work"]), steps, raw["message"])


def new_operation(
    *,
    company_id: str,
    connection_id: str,
    work: Work,
    now: datetime,
    delay: float,
    timeout_minutes: int | None,
    outcome: Mapping[str, Any] | None,
) -> Operation:
    """Begin an operation: Pending, `statusCode` 202, no id yet and no `data`."""
    wire: dict[str, Any] = {
        "changes": [{"type": _CHANGE[work.verb], "recordRef": _record_ref(work)}],
        "dataType": work.data_type,
        "companyId": company_id,
        "pushOperationKey": str(uuid.uuid4()),
        "dataConnectionKey": connection_id,
        "requestedOnUtc": stamp(now),
        "timeoutInMinutes": timeout_minutes,
        "timeoutInSeconds": None if timeout_minutes is None else timeout_minutes * 60,
        "status": "Pending",
        "errorMessage": None,
        "validation": {"errors": [], "warnings": []},
        "statusCode": 202,
    }
    steps = _steps(now, delay, timeout_minutes, outcome or {})
    return Operation(wire, work, steps, (outcome or {}).get("message"))


def _record_ref(work: Work) -> dict[str, Any]:
    reference: dict[str, Any] = {"dataType": work.data_type}
    if work.record_id is not None:
        reference["id"] = work.record_id
    return reference


def _steps(
    now: datetime, delay: float, timeout_minutes: int | None, outcome: Mapping[str, Any]
) -> list[tuple[datetime, str]]:
    due = now + timedelta(seconds=float(outcome.get("delay", delay)))
    lands = outcome.get("landsAfter", 0 if outcome.get("outcome") == "TimedOut" else None)
    landing = [] if lands is None else [(due + timedelta(seconds=float(lands)), "land")]
    deadline = None if timeout_minutes is None else now + timedelta(minutes=timeout_minutes)
    match outcome.get("outcome"):
        case "Failed":
            steps = [(due, "fail")]
        case "TimedOut":
            steps = [(due, "time-out"), *landing]
        case "Pending":
            steps = landing
        case "NoId":
            steps = [(due, "complete-without-id")]
        case _ if deadline is not None and deadline < due:
            steps = [(due, "land")]
        case _:
            steps = [(due, "complete")]
    if deadline is not None:
        steps.append((deadline, "time-out"))
    return sorted(steps, key=lambda step: step[0])
