"""Reports on settling: what reading said of documents in doubt, and what a person can do about the rest."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.settling import Settled, SettleReport
from codat_ar_cli.reports.model import Column, Kind, Money, Report, Shown, Table
from codat_ar_cli.reports.pushing import END_STATES, SHOWN_FINDINGS, STATE_WORDS
from codat_ar_cli.reports.render import table_to_json

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


def documents_json(report: SettleReport) -> list[dict[str, Any]]:
    """Give each document with its evidence, and both choices where it is still in doubt, as JSON values."""
    rows = table_to_json(settled(report).tables[0])
    return [
        {
            **row,
            "evidence": dict(one.evidence),
            "choices": choices(one, report) if one.push.state is State.IN_DOUBT else None,
        }
        for row, one in zip(rows, report.settled, strict=True)
    ]


def counts_json(states: Iterable[State]) -> dict[str, int]:
    """Count documents by the six end states."""
    counts = Counter(states)
    return {state.value: counts[state] for state in END_STATES}


def is_to_be_sent(report: SettleReport) -> bool:
    """Tell whether the next push has something to send again."""
    return any(one.push.state is State.PLANNED for one in report.settled)


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


def choices(one: Settled, report: SettleReport) -> dict[str, str]:
    """Give what a person can do about a document that is still in doubt: both ways, as commands."""
    ref = ref_of(one, report)
    return {
        "in_the_books": f"codat-ar settle --adopt {ref}=RECORD_ID",
        "not_in_the_books": f"codat-ar settle --resend {ref}",
    }


def ref_of(one: Settled, report: SettleReport) -> str:
    """Give a document's own id where that names it and needs no quotes in any shell, else its push id."""
    source_id = one.push.identity.source_id
    same = sum(other.push.identity.source_id == source_id for other in report.settled)
    return source_id if same == 1 and _PLAIN.fullmatch(source_id) else one.push.id


_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def about(one: Settled) -> list[str]:
    """Say of a document in doubt why it is, and what was seen."""
    lines = [f"{one.push.label}: {one.push.cause_text or STATE_WORDS[one.push.state]}", f"  now: {one.reason}"]
    return [*lines, *(f"  {line}" for line in evidence_lines(one.evidence))]


def open_lines(report: SettleReport) -> list[str]:
    """List what is still in doubt for people: reason, evidence and both choices."""
    lines: list[str] = []
    for one in report.settled:
        if one.push.state is State.IN_DOUBT:
            ways = choices(one, report)
            lines += ["", *about(one)]
            lines.append(f"  if it is in the books: {ways['in_the_books']}")
            lines.append(f"  if it is not, send it again: {ways['not_in_the_books']}")
    return lines
