"""What the demo shows in the end: amounts due before and after the payments."""

from collections.abc import Sequence

from codat_ar_cli.domain.demo import Due
from codat_ar_cli.domain.types import Currency
from codat_ar_cli.reports.model import Column, Kind, Money, Report, Shown, Table


def demo_report(invoices: Sequence[Due], on_account: Sequence[str], held_on_xero: Sequence[tuple[str, str]]) -> Report:
    """Show each invoice's amount due before and after, and what Xero could not take."""
    columns = (
        Column("number", "Invoice"),
        Column("customer", "Customer"),
        Column("total", "Total", Kind.AMOUNT, Shown.WIDE),
        Column("due_before", "Due before", Kind.AMOUNT),
        Column("due_after", "Due after", Kind.AMOUNT),
        Column("status", "Status"),
    )
    rows = []
    for due in invoices:
        currency = Currency(due.currency)
        amounts = (Money(due.total, currency), Money(due.before, currency), Money(due.after, currency))
        rows.append((due.number, due.customer, *amounts, due.status))
    held = Table(
        "held_on_xero",
        (Column("payment", "Payment"), Column("why", "Why it is held on Xero")),
        tuple(held_on_xero),
        title="The same payments on Xero",
    )
    table = Table("invoices", columns, tuple(rows), title="Amounts due, before and after the payments")
    notes = tuple(f"{payment} is on account: it pays no invoice yet." for payment in on_account)
    return Report("demo", "", (table, held), notes)
