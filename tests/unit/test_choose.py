"""The mapping conversation and single answers, played with plain values."""

import datetime as dt
from decimal import Decimal

import pytest

from codat_ar_cli.domain.documents import Row
from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import (
    Account,
    CompanyInfo,
    Currency,
    DataType,
    Item,
    PaymentMethod,
    PlatformKey,
    RecordId,
    ReferenceData,
    TaxRate,
    TrackingCategory,
)
from codat_ar_cli.flows import answers
from codat_ar_cli.flows.choose import choose, open_values, read_rows

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
GBP = Currency("GBP")
XERO, QBO = rules_for(PlatformKey("gbol")), rules_for(PlatformKey("qhyg"))


def account(identifier, name, code, kind="Income", *, bank=False, status="Active", deleted=False):
    return Account(RecordId(identifier), name, code, kind, status, GBP, is_bank_account=bank, is_deleted=deleted)


def tax(identifier, name, rate):
    return TaxRate(RecordId(identifier), name, identifier, "Active", Decimal(rate))


SALES, SERVICES = account("a-sales", "Sales", "200"), account("a-serv", "Consulting", "210")
BANK = account("a-bank", "Current account", "090", "Asset", bank=True)
OLD_BANK = account("a-old", "Old account", "091", "Asset", bank=True, status="Archived")
BOOKS = ReferenceData(
    company_info=CompanyInfo("Acorn", GBP, None),
    accounts=(SALES, SERVICES, BANK, OLD_BANK),
    tax_rates=(tax("OUTPUT2", "20% (VAT on Income)", "20"), tax("RROUTPUT", "5% (VAT on Income)", "5")),
    tracking_categories=(
        TrackingCategory(RecordId("R"), "Region", "Active", None, has_children=True),
        TrackingCategory(RecordId("S"), "South", "Active", RecordId("R"), has_children=False),
    ),
    items=(Item(RecordId("i-plan"), "Plan", "PLAN", "Active", "Service", True, SALES.id),),
    fetched=dict.fromkeys(
        (DataType.ACCOUNTS, DataType.TAX_RATES, DataType.TRACKING_CATEGORIES, DataType.ITEMS, DataType.COMPANY_INFO),
        NOW,
    ),
)


TWENTY = Mapping({Slot.TAX_RATE: SlotMapping(Target(RecordId("OUTPUT2"), "20% (VAT on Income)", "OUTPUT2"))})


def target(record, code=None):
    return Target(record.id, record.name, code or getattr(record, "nominal_code", None))


def rows_of(*cells):
    return [Row(Place("f.csv", number + 2), each) for number, each in enumerate(cells)]


class Person:
    """Answers from a dict of slot → id; leaves open what is not in it. Remembers what was asked."""

    def __init__(self, wants=None):
        self.wants = wants or {}
        self.asked = []

    def __call__(self, asking):
        self.asked.append(asking)
        wanted = self.wants.get(asking.slot)
        return next((each.target for each in asking.offers if each.target.id == wanted), None)


def talk(person, *, mapping=None, books=BOOKS, platform=XERO, **options):
    saved: list[Mapping] = []
    ended = choose(mapping or Mapping(), books, platform, ask=person, save=saved.append, **options)
    return ended, saved


def test_the_conversation_asks_for_what_a_platform_needs_and_keeps_each_answer_at_once():
    person = Person({Slot.BANK_ACCOUNT: BANK.id, Slot.INCOME_ACCOUNT: SALES.id, Slot.TAX_RATE: "OUTPUT2"})

    ended, saved = talk(person)

    assert [asking.slot for asking in person.asked][:3] == [Slot.BANK_ACCOUNT, Slot.INCOME_ACCOUNT, Slot.TAX_RATE]
    assert ended.mapping.slot(Slot.BANK_ACCOUNT).default == target(BANK)
    assert len(saved) == ended.answered == 3
    assert saved[0].slot(Slot.INCOME_ACCOUNT).default is None


def test_a_platform_that_takes_items_is_asked_for_an_item_not_an_income_account():
    person = Person()

    talk(person, platform=QBO)

    asked = {asking.slot for asking in person.asked}
    assert Slot.ITEM in asked
    assert Slot.INCOME_ACCOUNT not in asked


def test_a_conversation_broken_off_goes_on_with_the_open_questions_only():
    person = Person()
    done = Mapping({Slot.BANK_ACCOUNT: SlotMapping(target(BANK))})

    talk(person, mapping=done)

    assert Slot.BANK_ACCOUNT not in {asking.slot for asking in person.asked}


def test_an_interrupt_loses_no_earlier_answer():
    saved: list[Mapping] = []

    def interrupted(asking):
        if asking.slot is Slot.BANK_ACCOUNT:
            return target(BANK)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        choose(Mapping(), BOOKS, XERO, ask=interrupted, save=saved.append)

    assert [mapping.slot(Slot.BANK_ACCOUNT).default for mapping in saved] == [target(BANK)]


def test_only_valid_candidates_are_offered_and_the_others_say_why():
    person = Person()

    talk(person)

    bank = person.asked[0]
    assert [each.target.id for each in bank.offers] == [BANK.id]
    reasons = {each.target.id: each.excluded for each in bank.excluded}
    assert reasons[OLD_BANK.id] == "archived"
    assert "not a bank account" in (reasons[SALES.id] or "")


def test_an_answer_that_no_longer_holds_is_asked_again_with_the_reason():
    person = Person()

    talk(person, mapping=Mapping({Slot.BANK_ACCOUNT: SlotMapping(target(OLD_BANK))}))

    assert person.asked[0].slot is Slot.BANK_ACCOUNT
    assert "archived" in (person.asked[0].remark or "")


def test_what_the_books_have_nothing_for_is_not_asked_but_reported():
    person = Person()

    ended, _ = talk(person, books=ReferenceData(accounts=(SALES,), fetched={DataType.ACCOUNTS: NOW}))

    assert ended.without_choice[0].slot is Slot.BANK_ACCOUNT
    assert Slot.BANK_ACCOUNT not in {asking.slot for asking in person.asked}


def test_revisiting_asks_again_with_the_answer_so_far():
    person = Person()

    talk(person, mapping=Mapping({Slot.BANK_ACCOUNT: SlotMapping(target(BANK))}), revisit=True)

    assert person.asked[0].current == target(BANK)


def test_each_unknown_value_of_a_file_is_asked_once_and_becomes_a_rule():
    person = Person({Slot.TAX_RATE: "RROUTPUT"})
    rows = rows_of({"tax_rate": "17.5"}, {"tax_rate": "17.5"}, {"tax_rate": "20"})

    ended, _ = talk(person, mapping=TWENTY, rows=rows, source="f.csv")

    question = person.asked[-1]
    assert "tax_rate `17.5` (2 rows of f.csv)" in question.text
    assert Rule((("tax_rate", ("17.5",)),), Target(RecordId("RROUTPUT"), "5% (VAT on Income)", "RROUTPUT")) in (
        ended.mapping.slot(Slot.TAX_RATE).rules
    )


def test_values_that_lead_to_a_record_are_not_asked():
    rows = rows_of({"tax_rate": "20", "account": "200", "tracking": "South"})

    assert open_values(rows, TWENTY, BOOKS, XERO) == ()


def test_an_unknown_account_is_open_as_account_or_as_item_by_platform():
    rows = rows_of({"account": "4000"})

    assert [each.slot for each in open_values(rows, Mapping(), BOOKS, XERO)] == [Slot.INCOME_ACCOUNT]
    assert [each.slot for each in open_values(rows, Mapping(), BOOKS, QBO)] == [Slot.ITEM]


def test_rates_that_charge_the_percentage_asked_about_come_first():
    twins = (*BOOKS.tax_rates, tax("ECOUTPUT", "20% (EC)", "20"), tax("A5", "5% A", "5"))
    books = ReferenceData(accounts=BOOKS.accounts, tax_rates=twins, fetched=BOOKS.fetched)
    person = Person()

    talk(person, books=books, rows=rows_of({"tax_rate": "5"}), source="f.csv")

    assert {each.percent for each in person.asked[-1].offers[:2]} == {"5"}
    assert person.asked[-1].best_left_open


def test_items_that_post_to_the_account_a_file_names_come_first():
    other = Item(RecordId("i-a"), "Another", None, "Active", "Service", True, SERVICES.id)
    books = ReferenceData(accounts=BOOKS.accounts, items=(other, *BOOKS.items), fetched=BOOKS.fetched)
    person = Person()

    talk(person, books=books, platform=QBO, rows=rows_of({"account": "200"}), source="f.csv")

    assert person.asked[-1].offers[0].target.id == "i-plan"
    assert not person.asked[-1].best_left_open


def test_the_record_whose_name_is_most_like_the_value_comes_first():
    person = Person()

    talk(person, rows=rows_of({"account": "consultng"}), source="f.csv")

    assert person.asked[-1].offers[0].target.id == SERVICES.id
    assert not person.asked[-1].best_left_open


def test_a_payment_method_is_asked_about_where_the_platform_has_methods():
    methods = (PaymentMethod(RecordId("m1"), "Card", "Unknown", "Active"),)
    fetched = {**BOOKS.fetched, DataType.PAYMENT_METHODS: NOW}
    books = ReferenceData(accounts=BOOKS.accounts, payment_methods=methods, fetched=fetched)

    found = open_values(rows_of({"method": "direct debit"}, {"method": "Card"}), Mapping(), books, QBO)

    assert [(each.slot, each.value) for each in found] == [(Slot.PAYMENT_METHOD, "direct debit")]


def test_rows_are_read_from_either_kind_of_file(tmp_path):
    invoices, payments = tmp_path / "i.csv", tmp_path / "p.csv"
    invoices.write_text(
        "invoice_number,customer,issue_date,currency,line_description,quantity,unit_price,tax_rate\n"
        "INV-1,Oak,2026-05-01,GBP,Plan,1,10.00,20\n",
        encoding="utf-8",
    )
    payments.write_text("payment_id,customer,date,amount,currency,method\nP-1,Oak,2026-05-02,12.00,GBP,card\n", "utf-8")

    assert read_rows(invoices)[0].cells["tax_rate"] == "20"
    assert read_rows(payments)[0].cells["method"] == "card"


@pytest.mark.parametrize("name", ["bank-account", "bank_account", "Bank-Account"])
def test_slots_are_named_with_hyphen_or_underscore(name):
    assert answers.slot_named(name) is Slot.BANK_ACCOUNT


def test_an_unknown_slot_names_the_nearest():
    with pytest.raises(answers.UnknownSlot) as caught:
        answers.slot_named("bank-acount")

    assert caught.value.code == "mapping.unknown-slot"
    assert caught.value.hint == "did you mean bank-account?"


@pytest.mark.parametrize("text", ["a-sales", "200", "Sales", "sales ", "200 Sales"])
def test_a_record_is_found_by_id_code_or_name(text):
    assert answers.find_target(Slot.INCOME_ACCOUNT, text, BOOKS, XERO) == target(SALES)


def test_a_record_that_cannot_answer_the_slot_is_refused_with_the_reason():
    with pytest.raises(answers.UnusableRecord) as caught:
        answers.find_target(Slot.BANK_ACCOUNT, "091", BOOKS, XERO)

    assert caught.value.code == "mapping.unusable-record"
    assert caught.value.message == "091 Old account (a-old) can't be the receiving bank account: archived"


def test_a_record_that_is_not_there_names_the_nearest():
    with pytest.raises(answers.NoSuchRecord) as caught:
        answers.find_target(Slot.INCOME_ACCOUNT, "Consultin", BOOKS, XERO)

    assert caught.value.code == "mapping.no-such-record"
    assert "nearest: 210 Consulting (a-serv)" in caught.value.message


def test_a_code_that_two_records_share_is_refused_with_both_ids():
    twin = account("a-twin", "Sales again", "200")
    books = ReferenceData(accounts=(SALES, twin))

    with pytest.raises(answers.AmbiguousRecord) as caught:
        answers.find_target(Slot.INCOME_ACCOUNT, "200", books, XERO)

    assert caught.value.code == "mapping.ambiguous-record"
    assert "a-sales" in caught.value.message
    assert "a-twin" in caught.value.message


def test_of_two_records_with_one_code_the_usable_one_is_meant():
    gone = account("a-gone", "Sales", "200", deleted=True)

    assert answers.find_target(Slot.INCOME_ACCOUNT, "200", ReferenceData(accounts=(gone, SALES)), XERO).id == SALES.id


def test_conditions_of_one_column_are_alternatives():
    assert answers.read_condition(["currency=EUR", "Currency=USD", "method=card"]) == (
        ("currency", ("EUR", "USD")),
        ("method", ("card",)),
    )


@pytest.mark.parametrize("text", ["tax_rate", "=20", "tax_rate=", ""])
def test_a_condition_without_column_or_value_is_refused(text):
    with pytest.raises(answers.BadCondition) as caught:
        answers.read_condition([text])

    assert caught.value.code == "mapping.bad-condition"


def test_setting_a_rule_again_replaces_it_where_it_stands_however_it_is_spelled():
    first = answers.set_answer(Mapping(), Slot.TAX_RATE, (("tax_rate", ("20",)),), Target(RecordId("a"), "A"))
    both = answers.set_answer(first, Slot.TAX_RATE, (("tax_rate", ("5",)),), Target(RecordId("b"), "B"))

    changed = answers.set_answer(both, Slot.TAX_RATE, (("Tax_Rate", ("20",)),), Target(RecordId("c"), "C"))

    assert [rule.target.id for rule in changed.slot(Slot.TAX_RATE).rules] == ["c", "b"]


def test_unsetting_takes_back_the_default_or_the_rule_and_nothing_else():
    rule = Rule((("currency", ("EUR",)),), target(SERVICES))
    mapping = Mapping({Slot.INCOME_ACCOUNT: SlotMapping(target(SALES), (rule,))})

    without_rule = answers.unset_answer(mapping, Slot.INCOME_ACCOUNT, (("Currency", ("eur",)),))
    without_default = answers.unset_answer(mapping, Slot.INCOME_ACCOUNT, ())

    assert without_rule.slot(Slot.INCOME_ACCOUNT) == SlotMapping(target(SALES))
    assert without_default.slot(Slot.INCOME_ACCOUNT) == SlotMapping(None, (rule,))


@pytest.mark.parametrize("condition", [(), (("currency", ("EUR",)),)])
def test_unsetting_what_is_not_set_is_refused(condition):
    with pytest.raises(answers.NoSuchAnswer) as caught:
        answers.unset_answer(Mapping(), Slot.TAX_RATE, condition)

    assert caught.value.code == "mapping.no-such-answer"


def test_limits_are_accepted_and_taken_back_by_name():
    accepted = answers.accept(Mapping(), ["invoices.issueDate", "payments.reference"])

    assert accepted.accepted == {"invoices.issueDate", "payments.reference"}
    assert answers.unaccept(accepted, ["payments.reference"]).accepted == {"invoices.issueDate"}


@pytest.mark.parametrize("name", ["issueDate", "invoice.issueDate", "invoices.", "invoices issueDate"])
def test_a_name_that_is_no_limit_is_refused(name):
    with pytest.raises(answers.BadFindingName) as caught:
        answers.accept(Mapping(), [name])

    assert caught.value.code == "mapping.bad-finding-name"


def test_taking_back_what_was_not_accepted_names_what_is():
    with pytest.raises(answers.BadFindingName, match=r"accepted: invoices\.note"):
        answers.unaccept(Mapping(accepted=frozenset({"invoices.note"})), ["invoices.issueDate"])


def test_checking_finds_what_is_missing_gone_and_renamed():
    renamed = Target(SALES.id, "Old name", "200")
    gone = Target(RecordId("nowhere"), "Gone")
    mapping = Mapping({Slot.INCOME_ACCOUNT: SlotMapping(renamed), Slot.TAX_RATE: SlotMapping(gone)})

    found = answers.check(mapping, BOOKS, XERO, now=NOW)

    assert [each.code for each in found] == ["mapping.missing", "mapping.renamed", "mapping.gone"]


def test_a_slot_with_rules_and_no_default_is_only_noted():
    rule = Rule((("currency", ("GBP",)),), target(BANK))
    mapping = Mapping(
        {
            Slot.BANK_ACCOUNT: SlotMapping(None, (rule,)),
            Slot.INCOME_ACCOUNT: SlotMapping(target(SALES)),
            Slot.TAX_RATE: SlotMapping(Target(RecordId("OUTPUT2"), "20% (VAT on Income)", "OUTPUT2")),
        }
    )

    (noted,) = answers.check(mapping, BOOKS, XERO, now=NOW)

    assert (noted.code, noted.severity) == ("mapping.no-default", Severity.NOTE)
    assert not answers.needs_attention([noted])


def test_checking_against_an_old_cache_says_so():
    mapping = Mapping(
        {
            Slot.BANK_ACCOUNT: SlotMapping(target(BANK)),
            Slot.INCOME_ACCOUNT: SlotMapping(target(SALES)),
            Slot.TAX_RATE: SlotMapping(Target(RecordId("OUTPUT2"), "20% (VAT on Income)", "OUTPUT2")),
        }
    )

    assert answers.check(mapping, BOOKS, XERO, now=NOW) == ()
    (stale,) = answers.check(mapping, BOOKS, XERO, now=NOW + dt.timedelta(hours=30))
    assert stale.code == "mapping.stale-cache"
    assert "30 hours ago" in stale.message
