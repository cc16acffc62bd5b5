"""Idempotency keys: replay, conflict, mismatch, release, expiry, and across a restart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call
from codat_ar_cli.sandbox.idempotency import IdempotencyKeys
from codat_ar_cli.sandbox.store import Store

KEY = "8a210b68-6988-11ed-a1eb-0242ac120002"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
CALL = Call("POST", "/companies", {}, {}, {"idempotency-key": KEY}, b'{"name":"A"}', START)


@pytest.fixture
def keys() -> IdempotencyKeys:
    return IdempotencyKeys(Store(None))


def first(keys: IdempotencyKeys, answer: Answer, call: Call = CALL) -> None:
    assert keys.begin(KEY, call) is None
    keys.finish(KEY, answer)


@pytest.mark.parametrize("status", [200, 400, 409, 422, 500, 503])
def test_the_first_answer_is_replayed_for_ninety_minutes_errors_included(keys: IdempotencyKeys, status: int) -> None:
    answer = Answer(status=status, body=b"first")
    first(keys, answer)

    assert keys.begin(KEY, replace(CALL, now=START + timedelta(minutes=89))) == answer
    assert keys.begin(KEY, replace(CALL, now=START + timedelta(minutes=90))) is None


def test_a_429_sets_the_key_free(keys: IdempotencyKeys) -> None:
    first(keys, Answer(status=429))

    assert keys.begin(KEY, replace(CALL, body=b"other")) is None


def test_another_body_under_the_key_is_422_and_the_first_answer_stays(keys: IdempotencyKeys) -> None:
    first(keys, Answer(body=b"first"))

    with pytest.raises(ApiError) as raised:
        keys.begin(KEY, replace(CALL, body=b'{"name":"B"}'))

    assert raised.value.status == 422
    assert keys.begin(KEY, CALL) == Answer(body=b"first")


def test_another_url_under_the_key_is_422(keys: IdempotencyKeys) -> None:
    first(keys, Answer())

    with pytest.raises(ApiError, match="different request"):
        keys.begin(KEY, replace(CALL, path="/webhooks"))


def test_a_second_request_while_the_first_runs_is_409(keys: IdempotencyKeys) -> None:
    keys.begin(KEY, CALL)

    with pytest.raises(ApiError) as raised:
        keys.begin(KEY, CALL)

    assert raised.value.status == 409


def test_only_post_and_patch_have_keys_and_a_key_is_a_guid(keys: IdempotencyKeys) -> None:
    assert keys.key_of(CALL) == KEY
    assert keys.key_of(replace(CALL, method="PUT")) is None
    assert keys.key_of(replace(CALL, method="DELETE")) is None
    with pytest.raises(ApiError, match="must be a GUID"):
        keys.key_of(replace(CALL, headers={"idempotency-key": "mine"}))


def test_answers_survive_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    first(IdempotencyKeys(store), Answer(status=500, body=b"\xff", headers={"A": "b"}))
    store.close()

    replayed = IdempotencyKeys(Store(tmp_path / "state.db")).begin(KEY, CALL)

    assert replayed == Answer(status=500, body=b"\xff", headers={"A": "b"})
