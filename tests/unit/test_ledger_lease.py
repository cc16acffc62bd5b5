"""One writer per company, whoever dies."""

import subprocess
import sys
from pathlib import Path

import pytest
from pushworld import COMPANY, HOST

from codat_ar_cli.domain.types import CompanyId
from codat_ar_cli.ledger.errors import CompanyLocked, LedgerUnreachable
from codat_ar_cli.ledger.lease import hold_company

HOLDER = """
import sys, pathlib
from codat_ar_cli.ledger.lease import hold_company
with hold_company(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), HOST, COMPANY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_the_company(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(CompanyLocked, match=f"held by another run: process {holder.pid} on .+, since 20") as caught:
        hold_company(tmp_path, HOST, COMPANY).__enter__()
    assert caught.value.exit_code == 7
    assert caught.value.details["pid"] == str(holder.pid)


def test_a_killed_process_gives_the_company_free(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with hold_company(tmp_path, HOST, COMPANY):
        assert list((tmp_path / "locks").glob("*.json"))


def test_two_holders_in_one_process_exclude_each_other_and_the_next_comes_in(tmp_path: Path) -> None:
    with hold_company(tmp_path, HOST, COMPANY), pytest.raises(CompanyLocked):
        hold_company(tmp_path, HOST, COMPANY).__enter__()
    with hold_company(tmp_path, HOST, COMPANY):
        pass
    assert not list((tmp_path / "locks").glob("*.json"))


@pytest.mark.parametrize(("host", "company"), [("127.0.0.1:8080", COMPANY), (HOST, CompanyId("../other"))])
def test_companies_and_hosts_do_not_block_each_other(tmp_path: Path, host: str, company: CompanyId) -> None:
    with hold_company(tmp_path, HOST, COMPANY), hold_company(tmp_path, host, company):
        names = {path.parent for path in tmp_path.rglob("*.lock")}
    assert names == {tmp_path / "locks"}


def test_an_unreadable_note_still_says_locked(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    (note,) = (tmp_path / "locks").glob("*.json")
    note.write_text("[")
    with pytest.raises(CompanyLocked, match="held by another run: another process"):
        hold_company(tmp_path, HOST, COMPANY).__enter__()
    assert holder.poll() is None


def test_a_place_for_locks_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("in the way")
    with pytest.raises(LedgerUnreachable):
        hold_company(tmp_path, HOST, COMPANY).__enter__()
