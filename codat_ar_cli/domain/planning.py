"""What planning invoices and payments has in common: known documents, file-wide holds, what a profile accepts."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from codat_ar_cli.domain import jsontext
from codat_ar_cli.domain.allocating import Claims
from codat_ar_cli.domain.body import Body
from codat_ar_cli.domain.documents import Draft, InvoiceDraft, PaymentDraft
from codat_ar_cli.domain.findings import Finding, Place, Severity
from codat_ar_cli.domain.lifecycle import State
from codat_ar_cli.domain.mapping import Mapping as SlotMappings
from codat_ar_cli.domain.options import Option, Preflight
from codat_ar_cli.domain.parties import CustomerFinder
from codat_ar_cli.domain.planned import Disposition, KnownPush, Plan, PlannedDocument
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.resolving import Resolver
from codat_ar_cli.domain.slots import fold
from codat_ar_cli.domain.types import (
    CompanyId,
    ConnectionId,
    Currency,
    Customer,
    DataType,
    Identity,
    ReferenceData,
)

if TYPE_CHECKING:
    from codat_ar_cli.domain.drafting import Drafted


@dataclass(frozen=True, slots=True)
class PlanContext:
    """All that planning knows besides the file itself."""

    api_host: str
    company: CompanyId
    connection: ConnectionId
    source_system: str
    platform: PlatformRules
    mapping: SlotMappings
    reference: ReferenceData
    options: Option
    """The live push options of the data type being planned."""
    known: Mapping[str, KnownPush]
    """What the ledger knows, by source id."""
    today: dt.date
    rates: Mapping[Currency, Decimal] = field(default_factory=dict)
    """Base units per unit of a currency, from the profile; a row's own rate wins."""
    partial: bool = False
    """Send the good documents even though others have errors."""
    claims: Claims = field(default_factory=dict)
    """What payments that are under way, of this file or another, take of which invoice."""
    overpayment_on_account: bool = False
    """Book what is paid too much as a payment on account, where the platform has it."""

    @property
    def base(self) -> Currency | None:
        """The company's base currency; None where it isn't known."""
        info = self.reference.company_info
        return None if info is None else info.base_currency


UNTOUCHED = frozenset({State.PLANNED, State.HELD, State.REJECTED})
"""States in which nothing of a document is, or may be, in the books: it can be planned again with other content."""


_STOPPING = frozenset({Severity.ERROR, Severity.HOLD})
_NO_BODY = "payment.on-account-not-offered"


class Sheet:
    """One document on its way through the plan: it gathers findings, and what was accepted."""

    def __init__(self, draft: Draft, accepted: AbstractSet[str]) -> None:
        self.draft = draft
        self._findings: dict[Finding, None] = {}
        self.accepted_here: set[str] = set()
        self.remarks: list[Problem] = []
        """Facts worth one note for the whole file, with a count of its documents; they stop nothing."""
        self._accepted = accepted

    def add(self, problem: Problem, place: Place | None = None) -> None:
        """Note a problem at a place (else at the document's first row), unless the profile accepts it."""
        if problem.acceptable is not None and problem.acceptable in self._accepted:
            self.accepted_here.add(problem.acceptable)
            return
        self._findings[problem.at(place or self.draft.place, self.draft.source_id)] = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything found so far, each once, in the order of finding."""
        return tuple(self._findings)

    @property
    def is_held(self) -> bool:
        """Whether something found so far keeps it from being sent."""
        return any(finding.severity in _STOPPING for finding in self._findings)

    @property
    def lacks_ids(self) -> bool:
        """Whether a body can't be written yet: checking one would repeat the same trouble in the platform's words."""
        return any(finding.severity is Severity.ERROR or finding.code == _NO_BODY for finding in self._findings)


@dataclass(frozen=True, slots=True)
class Written:
    """One document with its ids and amounts found."""

    body: str | None
    """As it would be sent; None where it can't be written."""
    total: Decimal
    """Invoices: tax included. Payments: money that moved."""
    customer: str
    """The customer's name in the books, else in the file."""


D = TypeVar("D", InvoiceDraft, PaymentDraft)


class Desk:
    """Everything indexed once for all documents of one plan."""

    def __init__(self, context: PlanContext, data_type: DataType) -> None:
        self.context = context
        self.data_type = data_type
        self.resolver = Resolver(context.mapping, context.reference, context.platform)
        self.customers = CustomerFinder(context.reference)
        self.accepted: Counter[str] = Counter()
        self.remarks: Counter[Problem] = Counter()
        platform = context.platform
        self._preflight = Preflight(
            context.options,
            enforce_required=platform.enforces_required,
            also_offered=platform.paths(platform.also_offered, data_type),
            not_required=platform.paths(platform.not_required, data_type),
        )

    def plan(
        self,
        draft: D,
        *,
        label: str,
        prepare: Callable[[D, Sheet], "Written"],
        total: Callable[[D], Decimal],
    ) -> PlannedDocument:
        """Decide on one document. `prepare` writes it; `total` is as the file alone has it, for what is not planned."""
        sheet, content_hash = Sheet(draft, self.context.mapping.accepted), draft.content_hash()
        fate = self._known(draft, content_hash, sheet)
        if fate is None:
            written = prepare(draft, sheet)
            fate = Disposition.HELD if sheet.is_held else Disposition.SEND
            self.accepted.update(sheet.accepted_here)
            self.remarks.update(sheet.remarks)
        else:
            written = Written(None, total(draft), draft.customer.name)
        return PlannedDocument(
            identity=self.identity(draft),
            disposition=fate,
            content_hash=content_hash,
            places=draft.rows,
            customer=written.customer,
            date=draft.date if isinstance(draft, PaymentDraft) else draft.issue_date,
            currency=draft.currency,
            total=written.total,
            label=label,
            body=written.body if fate is Disposition.SEND else None,
            findings=sheet.findings,
            known=self.context.known.get(draft.source_id),
        )

    def _known(self, draft: Draft, content_hash: str, sheet: Sheet) -> Disposition | None:
        """Tell what the ledger's knowledge makes of it: done, under way, held as changed; None: plan it."""
        known = self.context.known.get(draft.source_id)
        if known is None or known.state in UNTOUCHED:
            return None
        if known.content_hash != content_hash:
            sheet.add(_changed(draft.source_id, known))
            return Disposition.HELD
        return Disposition.DONE if known.state is State.SUCCEEDED else Disposition.UNDER_WAY

    def customer(self, draft: Draft, sheet: Sheet) -> Customer | None:
        """Find who the document is for; None where that is a finding."""
        found = self.customers.find(draft.customer)
        if isinstance(found, Problem):
            sheet.add(found, replace(draft.place, column="customer_id" if draft.customer.id else "customer"))
            return None
        if fold(draft.customer.name) != fold(found.name):
            by, column = f"customer id {found.id}", "customer_id"
            if not draft.customer.id:
                by, column = f"e-mail address {draft.customer.email}", "customer_email"
            message = f"{by} is `{found.name}` in the books, the file says `{draft.customer.name}`"
            problem = Problem("customer.other-name", message, severity=Severity.WARNING)
            sheet.add(problem, replace(draft.place, column=column))
        if self.context.platform.currency_of_customer and found.currency not in {None, draft.currency}:
            name = self.context.platform.name
            message = f"{name} takes only the customer's own currency, {found.currency}; this is in {draft.currency}"
            sheet.add(Problem("currency.customer", message), replace(draft.place, column="currency"))
        return found

    def rate(self, draft: Draft, sheet: Sheet) -> Decimal | None:
        """Give base units per unit of the document's currency: the row's own, else the profile's; None: not known."""
        base = self.context.base
        if draft.currency_rate is not None and draft.currency == base and draft.currency_rate != 1:
            message = f"rate {draft.currency_rate:f} is stated for {base}, the base currency, whose rate is 1"
            problem = Problem("currency.base-rate", message, severity=Severity.ERROR)
            sheet.add(problem, replace(draft.place, column="currency_rate"))
        return draft.currency_rate or self.context.rates.get(draft.currency)

    def check_lock(self, day: dt.date, column: str, draft: Draft, sheet: Sheet) -> None:
        """Hold what is dated in a closed period."""
        info = self.context.reference.company_info
        lock = None if info is None else info.ledger_lock_date
        if lock is not None and day <= lock:
            message = f"dated {day}, but the books are locked up to {lock}"
            hint = "unlock the period in the accounting package and fetch again, or date it later"
            sheet.add(Problem("books.locked", message, hint), replace(draft.place, column=column))

    def close(self, body: Body, sheet: Sheet) -> str:
        """Check a finished body against the live options; give its text as it will be sent."""
        for problem in body.problems:
            sheet.add(problem, _place_of(sheet.draft, problem))
        for problem in self._preflight.problems(body.value):
            sheet.add(replace(problem, hint=problem.hint or _FIX), _place_of(sheet.draft, problem))
        return jsontext.dumps(body.value, sort_keys=True)

    def renamed(self) -> Iterable[Finding]:
        """Point out mapped records that were used and have another name by now."""
        return (problem.at(Place("mapping"), None) for problem in self.resolver.renamed_in_use())

    def identity(self, draft: Draft) -> Identity:
        """Give what makes this the same document for ever (design D9)."""
        context = self.context
        return Identity(
            api_host=context.api_host,
            company=context.company,
            connection=context.connection,
            data_type=self.data_type,
            source_system=context.source_system,
            source_id=draft.source_id,
        )


_FIX = "correct the row or the mapping; `codat-ar map show` shows what is sent where"


def _changed(source_id: str, known: KnownPush) -> Problem:
    where = f"pushed in run {known.run_id}" + (f" as {known.record_id}" if known.record_id else "")
    return Problem(
        "ledger.changed",
        f"`{source_id}` was {where} with other content; it is not sent again",
        hint=f"compare with `codat-ar runs show {known.run_id}`; give a new id if it is another document",
    )


_COLUMNS = {
    "invoiceNumber": "invoice_number",
    "issueDate": "issue_date",
    "dueDate": "due_date",
    "date": "date",
    "currency": "currency",
    "currencyRate": "currency_rate",
    "note": "note",
    "reference": "reference",
    "method": "method",
    "description": "line_description",
    "quantity": "quantity",
    "unitAmount": "unit_price",
    "taxAmount": "tax_amount",
}


def _place_of(draft: Draft, problem: Problem) -> Place:
    """Find the row and the column of the file that a path in a body comes from."""
    path = problem.path or ""
    place, name = draft.place, path.rsplit(".", 1)[-1]
    lines = getattr(draft, "lines", ())
    if path.startswith("lineItems[") and lines:
        place = lines[int(path[len("lineItems[") : path.index("]")])].place
    return replace(place, column=_COLUMNS.get(name))


def finish(
    documents: Sequence[PlannedDocument],
    drafted: "Drafted[InvoiceDraft] | Drafted[PaymentDraft]",
    desk: Desk,
    notes: Iterable[Finding] = (),
) -> Plan:
    """Join documents and findings; an error anywhere holds the whole file, unless a partial run was asked for."""
    of_file, per_document = _sorted_out(drafted.findings, {each.identity.source_id for each in documents})
    joined = [_with_findings(each, per_document.get(each.identity.source_id, ())) for each in documents]
    findings = (*of_file, *notes, *desk.renamed(), *_accepted_notes(desk.accepted), *_remarks(desk.remarks))
    plan = Plan(tuple(joined), findings, drafted.totals)
    errors = sum(finding.severity is Severity.ERROR for finding in plan.all_findings) or len(drafted.broken)
    if errors == 0 or desk.context.partial:
        return plan
    return replace(plan, documents=tuple(_held_with_file(each, errors) for each in joined))


def _sorted_out(
    findings: Iterable[Finding], source_ids: AbstractSet[str]
) -> tuple[list[Finding], dict[str, list[Finding]]]:
    of_file: list[Finding] = []
    per_document: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.document is not None and finding.document in source_ids:
            per_document.setdefault(finding.document, []).append(finding)
        else:
            of_file.append(finding)
    return of_file, per_document


def _with_findings(document: PlannedDocument, findings: Sequence[Finding]) -> PlannedDocument:
    if not findings:
        return document
    joined = replace(document, findings=(*findings, *document.findings))
    if document.disposition is Disposition.SEND and joined.holds:
        return replace(joined, disposition=Disposition.HELD, body=None)
    return joined


def _held_with_file(document: PlannedDocument, errors: int) -> PlannedDocument:
    if document.disposition is not Disposition.SEND:
        return document
    how_many = "an error" if errors == 1 else f"{errors} errors"
    shared = Finding(
        code="plan.file-has-errors",
        severity=Severity.HOLD,
        message=f"the file has {how_many}; nothing of it is sent",
        hint="correct them and run again, or send the good documents alone with --partial",
    )
    return replace(document, disposition=Disposition.HELD, body=None, findings=(*document.findings, shared))


def _accepted_notes(accepted: Counter[str]) -> Iterable[Finding]:
    for name, count in sorted(accepted.items()):
        message = f"accepted in this profile: `{name}` does not reach the books as such ({_documents(count)})"
        yield Finding("platform.accepted", Severity.NOTE, message)


def _remarks(remarks: Counter[Problem]) -> Iterable[Finding]:
    for problem, count in remarks.items():
        yield Finding(problem.code, Severity.NOTE, f"{problem.message} ({_documents(count)})", hint=problem.hint)


def _documents(count: int) -> str:
    return "1 document" if count == 1 else f"{count} documents"
