"""Pages, their sizes and their links."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.sandbox.answers import ApiError, Call
from codat_ar_cli.sandbox.jsonexact import loads
from codat_ar_cli.sandbox.models import BY_TYPE
from codat_ar_cli.sandbox.paging import Shelf, page

MODEL = BY_TYPE["customers"].model


def call(path: str = "/companies/c/data/customers", **query: str) -> Call:
    return Call("GET", path, {}, query, {}, b"", datetime(2026, 1, 1, tzinfo=UTC))


def fetch(shelf: Shelf, **query: str) -> dict[str, Any]:
    body: dict[str, Any] = loads(page(call(**query), shelf, MODEL).body)
    return body


def customers(count: int) -> Shelf:
    return Shelf([{"id": str(number), "customerName": f"C{number % 3}"} for number in range(count)])


def test_the_first_page_is_the_default_and_the_last_has_no_next() -> None:
    first = fetch(customers(150))
    last = fetch(customers(150), page="2")

    assert (first["pageNumber"], first["pageSize"], first["totalResults"], len(first["results"])) == (1, 100, 150, 100)
    assert set(first["_links"]) == {"current", "self", "next"}
    assert set(last["_links"]) == {"current", "self", "previous"}


def test_links_are_relative_and_carry_the_query_percent_encoded() -> None:
    body = fetch(customers(9), pageSize="2", query="customerName=C1&&id!=7", orderBy="-id")

    assert body["totalResults"] == 2
    assert body["_links"]["self"]["href"] == "/companies/c/data/customers"
    assert body["_links"]["current"]["href"] == (
        "/companies/c/data/customers?page=1&pageSize=2&query=customerName%3DC1%26%26id!%3D7&orderBy=-id"
    )


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"pageSize": "0"}, {"pageSize": "5001"}, {"orderBy": ""}]
)
def test_pages_out_of_range_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as raised:
        fetch(customers(1), **query)

    assert raised.value.status == 400


@given(st.integers(0, 40), st.integers(1, 12))
def test_following_next_gives_every_record_once(count: int, size: int) -> None:
    shelf, number, seen = customers(count), 1, []
    while True:
        body = fetch(shelf, page=str(number), pageSize=str(size))
        seen += [record["id"] for record in body["results"]]
        if "next" not in body["_links"]:
            break
        number += 1

    assert seen == [str(one) for one in range(count)]


def test_a_shelf_finds_by_id() -> None:
    assert customers(5).find("4") == {"id": "4", "customerName": "C1"}
    assert customers(5).find("5") is None
