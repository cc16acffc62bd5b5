"""The API key leaves this machine in one header to one host, and shows up nowhere else, whatever goes wrong."""

import base64
import json
from urllib.parse import quote

import pytest
from odd_codat import Reply, odd_codat
from terminal import COMPANIES

CANARY = "canary/3f9c2d71+key=é".replace("é", "e")
HEADER = "Basic " + base64.b64encode(CANARY.encode()).decode()
FORMS = [form for text in (CANARY, HEADER.removeprefix("Basic ")) for form in (text, quote(text, safe=""))]
FORMS += [json.dumps(CANARY)[1:-1], base64.b64encode(HEADER.encode()).decode()]
COMMANDS = [
    "whoami",
    "fetch",
    "fetch accounts --refresh --wait 0",
    "init --profile new --no-input",
    f"init --profile new --no-input --company {COMPANIES['acme'].split(maxsplit=1)[0]}",
    "map check",
    "config explain key",
    "profile show",
    "push invoices invoices.csv --yes --wait 0",
    "push invoices invoices.csv --dry-run",
    "runs list",
    "runs show nothing",
]
INVOICE = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
S-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""


def echo(status, kind):
    """An answer that repeats the key in each of its forms, where a careless proxy or server would."""

    def answer(headers):
        said = f"you sent {headers.get('Authorization')}: {' '.join(FORMS)}"
        body = {"statusCode": status, "service": "x", "error": said, "correlationId": said, "validation": None}
        body["validation"] = {"errors": [{"itemId": said, "message": said, "validatorName": said}], "warnings": []}
        content = json.dumps(body).encode() if kind == "json" else said.encode()
        return Reply(status, {"Location": f"https://elsewhere.example/{quote(CANARY)}"}, content)

    return answer


@pytest.fixture(scope="module")
def canary(prepared_copy, quiet_codat):
    with odd_codat(quiet_codat.url) as (codat, url):
        run = prepared_copy(url)
        run.environment["CODAT_API_KEY"] = CANARY
        (run.folder / "invoices.csv").write_text(INVOICE, encoding="utf-8")
        yield codat, run


def assert_secret(run, *texts):
    kept = [path.read_bytes().decode("utf-8", "replace") for path in run.folder.rglob("*") if path.is_file()]
    for form in FORMS:
        assert not [text for text in (*texts, *kept) if form in text], form


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", ["-vv", "--json"])
def test_no_output_and_no_file_holds_the_key(canary, command, form):
    codat, run = canary
    codat.answered_by = None

    ran = run(*command.split(), form)

    assert_secret(run, ran.out, ran.err)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("kind", ["json", "text"])
@pytest.mark.parametrize("form", ["-vv", "--json"])
def test_a_key_that_the_other_side_repeats_is_not_repeated_by_us(canary, status, kind, form, monkeypatch):
    codat, run = canary
    codat.answered_by = echo(status, kind)
    monkeypatch.setattr("codat_ar_cli.codat.transport.Transport._pause", lambda *_: None)

    for command in ("whoami", "fetch accounts", "push invoices invoices.csv --yes --wait 0"):
        ran = run.unchecked(*command.split(), form)
        assert_secret(run, ran.out, ran.err)


@pytest.mark.parametrize("kind", [RuntimeError, OSError, ValueError])
def test_a_crash_report_does_not_hold_the_key(canary, monkeypatch, kind):
    codat, run = canary
    codat.answered_by = None

    def fail(*_args, **_named):
        raise kind(f"headers were {HEADER} of {CANARY!r} at https://x.example/?key={quote(CANARY, safe='')}")

    monkeypatch.setattr("codat_ar_cli.flows.setup.examine", fail)
    ran = run.unchecked("whoami", "-vv")

    reports = list((run.folder / "state" / "crashes").iterdir())
    assert (ran.code, bool(reports)) == (1, True)
    assert_secret(run, ran.out, ran.err)
    for report in reports:
        report.unlink()
