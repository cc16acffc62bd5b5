"""Bodies against the recorded push options of every platform, and against Codat's OpenAPI."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.limits import ACCEPTABLE, limits
from codat_ar_cli.domain.mapping import Mapping, Slot, SlotMapping, Target
from codat_ar_cli.domain.options import Preflight, parse_options
from codat_ar_cli.domain.plan import Disposition, plan_invoices, plan_payments
from codat_ar_cli.domain.platforms import PLATFORMS, rules_for
from codat_ar_cli.domain.types import DataType, PlatformKey, RecordId

FOLDERS = {
    "gbol": "xero",
    "qhyg": "quickbooks-online-sandbox",
    "ndsk": "quickbooks-online-sandbox",
    "pqsw": "quickbooks-desktop",
    "akxx": "netsuite",
    "knfz": "sage-intacct",
    "hbql": "sage-50-uk",
    "tgff": "sage-business-cloud",
    "fbrh": "freeagent",
    "vxvy": "freshbooks",
    "rwuv": "zoho-books",
    "mqjo": "sandbox",
}
"""Platforms with recorded options for invoices and payments; MYOB takes Australian dollars only."""


def accepted(option, key: str, data_type: DataType, mapping: Mapping) -> Mapping:
    names = {limit.name for limit in limits(option, rules_for(PlatformKey(key)), data_type)}
    return Mapping(mapping.slots, frozenset(names))


def test_every_recorded_options_file_is_read_without_loss(shared: Path):
    paths = sorted((shared / "codat" / "platforms").glob("*/*.options.json"))
    assert len(paths) == 124
    for path in paths:
        raw = json.loads(path.read_text(encoding="utf-8"))
        option = parse_options(raw)
        assert set(option.properties) == set(raw["properties"]), path
        assert option.required == raw["required"]


def test_lengths_agree_with_the_recorded_summary_for_what_we_push(shared: Path, sample_options):
    summary = json.loads((shared / "codat" / "platforms" / "requirements.json").read_text(encoding="utf-8"))
    compared = 0
    for platform, types in summary.items():
        for data_type in ("invoices", "payments"):
            for path, length in types.get(data_type, {}).get("maxLength", {}).items():
                found = parse_options(sample_options(platform, data_type)).at(path)
                assert found is not None
                assert found.max_length in {length, length - 1}, (platform, path)
                compared += 1
    assert compared > 10


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_an_invoice_passes_the_platforms_own_options(
    key, context, drafted, invoice, line, books, mapping, sample_options
):
    option = parse_options(sample_options(FOLDERS[key], "invoices"))
    books = replace(books, tracking_categories=tuple(_with_location(books.tracking_categories)))
    located = Mapping({**mapping.slots, Slot.TRACKING: SlotMapping(Target(RecordId("location-1"), "London"))})
    answers = accepted(option, key, DataType.INVOICES, located)
    made = context(key, DataType.INVOICES, options=option, mapping=answers, reference=books)
    (document,) = plan_invoices(drafted(invoice(lines=(line(),))), made).documents
    assert document.holds == ()
    assert document.disposition is Disposition.SEND
    text = document.body or ""
    body = jsontext.loads(text)
    assert "INV-1" in text
    rules = rules_for(PlatformKey(key))
    assert (
        Preflight(
            option,
            enforce_required=rules.enforces_required,
            also_offered=rules.paths(rules.also_offered, DataType.INVOICES),
            not_required=rules.paths(rules.not_required, DataType.INVOICES),
        ).problems(body)
        == []
    )


def _with_location(categories):
    yield from categories
    yield replace(categories[1], id=RecordId("location-1"), name="London")


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_a_payment_passes_the_platforms_own_options(
    key, context, drafted, payment, books, mapping, sample_options, index, open_invoice
):
    option = parse_options(sample_options(FOLDERS[key], "payments"))
    answers = accepted(option, key, DataType.PAYMENTS, mapping)
    method = replace(books.payment_methods[0], id=RecordId("5"))
    made = context(
        key, DataType.PAYMENTS, options=option, mapping=answers, reference=replace(books, payment_methods=(method,))
    )
    books_invoices = index(open_invoice("77", "INV-1", "120.00"), key=key)
    draft = payment("PMT-1", "120.00", "INV-1", method="bank transfer")
    (document,) = plan_payments(drafted(draft), made, books_invoices).documents
    assert document.holds == ()
    body = jsontext.loads(document.body or "")
    links = [link for each in body["lines"] for link in each["links"]]
    assert links == [{"type": "Invoice", "id": "77", "amount": Decimal("-120.00")}]


@pytest.mark.parametrize("key", ["gbol", "pdvj", "fbrh", "knfz", "unknown"])
def test_platforms_without_payments_on_account_say_so(key):
    assert not rules_for(PlatformKey(key)).offers_on_account()


def test_rules_exist_for_every_platform_key_of_the_reference():
    keys = "trji rqwd qudb pbbf fbrh vxvy pdvj akxx pqsw qhyg ndsk jcrp hbql tgff knfz mqjo pbtz rvam gbol rwuv"
    assert set(PLATFORMS) == set(keys.split())


def property_names(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Give the properties of a schema of the OpenAPI, its references and allOf parts joined."""
    if "$ref" in schema:
        return property_names(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    found: dict[str, Any] = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found.update(property_names(part, schemas))
    if "items" in schema:
        found.update(property_names(schema["items"], schemas))
    return found


def unknown_names(body: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str = "") -> Iterator[str]:
    """Walk a body beside its schema; give what the schema has no name for."""
    for element in body if isinstance(body, list) else [body]:
        if not isinstance(element, dict):
            continue
        known = property_names(schema, schemas)
        for name, value in element.items():
            if name not in known:
                yield f"{where}.{name}"
            else:
                yield from unknown_names(value, known[name], schemas, f"{where}.{name}")


@pytest.fixture(scope="session")
def schemas(shared: Path) -> dict[str, Any]:
    text = (shared / "codat" / "openapi" / "accounting-ar.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["components"]["schemas"]
    return found


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_bodies_use_only_names_of_codats_own_model(
    key, context, drafted, invoice, line, payment, mapping, sample_options, schemas, index, open_invoice
):
    options = {each: parse_options(sample_options(FOLDERS[key], each)) for each in ("invoices", "payments")}
    bodies = []
    answers = accepted(options["invoices"], key, DataType.INVOICES, mapping)
    made = context(key, DataType.INVOICES, options=options["invoices"], mapping=answers)
    draft = invoice("INV-1", reference="PO-1", note="Thanks", lines=(line(tracking=("South",)),))
    planner = plan_invoices(drafted(draft), made)
    bodies += [("Invoice", document.body or "") for document in planner.to_send]
    answers = accepted(options["payments"], key, DataType.PAYMENTS, mapping)
    made = context(key, DataType.PAYMENTS, options=options["payments"], mapping=answers)
    books_invoices = index(open_invoice("77", "INV-1", "120.00"), key=key)
    planned = plan_payments(drafted(payment("PMT-1", "120.00", "INV-1")), made, books_invoices)
    bodies += [("Payment", document.body or "") for document in planned.to_send]
    if key in {"gbol", "qhyg", "mqjo"}:
        assert len(bodies) == 2
    for name, text in bodies:
        assert list(unknown_names(jsontext.loads(text), {"$ref": f"#/{name}"}, schemas)) == []


def test_the_walk_beside_the_schema_notices_a_wrong_name(schemas):
    body = {"lineItems": [{"unitAmount": 1, "unitPrice": 1}], "number": "x"}
    assert list(unknown_names(body, {"$ref": "#/Invoice"}, schemas)) == [".lineItems.unitPrice", ".number"]


def test_what_quickbooks_online_leaves_no_place_for_is_listed(sample_options):
    option = parse_options(sample_options("quickbooks-online-sandbox", "invoices"))
    found = {limit.name for limit in limits(option, rules_for(PlatformKey("qhyg")), DataType.INVOICES)}
    assert found == {"invoices.invoiceNumber", "invoices.issueDate"}
    payments = parse_options(sample_options("quickbooks-online-sandbox", "payments"))
    names = {limit.name for limit in limits(payments, rules_for(PlatformKey("qhyg")), DataType.PAYMENTS)}
    assert names == {"payments.currencyRate"}


@pytest.mark.parametrize("key", sorted(FOLDERS))
def test_every_limit_has_a_name_that_can_be_accepted(key, sample_options):
    for data_type in (DataType.INVOICES, DataType.PAYMENTS):
        option = parse_options(sample_options(FOLDERS[key], data_type.value))
        assert {limit.name for limit in limits(option, rules_for(PlatformKey(key)), data_type)} <= ACCEPTABLE
