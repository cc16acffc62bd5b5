"""A wrong config, key, company or connection is named with a way out, and nothing is sent."""

import os

import httpx
import pytest

FILE = """\
invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account
C-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,100.00,20,200
"""
REQUIRED = "the-only-key-that-works"


@pytest.fixture(scope="module")
def run(quiet_codat, prepared_copy):
    made = prepared_copy(quiet_codat.url)
    (made.folder / "invoices.csv").write_text(FILE, encoding="utf-8")
    return made


@pytest.fixture
def own(codat, acme):
    """A terminal with a sandbox of its own, whose levers may be pulled."""
    (acme.folder / "invoices.csv").write_text(FILE, encoding="utf-8")
    return acme


def pushed(run, *options, **extra):
    return run("push", "invoices", "invoices.csv", "--yes", *options, extra=extra)


def company_of(codat, run):
    """The company as Codat shows it, and the path it is shown at."""
    company_id = run.ok("whoami", "--json").json["company"]["id"]
    headers = {"Authorization": "Basic c2FuZGJveC1rZXktZm9yLXRlc3Rz"}
    return httpx.get(f"{codat.url}/companies/{company_id}", headers=headers).raise_for_status().json()


# Config


def test_without_any_config_the_way_in_is_named(terminal, quiet_codat):
    fresh = terminal(quiet_codat.url)
    environment = {name: value for name, value in fresh.environment.items() if name != "CODAT_AR_CONFIG"}

    ran = type(fresh)(fresh.folder, environment)("whoami")

    assert (ran.code, ran.out) == (2, "")
    assert "[config.no-profile]" in ran.err
    assert "codat-ar init" in ran.err


def test_a_config_that_is_named_but_absent_is_an_error(run):
    ran = pushed(run, "--config", "nowhere.toml")

    assert ran.code == 2
    assert "nowhere.toml" in ran.err
    assert "[config.missing]" in ran.err


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"default_profile = \n", "config.unreadable", "line 1"),
        (b"\xff\xfe\x00", "config.unreadable", "not UTF-8"),
        (b'default_profile = "gone"\n', "config.invalid", "`gone` does not exist"),
        (b'[profiles.acme.key]\nsource = "env"\nvalue = "k"\n', "config.invalid", "must not stand in a config file"),
        (b'[profiles.acme]\nbase_url = "http://api.example.com"\n', "config.invalid", "http"),
    ],
)
def test_a_wrong_config_names_file_place_and_reason(run, content, code, words):
    (run.folder / "wrong.toml").write_bytes(content)

    ran = pushed(run, "--config", "wrong.toml", "--profile", "acme", "--json")

    error = ran.json["error"]
    assert (ran.code, error["code"]) == (2, code)
    assert "wrong.toml" in error["message"]
    assert words in str(error)


def test_all_unknown_keys_of_a_config_are_named_at_once(run):
    text = (run.folder / "config.toml").read_text(encoding="utf-8")
    (run.folder / "typos.toml").write_text(
        'defualt_profile = "acme"\n' + text.replace("[profiles.acme.company]", "[profiles.acme.company]\nnmae = 'x'"),
        encoding="utf-8",
    )

    ran = pushed(run, "--config", "typos.toml", "--profile", "acme")

    assert ran.code == 2
    assert "defualt_profile" in ran.err
    assert "profiles.acme.company.nmae" in ran.err


def test_an_unknown_profile_names_the_known_ones(run):
    ran = pushed(run, "--profile", "amce")

    assert (ran.code, "acme, plain, xero" in ran.err) == (2, True)


def test_another_company_than_expected_stops_everything(run):
    ran = pushed(run, "--expect-company", "00000000-0000-0000-0000-000000000000")

    assert (ran.code, "[config.unexpected-company]" in ran.err) == (2, True)


def test_a_rate_that_is_none_is_refused(run):
    ran = pushed(run, "--rate", "EUR:0.85")

    assert (ran.code, "[usage.bad-rate]" in ran.err) == (2, True)


# Key


def test_a_missing_key_names_the_variable(run):
    ran = pushed(run, CODAT_API_KEY="")

    assert (ran.code, "CODAT_API_KEY" in ran.err, "[key.missing]" in ran.err) == (2, True, True)


def test_a_key_of_two_lines_is_no_key_and_is_not_shown(run):
    ran = pushed(run, CODAT_API_KEY="first-half\nsecond-half")

    assert (ran.code, "[key.malformed]" in ran.err) == (2, True)
    assert "second-half" not in ran.err


@pytest.mark.parametrize("command", ["whoami", "fetch", "push invoices invoices.csv --yes", "init --no-input"])
def test_a_refused_key_is_exit_4_in_every_command(start_sandbox, prepared_copy, command):
    strict = prepared_copy(start_sandbox(require_key=REQUIRED))
    (strict.folder / "invoices.csv").write_text(FILE, encoding="utf-8")

    ran = strict(*command.split(), "--json")

    assert (ran.code, ran.json["error"]["code"]) == (4, "codat.key-refused")
    assert ran.json["error"]["hint"]


# Company and connection


def test_an_unknown_company_names_those_that_the_key_sees(run):
    ran = run("init", "--company", "Nobody Inc", "--profile", "new", "--no-input")

    assert (ran.code, "[setup.unknown-company]" in ran.err) == (2, True)
    assert "Larkfield Trading Ltd (Xero)" in ran.err


def test_a_company_that_is_gone_from_codat_is_named(run):
    text = (run.folder / "config.toml").read_text(encoding="utf-8")
    gone = company_id(text)
    (run.folder / "gone.toml").write_text(text.replace(gone, "00000000-0000-0000-0000-000000000000"), encoding="utf-8")

    ran = pushed(run, "--config", "gone.toml", "--json")

    assert (ran.code, ran.json["error"]["code"]) == (2, "codat.place-gone")
    assert ran.json["error"]["hint"]


def company_id(config: str) -> str:
    return config.split("[profiles.acme.company]", 1)[1].split('id = "', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"status": "Unlinked"}, "connection.unlinked", "Unlinked"),
        ({"status": "Deauthorized"}, "connection.deauthorised", "link-api.codat.io"),
        ({"status": "PendingAuth"}, "connection.pending", "link-api.codat.io"),
        ({"sourceType": "Banking"}, "connection.not-accounting", "Banking"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "connection.unknown", "codat-ar init"),
    ],
)
def test_a_connection_that_takes_no_writes_is_named_before_anything_is_sent(codat, own, change, code, words):
    company = company_of(codat, own)
    company["dataConnections"][0].update(change)
    codat.fault(method="GET", path="^/companies/[0-9a-f-]+$", status=200, shape=company)

    ran = pushed(own, "--json")

    assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert words in str(ran.json["error"])
    assert codat.written() == []


def test_a_connection_really_unlinked_is_refused(codat, own):
    company = company_of(codat, own)
    path = f"/companies/{company['id']}/connections/{company['dataConnections'][0]['id']}"
    headers = {"Authorization": "Basic c2FuZGJveC1rZXktZm9yLXRlc3Rz"}
    httpx.patch(f"{codat.url}{path}", json={"status": "Unlinked"}, headers=headers).raise_for_status()

    ran = pushed(own)

    assert (ran.code, "[connection.unlinked]" in ran.err) == (2, True)
    assert codat.written() == []


def test_codat_out_of_reach_is_try_later(run):
    ran = pushed(run, CODAT_AR_BASE_URL="http://127.0.0.1:9")

    assert ran.code == 8
    assert "127.0.0.1:9" in ran.err
    assert "hint:" in ran.err


def test_plain_http_to_another_machine_is_refused(run):
    ran = pushed(run, CODAT_AR_BASE_URL="http://api.example.com")

    assert (ran.code, "http" in ran.err) == (2, True)


@pytest.mark.skipif(os.name != "posix", reason="the mode bits that this is about are POSIX's")
def test_a_key_file_open_to_others_is_refused(run):
    file = run.folder / "key"
    file.write_text("some-key\n", encoding="utf-8")
    file.chmod(0o644)
    text = (run.folder / "config.toml").read_text(encoding="utf-8")
    table = text.split("[profiles.acme.key]", 1)[1].split("[", 1)[0]
    (run.folder / "open.toml").write_text(
        text.replace(f"[profiles.acme.key]{table}", '[profiles.acme.key]\nsource = "file"\npath = "key"\n\n', 1),
        encoding="utf-8",
    )

    ran = pushed(run, "--config", "open.toml", CODAT_API_KEY="")

    assert (ran.code, "[key.file-exposed]" in ran.err, "chmod 600" in ran.err) == (2, True, True)


def test_nothing_of_all_this_was_sent(quiet_codat):
    assert quiet_codat.written() == []
