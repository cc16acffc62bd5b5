"""The state file: one row per thing, private, and nobody else's."""

import sqlite3
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from codat_ar_cli.sandbox.settings import SandboxError
from codat_ar_cli.sandbox.store import Store


def test_what_was_committed_comes_back_and_what_was_not_does_not(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    store.put("webhook", "a", {"amount": Decimal("1.10")})
    store.put("webhook", "b", 1)
    store.drop("webhook", "b")
    store.commit()
    store.put("webhook", "c", 1)
    store.abandon()

    assert list(Store(tmp_path / "state.db").load("webhook")) == [("a", {"amount": Decimal("1.10")})]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_the_file_is_private(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")

    with pytest.raises(SandboxError, match="is in use") as raised:
        Store(tmp_path / "state.db")

    assert raised.value.code == "sandbox.state-busy"
    store.close()


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("create table theirs (a)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(SandboxError, match="not a state file of this version"):
        Store(path)

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 400)

    with pytest.raises(SandboxError, match="is not a state file"):
        Store(path)


def test_without_a_path_nothing_is_kept() -> None:
    store = Store(None)
    store.put("webhook", "a", 1)
    store.commit()

    assert list(store.load("webhook")) == []
