"""Codat's query language and the encoding of addresses."""

import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.codat import query


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("=", "INV-7", "f=INV-7"),
        ("!=", True, "f!=true"),
        (">=", dt.date(2026, 1, 31), "f>=2026-01-31"),
        (">", dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))), "f>2026-01-31T11:00:00Z"),
        ("<", Decimal("0.000000001"), "f<0.000000001"),
        ("~", "80000002-1674552702", "f~80000002-1674552702"),
        ("=", "DEPARTMENTS/3", "f=DEPARTMENTS/3"),
    ],
)
def test_a_condition_writes_its_value_bare(operator, value, expected):
    assert query.where("f", operator, value) == expected


@pytest.mark.parametrize("value", ["two words", "A&B", "a|b", "{x}", "a=b", "x,y", 'say "no"', "", "naïve", "a\nb"])
def test_a_value_the_language_cannot_carry_is_refused(value):
    with pytest.raises(query.UnqueryableValue):
        query.where("customerRef.id", "=", value)


def test_text_is_never_compared_by_order():
    with pytest.raises(query.UnqueryableValue, match="numbers and dates"):
        query.where("invoiceNumber", ">", "INV-1")


@pytest.mark.parametrize("field", ["", "a b", "lineItems[0].amount", "a.", "a=1||b", "-date"])
def test_a_field_that_is_no_property_path_is_refused(field):
    with pytest.raises(ValueError, match="property path"):
        query.where(field, "=", 1)


def test_an_unknown_operator_is_refused():
    with pytest.raises(ValueError, match="operator"):
        query.where("amountDue", "==", 1)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        query.where("modifiedDate", ">", dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the case under test


def test_or_inside_and_is_put_into_braces():
    either = query.any_of(query.where("totalAmount", ">", 100), query.where("totalAmount", "<", 50))

    assert query.all_of(either, query.where("status", "!=", "Paid")) == (
        "{totalAmount>100||totalAmount<50}&&status!=Paid"
    )


def test_the_whole_query_is_percent_encoded_and_spaces_are_never_plus():
    encoded = query.encode_parameters({"page": 1, "query": "a=1&&{b~x||c > 2}", "orderBy": None, "flag": True})

    assert encoded == "page=1&query=a%3D1%26%26%7Bb~x%7C%7Cc%20%3E%202%7D&flag=true"


def test_a_query_longer_than_codat_takes_is_refused_before_it_is_sent():
    with pytest.raises(query.UnqueryableValue, match="2048"):
        query.encode_parameters({"query": "x" * 2048})


@pytest.mark.parametrize(
    ("record_id", "expected"),
    [
        ("__DEPARTMENTS/3", "__DEPARTMENTS%2F3"),
        ("CREDITCARD:55", "CREDITCARD%3A55"),
        ("two words", "two%20words"),
        ("a%2Fb", "a%252Fb"),
        ("..", "%2E%2E"),
        ("x?y#z", "x%3Fy%23z"),
        ("aGVsbG8+/w==", "aGVsbG8%2B%2Fw%3D%3D"),
    ],
)
def test_ids_are_one_path_segment_whatever_they_hold(record_id, expected):
    assert query.encode_segment(record_id) == expected


def test_an_empty_id_is_refused_since_it_would_address_the_list():
    with pytest.raises(ValueError, match="empty id"):
        query.encode_segment("")


@given(st.text(min_size=1))
def test_every_id_survives_its_encoding(text):
    encoded = query.encode_segment(text.encode("utf-8", "ignore").decode() or "x")

    assert "/" not in encoded
    assert encoded not in {".", ".."}
    assert unquote(encoded) == (text.encode("utf-8", "ignore").decode() or "x")


@given(st.text(max_size=200).filter(lambda text: text.isprintable()))
def test_every_parameter_survives_its_encoding(text):
    encoded = query.encode_parameters({"orderBy": text})

    assert dict(parse_qsl(encoded, keep_blank_values=True)) == {"orderBy": text}
