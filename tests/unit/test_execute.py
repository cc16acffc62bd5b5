"""What the engine does with each way a request can end (the event table of design D10)."""

import datetime as dt
from pathlib import Path

import anyio
import pytest
from pushworld import Fault, World, bodies_of, document, failing

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.lifecycle import Cause, Event, State
from codat_ar_cli.domain.planned import Disposition, PlannedDocument
from codat_ar_cli.domain.types import DataType, PushStatus
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.flows.workload import SAME_CAUSE_LIMIT
from codat_ar_cli.ledger.errors import LedgerDamaged

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def invoices(number: int) -> list[PlannedDocument]:
    return [document(f"INV-{index:03}") for index in range(number)]


def of(*present: tuple[State, int]) -> dict[State, int]:
    order = (State.SUCCEEDED, State.REJECTED, State.HELD, State.IN_DOUBT, State.PENDING, State.PLANNED)
    return {state: dict(present).get(state, 0) for state in order}


# --- the ordinary road -------------------------------------------------------------------------------------------


async def test_everything_planned_is_written_once_and_its_record_known(world: World) -> None:
    documents = invoices(60)
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *documents))
        assert ledger.chain_breaks() == []
    assert outcome.counts == of((State.SUCCEEDED, 60))
    assert outcome.exit_code is ExitCode.DONE
    assert world.bodies() == bodies_of(documents)
    assert all(push.record_id for push in outcome.pushes)
    assert world.client.most_in_flight == 10


async def test_outcomes_are_learned_by_listing_not_by_asking_for_each(world: World) -> None:
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, *invoices(200)))
    reads = [request for request in world.client.requests if request.startswith("GET")]
    assert "GET one" not in reads
    assert len(reads) <= 8


async def test_the_same_documents_again_send_nothing(world: World) -> None:
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        requests = len(world.client.requests)
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1", disposition=Disposition.DONE)))
    assert len(world.client.requests) == requests
    assert (outcome.counts, outcome.exit_code) == (of((State.SUCCEEDED, 1)), ExitCode.DONE)


async def test_held_documents_are_not_sent_and_give_the_exit_code_of_findings(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"), document("INV-2", disposition=Disposition.HELD))
        outcome = await world.execute(ledger, run_id)
        run = ledger.run(run_id)
    assert outcome.counts == of((State.SUCCEEDED, 1), (State.HELD, 1))
    assert (outcome.exit_code, run.exit_code, run.ended_counts) == (ExitCode.FINDINGS, 3, outcome.counts)
    assert len(world.server.records) == 1


async def test_a_changed_version_of_a_done_document_counts_as_held(world: World) -> None:
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        changed = document("INV-1", content="changed", disposition=Disposition.HELD)
        outcome = await world.execute(ledger, world.plan(ledger, changed))
    assert (outcome.counts, outcome.exit_code) == (of((State.HELD, 1)), ExitCode.FINDINGS)


async def test_what_earlier_runs_left_in_doubt_counts_for_the_exit_code_of_the_next(world: World) -> None:
    world.client.faults.append(Fault("answer", failing(errors.CodatFault, 500)))
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-2")))
    assert outcome.counts == of((State.SUCCEEDED, 1))
    assert outcome.resumed == {State.IN_DOUBT: 1}
    assert outcome.exit_code is ExitCode.IN_DOUBT


async def test_invoices_go_before_payments(world: World) -> None:
    with world.open() as ledger:
        payments = [document(f"PMT-{index}", data_type=DataType.PAYMENTS) for index in range(12)]
        await world.execute(ledger, world.plan(ledger, *payments, *invoices(12)))
    posts = [request for request in world.client.requests if request.startswith("POST")]
    assert posts == ["POST invoices"] * 12 + ["POST payments"] * 12


async def test_the_ledger_says_sending_before_the_request_leaves(world: World) -> None:
    seen: list[tuple[State, dt.datetime | None]] = []
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))

        def look() -> None:
            with world.open() as other:
                seen.extend((push.state, push.first_sent_at) for push in other.pushes(run_id))

        world.client.on_push = look
        await world.execute(ledger, run_id)
    assert [state for state, _ in seen] == [State.SENDING]
    assert seen[0][1] is not None


async def test_progress_ends_with_everything_counted(world: World) -> None:
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, *invoices(3)))
    assert world.progress[0].counts == {State.PLANNED: 3}
    assert world.progress[-1].counts == {State.SUCCEEDED: 3}
    assert {sum(progress.counts.values()) for progress in world.progress} == {3}


# --- one request that goes wrong, then all goes well --------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("before", failing(errors.NotSent)),
        Fault("before", failing(errors.AnswerLost)),
        Fault("after", failing(errors.AnswerLost)),
        Fault("after", failing(errors.AnswerLost, 408)),
        Fault("after", failing(errors.KeyInProgress, 409)),
        Fault("before", failing(errors.RateLimited, 429, retry_after=5.0)),
        Fault("before", failing(errors.RateLimited, 429, retry_after=None)),
        Fault("before", failing(errors.RateLimited, 429, retry_after=0.0)),
        Fault("before", failing(errors.RateLimited, 429, retry_after=-3.0)),
    ],
    ids=lambda fault: f"{type(fault.error).__name__}-{fault.where}",
)
async def test_a_passing_fault_is_repeated_under_the_same_key_and_bytes(world: World, fault: Fault) -> None:
    world.client.faults.extend([fault])
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts == of((State.SUCCEEDED, 1))
    assert outcome.exit_code is ExitCode.DONE
    assert len(world.server.records) == 1
    assert len(set(world.client.sent)) == 1


# --- answers that end it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "state", "cause", "code"),
    [
        (errors.RequestRejected, 400, State.REJECTED, "codat.rejected", ExitCode.FINDINGS),
        (errors.RequestRejected, 413, State.REJECTED, "codat.rejected", ExitCode.FINDINGS),
        (errors.RecordNotFound, 404, State.REJECTED, "codat.not-found", ExitCode.FINDINGS),
        (errors.CodatFault, 500, State.IN_DOUBT, Cause.SERVER_FAULT, ExitCode.IN_DOUBT),
        (errors.CodatFault, 503, State.IN_DOUBT, Cause.SERVER_FAULT, ExitCode.IN_DOUBT),
        (errors.KeyBodyMismatch, 422, State.IN_DOUBT, Cause.KEY_CONFLICT, ExitCode.DEFECT),
        (errors.CodatError, 418, State.IN_DOUBT, Cause.UNKNOWN_ANSWER, ExitCode.IN_DOUBT),
    ],
)
async def test_a_final_answer_settles_its_document_and_no_other(
    world: World, kind: type[errors.CodatError], status: int, state: State, cause: str, code: ExitCode
) -> None:
    world.client.faults.append(Fault("answer", failing(kind, status)))
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(3)))
    assert outcome.counts == of((State.SUCCEEDED, 2), (state, 1))
    assert outcome.exit_code is code
    (push,) = [push for push in outcome.pushes if push.state is state]
    assert (push.cause_code, push.http_status, push.correlation_id) == (cause, status, "corr-1")
    assert len([body for _, body in world.client.sent if body == push.body]) == 1


async def test_a_refused_document_planned_again_gets_a_key_that_codat_has_not_cached(world: World) -> None:
    world.client.faults.append(Fault("answer", failing(errors.RequestRejected, 400)))
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")))
    assert outcome.counts == of((State.SUCCEEDED, 1))
    assert len(world.server.records) == 1


async def test_a_document_in_doubt_after_5xx_is_never_sent_again_by_itself(world: World) -> None:
    world.client.faults.append(Fault("answer", failing(errors.CodatFault, 500)))
    with world.open() as ledger:
        await world.execute(ledger, world.plan(ledger, document("INV-1")))
        for minutes in (1, 79, 100, 5000):
            world.time.pass_by(minutes=minutes)
            outcome = await world.execute(ledger, None)
            assert outcome.counts == of((State.IN_DOUBT, 1))
    assert len(world.client.sent) == 1


# --- refusals that are no document's fault ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.KeyRefused, ExitCode.KEY_REFUSED),
        (errors.AccountLimited, ExitCode.TRY_LATER),
        (errors.ComplianceBlock, ExitCode.TRY_LATER),
        (errors.AccessForbidden, ExitCode.KEY_REFUSED),
        (errors.PlaceGone, ExitCode.UNFINISHED),
    ],
)
async def test_a_refused_key_or_place_stops_the_run_and_leaves_everything_planned(
    world: World, kind: type[errors.CodatError], code: ExitCode
) -> None:
    documents = invoices(30)
    world.client.faults.extend([Fault("answer", failing(kind)) for _ in range(30)])
    with world.open() as ledger:
        run_id = world.plan(ledger, *documents)
        outcome = await world.execute(ledger, run_id)
        assert outcome.counts == of((State.PLANNED, 30))
        assert outcome.exit_code is code
        assert type(outcome.stopped_by) is kind
        assert len(world.client.sent) <= 10
        world.client.faults.clear()
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 30))
    assert world.bodies() == bodies_of(documents)


async def test_a_key_refused_on_a_repeat_proves_nothing_about_the_request_before(world: World) -> None:
    """The first request was done and its answer lost; a new attempt after the 401 would write it twice."""
    world.client.faults.extend(
        [Fault("after", failing(errors.AnswerLost)), Fault("before", failing(errors.KeyRefused))]
    )
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        stopped = await world.execute(ledger, run_id)
        assert stopped.counts == of((State.IN_DOUBT, 1))
        assert stopped.exit_code is ExitCode.KEY_REFUSED
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 1))
    assert len(world.server.records) == 1
    assert len(set(world.client.sent)) == 1


# --- nothing comes back -------------------------------------------------------------------------------------------


async def test_a_network_that_is_down_stops_the_run_with_everything_planned(world: World) -> None:
    world.client.faults.extend([Fault("before", failing(errors.NotSent)) for _ in range(500)])
    with world.open() as ledger:
        run_id = world.plan(ledger, *invoices(30))
        outcome = await world.execute(ledger, run_id)
        assert outcome.counts == of((State.PLANNED, 30))
        assert outcome.exit_code is ExitCode.TRY_LATER
        world.client.faults.clear()
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 30))
    assert {push.attempt for push in after.pushes} == {1}


async def test_answers_that_keep_getting_lost_leave_doubt_that_the_next_run_asks_away(world: World) -> None:
    documents = invoices(30)
    world.client.faults.extend([Fault("after", failing(errors.AnswerLost)) for _ in range(500)])
    with world.open() as ledger:
        run_id = world.plan(ledger, *documents)
        outcome = await world.execute(ledger, run_id)
        assert outcome.exit_code is ExitCode.TRY_LATER
        assert outcome.counts[State.IN_DOUBT] > 0
        assert outcome.counts[State.IN_DOUBT] + outcome.counts[State.PLANNED] == 30
        world.client.faults.clear()
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 30))
    assert world.bodies() == bodies_of(documents)


async def test_one_document_without_an_answer_does_not_stop_the_rest(world: World) -> None:
    lost = invoices(1)[0].body
    with world.open() as ledger:
        run_id = world.plan(ledger, *invoices(15))
        plain = world.client._answer

        def answer(connection, data_type, body, key, fault):
            return plain(
                connection, data_type, body, key, Fault("before", failing(errors.AnswerLost)) if body == lost else None
            )

        world.client._answer = answer  # type: ignore[method-assign]
        outcome = await world.execute(ledger, run_id)
    assert outcome.counts == of((State.SUCCEEDED, 14), (State.IN_DOUBT, 1))
    assert outcome.stopped_by is None


async def test_a_storm_of_5xx_stops_the_run_before_it_puts_everything_in_doubt(world: World) -> None:
    world.client.faults.extend([Fault("answer", failing(errors.CodatFault, 503)) for _ in range(500)])
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(100)))
    assert outcome.counts[State.IN_DOUBT] <= 15
    assert outcome.counts[State.PLANNED] >= 85
    assert outcome.exit_code is ExitCode.TRY_LATER


# --- the window ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [True, False], ids=["request was done", "request never arrived"])
@pytest.mark.parametrize(
    ("minutes", "is_asked_again"),
    [(0, True), (79, True), (81, False), (89, False), (91, False), (1440, False), (-60, False)],
)
async def test_after_a_crash_a_key_is_used_again_only_inside_the_window(
    world: World, minutes: float, is_asked_again: bool, committed: bool
) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        (push,) = ledger.pushes(run_id)
        ledger.move(push.id, Event.SEND)
        if committed:
            world.server.post(push.identity.connection, DataType.INVOICES, push.body or "", push.idempotency_key or "")
        world.time.pass_by(minutes=minutes)
        outcome = await world.execute(ledger, run_id)
    assert outcome.counts == of((State.SUCCEEDED if is_asked_again else State.IN_DOUBT, 1))
    assert len(world.client.sent) == int(is_asked_again)
    assert len(world.server.records) == int(is_asked_again or committed)


async def test_codats_clock_counts_where_it_is_the_later_one(world: World) -> None:
    """Ours stood still over a suspend; Codat's says the key is dead."""
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        (push,) = ledger.pushes(run_id)
        ledger.move(push.id, Event.SEND)
        world.client.server_time = world.time() + dt.timedelta(minutes=85)
        outcome = await world.execute(ledger, run_id)
    assert outcome.counts == of((State.IN_DOUBT, 1))
    assert world.client.sent == []


async def test_a_codat_clock_that_is_hours_apart_for_good_does_not_stop_a_repeat(world: World) -> None:
    world.client.server_time = world.time() + dt.timedelta(hours=3)
    world.client.faults.append(Fault("after", failing(errors.AnswerLost)))
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, document("INV-1")), minutes=0)
    assert outcome.counts == of((State.PENDING, 1))
    assert len(world.server.records) == 1


async def test_codats_time_is_learned_before_a_key_is_used_again(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        ledger.move(ledger.pushes(run_id)[0].id, Event.SEND)
        await world.execute(ledger, run_id)
    assert world.client.requests[0] == "GET list"


async def test_a_key_in_progress_for_longer_than_we_wait_is_left_in_doubt_and_asked_for_later(world: World) -> None:
    world.client.faults.extend([Fault("after", failing(errors.KeyInProgress, 409)) for _ in range(500)])
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        outcome = await world.execute(ledger, run_id)
        assert outcome.counts == of((State.IN_DOUBT, 1))
        world.client.faults.clear()
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 1))
    assert len(world.server.records) == 1


# --- limits -------------------------------------------------------------------------------------------------------


async def test_a_limit_pauses_all_workers_for_as_long_as_asked(world: World) -> None:
    world.client.faults.append(Fault("before", failing(errors.RateLimited, 429, retry_after=40.0)))
    started, left_at = world.time(), []
    world.client.on_push = lambda: left_at.append((world.time() - started).total_seconds())
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(40)))
    assert outcome.counts == of((State.SUCCEEDED, 40))
    assert not [moment for moment in left_at if 1 < moment < 40]
    assert len([moment for moment in left_at if moment >= 40]) >= 30


@pytest.mark.parametrize("seconds", [86400.0, 604800.0, 1e300])
async def test_a_limit_longer_than_we_wait_stops_the_run_with_everything_planned(world: World, seconds: float) -> None:
    world.client.faults.extend(
        [Fault("before", failing(errors.RateLimited, 429, retry_after=seconds)) for _ in range(10)]
    )
    with world.open() as ledger:
        run_id = world.plan(ledger, *invoices(30))
        outcome = await world.execute(ledger, run_id)
        assert outcome.counts == of((State.PLANNED, 30))
        assert outcome.exit_code is ExitCode.TRY_LATER
        world.client.faults.clear()
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 30))
    assert {push.attempt for push in after.pushes} == {1}


async def test_a_limit_that_never_ends_stops_the_run(world: World) -> None:
    world.client.faults.extend(
        [Fault("before", failing(errors.RateLimited, 429, retry_after=1.0)) for _ in range(100_000)]
    )
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(2)), minutes=2)
    assert outcome.counts == of((State.PLANNED, 2))
    assert type(outcome.stopped_by) is errors.RateLimited


# --- refusals of one cause ----------------------------------------------------------------------------------------


async def test_refusals_of_one_cause_stop_sending_and_leave_the_rest_planned(world: World) -> None:
    world.server.verdict = lambda body: (PushStatus.FAILED, f"account 4711 unknown in {body[11:18]}")
    world.client.latency = 0.25
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(400)))
    assert outcome.counts[State.REJECTED] >= SAME_CAUSE_LIMIT
    assert outcome.counts[State.PLANNED] > 0
    assert outcome.counts[State.PENDING] == 0
    assert outcome.stopped_by is not None
    assert outcome.stopped_by.code == "push.same-cause"
    assert outcome.exit_code is ExitCode.FINDINGS


async def test_refusals_of_several_causes_do_not_stop_the_rest(world: World) -> None:
    world.client.faults.extend(
        Fault("answer", errors.RequestRejected("field " + "ab"[index % 2])) for index in range(60)
    )
    with world.open() as ledger:
        outcome = await world.execute(ledger, world.plan(ledger, *invoices(80)))
    assert outcome.counts == of((State.SUCCEEDED, 20), (State.REJECTED, 60))


# --- stopping from outside ----------------------------------------------------------------------------------------


async def test_a_stop_finishes_what_is_in_flight_and_leaves_the_rest_planned(world: World) -> None:
    stop = anyio.Event()

    def stop_at_five() -> None:
        if len(world.client.sent) == 5:
            stop.set()

    world.client.on_push = stop_at_five
    documents = invoices(100)
    with world.open() as ledger:
        run_id = world.plan(ledger, *documents)
        outcome = await world.execute(ledger, run_id, stop=stop)
        assert outcome.was_interrupted
        assert outcome.counts[State.PENDING] + outcome.counts[State.PLANNED] == 100
        assert outcome.counts[State.PLANNED] >= 80
        assert outcome.exit_code is ExitCode.UNFINISHED
        world.client.on_push = None
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 100))
    assert world.bodies() == bodies_of(documents)


async def test_a_stop_does_not_wait_for_ever_for_a_request_that_hangs(world: World) -> None:
    stop = anyio.Event()
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        quick = world.client.push

        async def hanging(*args, **kwargs):
            await quick(*args, **kwargs)
            stop.set()
            await anyio.sleep_forever()

        world.client.push = hanging  # type: ignore[method-assign]
        outcome = await world.execute(ledger, run_id, stop=stop)
        assert outcome.counts == of((State.IN_DOUBT, 1))
        world.client.push = quick  # type: ignore[method-assign]
        after = await world.execute(ledger, run_id)
    assert after.counts == of((State.SUCCEEDED, 1))
    assert len(world.server.records) == 1


async def test_cancellation_is_like_a_crash_and_is_resumed(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, *invoices(20))
        with anyio.move_on_after(10) as scope:
            world.client.on_push = lambda: scope.cancel() if len(world.client.sent) == 7 else None
            await world.execute(ledger, run_id)
        assert scope.cancelled_caught
    world.client.on_push = None
    with world.open() as ledger:
        outcome = await world.execute(ledger, run_id)
    assert outcome.counts == of((State.SUCCEEDED, 20))
    assert len(world.server.records) == 20


# --- a ledger that was tampered with ------------------------------------------------------------------------------


async def test_a_body_that_is_not_the_planned_one_is_never_sent(world: World) -> None:
    import sqlalchemy as sa

    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        with ledger._engine.begin() as connection:
            connection.execute(sa.text("UPDATE push SET body = replace(body, '120.00', '920.00')"))
        with pytest.raises(LedgerDamaged, match="the body of INV-1 is not the one that was planned"):
            await world.execute(ledger, run_id)
    assert world.client.sent == []
