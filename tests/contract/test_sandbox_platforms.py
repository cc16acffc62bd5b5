"""What the sandbox's platforms demand and show, compared with what Codat's own material says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from codat_ar_cli.sandbox.books import Books, Written
from codat_ar_cli.sandbox.platforms import ALL, PLATFORMS
from codat_ar_cli.sandbox.platforms.fields import Field
from codat_ar_cli.sandbox.platforms.platform import READ_TYPES
from codat_ar_cli.sandbox.seed import seed_books

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SAMPLES = {"xero": "xero", "quickbooks-online": "quickbooks-online-sandbox", "codat-sandbox": "sandbox"}
SCHEMAS = {
    "chartOfAccounts": "Account",
    "bankAccounts": "BankAccount",
    "trackingCategories": "TrackingCategory",
    "taxRates": "TaxRate",
    "customers": "Customer",
    "suppliers": "Supplier",
    "items": "Item",
    "invoices": "Invoice",
    "creditNotes": "CreditNote",
    "payments": "Payment",
    "paymentMethods": "PaymentMethod",
    "directCosts": "DirectCost",
    "directIncomes": "DirectIncome",
    "journalEntries": "JournalEntry",
    "transfers": "Transfer",
    "company": "CompanyDataset",
}
assert set(SCHEMAS) == set(READ_TYPES)


def demands(option: dict[str, Any], path: str = "") -> Iterator[tuple[str, tuple[str, bool, frozenset[str]]]]:
    """Flatten an options tree: path → (type, required, choices)."""
    choices = frozenset(choice["value"] for choice in option.get("options") or ())
    yield path, (option["type"], option["required"], choices)
    for name, inner in (option.get("properties") or {}).items():
        yield from demands(inner, f"{path}.{name}")


@pytest.mark.parametrize("slug", SAMPLES)
def test_a_platform_demands_what_the_published_options_demand(slug: str, shared: Path) -> None:
    folder = shared / "codat" / "platforms" / SAMPLES[slug]
    published = {path.name.partition(".")[0]: path for path in folder.glob("*.options.json")}
    assert published

    for data_type, path in published.items():
        ours = PLATFORMS[slug].options(data_type)
        assert ours is not None, data_type
        theirs = json.loads(path.read_text(encoding="utf-8"))
        assert dict(demands(ours)) == dict(demands(theirs)), data_type


@pytest.mark.parametrize("slug", ["xero", "quickbooks-online"])
def test_a_platform_keeps_the_published_lengths(slug: str, shared: Path) -> None:
    summary = json.loads((shared / "codat" / "platforms" / "requirements.json").read_text(encoding="utf-8"))

    for data_type, published in summary[SAMPLES[slug]].items():
        ours = dict(lengths(PLATFORMS[slug].trees[data_type]))
        for path, longest in published["maxLength"].items():
            # "less than 22 characters" is summarised as 22 in one place and kept as 21 here
            assert ours.get(path) in (longest, longest - 1), (data_type, path)


def lengths(tree: Field, path: str = "") -> Iterator[tuple[str, int | None]]:
    """Flatten a field tree: dotted path → longest text."""
    yield path, tree.longest
    for name, inner in (tree.fields or {}).items():
        yield from lengths(inner, f"{path}.{name}".lstrip("."))


@pytest.fixture(scope="session")
def schemas(shared: Path) -> dict[str, Any]:
    document = json.loads((shared / "codat" / "openapi" / "accounting-ar.json").read_text(encoding="utf-8"))
    components: dict[str, Any] = document["components"]
    turned: dict[str, Any] = _nullable(components)
    return turned


def _nullable(value: Any) -> Any:
    """Turn OpenAPI's `nullable` into JSON Schema's null type, which plain validators know."""
    if isinstance(value, list):
        return [_nullable(one) for one in value]
    if not isinstance(value, dict):
        return value
    turned = {name: _nullable(one) for name, one in value.items() if name not in ("nullable", "example", "examples")}
    return {"anyOf": [turned, {"type": "null"}]} if value.get("nullable") is True else turned


def validator(components: dict[str, Any], name: str) -> jsonschema_rs.Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    return jsonschema_rs.Draft7Validator(schema)


def plain(record: dict[str, Any]) -> Any:
    return json.loads(json.dumps(record, default=lambda value: float(value) if isinstance(value, Decimal) else value))


def assert_reads_are_valid(books: Books, components: dict[str, Any]) -> int:
    checked = 0
    for data_type, name in SCHEMAS.items():
        check = validator(components, name)
        for record in books.cached(data_type) or []:
            errors = [f"{error.instance_path}: {error.message}" for error in check.iter_errors(plain(record))]
            assert not errors, (data_type, record.get("id", name), errors)
            checked += 1
    return checked


@pytest.mark.parametrize("platform", ALL, ids=lambda platform: platform.slug)
def test_every_seeded_record_fits_codats_schemas(platform: Any, schemas: dict[str, Any]) -> None:
    books = seed_books(platform.key, seed=3, now=NOW)

    assert assert_reads_are_valid(books, schemas) > 300
    assert all(books.cached(name) for name in READ_TYPES if name not in platform.unreadable)


def test_records_written_and_synced_fit_codats_schemas(schemas: dict[str, Any]) -> None:
    books = seed_books("quickbooks-online", seed=3, now=NOW)
    customer = books.cached("customers")[0]["id"]  # type: ignore[index]
    written = books.create("invoices", _quickbooks_invoice(customer), NOW)
    assert isinstance(written, Written), written
    invoice = written.changes[0]["recordRef"]["id"]
    paid = books.create("payments", _payment(books, customer, invoice, Decimal("60.00")), NOW)
    assert isinstance(paid, Written), paid

    for data_type in ("payments", "invoices", "chartOfAccounts", "bankAccounts"):
        books.sync(data_type, NOW)

    shown = books.cached_record("invoices", invoice)
    assert shown is not None
    assert shown["paymentAllocations"]
    assert_reads_are_valid(books, schemas)


def test_the_schema_check_can_fail(schemas: dict[str, Any]) -> None:
    books = seed_books("xero", seed=3, now=NOW)
    record = plain(books.cached("invoices")[0])  # type: ignore[index]

    record["status"] = "PaidMaybe"

    assert list(validator(schemas, "Invoice").iter_errors(record))


@pytest.mark.parametrize("platform", ALL, ids=lambda platform: platform.slug)
def test_options_fit_the_schema_of_push_options(platform: Any, schemas: dict[str, Any]) -> None:
    check = validator(schemas, "PushOption")

    for data_type in platform.trees:
        assert not [error.message for error in check.iter_errors(platform.options(data_type))], data_type


@pytest.mark.parametrize("platform", ALL, ids=lambda platform: platform.slug)
def test_an_integration_fits_codats_platform_schema(platform: Any, shared: Path) -> None:
    document = json.loads((shared / "codat" / "openapi" / "platform.json").read_text(encoding="utf-8"))

    check = validator(_nullable(document["components"]), "Integration")

    assert not [error.message for error in check.iter_errors(platform.integration())]


def _quickbooks_invoice(customer: str) -> dict[str, Any]:
    line = {
        "description": "Consulting",
        "quantity": 2,
        "unitAmount": Decimal("50.00"),
        "itemRef": {"id": "1"},
        "taxRateRef": {"id": "20_Invoices"},
        "trackingCategoryRefs": [{"id": "CLASS_1"}],
    }
    return {
        "customerRef": {"id": customer},
        "dueDate": "2026-12-31",
        "issueDate": "2026-11-20",
        "currency": "GBP",
        "status": "Submitted",
        "lineItems": [line],
    }


def _payment(books: Books, customer: str, invoice: str, amount: Decimal) -> dict[str, Any]:
    bank = next(account["id"] for account in books.cached("chartOfAccounts") or [] if account["isBankAccount"])
    return {
        "customerRef": {"id": customer},
        "accountRef": {"id": bank},
        "totalAmount": amount,
        "currency": "GBP",
        "date": "2026-11-21",
        "lines": [{"amount": amount, "links": [{"type": "Invoice", "id": invoice, "amount": -amount}]}],
    }
