"""Codat's API as we use it: one method per endpoint, typed in, typed out.

Records come as the wire has them, with exact numbers; `wire` makes domain values of them. Reads repeat
themselves where that is safe (see `transport`); a push is one attempt, and its error says what is known of it.
"""

import random
import re
import ssl
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx

from codat_ar_cli.codat import models, wire
from codat_ar_cli.codat import query as language
from codat_ar_cli.codat.errors import AnswerLost, CodatError, RecordNotFound, Where, WireError
from codat_ar_cli.codat.transport import Clock, Exchange, RateLimit, RetryPolicy, Sleep, Transport
from codat_ar_cli.domain.types import (
    Company,
    CompanyId,
    ConnectionId,
    Dataset,
    DatasetId,
    DataStatus,
    DataType,
    Integration,
    PlatformKey,
    PushOperation,
    PushOperationKey,
    RecordId,
)

MAX_PAGE_SIZE = 2000
"""The parameter allows 5000, the answer's own schema 2000 (reference §3.2, §14)."""
PAGE_SIZE = 500
"""A day's quota may be 2,000 requests (reference §1.3), so fewer and larger pages than the docs' 100."""
MAX_PAGES = 20_000
"""A list that goes on beyond this is no list: links that never end."""
MAX_BARREN_PAGES = 3
"""So many pages in a row without a new record are no shift of the pages: a walk must not use up the day's quota."""

CONNECTION_LEVEL = frozenset(
    {DataType.BANK_ACCOUNTS, DataType.DIRECT_COSTS, DataType.DIRECT_INCOMES, DataType.TRANSFERS}
)
"""Read below the connection; without it Codat answers 404 (reference §3.1)."""
_URL_NAMES = {DataType.ACCOUNTS: "accounts", DataType.COMPANY_INFO: "info"}
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ALREADY_SYNCING = "DatasetAlreadyInProgress"


def utc_now() -> datetime:
    """Give the present instant, aware, UTC."""
    return datetime.now(UTC)


class CodatClient:
    """Codat for one API key; an async context manager. Its repr shows the host, never the key."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        clock: Clock = utc_now,
        sleep: Sleep = anyio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
        verify: ssl.SSLContext | str | bool = True,
        retry: RetryPolicy | None = None,
        jitter: Callable[[], float] = random.random,
        timeout: float = 100.0,
    ) -> None:
        self._http = Transport(
            base_url=base_url,
            api_key=api_key,
            clock=clock,
            sleep=sleep,
            transport=transport,
            on_exchange=on_exchange,
            verify=verify,
            retry=retry,
            jitter=jitter,
            timeout=timeout,
        )
        base = self._http.base
        self.api_host: str = base.netloc.decode("ascii")
        """Host, with its port where it is not the scheme's own: part of a document's identity (design D9)."""

    async def __aenter__(self) -> "CodatClient":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        await self._http.__aexit__(*exc_info)

    def __repr__(self) -> str:
        return f"CodatClient({self.api_host!r})"

    @property
    def rate_limit(self) -> RateLimit:
        """The daily quota as the last answer told it."""
        return self._http.rate_limit

    @property
    def proxy(self) -> str | None:
        """The proxy that requests go through, without its password; None: there is none."""
        return self._http.proxy_address

    @property
    def server_time(self) -> datetime | None:
        """Codat's clock at the last answer (`Date` header), to compare with ours."""
        return self._http.server_time

    async def profile_name(self) -> str:
        """Get the name of the Codat client the key belongs to; a cheap check of the key. Source: `get-profile`."""
        return wire.read(models.ProfileShape, await self._http.read("/profile")).name

    async def companies(self, *, query: str | None = None) -> list[Company]:
        """List the companies of this client with their connections, all pages. Source: `list-companies`."""
        return [wire.company(raw) async for raw in self._walk("/companies", query=query)]

    async def company(self, company: CompanyId) -> Company:
        """Get one company with its connections. Source: `get-company`."""
        return wire.company(await self._http.read(_company(company)))

    async def integration(self, key: PlatformKey) -> Integration:
        """Get what Codat supports on one platform. Source: `get-integration`.

        Raises WireError where the connection named no platform, so that there is no key to ask with.
        """
        if not key:
            raise WireError("Codat names no platform for this connection", where=Where("GET", "/integrations"))
        return wire.integration(await self._http.read(f"/integrations/{language.encode_segment(key)}"))

    async def records(
        self,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        *,
        query: str | None = None,
        order_by: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncIterator[dict[str, Any]]:
        """Walk all records of one type in Codat's cache, each id once, in the order Codat gives.

        `query` is Codat's query language (module `query`), unencoded. Company info is a list of one.
        Raises DataNotReady when the type was never synced. Source: reference §3.1, §3.2.
        """
        if data_type is DataType.COMPANY_INFO:
            yield await self.company_info(company)
            return
        path = _data_path(company, connection, data_type)
        async for raw in self._walk(path, query=query, order_by=order_by, page_size=page_size):
            yield raw

    async def record(
        self, company: CompanyId, connection: ConnectionId, data_type: DataType, record_id: RecordId | str
    ) -> dict[str, Any]:
        """Get one record from Codat's cache; a tracking category comes with its tree (`subCategories`)."""
        path = f"{_data_path(company, connection, data_type)}/{language.encode_segment(record_id)}"
        return _object(await self._http.read(path), path)

    async def company_info(self, company: CompanyId) -> dict[str, Any]:
        """Get what the package says of the business: base currency, lock date. Source: `get-company-info`."""
        path = f"{_company(company)}/data/info"
        return _object(await self._http.read(path), path)

    async def options(self, company: CompanyId, connection: ConnectionId, data_type: DataType) -> dict[str, Any]:
        """Get which fields the linked package accepts on a write (reference §9.1)."""
        path = f"{_connection(company, connection)}/options/{data_type.value}"
        return _object(await self._http.read(path), path)

    async def data_status(self, company: CompanyId) -> dict[str, DataStatus]:
        """Get how fresh each data type is, by its key. Source: `get-company-data-status`."""
        return wire.data_status(await self._http.read(f"{_company(company)}/dataStatus"))

    async def queue_sync(
        self, company: CompanyId, data_type: DataType, *, connection: ConnectionId | None = None
    ) -> Dataset:
        """Ask Codat to copy one data type from the package anew; give the sync to follow with `dataset`.

        One that is already running is no error: it is given instead (reference §4). Company info has its
        own way, `POST data/info` (`refresh-company-info`).
        """
        if data_type is DataType.COMPANY_INFO:
            path = f"{_company(company)}/data/info"
        else:
            choice = language.encode_parameters({"connectionId": connection})
            path = f"{_company(company)}/data/queue/{data_type.value}" + (f"?{choice}" if choice else "")
        try:
            return wire.dataset(await self._http.read(path, method="POST", unless=_ALREADY_SYNCING))
        except CodatError as error:
            if _ALREADY_SYNCING not in error.message:
                raise
            return await self._running_sync(company, data_type, error)

    async def dataset(self, company: CompanyId, dataset_id: DatasetId) -> Dataset:
        """Get how one sync stands. Source: `get-pull-operation`."""
        path = f"{_company(company)}/data/history/{language.encode_segment(dataset_id)}"
        return wire.dataset(await self._http.read(path))

    async def datasets(
        self,
        company: CompanyId,
        *,
        query: str | None = None,
        order_by: str | None = "-requested",
        page_size: int = 100,
    ) -> AsyncIterator[Dataset]:
        """Walk the syncs of a company, newest first; stop early to read less. Source: `list-pull-operations`."""
        path = f"{_company(company)}/data/history"
        async for raw in self._walk(path, query=query, order_by=order_by, page_size=page_size):
            yield wire.dataset(raw)

    async def push(
        self,
        company: CompanyId,
        connection: ConnectionId,
        data_type: DataType,
        body: str,
        *,
        idempotency_key: str,
        timeout_minutes: int | None = None,
    ) -> PushOperation:
        """Ask for one record to be created: one attempt, no repeat. The result comes later, by `push_operation`.

        `body` goes out byte for byte. `idempotency_key`: a GUID already in the ledger; Codat replays its
        first answer for 90 minutes, 5xx included, and only 429 frees the key (reference §1.5).
        NotSent: surely nothing happened. AnswerLost: it may have. A 2xx that can't be read is AnswerLost too.
        """
        uuid.UUID(idempotency_key)
        limit = language.encode_parameters({"timeoutInMinutes": timeout_minutes})
        name = _URL_NAMES.get(data_type, data_type.value)
        path = f"{_connection(company, connection)}/push/{name}" + (f"?{limit}" if limit else "")
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        answer = await self._http.send("POST", path, body=body.encode(), headers=headers)
        try:
            return wire.push_operation(answer.json())
        except WireError as error:
            raise AnswerLost(f"Codat's answer to a push can't be read: {error.message}", where=answer.where) from error

    async def push_operation(self, company: CompanyId, key: PushOperationKey) -> PushOperation:
        """Get how one write stands. Source: `get-push-operation`."""
        return wire.push_operation(await self._http.read(f"{_company(company)}/push/{language.encode_segment(key)}"))

    async def push_operations(
        self,
        company: CompanyId,
        *,
        query: str | None = None,
        order_by: str | None = "-requestedOnUtc",
        page_size: int = 100,
    ) -> AsyncIterator[PushOperation]:
        """Walk the writes of a company, newest first, each key once; stop early to read less.

        Source: `get-company-push-history`. Which properties can be queried is not documented (reference §14).
        """
        path = f"{_company(company)}/push"
        async for raw in self._walk(
            path, query=query, order_by=order_by, page_size=page_size, identity="pushOperationKey"
        ):
            yield wire.push_operation(raw)

    async def _running_sync(self, company: CompanyId, data_type: DataType, error: CodatError) -> Dataset:
        """Find the sync that is already under way: the one the error names, else the newest unfinished."""
        for named in _UUID.findall(error.message):
            try:
                found = await self.dataset(company, DatasetId(named))
            except RecordNotFound:
                continue  # another id in the text, such as the company's
            if found.data_type == data_type.value:
                return found
        async for found in self.datasets(company, query=language.where("dataType", "=", data_type.value)):
            if not found.is_completed and not found.is_errored:
                return found
        raise error

    async def _walk(
        self,
        path: str,
        *,
        query: str | None = None,
        order_by: str | None = None,
        page_size: int = PAGE_SIZE,
        identity: str = "id",
    ) -> AsyncIterator[dict[str, Any]]:
        """Follow `_links.next` to the end (reference §3.2).

        A sync may land in the middle and shift the pages, so a record seen before is left out. A link seen
        before ends the walk; a link to another host, or out of this list, is refused, and so are links that
        lead on and on without a new record.
        """
        seen: set[str] = set()
        barren = 0
        visited: set[str] = set()
        here: str | None = _first_page(path, query, order_by, page_size)
        while here is not None and here not in visited:
            visited.add(here)
            if len(visited) > MAX_PAGES:
                raise WireError(f"the list goes on beyond {MAX_PAGES} pages", where=Where("GET", here))
            page = wire.read(models.PageShape, await self._http.read(here))
            barren += 1
            for raw in page.results:
                key = raw.get(identity)
                if key is not None:
                    if str(key) in seen:
                        continue
                    seen.add(str(key))
                barren = 0
                yield raw
            link = page.links.next if page.links else None
            here = self._http.same_list(link.href, path) if link and link.href else None
            if barren >= MAX_BARREN_PAGES and here is not None:
                raise WireError(f"the list goes on after {barren} pages without a new record", where=Where("GET", here))


def _first_page(path: str, text: str | None, order_by: str | None, page_size: int) -> str:
    size = max(1, min(page_size, MAX_PAGE_SIZE))
    return f"{path}?" + language.encode_parameters({"page": 1, "pageSize": size, "query": text, "orderBy": order_by})


def _company(company: CompanyId) -> str:
    return f"/companies/{language.encode_segment(company)}"


def _connection(company: CompanyId, connection: ConnectionId) -> str:
    return f"{_company(company)}/connections/{language.encode_segment(connection)}"


def _data_path(company: CompanyId, connection: ConnectionId, data_type: DataType) -> str:
    owner = _connection(company, connection) if data_type in CONNECTION_LEVEL else _company(company)
    return f"{owner}/data/{_URL_NAMES.get(data_type, data_type.value)}"


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WireError("an object was expected from Codat", where=Where("GET", path))
    return value
