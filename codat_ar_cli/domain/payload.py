"""Resolved documents → Codat bodies: the only place that knows wire names and signs (reference §5, §7, §8).

A body holds only what the live options offer. What the file says and the platform can't take comes back as a
problem that a profile may accept; derived amounts that aren't offered are left out without a word.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.arithmetic import ZERO, DocumentAmounts, LineAmounts
from codat_ar_cli.domain.body import Body
from codat_ar_cli.domain.documents import InvoiceDraft, LineDraft, PaymentDraft
from codat_ar_cli.domain.marking import mark
from codat_ar_cli.domain.money import fits, round_to
from codat_ar_cli.domain.options import Option
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.slots import Target
from codat_ar_cli.domain.types import Currency, DataType, RecordId


@dataclass(frozen=True, slots=True)
class ResolvedLine:
    """One invoice line with every id found and its amounts worked out."""

    draft: LineDraft
    amounts: LineAmounts
    account: Target | None = None
    item: Target | None = None
    tax_rate: Target | None = None
    tracking: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedInvoice:
    """One invoice, ready to be written down."""

    draft: InvoiceDraft
    customer: RecordId
    lines: tuple[ResolvedLine, ...]
    amounts: DocumentAmounts
    base: Currency | None
    rate: Decimal | None
    """Base units per unit of the document's currency; None: not known."""


@dataclass(frozen=True, slots=True)
class ResolvedAllocation:
    """The part of a payment that goes against one invoice, or on account (`invoice` None). Positive."""

    amount: Decimal
    invoice: RecordId | None = None


@dataclass(frozen=True, slots=True)
class ResolvedPayment:
    """One receipt, ready to be written down; its allocations add up to its amount."""

    draft: PaymentDraft
    customer: RecordId
    allocations: tuple[ResolvedAllocation, ...]
    account: Target | None
    method: Target | None
    base: Currency | None
    rate: Decimal | None


def invoice_body(invoice: ResolvedInvoice, option: Option, platform: PlatformRules) -> Body:
    """Write an invoice for `POST …/push/invoices` (Accounting API `create-invoice`; reference §7.1)."""
    body = Body(DataType.INVOICES, option, platform)
    draft, amounts = invoice.draft, invoice.amounts
    body.put("customerRef", {"id": invoice.customer})
    body.put_stated("invoiceNumber", draft.number, draft.number)
    body.put_stated("issueDate", _date(draft.issue_date), draft.issue_date)
    if draft.due_date is not None:
        body.put_stated("dueDate", _date(draft.due_date), draft.due_date)
    _currency(body, draft.currency, invoice.base, invoice.rate, draft.currency_rate)
    body.put("status", platform.new_invoice_status)
    body.put("lineItems", [_line(body, line, draft.currency) for line in invoice.lines])
    body.put("subTotal", amounts.sub_total)
    if any("discountAmount" in line for line in body.value.get("lineItems", ())):
        body.put("totalDiscount", amounts.discount)
    body.put("totalTaxAmount", amounts.tax)
    body.put("totalAmount", amounts.total)
    _check_tax_reaches(body, amounts)
    mark(body, draft.number, draft.reference, draft.note)
    return body


def _line(body: Body, line: ResolvedLine, currency: Currency) -> dict[str, Any]:
    draft, amounts = line.draft, line.amounts
    quantity, unit_amount = draft.quantity, draft.unit_amount
    wire: dict[str, Any] = {}
    values: dict[str, Any] = {
        "description": draft.description or None,
        "quantity": quantity.normalize(),
        "unitAmount": round_to(unit_amount, currency) if fits(unit_amount, currency) else unit_amount.normalize(),
        "subTotal": amounts.sub_total,
        "taxAmount": amounts.tax,
        "totalAmount": amounts.total,
        "accountRef": _ref(line.account),
        "itemRef": _ref(line.item),
        "taxRateRef": _ref(line.tax_rate),
        "trackingCategoryRefs": [_ref(target) for target in line.tracking] or None,
    }
    for name, value in values.items():
        if value is not None and body.offers(f"lineItems.{name}"):
            wire[name] = value
    for name in ("quantity", "unitAmount"):
        if name not in wire:
            body.problems.append(Problem("platform.no-amounts", f"{body.platform.name} offers no line {name}"))
    if draft.description and "description" not in wire:
        body.refuse("description", draft.description)
    _discount(body, wire, line, currency)
    return wire


def _ref(target: Target | None) -> dict[str, str] | None:
    return None if target is None else {"id": target.id}


def _discount(body: Body, wire: dict[str, Any], line: ResolvedLine, currency: Currency) -> None:
    """Write a line's discount as an amount, else as a percentage that comes to the same; else it holds the document."""
    amount = line.amounts.discount
    if amount == 0:
        return
    if body.platform.line_discounts and body.offers("lineItems.discountAmount"):
        wire["discountAmount"] = amount
        return
    percentage = _as_percentage(line, currency)
    if body.platform.line_discounts and body.offers("lineItems.discountPercentage") and percentage is not None:
        wire["discountPercentage"] = percentage
        return
    body.problems.append(
        Problem(
            "platform.discount",
            f"{body.platform.name} takes no line discount of {amount:f} {currency}",
            hint="give the net price, or a line of its own for the discount",
        )
    )


def _as_percentage(line: ResolvedLine, currency: Currency) -> Decimal | None:
    """Give the discount as a percentage of at most four decimals, if one comes to the same amount."""
    draft = line.draft
    if draft.discount_amount is None:
        return draft.discount_percentage
    gross = draft.quantity * draft.unit_amount
    if gross == 0:
        return None
    percentage = (draft.discount_amount * 100 / gross).quantize(Decimal("0.0001")).normalize()
    same = round_to(gross - gross * percentage / 100, currency) == line.amounts.sub_total
    return percentage if same else None


def tax_is_sent(option: Option, platform: PlatformRules) -> bool:
    """Tell whether an invoice body carries our own tax amounts."""
    body = Body(DataType.INVOICES, option, platform)
    return body.offers("lineItems.taxAmount") or body.offers("totalTaxAmount")


def _check_tax_reaches(body: Body, amounts: DocumentAmounts) -> None:
    if amounts.tax == 0 or tax_is_sent(body.option, body.platform) or body.offers("lineItems.taxRateRef"):
        return
    message = f"{body.platform.name} offers neither a tax rate nor a tax amount; {amounts.tax:f} of tax would be lost"
    body.problems.append(Problem("platform.no-tax", message))


def payment_body(payment: ResolvedPayment, option: Option, platform: PlatformRules) -> Body:
    """Write a payment for `POST …/push/payments` (Accounting API `create-payment`; reference §8).

    Every line satisfies `amount + Σ link amounts = 0`, and the lines add up to `totalAmount`.
    """
    body = Body(DataType.PAYMENTS, option, platform)
    draft = payment.draft
    body.put("customerRef", {"id": payment.customer})
    body.put("accountRef", _ref(payment.account))
    body.put("paymentMethodRef", _ref(payment.method))
    body.put("totalAmount", round_to(draft.amount, draft.currency))
    on_account = any(part.invoice is None for part in payment.allocations)
    if on_account or not platform.payment_currency_only_on_account:
        _currency(body, draft.currency, payment.base, payment.rate, draft.currency_rate)
    body.put("date", _date(draft.date))
    body.put("lines", _payment_lines(body, payment))
    mark(body, draft.payment_id, draft.reference, draft.note)
    return body


def _payment_lines(body: Body, payment: ResolvedPayment) -> list[dict[str, Any]]:
    currency = payment.draft.currency
    links = [_link(payment, part) for part in payment.allocations]
    groups = [links] if body.platform.links_in_one_line else [[link] for link in links]
    lines: list[dict[str, Any]] = []
    for group in groups:
        line: dict[str, Any] = {}
        if body.offers("lines.amount"):
            line["amount"] = round_to(-sum((link["amount"] for link in group), ZERO), currency)
        line["links"] = group
        lines.append(line)
    return lines


def _link(payment: ResolvedPayment, part: ResolvedAllocation) -> dict[str, Any]:
    amount = -round_to(part.amount, payment.draft.currency)
    if part.invoice is None:
        return {"type": "PaymentOnAccount", "id": payment.customer, "amount": amount}
    return {"type": "Invoice", "id": part.invoice, "amount": amount}


def paid_invoices(body: str) -> dict[RecordId, Decimal]:
    """Read from a payment's body, as `payment_body` writes it, how much goes against which invoice."""
    paid: dict[RecordId, Decimal] = {}
    for line in jsontext.loads(body).get("lines", ()):
        for link in line["links"]:
            if link["type"] == "Invoice":
                invoice = RecordId(link["id"])
                paid[invoice] = paid.get(invoice, ZERO) - jsontext.as_decimal(link["amount"])
    return paid


def offers_link(option: Option, platform: PlatformRules, link_type: str) -> bool:
    """Tell whether payments can be linked so: by the live choices, else by what is known of the platform."""
    links = option.at("lines.links.type")
    if links is not None and links.choices:
        return link_type in {choice.value for choice in links.choices}
    return link_type in platform.link_types


def _currency(
    body: Body, currency: Currency, base: Currency | None, rate: Decimal | None, stated_rate: Decimal | None
) -> None:
    """Write currency and rate as far as they are offered and needed; a foreign currency never goes unsaid.

    Where the base currency isn't known, any currency may be foreign: then nothing is left out or taken for 1.
    """
    is_base = currency == base
    if body.platform.omits_base_currency and is_base:
        return
    if not body.put("currency", currency) and not is_base:
        message = f"{body.platform.name} takes no currency for {body.data_type.label}; {_foreign(currency, base)}"
        body.problems.append(Problem("currency.not-offered", message, hint=_hint(base, "enter this document by hand")))
    if not body.offers("currencyRate"):
        if stated_rate is not None and not is_base:
            body.refuse("currencyRate", f"{stated_rate:f}")
        return
    is_required = body.option.requires("currencyRate") and body.platform.enforces_required
    if is_base:
        body.put("currencyRate", Decimal(1) if is_required else None)
    elif rate is not None:
        body.put("currencyRate", rate.normalize())
    elif is_required or body.platform.needs_rate:
        message = f"{body.platform.name} needs the exchange rate of {currency}; {_foreign(currency, base)}"
        way = f"give a column `currency_rate`, or --rate {currency}=RATE, or rates.{currency} in the profile"
        body.problems.append(Problem("currency.rate-missing", message, hint=_hint(base, way)))


def _foreign(currency: Currency, base: Currency | None) -> str:
    if base is None:
        return f"whether {currency} is the base currency isn't known: the books don't say theirs"
    return f"{currency} is not the base currency, {base}"


def _hint(base: Currency | None, way: str) -> str:
    return way if base is not None else f"`codat-ar fetch company --refresh`, or {way}"


def _date(day: dt.date) -> str:
    """Write a business date as a local midnight without a zone, so that nobody converts it (reference §5)."""
    return f"{day.isoformat()}T00:00:00"
