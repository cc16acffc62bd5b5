"""Where the ledger lives: made privately, kept durably, and refused by name where it is not ours."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pushworld import Time, World, document, header

from codat_ar_cli.ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerForeign,
    LedgerNewer,
    LedgerUnreachable,
)
from codat_ar_cli.ledger.store import Ledger

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def open_at(location: Path | str) -> Ledger:
    return Ledger.open(location, clock=Time())


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_file_and_folder_belong_to_their_owner_alone(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "state" / "ledger.db"
    before = os.umask(umask)
    try:
        with open_at(path) as ledger:
            ledger.begin_run(header())
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert "ledger.db-wal" in modes


@posix
def test_a_ledger_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_at(path).close()
    path.chmod(0o644)
    open_at(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_writes_ahead_and_fully_synchronously(tmp_path: Path) -> None:
    with open_at(tmp_path / "ledger.db") as ledger, ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_an_empty_file_is_filled_as_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    with open_at(path) as ledger:
        assert ledger.runs() == []


def test_a_sqlite_url_names_a_file(tmp_path: Path) -> None:
    open_at(f"sqlite:///{tmp_path / 'by-url.db'}").close()
    assert (tmp_path / "by-url.db").stat().st_size > 0


def test_another_kind_of_url_is_refused_without_showing_its_password() -> None:
    with pytest.raises(LedgerUnreachable, match="`postgresql` is not a database") as caught:
        open_at("postgresql://me:hunter2@db/ledger")
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {caught.value.details}"


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnreachable, match="it is a folder"):
        open_at(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerUnreachable, match="can't be used") as caught:
        open_at(tmp_path / "file" / "ledger.db")
    assert "--state-dir" in (caught.value.hint or "")


@pytest.mark.parametrize("content", [b"id,amount\n1,2\n", b"\0" * 5000, b"PK\x03\x04" + b"x" * 4000])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(LedgerForeign, match="is not a ledger of codat-ar") as caught:
        open_at(path)
    assert path.read_bytes() == content
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("table", ["music (title TEXT)", "meta (key TEXT, value TEXT)", "meta (other TEXT)"])
def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path, table: str) -> None:
    path = tmp_path / "ledger.db"
    sql(path, f"CREATE TABLE {table}")
    before = path.read_bytes()
    with pytest.raises(LedgerForeign, match="another program's database"):
        open_at(path)
    assert path.read_bytes() == before


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_at(path).close()
    sql(path, "UPDATE meta SET value = '999' WHERE key = 'schema'")
    with pytest.raises(LedgerNewer, match="has schema 999; this codat-ar knows up to 1") as caught:
        open_at(path)
    assert "upgrade codat-ar" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE meta SET value = 'one' WHERE key = 'schema'", "its schema number is `one`"),
        ("DELETE FROM meta WHERE key = 'schema'", "its schema number is ``"),
        ("DROP TABLE event", "it lacks event"),
    ],
)
def test_a_ledger_with_parts_missing_is_damaged(tmp_path: Path, statement: str, says: str) -> None:
    path = tmp_path / "ledger.db"
    open_at(path).close()
    sql(path, statement)
    with pytest.raises(LedgerDamaged, match=says):
        open_at(path)


@pytest.mark.parametrize("keep", [50, 1024, 4096, 20_000])
def test_a_truncated_ledger_is_refused_by_name(tmp_path: Path, keep: int) -> None:
    world = World(tmp_path)
    with world.open() as ledger:
        world.plan(ledger, *(document(f"INV-{number}") for number in range(100)))
    world.path.write_bytes(world.path.read_bytes()[:keep])
    with pytest.raises(LedgerError) as caught, world.open() as ledger:
        ledger.pushes(ledger.runs()[0].id)
    assert caught.value.code in {"ledger.damaged", "ledger.foreign"}


@posix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere")
def test_a_read_only_place_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerUnreachable):
        open_at(tmp_path / "ledger.db")


def test_a_full_disk_is_named_and_the_plan_is_not_half_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    with world.open() as ledger:
        run_id = world.plan(ledger, document("INV-0"))
        with ledger._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerUnreachable, match="the disk is full"):
            world.plan(ledger, *(document(f"INV-{number}", content="x" * 2000) for number in range(1, 60)))
        assert len(ledger.pushes(run_id)) == 1


def test_a_ledger_that_another_process_keeps_writing_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    monkeypatch.setattr("codat_ar_cli.ledger.database.BUSY_SECONDS", 0.05)
    with open_at(path) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="being written by another process") as caught:
            ledger.begin_run(header())
        assert caught.value.exit_code == 7
        other.execute("ROLLBACK")
        ledger.begin_run(header())


def test_reading_goes_on_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_at(path) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        ledger.begin_run(header())
        other.execute("BEGIN IMMEDIATE")
        assert len(ledger.runs()) == 1
        other.execute("ROLLBACK")


def test_nothing_at_package_top_level_loads_the_database() -> None:

    modules = ", ".join(f"codat_ar_cli.ledger.{name}" for name in ("lease", "errors", "identity"))
    code = f"import sys, {modules}; print('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
