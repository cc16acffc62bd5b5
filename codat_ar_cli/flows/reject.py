"""What was not pushed, back in the user's own columns with the reason (design D10)."""

from pathlib import Path

from codat_ar_cli.domain.findings import Place
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition
from codat_ar_cli.files.errors import RejectsNotWritten
from codat_ar_cli.files.rejects import reasons_of, rejects_path, write_rejects
from codat_ar_cli.flows.prepare import Prepared
from codat_ar_cli.flows.push import Pushed


def write_rejects_of(prepared: Prepared, pushed: Pushed, *, path: Path | None, fallback: Path) -> Path | None:
    """Write the rows of held and rejected documents; gives where, None when there is nothing to write.

    path: as the user named it; None: beside the input, or in `fallback` where that folder can't be written.
    Raises RejectsNotWritten.
    """
    reasons = _reasons(prepared, pushed)
    if not reasons:
        return None
    if path is not None:
        return write_rejects(prepared.table, reasons, path)
    try:
        return write_rejects(prepared.table, reasons, rejects_path(prepared.order.path))
    except RejectsNotWritten:
        return write_rejects(prepared.table, reasons, rejects_path(prepared.order.path, fallback))


def _reasons(prepared: Prepared, pushed: Pushed) -> dict[Place, str]:
    reasons: dict[Place, str] = {}
    for broken in prepared.broken:
        reasons |= reasons_of(broken.places, broken.findings)
    for document in prepared.plan.documents:
        if document.disposition is Disposition.HELD:
            reasons |= reasons_of(document.places, document.findings)
    for item in pushed.items:
        if item.disposition is Disposition.SEND and item.push.state is State.REJECTED:
            reasons |= dict.fromkeys(item.push.places, item.push.cause_text or "rejected")
    known = {row.place for row in prepared.table.rows}
    return {place: reason for place, reason in reasons.items() if place in known}
