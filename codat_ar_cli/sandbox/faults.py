r"""Faults on demand: which requests go wrong, and how (`--faults FILE`, `/__sandbox/faults`).

A plan is a JSON object: `{"seed": 1, "rules": [RULE, …]}`. For each request the first rule that matches and
fires is applied. Conditions of a rule, all optional, all of which must hold:

* `method`: `"POST"`; `path`: a regular expression searched in the percent-encoded path (`"/push/invoices$"`);
  `dataType`: `"invoices"`, `"chartOfAccounts"`… as the path names it;
* `nth`: `2` or `[1, 3]`: only these of the requests that the conditions above match, counted from 1;
* `probability`: `0.1`, drawn from the plan's seed, so that a run can be repeated;
* `times`: how often the rule fires at most.

Effects, one or more:

* `delay`: seconds (real ones) to wait before the request is taken up;
* `drop`: `"before"` (Codat never sees the request) or `"after"` (it is carried out, the answer is lost);
* `status`: answer with this status and Codat's error body; nothing is carried out unless `"when": "after"`;
  `error` gives the message, `retryAfter` the `Retry-After` header (a number of seconds or any text, such as a
  date), `headers` any others. Under an idempotency key it is cached like any answer, 429 excepted;
* `cut`: `true` (half) or how many bytes of the true answer's body are sent before the connection breaks;
* `malformed`: `true`: the answer's body is not JSON; `shape`: any JSON value to send as body instead;
* `operation`: what becomes of the push operation: `{"outcome": "Failed" | "TimedOut" | "NoId" | "Pending",
  "delay": seconds, "landsAfter": seconds, "message": "…"}`. `NoId` succeeds without telling the id; a
  `TimedOut` one lands in the books `landsAfter` seconds later (0 unless given, null: never); a `Pending` one
  stays so, and lands only if `landsAfter` says when;
* `sync`: what becomes of the sync that is queued: `{"status": "FetchError", "message": "…", "delay": seconds}`.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codat_ar_cli.sandbox.models import BY_URL, SYNCED_TYPES

OUTCOMES = frozenset({"Failed", "TimedOut", "NoId", "Pending"})
_DATA_TYPE = re.compile(r"/(?:push|data|queue|options)/(?:queue/)?([A-Za-z]+)")
_CONDITIONS = frozenset("method path dataType nth probability times".split())
_EFFECTS = frozenset(
    "delay drop status when error retryAfter headers cut malformed shape operation sync".split()  # one word each
)


class FaultPlanError(ValueError):
    """A fault plan can't be read; the text says which rule and why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request."""

    delay: float = 0.0
    drop: str | None = None
    status: int | None = None
    after: bool = False
    """Whether the request is carried out before `status` is answered."""
    error: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | bool | None = None
    malformed: bool = False
    shape: Any = None
    has_shape: bool = False
    operation: Mapping[str, Any] | None = None
    sync: Mapping[str, Any] | None = None

    @property
    def spoils_the_answer(self) -> bool:
        """Whether the answer is no longer what Codat itself would give."""
        is_cut = self.cut is not None and self.cut is not False  # 0 bytes is a cut too
        return self.status is not None or self.malformed or self.has_shape or is_cut


NO_FAULT = Fault()


@dataclass(slots=True)
class Rule:
    """One rule: when it fires and what it does."""

    fault: Fault
    method: str | None = None
    path: re.Pattern[str] | None = None
    data_type: str | None = None
    nth: frozenset[int] | None = None
    probability: float | None = None
    times: int | None = None
    seen: int = 0
    """Requests that method, path and data type matched so far."""
    fired: int = 0

    def fires(self, method: str, path: str, dice: random.Random) -> bool:
        """Count a request and say whether the rule fires on it."""
        if not self._matches(method, path):
            return False
        self.seen += 1
        if self.nth is not None and self.seen not in self.nth:
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self.probability is not None and dice.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def _matches(self, method: str, path: str) -> bool:
        if self.method is not None and method != self.method:
            return False
        if self.path is not None and not self.path.search(path):
            return False
        return self.data_type is None or data_type_of(path) == self.data_type


class FaultPlan:
    """The rules in force. The plan can be replaced while the sandbox runs; counts start anew then."""

    def __init__(self, plan: Mapping[str, Any] | None = None) -> None:
        self.replace(plan or {})

    def replace(self, plan: Any) -> None:
        """Put a plan in force; raises FaultPlanError and keeps the old one when it can't be read."""
        if not isinstance(plan, Mapping) or not isinstance(plan.get("rules", []), list):
            raise FaultPlanError('a fault plan is a JSON object: {"seed": 1, "rules": [...]}')
        unknown = sorted(set(plan) - {"seed", "rules"})
        if unknown:
            raise FaultPlanError(f"unknown: {', '.join(unknown)}; known: seed, rules")
        rules = [_rule(raw, number) for number, raw in enumerate(plan.get("rules", []), 1)]
        self.source = dict(plan)
        self.rules = rules
        self._dice = random.Random(str(plan.get("seed", 1)))  # noqa: S311 (repeatable on purpose)

    def draw(self, method: str, path: str) -> Fault:
        """Give the fault for this request, NO_FAULT for none."""
        for rule in self.rules:
            if rule.fires(method, path, self._dice):
                return rule.fault
        return NO_FAULT

    def describe(self) -> dict[str, Any]:
        """Give the plan with what each rule has seen and done."""
        counts = [{"seen": rule.seen, "fired": rule.fired} for rule in self.rules]
        return {"plan": self.source, "counts": counts}


def data_type_of(path: str) -> str | None:
    """Say which data type a path is about, by the key that syncs use."""
    match = _DATA_TYPE.search(path)
    if match is None:
        return None
    name = "company" if match[1] == "info" else match[1]
    if name in BY_URL:
        return BY_URL[name].data_type
    return name if name in SYNCED_TYPES else None


def _rule(raw: Any, number: int) -> Rule:
    def refuse(reason: str) -> FaultPlanError:
        return FaultPlanError(f"rule {number}: {reason}")

    if not isinstance(raw, Mapping):
        raise refuse("a rule is a JSON object")
    unknown = sorted(set(raw) - _CONDITIONS - _EFFECTS)
    if unknown:
        raise refuse(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(_CONDITIONS | _EFFECTS))}")
    if not set(raw) & (_EFFECTS - {"when"}):
        raise refuse("it has no effect")
    nth = raw.get("nth")
    try:
        return Rule(
            fault=_fault(raw),
            method=raw["method"].upper() if "method" in raw else None,
            path=re.compile(raw["path"]) if "path" in raw else None,
            data_type=raw.get("dataType"),
            nth=None if nth is None else frozenset(nth if isinstance(nth, list) else [nth]),
            probability=None if raw.get("probability") is None else float(raw["probability"]),
            times=raw.get("times"),
        )
    except (TypeError, ValueError, AttributeError, re.error) as error:
        raise refuse(str(error)) from error


def _fault(raw: Mapping[str, Any]) -> Fault:
    if raw.get("drop") not in {None, "before", "after"}:
        raise ValueError('drop is "before" or "after"')
    if raw.get("when", "before") not in {"before", "after"}:
        raise ValueError('when is "before" or "after"')
    status = raw.get("status")
    if status is not None and not (isinstance(status, int) and 200 <= status <= 599):
        raise ValueError("status is an HTTP status from 200 to 599")
    operation = raw.get("operation")
    if operation is not None and operation.get("outcome") not in OUTCOMES:
        raise ValueError(f"operation.outcome is one of {', '.join(sorted(OUTCOMES))}")
    headers = {str(name): str(value) for name, value in raw.get("headers", {}).items()}
    if "retryAfter" in raw:
        headers["Retry-After"] = str(raw["retryAfter"])
    return Fault(
        delay=float(raw.get("delay", 0)),
        drop=raw.get("drop"),
        status=status,
        after=raw.get("when") == "after",
        error=raw.get("error"),
        headers=headers,
        cut=raw.get("cut"),
        malformed=bool(raw.get("malformed")),
        shape=raw.get("shape"),
        has_shape="shape" in raw,
        operation=operation,
        sync=raw.get("sync"),
    )
