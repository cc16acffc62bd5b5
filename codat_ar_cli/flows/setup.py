"""Connecting a company: which company, which connection, and whether all is well there."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from codat_ar_cli.codat import wire
from codat_ar_cli.codat.client import CodatClient
from codat_ar_cli.codat.errors import DataNotReady, RecordNotFound, WireError
from codat_ar_cli.domain.types import Company, CompanyId, CompanyInfo, Connection, ConnectionId
from codat_ar_cli.errors import CodatArError, ExitCode

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHOWN = 10


class UnknownCompany(CodatArError):
    """This key sees no such company."""

    code = "setup.unknown-company"

    def __init__(self, wanted: str, companies: Sequence[Company]) -> None:
        known = ", ".join(company.name for company in companies[:_SHOWN]) or "none"
        more = f" and {len(companies) - _SHOWN} more" if len(companies) > _SHOWN else ""
        super().__init__(
            f"company `{wanted}` is not among those this key can see; it sees: {known}{more}",
            hint="give an id or a name with --company; is it the key of the right Codat client?",
            details={"wanted": wanted, "companies": [_company_facts(company) for company in companies[:_SHOWN]]},
        )


class AmbiguousCompany(CodatArError):
    """Several companies answer to that name, or no name was given and there are several."""

    code = "setup.ambiguous-company"

    def __init__(self, wanted: str | None, companies: Sequence[Company]) -> None:
        shown = "; ".join(f"{company.name} ({company.id})" for company in companies[:_SHOWN])
        what = f"`{wanted}` could be any of {len(companies)} companies" if wanted else f"{len(companies)} companies"
        super().__init__(
            f"{what}: {shown}",
            hint="choose one by id with --company",
            details={"wanted": wanted, "companies": [_company_facts(company) for company in companies[:_SHOWN]]},
        )


class NoCompanies(CodatArError):
    """This key's Codat client has no company yet."""

    code = "setup.no-companies"

    def __init__(self) -> None:
        super().__init__(
            "this key's Codat client has no companies",
            hint="add one in the Codat portal, let it connect its accounting package, then `codat-ar init` again",
        )


class ConnectionUnusable(CodatArError):
    """A connection that can't take our writes; subclasses say why."""

    exit_code = ExitCode.USAGE

    def __init__(self, connection: Connection, what: str, hint: str) -> None:
        super().__init__(
            f"connection {connection.id} ({connection.platform_name}) {what}",
            hint=hint,
            details={"connection": connection.id, "status": connection.status, "source_type": connection.source_type},
        )


class ConnectionNotAccounting(ConnectionUnusable):
    """Banking, commerce…: no invoices or payments go there."""

    code = "connection.not-accounting"


class ConnectionPending(ConnectionUnusable):
    """The customer has not finished linking."""

    code = "connection.pending"


class ConnectionDeauthorised(ConnectionUnusable):
    """The accounting package withdrew its permission."""

    code = "connection.deauthorised"


class ConnectionUnlinked(ConnectionUnusable):
    """It was cut, or is in a state Codat has not told us about."""

    code = "connection.unlinked"


class UnknownConnection(CodatArError):
    """The company has no such connection."""

    code = "connection.unknown"

    def __init__(self, wanted: str, company: Company) -> None:
        known = "; ".join(f"{c.id} ({c.platform_name}, {c.status})" for c in company.connections) or "none"
        super().__init__(
            f"{company.name} has no connection {wanted}; it has: {known}",
            hint="choose one with `codat-ar init --connection ID`",
            details={"wanted": wanted, "company": company.id, "connections": [c.id for c in company.connections]},
        )


class NoUsableConnection(CodatArError):
    """None of the company's connections takes writes."""

    code = "connection.none-usable"

    def __init__(self, company: Company) -> None:
        faults = [fault for fault in map(connection_fault, company.connections) if fault is not None]
        why = "; ".join(fault.message for fault in faults) or "it has no connections"
        super().__init__(
            f"{company.name} has no linked accounting connection: {why}",
            hint=next((fault.hint for fault in faults if fault.hint), None)
            or "connect its accounting package in the Codat portal",
            details={"company": company.id, "reasons": [{"code": f.code, "message": f.message} for f in faults]},
        )


class AmbiguousConnection(CodatArError):
    """Several connections could be meant."""

    code = "connection.ambiguous"

    def __init__(self, company: Company, usable: Sequence[Connection]) -> None:
        shown = "; ".join(f"{connection.id} ({connection.platform_name})" for connection in usable)
        super().__init__(
            f"{company.name} has {len(usable)} linked accounting connections: {shown}",
            hint="choose one with --connection ID",
            details={"company": company.id, "connections": [connection.id for connection in usable]},
        )


@dataclass(frozen=True, slots=True)
class Health:
    """A company and its connection as they are right now."""

    client_name: str
    """The Codat client that the key belongs to."""
    company: Company
    connection: Connection
    fault: CodatArError | None
    """Why the connection takes no writes; None when it does."""
    info: CompanyInfo | None
    """None where Codat has not synced it yet, or the platform has none."""
    quota_limit: int | None
    """Requests a day, over all companies of the Codat client (reference §1.3)."""
    quota_remaining: int | None
    quota_reset: datetime | None
    proxy: str | None
    """What requests go through, without its password; None: they go straight."""


def connection_fault(connection: Connection) -> ConnectionUnusable | None:
    """Say why a connection can't take writes, as the error to raise; None when it can (reference §2)."""
    if connection.is_usable:
        return None
    relink = f"let the customer link it again: {connection.link_url}" if connection.link_url else "link it again"
    if connection.source_type != "Accounting":
        what = f"is a {connection.source_type} connection; expected Accounting"
        return ConnectionNotAccounting(connection, what, "choose the accounting connection with --connection ID")
    if connection.status == "PendingAuth":
        return ConnectionPending(connection, "is not linked yet", f"let the customer finish: {connection.link_url}")
    if connection.status == "Deauthorized":
        active = [fault.text for fault in connection.errors if fault.active]
        reason = f": {active[0]}" if active else ""
        return ConnectionDeauthorised(connection, f"was deauthorised by the accounting package{reason}", relink)
    return ConnectionUnlinked(connection, f"is {connection.status}; expected Linked", relink)


def usable_connection(company: Company, wanted: str | None) -> Connection:
    """Take the connection with id `wanted`, or the only usable one where none is named.

    Raises UnknownConnection, a ConnectionUnusable, NoUsableConnection or AmbiguousConnection.
    """
    if wanted is not None:
        connection = find_connection(company, wanted)
        fault = connection_fault(connection)
        if fault is not None:
            raise fault
        return connection
    usable = [connection for connection in company.connections if connection.is_usable]
    if not usable:
        raise NoUsableConnection(company)
    if len(usable) > 1:
        raise AmbiguousConnection(company, usable)
    return usable[0]


def find_connection(company: Company, wanted: str) -> Connection:
    """Find a connection by id, usable or not; raises UnknownConnection."""
    found = next((each for each in company.connections if each.id.casefold() == wanted.casefold()), None)
    if found is None:
        raise UnknownConnection(wanted, company)
    return found


async def find_company(client: CodatClient, wanted: str) -> Company:
    """Find the company with this id or name: the exact name first, else the only one whose name contains it.

    Raises UnknownCompany, AmbiguousCompany, and the client's errors.
    """
    if _UUID.fullmatch(wanted):
        try:
            return await client.company(CompanyId(wanted))
        except RecordNotFound:
            raise UnknownCompany(wanted, await client.companies()) from None
    # Names are compared here: Codat does not document how its query language escapes them (reference §3.3).
    return pick_company(await client.companies(), wanted)


def pick_company(companies: Sequence[Company], wanted: str | None) -> Company:
    """Choose by id or name among companies already listed; without a name, the only one.

    Raises NoCompanies, UnknownCompany, AmbiguousCompany.
    """
    if not companies:
        raise NoCompanies
    if wanted is None:
        matches: Sequence[Company] = companies
    else:
        folded = wanted.strip().casefold()
        exact = [each for each in companies if folded in {each.id.casefold(), each.name.strip().casefold()}]
        matches = exact or [each for each in companies if folded in each.name.casefold()]
    if not matches:
        raise UnknownCompany(wanted or "", companies)
    if len(matches) > 1:
        raise AmbiguousCompany(wanted, matches)
    return matches[0]


async def examine(client: CodatClient, company_id: CompanyId, connection_id: ConnectionId) -> Health:
    """Look at key, company, connection, base currency and quota: four reads.

    Raises UnknownConnection and the client's errors (KeyRefused, RecordNotFound, NotSent…).
    """
    client_name = await client.profile_name()
    company = await client.company(company_id)
    connection = find_connection(company, connection_id)
    try:
        info = wire.company_info(await client.company_info(company_id))
    except (DataNotReady, RecordNotFound, WireError):
        info = None
    quota = client.rate_limit
    return Health(
        client_name=client_name,
        company=company,
        connection=connection,
        fault=connection_fault(connection),
        info=info,
        quota_limit=quota.limit,
        quota_remaining=quota.remaining,
        quota_reset=quota.reset,
        proxy=client.proxy,
    )


def profile_name_for(company_name: str, taken: Iterable[str]) -> str:
    """Suggest a profile name: the company's in plain letters, numbered when it is taken."""
    base = re.sub(r"[^a-z0-9]+", "-", company_name.casefold()).strip("-")[:40].strip("-") or "company"
    used = set(taken)
    names = (base, *(f"{base}-{number}" for number in range(2, len(used) + 3)))
    return next(name for name in names if name not in used)


def _company_facts(company: Company) -> dict[str, Any]:
    return {"id": company.id, "name": company.name}
