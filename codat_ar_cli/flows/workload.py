"""The state that one run's sender and poller share: what stands where, who must pause, whether to go on."""

import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from codat_ar_cli.domain.lifecycle import Event, State
from codat_ar_cli.domain.pushes import NO_FACTS, Facts, Push
from codat_ar_cli.domain.types import CompanyId, PushId, PushOperation, PushOperationKey, RunId
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.flows.news import SETTLED_BY, news_of, shape_of
from codat_ar_cli.ledger.store import Ledger

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient

Clock = Callable[[], dt.datetime]
Sleep = Callable[[float], Awaitable[object]]

IN_FLIGHT = 10
"""Requests at once per company (reference §1.3)."""
SAME_CAUSE_LIMIT = 20
"""So many refusals of one cause, and nothing else, stop a run: the fault is not in the documents."""
LEAST_PATIENCE = dt.timedelta(minutes=1)
"""A pause that Codat asks for is kept at least this long, even with `--wait 0`."""


class SameCause(CodatArError):
    """Every document so far was refused for one same cause; the rest was not sent."""

    code = "push.same-cause"
    exit_code = ExitCode.FINDINGS

    def __init__(self, number: int, cause: str) -> None:
        super().__init__(
            f"the first {number} answers were all the same refusal, so sending was stopped: {cause}",
            hint="correct the cause (often the mapping), then run the same command again",
            details={"refused": number, "cause": cause},
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    total: int
    """Documents it has work with."""
    counts: dict[State, int]
    """Where they stand; sums to `total`."""


class Workload:
    """One run's documents, its brakes, and the only way by which it moves them in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        client: "CodatClient",
        *,
        company: CompanyId,
        run_id: RunId | None,
        patience: dt.timedelta,
        clock: Clock,
        sleep: Sleep,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.ledger = ledger
        self.client = client
        self.company = company
        self.clock = clock
        self.states: dict[PushId, State] = {}
        self.pending: dict[PushOperationKey, PushId] = {}
        self.asked_at: dict[PushOperationKey, dt.datetime] = {}
        """When each pending operation was asked for, by our clock."""
        self.slots = anyio.Semaphore(IN_FLIGHT)
        self.halted = anyio.Event()
        """Set: finish what is in flight, begin nothing, wait for nothing."""
        self.stopped_by: CodatArError | None = None
        self.defects: list[CodatArError] = []
        self._run_id = run_id
        self.patience = max(patience, LEAST_PATIENCE)
        self._sleep = sleep
        self._on_progress = on_progress
        self._counts: Counter[State] = Counter()
        self._is_sending = True
        self._pause_until: dt.datetime | None = None
        self._paused = dt.timedelta(0)
        self._refusals: Counter[str] | None = Counter()

    @property
    def takes_new(self) -> bool:
        """Whether another document may be begun."""
        return self._is_sending and not self.halted.is_set()

    def add(self, push: Push) -> None:
        """Take a document on."""
        self.states[push.id] = push.state
        self._counts[push.state] += 1
        if push.state is State.PENDING and push.operation_key:
            self.pending[push.operation_key] = push.id
            self.asked_at[push.operation_key] = push.first_sent_at or push.updated_at

    def move(self, push_id: PushId, event: Event, facts: Facts = NO_FACTS, *, renew_key: bool = False) -> State:
        """Commit one move, then tell the progress."""
        before = self.states[push_id]
        after = self.ledger.move(push_id, event, facts, run_id=self._run_id, renew_key=renew_key)
        self.states[push_id] = after
        if after is not before:
            self._counts -= Counter({before: 1})
            self._counts[after] += 1
            self.tell()
        if event is Event.SUCCEED:
            self._refusals = None
        elif event is Event.REJECT:
            self._note_refusal(facts.cause_text or "")
        return after

    def tell(self) -> None:
        """Report how far we are."""
        self._on_progress(Progress(len(self.states), {state: n for state, n in self._counts.items() if n}))

    def note(self, push_id: PushId, operation: PushOperation, *, asked_at: dt.datetime) -> None:
        """Take in what Codat says of a document's push operation."""
        event, facts = news_of(operation)
        state = self.states[push_id]
        if state is State.IN_DOUBT:
            settled = SETTLED_BY.get(event)
            if settled is None:
                return
            event = settled
        elif state is State.PENDING and event is Event.ACCEPT:
            return
        if self.move(push_id, event, facts) is State.PENDING:
            self.pending[operation.key] = push_id
            self.asked_at[operation.key] = asked_at
        else:
            self.pending.pop(operation.key, None)
            self.asked_at.pop(operation.key, None)

    def stop(self, error: CodatArError) -> None:
        """End the run for a reason that is no document's fault; the first reason is the one told."""
        self.stopped_by = self.stopped_by or error
        self.halted.set()

    def answered(self) -> None:
        """Note that Codat took a request, so that its next limit is a new one."""
        self._paused = dt.timedelta(0)

    async def pause(self, seconds: float) -> None:
        """Sleep, but wake at once when the run is halted."""
        if seconds <= 0 or self.halted.is_set():
            return
        async with anyio.create_task_group() as group:

            async def wake() -> None:
                await self.halted.wait()
                group.cancel_scope.cancel()

            group.start_soon(wake)
            await self._sleep(seconds)
            group.cancel_scope.cancel()

    def hold_all(self, seconds: float, error: CodatArError) -> None:
        """Make every request wait so long, as a 429 asks; where that is longer than our patience, stop the run."""
        now = self.clock()
        # Codat may name any number of seconds, a week or more than a calendar holds.
        until = now + dt.timedelta(seconds=min(max(seconds, 0.0), 1e9))
        standing = max(self._pause_until or now, now)
        self._paused += max(until - standing, dt.timedelta(0))
        if self._paused > self.patience:
            self.stop(error)
        else:
            self._pause_until = max(standing, until)

    async def gate(self) -> None:
        """Wait out the pause that all requests share."""
        while not self.halted.is_set() and self._pause_until is not None:
            left = (self._pause_until - self.clock()).total_seconds()
            if left <= 0:
                self._pause_until = None
            else:
                await self.pause(left)

    def _note_refusal(self, cause: str) -> None:
        if self._refusals is None:
            return
        self._refusals[shape_of(cause)] += 1
        if len(self._refusals) > 1:
            self._refusals = None
        elif self._refusals.total() >= SAME_CAUSE_LIMIT and self.takes_new:
            self._is_sending = False
            self.stopped_by = self.stopped_by or SameCause(self._refusals.total(), cause)
