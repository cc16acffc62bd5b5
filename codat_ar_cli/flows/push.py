"""A prepared plan → ledger → push → outcome: what `push` does after the question was answered (design D1)."""

import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.planned import Disposition, Plan
from codat_ar_cli.domain.pushes import Push, RunHeader, RunItem
from codat_ar_cli.domain.settling import SettleReport
from codat_ar_cli.domain.types import RunId
from codat_ar_cli.errors import ExitCode, most_urgent
from codat_ar_cli.flows.execute import Progress, RunOutcome, codes_of, execute
from codat_ar_cli.flows.prepare import Destination, Prepared
from codat_ar_cli.flows.settle import settle, unread
from codat_ar_cli.flows.workload import LEAST_PATIENCE

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger

DEFAULT_WAIT = dt.timedelta(minutes=10)
"""How long outcomes are waited for after the last document was sent (design D10)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """One run, ended: its documents in file order with their outcome."""

    run_id: RunId
    items: tuple[RunItem, ...]
    outcome: RunOutcome


def is_refused(plan: Plan, *, partial: bool) -> bool:
    """Tell whether the file has errors that keep all of it from being sent."""
    return not partial and any(finding.severity is Severity.ERROR for finding in plan.all_findings)


def has_work(plan: Plan) -> bool:
    """Tell whether a run would send, or resume, anything of this plan."""
    return any(one.disposition in {Disposition.SEND, Disposition.UNDER_WAY} for one in plan.documents)


def exit_code_of_plan(plan: Plan, *, partial: bool) -> ExitCode:
    """Give the exit code of a plan that is not carried out."""
    if is_refused(plan, partial=partial):
        return ExitCode.USAGE
    held = any(one.disposition is Disposition.HELD for one in plan.documents)
    broken = any(finding.severity is Severity.ERROR for finding in plan.findings)
    return ExitCode.FINDINGS if held or broken else ExitCode.DONE


def waiting(ledger: "Ledger", destination: Destination, plan: Plan) -> int:
    """Count documents that earlier runs planned and never sent, and that this plan does not plan anew.

    They go out with the next run, whatever its file (design D10), so the person who confirms must know.
    """
    unfinished = _unfinished(ledger, destination)
    planned_anew = {document.identity for document in plan.documents}
    return sum(push.state is State.PLANNED and push.identity not in planned_anew for push in unfinished)


async def apply(
    prepared: Prepared,
    *,
    client: "CodatClient",
    ledger: "Ledger",
    command: str,
    wait: dt.timedelta,
    clock: Callable[[], dt.datetime],
    on_progress: Callable[[Progress], None],
    stop: anyio.Event,
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
) -> Pushed:
    """Write the plan to the ledger and carry it out, with what earlier runs of this connection left unfinished.

    The caller holds the company. Raises LedgerError subclasses; what happens to a document is in the outcome.
    """
    destination = prepared.destination
    run_id = ledger.begin_run(_header(prepared, command))
    ledger.record_plan(run_id, prepared.plan)
    outcome = await execute(
        ledger,
        client,
        api_host=destination.api_host,
        company=destination.company,
        connection=destination.connection,
        run_id=run_id,
        wait=wait,
        clock=clock,
        sleep=sleep,
        on_progress=on_progress,
        stop=stop,
    )
    return Pushed(run_id, tuple(ledger.items(run_id)), outcome)


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of the documents that earlier runs had sent."""

    outcome: RunOutcome
    """As they stand after settling."""
    settling: SettleReport
    """Of those that were in doubt when everything else was tried."""


async def finish_sent(
    destination: Destination,
    *,
    client: "CodatClient",
    ledger: "Ledger",
    wait: dt.timedelta,
    clock: Callable[[], dt.datetime],
    on_progress: Callable[[Progress], None],
    on_settling: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> Finished | None:
    """Learn what became of documents that earlier runs sent, before a new plan refers to them; None: none are out.

    First what needs no more than asking again: operations, and keys that still live. What is in doubt then is
    settled by reading the books. Sends nothing that was not sent before: what is only planned waits for the new
    plan, which may change it.
    """
    if all(push.state is State.PLANNED for push in _unfinished(ledger, destination)):
        return None
    outcome = await execute(
        ledger,
        client,
        api_host=destination.api_host,
        company=destination.company,
        connection=destination.connection,
        run_id=None,
        wait=wait,
        clock=clock,
        sleep=sleep,
        on_progress=on_progress,
        send_planned=False,
    )
    if outcome.stopped_by is not None:
        settling = unread(outcome.pushes, outcome.stopped_by)
    else:
        settling = await settle(
            client,
            ledger,
            api_host=destination.api_host,
            company=destination.company,
            connection=destination.connection,
            clock=clock,
            sleep=sleep,
            on_progress=on_settling,
            wait=max(wait, LEAST_PATIENCE),
        )
    return Finished(_as_it_stands(ledger, outcome, settling), settling)


def _as_it_stands(ledger: "Ledger", outcome: RunOutcome, settling: SettleReport) -> RunOutcome:
    """Give an outcome anew, after settling has moved some of its documents."""
    pushes = tuple(ledger.push(push.id) for push in outcome.pushes)
    counts = Counter(push.state for push in pushes)
    stopped_by = outcome.stopped_by or settling.stopped_by
    codes = [*codes_of(counts), *([stopped_by.exit_code] if stopped_by else ())]
    return replace(
        outcome,
        counts={state: counts[state] for state in outcome.counts},
        pushes=pushes,
        exit_code=most_urgent(codes),
        stopped_by=stopped_by,
    )


def _unfinished(ledger: "Ledger", destination: Destination) -> list[Push]:
    return ledger.unfinished(
        api_host=destination.api_host, company=destination.company, connection=destination.connection
    )


def left_elsewhere(ledger: "Ledger", earlier: Finished | None, plan: Plan) -> list[Push]:
    """Give what earlier runs had under way and this plan does not hold, as it stands now."""
    planned = {document.identity for document in plan.documents}
    pushes = () if earlier is None else earlier.outcome.pushes
    return [ledger.push(push.id) for push in pushes if push.identity not in planned]


def _header(prepared: Prepared, command: str) -> RunHeader:
    destination = prepared.destination
    return RunHeader(
        command=command,
        profile=destination.profile,
        api_host=destination.api_host,
        company=destination.company,
        company_name=destination.company_name,
        connection=destination.connection,
        platform_key=destination.platform_key,
        platform_name=destination.platform_name,
        data_type=prepared.order.data_type,
        source=prepared.table.name,
        source_sha256=prepared.table.sha256,
        totals={currency: f"{amount:f}" for currency, amount in sorted(prepared.plan.totals.amounts.items())},
    )
