"""One writer per company: a lock that the operating system takes back when its holder dies (design D9)."""

import datetime as dt
import hashlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.ids import CompanyId
from codat_ar_cli.ledger.errors import CompanyLocked, LedgerUnreachable


@contextmanager
def hold_company(state_dir: Path, api_host: str, company: CompanyId) -> Iterator[None]:
    """Hold the right to write for a company, from entry to exit; never waits.

    Raises CompanyLocked, which names the holder, or LedgerUnreachable where the folder can't be written.
    """
    folder = state_dir / "locks"
    name = _file_name(api_host, company)
    owner = folder / f"{name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / f"{name}.lock", timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        raise CompanyLocked(company, **_read_owner(owner)) from None
    except OSError as error:
        raise LedgerUnreachable(folder, error.strerror or str(error)) from error
    try:
        _write_owner(owner)
        yield
    finally:
        # The note goes first: whoever comes next writes its own only after the lock is free.
        with suppress(OSError):
            owner.unlink(missing_ok=True)
        lock.release()


def _file_name(api_host: str, company: str) -> str:
    """Name the lock readably, and for sure: two companies never share one, whatever characters they hold."""
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", f"{api_host}_{company}")[:80]
    return f"{readable}-{hashlib.sha256(jsontext.dumps([api_host, company]).encode()).hexdigest()[:12]}"


def _write_owner(path: Path) -> None:
    since = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = jsontext.dumps({"pid": str(os.getpid()), "host": socket.gethostname(), "since": since})
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _read_owner(path: Path) -> dict[str, str | None]:
    """Read who holds the lock; unknown where its note is not there yet."""
    try:
        note = jsontext.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        note = {}
    if not isinstance(note, dict):
        note = {}
    return {name: str(note[name]) if name in note else None for name in ("pid", "host", "since")}
