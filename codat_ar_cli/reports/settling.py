"""Reports on settling: what reading said of documents in doubt, and what a person can do about the rest."""

from collections.abc import Iterable, Mapping
from typing import Any

from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.settling import Settled, SettleReport
from codat_ar_cli.reports.model import Column, Kind, Money, Report, Shown, Table
from codat_ar_cli.reports.pushing import SHOWN_FINDINGS, STATE_WORDS

_COLUMNS = (
    Column("id", "Id", Kind.ID, Shown.MACHINES),
    Column("label", "Document"),
    Column("type", "Type", shown=Shown.MACHINES),
    Column("push", "Push", Kind.ID, Shown.MACHINES),
    Column("customer", "Customer"),
    Column("date", "Date", Kind.DATE, Shown.WIDE),
    Column("total", "Total", Kind.AMOUNT),
    Column("state", "Outcome", shown=Shown.MACHINES),
    Column("words", "Outcome", shown=Shown.PEOPLE),
    Column("record_id", "Record id", Kind.ID, Shown.WIDE),
    Column("code", "Code", shown=Shown.MACHINES),
    Column("cause", "Cause", shown=Shown.MACHINES),
    Column("reason", "Why"),
)


def settled(report: SettleReport) -> Report:
    """Show where each document that was in doubt stands now, and why."""
    rows = tuple(_row(one) for one in report.settled)
    return Report("settle", "", (Table("documents", _COLUMNS, rows, empty="nothing is in doubt"),))


def _row(one: Settled) -> tuple[Any, ...]:
    push = one.push
    return (
        push.identity.source_id,
        push.label,
        push.identity.data_type.value,
        push.id,
        push.customer,
        push.date,
        Money(push.total, push.currency),
        push.state.value,
        STATE_WORDS[push.state],
        push.record_id,
        push.cause_code,
        push.cause_text,
        one.reason,
    )


def decisions(report: SettleReport) -> list[str]:
    """Say in a line each what settling decided; of many only the first."""
    decided = [one for one in report.settled if one.push.state is not State.IN_DOUBT]
    lines = [f"  {one.push.label}: {STATE_WORDS[one.push.state]}: {one.reason}" for one in decided]
    more = len(lines) - SHOWN_FINDINGS
    return lines if more <= 0 else [*lines[:SHOWN_FINDINGS], f"  … and {more} more"]


def evidence_lines(evidence: Mapping[str, Any]) -> Iterable[str]:
    """Say what was looked at, a line each."""
    if "records_read" in evidence:
        yield (
            f"looked at {evidence['looked_at']}: {evidence['operations_listed']:,} push operations, "
            f"{evidence['records_read']:,} records of the books"
        )
    for record in evidence.get("records", ()):
        texts = " / ".join(record["texts"])
        amount = f"{record['total']} {record['currency'] or ''}".strip()
        yield f"record {record['id']}: {texts or 'no text'}, {record['date']}, {amount}, {record['status']}"
    for operation in evidence.get("unknown_operations", ()):
        record = f", record {operation['record_id']}" if operation["record_id"] else ""
        yield (
            f"push operation {operation['key']}, not of this ledger: "
            f"{operation['status']}, asked for at {operation['requested_at']}{record}"
        )


def choices(one: Settled) -> dict[str, str]:
    """Give what a person can do about a document that is still in doubt: both ways, as commands."""
    return {
        "in_the_books": f"codat-ar settle --adopt {one.push.id}=RECORD_ID",
        "not_in_the_books": f"codat-ar settle --resend {one.push.id}",
    }


def open_lines(report: SettleReport) -> list[str]:
    """List what is still in doubt for people: reason, evidence and both choices."""
    lines: list[str] = []
    for one in report.settled:
        if one.push.state is State.IN_DOUBT:
            lines.append(f"{one.push.label}: {one.push.cause_text or 'in doubt'}")
            lines.append(f"  now: {one.reason}")
            lines += [f"  {line}" for line in evidence_lines(one.evidence)]
            lines.append(f"  if it is in the books: {choices(one)['in_the_books']}")
            lines.append(f"  if it is not: {choices(one)['not_in_the_books']}")
    return lines
