"""Whatever a good document says survives any way of writing it down: delimiter, encoding, order of columns and rows."""

import csv
import datetime as dt
import io
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from codat_ar_cli.domain.documents import InvoiceDraft
from codat_ar_cli.domain.drafting import draft_invoices, draft_payments
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.files.readers import FileError, read_table

Document = dict[str, Any]
words = (
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn", "Cf", "Zl", "Zp"], exclude_characters="\ufffd"),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(bool)
)
codes = st.text("ABCabc0123456789-/_. ", min_size=1, max_size=12).map(str.strip).filter(bool)
dates = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
prices = st.decimals(Decimal("0.01"), 10**6, places=2)
currencies = st.sampled_from(["GBP", "EUR", "KWD"])
tracking = st.lists(st.text("NSWE ", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=2)

LINE = ("line_description", "quantity", "unit_price", "tax_rate", "account", "tracking")
lines = st.fixed_dictionaries(
    {
        "line_description": words,
        "quantity": st.decimals(Decimal("0.01"), 100, places=2),
        "unit_price": prices,
        "tax_rate": st.sampled_from(["0", "20", "17.5"]),
        "account": codes,
        "tracking": tracking.map("|".join),
    }
)
invoices = st.fixed_dictionaries(
    {
        "invoice_number": codes,
        "customer": words,
        "issue_date": dates,
        "currency": currencies,
        "reference": codes,
        "note": words,
        "lines": st.lists(lines, min_size=1, max_size=4),
    }
)
payments = st.fixed_dictionaries(
    {
        "payment_id": codes,
        "customer": words,
        "date": dates,
        "currency": currencies,
        "amount": st.just(Decimal(10**9)),
        "fee": st.decimals(0, 10, places=2),
        "allocations": st.lists(
            st.fixed_dictionaries({"invoice_number": codes, "allocated_amount": prices}),
            min_size=1,
            max_size=4,
            unique_by=lambda part: part["invoice_number"],
        ),
    }
)


def folded(number: Any) -> str:
    return "".join(str(number).split()).casefold()


def flat_rows(documents: list[Document], nested: str) -> list[dict[str, str]]:
    rows = []
    for document in documents:
        head = {name: str(value) for name, value in document.items() if name != nested}
        rows += [{**head, **{name: str(value) for name, value in line.items()}} for line in document[nested]]
    return rows


def write_csv(path: Path, rows: list[dict[str, str]], chance: random.Random) -> None:
    columns = list(rows[0])
    chance.shuffle(columns)
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=chance.choice(",;\t|"),
        lineterminator=chance.choice(["\n", "\r\n"]),
        quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    writer.writerow([chance.choice([str.upper, str.title, str.lower])(column) for column in columns])
    writer.writerows([row[column] for column in columns] for row in rows)
    path.write_bytes(text.getvalue().encode(chance.choice(["utf-8", "utf-8-sig", "utf-16"])))


def write_json(path: Path, documents: list[Document], layout_name: str) -> None:
    path.write_text(json.dumps({layout_name: documents}, default=str), encoding="utf-8")


def check_invoice(draft: InvoiceDraft, meant: Document) -> None:
    assert draft.number == meant["invoice_number"]
    assert draft.customer.name == meant["customer"]
    assert (draft.issue_date, draft.currency) == (meant["issue_date"], meant["currency"])
    assert (draft.reference, draft.note) == (meant["reference"], meant["note"])
    assert [
        (x.description, x.quantity, x.unit_amount, x.tax_rate, x.account, "|".join(x.tracking)) for x in draft.lines
    ] == [tuple(line[name] for name in LINE) for line in meant["lines"]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(invoices, min_size=1, max_size=5, unique_by=lambda document: folded(document["invoice_number"])),
    st.randoms(use_true_random=False),
)
def test_invoices_survive_being_written_as_csv_and_json(tmp_path_factory, documents, chance):
    folder = tmp_path_factory.mktemp("i")
    write_csv(folder / "i.csv", flat_rows(documents, "lines"), chance)
    write_json(folder / "i.json", documents, "invoices")

    for path in (folder / "i.csv", folder / "i.json"):
        table = read_table(path, INVOICES)
        drafted = draft_invoices(table.rows, source=table.name, columns=table.canonical)

        assert drafted.findings == table.notes == ()
        assert len(drafted.documents) == len(documents)
        for draft, meant in zip(drafted.documents, documents, strict=True):
            check_invoice(draft, meant)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(payments, min_size=1, max_size=5, unique_by=lambda document: folded(document["payment_id"])),
    st.randoms(use_true_random=False),
)
def test_payments_survive_rows_in_any_order(tmp_path_factory, documents, chance):
    folder = tmp_path_factory.mktemp("p")
    rows = flat_rows(documents, "allocations")
    order = list(range(len(rows)))
    chance.shuffle(order)
    write_csv(folder / "p.csv", [rows[index] for index in order], chance)

    table = read_table(folder / "p.csv", PAYMENTS)
    drafted = draft_payments(table.rows, source=table.name, columns=table.canonical)

    assert drafted.findings == ()
    assert drafted.totals.rows == len(rows)
    assert sum(drafted.totals.amounts.values()) == sum(document["amount"] for document in documents)
    by_id = {draft.payment_id: draft for draft in drafted.documents}
    for meant in documents:
        draft = by_id[meant["payment_id"]]
        assert {(x.invoice_number, x.amount) for x in draft.allocations} == {
            (part["invoice_number"], part["allocated_amount"]) for part in meant["allocations"]
        }


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.text(max_size=8)] * 7), min_size=1, max_size=6))
def test_any_cells_at_all_become_drafts_or_findings_and_no_row_is_lost(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("a") / "a.csv"
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([INVOICES.required, *records])
    path.write_bytes(text.getvalue().encode("utf-8", errors="replace"))
    try:
        table = read_table(path, INVOICES)
    except FileError:
        return

    drafted = draft_invoices(table.rows, source=table.name, columns=table.canonical)

    drafted_rows = [place for document in drafted.documents for place in document.rows]
    broken_rows = [place for document in drafted.broken for place in document.places]
    assert sorted(drafted_rows + broken_rows) == sorted(row.place for row in table.rows)
    assert all(document.findings for document in drafted.broken)


def test_a_documents_content_is_the_same_whatever_file_it_came_from(shared):
    def hashes(name: str) -> dict[str, str]:
        table = read_table(shared / "samples" / name, PAYMENTS)
        drafted = draft_payments(table.rows, source=table.name, columns=table.canonical)
        return {draft.payment_id: draft.content_hash() for draft in drafted.documents}

    from_csv, from_json = hashes("payments.csv"), hashes("payments.json")

    assert from_json
    assert from_json.items() <= from_csv.items()
