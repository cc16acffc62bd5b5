"""What will happen later: steps that fall due by the sandbox's clock, carried out in order of time.

Nothing runs in the background. Whoever is about to look at the sandbox calls `settle` first, and then all is
as it would be had each step run at its own instant. So a test that moves the clock needs no waiting.
"""

import heapq
from collections.abc import Callable
from datetime import datetime

Step = Callable[[datetime], None]
"""Carries one step out, as of the instant it is given."""


class Timeline:
    """A queue of steps by the instant they fall due."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Step]] = []
        self._count = 0

    def add(self, at: datetime, step: Step) -> None:
        """Plan a step; equal instants keep the order in which they were planned."""
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, step))

    def settle(self, now: datetime) -> None:
        """Carry out every step that is due by now."""
        while self._queue and self._queue[0][0] <= now:
            at, _, step = heapq.heappop(self._queue)
            step(at)
