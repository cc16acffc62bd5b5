"""The table of moves and the age of a key."""

import datetime as dt
import itertools

import pytest

from codat_ar_cli.domain.lifecycle import (
    CLOCK_TOLERANCE,
    END_STATES,
    FIRST,
    NEXT,
    RESEND_WINDOW,
    UNFINISHED,
    Cause,
    Event,
    IllegalMove,
    State,
    move,
    why_not_resend,
)

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(("pair", "after"), NEXT.items(), ids=str)
def test_a_move_of_the_table_is_made(pair: tuple[State, Event], after: State) -> None:
    assert move(*pair) is after


@pytest.mark.parametrize("pair", [p for p in itertools.product(State, Event) if p not in NEXT], ids=str)
def test_any_other_move_is_a_defect(pair: tuple[State, Event]) -> None:
    with pytest.raises(IllegalMove, match=rf"a push that is {pair[0]} can't {pair[1]}"):
        move(*pair)


def test_a_succeeded_push_never_moves_again() -> None:
    assert not [pair for pair in NEXT if pair[0] is State.SUCCEEDED]


def test_in_doubt_is_left_only_by_settling() -> None:
    assert {event for state, event in NEXT if state is State.IN_DOUBT} == {e for e in Event if e.startswith("settle_")}


def test_settling_starts_only_from_in_doubt() -> None:
    assert {state for state, event in NEXT if event.startswith("settle_")} == {State.IN_DOUBT}


def test_only_a_push_that_was_committed_as_sending_can_be_accepted() -> None:
    assert {state for state, event in NEXT if event is Event.ACCEPT} == {State.SENDING}


def test_every_state_is_reached_and_every_unfinished_one_can_end() -> None:
    reached = set(FIRST.values()) | set(NEXT.values())
    assert reached == set(State)
    for state in UNFINISHED:
        assert _ends_reached_from(state) >= {State.SUCCEEDED, State.REJECTED}


def test_a_run_may_leave_a_document_in_six_states_and_sending_is_none_of_them() -> None:
    assert set(END_STATES) == set(State) - {State.SENDING}
    assert len(END_STATES) == 6


@pytest.mark.parametrize(
    ("age", "latest", "why"),
    [
        (dt.timedelta(0), dt.timedelta(0), None),
        (dt.timedelta(minutes=79, seconds=59), dt.timedelta(0), None),
        (RESEND_WINDOW, dt.timedelta(0), Cause.WINDOW_OVER),
        (dt.timedelta(minutes=81), dt.timedelta(0), Cause.WINDOW_OVER),
        (dt.timedelta(days=1), dt.timedelta(0), Cause.WINDOW_OVER),
        (-CLOCK_TOLERANCE, dt.timedelta(0), None),
        (-CLOCK_TOLERANCE - dt.timedelta(seconds=1), dt.timedelta(0), Cause.CLOCK_WENT_BACK),
        (dt.timedelta(hours=-1), dt.timedelta(0), Cause.CLOCK_WENT_BACK),
        (dt.timedelta(minutes=3), dt.timedelta(minutes=30), Cause.CLOCK_WENT_BACK),
        (dt.timedelta(minutes=31), dt.timedelta(minutes=30), None),
    ],
)
def test_a_key_may_be_sent_again_only_while_its_age_is_known_and_short(
    age: dt.timedelta, latest: dt.timedelta, why: Cause | None
) -> None:
    assert why_not_resend(NOON, NOON + age, NOON + latest) is why


def _ends_reached_from(state: State) -> set[State]:
    seen = {state}
    while True:
        more = {after for (before, _), after in NEXT.items() if before in seen} - seen
        if not more:
            return seen
        seen |= more
