"""What was not pushed, back in the user's own columns with the reason (design D10)."""

from collections.abc import Iterable
from pathlib import Path

from codat_ar_cli.domain.findings import Place
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition
from codat_ar_cli.domain.pushes import RunItem
from codat_ar_cli.files.errors import RejectsNotWritten
from codat_ar_cli.files.rejects import reasons_of, rejects_path, write_rejects
from codat_ar_cli.flows.prepare import Prepared


def write_rejects_of(
    prepared: Prepared, items: Iterable[RunItem] = (), *, path: Path | None, fallback: Path
) -> Path | None:
    """Write the rows of held and rejected documents; gives where, None when there is nothing to write.

    items: of the run; none where the plan had nothing to send. path: as the user named it; None: beside the
    input. Where that can't be written they go to `fallback`: what was sent is sent, its outcome must be told.
    Raises RejectsNotWritten where that can't be written either.
    """
    reasons = _reasons(prepared, items)
    if not reasons:
        return None
    try:
        return write_rejects(prepared.table, reasons, path or rejects_path(prepared.order.path))
    except RejectsNotWritten:
        return write_rejects(prepared.table, reasons, rejects_path(prepared.order.path, fallback))


def _reasons(prepared: Prepared, items: Iterable[RunItem]) -> dict[Place, str]:
    reasons: dict[Place, str] = {}
    for broken in prepared.broken:
        reasons |= reasons_of(broken.places, broken.findings)
    for document in prepared.plan.documents:
        if document.disposition is Disposition.HELD:
            reasons |= reasons_of(document.places, document.findings)
    for item in items:
        if item.disposition is not Disposition.HELD and item.push.state is State.REJECTED:
            places = prepared.plan.documents[item.ordinal].places
            reasons |= dict.fromkeys(places, item.push.cause_text or "rejected")
    known = {row.place for row in prepared.table.rows}
    return {place: reason for place, reason in reasons.items() if place in known}
