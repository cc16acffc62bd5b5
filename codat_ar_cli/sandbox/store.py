"""The sandbox's state file: SQLite, one row per thing, one transaction per exchange."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from codat_ar_cli.sandbox.jsonexact import dumps, loads
from codat_ar_cli.sandbox.settings import SandboxError

_APPLICATION = 0x43415253  # "CARS": tells our files from other SQLite databases
_VERSION = 1


class Store:
    """Keeps JSON values by kind and key; without a path it keeps nothing, at no cost.

    Puts are gathered and written by `commit`, so that what one request changed is there wholly or not at all.
    A crash of the process loses nothing that was committed; a crash of the machine may lose the last seconds.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = None if path is None else _open(path)
        self._pending: list[tuple[str, tuple[str, ...]]] = []

    def put(self, kind: str, key: str, value: Any) -> None:
        """Set a value, written at the next commit."""
        if self._database is not None:
            self._pending.append(("insert or replace into thing values (?, ?, ?)", (kind, key, dumps(value))))

    def drop(self, kind: str, key: str) -> None:
        """Remove one value."""
        if self._database is not None:
            self._pending.append(("delete from thing where kind = ? and key = ?", (kind, key)))

    def drop_all(self, kind: str) -> None:
        """Remove every value of a kind."""
        if self._database is not None:
            self._pending.append(("delete from thing where kind = ?", (kind,)))

    def commit(self) -> None:
        """Write what was gathered, in one transaction."""
        if self._database is not None and self._pending:
            with self._database:
                self._flush(self._database)

    def _flush(self, database: sqlite3.Connection) -> None:
        pending, self._pending = self._pending, []
        for statement, values in pending:
            database.execute(statement, values)

    def load(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Give every value of a kind, by key."""
        if self._database is None:
            return
        for key, text in self._database.execute("select key, value from thing where kind = ? order by key", (kind,)):
            yield key, loads(text)

    @property
    def keeps(self) -> bool:
        """Whether anything put here is kept."""
        return self._database is not None

    def write(self, kind: str, values: Iterable[tuple[str, Any]]) -> None:
        """Write many values at once, with all that was gathered before, without holding their text in memory."""
        if self._database is not None:
            rows = ((kind, key, dumps(value)) for key, value in values)
            with self._database:
                self._flush(self._database)
                self._database.executemany("insert or replace into thing values (?, ?, ?)", rows)

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self.abandon()

    def abandon(self) -> None:
        """Close without writing what was not committed, as a crash would."""
        if self._database is not None:
            self._database.close()
            self._database = None


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives its side files the same permissions
    except OSError as error:
        raise SandboxError("sandbox.state", f"can't open the state file `{path}`: {error.strerror}") from error
    database = sqlite3.connect(path, timeout=0.5, check_same_thread=False)
    try:
        _prepare(database, path)
    except sqlite3.OperationalError as error:
        database.close()
        raise SandboxError(
            "sandbox.state-busy",
            f"the state file `{path}` is in use: {error}",
            hint="stop the other sandbox, or name another --state file",
        ) from error
    except sqlite3.DatabaseError as error:
        database.close()
        raise SandboxError("sandbox.state", f"`{path}` is not a state file of the sandbox: {error}") from error
    except SandboxError:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    application = database.execute("pragma application_id").fetchone()[0]
    version = database.execute("pragma user_version").fetchone()[0]
    empty = database.execute("select count(*) from sqlite_master").fetchone()[0] == 0
    if not empty and (application != _APPLICATION or version != _VERSION):
        raise SandboxError(
            "sandbox.state",
            f"`{path}` is not a state file of this version of the sandbox",
            hint="name another --state file",
        )
    database.execute("pragma locking_mode = exclusive")
    database.execute("pragma journal_mode = wal")
    database.execute("pragma synchronous = normal")
    with database:
        database.execute(f"pragma application_id = {_APPLICATION}")
        database.execute(f"pragma user_version = {_VERSION}")
        database.execute(
            "create table if not exists thing (kind text, key text, value text not null, primary key (kind, key))"
            " without rowid"
        )
        database.execute("insert or replace into thing values ('meta', 'opened', '1')")  # takes the lock now
