"""Every `--json` result, as the commands really write it, against the published schema that it names."""

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from codat_ar_cli.cli import main
from codat_ar_cli.cli.root import build
from codat_ar_cli.cli.schemas import SCHEMAS
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.domain import jsontext

XERO = "Larkfield Trading Ltd (Xero)"
QUICKBOOKS = "Larkfield Trading Ltd (QuickBooks Online)"
INVOICES = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
J-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
J-2,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Support hours,2,10.00,20,200
"""
PAYMENTS = """\
payment_id,date,amount,currency,customer,invoice_number,fee
JP-1,2026-05-20,120.00,GBP,Acorn Bakery Ltd,J-1,1.25
JP-2,2026-05-21,25.00,GBP,Acorn Bakery Ltd,,
"""


def breaches(result: Any) -> list[str]:
    """Say how a result differs from the schema that it names."""
    name = result.get("schema")
    if name not in SCHEMAS:
        return [f"no schema is published for {name!r}"]
    validator = jsonschema_rs.validator_for(SCHEMAS[name], validate_formats=True)
    return [f"{name} {list(error.instance_path)}: {error.message}" for error in validator.iter_errors(result)]


@dataclass
class Machine:
    """Runs commands with `--json` in this process; keeps each result with the words that gave it."""

    environment: dict[str, str]
    seen: list[tuple[tuple[str, ...], Any]] = field(default_factory=list)

    def __call__(self, *words: str, code: int | None = 0) -> Any:
        out, err = io.StringIO(), io.StringIO()
        session = Session(Options(json=True), env=self.environment)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                ended = main(["--json", *words], session=session)
            except SystemExit as stopped:
                ended = int(stopped.code or 0)
        assert code is None or ended == code, f"{words} → {ended}\n{out.getvalue()}\n{err.getvalue()}"
        assert out.getvalue().count("\n") == 1, f"{words}: stdout is not one JSON object"
        result = jsontext.loads(out.getvalue())
        self.seen.append((words, result))
        return result


@pytest.fixture
def machine(start_sandbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    url = start_sandbox(platforms=("gbol", "qhyg"), customers=15, invoices=3, operation_delay=0.01, sync_delay=0.01)
    (tmp_path / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    (tmp_path / "payments.csv").write_text(PAYMENTS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    own = {
        "CODAT_AR_CONFIG": str(tmp_path / "config.toml"),
        "CODAT_AR_STATE_DIR": str(tmp_path / "state"),
        "CODAT_AR_BASE_URL": url,
        "CODAT_API_KEY": "sandbox-key-for-tests",
    }
    return Machine(own)


def set_up(run: Machine) -> None:
    """`init`, `fetch`, `map` and all that belongs to them."""
    run("profile", "list", code=2)
    run("init", "--company", XERO, "--no-input", "--profile", "acme")
    run("init", "--company", QUICKBOOKS, "--no-input", "--profile", "other")
    run("whoami")
    for key in ("profile", "base_url", "key", "state_dir", "ledger_url"):
        run("config", "explain", key)
    run("fetch")
    run("fetch", *"company accounts bankAccounts taxRates trackingCategories items customers suppliers".split())
    run("fetch", "invoices", "payments")
    run("fetch", "paymentMethods", "--profile", "other")
    run("fetch", "--diff")
    run("map", "suggest")
    run("map", "check", code=3)
    run("map", "set", "bank-account", "090")
    run("map", "set", "bank-account", "092", "--when", "currency=EUR")
    run("map", "set", "income-account", "200")
    run("map", "set", "tax-rate", "OUTPUT2")
    run("map", "unset", "bank-account", "--when", "currency=EUR")
    run("map", "accept", "invoices.note")
    run("map", "unaccept", "invoices.note")
    run("map", "show")
    run("map", "suggest", "--accept", code=None)
    run("map", "check", code=None)
    run("map", "--no-input", code=None)
    run("profile", "show")
    run("profile", "list")
    run("profile", "use", "other")
    run("profile", "remove", "other", "--yes")
    run("profile", "use", "acme")


def push(run: Machine, url: str) -> None:
    """Pushes of every outcome, and what the runs say of them."""

    def fault(**rule: Any) -> None:
        httpx.put(f"{url}/__sandbox/faults", json={"rules": [rule]}).raise_for_status()

    run("push", "invoices", "invoices.csv", "--dry-run")
    fault(method="POST", path="/push/invoices$", nth=1, operation={"outcome": "Failed", "message": "no"})
    run("push", "invoices", "invoices.csv", "--yes", code=3)
    fault(method="POST", path="/push/invoices$", status=401)
    run("push", "invoices", "invoices.csv", "--yes", code=4)
    fault(method="POST", path="/push/invoices$", nth=99, status=401)
    run("push", "invoices", "invoices.csv", "--yes")
    run("push", "invoices", "invoices.csv", "--yes")
    run("push", "payments", "payments.csv", "--yes", code=3)
    run("fetch", "invoices", "--refresh", "--diff")
    wrong = Path("invoices.csv").read_text(encoding="utf-8").replace("100.00", "1OO.00")
    Path("wrong.csv").write_text(wrong, encoding="utf-8")
    run("push", "invoices", "wrong.csv", "--yes", code=2)
    run("push", "invoices", "nowhere.csv", "--yes", code=2)
    settle(run, fault)
    for each in run("runs", "list")["runs"]:
        run("runs", "show", each["run"])
        run("runs", "show", each["run"], "--events")
    run("runs", "show", "R20200101-000000-0000", code=2)


def settle(run: Machine, fault: Any) -> None:
    """Documents in doubt: nothing, one that stays so, one that is found, and books that can't be read."""
    run("settle")
    Path("late.csv").write_text(INVOICES.replace("J-1", "J-3").replace("J-2", "J-4"), encoding="utf-8")
    fault(method="POST", path="/push/invoices$", nth=1, operation={"outcome": "TimedOut", "landsAfter": None})
    run("push", "invoices", "late.csv", "--yes", code=5)
    run("settle", code=5)
    fault(method="GET", path="/push", status=401)
    run("settle", code=4)
    fault(method="POST", path="^never$", status=401)
    Path("later.csv").write_text(INVOICES.replace("J-1", "J-5").replace("J-2", "J-6"), encoding="utf-8")
    fault(method="POST", path="/push/invoices$", status=500, when="after")
    run("push", "invoices", "later.csv", "--yes", code=5)
    run("settle", code=5)


def stand_alone(run: Machine, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The sandbox, the demo (its end only: running all of it is the README's test), and wrong usage."""
    from codat_ar_cli.domain.demo import Due
    from codat_ar_cli.flows import demo

    due = Due("D-1", "Acorn Bakery Ltd", "GBP", Decimal("12.00"), Decimal("12.00"), Decimal("0.00"), "Paid")
    ended = demo.DemoResult(folder, (due,), ("P-4",), (("P-4", "no payments on account"),), (("Look", "codat-ar"),))
    monkeypatch.setattr(demo, "run_demo", lambda *_args, **_named: ended)
    run("demo")
    run("sandbox", "serve", "--port", "0", "--platform", "xero", "--", sys.executable, "-c", "pass")
    run("nonsense", code=2)
    run("push", code=2)
    run(code=2)


@pytest.fixture
def results(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[tuple[str, ...], Any]]:
    """Results of every command, with the words that gave them."""
    set_up(machine)
    push(machine, machine.environment["CODAT_AR_BASE_URL"])
    stand_alone(machine, monkeypatch, tmp_path)
    return machine.seen


def test_every_result_is_as_published_and_every_published_form_and_command_was_seen(results):
    wrong = [f"{' '.join(words)}: {breach}" for words, result in results for breach in breaches(result)]
    told = {result["schema"] for _, result in results}
    typed = {path for words, _ in results for path in (words[:1], words[:2])}

    assert not wrong, "\n".join(wrong)
    assert told == set(SCHEMAS)
    assert set(_commands(build())) <= typed
    assert not _never_told(result for _, result in results)


def _commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the tree that does something, as the words that call it."""
    context = group.make_context("codat-ar", [], resilient_parsing=True)
    for name in group.list_commands(context):
        command, words = group.get_command(context, name), (*before, name)
        if hasattr(command, "list_commands"):
            yield from _commands(command, words)
        else:
            yield words


def _never_told(results: Iterable[Any]) -> set[str]:
    """Name the fields that schemas have and no result did."""
    left = {f"{name} {key}" for name, schema in SCHEMAS.items() for key in schema["properties"]}
    for result in results:
        left -= {f"{result['schema']} {key}" for key in result}
    return left


def test_a_result_with_a_number_for_an_amount_is_refused():
    result = {"schema": "codat-ar/config-explain/1", "key": "profile", "value": 1, "origin": "default"}

    assert len(breaches(result)) == 2


def test_a_result_that_names_no_published_form_is_refused():
    assert breaches({"schema": "codat-ar/push/2"}) == ["no schema is published for 'codat-ar/push/2'"]


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_itself_valid(name):
    jsonschema_rs.meta.validate(SCHEMAS[name])
