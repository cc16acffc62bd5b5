"""`push invoices` of 500 invoices against the bundled sandbox, end to end: what each document costs.

Run: `python bench/push.py [INVOICES]`, on Linux or macOS, with the interpreter whose environment has codat-ar.
Printed per document: requests to Codat, the whole run's; commits of the ledger; milliseconds of our own CPU, less
those of a run that finds nothing to do. Goals: 1.2 requests (outcomes come by listing, not one by one), 3 commits (on
its way, accepted, outcome), and 15 ms, a quarter of what Codat's 1,000 requests a minute leave for each. The last line
is a JSON object of the figures.
"""

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from dry_run import PER_INVOICE, Bench, Books, furnished, write_invoices

GOALS = {"requests": 1.2, "commits": 3.0, "cpu_ms": 15.0}


def count(log: Path, ledger: Path) -> tuple[int, int]:
    """Give how many exchanges the sandbox has logged, and how many transactions the ledger's events stand for."""
    with log.open(encoding="utf-8") as exchanges, sqlite3.connect(ledger) as db:
        moves = "SELECT count(*) FROM event WHERE event NOT IN ('plan', 'hold', 'run-begun', 'run-ended')"
        return sum(1 for _ in exchanges), int(db.execute(moves).fetchone()[0])


def costs(bench: Bench, log: Path, file: Path) -> tuple[float, float, int, int]:
    """Push a file; gives wall seconds, CPU seconds, requests and commits."""
    ledger = bench.folder / "state" / "ledger.db"
    requests, commits = count(log, ledger)
    spent = bench.measured("push", "invoices", str(file), "--yes")
    requests_after, commits_after = count(log, ledger)
    return spent.seconds, spent.cpu, requests_after - requests, commits_after - commits


def main() -> None:
    invoices = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, file = folder / "log.jsonl", folder / "invoices.csv"
        with furnished(folder, "--log", str(log)) as bench:
            books = Books.of(bench)
            write_invoices(file, invoices * PER_INVOICE, books.customer_names())
            seconds, cpu, requests, commits = costs(bench, log, file)
            idle = costs(bench, log, file)
            with sqlite3.connect(folder / "state" / "ledger.db") as db:
                done = db.execute("SELECT count(*) FROM push WHERE state = 'succeeded'").fetchone()[0]
    assert done == invoices, f"only {done} of {invoices} reached the books"
    figures = {
        "requests": round(requests / invoices, 2),
        "commits": round(commits / invoices, 2),
        "cpu_ms": round((cpu - idle[1]) / invoices * 1000, 1),
    }
    print(f"{invoices} invoices in {seconds:.1f} s; the same file again {idle[0]:.1f} s")
    print(f"{'per document':<14}{'':>8}{'goal':>8}")
    for what, goal in GOALS.items():
        print(f"{what:<14}{figures[what]:>8}{goal:>8}{'' if figures[what] <= goal else '  missed'}")
    print(json.dumps({"invoices": invoices, "seconds": round(seconds, 1), **figures}))


if __name__ == "__main__":
    main()
