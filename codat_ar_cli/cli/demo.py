"""`codat-ar demo`: the whole road on invented data, on this machine only."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codat_ar_cli.cli.session import Session

if TYPE_CHECKING:
    from codat_ar_cli.flows.demo import DemoResult
    from codat_ar_cli.reports.model import Report


def demo(
    ctx: typer.Context,
    parent: Annotated[
        Path, typer.Option("--in", metavar="DIR", help="Where the demo's own folder is made.", file_okay=False)
    ] = Path(),
) -> None:
    """See the whole road on invented data, on this machine only.

    Starts the bundled sandbox, connects, fetches, maps, pushes invoices and payments, and reads the books back,
    all in a new folder `codat-ar-demo-N`. Your own config and ledger are neither read nor written.
    """
    from codat_ar_cli.cli.signals import raising
    from codat_ar_cli.flows.demo import new_folder, run_demo

    session: Session = ctx.obj
    program, shown_as = _program()
    folder = new_folder(parent)
    today = session.clock().astimezone().date()
    with raising():
        result = run_demo(folder, today=today, program=program, shown_as=shown_as, say=session.console.note)
    _show(session, result)


def _show(session: Session, result: "DemoResult") -> None:
    from codat_ar_cli.cli.show import drawn
    from codat_ar_cli.reports.demo import demo_report
    from codat_ar_cli.reports.render import to_json

    report: Report = demo_report(result.invoices, result.on_account, result.held_on_xero)
    console = session.console
    payload = {
        "schema": "codat-ar/demo/1",
        "folder": str(result.folder),
        **to_json(report)["tables"],
        "next_commands": [command for _, command in result.next_commands],
    }

    def human() -> None:
        console.print(drawn(console, report))
        console.print(f"\nEverything is in {result.folder}. Try next:")
        for what, command in result.next_commands:
            console.print(f"\n{what}\n  {command}")

    console.result(payload, human)


def _program() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say how to start codat-ar again: exactly for programs, and as a person types it from here."""
    import shutil
    import sys

    def typed(program: str) -> str:
        # Not resolved: a virtual environment's Python is a link to one that lacks our packages.
        name = Path(program).name.removesuffix(".exe")
        found = shutil.which(name)
        return name if found and Path(found).absolute() == Path(program).absolute() else program

    exact = (sys.executable, "-m", "codat_ar_cli")
    script = Path(sys.argv[0])
    if script.stem == "codat-ar" and script.is_file():
        return exact, (typed(str(script)),)
    return exact, (typed(sys.executable), *exact[1:])
