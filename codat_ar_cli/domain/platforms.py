"""What each accounting platform demands beyond its live options, as data (reference §8 to §10, §16).

Nothing else in the tool knows a platform by name: a quirk is a field here, read by whoever needs it. The live
options of the linked company win wherever they say something (design D7).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from codat_ar_cli.domain.types import DataType, PlatformKey


class IncomeBy(StrEnum):
    """How an invoice line says which income account it posts to (reference fact 9)."""

    ACCOUNT = "account"
    ITEM = "item"


class TotalsBy(StrEnum):
    """Where a platform rounds the tax that it computes by itself."""

    LINE = "line"
    DOCUMENT = "document"


class OnAccountId(StrEnum):
    """What the id of a `PaymentOnAccount` link is on a write (reference §8.1)."""

    CUSTOMER = "customer"
    UNAVAILABLE = "unavailable"
    """The platform has no payments on account, or wants a record that does not exist yet."""


@dataclass(frozen=True, slots=True)
class Marker:
    """The field in which a record carries our source id, so that it can be found again (reference §10)."""

    field: str
    """Dotted path in the body; `lineItems.description` means that of the first line."""
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class TrackingRules:
    """How many tracking categories a line takes, and of which kinds (reference §6.3)."""

    max_per_line: int | None = None
    different_parents: bool = False
    leaf_only: bool = True
    leaf_has_parent: bool = False
    """Whether an entry without a parent is a heading even when nothing stands below it."""
    one_of_each: tuple[str, ...] = ()
    """Id prefixes of which a line takes at most one each."""
    first_line_only: tuple[str, ...] = ()
    """Id prefixes that count for the whole document: at most one, written on its first line."""
    required_on_every_line: tuple[str, ...] = ()


_TAKES_ALL_LINKS = frozenset({"Invoice", "CreditNote", "PaymentOnAccount"})
_MARKED_BY_NOTE: Mapping[DataType, Marker] = {DataType.INVOICES: Marker("note"), DataType.PAYMENTS: Marker("note")}


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """One platform's demands. The defaults are the cautious reading for a platform we know nothing of."""

    key: PlatformKey
    name: str
    income_by: IncomeBy = IncomeBy.ACCOUNT
    items_beside_accounts: bool = True
    """Whether a line with an account may name an item too."""
    markers: Mapping[DataType, Marker] = field(
        default_factory=lambda: {
            DataType.INVOICES: Marker("invoiceNumber"),
            DataType.PAYMENTS: Marker("reference"),
        }
    )
    link_types: frozenset[str] = frozenset({"Invoice", "CreditNote"})
    on_account_id: OnAccountId = OnAccountId.UNAVAILABLE
    max_allocations: int | None = None
    """Invoices (or on-account parts) that one payment can go against; None: any number."""
    links_in_one_line: bool = False
    """Whether several links share one payment line instead of a line each."""
    payment_currency_only_on_account: bool = False
    """Whether a payment names its currency only when all or part of it is on account."""
    new_invoice_status: str = "Submitted"
    needs_rate: bool = True
    """Whether a foreign currency needs `currencyRate` wherever that is offered."""
    omits_base_currency: bool = False
    """Whether `currency` and `currencyRate` must be left out in base currency."""
    currency_of_customer: bool = False
    """Whether documents must be in the customer's own currency."""
    tracking: TrackingRules = TrackingRules()
    payment_account_categories: tuple[str, ...] = ()
    """Parts of a qualified category, folded and without blanks, that make an account valid for payments
    although it is no bank account."""
    payment_account_base_only: bool = False
    """Whether only bank accounts in base currency take payments."""
    invoice_tax_links: tuple[str, ...] = ()
    """Id endings that tell a tax rate for sales from its twin for purchases, where links don't say."""
    zero_tax_overrides: bool = True
    """Whether a stated tax of zero is believed against a rate above zero."""
    totals_by: TotalsBy = TotalsBy.LINE
    line_discounts: bool = True
    fixed_quantity: Decimal | None = None
    """The only quantity that a line with an account takes."""
    payment_after_invoice: bool = False
    """Whether a payment must be dated after the invoices it pays."""
    is_offline: bool = False
    enforces_required: bool = True
    """False where the options mark everything required and the platform enforces none of it."""
    reserved: frozenset[str] = frozenset()
    """Paths, such as `payments.reference`, that the platform uses for something else: never written."""
    also_offered: frozenset[str] = frozenset()
    """Paths, such as `invoices.lineItems.quantity`, that are taken although the options leave them out."""
    not_required: frozenset[str] = frozenset()
    """Paths that the options mark required although they are so only for another kind of document."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def marker(self, data_type: DataType) -> Marker | None:
        """Give the field that carries the source id; None where the platform has none for this type."""
        return self.markers.get(data_type)

    def offers_on_account(self) -> bool:
        """Tell whether money without an invoice can be booked as a payment on account."""
        return self.on_account_id is OnAccountId.CUSTOMER

    def paths(self, paths: frozenset[str], data_type: DataType) -> frozenset[str]:
        """Take the paths of one data type out of such a set, without the type's name in front."""
        prefix = f"{data_type.value}."
        return frozenset(path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def _marked(invoice: Marker | None, payment: Marker | None) -> Mapping[DataType, Marker]:
    marked = {DataType.INVOICES: invoice, DataType.PAYMENTS: payment}
    return {data_type: marker for data_type, marker in marked.items() if marker is not None}


def _quickbooks_online(key: str, name: str) -> PlatformRules:
    return PlatformRules(
        key=PlatformKey(key),
        name=name,
        income_by=IncomeBy.ITEM,
        markers=_MARKED_BY_NOTE,
        link_types=_TAKES_ALL_LINKS,
        on_account_id=OnAccountId.CUSTOMER,
        tracking=TrackingRules(one_of_each=("CLASS_",), first_line_only=("DEPARTMENT_",)),
        payment_account_categories=("undepositedfunds",),
        invoice_tax_links=("_Invoices", "TAX", "NON"),
        zero_tax_overrides=False,
        totals_by=TotalsBy.DOCUMENT,
    )


def _exact(key: str, name: str) -> PlatformRules:
    return PlatformRules(key=PlatformKey(key), name=name)


_ALL: tuple[PlatformRules, ...] = (
    PlatformRules(
        key=PlatformKey("gbol"),
        name="Xero",
        markers=_marked(Marker("invoiceNumber", 255), Marker("reference")),
        link_types=frozenset({"Invoice", "CreditNote", "Payment"}),
        needs_rate=False,
        tracking=TrackingRules(max_per_line=2, different_parents=True, leaf_has_parent=True),
    ),
    _quickbooks_online("qhyg", "QuickBooks Online"),
    _quickbooks_online("ndsk", "QuickBooks Online Sandbox"),
    PlatformRules(
        key=PlatformKey("pqsw"),
        name="QuickBooks Desktop",
        income_by=IncomeBy.ITEM,
        markers=_marked(Marker("invoiceNumber", 11), Marker("reference", 20)),
        link_types=_TAKES_ALL_LINKS,
        on_account_id=OnAccountId.CUSTOMER,
        needs_rate=False,
        currency_of_customer=True,
        tracking=TrackingRules(leaf_only=False),
        payment_account_categories=("othercurrentasset", "asset.currentasset.bank"),
        line_discounts=False,
        is_offline=True,
    ),
    PlatformRules(
        key=PlatformKey("akxx"),
        name="NetSuite",
        income_by=IncomeBy.ITEM,
        markers=_MARKED_BY_NOTE,
        link_types=_TAKES_ALL_LINKS,
        on_account_id=OnAccountId.CUSTOMER,
        needs_rate=False,
        tracking=TrackingRules(
            one_of_each=("location-", "classification-", "department-"), required_on_every_line=("location-",)
        ),
        payment_account_categories=(
            "bank",
            "fixedasset",
            "othasset",
            "othcurrasset",
            "longtermliab",
            "othcurrliab",
            "othexpense",
        ),
        line_discounts=False,
        reserved=frozenset({"payments.reference"}),
    ),
    PlatformRules(
        key=PlatformKey("knfz"),
        name="Sage Intacct",
        markers=_marked(Marker("note"), Marker("reference")),
        link_types=frozenset({"Invoice", "CreditNote"}),
        needs_rate=False,
        omits_base_currency=True,
        items_beside_accounts=False,
        fixed_quantity=Decimal(1),
        payment_after_invoice=True,
        not_required=frozenset(
            f"invoices.lineItems.{path}" for path in ("itemRef", "trackingCategoryRefs", "itemRef.id")
        ),
        choices={"paymentMethodRef.id": ("1", "3", "5", "6")},
    ),
    PlatformRules(
        key=PlatformKey("hbql"),
        name="Sage 50",
        markers=_marked(Marker("invoiceNumber"), Marker("reference")),
        link_types=_TAKES_ALL_LINKS | {"Refund", "Payment"},
        on_account_id=OnAccountId.CUSTOMER,
        needs_rate=False,
        currency_of_customer=True,
        tracking=TrackingRules(one_of_each=("department_", "project_")),
        is_offline=True,
        also_offered=frozenset(
            [f"invoices.{name}" for name in ("issueDate", "dueDate", "subTotal", "totalTaxAmount", "totalAmount")]
            + [
                f"invoices.lineItems.{name}"
                for name in ("description", "quantity", "unitAmount", "subTotal", "taxAmount", "totalAmount")
            ]
        ),
    ),
    PlatformRules(
        key=PlatformKey("tgff"),
        name="Sage Business Cloud",
        markers=_marked(Marker("note"), Marker("note", 25)),
        link_types=_TAKES_ALL_LINKS | {"Refund"},
        on_account_id=OnAccountId.CUSTOMER,
        needs_rate=False,
        currency_of_customer=True,
        payment_account_base_only=True,
        not_required=frozenset({"invoices.lineItems.itemRef"}),
    ),
    PlatformRules(
        key=PlatformKey("pdvj"),
        name="MYOB",
        markers=_marked(Marker("invoiceNumber", 8), Marker("reference", 8)),
        link_types=frozenset({"Invoice"}),
        needs_rate=False,
        tracking=TrackingRules(max_per_line=1),
    ),
    PlatformRules(
        key=PlatformKey("fbrh"),
        name="FreeAgent",
        markers=_marked(Marker("lineItems.description"), None),
        link_types=frozenset({"Invoice", "CreditNote", "Other"}),
        max_allocations=1,
    ),
    PlatformRules(
        key=PlatformKey("vxvy"),
        name="FreshBooks",
        income_by=IncomeBy.ITEM,
        markers=_marked(Marker("invoiceNumber"), Marker("note")),
        link_types=frozenset({"Invoice", "PaymentOnAccount"}),
        on_account_id=OnAccountId.CUSTOMER,
        max_allocations=1,
        payment_currency_only_on_account=True,
        needs_rate=False,
    ),
    PlatformRules(
        key=PlatformKey("rwuv"),
        name="Zoho Books",
        markers=_marked(Marker("invoiceNumber"), Marker("note")),
        link_types=_TAKES_ALL_LINKS,
        on_account_id=OnAccountId.CUSTOMER,
        links_in_one_line=True,
        currency_of_customer=True,
    ),
    PlatformRules(
        key=PlatformKey("trji"),
        name="Dynamics 365 Business Central",
        link_types=frozenset({"Invoice"}),
        max_allocations=1,
    ),
    PlatformRules(key=PlatformKey("rqwd"), name="Dynamics 365 Finance and Operations"),
    _exact("qudb", "Exact (Netherlands)"),
    _exact("pbbf", "Exact (UK)"),
    PlatformRules(key=PlatformKey("jcrp"), name="Sage 200"),
    PlatformRules(key=PlatformKey("pbtz"), name="Wave"),
    PlatformRules(key=PlatformKey("rvam"), name="Workday"),
    PlatformRules(
        key=PlatformKey("mqjo"),
        name="Codat Sandbox",
        link_types=_TAKES_ALL_LINKS,
        on_account_id=OnAccountId.CUSTOMER,
        needs_rate=False,
        tracking=TrackingRules(leaf_only=False),
        enforces_required=False,
    ),
)

PLATFORMS: Mapping[PlatformKey, PlatformRules] = {rules.key: rules for rules in _ALL}
"""Every platform of reference §2, by Codat's key."""


def rules_for(key: PlatformKey) -> PlatformRules:
    """Give a platform's rules; cautious ones for a key that Codat added after us."""
    return PLATFORMS.get(key) or PlatformRules(key=key, name=f"platform {key}")
