"""Documents in doubt are decided by reading: found, absent twice, or left in doubt with the evidence (design D10)."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pushworld import Fault, failing
from settleworld import SettleWorld, invoice, only, payment

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.lifecycle import Cause, State
from codat_ar_cli.domain.settling import Lookup
from codat_ar_cli.domain.types import PushStatus
from codat_ar_cli.flows import decide
from codat_ar_cli.flows import settle as settle_flow

pytestmark = pytest.mark.anyio

SERVER_ERROR_AFTER = Fault("after", failing(errors.CodatFault, 500))
SERVER_ERROR_BEFORE = Fault("answer", failing(errors.CodatFault, 500))
LOST_AFTER = Fault("after", failing(errors.AnswerLost))
LOST_BEFORE = Fault("before", failing(errors.AnswerLost))


@pytest.fixture
def world(tmp_path: Path) -> SettleWorld:
    return SettleWorld(tmp_path)


def lose_every_answer(world: SettleWorld, fault: Fault) -> None:
    """Have the document's every try end so, and the window of its key pass by before the next run."""
    world.client.faults.extend([fault] * 7)


async def after_the_window(world: SettleWorld, ledger, run_id) -> None:
    """Let a later run notice that the key is too old."""
    world.time.pass_by(minutes=100)
    await world.execute(ledger, run_id)


# --- found ----------------------------------------------------------------------------------------------------------


async def test_a_document_written_before_a_5xx_takes_on_its_record_and_is_not_sent_again(world: SettleWorld) -> None:
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_AFTER)
        run_id = await world.push(ledger, invoice("INV-1"))
        assert world.states(ledger, run_id) == {"INV-1": State.IN_DOUBT}

        one = only(await world.settle(ledger))

        assert (one.push.state, one.push.record_id, one.push.cause_code) == (State.SUCCEEDED, "rec-1", None)
        await world.execute(ledger, run_id)
        assert len(world.server.records) == len(world.client.sent) == 1


async def test_a_lost_answer_whose_key_is_too_old_is_found_in_the_books(world: SettleWorld) -> None:
    with world.open() as ledger:
        lose_every_answer(world, LOST_AFTER)
        run_id = await world.push(ledger, payment("P-1"))
        await after_the_window(world, ledger, run_id)
        assert ledger.pushes(run_id)[0].cause_code == Cause.WINDOW_OVER

        one = only(await world.settle(ledger))

        assert (one.push.state, one.push.record_id) == (State.SUCCEEDED, "rec-1")
        assert len(world.server.records) == 1


async def test_success_without_a_record_id_takes_on_the_record_that_the_books_show(world: SettleWorld) -> None:
    world.server.names_records = False
    with world.open() as ledger:
        run_id = await world.push(ledger, invoice("INV-1"), invoice("INV-2", total="99.00"))
        assert {push.cause_code for push in ledger.pushes(run_id)} == {Cause.NO_RECORD_ID}

        report = await world.settle(ledger)

        assert [one.push.record_id for one in report.settled] == ["rec-1", "rec-2"]


async def test_an_operation_that_says_now_what_became_of_it_is_believed_without_reading_the_books(
    world: SettleWorld,
) -> None:
    world.server.verdict = lambda _body: (PushStatus.TIMED_OUT, None)
    with world.open() as ledger:
        await world.push(ledger, invoice("INV-1"), invoice("INV-2"))
        world.server.verdict = lambda body: (
            (PushStatus.FAILED, "no such account") if "INV-2" in body else (PushStatus.SUCCESS, None)
        )
        world.land(invoice("INV-1"))

        report = await world.settle(ledger)

        assert [one.push.state for one in report.settled] == [State.SUCCEEDED, State.REJECTED]
        assert world.books.syncs == []


async def test_payments_are_looked_for_before_invoices(world: SettleWorld) -> None:
    with world.open() as ledger:
        world.client.faults.extend([SERVER_ERROR_AFTER, SERVER_ERROR_AFTER])
        await world.push(ledger, invoice("INV-1"), payment("P-1"))

        report = await world.settle(ledger)

        assert {one.push.state for one in report.settled} == {State.SUCCEEDED}
        assert world.books.syncs == ["payments", "invoices"]


async def test_each_finding_is_committed_at_once(world: SettleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the first finding, settling has made progress, and goes on from there."""
    with world.open() as ledger:
        world.client.faults.extend([SERVER_ERROR_AFTER] * 3)
        run_id = await world.push(ledger, *(invoice(f"INV-{n}", total=f"{n}.00") for n in (1, 2, 3)))
    moves = 0

    def die_after_one(effect: str) -> None:
        nonlocal moves
        moves += effect == "after commit: settle_found"
        if moves:
            raise KeyboardInterrupt

    for left in (2, 1, 0):
        moves = 0
        with world.open(die_after_one) as ledger, pytest.raises(KeyboardInterrupt):
            await world.settle(ledger)
        with world.open() as ledger:
            assert list(world.states(ledger, run_id).values()).count(State.IN_DOUBT) == left
    assert len(world.server.records) == 3


# --- absent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [SERVER_ERROR_BEFORE, LOST_BEFORE], ids=["5xx", "lost"])
async def test_what_two_looks_do_not_see_is_sent_again_once_with_a_new_key(world: SettleWorld, fault: Fault) -> None:
    with world.open() as ledger:
        lose_every_answer(world, fault)
        run_id = await world.push(ledger, invoice("INV-1"))
        await after_the_window(world, ledger, run_id)
        world.client.faults.clear()
        [before] = ledger.pushes(run_id)
        assert before.state is State.IN_DOUBT

        one = only(await world.settle(ledger))

        assert (one.push.state, one.push.attempt) == (State.PLANNED, 2)
        assert one.push.idempotency_key != before.idempotency_key
        assert world.books.syncs == ["invoices", "invoices"]
        outcome = await world.execute(ledger, run_id)
        assert outcome.counts[State.SUCCEEDED] == len(world.server.records) == 1
        assert ledger.chain_breaks() == []


async def test_what_appears_between_the_two_looks_is_found(world: SettleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_BEFORE)
        await world.push(ledger, invoice("INV-1"))
        started = world.time.now

        async def land_while_asleep(seconds: float) -> None:
            if seconds == settle_flow.APART.total_seconds():
                world.land(invoice("INV-1"))
            await type(world.time).sleep(world.time, seconds)

        monkeypatch.setattr(world.time, "sleep", land_while_asleep, raising=False)
        one = only(await world.settle(ledger))

        assert (one.push.state, one.push.record_id) == (State.SUCCEEDED, "rec-1")
        assert world.time.now - started >= settle_flow.APART


# --- stays in doubt -------------------------------------------------------------------------------------------------


async def stays(world: SettleWorld, document, fault: Fault | None = SERVER_ERROR_BEFORE) -> str:
    """Push one document into doubt, settle it, insist that it stays there, and give the reason."""
    with world.open() as ledger:
        world.client.faults.append(fault)
        run_id = await world.push(ledger, document)
        one = only(await world.settle(ledger))
        assert one.push.state is State.IN_DOUBT
        await world.execute(ledger, run_id)
        assert len(world.client.sent) == 1
        looked = [event for event in ledger.events(one.push.id) if event.event == "settle_looked"]
        assert looked[-1].facts["why"] == one.reason
        return one.reason


async def test_what_timed_out_stays_in_doubt_until_it_lands(world: SettleWorld) -> None:
    world.server.verdict = lambda _body: (PushStatus.TIMED_OUT, None)

    reason = await stays(world, invoice("INV-1"), None)

    assert "may still appear" in reason
    world.land(invoice("INV-1"))
    with world.open() as ledger:
        one = only(await world.settle(ledger))
        assert (one.push.state, one.push.record_id) == (State.SUCCEEDED, "rec-1")


async def test_a_document_without_a_marker_stays_in_doubt_when_nothing_is_seen(world: SettleWorld) -> None:
    assert "no id of ours" in await stays(world, invoice("INV-1", marked=False))


async def test_an_offline_platform_may_still_carry_it_out(tmp_path: Path) -> None:
    world = SettleWorld(tmp_path, is_offline=True)

    assert "customer's own machine" in await stays(world, invoice("INV-1"))


@pytest.mark.parametrize("error", [errors.RequestRejected, errors.CodatFault])
async def test_books_that_cannot_be_refreshed_prove_nothing(world: SettleWorld, error) -> None:
    world.books.sync_error = failing(error, 500)

    assert "could not be looked for" in await stays(world, invoice("INV-1"))


async def test_books_that_codat_does_not_read_on_the_platform_prove_nothing(world: SettleWorld) -> None:
    world.books.unreadable = ("invoices",)

    assert "Codat does not read invoices" in await stays(world, invoice("INV-1"))


@pytest.mark.parametrize(
    ("status", "record"), [(PushStatus.PENDING, None), (PushStatus.TIMED_OUT, None), (PushStatus.SUCCESS, "rec-9")]
)
async def test_an_operation_that_nobody_knows_may_be_it(world: SettleWorld, status, record) -> None:
    world.foreign_operation(status, record)

    assert "may be it" in await stays(world, invoice("INV-1"))


async def test_an_operation_without_a_time_counts_as_inside(world: SettleWorld) -> None:
    world.foreign_operation(PushStatus.PENDING, requested_at=None)

    assert "may be it" in await stays(world, invoice("INV-1"))


async def test_operations_that_failed_or_made_anothers_record_are_set_aside(world: SettleWorld) -> None:
    world.books.others.append({"dataType": "invoices", "id": "other-1", "invoiceNumber": "ELSE-1", "totalAmount": 7})
    world.foreign_operation(PushStatus.SUCCESS, "other-1")
    world.foreign_operation(PushStatus.FAILED)
    world.foreign_operation(PushStatus.PENDING, data_type="payments")
    world.foreign_operation(PushStatus.PENDING, connection="another connection of the company")
    world.foreign_operation(PushStatus.PENDING, change_types=("AttachmentUploaded",))
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_BEFORE)
        await world.push(ledger, invoice("INV-1"))

        assert only(await world.settle(ledger)).push.state is State.PLANNED


async def test_operations_of_long_before_the_request_are_set_aside(world: SettleWorld) -> None:
    world.foreign_operation(PushStatus.TIMED_OUT, requested_at=world.time() - dt.timedelta(days=2))
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_BEFORE)
        await world.push(ledger, invoice("INV-1"))

        assert only(await world.settle(ledger)).push.state is State.PLANNED


async def test_the_operation_of_an_earlier_attempt_of_ours_is_known(world: SettleWorld) -> None:
    world.server.verdict = lambda body: (PushStatus.TIMED_OUT if "INV-1" in body else PushStatus.SUCCESS, None)
    with world.open() as ledger:
        await world.push(ledger, invoice("INV-1"))
        decide.resend(ledger, only(await world.settle(ledger)))
        world.client.faults.extend([None, SERVER_ERROR_BEFORE])
        await world.push(ledger, invoice("INV-2", total="2.00"))

        report = await world.settle(ledger)

        states = {one.push.identity.source_id: one.push.state for one in report.settled}
        assert states["INV-2"] is State.PLANNED


async def test_a_lost_answer_whose_key_lives_is_left_to_that_key(world: SettleWorld) -> None:
    with world.open() as ledger:
        lose_every_answer(world, LOST_BEFORE)
        run_id = await world.push(ledger, invoice("INV-1"))

        one = only(await world.settle(ledger))

        assert one.push.state is State.IN_DOUBT
        assert "its key still lives" in one.reason
        with pytest.raises(decide.KeyStillLives):
            decide.check_resend(ledger, one, world.time())
        world.time.pass_by(minutes=100)
        decide.check_resend(ledger, one, world.time())
        assert ledger.pushes(run_id)[0].attempt == 1


async def test_a_record_that_only_looks_like_it_keeps_it_in_doubt(world: SettleWorld) -> None:
    """The platform may have given it another number."""
    world.books.rewrite = lambda record: {**record, "invoiceNumber": "AUTO-17"}

    reason = await stays(world, invoice("INV-1"), SERVER_ERROR_AFTER)

    assert reason == "no record carries `INV-1`, but 1 record of the same customer, date and total"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customerRef": {"id": "c-2"}}, "differs in customer"),
        ({"totalAmount": Decimal("120.02")}, "differs in total"),
        ({"currency": "GBP"}, "differs in currency"),
        ({"metadata": {"isDeleted": True}}, "was deleted in the books"),
    ],
)
async def test_a_record_with_our_number_that_is_not_ours_keeps_it_in_doubt(world: SettleWorld, change, said) -> None:
    world.books.rewrite = lambda record: {**record, **change}

    assert said in await stays(world, invoice("INV-1"), SERVER_ERROR_AFTER)


async def test_a_cent_of_the_platforms_own_rounding_is_no_difference(world: SettleWorld) -> None:
    world.books.rewrite = lambda record: {**record, "totalAmount": Decimal("120.01"), "invoiceNumber": "inv-1 "}
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_AFTER)
        await world.push(ledger, invoice("INV-1"))

        assert only(await world.settle(ledger)).push.state is State.SUCCEEDED


# --- without a marker -----------------------------------------------------------------------------------------------


async def test_without_a_marker_the_only_record_of_customer_date_and_total_is_it(world: SettleWorld) -> None:
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_AFTER)
        await world.push(ledger, payment("P-1", marked=False), payment("P-2", marked=False, total="7.00"))

        one = only(await world.settle(ledger))

        assert (one.push.identity.source_id, one.push.state) == ("P-1", State.SUCCEEDED)
        assert one.evidence["by"] == "facts"


@pytest.mark.parametrize("other", [{"paid": "rec-j"}, {"date": "2026-11-19"}, {"total": "50.01"}])
async def test_without_a_marker_a_record_of_another_invoice_date_or_total_is_not_it(world: SettleWorld, other) -> None:
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_BEFORE)
        world.land(payment("theirs", marked=False, **other))
        await world.push(ledger, payment("P-1", marked=False))

        assert only(await world.settle(ledger)).push.state is State.IN_DOUBT


async def test_without_a_marker_two_records_leave_it_open_and_both_are_evidence(world: SettleWorld) -> None:
    world.land(payment("theirs", marked=False))

    reason = await stays(world, payment("P-1", marked=False), SERVER_ERROR_AFTER)

    assert "which one it is can't be told" in reason


async def test_without_a_marker_a_record_that_two_of_our_documents_could_be_is_neithers(world: SettleWorld) -> None:
    with world.open() as ledger:
        world.client.faults.extend([SERVER_ERROR_AFTER, SERVER_ERROR_BEFORE])
        await world.push(ledger, payment("P-1", marked=False), payment("P-2", marked=False))

        report = await world.settle(ledger)

        assert [one.push.state for one in report.settled] == [State.IN_DOUBT, State.IN_DOUBT]
        assert all("several documents" in one.reason for one in report.settled)


async def test_without_a_marker_a_record_that_a_pending_document_could_be_is_not_it(world: SettleWorld) -> None:
    world.server.settles_after = 3600
    with world.open() as ledger:
        world.client.faults.extend([None, SERVER_ERROR_BEFORE])
        run_id = await world.push(ledger, payment("P-1", marked=False), payment("P-2", marked=False), minutes=1)
        assert world.states(ledger, run_id) == {"P-1": State.PENDING, "P-2": State.IN_DOUBT}

        assert only(await world.settle(ledger)).push.state is State.IN_DOUBT


async def test_without_a_marker_the_record_of_another_push_of_ours_is_not_it(world: SettleWorld) -> None:
    with world.open() as ledger:
        world.client.faults.extend([None, SERVER_ERROR_BEFORE])
        await world.push(ledger, payment("P-1", marked=False), payment("P-2", marked=False))

        assert only(await world.settle(ledger)).push.state is State.IN_DOUBT


async def test_without_a_marker_a_record_older_than_the_request_is_not_it(world: SettleWorld) -> None:
    world.books.rewrite = lambda record: {**record, "sourceModifiedDate": "2026-11-20T10:00:00Z"}
    world.land(payment("theirs", marked=False))

    assert "not seen in the books" in await stays(world, payment("P-1", marked=False))


# --- the tests go red without the guards ----------------------------------------------------------------------------


async def test_settling_that_sends_again_without_looking_would_write_twice(
    world: SettleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same doubt, with the reading switched off: what the tests above forbid happens."""
    monkeypatch.setattr(settle_flow, "look_up", lambda *_args, **_more: Lookup())
    monkeypatch.setattr(settle_flow, "may_have_written", lambda *_args: False)
    with world.open() as ledger:
        world.client.faults.append(SERVER_ERROR_AFTER)
        run_id = await world.push(ledger, invoice("INV-1"))

        await world.settle(ledger)
        await world.execute(ledger, run_id)

        assert len(world.server.records) == 2
