"""The words of the tool as types: identifiers, data types, and the reference data of a company.

Everything here is a plain frozen value. Amounts are `Decimal` in the currency named beside them, rates of
tax are percentages (20 = 20 %), dates are calendar dates, instants are aware and UTC.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from codat_ar_cli.domain.ids import (
    CompanyId,
    ConnectionId,
    CorrelationId,
    Currency,
    DatasetId,
    DataType,
    Identity,
    PlatformKey,
    PushId,
    PushOperationKey,
    RecordId,
    RunId,
)

__all__ = [
    "Account",
    "BankAccount",
    "Company",
    "CompanyId",
    "CompanyInfo",
    "Connection",
    "ConnectionFault",
    "ConnectionId",
    "CorrelationId",
    "Currency",
    "Customer",
    "DataStatus",
    "DataType",
    "Dataset",
    "DatasetId",
    "Identity",
    "Integration",
    "Item",
    "OpenInvoice",
    "PaymentMethod",
    "PlatformKey",
    "PushId",
    "PushOperation",
    "PushOperationKey",
    "PushStatus",
    "RecordId",
    "ReferenceData",
    "RunId",
    "Supplier",
    "TaxRate",
    "TrackingCategory",
    "ValidationItem",
]


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """One fault Codat has recorded on a connection (reference §2)."""

    status_code: str
    text: str
    at: dt.datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """A company's link to one platform (reference §2)."""

    id: ConnectionId
    platform_key: PlatformKey
    platform_name: str
    source_type: str
    """`Accounting`, `Banking`, `Commerce`…; only Accounting takes our writes."""
    status: str
    """`PendingAuth`, `Linked`, `Deauthorized` or `Unlinked`; only Linked takes writes."""
    link_url: str
    last_sync: dt.datetime | None = None
    errors: tuple[ConnectionFault, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether writes can go through it: an accounting platform, linked."""
        return self.source_type == "Accounting" and self.status == "Linked"


@dataclass(frozen=True, slots=True)
class Company:
    """A business in Codat with its connections (reference §2)."""

    id: CompanyId
    name: str
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class CompanyInfo:
    """What the accounting package says of the business itself (reference §6.8)."""

    name: str
    base_currency: Currency | None
    """`None` where the platform does not say; then foreign-currency rules can't be checked."""
    ledger_lock_date: dt.date | None
    """Entries dated on or before it can't be made."""


@dataclass(frozen=True, slots=True)
class Account:
    """A GL account in the chart of accounts (reference §6.1)."""

    id: RecordId
    name: str
    nominal_code: str | None
    """The code users know; not unique in Codat."""
    type: str
    """`Asset`, `Expense`, `Income`, `Liability`, `Equity` or `Unknown`."""
    status: str
    currency: Currency | None
    is_bank_account: bool
    qualified_category: str | None = None
    qualified_name: str | None = None
    valid_links: tuple[str, ...] = ()
    """Where this id may be used, such as `Payment.AccountRef.Id`; empty means no information, never "nowhere"."""
    is_deleted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it can take new entries, as far as Codat knows."""
        return not self.is_deleted and self.status in {"Active", "Unknown"}


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A bank account as the bank feed side of the package knows it (reference §6.2).

    Its id is not always valid as a payment account: use the `Account` of the same nominal code or name.
    """

    id: RecordId
    name: str
    nominal_code: str | None
    account_number: str | None
    sort_code: str | None
    iban: str | None
    currency: Currency | None
    balance: Decimal | None
    institution: str | None
    status: str = "Unknown"
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class TrackingCategory:
    """A department, location, class… (reference §6.3). Parents are headings on most platforms; write leaf ids."""

    id: RecordId
    name: str
    status: str
    parent_id: RecordId | None
    """May name a group that is not itself listed, such as `DEPARTMENTS`."""
    has_children: bool
    is_deleted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it can be put on new lines, as far as Codat knows."""
        return not self.is_deleted and self.status in {"Active", "Unknown"}


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax code and what it charges (reference §6.4)."""

    id: RecordId
    name: str
    code: str | None
    status: str
    effective_rate: Decimal | None
    """Percent that really applies, compounding included; `None` where the platform does not say."""
    valid_links: tuple[str, ...] = ()
    is_deleted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it can be used on new lines, as far as Codat knows."""
        return not self.is_deleted and self.status in {"Active", "Unknown"}


@dataclass(frozen=True, slots=True)
class Customer:
    """Someone who owes or pays (reference §6.5)."""

    id: RecordId
    name: str
    email: str | None
    tax_number: str | None
    currency: Currency | None
    status: str
    is_deleted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether new documents can name it, as far as Codat knows."""
        return not self.is_deleted and self.status in {"Active", "Unknown"}


@dataclass(frozen=True, slots=True)
class Supplier:
    """Someone we pay; here, the payee of platform fees (reference §7.4)."""

    id: RecordId
    name: str
    status: str
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """Something sold; on some platforms the only way to an income account (reference §6.6)."""

    id: RecordId
    name: str
    code: str | None
    status: str
    type: str
    is_invoice_item: bool
    income_account: RecordId | None
    is_deleted: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it can be put on new lines, as far as Codat knows."""
        return not self.is_deleted and self.status in {"Active", "Unknown"}


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """Card, cash, transfer… (reference §6.7)."""

    id: RecordId
    name: str
    type: str
    status: str
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice as it stands in the books, as far as paying it needs to know (reference §7.1)."""

    id: RecordId
    number: str | None
    customer_id: RecordId | None
    customer_name: str | None
    currency: Currency
    issue_date: dt.date
    due_date: dt.date | None
    total_amount: Decimal
    amount_due: Decimal
    status: str
    note: str | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """All that mapping and preflight need to know of a company's books, as of the cache's age.

    A data type that was never fetched, or that the platform lacks, is an empty tuple; `fetched` tells which were.
    """

    company_info: CompanyInfo | None = None
    accounts: tuple[Account, ...] = ()
    bank_accounts: tuple[BankAccount, ...] = ()
    tracking_categories: tuple[TrackingCategory, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    customers: tuple[Customer, ...] = ()
    suppliers: tuple[Supplier, ...] = ()
    items: tuple[Item, ...] = ()
    payment_methods: tuple[PaymentMethod, ...] = ()
    fetched: Mapping[DataType, dt.datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValidationItem:
    """One thing Codat or the platform says about a record (reference §1.2); any part may be missing."""

    message: str | None
    item_id: str | None = None
    """The field or record it is about, in the platform's own spelling."""
    validator: str | None = None


class PushStatus(StrEnum):
    """Where Codat says a write stands (reference §9.3). A word we don't know counts as PENDING."""

    PENDING = "Pending"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"


@dataclass(frozen=True, slots=True)
class PushOperation:
    """Codat's record of one asynchronous write (reference §9.3). It holds no copy of the body or of our key."""

    key: PushOperationKey
    company: CompanyId
    connection: ConnectionId
    data_type: str
    """Codat's data type key; plain text, since Codat may name types we don't know."""
    status: PushStatus
    status_code: int
    requested_at: dt.datetime | None
    """None where Codat leaves it unset (`0001-01-01`)."""
    completed_at: dt.datetime | None
    record_id: RecordId | None
    """Of the record created or changed; may be missing even on Success. Only `status` decides."""
    change_types: tuple[str, ...] = ()
    error_message: str | None = None
    errors: tuple[ValidationItem, ...] = ()
    warnings: tuple[ValidationItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """One sync of one data type (Codat: pull operation; reference §4)."""

    id: DatasetId
    data_type: str
    status: str
    """Codat's word, such as `Queued`, `Fetching`, `Complete`, `AuthError`, `NotSupported`."""
    requested_at: dt.datetime | None
    completed_at: dt.datetime | None
    progress: int
    is_completed: bool
    is_errored: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class DataStatus:
    """How fresh Codat's copy of one data type is (reference §4)."""

    data_type: str
    current_status: str | None
    last_successful_sync: dt.datetime | None
    latest_successful_dataset: DatasetId | None
    latest_dataset: DatasetId | None


@dataclass(frozen=True, slots=True)
class Integration:
    """What Codat supports on one platform (reference §2)."""

    key: PlatformKey
    name: str
    is_offline: bool
    """Runs on the customer's own machine: writes can stay pending for ever."""
    features: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Data type key → feature type (`Get`, `Post`, `Put`, `Delete`…) → state (`Release`, `Beta`, `NotSupported`…)."""

    def supports(self, data_type: DataType, feature: str) -> bool:
        """Tell whether Codat offers this on the platform, in any usable state."""
        return self.features.get(data_type.value, {}).get(feature) in {"Release", "Beta", "Alpha"}
