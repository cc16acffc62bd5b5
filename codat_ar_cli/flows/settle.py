"""Decide documents in doubt by reading, never by hoping; each finding is committed at once (design D10)."""

import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from codat_ar_cli.codat.errors import PlaceGone, RecordNotFound
from codat_ar_cli.domain.ids import CompanyId, ConnectionId, DataType, PushId
from codat_ar_cli.domain.lifecycle import Cause, Event, State, why_not_resend
from codat_ar_cli.domain.pushes import Facts, Push
from codat_ar_cli.domain.settling import (
    FoundBy,
    Lookup,
    Settled,
    SettleReport,
    look_up,
    may_have_written,
    sought,
    why_never_again,
)
from codat_ar_cli.errors import CodatArError
from codat_ar_cli.flows.looking import Reader, View, operation_json
from codat_ar_cli.flows.news import SETTLED_BY, news_of
from codat_ar_cli.flows.sync import DEFAULT_WAIT, STOPS_EVERYTHING
from codat_ar_cli.ledger.errors import LedgerError

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger

APART = dt.timedelta(seconds=30)
"""How long after the first look the second one begins: what Codat was slow to list, or the platform slow to show,
has appeared by then."""

_ENDING: tuple[type[CodatArError], ...] = (LedgerError, *STOPS_EVERYTHING)
_ORDER = (DataType.CUSTOMERS, DataType.ITEMS, DataType.PAYMENTS, DataType.INVOICES, DataType.CREDIT_NOTES)
"""Payments before invoices, whose allocations come from them (reference §3.4); other types come last."""


async def settle(
    client: "CodatClient",
    ledger: "Ledger",
    *,
    api_host: str,
    company: CompanyId,
    connection: ConnectionId,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], Awaitable[None]],
    on_progress: Callable[[str], None] = lambda _: None,
    apart: dt.timedelta | None = None,
    wait: dt.timedelta = DEFAULT_WAIT,
) -> SettleReport:
    """Find out what became of every document in doubt of a connection. Sends nothing.

    What is surely in the books takes on its record; what is surely not there, by two looks at least `apart` from
    each other, is planned for a new attempt; the rest stays in doubt, with its reason and evidence. The caller
    holds the company. wait: for Codat's syncs. Raises LedgerError; what else ends the reading is in the report.
    """
    settler = _Settler(
        Reader(client, ledger, api_host, company, connection, clock, sleep, on_progress=on_progress, wait=wait)
    )
    doubts = [push for push in settler.sent() if push.state is State.IN_DOUBT]
    try:
        await settler.settle(doubts, APART if apart is None else apart)
    except LedgerError:
        raise
    except CodatArError as error:
        settler.trouble = error
    return SettleReport(tuple(settler.report(push) for push in doubts), settler.trouble)


def unread(pushes: Iterable[Push], why: CodatArError) -> SettleReport:
    """Report documents in doubt that could not be looked for at all."""
    doubts = (push for push in pushes if push.state is State.IN_DOUBT)
    return SettleReport(tuple(Settled(push, _unread(why)) for push in doubts), why)


def _unread(why: CodatArError) -> str:
    return f"it could not be looked for: {why.message}"


def key_lives(ledger: "Ledger", push: Push, now: dt.datetime) -> bool:
    """Tell whether Codat may still know a document by its key, so that only the same key is safe."""
    if push.first_sent_at is None:
        return False
    seen = ledger.latest_instant_since_send(push.id) or push.first_sent_at
    return why_not_resend(push.first_sent_at, max(now, seen), seen) is not Cause.WINDOW_OVER


@dataclass(slots=True)
class _Settler:
    """One settling: what it has found so far, and the only way by which it moves documents."""

    reader: Reader
    said: dict[PushId, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Reason and evidence of each document looked at."""
    trouble: CodatArError | None = None

    async def settle(self, doubts: Sequence[Push], apart: dt.timedelta) -> None:
        await self._read_operations(doubts)
        doubts = [push for push in doubts if self._now(push).state is State.IN_DOUBT]
        if not doubts:
            return
        await self.reader.open()
        absent = await self._look(doubts, is_last=False)
        if absent:
            self.reader.on_progress(f"nothing found of {len(absent)}; looking again in {apart.total_seconds():.0f} s")
            await self.reader.sleep(apart.total_seconds())
            await self._look(absent, is_last=True)

    def sent(self) -> list[Push]:
        """Give every document of the connection that may have reached the books and has no record yet."""
        reader = self.reader
        unfinished = reader.ledger.unfinished(
            api_host=reader.api_host, company=reader.company, connection=reader.connection
        )
        return [push for push in unfinished if push.state is not State.PLANNED]

    def report(self, push: Push) -> Settled:
        reason, evidence = self.said.get(push.id, (_unread(self.trouble) if self.trouble else "", {}))
        return Settled(self._now(push), reason, evidence)

    def _now(self, push: Push) -> Push:
        return self.reader.ledger.push(push.id)

    def _move(self, push: Push, event: Event, facts: Facts, reason: str) -> None:
        """Commit a finding and remember why."""
        self.reader.ledger.move(push.id, event, facts)
        self.said[push.id] = (reason, dict(facts.evidence))

    def _leave(self, push: Push, reason: str, evidence: dict[str, Any]) -> None:
        """Leave a document in doubt, and keep what was seen."""
        self.reader.ledger.note_look(push.id, {"why": reason, **evidence})
        self.said[push.id] = (reason, evidence)

    async def _read_operations(self, doubts: Iterable[Push]) -> None:
        """Read the operation of each document whose operation is known: what was TimedOut may have ended since."""
        for push in doubts:
            if push.operation_key is None:
                continue
            self.reader.on_progress(f"reading the push operation of {push.label}")
            try:
                operation = await self.reader.client.push_operation(self.reader.company, push.operation_key)
            except PlaceGone:
                raise
            except RecordNotFound:
                continue
            event, facts = news_of(operation)
            if settled := SETTLED_BY.get(event):
                evidence = {"by": "operation", "operation": operation_json(operation)}
                reason = f"Codat's push operation says {operation.status.value}"
                self._move(push, settled, replace(facts, evidence=evidence), reason)

    async def _look(self, doubts: Sequence[Push], *, is_last: bool) -> list[Push]:
        """Look once; give those of which nothing is to be seen and whose absence would be proof."""
        types = {push.identity.data_type for push in doubts}
        listed = await self.reader.operations(types)
        absent: list[Push] = []
        for data_type in sorted(types, key=_place):
            mine = [push for push in doubts if push.identity.data_type is data_type]
            try:
                view = await self.reader.view(data_type, mine, listed)
            except _ENDING:
                raise
            except CodatArError as error:
                # Books that can't be read say nothing, least of all that a document is not there.
                self.trouble = self.trouble or error
                for push in mine:
                    self._leave(push, _unread(error), {})
                continue
            for push, lookup in self._lookups(mine, view):
                if self._decide(push, lookup, view, is_last=is_last):
                    absent.append(push)
        return absent

    def _lookups(self, doubts: Sequence[Push], view: View) -> list[tuple[Push, Lookup]]:
        """Look all of them up; a record that several documents on their way could be is none of theirs for sure."""
        ids = {push.id for push in doubts}
        rivals = [push for push in self.sent() if push.id not in ids and push.identity.data_type is view.data_type]
        found: list[tuple[Push, Lookup]] = []
        for push in (*doubts, *rivals):
            wanted = sought(push, self.reader.platform)
            found.append((push, look_up(wanted, view.records.values(), taken=view.taken)))
        claims = Counter(lookup.found.id for _, lookup in found if lookup.found)
        return [
            (push, Lookup(candidates=(lookup.found,), why=_SEVERAL))
            if lookup.found and claims[lookup.found.id] > 1
            else (push, lookup)
            for push, lookup in found[: len(doubts)]
        ]

    def _decide(self, push: Push, lookup: Lookup, view: View, *, is_last: bool) -> bool:
        """Act on what one look says of one document; tell whether a second look may prove it absent."""
        if lookup.found is not None:
            is_marked = lookup.by is FoundBy.MARKER
            reason = "a record of the books carries our id" if is_marked else "it can be only one record of the books"
            facts = Facts(record_id=lookup.found.id, evidence={"by": str(lookup.by), **view.evidence(lookup)})
            self._move(push, Event.SETTLE_FOUND, facts, reason)
            return False
        wanted = sought(push, self.reader.platform)
        strangers = [each for each in view.strangers if may_have_written(each, view.records, wanted)]
        evidence = view.evidence(lookup, strangers)
        lives = key_lives(self.reader.ledger, push, self.reader.clock())
        never = why_never_again(push.cause_code, wanted, is_offline=self.reader.is_offline, key_lives=lives)
        if lookup.candidates:
            self._leave(push, lookup.why, evidence)
        elif never:
            self._leave(push, f"not seen in the books, which is no proof: {never}", evidence)
        elif strangers:
            self._leave(push, "not seen in the books, but Codat lists push operations that may be it", evidence)
        elif is_last:
            facts = Facts(cause_text=_ABSENT, evidence={"by": "absence", **evidence})
            self._move(push, Event.SETTLE_ABSENT, facts, _ABSENT)
        else:
            self._leave(push, "not seen in the books so far", evidence)
            return True
        return False


_ABSENT = "neither in the books nor among Codat's push operations, looked for twice; the next push sends it again"
_SEVERAL = "several documents could be the same record of the books: which one it is can't be told"


def _place(data_type: DataType) -> tuple[int, str]:
    return (_ORDER.index(data_type) if data_type in _ORDER else len(_ORDER), data_type.value)
