"""The sandbox's own time: the wall clock, moved forward or back on request."""

from collections.abc import Callable
from datetime import datetime, timedelta


class SandboxClock:
    """Tells the sandbox's time. Delays, timeouts, the quota's day and idempotency all run by it."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Read the sandbox's time, aware and UTC."""
        return self._wall() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the time on by so many seconds; negative moves it back. Raises OverflowError off the calendar."""
        moved = self.offset + timedelta(seconds=seconds)
        _ = self._wall() + moved
        self.offset = moved

    def set(self, instant: datetime) -> None:
        """Make it be `instant` now; time goes on from there."""
        self.offset = instant - self._wall()
