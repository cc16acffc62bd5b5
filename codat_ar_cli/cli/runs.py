"""`codat-ar runs`: what was pushed, when, and where each document stands today."""

from typing import Annotated

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.cli.show import show

app = typer.Typer(no_args_is_help=True, help="Look at past runs and their documents.")


@app.command("list")
def list_runs(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """List runs, newest first, with where their documents stand today."""
    from codat_ar_cli.reports.pushing import runs

    session: Session = ctx.obj
    show(session.console, runs(session.ledger.runs(limit=limit)), schema="codat-ar/runs-list/1")


@app.command("show")
def show_run(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as `runs list` shows it.")],
    events: Annotated[bool, typer.Option("--events", help="Every event of the run as well.")] = False,
) -> None:
    """Show one run: its file, its totals, and each document with its outcome, ids and cause."""
    from codat_ar_cli.domain.ids import RunId
    from codat_ar_cli.reports.pushing import run_detail

    session: Session = ctx.obj
    ledger, run_id = session.ledger, RunId(run)
    summary, items = ledger.run(run_id), ledger.items(run_id)
    story = ledger.events(run_id) if events else ()
    show(session.console, run_detail(summary, items, story), schema="codat-ar/runs-show/1")
