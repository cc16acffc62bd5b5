"""`codat-ar demo` on a fresh machine: it works, leaves the user's own alone, and its next commands work as printed."""

import os
import signal
import subprocess
import sys

import httpx
import pytest
from machine import USERS_KEY, Machine, snapshot

from codat_ar_cli.domain import jsontext


def test_it_ends_well_and_shows_each_command(demo):
    assert demo.code == 0, demo.err
    assert "$ codat-ar" in demo.err
    assert "Traceback" not in demo.err + demo.out


def test_a_further_demo_gets_a_folder_of_its_own(demo):
    assert {path.name for path in demo.machine.work.iterdir()} == {"codat-ar-demo-1", "codat-ar-demo-2"}
    assert list((demo.machine.work / "codat-ar-demo-1").iterdir()) == []


@pytest.mark.parametrize(
    ("invoice", "before", "after", "status"),
    [
        ("DEMO-1001", "864.30 GBP", "0.00 GBP", "Paid"),
        ("DEMO-1002", "249.60 GBP", "0.00 GBP", "Paid"),
        ("DEMO-1003", "718.80 GBP", "0.00 GBP", "Paid"),
        ("DEMO-1004", "1,026.00 EUR", "1,026.00 EUR", "Submitted"),
        ("DEMO-1005", "1,545.00 GBP", "1,045.00 GBP", "PartiallyPaid"),
    ],
)
def test_amounts_due_fall_by_what_was_paid(demo, invoice, before, after, status):
    (line,) = (line for line in demo.out.splitlines() if line.startswith(invoice))

    assert line.endswith(f"  {status}")
    assert line.removesuffix(status).rstrip().endswith(f" {after}")
    assert f" {before} " in line


def test_the_payment_on_account_is_held_on_xero_with_its_reason(demo):
    (line,) = (line for line in demo.out.splitlines() if line.startswith("PAY-4  "))

    assert "no payments on account" in line


def test_every_exchange_keeps_codats_contract(demo, check_sandbox_log):
    log = demo.folder / "exchanges.jsonl"

    assert log.read_text(encoding="utf-8").count("/push/invoices") >= 10
    check_sandbox_log(log)


def test_the_users_config_ledger_and_key_are_left_alone(demo):
    assert snapshot(demo.machine.home) == demo.machine.before
    assert all(USERS_KEY.encode() not in content for content in snapshot(demo.machine.work).values())


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps access in ACLs, which the mode bits do not show")
def test_what_it_keeps_is_the_owners_alone(demo):
    assert demo.folder.stat().st_mode & 0o077 == 0
    assert (demo.folder / "config.toml").stat().st_mode & 0o077 == 0
    assert (demo.folder / "sandbox.key").stat().st_mode & 0o077 == 0


def test_each_next_command_works_as_printed(demo):
    assert len(demo.next_commands) == 3
    shown = [demo.machine.shell(command) for command in demo.next_commands]

    assert [done.returncode for done in shown] == [0, 0, 0], [done.stderr for done in shown]
    assert shown[0].stdout.count("payments") >= 2
    assert "Riverside Dental" in shown[1].stdout
    assert "Nothing to send: 5 already in the books." in shown[2].stdout
    assert snapshot(demo.machine.home) == demo.machine.before


@pytest.mark.full
def test_under_json_stdout_is_one_object_and_the_story_is_on_stderr(tmp_path):
    done = Machine(tmp_path).shell("codat-ar demo --json")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert jsontext.loads(done.stdout)["schema"] == "codat-ar/demo/1"
    assert "$ codat-ar" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no such signal to another process")
def test_stopped_in_the_middle_it_leaves_no_sandbox_behind(tmp_path):
    machine = Machine(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "codat_ar_cli", "demo"],
        cwd=machine.work,
        env=machine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stderr is not None
    url = next(line.strip() for line in process.stderr if line.startswith("http://"))
    assert httpx.get(f"{url}/__sandbox/health").status_code == 200

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 143, err
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/__sandbox/health")
