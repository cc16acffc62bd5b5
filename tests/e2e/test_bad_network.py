"""What one bad answer does to a push, as the user sees it: its exit code, what is in the books, and the next run."""

import pytest

FILE = (
    "invoice_number,customer,issue_date,due_date,currency,line_description,quantity,unit_price,tax_rate,account\n"
    + "".join(f"N-{n},Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,Monthly plan,1,{n}00.00,20,200\n" for n in (1, 2, 3))
)


@pytest.fixture
def push(codat, acme):
    """Push three invoices with this fault on the second request, and once more without it."""
    (acme.folder / "invoices.csv").write_text(FILE, encoding="utf-8")
    words = ("push", "invoices", "invoices.csv", "--yes", "--wait", "5")

    def twice(**fault):
        codat.fault(method="POST", path="/push/invoices$", nth=2, **fault)
        first = acme(*words)
        codat.fault(method="POST", path="^never$", delay=0)
        return first, acme(*words)

    return twice


def in_the_books(codat):
    return sorted(write["body"]["lineItems"][0]["unitAmount"] for write in codat.written())


@pytest.mark.parametrize(
    "fault",
    [{"drop": "before"}, {"drop": "after"}, {"cut": True}, {"malformed": True}, {"status": 429, "retryAfter": 1}],
    ids=["cut before Codat saw it", "answer lost", "answer cut", "answer unreadable", "asked to wait"],
)
def test_a_passing_fault_is_overcome_and_nothing_is_there_twice(codat, push, fault):
    first, second = push(**fault)

    assert (first.code, second.code) == (0, 0)
    assert in_the_books(codat) == [100, 200, 300]
    assert "3 already in the books" in second.out


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({"status": 401}, 4, "codat.key-refused"),
        ({"status": 403}, 4, "may not do this"),
        ({"status": 402}, 8, "has a limit"),
    ],
)
def test_what_is_no_documents_fault_stops_the_run_and_the_next_one_finishes_it(codat, push, fault, code, said):
    first, second = push(**fault)

    assert first.code == code
    assert said in first.err or said in first.out
    assert second.code == 0
    assert in_the_books(codat) == [100, 200, 300]


def test_a_refused_document_is_rejected_alone_with_codats_words_and_can_be_pushed_again(codat, push):
    first, second = push(status=400, error="Line items must not be empty.")

    assert (first.code, second.code) == (3, 0)
    assert "Line items must not be empty." in " ".join(first.out.split())
    assert in_the_books(codat) == [100, 200, 300]


@pytest.mark.parametrize(
    "fault",
    [{"status": 500, "when": "after"}, {"operation": {"outcome": "TimedOut"}}],
    ids=["500 though it was done", "timed out and landed"],
)
def test_what_may_be_in_the_books_is_in_doubt_and_found_by_the_next_run(codat, push, fault):
    first, second = push(**fault)

    assert (first.code, second.code) == (5, 0)
    assert "1 document may or may not be in the books" in first.err
    assert ": in the books: a record of the books carries our id" in second.err
    assert in_the_books(codat) == [100, 200, 300]
