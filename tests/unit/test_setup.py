"""`init`, `whoami`, `profile …`, `config explain`, against a small Codat behind the real client."""

import base64
import datetime as dt
import io
import os
import stat
from functools import partial
from typing import Any

import httpx
import pytest

from codat_ar_cli import cli
from codat_ar_cli.cli.console import Console
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.codat.transport import RetryPolicy
from codat_ar_cli.config import load
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.keys import KeyKind
from codat_ar_cli.flows.setup import profile_name_for

KEY = "canary-key-7d1f"
ACME = "11111111-1111-4111-8111-111111111111"
BETA = "22222222-2222-4222-8222-222222222222"
XERO = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
BANK = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"


def connection(
    id: str = XERO, *, source_type: str = "Accounting", status: str = "Linked", **more: Any
) -> dict[str, Any]:
    return {
        "id": id,
        "integrationId": ACME,
        "integrationKey": "gbol",
        "sourceId": BETA,
        "sourceType": source_type,
        "platformName": "Xero" if source_type == "Accounting" else "A Bank",
        "linkUrl": f"https://link.codat.io/{id}",
        "status": status,
        "created": "2026-01-01T00:00:00Z",
        "lastSync": "2026-11-21T08:30:00Z",
        **more,
    }


def company(id: str = ACME, name: str = "Acme Ltd", *connections: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "name": name, "redirect": "https://x", "dataConnections": list(connections or [connection()])}


class Codat:
    """What the API answers, and what it was asked."""

    def __init__(self) -> None:
        self.key = KEY
        self.companies = [company()]
        self.info: dict[str, Any] | None = {
            "companyName": "Acme Ltd",
            "baseCurrency": "GBP",
            "ledgerLockDate": "2026-03-31",
        }
        self.asked: list[str] = []
        self.fail: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.fail is not None:
            raise self.fail
        if request.headers["Authorization"] != "Basic " + base64.b64encode(self.key.encode()).decode():
            return self.answer(401, {"statusCode": 401, "error": "Unauthorized", "correlationId": "c-401"})
        body = self.find(request.url.path.strip("/").split("/"))
        if body is not None:
            return self.answer(200, body)
        status = 409 if request.url.path.endswith("/data/info") else 404
        return self.answer(status, {"statusCode": status, "error": "The data set has not been requested."})

    def find(self, path: list[str]) -> Any:
        match path:
            case ["profile"]:
                return {"name": "Demo Client", "apiKey": "never shown"}
            case ["companies"]:
                return {"results": self.companies, "pageNumber": 1, "pageSize": 100, "totalResults": 1, "_links": {}}
            case ["companies", id]:
                return next((each for each in self.companies if each["id"] == id), None)
            case ["companies", _, "data", "info"]:
                return self.info
        return None

    def answer(self, status: int, body: Any) -> httpx.Response:
        limits = {"X-Rate-Limit-Limit": "2000", "X-Rate-Limit-Remaining": "1987"}
        headers = {**limits, "X-Rate-Limit-Reset": "2026-11-23T00:00:00Z", "Content-Type": "application/json"}
        return httpx.Response(status, headers=headers, text=jsontext.dumps(body))


class Person:
    """Answers by the words of the question; an answer may be a function of the choices, or an interruption."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.offered: dict[str, list[tuple[str, str | None]]] = {}

    def _answer(self, question: str, default: Any) -> Any:
        self.asked.append(question)
        for words, answer in self.answers.items():
            if words.replace("_", " ") in question.lower():
                given = answer.pop(0) if isinstance(answer, list) else answer
                if isinstance(given, type):
                    raise given
                return default if given is None else given
        raise AssertionError(f"nobody expected to be asked: {question}")

    def select(self, question: str, choices: Any, default: Any) -> Any:
        self.offered[question] = [(choice.title, choice.disabled) for choice in choices]
        wanted = self._answer(question, default)
        return next(choice.value for choice in choices if wanted in choice.title)

    def text(self, question: str, default: str) -> Any:
        return self._answer(question, default)

    def secret(self, question: str) -> Any:
        return self._answer(question, "")

    def confirm(self, question: str, default: bool) -> Any:
        return self._answer(question, default)


class Desk:
    """One user's files and environment; runs commands against `Codat`."""

    def __init__(self, folder: Any, codat: Codat) -> None:
        self.folder, self.codat = folder, codat
        self.config = folder / "config.toml"
        self.env = {
            "CODAT_AR_CONFIG": str(self.config),
            "CODAT_AR_STATE_DIR": str(folder / "state"),
            "CODAT_API_KEY": KEY,
        }

    def __call__(self, *words: str, person: Person | None = None) -> int:
        async def no_sleep(_seconds: float) -> None:
            return None

        open_client = partial(
            CodatClient, transport=httpx.MockTransport(self.codat), sleep=no_sleep, retry=RetryPolicy(attempts=2)
        )
        console = Console(prompts=person, env=self.env) if person else None
        session = Session(
            Options(json="--json" in words), env=self.env, folder=self.folder, console=console, open_client=open_client
        )
        return cli.main(words, session=session)


@pytest.fixture
def codat() -> Codat:
    return Codat()


@pytest.fixture
def desk(tmp_path, codat) -> Desk:
    return Desk(tmp_path, codat)


def error_of(capsys) -> dict[str, Any]:
    error: dict[str, Any] = jsontext.loads(capsys.readouterr().out)["error"]
    return error


def test_init_without_a_terminal_writes_a_profile_and_looks_at_its_health(desk, capsys):
    assert desk("init", "--company", "acme ltd", "--no-input", "--json") == 0

    result = jsontext.loads(capsys.readouterr().out)
    profile = load(desk.config).profiles["acme-ltd"]
    assert (profile.company_id, profile.connection_id, profile.platform_key) == (ACME, XERO, "gbol")
    assert profile.key.kind is KeyKind.ENV
    assert load(desk.config).default_profile == "acme-ltd"
    assert result["schema"] == "codat-ar/init/1"
    assert result["company"] == {"id": ACME, "name": "Acme Ltd"}
    assert result["base_currency"] == "GBP"
    assert result["quota"] == {"limit": 2000, "remaining": 1987, "reset": "2026-11-23T00:00:00Z"}
    assert result["connection"]["usable"] is True


def test_init_can_be_said_in_full(desk, codat, capsys):
    codat.companies.append(company(BETA, "Beta GmbH", connection(BANK, source_type="Banking"), connection()))
    words = ("--company", BETA, "--connection", XERO, "--base-url", "http://127.0.0.1:9", "--key-env", "CODAT_API_KEY")

    assert desk("init", *words, "--profile", "beta", "--no-input", "--yes") == 0

    assert load(desk.config).profiles["beta"].base_url == "http://127.0.0.1:9"
    out, _ = capsys.readouterr()
    assert "Profile beta is written to" in out
    assert "Next: codat-ar fetch" in out


def test_the_wizard_asks_for_what_is_missing_and_offers_only_what_works(desk, codat, capsys):
    two = [connection(), connection(BETA), connection(BANK, source_type="Banking")]
    codat.companies = [company(), company(BETA, "Beta GmbH", *two)]
    person = Person(
        api_is_at=None, where_is="In a file", path_of=str(desk.folder / "key"), api_key=KEY,
        which_company="Beta", which_connection="Xero", name_of_the_profile=None,
    )  # fmt: skip

    assert desk("init", person=person) == 0

    profile = load(desk.config).profiles["beta-gmbh"]
    assert profile.company_name == "Beta GmbH"
    assert profile.key.path == str(desk.folder / "key")
    assert (desk.folder / "key").read_text().strip() == KEY
    offered = dict(person.offered["Which connection?"])
    assert offered["Xero"] is None
    assert "is a Banking connection; expected Accounting" in (offered["A Bank"] or "")
    if os.name == "posix":
        assert stat.S_IMODE((desk.folder / "key").stat().st_mode) == 0o600
    assert KEY not in desk.config.read_text()
    assert KEY not in "".join(capsys.readouterr())


def test_a_refused_key_is_asked_for_again_and_only_a_good_one_is_kept(desk, capsys):
    key_file = desk.folder / "key"
    person = Person(api_key=["wrong-key-entirely", "two words", KEY], name_of=None, api_is_at=None)

    assert desk("init", "--key-file", str(key_file), person=person) == 0

    assert key_file.read_text().strip() == KEY
    err = capsys.readouterr().err
    assert "try again" in err
    assert "can't be an API key" in err
    assert "wrong-key-entirely" not in err


def test_an_interrupted_init_goes_on_where_it_stopped(desk, codat, capsys):
    codat.companies = [company(), company(BETA, "Beta GmbH")]
    stopped = Person(api_is_at=None, where_is="environment", name_of_the_variable=None, which_company=KeyboardInterrupt)
    assert desk("init", person=stopped) == 130
    kept = desk.folder / "state" / "init.json"
    assert KEY not in kept.read_text()

    again = Person(which_company="Beta", name_of_the_profile="books")
    assert desk("init", person=again) == 0

    assert again.asked == ["Which company?", "Name of the profile"]
    assert load(desk.config).profiles["books"].company_id == BETA
    assert "Going on where `init` stopped" in capsys.readouterr().err
    assert not kept.exists()


def test_restart_and_scripts_do_not_use_old_answers(desk, codat):
    kept = desk.folder / "state" / "init.json"
    kept.parent.mkdir()
    kept.write_text(jsontext.dumps({"company": BETA, "base_url": "https://old.example.com"}))

    assert desk("init", "--no-input") == 0
    assert load(desk.config).profiles["acme-ltd"].base_url == "https://api.codat.io"

    kept.write_text(jsontext.dumps({"company": BETA}))
    assert desk("init", "--restart", "--key-env", "CODAT_API_KEY", "--profile", "x", person=Person(api_is_at=None)) == 0


def test_a_script_leaves_no_answers_behind(desk, codat):
    codat.companies = [company(), company(BETA, "Beta GmbH")]

    assert desk("init", "--no-input") == 2

    assert not (desk.folder / "state" / "init.json").exists()


def test_a_place_without_key_can_be_chosen_anew(desk, capsys):
    del desk.env["CODAT_API_KEY"]
    person = Person(
        api_is_at=None,
        where_is=["environment", "A command", "file"],
        name_of_the_variable="NO_SUCH",
        command_that="no-such-program",
        path_of=str(desk.folder / "key"),
        api_key=KEY,
        name_of=None,
    )

    assert desk("init", person=person) == 0

    err = capsys.readouterr().err
    assert "warning: no API key in environment variable NO_SUCH" in err
    assert "warning: key command `no-such-program` was not found" in err
    assert load(desk.config).profiles["acme-ltd"].key.kind is KeyKind.FILE


def test_broken_old_answers_are_ignored(desk):
    kept = desk.folder / "state" / "init.json"
    kept.parent.mkdir()
    kept.write_text("[1, 2")
    person = Person(api_is_at=None, name_of=None)

    assert desk("init", "--key-env", "CODAT_API_KEY", person=person) == 0


def test_the_key_can_come_from_stdin_once(desk, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    del desk.env["CODAT_API_KEY"]

    assert desk("init", "--key-stdin", "--key-file", str(desk.folder / "key"), "--no-input") == 0
    assert desk("whoami", "--json") == 0

    assert KEY not in "".join(capsys.readouterr())


def test_a_repeated_init_keeps_the_mapping_of_the_same_company(desk):
    assert desk("init", "--no-input") == 0
    text = desk.config.read_text()
    desk.config.write_text(
        text + '\n[profiles.acme-ltd.mapping.tax_rate]\ndefault = { id = "T", name = "VAT" } # checked\n'
    )

    assert desk("init", "--no-input") == 0

    assert "# checked" in desk.config.read_text()


def test_replacing_a_profile_of_another_company_is_asked(desk, codat, capsys):
    codat.companies = [company(), company(BETA, "Beta GmbH")]
    assert desk("init", "--company", ACME, "--profile", "books", "--no-input") == 0
    again = ("init", "--company", BETA, "--profile", "books", "--no-input")

    assert desk(*again, "--json") == 2
    capsys.readouterr()
    assert load(desk.config).profiles["books"].company_id == ACME
    assert desk(*again, "--yes") == 0
    assert load(desk.config).profiles["books"].company_id == BETA


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--company", "Nobody"], "setup.unknown-company", "it sees: Acme Ltd, Acme Trading"),
        (["--company", BETA.replace("2", "3")], "setup.unknown-company", "is not among those this key can see"),
        (["--company", "acme"], "setup.ambiguous-company", "`acme` could be any of 2 companies"),
        ([], "setup.ambiguous-company", "2 companies: Acme Ltd"),
        (["--company", ACME, "--connection", "nope"], "connection.unknown", f"it has: {XERO} (Xero, Linked)"),
        (["--company", ACME, "--profile", "a b"], "config.bad-profile-name", "can't be a profile name"),
        (["--base-url", "http://api.codat.io"], "config.insecure-url", "would send the API key unencrypted"),
        (["--key-env", "A", "--key-file", "b"], "key.several-places", "--key-env and --key-file were given"),
        (["--key-env", "NO_SUCH"], "key.missing", "no API key in environment variable NO_SUCH"),
        (["--key-file", "/no/such/file"], "key.missing", "does not exist"),
        (["--key-file", "~nobody-has-this-name/k"], "key.file-unreadable", "does not know"),
        (["--key-command", "op 'read"], "key.bad-command", "its quotes must pair"),
        (["--key-command", " "], "key.bad-command", "must name a program"),
        (["--key-stdin"], "key.missing", "nowhere to keep the key"),
        (["--company", ACME, "--expect-company", BETA], "config.unexpected-company", f"is company {ACME}"),
    ],
)
def test_every_wrong_answer_has_a_name_and_nothing_is_written(desk, codat, capsys, words, code, message):
    codat.companies = [company(), company(BETA, "Acme Trading")]

    assert desk("init", *words, "--no-input", "--json") == 2

    error = error_of(capsys)
    assert error["code"] == code
    assert message in error["message"]
    assert error["hint"]
    assert not desk.config.exists()


def test_without_key_and_terminal_the_options_are_named(desk, capsys):
    del desk.env["CODAT_API_KEY"]

    assert desk("init", "--no-input", "--json") == 2

    error = error_of(capsys)
    assert error["code"] == "input.needed"
    assert "--key-env, --key-file, --key-keyring or --key-command" in error["hint"]


@pytest.mark.parametrize(
    ("changes", "code", "message", "hint"),
    [
        ({"status": "Unlinked"}, "connection.unlinked", "is Unlinked; expected Linked", "https://link.codat.io/"),
        (
            {
                "status": "Deauthorized",
                "dataConnectionErrors": [{"statusText": "x", "errorMessage": "token expired", "status": "Active"}],
            },
            "connection.deauthorised",
            "was deauthorised by the accounting package",
            f"https://link.codat.io/{XERO}",
        ),
        ({"status": "PendingAuth"}, "connection.pending", "is not linked yet", "https://link.codat.io/"),
        ({"source_type": "Banking"}, "connection.not-accounting", "is a Banking connection", "--connection ID"),
    ],
)
def test_a_connection_that_takes_no_writes_is_named_with_the_way_to_repair_it(
    desk, codat, capsys, changes, code, message, hint
):
    codat.companies = [company(ACME, "Acme Ltd", connection(**changes))]

    assert desk("init", "--connection", XERO, "--no-input", "--json") == 2
    named = error_of(capsys)
    assert desk("init", "--no-input", "--json") == 2
    unnamed = error_of(capsys)

    assert named["code"] == code
    assert message in named["message"]
    assert hint in named["hint"]
    assert unnamed["code"] == "connection.none-usable"
    assert message in unnamed["message"]
    assert unnamed["details"]["reasons"][0]["code"] == code


def test_a_company_without_connections_and_a_client_without_companies_are_said(desk, codat, capsys):
    codat.companies = [{**company(), "dataConnections": []}]
    assert desk("init", "--no-input", "--json") == 2
    assert "it has no connections" in error_of(capsys)["message"]

    codat.companies = []
    assert desk("init", "--no-input", "--json") == 2
    assert error_of(capsys)["code"] == "setup.no-companies"


def test_several_usable_connections_are_not_guessed_between(desk, codat, capsys):
    codat.companies = [company(ACME, "Acme Ltd", connection(), connection(BANK))]

    assert desk("init", "--no-input", "--json") == 2

    assert error_of(capsys)["code"] == "connection.ambiguous"


def test_a_refused_key_is_exit_four_and_an_unreachable_api_eight(desk, codat, capsys):
    codat.key = "another-key"
    assert desk("init", "--no-input", "--json") == 4
    assert error_of(capsys)["code"] == "codat.key-refused"

    codat.fail = httpx.ConnectError("refused")
    assert desk("init", "--no-input", "--json") == 8
    assert error_of(capsys)["code"] == "codat.not-sent"


def test_whoami_tells_company_platform_connection_key_and_quota(desk, capsys):
    assert desk("init", "--no-input") == 0
    capsys.readouterr()

    assert desk("whoami") == 0

    out, err = capsys.readouterr()
    lines = dict(line.split("  ", 1) for line in out.splitlines())
    facts = {label.strip(): value.strip() for label, value in lines.items()}
    assert facts["company"] == f"Acme Ltd ({ACME})"
    assert facts["platform"] == "Xero (gbol)"
    assert facts["connection"] == f"Linked ({XERO})"
    assert facts["base currency"] == "GBP"
    assert facts["locked until"] == "2026-03-31"
    assert facts["Codat client"] == "Demo Client"
    assert facts["key"] == "environment variable CODAT_API_KEY"
    assert facts["quota today"] == "1,987 requests left of 2,000, new at 00:00 UTC"
    assert err == ""


def test_whoami_warns_of_a_connection_that_was_lost_since(desk, codat, capsys):
    assert desk("init", "--no-input") == 0
    codat.companies = [company(ACME, "Acme Ltd", connection(status="Deauthorized"))]
    codat.info = None
    capsys.readouterr()

    assert desk("whoami") == 0
    out, err = capsys.readouterr()
    assert "not known yet" in out
    assert "was deauthorised by the accounting package; nothing can be pushed" in err
    assert desk("whoami", "--json") == 0
    payload = jsontext.loads(capsys.readouterr().out)
    assert payload["connection"]["usable"] is False
    assert payload["connection"]["reason"]["code"] == "connection.deauthorised"
    assert payload["base_currency"] is None


def test_profiles_are_listed_shown_chosen_and_removed(desk, codat, capsys):
    codat.companies = [company(), company(BETA, "Beta GmbH")]
    for name, id in (("acme", ACME), ("beta", BETA)):
        assert desk("init", "--company", id, "--profile", name, "--no-input") == 0
    capsys.readouterr()

    assert desk("profile", "list") == 0
    assert capsys.readouterr().out == "* acme  Acme Ltd (Xero)\n  beta  Beta GmbH (Xero)\n"

    assert desk("profile", "use", "beta") == 0
    assert "beta is the default now" in capsys.readouterr().out
    assert desk("profile", "list", "--json") == 0
    listed = jsontext.loads(capsys.readouterr().out)
    assert (listed["chosen"], listed["default"]) == ("beta", "beta")
    assert [each["profile"] for each in listed["profiles"]] == ["acme", "beta"]

    assert desk("profile", "show") == 0
    assert f"Beta GmbH ({BETA})" in capsys.readouterr().out
    assert desk("profile", "show", "acme", "--json") == 0
    assert jsontext.loads(capsys.readouterr().out)["company"]["id"] == ACME

    assert desk("profile", "remove", "beta", "--json") == 2
    assert error_of(capsys)["hint"] == "say it with --yes"
    assert desk("profile", "remove", "beta", person=Person(remove=False)) == 6
    assert desk("profile", "remove", "beta", "--yes") == 0
    assert list(load(desk.config).profiles) == ["acme"]
    capsys.readouterr()

    assert desk("profile", "show", "beta", "--json") == 2
    assert error_of(capsys)["message"] == "profile `beta` does not exist; known: acme"


def test_a_default_that_the_environment_overrides_is_said(desk, capsys):
    assert desk("init", "--no-input") == 0
    desk.env["CODAT_AR_PROFILE"] = "other"

    assert desk("profile", "use", "acme-ltd") == 0

    assert "CODAT_AR_PROFILE=other still goes before the default" in capsys.readouterr().err


def test_no_profiles_yet_is_said_with_the_way_in(desk, capsys):
    desk.config.write_text("")

    assert desk("profile", "list") == 0

    assert capsys.readouterr().out == "no profiles yet: start with `codat-ar init`\n"


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("profile", "acme-ltd", "default_profile in"),
        ("base_url", "https://api.codat.io", "default"),
        ("state_dir", "state", "CODAT_AR_STATE_DIR"),
        ("ledger_url", "ledger.db", "default"),
        ("key", "environment variable CODAT_API_KEY", "profile acme-ltd"),
    ],
)
def test_explain_tells_where_a_setting_comes_from(desk, capsys, key, value, origin):
    assert desk("init", "--no-input") == 0
    capsys.readouterr()

    assert desk("config", "explain", key) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"{key} = ")
    assert value in out
    assert f"from {origin}" in out


def test_explain_tells_what_a_setting_goes_before(desk, capsys):
    assert desk("init", "--no-input", "--key-file", str(desk.folder / "none"), "--json") == 2
    assert desk("init", "--no-input") == 0
    capsys.readouterr()

    assert desk("config", "explain", "profile", "--profile", "x", "--json") == 0

    payload = jsontext.loads(capsys.readouterr().out)
    assert payload["value"] == "x"
    assert payload["overridden"][0]["value"] == "acme-ltd"


def test_explain_shows_no_password_of_a_ledger(desk, capsys):
    desk("init", "--company", ACME, "--no-input")
    desk.env["CODAT_AR_LEDGER_URL"] = "postgresql://me:hush@db.example/ledger"

    assert desk("config", "explain", "ledger_url") == 0
    assert desk("config", "explain", "ledger_url", "--json") == 0

    told = capsys.readouterr().out
    assert "postgresql://…@db.example/ledger" in told
    assert "hush" not in told


def test_an_unknown_setting_lists_the_known_ones(desk, capsys):
    desk.config.write_text("")

    assert desk("config", "explain", "colour", "--json") == 2

    assert error_of(capsys)["code"] == "config.unknown-setting"


def test_the_key_appears_in_no_output_and_no_file_of_any_setup_command(desk, codat, capfd):
    runs = [
        ("init", "--no-input", "-vv"),
        ("whoami", "-vv"),
        ("whoami", "--json"),
        ("profile", "show", "-vv"),
        ("profile", "list", "--json"),
        ("config", "explain", "key"),
    ]
    for words in runs:
        assert desk(*words) == 0
    codat.fail = RuntimeError(f"a defect that carries {KEY}")
    assert desk("whoami") == 1

    texts = list(capfd.readouterr())
    texts += [path.read_text(errors="replace") for path in desk.folder.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in texts)


@pytest.mark.parametrize(
    ("company_name", "taken", "expected"),
    [
        ("Acme Ltd", [], "acme-ltd"),
        ("Acme Ltd", ["acme-ltd", "acme-ltd-2"], "acme-ltd-3"),
        ("東京", [], "company"),
        ("  -- ", ["company"], "company-2"),
        ("x" * 90, [], "x" * 40),
    ],
)
def test_a_profile_name_is_suggested_in_plain_letters(company_name, taken, expected):
    assert profile_name_for(company_name, taken) == expected


def test_times_are_aware():
    assert Session().clock().tzinfo is dt.UTC
