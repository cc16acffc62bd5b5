"""Rows into drafts: all that the file itself can get wrong is found here, in one pass (design D4, D5).

One wrong cell is one finding. A document with an error is not drafted; it is listed as broken, with all its rows.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from codat_ar_cli.domain.cells import CellReader
from codat_ar_cli.domain.documents import InvoiceDraft, PaymentDraft, Row
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.grouping import Group, Tally, group_rows
from codat_ar_cli.domain.invoice_rows import build_invoice
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS, Layout
from codat_ar_cli.domain.payment_rows import build_payment
from codat_ar_cli.domain.planned import ControlTotals

D = TypeVar("D", InvoiceDraft, PaymentDraft)


@dataclass(frozen=True, slots=True)
class BrokenDocument:
    """A document of the file that can't be drafted."""

    source_id: str | None
    """None where its rows state no number."""
    places: tuple[Place, ...]
    """Of all its rows."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Drafted(Generic[D]):
    """What became of a file's rows: every row is in exactly one draft, or in at least one broken document."""

    documents: tuple[D, ...]
    findings: tuple[Finding, ...]
    """Of the file, its drafts and its broken documents, by line."""
    totals: ControlTotals
    """Over all that could be read, broken documents included where their amount is readable. Of invoices: tax
    included where the file says how much or what percentage."""
    broken: tuple[BrokenDocument, ...]


_Build = Callable[[CellReader, Group, Tally], D | None]


def draft_invoices(rows: Iterable[Row], *, source: str, columns: Collection[str]) -> Drafted[InvoiceDraft]:
    """Make one draft per invoice number. `columns`: canonical names that the file has; `source`: the file's name."""
    return _draft(rows, INVOICES, source, columns, build_invoice)


def draft_payments(rows: Iterable[Row], *, source: str, columns: Collection[str]) -> Drafted[PaymentDraft]:
    """Make one draft per payment id. `columns`: canonical names that the file has; `source`: the file's name."""
    return _draft(rows, PAYMENTS, source, columns, build_payment)


def _draft(rows: Iterable[Row], layout: Layout, source: str, columns: Collection[str], build: _Build[D]) -> Drafted[D]:
    missing = tuple(
        Finding("file.missing-column", Severity.ERROR, f"column `{name}` is missing", Place(source))
        for name in layout.missing(columns)
    )
    groups, count = group_rows(rows, layout)
    if missing:
        broken = tuple(BrokenDocument(group.key, group.places, missing) for group in groups)
        return Drafted((), missing, ControlTotals(count, len(groups)), broken)
    reader, tally = CellReader(), Tally()
    documents: list[D] = []
    broken_documents: list[BrokenDocument] = []
    for group in groups:
        start = len(reader.findings)
        reader.document = group.key
        draft = _build_one(reader, group, layout, tally, build)
        if draft is None:
            broken_documents.append(BrokenDocument(group.key, group.places, tuple(reader.findings[start:])))
        else:
            documents.append(draft)
    reader.document = None
    _warn_of_twins(reader, groups, layout)
    findings = sorted(
        dict.fromkeys(reader.findings), key=lambda finding: finding.place.row or 0 if finding.place else 0
    )
    if tally.untaxed:
        message = f"the totals leave out the tax of {_invoices(tally.untaxed)}: the mapping decides it, not the file"
        findings.append(Finding("totals.without-tax", Severity.NOTE, message, Place(source)))
    totals = ControlTotals(count, len(groups), dict(tally.amounts), dict(tally.fees))
    return Drafted(tuple(documents), tuple(findings), totals, tuple(broken_documents))


def _invoices(number: int) -> str:
    return f"{number} invoice" if number == 1 else f"{number} invoices"


def _build_one(reader: CellReader, group: Group, layout: Layout, tally: Tally, build: _Build[D]) -> D | None:
    """Draft one document, or None if anything in it is an error."""
    start = len(reader.findings)
    for row in group.damaged:
        if row.fault is not None:
            reader.findings.append(row.fault)
    draft = None
    if group.rows:
        reader.code(group.rows[0], layout.key, required=True)
        draft = build(reader, group, tally)
    wrong = any(finding.severity is Severity.ERROR for finding in reader.findings[start:])
    return None if wrong else draft


def _warn_of_twins(reader: CellReader, groups: Sequence[Group], layout: Layout) -> None:
    """Point out numbers that differ only in case or blanks: most platforms take them for the same."""
    seen: dict[str, Group] = {}
    for group in groups:
        if group.key is None or not group.rows:
            continue
        folded = "".join(group.key.split()).casefold()
        twin = seen.setdefault(folded, group)
        if twin is not group:
            reader.document = group.key
            message = f"{group.key!r} and {twin.key!r} differ only in case or blanks and are two documents here"
            reader.report("document.case-twin", group.rows[0], layout.key, message, severity=Severity.WARNING)
    reader.document = None
