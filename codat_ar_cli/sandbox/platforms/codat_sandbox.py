"""Codat Sandbox (`mqjo`): the whole model marked as required, none of it enforced (reference §9.1).

Its ids hold colons and spaces, as some packages' do (§1): a client that forgets to encode them is caught here. Slashes
stand only in the tracking categories that Codat's own example has, since Codat's SDKs do not encode them.
"""

from codat_ar_cli.sandbox.platforms.fields import all_required
from codat_ar_cli.sandbox.platforms.model import MODEL
from codat_ar_cli.sandbox.platforms.platform import Platform, Rules

CODAT_SANDBOX = Platform(
    key="mqjo",
    slug="codat-sandbox",
    name="Codat Sandbox",
    trees={data_type: all_required(tree) for data_type, tree in MODEL.items()},
    rules=Rules(
        enforce_required=False,
        id_prefixes={
            "chartOfAccounts": "GL:",
            "bankAccounts": "BANK:",
            "customers": "CUST:",
            "suppliers": "SUPP ",
            "items": "ITEM ",
            "invoices": "INV 2026:",
            "creditNotes": "CN 2026:",
            "payments": "RCPT ",
            "paymentMethods": "PM:",
            "taxRates": "TAX ",
            "trackingCategories": "__DEPARTMENTS/",
            "directCosts": "DC ",
            "directIncomes": "DI ",
            "transfers": "TR:",
            "journalEntries": "JE:",
        },
    ),
    updates=frozenset({"customers", "suppliers", "invoices", "creditNotes", "bankAccounts"}),
    deletes=frozenset({"invoices", "directCosts", "journalEntries"}),
    uploads=frozenset({"invoices", "directCosts", "directIncomes", "transfers"}),
)
