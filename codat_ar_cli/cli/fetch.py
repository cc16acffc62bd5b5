"""`codat-ar fetch`: reference data from Codat into the local cache."""

from typing import TYPE_CHECKING, Annotated

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.domain.types import DataType
from codat_ar_cli.errors import CodatArError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codat_ar_cli.domain.fetched import FetchReport
    from codat_ar_cli.flows.sync import FetchProgress
    from codat_ar_cli.reports.model import Report

FETCHABLE = (
    "company accounts bankAccounts taxRates trackingCategories items paymentMethods customers suppliers "
    "invoices payments creditNotes"
).split()
"""Names of what can be fetched, as people type them; case, `-` and `_` do not matter."""

DAY = 24 * 60 * 60
"""Seconds; nobody waits longer, and a number without end is a slip."""


class UnknownDataType(CodatArError):
    """No such data type, or none that can be fetched."""

    code = "fetch.unknown-type"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"`{name}` is no data type that can be fetched; expected {', '.join(FETCHABLE)}",
            hint="codat-ar fetch accounts taxRates",
            details={"type": name, "known": list(FETCHABLE)},
        )


def fetch(
    ctx: typer.Context,
    types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TYPE]...", help=f"What to fetch, and show: {', '.join(FETCHABLE)}.", show_default=False
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Have Codat read the books anew first, and wait for it.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changed since the last fetch.")] = False,
    wait: Annotated[
        int, typer.Option("--wait", metavar="SECONDS", min=0, max=DAY, help="How long --refresh waits.")
    ] = 600,
) -> None:
    """Read reference data from Codat into the local cache.

    Without TYPE: everything that mapping and checking need, as counts and ages. With TYPE: its records too; with
    --diff, what changed instead.
    """
    from codat_ar_cli.cli.show import show

    session: Session = ctx.obj
    wanted = data_types(types or ())
    report = run_fetch(session, wanted, refresh=refresh, diff=diff, wait=wait)
    shown = view(session, report, with_records=bool(wanted) and not diff)
    show(session.console, shown, schema="codat-ar/fetch/1", at=report.at, connection=report.connection, **session.whose)
    raise typer.Exit(report.exit_code)


def data_types(names: "Sequence[str]") -> "tuple[DataType, ...]":
    """Read type names as people write them: `bank-accounts`, `chartOfAccounts`. Raises UnknownDataType."""
    known = {_fold(name): DataType(_WIRE_NAMES.get(name, name)) for name in FETCHABLE}
    known |= {_fold(data_type.value): data_type for data_type in known.values()}
    known |= {_fold(data_type.label): data_type for data_type in known.values()}
    for name in names:
        if _fold(name) not in known:
            raise UnknownDataType(name)
    return tuple(dict.fromkeys(known[_fold(name)] for name in names))


def view(session: Session, report: "FetchReport", *, with_records: bool) -> "Report":
    """Make the report to show, with the cached records of each type where they were asked for."""
    from codat_ar_cli.domain.types import DataType
    from codat_ar_cli.flows.reference import cached_invoices, load_reference
    from codat_ar_cli.reports import views

    if not with_records:
        return views.fetch(report)
    invoiced = any(each.data_type is DataType.INVOICES and each.fetched_at for each in report.outcomes)
    ledger, company, connection = session.ledger, report.company, report.connection
    invoices = cached_invoices(ledger, company=company, connection=connection) if invoiced else ()
    reference = load_reference(ledger, company=company, connection=connection)
    return views.fetch(report, reference=reference, invoices=invoices)


_WIRE_NAMES = {"accounts": DataType.ACCOUNTS.value}


def _fold(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def run_fetch(session: Session, wanted: "Sequence[DataType]", *, refresh: bool, diff: bool, wait: int) -> "FetchReport":
    """Fetch with a progress display; `wanted` empty: everything that mapping and checking need. `wait`: seconds."""
    import datetime as dt

    from codat_ar_cli.flows.fetch import REFERENCE_TYPES
    from codat_ar_cli.flows.fetch import fetch as fetch_all

    profile, types = session.profile, wanted or REFERENCE_TYPES
    ledger = session.ledger

    async def work() -> "FetchReport":
        async with session.client() as client:
            return await fetch_all(
                client,
                ledger,
                company=profile.company_id,
                connection=profile.connection_id,
                types=types,
                refresh=refresh,
                clock=session.clock,
                on_progress=step,
                diff=diff,
                wait=dt.timedelta(seconds=wait),
            )

    with session.console.progress(len(types), f"Reading from {profile.company_name}") as bar:

        def step(progress: "FetchProgress") -> None:
            bar.show(describe(progress))
            if progress.phase.value == "done":
                bar.advance()

        return session.run_async(work())


def describe(progress: "FetchProgress") -> str:
    """Say in a few words what is going on, for a progress display."""
    words = {
        "queued": "asking Codat to read the books",
        "syncing": "Codat reads the books" + (f", {progress.percent} %" if progress.percent else ""),
        "reading": f"reading, {progress.records:,} so far" if progress.records else "reading",
        "done": "done",
    }
    detail = f" ({progress.detail})" if progress.detail else ""
    return f"{progress.data_type.label}: {words[progress.phase.value]}{detail}"
