"""The front desk: what happens to every request before and after its route, in Codat's order.

Key → limits → idempotency → fault → route → rate-limit headers → log. The routes themselves run to their end
without a pause, so nothing else can see half of what one of them does.
"""

import base64
import hmac
import os
import traceback
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TextIO

from codat_ar_cli.sandbox.answers import JSON, Answer, ApiError, Call, error_answer, stamp
from codat_ar_cli.sandbox.faults import Fault
from codat_ar_cli.sandbox.jsonexact import dumps
from codat_ar_cli.sandbox.routes import Handler
from codat_ar_cli.sandbox.settings import Exchange, SandboxError, Settings
from codat_ar_cli.sandbox.world import World

_FAULT_TEXTS = {
    401: "Unauthorized",
    402: "Your account has reached its limit.",
    403: "You are using an outdated API key or a key not associated with that resource.",
    429: "You have made too many requests in a given amount of time; please retry later.",
    503: "The Codat API is temporarily offline for maintenance. Please try again later.",
}
_LOGGED_HEADERS = frozenset({"content-type", "accept", "idempotency-key", "user-agent", "content-length"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it goes out: perhaps cut short, perhaps never sent."""

    answer: Answer
    headers: dict[str, str]
    send: int | None
    """How many bytes of the body are sent before the connection breaks; None: all, -1: not even the headers."""


class Desk:
    """Takes each request in, has it answered, and keeps the log."""

    def __init__(self, world: World, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.world = world
        self._sleep = sleep
        self._log = _open_log(world.settings)

    async def serve(self, call: Call, handler: Handler, *, address: str, query_string: str) -> Reply:
        """Answer one request."""
        world = self.world
        fault = world.faults.draw(call.method, call.path)
        if fault.delay or world.settings.latency:
            answer = await self._after_waiting(call, handler, fault, address)
        elif fault.drop == "before":
            answer = None
        else:
            answer = await self._answer(call, handler, fault, address)
        reply = self._reply(answer, fault)
        world.commit()
        return self._note(call, query_string, reply, spoiled=fault.spoils_the_answer)

    async def _after_waiting(self, call: Call, handler: Handler, fault: Fault, address: str) -> Answer | None:
        if fault.drop == "before":
            await self._sleep(fault.delay)
            return None
        return await self._answer(call, handler, fault, address)

    async def _answer(self, call: Call, handler: Handler, fault: Fault, address: str) -> Answer:
        world = self.world
        company = call.params.get("companyId")
        call.now = world.settle()
        try:
            _check_key(world.settings, call)
            world.limits.enter(now=call.now, quota=world.quota, address=address, company=company)
        except ApiError as error:
            return error_answer(error)
        try:
            return await self._once(call, handler, fault)
        finally:
            world.limits.leave(company)

    async def _once(self, call: Call, handler: Handler, fault: Fault) -> Answer:
        keys = self.world.keys
        try:
            key = keys.key_of(call)
            kept = keys.begin(key, call) if key is not None else None
        except ApiError as error:
            return error_answer(error)
        if kept is not None:
            return kept
        try:
            answer = await self._carry_out(call, handler, fault)
        except BaseException:
            if key is not None:
                keys.release(key)
            raise
        if key is not None:
            keys.finish(key, answer)
        return answer

    async def _carry_out(self, call: Call, handler: Handler, fault: Fault) -> Answer:
        wait = fault.delay + self.world.settings.latency
        if wait:
            await self._sleep(wait)
            call.now = self.world.settle()
        call.outcome, call.sync = fault.operation, fault.sync
        if fault.status is None:
            return self._route(call, handler)
        done = self._route(call, handler) if fault.after else None
        text = fault.error or _FAULT_TEXTS.get(fault.status, "There is a problem with our server.")
        answer = error_answer(ApiError(fault.status, text, headers=fault.headers))
        answer.operation_key = None if done is None else done.operation_key
        return answer

    def _route(self, call: Call, handler: Handler) -> Answer:
        try:
            return handler(self.world, call)
        except ApiError as error:
            return error_answer(error)
        except Exception:  # noqa: BLE001 (a server answers 500 and lives on; the trace goes into the answer)
            lines = traceback.format_exc()
            return error_answer(ApiError(500, f"There is a problem with our server. {lines}"))

    def _reply(self, answer: Answer | None, fault: Fault) -> Reply:
        if answer is None:
            return Reply(Answer(status=0), {}, -1)
        if fault.malformed:
            answer = replace(answer, body=b'{"results": [{"id": ', content_type=JSON)
        elif fault.has_shape:
            answer = replace(answer, body=dumps(fault.shape).encode(), content_type=JSON)
        world = self.world
        headers = world.limits.headers(now=world.clock.now(), quota=world.quota)
        headers["Request-Id"] = uuid.uuid4().hex
        headers.update(answer.headers)
        if fault.status is None:
            headers.update(fault.headers)
        if answer.content_type is not None:
            headers["Content-Type"] = answer.content_type
        if fault.drop == "after":
            return Reply(answer, headers, -1)
        if fault.cut is None or fault.cut is False:
            return Reply(answer, headers, None)
        cut = len(answer.body) // 2 if fault.cut is True else min(int(fault.cut), max(0, len(answer.body) - 1))
        return Reply(answer, headers, cut)

    def _note(self, call: Call, query_string: str, reply: Reply, *, spoiled: bool) -> Reply:
        hook = self.world.settings.on_exchange
        if hook is None and self._log is None:
            return reply
        dropped = reply.send == -1
        exchange = Exchange(
            at=call.now,
            method=call.method,
            path=call.path,
            query=query_string,
            request_headers={name: value for name, value in call.headers.items() if name in _LOGGED_HEADERS},
            request_body=call.body,
            status=0 if dropped else reply.answer.status,
            response_headers=reply.headers,
            response_body=reply.answer.body if reply.send is None else reply.answer.body[: max(0, reply.send)],
            operation_key=reply.answer.operation_key,
            spoiled=spoiled,
        )
        if self._log is not None:
            self._log.write(_log_line(exchange) + "\n")
            self._log.flush()
        if hook is not None:
            try:
                hook(exchange)
            except Exception as error:  # noqa: BLE001 (whatever a test's check raises must reach the client)
                refused = error_answer(ApiError(500, f"on_exchange: {error}"))
                return Reply(refused, {"Content-Type": JSON}, None)
        return reply

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()


def _check_key(settings: Settings, call: Call) -> None:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:  # not base64 (binascii.Error), or not even ASCII
        key = b""
    if scheme.lower() != "basic" or not key:
        raise ApiError(401, "Unauthorized")
    if settings.require_key is not None and not hmac.compare_digest(key, settings.require_key.encode()):
        raise ApiError(401, "Unauthorized")


def _open_log(settings: Settings) -> TextIO | None:
    if settings.log is None:
        return None
    try:
        settings.log.parent.mkdir(parents=True, exist_ok=True)
        private = os.open(settings.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise SandboxError("sandbox.log", f"can't write the log `{settings.log}`: {error.strerror}") from error
    return os.fdopen(private, "a", encoding="utf-8")


def _log_line(exchange: Exchange) -> str:
    return dumps(
        {
            "at": stamp(exchange.at),
            "method": exchange.method,
            "path": exchange.path,
            "query": exchange.query,
            "requestHeaders": exchange.request_headers,
            "requestBody": exchange.request_body.decode("utf-8", "replace"),
            "status": exchange.status,
            "responseHeaders": exchange.response_headers,
            "responseBody": exchange.response_body.decode("utf-8", "replace"),
            "operationKey": exchange.operation_key,
            "spoiled": exchange.spoiled,
        }
    )
