"""Codat's words for a refusal, made one line."""

import pytest

from codat_ar_cli.domain.types import ValidationItem
from codat_ar_cli.flows.news import in_words, shape_of


def test_each_validation_error_is_named_with_its_field_once() -> None:
    errors = [
        ValidationItem("too long", "NominalCode"),
        ValidationItem("too long", "NominalCode"),
        ValidationItem("no\ntax"),
    ]
    assert in_words(errors, "ignored") == "NominalCode: too long; no tax"


@pytest.mark.parametrize(("message", "says"), [("Bad  request", "Bad request"), (None, "refused without a reason")])
def test_without_validation_the_message_speaks(message: str | None, says: str) -> None:
    assert in_words([ValidationItem(None, "x")], message) == says


def test_causes_that_differ_in_numbers_and_quoted_values_have_one_shape() -> None:
    first = "Account 'Sales' of INV-1 (8a210b68-6988-11ed-a1eb-0242ac120002) is archived"
    second = "account 'Other income' of INV-22 (2e9d2c44-f675-40ba-8049-353bfcb5e171) is archived"
    assert shape_of(first) == shape_of(second)
    assert shape_of(first) != shape_of("Tax rate 'Sales' of INV-1 is archived")
