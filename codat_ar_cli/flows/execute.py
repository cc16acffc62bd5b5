"""Plan → ledger → push → outcome. Running, resuming and retrying are this one loop (design D10, D11)."""

import datetime as dt
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from codat_ar_cli.domain.lifecycle import END_STATES, Cause, Event, State
from codat_ar_cli.domain.pushes import Facts, Push
from codat_ar_cli.domain.types import CompanyId, ConnectionId, DataType, PushId, RunId
from codat_ar_cli.errors import CodatArError, ExitCode, most_urgent
from codat_ar_cli.flows.polling import Poller
from codat_ar_cli.flows.sending import Sender
from codat_ar_cli.flows.workload import IN_FLIGHT, Clock, Progress, Sleep, Workload
from codat_ar_cli.ledger.store import Ledger

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient

__all__ = ["Progress", "RunOutcome", "codes_of", "execute"]

GRACE_SECONDS = 30.0
"""How long a stopped run waits for the requests in flight."""

_WAVES: tuple[frozenset[DataType], ...] = (
    frozenset({DataType.ACCOUNTS, DataType.BANK_ACCOUNTS, DataType.CUSTOMERS, DataType.SUPPLIERS}),
    frozenset({DataType.ITEMS}),
    frozenset({DataType.INVOICES, DataType.CREDIT_NOTES}),
    frozenset({DataType.PAYMENTS}),
)
"""What must be sent before what (reference §11); types not named come last."""

_CODES: dict[State, ExitCode] = {
    State.REJECTED: ExitCode.FINDINGS,
    State.HELD: ExitCode.FINDINGS,
    State.IN_DOUBT: ExitCode.IN_DOUBT,
    State.PENDING: ExitCode.UNFINISHED,
    State.PLANNED: ExitCode.UNFINISHED,
}


def codes_of(states: Iterable[State]) -> list[ExitCode]:
    """Give the exit codes that documents in these states call for; none for what is done."""
    return [_CODES[state] for state in states if state in _CODES]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended."""

    counts: dict[State, int]
    """This run's documents by their six end states, all six named; without a run, those that it worked on."""
    resumed: dict[State, int]
    """Documents of earlier runs that this one worked on, by where they stand now; only states that occur."""
    pushes: tuple[Push, ...]
    """This run's documents in file order, then the resumed ones."""
    exit_code: ExitCode
    stopped_by: CodatArError | None
    """Why it did not send everything, where that is no single document's fault."""
    was_interrupted: bool
    """It was told to stop from outside; the caller knows by which signal."""


async def execute(
    ledger: Ledger,
    client: "CodatClient",
    *,
    api_host: str,
    company: CompanyId,
    connection: ConnectionId,
    run_id: RunId | None,
    wait: dt.timedelta,
    clock: Clock,
    sleep: Sleep,
    on_progress: Callable[[Progress], None],
    stop: anyio.Event | None = None,
    send_planned: bool = True,
) -> RunOutcome:
    """Finish what earlier runs of this connection left, send what is planned, and learn the outcomes.

    The caller holds the company (`ledger.lease.hold_company`) and has recorded the plan. wait: how long to wait
    for outcomes after the last document was sent, and at most for one of Codat's limits to pass. stop: when
    set, nothing new is begun and requests in flight get half a minute. send_planned: False leaves alone what was
    never sent, and only learns what became of the rest. With a run id, the run is ended in the
    ledger too. A document that meets a problem is in the outcome; raised are only LedgerError and defects.
    """
    work = Workload(
        ledger, client, company=company, run_id=run_id, patience=wait, clock=clock, sleep=sleep, on_progress=on_progress
    )
    unfinished = [
        push
        for push in ledger.unfinished(api_host=api_host, company=company, connection=connection)
        if send_planned or push.state is not State.PLANNED
    ]
    for push in unfinished:
        work.add(push)
    work.tell()
    with _plain_errors():
        await _run(work, unfinished, wait=wait, sleep=sleep, stop=stop or anyio.Event())
    _doubt_what_was_cut_off(work)
    outcome = _outcome(work, run_id, was_interrupted=stop is not None and stop.is_set())
    if run_id is not None:
        ledger.end_run(run_id, outcome.exit_code, outcome.counts)
    return outcome


def _doubt_what_was_cut_off(work: Workload) -> None:
    for push_id, state in list(work.states.items()):
        if state is State.SENDING:
            work.move(push_id, Event.DOUBT, Facts(cause_code=Cause.ANSWER_LOST, cause_text=_CUT_OFF))


_CUT_OFF = "the run was stopped before the answer came; running again soon asks again under the same key"


async def _run(work: Workload, unfinished: list[Push], *, wait: dt.timedelta, sleep: Sleep, stop: anyio.Event) -> None:
    poller, sender, sent = Poller(work), Sender(work), anyio.Event()
    async with anyio.create_task_group() as group:

        async def heed_stop() -> None:
            await stop.wait()
            work.halted.set()
            await sleep(GRACE_SECONDS)
            group.cancel_scope.cancel()

        group.start_soon(heed_stop)
        async with anyio.create_task_group() as both:
            both.start_soon(_follow, poller, sent, wait)
            await _settle(work, poller, unfinished)
            await _send_waves(work, sender, unfinished)
            sent.set()
        group.cancel_scope.cancel()


async def _follow(poller: Poller, sent: anyio.Event, wait: dt.timedelta) -> None:
    await poller.follow(sent=sent, wait=wait)


async def _settle(work: Workload, poller: Poller, unfinished: Iterable[Push]) -> None:
    """Ask after documents in doubt whose operation is known; and learn Codat's time before keys are used again."""
    await poller.read_doubts(
        {push.operation_key: push.id for push in unfinished if push.state is State.IN_DOUBT and push.operation_key}
    )
    if any(_is_repeat(push) for push in unfinished) and work.client.server_time is None:
        await poller.look()


async def _send_waves(work: Workload, sender: Sender, unfinished: Iterable[Push]) -> None:
    """Send repeats first, then what is planned; a wave begins when the one before it was answered."""
    todo = [push for push in unfinished if push.state is State.PLANNED or _is_repeat(push)]
    todo.sort(key=lambda push: (_wave_of(push), not _is_repeat(push)))
    for wave in range(len(_WAVES) + 1):
        queue = deque(push.id for push in todo if _wave_of(push) == wave)

        async def work_off(queue: deque[PushId] = queue) -> None:
            while queue and work.takes_new:
                await sender.send(queue.popleft())

        async with anyio.create_task_group() as group:
            for _ in range(min(IN_FLIGHT, len(queue))):
                group.start_soon(work_off)


def _is_repeat(push: Push) -> bool:
    """Tell whether it was sent before and only asking again under the same key can settle it."""
    return push.state is State.SENDING or (push.state is State.IN_DOUBT and push.cause_code == Cause.ANSWER_LOST)


def _wave_of(push: Push) -> int:
    return next((i for i, types in enumerate(_WAVES) if push.identity.data_type in types), len(_WAVES))


def _outcome(work: Workload, run_id: RunId | None, *, was_interrupted: bool) -> RunOutcome:
    items = [] if run_id is None else work.ledger.items(run_id)
    own = {item.push.id: item.push for item in items}
    others = [work.ledger.push(push_id) for push_id in work.states if push_id not in own]
    resumed = Counter(push.state for push in others)
    counts = resumed if run_id is None else Counter(item.state for item in items)
    codes = codes_of([*counts, *resumed])
    if work.stopped_by is not None:
        codes.append(work.stopped_by.exit_code)
    codes.extend(defect.exit_code for defect in work.defects)
    return RunOutcome(
        counts={state: counts[state] for state in END_STATES},
        resumed={} if run_id is None else dict(resumed),
        pushes=(*own.values(), *others),
        exit_code=most_urgent(codes),
        stopped_by=work.stopped_by or (work.defects[0] if work.defects else None),
        was_interrupted=was_interrupted,
    )


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise one of the errors that tasks ended in, not the group that holds them."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
