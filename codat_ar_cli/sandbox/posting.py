"""Double entry: what each kind of record does to the balances of the accounts.

Every posting sums to zero in base currency; what conversion leaves over goes to the exchange gains account. A factor of
-1 takes the same posting back.
"""

from decimal import Decimal

from codat_ar_cli.sandbox.amounts import ZERO, decimal_of, rounded
from codat_ar_cli.sandbox.booksdata import CUSTOMER_DOCUMENTS, Record
from codat_ar_cli.sandbox.package import Package

Parts = list[tuple[str, Decimal, Decimal]]
"""(account id, amount in base currency, amount in the account's currency), debit positive."""


def post(package: Package, data_type: str, record: Record, factor: int = 1) -> None:
    """Book a record, or with factor -1 take it back. Drafts and voids move nothing."""
    if record.get("status") in ("Draft", "Void"):
        return
    for account_id, base, own in _POSTINGS[data_type](package, record):
        package.state.post(account_id, base * factor, own * factor)


def _part(
    package: Package, account_id: str, amount: Decimal, currency: str, rate: Decimal
) -> tuple[str, Decimal, Decimal]:
    base = rounded(amount * rate, package.base)
    return account_id, base, amount if package.currency_of(account_id) == currency else base


def _balanced(parts: Parts, account_id: str) -> Parts:
    """Close a posting with whatever makes it zero."""
    rest = -sum((base for _, base, _ in parts), ZERO)
    return [*parts, (account_id, rest, rest)] if rest else parts


def _sale(package: Package, record: Record, sign: int) -> Parts:
    """An invoice credits income and tax and debits the receivable; a credit note is its mirror image."""
    currency, rate = record["currency"], decimal_of(record["currencyRate"])
    parts = [
        _part(package, line["accountRef"]["id"], -sign * line["subTotal"], currency, rate)
        for line in record["lineItems"]
        if line["subTotal"]
    ]
    for role, amount in (("tax", -record["totalTaxAmount"]), ("discount", record.get("totalDiscount") or ZERO)):
        if amount:
            parts.append(_part(package, package.role(role), sign * amount, currency, rate))
    return _balanced(parts, package.role("receivable"))


def _invoice(package: Package, record: Record) -> Parts:
    return _sale(package, record, 1)


def _credit_note(package: Package, record: Record) -> Parts:
    return _sale(package, record, -1)


def _payment(package: Package, record: Record) -> Parts:
    """Money in debits the bank; links lower the receivable at the rate their document was booked at."""
    currency, rate = record["currency"], decimal_of(record["currencyRate"])
    parts: Parts = []
    if record["totalAmount"]:
        parts.append(_part(package, record["accountRef"]["id"], record["totalAmount"], currency, rate))
    owed = ZERO
    for line in record["lines"]:
        for link in line["links"]:
            data_type = CUSTOMER_DOCUMENTS.get(link["type"])
            if data_type is None:
                linked_rate = rate * decimal_of(link.get("currencyRate"), Decimal(1))
            else:
                linked_rate = decimal_of(package.state.live[data_type][link["id"]]["currencyRate"])
            owed += rounded(link["amount"] * linked_rate, package.base)
    if owed:
        parts.append((package.role("receivable"), owed, owed))
    return _balanced(parts, package.role("fx"))


def _money_out(package: Package, record: Record, sign: int) -> Parts:
    currency, rate = record["currency"], decimal_of(record["currencyRate"])
    bank = record["paymentAllocations"][0]["payment"]["accountRef"]["id"]
    parts = [
        _part(package, line["accountRef"]["id"], sign * line["subTotal"], currency, rate)
        for line in record["lineItems"]
    ]
    parts.append(_part(package, bank, -sign * record["totalAmount"], currency, rate))
    return _balanced(parts, package.role("tax"))


def _direct_cost(package: Package, record: Record) -> Parts:
    return _money_out(package, record, 1)


def _direct_income(package: Package, record: Record) -> Parts:
    return _money_out(package, record, -1)


def _transfer(package: Package, record: Record) -> Parts:
    parts = []
    for side, sign in (("from", -1), ("to", 1)):
        ends = record[side]
        rate = decimal_of(ends["_rate"])
        parts.append(_part(package, ends["accountRef"]["id"], sign * ends["amount"], ends["currency"], rate))
    return _balanced(parts, package.role("fx"))


def _journal(package: Package, record: Record) -> Parts:
    return [
        _part(package, line["accountRef"]["id"], line["netAmount"], package.base, Decimal(1))
        for line in record["journalLines"]
    ]


_POSTINGS = {
    "invoices": _invoice,
    "creditNotes": _credit_note,
    "payments": _payment,
    "directCosts": _direct_cost,
    "directIncomes": _direct_income,
    "transfers": _transfer,
    "journalEntries": _journal,
}


def apply_links(package: Package, payment: Record, factor: int = 1) -> None:
    """Let a payment settle what it links to, or with factor -1 take that back."""
    state = package.state
    customer = (payment.get("customerRef") or {}).get("id", "")
    for line in payment["lines"]:
        for link in line["links"]:
            amount = link["amount"] * factor
            data_type = CUSTOMER_DOCUMENTS.get(link["type"])
            if data_type is None:
                state.on_account[customer, payment["currency"]] -= amount
                continue
            key = (data_type, link["id"])
            state.settled[key] += -amount if data_type == "invoices" else amount
            state.mark(data_type, link["id"])
            state.payers[key][payment["id"]] = None
            if factor < 0:
                state.payers[key].pop(payment["id"], None)


def outstanding(package: Package, data_type: str, record: Record) -> Decimal:
    """Give what is still open: amount due of an invoice, remaining credit of a note (reference §8.5)."""
    return Decimal(record["totalAmount"] - package.state.settled.get((data_type, record["id"]), ZERO))
