"""`codat-ar demo` on a fresh machine: it works, leaves what is the user's alone, and its next commands work as printed.

It is run once for all of these tests: it takes its time.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codat_ar_cli.domain import jsontext

SCRIPTS = Path(sys.executable).parent
KEY = "canary-key-of-the-user"


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Machine:
    """A machine whose user has a config, a ledger, a key and an API address of their own."""

    def __init__(self, folder):
        self.home, self.work = folder / "home", folder / "work"
        own = self.home / ".config" / "codat-ar"
        for made in (own, self.home / ".local" / "state" / "codat-ar", self.work):
            made.mkdir(parents=True)
        (own / "config.toml").write_text("this is not even TOML", encoding="utf-8")
        (self.home / ".local" / "state" / "codat-ar" / "ledger.db").write_bytes(b"not a database")
        self.before = snapshot(self.home)
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        self.environment = {
            **kept,
            "PATH": os.pathsep.join((str(SCRIPTS), os.environ["PATH"])),
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "APPDATA": str(self.home),
            "LOCALAPPDATA": str(self.home),
            "CODAT_AR_CONFIG": str(own / "config.toml"),
            "CODAT_AR_STATE_DIR": str(self.home / ".local" / "state" / "codat-ar"),
            "CODAT_AR_BASE_URL": "http://127.0.0.1:9",
            "CODAT_AR_PROFILE": "production",
            "CODAT_API_KEY": KEY,
            "PYTHONUTF8": "1",
        }

    def shell(self, command):
        return subprocess.run(
            command,
            shell=True,
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = Machine(tmp_path_factory.mktemp("machine"))
    (made.work / "codat-ar-demo-1").mkdir()  # as an earlier demo would have left it
    return made


@pytest.fixture(scope="module")
def ran(machine):
    return machine.shell("codat-ar demo --json")


@pytest.fixture(scope="module")
def told(ran):
    assert ran.returncode == 0, ran.stderr
    return jsontext.loads(ran.stdout)


def test_it_ends_well_and_stdout_is_one_json_object(ran, told):
    assert told["schema"] == "codat-ar/demo/1"
    assert ran.stdout.count("\n") == 1
    assert "$ codat-ar" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_further_demo_gets_a_folder_of_its_own(machine, told):
    assert told["folder"] == "codat-ar-demo-2"
    assert list((machine.work / "codat-ar-demo-1").iterdir()) == []
    assert {path.name for path in machine.work.iterdir()} == {"codat-ar-demo-1", "codat-ar-demo-2"}


def test_amounts_due_fall_by_what_was_paid(told):
    due = {row["number"]: (row["due_before"]["amount"], row["due_after"]["amount"]) for row in told["invoices"]}

    assert due == {
        "DEMO-1001": ("864.30", "0.00"),
        "DEMO-1002": ("249.60", "0.00"),
        "DEMO-1003": ("718.80", "0.00"),
        "DEMO-1004": ("1026.00", "1026.00"),
        "DEMO-1005": ("1545.00", "1045.00"),
    }


def test_the_payment_on_account_is_held_on_xero_with_its_reason(told):
    (held,) = told["held_on_xero"]

    assert held["payment"] == "PAY-4"
    assert "no payments on account" in held["why"]


def test_every_exchange_keeps_codats_contract(machine, told, check_sandbox_log):
    log = machine.work / told["folder"] / "exchanges.jsonl"

    assert log.read_text(encoding="utf-8").count("/push/invoices") >= 10
    check_sandbox_log(log)


def test_the_users_config_ledger_and_key_are_left_alone(machine, told):
    assert snapshot(machine.home) == machine.before
    assert all(KEY.encode() not in content for content in snapshot(machine.work).values())


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps access in ACLs, which the mode bits do not show")
def test_what_it_keeps_is_the_owners_alone(machine, told):
    folder = machine.work / told["folder"]

    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "config.toml").stat().st_mode & 0o077 == 0
    assert (folder / "sandbox.key").stat().st_mode & 0o077 == 0


def test_each_next_command_works_as_printed(machine, told):
    assert len(told["next_commands"]) >= 3
    shown = [machine.shell(command) for command in told["next_commands"]]

    assert [done.returncode for done in shown] == [0] * len(shown), [done.stderr for done in shown]
    assert shown[0].stdout.count("payments") >= 2
    assert "DEMO" in shown[1].stdout or "Riverside Dental" in shown[1].stdout
    assert "Nothing to send: 5 already in the books." in shown[2].stdout
    assert snapshot(machine.home) == machine.before
