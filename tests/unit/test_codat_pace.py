"""The pace of requests: never more than the limit in any stretch, never slower than it must be."""

import datetime as dt

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.codat.pace import Pace
from codat_ar_cli.codat.transport import Transport


class _Time:
    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def departures(gaps: list[float], *, requests: int, seconds: float) -> list[float]:
    """When requests leave that come with these gaps between them."""
    time, left = _Time(), []
    pace = Pace(time.sleep, requests=requests, seconds=seconds, now=lambda: time.now)

    async def work() -> None:
        for gap in gaps:
            time.now += gap
            await pace.turn()
            left.append(time.now)

    anyio.run(work)
    return left


def test_as_many_as_the_limit_leave_at_once_and_the_next_when_the_first_is_old_enough():
    assert departures([0.0] * 5, requests=3, seconds=60.0) == [0.0, 0.0, 0.0, 60.0, 60.0]


def test_who_comes_slowly_never_waits():
    assert departures([30.0] * 4, requests=2, seconds=60.0) == [30.0, 60.0, 90.0, 120.0]


@given(st.lists(st.integers(0, 20).map(float), max_size=40), st.integers(1, 5))
def test_no_stretch_of_time_holds_more_than_the_limit(gaps, requests):
    left = departures(gaps, requests=requests, seconds=60.0)

    assert all(later - earlier >= 60.0 for earlier, later in zip(left, left[requests:], strict=False))


@pytest.mark.anyio
async def test_the_client_waits_its_turn_before_each_request():
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    answers = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    async with Transport(
        base_url="https://api.codat.io",
        api_key="k",
        clock=lambda: dt.datetime.now(dt.UTC),
        sleep=sleep,
        transport=answers,
        pace=Pace(sleep, requests=2, seconds=60.0, now=lambda: 60.0 * len(waited)),
    ) as client:
        for _ in range(3):
            await client.send("GET", "/profile")

    assert waited == [60.0]
