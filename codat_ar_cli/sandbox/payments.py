"""Payments: money received, and what it settles (reference §8).

Every line satisfies `amount + Σ link amounts = 0` once link amounts are in payment currency, the lines add up to the
total, and nothing settles more than is open.
"""

from collections import defaultdict
from decimal import Decimal

from codat_ar_cli.sandbox.amounts import ZERO, decimal_of, quantum, wire_date
from codat_ar_cli.sandbox.booksdata import CUSTOMER_DOCUMENTS, Record
from codat_ar_cli.sandbox.package import Draft, Package
from codat_ar_cli.sandbox.posting import apply_links, post

_ON_ACCOUNT = ("PaymentOnAccount", "Other")


def write_payment(package: Package, draft: Draft) -> Record:
    """Record a payment, settle what it links to and move the bank account.

    Raises:
        Rejection: with every reason the platform has to refuse it.
    """
    body = draft.body
    if not body.get("currency") and package.rules.payment_needs_currency:
        draft.fail("Currency", "Currency must be provided: the company uses several currencies.")
    currency = package.currency(draft)
    rate = package.rate(draft, currency)
    day = package.day(draft, "date")
    total = package.amount(draft, body.get("totalAmount"), currency, "TotalAmount")
    record: Record = {
        "id": "",
        "customerRef": {"id": (body.get("customerRef") or {}).get("id") or ""},
        "totalAmount": total,
        "currency": currency,
        "currencyRate": rate,
        "date": wire_date(day),
        "lines": _lines(package, draft, currency, total),
        "sourceModifiedDate": package.stamp(draft.now),
    }
    for name in ("note", "reference", "paymentMethodRef"):
        if body.get(name):
            record[name] = body[name] if name != "paymentMethodRef" else {"id": body[name]["id"]}
    _check_total(package, draft, record)
    _place(package, draft, record)
    _check_links(package, draft, record)
    draft.settle()
    record["id"] = package.next_id("payments")
    package.state.put("payments", record)
    post(package, "payments", record)
    apply_links(package, record)
    return record


def _lines(package: Package, draft: Draft, currency: str, total: Decimal) -> list[Record]:
    given = draft.body.get("lines") or []
    if not given and total:
        customer = (draft.body.get("customerRef") or {}).get("id") or ""
        given = [{"amount": total, "links": [{"type": "PaymentOnAccount", "id": customer, "amount": -total}]}]
    sent = draft.sent.get("lines") or []
    lines = []
    for index, line in enumerate(given):
        amount = package.amount(draft, line.get("amount"), currency, f"Lines[{index}].Amount")
        sent_links = (sent[index].get("links") or []) if index < len(sent) else []
        links = [
            {
                "type": link.get("type") or "Unknown",
                "id": link.get("id") or "",
                "amount": decimal_of(link.get("amount")),
                # offered by no platform's options, yet the only way to say how two currencies convert (§8.1)
                "currencyRate": (sent_links[n].get("currencyRate") if n < len(sent_links) else None),
            }
            for n, link in enumerate(line.get("links") or [])
        ]
        lines.append({"amount": amount, "links": links})
    return lines


def _check_total(package: Package, draft: Draft, record: Record) -> None:
    total, lines = record["totalAmount"], record["lines"]
    if sum((line["amount"] for line in lines), ZERO) != total:
        draft.fail("TotalAmount", f"The lines add up to {sum(line['amount'] for line in lines)}, not to {total}.")
    kinds = {link["type"] for line in lines for link in line["links"]}
    allocates = {"Invoice", "CreditNote"} <= kinds
    if total == 0 and not kinds:
        draft.fail("TotalAmount", "A payment of nothing must allocate something.")
    if package.rules.positive_payments_only and (total < 0 or (total == 0 and not allocates)):
        draft.fail("TotalAmount", "Must be greater than 0, unless the payment is a credit note allocation.")


def _place(package: Package, draft: Draft, record: Record) -> None:
    """Decide which account the money lands in, and whether it can."""
    account_id = (draft.body.get("accountRef") or {}).get("id")
    if not account_id:
        if record["totalAmount"]:
            record["accountRef"] = {"id": package.role("undeposited")}
        return
    record["accountRef"] = {"id": account_id}
    account = package.find("chartOfAccounts", account_id)
    if account is None:
        if not package.rules.enforce_required:
            draft.fail("AccountRef.Id", f"`{account_id}` must match the ID of an existing account.")
        return
    kinds = {
        *(["bank"] if account["isBankAccount"] else []),
        *(["enabled"] if account["name"].endswith(".PaymentsEnabled") else []),
        *(["current"] if account["type"] == "Asset" and "Current" in account["fullyQualifiedCategory"] else []),
    }
    allowed = package.rules.payment_account_kinds
    package.control(draft, account_id, "AccountRef.Id")
    if allowed and not allowed & kinds:
        draft.fail("AccountRef.Id", f"Account `{account['name']}` can take no payments: it must be a bank account.")
    kept = package.currency_of(account_id)
    if record["totalAmount"] and kept not in (record["currency"], package.base):
        draft.fail(
            "AccountRef.Id",
            f"Account `{account['name']}` is in {kept}: it must be in {record['currency']} or {package.base}.",
        )


def _check_links(package: Package, draft: Draft, record: Record) -> None:
    taken: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for index, line in enumerate(record["lines"]):
        if not line["links"]:
            draft.fail(f"Lines[{index}].Links", "Links must hold one at least.")
        moved, exact = ZERO, True
        for number, link in enumerate(line["links"]):
            place = f"Lines[{index}].Links[{number}]"
            currency = _linked_currency(package, draft, record, link, place)
            if currency != record["currency"]:
                exact = False
                _check_conversion(package, draft, record, link, currency, place)
            elif decimal_of(link["currencyRate"], Decimal(1)) != 1:
                draft.fail(f"{place}.CurrencyRate", "Must be 1 where both sides are in one currency.")
            link["currencyRate"] = decimal_of(link["currencyRate"], Decimal(1))
            package.amount(draft, link["amount"], currency, f"{place}.Amount")
            moved += link["amount"] * link["currencyRate"]
            _take(package, draft, record, link, taken, place)
        slack = ZERO if exact else quantum(record["currency"])
        if abs(line["amount"] + moved) > slack:
            draft.fail(
                f"Lines[{index}].Amount", f"Line amount {line['amount']} and its links {moved} must add up to 0."
            )


def _linked_currency(package: Package, draft: Draft, record: Record, link: Record, place: str) -> str:
    """Check that a link names something of this customer; give the currency it is kept in."""
    customer = record["customerRef"]["id"]
    data_type = CUSTOMER_DOCUMENTS.get(link["type"])
    if data_type is None:
        if link["type"] not in _ON_ACCOUNT:
            draft.fail(f"{place}.Type", f"A new payment cannot be linked to a {link['type']}.")
        elif link["id"] != customer:
            draft.fail(f"{place}.Id", f"Money on account belongs to the payer `{customer}`, not to `{link['id']}`.")
        return str(record["currency"])
    document = package.state.live[data_type].get(link["id"])
    what = "invoice" if data_type == "invoices" else "credit note"
    if document is None:
        draft.fail(f"{place}.Id", f"`{link['id']}` must match the ID of an existing {what}.")
        return str(record["currency"])
    if customer and document["customerRef"]["id"] != customer:
        draft.fail(f"{place}.Id", f"The {what} `{link['id']}` belongs to another customer than `{customer}`.")
    if document["status"] in ("Draft", "Void"):
        draft.fail(
            f"{place}.Id", f"The {what} `{link['id']}` is {document['status'].lower()}: nothing can be allocated."
        )
    return str(document["currency"])


def _check_conversion(package: Package, draft: Draft, record: Record, link: Record, currency: str, place: str) -> None:
    if package.base not in (currency, record["currency"]):
        draft.fail(
            place, f"A document in {currency} is paid in {currency} or {package.base}, not {record['currency']}."
        )
    elif link["currencyRate"] is None or Decimal(link["currencyRate"]) <= 0:
        draft.fail(
            f"{place}.CurrencyRate",
            f"A rate from {currency} to {record['currency']} must be provided: the document is in {currency}.",
        )
        link["currencyRate"] = None


def _take(
    package: Package,
    draft: Draft,
    record: Record,
    link: Record,
    taken: dict[tuple[str, str], Decimal],
    place: str,
) -> None:
    """Keep what is settled of each document between nothing and its total."""
    data_type = CUSTOMER_DOCUMENTS.get(link["type"])
    state = package.state
    if data_type is None:
        key = (record["customerRef"]["id"], record["currency"])
        taken[key] += link["amount"]
        if state.on_account[key] - taken[key] < 0:
            draft.fail(f"{place}.Amount", f"The customer has {state.on_account[key]} {key[1]} on account.")
        return
    document = state.live[data_type].get(link["id"])
    if document is None:
        return
    key = (data_type, link["id"])
    taken[key] += -link["amount"] if data_type == "invoices" else link["amount"]
    settled = state.settled.get(key, ZERO)
    after = settled + taken[key]
    if after > document["totalAmount"]:
        what = "amount due" if data_type == "invoices" else "remaining credit"
        left = document["totalAmount"] - settled
        draft.fail(f"{place}.Amount", f"{taken[key]} is more than the {what} of `{link['id']}`, {left}.")
    elif after < 0:
        draft.fail(f"{place}.Amount", f"{-taken[key]} is more than was ever allocated to `{link['id']}`, {settled}.")
