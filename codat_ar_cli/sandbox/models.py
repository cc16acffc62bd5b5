"""What the routes know of each data type: its names, its model's queryable properties, how it is written.

Names and verbs: reference §3.1. Properties: §6 to §8, those of records and of objects inside them, never of
arrays inside them (§3.3).
"""

from dataclasses import dataclass

from codat_ar_cli.sandbox.query import Model

_DATES = " date: modifiedDate sourceModifiedDate boolean: metadata.isDeleted "


@dataclass(frozen=True, slots=True)
class Resource:
    """One data type as URLs show it."""

    data_type: str
    """The key that sync, status, options and webhooks use."""
    url: str
    """The name in `/data/…` and `/push/…`."""
    model: Model
    by_connection: bool = False
    """Whether its reads stand under `/connections/{connectionId}`."""
    attachments: bool = False
    """Whether its attachments can be read."""


def _resource(
    data_type: str, name: str, properties: str, *, url: str = "", by_connection: bool = False, attachments: bool = False
) -> Resource:
    model = Model(name, "string: id " + properties + _DATES)
    return Resource(data_type, url or data_type, model, by_connection, attachments)


_CONTACT = """defaultCurrency contactName emailAddress phone registrationNumber taxNumber enum: status"""
_DOCUMENT = """string: customerRef.id customerRef.companyName note enum: currency status date: issueDate
    number: currencyRate totalDiscount discountPercentage subTotal totalTaxAmount totalAmount
    additionalTaxAmount additionalTaxPercentage"""
_DIRECT = """string: reference note contactRef.id enum: contactRef.dataType currency date: issueDate
    number: currencyRate subTotal taxAmount totalAmount"""
_ITEM_SIDE = "{0}.description {0}.accountRef.id {0}.accountRef.name {0}.taxRateRef.id {0}.taxRateRef.name"
_SIDE = "{0}.accountRef.id {0}.accountRef.name {0}.currency"

RESOURCES: tuple[Resource, ...] = (
    _resource(
        "chartOfAccounts",
        "Account",
        """nominalCode name description fullyQualifiedCategory fullyQualifiedName enum: currency type status
        number: currentBalance boolean: isBankAccount""",
        url="accounts",
    ),
    _resource(
        "bankAccounts",
        "BankAccount",
        """accountName nominalCode sortCode accountNumber iBan institution enum: accountType currency status
        number: balance availableBalance overdraftLimit""",
        by_connection=True,
    ),
    _resource("trackingCategories", "TrackingCategory", "name parentId enum: status boolean: hasChildren"),
    _resource("taxRates", "TaxRate", "name code enum: status number: effectiveTaxRate totalTaxRate"),
    _resource("customers", "Customer", "customerName " + _CONTACT, attachments=True),
    _resource("suppliers", "Supplier", "supplierName " + _CONTACT, attachments=True),
    _resource(
        "items",
        "Item",
        f"""name code {_ITEM_SIDE.format("billItem")} {_ITEM_SIDE.format("invoiceItem")} enum: itemStatus type
        boolean: isBillItem isInvoiceItem number: billItem.unitPrice invoiceItem.unitPrice""",
    ),
    _resource(
        "invoices",
        "Invoice",
        "invoiceNumber " + _DOCUMENT + " date: dueDate paidOnDate number: amountDue",
        attachments=True,
    ),
    _resource(
        "creditNotes", "CreditNote", "creditNoteNumber " + _DOCUMENT + " date: allocatedOnDate number: remainingCredit"
    ),
    _resource(
        "payments",
        "Payment",
        """customerRef.id customerRef.companyName accountRef.id accountRef.name paymentMethodRef.id
        paymentMethodRef.name note reference enum: currency date: date number: totalAmount currencyRate""",
    ),
    _resource("paymentMethods", "PaymentMethod", "name enum: type status"),
    _resource("directCosts", "DirectCost", _DIRECT, by_connection=True, attachments=True),
    _resource("directIncomes", "DirectIncome", _DIRECT, by_connection=True, attachments=True),
    _resource(
        "journalEntries",
        "JournalEntry",
        """description journalRef.id journalRef.name recordRef.id enum: recordRef.dataType
        date: createdOn postedOn updatedOn""",
    ),
    _resource(
        "transfers",
        "Transfer",
        f"""description contactRef.id {_SIDE.format("from")} {_SIDE.format("to")} enum: contactRef.dataType status
        date: date number: from.amount to.amount""",
        by_connection=True,
        attachments=True,
    ),
)

BY_URL: dict[str, Resource] = {resource.url: resource for resource in RESOURCES}
BY_TYPE: dict[str, Resource] = {resource.data_type: resource for resource in RESOURCES}
INFO = "company"
"""The data type of company info: one object at `/data/info`."""
SYNCED_TYPES: tuple[str, ...] = (*BY_TYPE, INFO)

OTHER_TYPES = frozenset(
    """accountTransactions balanceSheet bankTransactions billCreditNotes billPayments bills cashFlowStatement
    itemReceipts journals profitAndLoss purchaseOrders salesOrders banking-accountBalances banking-accounts
    banking-transactionCategories banking-transactions commerce-companyInfo commerce-customers commerce-disputes
    commerce-locations commerce-orders commerce-paymentMethods commerce-payments commerce-productCategories
    commerce-products commerce-taxComponents commerce-transactions""".split()
)
"""Data types that Codat has and this sandbox's platforms don't."""

COMPANY = Model("Company", "string: id name description createdByUserName date: created lastSync")
CONNECTION = Model(
    "DataConnection",
    "string: id integrationId sourceId platformName enum: integrationKey sourceType status date: created lastSync",
)
INTEGRATION = Model(
    "Integration",
    """string: name sourceId integrationId dataProvidedBy enum: key sourceType
    boolean: enabled isBeta isOfflineConnector""",
)
OPERATION = Model(
    "PushOperation",
    """string: pushOperationKey companyId dataConnectionKey errorMessage enum: dataType status
    date: requestedOnUtc completedOnUtc number: statusCode timeoutInMinutes timeoutInSeconds""",
)
DATASET = Model(
    "Dataset",
    """string: id companyId connectionId statusDescription errorMessage enum: dataType status
    date: requested completed number: progress""",
)
