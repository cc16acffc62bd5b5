"""`push invoices --dry-run` of 10,000 lines (2,500 invoices) against the bundled sandbox: speed and memory.

Run: `python bench/dry_run.py [LINES]`, on Linux or macOS, with the interpreter whose environment has codat-ar.
Measured in one run, side by side, the fastest of a few rounds each:

- the whole command as a process of its own, with its start, its requests and its output;
- reading, drafting and planning alone, and the peer: `csv.DictReader` and one pydantic model per row, which neither
  groups rows, nor adds anything up, nor maps, nor plans;
- the command's peak memory for the file, less that for a file of one invoice, as a multiple of the file's size.

The last line is a JSON object of the figures.
"""

import csv
import datetime as dt
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import anyio
import pydantic

from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.config import Profile, load
from codat_ar_cli.domain.drafting import draft_invoices
from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.layouts import INVOICES
from codat_ar_cli.domain.options import Option, parse_options
from codat_ar_cli.domain.plan import Plan, PlanContext, plan_invoices
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import DataType, ReferenceData
from codat_ar_cli.files.readers import read_table
from codat_ar_cli.flows.reference import require_reference
from codat_ar_cli.ledger.store import Ledger

PROGRAM = [sys.executable, "-m", "codat_ar_cli"]
PER_INVOICE = 4
ROUNDS = 3
HEADER = (
    "invoice_number,customer,issue_date,due_date,currency,reference,line_description,quantity,unit_price,"
    "tax_rate,account"
)


class PeerRow(pydantic.BaseModel):
    """What a usual script would check of a row."""

    invoice_number: str
    customer: str
    issue_date: dt.date
    due_date: dt.date
    currency: str = pydantic.Field(pattern="^[A-Z]{3}$")
    reference: str
    line_description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    account: str


@dataclass(frozen=True, order=True)
class Spent:
    """What a command took."""

    seconds: float
    cpu: float
    """Seconds of CPU, its own and the system's for it."""
    peak: int
    """Bytes of memory."""


@dataclass(frozen=True)
class Bench:
    """A folder with a profile on a sandbox, fetched and mapped."""

    folder: Path
    environment: dict[str, str]
    url: str

    def run(self, *words: str) -> None:
        """Run a command that must succeed."""
        subprocess.run([*PROGRAM, *words], env=self.environment, check=True, capture_output=True)

    def measured(self, *words: str) -> "Spent":
        """Run a command that must succeed, and measure it.

        Through a small process in between: a child's peak counts what it was before it became the command, a copy
        of its parent.
        """
        done = subprocess.run(
            [sys.executable, "-S", "-c", LAUNCHER, *PROGRAM, *words],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return Spent(**json.loads(done.stdout))


LAUNCHER = """
import json, os, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak": peak}))
"""


@contextmanager
def furnished(folder: Path, *options: str) -> Iterator[Bench]:
    """Serve a sandbox, with these options, and set up a profile on it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CODAT_")}
    environment |= {
        "CODAT_API_KEY": "bench",
        "CODAT_AR_CONFIG": str(folder / "config.toml"),
        "CODAT_AR_STATE_DIR": str(folder / "state"),
    }
    server = subprocess.Popen(
        [*PROGRAM, "sandbox", "serve", "--port", "0", "--platform", "xero", "--sync-delay", "0", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        bench = Bench(folder, environment | {"CODAT_AR_BASE_URL": url}, url)
        bench.run("init", "--no-input", "--profile", "bench")
        bench.run("fetch")
        bench.run("map", "set", "tax-rate", "OUTPUT2")
        bench.run("map", "accept", "invoices.reference")
        yield bench
    finally:
        server.terminate()
        server.wait()


@dataclass(frozen=True)
class Books:
    """What planning needs of the company, read once."""

    profile: Profile
    reference: ReferenceData
    options: Option

    @classmethod
    def of(cls, bench: Bench) -> "Books":
        """Read the profile, the cache and the push options."""
        profile = load(bench.folder / "config.toml").profiles["bench"]
        company, connection = profile.company_id, profile.connection_id

        async def options() -> Option:
            async with CodatClient(base_url=bench.url, api_key="bench") as client:
                return parse_options(await client.options(company, connection, DataType.INVOICES))

        with Ledger.open(bench.folder / "state" / "ledger.db", clock=lambda: dt.datetime.now(dt.UTC)) as ledger:
            reference = require_reference(ledger, company=company, connection=connection)
        return cls(profile, reference, anyio.run(options))

    def customer_names(self) -> list[str]:
        """Name the customers whom an invoice in GBP can go to."""
        return [each.name for each in self.reference.customers if each.is_alive and each.currency in {None, "GBP"}]

    def plan(self, path: Path) -> Plan:
        """Read a file, draft and plan it."""
        table = read_table(path, INVOICES)
        drafted = draft_invoices(table.rows, source=table.name, columns=table.canonical)
        context = PlanContext(
            api_host="127.0.0.1",
            company=self.profile.company_id,
            connection=self.profile.connection_id,
            source_system="file",
            platform=rules_for(self.profile.platform_key),
            mapping=self.profile.mapping,
            reference=self.reference,
            options=self.options,
            known={},
            today=dt.date(2026, 11, 22),
        )
        return plan_invoices(drafted, context, InvoiceIndex())


def write_invoices(path: Path, lines: int, customers: list[str]) -> None:
    """Write a file with lines that look like a month of a subscription business: prices and texts repeat, not all."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for line in range(lines):
            invoice = line // PER_INVOICE
            issued = dt.date(2026, 10, 1) + dt.timedelta(days=invoice % 30)
            writer.writerow(
                [
                    f"BENCH-{invoice:06}",
                    customers[invoice % len(customers)],
                    issued,
                    issued + dt.timedelta(days=30),
                    "GBP",
                    f"PO-{invoice % 977}",
                    f"Support, week {line % 53}, site {line % 211}",
                    1 + line % 7,
                    f"{10 + line % 1999}.{line % 100:02}",
                    20,
                    200,
                ]
            )


def peer(path: Path) -> int:
    """Do what a usual script does before it can look at a row."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for row in map(PeerRow.model_validate, csv.DictReader(file)) if row.quantity)


def fastest(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name, furnished(Path(name)) as bench:
        books = Books.of(bench)
        customers = books.customer_names()
        large, small = bench.folder / "large.csv", bench.folder / "small.csv"
        write_invoices(large, lines, customers)
        write_invoices(small, PER_INVOICE, customers)
        plan = books.plan(large)
        assert len(plan.to_send) == lines // PER_INVOICE, f"the file does not plan clean: {plan.all_findings[:3]}"
        del plan
        peers = fastest(lambda: peer(large))
        planning = fastest(lambda: books.plan(large))
        whole = min(bench.measured("push", "invoices", str(large), "--dry-run") for _ in range(ROUNDS))
        base = min(bench.measured("push", "invoices", str(small), "--dry-run") for _ in range(ROUNDS))
        size = large.stat().st_size
    figures = {
        "lines": lines,
        "file_bytes": size,
        "whole_command_lines_per_s": round(lines / whole.seconds),
        "whole_command_s": round(whole.seconds, 2),
        "one_invoice_s": round(base.seconds, 2),
        "planning_lines_per_s": round(lines / planning),
        "peer_lines_per_s": round(lines / peers),
        "planning_to_peer": round(planning / peers, 2),
        "peak_mb": round(whole.peak / 1e6, 1),
        "one_invoice_peak_mb": round(base.peak / 1e6, 1),
        "memory_to_file": round((whole.peak - base.peak) / size, 1),
    }
    print(f"{lines:,} lines, {lines // PER_INVOICE:,} invoices, {size / 1e6:.1f} MB")
    print(f"the whole command           {lines / whole.seconds:>10,.0f} lines/s  ({whole.seconds:.2f} s)")
    print(f"the same, one invoice       {base.seconds:>10.2f} s")
    print(f"read, draft, plan alone     {lines / planning:>10,.0f} lines/s")
    print(f"peer: DictReader + pydantic {lines / peers:>10,.0f} lines/s")
    print(f"time of planning ÷ peer     {planning / peers:>10.1f}")
    print(f"peak memory                 {whole.peak / 1e6:>10.0f} MB  (one invoice {base.peak / 1e6:.0f} MB)")
    print(f"memory above that ÷ file    {(whole.peak - base.peak) / size:>10.1f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
