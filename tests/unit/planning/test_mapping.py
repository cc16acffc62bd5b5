"""Candidates for a slot, what a row resolves to, and the wizard as a function."""

from dataclasses import replace
from decimal import Decimal

import pytest

from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.mapping import (
    Mapping,
    Problem,
    Rule,
    Slot,
    SlotMapping,
    Target,
    candidates,
    check_mapping,
    next_question,
    resolve,
    slots_for,
    suggest,
    with_default,
    with_rule,
)
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import Currency, PlatformKey, RecordId, TaxRate

XERO, QBO = rules_for(PlatformKey("gbol")), rules_for(PlatformKey("qhyg"))


def usable(found):
    return [each.target.id for each in found if each.excluded is None]


def excluded(found):
    return {each.target.id: each.excluded for each in found if each.excluded is not None}


def test_bank_accounts_are_gl_accounts_that_take_payments_best_first(books):
    found = candidates(Slot.BANK_ACCOUNT, books, XERO)
    assert usable(found) == ["acc-bank", "acc-card", "acc-euro"]
    assert found[0].details == "Barclays 20-00-00 12345678"
    assert "GBP" in found[0].reason
    assert excluded(found)["acc-old"] == "archived"
    assert "not a bank account" in excluded(found)["acc-sales"]


def test_an_account_in_a_third_currency_is_excluded_for_a_payment_in_another(books):
    found = candidates(Slot.BANK_ACCOUNT, books, XERO, currency=Currency("USD"))
    assert "in EUR" in excluded(found)["acc-euro"]


def test_income_accounts_exclude_other_types_and_what_links_forbid(books):
    linked = tuple(
        replace(each, valid_links=("BillLineItem.AccountRef.Id",)) if each.id == "acc-other" else each
        for each in books.accounts
    )
    found = candidates(Slot.INCOME_ACCOUNT, replace(books, accounts=linked), XERO)
    assert usable(found)[0] == "acc-sales"
    assert "links" in excluded(found)["acc-other"]
    assert excluded(found)["acc-gone"] == "archived"
    assert excluded(found)["acc-fees"] == "of type Expense, not Income"
    assert excluded(found)["acc-bank"] is not None


def test_empty_links_mean_no_information_not_nowhere(books):
    assert "acc-other" in usable(candidates(Slot.INCOME_ACCOUNT, books, XERO))


def test_quickbooks_online_offers_only_the_invoice_version_of_a_tax_rate(books):
    def rate(id, links=()):
        return TaxRate(RecordId(id), id, None, "Active", Decimal(20), links)

    twins = replace(
        books,
        tax_rates=(
            rate("5_Bills"),
            rate("5_Invoices"),
            rate("6_Bills", ("Bill.LineItems.TaxRateRef.Id",)),
            rate("TAX"),
        ),
    )
    found = candidates(Slot.TAX_RATE, twins, QBO)
    assert sorted(usable(found)) == ["5_Invoices", "TAX"]


def test_headings_are_excluded_from_tracking(books):
    found = candidates(Slot.TRACKING, books, XERO)
    assert sorted(usable(found)) == ["dep-x", "reg-n", "reg-s"]
    assert "heading" in excluded(found)["reg"]


def test_items_that_are_not_sold_are_excluded(books):
    found = candidates(Slot.ITEM, books, QBO)
    assert usable(found)[0] == "item-1"
    assert "posting to Sales" in found[0].reason
    assert "item-3" in excluded(found)


def answer(books, slot, mapping, stated=None, platform=XERO, **cells):
    return resolve(slot, mapping, cells, stated=stated, reference=books, platform=platform)


def test_the_first_matching_rule_wins_then_the_cell_then_the_default(books, mapping):
    shop = Target(RecordId("acc-shop"), "Shop")
    other = Target(RecordId("acc-other"), "Other revenue")
    rules = (Rule((("Country", ("DE", "AT")), ("sku", ("a",))), shop), Rule((("country", ("de",)),), other))
    ruled = Mapping({Slot.INCOME_ACCOUNT: SlotMapping(mapping.slot(Slot.INCOME_ACCOUNT).default, rules)})
    assert answer(books, Slot.INCOME_ACCOUNT, ruled, COUNTRY=" at ", SKU="A") == shop
    assert answer(books, Slot.INCOME_ACCOUNT, ruled, stated="4000", country="De") == other
    assert answer(books, Slot.INCOME_ACCOUNT, ruled, stated="4000").id == "acc-shop"
    assert answer(books, Slot.INCOME_ACCOUNT, ruled).id == "acc-sales"


@pytest.mark.parametrize("said", ["acc-shop", "4000", " SHOP "])
def test_a_cell_may_name_a_record_by_id_code_or_name(books, mapping, said):
    assert answer(books, Slot.INCOME_ACCOUNT, mapping, stated=said).id == "acc-shop"


def test_a_code_that_two_records_share_is_never_guessed(books, mapping):
    twins = tuple(replace(each, nominal_code="200") if each.id == "acc-other" else each for each in books.accounts)
    found = answer(replace(books, accounts=twins), Slot.INCOME_ACCOUNT, mapping, stated="200")
    assert isinstance(found, Problem)
    assert "acc-other" in found.message
    assert "acc-sales" in found.message


def test_a_percentage_takes_the_default_only_if_that_charges_it(books, mapping):
    assert answer(books, Slot.TAX_RATE, mapping, stated="20.0%", tax_rate="20.0%").id == "OUTPUT2"
    assert isinstance(answer(books, Slot.TAX_RATE, mapping, stated="5"), Problem)


def test_a_percentage_is_not_mistaken_for_an_id(books, mapping):
    odd = replace(books, tax_rates=(*books.tax_rates, TaxRate(RecordId("5"), "Code five", None, "Active", Decimal(20))))
    assert isinstance(answer(odd, Slot.TAX_RATE, mapping, stated="5"), Problem)
    assert answer(odd, Slot.TAX_RATE, mapping, stated="code five").id == "5"


def test_a_slot_without_any_answer_says_how_to_give_one(books):
    found = answer(books, Slot.INCOME_ACCOUNT, Mapping())
    assert isinstance(found, Problem)
    assert found.hint == "codat-ar map set income-account ID"


def test_what_became_of_a_mapped_record_is_told_apart(books, mapping):
    def changed(**more):
        accounts = tuple(replace(each, **more) if each.id == "acc-sales" else each for each in books.accounts)
        found = check_mapping(mapping, replace(books, accounts=accounts), XERO)
        return [(each.code, each.severity) for each in found]

    assert changed() == []
    assert changed(status="Archived") == [("mapping.archived", Severity.ERROR)]
    assert changed(is_deleted=True) == [("mapping.deleted", Severity.ERROR)]
    assert changed(type="Expense") == [("mapping.not-valid", Severity.ERROR)]
    assert changed(name="Turnover") == [("mapping.renamed", Severity.WARNING)]
    assert changed(id=RecordId("new")) == [("mapping.gone", Severity.ERROR)]


def test_a_mapping_that_cannot_be_checked_says_so(books, mapping):
    empty = replace(books, accounts=(), fetched={})
    assert {each.code for each in check_mapping(mapping, empty, XERO)} == {"mapping.not-fetched"}


def test_item_platforms_ask_for_an_item_and_others_for_an_account(books):
    assert slots_for(XERO, books)[:3] == (Slot.BANK_ACCOUNT, Slot.INCOME_ACCOUNT, Slot.TAX_RATE)
    assert slots_for(QBO, books)[:3] == (Slot.BANK_ACCOUNT, Slot.ITEM, Slot.TAX_RATE)


def test_the_wizard_asks_each_open_slot_once_and_then_stops(books):
    mapping = Mapping()
    asked: list[Slot] = []
    while question := next_question(mapping, books, XERO, asked=asked):
        asked.append(question.slot)
        mapping = with_default(mapping, question.slot, question.candidates[0].target)
    assert tuple(asked) == slots_for(XERO, books)
    assert next_question(mapping, books, XERO) is None
    again = next_question(mapping, books, XERO, revisit=True)
    assert again is not None
    assert again.current == Target(RecordId("acc-bank"), "Current account", "090")


def test_the_wizard_comes_back_to_an_answer_that_no_longer_holds(books, mapping):
    stale = with_default(mapping, Slot.BANK_ACCOUNT, Target(RecordId("acc-old"), "Old bank"))
    question = next_question(stale, books, XERO)
    assert question is not None
    assert question.slot is Slot.BANK_ACCOUNT
    assert question.problem is not None
    assert question.problem.code == "mapping.archived"


def test_suggestions_take_only_what_has_one_good_answer_and_name_the_rest(books):
    found = suggest(Mapping(), books, XERO)
    assert found.defaults[Slot.FEE_ACCOUNT].target.id == "acc-fees"
    assert found.defaults[Slot.FEE_SUPPLIER].target.id == "sup-1"
    assert Slot.TAX_RATE in found.undecided
    assert len(found.undecided[Slot.TAX_RATE]) > 1
    assert Slot.TRACKING in found.undecided


def test_suggestions_add_a_rule_for_a_percentage_that_one_rate_charges(books, mapping):
    rows = [{"tax_rate": "20"}, {"tax_rate": "5"}, {"tax_rate": "0"}, {"tax_rate": "17.5"}]
    found = suggest(mapping, books, XERO, rows)
    assert [(slot, rule.when, rule.target.id) for slot, rule, _ in found.rules] == [
        (Slot.TAX_RATE, (("tax_rate", ("5",)),), "REDUCED")
    ]
    applied = found.applied_to(mapping)
    assert answer(books, Slot.TAX_RATE, applied, stated="5", tax_rate="5").id == "REDUCED"


def test_a_rule_with_the_same_condition_is_replaced_in_place(mapping):
    first = Rule((("sku", ("a",)),), Target(RecordId("1"), "One"))
    second = replace(first, target=Target(RecordId("2"), "Two"))
    once = with_rule(with_rule(Mapping(), Slot.ITEM, first), Slot.ITEM, second)
    assert once.slot(Slot.ITEM).rules == (second,)
