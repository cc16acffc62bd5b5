"""What people see: no line wider than the terminal, no colour where none is wanted, errors on stderr alone."""

import re

import pytest

INVOICES = """\
invoice_number,customer,issue_date,due_date,currency,currency_rate,line_description,quantity,unit_price,tax_rate,account
S-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Monthly plan,1,100.00,20,200
S-2,Schröder & Grüber GmbH,2026-05-04,2026-06-03,EUR,0.8569,Delivery,1,1234567.89,0,260
"""
PAYMENTS = """\
payment_id,date,amount,currency,customer,invoice_number,allocated_amount
SP-1,2026-05-20,120.00,GBP,Acorn Bakery Ltd,S-1,
SP-2,2026-05-21,25.00,GBP,Acorn Bakery Ltd,,
"""
COMMANDS = (
    "whoami",
    "profile list",
    "profile show",
    "config explain base_url",
    "fetch",
    "fetch accounts",
    "fetch customers",
    "fetch tracking-categories",
    "fetch invoices --refresh --diff",
    "map show",
    "map check",
    "map suggest",
    "push invoices invoices.csv --dry-run",
    "push invoices invoices.csv --yes",
    "push invoices invoices.csv --yes",
    "push payments payments.csv --yes",
    "push payments payments.csv --yes --profile xero",
    "runs list",
    "--help",
    "push invoices --help",
)
ESCAPE = re.compile(r"\x1b")


@pytest.fixture
def desk(acme):
    (acme.folder / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    (acme.folder / "payments.csv").write_text(PAYMENTS, encoding="utf-8")
    return acme


@pytest.mark.parametrize("columns", [80, 120])
def test_no_table_is_wider_than_the_terminal_and_nothing_is_coloured(desk, columns):
    said = {}
    for command in COMMANDS:
        said[command] = desk(*command.split(), extra={"COLUMNS": str(columns), "NO_COLOR": "1"})
    run_id = desk.ok("runs", "list", "--json").json["runs"][0]["run"]
    said["runs show"] = desk("runs", "show", run_id, "--events", extra={"COLUMNS": str(columns), "NO_COLOR": "1"})

    wide = [(name, line) for name, ran in said.items() for line in ran.out.splitlines() if len(line) > columns]
    assert wide == []
    assert not [name for name, ran in said.items() if ESCAPE.search(ran.out + ran.err)]


@pytest.mark.parametrize(
    "words",
    [
        "push invoices nowhere.csv --yes",
        "push invoices invoices.csv",
        "runs show R20200101-000000-0000",
        "map set tax-rate NO-SUCH",
        "profile use nobody",
        "fetch nonsense",
        "nonsense",
        "push invoices invoices.csv --wait soon",
    ],
)
def test_an_error_is_on_stderr_with_its_code_and_under_json_one_object_on_stdout(desk, words):
    plain = desk(*words.split())
    machine = desk(*words.split(), "--json")

    assert (plain.code, machine.code) == (2, 2)
    assert plain.out == "" or "push invoices invoices.csv" in words
    assert re.search(r"\[[a-z.-]+\]", plain.err)
    assert machine.out.count("\n") == 1
    assert set(machine.json["error"]) == {"code", "message", "hint", "details"}


def test_the_true_process_says_the_same(desk):
    inside = desk("push", "invoices", "invoices.csv", "--dry-run", "--json")
    outside = desk.process("push", "invoices", "invoices.csv", "--dry-run", "--json")

    assert (outside.code, outside.out) == (inside.code, inside.out)


def test_output_may_be_closed_early(desk):
    import subprocess
    import sys

    reader = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    done = subprocess.run(
        [sys.executable, "-m", "codat_ar_cli", "fetch", "customers"],
        cwd=desk.folder,
        env=dict(desk.environment),
        stdout=reader.stdin,
        stderr=subprocess.PIPE,
        check=False,
    )
    reader.communicate()

    assert (done.returncode, done.stderr) == (0, b"")
