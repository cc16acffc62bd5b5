"""Send one document: each way a request can end, and what follows from it (the event table of design D10)."""

import datetime as dt
from dataclasses import dataclass

from codat_ar_cli.codat.errors import (
    AccessForbidden,
    AccountLimited,
    AnswerLost,
    CodatError,
    CodatFault,
    KeyBodyMismatch,
    KeyInProgress,
    KeyRefused,
    NotSent,
    PlaceGone,
    RateLimited,
    RecordNotFound,
    RequestRejected,
)
from codat_ar_cli.domain.lifecycle import Cause, Event, State, why_not_resend
from codat_ar_cli.domain.pushes import Facts, Push
from codat_ar_cli.domain.types import PushId
from codat_ar_cli.flows.news import facts_of
from codat_ar_cli.flows.workload import Workload
from codat_ar_cli.ledger.errors import LedgerDamaged
from codat_ar_cli.ledger.identity import body_sha256

_TRIES = 7
"""Requests of one document that come to nothing, about half a minute, before it is left for the next run."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_UNANSWERED_LIMIT = 3
"""So many documents in a row without an answer, and Codat counts as unreachable."""
_FAULT_LIMIT = 5
"""So many 5xx in a row, and the run stops: each one puts a document in doubt."""

_NOT_THE_DOCUMENT = (KeyRefused, AccountLimited, AccessForbidden, PlaceGone)


@dataclass(slots=True)
class _Delivery:
    """One document on its way."""

    push: Push
    exposed: bool
    """A request under its key may have arrived without our knowing. Then only the same key is safe, and what
    a later request meets (401, say) proves nothing about the earlier one."""
    first_sent_at: dt.datetime | None
    latest_seen: dt.datetime
    codats_time_then: dt.datetime | None = None
    """Codat's clock at the first request, where this process made it: two clocks that differ for good are no
    reason to doubt a key's age."""
    misses: int = 0
    busy: float = 0.0
    """Seconds spent waiting for an earlier request under its key."""


class Sender:
    """Sends documents of one workload; knows what the ones before met."""

    def __init__(self, work: Workload) -> None:
        self._work = work
        self._unanswered = 0
        self._faults = 0

    async def send(self, push_id: PushId) -> None:
        """Bring one document that is planned, sending, or in doubt after a lost answer to an answer.

        Afterwards it is in any state but sending. Raises LedgerDamaged where its body is not the one planned.
        """
        delivery = self._begin(push_id)
        again = True
        while again:
            await self._work.gate()
            async with self._work.slots:
                # Looked at again here: the wait for a slot may have outlived the run or the key.
                if self._work.halted.is_set():
                    self._leave(delivery, None)
                    return
                if not self._may_send(delivery):
                    return
                pause = await self._request(delivery)
            again = pause is not None
            await self._work.pause(pause or 0.0)

    def _begin(self, push_id: PushId) -> _Delivery:
        work = self._work
        push = work.ledger.push(push_id)
        if push.body is None or push.idempotency_key is None or body_sha256(push.body) != push.body_sha256:
            raise LedgerDamaged(work.ledger.name, f"the body of {push.label} is not the one that was planned")
        latest_seen = None
        if push.state is not State.PLANNED:
            latest_seen = work.ledger.latest_instant_since_send(push_id)
        if push.state is State.IN_DOUBT:
            work.move(push_id, Event.SETTLE_RESEND)
        return _Delivery(
            push,
            exposed=push.state is not State.PLANNED,
            first_sent_at=push.first_sent_at,
            latest_seen=latest_seen or work.clock(),
        )

    def _may_send(self, delivery: _Delivery) -> bool:
        """Check the key's age by the later of our clock and Codat's; past it, the document is in doubt."""
        if not delivery.exposed:
            return True
        now, theirs = self._work.clock(), self._work.client.server_time
        sent = delivery.first_sent_at or now
        why = why_not_resend(sent, now, delivery.latest_seen)
        if why is None and theirs is not None:
            sent_by_theirs = delivery.codats_time_then or sent
            why = why_not_resend(sent_by_theirs, max(theirs, sent_by_theirs), sent_by_theirs)
        if why is None:
            return True
        self._doubt(delivery, why, _NOT_RESENT[why])
        return False

    async def _request(self, delivery: _Delivery) -> float | None:
        """Commit, then make one request; give the seconds to wait before the next one, None where there is none."""
        work, push = self._work, delivery.push
        now = work.clock()
        work.move(push.id, Event.SEND)
        if not delivery.exposed:
            delivery.first_sent_at = now
            delivery.codats_time_then = work.client.server_time
        delivery.latest_seen = max(delivery.latest_seen, now)
        try:
            operation = await work.client.push(
                push.identity.company,
                push.identity.connection,
                push.identity.data_type,
                push.body or "",
                idempotency_key=push.idempotency_key or "",
            )
        except CodatError as error:
            return self._failed(delivery, error)
        self._faults = self._unanswered = 0
        work.answered()
        work.note(push.id, operation, asked_at=delivery.first_sent_at or now)
        return None

    def _failed(self, delivery: _Delivery, error: CodatError) -> float | None:
        work = self._work
        match error:
            case NotSent():
                return self._not_sent(delivery, error)
            case AnswerLost():
                delivery.exposed = True
                return self._lost(delivery, error)
            case RateLimited():
                return self._limited(delivery, error)
            case KeyInProgress():
                delivery.exposed = True
                return self._in_progress(delivery, error)
            case KeyBodyMismatch():
                work.defects.append(error)
                work.move(delivery.push.id, Event.DOUBT, facts_of(error, Cause.KEY_CONFLICT))
            case _ if isinstance(error, _NOT_THE_DOCUMENT):
                work.stop(error)
                self._leave(delivery, error, renew_key=True)
            case RecordNotFound() | RequestRejected():
                self._faults = self._unanswered = 0
                work.move(delivery.push.id, Event.REJECT, facts_of(error))
            case CodatFault():
                work.move(delivery.push.id, Event.DOUBT, facts_of(error, Cause.SERVER_FAULT))
                self._faults += 1
                if self._faults >= _FAULT_LIMIT:
                    work.stop(error)
            case _:
                work.move(delivery.push.id, Event.DOUBT, facts_of(error, Cause.UNKNOWN_ANSWER))
        return None

    def _not_sent(self, delivery: _Delivery, error: CodatError) -> float | None:
        delivery.misses += 1
        if delivery.misses >= _TRIES:
            self._work.stop(error)
            self._leave(delivery, error)
            return None
        self._put_back(delivery, error)
        return _back_off(delivery.misses)

    def _lost(self, delivery: _Delivery, error: CodatError) -> float | None:
        delivery.misses += 1
        if delivery.misses < _TRIES:
            return _back_off(delivery.misses)
        self._unanswered += 1
        if self._unanswered >= _UNANSWERED_LIMIT:
            self._work.stop(error)
        self._leave(delivery, error)
        return None

    def _limited(self, delivery: _Delivery, error: RateLimited) -> float | None:
        delivery.misses += 1
        seconds = _back_off(delivery.misses) if error.retry_after is None else max(error.retry_after, _FIRST_PAUSE)
        self._work.hold_all(seconds, error)
        if self._work.halted.is_set():
            self._leave(delivery, error)
            return None
        self._put_back(delivery, error)
        return 0.0

    def _in_progress(self, delivery: _Delivery, error: CodatError) -> float | None:
        delivery.misses += 1
        seconds = _back_off(delivery.misses)
        delivery.busy += seconds
        if delivery.busy > self._work.patience.total_seconds():
            self._leave(delivery, error)
            return None
        return seconds

    def _put_back(self, delivery: _Delivery, error: CodatError) -> None:
        """Record that nothing was sent, so that even a crash during the pause finds the truth."""
        if not delivery.exposed:
            self._work.move(delivery.push.id, Event.STOP, facts_of(error))

    def _leave(self, delivery: _Delivery, error: CodatError | None, *, renew_key: bool = False) -> None:
        """Leave a document for the next run: planned where surely nothing arrived, else in doubt."""
        work, push = self._work, delivery.push
        if work.states[push.id] is not State.SENDING:
            return
        if delivery.exposed:
            self._doubt(delivery, Cause.ANSWER_LOST, _LOST)
        else:
            work.move(push.id, Event.STOP, facts_of(error) if error else Facts(), renew_key=renew_key)

    def _doubt(self, delivery: _Delivery, cause: Cause, text: str) -> None:
        self._work.move(delivery.push.id, Event.DOUBT, Facts(cause_code=cause, cause_text=text))


_LOST = "sent, but the answer was lost; running again within 80 minutes of sending asks again under the same key"
_NOT_RESENT: dict[Cause, str] = {
    Cause.WINDOW_OVER: "sent, the answer was lost, and its idempotency key is too old to ask again",
    Cause.CLOCK_WENT_BACK: "sent, the answer was lost, and the clock went back, so its key's age is not known",
}


def _back_off(misses: int) -> float:
    """Seconds before the next try: half a second, doubled each time."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(misses - 1, 10))
