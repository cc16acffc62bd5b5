"""Codat's query language and ordering, as the sandbox reads them."""

from decimal import Decimal
from typing import Any

import pytest

from codat_ar_cli.sandbox.answers import ApiError
from codat_ar_cli.sandbox.models import BY_TYPE, DATASET
from codat_ar_cli.sandbox.query import AnyTag, parse_order, parse_query

INVOICES = BY_TYPE["invoices"].model
PAID = {
    "id": "1",
    "invoiceNumber": "INV-1",
    "totalAmount": Decimal("100.00"),
    "status": "Paid",
    "issueDate": "2026-02-01T00:00:00",
    "customerRef": {"id": "a b", "companyName": "Toft Stores"},
    "metadata": {"isDeleted": None},
    "currencyRate": None,
}


def passes(query: str, record: dict[str, Any] = PAID) -> bool:
    return parse_query(query, INVOICES)(record)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("totalAmount=100", True),
        ("totalAmount >= 100.0 && totalAmount<101", True),
        ("totalAmount>100", False),
        ("status=paid", True),
        ("status!=PAID", False),
        ("invoiceNumber=inv-1", False),
        ("customerRef.companyName~toft", True),
        ("customerRef.id=a b", True),
        ("issueDate>2026-01-31", True),
        ("issueDate<=2026-02-01", True),
        ("issueDate=2026-02-01T00:00:00Z", True),
        ("metadata.isDeleted!=true", True),
        ("metadata.isDeleted=false", False),
        ("currencyRate>0", False),
        ("currencyRate!=1", True),
        ("id=2||id=1&&status=paid", True),
        ("{id=2||id=1}&&status=draft", False),
        ("{totalAmount > 100 || totalAmount < 150} && status != draft", True),
        ("{{id=1}}", True),
    ],
)
def test_conditions_hold_as_documented(query: str, expected: bool) -> None:
    assert passes(query) is expected


@pytest.mark.parametrize(
    "query",
    "id= =1 id id==1&& &&id=1 {id=1 id=1} id~ totalAmount=ten totalAmount~1 issueDate=soon invoiceNumber>1 "
    "metadata.isDeleted>true totalAmount=NaN {} id=1{id=2}".split(),
)
def test_what_is_malformed_gets_codats_error(query: str) -> None:
    with pytest.raises(ApiError) as raised:
        passes(query)

    assert raised.value.status == 400
    assert raised.value.error == "Error parsing query - Malformed query."


@pytest.mark.parametrize("path", ["lineItems.description", "colour", "Status", "customerRef"])
def test_properties_in_arrays_and_unknown_ones_do_not_resolve(path: str) -> None:
    with pytest.raises(ApiError) as raised:
        passes(f"{path}=1")

    assert raised.value.error == f"Error parsing query - Could not resolve property {path} on Invoice"


def test_the_completion_of_a_dataset_is_not_queryable() -> None:
    with pytest.raises(ApiError, match="Could not resolve property isCompleted on Dataset"):
        parse_query("isCompleted=true", DATASET)


def test_a_query_of_2048_characters_is_refused() -> None:
    with pytest.raises(ApiError, match="under 2048"):
        passes("id=" + "1" * 2045)


def test_deep_grouping_is_an_error_not_a_crash() -> None:
    with pytest.raises(ApiError):
        passes("{" * 2000)


def test_tags_take_any_name_but_no_order() -> None:
    tags = {"region": "uk", "team": "invoice-finance"}

    assert parse_query("region = uk && team~finance", AnyTag())(tags)
    with pytest.raises(ApiError):
        parse_query("region>uk", AnyTag())


def test_ordering_reads_numbers_dates_and_puts_nulls_first() -> None:
    records: list[dict[str, Any]] = [{"totalAmount": Decimal(9)}, {"totalAmount": 10}, {"totalAmount": None}]

    key, descending = parse_order("-totalAmount", INVOICES)

    assert descending
    assert [record["totalAmount"] for record in sorted(records, key=key)] == [None, 9, 10]


def test_ordering_by_an_unknown_property_is_refused() -> None:
    with pytest.raises(ApiError, match="Could not resolve property age on Invoice"):
        parse_order("-age", INVOICES)
