"""The rows of one invoice into its draft (design D5)."""

import datetime as dt
import functools
import re
from collections.abc import Sequence
from decimal import Decimal

from codat_ar_cli.domain import money
from codat_ar_cli.domain.cells import LARGEST, CellReader
from codat_ar_cli.domain.documents import InvoiceDraft, LineDraft, Row
from codat_ar_cli.domain.grouping import Group, Header, Tally, read_party, read_rate, split_cell
from codat_ar_cli.domain.layouts import INVOICES
from codat_ar_cli.domain.types import Currency

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?")


def build_invoice(reader: CellReader, group: Group, tally: Tally) -> InvoiceDraft | None:
    """Draft an invoice; None where a part is unreadable. Whatever is wrong is reported, also when a draft is given."""
    header = Header(reader, group, INVOICES)
    customer = read_party(reader, header)
    currency = reader.currency(header.at("currency"))
    issued = reader.date(header.at("issue_date"), "issue_date", required=True)
    due = _due_date(reader, header, issued)
    rate = read_rate(reader, header)
    reference, note = (reader.text(header.at(name), name) for name in ("reference", "note"))
    stated = reader.amount(header.at("total_amount"), "total_amount", currency)
    lines = [_line(reader, row, currency) for row in group.rows]
    whole = [line for line in lines if line is not None]
    if currency is None:
        return None
    if len(whole) == len(lines):
        net, predicted = _add_up(whole, currency, tally)
        if net < 0:
            message = f"invoice {group.key} comes to {net} {currency} before tax"
            hint = "money owed to a customer is a credit note: leave it out of the invoices"
            reader.report("document.negative-total", group.rows[0], None, message, hint=hint)
        elif stated is not None and predicted is not None:
            _check_total(reader, header.at("total_amount"), stated, predicted, currency, lines=len(whole))
    if issued is None or len(whole) < len(lines):
        return None
    first = group.rows[0]
    return InvoiceDraft(
        number=group.key or "",
        customer=customer,
        issue_date=issued,
        due_date=due,
        currency=currency,
        lines=tuple(whole),
        place=first.place,
        rows=group.places,
        cells=first.cells,
        currency_rate=rate,
        reference=reference,
        note=note,
        stated_total=stated,
    )


def _due_date(reader: CellReader, header: Header, issued: dt.date | None) -> dt.date | None:
    row = header.at("due_date")
    due = reader.date(row, "due_date")
    if row is not None and issued is not None and due is not None and due < issued:
        message = f"due on {due}, before it is issued on {issued}"
        reader.report("document.due-before-issue", row, "due_date", message, hint="correct one of the two dates")
    return due


def _line(reader: CellReader, row: Row, currency: Currency | None) -> LineDraft | None:
    """Read one invoice line; None where its amount can't be known."""
    description = reader.text(row, "line_description", required=True)
    quantity = reader.number(row, "quantity", required=True)
    if quantity is not None and not quantity:
        reader.report("row.zero-quantity", row, "quantity", "the quantity is zero", hint="correct it or drop the line")
        quantity = None
    price = reader.amount(row, "unit_price", currency, required=True)
    discount = reader.amount(row, "discount_amount", currency)
    percent = reader.number(row, "discount_percent")
    tax_rate = reader.code(row, "tax_rate")
    tax_amount = reader.amount(row, "tax_amount", currency)
    account = reader.code(row, "account")
    item = reader.text(row, "item")
    tracking = reader.text(row, "tracking")
    if quantity is None or price is None or not _product_is_sane(reader, row, quantity, price):
        return None
    if not _discount_is_sane(reader, row, quantity * price, discount, percent):
        return None
    line = LineDraft(
        place=row.place,
        description=description or "",
        quantity=quantity,
        unit_amount=price,
        cells=row.cells,
        discount_amount=discount or None,
        discount_percentage=percent or None,
        tax_rate=tax_rate,
        tax_amount=tax_amount,
        account=account,
        item=item,
        tracking=split_cell(tracking),
    )
    if currency is not None and tax_amount is not None:
        _check_line_tax(reader, row, line, currency)
    return line


def _product_is_sane(reader: CellReader, row: Row, quantity: Decimal, price: Decimal) -> bool:
    """Check that a line's amount stays in the range where sums are exact."""
    if abs(quantity * price) < LARGEST:
        return True
    message = f"{quantity} × {price} is larger than any amount that is taken"
    reader.report("row.too-large", row, "unit_price", message, hint="correct the quantity or the price")
    return False


def _discount_is_sane(
    reader: CellReader, row: Row, gross: Decimal, amount: Decimal | None, percent: Decimal | None
) -> bool:
    """Check a line's discount: stated once, in the line's own direction, not more than the line itself."""
    if amount and percent:
        message = "the line has both a discount amount and a discount percentage"
        reader.report("row.two-discounts", row, "discount_percent", message, hint="leave one of them blank")
        return False
    if percent is not None and not 0 <= percent <= 100:
        message = f"a discount of {percent} % is not between 0 and 100"
        reader.report("row.bad-discount", row, "discount_percent", message)
        return False
    if amount is not None and (amount * gross < 0 or abs(amount) > abs(gross)):
        message = f"a discount of {amount} does not fit a line of {gross}"
        hint = "write what is taken off, with the sign of the line"
        reader.report("row.bad-discount", row, "discount_amount", message, hint=hint)
        return False
    return True


def _net(line: LineDraft, currency: Currency) -> Decimal:
    return money.line_net(
        line.quantity,
        line.unit_amount,
        currency,
        discount_amount=line.discount_amount,
        discount_percentage=line.discount_percentage,
    )


def _percentage(line: LineDraft) -> Decimal | None:
    """Give a line's tax percentage where the file states a number; names and codes wait for the mapping."""
    return _percent(line.tax_rate) if line.tax_rate else None


@functools.lru_cache(maxsize=4096)
def _percent(text: str) -> Decimal | None:
    found = _PERCENT.fullmatch(text)
    return Decimal(found[1]) if found else None


def _check_line_tax(reader: CellReader, row: Row, line: LineDraft, currency: Currency) -> None:
    percentage = _percentage(line)
    if percentage is None or line.tax_amount is None:
        return
    expected = money.tax_on(_net(line, currency), percentage, currency)
    if abs(expected - line.tax_amount) > money.smallest(currency):
        message = f"{line.tax_amount} is not {percentage} % tax on {_net(line, currency)}; that would be {expected}"
        reader.report("row.tax-contradiction", row, "tax_amount", message, hint="correct the tax or its rate")


def _add_up(lines: Sequence[LineDraft], currency: Currency, tally: Tally) -> tuple[Decimal, Decimal | None]:
    """Give the total before tax and with tax, and count them in the control totals.

    The second is None where the file leaves the tax of a line to the mapping.
    """
    nets = [_net(line, currency) for line in lines]
    taxes = [_tax(line, net, currency) for line, net in zip(lines, nets, strict=True)]
    known = [tax for tax in taxes if tax is not None]
    net = money.total(nets)
    with_tax = net + money.total(known)
    tally.amounts[currency] += with_tax
    if len(known) == len(taxes):
        return net, with_tax
    tally.untaxed += 1
    return net, None


def _check_total(
    reader: CellReader, row: Row | None, stated: Decimal, predicted: Decimal, currency: Currency, *, lines: int
) -> None:
    """Compare the stated total with the lines'.

    Platforms round tax per line or per document, so a difference of one smallest unit per line is left to the plan.
    """
    if row is not None and abs(predicted - stated) > money.smallest(currency) * lines:
        message = f"the stated total is {stated}, but the lines add up to {predicted} {currency}"
        hint = "correct the lines or the total; is a line missing, or a price with tax included?"
        reader.report("document.total-differs", row, "total_amount", message, hint=hint)


def _tax(line: LineDraft, net: Decimal, currency: Currency) -> Decimal | None:
    if line.tax_amount is not None:
        return line.tax_amount
    percentage = _percentage(line)
    return None if percentage is None else money.tax_on(net, percentage, currency)
