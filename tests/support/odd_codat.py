"""A Codat that goes wrong in every way but by our leave: the sandbox's true answers, spoiled by a seeded dice."""

import contextlib
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from codat_ar_cli.domain import jsontext

ODD_VALUES = (
    *"null true false 0 -1 1e400 1e99999999999999999999 -0.0 [] {} [[]] [null] [1] [{}] 123456789012345.12345".split(),
    '""',
    '" "',
    '"\\ud800"',
    '"\\u0000"',
    '"\\u202e\\u001b[31m"',
    '"0001-01-01T00:00:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"0001-12-31T00:00:00+14:00"',
    '"2026-02-30"',
    '"yesterday"',
    '"Unknown"',
    '"/../%2e%2e?#"',
    '"http://elsewhere.example/companies"',
    '"http://["',
    '"' + "x" * 5000 + '"',
    "[" * 400 + "]" * 400,
    "[" * 900 + "]" * 900,
    "[" * 3000 + "]" * 3000,
    "9" * 5000,
)
"""What a value of an answer is replaced by, as raw JSON text: some of it no parser should trust."""

STATUSES = (
    *(201, 202, 204, 205, 206, 299, 300, 302, 304, 307),
    *(400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413, 418, 422, 429, 451, 499),
    *(500, 501, 502, 503, 504, 599),
)

ODD_HEADERS = (
    (
        "Retry-After",
        ("0", "-5", "604800", "Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1400", "soon", ""),
    ),
    (
        "X-Rate-Limit-Reset",
        ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "31/12/2026", "", "1e9", "9" * 5000),
    ),
    ("X-Rate-Limit-Remaining", ("-1", "many", "9" * 5000, "1.5", "\u00b3", "")),
    ("Date", ("Fri, 31 Dec 9999 23:59:59 -1400", "now", "", "Mon, 00 Jan 0000 00:00:00 GMT")),
    ("Content-Type", ("text/html", "application/json; charset=utf-16", "application/json; charset=klingon", "", ";;;")),
    ("Content-Encoding", ("gzip", "deflate", "br", "identity", "zstd", "made-up")),
    ("Location", ("http://[", "//", "https://elsewhere.example/", "/companies", "\x7f")),
    ("Link", ("<>; rel=next",)),
)

_PLACE = "\ue000odd\ue000"


@dataclass(frozen=True)
class Reply:
    """An answer as it will be sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: int | None = None
    """Bytes of the body that leave before the connection breaks; None: all of them, negative: not even the head."""


def spoil(reply: Reply, dice: random.Random) -> Reply:
    """Spoil one answer in one of many ways."""
    way: Callable[[Reply, random.Random], Reply] = dice.choice(
        [_odd_value, _odd_value, _odd_value, _missing, _odd_body, _odd_status, _odd_header, _broken]
    )
    return way(reply, dice)


def _odd_value(reply: Reply, dice: random.Random) -> Reply:
    value = _parsed(reply)
    if value is None:
        return _odd_body(reply, dice)
    odd = dice.choice(ODD_VALUES)
    found = list(places(value))
    if not found or dice.random() < 0.05:
        return Reply(reply.status, reply.headers, odd.encode())
    owner, key = dice.choice(found)
    owner[key] = _PLACE
    return Reply(reply.status, reply.headers, jsontext.dumps(value).replace(f'"{_PLACE}"', odd).encode())


def _missing(reply: Reply, dice: random.Random) -> Reply:
    value = _parsed(reply)
    found = list(places(value))
    if found:
        owner, key = dice.choice(found)
        del owner[key]
    return Reply(reply.status, reply.headers, jsontext.dumps(value).encode())


def _odd_body(reply: Reply, dice: random.Random) -> Reply:
    text = reply.body
    bodies = [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf" + text,
        text.decode().encode("utf-16"),
    ]
    bodies += [text[: len(text) // 2], text + text, b"NaN", b"[]", b"{}", b"null", b'"text"', b"\x00" * 50]
    return Reply(reply.status, reply.headers, dice.choice(bodies))


def _odd_status(reply: Reply, dice: random.Random) -> Reply:
    error = '{"statusCode":%d,"service":"x","error":"made to fail","correlationId":"c-1","validation":null}'
    status = dice.choice(STATUSES)
    body = dice.choice(
        [reply.body, b"", (error % status).encode(), b"<html>", b'{"error":[1]}', b'{"validation":{"errors":[1]}}']
    )
    answer = Reply(status, reply.headers, body)
    return _odd_header(answer, dice) if dice.random() < 0.5 else answer


def _odd_header(reply: Reply, dice: random.Random) -> Reply:
    name, values = dice.choice(ODD_HEADERS)
    return Reply(reply.status, {**reply.headers, name: dice.choice(values)}, reply.body)


def _broken(reply: Reply, dice: random.Random) -> Reply:
    return Reply(reply.status, reply.headers, reply.body, sent=dice.choice([-1, 0, 1, len(reply.body) // 2]))


def _parsed(reply: Reply) -> Any:
    try:
        return jsontext.loads(reply.body)
    except jsontext.JsonTextError:
        return None


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in nested dicts and lists, as its container and its key."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in list(entries):
        yield value, key
        yield from places(entry)


class OddCodat:
    """Stands before a sandbox and spoils, from `seed`, each answer with the chance `chance`."""

    def __init__(self, sandbox: str) -> None:
        self.sandbox = sandbox
        self.dice = random.Random(0)
        self.chance = 0.0
        self.told: list[str] = []
        """What was spoiled since `begin`, for the message of a failing test."""
        self.answered_by: Callable[[dict[str, str]], Reply] | None = None
        """Answers every request instead, from its headers."""
        self._lock = threading.Lock()

    def begin(self, seed: int, *, chance: float) -> None:
        """Start a new case."""
        self.dice, self.chance, self.told = random.Random(seed), chance, []

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Give the sandbox's own answer, or a spoiled one."""
        if self.answered_by is not None:
            return self.answered_by(headers)
        kept = {name: value for name, value in headers.items() if name.lower() not in {"host", "accept-encoding"}}
        true = httpx.request(method, self.sandbox + path, headers=kept, content=body, timeout=30)
        passed = {name: value for name, value in true.headers.items() if re.match("x-|date|content-type|retry", name)}
        reply = Reply(true.status_code, passed, true.content)
        with self._lock:
            if self.dice.random() >= self.chance:
                return reply
            spoiled = spoil(reply, self.dice)
            self.told.append(f"{method} {path} -> {spoiled!r:.600}")
        return spoiled


@contextmanager
def odd_codat(sandbox: str) -> Iterator[tuple[OddCodat, str]]:
    """Run an `OddCodat` before the sandbox at a URL; gives it and its own URL."""
    codat = OddCodat(sandbox)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._send(codat.answer(self.command, self.path, dict(self.headers), body))

        def _send(self, reply: Reply) -> None:
            self.close_connection = reply.sent is not None
            if reply.sent is not None and reply.sent < 0:
                return
            self.send_response_only(reply.status, "Odd")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(0 if reply.status in {204, 304} else len(reply.body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the client may have heard enough
                if reply.status not in {204, 304}:
                    self.wfile.write(reply.body[: reply.sent])
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that has heard enough breaks off

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield codat, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
