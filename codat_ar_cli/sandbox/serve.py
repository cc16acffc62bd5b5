"""Serving a sandbox on a socket: in the foreground, or in a thread while something else runs."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from codat_ar_cli.sandbox.app import create_app
from codat_ar_cli.sandbox.settings import SandboxError, Settings

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_START_SECONDS = 120.0
"""Long enough to seed fifty thousand invoices on a slow machine."""


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[str], None] = lambda url: None,
    *,
    any_host: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then save and return; port 0 picks a free one. Prints nothing.

    `on_ready` gets the base URL once requests are taken. Raises SandboxError: port taken, state file in use,
    unknown platform, or a host beyond this machine without `any_host`.
    """
    with _listening(host, port, any_host=any_host) as listener:
        server = _Server(settings, lambda: on_ready(_url(listener)))
        server.run(sockets=[listener])


@contextmanager
def running(settings: Settings, host: str = "127.0.0.1", port: int = 0, *, any_host: bool = False) -> Iterator[str]:
    """Serve in a background thread while the block runs; yields the base URL. Raises SandboxError like `serve`."""
    ready = threading.Event()
    with _listening(host, port, any_host=any_host) as listener:
        server = _Server(settings, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
        thread.start()
        try:
            _wait_for(ready, thread)
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


def _wait_for(ready: threading.Event, thread: threading.Thread) -> None:
    for _ in range(int(_START_SECONDS / 0.05)):
        if ready.wait(0.05):
            return
        if not thread.is_alive():
            break
    raise SandboxError("sandbox.start", "the sandbox did not start")


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, settings: Settings, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            create_app(settings),
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take a signal as the request to stop and to save; unlike uvicorn's own, it is not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [number for name in _STOPPING if (number := getattr(signal, name, None)) is not None]
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


class _Protocol(H11Protocol):
    """HTTP/1.1 whose requests carry `hang_up`, for faults that break the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "hang_up": transport.abort}


@contextmanager
def _listening(host: str, port: int, *, any_host: bool) -> Iterator[socket.socket]:
    if not any_host and not _is_local(host):
        raise SandboxError(
            "sandbox.host", f"`{host}` is not this machine; the sandbox knows no security", hint="use 127.0.0.1"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, else asyncio leaves Nagle on
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listener, host, port)
        yield listener
    finally:
        listener.close()


def _bind(listener: socket.socket, host: str, port: int) -> None:
    try:
        listener.bind((host, port))
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason = "is in use" if error.errno == errno.EADDRINUSE else "is not allowed"
            raise SandboxError(
                "sandbox.port", f"port {port} on {host} {reason}", hint="name another --port, or 0 to pick a free one"
            ) from error
        raise SandboxError("sandbox.host", f"can't listen on {host}:{port}: {error}") from error


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
