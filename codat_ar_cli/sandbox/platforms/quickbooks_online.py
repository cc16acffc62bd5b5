"""QuickBooks Online (`qhyg`): integer ids, income by item, classes and locations, totals that must add up.

Facts: reference §6.3, §7.2, §8.4, §9.2, §14, §16 and the platform's options; words are ours. The company is British,
so US automated sales tax is off: tax codes come in pairs such as `20_Invoices` and `20_Bills`.
"""

from codat_ar_cli.sandbox.platforms.fields import Field, arr, boolean, choice, date, number, obj, ref, req, string
from codat_ar_cli.sandbox.platforms.platform import Platform, Rules
from codat_ar_cli.sandbox.platforms.quickbooks_categories import CATEGORIES

_NO_SALES_TAX = ("Automated Sales Tax is off for this company.",)
_TAX_NOTE = ("TAX is refused while Automated Sales Tax is off; NON means no tax.",)
_MULTI_CURRENCY = ("Needed where the company uses several currencies.",)


def _tracking(document: str) -> Field:
    return arr(
        id=Field(
            "String",
            required=True,
            refers="trackingCategories",
            rules=(
                "At most one CLASS on a line.",
                f"At most one DEPARTMENT on the {document}, and that on its first line.",
            ),
        )
    )


def _tax_ref() -> Field:
    return req(obj(id=ref("taxRates", notes=_TAX_NOTE)))


INVOICE = obj(
    notes=_NO_SALES_TAX,
    dueDate=req(date()),
    currency=req(string()),
    currencyRate=number(rules=("Not below zero.",), notes=("Needed unless the currency is the base currency.",)),
    customerRef=req(obj(id=ref("customers"))),
    note=string(),
    status=req(choice("Submitted", notes=("New invoices are always submitted.",))),
    totalDiscount=number(),
    discountPercentage=number(rules=("From 0 to 100.",)),
    lineItems=req(
        arr(
            description=req(string(4000)),
            quantity=req(number()),
            unitAmount=req(number()),
            taxAmount=number(),
            totalAmount=number(),
            subTotal=number(),
            itemRef=req(
                obj(
                    id=Field(
                        "String",
                        refers="items",
                        notes=("SHIPPING_ITEM_ID stands for shipping.", "Left empty, the company's default item."),
                    )
                )
            ),
            trackingCategoryRefs=_tracking("invoice"),
            taxRateRef=_tax_ref(),
        )
    ),
    totalTaxAmount=number(notes=("A zero does not override the tax.",)),
)

CREDIT_NOTE = obj(
    notes=_NO_SALES_TAX,
    currency=req(string()),
    currencyRate=number(notes=("Needed unless the currency is the base currency.",)),
    customerRef=req(obj(id=ref("customers"))),
    creditNoteNumber=string(),
    issueDate=date(),
    totalAmount=number(),
    note=string(),
    status=req(choice("Submitted")),
    lineItems=req(
        arr(
            description=req(string(4000)),
            quantity=req(number()),
            unitAmount=req(number()),
            taxAmount=number(),
            totalAmount=req(number()),
            itemRef=req(obj(id=ref("items"))),
            trackingCategoryRefs=_tracking("credit note"),
            taxRateRef=_tax_ref(),
        )
    ),
    totalTaxAmount=number(notes=("A zero does not override the tax.",)),
)

PAYMENT = obj(
    customerRef=req(
        obj(
            notes=("The customer of every linked invoice, credit note or payment on account.",),
            id=ref("customers"),
        )
    ),
    accountRef=obj(id=ref("chartOfAccounts")),
    paymentMethodRef=obj(id=ref("paymentMethods")),
    totalAmount=req(number()),
    currency=string(notes=_MULTI_CURRENCY),
    date=req(date()),
    note=string(),
    lines=arr(
        amount=req(number()),
        links=req(
            arr(
                type=req(choice("Invoice", "CreditNote", "PaymentOnAccount")),
                id=req(string()),
                amount=req(number()),
            )
        ),
    ),
)


def _contact(name: str, addresses: Field) -> dict[str, Field]:
    return {
        name: req(string(rules=("Not the name of another customer or supplier.",))),
        "phone": string(notes=("Country, area and number, with spaces between them.",)),
        "emailAddress": string(),
        "registrationNumber": string(),
        "taxNumber": string(),
        "status": req(choice("Active", "Archived")),
        "addresses": addresses,
    }


def _addresses(kind: Field, *, region: int) -> Field:
    return arr(
        line1=string(500),
        line2=string(500),
        city=string(255),
        region=string(region),
        country=string(50),
        postalCode=string(50, rules=("Latin letters only.",)),
        type=kind,
    )


CUSTOMER = obj(
    _contact("customerName", _addresses(choice("Billing", "Delivery"), region=225)),
    contacts=arr(phone=arr(type=req(string()), number=req(string()))),
    defaultCurrency=string(notes=("Another than the base currency only with several currencies switched on.",)),
)
SUPPLIER = obj(_contact("supplierName", _addresses(req(choice("Billing")), region=255)), defaultCurrency=string())


def _item_side() -> Field:
    return req(
        obj(
            description=req(string()),
            unitPrice=number(),
            accountRef=req(obj(id=ref("chartOfAccounts"))),
            taxRateRef=_tax_ref(),
        )
    )


ITEM = obj(
    name=req(string(21, rules=("Not the name of another item.",))),
    code=string(21),
    isBillItem=req(boolean()),
    isInvoiceItem=req(boolean()),
    invoiceItem=_item_side(),
    billItem=_item_side(),
    type=req(choice("NonInventory", "Service")),
)

ACCOUNT = obj(
    nominalCode=string(7),
    name=req(string(100)),
    currency=string(notes=("Left out, the base currency.",)),
    fullyQualifiedCategory=req(choice(*CATEGORIES)),
)

DIRECT_COST = obj(
    contactRef=req(obj(id=ref("suppliers"), dataType=req(choice("Suppliers")))),
    issueDate=date(notes=("Left out, the server's today.",)),
    currencyRate=number(),
    reference=string(21),
    currency=string(notes=_MULTI_CURRENCY),
    note=string(),
    paymentAllocations=req(
        arr(
            rules=("Exactly one.",),
            allocation=obj(totalAmount=number(rules=("The sum of the lines.",)), currency=string()),
            payment=req(
                obj(
                    totalAmount=number(rules=("The sum of the lines.",)),
                    currency=string(),
                    accountRef=req(obj(id=ref("chartOfAccounts", notes=("A bank, cash or asset account.",)))),
                )
            ),
        )
    ),
    lineItems=req(
        arr(
            trackingCategoryRefs=_tracking("direct cost"),
            accountRef=obj(
                rules=("Needed where there is no item.",),
                id=ref("chartOfAccounts", notes=("An expense or income account.",)),
            ),
            itemRef=obj(rules=("Needed where there is no account.",), id=ref("items")),
            description=string(3999),
            quantity=req(number()),
            unitAmount=req(number()),
            taxAmount=number(rules=("On every line or on none; overrides the tax worked out.",)),
            taxRateRef=obj(rules=("Needed, but for French companies.",), id=ref("taxRates", notes=_TAX_NOTE)),
        )
    ),
)

DIRECT_INCOME = obj(
    notes=_NO_SALES_TAX,
    contactRef=obj(rules=("A customer.",), id=ref("customers"), dataType=req(choice("Customers"))),
    currency=string(notes=_MULTI_CURRENCY),
    currencyRate=number(),
    taxAmount=number(notes=("A zero does not override the tax.",)),
    reference=string(21),
    issueDate=req(date()),
    paymentAllocations=req(
        arr(
            rules=("Exactly one.",),
            allocation=req(obj()),
            payment=req(obj(accountRef=obj(id=ref("chartOfAccounts", notes=("A bank or asset account.",))))),
        )
    ),
    lineItems=req(
        arr(
            trackingCategoryRefs=_tracking("direct income"),
            description=string(3999),
            quantity=req(number()),
            unitAmount=req(number()),
            subTotal=req(number(notes=("Quantity times unit amount.",))),
            taxAmount=number(),
            taxRateRef=_tax_ref(),
        )
    ),
)

JOURNAL = obj(
    postedOn=req(date()),
    journalLines=req(
        arr(
            notes=("Two lines at least.",),
            description=string(4000),
            currency=string(notes=("The same on every line.",)),
            netAmount=req(number()),
            accountRef=req(obj(id=ref("chartOfAccounts"))),
            tracking=obj(
                recordRefs=req(
                    arr(
                        rules=("One CLASS and one DEPARTMENT at most.",),
                        id=ref("trackingCategories"),
                        dataType=req(string(rules=("trackingCategories",))),
                    )
                )
            ),
        )
    ),
)

TRANSFER = obj(
    {
        "from": req(obj(accountRef=req(obj(id=ref("chartOfAccounts"))), amount=req(number()))),
        "to": req(obj(accountRef=req(obj(id=ref("chartOfAccounts"))))),
    },
    rules=("One side at least in the base currency.",),
    description=string(),
    depositedRecordRefs=arr(id=req(string()), dataType=req(choice("payments", "directIncomes", "journalEntries"))),
)

QUICKBOOKS_ONLINE = Platform(
    key="qhyg",
    slug="quickbooks-online",
    name="QuickBooks Online",
    trees={
        "invoices": INVOICE,
        "creditNotes": CREDIT_NOTE,
        "payments": PAYMENT,
        "customers": CUSTOMER,
        "suppliers": SUPPLIER,
        "items": ITEM,
        "chartOfAccounts": ACCOUNT,
        "bankAccounts": obj(accountName=req(string()), accountNumber=req(string()), currency=req(string())),
        "directCosts": DIRECT_COST,
        "directIncomes": DIRECT_INCOME,
        "journalEntries": JOURNAL,
        "transfers": TRANSFER,
    },
    rules=Rules(
        id_prefixes={"directCosts": "PUR-"},
        names_unique=True,
        honoured={
            "invoices": frozenset({"issueDate"}),
            "payments": frozenset({"currencyRate"}),
            "transfers": frozenset({"date"}),
        },
        income_by_item=True,
        tracking="classes",
        missing_rate_is_one=True,
        totals_must_add_up=True,
        tax_per_document=True,
        payment_account_kinds=frozenset({"bank", "current"}),
        payment_needs_currency=True,
        cost_allocation_negative=True,
        one_allocation=True,
        unique_item_field="name",
        attachment_suffixes=frozenset(
            "ai csv doc docx eps gif jpeg jpg ods pages pdf png rtf tif txt xls xlsx xml".split()
        ),
        refuses_octet_stream=True,
    ),
    updates=frozenset({"customers", "suppliers", "invoices", "creditNotes", "bankAccounts"}),
    deletes=frozenset({"invoices", "journalEntries"}),
    uploads=frozenset({"invoices", "directCosts", "directIncomes", "transfers"}),
)
