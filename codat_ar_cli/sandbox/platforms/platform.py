"""What makes one accounting platform different from another, as values the books read."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from codat_ar_cli.sandbox.platforms.fields import Field, wire, words

READ_TYPES = tuple(
    "chartOfAccounts bankAccounts trackingCategories taxRates customers suppliers items invoices creditNotes payments "
    "paymentMethods directCosts directIncomes journalEntries transfers company".split()
)
"""Data types the books can show, by Codat's key (reference §3.1, suppliers for fees)."""

_FILES = ("UploadAttachment", "GetAttachments", "GetAttachment", "DownloadAttachment")
_SOURCES = uuid.UUID("6f2b5d2e-7f0e-4b8e-9d39-6a0f1f0f6d01")


@dataclass(frozen=True, slots=True)
class Rules:
    """The ways of a platform that its field trees cannot say. Sources: reference §5 to §9 and §16."""

    enforce_required: bool = True
    """Codat's sandbox platform marks all as required and enforces nothing (reference §9.1)."""
    guid_ids: bool = False
    """Record ids are GUIDs, so a reference of another form is refused; tax rates are not GUIDs even there (§6.4)."""
    id_prefixes: Mapping[str, str] = field(default_factory=dict)
    """Text before the running number of an id, by data type."""
    shared_contacts: bool = False
    """Each contact is a customer and a supplier at once."""
    names_unique: bool = False
    """Names are unique over customers and suppliers."""
    honoured: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Top-level fields taken although the options do not offer them, by data type (§14)."""
    income_by_item: bool = False
    """Lines name an item and post to its income account; an empty item id means the default item."""
    tracking: str = "free"
    """`options`: leaves only, at most two, of different parents; `classes`: one class a line, one location a
    document and that on its first line; `free`: anything that exists."""
    missing_rate_is_one: bool = False
    """A foreign document without a rate is booked at 1; elsewhere the day's rate is taken (§5)."""
    totals_must_add_up: bool = False
    """Given totals that do not add up refuse the document (§7.2)."""
    tax_per_document: bool = False
    """Tax is worked out once per rate over the document, not line by line."""
    credit_tax_recomputed: bool = False
    """Tax given on credit note lines is ignored and worked out from the rate (§7.2)."""
    positive_payments_only: bool = False
    """A payment must be above zero unless it only allocates a credit note."""
    payment_account_kinds: frozenset[str] = frozenset()
    """Kinds of account money may land in: `bank`, `enabled` (name ends `.PaymentsEnabled`), `current` asset; empty:
    any."""
    payment_needs_currency: bool = False
    base_balances: bool = False
    """`currentBalance` of an account is always in base currency (§6.1)."""
    cost_allocation_negative: bool = False
    """Direct costs are read with a negative allocation total (§7.4)."""
    reverses_negative: bool = False
    """A negative direct cost becomes a direct income and the other way round (§7.4)."""
    one_allocation: bool = False
    """A direct cost or income takes exactly one payment allocation."""
    bank_only_transfers: bool = False
    items_hide_status: bool = False
    """Items always read as `Unknown` (§6.6)."""
    unique_item_field: str | None = None
    same_journal_descriptions: bool = False
    attachment_limit: int = 100 * 1024 * 1024
    attachment_suffixes: frozenset[str] = frozenset()
    """File types taken; empty: any (§9.5)."""
    refuses_octet_stream: bool = False


@dataclass(frozen=True, eq=False)
class Platform:
    """One accounting platform as Codat shows it: what can be written, and how it behaves."""

    key: str
    """Codat's four letters."""
    slug: str
    """Name people type: `xero`."""
    name: str
    trees: Mapping[str, Field]
    """Fields of each data type that can be created."""
    rules: Rules
    updates: frozenset[str]
    deletes: frozenset[str]
    uploads: frozenset[str]
    pdf: bool = True
    offline: bool = False
    unreadable: frozenset[str] = frozenset()
    """Data types the platform does not have."""

    @property
    def integration_id(self) -> str:
        """Give the stable UUID of the integration."""
        return str(uuid.uuid5(_SOURCES, f"integration:{self.key}"))

    @property
    def source_id(self) -> str:
        """Give the stable UUID of the data source."""
        return str(uuid.uuid5(_SOURCES, f"source:{self.key}"))

    def options(self, data_type: str) -> dict[str, Any] | None:
        """Give the options answer of a data type; `None` where the platform takes no such write."""
        tree = self.trees.get(data_type)
        return None if tree is None else _wired(self, data_type)

    def feature(self, data_type: str, feature: str) -> str:
        """Give the state of one feature: `Release` or `NotSupported` (reference §2)."""
        offered = {
            "Get": data_type in READ_TYPES and data_type not in self.unreadable,
            "Post": data_type in self.trees,
            "Put": data_type in self.updates,
            "Delete": data_type in self.deletes,
            "GetAsPdf": self.pdf and data_type == "invoices",
            **dict.fromkeys(("UploadAttachment", "GetAttachments", "GetAttachment", "DownloadAttachment"), False),
        }
        if data_type in self.uploads:
            offered |= dict.fromkeys(
                ("UploadAttachment", "GetAttachments", "GetAttachment", "DownloadAttachment"), True
            )
        return "Release" if offered.get(feature) else "NotSupported"

    def integration(self) -> dict[str, Any]:
        """Give the integration as `GET /integrations/{platformKey}` shows it (reference §2)."""
        shown = ("Get", "Post", "Put", "Delete", "GetAsPdf", "UploadAttachment", "GetAttachments", "DownloadAttachment")
        return {
            "key": self.key,
            "logoUrl": f"https://static.codat.io/public/platforms/{self.key}.png",
            "name": self.name,
            "enabled": True,
            "sourceId": self.source_id,
            "sourceType": "Accounting",
            "integrationId": self.integration_id,
            "isOfflineConnector": self.offline,
            "isBeta": False,
            "dataProvidedBy": "",
            "datatypeFeatures": [
                {
                    "dataType": data_type,
                    "datatype": data_type,  # the OpenAPI document requires this spelling and describes the other
                    "supportedFeatures": [
                        {"featureType": feature, "featureState": self.feature(data_type, feature)} for feature in shown
                    ],
                }
                for data_type in READ_TYPES
            ],
        }


DOCUMENT_NAMES = {"chartOfAccounts": "Account", "journalEntries": "Journal entry"}


def document_name(data_type: str) -> str:
    """Name one record of a data type as validation messages do: `creditNotes` → `Credit note`."""
    return DOCUMENT_NAMES.get(data_type, words(data_type).removesuffix("s"))


@cache
def _wired(platform: Platform, data_type: str) -> dict[str, Any]:
    return wire(platform.trees[data_type], document_name(data_type))
