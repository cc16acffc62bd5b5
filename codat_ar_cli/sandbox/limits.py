"""Codat's rate limits (reference §1.3): always counted and told, enforced only when asked."""

from collections import Counter, deque
from datetime import datetime, timedelta

from codat_ar_cli.sandbox.answers import ApiError, stamp

PER_COMPANY = 1000
"""Requests a day for the client itself and for each active company."""
CONCURRENT = 10
"""Requests at once per company."""
PER_MINUTE = 1000
"""Requests per client address in any sixty seconds."""
_TOO_MANY = "You have made too many requests in a given amount of time; please retry later."


class Limits:
    """Counts requests: by UTC day, by address and minute, and those in flight by company."""

    def __init__(self, *, enforced: bool) -> None:
        self.enforced = enforced
        self.used = 0
        self.day: str | None = None
        self._minutes: dict[str, deque[datetime]] = {}
        self._in_flight: Counter[str] = Counter()

    def enter(self, *, now: datetime, quota: int, address: str, company: str | None) -> None:
        """Count a request that starts; raises the 429 with `Retry-After` when a limit is enforced and reached.

        A refused request counts neither for the quota nor as in flight; one that got in must `leave`.
        """
        self._turn_day(now)
        minute = self._minutes.setdefault(address, deque())
        while minute and now - minute[0] >= timedelta(minutes=1):
            minute.popleft()
        if self.enforced:
            self._refuse_excess(now, quota, minute, company)
        minute.append(now)
        self.used += 1
        if company is not None:
            self._in_flight[company] += 1

    def leave(self, company: str | None) -> None:
        """Count a request that ended."""
        if company is None:
            return
        self._in_flight[company] -= 1
        if self._in_flight[company] <= 0:
            del self._in_flight[company]

    def headers(self, *, now: datetime, quota: int) -> dict[str, str]:
        """Give the headers that every response carries."""
        self._turn_day(now)
        return {
            "X-Rate-Limit-Limit": str(quota),
            "X-Rate-Limit-Remaining": str(max(0, quota - self.used)),
            "X-Rate-Limit-Reset": stamp(_midnight_after(now)),
        }

    def _turn_day(self, now: datetime) -> None:
        today = now.date().isoformat()
        if self.day != today:
            self.day, self.used = today, 0

    def _refuse_excess(self, now: datetime, quota: int, minute: deque[datetime], company: str | None) -> None:
        if self.used >= quota:
            raise _too_many(_midnight_after(now) - now)
        if len(minute) >= PER_MINUTE:
            raise _too_many(minute[0] + timedelta(minutes=1) - now)
        if company is not None and self._in_flight[company] >= CONCURRENT:
            raise _too_many(timedelta(seconds=1))


def _too_many(wait: timedelta) -> ApiError:
    seconds = max(1, -int(-wait.total_seconds() // 1))
    return ApiError(429, _TOO_MANY, headers={"Retry-After": str(seconds)})


def _midnight_after(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
