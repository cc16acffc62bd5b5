"""A small company's books, drafts for it, and push options: what mapping and planning tests start from."""

import datetime as dt
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from codat_ar_cli.domain.documents import AllocationDraft, InvoiceDraft, LineDraft, PartyDraft, PaymentDraft
from codat_ar_cli.domain.drafting import BrokenDocument, Drafted
from codat_ar_cli.domain.findings import Finding, Place
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.options import Option, parse_options
from codat_ar_cli.domain.plan import ControlTotals, InvoiceIndex, PlanContext
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.types import (
    Account,
    BankAccount,
    CompanyId,
    CompanyInfo,
    ConnectionId,
    Currency,
    Customer,
    DataType,
    Item,
    OpenInvoice,
    PaymentMethod,
    PlatformKey,
    RecordId,
    ReferenceData,
    Supplier,
    TaxRate,
    TrackingCategory,
)

GBP, EUR = Currency("GBP"), Currency("EUR")
INVOICE_LINK, PAYMENT_LINK = "Invoice.LineItems.AccountRef.Id", "Payment.AccountRef.Id"
TAX_LINK = "Invoice.LineItems.TaxRateRef.Id"


def _account(id: str, name: str, code: str, type: str, **more: Any) -> Account:
    values: dict[str, Any] = {"status": "Active", "currency": GBP, "is_bank_account": False, **more}
    return Account(RecordId(id), name, code, type, **values)


def _rate(id: str, name: str, percent: str | None, **more: Any) -> TaxRate:
    effective = None if percent is None else Decimal(percent)
    values: dict[str, Any] = {"code": id, "status": "Active", "valid_links": (TAX_LINK,), **more}
    return TaxRate(RecordId(id), name, effective_rate=effective, **values)


def _customer(id: str, name: str, email: str, currency: Currency = GBP, status: str = "Active") -> Customer:
    return Customer(RecordId(id), name, email, None, currency, status)


def _category(id: str, name: str, parent: str | None, *, heading: bool = False) -> TrackingCategory:
    return TrackingCategory(RecordId(id), name, "Active", RecordId(parent) if parent else None, heading)


@pytest.fixture
def books() -> ReferenceData:
    """Reference data of a British company that also bills in euro."""
    return ReferenceData(
        company_info=CompanyInfo("Example Ltd", GBP, dt.date(2025, 12, 31)),
        accounts=(
            _account("acc-bank", "Current account", "090", "Asset", is_bank_account=True, valid_links=(PAYMENT_LINK,)),
            _account("acc-euro", "Euro account", "091", "Asset", is_bank_account=True, currency=EUR),
            _account("acc-card", "Card", "092", "Liability", qualified_name="Liability.Card.PaymentsEnabled"),
            _account("acc-old", "Old bank", "093", "Asset", is_bank_account=True, status="Archived"),
            _account("acc-sales", "Sales", "200", "Income"),
            _account("acc-other", "Other revenue", "260", "Income"),
            _account("acc-shop", "Shop", "4000", "Income", valid_links=(INVOICE_LINK,)),
            _account("acc-gone", "Former sales", "270", "Income", status="Archived"),
            _account("acc-fees", "Bank fees", "404", "Expense"),
        ),
        bank_accounts=(
            BankAccount(
                RecordId("feed-1"), "Main", "090", "12345678", "20-00-00", None, GBP, Decimal("10.00"), "Barclays"
            ),
        ),
        tracking_categories=(
            _category("reg", "Region", None, heading=True),
            _category("reg-n", "North", "reg"),
            _category("reg-s", "South", "reg"),
            _category("dep", "Department", None, heading=True),
            _category("dep-x", "Export", "dep"),
        ),
        tax_rates=(
            _rate("OUTPUT2", "20% (VAT on Income)", "20"),
            _rate("ZERORATED", "Zero rated income", "0"),
            _rate("EXEMPT", "Exempt income", "0"),
            _rate("REDUCED", "5% (VAT on Income)", "5"),
            _rate("INPUT2", "20% (VAT on Expenses)", "20", valid_links=("Bill.LineItems.TaxRateRef.Id",)),
            _rate("SILENT", "Foreign rate", None),
        ),
        customers=(
            _customer("cus-1", "Acorn Bakery Ltd", "ap@acorn.example"),
            _customer("cus-2", "Birchwood Builders", "accounts@birchwood.example"),
            _customer("cus-3", "Schröder & Grüber GmbH", "rechnung@sg.example", EUR),
            _customer("cus-4", "Closed Shop", "x@closed.example", status="Archived"),
            _customer("cus-5", "Twin", "one@twin.example"),
            _customer("cus-6", "Twin", "two@twin.example"),
        ),
        suppliers=(
            Supplier(RecordId("sup-1"), "Stripe", "Active"),
            Supplier(RecordId("sup-2"), "Paper & Co", "Active"),
        ),
        items=(
            Item(RecordId("item-1"), "Service hours", "HRS", "Active", "Service", True, RecordId("acc-sales")),
            Item(RecordId("item-2"), "Goods", "GDS", "Active", "NonInventory", True, RecordId("acc-shop")),
            Item(RecordId("item-3"), "Stationery", "STA", "Active", "NonInventory", False, None),
        ),
        payment_methods=(PaymentMethod(RecordId("pm-1"), "Bank transfer", "BankTransfer", "Active"),),
        fetched=dict.fromkeys(DataType, dt.datetime(2026, 6, 1, tzinfo=dt.UTC)),
    )


@pytest.fixture
def mapping() -> Mapping:
    """Answers for `books`: the usual defaults, tax by percentage."""
    return Mapping(
        {
            Slot.BANK_ACCOUNT: SlotMapping(Target(RecordId("acc-bank"), "Current account", "090")),
            Slot.INCOME_ACCOUNT: SlotMapping(Target(RecordId("acc-sales"), "Sales", "200")),
            Slot.ITEM: SlotMapping(Target(RecordId("item-1"), "Service hours", "HRS")),
            Slot.TAX_RATE: SlotMapping(
                Target(RecordId("OUTPUT2"), "20% (VAT on Income)"),
                (Rule((("tax_rate", ("0",)),), Target(RecordId("ZERORATED"), "Zero rated income")),),
            ),
        }
    )


def tree(required: str, optional: str = "", **properties: dict[str, Any]) -> dict[str, Any]:
    """Write push options: names of required and optional plain properties, and nested ones as they are."""
    found: dict[str, Any] = {}
    for names, is_required in ((required, True), (optional, False)):
        for name in names.split():
            kind = "DateTime" if name.lower().endswith("date") else "Number" if name in _NUMBERS else "String"
            found[name] = {"type": kind, "displayName": name, "required": is_required}
    return {"type": "Object", "displayName": "", "required": True, "properties": {**found, **properties}}


_NUMBERS = frozenset(
    "amount quantity unitAmount taxAmount totalAmount subTotal totalTaxAmount currencyRate discountPercentage "
    "discountAmount totalDiscount".split()
)


def _array(of: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {**of, "type": "Array", "required": required}


def _optional(of: dict[str, Any]) -> dict[str, Any]:
    return {**of, "required": False}


def _links(*types: str) -> dict[str, Any]:
    choices = [{"value": each, "type": "String", "displayName": each, "required": False} for each in types]
    kind = {"type": "String", "displayName": "type", "required": True, "options": choices}
    return _array(tree("amount", links=_array(tree("id amount", type=kind))))


REF = tree("id")
ACCOUNT_INVOICES = tree(
    "issueDate dueDate status",
    "invoiceNumber currency currencyRate",
    customerRef=REF,
    lineItems=_array(
        tree(
            "description quantity unitAmount taxAmount",
            "discountPercentage",
            accountRef=REF,
            taxRateRef=_optional(REF),
            itemRef=_optional(REF),
            trackingCategoryRefs=_array(REF, required=False),
        )
    ),
)
ITEM_INVOICES = tree(
    "dueDate currency status",
    "currencyRate note totalTaxAmount",
    customerRef=REF,
    lineItems=_array(
        tree(
            "description quantity unitAmount",
            "taxAmount totalAmount subTotal",
            itemRef=REF,
            taxRateRef=REF,
            trackingCategoryRefs=_array(REF, required=False),
        )
    ),
)
CLOSED_PAYMENTS = tree(
    "totalAmount date currency",
    "reference currencyRate",
    customerRef=REF,
    accountRef=REF,
    lines=_links("Invoice", "CreditNote", "Payment"),
)
OPEN_PAYMENTS = tree(
    "totalAmount date",
    "currency note",
    customerRef=REF,
    accountRef=_optional(REF),
    paymentMethodRef=_optional(REF),
    lines=_links("Invoice", "CreditNote", "PaymentOnAccount"),
)
OPTIONS = {
    ("gbol", DataType.INVOICES): ACCOUNT_INVOICES,
    ("gbol", DataType.PAYMENTS): CLOSED_PAYMENTS,
    ("qhyg", DataType.INVOICES): ITEM_INVOICES,
    ("qhyg", DataType.PAYMENTS): OPEN_PAYMENTS,
}
"""Small trees of the shape that Xero and QuickBooks Online give."""

ContextMaker = Callable[..., PlanContext]


@pytest.fixture
def make_options() -> Callable[[str, DataType], Option]:
    return lambda key, data_type: parse_options(OPTIONS[key, data_type])


@pytest.fixture
def context(books: ReferenceData, mapping: Mapping) -> ContextMaker:
    """Make a plan context: `context("gbol", DataType.INVOICES, partial=True)`."""

    def make(key: str, data_type: DataType, **more: Any) -> PlanContext:
        values: dict[str, Any] = {
            "api_host": "127.0.0.1:1",
            "company": CompanyId("company-1"),
            "connection": ConnectionId("connection-1"),
            "source_system": "file",
            "platform": rules_for(PlatformKey(key)),
            "mapping": mapping,
            "reference": books,
            "known": {},
            "today": dt.date(2026, 6, 1),
        }
        values.update(more)
        if "options" not in values:
            values["options"] = parse_options(OPTIONS[key, data_type])
        return PlanContext(**values)

    return make


@pytest.fixture
def line() -> Callable[..., LineDraft]:
    """Draft a line: one at 100.00 with 20 % unless told otherwise."""

    def make(row: int = 2, **more: Any) -> LineDraft:
        values: dict[str, Any] = {
            "description": "Work",
            "quantity": Decimal(1),
            "unit_amount": Decimal("100.00"),
            "tax_rate": "20",
            **more,
        }
        names = ("tax_rate", "account", "item")
        cells = {name: values[name] for name in names if values.get(name)}
        if values.get("tracking"):
            cells["tracking"] = ", ".join(values["tracking"])
        values.setdefault("cells", cells)
        return LineDraft(place=Place("invoices.csv", row), **values)

    return make


@pytest.fixture
def invoice(line: Callable[..., LineDraft]) -> Callable[..., InvoiceDraft]:
    """Draft an invoice to Acorn Bakery."""

    def make(number: str = "INV-1", **more: Any) -> InvoiceDraft:
        place = Place("invoices.csv", 2)
        values: dict[str, Any] = {
            "customer": PartyDraft("Acorn Bakery Ltd"),
            "issue_date": dt.date(2026, 5, 1),
            "due_date": dt.date(2026, 5, 31),
            "currency": GBP,
            "lines": (line(),),
            "place": place,
            "rows": (place,),
            "cells": {},
        }
        return InvoiceDraft(number=number, **{**values, **more})

    return make


@pytest.fixture
def payment() -> Callable[..., PaymentDraft]:
    """Draft a payment: `payment("PMT-1", "100.00", "INV-1", ("INV-2", "40.00"))`; no invoice: on account."""

    def make(payment_id: str, amount: str, *against: str | tuple[str, str], **more: Any) -> PaymentDraft:
        place = Place("payments.csv", 2)
        pairs = [(each, None) if isinstance(each, str) else each for each in against]
        allocations = tuple(
            AllocationDraft(place, number or None, amount=None if part is None else Decimal(part))
            for number, part in pairs
        )
        values: dict[str, Any] = {
            "customer": PartyDraft("Acorn Bakery Ltd"),
            "date": dt.date(2026, 5, 20),
            "currency": GBP,
            "place": place,
            "rows": (place,),
            "cells": {},
        }
        return PaymentDraft(
            payment_id=payment_id, amount=Decimal(amount), allocations=allocations, **{**values, **more}
        )

    return make


@pytest.fixture
def open_invoice() -> Callable[..., OpenInvoice]:
    """Put an invoice of Acorn Bakery into the books: `open_invoice("i-1", "INV-1", "120.00")`."""

    def make(id: str, number: str | None, due: str, **more: Any) -> OpenInvoice:
        values: dict[str, Any] = {
            "customer_id": RecordId("cus-1"),
            "customer_name": "Acorn Bakery Ltd",
            "currency": GBP,
            "issue_date": dt.date(2026, 5, 1),
            "due_date": None,
            "total_amount": Decimal(due),
            "status": "Submitted",
            **more,
        }
        return OpenInvoice(id=RecordId(id), number=number, amount_due=Decimal(due), **values)

    return make


@pytest.fixture
def index() -> Callable[..., InvoiceIndex]:
    """Index invoices as the books of a platform have them."""

    def make(*invoices: OpenInvoice, key: str = "gbol", **more: Any) -> InvoiceIndex:
        return InvoiceIndex.of(invoices, rules_for(PlatformKey(key)), **more)

    return make


@pytest.fixture
def drafted() -> Callable[..., Drafted[Any]]:
    """Wrap drafts as reading a file gives them."""

    def make(
        *documents: Any,
        findings: Iterable[Finding] = (),
        broken: Iterable[BrokenDocument] = (),
        fees: dict[Currency, Decimal] | None = None,
    ) -> Drafted[Any]:
        totals = ControlTotals(len(documents), len(documents), fees=fees or {})
        return Drafted(tuple(documents), tuple(findings), totals, tuple(broken))

    return make


@pytest.fixture(scope="session")
def sample_options(shared: Path) -> Callable[[str, str], dict[str, Any]]:
    """Read one of the recorded options files."""

    def read(platform: str, data_type: str) -> dict[str, Any]:
        path = shared / "codat" / "platforms" / platform / f"{data_type}.options.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        return found

    return read
