"""Fault plans: which requests they hit, and what they refuse to be."""

from typing import Any

import pytest

from codat_ar_cli.sandbox.faults import NO_FAULT, FaultPlan, FaultPlanError, data_type_of

PUSH = "/companies/c/connections/n/push/accounts"


def statuses(plan: FaultPlan, count: int, method: str = "POST", path: str = PUSH) -> list[int | None]:
    return [plan.draw(method, path).status for _ in range(count)]


def plan(*rules: dict[str, Any], seed: int = 1) -> FaultPlan:
    return FaultPlan({"seed": seed, "rules": list(rules)})


def test_nth_counts_the_requests_that_the_other_conditions_match() -> None:
    faults = plan({"method": "POST", "path": "/push/accounts$", "nth": [1, 3], "status": 500})

    assert faults.draw("GET", PUSH) is NO_FAULT
    assert statuses(faults, 4) == [500, None, 500, None]


def test_times_ends_a_rule_and_the_next_one_applies() -> None:
    assert statuses(plan({"times": 1, "status": 500}, {"status": 503}), 3) == [500, 503, 503]


def test_probability_repeats_with_the_seed() -> None:
    rule = {"probability": 0.5, "status": 500}

    assert statuses(plan(rule, seed=7), 40) == statuses(plan(rule, seed=7), 40)
    assert set(statuses(plan(rule, seed=7), 40)) == {500, None}


def test_a_data_type_is_named_as_syncs_name_it() -> None:
    assert statuses(plan({"dataType": "chartOfAccounts", "status": 500}), 1) == [500]
    assert data_type_of("/companies/c/data/queue/invoices") == "invoices"
    assert data_type_of("/companies/c/data/info") == "company"
    assert data_type_of("/companies/c/data/history") is None
    assert data_type_of("/companies/c/push/3f") is None


def test_retry_after_may_be_a_date() -> None:
    fault = plan({"status": 429, "retryAfter": "Sun, 22 Nov 2026 12:00:00 GMT"}).draw("GET", "/profile")

    assert fault.headers == {"Retry-After": "Sun, 22 Nov 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([], "a fault plan is a JSON object"),
        ({"rule": []}, "unknown: rule"),
        ({"rules": [{"status": 500}, {"statsu": 500}]}, "rule 2: unknown: statsu"),
        ({"rules": [{"method": "GET"}]}, "rule 1: it has no effect"),
        ({"rules": [{"drop": "during"}]}, "drop is"),
        ({"rules": [{"status": 42}]}, "status is an HTTP status"),
        ({"rules": [{"path": "(", "status": 500}]}, "rule 1: "),
        ({"rules": [{"operation": {"outcome": "Lost"}}]}, "operation.outcome is one of"),
    ],
)
def test_a_plan_that_cannot_be_read_says_why_and_changes_nothing(raw: Any, reason: str) -> None:
    faults = plan({"status": 500})

    with pytest.raises(FaultPlanError, match=reason.replace("(", r"\(")):
        faults.replace(raw)

    assert statuses(faults, 1) == [500]
