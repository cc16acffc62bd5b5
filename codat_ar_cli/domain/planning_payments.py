"""Payment drafts → planned payments: payer, account, invoices and amounts settled, every body checked (design D5)."""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from codat_ar_cli.domain.allocating import (
    Part,
    RunningDue,
    check_invoice,
    check_under_way,
    find_invoice,
    settle_amounts,
)
from codat_ar_cli.domain.documents import PaymentDraft
from codat_ar_cli.domain.findings import Finding, Severity
from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.money import show
from codat_ar_cli.domain.payload import ResolvedAllocation, ResolvedPayment, offers_link, payment_body
from codat_ar_cli.domain.planned import Plan, PlannedDocument
from codat_ar_cli.domain.planning import Desk, PlanContext, Sheet, Written, finish
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.resolving import unmapped
from codat_ar_cli.domain.slots import Slot, Target
from codat_ar_cli.domain.types import Customer, DataType, OpenInvoice

if TYPE_CHECKING:
    from codat_ar_cli.domain.drafting import Drafted


def plan_payments(drafted: "Drafted[PaymentDraft]", context: PlanContext, invoices: InvoiceIndex) -> Plan:
    """Decide for every payment of a file whether it is sent, against what, and exactly how.

    invoices: the books' invoices with their amounts due, as fresh as can be had.
    """
    planner = _PaymentPlanner(context, invoices)
    documents = [planner.plan(draft) for draft in drafted.documents]
    fees = [
        Finding(
            "payments.fees-not-pushed",
            Severity.NOTE,
            f"fees of {show(amount, currency)} are in the file; this command pushes the gross payments only",
        )
        for currency, amount in sorted(drafted.totals.fees.items())
        if amount
    ]
    return finish(documents, drafted, planner.desk, fees)


class _PaymentPlanner:
    def __init__(self, context: PlanContext, invoices: InvoiceIndex) -> None:
        self.desk = Desk(context, DataType.PAYMENTS)
        self._context = context
        self._platform = context.platform
        self._option = context.options
        self._invoices = invoices
        self._due = RunningDue(context.claims)
        self._accounts = {account.id: account for account in context.reference.accounts}
        self._on_account = context.platform.offers_on_account() and offers_link(
            context.options, context.platform, "PaymentOnAccount"
        )

    def plan(self, draft: PaymentDraft) -> PlannedDocument:
        return self.desk.plan(draft, label=_label(draft), prepare=self._prepare, total=lambda draft: draft.amount)

    def _prepare(self, draft: PaymentDraft, sheet: Sheet) -> Written:
        """Find ids and amounts, and write the body, with findings on the sheet."""
        customer = self.desk.customer(draft, sheet)
        name = customer.name if customer else draft.customer.name
        self.desk.check_lock(draft.date, "date", draft, sheet)
        if draft.date > self._context.today + _TIME_ZONES:
            message = f"received on {draft.date}, which is still to come"
            sheet.add(
                Problem("payment.in-future", message, severity=Severity.WARNING), replace(draft.place, column="date")
            )
        rate = self.desk.rate(draft, sheet)
        if not self._check_amount(draft, sheet):
            return Written(None, draft.amount, name)
        account, method = self._account(draft, sheet), self._method(draft, sheet)
        allocations = self._allocations(draft, customer, sheet)
        if allocations is None or customer is None or sheet.lacks_ids:
            return Written(None, draft.amount, name)
        resolved = ResolvedPayment(draft, customer.id, allocations, account, method, self._context.base, rate)
        body = payment_body(resolved, self._option, self._platform)
        return Written(self.desk.close(body, sheet), draft.amount, name)

    def _check_amount(self, draft: PaymentDraft, sheet: Sheet) -> bool:
        place = replace(draft.place, column="amount")
        if draft.amount < 0:
            message = f"{show(draft.amount, draft.currency)} is a refund; refunds are not pushed yet"
            sheet.add(Problem("payment.refund", message, "enter it in the accounting package"), place)
        elif draft.amount == 0:
            hint = "take the row out: there is nothing to pay"
            sheet.add(Problem("payment.zero", "the amount is zero", hint, Severity.ERROR), place)
        return draft.amount > 0

    def _account(self, draft: PaymentDraft, sheet: Sheet) -> Target | None:
        if not self._option.offers("accountRef"):
            return None
        stated = draft.cells.get("bank_account")
        found = self.desk.resolver.resolve(Slot.BANK_ACCOUNT, draft.cells, stated=stated)
        if found is None or isinstance(found, Problem):
            sheet.add(found or unmapped(Slot.BANK_ACCOUNT))
            return None
        account, base = self._accounts.get(found.id), self._context.base
        if account is not None and account.currency not in {None, draft.currency, base}:
            message = f"account {found} is in {account.currency}; a payment in {draft.currency} can't go to it"
            if base is None:
                message += f" unless {account.currency} is the base currency, which the books don't say"
            hint = f"codat-ar map set bank-account --when currency={draft.currency} ID"
            severity = Severity.HOLD if base is None else Severity.ERROR
            problem = Problem("payment.account-currency", message, hint, severity)
            sheet.add(problem, replace(draft.place, column="currency"))
        return found

    def _method(self, draft: PaymentDraft, sheet: Sheet) -> Target | None:
        """Find the payment method; one that the books don't have is left out only by the profile's leave."""
        if not self._option.offers("paymentMethodRef"):
            if draft.method:
                # The books have no place for one at all, so nothing of theirs is lost; mapping rules still see it.
                message = f"{self._platform.name} keeps no payment method; `method` is used by mapping rules only"
                sheet.remarks.append(Problem("payment.method-not-kept", message))
            return None
        found = self.desk.resolver.resolve(Slot.PAYMENT_METHOD, draft.cells, stated=draft.method)
        if not isinstance(found, Problem):
            required = self._option.requires("paymentMethodRef") and self._platform.enforces_required
            if found is None and required:
                sheet.add(unmapped(Slot.PAYMENT_METHOD), replace(draft.place, column="method"))
            return found
        if not self._option.requires("paymentMethodRef") or not self._platform.enforces_required:
            found = replace(found, acceptable="payments.method")
        sheet.add(found, replace(draft.place, column="method"))
        return None

    def _allocations(
        self, draft: PaymentDraft, customer: Customer | None, sheet: Sheet
    ) -> tuple[ResolvedAllocation, ...] | None:
        parts = self._parts(draft, customer, sheet)
        if parts is None:
            return None
        over = self._context.overpayment_on_account and self._on_account
        found = settle_amounts(draft, parts, self._due, overpayment_on_account=over)
        if isinstance(found, Problem):
            if found.code == "payment.exceeds-due" and not self._on_account:
                found = replace(found, hint=f"correct the amount: {self._platform.name} has no payments on account")
            place = parts[0].draft.place if len(parts) == 1 else draft.place
            sheet.add(found, replace(place, column="amount"))
            return None
        problem = check_under_way(found, self._invoices.by_id, self._due)
        if problem is not None:
            sheet.add(problem)
        for part in found:
            if part.invoice is not None:
                self._due.take(part.invoice, part.amount)
        self._check_links(draft, found, sheet)
        return found

    def _parts(self, draft: PaymentDraft, customer: Customer | None, sheet: Sheet) -> tuple[Part, ...] | None:
        parts: list[Part] = []
        failed = False
        for allocation in draft.allocations:
            column = "invoice_id" if allocation.invoice_id else "invoice_number"
            place = replace(allocation.place, column=column)
            found = find_invoice(allocation, self._invoices)
            problem = found if isinstance(found, Problem) else None
            if found is not None and not isinstance(found, Problem):
                problem = check_invoice(found, draft, customer.id if customer else None)
                problem = problem or self._too_early(found, draft)
                parts.append(Part(allocation, found))
            elif found is None:
                parts.append(Part(allocation, None))
            if problem is not None:
                failed = True
                sheet.add(problem, place)
        return None if failed else tuple(parts)

    def _too_early(self, invoice: OpenInvoice, draft: PaymentDraft) -> Problem | None:
        if not self._platform.payment_after_invoice or draft.date > invoice.issue_date:
            return None
        name = self._platform.name
        message = f"{name} takes payments only after the invoice date, {invoice.issue_date}; this is of {draft.date}"
        return Problem("payment.too-early", message, "correct the date")

    def _check_links(self, draft: PaymentDraft, found: tuple[ResolvedAllocation, ...], sheet: Sheet) -> None:
        on_account = next((part for part in found if part.invoice is None), None)
        if on_account is not None and not self._on_account:
            amount = show(on_account.amount, draft.currency)
            message = f"{self._platform.name} has no payments on account through Codat; {amount} would be one"
            hint = "name the invoice it pays, push that invoice first, or enter the payment by hand"
            sheet.add(Problem("payment.on-account-not-offered", message, hint))
        most = self._platform.max_allocations
        if most is not None and len(found) > most:
            message = f"{self._platform.name} takes one invoice per payment; this one has {len(found)} parts"
            hint = "split it in the file into one payment per invoice"
            sheet.add(Problem("payment.too-many-allocations", message, hint))


_TIME_ZONES = dt.timedelta(days=1)
"""So far ahead of ours may today be elsewhere."""


def _label(draft: PaymentDraft) -> str:
    names = [part.invoice_number or part.invoice_id or "on account" for part in draft.allocations] or ["on account"]
    if names == ["on account"]:
        return f"{draft.payment_id} on account"
    shown = ", ".join(dict.fromkeys(names[:_SHOWN]))
    return f"{draft.payment_id} for {shown}" + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


_SHOWN = 3
