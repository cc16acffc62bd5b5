"""The process dies at every point where something has an effect; run again, each document exists exactly once.

A point is just before or after a commit of the ledger, a request about to leave, or an answer on its way. The
server is an in-memory Codat that keeps its idempotency rules; what it holds is the truth. Each guard is also
switched off, to see these tests go red without it.
"""

import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pushworld import COMPANY, CONNECTION, HOST, FakeClient, Fault, World, bodies_of, document, failing, header, plan_of

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.lifecycle import Event, State
from codat_ar_cli.domain.planned import Disposition, PlannedDocument
from codat_ar_cli.domain.pushes import NO_FACTS, Facts
from codat_ar_cli.domain.types import DataType, PushId
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.flows.execute import RunOutcome
from codat_ar_cli.flows.workload import Workload
from codat_ar_cli.ledger.store import Ledger

pytestmark = pytest.mark.anyio

WANTED = (
    ("INV-1", DataType.INVOICES),
    ("INV-2", DataType.INVOICES),
    ("CN-1", DataType.CREDIT_NOTES),
    ("PMT-1", DataType.PAYMENTS),
)
DISPOSITIONS = {
    State.SUCCEEDED: Disposition.DONE,
    State.SENDING: Disposition.UNDER_WAY,
    State.PENDING: Disposition.UNDER_WAY,
    State.IN_DOUBT: Disposition.UNDER_WAY,
}


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class CrashAfter:
    """Ends the process at its nth effect, and at every later one: the dead do nothing more."""

    def __init__(self, n: int) -> None:
        self._left = n
        self.passed: list[str] = []

    def __call__(self, effect: str) -> None:
        self._left -= 1
        if self._left <= 0:
            raise Crash(effect)
        self.passed.append(effect)


def documents() -> list[PlannedDocument]:
    return [document(name, data_type=kind) for name, kind in WANTED]


def plan_what_is_left(ledger: Ledger) -> list[PlannedDocument]:
    """Plan as the planner does: by what the ledger knows."""
    planned = []
    for name, kind in WANTED:
        known = ledger.known(
            api_host=HOST,
            company=COMPANY,
            connection=CONNECTION,
            data_type=kind,
            source_system="file",
            source_ids=[name],
        ).get(name)
        disposition = DISPOSITIONS.get(known.state, Disposition.SEND) if known else Disposition.SEND
        planned.append(document(name, data_type=kind, disposition=disposition))
    return planned


async def run_command(world: World, crash: CrashAfter) -> RunOutcome:
    """Run the whole command once, as a new process would."""
    world.client = client_of(world, crash)
    with world.open(crash) as ledger:
        run_id = ledger.begin_run(header())
        ledger.record_plan(run_id, plan_of(*plan_what_is_left(ledger)))
        return await world.execute(ledger, run_id)


def client_of(world: World, crash: CrashAfter) -> FakeClient:
    client = type(world.client)(world.server, on_effect=crash)
    client.faults, client.sent = world.client.faults, world.client.sent
    return client


async def run_until_done(world: World, *crashes: int, minutes_between: float = 0) -> RunOutcome:
    """Crash at these effects, one process each; then run without a crash."""
    for n in crashes:
        try:
            await run_command(world, CrashAfter(n))
        except Crash:
            world.time.pass_by(minutes=minutes_between)
    return await run_command(world, CrashAfter(1_000_000))


async def count_effects(folder: Path) -> int:
    crash = CrashAfter(1_000_000)
    await run_command(World(folder), crash)
    return len(crash.passed)


def fresh(tmp_path: Path) -> World:
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    return World(folder)


def assert_exactly_once(world: World, outcome: RunOutcome) -> None:
    assert world.bodies() == bodies_of(documents())
    assert outcome.counts[State.SUCCEEDED] == len(WANTED)
    assert outcome.exit_code is ExitCode.DONE
    ids = {one.body: one.id for one in world.server.records}
    with world.open() as ledger:
        pushes = [ledger.push(push.id) for push in outcome.pushes]
        assert {push.body: push.record_id for push in pushes} == ids
        assert ledger.chain_breaks() == []
        assert ledger.unfinished(api_host=HOST, company=COMPANY, connection=CONNECTION) == []


async def test_a_crash_at_any_effect_leaves_each_document_exactly_once(tmp_path: Path) -> None:
    effects = await count_effects(tmp_path)
    assert effects >= 8 * len(WANTED)
    for n in range(1, effects + 1):
        world = fresh(tmp_path)
        assert_exactly_once(world, await run_until_done(world, n))


async def test_two_crashes_leave_each_document_exactly_once(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    effects = await count_effects(tmp_path)
    pairs = [(n, m) for n in range(1, effects + 1) for m in range(1, effects + 1)]
    seed = 20261122
    for pair in pairs if request.config.getoption("--full") else random.Random(seed).sample(pairs, 30):
        world = fresh(tmp_path)
        assert_exactly_once(world, await run_until_done(world, *pair))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("after", failing(errors.AnswerLost)),
        Fault("before", failing(errors.AnswerLost)),
        Fault("before", failing(errors.NotSent)),
        Fault("before", failing(errors.RateLimited, 429, retry_after=2.0)),
        Fault("after", failing(errors.KeyInProgress, 409)),
    ],
    ids=lambda fault: f"{type(fault.error).__name__}-{fault.where}",
)
async def test_a_crash_on_a_bad_network_leaves_each_document_exactly_once(tmp_path: Path, fault: Fault) -> None:
    effects = await count_effects(tmp_path)
    for n in range(1, effects + 1, 2):
        world = fresh(tmp_path)
        world.client.faults.extend([fault, None, fault, fault])
        assert_exactly_once(world, await run_until_done(world, n))


async def test_a_run_that_is_killed_over_and_over_still_ends(tmp_path: Path) -> None:
    """Each process gets a dozen effects further than its start; every finding is committed at once."""
    world = fresh(tmp_path)
    assert_exactly_once(world, await run_until_done(world, *([12] * 30)))
    with world.open() as ledger:
        assert len(ledger.runs(limit=100)) > 1


async def test_a_crash_and_a_long_absence_write_nothing_twice_and_say_what_is_in_doubt(tmp_path: Path) -> None:
    effects = await count_effects(tmp_path)
    doubts = 0
    for n in range(1, effects + 1):
        world = fresh(tmp_path)
        outcome = await run_until_done(world, n, minutes_between=100)
        assert len(world.bodies()) == len(set(world.bodies()))
        missing = set(bodies_of(documents())) - set(world.bodies())
        in_doubt = {push.body for push in outcome.pushes if push.state is State.IN_DOUBT}
        assert missing <= in_doubt
        assert outcome.counts[State.SUCCEEDED] + len(in_doubt) == len(WANTED)
        doubts += len(in_doubt)
    assert doubts > 0


# --- the tests above go red without the guards --------------------------------------------------------------------


class FreshKeys(FakeClient):
    """A product that makes a new key for every attempt."""

    async def push(self, *args: Any, **more: Any):
        return await super().push(*args, **{**more, "idempotency_key": str(uuid.uuid4())})


async def duplicates(tmp_path: Path, *, minutes_between: float, mutate: Callable[[World], None]) -> int:
    found = 0
    for n in range(1, await count_effects(tmp_path) + 1):
        world = fresh(tmp_path)
        mutate(world)
        await run_until_done(world, n, minutes_between=minutes_between)
        found += len(world.bodies()) - len(set(world.bodies()))
    return found


def with_fresh_keys(world: World) -> None:
    world.client = FreshKeys(world.server)


async def test_without_one_key_for_ever_there_are_duplicates(tmp_path: Path) -> None:
    assert await duplicates(tmp_path, minutes_between=0, mutate=with_fresh_keys) > 0


async def test_without_the_window_there_are_duplicates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codat_ar_cli.flows.sending.why_not_resend", lambda *_: None)
    assert await duplicates(tmp_path, minutes_between=100, mutate=lambda _: None) > 0


async def test_without_a_commit_before_the_request_there_are_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, late = Workload.move, set[PushId]()

    def move(work: Workload, push_id: PushId, event: Event, facts: Facts = NO_FACTS, **more: Any) -> State:
        if event is Event.SEND:
            late.add(push_id)
            return State.SENDING
        if push_id in late:
            late.remove(push_id)
            plain(work, push_id, Event.SEND)
        return plain(work, push_id, event, facts, **more)

    monkeypatch.setattr(Workload, "move", move)
    assert await duplicates(tmp_path, minutes_between=100, mutate=lambda _: late.clear()) > 0


async def test_with_all_guards_the_same_measure_finds_none(tmp_path: Path) -> None:
    for minutes in (0, 100):
        assert await duplicates(tmp_path, minutes_between=minutes, mutate=lambda _: None) == 0


async def test_two_ledgers_that_send_the_same_bytes_make_one_record(tmp_path: Path) -> None:
    first, second = fresh(tmp_path), fresh(tmp_path)
    second.time, second.server = first.time, first.server
    second.client = FakeClient(first.server)
    for world in (first, second):
        world.time.pass_by(minutes=1)
        assert_exactly_once(world, await run_command(world, CrashAfter(1_000_000)))
