"""Money that moves without an invoice: direct costs and incomes, transfers, journal entries (reference §7.4, §7.5)."""

from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.amounts import ZERO, date_of, decimal_of, quantum, rounded, wire_date
from codat_ar_cli.sandbox.booksdata import Record
from codat_ar_cli.sandbox.package import DAY_RATES, Draft, Package
from codat_ar_cli.sandbox.posting import post

_REVERSED = {"directCosts": "directIncomes", "directIncomes": "directCosts"}


def write_direct(package: Package, draft: Draft) -> tuple[str, Record]:
    """Book a direct cost or income; a negative one is booked as the other kind where the platform does that.

    Returns the data type it became, and the record.

    Raises:
        Rejection: with every reason the platform has to refuse it.
    """
    body = draft.body
    currency = package.currency(draft)
    rate = package.rate(draft, currency)
    issued = package.day(draft, "issueDate")
    lines = _lines(package, draft, currency)
    package.check_tracking(draft, lines)
    net = sum((line["subTotal"] for line in lines), ZERO)
    tax = sum((line["taxAmount"] for line in lines), ZERO)
    bank = _bank(package, draft, currency, net + tax)
    data_type, sign = draft.data_type, 1
    if net + tax < 0:
        if package.rules.reverses_negative:
            data_type, sign = _REVERSED[data_type], -1
            if any(line["totalAmount"] > 0 for line in lines):
                draft.fail("LineItems", "When one line is negative, all lines must be negative.")
        elif package.rules.enforce_required:
            draft.fail("TotalAmount", f"The total must not be negative; it comes to {net + tax}.")
    draft.settle()
    record: Record = {
        "id": package.next_id(data_type),
        "issueDate": wire_date(issued),
        "currency": currency,
        "currencyRate": rate,
        "lineItems": [_signed(line, sign) for line in lines],
        "paymentAllocations": [{"payment": {"accountRef": {"id": bank}}}],
        "subTotal": net * sign,
        "taxAmount": tax * sign,
        "totalAmount": (net + tax) * sign,
        "sourceModifiedDate": package.stamp(draft.now),
        **_described(body, data_type),
    }
    package.state.put(data_type, record)
    post(package, data_type, record)
    return data_type, record


def _described(body: Record, data_type: str) -> Record:
    """Take over reference, note and contact; costs read with suppliers, incomes with customers."""
    described: Record = {"reference": body.get("reference") or ""}
    if body.get("note"):
        described["note"] = body["note"]
    contact = (body.get("contactRef") or {}).get("id")
    if contact:
        kind = "suppliers" if data_type == "directCosts" else "customers"
        described["contactRef"] = {"id": contact, "dataType": kind}
    return described


def _signed(line: Record, sign: int) -> Record:
    if sign > 0:
        return line
    turned = {name: -line[name] for name in ("subTotal", "taxAmount", "totalAmount")}
    quantity = -line["quantity"] if line["quantity"] < 0 else line["quantity"]
    return {**line, **turned, "quantity": quantity, "unitAmount": abs(line["unitAmount"])}


def _lines(package: Package, draft: Draft, currency: str) -> list[Record]:
    given_lines = draft.body.get("lineItems") or []
    if not given_lines:
        draft.fail("LineItems", "Line items must hold one at least.")
    taxed = [line.get("taxAmount") is not None for line in given_lines]
    if package.rules.one_allocation and any(taxed) and not all(taxed):
        draft.fail("LineItems.TaxAmount", "Must be specified on all line items or none.")
    return [_line(package, draft, line, currency, f"LineItems[{index}]") for index, line in enumerate(given_lines)]


def _line(package: Package, draft: Draft, given: Record, currency: str, place: str) -> Record:
    quantity, unit = decimal_of(given.get("quantity"), Decimal(1)), decimal_of(given.get("unitAmount"))
    net = rounded(unit * quantity - decimal_of(given.get("discountAmount")), currency)
    tax_id = (given.get("taxRateRef") or {}).get("id")
    if not tax_id and package.rules.one_allocation:
        draft.fail(f"{place}.TaxRateRef", "Tax rate reference must be provided.")
    if package.rules.one_allocation and given.get("subTotal") is not None and Decimal(given["subTotal"]) != net:
        draft.fail(f"{place}.SubTotal", f"Given as {given['subTotal']}, but the line comes to {net}.")
    given_tax = given.get("taxAmount")
    tax = package.tax_on(net, package.percentage(tax_id), currency) if given_tax is None else Decimal(given_tax)
    line: Record = {
        "description": given.get("description") or "",
        "accountRef": {"id": _account(package, draft, given, place)},
        "unitAmount": unit,
        "quantity": quantity,
        "subTotal": net,
        "taxAmount": tax,
        "totalAmount": net + tax,
        "trackingCategoryRefs": [{"id": ref["id"]} for ref in given.get("trackingCategoryRefs") or () if ref.get("id")],
    }
    if tax_id:
        line["taxRateRef"] = {"id": tax_id}
    if (given.get("itemRef") or {}).get("id"):
        line["itemRef"] = {"id": given["itemRef"]["id"]}
    return line


def _account(package: Package, draft: Draft, given: Record, place: str) -> str:
    account_id = (given.get("accountRef") or {}).get("id")
    if account_id:
        package.control(draft, account_id, f"{place}.AccountRef.Id")
        if package.find("chartOfAccounts", account_id) is None:
            draft.fail(f"{place}.AccountRef.Id", f"`{account_id}` must match the ID of an existing account.")
        return str(account_id)
    costs = draft.data_type == "directCosts"
    item = package.find("items", (given.get("itemRef") or {}).get("id") or "") or {}
    side = item.get("billItem" if costs else "invoiceItem") or {}
    account_id = (side.get("accountRef") or {}).get("id")
    if account_id:
        return str(account_id)
    if costs and package.rules.enforce_required:
        draft.fail(f"{place}.AccountRef", "An account must be set if the item names none.")
    return package.role("expense" if costs else "sales")


def _bank(package: Package, draft: Draft, currency: str, total: Decimal) -> str:
    allocations = draft.body.get("paymentAllocations") or []
    if package.rules.one_allocation and len(allocations) != 1:
        draft.fail("PaymentAllocations", f"Must have exactly one payment allocation; not {len(allocations)}.")
    first: Record = allocations[0] if allocations else {}
    payment, allocation = first.get("payment") or {}, first.get("allocation") or {}
    for name, given in (("Allocation", allocation.get("totalAmount")), ("Payment", payment.get("totalAmount"))):
        if given is not None and Decimal(given) != total and package.rules.enforce_required:
            draft.fail(f"PaymentAllocations[0].{name}.TotalAmount", f"{given} must match the sum of lines, {total}.")
    place = "PaymentAllocations[0].Payment.AccountRef.Id"
    account_id = (payment.get("accountRef") or {}).get("id") or package.role("undeposited")
    account = package.find("chartOfAccounts", account_id)
    if account is None:
        draft.fail(place, f"`{account_id}` must match the ID of an existing account.")
    elif not (account["isBankAccount"] or (package.rules.one_allocation and account["type"] == "Asset")):
        draft.fail(place, f"Account `{account['name']}` must be a bank account.")
    elif package.currency_of(account_id) not in (currency, package.base):
        draft.fail(place, f"Account `{account['name']}` is not in {currency} or {package.base}.")
    package.control(draft, account_id, place)
    return str(account_id)


def write_transfer(package: Package, draft: Draft) -> Record:
    """Move money between two accounts.

    Raises:
        Rejection: with every reason the platform has to refuse it.
    """
    body = draft.body
    day = package.day(draft, "date")
    ends = {side: _end(package, draft, body.get(side) or {}, side) for side in ("from", "to")}
    currencies = {end["currency"] for end in ends.values()}
    if len(currencies) == 2 and package.base not in currencies:
        draft.fail("From", f"One of the accounts must be in {package.base}.")
    _fill_amounts(package, draft, ends)
    for reference in body.get("depositedRecordRefs") or []:
        if reference.get("id") not in package.state.live[reference.get("dataType", "")]:
            draft.fail("DepositedRecordRefs.Id", f"`{reference.get('id')}` must match the ID of an existing record.")
    draft.settle()
    record: Record = {
        "id": package.next_id("transfers"),
        "description": body.get("description") or "",
        "date": wire_date(day),
        **ends,
        "sourceModifiedDate": package.stamp(draft.now),
    }
    package.state.put("transfers", record)
    post(package, "transfers", record)
    return record


def _end(package: Package, draft: Draft, given: Record, side: str) -> dict[str, Any]:
    place = f"{side[:1].upper()}{side[1:]}"
    account_id = (given.get("accountRef") or {}).get("id") or ""
    account = package.find("chartOfAccounts", account_id)
    if account is None and not package.rules.enforce_required:
        draft.fail(f"{place}.AccountRef.Id", f"`{account_id}` must match the ID of an existing account.")
    package.control(draft, account_id, f"{place}.AccountRef.Id")
    currency = (account or {}).get("currency") or package.base
    amount = given.get("amount")
    if amount is not None and Decimal(amount) <= 0:
        draft.fail(f"{place}.Amount", f"Must be greater than zero; not {amount}.")
    return {
        "accountRef": {"id": account_id},
        "currency": currency,
        "amount": None if amount is None else package.amount(draft, amount, currency, f"{place}.Amount"),
        "_rate": DAY_RATES.get(currency, Decimal(1)) / DAY_RATES.get(package.base, Decimal(1)),
    }


def _fill_amounts(package: Package, draft: Draft, ends: dict[str, dict[str, Any]]) -> None:
    """Give the side without an amount what the other side's comes to; make rates agree with the two amounts."""
    source, target = ends["from"], ends["to"]
    if source["amount"] is None and target["amount"] is None:
        draft.fail("From.Amount", "Amount must be provided.")
        return
    for one, other in ((source, target), (target, source)):
        if one["amount"] is None:
            one["amount"] = rounded(other["amount"] * other["_rate"] / one["_rate"], one["currency"])
    if source["currency"] == target["currency"]:
        if source["amount"] != target["amount"]:
            draft.fail("To.Amount", f"Must be equal to From.Amount: {target['amount']} is not {source['amount']}.")
    elif package.base == source["currency"] and target["amount"]:
        target["_rate"] = source["amount"] / target["amount"]
    elif package.base == target["currency"] and source["amount"]:
        source["_rate"] = target["amount"] / source["amount"]
    if package.rules.bank_only_transfers and source["currency"] != target["currency"]:
        draft.fail("To.AccountRef.Id", "Both bank accounts must be in one currency.")


def write_journal(package: Package, draft: Draft) -> Record:
    """Book a journal entry; debits are positive and the lines balance.

    Raises:
        Rejection: with every reason the platform has to refuse it.
    """
    body = draft.body
    posted = package.day(draft, "postedOn")
    given = body.get("journalLines") or []
    if len(given) < 2:
        draft.fail("JournalLines", f"At least 2 lines must be provided; not {len(given)}.")
    lines = [_journal_line(package, draft, line, f"JournalLines[{index}]") for index, line in enumerate(given)]
    rest = sum((line["netAmount"] for line in lines), ZERO)
    if rest:
        draft.fail("JournalLines", f"Debits and credits must be equal; they differ by {rest}.")
    if package.rules.same_journal_descriptions and len({line["description"] for line in lines}) > 1:
        draft.fail("JournalLines.Description", "Must be the same for all lines.")
    draft.settle()
    stamp = wire_date(date_of(package.stamp(draft.now)))
    record: Record = {
        "id": package.next_id("journalEntries"),
        "description": body.get("description") or lines[0]["description"],
        "postedOn": wire_date(posted),
        "createdOn": stamp,
        "updatedOn": stamp,
        "journalLines": lines,
        "sourceModifiedDate": package.stamp(draft.now),
    }
    package.state.put("journalEntries", record)
    post(package, "journalEntries", record)
    return record


def _journal_line(package: Package, draft: Draft, given: Record, place: str) -> Record:
    account_id = (given.get("accountRef") or {}).get("id") or ""
    if package.find("chartOfAccounts", account_id) is None and not package.rules.enforce_required:
        draft.fail(f"{place}.AccountRef.Id", f"`{account_id}` must match the ID of an existing account.")
    package.control(draft, account_id, f"{place}.AccountRef.Id")
    currency = given.get("currency") or package.base
    if currency != package.base:
        draft.fail(f"{place}.Currency", f"Journal entries are kept in {package.base}; not {currency}.")
    net = decimal_of(given.get("netAmount"))
    if net % quantum(package.base):
        draft.fail(f"{place}.NetAmount", f"{net} has more decimals than {package.base} allows.")
    refs = (given.get("tracking") or {}).get("recordRefs") or []
    return {
        "description": given.get("description") or "",
        "netAmount": net,
        "currency": package.base,
        "accountRef": {"id": account_id},
        "tracking": {
            "recordRefs": [{"id": ref["id"], "dataType": "trackingCategories"} for ref in refs if "id" in ref]
        },
    }
