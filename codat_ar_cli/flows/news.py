"""What Codat's answers mean for a push: events and facts, in plain words (reference §9.3, §9.4, design D10)."""

import re
from collections.abc import Iterable
from dataclasses import replace

from codat_ar_cli.codat.errors import CodatError
from codat_ar_cli.domain.lifecycle import Cause, Event
from codat_ar_cli.domain.pushes import Facts
from codat_ar_cli.domain.types import CorrelationId, PushOperation, PushStatus, ValidationItem

SETTLED_BY: dict[Event, Event] = {
    Event.SUCCEED: Event.SETTLE_FOUND,
    Event.REJECT: Event.SETTLE_REJECTED,
    Event.ACCEPT: Event.SETTLE_PENDING,
}
"""What an operation's news does to a push that is in doubt; any other news leaves it there."""

_CORRELATION = re.compile(r"Correlation ID: (\S+)", re.IGNORECASE)
_VARIABLE = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\S*\d\S*")


def news_of(operation: PushOperation) -> tuple[Event, Facts]:
    """Read a push operation. Only its status decides; the id may be missing even on Success (reference §9.3)."""
    known = Facts(operation_key=operation.key, http_status=operation.status_code)
    match operation.status:
        case PushStatus.SUCCESS if operation.record_id is not None:
            return Event.SUCCEED, replace(known, record_id=operation.record_id)
        case PushStatus.SUCCESS:
            text = "Codat reports success but names no record"
            return Event.DOUBT, replace(known, cause_code=Cause.NO_RECORD_ID, cause_text=text)
        case PushStatus.FAILED:
            return Event.REJECT, replace(
                known,
                correlation_id=_correlation_in(operation.error_message),
                cause_code=Cause.OPERATION_FAILED,
                cause_text=in_words(operation.errors, operation.error_message),
            )
        case PushStatus.TIMED_OUT:
            text = "Codat stopped waiting for the accounting platform; the record may still appear"
            return Event.DOUBT, replace(known, cause_code=Cause.TIMED_OUT, cause_text=text)
        case _:
            return Event.ACCEPT, known


def facts_of(error: CodatError, cause: str | None = None) -> Facts:
    """Read an error answer: its status, correlation id and what it says; `cause` replaces its own code."""
    return Facts(
        correlation_id=CorrelationId(error.correlation_id) if error.correlation_id else None,
        http_status=error.status,
        cause_code=cause or error.code,
        cause_text=in_words(error.validation, error.message),
    )


def in_words(errors: Iterable[ValidationItem], message: str | None) -> str:
    """Say why a document was refused, in one line: each validation error with its field, else the message."""
    said = [f"{item.item_id}: {item.message}" if item.item_id else item.message for item in errors if item.message]
    text = "; ".join(dict.fromkeys(said)) or message or "refused without a reason"
    return " ".join(text.split())


def shape_of(cause_text: str) -> str:
    """Reduce a cause to what it has in common with others: numbers, ids and quoted values left out."""
    return " ".join(_VARIABLE.sub("#", cause_text).lower().split())


def _correlation_in(message: str | None) -> CorrelationId | None:
    """Find the id that a failed operation carries only inside its message (reference §9.4)."""
    found = _CORRELATION.search(message or "")
    return CorrelationId(found[1].rstrip(".,;")) if found else None
