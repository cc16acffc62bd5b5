"""Open the ledger's database, make it where there is none, and refuse what is not ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from codat_ar_cli.ledger import tables
from codat_ar_cli.ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerForeign,
    LedgerNewer,
    LedgerUnreachable,
)

BUSY_SECONDS = 10
"""How long to wait for another process's transaction; ours last milliseconds."""


def connect(location: Path | str) -> tuple[sa.Engine, str]:
    """Open a ledger, creating it where there is none; the text names it in messages.

    location: a path, or a URL `sqlite:///…`. Raises a subclass of LedgerError; a file that is not a ledger, or
    a newer one, is left untouched.
    """
    path = _path(location)
    name = str(path)
    with translated(name):
        _prepare_file(path)
        is_new = _inspect(path)
        engine = _engine(path)
        try:
            if is_new:
                _create(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine, name


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what the database says about its file into errors a person can act on."""
    try:
        yield
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        named = _named(name, str(getattr(error, "orig", None) or error))
        if named is None:
            raise
        raise named from error


_PERMISSION = "it can't be written here (no permission, or a read-only place)"
_WORDS: tuple[tuple[str, str], ...] = (
    ("readonly", _PERMISSION),
    ("read-only", _PERMISSION),
    ("unable to open", _PERMISSION),
    ("disk is full", "the disk is full"),
    ("disk i/o", "the disk reports an error"),
)


def _named(name: str, text: str) -> LedgerError | None:
    lower = text.lower()
    if "locked" in lower or "busy" in lower:
        return LedgerBusy(name)
    if "not a database" in lower:
        return LedgerForeign(name, "no database")
    if "malformed" in lower or "no such table" in lower or "no such column" in lower:
        return LedgerDamaged(name, text)
    why = next((meaning for word, meaning in _WORDS if word in lower), None)
    return LedgerUnreachable(name, why) if why else None


def _path(location: Path | str) -> Path:
    if isinstance(location, Path):
        return location
    scheme, separator, rest = location.partition("://")
    if not separator:
        return Path(location)
    if scheme == "sqlite" and rest.startswith("/") and rest != "/":
        return Path(rest[1:])
    raise LedgerUnreachable(
        f"{scheme}://…",
        f"`{scheme}` is not a database this version keeps a ledger in",
        hint="give a file path or sqlite:///PATH in CODAT_AR_LEDGER_URL, or leave it unset",
    )


def _prepare_file(path: Path) -> None:
    """See to a file that only its owner can read, in a folder that only its owner can enter."""
    if path.is_dir():
        raise LedgerUnreachable(path, "it is a folder; a file is expected")
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                path.chmod(0o600)
    except OSError as error:
        raise LedgerUnreachable(path, error.strerror or str(error)) from error


def _inspect(path: Path) -> bool:
    """Tell whether the file is still to be filled; raises for a foreign, damaged or newer one.

    Only reads, so that a foreign database keeps even its journal mode. An empty file is what a crash leaves
    between making the file and filling it.
    """
    if path.stat().st_size == 0 and not path.with_name(path.name + "-wal").exists():
        return True
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names:
            return True
        if "meta" not in names:
            raise LedgerForeign(path, "another program's database")
        try:
            facts = dict(connection.execute("SELECT key, value FROM meta"))
        except sqlite3.OperationalError as error:
            raise LedgerForeign(path, "another program's database") from error
    if facts.get("application") != tables.APPLICATION:
        raise LedgerForeign(path, "another program's database")
    found = facts.get("schema", "")
    if not found.isdecimal() or int(found) < 1:
        raise LedgerDamaged(path, f"its schema number is `{found}`")
    if int(found) > tables.SCHEMA:
        raise LedgerNewer(path, found=found, known=tables.SCHEMA)
    missing = sorted(set(tables.metadata.tables) - names)
    if missing:
        raise LedgerDamaged(path, f"it lacks {', '.join(missing)}")
    return False


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        # The driver would begin transactions by itself, and late; `_begin` does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        mode = cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        # A commit must survive a power cut. Where WAL is not to be had (network disks), only EXTRA does that.
        cursor.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        cursor.execute("PRAGMA fullfsync = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: upgrading a reader half-way fails when another writer came between.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _create(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        # Two processes may have found the file empty; the second finds it filled once it holds the lock.
        if sa.inspect(connection).has_table("meta"):
            return
        tables.metadata.create_all(connection)
        connection.execute(
            sa.insert(tables.meta),
            [{"key": "application", "value": tables.APPLICATION}, {"key": "schema", "value": str(tables.SCHEMA)}],
        )
