"""A partial run gives back every row it did not push, those included that no plan could hold."""

from types import SimpleNamespace
from typing import Any, cast

from codat_ar_cli.domain.drafting import draft_invoices
from codat_ar_cli.domain.findings import Finding, Severity
from codat_ar_cli.domain.layouts import INVOICES
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.plan import ControlTotals, Disposition, Plan
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.files.readers import read_table
from codat_ar_cli.flows.prepare import Prepared
from codat_ar_cli.flows.push import exit_code_of_plan
from codat_ar_cli.flows.reject import write_rejects_of

HEADER = "invoice_number,customer,issue_date,currency,line_description,quantity,unit_price"


def test_rows_that_could_not_be_drafted_are_among_the_rejects(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text(f"{HEADER}\nINV-1,A,2026-05-01,GBP,x,1,1\nINV-2,A,2026-02-30,GBP,x,1,1\nINV-2,A,,GBP,y,1,1\n")
    table = read_table(path, INVOICES)
    drafted = draft_invoices(table.rows, source=table.name, columns=table.canonical)
    plan = Plan((), drafted.findings, drafted.totals)
    prepared = Prepared(cast(Any, None), cast(Any, None), table, plan, drafted.broken)

    written = write_rejects_of(prepared, path=tmp_path / "out.csv", fallback=tmp_path)

    assert written is not None
    again = read_table(written, INVOICES)
    assert [(row.cells["line_description"], row.cells["reason"]) for row in again.rows] == [
        ("x", "issue_date: '2026-02-30' is not a day of the calendar"),
        ("y", "line 3: issue_date: '2026-02-30' is not a day of the calendar"),
    ]


def test_a_partial_plan_with_an_unreadable_document_has_findings():
    plan = Plan((), (Finding("row.ragged", Severity.ERROR, "too few cells"),), ControlTotals(1, 1))

    assert exit_code_of_plan(plan, partial=True) is ExitCode.FINDINGS
    assert exit_code_of_plan(plan, partial=False) is ExitCode.USAGE


def test_a_document_that_an_earlier_run_sent_and_this_one_saw_refused_is_among_the_rejects(tmp_path):
    path = tmp_path / "i.csv"
    path.write_text(f"{HEADER}\nINV-1,A,2026-05-01,GBP,x,1,1\n")
    table = read_table(path, INVOICES)
    document: Any = SimpleNamespace(disposition=Disposition.UNDER_WAY, places=(table.rows[0].place,), findings=())
    prepared = Prepared(cast(Any, None), cast(Any, None), table, Plan((document,), (), ControlTotals(1, 1)))
    push = SimpleNamespace(state=State.REJECTED, cause_text="number is taken")
    item: Any = SimpleNamespace(disposition=Disposition.UNDER_WAY, ordinal=0, push=push)

    written = write_rejects_of(prepared, [item], path=tmp_path / "out.csv", fallback=tmp_path)

    assert written is not None
    assert [row.cells["reason"] for row in read_table(written, INVOICES).rows] == ["number is taken"]
