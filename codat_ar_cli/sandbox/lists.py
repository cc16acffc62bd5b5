"""Customers, suppliers, items, accounts and bank accounts: the lists documents refer to (reference §6)."""

from typing import Any

from codat_ar_cli.sandbox.amounts import decimal_of
from codat_ar_cli.sandbox.booksdata import Record
from codat_ar_cli.sandbox.package import Draft, Package

_BANK_USES = (
    "Payment.AccountRef.Id BillPayment.AccountRef.Id Transfer.To.AccountRef.Id Transfer.From.AccountRef.Id "
    "DirectIncome.LineItems.AccountRef.Id DirectCost.LineItems.AccountRef.Id"
)
ACCOUNT_LINKS = {
    "bank": tuple(_BANK_USES.split()),
    "Income": ("Invoice.LineItems.AccountRef.Id", "DirectIncome.LineItems.AccountRef.Id"),
    "Expense": ("BillLineItem.AccountRef.Id", "DirectCost.LineItems.AccountRef.Id"),
    "enabled": ("Payment.AccountRef.Id", "BillPayment.AccountRef.Id"),
}
"""Where an account may be used, by kind; kinds not named here say nothing (reference §6.1)."""

_NAMES = {"customers": "customerName", "suppliers": "supplierName"}


def write_contact(package: Package, draft: Draft, earlier: Record | None = None) -> Record:
    """Create or change a customer or a supplier; on some platforms a contact is both.

    Raises:
        Rejection: the name is taken, where names are unique.
    """
    data_type, body = draft.data_type, draft.body
    name = body.get(_NAMES[data_type]) or ""
    if package.rules.names_unique and _taken(package, name, earlier):
        draft.fail(_NAMES[data_type][:1].upper() + _NAMES[data_type][1:], f"The name `{name}` is already in use.")
    currency = body.get("defaultCurrency") or package.base
    if len(currency) != 3 or currency != currency.upper():
        draft.fail("DefaultCurrency", f"`{currency}` is not an ISO 4217 currency code.")
    draft.settle()
    status = "Archived" if body.get("status") in ("Archived", "InActive") else "Active"
    record = {
        **(earlier or {}),
        **_complete({key: value for key, value in body.items() if key not in ("metadata", "id")}),
        "id": earlier["id"] if earlier else package.next_id(data_type),
        "status": status,
        "sourceModifiedDate": package.stamp(draft.now),
    }
    record.setdefault("defaultCurrency", package.base)
    package.state.put(data_type, record)
    if package.rules.shared_contacts:
        _mirror(package, data_type, record)
    return record


def _complete(body: Record) -> Record:
    """Give addresses, contacts and their phones the kind that Codat always shows, `Unknown` where none was sent."""
    whole = dict(body)
    for name, kind in (("addresses", "type"), ("contacts", "status"), ("phone", "type")):
        if isinstance(body.get(name), list):
            whole[name] = [_complete({**one, kind: one.get(kind) or "Unknown"}) for one in body[name]]
    if isinstance(body.get("address"), dict):
        whole["address"] = {**body["address"], "type": body["address"].get("type") or "Unknown"}
    return whole


def _taken(package: Package, name: str, earlier: Record | None) -> bool:
    wanted = name.casefold().strip()
    return any(
        str(record.get(field, "")).casefold().strip() == wanted and record is not earlier
        for data_type, field in _NAMES.items()
        for record in package.state.live[data_type].values()
    )


def _mirror(package: Package, data_type: str, record: Record) -> None:
    """Show a Xero contact on the other list as well: every contact is both (reference §6.5)."""
    other = "suppliers" if data_type == "customers" else "customers"
    shown = {key: value for key, value in record.items() if key not in (_NAMES[data_type], "contacts")}
    package.state.put(other, {**shown, _NAMES[other]: record[_NAMES[data_type]]})


def write_item(package: Package, draft: Draft) -> Record:
    """Create an item.

    Raises:
        Rejection: its unique field is taken, or its sides do not fit its flags.
    """
    body = draft.body
    unique = package.rules.unique_item_field
    if unique and any(item.get(unique) == body.get(unique) for item in package.state.live["items"].values()):
        draft.fail(unique[:1].upper() + unique[1:], f"`{body.get(unique)}` is already in use by another item.")
    sides: dict[str, Any] = {}
    for side, flag in (("invoiceItem", "isInvoiceItem"), ("billItem", "isBillItem")):
        wanted = body.get(flag)
        place = side[:1].upper() + side[1:]
        if wanted is False and body.get(side) and package.rules.items_hide_status:
            draft.fail(place, f"Must not be provided if {flag} is false.")
        if wanted and not body.get(side):
            draft.fail(place, f"Must be provided if {flag} is true.")
        account_id = ((body.get(side) or {}).get("accountRef") or {}).get("id")
        if account_id and package.find("chartOfAccounts", account_id) is None:
            draft.fail(f"{place}.AccountRef.Id", f"`{account_id}` must match the ID of an existing account.")
        sides[flag] = bool(body.get(side)) if wanted is None else wanted
        if body.get(side):
            sides[side] = _side(body[side])
    draft.settle()
    record = {
        "id": package.next_id("items"),
        "name": body.get("name") or body.get("code"),
        "code": body.get("code"),
        "itemStatus": "Unknown" if package.rules.items_hide_status else body.get("itemStatus") or "Active",
        "type": _item_type(body.get("type")),
        **sides,
        "sourceModifiedDate": package.stamp(draft.now),
    }
    package.state.put("items", record)
    return record


def _item_type(given: str | None) -> str:
    kinds = ("Unknown", "Inventory", "NonInventory", "Service")
    return given if given in kinds else "Unknown"


def _side(given: Record) -> Record:
    side: Record = {"description": given.get("description")}
    if given.get("unitPrice") is not None:
        side["unitPrice"] = decimal_of(given["unitPrice"])
    for name in ("accountRef", "taxRateRef"):
        if (given.get(name) or {}).get("id"):
            side[name] = {"id": given[name]["id"]}
    return side


def write_account(package: Package, draft: Draft) -> Record:
    """Create an account in the chart; its kind follows from its category.

    Raises:
        Rejection: the name is taken or empty.
    """
    body = draft.body
    name = str(body.get("name") or "")
    if not name.strip():
        draft.fail("Name", "Name must be provided.")
    if any(account["name"] == name for account in package.state.live["chartOfAccounts"].values()):
        draft.fail("Name", f"The name `{name}` is already in use by another account.")
    draft.settle()
    category = str(body.get("fullyQualifiedCategory") or body.get("type") or "Asset.Current")
    return add_account(
        package,
        {
            "nominalCode": body.get("nominalCode"),
            "name": name,
            "description": body.get("description"),
            "currency": package.currency(draft),
            "fullyQualifiedCategory": category,
            "isBankAccount": bool(body.get("isBankAccount")) or category.startswith("Asset.Bank"),
            "sourceModifiedDate": package.stamp(draft.now),
        },
    )


def add_account(package: Package, account: Record) -> Record:
    """Put an account into the chart, with what follows from its category and name."""
    category = account["fullyQualifiedCategory"]
    kind = category.split(".")[0]
    enabled = account["name"].endswith(".PaymentsEnabled")
    links = ACCOUNT_LINKS.get("bank" if account["isBankAccount"] else "enabled" if enabled else kind, ())
    record = {
        "status": "Active",
        **account,
        "id": account.get("id") or package.next_id("chartOfAccounts"),
        "type": kind if kind in ("Asset", "Expense", "Income", "Liability", "Equity") else "Unknown",
        "fullyQualifiedName": f"{category}.{account['name']}",
        "validDatatypeLinks": [{"property": "Id", "links": list(links)}] if links else [],
    }
    package.state.put("chartOfAccounts", record)
    return record


def write_bank_account(package: Package, draft: Draft, earlier: Record | None = None) -> Record:
    """Create a bank account with its account in the chart, or change its details.

    Raises:
        Rejection: the name is taken or empty.
    """
    body = draft.body
    name = str(body.get("accountName") or (earlier or {}).get("accountName") or "")
    if not name.strip():
        draft.fail("AccountName", "Account name must be provided.")
    if earlier is None and any(account["name"] == name for account in package.state.live["chartOfAccounts"].values()):
        draft.fail("AccountName", f"The name `{name}` is already in use by another account.")
    currency = package.currency(draft, (earlier or {}).get("currency"))
    if earlier is not None and currency != earlier["currency"]:
        draft.fail("Currency", "The currency of a bank account cannot change.")
    draft.settle()
    stamp = package.stamp(draft.now)
    details = {key: body[key] for key in _BANK_DETAILS if body.get(key) is not None}
    if earlier is not None:
        record = {**earlier, **details, "sourceModifiedDate": stamp}
        package.state.put("bankAccounts", record)
        return record
    account = add_account(
        package,
        {
            "nominalCode": body.get("nominalCode"),
            "name": name,
            "currency": currency,
            "fullyQualifiedCategory": "Asset.Bank.Checking" if package.rules.income_by_item else "Asset.Bank",
            "isBankAccount": True,
            "sourceModifiedDate": stamp,
        },
    )
    return add_bank_account(package, account, {**details, "currency": currency, "sourceModifiedDate": stamp})


_BANK_DETAILS = (
    "accountName",
    "accountType",
    "nominalCode",
    "sortCode",
    "accountNumber",
    "iBan",
    "institution",
    "status",
)


def add_bank_account(package: Package, account: Record, details: Record) -> Record:
    """Put a bank account beside its account in the chart.

    Its id is the account's on Xero and QuickBooks Online and another one elsewhere (reference §6.2).
    """
    prefixed = package.rules.id_prefixes.get("bankAccounts")
    record = {
        "accountName": account["name"],
        "accountType": "Debit",
        "nominalCode": account.get("nominalCode"),
        "status": "Active",
        **details,
        "id": package.next_id("bankAccounts") if prefixed else account["id"],
        "_account": account["id"],
    }
    package.state.put("bankAccounts", record)
    return record
