"""`fetch` and `map` as a user types them, against the sandbox on a real socket."""

import base64
import contextlib
import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from codat_ar_cli.cli import main
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.domain import jsontext

XERO = "Larkfield Trading Ltd (Xero)"
QUICKBOOKS = "Larkfield Trading Ltd (QuickBooks Online)"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return jsontext.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """The command line's own `main`, in this process: a start of Python for each command would take longer."""

    environment: dict[str, str]

    def __call__(self, *words: str, **extra: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            session = Session(Options(json="--json" in words), env={**self.environment, **extra})
            code = main(words, session=session)
        return Ran(code, out.getvalue(), err.getvalue())

    def ok(self, *words: str) -> Ran:
        ran = self(*words)
        assert ran.code == 0, f"{' '.join(words)} → {ran.code}\n{ran.out}\n{ran.err}"
        return ran


@pytest.fixture
def connect(start_sandbox, tmp_path, monkeypatch):
    """Make a command line whose profile leads to one company of a fresh sandbox."""

    def make(company=XERO, platform="gbol", **settings):
        monkeypatch.setenv("COLUMNS", "80")
        quick = {"customers": 15, "invoices": 3, "operation_delay": 0.01, "sync_delay": 0.01}
        environment = {
            "CODAT_AR_CONFIG": str(tmp_path / "config.toml"),
            "CODAT_AR_STATE_DIR": str(tmp_path / "state"),
            "CODAT_AR_BASE_URL": start_sandbox(platforms=(platform,), **{**quick, **settings}),
            "CODAT_API_KEY": "sandbox-key-for-tests",
        }
        run = CommandLine(environment)
        run.ok("init", "--company", company, "--profile", "acme", "--no-input", "--quiet")
        return run

    return make


def ask_codat(run, method, path, body=None):
    """Speak to the sandbox past the tool, as another program would."""
    token = base64.b64encode(run.environment["CODAT_API_KEY"].encode()).decode()
    headers = {"Authorization": f"Basic {token}"}
    address = run.environment["CODAT_AR_BASE_URL"]
    return httpx.request(method, f"{address}{path}", headers=headers, json=body).raise_for_status().json()


def place(run):
    found = run.ok("whoami", "--json").json
    return f"/companies/{found['company']['id']}", f"/connections/{found['connection']['id']}"


def test_everything_that_mapping_needs_is_fetched_with_its_age(connect):
    run = connect()

    told = run.ok("fetch", "--json").json

    fetched = {row["type"]: row for row in told["types"]}
    assert told["schema"] == "codat-ar/fetch/1"
    assert fetched["chartOfAccounts"]["records"] > 20
    assert fetched["customers"]["dataset_at"] is not None
    assert {row["status"] for row in told["types"]} <= {"fetched", "not_supported"}


def test_what_the_platform_lacks_is_said_and_fails_nothing(connect):
    run = connect()

    assert "not on this platform" in run.ok("fetch", "paymentMethods", "suppliers").out


def test_all_pages_arrive(connect):
    run = connect(customers=230, invoices=5)

    (row,) = run.ok("fetch", "customers", "--json").json["types"]

    assert row["records"] >= 230


def test_tracking_comes_as_a_tree_and_headings_cannot_be_mapped(connect):
    run = connect()

    shown = run.ok("fetch", "tracking-categories", "accounts").out
    table = run.ok("fetch", "tracking-categories", "--json").json["trackingCategories"]
    heading = next(row for row in table if row["status"] == "heading")
    refused = run("map", "set", "tracking", heading["id"])

    assert "  South" in shown
    assert {row["depth"] for row in table} == {0, 1}
    assert refused.code == 2
    assert "mapping.unusable-record" in refused.err


def test_refresh_brings_what_changed_in_the_books_and_diff_names_it(connect):
    run = connect()
    run.ok("fetch", "customers")
    company, connection = place(run)
    body = {"customerName": "Newcomer Ltd", "status": "Active"}
    ask_codat(run, "POST", f"{company}{connection}/push/customers", body)

    before = run.ok("fetch", "customers", "--diff", "--json").json
    after = run.ok("fetch", "customers", "--refresh", "--diff", "--json").json

    assert "changes" not in before
    assert [(row["change"], row["name"]) for row in after["changes"]] == [("added", "Newcomer Ltd")]


def test_a_sync_already_running_is_waited_for(connect):
    run = connect(faults={"rules": [{"path": "/data/queue/items", "sync": {"delay": 1.5}, "times": 1}]})
    company, _ = place(run)
    running = ask_codat(run, "POST", f"{company}/data/queue/items")

    (row,) = run.ok("fetch", "items", "--refresh", "--json").json["types"]

    assert row["dataset_id"] == running["id"]


def test_a_type_that_codat_never_read_says_what_to_type_and_the_others_are_kept(connect):
    missing = {"method": "GET", "path": "/data/items", "status": 409, "error": "The data set has not been requested."}
    run = connect(faults={"rules": [missing]})

    ran = run("fetch", "--json")

    told = {row["type"]: row for row in ran.json["types"]}
    assert ran.code == 9
    assert told["items"]["error"] == "fetch.never-synced"
    assert told["items"]["hint"].endswith("codat-ar fetch items --refresh")
    assert told["taxRates"]["status"] == "fetched"


def test_a_lost_link_to_the_books_is_named_with_the_address_to_open(connect):
    run = connect(faults={"rules": [{"path": "/data/queue/taxRates", "sync": {"status": "AuthError"}}]})

    ran = run("fetch", "tax-rates", "--refresh")

    assert ran.code == 2
    assert "the link has expired or was revoked" in ran.out.replace("\n  ", " ")
    assert "link-api.codat.io" in ran.out


def test_a_refused_key_stops_the_fetch(connect):
    run = connect(require_key="sandbox-key-for-tests")

    ran = run("fetch", CODAT_API_KEY="another")

    assert ran.code == 4
    assert "codat.key-refused" in ran.err


def test_an_unknown_type_names_the_known_ones(connect):
    ran = connect()("fetch", "acounts")

    assert ran.code == 2
    assert "expected company, accounts," in ran.err


def test_a_mapping_is_suggested_set_shown_and_checked(connect):
    run = connect(company=QUICKBOOKS, platform="qhyg")
    run.ok("fetch", "--quiet")

    first = run("map", "check", "--json")
    run("map", "suggest", "--accept")
    for words in ("bank-account 090", "item PLAN-M", "tax-rate 20_Invoices", "item SUPPORT --when account=4000"):
        run.ok("map", "set", *words.split())
    shown = run.ok("map", "show", "--json").json
    last = run("map", "check", "--json")

    assert (first.code, last.code) == (3, 0)
    answered = {row["slot"]: row for row in shown["mapping"]}
    assert answered["bank_account"]["default"]["name"] == "Business Current Account"
    assert answered["item"]["rules"][0]["when"] == {"account": ["4000"]}


def test_rates_for_purchases_are_refused_for_sales(connect):
    run = connect(company=QUICKBOOKS, platform="qhyg")
    run.ok("fetch", "--quiet")

    ran = run("map", "set", "tax-rate", "20_Bills")

    assert ran.code == 2
    assert "20_Bills" in ran.err
    assert "don't include invoices" in ran.err


def test_the_wizard_without_a_terminal_says_the_command_for_each_answer(connect):
    run = connect()
    run.ok("fetch", "--quiet")

    ran = run("map")

    assert ran.code == 2
    assert "codat-ar map set bank-account ID" in ran.err
