"""The process is killed at random moments, for real; run again, each document is in the books exactly once.

The moments are counted in requests that the sandbox has seen, drawn from a seed that stands in the test's name. The
sandbox's own record of writes is the truth.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import httpx
import pytest
from terminal import Server

DOCUMENTS = 90
"""More than all deaths of one test can leave undone, so that none comes too late to kill."""
KILLS = 5
FILES = {
    "invoices": (
        "invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account",
        "K-{n},Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,{n}.00,20,200",
    ),
    "payments": (
        "payment_id,date,amount,currency,customer,invoice_number",
        "K-{n},2026-05-20,{n}.00,GBP,Acorn Bakery Ltd,",
    ),
}
AFTER_THE_WINDOW = {"advance": 2 * 3600}
"""Longer than Codat repeats its first answer to an idempotency key (reference §1.5)."""


class Victim:
    """A push as its own process, against a sandbox that takes its time and counts requests."""

    def __init__(self, codat, run, kind):
        self.codat, self.run, self.kind = codat, run, kind
        header, row = FILES[kind]
        rows = [row.format(n=number) for number in range(1, DOCUMENTS + 1)]
        (run.folder / f"{kind}.csv").write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        self.words = ("push", kind, f"{kind}.csv", "--yes", "--json")
        self.codat.fault(path="^/companies/", delay=0.02)

    def expected(self):
        """The bodies, as a dry run shows them before anything is sent."""
        shown = self.run(*self.words, "--dry-run").json["documents"]
        return sorted(document["body"] for document in shown)

    def start(self, *options):
        return subprocess.Popen(
            [sys.executable, "-m", "codat_ar_cli", *self.words, *options],
            cwd=self.run.folder,
            env=dict(self.run.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def seen(self):
        return httpx.get(f"{self.codat.url}/__sandbox/faults").json()["counts"][0]["seen"]

    def wait_for_requests(self, process, number):
        """Wait until so many requests came since now, or the process has ended."""
        before, deadline = self.seen(), time.monotonic() + 60
        while process.poll() is None and self.seen() < before + number:
            assert time.monotonic() < deadline, "the process makes no requests"
            time.sleep(0.004)

    def die(self, dice):
        """Run, and be killed somewhere on the way; tells whether it was (else it had ended before)."""
        process = self.start()
        self.wait_for_requests(process, dice.randint(2, 14))
        time.sleep(dice.uniform(0, 0.03))
        process.kill()
        process.communicate(timeout=30)
        return process.returncode < 0

    def finish(self):
        """Run until it says done; it may have to wait for what the dead left."""
        for _ in range(5):
            ran = self.run(*self.words)
            if ran.code == 0:
                return ran.json
        raise AssertionError(f"never done: {ran.code} {ran.out} {ran.err}")

    def sent(self):
        """The bodies that reached the books, as canonical text, by the sandbox's own record."""
        from codat_ar_cli.domain import jsontext

        writes = [write for write in self.codat.written() if write["dataType"] == self.kind]
        return sorted(jsontext.dumps(write["body"], sort_keys=True) for write in writes)


@pytest.fixture
def victim(start_sandbox, prepared_copy):
    def make(kind):
        codat = Server(start_sandbox(operation_delay=0.15, sync_delay=0.01, platforms=("quickbooks-online",)))
        return Victim(codat, prepared_copy(codat.url), kind)

    return make


def kill_often(victim, seed, kills):
    dice = random.Random(seed)
    expected = victim.expected()

    killed = sum(victim.die(dice) for _ in range(kills))
    told = victim.finish()

    assert killed >= kills - 1, "the processes ended before they were killed: this test tested too little"
    assert victim.sent() == expected
    assert {document["id"] for document in told["documents"]} == {f"K-{n}" for n in range(1, DOCUMENTS + 1)}
    recorded = {write["id"] for write in victim.codat.written()}
    assert {document["record_id"] for document in told["documents"]} == recorded
    again = victim.run(*victim.words)
    assert {document["state"] for document in again.json["documents"]} == {"done"}
    assert victim.sent() == expected


@pytest.mark.parametrize(("kind", "seed"), [("invoices", 20261122), ("payments", 7)])
def test_killed_at_random_moments_every_document_is_there_once(victim, kind, seed):
    kill_often(victim(kind), seed, KILLS)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", FILES)
def test_killed_again_and_again_every_document_is_there_once(victim, kind, seed):
    kill_often(victim(kind), seed, 8)


def test_without_a_ledger_the_same_deaths_make_duplicates(victim):
    """What these tests rest on can fail: a product that forgets makes second records once Codat forgets too."""
    forgetful = victim("invoices")
    expected = forgetful.expected()
    process = forgetful.start()
    forgetful.wait_for_requests(process, 20)
    process.kill()
    process.communicate(timeout=30)
    time.sleep(0.3)
    assert forgetful.sent()

    shutil.rmtree(forgetful.run.folder / "state")
    httpx.post(f"{forgetful.codat.url}/__sandbox/clock", json=AFTER_THE_WINDOW).raise_for_status()
    forgetful.finish()

    assert len(forgetful.sent()) > len(expected)


SIGNALS = pytest.mark.skipif(os.name != "posix", reason="Windows sends no such signals to another process")


@SIGNALS
@pytest.mark.parametrize(
    ("name", "code", "requests"),
    [("SIGINT", 130, 1), ("SIGINT", 130, 10), ("SIGTERM", 143, 10), ("SIGHUP", 129, 1)],
    ids=["Ctrl-C while planning", "Ctrl-C while sending", "SIGTERM while sending", "SIGHUP while planning"],
)
def test_a_signal_ends_a_push_in_good_order_and_the_next_run_finishes_it(victim, name, code, requests):
    stopped = victim("invoices")
    expected = stopped.expected()
    process = stopped.start()
    stopped.wait_for_requests(process, requests)

    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=45)

    assert process.returncode == code, (out, err)
    assert out.count("\n") == 1
    assert "Traceback" not in err
    stopped.finish()
    assert stopped.sent() == expected


def test_a_second_process_is_told_who_holds_the_company(victim):
    first = victim("invoices")
    first.codat.fault(path="/push/invoices$", delay=1.5)
    process = first.start()
    try:
        first.wait_for_requests(process, 1)

        second = first.run("push", "invoices", "invoices.csv", "--yes", "--json")

        assert second.code == 7
        assert second.json["error"]["code"] == "ledger.company-locked"
        assert str(process.pid) in second.json["error"]["message"]
    finally:
        process.kill()
        process.communicate(timeout=30)
