"""Which customer of the books is meant: by id, by exact name, by unique e-mail address; never by likeness."""

import difflib

from codat_ar_cli.domain.documents import PartyDraft
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.slots import fold
from codat_ar_cli.domain.types import Customer, DataType, RecordId, ReferenceData

MOST_SUGGESTIONS = 50
"""Unknown customers of one file that are told the nearest names; one wrong column makes thousands."""


class CustomerFinder:
    """Find customers for many documents: indexed once, each distinct party looked up once."""

    def __init__(self, reference: ReferenceData) -> None:
        self._fetched = DataType.CUSTOMERS in reference.fetched or bool(reference.customers)
        self._by_id = {customer.id: customer for customer in reference.customers}
        self._by_name: dict[str, list[Customer]] = {}
        self._by_email: dict[str, list[Customer]] = {}
        for customer in reference.customers:
            self._by_name.setdefault(fold(customer.name), []).append(customer)
            if customer.email:
                self._by_email.setdefault(fold(customer.email), []).append(customer)
        self._suggested = 0
        self._found: dict[PartyDraft, Customer | Problem] = {}

    def find(self, party: PartyDraft) -> Customer | Problem:
        """Give the customer, or say who is unknown, ambiguous, archived or deleted, with the nearest names."""
        if party not in self._found:
            self._found[party] = self._find(party)
        return self._found[party]

    def _find(self, party: PartyDraft) -> Customer | Problem:
        if not self._fetched:
            message = "customers were never fetched"
            return Problem("customer.not-fetched", message, "codat-ar fetch", Severity.ERROR)
        if party.id:
            by_id = self._by_id.get(RecordId(party.id))
            found = [] if by_id is None else [by_id]
        else:
            found = self._by_name.get(fold(party.name), [])
            if not found and party.email:
                found = self._by_email.get(fold(party.email), [])
        alive = [customer for customer in found if customer.is_alive]
        if len(alive) > 1 and party.email:
            same_email = [each for each in alive if each.email and fold(each.email) == fold(party.email)]
            alive = same_email if len(same_email) == 1 else alive
        if len(alive) == 1:
            return alive[0]
        if alive:
            return _ambiguous(party, alive)
        return _not_usable(party, found[0]) if found else self._unknown(party)

    def _unknown(self, party: PartyDraft) -> Problem:
        said = f"id `{party.id}`" if party.id else f"`{party.name}`"
        near = self._near(fold(party.name))
        names = ", ".join(f"`{self._by_name[name][0].name}`" for name in near)
        fetch = "create it in the books, then `codat-ar fetch customers --refresh`"
        return Problem(
            "customer.unknown",
            f"customer {said} is not in the books",
            hint=f"did you mean {names}? Else {fetch}" if names else fetch,
            severity=Severity.ERROR,
        )

    def _near(self, name: str) -> list[str]:
        """Give the most similar names; none after many, since each comparison with all customers takes its time."""
        self._suggested += 1
        if self._suggested > MOST_SUGGESTIONS:
            return []
        return difflib.get_close_matches(name, self._by_name, n=3, cutoff=0.7)


def _ambiguous(party: PartyDraft, alive: list[Customer]) -> Problem:
    ids = ", ".join(f"{customer.name} ({customer.id})" for customer in alive[:5])
    return Problem(
        "customer.ambiguous",
        f"customer `{party.name}` fits {len(alive)} customers of the books: {ids}",
        hint="give the right id in a column `customer_id`",
        severity=Severity.ERROR,
    )


def _not_usable(party: PartyDraft, customer: Customer) -> Problem:
    how = "deleted" if customer.is_deleted else customer.status.lower()
    return Problem(
        f"customer.{how}",
        f"customer `{party.name}` ({customer.id}) is {how} in the books",
        hint="restore it there and fetch customers again, or correct the row",
        severity=Severity.ERROR,
    )
