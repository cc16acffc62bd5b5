"""Our source id inside a record, so that it can be found again: written here, recognised here (reference §10)."""

from collections.abc import Iterable

from codat_ar_cli.domain.body import WORDS, Body
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.types import DataType

SEPARATOR = " - "
"""Between our source id and the text that follows it in a marker field."""


def mark(body: Body, source_id: str, reference: str | None, note: str | None) -> None:
    """Write the source id where it can be found again, and the file's reference and note where they fit."""
    marker = marker_field(body)
    texts = {name: text for name, text in (("reference", reference), ("note", note)) if text}
    if marker == "invoiceNumber":
        _put_texts(body, "note", texts, body.room("note", None), start="")
        return
    for name in [name for name in texts if name != marker and body.offers(name)]:
        body.put(name, texts.pop(name))
    if marker is None:
        for name, text in texts.items():
            body.refuse(name, text)
        return
    rules = body.platform.marker(body.data_type)
    room = body.room(marker, rules.max_length if rules and rules.field == marker else None)
    if room is not None and len(source_id) > room:
        body.problems.append(
            Problem(
                "marker.too-long",
                f"`{source_id}` has {len(source_id)} characters; the {WORDS.get(marker, marker)} by which it is found "
                f"again takes {room}",
                hint="use shorter ids",
            )
        )
        return
    if marker == _DESCRIPTION:
        first = body.value["lineItems"][0]
        first["description"] = source_id + SEPARATOR + str(first.get("description", ""))
        for name, text in texts.items():
            body.refuse(name, text)
        return
    _put_texts(body, marker, texts, room, start=source_id)


_DESCRIPTION = "lineItems.description"


def marker_field(body: Body) -> str | None:
    """Choose the strongest field that is really offered: the platform's own, else the usual ones."""
    rules = body.platform.marker(body.data_type)
    usual = ("invoiceNumber", "note") if body.data_type is DataType.INVOICES else ("reference", "note")
    wanted = (*((rules.field,) if rules else ()), *usual)
    return next((name for name in wanted if body.offers(name)), None)


def _put_texts(body: Body, name: str, texts: dict[str, str], room: int | None, *, start: str) -> None:
    parts = [start] if start else []
    for kind, text in texts.items():
        joined = SEPARATOR.join([*parts, text])
        if not body.offers(name):
            body.refuse(kind, text)
        elif room is not None and len(joined) > room:
            why = f"the {name} has room for {room} characters on {body.platform.name}"
            body.refuse(kind, text, f"{why}, which is too short for the {kind}")
        else:
            parts.append(text)
    if parts:
        body.put(name, SEPARATOR.join(parts))


def carries(text: str | None, source_id: str) -> bool:
    """Tell whether a marker field that was read back holds this source id, as `invoice_body` and others write it."""
    return text is not None and (text == source_id or text.startswith(source_id + SEPARATOR))


def carried_ids(text: str) -> Iterable[str]:
    """Give every source id that a marker text may carry: an id may hold the separator itself."""
    parts = text.split(SEPARATOR)
    return (SEPARATOR.join(parts[:count]) for count in range(1, len(parts) + 1))
