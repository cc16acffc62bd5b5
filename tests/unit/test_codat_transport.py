"""Key, limits, retries and the naming of what went wrong."""

import base64
import datetime as dt
import gzip
import ssl
from typing import Any

import anyio
import httpx
import pytest

from codat_ar_cli.codat import access, classify, errors, transport
from codat_ar_cli.codat.transport import RetryPolicy, Transport

KEY = "canary-key-7f3a91"
NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
BASE = "https://api.codat.example"


class Wire:
    """A scripted far side: each step is an answer or an exception; the last one repeats."""

    def __init__(self, *steps):
        self.steps: list[httpx.Response | Exception] = list(steps)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.exchanges: list[transport.Exchange] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def open(self, base_url: str = BASE, **options) -> Transport:
        settings: dict[str, Any] = {
            "api_key": KEY,
            "clock": lambda: NOW,
            "sleep": self.sleep,
            "jitter": lambda: 1.0,
            "transport": httpx.MockTransport(self.handle),
            "on_exchange": self.exchanges.append,
        }
        return Transport(base_url=base_url, **(settings | options))


def error_body(status: int, text: str = "it is so", **more) -> httpx.Response:
    body = {"statusCode": status, "service": "PublicApi", "error": text, "correlationId": "c-1", "validation": None}
    return httpx.Response(status, json=body | more)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("raw", "Basic " + base64.b64encode(b"raw").decode()),
        ("  raw\n", "Basic " + base64.b64encode(b"raw").decode()),
        ("Basic cmF3", "Basic cmF3"),
        ("basic   cmF3 ", "Basic cmF3"),
    ],
)
def test_the_key_alone_is_encoded_and_a_ready_header_is_kept(key, expected):
    assert access.authorization(key) == expected


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "a\x00b", "Basic ", "Basic é"])
def test_what_cannot_be_a_key_is_refused_before_anything_is_sent(key):
    with pytest.raises(errors.UnusableKey, match="API key"):
        access.authorization(key)


@pytest.mark.parametrize(
    "address",
    ["https://api.codat.io", "http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost:1/"],
)
def test_https_anywhere_and_http_on_this_machine_are_good_addresses(address):
    assert access.base_address(address).host


@pytest.mark.parametrize(
    "address",
    [
        "http://api.codat.io",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0:80",
        "http://127.1",
        "ftp://127.0.0.1",
        "api.codat.io",
        "",
        "https://user:secret@api.codat.io",
        "https://api.codat.io/v1",
        "https://api.codat.io?x=1",
        "https://[::1",
        "https://xn--a",
        "https://two words.example",
    ],
)
def test_an_address_that_would_expose_the_key_or_means_nothing_is_refused(address):
    with pytest.raises(errors.UnsafeAddress) as caught:
        access.base_address(address)
    assert "https://api.codat.io" in (caught.value.hint or "")


@pytest.mark.anyio
async def test_requests_carry_the_key_and_our_name_and_the_repr_does_not():
    wire = Wire(httpx.Response(200, json={}))

    async with wire.open() as http:
        await http.read("/profile")
        shown = repr(http) + repr(http.__dict__)

    assert wire.requests[0].headers["authorization"] == "Basic " + base64.b64encode(KEY.encode()).decode()
    assert wire.requests[0].headers["user-agent"].startswith("codat-ar/")
    assert KEY not in shown
    assert base64.b64encode(KEY.encode()).decode() not in shown


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_error_and_the_key_goes_nowhere_else(status):
    wire = Wire(httpx.Response(status, headers={"location": "https://evil.example/take"}))

    async with wire.open() as http:
        with pytest.raises(errors.RedirectRefused):
            await http.read("/profile")

    assert [request.url.host for request in wire.requests] == ["api.codat.example"]


@pytest.mark.anyio
async def test_a_link_to_another_host_is_refused_before_it_is_followed():
    wire = Wire(httpx.Response(200, json={}))

    async with wire.open() as http:
        for link in [
            "https://evil.example/companies",
            "//evil.example/companies",
            "http://api.codat.example/companies",
        ]:
            with pytest.raises(errors.WireError, match="another host"):
                await http.read(link)

    assert wire.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "is_push", "expected"),
    [
        (400, False, errors.RequestRejected),
        (401, False, errors.KeyRefused),
        (402, False, errors.AccountLimited),
        (403, False, errors.AccessForbidden),
        (404, False, errors.RecordNotFound),
        (405, False, errors.RequestRejected),
        (407, True, errors.NotSent),
        (408, True, errors.AnswerLost),
        (409, False, errors.DataNotReady),
        (409, True, errors.KeyInProgress),
        (413, True, errors.RequestRejected),
        (418, True, errors.RequestRejected),
        (422, True, errors.KeyBodyMismatch),
        (422, False, errors.RequestRejected),
        (429, True, errors.RateLimited),
        (451, False, errors.ComplianceBlock),
        (500, True, errors.CodatFault),
        (502, True, errors.CodatFault),
        (503, False, errors.CodatFault),
        (504, True, errors.CodatFault),
    ],
)
async def test_each_status_has_its_name(status, is_push, expected):
    wire = Wire(error_body(status))
    headers = {"Idempotency-Key": "11111111-1111-4111-8111-111111111111"} if is_push else {}

    async with wire.open() as http:
        with pytest.raises(errors.CodatError) as caught:
            await http.send("POST" if is_push else "GET", "/somewhere", headers=headers)

    assert type(caught.value) is expected
    assert caught.value.status == status
    assert caught.value.correlation_id == "c-1"
    assert "it is so" in caught.value.message
    assert caught.value.details["path"] == "/somewhere"


@pytest.mark.anyio
async def test_a_refusal_that_is_not_codats_own_proves_nothing_about_a_push():
    wire = Wire(httpx.Response(418, html="<h1>proxy</h1>"))

    async with wire.open() as http:
        with pytest.raises(errors.AnswerLost):
            await http.send("POST", "/push", headers={"Idempotency-Key": "k"})


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["Data connection 2e9d not found", "No company was found with ID 8a21"])
async def test_a_404_that_names_company_or_connection_says_the_place_is_gone(text):
    wire = Wire(error_body(404, text))

    async with wire.open() as http:
        with pytest.raises(errors.PlaceGone):
            await http.read("/x")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "text", ["No data available for accounts for ID e588", "Datatype company not supported by platform(s) Xero"]
)
async def test_a_404_about_a_record_does_not_say_that_the_place_is_gone(text):
    wire = Wire(error_body(404, text))

    async with wire.open() as http:
        with pytest.raises(errors.RecordNotFound) as caught:
            await http.read("/x")

    assert type(caught.value) is errors.RecordNotFound


@pytest.mark.anyio
async def test_validation_of_an_error_body_is_kept_and_said():
    items = [{"itemId": "NominalCode", "message": "must not be longer", "validatorName": "Account"}, {}, None]
    wire = Wire(error_body(400, "refused", validation={"errors": items, "warnings": None}))

    async with wire.open() as http:
        with pytest.raises(errors.RequestRejected, match="refused; NominalCode: must not be longer") as caught:
            await http.read("/x")

    assert caught.value.validation[0].validator == "Account"
    assert caught.value.details["validation"][0]["item_id"] == "NominalCode"


@pytest.mark.anyio
@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b'{"error": 5, "validation": []}', b"\xff\xfe", b"{"])
async def test_an_error_body_of_any_shape_still_gives_the_named_error(content):
    wire = Wire(httpx.Response(401, content=content))

    async with wire.open() as http:
        with pytest.raises(errors.KeyRefused, match="HTTP 401"):
            await http.read("/x")


@pytest.mark.anyio
async def test_a_key_that_the_other_side_echoes_is_taken_out_of_the_message():
    token = base64.b64encode(KEY.encode()).decode()
    wire = Wire(error_body(401, f"no client for {KEY} (Basic {token})"))

    async with wire.open() as http:
        with pytest.raises(errors.KeyRefused) as caught:
            await http.read("/x")

    assert KEY not in str(caught.value)
    assert token not in str(caught.value)
    assert "(the API key)" in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), errors.NotSent),
        (httpx.ConnectError("[Errno -2] Name or service not known"), errors.NotSent),
        (httpx.ConnectError(str(ssl.SSLCertVerificationError("certificate has expired"))), errors.NotSent),
        (httpx.ConnectTimeout("slow"), errors.NotSent),
        (httpx.PoolTimeout("busy"), errors.NotSent),
        (httpx.ProxyError("403 Forbidden"), errors.NotSent),
        (httpx.ReadTimeout("slow"), errors.AnswerLost),
        (httpx.WriteTimeout("slow"), errors.AnswerLost),
        (httpx.ReadError("reset"), errors.AnswerLost),
        (httpx.WriteError("broken pipe"), errors.AnswerLost),
        (httpx.CloseError("closed"), errors.AnswerLost),
        (httpx.RemoteProtocolError("peer closed connection"), errors.AnswerLost),
        (httpx.LocalProtocolError("odd"), errors.AnswerLost),
        (httpx.DecodingError("bad gzip"), errors.AnswerLost),
    ],
)
async def test_what_was_surely_not_sent_is_told_from_a_lost_answer(failure, expected):
    wire = Wire(failure)

    async with wire.open() as http:
        with pytest.raises(errors.CodatError) as caught:
            await http.send("POST", "/push")

    assert type(caught.value) is expected
    assert caught.value.status is None
    assert len(wire.requests) == 1


@pytest.mark.anyio
async def test_an_answer_that_drips_for_ever_is_given_up():
    async def drip():
        while True:
            yield b" "
            await anyio.sleep(0.01)

    wire = Wire(httpx.Response(200, content=drip()))

    async with wire.open(timeout=0.1) as http:
        with pytest.raises(errors.AnswerLost, match="in time"):
            await http.send("GET", "/x")


@pytest.mark.anyio
async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(transport, "MAX_ANSWER", 1000)
    bomb = gzip.compress(b"0" * 1_000_000)
    wire = Wire(httpx.Response(200, content=bomb, headers={"content-encoding": "gzip"}))

    async with wire.open() as http:
        with pytest.raises(errors.AnswerTooLarge):
            await http.read("/x")

    assert len(wire.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("content", [b"<html>welcome to the hotel wifi</html>", b'{"cut": ', b"NaN", b""])
async def test_a_200_that_is_no_json_is_a_lost_answer_after_retries(content):
    wire = Wire(httpx.Response(200, content=content))

    async with wire.open() as http:
        with pytest.raises(errors.AnswerLost, match="JSON"):
            await http.read("/x")

    assert len(wire.requests) == 5


@pytest.mark.anyio
async def test_reads_are_repeated_with_growing_pauses_until_they_succeed():
    wire = Wire(
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        error_body(408),
        error_body(503),
        httpx.Response(200, json={"ok": 1}),
    )

    async with wire.open() as http:
        assert await http.read("/x") == {"ok": 1}

    assert wire.pauses == [0.5, 1.0, 2.0, 4.0]
    assert [exchange.attempt for exchange in wire.exchanges] == [1, 2, 3, 4, 5]


@pytest.mark.anyio
async def test_retries_end_and_the_last_error_is_told():
    wire = Wire(error_body(500))

    async with wire.open(retry=RetryPolicy(attempts=3)) as http:
        with pytest.raises(errors.CodatFault):
            await http.read("/x")

    assert len(wire.requests) == 3


@pytest.mark.anyio
async def test_jitter_takes_up_to_half_of_a_pause_away():
    wire = Wire(error_body(500), httpx.Response(200, json={}))

    async with wire.open(jitter=lambda: 0.0) as http:
        await http.read("/x")

    assert wire.pauses == [0.25]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 451])
async def test_a_final_refusal_is_not_repeated(status):
    wire = Wire(error_body(status))

    async with wire.open() as http:
        with pytest.raises(errors.CodatError):
            await http.read("/x")

    assert len(wire.requests) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7.0), ("0", 0.0), ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0), ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0)],
)
async def test_a_read_waits_as_long_as_a_429_asks(header, pause):
    wire = Wire(httpx.Response(429, headers={"retry-after": header}), httpx.Response(200, json={}))

    async with wire.open() as http:
        await http.read("/x")

    assert wire.pauses == [pause]


@pytest.mark.anyio
async def test_a_pause_longer_than_we_wait_is_told_to_the_caller():
    wire = Wire(httpx.Response(429, headers={"retry-after": "604800"}))

    async with wire.open() as http:
        with pytest.raises(errors.RateLimited) as caught:
            await http.read("/x")

    assert caught.value.retry_after == 604800.0
    assert wire.pauses == []


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "NaN", "1e9", "inf", "٣", "99999999999999999999"])
def test_a_retry_after_that_says_nothing_usable_is_none(header):
    assert classify.retry_after(header, NOW) is None


@pytest.mark.anyio
async def test_the_quota_headers_and_codats_clock_are_kept_from_the_last_answer():
    headers = {
        "X-Rate-Limit-Limit": "2000",
        "X-Rate-Limit-Remaining": "1998",
        "X-Rate-Limit-Reset": "2026-11-23T00:00:00Z",
        "Date": "Sun, 22 Nov 2026 12:00:05 GMT",
    }
    wire = Wire(httpx.Response(200, json={}, headers=headers), httpx.Response(200, json={}))

    async with wire.open() as http:
        await http.read("/x")
        await http.read("/y")

        assert http.rate_limit == transport.RateLimit(2000, 1998, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
        assert http.server_time == NOW + dt.timedelta(seconds=5)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("limit", "reset"),
    [
        ("many", "tomorrow"),
        ("-1", ""),
        ("2000.5", "Mon, 99 Foo 2026 00:00:00 GMT"),
        ("9" * 5000, "9999-12-31T23:59:59-14:00"),
        ("\u0663".encode(), "Fri, 31 Dec 9999 23:59:59 -1400"),
    ],
)
async def test_quota_headers_that_lie_are_ignored(limit, reset):
    headers = {"X-Rate-Limit-Limit": limit, "X-Rate-Limit-Reset": reset}
    wire = Wire(httpx.Response(200, json={}, headers=headers))

    async with wire.open() as http:
        await http.read("/x")

        assert http.rate_limit == transport.RateLimit()


@pytest.mark.anyio
async def test_an_exchange_is_traced_with_sizes_and_ids_and_without_secrets():
    wire = Wire(error_body(400))

    async with wire.open() as http:
        with pytest.raises(errors.RequestRejected):
            await http.send("POST", "/push?x=1", body=b'{"a":1}')

    [exchange] = wire.exchanges
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/push?x=1", 400)
    assert (exchange.correlation_id, exchange.error) == ("c-1", "codat.rejected")
    assert (exchange.request_bytes, exchange.response_bytes) == (7, len(error_body(400).content))
    assert KEY not in repr(exchange)


@pytest.mark.anyio
async def test_no_more_than_ten_requests_are_in_flight():
    flying = peak = 0

    async def handle(request):
        nonlocal flying, peak
        flying += 1
        peak = max(peak, flying)
        await anyio.sleep(0.001)
        flying -= 1
        return httpx.Response(200, json={})

    http = Transport(
        base_url=BASE, api_key=KEY, clock=lambda: NOW, sleep=anyio.sleep, transport=httpx.MockTransport(handle)
    )
    async with http, anyio.create_task_group() as tasks:
        for _ in range(40):
            tasks.start_soon(http.read, "/x")

    assert peak == 10


def test_certificate_checks_cannot_be_switched_off():
    with pytest.raises(ValueError, match="switched off"):
        Transport(base_url=BASE, api_key=KEY, clock=lambda: NOW, sleep=anyio.sleep, verify=False)
