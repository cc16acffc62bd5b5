"""From an HTTP answer to a named error (reference §1.1, §1.2, §1.5; design D10)."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from codat_ar_cli.codat import errors
from codat_ar_cli.codat.errors import CodatError, Where
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.types import ValidationItem

_DELAY = re.compile(r"\d{1,9}(\.\d{1,9})?")
_GONE = re.compile(r"data connection \S+ (was )?not found|no (company|data connection) was found", re.IGNORECASE)
"""Codat's words for a company or a connection that is not there (reference §1.2, `platform.json` examples)."""
_LONGEST_MESSAGE = 500

Body = Mapping[str, Any]


def failure(
    method: str,
    path: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    is_push: bool,
    now: dt.datetime,
    redact: Callable[[str], str],
) -> CodatError:
    """Name the error that an answer outside 2xx stands for.

    `is_push`: the request carried an idempotency key, so 409 and 422 speak of the key. `redact` takes
    secrets out of text that comes from the other side.
    """
    body = _error_body(redact(content.decode("utf-8", "replace")))
    where = Where(
        method=method,
        path=path,
        status=status,
        correlation_id=_text(body.get("correlationId")),
        validation=_validation(body),
    )
    said = _said(body, where.validation) or f"no reason given (HTTP {status})"
    if status == 429:
        pause = retry_after(headers.get("retry-after"), now)
        when = "" if pause is None else f"; it asks for a pause of {pause:.0f} s"
        return errors.RateLimited(f"Codat's limit is reached: {said}{when}", where=where, retry_after=pause)
    kind, lead = _kind(status, body, is_push=is_push, said=said)
    return kind(f"{lead}: {said}", where=where, details=_validation_details(where.validation))


def retry_after(header: str | None, now: dt.datetime) -> float | None:
    """Read a pause in seconds, 0 or more, from seconds or an HTTP date; None where it says nothing usable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and _DELAY.fullmatch(text):
        return float(text)
    when = http_date(text)
    return None if when is None else max(0.0, (when - now).total_seconds())


def http_date(text: str | None) -> dt.datetime | None:
    """Read an HTTP date as an aware UTC instant; None where it is none."""
    if not text:
        return None
    try:
        return as_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def as_utc(instant: dt.datetime) -> dt.datetime:
    """Move an instant to UTC; one without a zone is taken as UTC. Raises OverflowError at the calendar's ends."""
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)


def _kind(status: int, body: Body, *, is_push: bool, said: str) -> tuple[type[CodatError], str]:
    if status == 404 and _GONE.search(said):
        return errors.PlaceGone, "the company or its connection is not there"
    named = (_ON_A_KEY if is_push else _ON_DATA).get(status) or _ANYWHERE.get(status)
    if named is not None:
        return named
    if status >= 500:
        return errors.CodatFault, f"Codat has a fault (HTTP {status})"
    if status < 400:
        return errors.RedirectRefused, "a redirect came instead of an answer"
    if body.get("correlationId") or isinstance(body.get("statusCode"), int):
        return errors.RequestRejected, f"Codat refuses it (HTTP {status})"
    return errors.AnswerLost, f"an answer that is not Codat's (HTTP {status})"


_ON_A_KEY: dict[int, tuple[type[CodatError], str]] = {
    409: (errors.KeyInProgress, "Codat is still at work on this idempotency key"),
    422: (errors.KeyBodyMismatch, "Codat knows this idempotency key with another body"),
}
_ON_DATA: dict[int, tuple[type[CodatError], str]] = {
    409: (errors.DataNotReady, "Codat has no copy of this data yet"),
}
_ANYWHERE: dict[int, tuple[type[CodatError], str]] = {
    404: (errors.RecordNotFound, "Codat does not find it"),
    400: (errors.RequestRejected, "Codat refuses the request"),
    401: (errors.KeyRefused, "Codat refuses the API key"),
    402: (errors.AccountLimited, "the Codat account is at a limit"),
    403: (errors.AccessForbidden, "this API key may not do that"),
    405: (errors.RequestRejected, "Codat does not offer that here"),
    407: (errors.NotSent, "the proxy wants a login"),
    408: (errors.AnswerLost, "Codat gave up waiting for the request"),
    413: (errors.RequestRejected, "the request is too large for Codat"),
    451: (errors.ComplianceBlock, "Codat blocks this for compliance"),
}


def _error_body(text: str) -> Body:
    try:
        value = jsontext.loads(text)
    except jsontext.JsonTextError:
        return {}
    return value if isinstance(value, dict) else {}


def _said(body: Body, validation: tuple[ValidationItem, ...]) -> str:
    parts = [_text(body.get("error")) or _text(body.get("errorMessage")) or ""]
    parts += [_one_line(item) for item in validation]
    text = "; ".join(part for part in parts if part)
    return " ".join(text.split())[:_LONGEST_MESSAGE]


def _one_line(item: ValidationItem) -> str:
    return f"{item.item_id}: {item.message}" if item.item_id else item.message or ""


def _validation(body: Body) -> tuple[ValidationItem, ...]:
    block = body.get("validation")
    items = block.get("errors") if isinstance(block, dict) else None
    if not isinstance(items, list):
        return ()
    return tuple(
        ValidationItem(
            message=_text(item.get("message")),
            item_id=_text(item.get("itemId")),
            validator=_text(item.get("validatorName")),
        )
        for item in items
        if isinstance(item, dict)
    )


def _validation_details(items: tuple[ValidationItem, ...]) -> dict[str, Any]:
    if not items:
        return {}
    return {
        "validation": [
            {"item_id": item.item_id, "message": item.message, "validator": item.validator} for item in items
        ]
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
