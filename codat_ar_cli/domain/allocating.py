"""What one payment goes against: the file's allocations, looked up in the books, with every amount settled.

Amounts due run down as the payments of a file are read in order, so that two of them can't pay the same money.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from codat_ar_cli.domain.arithmetic import ZERO
from codat_ar_cli.domain.documents import AllocationDraft, PaymentDraft
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.money import show
from codat_ar_cli.domain.payload import ResolvedAllocation, paid_invoices
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.pushes import Push
from codat_ar_cli.domain.types import Currency, OpenInvoice, RecordId


@dataclass(frozen=True, slots=True)
class Part:
    """One allocation of the file with its invoice found; `invoice` None: on account."""

    draft: AllocationDraft
    invoice: OpenInvoice | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a payment that is under way takes of an invoice; the books may or may not show it yet."""

    amount: Decimal
    by: str
    """The payment, where it stands and since which run, in words."""


Claims = Mapping[RecordId, tuple[Claim, ...]]
"""By invoice id."""


def claims_of(payments: Iterable[Push]) -> Claims:
    """Read what payments in the ledger, whatever file they came from, go against: by the bodies that are sent."""
    claims: dict[RecordId, tuple[Claim, ...]] = {}
    for push in payments:
        by = f"`{push.identity.source_id}` ({push.state.value.replace('_', ' ')}, run {push.run_id})"
        for invoice, amount in paid_invoices(push.body or "{}").items():
            claims[invoice] = (*claims.get(invoice, ()), Claim(amount, by))
    return claims


@dataclass(slots=True)
class RunningDue:
    """What is still due on each invoice while the payments of one file are read."""

    claims: Claims
    """Of payments that are under way."""
    taken: dict[RecordId, Decimal] = field(default_factory=dict)
    """By earlier payments of this file."""

    def of(self, invoice: OpenInvoice) -> Decimal:
        """Give what is due, less what earlier payments of the file take."""
        return invoice.amount_due - self.taken.get(invoice.id, ZERO)

    def take(self, invoice: RecordId, amount: Decimal) -> None:
        """Note that a payment of the file goes against it."""
        self.taken[invoice] = self.taken.get(invoice, ZERO) + amount


def find_invoice(allocation: AllocationDraft, invoices: InvoiceIndex) -> OpenInvoice | Problem | None:
    """Find the invoice that an allocation names, by id before number; None: it names none."""
    if allocation.invoice_id:
        found = invoices.by_id.get(RecordId(allocation.invoice_id))
        return found or _unknown(f"invoice id `{allocation.invoice_id}`")
    number = allocation.invoice_number
    if not number:
        return None
    matches = invoices.numbered(number)
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(f"{each.id} ({each.customer_name or each.customer_id})" for each in matches)
        hint = "give the right one in a column `invoice_id`"
        message = f"invoice number `{number}` stands for several: {ids}"
        return Problem("payment.ambiguous-invoice", message, hint, Severity.ERROR)
    return _not_found(number, invoices)


def _not_found(number: str, invoices: InvoiceIndex) -> Problem:
    """Say why the books show no invoice of a number, where the ledger knows."""
    if number in invoices.under_way:
        state = invoices.under_way[number].value.replace("_", " ")
        message = f"invoice `{number}` is not in the books yet: an earlier run left it {state}"
        return Problem("payment.invoice-under-way", message, "push the invoices again until it has finished")
    if invoices.is_pushed(number):
        message = f"invoice `{number}` was pushed, but the books as fetched don't show it yet"
        return Problem("payment.invoice-not-fetched", message, "codat-ar fetch invoices --refresh")
    return _unknown(f"invoice `{number}`")


def _unknown(what: str) -> Problem:
    hint = "push the invoice first, or correct the number; leave it blank for a payment on account"
    return Problem("payment.unknown-invoice", f"{what} is not in the books", hint, severity=Severity.ERROR)


def check_invoice(invoice: OpenInvoice, draft: PaymentDraft, payer: RecordId | None) -> Problem | None:
    """Tell why a payment can't go against an invoice: another customer's, another currency, not posted."""
    name = invoice.number or invoice.id
    if payer is not None and invoice.customer_id is not None and invoice.customer_id != payer:
        owner = invoice.customer_name or invoice.customer_id
        message = f"invoice `{name}` belongs to {owner}, not to the payer `{draft.customer.name}`"
        return Problem("payment.other-customer", message, "correct the customer or the invoice", Severity.ERROR)
    if invoice.currency != draft.currency:
        message = f"the payment is in {draft.currency}, invoice `{name}` is in {invoice.currency}"
        return Problem("payment.currency", message, "pay an invoice in its own currency", Severity.ERROR)
    if invoice.status not in _POSTED:
        message = f"invoice `{name}` is {invoice.status} in the books; only posted invoices take payments"
        return Problem("payment.not-payable", message, "post it first, or correct the number", Severity.ERROR)
    return None


_POSTED = frozenset({"Submitted", "PartiallyPaid", "Paid"})


def settle_amounts(
    draft: PaymentDraft, parts: tuple[Part, ...], due: RunningDue, *, overpayment_on_account: bool
) -> tuple[ResolvedAllocation, ...] | Problem:
    """Give every part its amount, so that they add up to the payment; the rest of stated amounts goes on account."""
    if not parts:
        return (ResolvedAllocation(draft.amount),)
    amounts = _amounts(draft, parts, due)
    if isinstance(amounts, Problem):
        return amounts
    on_account = draft.amount - sum(amounts, ZERO)
    found: list[ResolvedAllocation] = []
    left = dict.fromkeys((part.invoice.id for part in parts if part.invoice), ZERO)
    for part, amount in zip(parts, amounts, strict=True):
        if part.invoice is None:
            on_account += amount
            continue
        room = due.of(part.invoice) - left[part.invoice.id]
        if amount > room and not overpayment_on_account:
            return _exceeds(part.invoice, amount, room, draft.currency, due)
        against = min(amount, max(room, ZERO))
        on_account += amount - against
        left[part.invoice.id] += against
        if against:
            found.append(ResolvedAllocation(against, part.invoice.id))
    if on_account < 0:
        over = show(draft.amount - on_account, draft.currency)
        message = f"{over} is allocated of a payment of {show(draft.amount, draft.currency)}"
        return Problem("payment.over-allocated", message, "correct `allocated_amount`", Severity.ERROR)
    rest = (ResolvedAllocation(on_account),) if on_account else ()
    return (*found, *rest)


def _amounts(draft: PaymentDraft, parts: tuple[Part, ...], due: RunningDue) -> list[Decimal] | Problem:
    """Give each part's amount as stated; what isn't stated must follow from the sums without a choice."""
    unstated = [part for part in parts if part.draft.amount is None]
    if not unstated:
        return [part.draft.amount or ZERO for part in parts]
    rest = draft.amount - sum((part.draft.amount or ZERO for part in parts), ZERO)
    if len(unstated) == 1:
        return [rest if part.draft.amount is None else part.draft.amount for part in parts]
    dues = {id(part): due.of(part.invoice) for part in unstated if part.invoice is not None}
    if len(dues) == len(unstated) and sum(dues.values(), ZERO) == rest:
        return [dues[id(part)] if part.draft.amount is None else part.draft.amount for part in parts]
    shown = show(sum(dues.values(), ZERO), draft.currency)
    return Problem(
        "payment.split-unknown",
        f"{show(rest, draft.currency)} goes to {len(unstated)} invoices on which {shown} is due; "
        "how it is split is not stated",
        hint="give a column `allocated_amount`, one row per invoice",
        severity=Severity.ERROR,
    )


def _exceeds(invoice: OpenInvoice, amount: Decimal, room: Decimal, currency: Currency, due: RunningDue) -> Problem:
    name = invoice.number or invoice.id
    message = f"{show(amount, currency)} exceeds what is due on invoice `{name}`, {show(max(room, ZERO), currency)}"
    if due.taken.get(invoice.id):
        message += " after the earlier payments of this file"
    hint = "correct the amount, or book the rest on account with --overpayment-on-account"
    return Problem("payment.exceeds-due", message, hint, Severity.ERROR)


def check_under_way(
    allocations: tuple[ResolvedAllocation, ...], by_id: Mapping[RecordId, OpenInvoice], due: RunningDue
) -> Problem | None:
    """Hold a payment that fits only if one already under way does not: its outcome must be known first."""
    for part in allocations:
        claims = due.claims.get(part.invoice, ()) if part.invoice is not None else ()
        if part.invoice is None or not claims:
            continue
        invoice = by_id[part.invoice]
        if part.amount > due.of(invoice) - sum((claim.amount for claim in claims), ZERO):
            others = ", ".join(claim.by for claim in claims)
            message = f"invoice `{invoice.number or invoice.id}` may be paid already: payment {others} is under way"
            return Problem("payment.under-way", message, "push that payment's file again until it has finished")
    return None
