"""The conversation around a push: plan shown, question asked, progress, outcome, rejects. No rule lives here."""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import anyio

from codat_ar_cli.cli.session import Session
from codat_ar_cli.cli.show import drawn
from codat_ar_cli.domain import money
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition
from codat_ar_cli.domain.pushes import Push
from codat_ar_cli.domain.types import Currency, DataType
from codat_ar_cli.errors import CodatArError, ExitCode, most_urgent
from codat_ar_cli.flows import push as flow
from codat_ar_cli.flows.execute import Progress, codes_of
from codat_ar_cli.flows.prepare import Destination, Order, Prepared, Workshop, prepare
from codat_ar_cli.flows.reject import write_rejects_of
from codat_ar_cli.reports import pushing as reports
from codat_ar_cli.reports import settling
from codat_ar_cli.reports.model import Report
from codat_ar_cli.reports.render import table_to_json, wrap

SHOWN_BODIES = 10
"""How many bodies a dry run writes out for people before it counts the rest; machines get all."""


class BadRate(CodatArError):
    """An exchange rate on the command line is not of the form CUR=RATE."""

    code = "usage.bad-rate"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"`{text}` is no exchange rate; expected a currency code and what one unit is worth in the base currency",
            hint="--rate EUR=0.8569",
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One `push` as typed."""

    data_type: DataType
    file: Path
    source: str
    dry_run: bool
    partial: bool
    rejects: Path | None
    wait: int
    overpayment_on_account: bool = False

    @property
    def command(self) -> str:
        """As the ledger names it."""
        return f"push {self.data_type.value}"


def push(session: Session, request: Request, *, rates: Sequence[str]) -> ExitCode:
    """Carry one `push` through, from the file to the result; gives the exit code."""
    destination = destination_of(session, _read_rates(rates))
    with nullcontext() if request.dry_run else company_held(session, destination):
        earlier, prepared = _prepare(session, request, destination)
        refused = flow.is_refused(prepared.plan, partial=request.partial)
        if request.dry_run or refused or not flow.has_work(prepared.plan):
            elsewhere = flow.left_elsewhere(session.ledger, earlier, prepared.plan)
            return _show_plan(session, request, prepared, elsewhere, refused=refused)
        _ask(session, prepared)
        pushed = _apply(session, request, prepared)
        elsewhere = flow.left_elsewhere(session.ledger, earlier, prepared.plan)
    return _show_outcome(session, request, prepared, pushed, elsewhere)


def destination_of(session: Session, rates: Mapping[Currency, Decimal]) -> Destination:
    """Say where the chosen profile's documents go."""
    profile = session.profile
    return Destination(
        profile=profile.name,
        api_host=session.api_host,
        company=profile.company_id,
        company_name=profile.company_name,
        connection=profile.connection_id,
        platform_key=profile.platform_key,
        platform_name=profile.platform_name,
        mapping=profile.mapping,
        rates={**profile.rates, **rates},
    )


def _read_rates(texts: Sequence[str]) -> dict[Currency, Decimal]:
    rates: dict[Currency, Decimal] = {}
    for text in texts:
        code, _, number = text.partition("=")
        try:
            rate = money.parse_amount(number.strip())
        except money.AmountError:
            raise BadRate(text) from None
        if not money.is_currency(code.strip().upper()) or rate <= 0:
            raise BadRate(text)
        rates[Currency(code.strip().upper())] = rate
    return rates


def company_held(session: Session, destination: Destination) -> Any:
    """Hold the company while the block runs; another process that writes to it is refused (exit 7)."""
    from codat_ar_cli.ledger.lease import hold_company

    return hold_company(session.state_dir, destination.api_host, destination.company)


def _prepare(session: Session, request: Request, destination: Destination) -> tuple[flow.Finished | None, Prepared]:
    """Learn what became of what earlier runs sent, to which a new plan may refer; then plan."""
    order = Order(
        data_type=request.data_type,
        path=request.file,
        today=session.clock().astimezone().date(),
        source_system=request.source,
        partial=request.partial,
        overpayment_on_account=request.overpayment_on_account,
    )

    async def work() -> tuple[flow.Finished | None, Prepared]:
        async with session.client() as client:
            earlier = None
            if not request.dry_run:
                earlier = await flow.finish_sent(
                    destination,
                    client=client,
                    ledger=session.ledger,
                    wait=dt.timedelta(seconds=request.wait),
                    clock=session.clock,
                    on_progress=lambda step: bar.show(f"earlier runs: {_ended(step)} of {step.total} finished"),
                    on_settling=lambda step: bar.show(f"settling what is in doubt: {step}"),
                )
                _tell_earlier(session, earlier)
            workshop = Workshop(client, session.ledger, session.clock)
            workshop = replace(workshop, on_progress=lambda step: bar.show(f"{step.data_type.label}: {step.phase}"))
            return earlier, await prepare(order, destination, workshop)

    with session.console.progress(None, f"Checking {request.file.name}") as bar:
        return session.run_async(work())


def _tell_earlier(session: Session, earlier: flow.Finished | None) -> None:
    if earlier is not None:
        session.console.note(f"Earlier runs had documents under way; they are now: {_states(earlier.outcome.counts)}")
        for line in reports.unhappy(earlier.outcome.pushes):
            session.console.note(line)
        for line in settling.decisions(earlier.settling):
            session.console.note(line)


def _apply(session: Session, request: Request, prepared: Prepared) -> flow.Pushed:
    number = len(prepared.plan.to_send)

    async def work(stop: anyio.Event) -> flow.Pushed:
        async with session.client() as client:
            return await flow.apply(
                prepared,
                client=client,
                ledger=session.ledger,
                command=request.command,
                wait=dt.timedelta(seconds=request.wait),
                clock=session.clock,
                on_progress=step,
                stop=stop,
            )

    with session.console.progress(number, f"Pushing {request.data_type.label}") as bar:

        def step(progress: Progress) -> None:
            bar.show(completed=_ended(progress), total=progress.total)

        return session.run_async(work)


def _ended(progress: Progress) -> int:
    return sum(number for state, number in progress.counts.items() if state not in _OPEN)


_OPEN = frozenset({State.PLANNED, State.SENDING, State.PENDING})


def _ask(session: Session, prepared: Prepared) -> None:
    destination, plan = prepared.destination, prepared.plan
    _show_before(session, prepared)
    held = sum(one.disposition is Disposition.HELD for one in plan.documents)
    done = sum(one.disposition is Disposition.DONE for one in plan.documents)
    for number, words in ((held, "held, see above"), (done, "already in the books")):
        if number:
            session.console.note(f"{number} of {len(plan.documents)} {words}; not sent")
    sent, parts = plan.to_send, []
    if sent:
        label = prepared.order.data_type.label
        many = label if len(sent) != 1 else label.removesuffix("s")
        parts.append(f"{len(sent)} {many}, {reports.money_to_send(sent)}")
    if waiting := flow.waiting(session.ledger, destination, plan):
        parts.append(f"first {waiting} that earlier runs left unsent")
    where = f"{destination.company_name} on {destination.platform_name} (profile {destination.profile})"
    if parts:
        session.console.confirm(f"Send {', and '.join(parts)}, to {where}?")


def _show_before(session: Session, prepared: Prepared) -> None:
    console, destination = session.console, prepared.destination
    console.note(f"To {destination.company_name} on {destination.platform_name} (profile {destination.profile})")
    console.note(f"Read {prepared.table.name}: {reports.control_totals(prepared.plan.totals)}")
    for line in reports.findings_for_people(prepared.plan.all_findings):
        console.note(line)


def _show_plan(
    session: Session, request: Request, prepared: Prepared, elsewhere: Sequence[Push], *, refused: bool
) -> ExitCode:
    """Show a plan that is not carried out; gives the exit code."""
    from codat_ar_cli.domain import jsontext

    console, plan = session.console, prepared.plan
    code = flow.exit_code_of_plan(plan, partial=request.partial)
    code = most_urgent([code, *codes_of(push.state for push in elsewhere)])
    rejects = None
    if not request.dry_run and not refused:
        rejects = write_rejects_of(prepared, path=request.rejects, fallback=session.state_dir)
    _show_before(session, prepared)
    report = reports.planned(plan)
    payload = _payload(request, prepared, report, code, rejects=rejects)
    bodies = {one.identity.source_id: one.body for one in plan.to_send}
    if request.dry_run:
        for row in payload["documents"]:
            row["body"] = bodies.get(row["id"])  # the exact text: as JSON values its numbers would be respelt

    def human() -> None:
        if not refused:  # else the findings have said it all, each with its place
            console.print(f"{drawn(console, report)}\n")
        if request.dry_run:
            for source_id, text in islice(bodies.items(), SHOWN_BODIES):
                console.print(source_id)
                console.print(f"{jsontext.dumps_pretty(jsontext.loads(text or '{}'))}\n")
            if len(bodies) > SHOWN_BODIES:
                console.print(f"… and {len(bodies) - SHOWN_BODIES:,} more bodies; all of them with --json\n")
        console.print(wrap(_verdict(prepared, request, refused=refused), console.width))

    console.result(payload, human)
    _tell_rejects(session, rejects)
    if not request.dry_run and (waiting := flow.waiting(session.ledger, prepared.destination, plan)):
        console.note(f"{waiting} documents of earlier runs are still unsent: push their files again")
    return code


def _tell_rejects(session: Session, rejects: Path | None) -> None:
    if rejects is not None:
        session.console.note(f"Rows that were not pushed, with the reason: {rejects}")


def _verdict(prepared: Prepared, request: Request, *, refused: bool) -> str:
    plan = prepared.plan
    if refused:
        errors = sum(finding.severity is Severity.ERROR for finding in plan.all_findings)
        many = "an error" if errors == 1 else f"{errors:,} errors"
        return f"Nothing was sent: the file has {many}. Correct the file, or send the good documents with --partial."
    if request.dry_run:
        return f"Dry run: {len(plan.to_send)} of {len(plan.documents)} documents would be sent; nothing was."
    done = sum(one.disposition is Disposition.DONE for one in plan.documents)
    held = len(plan.documents) - done
    parts = [f"{done} already in the books" if done else "", f"{held} held" if held else ""]
    return f"Nothing to send: {', '.join(part for part in parts if part) or 'no documents'}."


def _show_outcome(
    session: Session, request: Request, prepared: Prepared, pushed: flow.Pushed, elsewhere: Sequence[Push]
) -> ExitCode:
    console, outcome = session.console, pushed.outcome
    report = reports.outcome(pushed.items)
    rejects = write_rejects_of(prepared, pushed.items, path=request.rejects, fallback=session.state_dir)
    held = bool(prepared.broken) or any(item.disposition is Disposition.HELD for item in pushed.items)
    codes = [outcome.exit_code, *codes_of(push.state for push in elsewhere)]
    code = most_urgent([*codes, ExitCode.FINDINGS] if held else codes)
    payload = _payload(request, prepared, report, code, pushed=pushed, rejects=rejects)
    stopped = outcome.stopped_by
    if stopped is not None:
        payload["stopped_by"] = {"code": stopped.code, "message": stopped.message, "hint": stopped.hint}

    def human() -> None:
        console.print(drawn(console, report))
        console.print(f"\n{_states(outcome.counts)}; run {pushed.run_id}")

    console.result(payload, human)
    if outcome.resumed:
        console.note(f"Documents of earlier runs: {_states(outcome.resumed)}")
    if stopped is not None:
        console.warn(
            f"stopped early: {stopped.message}  [{stopped.code}]"
            + (f"\n  hint: {stopped.hint}" if stopped.hint else "")
        )
    _tell_rejects(session, rejects)
    doubts = outcome.counts.get(State.IN_DOUBT, 0)
    if doubts:
        what = "1 document" if doubts == 1 else f"{doubts} documents"
        console.warn(
            f"{what} may or may not be in the books, and not sent again: look there before entering them by hand;"
            " the next run, or `codat-ar settle`, finds out what it can"
        )
    if code is ExitCode.UNFINISHED:
        console.note("Not finished yet: run the same command again; nothing is sent twice.")
    return code


def _payload(
    request: Request,
    prepared: Prepared,
    report: Report,
    code: ExitCode,
    *,
    pushed: flow.Pushed | None = None,
    rejects: Path | None = None,
) -> dict[str, Any]:
    destination = prepared.destination
    counts = pushed.outcome.counts if pushed else {}
    return {
        "schema": "codat-ar/push/1",
        "command": request.command,
        "dry_run": request.dry_run,
        "profile": destination.profile,
        "company": {"id": destination.company, "name": destination.company_name},
        "connection": destination.connection,
        "platform": destination.platform_name,
        "source": {"file": prepared.table.name, "sha256": prepared.table.sha256},
        "totals": reports.totals_json(prepared.plan.totals),
        "run": pushed.run_id if pushed else None,
        "counts": {state.value: counts.get(state, 0) for state in reports.END_STATES},
        "documents": table_to_json(report.tables[0]),
        "findings": [reports.finding_json(finding) for finding in prepared.plan.all_findings],
        "rejects_file": None if rejects is None else str(rejects),
        "exit_code": int(code),
    }


def _states(counts: Any) -> str:
    return reports.count_words(counts)
