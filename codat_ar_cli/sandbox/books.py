"""The books of one company: an accounting package that takes writes, and Codat's copy of it that reads show.

A write changes the package at once and the copy only at the next `sync` of that data type (reference §0.1). How rows
are stored is the caller's: `entries` and `take_dirty` give them, `from_entries` takes them back.
"""

import base64
import uuid
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from codat_ar_cli.sandbox import documents, lists, movements, payments
from codat_ar_cli.sandbox.aged import aged_debtors
from codat_ar_cli.sandbox.amounts import wire_instant
from codat_ar_cli.sandbox.booksdata import Entry, Item, Record, Refused, Rejection, State, Written
from codat_ar_cli.sandbox.cachecopy import Copier
from codat_ar_cli.sandbox.package import Draft, Package
from codat_ar_cli.sandbox.platforms import PLATFORMS
from codat_ar_cli.sandbox.platforms.platform import Platform, document_name
from codat_ar_cli.sandbox.posting import apply_links, post
from codat_ar_cli.sandbox.validation import examine, misfits

__all__ = ["Books", "Entry", "Refused", "Written"]

_UPDATED = {
    "customers": lists.write_contact,
    "suppliers": lists.write_contact,
    "invoices": documents.write_document,
    "creditNotes": documents.write_document,
    "bankAccounts": lists.write_bank_account,
}
_CREATED = {
    "payments": payments.write_payment,
    "items": lists.write_item,
    "chartOfAccounts": lists.write_account,
    "transfers": movements.write_transfer,
    "journalEntries": movements.write_journal,
}
_SETTLED = ("PartiallyPaid", "Paid")
"""Statuses that follow from payments; a client that sends back what it read sends them."""
_WORKED_OUT = frozenset({"subTotal", "totalTaxAmount", "totalAmount", "taxAmount", "totalDiscount"})


class Books:
    """One company's accounting package and Codat's copy of it.

    Data types are Codat's keys (reference §3.1): `chartOfAccounts`, `invoices`, … Records are dicts in wire form with
    Decimal numbers; what `cached` and `live` give is shared and must not be changed.

    Persistence: every row is an `Entry(section, key, value)` with a JSON-able value (numbers Decimal or int; None: the
    row is gone). Sections are `head`, `live.<type>`, `cache.<type>`, `balance`, `attachment`. `entries()` gives all
    rows, `take_dirty()` those changed since the last call, `Books.from_entries(rows)` the books again.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._package = Package(state, PLATFORMS[state.head["platform"]])
        self._copier = Copier(self._package)

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def platform(self) -> Platform:
        """Give the accounting platform the company uses."""
        return self._package.platform

    @property
    def company(self) -> dict[str, Any]:
        """Give the company in wire form; after a change call `touch_head`."""
        company: dict[str, Any] = self._state.head["company"]
        return company

    @company.setter
    def company(self, company: dict[str, Any]) -> None:
        self._state.head["company"] = company
        self._state.touch_head()

    @property
    def connection(self) -> dict[str, Any]:
        """Give the accounting connection in wire form; after a change call `touch_head`."""
        connection: dict[str, Any] = self._state.head["connection"]
        return connection

    @connection.setter
    def connection(self, connection: dict[str, Any]) -> None:
        self._state.head["connection"] = connection
        self._state.touch_head()

    @property
    def synced_at(self) -> dict[str, datetime]:
        """Give when each data type was last synced; types never synced are absent."""
        return {name: datetime.fromisoformat(text) for name, text in self._state.head["synced"].items()}

    @property
    def package(self) -> Package:
        """Give the accounting package itself, for seeding."""
        return self._package

    def touch_head(self) -> None:
        """Note that company or connection changed, so that it is stored."""
        self._state.touch_head()

    # -- reading -------------------------------------------------------------------------------------------------------

    def cached(self, data_type: str) -> list[Record] | None:
        """Give Codat's copy of a data type as of its last sync; None where it was never synced."""
        if data_type == "company":
            info = self.info()
            return None if info is None else [info]
        return list(self._state.cache[data_type].values()) if data_type in self._state.head["synced"] else None

    def cached_record(self, data_type: str, record_id: str) -> Record | None:
        """Give Codat's copy of one record."""
        return self._state.cache[data_type].get(record_id)

    def live(self, data_type: str) -> list[Record]:
        """Give what the package holds now, without names in references and without derived amounts."""
        return list(self._state.live[data_type].values())

    def live_record(self, data_type: str, record_id: str) -> Record | None:
        """Give one record as the package holds it now."""
        return self._state.live[data_type].get(record_id)

    def info(self) -> dict[str, Any] | None:
        """Give the company information as of its last sync."""
        info: dict[str, Any] | None = self._state.head.get("cachedInfo")
        return info

    def tracking_tree(self, record_id: str) -> Record | None:
        """Give a tracking category with everything below it, as its single GET does (reference §6.3)."""
        copies = self._state.cache["trackingCategories"]
        record = copies.get(record_id)
        if record is None:
            return None
        below = [self.tracking_tree(one) for one, child in copies.items() if child.get("parentId") == record_id]
        return {**record, "subCategories": below}

    def sync(self, data_type: str, now: datetime) -> list[dict[str, str]]:
        """Copy the package's state of a data type into the cache.

        Returns validation warnings, `{ruleId, itemId, message, validatorName}`. A data type the platform does not have
        stays unsynced.
        """
        if data_type in self.platform.unreadable:
            return []
        self._state.head["synced"][data_type] = wire_instant(now)
        self._state.touch_head()
        if data_type == "company":
            self._state.head["cachedInfo"] = dict(self._state.head["info"])
            return []
        return self._copier.sync(data_type, now)

    def aged_debtors(self, report_date: date, periods: int, length: int, now: datetime | None = None) -> dict[str, Any]:
        """Give the aged debtors report of Codat's copy (reference §15)."""
        moment = now or max(self.synced_at.values())
        return aged_debtors(self._state.cache, report_date=report_date, periods=periods, length=length, now=moment)

    # -- writing -------------------------------------------------------------------------------------------------------

    def precheck(self, data_type: str, body: Any) -> Refused | None:
        """Refuse at once what does not fit Codat's model: wrong JSON types, unknown enum values (reference §9.4)."""
        if data_type not in self.platform.trees:
            return self._refused(_unsupported(self.platform, data_type, "created"))
        found = misfits(data_type, body)
        return Refused(400, "The request body is not valid.", [item.wire() for item in found]) if found else None

    def create(self, data_type: str, body: Record, now: datetime) -> Written | Refused:
        """Create a record as the platform would, or say why it would not; nothing is half done."""
        if data_type not in self.platform.trees:
            return self._refused(_unsupported(self.platform, data_type, "created"))
        return self._write(data_type, body, now, earlier=None)

    def update(self, data_type: str, record_id: str, body: Record, now: datetime, *, force: bool) -> Written | Refused:
        """Change a record: top-level fields sent replace those it has.

        force: skip the check that the record is still as Codat's copy knows it (reference §9.2).
        """
        if data_type not in self.platform.updates:
            return self._refused(_unsupported(self.platform, data_type, "updated"))
        earlier = self._state.live[data_type].get(record_id)
        if earlier is None:
            return self._refused(_missing(data_type, record_id))
        copy = self._state.cache[data_type].get(record_id)
        if not force and (copy is None or copy["sourceModifiedDate"] != earlier["sourceModifiedDate"]):
            message = "The record was changed on the platform since it was last synced: sync it again, or force it."
            return self._refused(Item("SourceModifiedDate", message, document_name(data_type)))
        if earlier.get("status") == "Void":
            return self._refused(Item("Status", "A void document cannot be changed.", document_name(data_type)))
        return self._write(data_type, body, now, earlier=earlier)

    def _write(self, data_type: str, sent: Record, now: datetime, *, earlier: Record | None) -> Written | Refused:
        body = sent if earlier is None else self._merged(data_type, sent, earlier)
        examined = examine(
            data_type, body, self.platform.trees[data_type], rules=self.platform.rules, find=self._package.find
        )
        draft = Draft(data_type, examined.body, sent, now, examined.warnings, examined.errors)
        try:
            draft.settle()
            written_type, record = self._made(data_type, draft, earlier)
        except Rejection as rejection:
            return self._refused(*rejection.items, warnings=draft.warnings)
        change = "Created" if earlier is None else "Modified"
        return Written(
            [{"type": change, "recordRef": {"id": record["id"], "dataType": written_type}}],
            [item.wire() for item in draft.warnings],
        )

    def _merged(self, data_type: str, sent: Record, earlier: Record) -> Record:
        """Lay what was sent over what the platform can take of the record; totals are always worked out again."""
        taken = set(self.platform.trees[data_type].fields or ()) | self.platform.rules.honoured.get(data_type, set())
        kept = {name: value for name, value in earlier.items() if name in taken - _WORKED_OUT}
        merged = {**kept, **{name: value for name, value in sent.items() if value is not None}}
        if merged.get("status") in _SETTLED:
            merged["status"] = "Submitted"
        return merged

    def _made(self, data_type: str, draft: Draft, earlier: Record | None) -> tuple[str, Record]:
        if data_type in ("directCosts", "directIncomes"):
            return movements.write_direct(self._package, draft)
        if data_type in _UPDATED:
            return data_type, _UPDATED[data_type](self._package, draft, earlier)
        return data_type, _CREATED[data_type](self._package, draft)

    def delete(self, data_type: str, record_id: str, now: datetime) -> Written | Refused:
        """Delete a record; payments of a deleted invoice become money on account (reference §9.2)."""
        if data_type not in self.platform.deletes:
            return self._refused(_unsupported(self.platform, data_type, "deleted"))
        record = self._state.live[data_type].get(record_id)
        if record is None:
            return self._refused(_missing(data_type, record_id))
        if data_type == "invoices":
            self._free_payments(record, now)
        post(self._package, data_type, record, -1)
        self._state.drop(data_type, record_id)
        return Written([{"type": "Deleted", "recordRef": {"id": record_id, "dataType": data_type}}])

    def _free_payments(self, invoice: Record, now: datetime) -> None:
        for payment_id in list(self._state.payers.get(("invoices", invoice["id"]), ())):
            payment = self._state.live["payments"][payment_id]
            post(self._package, "payments", payment, -1)
            apply_links(self._package, payment, -1)
            lines = [
                {**line, "links": [_freed(link, invoice, payment) for link in line["links"]]}
                for line in payment["lines"]
            ]
            freed = {**payment, "lines": lines, "sourceModifiedDate": self._package.stamp(now)}
            self._state.put("payments", freed)
            post(self._package, "payments", freed)
            apply_links(self._package, freed)

    def _refused(self, *items: Item, warnings: Iterable[Item] = ()) -> Refused:
        number = self._package.next_number("refusals")
        correlation = uuid.uuid5(uuid.UUID(self.company["id"]), f"refusal {number}").hex
        return Refused(
            400,
            f"An error occurred in a downstream service. Correlation ID: {correlation} see validation",
            [item.wire() for item in items],
            [item.wire() for item in warnings],
        )

    # -- attachments ---------------------------------------------------------------------------------------------------

    def attach(
        self, data_type: str, record_id: str, name: str, content_type: str, data: bytes, now: datetime
    ) -> Written | Refused:
        """Store a file with a record; sizes and types as the platform takes them (reference §9.5)."""
        if data_type not in self.platform.uploads:
            return self._refused(_unsupported(self.platform, data_type, "given attachments"))
        if record_id not in self._state.live[data_type]:
            return self._refused(_missing(data_type, record_id))
        problem = _file_problem(self.platform, name, content_type, len(data))
        if problem:
            return self._refused(Item("File", problem, document_name(data_type)))
        attachment_id = self._package.next_id("attachments")
        shown = {
            "id": attachment_id,
            "name": name,
            "contentType": content_type,
            "dateCreated": wire_instant(now),
            "fileSize": len(data),
            "includeWhenSent": False,
            "modifiedDate": wire_instant(now),
            "sourceModifiedDate": self._package.stamp(now),
        }
        stored = {
            "dataType": data_type,
            "recordId": record_id,
            "shown": shown,
            "data": base64.b64encode(data).decode("ascii"),
        }
        self._state.attach(attachment_id, stored)
        change = {
            "type": "AttachmentUploaded",
            "recordRef": {"id": record_id, "dataType": data_type},
            "attachmentId": attachment_id,
        }
        return Written([change])

    def attachments(self, data_type: str, record_id: str) -> list[dict[str, Any]]:
        """Give the attachments of a record; they need no sync (reference §9.5)."""
        return [
            stored["shown"]
            for stored in self._state.attachments.values()
            if (stored["dataType"], stored["recordId"]) == (data_type, record_id)
        ]

    def attachment_bytes(
        self, data_type: str, record_id: str, attachment_id: str
    ) -> tuple[dict[str, Any], bytes] | None:
        """Give one attachment and its content."""
        stored = self._state.attachments.get(attachment_id)
        if stored is None or (stored["dataType"], stored["recordId"]) != (data_type, record_id):
            return None
        return stored["shown"], base64.b64decode(stored["data"])

    # -- persistence ---------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """Give every row of the books."""
        return self._state.entries()

    def take_dirty(self) -> list[Entry]:
        """Give the rows changed since the last call."""
        return self._state.take_dirty()

    @classmethod
    def from_entries(cls, entries: Iterable[tuple[str, str, Any]]) -> "Books":
        """Rebuild books from their rows, in any order."""
        state = State()
        state.restore(entries)
        books = cls(state)
        for payment in state.live["payments"].values():
            apply_links(books.package, payment)
        return books

    def dump(self) -> dict[str, Any]:
        """Give the whole books as one JSON-able value."""
        return {"entries": [list(entry) for entry in self.entries()]}

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Books":
        """Rebuild books from what `dump` gave."""
        return cls.from_entries((section, key, value) for section, key, value in data["entries"])


def _freed(link: Record, invoice: Record, payment: Record) -> Record:
    if (link["type"], link["id"]) != ("Invoice", invoice["id"]):
        return link
    amount = link["amount"] * link["currencyRate"]
    return {"type": "PaymentOnAccount", "id": payment["customerRef"]["id"], "amount": amount, "currencyRate": 1}


def _file_problem(platform: Platform, name: str, content_type: str, size: int) -> str | None:
    rules, suffix = platform.rules, name.rpartition(".")[2].casefold()
    if size > rules.attachment_limit:
        return f"The file has {size} bytes; {platform.name} takes {rules.attachment_limit} at most."
    if rules.attachment_suffixes and suffix not in rules.attachment_suffixes:
        return f"{platform.name} takes no files of type `{suffix}`."
    if rules.refuses_octet_stream and content_type == "application/octet-stream":
        return "The file needs its real content type, not application/octet-stream."
    return None


def _unsupported(platform: Platform, data_type: str, verb: str) -> Item:
    return Item("", f"{document_name(data_type)} records cannot be {verb} on {platform.name}.", "Platform")


def _missing(data_type: str, record_id: str) -> Item:
    return Item("Id", f"There is no {document_name(data_type).lower()} `{record_id}`.", document_name(data_type))
