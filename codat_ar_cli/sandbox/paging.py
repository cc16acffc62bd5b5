"""Pages of records with Codat's links (reference §3.2), cheap also over fifty thousand records."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call
from codat_ar_cli.sandbox.jsonexact import dumps
from codat_ar_cli.sandbox.query import Model, parse_order, parse_query

DEFAULT_PAGE_SIZE = 100
LARGEST_PAGE = 5000
_KEPT_SELECTIONS = 16


class Shelf:
    """An unchanging list of records that remembers what was worked out about it: JSON, ids, selections.

    A sync puts a new shelf in the place of the old one, so nothing here is ever out of date; the new one takes
    over the JSON of records that are the very same objects.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]], before: "Shelf | None" = None) -> None:
        self.records = records
        known = {} if before is None else {id(record): text for record, text in before._written()}
        self._texts: list[str | None] = [known.get(id(record)) for record in records]
        self._by_id: dict[str, int] | None = None
        self._selections: OrderedDict[tuple[str | None, str | None], Sequence[int]] = OrderedDict()

    def find(self, record_id: str) -> Mapping[str, Any] | None:
        """Look a record up by its id."""
        if self._by_id is None:
            self._by_id = {str(record.get("id")): index for index, record in enumerate(self.records)}
        index = self._by_id.get(record_id)
        return None if index is None else self.records[index]

    def select(self, query: str | None, order_by: str | None, model: Model) -> Sequence[int]:
        """Give the positions of the records that pass, in order. Raises ApiError 400."""
        wanted = (query, order_by)
        if wanted in self._selections:
            self._selections.move_to_end(wanted)
            return self._selections[wanted]
        found: Sequence[int] = range(len(self.records))
        if query is not None:
            test = parse_query(query, model)
            found = [index for index in found if test(self.records[index])]
        if order_by is not None:
            key, descending = parse_order(order_by, model)
            found = sorted(found, key=lambda index: key(self.records[index]), reverse=descending)
        self._selections[wanted] = found
        if len(self._selections) > _KEPT_SELECTIONS:
            self._selections.popitem(last=False)
        return found

    def _written(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        for record, text in zip(self.records, self._texts, strict=True):
            if text is not None:
                yield record, text

    def text(self, index: int) -> str:
        """Give one record as JSON."""
        text = self._texts[index]
        if text is None:
            text = self._texts[index] = dumps(self.records[index])
        return text


def page(call: Call, shelf: Shelf, model: Model, *, default_order: str | None = None) -> Answer:
    """Answer with the page that the request's `page`, `pageSize`, `query` and `orderBy` ask for."""
    number = call.whole_number("page", default=1, least=1) or 1
    size = call.whole_number("pageSize", default=DEFAULT_PAGE_SIZE, least=1, most=LARGEST_PAGE) or DEFAULT_PAGE_SIZE
    query, order = call.query.get("query"), call.query.get("orderBy")
    if order == "":
        raise ApiError(400, "Error parsing query - Malformed query.", service="ClientsApi")
    found = shelf.select(query or None, order or default_order, model)
    texts = [shelf.text(index) for index in found[(number - 1) * size : number * size]]
    links = _links(call, number, size, len(found))
    body = (
        f'{{"results":[{",".join(texts)}],"pageNumber":{number},"pageSize":{size},'
        f'"totalResults":{len(found)},"_links":{dumps(links)}}}'
    )
    return Answer(body=body.encode())


def _links(call: Call, number: int, size: int, total: int) -> dict[str, dict[str, str]]:
    kept = [(name, call.query[name]) for name in ("query", "orderBy", "tags", "linkType") if call.query.get(name)]

    def href(page_number: int) -> dict[str, str]:
        pairs = [("page", str(page_number)), ("pageSize", str(size)), *kept]
        return {"href": call.path + "?" + "&".join(f"{name}={quote(value, safe='!')}" for name, value in pairs)}

    links = {"current": href(number), "self": {"href": call.path}}
    if number * size < total:
        links["next"] = href(number + 1)
    if number > 1:
        links["previous"] = href(number - 1)
    return links
