"""`codat-ar push`: documents from a file into the books, each exactly once."""

from pathlib import Path
from typing import Annotated

import typer

from codat_ar_cli.cli.session import Session
from codat_ar_cli.domain.ids import DataType

app = typer.Typer(no_args_is_help=True, help="Create invoices and payments from a file, each exactly once.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON; see docs/file-formats.md.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show exactly what would be sent; send nothing.")]
Partial = Annotated[bool, typer.Option("--partial", help="Send the good documents of a file with errors.")]
Wait = Annotated[
    int, typer.Option("--wait", metavar="SECONDS", min=0, max=86_400, help="How long to wait for outcomes.")
]
Source = Annotated[str, typer.Option("--source", metavar="NAME", help="The system that the ids in FILE come from.")]
Rejects = Annotated[
    Path | None, typer.Option("--rejects", metavar="FILE", help="Where rows that were not pushed go, with the reason.")
]
Rate = Annotated[
    list[str] | None,
    typer.Option("--rate", metavar="CUR=RATE", help="Base currency per one unit of CUR, as in EUR=0.8569."),
]


@app.command("invoices")
def invoices(
    ctx: typer.Context,
    file: FileArgument,
    dry_run: DryRun = False,
    partial: Partial = False,
    rate: Rate = None,
    source: Source = "file",
    rejects: Rejects = None,
    wait: Wait = 600,
) -> None:
    """Create one invoice per document in FILE. Safe to repeat: nothing is sent twice."""
    from codat_ar_cli.cli.pushing import Request, push

    session: Session = ctx.obj
    request = Request(DataType.INVOICES, file, source, dry_run=dry_run, partial=partial, rejects=rejects, wait=wait)
    raise typer.Exit(push(session, request, rates=rate or ()))


@app.command("payments")
def payments(
    ctx: typer.Context,
    file: FileArgument,
    dry_run: DryRun = False,
    partial: Partial = False,
    overpayment_on_account: Annotated[
        bool, typer.Option("--overpayment-on-account", help="Put what exceeds an invoice's amount due on account.")
    ] = False,
    rate: Rate = None,
    source: Source = "file",
    rejects: Rejects = None,
    wait: Wait = 600,
) -> None:
    """Record one payment per receipt in FILE, against invoices or on account. Safe to repeat."""
    from codat_ar_cli.cli.pushing import Request, push

    session: Session = ctx.obj
    request = Request(
        DataType.PAYMENTS,
        file,
        source,
        dry_run=dry_run,
        partial=partial,
        rejects=rejects,
        wait=wait,
        overpayment_on_account=overpayment_on_account,
    )
    raise typer.Exit(push(session, request, rates=rate or ()))
