"""The ledger keeps what was planned and what happened, and gives it back exactly."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from pushworld import COMPANY, CONNECTION, HOST, Time, World, document, header, plan_of

from codat_ar_cli.domain.lifecycle import Event, IllegalMove, State
from codat_ar_cli.domain.planned import Disposition
from codat_ar_cli.domain.pushes import NO_FACTS, Facts, Push
from codat_ar_cli.domain.types import CompanyId, DataType, PushId, PushOperationKey, RecordId, RunId
from codat_ar_cli.ledger import identity, tables
from codat_ar_cli.ledger.errors import LedgerMoved, UnknownPush, UnknownRun
from codat_ar_cli.ledger.pushes import LostMove, make_move
from codat_ar_cli.ledger.store import Ledger


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def one(ledger: Ledger, run_id: RunId) -> Push:
    (push,) = ledger.pushes(run_id)
    return push


def drive(ledger: Ledger, push_id: PushId, *events: Event) -> None:
    for event in events:
        facts = Facts(record_id=RecordId("rec-1")) if event is Event.SUCCEED else NO_FACTS
        ledger.move(push_id, event, facts)


TO_STATE: dict[State, tuple[Event, ...]] = {
    State.PLANNED: (),
    State.SENDING: (Event.SEND,),
    State.PENDING: (Event.SEND, Event.ACCEPT),
    State.SUCCEEDED: (Event.SEND, Event.SUCCEED),
    State.REJECTED: (Event.SEND, Event.REJECT),
    State.IN_DOUBT: (Event.SEND, Event.DOUBT),
}


def test_a_planned_document_comes_back_exactly(world: World) -> None:
    sent = document("INV-1", total="1234.50")
    with world.open() as ledger:
        run_id = world.plan(ledger, sent)
    with world.open() as ledger:
        push = one(ledger, run_id)
    assert (push.identity, push.state, push.attempt) == (sent.identity, State.PLANNED, 1)
    assert (push.body, push.body_sha256) == (sent.body, identity.body_sha256(sent.body or ""))
    assert (push.total, str(push.total), push.currency, push.date) == (
        Decimal("1234.50"),
        "1234.50",
        "EUR",
        dt.date(2026, 11, 20),
    )
    assert (push.places, push.customer, push.label) == (sent.places, "Ahlers & Söhne", "INV-1")
    assert push.idempotency_key == identity.idempotency_key(sent.identity, push.body_sha256 or "", 1)
    assert push.first_sent_at is None


def test_amounts_are_text_in_the_database(world: World) -> None:
    with world.open() as ledger:
        world.plan(ledger, document("INV-1", total="0.10"))
    engine = sa.create_engine(f"sqlite:///{world.path}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT total, typeof(total) FROM push").one() == ("0.10", "text")
    engine.dispose()


def test_a_held_document_is_kept_with_its_finding_and_no_body(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1", disposition=Disposition.HELD))
        push, (item,) = one(ledger, run_id), ledger.items(run_id)
    assert (push.state, push.body, push.idempotency_key) == (State.HELD, None, None)
    assert (push.cause_code, push.cause_text) == ("mapping.tax-rate", "tax rate `19%` is not mapped")
    assert item.findings[0]["code"] == "mapping.tax-rate"


@pytest.mark.parametrize(
    ("state", "attempt"), [(State.PLANNED, 1), (State.REJECTED, 2)], ids=["never sent", "after a refusal"]
)
def test_planning_again_renews_the_key_only_after_a_refusal(world: World, state: State, attempt: int) -> None:
    with world.open() as ledger:
        first = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, first.id, *TO_STATE[state])
        second = one(ledger, world.plan(ledger, document("INV-1")))
    assert (second.id, second.state, second.attempt) == (first.id, State.PLANNED, attempt)
    assert (second.idempotency_key == first.idempotency_key) is (attempt == 1)
    assert second.cause_code is None


def test_a_refused_document_that_is_held_in_between_still_gets_a_new_key(world: World) -> None:
    with world.open() as ledger:
        first = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, first.id, Event.SEND, Event.REJECT)
        world.plan(ledger, document("INV-1", disposition=Disposition.HELD))
        again = one(ledger, world.plan(ledger, document("INV-1")))
    assert again.attempt == 2
    assert again.idempotency_key != first.idempotency_key


def test_a_changed_body_gets_its_own_key_without_a_new_attempt(world: World) -> None:
    with world.open() as ledger:
        first = one(ledger, world.plan(ledger, document("INV-1")))
        second = one(ledger, world.plan(ledger, document("INV-1", content="corrected")))
    assert second.attempt == 1
    assert second.idempotency_key != first.idempotency_key
    assert "corrected" in (second.body or "")


@pytest.mark.parametrize("state", [State.SENDING, State.PENDING, State.IN_DOUBT, State.SUCCEEDED])
def test_a_plan_that_would_send_what_has_moved_on_is_stale_and_writes_nothing(world: World, state: State) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, push.id, *TO_STATE[state])
        run_id = ledger.begin_run(header())
        with pytest.raises(LedgerMoved, match=f"`INV-1` is {state} by now"):
            ledger.record_plan(run_id, plan_of(document("INV-0"), document("INV-1", content="changed")))
        assert ledger.items(run_id) == []
        assert ledger.push(push.id).state is state


@pytest.mark.parametrize("state", [State.SENDING, State.PENDING, State.IN_DOUBT, State.SUCCEEDED])
def test_holding_a_changed_version_leaves_the_push_alone_and_counts_as_held(world: World, state: State) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, push.id, *TO_STATE[state])
        before = ledger.push(push.id)
        run_id = world.plan(ledger, document("INV-1", content="changed", disposition=Disposition.HELD))
        assert ledger.push(push.id) == before
        assert ledger.run(run_id).counts == {State.HELD: 1}
        assert ledger.items(run_id)[0].state is State.HELD


def test_a_held_twin_does_not_hold_the_one_that_is_sent(world: World) -> None:
    twin = document("INV-1", content="twin", disposition=Disposition.HELD)
    with world.open() as ledger:
        before = world.plan(ledger, twin, document("INV-1"))
        after = world.plan(ledger, document("INV-1"), twin)
        assert one(ledger, before).state is State.PLANNED
        assert [item.state for item in ledger.items(after)] == [State.PLANNED, State.HELD]


def test_two_held_twins_are_one_push_and_two_items(world: World) -> None:
    twins = [document("INV-1", content=text, disposition=Disposition.HELD) for text in ("a", "b")]
    with world.open() as ledger:
        run_id = world.plan(ledger, *twins)
        assert len(ledger.pushes(run_id)) == 1
        assert ledger.run(run_id).counts == {State.HELD: 2}


def test_sending_one_identity_twice_is_a_defect_of_the_plan(world: World) -> None:
    with world.open() as ledger, pytest.raises(ValueError, match="sends one identity twice"):
        world.plan(ledger, document("INV-1"), document("INV-1", content="other"))


def test_a_document_already_done_is_an_item_of_the_run(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, push.id, *TO_STATE[State.SUCCEEDED])
        run_id = world.plan(ledger, document("INV-1", disposition=Disposition.DONE))
        (item,) = ledger.items(run_id)
    assert (item.disposition, item.state) == (Disposition.DONE, State.SUCCEEDED)


def test_a_plan_that_calls_an_unknown_document_done_is_stale(world: World) -> None:
    with world.open() as ledger, pytest.raises(LedgerMoved, match="not in this ledger"):
        world.plan(ledger, document("INV-1", disposition=Disposition.DONE))


def test_a_move_keeps_its_facts_and_writes_an_event(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        ledger.move(push.id, Event.SEND)
        world.time.pass_by(seconds=2)
        ledger.move(push.id, Event.ACCEPT, Facts(operation_key=PushOperationKey("op-1"), http_status=202))
        after, events = ledger.push(push.id), ledger.events(push.id)
    assert (after.state, after.operation_key, after.http_status) == (State.PENDING, "op-1", 202)
    assert after.first_sent_at == push.planned_at
    assert [event.event for event in events] == ["plan", "send", "accept"]
    assert events[-1].facts == {"operation_key": "op-1", "http_status": 202}
    assert (events[-1].from_state, events[-1].to_state) == (State.SENDING, State.PENDING)


def test_a_second_send_keeps_the_time_of_the_first(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        ledger.move(push.id, Event.SEND)
        world.time.pass_by(minutes=5)
        ledger.move(push.id, Event.SEND)
        assert ledger.push(push.id).first_sent_at == push.planned_at


@pytest.mark.parametrize(("renew", "attempt"), [(False, 1), (True, 2)])
def test_a_stopped_document_starts_its_window_anew_and_its_key_only_when_told(
    world: World, renew: bool, attempt: int
) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        ledger.move(push.id, Event.SEND)
        ledger.move(push.id, Event.STOP, renew_key=renew)
        after = ledger.push(push.id)
    assert (after.state, after.attempt, after.first_sent_at) == (State.PLANNED, attempt, None)
    assert (after.idempotency_key == push.idempotency_key) is not renew


def test_proven_absence_gives_a_new_key(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, push.id, Event.SEND, Event.DOUBT, Event.SETTLE_ABSENT)
        after = ledger.push(push.id)
    assert (after.state, after.attempt) == (State.PLANNED, 2)


def test_an_illegal_move_changes_nothing(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        with pytest.raises(IllegalMove):
            ledger.move(push.id, Event.SUCCEED)
        assert ledger.push(push.id) == push
        assert len(ledger.events(push.id)) == 1


def test_a_second_writer_loses_its_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        monkeypatch.setattr("codat_ar_cli.ledger.pushes.move", lambda *_: State.SENDING)
        engine = sa.create_engine(f"sqlite:///{world.path}")
        with engine.connect() as connection:
            monkeypatch.setattr("codat_ar_cli.ledger.pushes._row_to_move", _read_then_lose(push))
            with pytest.raises(LostMove, match="no longer"):
                make_move(connection, push.id, Event.SEND, NO_FACTS, run_id=None, renew_key=False, at=world.time())
        engine.dispose()


def _read_then_lose(push: Push):
    from codat_ar_cli.ledger import pushes

    read = pushes._row_to_move

    def stale(connection: sa.Connection, push_id: PushId):
        row = dict(read(connection, push_id))
        connection.execute(sa.update(tables.push).values(state="sending").where(tables.push.c.push_id == push.id))
        return row

    return stale


def test_known_tells_state_content_and_record(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"), document("INV-2", disposition=Disposition.HELD))
        drive(ledger, ledger.pushes(run_id)[0].id, Event.SEND, Event.SUCCEED)
        known = ledger.known(
            api_host=HOST,
            company=COMPANY,
            connection=CONNECTION,
            data_type=DataType.INVOICES,
            source_system="file",
            source_ids=[f"INV-{number}" for number in range(1200)],
        )
    assert {name: (push.state, push.record_id) for name, push in known.items()} == {
        "INV-1": (State.SUCCEEDED, "rec-1"),
        "INV-2": (State.HELD, None),
    }
    assert known["INV-1"].content_hash == document("INV-1").content_hash


def test_known_keeps_hosts_companies_types_and_systems_apart(world: World) -> None:
    asked = {
        "api_host": HOST,
        "company": COMPANY,
        "connection": CONNECTION,
        "data_type": DataType.INVOICES,
        "source_system": "file",
    }
    with world.open() as ledger:
        world.plan(ledger, document("1"))
        assert set(ledger.known(**asked, source_ids=["1"])) == {"1"}  # type: ignore[arg-type]
        for other in (
            {"api_host": "127.0.0.1:80"},
            {"company": CompanyId("other")},
            {"data_type": DataType.PAYMENTS},
            {"source_system": "stripe"},
        ):
            assert ledger.known(**{**asked, **other}, source_ids=["1"]) == {}  # type: ignore[arg-type]


def test_records_pushed_and_last_success_tell_of_succeeded_ones_only(world: World) -> None:
    place = {"company": COMPANY, "connection": CONNECTION, "data_type": DataType.INVOICES}
    with world.open() as ledger:
        assert ledger.last_success_at(**place) is None  # type: ignore[arg-type]
        first, second = ledger.pushes(world.plan(ledger, document("INV-1"), document("INV-2")))
        drive(ledger, first.id, Event.SEND, Event.SUCCEED)
        drive(ledger, second.id, Event.SEND, Event.DOUBT)
        found = ledger.records_pushed(api_host=HOST, **place, source_ids=["INV-1", "INV-2"])  # type: ignore[arg-type]
        assert found == {"INV-1": ["rec-1"]}
        assert ledger.last_success_at(**place) == world.time()  # type: ignore[arg-type]


def test_unfinished_is_what_a_run_has_work_with_in_planned_order(world: World) -> None:
    names = [f"INV-{number}" for number in range(len(TO_STATE))]
    with world.open() as ledger:
        run_id = world.plan(ledger, *(document(name) for name in names), document("H", disposition=Disposition.HELD))
        for push, events in zip(ledger.pushes(run_id), TO_STATE.values(), strict=False):
            drive(ledger, push.id, *events)
        unfinished = ledger.unfinished(api_host=HOST, company=COMPANY, connection=CONNECTION)
    assert [push.state for push in unfinished] == [State.PLANNED, State.SENDING, State.PENDING, State.IN_DOUBT]


def test_run_ids_are_readable_and_sort_by_time(world: World) -> None:
    with world.open() as ledger:
        first = ledger.begin_run(header())
        twins = {ledger.begin_run(header()) for _ in range(20)}
        world.time.pass_by(seconds=1)
        last = ledger.begin_run(header("push payments"))
        assert first.startswith("R20261122-104512-")
        assert len(twins) == 20
        assert ledger.runs(limit=1)[0].id == last
        assert sorted([last, first, *twins])[-1] == last
        assert ledger.runs(limit=2)[0].header.command == "push payments"
        assert ledger.runs(company=CompanyId("other")) == []


def test_a_run_tells_its_header_and_how_it_ended(world: World) -> None:
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-1"))
        ledger.end_run(run_id, 9, {State.PLANNED: 1})
        run = ledger.run(run_id)
    assert run.header == header()
    assert (run.exit_code, run.ended_counts, run.counts) == (9, {State.PLANNED: 1}, {State.PLANNED: 1})
    assert run.ended_at == world.time()


def test_an_unknown_run_names_the_nearest(world: World) -> None:
    with world.open() as ledger:
        with pytest.raises(UnknownRun, match="there is no run yet"):
            ledger.run(RunId("R1"))
        run_id = ledger.begin_run(header())
        with pytest.raises(UnknownRun, match=run_id) as caught:
            ledger.items(RunId(run_id[:-1] + "x"))
        assert caught.value.code == "ledger.unknown-run"
        assert caught.value.exit_code == 2
        with pytest.raises(UnknownPush, match="`P1` does not exist"):
            ledger.push(PushId("P1"))


def test_the_cache_gives_back_what_was_put_and_knows_empty_from_never(world: World) -> None:
    asked = (COMPANY, CONNECTION, DataType.ACCOUNTS)
    at = dt.datetime(2026, 11, 22, 9, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    with world.open() as ledger:
        assert ledger.cached(*asked) is None
        ledger.replace_cache(*asked, ['{"id":"1"}', '{"id":"0"}'], fetched_at=at, dataset_id="d", dataset_at=at)
        first = ledger.cached(*asked)
        ledger.replace_cache(*asked, [], fetched_at=at, dataset_id=None, dataset_at=None)
        second = ledger.cached(*asked)
    assert first is not None
    assert (first.records, first.fetched_at, first.dataset_id, first.dataset_at) == (
        ('{"id":"1"}', '{"id":"0"}'),
        at,
        "d",
        at,
    )
    assert second is not None
    assert (second.records, second.dataset_id, second.dataset_at) == ((), None, None)


def test_the_event_chain_holds_and_shows_every_kind_of_edit(world: World) -> None:
    with world.open() as ledger:
        push = one(ledger, world.plan(ledger, document("INV-1")))
        drive(ledger, push.id, Event.SEND, Event.ACCEPT, Event.SUCCEED)
        assert ledger.chain_breaks() == []
    for statement, says in (
        ("UPDATE event SET facts = '{}' WHERE position = 2", "was edited"),
        ("DELETE FROM event WHERE position = 3", "1 event(s) missing before it"),
    ):
        engine = sa.create_engine(f"sqlite:///{world.path}")
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()
        with world.open() as ledger:
            assert any(says in line for line in ledger.chain_breaks())


def test_the_latest_instant_counts_from_the_send_only(world: World) -> None:
    with world.open() as ledger:
        world.time.pass_by(days=365)
        first = one(ledger, world.plan(ledger, document("INV-1")))
        world.time.pass_by(days=-365)
        push = one(ledger, world.plan(ledger, document("INV-2")))
        assert ledger.latest_instant_since_send(first.id) is None
        ledger.move(push.id, Event.SEND)
        sent = world.time()
        assert ledger.latest_instant_since_send(push.id) == sent
        world.time.pass_by(minutes=7)
        ledger.begin_run(header())
        assert ledger.latest_instant_since_send(push.id) == world.time()


def test_a_time_without_zone_is_refused(tmp_path: Path) -> None:
    naive = Time().now.replace(tzinfo=None)
    with Ledger.open(tmp_path / "l.db", clock=lambda: naive) as ledger, pytest.raises(ValueError, match="time zone"):
        ledger.begin_run(header())


def test_the_same_identity_body_and_attempt_give_the_same_key_anywhere() -> None:
    one_, other = document("INV-1").identity, document("INV-2").identity
    keys = {
        identity.idempotency_key(one_, "aa", 1),
        identity.idempotency_key(one_, "aa", 2),
        identity.idempotency_key(one_, "bb", 1),
        identity.idempotency_key(other, "aa", 1),
    }
    assert len(keys) == 4
    assert identity.idempotency_key(one_, "aa", 1) in keys
    assert identity.push_id(one_) != identity.push_id(other)
