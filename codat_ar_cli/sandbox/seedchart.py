"""The reference data every seeded company starts with: accounts, tax rates, tracking, items, payment methods."""

from decimal import Decimal
from typing import Any, NamedTuple

from codat_ar_cli.sandbox.booksdata import Record
from codat_ar_cli.sandbox.lists import add_account, add_bank_account
from codat_ar_cli.sandbox.package import Package


class Seeded(NamedTuple):
    """One account of the seeded chart."""

    code: str
    name: str
    kind: str
    """Key of `_CATEGORIES`."""
    role: str = ""
    """What the books themselves use it for."""
    currency: str = "GBP"
    status: str = "Active"


ACCOUNTS = (
    Seeded("090", "Business Current Account", "bank", "bank"),
    Seeded("091", "Business Savings Account", "bank", "savings"),
    Seeded("092", "Euro Account", "bank", "bank.EUR", "EUR"),
    Seeded("093", "US Dollar Account", "bank", "bank.USD", "USD"),
    Seeded("095", "Card Clearing", "current", "clearing"),
    Seeded("605", "Undeposited Funds", "current", "undeposited"),
    Seeded("610", "Accounts Receivable", "receivable", "receivable"),
    Seeded("710", "Office Equipment", "fixed"),
    Seeded("800", "Accounts Payable", "payable"),
    Seeded("820", "VAT", "liability", "tax"),
    Seeded("200", "Sales", "sales", "sales"),
    Seeded("260", "Other Revenue", "sales"),
    Seeded("4000", "Consulting Income", "sales"),
    Seeded("210", "Export Sales", "sales"),
    Seeded("270", "Interest Received", "other income"),
    Seeded("299", "Sales (old shop)", "sales", status="Archived"),
    Seeded("290", "Discounts Given", "discount", "discount"),
    Seeded("310", "Cost of Goods Sold", "cost"),
    Seeded("400", "Advertising", "expense"),
    Seeded("404", "Bank Fees", "expense", "expense"),
    Seeded("405", "Card Processing Fees", "expense", "fees"),
    Seeded("461", "Printing and Stationery", "expense"),
    Seeded("469", "Rent", "expense"),
    Seeded("489", "Telephone and Internet", "expense"),
    Seeded("497", "Bank Revaluations", "expense", status="Archived"),
    Seeded("499", "Realised Currency Gains", "expense", "fx"),
    Seeded("960", "Retained Earnings", "equity"),
    Seeded("970", "Owner's Funds", "equity", "opening"),
)

_CATEGORIES = {
    "gbol": {
        "bank": "Asset.Bank",
        "current": "Asset.Current",
        "receivable": "Asset.Current",
        "fixed": "Asset.Fixed",
        "payable": "Liability.Current",
        "liability": "Liability.Current",
        "sales": "Income.Revenue",
        "other income": "Income.Other",
        "discount": "Income.Sales",
        "cost": "Expense.DirectCosts",
        "expense": "Expense.Overhead",
        "equity": "Equity.Equity",
    },
    "qhyg": {
        "bank": "Asset.Bank.Checking",
        "current": "Asset.Other Current Asset.OtherCurrentAssets",
        "receivable": "Asset.Accounts Receivable.AccountsReceivable",
        "fixed": "Asset.Fixed Asset.FurnitureAndFixtures",
        "payable": "Liability.Accounts Payable.AccountsPayable",
        "liability": "Liability.Other Current Liability.GlobalTaxPayable",
        "sales": "Income.Income.SalesOfProductIncome",
        "other income": "Income.Other Income.InterestEarned",
        "discount": "Income.Income.DiscountsRefundsGiven",
        "cost": "Expense.Cost of Goods Sold.SuppliesMaterialsCogs",
        "expense": "Expense.Expense.OfficeGeneralAdministrativeExpenses",
        "equity": "Equity.Equity.RetainedEarnings",
    },
}

_SALES_LINKS = ("Invoice", "CreditNote", "DirectIncome")
_PURCHASE_LINKS = ("Bill", "BillCreditNote")

_XERO_RATES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("OUTPUT2", "20% (VAT on Income)", "20", _SALES_LINKS),
    ("RROUTPUT", "5% (VAT on Income)", "5", _SALES_LINKS),
    ("ZERORATEDOUTPUT", "Zero Rated Income", "0", _SALES_LINKS),
    ("EXEMPTOUTPUT", "Exempt Income", "0", _SALES_LINKS),
    ("ECZROUTPUTSERVICES", "Zero Rated EC Services", "0", _SALES_LINKS),
    ("INPUT2", "20% (VAT on Expenses)", "20", _PURCHASE_LINKS),
    ("RRINPUT", "5% (VAT on Expenses)", "5", _PURCHASE_LINKS),
    ("ZERORATEDINPUT", "Zero Rated Expenses", "0", _PURCHASE_LINKS),
    ("EXEMPTINPUT", "Exempt Expenses", "0", _PURCHASE_LINKS),
    ("NONE", "No VAT", "0", (*_SALES_LINKS, *_PURCHASE_LINKS)),
    ("SROUTPUT", "17.5% (VAT on Income)", "17.5", _SALES_LINKS),
)
_PAIRED_RATES = (
    ("20", "20.0% S", "20"),
    ("5", "5.0% R", "5"),
    ("10", "0.0% Z", "0"),
    ("9", "Exempt", "0"),
    ("7", "0.0% ECG", "0"),
    ("17", "17.5% S (old)", "17.5"),
)
_SIDES: dict[str, tuple[str, ...]] = {"Invoices": ("Invoice",), "Bills": _PURCHASE_LINKS}
_OLD_RATE = Decimal("17.5")

ITEMS = (
    ("SVC", "Services", "200", "50"),
    ("PLAN-M", "Monthly plan", "200", "39"),
    ("SETUP", "Setup fee", "200", "199"),
    ("OTHER", "Other revenue", "260", "79"),
    ("DELIVERY", "Delivery", "260", "12.50"),
    ("WORKSHOP", "Workshop", "260", "129"),
    ("CONSULT", "Consulting", "4000", "95"),
    ("SUPPORT", "Support hours", "4000", "59"),
    ("LICENCE", "Licence, annual", "4000", "599"),
    ("EXPORT", "Export goods", "210", "240"),
)
"""(code, name, income account, unit price); names fit the shortest limit, 21 characters."""


def seed_reference(package: Package, stamp: str) -> dict[str, str]:
    """Put accounts, tax rates, tracking, items and payment methods into empty books.

    stamp: `sourceModifiedDate` of everything.
    Returns the ids of accounts by nominal code, and fills the roles the books use themselves.
    """
    accounts = _accounts(package, stamp)
    _tax_rates(package, stamp)
    _tracking(package, stamp)
    _items(package, accounts, stamp)
    if "paymentMethods" not in package.platform.unreadable:
        _payment_methods(package, stamp)
    return accounts


def _accounts(package: Package, stamp: str) -> dict[str, str]:
    categories = _CATEGORIES.get(package.platform.key, _CATEGORIES["gbol"])
    enabled = "enabled" in package.rules.payment_account_kinds
    ids, roles = {}, package.state.head["roles"]
    for seeded in ACCOUNTS:
        account = add_account(
            package,
            {
                "nominalCode": seeded.code,
                "name": f"{seeded.name}.PaymentsEnabled" if enabled and seeded.role == "clearing" else seeded.name,
                "description": None,
                "currency": seeded.currency,
                "fullyQualifiedCategory": categories[seeded.kind],
                "isBankAccount": seeded.kind == "bank",
                "status": seeded.status,
                "sourceModifiedDate": stamp,
            },
        )
        ids[seeded.code] = account["id"]
        if seeded.role:
            roles[seeded.role] = account["id"]
        if seeded.kind == "bank":
            add_bank_account(package, account, {**_bank_details(seeded), "sourceModifiedDate": stamp})
    return ids


def _bank_details(seeded: Seeded) -> Record:
    number = f"{seeded.code}41876"[-8:].rjust(8, "3")
    if seeded.currency == "GBP":
        return {"currency": "GBP", "sortCode": "204514", "accountNumber": number, "institution": "Barlow Bank"}
    iban = {"EUR": "DE89370400440532013000", "USD": ""}[seeded.currency]
    details = {"currency": seeded.currency, "accountNumber": number, "institution": "Barlow Bank"}
    return {**details, "iBan": iban} if iban else details


def _tax_rates(package: Package, stamp: str) -> None:
    if package.platform.key == "gbol":
        for code, name, rate, valid in _XERO_RATES:
            _add_rate(package, {"id": code, "code": code, "name": name, "sourceModifiedDate": stamp}, rate, valid)
        return
    for number, code, rate in _PAIRED_RATES:
        for side, uses in _SIDES.items():
            plain = not package.rules.income_by_item
            record_id = f"{package.rules.id_prefixes.get('taxRates', '')}{number}_{side}"
            record = {"id": record_id, "code": code, "name": f"{code} {side}", "sourceModifiedDate": stamp}
            _add_rate(package, record, rate, () if plain else uses)


def _add_rate(package: Package, record: Record, rate: str, uses: tuple[str, ...]) -> None:
    percent = Decimal(rate)
    links = [f"{use}.LineItems.TaxRateRef.Id" for use in uses]
    package.state.put(
        "taxRates",
        {
            **record,
            "status": "Archived" if percent == _OLD_RATE else "Active",
            "effectiveTaxRate": percent,
            "totalTaxRate": percent,
            "components": [{"name": "VAT", "rate": percent, "isCompound": False}],
            "validDatatypeLinks": [{"property": "Id", "links": links}] if links else [],
        },
    )


_TREES = (("Regions", "CLASS_", ("North", "South", "East")), ("Departments", "DEPARTMENT_", ("Sales", "Service")))


def _tracking(package: Package, stamp: str) -> None:
    classes = package.rules.tracking == "classes"
    for group, prefix, names in _TREES:
        parent = {"CLASS_": "CLASSES", "DEPARTMENT_": "DEPARTMENTS"}[prefix]
        if not classes:
            parent = package.next_id("trackingCategories")
            _add_category(package, {"id": parent, "name": group, "hasChildren": True, "sourceModifiedDate": stamp})
        for name in names:
            number = package.next_id("trackingCategories")
            record = {
                "id": f"{prefix}{number}" if classes else number,
                "name": name,
                "parentId": parent,
                "hasChildren": False,
                "sourceModifiedDate": stamp,
            }
            _add_category(package, record)


def _add_category(package: Package, record: Record) -> None:
    status = "Archived" if record["name"] == "East" else "Active"
    package.state.put("trackingCategories", {"status": status, **record})


def _items(package: Package, accounts: dict[str, str], stamp: str) -> None:
    sales, purchases = default_tax(package, "20"), default_tax(package, "20", purchases=True)
    hidden = package.rules.items_hide_status

    def add(code: str, name: str, **own: Any) -> str:
        item_id = package.next_id("items")
        status = "Unknown" if hidden else own.pop("itemStatus", "Active")
        own.pop("itemStatus", None)
        kind = "Unknown" if hidden else "Service"
        shown = {"id": item_id, "code": code, "name": name, "itemStatus": status, "type": kind}
        sides = {"isInvoiceItem": "invoiceItem" in own, "isBillItem": "billItem" in own}
        package.state.put("items", {**shown, **sides, **own, "sourceModifiedDate": stamp})
        return item_id

    for code, name, account, price in ITEMS:
        side: Record = {
            "description": name,
            "unitPrice": Decimal(price),
            "accountRef": {"id": accounts[account]},
            "taxRateRef": {"id": sales},
        }
        item_id = add(code, name, invoiceItem=side)
        package.state.head["roles"].setdefault("default_item", item_id)
    fee = {"description": "Card fees", "accountRef": {"id": accounts["405"]}, "taxRateRef": {"id": purchases}}
    add("CARDFEE", "Card fees", billItem=fee)
    old = {"description": "Plan no longer sold", "unitPrice": Decimal(19), "accountRef": {"id": accounts["200"]}}
    add("PLAN-OLD", "Old plan", invoiceItem=old, itemStatus="Archived")


def default_tax(package: Package, percent: str, *, purchases: bool = False) -> str:
    """Give the id of the first active tax rate of a percentage for sales or for purchases."""
    mark = "Bills" if purchases else "Invoices"
    wanted = "Bill" if purchases else "Invoice"
    for rate in package.state.live["taxRates"].values():
        links = [link for group in rate["validDatatypeLinks"] for link in group["links"]]
        fits = any(link.startswith(f"{wanted}.") for link in links) if links else rate["id"].endswith(mark)
        if fits and rate["status"] == "Active" and rate["effectiveTaxRate"] == Decimal(percent):
            return str(rate["id"])
    raise LookupError(f"no tax rate of {percent} %")


def _payment_methods(package: Package, stamp: str) -> None:
    methods = (
        ("Cash", "Cash"),
        ("Cheque", "Check"),
        ("Card", "CreditCard"),
        ("Bank transfer", "BankTransfer"),
        ("Direct Debit", "Other"),
    )
    for name, kind in methods:
        record = {
            "id": package.next_id("paymentMethods"),
            "name": name,
            # QuickBooks Online never says the kind (reference §6.7)
            "type": "Unknown" if package.rules.income_by_item else kind,
            "status": "Active",
            "sourceModifiedDate": stamp,
        }
        package.state.put("paymentMethods", record)
