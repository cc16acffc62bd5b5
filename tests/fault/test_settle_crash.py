"""A crash anywhere, then a long absence; a crash anywhere in settling too: every document ends up there exactly once.

The keys are dead by then, so only what the books and the operations show can tell what was written.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pushworld import COMPANY, CONNECTION, HOST, Fault, failing
from settleworld import SettleWorld, invoice, payment

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.settling import Lookup
from codat_ar_cli.flows import settle as settle_flow
from codat_ar_cli.ledger.store import Ledger

pytestmark = pytest.mark.anyio

DOCUMENTS = (invoice("INV-1"), invoice("INV-2", total="60.00"), payment("P-1"))
FAULTS = (
    Fault("after", failing(errors.CodatFault, 502)),
    Fault("answer", failing(errors.CodatFault, 503)),
    Fault("before", failing(errors.AnswerLost)),
)


class Crash(BaseException):
    """The process is gone: nothing catches it."""


class CrashAt:
    """Ends the process at its nth effect, and at every later one."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __call__(self, effect: str) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Crash(effect)


NEVER = 1_000_000


@asynccontextmanager
async def process(world: SettleWorld, n: int) -> AsyncIterator[Ledger]:
    """Run a process that dies at its nth effect."""
    world.client._on_effect = crash = CrashAt(n)
    try:
        with world.open(crash) as ledger:
            yield ledger
    except* Crash:
        pass
    finally:
        world.client._on_effect = lambda _effect: None
        world.client.faults.clear()


async def push_and_crash(world: SettleWorld, n: int) -> bool:
    """Push everything, dying at the nth effect; tell whether it lived."""
    world.client.faults.extend(FAULTS)
    async with process(world, n) as ledger:
        await world.push(ledger, *DOCUMENTS, minutes=1)
        return True
    return False


async def recover(world: SettleWorld, n: int = NEVER) -> bool:
    """Finish, settle and send what is missing, dying at the nth effect; tell whether it lived."""
    async with process(world, n) as ledger:
        await world.execute(ledger, None)
        await world.settle(ledger)
        await world.execute(ledger, None)
        return True
    return False


def assert_exactly_once(world: SettleWorld) -> None:
    with world.open() as ledger:
        left = ledger.unfinished(api_host=HOST, company=COMPANY, connection=CONNECTION)
        assert left == []
        planned = [push for run in ledger.runs() for push in ledger.pushes(run.id)]
        assert all(push.state is State.SUCCEEDED for push in planned)
        assert {push.record_id for push in planned} == {record.id for record in world.server.records}
        assert sorted(world.bodies()) == sorted(push.body or "" for push in planned)
        assert ledger.chain_breaks() == []


def fresh(tmp_path: Path, name: object) -> SettleWorld:
    folder = tmp_path / str(name)
    folder.mkdir()
    return SettleWorld(folder)


async def count_effects(folder: Path) -> int:
    n = 1
    while not await push_and_crash(fresh(folder, f"count-{n}"), n):
        n += 1
    return n


async def test_a_crash_anywhere_in_a_push_is_settled_after_a_long_absence(tmp_path: Path) -> None:
    effects = await count_effects(tmp_path)
    assert effects > 20
    for n in range(1, effects + 1):
        world = fresh(tmp_path, n)
        await push_and_crash(world, n)
        world.time.pass_by(minutes=100)
        assert await recover(world)
        assert_exactly_once(world)


async def test_a_crash_anywhere_in_settling_is_gone_on_from(tmp_path: Path) -> None:
    n, has_lived = 0, False
    while not has_lived:
        n += 1
        world = fresh(tmp_path, n)
        await push_and_crash(world, NEVER)
        world.time.pass_by(minutes=100)
        has_lived = await recover(world, n)
        assert await recover(world)
        assert_exactly_once(world)
    assert n > 10


async def test_without_looking_the_same_crashes_write_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle_flow, "look_up", lambda *_args, **_more: Lookup())
    twice = 0
    for n in range(1, await count_effects(tmp_path)):
        world = fresh(tmp_path, n)
        await push_and_crash(world, n)
        world.time.pass_by(minutes=100)
        await recover(world)
        twice += len(world.bodies()) - len(set(world.bodies()))
    assert twice > 0
