"""One company in the sandbox: its connections, its books, and Codat's work on them."""

import traceback
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from codat_ar_cli.sandbox.answers import ApiError, stamp
from codat_ar_cli.sandbox.books import Books, Refused, Written
from codat_ar_cli.sandbox.models import SYNCED_TYPES
from codat_ar_cli.sandbox.operations import Operation
from codat_ar_cli.sandbox.paging import Shelf
from codat_ar_cli.sandbox.store import Store
from codat_ar_cli.sandbox.syncs import Sync, new_sync_id
from codat_ar_cli.sandbox.timeline import Timeline

NEVER_SYNCED = "The data set has not been requested."


class Company:
    """A business: what Codat tells of it, its books on one accounting platform, its operations and syncs."""

    def __init__(
        self, details: dict[str, Any], connections: list[dict[str, Any]], *, store: Store, timeline: Timeline
    ) -> None:
        self.details = details
        self.connections = connections
        self.books: Books | None = None
        self.operations: dict[str, Operation] = {}
        self.syncs: dict[str, Sync] = {}
        self.writes: list[dict[str, Any]] = []
        """Every write that reached the books, in order: the truth that tests compare with."""
        self._store = store
        self._timeline = timeline
        self._shelves: dict[str, Shelf] = {}
        self._outdated: dict[str, Shelf | None] = {}
        self._latest: dict[str, Sync] = {}
        self._succeeded: dict[str, Sync] = {}

    @property
    def id(self) -> str:
        """Give the company id."""
        return str(self.details["id"])

    @property
    def is_active(self) -> bool:
        """Say whether it counts for the quota: a connection is linked."""
        return any(connection["status"] == "Linked" for connection in self.connections)

    def wire(self) -> dict[str, Any]:
        """Show it as Codat does."""
        return {**self.details, "dataConnections": self.connections}

    def connection(self, connection_id: str) -> dict[str, Any]:
        """Find a connection; raises 404."""
        for connection in self.connections:
            if connection["id"] == connection_id:
                return connection
        raise ApiError(404, f"Data connection {connection_id} not found")

    def books_of(self, connection_id: str) -> Books:
        """Give the books behind a connection; raises 404 without the connection, 400 while it has none."""
        self.connection(connection_id)
        if self.books is None or self.books.connection["id"] != connection_id:
            raise ApiError(400, f"Data connection {connection_id} is not linked to accounting data.")
        return self.books

    def save(self) -> None:
        """Keep what Codat tells of it."""
        self._store.put("company", self.id, {"details": self.details, "connections": self.connections})

    def adopt(self, books: Books, connection: dict[str, Any] | None = None) -> None:
        """Link books to its connection, by default the one with their id; from now on both share one object."""
        wanted = connection or self.connection(books.connection["id"])
        index = self.connections.index(wanted)
        shared = dict(wanted)
        books.connection.clear()
        books.connection.update(shared)
        books.touch_head()
        self.connections[index] = books.connection
        self.books = books

    def keep_books(self) -> None:
        """Put every row of the books that changed since the last time."""
        if self.books is not None and self._store.keeps:
            for section, key, value in self.books.take_dirty():
                if value is None:
                    self._store.drop(self.rows_kind, f"{section}|{key}")
                else:
                    self._store.put(self.rows_kind, f"{section}|{key}", value)

    @property
    def rows_kind(self) -> str:
        """Name the rows of its books in the state file."""
        return f"row:{self.id}"

    # Reading the cache

    def shelf(self, data_type: str) -> Shelf:
        """Give the cached records of a type.

        Raises the 404 of a type that the platform lacks (reference §1.1), or the 409 of one never synced.
        """
        shelf = self._shelves.get(data_type)
        if shelf is None:
            records = None if self.books is None else self.books.cached(data_type)
            if records is None:
                self._refuse_unreadable(data_type)
                raise ApiError(409, NEVER_SYNCED)
            shelf = self._shelves[data_type] = Shelf(records, self._outdated.pop(data_type, None))
        return shelf

    def _refuse_unreadable(self, data_type: str) -> None:
        platform = None if self.books is None else self.books.platform
        if platform is not None and platform.feature(data_type, "Get") == "NotSupported":
            raise ApiError(404, f"Datatype {data_type} not supported by platform(s) {platform.name}", service="PullApi")

    def info(self) -> Mapping[str, Any]:
        """Give the company info as last synced; raises 409 when it never was."""
        info = None if self.books is None else self.books.info()
        if info is None:
            raise ApiError(409, NEVER_SYNCED)
        return info

    # Syncing

    def running_sync(self, data_type: str) -> Sync | None:
        """Give the sync of this type that is in progress, if one is."""
        latest = self._latest.get(data_type)
        return None if latest is None or latest.ended else latest

    def start_sync(
        self, connection: Mapping[str, Any], data_type: str, now: datetime, *, delay: float, fault: Mapping[str, Any]
    ) -> Sync:
        """Queue a sync; it ends after `delay` seconds, as the connection and the fault allow."""
        sync = Sync(
            id=new_sync_id(),
            company_id=self.id,
            connection_id=connection["id"],
            data_type=data_type,
            requested=now,
            ends=now + timedelta(seconds=float(fault.get("delay", delay))),
            status=str(fault.get("status", "Complete")),
            message=fault.get("message"),
        )
        if connection["status"] != "Linked":
            sync.status, sync.message = "AuthError", f"The connection is {connection['status']}."
        elif self.books is not None and data_type in self.books.platform.unreadable:
            sync.status = "NotSupported"
        self._add_sync(sync)
        self._store.put("sync", sync.id, sync.dump())
        return sync

    def data_status(self, now: datetime) -> dict[str, Any]:
        """Show the state of every data type that the platform has; of one never synced only its name (reference §4)."""
        missing = frozenset() if self.books is None else self.books.platform.unreadable
        return {data_type: self._status(data_type, now) for data_type in SYNCED_TYPES if data_type not in missing}

    def _status(self, data_type: str, now: datetime) -> dict[str, Any]:
        status: dict[str, Any] = {"dataType": data_type}
        latest, succeeded = self._latest.get(data_type), self._succeeded.get(data_type)
        if succeeded is not None:
            status["lastSuccessfulSync"] = stamp(succeeded.ends)
        if latest is not None:
            status["currentStatus"] = latest.wire(now)["status"]
            status["latestSyncId"] = latest.id
        if succeeded is not None:
            status["latestSuccessfulSyncId"] = succeeded.id
        return status

    def note_seeded(self, now: datetime) -> None:
        """Record what the seed has already synced, and what its platform can't sync, as syncs that ended now."""
        books = self.books
        if books is None:
            return
        for data_type in SYNCED_TYPES:
            unsupported = data_type in books.platform.unreadable
            if books.cached(data_type) is None and not unsupported:
                continue
            sync = Sync(new_sync_id(), self.id, books.connection["id"], data_type, now, now, ended=True)
            sync.status = "NotSupported" if unsupported else "Complete"
            self._add_sync(sync)
            self._store.put("sync", sync.id, sync.dump())
        self._touch(now)

    def restore_sync(self, sync: Sync) -> None:
        """Take up a sync from the state file."""
        self._add_sync(sync)

    def _add_sync(self, sync: Sync) -> None:
        self.syncs[sync.id] = sync
        latest = self._latest.get(sync.data_type)
        if latest is None or latest.requested <= sync.requested:
            self._latest[sync.data_type] = sync
        if sync.ended:
            self._note_success(sync)
        else:
            self._timeline.add(sync.ends, lambda at: self._end_sync(sync, at))

    def _note_success(self, sync: Sync) -> None:
        before = self._succeeded.get(sync.data_type)
        if sync.status == "Complete" and (before is None or before.ends <= sync.ends):
            self._succeeded[sync.data_type] = sync

    def _end_sync(self, sync: Sync, at: datetime) -> None:
        if sync.id not in self.syncs:
            return
        sync.ended = True
        if sync.status == "Complete" and self.books is not None:
            sync.warnings = self.books.sync(sync.data_type, at)
            self._outdated[sync.data_type] = self._shelves.pop(sync.data_type, None)
            self._touch(at)
        self._note_success(sync)
        self._store.put("sync", sync.id, sync.dump())

    def _touch(self, at: datetime) -> None:
        self.details["lastSync"] = stamp(at)
        for connection in self.connections:
            if self.books is not None and connection["id"] == self.books.connection["id"]:
                connection["lastSync"] = stamp(at)
        self.save()

    def forget_books(self) -> None:
        """Drop the books with their connection: nothing can be read any more."""
        self.books = None
        self._store.drop_all(self.rows_kind)
        self._shelves.clear()
        self._latest.clear()
        self._succeeded.clear()

    # Writing

    def add_operation(self, operation: Operation) -> None:
        """Take an operation up and plan its steps."""
        self.operations[operation.key] = operation
        for at, step in operation.steps:
            self._timeline.add(at, lambda at, step=step: self._take_step(operation, step, at))  # type: ignore[misc]
        self._keep(operation)

    def _keep(self, operation: Operation) -> None:
        self._store.put("operation", operation.key, {"company": self.id, **operation.dump()})

    def _take_step(self, operation: Operation, step: str, at: datetime) -> None:
        operation.steps = [left for left in operation.steps if left[1] != step]
        if step == "time-out":
            operation.finish("TimedOut", 408, at, errorMessage="The push operation timed out.", changes=[])
        elif step == "fail":
            message = operation.message or "An error occurred in a downstream service."
            operation.finish("Failed", 400, at, errorMessage=message, changes=[])
        elif self.books is None:
            operation.finish("Failed", 400, at, errorMessage="The data connection was deleted.", changes=[])
        else:
            outcome = self._write(self.books, operation, at)
            if step != "land":
                _tell(operation, outcome, at, with_id=step == "complete")
        self._keep(operation)

    def _write(self, books: Books, operation: Operation, at: datetime) -> Written | Refused:
        work = operation.work
        try:
            outcome = work.carry_out(books, at)
        except ArithmeticError:  # only amounts no business has get here; the platform can't store them either
            item = {"itemId": "", "message": "An amount is out of range.", "validatorName": work.data_type}
            outcome = Refused(400, "An error occurred in a downstream service.", [item])
        except Exception:  # noqa: BLE001 (one bad write must not take every later request down with it)
            outcome = Refused(500, f"There is a problem with our server. {traceback.format_exc()}", [])
        if isinstance(outcome, Refused):
            return outcome
        changes = outcome.changes
        ids = [change["recordRef"].get("id") for change in changes]
        write = {
            "at": stamp(at),
            "companyId": self.id,
            "verb": work.verb,
            "dataType": work.data_type,
            "id": ids[0] if ids else work.record_id,
            "body": {name: value for name, value in work.body.items() if work.verb != "attach" or name != "data"},
            "changes": changes,
            "operationKey": operation.key,
        }
        self.writes.append(write)
        self._store.put("write", f"{self.id}:{len(self.writes):09d}", write)
        return outcome


def _tell(operation: Operation, outcome: Written | Refused, at: datetime, *, with_id: bool) -> None:
    facts: dict[str, Any] = {"validation": outcome.validation}
    if isinstance(outcome, Refused):
        operation.finish("Failed", outcome.status_code, at, changes=[], errorMessage=outcome.error_message, **facts)
    else:
        operation.finish("Success", 200, at, changes=outcome.changes if with_id else [], **facts)
