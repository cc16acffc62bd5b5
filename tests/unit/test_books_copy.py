"""Codat's copy of the sandbox's books: what reads show between syncs, and how books are stored."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from codat_ar_cli.sandbox.books import Books, Refused, Written
from codat_ar_cli.sandbox.jsonexact import dumps, loads
from codat_ar_cli.sandbox.seed import books_from_file, platform_named, seed_books

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def books() -> Books:
    return seed_books("quickbooks-online", seed=1, now=NOW)


def create(books: Books, data_type: str, body: dict[str, Any]) -> str:
    outcome = books.create(data_type, body, NOW)
    assert isinstance(outcome, Written), outcome
    return str(outcome.changes[0]["recordRef"]["id"])


def test_a_write_is_not_read_before_a_sync_of_its_type(books: Books) -> None:
    created = create(books, "customers", {"customerName": "Fresh Start Ltd", "status": "Active"})
    assert books.cached_record("customers", created) is None

    books.sync("suppliers", LATER)
    assert books.cached_record("customers", created) is None

    books.sync("customers", LATER)
    shown = books.cached_record("customers", created)
    assert shown is not None
    assert shown["modifiedDate"] == "2026-11-23T09:30:00.000000Z"
    assert shown["metadata"] == {"isDeleted": False}


def test_a_sync_moves_modified_dates_only_where_something_changed(books: Books) -> None:
    before = books.cached("invoices")

    books.sync("invoices", LATER)

    assert books.cached("invoices") == before
    assert books.synced_at["invoices"] == LATER


def test_a_type_never_synced_has_no_copy_and_leaves_names_empty() -> None:
    seeded = seed_books("quickbooks-online", seed=1, now=NOW)
    live = (entry for entry in seeded.entries() if not entry.section.startswith("cache."))
    books = Books.from_entries(live)
    books.package.state.head["synced"].clear()

    assert books.cached("invoices") is None
    warnings = books.sync("invoices", NOW)
    first = (books.cached("invoices") or [])[0]

    assert first["customerRef"]["companyName"] is None
    assert "name" not in first["lineItems"][0]["accountRef"]
    assert "customers" in warnings[0]["message"]
    assert {"ruleId", "itemId", "message", "validatorName"} == set(warnings[0])

    for data_type in (
        "customers",
        "chartOfAccounts",
        "items",
        "taxRates",
        "trackingCategories",
        "payments",
        "invoices",
    ):
        warnings = books.sync(data_type, LATER)
    assert warnings == []
    assert (books.cached("invoices") or [])[0]["customerRef"]["companyName"]


def test_a_renamed_customer_is_renamed_on_documents_at_their_next_sync(books: Books) -> None:
    invoice = (books.cached("invoices") or [])[0]
    customer = invoice["customerRef"]["id"]
    body = {"customerName": "Renamed Ltd", "status": "Active"}
    assert isinstance(books.update("customers", customer, body, LATER, force=False), Written)

    books.sync("customers", LATER)
    books.sync("invoices", LATER)

    again = books.cached_record("invoices", invoice["id"])
    assert again is not None
    assert again["customerRef"]["companyName"] == "Renamed Ltd"


def test_names_are_unique_on_quickbooks(books: Books) -> None:
    taken = books.create("customers", {"customerName": "acorn bakery ltd ", "status": "Active"}, NOW)

    assert isinstance(taken, Refused)
    assert "already in use" in taken.errors[0]["message"]


def test_a_xero_contact_is_a_customer_and_a_supplier() -> None:
    books = seed_books("xero", seed=1, now=NOW, invoices=0)

    created = create(books, "suppliers", {"supplierName": "Both Ways Ltd"})

    mirrored = books.live_record("customers", created)
    assert mirrored is not None
    assert mirrored["customerName"] == "Both Ways Ltd"


def test_every_seeded_sample_customer_is_there_by_name(books: Books) -> None:
    names = {customer["customerName"] for customer in books.cached("customers") or []}

    assert {"Schröder & Grüber GmbH", "O'Brien, Dunne & Co", 'Castleton "The Mill" Hotels plc'} <= names
    assert len(names) == len(books.cached("customers") or [])


def test_the_same_seed_gives_the_same_books_and_another_seed_others() -> None:
    first, again, other = (seed_books("xero", seed=seed, now=NOW).dump() for seed in (5, 5, 6))

    assert dumps(first) == dumps(again)
    assert dumps(first) != dumps(other)


@pytest.mark.parametrize("key", ["gbol", "qhyg", "mqjo"])
def test_seeded_history_has_every_status_and_balances(key: str) -> None:
    books = seed_books(key, seed=1, now=NOW)

    statuses = {invoice["status"] for invoice in books.cached("invoices") or []}
    balances = [entry.value for entry in books.entries() if entry.section == "balance"]

    assert {"Submitted", "PartiallyPaid", "Paid", "Void"} <= statuses
    assert ("Draft" in statuses) is (key != "qhyg")
    assert sum(base for base, _ in balances) == 0
    links = [link["type"] for p in books.cached("payments") or [] for line in p["lines"] for link in line["links"]]
    assert ("PaymentOnAccount" in links) is (key != "gbol")


def test_books_survive_being_stored_and_read_back(books: Books) -> None:
    text = dumps(books.dump())

    again = Books.load(loads(text))

    assert dumps(again.dump()) == text
    assert again.take_dirty() == []
    assert again.sync("invoices", LATER) == []
    assert again.cached("invoices") == books.cached("invoices")


def test_changed_rows_alone_rebuild_the_books(books: Books) -> None:
    stored = {(entry.section, entry.key): entry.value for entry in books.entries()}
    books.take_dirty()
    invoice = next(record for record in books.cached("invoices") or [] if record["status"] == "Submitted")
    books.delete("invoices", invoice["id"], LATER)
    create(books, "customers", {"customerName": "Fresh Start Ltd", "status": "Active"})
    for data_type in ("invoices", "customers", "chartOfAccounts"):
        books.sync(data_type, LATER)

    for entry in books.take_dirty():
        stored[entry.section, entry.key] = loads(dumps(entry.value))
    rows = [(section, key, value) for (section, key), value in stored.items() if value is not None]

    assert dumps(sorted(rows)) == dumps(sorted((s, k, v) for s, k, v in books.entries()))
    assert books.take_dirty() == []


def test_aged_debtors_adds_up_to_what_is_due(books: Books) -> None:
    report = books.aged_debtors(date(2026, 3, 31), 4, 30, NOW)

    aged = sum(
        bucket["amount"]
        for debtor in report["data"]
        for currency in debtor["agedCurrencyOutstanding"]
        for bucket in currency["agedOutstandingAmounts"]
    )
    open_invoices = [one for one in books.cached("invoices") or [] if one["status"] not in ("Void", "Draft")]
    credits = sum(one["remainingCredit"] for one in books.cached("creditNotes") or [])
    on_account = Decimal(300)
    assert aged == sum(one["amountDue"] for one in open_invoices) - credits - on_account
    buckets = report["data"][0]["agedCurrencyOutstanding"][0]["agedOutstandingAmounts"]
    assert [bucket["toDate"][:10] for bucket in buckets] == ["2026-03-31", "2026-03-01", "2026-01-30", "2025-12-31"]
    assert buckets[-1]["fromDate"] == "0001-01-01T00:00:00"


def test_attachments_need_no_sync_and_keep_their_bytes(books: Books) -> None:
    invoice = (books.cached("invoices") or [])[0]["id"]

    outcome = books.attach("invoices", invoice, "po.pdf", "application/pdf", b"%PDF-1.7", NOW)

    assert isinstance(outcome, Written)
    attachment = outcome.changes[0]["attachmentId"]
    assert [one["name"] for one in books.attachments("invoices", invoice)] == ["po.pdf"]
    found = Books.load(loads(dumps(books.dump()))).attachment_bytes("invoices", invoice, attachment)
    assert found is not None
    assert found[1] == b"%PDF-1.7"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [("run.exe", "application/x-msdownload", "type `exe`"), ("a.pdf", "application/octet-stream", "real content type")],
)
def test_files_the_platform_does_not_take_are_refused(books: Books, name: str, kind: str, reason: str) -> None:
    outcome = books.attach("invoices", (books.cached("invoices") or [])[0]["id"], name, kind, b"x", NOW)

    assert isinstance(outcome, Refused)
    assert reason in outcome.errors[0]["message"]


def test_a_tracking_category_reads_as_a_tree() -> None:
    books = seed_books("xero", seed=1, now=NOW, invoices=0)
    regions = next(one for one in books.cached("trackingCategories") or [] if one["name"] == "Regions")

    tree = books.tracking_tree(regions["id"])

    assert tree is not None
    assert [one["name"] for one in tree["subCategories"]] == ["North", "South", "East"]


def test_books_come_from_a_file_of_ones_own_records() -> None:
    line = {"quantity": 1, "unitAmount": Decimal("80"), "accountRef": {"id": "acc-1"}}
    customer = {"id": "c-1", "customerName": "Mine Ltd", "status": "Active", "defaultCurrency": "GBP"}
    account = {
        "id": "acc-1",
        "name": "My sales",
        "type": "Income",
        "status": "Active",
        "isBankAccount": False,
        "fullyQualifiedCategory": "Income.Sales",
        "validDatatypeLinks": [],
    }
    invoice = {
        "id": "i-1",
        "invoiceNumber": "MY-1",
        "customerRef": {"id": "c-1"},
        "issueDate": "2026-10-01",
        "currency": "GBP",
        "lineItems": [line],
    }
    link = {"type": "Invoice", "id": "i-1", "amount": Decimal("-30")}
    payment = {
        "id": "p-1",
        "customerRef": {"id": "c-1"},
        "date": "2026-10-20T00:00:00",
        "totalAmount": Decimal("30"),
        "lines": [{"amount": Decimal("30"), "links": [link]}],
    }
    records = {
        "customers": [customer],
        "chartOfAccounts": [account],
        "invoices": [invoice],
        "payments": [payment],
    }

    books = books_from_file({"platform": "codat-sandbox", "company": {"name": "Mine"}, "records": records}, NOW)

    shown = books.cached_record("invoices", "i-1")
    assert shown is not None
    assert (shown["amountDue"], shown["status"]) == (50, "PartiallyPaid")
    assert books.company["name"] == "Mine"
    assert [one["customerName"] for one in books.cached("customers") or []] == ["Mine Ltd"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"platform": "sage-9000"}, "is unknown; known:"),
        ({"platform": "xero", "records": {"unicorns": []}}, "unknown data types: unicorns"),
        ({"platform": "xero", "records": {"customers": [{"customerName": "No id"}]}}, "has no id"),
    ],
)
def test_a_seed_file_that_makes_no_sense_is_named(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        books_from_file(data, NOW)


def test_platforms_are_found_by_key_and_by_name() -> None:
    assert platform_named("Xero") is platform_named("gbol")


@pytest.mark.full
def test_books_for_load_tests_are_whole_too() -> None:
    books = seed_books("quickbooks-online", seed=1, now=NOW, customers=10_000, invoices=50_000)

    assert len(books.cached("customers") or []) == 10_000
    assert len(books.cached("invoices") or []) == 50_000
    assert len({customer["customerName"] for customer in books.live("customers")}) == 10_000
    assert sum(entry.value[0] for entry in books.entries() if entry.section == "balance") == 0
