"""Idempotency keys as Codat keeps them (reference §1.5): the first answer, replayed for ninety minutes."""

import base64
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call, parse_stamp, stamp
from codat_ar_cli.sandbox.store import Store

WINDOW = timedelta(minutes=90)
_GUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(slots=True)
class _Kept:
    fingerprint: str
    since: datetime
    answer: Answer | None
    """None while the first request still runs."""


class IdempotencyKeys:
    """First answers by key. Only POST and PATCH have keys; a 429 sets its key free again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        for key, raw in sorted(store.load("answer"), key=lambda row: parse_stamp(row[1]["since"])):
            self._kept[key] = _Kept(raw["fingerprint"], parse_stamp(raw["since"]), _read_answer(raw))

    def key_of(self, call: Call) -> str | None:
        """Find the key that a request carries; raises 400 for one that is not a GUID."""
        key = call.headers.get("idempotency-key")
        if key is None or call.method not in {"POST", "PATCH"}:
            return None
        if not _GUID.fullmatch(key):
            raise ApiError(400, "Error processing request - not valid. Idempotency-Key must be a GUID.")
        return key.lower()

    def begin(self, key: str, call: Call) -> Answer | None:
        """Give the answer to replay, or None for a new key, which is then in progress.

        Raises 409 while the first request with the key runs, 422 when this one is another request.
        """
        self._forget(call.now)
        fingerprint = _fingerprint(call)
        kept = self._kept.get(key)
        if kept is None:
            self._kept[key] = _Kept(fingerprint, call.now, None)
            return None
        if kept.fingerprint != fingerprint:
            raise ApiError(422, "The Idempotency-Key has already been used for a different request.")
        if kept.answer is None:
            raise ApiError(409, "A request with this Idempotency-Key is still in progress.")
        return kept.answer

    def finish(self, key: str, answer: Answer) -> None:
        """Keep the first answer, or set the key free where it was a 429."""
        if answer.status == 429:
            self.release(key)
            return
        kept = self._kept[key]
        kept.answer = answer
        self._store.put("answer", key, _write_answer(kept, answer))

    def release(self, key: str) -> None:
        """Set a key free."""
        self._kept.pop(key, None)

    def _forget(self, now: datetime) -> None:
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            if now - kept.since < WINDOW:
                return
            del self._kept[key]
            self._store.drop("answer", key)


def _fingerprint(call: Call) -> str:
    query = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
    head = f"{call.method} {call.path}?{query}\n".encode()
    return hashlib.sha256(head + call.body).hexdigest()


def _write_answer(kept: _Kept, answer: Answer) -> dict[str, Any]:
    return {
        "fingerprint": kept.fingerprint,
        "since": stamp(kept.since),
        "status": answer.status,
        "body": base64.b64encode(answer.body).decode(),
        "contentType": answer.content_type,
        "headers": answer.headers,
    }


def _read_answer(raw: dict[str, Any]) -> Answer:
    body = base64.b64decode(raw["body"])
    return Answer(status=raw["status"], body=body, content_type=raw["contentType"], headers=raw["headers"])
