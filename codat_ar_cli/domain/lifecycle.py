"""The life of one push as a table of moves (design D10). Nothing else in the tool changes a push's state."""

import datetime as dt
from enum import StrEnum


class State(StrEnum):
    """Where one intended write stands."""

    PLANNED = "planned"
    """Not sent yet; the next run sends it."""
    SENDING = "sending"
    """Committed before the request left; seen after a crash, it is sent again with the same key."""
    PENDING = "pending"
    """Codat has it (a push operation exists); the platform has not finished."""
    SUCCEEDED = "succeeded"
    """In the books, with its record id."""
    REJECTED = "rejected"
    """Refused for this body; a corrected document gets a new key."""
    IN_DOUBT = "in_doubt"
    """May or may not be in the books; left only by settling."""
    HELD = "held"
    """Never sent: a finding or a dependency holds it."""


class Event(StrEnum):
    """What can happen to a push."""

    PLAN = "plan"
    """Planned again, with a new body, after it was held or rejected."""
    HOLD = "hold"
    SEND = "send"
    """About to be sent (committed first), or sent again with the same key inside the window."""
    ACCEPT = "accept"
    """Codat answered with a push operation that is not finished."""
    SUCCEED = "succeed"
    REJECT = "reject"
    DOUBT = "doubt"
    """A 5xx, a lost answer older than the window, TimedOut, Success without id."""
    STOP = "stop"
    """Refused for a reason that is not the document's (key, quota, connection): back to planned."""
    SETTLE_FOUND = "settle_found"
    """Settling found the record in the books, or the finished operation."""
    SETTLE_REJECTED = "settle_rejected"
    """Settling found the operation, failed."""
    SETTLE_PENDING = "settle_pending"
    """Settling found the operation, still going."""
    SETTLE_ABSENT = "settle_absent"
    """Settling proved that nothing was written: may be sent again with a new key."""
    SETTLE_RESEND = "settle_resend"
    """Its answer was lost and its key still lives: asking again with the same key and bytes settles it."""


NEXT: dict[tuple[State, Event], State] = {
    (State.HELD, Event.PLAN): State.PLANNED,
    (State.REJECTED, Event.PLAN): State.PLANNED,
    (State.PLANNED, Event.PLAN): State.PLANNED,
    (State.HELD, Event.HOLD): State.HELD,
    (State.PLANNED, Event.HOLD): State.HELD,
    (State.REJECTED, Event.HOLD): State.HELD,
    (State.PLANNED, Event.SEND): State.SENDING,
    (State.SENDING, Event.SEND): State.SENDING,
    (State.SENDING, Event.ACCEPT): State.PENDING,
    (State.SENDING, Event.SUCCEED): State.SUCCEEDED,
    (State.SENDING, Event.REJECT): State.REJECTED,
    (State.SENDING, Event.DOUBT): State.IN_DOUBT,
    (State.SENDING, Event.STOP): State.PLANNED,
    (State.PENDING, Event.SUCCEED): State.SUCCEEDED,
    (State.PENDING, Event.REJECT): State.REJECTED,
    (State.PENDING, Event.DOUBT): State.IN_DOUBT,
    (State.IN_DOUBT, Event.SETTLE_FOUND): State.SUCCEEDED,
    (State.IN_DOUBT, Event.SETTLE_REJECTED): State.REJECTED,
    (State.IN_DOUBT, Event.SETTLE_PENDING): State.PENDING,
    (State.IN_DOUBT, Event.SETTLE_ABSENT): State.PLANNED,
    (State.IN_DOUBT, Event.SETTLE_RESEND): State.SENDING,
}
"""Every move there is; a pair that is not here is a defect of ours."""

FIRST: dict[Event, State] = {Event.PLAN: State.PLANNED, Event.HOLD: State.HELD}
"""How a push that the ledger has never seen begins."""

UNFINISHED = frozenset({State.PLANNED, State.SENDING, State.PENDING, State.IN_DOUBT})
"""States that the next run has work with."""

END_STATES = (State.SUCCEEDED, State.REJECTED, State.HELD, State.IN_DOUBT, State.PENDING, State.PLANNED)
"""The six that a run may leave a document in, in the order people read them."""

RESEND_WINDOW = dt.timedelta(minutes=80)
"""How long a key may be sent again. Codat keeps a key 90 minutes (reference §1.5); ten are kept in hand."""

CLOCK_TOLERANCE = dt.timedelta(seconds=5)
"""How far a clock may step back (time service corrections) before we stop trusting the age of a key."""


class Cause(StrEnum):
    """Why a push is where it is, where Codat gave no code of its own: stable, for `--json` and for `settle`."""

    ANSWER_LOST = "doubt.answer-lost"
    """Sent, no answer, key still alive when last looked: the only doubt that sending again can settle."""
    WINDOW_OVER = "doubt.window-over"
    """Sent, no answer, and the key is too old to be sent again."""
    CLOCK_WENT_BACK = "doubt.clock-went-back"
    SERVER_FAULT = "doubt.server-fault"
    """A 5xx: Codat replays it for 90 minutes under that key."""
    UNKNOWN_ANSWER = "doubt.unknown-answer"
    """An answer that the reference does not know."""
    KEY_CONFLICT = "doubt.key-conflict"
    """Codat holds another body under this key: a defect of ours, or a ledger that was edited."""
    TIMED_OUT = "doubt.timed-out"
    """Codat stopped waiting for the platform; the record may still appear (reference §9.2)."""
    NO_RECORD_ID = "doubt.no-record-id"
    """Codat says Success and names no record."""
    OPERATION_FAILED = "rejected.operation-failed"
    """The platform refused it."""


def why_not_resend(first_sent_at: dt.datetime, now: dt.datetime, latest_seen: dt.datetime) -> Cause | None:
    """Tell why a key may not be sent again; None: it may.

    first_sent_at: when the key's first request was about to leave. latest_seen: the latest instant that this
    ledger or this run has seen; a clock behind it has gone back, and ages measured by it mean nothing.
    """
    if now < max(latest_seen, first_sent_at) - CLOCK_TOLERANCE:
        return Cause.CLOCK_WENT_BACK
    return Cause.WINDOW_OVER if now - first_sent_at >= RESEND_WINDOW else None


class IllegalMove(Exception):
    """The table has no such move: a defect of ours, never the user's."""


def move(state: State, event: Event) -> State:
    """Give the state that follows; raises IllegalMove where the table has none."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise IllegalMove(f"a push that is {state} can't {event}") from None
