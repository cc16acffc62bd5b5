"""Reports, one function each: domain values in, a `Report` out, never formatted text."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from codat_ar_cli.domain.fetched import Change, FetchOutcome, FetchReport, FetchStatus
from codat_ar_cli.domain.findings import Finding
from codat_ar_cli.domain.types import DataType, OpenInvoice, RecordId, ReferenceData, TrackingCategory
from codat_ar_cli.reports.model import Cell, Column, Kind, Money, Report, Shown, Table

_BRANCH = "  "


def ago(at: dt.datetime | None, now: dt.datetime) -> str:
    """Say how long ago an instant was, in the largest whole unit: `3 min ago`; `never` for None."""
    if at is None:
        return "never"
    seconds = int((now - at).total_seconds())
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {'day' if unit == 'days' and count == 1 else unit} ago"
    return "just now"


def fetch(
    report: FetchReport, *, reference: ReferenceData | None = None, invoices: Sequence[OpenInvoice] = ()
) -> Report:
    """Show what a fetch brought: counts and ages; with `reference`, the records of each fetched type too."""
    tables = [fetch_summary(report)]
    if report.has_changes:
        tables.append(fetch_changes(report))
    if reference is not None:
        for outcome in report.outcomes:
            if outcome.fetched_at is None:
                continue
            table = records(outcome.data_type, reference, invoices)
            if table is not None:
                tables.append(table)
    return Report("fetch", "", tuple(tables), tuple(_fetch_notes(report)))


def fetch_summary(report: FetchReport) -> Table:
    """Show per data type how many records the cache holds and how old they are."""
    columns = (
        Column("type", "Data type", shown=Shown.MACHINES),
        Column("label", "Data", shown=Shown.PEOPLE),
        Column("status", "Status", shown=Shown.MACHINES),
        Column("records", "Records", Kind.COUNT),
        Column("age", "Read from Codat", shown=Shown.PEOPLE),
        Column("dataset_age", "Codat read the books", shown=Shown.PEOPLE),
        Column("fetched_at", "Read at", Kind.INSTANT, shown=Shown.MACHINES),
        Column("dataset_at", "Books as of", Kind.INSTANT, shown=Shown.MACHINES),
        Column("dataset_id", "Dataset", Kind.ID, shown=Shown.MACHINES),
        Column("error", "Error", shown=Shown.MACHINES),
        Column("message", "Message", shown=Shown.MACHINES),
        Column("hint", "Hint", shown=Shown.MACHINES),
    )
    return Table("types", columns, tuple(_summary_row(outcome, report.at) for outcome in report.outcomes))


def fetch_changes(report: FetchReport) -> Table:
    """Show what differs from the cache as it was before."""
    columns = (
        Column("type", "Data type", shown=Shown.MACHINES),
        Column("label", "Data", shown=Shown.PEOPLE),
        Column("change", "Change"),
        Column("name", "Record"),
        Column("detail", "What"),
        Column("id", "Id", Kind.ID, shown=Shown.WIDE),
    )
    rows: list[tuple[Cell, ...]] = []
    for outcome in report.outcomes:
        for change in outcome.changes or ():
            was = f"was {change.was}" if change.change is Change.RENAMED else ", ".join(change.fields)
            kind = outcome.data_type
            rows.append((kind.value, kind.label, change.change.value, change.name, was, change.id))
    return Table("changes", columns, tuple(rows), title="Changes since the last fetch", empty="none")


def records(data_type: DataType, reference: ReferenceData, invoices: Sequence[OpenInvoice] = ()) -> Table | None:
    """Show the records of one data type; None for a type that has no table for people."""
    if data_type is DataType.INVOICES:
        return _invoices(invoices)
    view = _RECORDS.get(data_type)
    return view(reference) if view else None


def findings(
    found: Iterable[Finding], *, name: str = "findings", title: str | None = None, empty: str = "none"
) -> Table:
    """Show findings: where, what and what to do."""
    columns = (
        Column("severity", "Kind"),
        Column("code", "Code", shown=Shown.WIDE),
        Column("place", "Where"),
        Column("message", "What"),
        Column("hint", "What to do"),
    )
    rows = tuple(
        (item.severity.value, item.code, str(item.place) if item.place else None, item.message, item.hint)
        for item in found
    )
    return Table("findings", columns, rows, title=title, empty=empty)


def _summary_row(outcome: FetchOutcome, now: dt.datetime) -> tuple[Cell, ...]:
    known = outcome.fetched_at is not None
    if outcome.status is FetchStatus.NOT_SUPPORTED:
        age = "not on this platform"
    elif outcome.status is FetchStatus.FAILED:
        age = f"failed; kept: {ago(outcome.fetched_at, now)}" if known else "failed"
    else:
        age = ago(outcome.fetched_at, now)
    return (
        outcome.data_type.value,
        outcome.data_type.label,
        outcome.status.value,
        outcome.records if known else None,
        age,
        ago(outcome.dataset_at, now) if outcome.dataset_at else None,
        outcome.fetched_at,
        outcome.dataset_at,
        outcome.dataset_id,
        outcome.error.code if outcome.error else None,
        outcome.error.message if outcome.error else None,
        outcome.error.hint if outcome.error else None,
    )


def _fetch_notes(report: FetchReport) -> Iterable[str]:
    for outcome in report.outcomes:
        if outcome.error:
            hint = f"\n  {outcome.error.hint}" if outcome.error.hint else ""
            yield f"{outcome.data_type.label}: {outcome.error.message}{hint}"
    compared = [outcome for outcome in report.outcomes if outcome.changes is not None]
    if compared and not report.has_changes:
        yield "Nothing has changed since the last fetch."


_ID = Column("id", "Id", Kind.ID, shown=Shown.WIDE)
_NAME = Column("name", "Name")
_CODE = Column("code", "Code")
_CURRENCY = Column("currency", "Currency")
_STATUS = Column("status", "Status")


def _natural(code: str | None) -> tuple[bool, list[tuple[int, str]]]:
    """Sort codes as people do: 90 before 200 before 4000, words among numbers first, no code last."""
    parts = re.findall(r"[0-9]+|[^0-9]+", (code or "").casefold())
    return not parts, [(-1, part) if not part.isdecimal() else (int(part), "") for part in parts]


def _state(status: str, is_deleted: bool) -> str:
    return "Deleted" if is_deleted else status


def _company_info(reference: ReferenceData) -> Table:
    columns = (
        Column("name", "Company"),
        Column("base_currency", "Base currency"),
        Column("ledger_lock_date", "Books locked up to", Kind.DATE),
    )
    info = reference.company_info
    rows = ((info.name, info.base_currency, info.ledger_lock_date),) if info else ()
    return Table("company_info", columns, rows, title="Company info")


def _accounts(reference: ReferenceData) -> Table:
    columns = (_CODE, _NAME, Column("type", "Type"), Column("bank", "Bank"), _CURRENCY, _STATUS, _ID)
    rows = tuple(
        (
            each.nominal_code,
            each.name,
            each.type,
            "yes" if each.is_bank_account else None,
            each.currency,
            _state(each.status, each.is_deleted),
            each.id,
        )
        for each in sorted(
            reference.accounts, key=lambda each: (each.nominal_code is None, _natural(each.nominal_code))
        )
    )
    return Table(DataType.ACCOUNTS.value, columns, rows, title="Accounts")


def _bank_accounts(reference: ReferenceData) -> Table:
    columns = (
        _CODE,
        _NAME,
        Column("number", "Number"),
        Column("institution", "Bank", shown=Shown.WIDE),
        Column("balance", "Balance", Kind.AMOUNT),
        _STATUS,
        _ID,
    )
    rows = tuple(
        (
            each.nominal_code,
            each.name,
            each.iban or " ".join(filter(None, (each.sort_code, each.account_number))),
            each.institution,
            Money(each.balance, each.currency) if each.balance is not None else None,
            _state(each.status, each.is_deleted),
            each.id,
        )
        for each in reference.bank_accounts
    )
    return Table(DataType.BANK_ACCOUNTS.value, columns, rows, title="Bank accounts")


def _tax_rates(reference: ReferenceData) -> Table:
    columns = (_CODE, _NAME, Column("rate", "Rate", Kind.PERCENT), _STATUS, Column("id", "Id", Kind.ID))
    rows = tuple(
        (each.code, each.name, each.effective_rate, _state(each.status, each.is_deleted), each.id)
        for each in reference.tax_rates
    )
    return Table(DataType.TAX_RATES.value, columns, rows, title="Tax rates")


def _tracking(reference: ReferenceData) -> Table:
    columns = (
        Column("name", "Tracking category"),
        _STATUS,
        Column("id", "Id", Kind.ID),
        Column("parent_id", "Parent", Kind.ID, shown=Shown.WIDE),
        Column("depth", "Depth", Kind.COUNT, shown=Shown.WIDE),
    )
    rows = tuple(
        (
            _BRANCH * depth + each.name,
            "heading" if each.has_children else _state(each.status, each.is_deleted),
            each.id,
            each.parent_id,
            depth,
        )
        for depth, each in tree(reference.tracking_categories)
    )
    return Table(DataType.TRACKING_CATEGORIES.value, columns, rows, title="Tracking categories")


def tree(categories: Sequence[TrackingCategory]) -> list[tuple[int, TrackingCategory]]:
    """Order categories as a tree, depth first, each with its depth from 0; siblings as given.

    A parent that is not itself listed (a platform's group) makes its children tops. Each comes once, even in a cycle.
    """
    ids = {each.id for each in categories}
    children: dict[RecordId | None, list[TrackingCategory]] = {}
    for each in categories:
        children.setdefault(each.parent_id if each.parent_id in ids else None, []).append(each)
    ordered: list[tuple[int, TrackingCategory]] = []
    seen: set[RecordId] = set()

    def walk(level: Sequence[TrackingCategory], depth: int) -> None:
        for each in level:
            if each.id not in seen:
                seen.add(each.id)
                ordered.append((depth, each))
                walk(children.get(each.id, ()), depth + 1)

    walk(children.get(None, ()), 0)
    walk(categories, 0)
    return ordered


def _items(reference: ReferenceData) -> Table:
    accounts = {each.id: each for each in reference.accounts}
    columns = (
        _CODE,
        _NAME,
        Column("type", "Type"),
        Column("sold", "Sold"),
        Column("account", "Income account"),
        _STATUS,
        _ID,
    )
    rows = tuple(
        (
            each.code,
            each.name,
            each.type,
            "yes" if each.is_invoice_item else "no",
            accounts[each.income_account].name if each.income_account in accounts else each.income_account,
            _state(each.status, each.is_deleted),
            each.id,
        )
        for each in reference.items
    )
    return Table(DataType.ITEMS.value, columns, rows, title="Items")


def _payment_methods(reference: ReferenceData) -> Table:
    columns = (_NAME, Column("type", "Type"), _STATUS, Column("id", "Id", Kind.ID))
    rows = tuple(
        (each.name, each.type, _state(each.status, each.is_deleted), each.id) for each in reference.payment_methods
    )
    return Table(DataType.PAYMENT_METHODS.value, columns, rows, title="Payment methods")


def _customers(reference: ReferenceData) -> Table:
    columns = (_NAME, Column("email", "E-mail"), _CURRENCY, _STATUS, _ID)
    rows = tuple(
        (each.name, each.email, each.currency, _state(each.status, each.is_deleted), each.id)
        for each in reference.customers
    )
    return Table(DataType.CUSTOMERS.value, columns, rows, title="Customers")


def _suppliers(reference: ReferenceData) -> Table:
    columns = (_NAME, _STATUS, Column("id", "Id", Kind.ID))
    rows = tuple((each.name, _state(each.status, each.is_deleted), each.id) for each in reference.suppliers)
    return Table(DataType.SUPPLIERS.value, columns, rows, title="Suppliers")


def _invoices(invoices: Sequence[OpenInvoice]) -> Table:
    columns = (
        Column("number", "Invoice"),
        Column("customer", "Customer"),
        Column("due_date", "Due", Kind.DATE),
        Column("total", "Total", Kind.AMOUNT),
        Column("due", "Amount due", Kind.AMOUNT),
        _STATUS,
        _ID,
    )
    rows = tuple(
        (
            each.number,
            each.customer_name,
            each.due_date,
            Money(each.total_amount, each.currency),
            Money(each.amount_due, each.currency),
            _state(each.status, each.is_deleted),
            each.id,
        )
        for each in invoices
    )
    return Table(DataType.INVOICES.value, columns, rows, title="Invoices")


_RECORDS: Mapping[DataType, Callable[[ReferenceData], Table]] = {
    DataType.COMPANY_INFO: _company_info,
    DataType.ACCOUNTS: _accounts,
    DataType.BANK_ACCOUNTS: _bank_accounts,
    DataType.TAX_RATES: _tax_rates,
    DataType.TRACKING_CATEGORIES: _tracking,
    DataType.ITEMS: _items,
    DataType.PAYMENT_METHODS: _payment_methods,
    DataType.CUSTOMERS: _customers,
    DataType.SUPPLIERS: _suppliers,
}
