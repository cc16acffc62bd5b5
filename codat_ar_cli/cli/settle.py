"""`codat-ar settle`: find out what became of documents in doubt; decide what can't be found out."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.errors import CodatArError

if TYPE_CHECKING:
    from codat_ar_cli.domain.settling import Settled, SettleReport
    from codat_ar_cli.flows.prepare import Destination
    from codat_ar_cli.flows.push import Finished


class BadAdoption(CodatArError):
    """What follows `--adopt` is not of the form REF=RECORD_ID."""

    code = "usage.bad-adoption"

    def __init__(self, text: str) -> None:
        super().__init__(f"`{text}` names no record; expected REF=RECORD_ID", hint="--adopt INV-1=RECORD_ID")


def settle(
    ctx: typer.Context,
    resend: Annotated[
        list[str] | None,
        typer.Option("--resend", metavar="REF", help="You looked: it is not in the books. The next push sends it."),
    ] = None,
    adopt: Annotated[
        list[str] | None,
        typer.Option("--adopt", metavar="REF=RECORD_ID", help="You looked: it is this record of the books."),
    ] = None,
    wait: Annotated[
        int, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for outcomes and syncs.")
    ] = 600,
) -> None:
    """Ask Codat and the books what became of documents in doubt. Sends nothing that was not sent before.

    REF is an invoice number, a payment id or a push id.
    """
    raise typer.Exit(_settle(ctx.obj, resend or [], adopt or [], wait))


def _settle(session: Session, resend: list[str], adopt: list[str], wait: int) -> int:
    from codat_ar_cli.cli.pushing import company_held, destination_of
    from codat_ar_cli.domain.settling import SettleReport

    adoptions = [_read_adoption(text) for text in adopt]
    destination = destination_of(session, {})
    session.console.note(f"{destination.company_name} on {destination.platform_name} (profile {destination.profile})")
    with company_held(session, destination):
        finished = _finish(session, destination, wait)
        report = finished.settling if finished else SettleReport(())
        for ref in resend:
            report = _decide_resend(session, report, ref)
        for ref, record in adoptions:
            report = _decide_adopt(session, report, ref, record)
    return _show(session, destination, finished, report)


def _read_adoption(text: str) -> tuple[str, str]:
    ref, equals, record = text.partition("=")
    if not (ref and equals and record):
        raise BadAdoption(text)
    return ref, record


def _finish(session: Session, destination: "Destination", wait: int) -> "Finished | None":
    import datetime as dt

    from codat_ar_cli.flows.push import finish_sent

    async def work() -> "Finished | None":
        async with session.client() as client:
            return await finish_sent(
                destination,
                client=client,
                ledger=session.ledger,
                wait=dt.timedelta(seconds=wait),
                clock=session.clock,
                on_progress=lambda step: bar.show(f"asking after {step.total} documents"),
                on_settling=bar.show,
            )

    with session.console.progress(None, "Settling") as bar:
        return session.run_async(work())


def _decide_resend(session: Session, report: "SettleReport", ref: str) -> "SettleReport":
    from codat_ar_cli.flows import decide

    one = decide.find(report, ref)
    if not _is_open(session, one):
        return report
    decide.check_resend(session.ledger, one, session.clock())
    _tell(session, one)
    session.console.confirm(f"Send {one.push.label} again with the next push? If it is in the books, it will be twice")
    return _with(report, decide.resend(session.ledger, one))


def _decide_adopt(session: Session, report: "SettleReport", ref: str, record: str) -> "SettleReport":
    from codat_ar_cli.domain.ids import RecordId
    from codat_ar_cli.flows import decide

    one, record_id = decide.find(report, ref), RecordId(record)
    if not _is_open(session, one):
        return report

    async def check() -> None:
        async with session.client() as client:
            await decide.check_adopt(client, session.ledger, one, record_id)

    session.run_async(check())
    _tell(session, one)
    session.console.confirm(f"Take record {record} as {one.push.label}?")
    return _with(report, decide.adopt(session.ledger, one, record_id))


def _is_open(session: Session, one: "Settled") -> bool:
    """Tell whether there is still something to decide; say so where reading has decided it."""
    from codat_ar_cli.domain.lifecycle import State
    from codat_ar_cli.reports.pushing import STATE_WORDS

    if one.push.state is State.IN_DOUBT:
        return True
    session.console.note(f"{one.push.label} is no longer in doubt: {STATE_WORDS[one.push.state]}")
    return False


def _tell(session: Session, one: "Settled") -> None:
    from codat_ar_cli.reports.settling import about

    for line in about(one):
        session.console.note(line)


def _with(report: "SettleReport", decided: "Settled") -> "SettleReport":
    from dataclasses import replace

    settled = tuple(decided if one.push.id == decided.push.id else one for one in report.settled)
    return replace(report, settled=settled)


def _show(session: Session, destination: "Destination", finished: "Finished | None", report: "SettleReport") -> int:
    from codat_ar_cli.cli.show import drawn
    from codat_ar_cli.errors import most_urgent
    from codat_ar_cli.flows.execute import codes_of
    from codat_ar_cli.reports import settling
    from codat_ar_cli.reports.pushing import count_words
    from codat_ar_cli.reports.render import wrap

    console, shown = session.console, settling.settled(report)
    pushes = finished.outcome.pushes if finished else ()
    states = [session.ledger.push(push.id).state for push in pushes]
    stopped = finished.outcome.stopped_by if finished else None
    code = most_urgent([*codes_of(states), *([stopped.exit_code] if stopped else [])])

    def human() -> None:
        console.print(drawn(console, shown))
        if pushes:
            console.print(f"\n{count_words(Counter(states))}")
        for line in settling.open_lines(report):
            console.print(wrap(line, console.width))

    payload: dict[str, Any] = {
        "schema": "codat-ar/settle/1",
        "profile": destination.profile,
        "company": {"id": destination.company, "name": destination.company_name},
        "platform": destination.platform_name,
        "connection": destination.connection,
        "documents": settling.documents_json(report),
        "counts": settling.counts_json(states),
        "stopped_by": stopped and {"code": stopped.code, "message": stopped.message, "hint": stopped.hint},
        "exit_code": int(code),
    }
    console.result(payload, human)
    if stopped is not None:
        console.warn(f"stopped early: {stopped.message}" + (f"\n  hint: {stopped.hint}" if stopped.hint else ""))
    if settling.is_to_be_sent(report):
        console.note("What is not in the books goes out with the next push to this company.")
    return code
