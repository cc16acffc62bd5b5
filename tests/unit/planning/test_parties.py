"""Which customer is meant: never by likeness."""

from dataclasses import replace

import pytest

from codat_ar_cli.domain.documents import PartyDraft
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.parties import CustomerFinder
from codat_ar_cli.domain.plan import Disposition, plan_invoices
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.types import DataType, RecordId


@pytest.fixture
def find(books):
    return CustomerFinder(books).find


def test_the_id_wins_over_the_name(find):
    assert find(PartyDraft("Birchwood Builders", id="cus-1")).id == "cus-1"


def test_an_id_of_another_name_is_a_warning_that_stops_nothing(context, drafted, invoice):
    draft = invoice(customer=PartyDraft("Birchwood Builders", id="cus-1"))
    (document,) = plan_invoices(drafted(draft), context("gbol", DataType.INVOICES)).documents
    assert document.disposition is Disposition.SEND
    assert [(each.code, each.severity) for each in document.findings] == [("customer.other-name", Severity.WARNING)]


def test_a_customer_found_by_email_under_another_name_is_said(context, drafted, invoice):
    draft = invoice(customer=PartyDraft("Birchwood Builders Holding", email="ap@acorn.example"))
    (document,) = plan_invoices(drafted(draft), context("gbol", DataType.INVOICES)).documents
    (finding,) = document.findings
    assert (finding.code, finding.severity) == ("customer.other-name", Severity.WARNING)
    assert "e-mail address ap@acorn.example is `Acorn Bakery Ltd`" in finding.message


def test_a_thousand_unknown_customers_are_not_each_compared_with_all(find):
    hints = [find(PartyDraft(f"Acorn Bakery Ltt {number}")).hint for number in range(200)]
    assert "did you mean" in hints[0]
    assert "did you mean" not in hints[-1]


def test_a_known_name_wins_over_the_email_of_another(find):
    assert find(PartyDraft("Acorn Bakery Ltd", email="accounts@birchwood.example")).id == "cus-1"


def test_the_email_decides_between_two_of_one_name(find):
    assert find(PartyDraft("Twin", email="TWO@twin.example")).id == "cus-6"
    problem = find(PartyDraft("Twin", email="three@twin.example"))
    assert isinstance(problem, Problem)
    assert problem.code == "customer.ambiguous"
    assert "customer_id" in (problem.hint or "")


def test_an_unknown_id_is_not_rescued_by_the_name(find):
    problem = find(PartyDraft("Acorn Bakery Ltd", id="cus-99"))
    assert isinstance(problem, Problem)
    assert problem.code == "customer.unknown"
    assert "cus-99" in problem.message


def test_a_deleted_customer_is_named_as_deleted(books):
    gone = replace(books.customers[0], is_deleted=True)
    problem = CustomerFinder(replace(books, customers=(gone,))).find(PartyDraft(gone.name))
    assert isinstance(problem, Problem)
    assert problem.code == "customer.deleted"


def test_an_alive_customer_is_preferred_to_an_archived_one_of_the_same_name(books):
    old = replace(books.customers[0], id=RecordId("cus-old"), status="Archived")
    finder = CustomerFinder(replace(books, customers=(old, books.customers[0])))
    found = finder.find(PartyDraft("Acorn Bakery Ltd"))
    assert not isinstance(found, Problem)
    assert found.id == "cus-1"


def test_customers_that_were_never_fetched_are_not_unknown(books):
    problem = CustomerFinder(replace(books, customers=(), fetched={})).find(PartyDraft("Acorn"))
    assert isinstance(problem, Problem)
    assert problem.code == "customer.not-fetched"
    assert problem.hint == "codat-ar fetch"
