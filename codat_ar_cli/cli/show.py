"""Show a report: tables for people, one JSON object for machines."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codat_ar_cli.cli.console import Console
    from codat_ar_cli.reports.model import Report


def show(console: "Console", report: "Report", *, schema: str, **facts: Any) -> None:
    """Write a report to where results go; `facts` stand beside its tables in the JSON object."""
    from codat_ar_cli.reports.render import to_json

    payload = {"schema": schema, **facts, **to_json(report)["tables"]}
    console.result(payload, lambda: console.print(drawn(console, report)))


def drawn(console: "Console", report: "Report") -> str:
    """Give a report as text that fits this terminal, in width and in characters."""
    from codat_ar_cli.reports.render import render_terminal

    return render_terminal(report, width=console.width, unicode=console.is_unicode)
