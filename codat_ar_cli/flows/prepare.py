"""file → rows → drafts → plan: everything knowable is checked before the first byte is sent (design D1, D7)."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import anyio

from codat_ar_cli.domain.allocating import claims_of
from codat_ar_cli.domain.documents import InvoiceDraft, PaymentDraft
from codat_ar_cli.domain.drafting import BrokenDocument, Drafted, draft_invoices, draft_payments
from codat_ar_cli.domain.findings import Finding, Severity
from codat_ar_cli.domain.invoice_index import InvoiceIndex
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.mapping import Mapping as SlotAnswers
from codat_ar_cli.domain.options import Option, parse_options
from codat_ar_cli.domain.plan import Plan, PlanContext, plan_invoices, plan_payments
from codat_ar_cli.domain.platforms import rules_for
from codat_ar_cli.domain.pushes import Push
from codat_ar_cli.domain.types import (
    CompanyId,
    ConnectionId,
    Currency,
    DataType,
    PlatformKey,
    ReferenceData,
)
from codat_ar_cli.errors import CodatArError
from codat_ar_cli.files.readers import read_table
from codat_ar_cli.files.table import Table
from codat_ar_cli.flows.fetch import REFERENCE_TYPES, NeverSynced, fetch
from codat_ar_cli.flows.reference import open_invoices, require_reference
from codat_ar_cli.flows.setup import usable_connection
from codat_ar_cli.flows.sync import FetchProgress

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger

REFERENCE_MAX_AGE = dt.timedelta(hours=1)
"""Mapped ids are checked again before every run against reference data no older than this."""


BOOKS_MAX_AGE = dt.timedelta(days=1)
"""Codat's copy of the invoices may be this old before it is remarked on."""


class WriteNotOffered(CodatArError):
    """Codat does not write this data type on this platform."""

    code = "platform.write-not-offered"

    def __init__(self, data_type: DataType, platform: str) -> None:
        super().__init__(
            f"Codat does not create {data_type.label} on {platform}",
            hint="enter them in the accounting package by hand",
            details={"data_type": data_type.value, "platform": platform},
        )


class ProfileDiffers(CodatArError):
    """What the profile says of the company is not what Codat says: identities and platform rules hang on it."""

    code = "profile.differs"

    def __init__(self, profile: str, what: str, *, ours: str, theirs: str) -> None:
        super().__init__(
            f"profile `{profile}` has the {what} `{ours}`, Codat has `{theirs}`",
            hint=f"write it as Codat does, or set the profile up anew: codat-ar init --profile {profile}",
            details={"profile": profile, "what": what, "ours": ours, "theirs": theirs},
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """Where documents go, through which profile, and by which answers."""

    profile: str
    api_host: str
    company: CompanyId
    company_name: str
    connection: ConnectionId
    platform_key: PlatformKey
    platform_name: str
    mapping: SlotAnswers
    rates: Mapping[Currency, Decimal] = field(default_factory=dict)
    """Base currency units per one unit of a foreign currency, where a row gives none."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asks to be pushed, and how freely."""

    data_type: DataType
    path: Path
    today: dt.date
    source_system: str = "file"
    partial: bool = False
    """Send the good documents of a file that also has wrong ones."""
    overpayment_on_account: bool = False
    """What a payment exceeds its invoices by goes on account, where the platform has that."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with the file it came from."""

    order: Order
    destination: Destination
    table: Table
    plan: Plan
    broken: tuple[BrokenDocument, ...] = ()
    """What the file itself gets wrong, so that no plan can hold it: its rows belong among the rejects."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What preparing works with; the same for every step."""

    client: "CodatClient"
    ledger: "Ledger"
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    on_progress: Callable[[FetchProgress], None] = lambda _: None


Drafts = Drafted[InvoiceDraft] | Drafted[PaymentDraft]


async def prepare(order: Order, destination: Destination, workshop: Workshop) -> Prepared:
    """Read a file and say of every document in it: to be sent, held and why, or already done. Sends nothing.

    Reads the books as far as needed: the connection, the platform's options, reference data older than an hour,
    and for payments the invoices. Raises FileError subclasses, UnknownConnection, ConnectionUnusable,
    WriteNotOffered, and the errors of the client.
    """
    table = read_table(order.path, PAYMENTS if order.data_type is DataType.PAYMENTS else INVOICES)
    drafted = draft(order.data_type, table)
    await check_connection(order.data_type, destination, workshop.client)
    reference = await current_reference(destination, workshop)
    options = await _options(order.data_type, destination, workshop.client)
    under_way = _under_way(order, destination, workshop.ledger, drafted)
    context = _context(order, destination, workshop.ledger, drafted, reference, options)
    context = replace(context, claims=claims_of(each for each in under_way if _is(each, DataType.PAYMENTS)))
    sent = {each.identity.source_id: each.state for each in under_way if _is(each, DataType.INVOICES)}
    index, notes = await invoice_index(drafted, destination, workshop, under_way=sent)
    plan = (
        plan_payments(cast(Drafted[PaymentDraft], drafted), context, index)
        if order.data_type is DataType.PAYMENTS
        else plan_invoices(cast(Drafted[InvoiceDraft], drafted), context, index)
    )
    plan = replace(plan, findings=(*table.notes, *notes, *plan.findings))
    return Prepared(order, destination, table, plan, drafted.broken)


def draft(data_type: DataType, table: Table) -> Drafts:
    """Turn a table's rows into drafts of one data type; what is wrong with rows is in the findings."""
    drafting = draft_payments if data_type is DataType.PAYMENTS else draft_invoices
    return drafting(table.rows, source=table.name, columns=table.canonical)


async def check_connection(data_type: DataType, destination: Destination, client: "CodatClient") -> None:
    """Make sure that writes of this type can go through; raises what says why not (reference §2).

    Ids must be spelt as Codat spells them: in other letters the same documents would be new ones.
    """
    company = await client.company(destination.company)
    connection = usable_connection(company, destination.connection)
    for what, ours, theirs in (
        ("company id", destination.company, company.id),
        ("connection id", destination.connection, connection.id),
        ("platform key", destination.platform_key, connection.platform_key),
    ):
        if theirs and ours != theirs:
            raise ProfileDiffers(destination.profile, what, ours=ours, theirs=theirs)
    integration = await client.integration(destination.platform_key)
    if not integration.supports(data_type, "Post"):
        raise WriteNotOffered(data_type, destination.platform_name)


async def _options(data_type: DataType, destination: Destination, client: "CodatClient") -> Option:
    options = parse_options(await client.options(destination.company, destination.connection, data_type))
    if not options.properties:
        raise WriteNotOffered(data_type, destination.platform_name)
    return options


async def current_reference(destination: Destination, workshop: Workshop) -> ReferenceData:
    """Give the reference data, read anew from Codat where the cache lacks it or is older than an hour."""
    company, connection = destination.company, destination.connection
    fresh_after = workshop.clock() - REFERENCE_MAX_AGE
    old: list[DataType] = []
    for data_type in REFERENCE_TYPES:
        cached = workshop.ledger.cache_age(company, connection, data_type)
        if cached is None or cached.fetched_at < fresh_after:
            old.append(data_type)
    if old:
        await fetch(
            workshop.client,
            workshop.ledger,
            company=company,
            connection=connection,
            types=old,
            refresh=False,
            clock=workshop.clock,
            sleep=workshop.sleep,
            on_progress=workshop.on_progress,
        )
    return require_reference(workshop.ledger, company=company, connection=connection)


async def invoice_index(
    drafted: Drafts,
    destination: Destination,
    workshop: Workshop,
    *,
    under_way: Mapping[str, State] = MappingProxyType({}),
) -> tuple[InvoiceIndex, tuple[Finding, ...]]:
    """Give the books' invoices for looking up numbers, as they are after our own last push; a finding if unread.

    Written records show only after a sync (reference §0.1 fact 1), so Codat is asked for one where we pushed since.
    """
    company, connection = destination.company, destination.connection
    pushed_at = _last_push(destination, workshop.ledger)
    try:
        invoices = await open_invoices(
            workshop.client,
            workshop.ledger,
            company=company,
            connection=connection,
            refresh=pushed_at is not None,
            newer_than=pushed_at,
            clock=workshop.clock,
            sleep=workshop.sleep,
            on_progress=workshop.on_progress,
        )
    except NeverSynced as unread:
        note = Finding("books.not-read", Severity.WARNING, unread.message, hint=unread.hint)
        return InvoiceIndex(under_way=under_way), (note,)
    pushed = workshop.ledger.records_pushed(
        api_host=destination.api_host,
        company=company,
        connection=connection,
        data_type=DataType.INVOICES,
        source_ids=_numbers(drafted),
    )
    index = InvoiceIndex.of(invoices, rules_for(destination.platform_key), pushed, under_way)
    return index, _age_of_books(destination, workshop)


def _last_push(destination: Destination, ledger: "Ledger") -> dt.datetime | None:
    """Tell when we last changed what invoices look like; None: never."""
    types = (DataType.INVOICES, DataType.PAYMENTS)
    pushed_at = [ledger.last_success_at(destination.company, destination.connection, each) for each in types]
    return max((at for at in pushed_at if at is not None), default=None)


def _age_of_books(destination: Destination, workshop: Workshop) -> tuple[Finding, ...]:
    """Warn where Codat read the invoices long ago: amounts due and numbers in use are as of then."""
    read = workshop.ledger.cache_age(destination.company, destination.connection, DataType.INVOICES)
    at = None if read is None else read.dataset_at
    if at is None or workshop.clock() - at < BOOKS_MAX_AGE:
        return ()
    message = f"Codat last read the invoices on {at:%Y-%m-%d %H:%M} UTC; later changes in the books aren't known here"
    hint = "codat-ar fetch payments invoices --refresh"
    return (Finding("books.stale", Severity.WARNING, message, hint=hint),)


def _under_way(order: Order, destination: Destination, ledger: "Ledger", drafted: Drafts) -> list[Push]:
    """Give what earlier runs planned or sent and that has not finished, without what this file plans anew or knows."""
    own = {document.source_id for document in drafted.documents}
    unfinished = ledger.unfinished(
        api_host=destination.api_host, company=destination.company, connection=destination.connection
    )
    return [
        push
        for push in unfinished
        if push.identity.source_id not in own
        or (push.identity.data_type, push.identity.source_system) != (order.data_type, order.source_system)
        # The money of our own payments that are out is spoken for; our own invoices are known as under way.
        or (order.data_type is DataType.PAYMENTS and push.state is not State.PLANNED)
    ]


def _is(push: Push, data_type: DataType) -> bool:
    return push.identity.data_type is data_type


def _numbers(drafted: Drafts) -> frozenset[str]:
    """Name every invoice number that the file speaks of."""
    numbers: set[str] = set()
    for draft in drafted.documents:
        if isinstance(draft, InvoiceDraft):
            numbers.add(draft.number)
        else:
            numbers |= {part.invoice_number for part in draft.allocations if part.invoice_number}
    return frozenset(numbers)


def _context(
    order: Order,
    destination: Destination,
    ledger: "Ledger",
    drafted: Drafts,
    reference: ReferenceData,
    options: Option,
) -> PlanContext:
    known = ledger.known(
        api_host=destination.api_host,
        company=destination.company,
        connection=destination.connection,
        data_type=order.data_type,
        source_system=order.source_system,
        source_ids=[document.source_id for document in drafted.documents],
    )
    return PlanContext(
        api_host=destination.api_host,
        company=destination.company,
        connection=destination.connection,
        source_system=order.source_system,
        platform=rules_for(destination.platform_key),
        mapping=destination.mapping,
        reference=reference,
        options=options,
        known=known,
        today=order.today,
        rates=destination.rates,
        partial=order.partial,
        overpayment_on_account=order.overpayment_on_account,
    )
