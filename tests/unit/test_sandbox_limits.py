"""Quota, minute and concurrency limits."""

from datetime import UTC, datetime, timedelta

import pytest

from codat_ar_cli.sandbox.answers import ApiError
from codat_ar_cli.sandbox.limits import CONCURRENT, PER_MINUTE, Limits

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def enter(limits: Limits, *, now: datetime = NOON, quota: int = 10_000, company: str | None = None) -> None:
    limits.enter(now=now, quota=quota, address="127.0.0.1", company=company)


def test_the_quota_counts_down_and_starts_anew_at_midnight_utc() -> None:
    limits = Limits(enforced=True)
    for _ in range(3):
        enter(limits, quota=3)

    with pytest.raises(ApiError) as raised:
        enter(limits, quota=3)

    assert raised.value.status == 429
    assert raised.value.headers["Retry-After"] == str(12 * 3600)
    assert limits.headers(now=NOON, quota=3) == {
        "X-Rate-Limit-Limit": "3",
        "X-Rate-Limit-Remaining": "0",
        "X-Rate-Limit-Reset": "2026-11-23T00:00:00Z",
    }
    enter(limits, now=NOON + timedelta(hours=12), quota=3)


def test_a_minute_takes_a_thousand_requests_in_a_sliding_window() -> None:
    limits = Limits(enforced=True)
    for number in range(PER_MINUTE):
        enter(limits, now=NOON + timedelta(milliseconds=number))

    with pytest.raises(ApiError) as raised:
        enter(limits, now=NOON + timedelta(seconds=59))

    assert raised.value.headers["Retry-After"] == "1"
    enter(limits, now=NOON + timedelta(seconds=60))


def test_a_company_has_ten_requests_at_once() -> None:
    limits = Limits(enforced=True)
    for _ in range(CONCURRENT):
        enter(limits, company="a")

    with pytest.raises(ApiError):
        enter(limits, company="a")

    enter(limits, company="b")
    limits.leave("a")
    enter(limits, company="a")


def test_unenforced_limits_are_counted_and_never_refuse() -> None:
    limits = Limits(enforced=False)
    for _ in range(5):
        enter(limits, quota=2, company="a")

    assert limits.headers(now=NOON, quota=2)["X-Rate-Limit-Remaining"] == "0"
