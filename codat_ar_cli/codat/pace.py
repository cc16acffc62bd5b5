"""Codat's limit per address, kept by waiting instead of by being refused (reference §1.3)."""

from collections import deque
from collections.abc import Awaitable, Callable

import anyio

REQUESTS = 1000
SECONDS = 60.5
"""Codat counts arrivals, we count departures: the half second covers what the network squeezes together."""


class Pace:
    """Lets at most so many requests leave in any stretch of so many seconds; who comes too soon waits its turn.

    One client's requests are counted here; several processes on one host are not yet counted together.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[object]],
        *,
        requests: int = REQUESTS,
        seconds: float = SECONDS,
        now: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._sleep = sleep
        self._requests = requests
        self._seconds = seconds
        self._now = now
        self._left: deque[float] = deque()
        """When the requests of the last stretch left, oldest first."""

    async def turn(self) -> None:
        """Return when one more request may leave, and count it as leaving now."""
        while True:
            now = self._now()
            while self._left and self._left[0] <= now - self._seconds:
                self._left.popleft()
            if len(self._left) < self._requests:
                self._left.append(now)
                return
            await self._sleep(self._left[0] + self._seconds - now)
