"""Believable books to rehearse on: the same seed always gives the same company.

Documents are booked through the same functions as a client's writes, so seeded books obey the same rules; the ledger is
locked only afterwards, for part of the history lies before the lock date.
"""

import gc
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox import documents
from codat_ar_cli.sandbox.amounts import wire_date, wire_instant
from codat_ar_cli.sandbox.books import Books
from codat_ar_cli.sandbox.booksdata import Record, State
from codat_ar_cli.sandbox.package import Draft, Package
from codat_ar_cli.sandbox.platforms import PLATFORMS, platform_named
from codat_ar_cli.sandbox.platforms.platform import READ_TYPES, Platform
from codat_ar_cli.sandbox.posting import apply_links, post
from codat_ar_cli.sandbox.seedhistory import History
from codat_ar_cli.sandbox.seednames import CUSTOMERS

__all__ = ["PLATFORMS", "books_from_file", "platform_named", "seed_books"]

_IDS = uuid.UUID("4d9a4c4e-0d2e-4a1f-9f39-3f3c1d5b0003")
_LOCKED_UNTIL = date(2025, 12, 31)
_SYNC_ORDER = (
    "chartOfAccounts bankAccounts trackingCategories taxRates customers suppliers items paymentMethods payments "
    "invoices creditNotes directCosts directIncomes journalEntries transfers company"
).split()
"""Referenced types first, payments before invoices, so that every copy is complete (reference §3.4)."""


def seed_books(platform_key: str, *, seed: int, now: datetime, customers: int = 40, invoices: int = 120) -> Books:
    """Make a company with a year of history on a platform, already synced.

    platform_key: Codat's key or the platform's slug.
    customers, invoices: how many; never fewer customers than the fifteen named ones.

    Raises:
        ValueError: the platform is unknown.
    """
    platform = platform_named(platform_key)
    books = _empty(platform, seed, now)
    rng = random.Random(f"{platform.key}:{seed}")  # noqa: S311 - reproducible on purpose
    seeder = History(books.package, rng, now)
    with _collector_paused():
        seeder.reference()
        seeder.contacts(max(customers, len(CUSTOMERS)))
        if invoices:
            seeder.documents(invoices)
            seeder.movements()
        return _opened(books, now)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare the cycle collector millions of looks at new records that all stay: a big seed is faster."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def books_from_file(data: dict[str, Any], now: datetime) -> Books:
    """Make a company from a file's content: its own records on top of seeded reference data.

    data: `{"platform": key or slug, "seed": int?, "company": {"name": …}?, "info": {…}?, "records": {type: [record]}}`.
    Records are in read form and need an `id`; types named replace seeded ones of that type, documents and payments
    start empty. Invoices and credit notes are priced again from their lines, payments settle what they link to.

    Raises:
        ValueError: the platform or a data type is unknown, or a record cannot be booked.
    """
    platform = platform_named(str(data.get("platform", "")))
    books = _empty(platform, int(data.get("seed", 0)), now)
    seeder = History(books.package, random.Random(0), now)  # noqa: S311 - reproducible on purpose
    seeder.reference()
    records = data.get("records") or {}
    unknown = sorted(set(records) - set(READ_TYPES))
    if unknown:
        raise ValueError(f"unknown data types: {', '.join(unknown)}; known: {', '.join(READ_TYPES)}")
    if "customers" not in records:
        seeder.contacts(len(CUSTOMERS))
    books.company.update(data.get("company") or {})
    for data_type in sorted(records, key=lambda name: (name == "payments", _SYNC_ORDER.index(name))):
        try:
            _take(books.package, data_type, records[data_type], now)
        except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"a record of {data_type} cannot be booked: {error!r}") from error
    opened = _opened(books, now)
    opened.package.state.head["info"].update(data.get("info") or {})
    opened.sync("company", now)
    return opened


def _take(package: Package, data_type: str, records: list[Record], now: datetime) -> None:
    """Put a file's records into the package, in place of seeded ones."""
    for record in list(package.state.live[data_type].values()):
        if not _has_role(package, record["id"]):
            package.state.drop(data_type, record["id"])
    for given in records:
        if not isinstance(given, dict) or not given.get("id"):
            raise ValueError(f"a record of {data_type} has no id")
        record = {"sourceModifiedDate": package.stamp(now), **given}
        if data_type in documents.NUMBERS:
            record.setdefault("status", "Submitted")
            draft = Draft(data_type, record, record, now)
            record = documents.drawn_up(package, draft, earlier=record)
            if draft.problems:
                raise ValueError(f"{data_type} `{record['id']}`: {draft.problems[0].message}")
        if data_type == "payments":
            _complete_payment(package, record)
        if data_type == "bankAccounts":
            record.setdefault("_account", record["id"])
        for name in ("modifiedDate", "metadata"):
            record.pop(name, None)
        package.state.put(data_type, record)
        if data_type in ("invoices", "creditNotes", "payments", "journalEntries"):
            post(package, data_type, record)
        if data_type == "payments":
            apply_links(package, record)


def _has_role(package: Package, record_id: str) -> bool:
    return record_id in package.state.head["roles"].values()


def _complete_payment(package: Package, record: Record) -> None:
    record.setdefault("currency", package.base)
    record.setdefault("currencyRate", Decimal(1))
    record.setdefault("accountRef", {"id": package.role("bank")})
    for line in record.get("lines") or []:
        for link in line["links"]:
            link.setdefault("currencyRate", Decimal(1))


def _empty(platform: Platform, seed: int, now: datetime) -> Books:
    company_id = str(uuid.uuid5(_IDS, f"company:{platform.key}:{seed}"))
    connection_id = str(uuid.uuid5(_IDS, f"connection:{platform.key}:{seed}"))
    name = f"Larkfield Trading Ltd ({platform.name})"
    created = wire_instant(now - timedelta(days=30))
    state = State()
    state.head = {
        "platform": platform.key,
        "company": {
            "id": company_id,
            "name": name,
            "description": "Invented books of the bundled sandbox.",
            "redirect": f"https://link.codat.io/company/{company_id}",
            "lastSync": wire_instant(now),
            "created": created,
            "createdByUserName": None,
            "products": [],
            "tags": {},
        },
        "connection": {
            "id": connection_id,
            "integrationId": platform.integration_id,
            "integrationKey": platform.key,
            "sourceId": platform.source_id,
            "sourceType": "Accounting",
            "platformName": platform.name,
            "linkUrl": f"https://link-api.codat.io/companies/{company_id}/connections/{connection_id}/start",
            "status": "Linked",
            "lastSync": wire_instant(now),
            "created": created,
            "dataConnectionErrors": [],
        },
        "info": _info(name, company_id),
        "roles": {},
        "numbers": {},
        "synced": {},
    }
    return Books(state)


def _info(name: str, company_id: str) -> dict[str, Any]:
    return {
        "companyName": name,
        "accountingPlatformRef": company_id,
        "companyLegalName": "Larkfield Trading Limited",
        "addresses": [
            {"type": "Billing", "line1": "4 Mill Lane", "city": "Leeds", "country": "GB", "postalCode": "LS1 4AP"}
        ],
        "phoneNumbers": [{"number": "0113 496 0100", "type": "Landline"}],
        "webLinks": [{"type": "Website", "url": "https://larkfield.example"}],
        "registrationNumber": "00000006",
        "taxNumber": "GB123456789",
        "financialYearStartDate": "2026-01-01T00:00:00",
        "baseCurrency": "GBP",
        "sourceUrls": {},
        "createdDate": "2019-02-11T00:00:00",
    }


def _opened(books: Books, now: datetime) -> Books:
    """Lock the past and let Codat take its first copy."""
    books.package.state.head["info"]["ledgerLockDate"] = wire_date(min(_LOCKED_UNTIL, now.date() - timedelta(days=90)))
    for data_type in _SYNC_ORDER:
        books.sync(data_type, now)
    return books
