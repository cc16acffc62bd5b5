"""An answer lost until its key is dead, by both clocks: what was written is found, what was not is sent once."""

import datetime as dt
from typing import Any

import anyio
import httpx
import pytest

from codat_ar_cli.cli.pushing import destination_of
from codat_ar_cli.cli.session import Session
from codat_ar_cli.domain.ids import DataType
from codat_ar_cli.domain.lifecycle import Cause, State
from codat_ar_cli.flows import push as flow
from codat_ar_cli.flows.execute import RunOutcome
from codat_ar_cli.flows.prepare import Order, Workshop, prepare

pytestmark = pytest.mark.anyio

FILE = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
C-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""
WAIT = dt.timedelta(seconds=5)


async def hurried(seconds: float) -> None:
    await anyio.sleep(min(seconds, 0.01))


class Office:
    """One user's session on Xero whose clock, with Codat's, can be moved on."""

    def __init__(self, acme, codat) -> None:
        self.codat, self.later = codat, dt.timedelta(0)
        self.file = acme.folder / "invoices.csv"
        self.file.write_text(FILE, encoding="utf-8")
        self.session = Session(env=acme.environment, folder=acme.folder, clock=self.clock)
        self.session.options.profile = "xero"

    def clock(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.later

    def pass_by(self, minutes: int) -> None:
        """Move both clocks."""
        self.later += dt.timedelta(minutes=minutes)
        httpx.post(f"{self.codat.url}/__sandbox/clock", json={"advance": minutes * 60}).raise_for_status()

    async def push(self) -> tuple[flow.Finished | None, RunOutcome]:
        """Do what `push invoices` does, in a hurry."""
        ledger, destination = self.session.ledger, destination_of(self.session, {})
        order = Order(data_type=DataType.INVOICES, path=self.file, today=self.clock().date(), source_system="file")
        common: dict[str, Any] = {
            "ledger": ledger,
            "wait": WAIT,
            "clock": self.clock,
            "on_progress": lambda _: None,
            "sleep": hurried,
        }
        async with self.session.client() as client:
            earlier = await flow.finish_sent(destination, client=client, **common)
            prepared = await prepare(order, destination, Workshop(client, ledger, self.clock))
            pushed = await flow.apply(prepared, client=client, command="push", stop=anyio.Event(), **common)
        return earlier, pushed.outcome


@pytest.fixture
def office(acme, codat):
    office = Office(acme, codat)
    with office.session:
        yield office


async def lose_the_answer(office, when: str) -> None:
    """Push while every answer is lost, then let the key die."""
    office.codat.fault(method="POST", path="/push/invoices$", drop=when)
    _, outcome = await office.push()
    assert [push.cause_code for push in outcome.pushes] == [Cause.ANSWER_LOST]
    office.codat.fault(method="POST", path="^never$", delay=0)
    office.pass_by(minutes=100)


async def test_what_was_written_is_found_when_its_key_is_dead(office) -> None:
    await lose_the_answer(office, "after")

    earlier, _ = await office.push()

    [found] = earlier.settling.settled
    assert (found.push.state, found.push.attempt, found.evidence["by"]) == (State.SUCCEEDED, 1, "marker")
    assert len(office.codat.written()) == 1


async def test_what_was_not_written_is_sent_once_under_a_new_key(office) -> None:
    await lose_the_answer(office, "before")
    assert office.codat.written() == []

    earlier, outcome = await office.push()

    assert [one.push.state for one in earlier.settling.settled] == [State.PLANNED]
    assert [(push.state, push.attempt) for push in outcome.pushes] == [(State.SUCCEEDED, 2)]
    assert len(office.codat.written()) == 1
