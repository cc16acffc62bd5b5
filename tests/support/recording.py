"""Three ways to have exchanges judged by the contract.

`RecordingTransport` around a client's transport, `Recorder` as the sandbox's `on_exchange`, `check_log` over
the JSON Lines that a sandbox writes with `--log`.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from openapi_check import ContractChecker, Seen, Violation


class Recorder:
    """Collects violations; call it with anything that looks like an exchange. Raises nothing itself.

    An answer that the sandbox says a fault has spoiled is not judged. `responses=False`: no answer is.
    """

    def __init__(self, checker: ContractChecker, *, responses: bool = True) -> None:
        self.checker = checker
        self.responses = responses
        self.violations: list[Violation] = []
        self.checked = 0

    def __call__(self, exchange: Any) -> None:
        self.checked += 1
        seen = seen_from(exchange)
        found = self.checker.check(seen)
        if not self.responses or getattr(exchange, "spoiled", False):
            found = [violation for violation in found if violation.rule not in RESPONSE_RULES]
        self.violations += found

    def assert_clean(self) -> None:
        if self.violations:
            listed = "\n".join(f"  {violation}" for violation in self.violations[:20])
            raise AssertionError(f"{len(self.violations)} breaches of Codat's contract:\n{listed}")


RESPONSE_RULES = frozenset(
    """status response-schema response-type response-json response-body response-number
    error-body links quota-headers""".split()
)
_TRANSFER_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class RecordingTransport(httpx.AsyncBaseTransport):
    """Passes requests on and shows each finished exchange to a recorder."""

    def __init__(self, inner: httpx.AsyncBaseTransport, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        response = await self._inner.handle_async_request(request)
        content = await response.aread()
        await response.aclose()
        self._recorder(
            Seen(
                method=request.method,
                path=request.url.raw_path.decode("ascii"),
                request_headers={name.lower(): value for name, value in request.headers.items()},
                request_body=body,
                status=response.status_code,
                response_headers={name.lower(): value for name, value in response.headers.items()},
                response_body=content,
            )
        )
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in _TRANSFER_HEADERS]
        return httpx.Response(response.status_code, headers=headers, content=content, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def seen_from(exchange: Any) -> Seen:
    """Take an exchange as the sandbox tells it: an object with these names, `query` apart or in the path."""
    if isinstance(exchange, Seen):
        return exchange
    query = getattr(exchange, "query", "")
    return Seen(
        method=exchange.method,
        path=f"{exchange.path}?{query}" if query else exchange.path,
        request_headers={name.lower(): value for name, value in dict(exchange.request_headers).items()},
        request_body=exchange.request_body or b"",
        status=exchange.status,
        response_headers={name.lower(): value for name, value in dict(exchange.response_headers).items()},
        response_body=exchange.response_body or b"",
    )


def check_log(checker: ContractChecker, log: Path, *, responses: bool = True) -> list[Violation]:
    """Judge every exchange of a sandbox's JSON Lines log; bodies stand there as text."""
    recorder = Recorder(checker, responses=responses)
    for line in log.read_text(encoding="utf-8").splitlines():
        facts = json.loads(line)
        recorder(
            SimpleNamespace(
                method=facts["method"],
                path=facts["path"],
                query=facts["query"],
                request_headers=facts["requestHeaders"],
                request_body=facts["requestBody"].encode(),
                status=facts["status"],
                response_headers=facts["responseHeaders"],
                response_body=facts["responseBody"].encode(),
                spoiled=facts.get("spoiled", False),
            )
        )
    return recorder.violations
