"""`codat-ar map` through the real command line, config file and ledger; a script answers in the person's place."""

import datetime as dt
import io
from typing import Any

import pytest

from codat_ar_cli.cli import main
from codat_ar_cli.cli.console import Console
from codat_ar_cli.cli.session import Options, Session
from codat_ar_cli.config import Config, Profile, load, save_profile
from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.types import CompanyId, ConnectionId, DataType, PlatformKey
from codat_ar_cli.ledger.store import Ledger

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
COMPANY, CONNECTION = CompanyId("c-1"), ConnectionId("n-1")
BOOKS: dict[DataType, list[dict[str, Any]]] = {
    DataType.COMPANY_INFO: [{"companyName": "Acorn", "baseCurrency": "GBP"}],
    DataType.ACCOUNTS: [
        {"id": "a-sales", "name": "Sales", "nominalCode": "200", "type": "Income", "status": "Active"},
        {"id": "a-other", "name": "Other income", "nominalCode": "260", "type": "Income", "status": "Active"},
        {
            "id": "a-bank",
            "name": "Current",
            "nominalCode": "090",
            "type": "Asset",
            "status": "Active",
            "currency": "GBP",
        }
        | {"isBankAccount": True},
        {"id": "a-old", "name": "Old", "nominalCode": "091", "type": "Asset", "status": "Archived"}
        | {"isBankAccount": True},
    ],
    DataType.TAX_RATES: [
        {"id": "OUTPUT2", "name": "20% (VAT on Income)", "code": "OUTPUT2", "status": "Active", "effectiveTaxRate": 20},
        {"id": "NONE", "name": "No VAT", "code": "NONE", "status": "Active", "effectiveTaxRate": 0},
    ],
}


class Script:
    """Answers questions by the beginning of a choice's title; a missing answer interrupts, as Ctrl-C would."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen: list[tuple[str, list[Any]]] = []

    def select(self, question, choices, default):
        self.seen.append((question, list(choices)))
        if not self.answers:
            raise KeyboardInterrupt
        wanted = self.answers.pop(0)
        return next(each.value for each in choices if each.title.startswith(wanted) and not each.disabled)

    def text(self, question, default):
        self.seen.append((question, []))
        return self.answers.pop(0)

    def confirm(self, question, default):
        return True

    def secret(self, question):
        raise AssertionError("no secret is asked for here")


class Desk:
    """A user's machine: config and state under one folder."""

    def __init__(self, folder):
        self.config, self.state = folder / "config.toml", folder / "state"
        self.state.mkdir()
        profile = Profile("acorn", COMPANY, "Acorn", CONNECTION, PlatformKey("gbol"), "Xero")
        save_profile(Config(self.config), profile)
        self.out, self.err = io.StringIO(), io.StringIO()

    def fill(self, books, fetched_at=NOW):
        with Ledger.open(self.state / "ledger.db", clock=lambda: NOW) as ledger:
            for data_type, records in books.items():
                texts = [jsontext.dumps(record) for record in records]
                ledger.replace_cache(
                    COMPANY, CONNECTION, data_type, texts, fetched_at=fetched_at, dataset_id=None, dataset_at=None
                )

    def run(self, *words, script=None):
        self.out, self.err = io.StringIO(), io.StringIO()
        json = "--json" in words
        console = Console(json=json, env={}, stdin=io.StringIO(), stdout=self.out, stderr=self.err, prompts=script)
        options = Options(profile="acorn", config=self.config, state_dir=self.state, json=json)
        return main(words, session=Session(options, env={}, clock=lambda: NOW, console=console))

    @property
    def mapping(self):
        return load(self.config).profiles["acorn"].mapping

    @property
    def json(self):
        return jsontext.loads(self.out.getvalue())


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    made.fill(BOOKS)
    return made


def targets(desk):
    return {slot.value: answer.default.id for slot, answer in desk.mapping.slots.items() if answer.default}


def test_the_wizard_maps_what_is_needed_and_shows_the_result(desk):
    code = desk.run("map", script=Script("090", "200", "OUTPUT2"))

    assert code == 0
    assert targets(desk) == {"bank_account": "a-bank", "income_account": "a-sales", "tax_rate": "OUTPUT2"}
    assert "receiving bank account" in desk.out.getvalue()


def test_the_wizard_broken_off_keeps_its_answers_and_goes_on(desk):
    assert desk.run("map", script=Script("090")) == 130
    assert targets(desk) == {"bank_account": "a-bank"}

    rest = Script("200", "OUTPUT2")
    desk.run("map", script=rest)

    assert rest.seen[0][0].startswith("Which income account")
    assert len(targets(desk)) == 3


def test_leaving_open_what_is_needed_exits_with_findings(desk):
    assert desk.run("map", script=Script("Leave", "Leave", "Leave")) == 3


def test_what_cannot_be_chosen_is_shown_on_request_with_its_reason(desk):
    many = [
        {"id": f"a-{number}", "name": f"Cost {number}", "type": "Expense", "status": "Active"} for number in range(9)
    ]
    desk.fill({DataType.ACCOUNTS: [*BOOKS[DataType.ACCOUNTS], *many]})

    desk.run("map", script=Script("Show the", "090"))

    assert targets(desk)["bank_account"] == "a-bank"
    assert "What can't be the receiving bank account" in desk.err.getvalue()
    assert "archived" in desk.err.getvalue()


def test_few_that_cannot_be_chosen_stand_disabled_in_the_list(desk):
    script = Script("090", "200", "OUTPUT2")

    desk.run("map", script=script)

    disabled = {choice.title: choice.disabled for choice in script.seen[0][1] if choice.disabled}
    assert disabled["091 Old"] == "archived"


def test_enter_alone_puts_no_tracking_category_on_every_line(desk):
    category = {"id": "S", "name": "South", "status": "Active", "hasChildren": False, "parentId": "R"}
    desk.fill({DataType.TRACKING_CATEGORIES: [category]})
    script = Script("090", "200", "OUTPUT2", "South")

    desk.run("map", script=script)

    assert [choice.title for choice in script.seen[3][1]] == ["Leave it open", "South"]


def test_a_long_list_shows_the_best_and_lets_the_rest_be_searched(desk):
    many = [{"id": f"s-{number}", "supplierName": f"Supplier {number:03}", "status": "Active"} for number in range(300)]
    desk.fill({DataType.SUPPLIERS: [*many, {"id": "s-stripe", "supplierName": "Stripe", "status": "Active"}]})
    script = Script("090", "200", "OUTPUT2", "Search all 301", "nobody", "Search all 301", "upplier 27", "Supplier 277")

    assert desk.run("map", script=script) == 0

    first_list = [choice.title for choice in script.seen[3][1]]
    assert first_list[0] == "Stripe"
    assert len(first_list) < 24
    assert "None has `nobody`" in desk.err.getvalue()
    assert targets(desk)["fee_supplier"] == "s-277"


def test_a_file_adds_the_values_that_nobody_has_mapped(desk, tmp_path):
    file = tmp_path / "payments.csv"
    file.write_text(
        "invoice_number,customer,issue_date,currency,line_description,quantity,unit_price,tax_rate\n"
        "INV-1,Oak,2026-05-01,GBP,Plan,1,10.00,17.5\n",
        encoding="utf-8",
    )

    desk.run("map", "--file", str(file), script=Script("090", "200", "OUTPUT2", "OUTPUT2"))

    (rule,) = desk.mapping.slots["tax_rate"].rules
    assert rule.when == (("tax_rate", ("17.5",)),)


def test_without_a_terminal_the_wizard_says_what_to_type_instead(desk):
    assert desk.run("map") == 2
    assert "codat-ar map set bank-account ID" in desk.err.getvalue()


def test_without_a_cache_mapping_says_to_fetch_first(tmp_path):
    desk = Desk(tmp_path)

    assert desk.run("map", "set", "bank-account", "090") == 2
    assert "codat-ar fetch" in desk.err.getvalue()


def test_set_shows_and_stores_id_name_and_code(desk):
    assert desk.run("map", "set", "bank_account", "090") == 0

    assert desk.out.getvalue() == "receiving bank account: 090 Current (a-bank)\n"
    stored = desk.mapping.slots["bank_account"].default
    assert (stored.id, stored.name, stored.code) == ("a-bank", "Current", "090")


def test_set_refuses_what_cannot_be_used_and_changes_nothing(desk):
    assert desk.run("map", "set", "bank-account", "Sales") == 2

    assert "mapping.unusable-record" in desk.err.getvalue()
    assert targets(desk) == {}


def test_a_rule_is_set_shown_and_taken_back(desk):
    desk.run("map", "set", "income-account", "260", "--when", "currency=EUR")
    desk.run("map", "show", "--json")
    (income,) = desk.json["mapping"]

    assert income["rules"] == [
        {"when": {"currency": ["EUR"]}, "target": {"id": "a-other", "name": "Other income", "code": "260"}}
    ]
    assert desk.run("map", "unset", "income-account", "--when", "currency=eur") == 0
    assert desk.mapping.slots.get("income_account") is None


def test_check_exits_3_while_there_are_findings_and_0_after(desk):
    assert desk.run("map", "check", "--json") == 3
    assert {each["code"] for each in desk.json["findings"]} == {"mapping.missing"}

    desk.run("map", "set", "bank-account", "090")
    desk.run("map", "set", "income-account", "200")
    desk.run("map", "set", "tax-rate", "OUTPUT2")

    assert desk.run("map", "check") == 0
    assert "complete" in desk.out.getvalue()


def test_check_notices_an_account_archived_since(desk):
    desk.run("map", "set", "bank-account", "090")
    archived = [each | {"status": "Archived"} for each in BOOKS[DataType.ACCOUNTS]]
    desk.fill({DataType.ACCOUNTS: archived})

    assert desk.run("map", "check", "--json") == 3
    assert "mapping.archived" in {each["code"] for each in desk.json["findings"]}


def test_check_says_when_the_cache_is_old(desk):
    desk.fill(BOOKS, fetched_at=NOW - dt.timedelta(days=3))

    desk.run("map", "check", "--json")

    assert "mapping.stale-cache" in {each["code"] for each in desk.json["findings"]}


def test_suggest_accepts_only_good_candidates_and_names_the_rest(desk):
    reduced = {"id": "RR", "name": "5% (VAT on Income)", "code": "RR", "status": "Active", "effectiveTaxRate": 5}
    desk.fill({DataType.TAX_RATES: [*BOOKS[DataType.TAX_RATES], reduced]})

    code = desk.run("map", "suggest", "--accept", "--json")

    assert targets(desk)["bank_account"] == "a-bank"
    assert {each["slot"] for each in desk.json["suggested"]} >= {"bank_account"}
    assert {each["slot"] for each in desk.json["undecided"]} >= {"tax_rate"}
    assert code == 3


def test_suggest_alone_changes_nothing(desk):
    assert desk.run("map", "suggest") == 0
    assert targets(desk) == {}


def test_limits_are_accepted_and_taken_back(desk):
    desk.run("map", "accept", "invoices.issueDate", "invoices.invoiceNumber")
    desk.run("map", "unaccept", "invoices.issueDate")
    desk.run("map", "show")

    assert desk.mapping.accepted == {"invoices.invoiceNumber"}
    assert "invoices.invoiceNumber" in desk.out.getvalue()


def test_show_is_readable_at_80_columns(desk):
    desk.run("map", "set", "bank-account", "090")
    desk.run("map", "show")

    assert max(len(line) for line in desk.out.getvalue().splitlines()) <= 80
    assert "not mapped" in desk.out.getvalue()
