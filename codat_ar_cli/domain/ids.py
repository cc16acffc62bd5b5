"""What things are called: identifiers, Codat's data types, and what makes a document the same document.

Apart from `types` because every command needs these few names, and only some the records of a company's books.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

CompanyId = NewType("CompanyId", str)
"""A company in Codat (UUID)."""
ConnectionId = NewType("ConnectionId", str)
"""A company's link to one accounting platform (UUID)."""
RecordId = NewType("RecordId", str)
"""A record's id as Codat gives it: opaque, may hold `/`, `:`, spaces; percent-encode it in paths."""
PushOperationKey = NewType("PushOperationKey", str)
"""Codat's key of one asynchronous write (UUID)."""
DatasetId = NewType("DatasetId", str)
"""Codat's key of one sync of one data type (UUID)."""
CorrelationId = NewType("CorrelationId", str)
"""What Codat's support asks for; stands in every error body."""
RunId = NewType("RunId", str)
"""One run of a writing command in our own ledger."""
PushId = NewType("PushId", str)
"""One intended write in our own ledger."""
PlatformKey = NewType("PlatformKey", str)
"""Codat's four-letter key of an accounting platform, such as `gbol` (Xero) or `qhyg` (QuickBooks Online)."""
Currency = NewType("Currency", str)
"""ISO 4217 code; `XXX` is Codat's word for unknown."""


class DataType(StrEnum):
    """Codat's data type keys, as sync, options, push and webhooks name them (reference §3.1)."""

    ACCOUNTS = "chartOfAccounts"
    BANK_ACCOUNTS = "bankAccounts"
    TRACKING_CATEGORIES = "trackingCategories"
    TAX_RATES = "taxRates"
    CUSTOMERS = "customers"
    SUPPLIERS = "suppliers"
    ITEMS = "items"
    INVOICES = "invoices"
    CREDIT_NOTES = "creditNotes"
    PAYMENTS = "payments"
    PAYMENT_METHODS = "paymentMethods"
    DIRECT_COSTS = "directCosts"
    DIRECT_INCOMES = "directIncomes"
    JOURNAL_ENTRIES = "journalEntries"
    TRANSFERS = "transfers"
    COMPANY_INFO = "company"

    @property
    def label(self) -> str:
        """The word a bookkeeper uses, plural, lower case."""
        return _LABELS[self]


_LABELS: dict[DataType, str] = {
    DataType.ACCOUNTS: "accounts",
    DataType.BANK_ACCOUNTS: "bank accounts",
    DataType.TRACKING_CATEGORIES: "tracking categories",
    DataType.TAX_RATES: "tax rates",
    DataType.CUSTOMERS: "customers",
    DataType.SUPPLIERS: "suppliers",
    DataType.ITEMS: "items",
    DataType.INVOICES: "invoices",
    DataType.CREDIT_NOTES: "credit notes",
    DataType.PAYMENTS: "payments",
    DataType.PAYMENT_METHODS: "payment methods",
    DataType.DIRECT_COSTS: "direct costs",
    DataType.DIRECT_INCOMES: "direct incomes",
    DataType.JOURNAL_ENTRIES: "journal entries",
    DataType.TRANSFERS: "transfers",
    DataType.COMPANY_INFO: "company info",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a document the same document for ever (design D9), within one company and connection."""

    api_host: str
    company: CompanyId
    connection: ConnectionId
    data_type: DataType
    source_system: str
    """`file` for our generic layouts, the vendor's name for a preset, or what `--source` says."""
    source_id: str
    """The caller's own unique id: document number, payment id, transaction id."""
