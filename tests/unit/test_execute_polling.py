"""What becomes of documents that Codat has accepted."""

import datetime as dt
from pathlib import Path

import pytest
from pushworld import Fault, World, document, failing

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.lifecycle import Cause, State
from codat_ar_cli.domain.types import PushOperationKey, PushStatus
from codat_ar_cli.errors import ExitCode

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def reads(world: World, kind: str) -> int:
    return world.client.requests.count(f"GET {kind}")


async def test_a_failed_operation_is_rejected_with_its_reason_in_words(world: World) -> None:
    world.server.verdict = lambda _: (PushStatus.FAILED, "must not be longer than 10 characters long.")
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    (push,) = outcome.pushes
    assert (push.state, push.cause_code) == (State.REJECTED, Cause.OPERATION_FAILED)
    assert push.cause_text == "NominalCode: must not be longer than 10 characters long."
    assert (push.correlation_id, push.http_status) == ("abc-1", 400)
    assert outcome.exit_code is ExitCode.FINDINGS


@pytest.mark.parametrize(
    ("status", "names_records", "cause"),
    [(PushStatus.TIMED_OUT, True, Cause.TIMED_OUT), (PushStatus.SUCCESS, False, Cause.NO_RECORD_ID)],
)
async def test_timed_out_and_success_without_a_record_are_in_doubt(
    world: World, status: PushStatus, names_records: bool, cause: Cause
) -> None:
    world.server.verdict = lambda _: (status, None)
    world.server.names_records = names_records
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    (push,) = outcome.pushes
    assert (push.state, push.cause_code) == (State.IN_DOUBT, cause)
    assert push.operation_key is not None
    assert outcome.exit_code is ExitCode.IN_DOUBT


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (PushStatus.SUCCESS, State.SUCCEEDED),
        (PushStatus.FAILED, State.REJECTED),
        (PushStatus.TIMED_OUT, State.IN_DOUBT),
        (PushStatus.PENDING, State.PENDING),
    ],
)
async def test_doubt_about_a_known_operation_is_settled_by_reading_it_again(
    world: World, later: PushStatus, state: State
) -> None:
    world.server.verdict = lambda _: (PushStatus.TIMED_OUT, None)
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        world.time.pass_by(days=2)
        world.server.verdict = lambda _: (later, "no")
        (record,) = [body for _, body in world.client.sent]
        if later is PushStatus.SUCCESS:
            from pushworld import Written

            world.server.records.append(Written("invoices", record, "late-1"))
        outcome = await world.execute(ledger, None, minutes=0)
    assert outcome.counts[state] == 1
    assert len(world.client.sent) == 1
    if later is PushStatus.SUCCESS:
        assert outcome.pushes[0].record_id == "late-1"


async def test_what_does_not_finish_in_time_stays_pending_and_the_next_run_picks_it_up(world: World) -> None:
    world.server.settles_after = 3600
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        began = world.time()
        outcome = await world.execute(ledger, run_id, minutes=10)
        assert outcome.counts[State.PENDING] == 1
        assert outcome.exit_code is ExitCode.UNFINISHED
        assert dt.timedelta(minutes=10) <= world.time() - began < dt.timedelta(minutes=11)
        assert reads(world, "list") < 35
        world.time.pass_by(hours=1)
        after = await world.execute(ledger, run_id, minutes=0)
    assert after.counts[State.SUCCEEDED] == 1
    assert len(world.client.sent) == 1


async def test_no_wait_looks_once_for_the_pending_of_before_and_not_for_new_ones(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        outcome = await world.execute(ledger, run_id, minutes=0)
        assert outcome.counts[State.PENDING] == 1
        assert reads(world, "list") == 0
        world.time.pass_by(minutes=1)
        outcome = await world.execute(ledger, run_id, minutes=0)
    assert outcome.counts[State.SUCCEEDED] == 1
    assert reads(world, "list") == 1


async def test_an_operation_missing_from_two_listings_is_read_by_itself(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"), document("INV-2"))
        await world.execute(ledger, run_id, minutes=0)
        world.client.unlisted.add(next(iter(world.server.operations)))
        outcome = await world.execute(ledger, run_id)
    assert outcome.counts[State.SUCCEEDED] == 2
    assert reads(world, "one") >= 1


async def test_an_operation_that_codat_no_longer_knows_stays_pending(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        await world.execute(ledger, run_id, minutes=0)
        world.server.operations.clear()
        outcome = await world.execute(ledger, run_id, minutes=1)
    assert outcome.counts[State.PENDING] == 1
    assert outcome.stopped_by is None


async def test_the_walk_ends_where_our_operations_began(world: World) -> None:
    stranger = document("OLD").identity
    with world.open() as ledger:
        for number in range(500):
            world.server.post(stranger.connection, stranger.data_type, f"body {number}", f"key {number}")
        world.time.pass_by(days=1)
        run_id = world.plan(ledger, document("INV-1"))
        await world.execute(ledger, run_id, minutes=0)
        world.client.unlisted.add(list(world.server.operations)[-1])
        world.client.requests.clear()
        await world.execute(ledger, run_id, minutes=0)
    assert reads(world, "list") == 1


@pytest.mark.parametrize("kind", [errors.CodatFault, errors.AnswerLost, errors.NotSent, errors.WireError])
async def test_a_listing_that_fails_now_and_then_is_tried_again(world: World, kind: type[errors.CodatError]) -> None:
    world.client.read_faults.extend([failing(kind), failing(kind), None, failing(kind)])
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts[State.SUCCEEDED] == 1
    assert outcome.exit_code is ExitCode.DONE


async def test_listings_that_keep_failing_stop_the_run_and_keep_the_documents_pending(world: World) -> None:
    world.client.read_faults.extend([failing(errors.CodatFault, 500) for _ in range(100)])
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts[State.PENDING] == 1
    assert outcome.exit_code is ExitCode.TRY_LATER
    assert reads(world, "list") == 5


async def test_a_key_refused_while_looking_stops_the_run(world: World) -> None:
    world.client.read_faults.append(failing(errors.KeyRefused, 401))
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts[State.PENDING] == 1
    assert outcome.exit_code is ExitCode.KEY_REFUSED


async def test_a_limit_met_while_looking_is_waited_for(world: World) -> None:
    world.client.read_faults.append(failing(errors.RateLimited, 429, retry_after=45.0))
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts[State.SUCCEEDED] == 1


async def test_documents_of_earlier_runs_are_finished_and_counted_apart(world: World) -> None:
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")), minutes=0)
        world.time.pass_by(minutes=1)
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-2")))
    assert outcome.counts[State.SUCCEEDED] == 1
    assert sum(outcome.counts.values()) == 1
    assert outcome.resumed == {State.SUCCEEDED: 1}
    assert len(outcome.pushes) == 2


async def test_an_operation_key_is_kept_even_where_the_outcome_is_doubtful(world: World) -> None:
    world.server.settles_after = 0
    world.server.verdict = lambda _: (PushStatus.TIMED_OUT, None)
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.pushes[0].operation_key == PushOperationKey(next(iter(world.server.operations)))


async def test_a_small_run_does_not_sit_out_the_long_pause_between_looks(world: World) -> None:
    world.server.settles_after = 0.1
    lost = Fault("after", failing(errors.AnswerLost))
    world.client.faults.extend([lost, None, lost])  # one document goes out at the third attempt only
    with world.open() as ledger:
        started = world.time.now
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1"), document("INV-2")))
    assert outcome.counts[State.SUCCEEDED] == 2
    assert world.time.now - started < dt.timedelta(seconds=4)
