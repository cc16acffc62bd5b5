"""How values stand in the ledger's text columns, both ways."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.findings import Finding, Place
from codat_ar_cli.domain.lifecycle import State


def instant(value: dt.datetime) -> str:
    """Write an aware instant in UTC at one fixed width, so that text order is time order."""
    if value.tzinfo is None:
        raise ValueError("an instant without a time zone reached the ledger")
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> dt.datetime:
    """Read what `instant` wrote."""
    return dt.datetime.fromisoformat(text)


def read_instant_or_none(text: str | None) -> dt.datetime | None:
    """Read what `instant` wrote, where something was."""
    return None if text is None else read_instant(text)


def places(values: Iterable[Place]) -> str:
    """Write places as JSON, a short list each."""
    return jsontext.dumps([[place.source, place.row, place.column, place.path] for place in values])


def read_places(text: str) -> tuple[Place, ...]:
    """Read what `places` wrote."""
    return tuple(Place(*parts) for parts in jsontext.loads(text))


def findings(values: Iterable[Finding]) -> str:
    """Write findings as JSON objects, as `--json` shows them."""
    return jsontext.dumps(
        [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "message": finding.message,
                "place": str(finding.place) if finding.place else None,
                "hint": finding.hint,
            }
            for finding in values
        ]
    )


def counts(values: Mapping[State, int]) -> str:
    """Write counts by state."""
    return jsontext.dumps({state.value: number for state, number in values.items()}, sort_keys=True)


def read_counts(text: str | None) -> dict[State, int]:
    """Read what `counts` wrote; empty where nothing was."""
    raw: dict[str, Any] = jsontext.loads(text) if text else {}
    return {State(name): number for name, number in raw.items()}
