"""A person's decision about a document that settling left in doubt: it is that record, or it is to be sent again."""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codat_ar_cli.codat.errors import RecordNotFound
from codat_ar_cli.codat.written import book_record
from codat_ar_cli.domain.ids import RecordId
from codat_ar_cli.domain.lifecycle import Cause, Event, State
from codat_ar_cli.domain.pushes import Facts
from codat_ar_cli.domain.settling import Settled, SettleReport
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.flows.settle import key_lives

if TYPE_CHECKING:
    from codat_ar_cli.codat.client import CodatClient
    from codat_ar_cli.ledger.store import Ledger


class NotInDoubt(CodatArError):
    """No document in doubt has this id."""

    code = "settle.not-in-doubt"

    def __init__(self, ref: str, report: SettleReport) -> None:
        known = [one.push.identity.source_id for one in report.settled if one.push.state is State.IN_DOUBT]
        super().__init__(
            f"no document in doubt is called `{ref}`; in doubt: {', '.join(known) or 'none'}",
            hint="give an invoice number, a payment id or a push id, as `codat-ar settle` lists them",
            details={"ref": ref, "in_doubt": known},
        )


class SeveralInDoubt(CodatArError):
    """Several documents in doubt have this id: an invoice and a payment, or the same number of two sources."""

    code = "settle.several"

    def __init__(self, ref: str, found: list[Settled]) -> None:
        ids = [one.push.id for one in found]
        super().__init__(
            f"{len(found)} documents in doubt are called `{ref}`",
            hint=f"give one push id: {', '.join(ids)}",
            details={"ref": ref, "pushes": ids},
        )


class KeyStillLives(CodatArError):
    """The request may still arrive under its first key, so that a second key could make a duplicate."""

    code = "settle.key-lives"
    exit_code = ExitCode.IN_DOUBT

    def __init__(self, label: str) -> None:
        super().__init__(
            f"{label} was sent less than 80 minutes ago and its answer was lost: it can't be sent under a new key yet",
            hint="run `codat-ar settle` again: it asks under the same key, which is safe",
            details={"document": label},
        )


class WrongRecord(CodatArError):
    """The record named for a document can't be it."""

    code = "settle.wrong-record"

    def __init__(self, label: str, record: RecordId, why: str) -> None:
        super().__init__(
            f"record {record} can't be {label}: {why}",
            hint="give the record id as Codat shows it; `codat-ar settle` lists the candidates",
            details={"document": label, "record_id": record},
        )


def find(report: SettleReport, ref: str) -> Settled:
    """Find a document by its id in the file, its label or its push id: one in doubt, else one that no longer is.

    Raises NotInDoubt, SeveralInDoubt.
    """
    named = [one for one in report.settled if ref in {one.push.id, one.push.identity.source_id, one.push.label}]
    found = [one for one in named if one.push.state is State.IN_DOUBT] or named
    if not found:
        raise NotInDoubt(ref, report)
    if len(found) > 1:
        raise SeveralInDoubt(ref, found)
    return found[0]


def check_resend(ledger: "Ledger", one: Settled, now: dt.datetime) -> None:
    """Refuse where only the same key is safe. Raises KeyStillLives."""
    if one.push.cause_code == Cause.ANSWER_LOST and key_lives(ledger, one.push, now):
        raise KeyStillLives(one.push.label)


def resend(ledger: "Ledger", one: Settled) -> Settled:
    """Plan a document for a new attempt, on a person's word; the next push sends it."""
    facts = Facts(cause_text=_SENT_AGAIN, evidence=_by_a_person(one))
    ledger.move(one.push.id, Event.SETTLE_ABSENT, facts)
    return replace(one, push=ledger.push(one.push.id), reason=_SENT_AGAIN)


async def check_adopt(client: "CodatClient", ledger: "Ledger", one: Settled, record: RecordId) -> None:
    """Refuse a record that is not there, was deleted, or is another document's. Raises WrongRecord."""
    identity, label = one.push.identity, one.push.label
    try:
        raw = await client.record(identity.company, identity.connection, identity.data_type, record)
    except RecordNotFound:
        raise WrongRecord(label, record, "Codat's copy of the books has no such record") from None
    if book_record(raw).is_deleted:
        raise WrongRecord(label, record, "it was deleted in the books")
    owners = ledger.record_owners(
        api_host=identity.api_host,
        company=identity.company,
        connection=identity.connection,
        data_type=identity.data_type,
        records=[record],
    )
    if owner := owners.get(record):
        raise WrongRecord(label, record, f"it is `{owner}`, which was pushed as well")


def adopt(ledger: "Ledger", one: Settled, record: RecordId) -> Settled:
    """Take a record as the document's, on a person's word."""
    ledger.move(one.push.id, Event.SETTLE_FOUND, Facts(record_id=record, evidence=_by_a_person(one)))
    return replace(one, push=ledger.push(one.push.id), reason="a person says that it is this record")


def _by_a_person(one: Settled) -> dict[str, Any]:
    return {**one.evidence, "by": "person", "why_in_doubt": one.reason}


_SENT_AGAIN = "a person says that it is not in the books; the next push sends it again"
