"""Reports on pushing: what a plan says, what a run did, which runs there were."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import ControlTotals, Disposition, Plan, PlannedDocument
from codat_ar_cli.domain.pushes import LedgerEvent, Push, RunItem, RunSummary
from codat_ar_cli.reports.model import Cell, Column, Kind, Money, Report, Shown, Table

STATE_WORDS: dict[State, str] = {
    State.PLANNED: "not sent yet",
    State.SENDING: "sending",
    State.PENDING: "accepted, not finished",
    State.SUCCEEDED: "in the books",
    State.REJECTED: "rejected",
    State.IN_DOUBT: "in doubt",
    State.HELD: "held",
}
"""States as a bookkeeper reads them."""

END_STATES = (State.SUCCEEDED, State.REJECTED, State.HELD, State.IN_DOUBT, State.PENDING, State.PLANNED)
"""Where a document can stand when a run ends (design D10), in the order they are counted."""

SHOWN_FINDINGS = 20
"""How many causes of one kind are listed for people before they are counted only; machines get all."""

_DOCUMENT = (
    Column("id", "Id", Kind.ID, Shown.MACHINES),
    Column("label", "Document"),
    Column("customer", "Customer"),
    Column("date", "Date", Kind.DATE, Shown.WIDE),
    Column("total", "Total", Kind.AMOUNT),
    Column("state", "Outcome", shown=Shown.MACHINES),
    Column("words", "Outcome", shown=Shown.PEOPLE),
    Column("record_id", "Record id", Kind.ID, Shown.WIDE),
    Column("push_operation", "Push operation", Kind.ID, Shown.MACHINES),
    Column("correlation_id", "Correlation id", Kind.ID, Shown.MACHINES),
    Column("code", "Code", shown=Shown.MACHINES),
    Column("why", "Why", shown=Shown.MACHINES),
    Column("why_short", "Why", shown=Shown.PEOPLE),
    Column("earlier_run", "Run", Kind.ID, Shown.MACHINES),
)


def control_totals(totals: ControlTotals) -> str:
    """Say in one line what was read: rows, documents, sum per currency, fees."""
    amounts = ", ".join(f"{amount:,f} {currency}" for currency, amount in sorted(totals.amounts.items()))
    text = f"{_count(totals.rows, 'row')}, {_count(totals.documents, 'document')}, {amounts or 'no amounts'}"
    fees = ", ".join(f"{amount:,f} {currency}" for currency, amount in sorted(totals.fees.items()) if amount)
    return f"{text}; fees {fees}" if fees else text


def money_to_send(documents: Iterable[PlannedDocument]) -> str:
    """Sum documents per currency, for the question before sending."""
    sums: dict[str, Any] = {}
    for document in documents:
        sums[document.currency] = sums.get(document.currency, 0) + document.total
    return ", ".join(f"{amount:,f} {currency}" for currency, amount in sorted(sums.items()))


def planned(plan: Plan) -> Report:
    """Show what a plan would do with each document, before anything is sent."""
    rows = tuple(_planned_row(document) for document in plan.documents)
    return Report("plan", "", (Table("documents", _DOCUMENT, rows, empty="no documents"),))


def outcome(items: Sequence[RunItem]) -> Report:
    """Show where each document of a run stands now."""
    rows = tuple(_item_row(item) for item in items)
    return Report("push", "", (Table("documents", _DOCUMENT, rows, empty="no documents"),))


def findings_for_people(found: Sequence[Finding]) -> list[str]:
    """List findings as lines, the worst kind first; what many places share is said once, long lists end in a count."""
    lines: list[str] = []
    for severity in Severity:
        by_code: dict[str, dict[tuple[object, ...], list[Finding]]] = {}
        for finding in found:
            if finding.severity is severity:
                causes = by_code.setdefault(finding.code, {})
                causes.setdefault(_cause(finding), []).append(finding)
        for code, causes in by_code.items():
            said = list(causes.values())[:SHOWN_FINDINGS]
            lines += [_finding_line(same) for same in said]
            hints = dict.fromkeys(same[0].hint for same in said if same[0].hint)
            lines += [f"    do: {hint}" for hint in list(hints)[:3]]
            rest = sum(map(len, list(causes.values())[SHOWN_FINDINGS:]))
            if rest:
                lines.append(f"    … and {rest:,} more of {code}; all of them with --json")
    return lines


def unhappy(pushes: Iterable[Push]) -> list[str]:
    """Say of rejected and doubtful documents why, a line each; of many only the first."""
    told = [push for push in pushes if push.state in {State.REJECTED, State.IN_DOUBT}]
    lines = [f"  {push.label}: {STATE_WORDS[push.state]}: {push.cause_text} (run {push.run_id})" for push in told]
    more = len(lines) - SHOWN_FINDINGS
    return lines if more <= 0 else [*lines[:SHOWN_FINDINGS], f"  … and {more} more"]


def finding_json(finding: Finding) -> dict[str, Any]:
    """Give a finding as JSON values."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "place": place_json(finding.place),
        "hint": finding.hint,
        "document": finding.document,
        "acceptable": finding.acceptable,
    }


def place_json(place: Place | None) -> dict[str, Any] | None:
    """Give a place as JSON values."""
    if place is None:
        return None
    return {"source": place.source, "row": place.row, "column": place.column, "path": place.path}


def totals_json(totals: ControlTotals) -> dict[str, Any]:
    """Give control totals as JSON values; amounts as strings beside their currency."""
    return {
        "rows": totals.rows,
        "documents": totals.documents,
        "amounts": _amounts(totals.amounts),
        "fees": _amounts(totals.fees),
    }


def runs(some: Sequence[RunSummary]) -> Report:
    """Show runs, newest first, with where their documents stand today."""
    columns = (
        Column("run", "Run", Kind.ID),
        Column("started_at", "Started", Kind.INSTANT),
        Column("ended_at", "Ended", Kind.INSTANT, Shown.MACHINES),
        Column("command", "Command"),
        Column("source", "File"),
        Column("profile", "Profile", shown=Shown.WIDE),
        Column("company", "Company", shown=Shown.WIDE),
        Column("company_id", "Company id", Kind.ID, Shown.MACHINES),
        Column("platform", "Platform", shown=Shown.WIDE),
        Column("exit_code", "Exit", Kind.COUNT),
        Column("documents", "Documents now", shown=Shown.PEOPLE),
        *(Column(state.value, state.value, Kind.COUNT, Shown.MACHINES) for state in END_STATES),
    )
    return Report("runs", "", (Table("runs", columns, tuple(_run_row(run) for run in some), empty="no runs yet"),))


def run_detail(run: RunSummary, items: Sequence[RunItem], events: Sequence[LedgerEvent] = ()) -> Report:
    """Show one run: what it was, its documents as they stand today, and its events where asked for."""
    header = run.header
    about = (
        ("run", "Run", run.id),
        ("command", "Command", header.command),
        ("company", "Company", f"{header.company_name} on {header.platform_name}"),
        ("profile", "Profile", header.profile),
        ("source", "File", header.source),
        ("source_sha256", "File's SHA-256", header.source_sha256),
        ("totals", "Read", ", ".join(f"{amount} {name}" for name, amount in header.totals.items()) or None),
        ("started_at", "Started", _instant(run.started_at)),
        ("ended_at", "Ended", _instant(run.ended_at) or "not ended: still going, or killed"),
        ("exit_code", "Exit code", None if run.exit_code is None else str(run.exit_code)),
        ("now", "Documents now", count_words(run.counts)),
    )
    facts = Table(
        "facts",
        (Column("key", "", shown=Shown.MACHINES), Column("name", "", shown=Shown.PEOPLE), Column("value", "")),
        tuple(row for row in about if row[2] is not None),
    )
    documents = outcome(items).tables[0]
    story = (_event_table(events, items),) if events else ()
    return Report("run", "", (facts, documents, *story))


def _event_table(events: Sequence[LedgerEvent], items: Sequence[RunItem]) -> Table:
    labels = {item.push.id: item.push.label for item in items}
    columns = (
        Column("at", "At", Kind.INSTANT),
        Column("document", "Document"),
        Column("event", "Event"),
        Column("from", "From", shown=Shown.WIDE),
        Column("to", "To"),
        Column("facts", "Facts", shown=Shown.WIDE),
    )
    rows = tuple(
        (
            event.at,
            labels.get(event.push_id) if event.push_id else None,
            event.event,
            event.from_state.value if event.from_state else None,
            event.to_state.value if event.to_state else None,
            jsontext.dumps(dict(event.facts)) if event.facts else None,
        )
        for event in events
    )
    return Table("events", columns, rows, title="Events")


def _instant(at: dt.datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def count_words(counts: Mapping[State, int]) -> str:
    """Count the six end states in words, leaving out the empty ones: `4 in the books, 1 held`."""
    said = [f"{counts[state]} {STATE_WORDS[state]}" for state in END_STATES if counts.get(state)]
    return ", ".join(said) or "no documents"


def _run_row(run: RunSummary) -> tuple[Cell, ...]:
    header = run.header
    return (
        run.id,
        run.started_at,
        run.ended_at,
        header.command,
        header.source,
        header.profile,
        header.company_name,
        header.company,
        header.platform_name,
        run.exit_code,
        count_words(run.counts),
        *(run.counts.get(state, 0) for state in END_STATES),
    )


def _planned_row(document: PlannedDocument) -> tuple[Cell, ...]:
    known = document.known
    words = {
        Disposition.SEND: "to be sent",
        Disposition.HELD: "held",
        Disposition.DONE: "already in the books",
        Disposition.UNDER_WAY: "under way since an earlier run",
    }[document.disposition]
    holds = document.holds
    messages = list(dict.fromkeys(finding.message for finding in holds))
    return (
        document.identity.source_id,
        document.label,
        document.customer,
        document.date,
        Money(document.total, document.currency),
        document.disposition.value,
        words,
        known.record_id if known else None,
        None,
        None,
        holds[0].code if holds else None,
        "; ".join(messages) or None,
        _first_of(messages),
        known.run_id if known else None,
    )


def _item_row(item: RunItem) -> tuple[Cell, ...]:
    if item.disposition is Disposition.DONE:
        return _push_row(item.push, "done", "already in the books", item.push.run_id)
    if item.state is not item.push.state:  # another version of a finished document was held
        first = item.findings[0] if item.findings else {}
        row = _push_row(item.push, item.state.value, STATE_WORDS[item.state], item.push.run_id)
        return (*row[:-4], first.get("code"), first.get("message"), first.get("message"), row[-1])
    return _push_row(item.push, item.state.value, STATE_WORDS[item.state], None)


def _push_row(push: Push, state: str, words: str, earlier_run: str | None) -> tuple[Cell, ...]:
    return (
        push.identity.source_id,
        push.label,
        push.customer,
        push.date,
        Money(push.total, push.currency),
        state,
        words,
        push.record_id,
        push.operation_key,
        push.correlation_id,
        push.cause_code,
        push.cause_text,
        push.cause_text,
        earlier_run,
    )


def _first_of(messages: Sequence[str]) -> str | None:
    """Give the first of several reasons, and how many more there are: the list above the table has them all."""
    if not messages:
        return None
    return messages[0] if len(messages) == 1 else f"{messages[0]} (and {len(messages) - 1} more)"


def _cause(finding: Finding) -> tuple[object, ...]:
    """What findings of one code have in common when only their rows differ."""
    place = finding.place
    return finding.message, (place.source, place.column) if place else None


def _finding_line(same: Sequence[Finding]) -> str:
    first = same[0]
    where = f"{first.place}: " if first.place else ""
    places = [finding.place for finding in same[1:4] if finding.place]
    rest = len(same) - 1 - len(places)
    further = [", ".join(place.path or f"line {place.row}" for place in places)] if places else []
    further += [f"{rest:,} more"] if rest else []
    also = f"; also on {' and '.join(further)}" if further else ""
    return f"  {first.severity.value}: {where}{first.message}{also}  [{first.code}]"


def _amounts(amounts: Mapping[Any, Any]) -> list[dict[str, str]]:
    return [{"amount": f"{amount:f}", "currency": currency} for currency, amount in sorted(amounts.items())]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
