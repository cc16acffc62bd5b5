"""The life of one push as a table of moves (design D10). Nothing else in the tool changes a push's state."""

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

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self in {State.SUCCEEDED, State.REJECTED}


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
}
"""Every move there is; a pair that is not here is a defect of ours."""

RESEND_WINDOW_MINUTES = 80
"""How long a key may be sent again. Codat keeps a key 90 minutes (reference §1.5); ten are kept in hand."""


class IllegalMove(Exception):
    """The table has no such move: a defect of ours, never the user's."""


def move(state: State, event: Event) -> State:
    """Give the state that follows; raises IllegalMove where the table has none."""
    try:
        return NEXT[state, event]
    except KeyError:
        raise IllegalMove(f"a push that is {state} can't {event}") from None
