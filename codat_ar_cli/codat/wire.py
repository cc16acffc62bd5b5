"""From Codat's answers, as `jsontext` reads them, to the values of our domain.

Every function takes one record as a dict and raises WireError when it lacks what it has no meaning without.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from codat_ar_cli.codat import models
from codat_ar_cli.codat.errors import WireError
from codat_ar_cli.domain.types import (
    Account,
    BankAccount,
    Company,
    CompanyId,
    CompanyInfo,
    Connection,
    ConnectionFault,
    ConnectionId,
    Currency,
    Customer,
    Dataset,
    DatasetId,
    DataStatus,
    DataType,
    Integration,
    Item,
    OpenInvoice,
    PaymentMethod,
    PlatformKey,
    PushOperation,
    PushOperationKey,
    PushStatus,
    RecordId,
    ReferenceData,
    Supplier,
    TaxRate,
    TrackingCategory,
    ValidationItem,
)

S = TypeVar("S", bound=models.Shape)
Raw = Mapping[str, Any]

UNKNOWN_CURRENCY = Currency("XXX")
"""Codat's word for a currency it does not know (reference §5)."""


def read(shape: type[S], raw: Any) -> S:
    """Check one answer against a shape; raises WireError that names the record and the field, not the value."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "(whole answer)"
        what = shape.__name__.removesuffix("Shape")
        which = f" {raw['id']}" if isinstance(raw, Mapping) and isinstance(raw.get("id"), str) else ""
        raise WireError(f"{what}{which} from Codat is not as documented: {field}: {first['msg']}") from error


def account(raw: Raw) -> Account:
    """Read a GL account (reference §6.1)."""
    seen = read(models.AccountShape, raw)
    return Account(
        id=RecordId(seen.id),
        name=seen.name or seen.fully_qualified_name or seen.nominal_code or seen.id,
        nominal_code=seen.nominal_code or None,
        type=seen.type,
        status=seen.status,
        currency=_currency(seen.currency),
        is_bank_account=seen.is_bank_account,
        qualified_category=seen.fully_qualified_category,
        qualified_name=seen.fully_qualified_name,
        valid_links=_links(seen.valid_datatype_links),
        is_deleted=seen.is_deleted,
    )


def bank_account(raw: Raw) -> BankAccount:
    """Read a bank account (reference §6.2)."""
    seen = read(models.BankAccountShape, raw)
    return BankAccount(
        id=RecordId(seen.id),
        name=seen.account_name or seen.nominal_code or seen.id,
        nominal_code=seen.nominal_code or None,
        account_number=seen.account_number or None,
        sort_code=seen.sort_code or None,
        iban=seen.iban or None,
        currency=_currency(seen.currency),
        balance=seen.balance,
        institution=seen.institution or None,
        status=seen.status,
        is_deleted=seen.is_deleted,
    )


def tracking_category(raw: Raw) -> TrackingCategory:
    """Read a tracking category, from the list or as the root of a tree (reference §6.3)."""
    seen = read(models.TrackingCategoryShape, raw)
    return TrackingCategory(
        id=RecordId(seen.id),
        name=seen.name or seen.id,
        status=seen.status,
        parent_id=RecordId(seen.parent_id) if seen.parent_id else None,
        has_children=seen.has_children,
        is_deleted=seen.is_deleted,
    )


def tax_rate(raw: Raw) -> TaxRate:
    """Read a tax rate (reference §6.4)."""
    seen = read(models.TaxRateShape, raw)
    return TaxRate(
        id=RecordId(seen.id),
        name=seen.name or seen.code or seen.id,
        code=seen.code or None,
        status=seen.status,
        effective_rate=seen.effective_tax_rate,
        valid_links=_links(seen.valid_datatype_links),
        is_deleted=seen.is_deleted,
    )


def customer(raw: Raw) -> Customer:
    """Read a customer (reference §6.5)."""
    seen = read(models.CustomerShape, raw)
    return Customer(
        id=RecordId(seen.id),
        name=seen.customer_name or seen.contact_name or seen.id,
        email=seen.email_address or None,
        tax_number=seen.tax_number or None,
        currency=_currency(seen.default_currency),
        status=seen.status,
        is_deleted=seen.is_deleted,
    )


def supplier(raw: Raw) -> Supplier:
    """Read a supplier (reference §7.4)."""
    seen = read(models.SupplierShape, raw)
    name = seen.supplier_name or seen.contact_name or seen.id
    return Supplier(id=RecordId(seen.id), name=name, status=seen.status, is_deleted=seen.is_deleted)


def item(raw: Raw) -> Item:
    """Read an item (reference §6.6)."""
    seen = read(models.ItemShape, raw)
    income = seen.invoice_item.account_ref.id if seen.invoice_item and seen.invoice_item.account_ref else None
    return Item(
        id=RecordId(seen.id),
        name=seen.name or seen.code or seen.id,
        code=seen.code or None,
        status=seen.item_status,
        type=seen.type,
        is_invoice_item=seen.is_invoice_item,
        income_account=RecordId(income) if income else None,
        is_deleted=seen.is_deleted,
    )


def payment_method(raw: Raw) -> PaymentMethod:
    """Read a payment method (reference §6.7)."""
    seen = read(models.PaymentMethodShape, raw)
    return PaymentMethod(
        id=RecordId(seen.id),
        name=seen.name or seen.id,
        type=seen.type,
        status=seen.status,
        is_deleted=seen.is_deleted,
    )


def company_info(raw: Raw) -> CompanyInfo:
    """Read what the package says of the business (reference §6.8)."""
    seen = read(models.CompanyInfoShape, raw)
    return CompanyInfo(
        name=seen.company_name or seen.company_legal_name or "",
        base_currency=_currency(seen.base_currency),
        ledger_lock_date=seen.ledger_lock_date,
    )


def open_invoice(raw: Raw) -> OpenInvoice:
    """Read an invoice as the books have it (reference §7.1).

    A missing amount due is computed from the allocations, which are negative on invoices (§8.5); an unset
    issue date becomes the due date, or the calendar's first day where that is unset too.
    """
    seen = read(models.InvoiceShape, raw)
    allocated = [entry.allocation.total_amount for entry in seen.payment_allocations if entry.allocation]
    due = seen.amount_due
    if due is None:
        due = seen.total_amount + sum((amount for amount in allocated if amount is not None), Decimal(0))
    party = seen.customer_ref
    return OpenInvoice(
        id=RecordId(seen.id),
        number=seen.invoice_number or None,
        customer_id=RecordId(party.id) if party and party.id else None,
        customer_name=party.company_name if party else None,
        currency=_currency(seen.currency) or UNKNOWN_CURRENCY,
        issue_date=seen.issue_date or seen.due_date or date.min,
        due_date=seen.due_date,
        total_amount=seen.total_amount,
        amount_due=due,
        status=seen.status,
        note=seen.note or None,
        is_deleted=seen.is_deleted,
    )


def push_operation(raw: Any) -> PushOperation:
    """Read a push operation (reference §9.3). Only its status decides; an unknown one counts as pending."""
    seen = read(models.PushOperationShape, raw)
    checks = seen.validation or models.ValidationShape()
    known = seen.status in set(PushStatus)
    return PushOperation(
        key=PushOperationKey(seen.push_operation_key),
        company=CompanyId(seen.company_id),
        connection=ConnectionId(seen.data_connection_key),
        data_type=seen.data_type or "",
        status=PushStatus(seen.status) if known else PushStatus.PENDING,
        status_code=seen.status_code,
        requested_at=seen.requested_on_utc,
        completed_at=seen.completed_on_utc,
        record_id=_written_record(seen),
        change_types=tuple(change.type for change in seen.changes),
        error_message=seen.error_message or None,
        errors=_items(checks.errors),
        warnings=_items(checks.warnings),
    )


def dataset(raw: Any) -> Dataset:
    """Read one sync of one data type (reference §4); a missing data type is company info's (`POST data/info`)."""
    seen = read(models.DatasetShape, raw)
    return Dataset(
        id=DatasetId(seen.id),
        data_type=seen.data_type or DataType.COMPANY_INFO.value,
        status=seen.status,
        requested_at=seen.requested,
        completed_at=seen.completed,
        progress=seen.progress,
        is_completed=seen.is_completed,
        is_errored=seen.is_errored,
        message=seen.error_message or seen.status_description or None,
    )


def data_status(raw: Any) -> dict[str, DataStatus]:
    """Read how fresh each data type is, by data type key (reference §4); a null entry is left out."""
    if not isinstance(raw, Mapping):
        raise WireError("the data status from Codat is not as documented: an object was expected")
    seen = [read(models.DataStatusShape, entry) for entry in raw.values() if entry is not None]
    return {
        entry.data_type: DataStatus(
            data_type=entry.data_type,
            current_status=entry.current_status,
            last_successful_sync=entry.last_successful_sync,
            latest_successful_dataset=_dataset_id(entry.latest_successful_sync_id),
            latest_dataset=_dataset_id(entry.latest_sync_id),
        )
        for entry in seen
    }


def company(raw: Any) -> Company:
    """Read a company with its connections (reference §2)."""
    seen = read(models.CompanyShape, raw)
    return Company(
        CompanyId(seen.id), seen.name or seen.id, tuple(_connection(entry) for entry in seen.data_connections)
    )


def integration(raw: Any) -> Integration:
    """Read what Codat supports on one platform (reference §2)."""
    seen = read(models.IntegrationShape, raw)
    features: dict[str, dict[str, str]] = {}
    for entry in seen.datatype_features:
        states = features.setdefault(entry.data_type or "", {})
        for feature in entry.supported_features:
            if feature.feature_type and feature.feature_state:
                states[feature.feature_type] = feature.feature_state
    return Integration(PlatformKey(seen.key), seen.name or seen.key, seen.is_offline_connector, features)


READERS: Mapping[DataType, Callable[[Raw], Any]] = {
    DataType.COMPANY_INFO: company_info,
    DataType.ACCOUNTS: account,
    DataType.BANK_ACCOUNTS: bank_account,
    DataType.TRACKING_CATEGORIES: tracking_category,
    DataType.TAX_RATES: tax_rate,
    DataType.CUSTOMERS: customer,
    DataType.SUPPLIERS: supplier,
    DataType.ITEMS: item,
    DataType.PAYMENT_METHODS: payment_method,
    DataType.INVOICES: open_invoice,
}
"""How a cached record of each type is read; the other types are cached as they are."""


def check(data_type: DataType, records: Iterable[Raw]) -> None:
    """Make sure that every record can be read again later; raises WireError that names the first that can't."""
    reader = READERS.get(data_type)
    if reader is not None:
        for raw in records:
            reader(raw)


def reference_data(
    sets: Mapping[DataType, Sequence[dict[str, Any]]], fetched: Mapping[DataType, datetime]
) -> ReferenceData:
    """Put cached sets together; company info is a list of one. A set that is not there is empty."""

    def each(data_type: DataType) -> tuple[Any, ...]:
        return tuple(READERS[data_type](raw) for raw in sets.get(data_type, ()))

    infos = each(DataType.COMPANY_INFO)
    return ReferenceData(
        company_info=infos[0] if infos else None,
        accounts=each(DataType.ACCOUNTS),
        bank_accounts=each(DataType.BANK_ACCOUNTS),
        tracking_categories=each(DataType.TRACKING_CATEGORIES),
        tax_rates=each(DataType.TAX_RATES),
        customers=each(DataType.CUSTOMERS),
        suppliers=each(DataType.SUPPLIERS),
        items=each(DataType.ITEMS),
        payment_methods=each(DataType.PAYMENT_METHODS),
        fetched=dict(fetched),
    )


def _written_record(seen: models.PushOperationShape) -> RecordId | None:
    """The record of the operation's own type, else the first named: Xero may book the reversed type (§7.4)."""
    named = [change.record_ref for change in seen.changes if change.record_ref and change.record_ref.id]
    named.sort(key=lambda ref: ref.data_type != seen.data_type)
    return RecordId(named[0].id) if named and named[0].id else None


def _connection(seen: models.ConnectionShape) -> Connection:
    return Connection(
        id=ConnectionId(seen.id),
        platform_key=PlatformKey(seen.integration_key or ""),
        platform_name=seen.platform_name or seen.integration_key or "",
        source_type=seen.source_type,
        status=seen.status,
        link_url=seen.link_url or "",
        last_sync=seen.last_sync,
        errors=tuple(
            ConnectionFault(
                status_code=fault.status_code or "",
                text=fault.error_message or fault.status_text or "",
                at=fault.errored_on_utc,
                active=fault.status != "Resolved",
            )
            for fault in seen.data_connection_errors
        ),
    )


def _currency(text: str | None) -> Currency | None:
    return Currency(text) if text and text != UNKNOWN_CURRENCY else None


def _links(entries: Sequence[models.ValidLinkShape]) -> tuple[str, ...]:
    return tuple(link for entry in entries for link in entry.links)


def _items(entries: Sequence[models.ValidationItemShape]) -> tuple[ValidationItem, ...]:
    return tuple(ValidationItem(entry.message, entry.item_id, entry.validator_name) for entry in entries)


def _dataset_id(text: str | None) -> DatasetId | None:
    return DatasetId(text) if text else None
