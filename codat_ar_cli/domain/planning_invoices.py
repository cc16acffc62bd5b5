"""Invoice drafts → planned invoices: every id found, every amount worked out, every body checked."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from codat_ar_cli.domain import arithmetic
from codat_ar_cli.domain.arithmetic import DocumentAmounts, LineAmounts
from codat_ar_cli.domain.body import not_taken
from codat_ar_cli.domain.documents import InvoiceDraft, LineDraft
from codat_ar_cli.domain.findings import Place, Severity
from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.money import show
from codat_ar_cli.domain.payload import ResolvedInvoice, ResolvedLine, invoice_body, tax_is_sent
from codat_ar_cli.domain.planned import Plan, PlannedDocument
from codat_ar_cli.domain.planning import Desk, PlanContext, Sheet, Written, finish
from codat_ar_cli.domain.platforms import IncomeBy
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.resolving import percentage, unmapped
from codat_ar_cli.domain.slots import Slot, Target
from codat_ar_cli.domain.tracking import place_tracking
from codat_ar_cli.domain.types import DataType, RecordId

if TYPE_CHECKING:
    from codat_ar_cli.domain.drafting import Drafted


def plan_invoices(drafted: "Drafted[InvoiceDraft]", context: PlanContext, invoices: InvoiceIndex | None = None) -> Plan:
    """Decide for every invoice of a file whether it is sent, and exactly how.

    invoices: the books' invoices, to find numbers that are already used there; None: not checked.
    """
    planner = _InvoicePlanner(context, invoices)
    documents = [planner.plan(draft) for draft in drafted.documents]
    return finish(documents, drafted, planner.desk)


class _InvoicePlanner:
    def __init__(self, context: PlanContext, invoices: InvoiceIndex | None) -> None:
        self.desk = Desk(context, DataType.INVOICES)
        self._context = context
        self._platform = context.platform
        self._option = context.options
        self._invoices = invoices
        self._parents = {each.id: each.parent_id for each in context.reference.tracking_categories}
        self._tax_is_sent = tax_is_sent(context.options, context.platform)

    def plan(self, draft: InvoiceDraft) -> PlannedDocument:
        return self.desk.plan(draft, label=draft.number, prepare=self._prepare, total=_stated_total)

    def _prepare(self, draft: InvoiceDraft, sheet: Sheet) -> Written:
        """Find ids, amounts and the body, with findings on the sheet."""
        customer = self.desk.customer(draft, sheet)
        lines = [self._line(line, draft, sheet) for line in draft.lines]
        amounts = arithmetic.add_up([line.amounts for line in lines])
        self._check_total(draft, amounts, sheet)
        self.desk.check_lock(draft.issue_date, "issue_date", draft, sheet)
        self._check_books(draft, sheet)
        tracking, problems = place_tracking([line.tracking for line in lines], self._parents, self._platform)
        if self._option.offers("lineItems.trackingCategoryRefs"):
            for problem in problems:
                sheet.add(problem, replace(draft.place, column="tracking"))
        resolved = ResolvedInvoice(
            draft=draft,
            customer=customer.id if customer else RecordId(""),
            lines=tuple(map(_with_tracking, lines, tracking)),
            amounts=amounts,
            base=self._context.base,
            rate=self.desk.rate(draft, sheet),
        )
        name = customer.name if customer else draft.customer.name
        if sheet.lacks_ids:
            return Written(None, amounts.total, name)
        text = self.desk.close(invoice_body(resolved, self._option, self._platform), sheet)
        return Written(text, amounts.total, name)

    def _line(self, line: LineDraft, draft: InvoiceDraft, sheet: Sheet) -> ResolvedLine:
        account, item = self._income(line, sheet)
        tax_rate, percent = self._tax(line, sheet)
        amounts = arithmetic.line_amounts(
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            currency=draft.currency,
            tax_percent=percent,
            tax_amount=line.tax_amount,
            discount_amount=line.discount_amount,
            discount_percentage=line.discount_percentage,
        )
        self._check_line(line, draft, amounts, sheet)
        return ResolvedLine(line, amounts, account, item, tax_rate, self._tracking(line, sheet))

    def _resolve(
        self, slot: Slot, line: LineDraft, sheet: Sheet, column: str, *, stated: str | None, replaces: str | None = None
    ) -> tuple[Target | None, bool]:
        """Give the record, and whether the slot was answered at all, be it with a finding."""
        cells: Mapping[str, str] = line.cells
        if slot is Slot.TRACKING and stated is not None:
            cells = {**cells, "tracking": stated}
        found = self.desk.resolver.resolve(slot, cells, stated=stated, replaces=replaces)
        if isinstance(found, Problem):
            sheet.add(found, replace(line.place, column=column))
            return None, True
        return found, found is not None

    def _income(self, line: LineDraft, sheet: Sheet) -> tuple[Target | None, Target | None]:
        """Find the income account or the item, whichever this platform takes; a stated other one is not lost."""
        takes_account = self._option.offers("lineItems.accountRef") and self._platform.income_by is IncomeBy.ACCOUNT
        takes_item = self._option.offers("lineItems.itemRef")
        takes_item = takes_item and (self._platform.items_beside_accounts or not takes_account)
        account = item = None
        if takes_account and (line.account or line.item is None or not takes_item or self._needs("accountRef")):
            account, answered = self._resolve(Slot.INCOME_ACCOUNT, line, sheet, "account", stated=line.account)
            if not answered:
                sheet.add(unmapped(Slot.INCOME_ACCOUNT), replace(line.place, column="account"))
        if line.item is not None and not takes_item:
            sheet.add(not_taken(DataType.INVOICES, "item", self._platform, line.item), line.place)
        elif takes_item and (line.item is not None or not takes_account):
            item, answered = self._resolve(Slot.ITEM, line, sheet, "item", stated=line.item, replaces=line.account)
            if not answered and self._needs("itemRef"):
                sheet.add(unmapped(Slot.ITEM), replace(line.place, column="item"))
        elif not takes_account and line.account is not None:
            sheet.add(not_taken(DataType.INVOICES, "account", self._platform, line.account), line.place)
        return account, item

    def _needs(self, name: str) -> bool:
        path = f"lineItems.{name}"
        enforced = self._platform.enforces_required and f"invoices.{path}" not in self._platform.not_required
        return enforced and self._option.requires(path)

    def _tax(self, line: LineDraft, sheet: Sheet) -> tuple[Target | None, Decimal | None]:
        """Find the tax rate, and the percent to compute with; None where the file states the tax itself."""
        stated = percentage(line.tax_rate)
        if not self._option.offers("lineItems.taxRateRef"):
            if line.tax_rate is not None and stated is None:
                sheet.add(not_taken(DataType.INVOICES, "taxRate", self._platform, line.tax_rate), _tax_cell(line))
            return None, stated
        target, answered = self._resolve(Slot.TAX_RATE, line, sheet, "tax_rate", stated=line.tax_rate)
        if target is None:
            if not answered:
                sheet.add(unmapped(Slot.TAX_RATE), _tax_cell(line))
            return None, stated
        effective = self.desk.resolver.effective_rate(target)
        if effective is None and stated is None and line.tax_amount is None:
            message = f"the books don't say what {target} charges"
            sheet.add(Problem("arithmetic.rate-unknown", message, hint="give a column `tax_amount`"), _tax_cell(line))
        if effective is not None and stated is not None and effective != stated:
            message = f"tax rate `{line.tax_rate}` is mapped to {target}, which charges {effective.normalize():f}%"
            sheet.add(Problem("mapping.tax-differs", message, severity=Severity.WARNING), _tax_cell(line))
        return target, stated if effective is None else effective

    def _tracking(self, line: LineDraft, sheet: Sheet) -> tuple[Target, ...]:
        if not self._option.offers("lineItems.trackingCategoryRefs"):
            if line.tracking:
                shown = ", ".join(line.tracking)
                problem = not_taken(DataType.INVOICES, "tracking", self._platform, shown)
                sheet.add(problem, replace(line.place, column="tracking"))
            return ()
        found = [
            self._resolve(Slot.TRACKING, line, sheet, "tracking", stated=text) for text in line.tracking or (None,)
        ]
        return tuple(dict.fromkeys(target for target, _ in found if target is not None))

    def _check_line(self, line: LineDraft, draft: InvoiceDraft, amounts: LineAmounts, sheet: Sheet) -> None:
        problem = arithmetic.tax_problem(amounts, draft.currency, line.tax_amount)
        if problem is not None:
            sheet.add(problem, replace(line.place, column="tax_amount"))
        fixed = self._platform.fixed_quantity
        if fixed is not None and line.quantity != fixed:
            message = f"{self._platform.name} takes only a quantity of {fixed:f} on such lines, not {line.quantity:f}"
            hint = "write the line as one unit at the line's price"
            sheet.add(Problem("platform.quantity", message, hint), replace(line.place, column="quantity"))

    def _check_total(self, draft: InvoiceDraft, amounts: DocumentAmounts, sheet: Sheet) -> None:
        if any(finding.code == "mapping.tax-rate" for finding in sheet.findings):
            return
        if amounts.total == 0:
            message = f"invoice {draft.number} comes to nothing: {show(amounts.total, draft.currency)}"
            sheet.add(Problem("document.zero-total", message, severity=Severity.WARNING))
        problem = arithmetic.total_problem(amounts, draft.currency, draft.stated_total)
        if problem is not None:
            sheet.add(problem)
        predicted = arithmetic.predicted_total(
            amounts,
            draft.currency,
            totals_by=self._platform.totals_by,
            tax_is_sent=self._tax_is_sent,
            zero_overrides=self._platform.zero_tax_overrides,
        )
        problem = arithmetic.platform_problem(amounts.total, predicted, draft.currency)
        if problem is not None:
            sheet.add(problem)

    def _check_books(self, draft: InvoiceDraft, sheet: Sheet) -> None:
        """Hold a number that a record of the books already has; ours would have been known as done before this."""
        if self._invoices is None:
            return
        if draft.number in self._invoices.under_way:
            state = self._invoices.under_way[draft.number].value.replace("_", " ")
            message = f"number `{draft.number}` was pushed from another source and is {state}"
            hint = "use the same --source if it is the same invoice; else give it another number"
            sheet.add(Problem("books.duplicate", message, hint), replace(draft.place, column="invoice_number"))
        others = [each for each in self._invoices.numbered(draft.number) if each.status != "Void"]
        if others:
            who = f"{others[0].customer_name or 'a customer'}, {others[0].issue_date}"
            message = f"number `{draft.number}` is already used in the books by {others[0].id} ({who})"
            hint = "take it out of the file if it is the same invoice; else give it another number"
            sheet.add(Problem("books.duplicate", message, hint), replace(draft.place, column="invoice_number"))


def _tax_cell(line: LineDraft) -> Place:
    return replace(line.place, column="tax_rate")


def _with_tracking(line: ResolvedLine, placed: tuple[Target, ...]) -> ResolvedLine:
    return line if line.tracking == placed else replace(line, tracking=placed)


def _stated_total(draft: InvoiceDraft) -> Decimal:
    """Give the total as the file alone has it: enough to name a document that is already in the books."""
    if draft.stated_total is not None:
        return draft.stated_total
    lines = [
        arithmetic.line_amounts(
            quantity=line.quantity,
            unit_amount=line.unit_amount,
            currency=draft.currency,
            tax_percent=percentage(line.tax_rate),
            tax_amount=line.tax_amount,
            discount_amount=line.discount_amount,
            discount_percentage=line.discount_percentage,
        )
        for line in draft.lines
    ]
    return arithmetic.add_up(lines).total
