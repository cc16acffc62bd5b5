"""The shapes of Codat's answers, as far as we read them: lenient where Codat is, exact with numbers.

Unknown fields are ignored, a null is the same as a missing field, unknown words of an enum stay as they are,
and a date of year 1 is unset (reference §5). Only what a value has no meaning without is required.
"""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from codat_ar_cli.domain.jsontext import JsonTextError, as_decimal


def _number(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        return as_decimal(value)
    except JsonTextError as error:
        raise ValueError(str(error)) from error


def _business_date(value: Any) -> dt.date | None:
    """The date part as it stands, never moved between zones; None where unset (year 1)."""
    if value is None or value == "":
        return None
    date = dt.date.fromisoformat(str(value)[:10])
    return None if date.year == 1 else date


def _instant(value: Any) -> dt.datetime | None:
    """An aware UTC instant; one without a zone is taken as UTC; None where unset (year 1)."""
    if value is None or value == "":
        return None
    instant = dt.datetime.fromisoformat(str(value))
    if instant.year == 1:
        return None
    try:
        return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)
    except OverflowError as error:  # the last hours of year 9999, west of Greenwich
        raise ValueError("beyond the calendar") from error


def _word(value: Any) -> Any:
    return "Unknown" if value is None else value


def _list(value: Any) -> Any:
    return [] if value is None else value


def _flag(value: Any) -> Any:
    return False if value is None else value


Number = Annotated[Decimal | None, BeforeValidator(_number)]
BusinessDate = Annotated[dt.date | None, BeforeValidator(_business_date)]
Instant = Annotated[dt.datetime | None, BeforeValidator(_instant)]
Word = Annotated[str, BeforeValidator(_word)]
Flag = Annotated[bool, BeforeValidator(_flag)]
NonEmpty = Annotated[str, Field(min_length=1)]


class Shape(BaseModel):
    """What all shapes have in common: camelCase on the wire, unknown fields ignored, ids as text."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, coerce_numbers_to_str=True, protected_namespaces=()
    )


class MetadataShape(Shape):
    """Freshness facts (reference §3.4)."""

    is_deleted: Flag = False


class RecordShape(Shape):
    """What every record carries."""

    id: NonEmpty
    metadata: MetadataShape | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether the record vanished from the package; the status does not tell (reference §3.4)."""
        return self.metadata is not None and self.metadata.is_deleted


class RefShape(Shape):
    """A reference to another record; what name there is depends on the type."""

    id: str | None = None
    name: str | None = None
    company_name: str | None = None


class ValidLinkShape(Shape):
    """Where an id may be used (reference §6.1)."""

    links: Annotated[list[str], BeforeValidator(_list)] = []


ValidLinks = Annotated[list[ValidLinkShape], BeforeValidator(_list)]


class AccountShape(RecordShape):
    """Reference §6.1."""

    name: str | None = None
    nominal_code: str | None = None
    type: Word = "Unknown"
    status: Word = "Unknown"
    currency: str | None = None
    is_bank_account: Flag = False
    fully_qualified_category: str | None = None
    fully_qualified_name: str | None = None
    valid_datatype_links: ValidLinks = []


class BankAccountShape(RecordShape):
    """Reference §6.2; `iBan` is the wire's own spelling (§14)."""

    account_name: str | None = None
    nominal_code: str | None = None
    account_number: str | None = None
    sort_code: str | None = None
    iban: str | None = Field(default=None, alias="iBan")
    currency: str | None = None
    balance: Number = None
    institution: str | None = None
    status: Word = "Unknown"


class TrackingCategoryShape(RecordShape):
    """Reference §6.3."""

    name: str | None = None
    status: Word = "Unknown"
    parent_id: str | None = None
    has_children: Flag = False


class TaxRateShape(RecordShape):
    """Reference §6.4; rates are percentages."""

    name: str | None = None
    code: str | None = None
    status: Word = "Unknown"
    effective_tax_rate: Number = None
    valid_datatype_links: ValidLinks = []


class CustomerShape(RecordShape):
    """Reference §6.5."""

    customer_name: str | None = None
    contact_name: str | None = None
    email_address: str | None = None
    tax_number: str | None = None
    default_currency: str | None = None
    status: Word = "Unknown"


class SupplierShape(RecordShape):
    """Reference §7.4."""

    supplier_name: str | None = None
    contact_name: str | None = None
    status: Word = "Unknown"


class InvoiceItemShape(Shape):
    """What an item posts to when it is sold."""

    account_ref: RefShape | None = None


class ItemShape(RecordShape):
    """Reference §6.6."""

    name: str | None = None
    code: str | None = None
    item_status: Word = "Unknown"
    type: Word = "Unknown"
    is_invoice_item: Flag = False
    invoice_item: InvoiceItemShape | None = None


class PaymentMethodShape(RecordShape):
    """Reference §6.7."""

    name: str | None = None
    type: Word = "Unknown"
    status: Word = "Unknown"


class CompanyInfoShape(Shape):
    """Reference §6.8."""

    company_name: str | None = None
    company_legal_name: str | None = None
    base_currency: str | None = None
    ledger_lock_date: BusinessDate = None


class AllocationShape(Shape):
    """The part of a payment that stands against a document; negative on invoices (reference §8.5)."""

    total_amount: Number = None


class PaymentAllocationShape(Shape):
    """One entry of `paymentAllocations`."""

    allocation: AllocationShape | None = None


class InvoiceShape(RecordShape):
    """Reference §7.1."""

    invoice_number: str | None = None
    customer_ref: RefShape | None = None
    currency: str | None = None
    issue_date: BusinessDate = None
    due_date: BusinessDate = None
    total_amount: Annotated[Decimal, BeforeValidator(_number)]
    amount_due: Number = None
    status: Word = "Unknown"
    note: str | None = None
    payment_allocations: Annotated[list[PaymentAllocationShape], BeforeValidator(_list)] = []


class ValidationItemShape(Shape):
    """Reference §1.2."""

    item_id: str | None = None
    message: str | None = None
    validator_name: str | None = None


ValidationItems = Annotated[list[ValidationItemShape], BeforeValidator(_list)]


class ValidationShape(Shape):
    """Reference §9.3."""

    errors: ValidationItems = []
    warnings: ValidationItems = []


class RecordRefShape(Shape):
    """Which record a write made or changed."""

    id: str | None = None
    data_type: str | None = None


class ChangeShape(Shape):
    """One entry of `changes`; may lack the id (reference §9.3)."""

    type: Word = "Unknown"
    record_ref: RecordRefShape | None = None


class PushOperationShape(Shape):
    """Reference §9.3; `data` was removed and is not read."""

    push_operation_key: NonEmpty
    company_id: NonEmpty
    data_connection_key: NonEmpty
    data_type: str | None = None
    status: NonEmpty
    status_code: int
    requested_on_utc: Instant = None
    completed_on_utc: Instant = None
    changes: Annotated[list[ChangeShape], BeforeValidator(_list)] = []
    error_message: str | None = None
    validation: ValidationShape | None = None


class DatasetShape(Shape):
    """Reference §4, PullOperation."""

    id: NonEmpty
    data_type: str | None = None
    status: Word = "Unknown"
    status_description: str | None = None
    error_message: str | None = None
    requested: Instant = None
    completed: Instant = None
    progress: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0
    is_completed: Flag = False
    is_errored: Flag = False


class DataStatusShape(Shape):
    """Reference §4; a type that was never synced has only `dataType`."""

    data_type: NonEmpty
    current_status: str | None = None
    last_successful_sync: Instant = None
    latest_successful_sync_id: str | None = None
    latest_sync_id: str | None = None


class ConnectionErrorShape(Shape):
    """Reference §2."""

    status_code: str | None = None
    status_text: str | None = None
    error_message: str | None = None
    errored_on_utc: Instant = None
    status: str | None = None


class ConnectionShape(Shape):
    """Reference §2."""

    id: NonEmpty
    integration_key: str | None = None
    platform_name: str | None = None
    source_type: Word = "Unknown"
    status: Word = "Unknown"
    link_url: str | None = None
    last_sync: Instant = None
    data_connection_errors: Annotated[list[ConnectionErrorShape], BeforeValidator(_list)] = []


class CompanyShape(Shape):
    """Reference §2."""

    id: NonEmpty
    name: str | None = None
    data_connections: Annotated[list[ConnectionShape], BeforeValidator(_list)] = []


class FeatureShape(Shape):
    """What Codat can do with one data type on a platform."""

    feature_type: str | None = None
    feature_state: str | None = None


class DataTypeFeaturesShape(Shape):
    """The features of one data type; Codat's document spells its key both ways."""

    data_type: str | None = Field(default=None, validation_alias=AliasChoices("dataType", "datatype"))
    supported_features: Annotated[list[FeatureShape], BeforeValidator(_list)] = []


class IntegrationShape(Shape):
    """Reference §2."""

    key: NonEmpty
    name: str | None = None
    is_offline_connector: Flag = False
    datatype_features: Annotated[list[DataTypeFeaturesShape], BeforeValidator(_list)] = []


class ProfileShape(Shape):
    """The Codat client that a key belongs to."""

    name: str


class LinkShape(Shape):
    """One link of a page."""

    href: str | None = None


class LinksShape(Shape):
    """Where the neighbouring pages are (reference §3.2)."""

    next: LinkShape | None = None


class PageShape(Shape):
    """One page of a list (reference §3.2)."""

    results: list[dict[str, Any]]
    total_results: int | None = None
    links: LinksShape | None = Field(default=None, alias="_links")
