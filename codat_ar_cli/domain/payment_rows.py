"""The rows of one payment into its draft: what was received, and what the file says it is for (design D5)."""

from decimal import Decimal

from codat_ar_cli.domain import money
from codat_ar_cli.domain.cells import CellReader
from codat_ar_cli.domain.documents import AllocationDraft, PaymentDraft, Row
from codat_ar_cli.domain.grouping import Group, Header, Tally, read_party, read_rate, split_cell
from codat_ar_cli.domain.layouts import PAYMENTS
from codat_ar_cli.domain.types import Currency

_SPLIT_HINT = "`amount` is the whole payment, the same on each of its rows; say in `allocated_amount` what goes where"


def build_payment(reader: CellReader, group: Group, tally: Tally) -> PaymentDraft | None:
    """Draft a payment; None where a part is unreadable. Whatever is wrong is reported, also when a draft is given."""
    header = Header(reader, group, PAYMENTS, {"amount": _SPLIT_HINT})
    customer = read_party(reader, header)
    currency = reader.currency(header.at("currency"))
    date = reader.date(header.at("date"), "date", required=True)
    amount_row = header.at("amount")
    amount = reader.amount(amount_row, "amount", currency, required=True)
    if amount_row is not None and amount is not None and not amount:
        reader.report("row.zero-amount", amount_row, "amount", "the payment is of zero", hint="drop it or correct it")
        amount = None
    rate = read_rate(reader, header)
    method, note, reference = (reader.text(header.at(name), name) for name in ("method", "note", "reference"))
    fee = _fee(reader, header.at("fee"), currency)
    allocations = _allocations(reader, group, amount, currency)
    if currency is None:
        return None
    if amount is not None:
        tally.amounts[currency] += amount
    if fee is not None:
        tally.fees[currency] += fee
    if amount is None or date is None:
        return None
    first = group.rows[0]
    return PaymentDraft(
        payment_id=group.key or "",
        customer=customer,
        date=date,
        amount=amount,
        currency=currency,
        allocations=allocations,
        place=first.place,
        rows=group.places,
        cells=first.cells,
        currency_rate=rate,
        method=method,
        note=note,
        reference=reference,
        fee=fee,
    )


def _fee(reader: CellReader, row: Row | None, currency: Currency | None) -> Decimal | None:
    fee = reader.amount(row, "fee", currency)
    if row is not None and fee is not None and fee < 0:
        message = f"the fee is {row.cells['fee']}"
        reader.report("row.negative-fee", row, "fee", message, hint="write what the processor kept, without a minus")
        return None
    return fee


def _allocations(
    reader: CellReader, group: Group, amount: Decimal | None, currency: Currency | None
) -> tuple[AllocationDraft, ...]:
    """Read what each row pays; () where the whole payment is on account.

    Amounts are stated on every row or on none: what a mixture means would be a guess.
    """
    several = len(group.rows) > 1
    stating = any(row.cells.get("allocated_amount") for row in group.rows)
    drafts: list[AllocationDraft] = []
    for row in group.rows:
        part = reader.amount(row, "allocated_amount", currency)
        if part is not None:
            _check_part(reader, row, part, amount)
        drafts += _row_allocations(reader, row, part)
        if not several:
            continue
        if stating and not row.cells.get("allocated_amount"):
            message = f"other rows of payment {group.key} state `allocated_amount`, this one does not"
            reader.report("payment.unstated-allocation", row, "allocated_amount", message, hint=_SPLIT_HINT)
        elif not stating and not (row.cells.get("invoice_number") or row.cells.get("invoice_id")):
            message = f"how much of payment {group.key} is on account is not stated"
            reader.report("payment.unstated-allocation", row, "allocated_amount", message, hint=_SPLIT_HINT)
    _check_sum(reader, group, drafts, amount)
    _check_repeats(reader, group, drafts)
    on_account = not several and not any(draft.invoice_number or draft.invoice_id for draft in drafts)
    return () if on_account else tuple(drafts)


def _row_allocations(reader: CellReader, row: Row, part: Decimal | None) -> list[AllocationDraft]:
    """Read one row: one allocation, or one for each invoice number in its cell."""
    numbers = split_cell(reader.code(row, "invoice_number"))
    invoice_id = reader.text(row, "invoice_id")
    if len(numbers) > 1:
        for column in ("allocated_amount", "invoice_id"):
            if row.cells.get(column):
                message = f"`{column}` is one value for {len(numbers)} invoices"
                hint = f"write one row per invoice, each with its own {column}"
                reader.report("payment.one-for-several", row, column, message, hint=hint)
        return [AllocationDraft(row.place, number) for number in numbers]
    return [AllocationDraft(row.place, numbers[0] if numbers else None, invoice_id, part)]


def _check_part(reader: CellReader, row: Row, part: Decimal, amount: Decimal | None) -> None:
    if not part:
        message, hint = "the allocated amount is zero", "leave the row out, or leave the cell blank"
        reader.report("payment.zero-allocation", row, "allocated_amount", message, hint=hint)
    elif amount is not None and part * amount < 0:
        message = f"{part} goes against the payment of {amount}"
        hint = "an allocation has the sign of its payment"
        reader.report("payment.allocation-sign", row, "allocated_amount", message, hint=hint)


def _check_sum(reader: CellReader, group: Group, drafts: list[AllocationDraft], amount: Decimal | None) -> None:
    parts = [draft.amount for draft in drafts if draft.amount is not None]
    if amount is None or any(part * amount < 0 for part in parts):
        return
    allocated = money.total(parts)
    if abs(allocated) > abs(amount):
        message = f"payment {group.key} is of {amount}, but {allocated} of it is allocated"
        hint = "correct `allocated_amount`; `amount` is the whole payment"
        reader.report("payment.over-allocated", group.rows[-1], "allocated_amount", message, hint=hint)


def _check_repeats(reader: CellReader, group: Group, drafts: list[AllocationDraft]) -> None:
    rows = {row.place: row for row in group.rows}
    seen: set[tuple[str | None, str | None]] = set()
    for draft in drafts:
        invoice = (draft.invoice_number, draft.invoice_id)
        if invoice in seen and any(invoice):
            message = f"payment {group.key} names invoice {draft.invoice_number or draft.invoice_id} twice"
            hint = "add the two parts up in one row; if the row is there twice, drop one"
            reader.report("payment.repeated-invoice", rows[draft.place], "invoice_number", message, hint=hint)
        seen.add(invoice)
