"""Learn what became of accepted documents, by listing push operations: about one request for very many of them."""

import datetime as dt
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

import anyio

from codat_ar_cli.codat.errors import (
    AccessForbidden,
    AccountLimited,
    CodatError,
    KeyRefused,
    PlaceGone,
    RateLimited,
    RecordNotFound,
)
from codat_ar_cli.domain.types import PushId, PushOperationKey
from codat_ar_cli.flows.workload import Workload

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from codat_ar_cli.domain.types import PushOperation

_FIRST_PAUSE = 0.5
_AFTER_NEWS = 2.0
_WHILE_SENDING = 8.0
"""Between looks while documents still go out: often enough to notice that all are refused, no oftener."""
_LONGEST_PAUSE = 30.0
_FAILURE_LIMIT = 5
"""So many looks in a row that fail, and Codat counts as unreachable."""
_CLOCK_MARGIN = dt.timedelta(minutes=30)
"""How far Codat's clock may be from ours before the walk back through its list would end too early."""
_PAGE = 100
_LARGEST_PAGE = 2000
"""Reference §3.2: what both of Codat's statements on page size allow."""
_STOPPING = (KeyRefused, AccountLimited, AccessForbidden, PlaceGone)


class Poller:
    """Watches the pending documents of one workload."""

    def __init__(self, work: Workload) -> None:
        self._work = work
        self._unseen: dict[PushOperationKey, int] = {}
        self._failures = 0

    async def follow(self, *, sent: anyio.Event, wait: dt.timedelta) -> None:
        """Look again and again until nothing is pending, `wait` after `sent` was set, or the run halts.

        With no wait at all there is one look, for what an earlier run left pending.
        """
        work = self._work
        if work.pending:
            await self.look()
        if not wait:
            return
        pause = _FIRST_PAUSE
        deadline: dt.datetime | None = None
        while not work.halted.is_set():
            if sent.is_set():
                deadline = deadline or work.clock() + wait
                if not work.pending or work.clock() >= deadline:
                    return
                await work.pause(_bounded(pause, deadline - work.clock()))
            elif await self._pause_while_sending(pause, sent):
                pause = _FIRST_PAUSE
                continue
            if work.pending and not work.halted.is_set():
                has_news = await self.look()
                pause = _next_pause(pause, has_news=has_news, is_sending=not sent.is_set())

    async def _pause_while_sending(self, pause: float, sent: anyio.Event) -> bool:
        """Pause, but no longer than until the last document is out; tells whether it is.

        The long pause is to leave requests to the sender: once it is done, a small run should not wait for it.
        """
        async with anyio.create_task_group() as race:

            async def wake() -> None:
                await sent.wait()
                race.cancel_scope.cancel()

            race.start_soon(wake)
            await self._work.pause(pause)
            race.cancel_scope.cancel()
        return sent.is_set()

    async def look(self) -> bool:
        """List operations once, newest first, as far back as needed; tell whether anything has moved."""
        work = self._work
        before = len(work.pending)
        await work.gate()
        try:
            async with work.slots:
                missing = await self._list(dict(work.pending))
            for key in self._long_unseen(missing):
                await self._read_one(key, missing[key])
        except CodatError as error:
            self._failed(error)
            return False
        self._failures = 0
        work.answered()
        return len(work.pending) < before

    async def read_doubts(self, doubts: dict[PushOperationKey, PushId]) -> None:
        """Read again the operations of documents in doubt: what was TimedOut may have ended since."""
        for key, push_id in doubts.items():
            if self._work.halted.is_set():
                return
            try:
                await self._read_one(key, push_id)
            except CodatError as error:
                self._failed(error)

    async def _list(self, wanted: dict[PushOperationKey, PushId]) -> dict[PushOperationKey, PushId]:
        """Walk the list until every wanted key was met or its time is passed; give the ones not met."""
        work = self._work
        oldest = min((work.asked_at[key] for key in wanted), default=work.clock()) - _CLOCK_MARGIN
        size = min(_LARGEST_PAGE, max(_PAGE, len(wanted) * 5 // 4))
        missing = dict(wanted)
        listing = cast(
            "AsyncGenerator[PushOperation]",
            work.client.push_operations(work.company, order_by="-requestedOnUtc", page_size=size),
        )
        async with aclosing(listing) as operations:
            async for operation in operations:
                push_id = missing.pop(operation.key, None)
                if push_id is not None:
                    self._unseen.pop(operation.key, None)
                    if operation.key in work.pending:
                        work.note(push_id, operation, asked_at=work.asked_at[operation.key])
                # An operation whose time is unset counts as inside (design D10).
                if not missing or (operation.requested_at is not None and operation.requested_at < oldest):
                    break
        return missing

    def _long_unseen(self, missing: dict[PushOperationKey, PushId]) -> list[PushOperationKey]:
        for key in missing:
            self._unseen[key] = self._unseen.get(key, 0) + 1
        return [key for key in missing if self._unseen[key] >= 2]

    async def _read_one(self, key: PushOperationKey, push_id: PushId) -> None:
        work = self._work
        await work.gate()
        try:
            async with work.slots:
                operation = await work.client.push_operation(work.company, key)
        except PlaceGone:
            raise
        except RecordNotFound:
            return
        work.note(push_id, operation, asked_at=work.asked_at.get(key) or work.clock())

    def _failed(self, error: CodatError) -> None:
        work = self._work
        self._failures += 1
        if isinstance(error, RateLimited):
            work.hold_all(error.retry_after or _AFTER_NEWS, error)
        elif isinstance(error, _STOPPING) or self._failures >= _FAILURE_LIMIT:
            work.stop(error)


def _next_pause(pause: float, *, has_news: bool, is_sending: bool) -> float:
    if is_sending:
        return _WHILE_SENDING if has_news else min(_WHILE_SENDING, pause * 1.6)
    return _AFTER_NEWS if has_news else min(_LONGEST_PAUSE, pause * 1.6)


def _bounded(pause: float, left: dt.timedelta) -> float:
    """Never sleep past the deadline."""
    return min(pause, max(left.total_seconds(), 0.0))
