import datetime as dt
from decimal import Decimal

import pytest

from codat_ar_cli.domain.fetched import Change, FetchOutcome, FetchReport, FetchStatus, RecordChange
from codat_ar_cli.domain.types import (
    Account,
    BankAccount,
    CompanyId,
    CompanyInfo,
    ConnectionId,
    Currency,
    Customer,
    DataType,
    Item,
    PaymentMethod,
    RecordId,
    ReferenceData,
    Supplier,
    TaxRate,
    TrackingCategory,
)
from codat_ar_cli.errors import CodatArError
from codat_ar_cli.reports import views
from codat_ar_cli.reports.render import render_terminal, to_json

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
GBP = Currency("GBP")


def category(identifier, name, parent=None, has_children=False):
    return TrackingCategory(RecordId(identifier), name, "Active", RecordId(parent) if parent else None, has_children)


REFERENCE = ReferenceData(
    company_info=CompanyInfo("Acorn Ltd", GBP, dt.date(2025, 12, 31)),
    accounts=(Account(RecordId("a-200"), "Sales", "200", "Income", "Active", GBP, is_bank_account=False),),
    bank_accounts=(
        BankAccount(
            RecordId("b-1"), "Current", "090", "12345678", "010203", None, GBP, Decimal("10.5"), "Bank", "Active"
        ),
    ),
    tracking_categories=(category("R", "Region", has_children=True), category("S", "South", parent="R")),
    tax_rates=(TaxRate(RecordId("OUTPUT2"), "20% (VAT on Income)", "OUTPUT2", "Active", Decimal("20.000")),),
    customers=(Customer(RecordId("c"), "Oak", "ap@oak.example", None, GBP, "Active"),),
    suppliers=(Supplier(RecordId("s"), "Stripe", "Active", is_deleted=True),),
    items=(Item(RecordId("i"), "Plan", "PLAN", "Active", "Service", True, RecordId("a-200")),),
    payment_methods=(PaymentMethod(RecordId("m"), "Card", "CreditCard", "Active"),),
)


def report_of(*outcomes):
    return FetchReport(CompanyId("c"), ConnectionId("n"), NOW, outcomes)


def fetched(data_type, **more):
    return FetchOutcome(data_type, FetchStatus.FETCHED, records=1, fetched_at=NOW, **more)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7300, "2 h ago"),
        (86400, "1 day ago"),
        (300000, "3 days ago"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(seconds, words):
    assert views.ago(NOW - dt.timedelta(seconds=seconds), NOW) == words


def test_an_age_of_nothing_is_never():
    assert views.ago(None, NOW) == "never"


@pytest.mark.parametrize(
    ("data_type", "words"),
    [
        (DataType.COMPANY_INFO, ["Acorn Ltd", "GBP", "2025-12-31"]),
        (DataType.ACCOUNTS, ["200", "Sales", "Income"]),
        (DataType.BANK_ACCOUNTS, ["090", "010203 12345678", "10.50 GBP"]),
        (DataType.TAX_RATES, ["OUTPUT2", "20 %"]),
        (DataType.TRACKING_CATEGORIES, ["Region", "heading", "South"]),
        (DataType.ITEMS, ["PLAN", "Service", "Sales"]),
        (DataType.PAYMENT_METHODS, ["Card", "CreditCard"]),
        (DataType.CUSTOMERS, ["Oak", "ap@oak.example"]),
        (DataType.SUPPLIERS, ["Stripe", "Deleted"]),
    ],
)
def test_each_type_is_shown_with_what_people_know_it_by(data_type, words):
    text = render_terminal(views.fetch(report_of(fetched(data_type)), reference=REFERENCE))

    for word in words:
        assert word in text


def test_without_records_only_counts_and_ages_are_shown():
    text = render_terminal(views.fetch(report_of(fetched(DataType.ACCOUNTS, dataset_at=NOW - dt.timedelta(hours=3)))))

    assert "just now" in text
    assert "3 h ago" in text
    assert "Sales" not in text


def test_a_failure_says_what_is_kept_and_what_to_do():
    error = CodatArError("it broke", hint="codat-ar fetch items")
    outcome = FetchOutcome(DataType.ITEMS, FetchStatus.FAILED, 4, NOW - dt.timedelta(days=2), error=error)

    text = render_terminal(views.fetch(report_of(outcome)))

    assert "failed; kept: 2 days ago" in text
    assert "items: it broke\n  codat-ar fetch items" in text


def test_what_the_platform_lacks_is_said():
    outcome = FetchOutcome(DataType.PAYMENT_METHODS, FetchStatus.NOT_SUPPORTED)

    assert "not on this platform" in render_terminal(views.fetch(report_of(outcome)))


def test_changes_are_told_by_kind():
    renamed = RecordChange(Change.RENAMED, "1", "201 Sales UK", was="200 Sales")

    report = views.fetch(report_of(fetched(DataType.ACCOUNTS, changes=(renamed,))))

    assert to_json(report)["tables"]["changes"] == [
        {"type": "chartOfAccounts", "change": "renamed", "name": "201 Sales UK", "detail": "was 200 Sales", "id": "1"}
    ]


def test_no_changes_are_said_when_they_were_asked_for():
    text = render_terminal(views.fetch(report_of(fetched(DataType.ACCOUNTS, changes=()))))

    assert "Nothing has changed" in text


def test_a_tree_puts_children_under_their_parent_whatever_the_order():
    child, top, orphan = category("S", "South", "R"), category("R", "Region"), category("D", "Dept", "DEPARTMENTS")

    assert [(depth, each.id) for depth, each in views.tree([child, orphan, top])] == [(0, "D"), (0, "R"), (1, "S")]


def test_a_tree_that_bites_its_tail_still_ends():
    assert len(views.tree([category("A", "A", "B"), category("B", "B", "A")])) == 2
