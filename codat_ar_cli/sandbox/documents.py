"""Invoices and credit notes: lines priced, taxed and added up as the platform does it (reference §7)."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.amounts import HUNDRED, ZERO, date_of, decimal_of, rounded, wire_date
from codat_ar_cli.sandbox.booksdata import Record
from codat_ar_cli.sandbox.package import Draft, Package
from codat_ar_cli.sandbox.posting import post

NUMBERS = {"invoices": "invoiceNumber", "creditNotes": "creditNoteNumber"}
_SERIES = {"invoices": "INV-", "creditNotes": "CN-"}


def write_document(package: Package, draft: Draft, earlier: Record | None = None) -> Record:
    """Make an invoice or a credit note, or replace an earlier version of it, and book it.

    Raises:
        Rejection: with every reason the platform has to refuse it.
    """
    record = drawn_up(package, draft, earlier)
    draft.settle()
    if earlier is not None:
        post(package, draft.data_type, earlier, -1)
    package.state.put(draft.data_type, record)
    post(package, draft.data_type, record)
    return record


def drawn_up(package: Package, draft: Draft, earlier: Record | None) -> Record:
    """Work a document out without booking it; problems are noted on the draft."""
    body, data_type = draft.body, draft.data_type
    currency = package.currency(draft)
    rate = package.rate(draft, currency)
    issued = package.day(draft, "issueDate")
    if not body.get("lineItems"):
        draft.fail("LineItems", "Line items must hold one at least.")
    lines = priced_lines(package, draft, currency)
    package.check_tracking(draft, lines)
    record: Record = {
        "id": earlier["id"] if earlier else package.next_id(data_type) if not draft.problems else "",
        "customerRef": {"id": (body.get("customerRef") or {}).get("id") or ""},
        "issueDate": wire_date(issued),
        "currency": currency,
        "currencyRate": rate,
        "lineItems": lines,
        **_totals(package, draft, lines, currency),
        "status": _status(body, earlier),
        "sourceModifiedDate": package.stamp(draft.now),
    }
    _number(package, draft, record, earlier)
    if body.get("note"):
        record["note"] = body["note"]
    _take_due(draft, record)
    _check_settled(package, draft, record, earlier)
    return record


def _status(body: Record, earlier: Record | None) -> str:
    status = body.get("status")
    if status in ("Draft", "Void"):
        return str(status)
    return earlier["status"] if earlier is not None and status is None else "Submitted"


def _number(package: Package, draft: Draft, record: Record, earlier: Record | None) -> None:
    name = NUMBERS[draft.data_type]
    given = draft.body.get(name) or (earlier or {}).get(name)
    if not given and not draft.problems:
        prefix = "" if package.rules.income_by_item else _SERIES[draft.data_type]
        given = f"{prefix}{package.next_number(draft.data_type)}"
    record[name] = given


def _take_due(draft: Draft, record: Record) -> None:
    due = draft.body.get("dueDate")
    if not due:
        return
    # No platform here refuses a due date before the issue date; drafting warns of one in the user's file.
    record["dueDate"] = wire_date(date_of(due))


def _check_settled(package: Package, draft: Draft, record: Record, earlier: Record | None) -> None:
    total = record["totalAmount"]
    if total < 0 or (draft.data_type == "creditNotes" and total == 0 and package.rules.enforce_required):
        draft.fail("TotalAmount", f"The total must be greater than zero; it comes to {total}.")
    if earlier is None:
        return
    settled = package.state.settled.get((draft.data_type, earlier["id"]), ZERO)
    if not settled:
        return
    if total < settled:
        draft.fail("TotalAmount", f"{settled} is already allocated: the total cannot become {total}.")
    for name in ("currency", "customerRef"):
        if record[name] != earlier[name]:
            draft.fail(name[:1].upper() + name[1:], f"{name} cannot change once payments are allocated.")
    if record["status"] in ("Draft", "Void"):
        draft.fail("Status", f"A document with payments cannot become {record['status']}.")


def priced_lines(package: Package, draft: Draft, currency: str) -> list[Record]:
    """Price and tax every line; sub-totals exclude tax and are rounded to the currency (reference §7.2)."""
    lines = [
        _priced(package, draft, given, currency, f"LineItems[{index}]")
        for index, given in enumerate(draft.body.get("lineItems") or [])
    ]
    given = [line.get("taxAmount") for line in draft.body.get("lineItems") or []]
    recompute = package.rules.credit_tax_recomputed and draft.data_type == "creditNotes"
    for line, tax in zip(lines, given, strict=True):
        percentage = package.percentage(line.get("taxRateRef", {}).get("id"))
        line["taxAmount"] = (
            package.tax_on(line["subTotal"], percentage, currency) if tax is None or recompute else Decimal(tax)
        )
    if package.rules.tax_per_document and None in given:
        _spread_tax(package, lines, currency)
    for line in lines:
        line["totalAmount"] = line["subTotal"] + line["taxAmount"]
    if package.rules.totals_must_add_up:
        _check_lines(draft, lines)
    return lines


def _priced(package: Package, draft: Draft, given: Record, currency: str, place: str) -> Record:
    quantity = decimal_of(given.get("quantity"), Decimal(1))
    unit = decimal_of(given.get("unitAmount"))
    percentage = decimal_of(given.get("discountPercentage"))
    gross = unit * quantity
    discount = decimal_of(given.get("discountAmount")) or rounded(gross * percentage / HUNDRED, currency)
    if not 0 <= percentage <= HUNDRED:
        draft.fail(f"{place}.DiscountPercentage", f"A discount must be from 0 to 100 percent; not {percentage}.")
    line: Record = {
        "description": given.get("description") or "",
        "unitAmount": unit,
        "quantity": quantity,
        "discountAmount": discount,
        "discountPercentage": percentage,
        "subTotal": rounded(gross - discount, currency),
        "accountRef": {"id": _income_account(package, draft, given, place)},
        "trackingCategoryRefs": [{"id": ref["id"]} for ref in given.get("trackingCategoryRefs") or () if ref.get("id")],
    }
    tax_id, item_id = (given.get("taxRateRef") or {}).get("id"), _item_id(package, given)
    if tax_id:
        line["taxRateRef"] = {"id": tax_id}
    if item_id:
        line["itemRef"] = {"id": item_id}
    if line["subTotal"] < 0 and draft.data_type == "creditNotes" and package.rules.income_by_item:
        draft.fail(place, "A line of a credit note must not be negative.")
    return line


def _item_id(package: Package, given: Record) -> str | None:
    chosen = (given.get("itemRef") or {}).get("id")
    if chosen or not package.rules.income_by_item:
        return chosen or None
    return str(package.state.head["roles"]["default_item"])


def _income_account(package: Package, draft: Draft, given: Record, place: str) -> str:
    account_id = (given.get("accountRef") or {}).get("id")
    if account_id:
        package.control(draft, account_id, f"{place}.AccountRef.Id")
        return str(account_id)
    item = package.find("items", _item_id(package, given) or "")
    posts_to = ((item or {}).get("invoiceItem") or {}).get("accountRef") or {}
    if item is not None and package.rules.income_by_item and not posts_to.get("id"):
        draft.fail(f"{place}.ItemRef.Id", f"Item `{item['id']}` cannot be sold: it has no income account.")
    return str(posts_to.get("id") or package.role("sales"))


def _spread_tax(package: Package, lines: list[Record], currency: str) -> None:
    """Tax the document once per rate; the last line of a rate takes what rounding leaves."""
    groups: dict[str, list[Record]] = defaultdict(list)
    for line in lines:
        groups[line.get("taxRateRef", {}).get("id", "")].append(line)
    for tax_id, group in groups.items():
        net = sum((line["subTotal"] for line in group), ZERO)
        whole = package.tax_on(net, package.percentage(tax_id or None), currency)
        group[-1]["taxAmount"] += whole - sum((line["taxAmount"] for line in group), ZERO)


def _check_lines(draft: Draft, lines: list[Record]) -> None:
    for index, (line, given) in enumerate(zip(lines, draft.body.get("lineItems") or [], strict=True)):
        for name in ("subTotal", "totalAmount"):
            if given.get(name) is not None and Decimal(given[name]) != line[name]:
                place = f"LineItems[{index}].{name[:1].upper()}{name[1:]}"
                draft.fail(place, f"Given as {given[name]}, but the line comes to {line[name]}.")


def _totals(package: Package, draft: Draft, lines: list[Record], currency: str) -> dict[str, Any]:
    """Add a document up: sub-total after discount, tax, total (reference §7.2)."""
    body = draft.body
    net = sum((line["subTotal"] for line in lines), ZERO)
    tax = sum((line["taxAmount"] for line in lines), ZERO)
    percentage = decimal_of(body.get("discountPercentage"))
    if not 0 <= percentage <= HUNDRED:
        draft.fail("DiscountPercentage", f"A discount must be from 0 to 100 percent; not {percentage}.")
    discount = decimal_of(body.get("totalDiscount")) or rounded(net * percentage / HUNDRED, currency)
    if discount < 0 or discount > max(net, ZERO):
        draft.fail("TotalDiscount", f"A discount of {discount} does not fit a document of {net}.")
    elif discount and net and all(line.get("taxAmount") is None for line in body.get("lineItems") or []):
        tax = rounded(tax * (net - discount) / net, currency)
    override = decimal_of(body.get("totalTaxAmount")) if package.rules.tax_per_document else ZERO
    if override:
        lines_say = all(line.get("taxAmount") is not None for line in body.get("lineItems") or [])
        if lines_say and override != tax:
            draft.fail("TotalTaxAmount", f"Given as {override}, but the lines' tax comes to {tax}.")
        tax = override
    totals = {"totalDiscount": discount, "subTotal": net - discount, "totalTaxAmount": tax}
    totals["totalAmount"] = totals["subTotal"] + tax
    if percentage:
        totals["discountPercentage"] = percentage
    if package.rules.totals_must_add_up:
        _check_totals(draft, totals)
    return totals


def _check_totals(draft: Draft, totals: dict[str, Decimal]) -> None:
    for name in ("subTotal", "totalAmount"):
        given = draft.sent.get(name)
        if given is not None and Decimal(given) != totals[name]:
            place = name[:1].upper() + name[1:]
            draft.fail(place, f"Given as {given}, but lines, discount and tax come to {totals[name]}.")
