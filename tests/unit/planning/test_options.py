"""Push options as a tree, and what a body violates of them."""

from decimal import Decimal

import pytest

from codat_ar_cli.domain.options import OptionsUnreadable, Preflight, parse_options


def node(kind="String", *, required=False, warnings=(), choices=(), **properties):
    raw = {"type": kind, "displayName": "", "required": required}
    if properties:
        raw["properties"] = properties
    if warnings:
        raw["validation"] = {"warnings": [{"field": "", "details": text} for text in warnings], "information": None}
    if choices:
        raw["options"] = [{"value": each, "type": "String", "displayName": each, "required": False} for each in choices]
    return raw


def problems(body, *, enforce_required=True, **properties):
    option = parse_options(node("Object", required=True, **properties))
    return [(each.code, each.path) for each in Preflight(option, enforce_required=enforce_required).problems(body)]


def test_a_path_is_offered_or_not():
    option = parse_options(node("Object", lines=node("Array", links=node("Array", id=node(required=True)))))
    assert option.offers("lines.links.id")
    assert not option.offers("lines.links.type")
    assert not option.offers("nothing.at.all")
    assert option.requires("lines.links.id")


def test_required_counts_only_under_a_sent_parent():
    tax = node("Object", id=node(required=True))
    assert problems({}, taxRateRef=tax) == []
    assert problems({"taxRateRef": {}}, taxRateRef=tax) == [("options.required", "taxRateRef.id")]


def test_a_null_does_not_fulfil_what_is_required():
    assert problems({"name": None}, name=node(required=True)) == [("options.required", "name")]


def test_required_is_left_alone_where_options_mark_everything_required():
    assert problems({}, enforce_required=False, name=node(required=True)) == []


def test_choices_are_closed_and_named():
    option = parse_options(node("Object", status=node(choices=["Draft", "Submitted"])))
    (problem,) = Preflight(option, enforce_required=True).problems({"status": "Paid"})
    assert problem.code == "options.choice"
    assert "Draft, Submitted" in problem.message
    assert Preflight(option, enforce_required=True).problems({"status": "Draft"}) == []


def test_a_choice_without_a_value_is_its_display_name():
    raw = node("Object", type=node(choices=["Invoice"]))
    del raw["properties"]["type"]["options"][0]["value"]
    assert Preflight(parse_options(raw), enforce_required=True).problems({"type": "Invoice"}) == []


def test_unknown_properties_are_found_in_every_element_of_a_list():
    lines = node("Array", amount=node("Number"))
    body = {"lines": [{"amount": 1}, {"amount": 1, "extra": 2}]}
    assert problems(body, lines=lines) == [("options.unknown", "lines[1].extra")]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("Number", Decimal("1.5"), "1.5"),
        ("String", "x", 1),
        ("Boolean", True, "true"),
        ("DateTime", "2026-05-01T00:00:00", "01/05/2026"),
        ("Object", {}, []),
        ("Array", [], {}),
    ],
)
def test_types_are_checked(kind, good, bad):
    assert problems({"field": good}, field=node(kind)) == []
    assert problems({"field": bad}, field=node(kind)) == [("options.type", "field")]


def test_dates_and_texts_that_sage_50_calls_numbers_are_let_through():
    assert problems({"date": "2026-05-01T00:00:00", "note": "x"}, date=node("Number"), note=node("Number")) == []


@pytest.mark.parametrize(
    ("prose", "length"),
    [
        ("Max length of 11 characters.", 11),
        ("Must not be longer than 4000 characters long.", 4000),
        ("Must not exceed 255 charaters long.", 255),
        ("Maximum character length should not be longer than 4000.", 4000),
        ("Must not be greater than 8 characters long.", 8),
        ("Should not be longer than 25 characters.", 25),
        ("Must be less than 1000 characters.", 999),
        ("Must be no greater than 200 characters", 200),
        ("Must have a length between 1 and 255 characters", 255),
        ("Maximum 60 characters", 60),
        ("Must not contain no more than 45 characters.", 45),
        ("Must match the ID of an existing customer and have a max length of 8 characters.", 8),
        ("If included must have a length between 1 and 7 characters", 7),
        ("Must be 6 characters long if the specified currency is GBP.", None),
        ("Max length of 25 characters for first and last names", None),
        ("Must not be more than the total amount due for an invoice or the available funds in the account.", None),
        ("Must not be less than 0.", None),
        ("To charge either a savings, checking or credit card account use its number.", None),
    ],
)
def test_lengths_are_read_from_prose_where_it_means_one_thing(prose, length):
    assert parse_options(node(warnings=[prose])).max_length == length


def test_a_text_over_its_length_is_found():
    option = node(warnings=["Max length of 3 characters."])
    assert problems({"number": "1234"}, number=option) == [("options.too-long", "number")]
    assert problems({"number": "123"}, number=option) == []


def test_decimals_and_signs_are_read_from_prose():
    price = node("Number", warnings=["Precision must be maximum of two decimal places."])
    total = node("Number", warnings=["Must be greater than zero."])
    assert problems({"price": Decimal("1.005")}, price=price) == [("options.precision", "price")]
    assert problems({"price": Decimal("1.500")}, price=price) == []
    assert problems({"total": 0}, total=total) == [("options.not-positive", "total")]


@pytest.mark.parametrize("raw", [{}, [], {"type": "Object"}, {"type": "Object", "required": True, "properties": [1]}])
def test_what_is_no_options_tree_is_refused_by_name(raw):
    with pytest.raises(OptionsUnreadable):
        parse_options(raw)
