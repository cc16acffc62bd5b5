"""What a route gets and gives: a request taken apart, an answer, and Codat's error body (reference §1.1, §1.2)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from codat_ar_cli.sandbox.jsonexact import dumps, loads

JSON = "application/json"
BINARY = "application/octet-stream"


class ApiError(Exception):
    """Ends a request with Codat's error body."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        service: str = "PublicApi",
        validation: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.service = service
        self.validation = validation
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Answer:
    """One HTTP answer, not yet sent."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = JSON
    headers: dict[str, str] = field(default_factory=dict)
    operation_key: str | None = None
    """The push operation begun, for the sandbox's own record."""


@dataclass(slots=True)
class Call:
    """One request: everything a route may look at."""

    method: str
    path: str
    params: Mapping[str, str]
    """Path parameters, percent-decoded once: record ids may hold `/` (reference §1)."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    """The sandbox's time when the request was taken up."""
    outcome: Mapping[str, Any] | None = None
    """What a fault rule makes of the push operation that this request begins."""
    sync: Mapping[str, Any] | None = None
    """What a fault rule makes of the sync that this request queues."""

    def json(self) -> Any:
        """Read the body as JSON; raises the 400 that Codat gives for anything else."""
        kind = self.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind != JSON and not kind.endswith("+json"):
            raise ApiError(400, f"Error processing request - not valid. Content-Type must be {JSON}, not {kind}.")
        try:
            return loads(self.body)
        except ValueError as error:
            raise ApiError(400, f"Error processing request - not valid. {error}") from error

    def json_object(self) -> dict[str, Any]:
        """Read the body as a JSON object."""
        value = self.json()
        if not isinstance(value, dict):
            raise ApiError(400, "Error processing request - not valid. A JSON object is expected.")
        return value

    def whole_number(
        self, name: str, *, default: int | None = None, least: int = 0, most: int = 2**31 - 1
    ) -> int | None:
        """Read a query parameter as an integer in its range; raises 400 on any other text."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
            raise ApiError(400, f"Error processing request - not valid. {name} must be between {least} and {most}.")
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a query parameter as `true` or `false`."""
        text = self.query.get(name, str(default)).lower()
        if text not in {"true", "false"}:
            raise ApiError(400, f"Error processing request - not valid. {name} must be true or false.")
        return text == "true"


def json_answer(value: Any, *, status: int = 200, operation_key: str | None = None) -> Answer:
    """Answer with a JSON value."""
    return Answer(status=status, body=dumps(value).encode(), operation_key=operation_key)


def no_content() -> Answer:
    """Answer 204, empty."""
    return Answer(status=204, content_type=None)


def error_answer(error: ApiError) -> Answer:
    """Write an error the way Codat does; `canBeRetried` is a string there."""
    body = {
        "statusCode": error.status,
        "service": error.service,
        "error": error.error,
        "correlationId": uuid.uuid4().hex,
        "validation": error.validation,
        "canBeRetried": "Unknown",
        "detailedErrorCode": 0,
    }
    answer = json_answer(body, status=error.status)
    answer.headers.update(error.headers)
    return answer


def stamp(instant: datetime) -> str:
    """Write an instant as Codat's services do: UTC, `Z`, no trailing zeros in the fraction."""
    utc = instant.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse_stamp(text: str) -> datetime:
    """Read an ISO date or instant; without a zone it counts as UTC. Raises ValueError."""
    value = datetime.fromisoformat(text)
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(f"{text} is out of range") from error
