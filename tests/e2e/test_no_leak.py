"""The API key is in the requests and nowhere else: no stream, file, trace or crash report, also in failures."""

import base64
from dataclasses import replace
from unittest import mock
from urllib.parse import quote

import pytest
from terminal import open_terminal

KEY = "CANARY+/key=0f3a"
SHAPES = {
    KEY,
    base64.b64encode(KEY.encode()).decode(),
    quote(KEY, safe=""),
    quote(base64.b64encode(KEY.encode()).decode(), safe=""),
}
FILE = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
L-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""
COMMANDS = (
    "init --company Larkfield* --profile new --no-input",
    "init --company 594a0c44-7965-5310-ac02-ab2e9e050493 --profile new --no-input",
    "whoami",
    "profile show",
    "config explain profile",
    "fetch --refresh customers",
    "map show",
    "push invoices invoices.csv --dry-run",
    "push invoices invoices.csv --yes",
    "runs list",
    "push invoices nowhere.csv",
    "whoami --base-url http://127.0.0.1:9",
)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "exchanges.jsonl"


@pytest.fixture
def run(start_sandbox, prepared_copy, log):
    url = start_sandbox(operation_delay=0.01, sync_delay=0.01, log=log)
    made = open_terminal(prepared_copy(url).folder, url)
    (made.folder / "invoices.csv").write_text(FILE, encoding="utf-8")
    return replace(made, environment={**made.environment, "CODAT_API_KEY": KEY})


def leaks(texts):
    return [(where, shape) for where, text in texts.items() for shape in SHAPES if shape in text]


def kept(folder):
    return {
        str(path): path.read_bytes().decode("utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()
    }


def test_no_command_shows_or_keeps_the_key_not_even_with_traces(run, log):
    said = {}
    for command in COMMANDS:
        for options in ([], ["-vv"], ["--json", "-vv"]):
            ran = run(*command.split(), *options)
            said[f"{command} {options}"] = ran.out + ran.err

    assert any("GET /companies" in text for text in said.values()), "-vv traces no request: this test sees nothing"
    assert leaks(said) == []
    assert leaks(kept(run.folder)) == []
    assert leaks({"exchanges": log.read_text(encoding="utf-8")}) == []


def test_an_answer_that_repeats_the_key_is_not_repeated(start_sandbox, prepared_copy):
    echo = {"path": "^/", "status": 401, "error": f"Key {KEY} ({base64.b64encode(KEY.encode()).decode()}) is not known"}
    run = prepared_copy(start_sandbox(faults={"rules": [echo]}))

    said = {
        words: (ran := run(*words.split(), extra={"CODAT_API_KEY": KEY})).out + ran.err
        for words in ("whoami", "whoami -vv", "fetch --json", "init --no-input --profile x")
    }

    assert all("key-refused" in text for text in said.values())
    assert leaks(said) == []


def test_a_crash_report_has_no_key_in_it(run):
    def crash(*_args, **_named):
        raise RuntimeError(f"with Authorization: Basic {base64.b64encode(KEY.encode()).decode()} and {KEY}")

    with mock.patch("codat_ar_cli.flows.push.apply", crash):
        ran = run.unchecked("push", "invoices", "invoices.csv", "--yes", "-vv")

    assert ran.code == 1
    assert "codat-ar failed in a way it should not" in ran.err
    (report,) = (run.folder / "state" / "crashes").iterdir()
    assert "RuntimeError" in report.read_text(encoding="utf-8")
    assert leaks(kept(run.folder)) == []
    assert leaks({"streams": ran.out + ran.err}) == []
