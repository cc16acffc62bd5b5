"""One exchange with Codat: key, limits on size and time, what was surely not sent, and retries of reads.

The key is put on a request only when it goes to the base address; redirects are never followed; the trace
(`Exchange`) holds no header and no body.
"""

import datetime as dt
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import anyio
import httpx

from codat_ar_cli import __version__
from codat_ar_cli.codat import classify, errors
from codat_ar_cli.codat.access import KeyAuth, base_address, certificates, origin_of, proxy_for
from codat_ar_cli.codat.errors import Where
from codat_ar_cli.codat.pace import Pace
from codat_ar_cli.domain import jsontext

Clock = Callable[[], dt.datetime]
Sleep = Callable[[float], Awaitable[object]]

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes, after decompression. The largest page we ask for stays far below."""
MAX_IN_FLIGHT = 10
"""Requests at once per company (reference §1.3); more would only earn 429."""


_FINAL = (errors.RedirectRefused, errors.AnswerTooLarge, errors.Untrusted)
"""Lost or not sent, but a repeat would bring the same."""
_HEADERS = {"User-Agent": f"codat-ar/{__version__}", "Accept": "application/json", "Accept-Encoding": "gzip"}
_COUNT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it, for a trace. Holds no secret and no business data but ids."""

    method: str
    path: str
    """Path with query, as sent."""
    status: int | None
    """None: no answer."""
    correlation_id: str | None
    duration: float
    """Seconds, from the first byte of the request to the last of the answer."""
    request_bytes: int
    response_bytes: int
    attempt: int
    """1 for the first try; reads may have more."""
    error: str | None = None
    """The code of the error it ended in."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What Codat's last answer said of the daily quota (reference §1.3); None: not said."""

    limit: int | None = None
    remaining: int | None = None
    reset: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a read is repeated."""

    attempts: int = 5
    first_pause: float = 0.5
    """Seconds; doubled each time."""
    longest_pause: float = 30.0
    longest_retry_after: float = 120.0
    """Seconds. A `Retry-After` beyond it is not waited for: the caller is told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer, read whole."""

    status: int
    content: bytes
    where: Where

    def json(self) -> Any:
        """Read the body; raises AnswerLost when it is not JSON: who answered is then not known."""
        try:
            return jsontext.loads(self.content)
        except jsontext.JsonTextError as error:
            raise errors.AnswerLost(
                f"Codat's answer can't be read as JSON ({error})",
                where=self.where,
                details={"bytes": len(self.content)},
            ) from error


class Transport:
    """Sends requests to one base address with one key; an async context manager."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        clock: Clock,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        verify: ssl.SSLContext | str | bool = True,
        retry: RetryPolicy | None = None,
        jitter: Callable[[], float] = random.random,
        timeout: float = 100.0,
        pace: Pace | None = None,
    ) -> None:
        self.base = base_address(base_url)
        self.rate_limit = RateLimit()
        self.server_time: dt.datetime | None = None
        """The `Date` of the last answer: Codat's clock, to compare with ours."""
        proxy = proxy_for(self.base)
        self.proxy_address = None if proxy is None else f"{proxy.url.scheme}://{proxy.url.netloc.decode('ascii')}"
        """The proxy in between, without its password; None: there is none."""
        self._auth = KeyAuth(api_key, origin_of(self.base))
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._retry = retry or RetryPolicy()
        self._on_exchange = on_exchange
        self._timeout = timeout
        self._slots = anyio.Semaphore(MAX_IN_FLIGHT)
        self._pace = pace or Pace(sleep)
        self._client = httpx.AsyncClient(
            auth=self._auth,
            transport=transport,
            verify=certificates(verify, self.base),
            proxy=proxy,
            follow_redirects=False,
            trust_env=False,  # proxy and certificates are taken from it above, where what is wrong has a name
            timeout=httpx.Timeout(min(60.0, timeout), connect=min(10.0, timeout)),
            limits=httpx.Limits(max_connections=MAX_IN_FLIGHT, max_keepalive_connections=MAX_IN_FLIGHT),
            headers=_HEADERS,
        )

    async def __aenter__(self) -> "Transport":
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._client.__aexit__(*exc_info)

    def __repr__(self) -> str:
        return f"Transport({str(self.base)!r})"

    async def read(self, path: str, *, method: str = "GET", unless: str | None = None) -> Any:
        """Get JSON, or None for an empty 204; repeats what is safe to repeat, then raises the last CodatError.

        `path`: host-relative, percent-encoded, with its query. `method` POST: only for requests that ask
        for a sync, which do no harm when repeated. `unless`: an error with this text in it is final.
        """
        attempt = 1
        while True:
            try:
                answer = await self.send(method, path, attempt=attempt)
                return None if answer.status == 204 else answer.json()
            except errors.CodatError as error:
                pause = self._pause(error, attempt)
                if pause is None or (unless and unless in error.message):
                    raise
            await self._sleep(pause)
            attempt += 1

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Make one exchange, once. Raises the CodatError that says what is known of its effect."""
        request = self._client.build_request(method, self._url(path), content=body, headers=dict(headers or {}))
        started = anyio.current_time()
        trace: dict[str, Any] = {"status": None, "correlation_id": None, "response_bytes": 0, "error": None}
        try:
            async with self._slots:
                await self._pace.turn()
                return await self._exchange(request, path, trace, is_push="Idempotency-Key" in request.headers)
        except errors.CodatError as error:
            trace |= {"error": error.code, "correlation_id": error.correlation_id}
            raise
        finally:
            if self._on_exchange is not None:
                sent = len(body or b"")
                took = anyio.current_time() - started
                self._on_exchange(
                    Exchange(method=method, path=path, duration=took, request_bytes=sent, attempt=attempt, **trace)
                )

    def _url(self, path: str) -> httpx.URL:
        """Resolve a host-relative path as it stands; raises WireError where it leads elsewhere."""
        try:
            url = self.base.join(path)
        except httpx.InvalidURL as error:
            raise errors.WireError(f"a link is no address: {error}", where=Where("GET")) from error
        if origin_of(url) != origin_of(self.base):
            raise errors.WireError(f"a link leads to another host: {url.host}", where=Where("GET", path))
        return url

    def same_list(self, href: str, path: str) -> str:
        """Take a page's link as it stands, host-relative with its query; raises WireError where it leads out.

        `path` is the list's own path. A link is compared decoded, since Codat may encode more than we do.
        """
        url = self._url(href)
        if url.path != unquote(path):
            raise errors.WireError(f"a page's link leads out of its list: {href}", where=Where("GET", path))
        return url.raw_path.decode("ascii")

    async def _exchange(self, request: httpx.Request, path: str, trace: dict[str, Any], *, is_push: bool) -> Answer:
        where = Where(request.method, path)
        async with self._named_failures(where), self._open(request) as response:
            trace["status"] = response.status_code
            self._note_headers(response.headers)
            where = Where(request.method, path, response.status_code)
            content = await _read_bounded(response, where)
        trace["response_bytes"] = len(content)
        if response.is_success:
            return Answer(response.status_code, content, where)
        raise classify.failure(
            request.method,
            path,
            response.status_code,
            response.headers,
            content,
            is_push=is_push,
            now=self._clock(),
            redact=self._auth.redact,
        )

    @asynccontextmanager
    async def _open(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        with anyio.fail_after(self._timeout):
            response = await self._client.send(request, stream=True)
            try:
                yield response
            finally:
                await response.aclose()

    @asynccontextmanager
    async def _named_failures(self, where: Where) -> AsyncIterator[None]:
        """Sort what the network does to us into: surely not sent, or perhaps done."""
        host = self.base.netloc.decode("ascii")
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            reason = self._auth.redact(str(error)) or type(error).__name__
            kind = errors.Untrusted if "CERTIFICATE_VERIFY_FAILED" in reason else errors.NotSent
            way = f" through the proxy {self.proxy_address}" if self.proxy_address else ""
            raise kind(f"no connection to {host}{way}: {reason}", where=where) from error
        except (httpx.TimeoutException, TimeoutError) as error:
            raise errors.AnswerLost(f"no answer from {host} in time", where=where) from error
        except httpx.HTTPError as error:
            reason = self._auth.redact(str(error)) or type(error).__name__
            raise errors.AnswerLost(f"the answer of {host} was cut or unreadable: {reason}", where=where) from error

    def _pause(self, error: errors.CodatError, attempt: int) -> float | None:
        """How long to wait before a read is repeated; None: don't repeat."""
        policy = self._retry
        if attempt >= policy.attempts or isinstance(error, _FINAL):
            return None
        if isinstance(error, errors.RateLimited) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= policy.longest_retry_after else None
        if isinstance(error, errors.NotSent | errors.AnswerLost | errors.RateLimited | errors.CodatFault):
            ceiling = min(policy.longest_pause, policy.first_pause * 2.0 ** (attempt - 1))
            return ceiling * (0.5 + 0.5 * self._jitter())
        return None

    def _note_headers(self, headers: httpx.Headers) -> None:
        self.server_time = classify.http_date(headers.get("date")) or self.server_time
        seen = RateLimit(
            limit=_count(headers.get("x-rate-limit-limit")),
            remaining=_count(headers.get("x-rate-limit-remaining")),
            reset=_instant(headers.get("x-rate-limit-reset")),
        )
        if seen != RateLimit():
            self.rate_limit = seen


async def _read_bounded(response: httpx.Response, where: Where) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_ANSWER:
            raise errors.AnswerTooLarge(f"the answer is larger than {MAX_ANSWER // 2**20} MiB: not read", where=where)
        parts.append(part)
    return b"".join(parts)


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and _COUNT.fullmatch(text.strip()) else None


def _instant(text: str | None) -> dt.datetime | None:
    """`X-Rate-Limit-Reset` is "a date" (reference §1.3): take ISO or HTTP form."""
    if not text:
        return None
    try:
        return classify.as_utc(dt.datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return classify.http_date(text)
