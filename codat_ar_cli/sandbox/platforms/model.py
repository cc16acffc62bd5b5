"""Codat's own data model of what can be written: every field, its JSON type and its closed lists of values.

Used twice: Codat refuses at once a body whose JSON does not fit (reference §9.4), and its sandbox platform offers
this very model as its options (§9.1). Facts: reference §6 to §8.
"""

from collections.abc import Mapping
from types import MappingProxyType

from codat_ar_cli.sandbox.platforms.fields import Field, arr, boolean, date, number, obj, string


def _named(refers: str, name: str = "name") -> Field:
    return obj({name: string()}, id=Field("String", refers=refers))


def _account_ref() -> Field:
    return _named("chartOfAccounts")


def _customer_ref() -> Field:
    return _named("customers", "companyName")


def _tax_ref() -> Field:
    return obj(id=Field("String", refers="taxRates"), name=string(), effectiveTaxRate=number())


def _metadata() -> Field:
    return obj(isDeleted=boolean())


def _categories() -> Field:
    return arr(id=Field("String", refers="trackingCategories"), name=string())


def _line(*more: str) -> dict[str, Field]:
    line = {
        "description": string(),
        "unitAmount": number(),
        "quantity": number(),
        "discountAmount": number(),
        "subTotal": number(),
        "taxAmount": number(),
        "totalAmount": number(),
        "accountRef": _account_ref(),
        "discountPercentage": number(),
        "taxRateRef": _tax_ref(),
        "itemRef": _named("items"),
        "trackingCategoryRefs": _categories(),
    }
    extra = {
        "tracking": obj(
            categoryRefs=arr(id=string(), name=string()),
            projectRef=obj(id=string(), name=string()),
            customerRef=_customer_ref(),
            isBilledTo=string(),
            isRebilledTo=string(),
        ),
        "isDirectIncome": boolean(),
        "costTracking": obj(
            recordRefs=arr(id=string(), dataType=string()), invoiceTo=obj(id=string(), dataType=string())
        ),
    }
    return line | {name.replace("costTracking", "tracking"): extra[name] for name in more}


def _allocations() -> Field:
    return arr(
        payment=obj(
            id=string(),
            note=string(),
            reference=string(),
            accountRef=_account_ref(),
            currency=string(),
            currencyRate=number(),
            paidOnDate=date(),
            totalAmount=number(),
        ),
        allocation=obj(currency=string(), currencyRate=number(), allocatedOnDate=date(), totalAmount=number()),
    )


def _document(**own: Field) -> Field:
    return obj(
        own,
        customerRef=_customer_ref(),
        issueDate=date(),
        currency=string(),
        currencyRate=number(),
        lineItems=arr(_line("tracking", "isDirectIncome")),
        paymentAllocations=_allocations(),
        withholdingTax=arr(name=string(), amount=number()),
        totalDiscount=number(),
        subTotal=number(),
        additionalTaxAmount=number(),
        additionalTaxPercentage=number(),
        totalTaxAmount=number(),
        totalAmount=number(),
        discountPercentage=number(),
        status=string(),
        note=string(),
        metadata=_metadata(),
    )


def _money_transaction(*line: str) -> Field:
    return obj(
        reference=string(),
        note=string(),
        contactRef=obj(id=string(), dataType=string()),
        issueDate=date(),
        currency=string(),
        currencyRate=number(),
        lineItems=arr(_line(*line)),
        paymentAllocations=_allocations(),
        subTotal=number(),
        taxAmount=number(),
        totalAmount=number(),
        metadata=_metadata(),
    )


def _address() -> dict[str, Field]:
    return {name: string() for name in ("type", "line1", "line2", "city", "region", "country", "postalCode")}


def _contact(name: str, **own: Field) -> Field:
    return obj(
        {name: string(), **own},
        contactName=string(),
        emailAddress=string(),
        defaultCurrency=string(),
        phone=string(),
        addresses=arr(_address()),
        registrationNumber=string(),
        taxNumber=string(),
        status=string(),
        metadata=_metadata(),
    )


def _item_side() -> Field:
    return obj(description=string(), unitPrice=number(), accountRef=_account_ref(), taxRateRef=_tax_ref())


def _transfer_side() -> Field:
    return obj(
        accountRef=obj(id=Field("String", refers="chartOfAccounts"), dataType=string()),
        currency=string(),
        amount=number(),
        status=string(),
    )


MODEL: Mapping[str, Field] = MappingProxyType(
    {
        "invoices": _document(
            invoiceNumber=string(),
            salesOrderRefs=arr(id=string(), dataType=string()),
            dueDate=date(),
            paidOnDate=date(),
            amountDue=number(),
        ),
        "creditNotes": _document(creditNoteNumber=string(), remainingCredit=number(), allocatedOnDate=date()),
        "payments": obj(
            customerRef=_customer_ref(),
            accountRef=_account_ref(),
            paymentMethodRef=_named("paymentMethods"),
            totalAmount=number(),
            currency=string(),
            currencyRate=number(),
            date=date(),
            note=string(),
            lines=arr(
                amount=number(),
                links=arr(type=string(), id=string(), amount=number(), currencyRate=number()),
                allocatedOnDate=date(),
            ),
            reference=string(),
            metadata=_metadata(),
        ),
        "customers": _contact(
            "customerName",
            contacts=arr(
                name=string(),
                email=string(),
                phone=arr(number=string(), type=string()),
                address=obj(_address()),
                status=string(),
                modifiedDate=date(),
            ),
        ),
        "suppliers": _contact("supplierName"),
        "items": obj(
            name=string(),
            code=string(),
            itemStatus=string(),
            type=string(),
            isBillItem=boolean(),
            billItem=_item_side(),
            isInvoiceItem=boolean(),
            invoiceItem=_item_side(),
            metadata=_metadata(),
        ),
        "chartOfAccounts": obj(
            nominalCode=string(),
            name=string(),
            description=string(),
            fullyQualifiedCategory=string(),
            fullyQualifiedName=string(),
            currency=string(),
            currentBalance=number(),
            type=string(),
            status=string(),
            isBankAccount=boolean(),
            # `links` is a list of plain texts, which Codat's options tree shows as an array without properties
            validDatatypeLinks=arr(property=string(), links=Field("Array")),
            metadata=_metadata(),
        ),
        "bankAccounts": obj(
            accountName=string(),
            accountType=string(),
            nominalCode=string(),
            sortCode=string(),
            accountNumber=string(),
            iBan=string(),
            currency=string(),
            balance=number(),
            availableBalance=number(),
            overdraftLimit=number(),
            institution=string(),
            metadata=_metadata(),
        ),
        "directCosts": _money_transaction("costTracking"),
        "directIncomes": _money_transaction(),
        "journalEntries": obj(
            description=string(),
            postedOn=date(),
            createdOn=date(),
            updatedOn=date(),
            journalRef=obj(id=string(), name=string()),
            journalLines=arr(
                description=string(),
                netAmount=number(),
                currency=string(),
                accountRef=_account_ref(),
                tracking=obj(recordRefs=arr(id=string(), dataType=string())),
            ),
            recordRef=obj(id=string(), dataType=string()),
            metadata=_metadata(),
        ),
        "transfers": obj(
            {"from": _transfer_side(), "to": _transfer_side()},
            description=string(),
            contactRef=obj(id=string(), dataType=string()),
            date=date(),
            trackingCategoryRefs=_categories(),
            depositedRecordRefs=arr(id=string(), dataType=string()),
            metadata=_metadata(),
        ),
    }
)
"""The writable model by data type."""

_DOCUMENT = ("Unknown", "Draft", "Submitted", "PartiallyPaid", "Paid", "Void")
_CONTACT = ("Unknown", "Active", "Archived", "InActive")
_ADDRESS = ("Unknown", "Billing", "Delivery")
_LINKS = "Unknown Unlinked Invoice CreditNote Other Refund Payment PaymentOnAccount ManualJournal Discount".split()

CLOSED: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "invoices": {"status": _DOCUMENT},
        "creditNotes": {"status": _DOCUMENT},
        "payments": {"lines.links.type": tuple(_LINKS)},
        "customers": {"status": _CONTACT, "addresses.type": _ADDRESS},
        "suppliers": {"status": _CONTACT, "addresses.type": _ADDRESS},
        "items": {
            "type": ("Unknown", "Inventory", "NonInventory", "Service"),
            "itemStatus": ("Unknown", "Active", "Archived"),
        },
        "chartOfAccounts": {
            "type": ("Unknown", "Asset", "Expense", "Income", "Liability", "Equity"),
            "status": ("Unknown", "Active", "Archived", "Pending"),
        },
        "bankAccounts": {"accountType": ("Unknown", "Credit", "Debit")},
    }
)
"""Values of the model's enumerations, by data type and dotted path; `InActive` is Xero's spelling (§6.5)."""
