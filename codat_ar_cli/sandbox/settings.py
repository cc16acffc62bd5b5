"""What one sandbox is told at its start, and what it tells about each exchange."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEY_VARIABLE = "CODAT_AR_SANDBOX_KEY"
"""The environment variable that holds the one API key that works under `require_key`."""


class SandboxError(Exception):
    """The sandbox can't start as told. `code` is stable, `hint` says what to do about it."""

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as they crossed the wire; never the API key."""

    at: datetime
    """By the sandbox's clock."""
    method: str
    path: str
    """Still percent-encoded."""
    query: str
    """Without the question mark, still percent-encoded."""
    request_headers: dict[str, str]
    """The headers that matter; `Authorization` is never among them."""
    request_body: bytes
    status: int
    """0 where the connection was dropped without an answer."""
    response_headers: dict[str, str]
    response_body: bytes
    operation_key: str | None = None
    """The push operation that the request began, if any."""
    spoiled: bool = False
    """Whether a fault made the answer one that Codat would not give: no fault of the sandbox itself."""


def utc_now() -> datetime:
    """Read the wall clock, aware and UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sandbox behaves; the defaults are one company on each platform and no limits."""

    platforms: tuple[str, ...] = ()
    """Names or keys of platforms, one company on each; empty: every platform once."""
    seed: int = 1
    """Equal seeds give equal companies, ids included."""
    customers: int | None = None
    """Customers to invent per company; None: the seed's own number."""
    invoices: int | None = None
    seed_files: tuple[Path, ...] = ()
    """JSON files, one company in each, instead of invented ones (unless platforms are named too)."""
    operation_delay: float = 0.2
    """Seconds, by the sandbox's clock, from a push request to its outcome."""
    sync_delay: float = 0.2
    """Seconds, by the sandbox's clock, from queueing a data type to its completed sync."""
    latency: float = 0.0
    """Real seconds added to every request."""
    require_key: str | None = None
    """The only API key that works; None: any key does."""
    limits: bool = False
    """Whether quota, concurrency and per-minute limits refuse requests; they are counted anyway."""
    faults: Path | dict[str, Any] | None = None
    """A fault plan (see faults.py) or the file that holds one."""
    state: Path | None = None
    """SQLite file that keeps everything across restarts."""
    log: Path | None = None
    """JSON Lines file of every exchange."""
    on_exchange: Callable[[Exchange], None] | None = None
    """Called after each exchange, in the server's thread; an error it raises becomes a 500 for the client."""
    clock: Callable[[], datetime] = utc_now
    """The wall clock; `/__sandbox/clock` moves the sandbox's own time away from it."""
