"""Bad input gets a named error with its place and a way out, all of it in one pass, and nothing is sent.

One sandbox and one terminal serve this whole module: nothing here may ever write to the books.
"""

import os
from decimal import Decimal

import pytest

INVOICE_HEADER = (
    "invoice_number,customer,issue_date,due_date,currency,currency_rate,line_description,quantity,unit_price,"
    "tax_rate,account,tracking"
)
GOOD_INVOICE = "B-1,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Monthly plan,1,100.00,20,200,South"
PAYMENT_HEADER = "payment_id,date,amount,currency,customer,invoice_number,allocated_amount"


@pytest.fixture(scope="module")
def run(quiet_codat, prepared_copy):
    return prepared_copy(quiet_codat.url)


@pytest.fixture(autouse=True)
def nothing_was_sent(quiet_codat):
    yield
    assert quiet_codat.written() == []


@pytest.fixture
def push(run):
    """Push a file of this content, with `--json`, and insist that it is refused."""

    def push_text(kind, content, *options, name=None, code=2):
        file = run.folder / (name or f"{kind}.csv")
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        ran = run("push", kind, file.name, "--yes", "--json", *options)
        assert ran.code == code, ran.out + ran.err
        return ran.json

    return push_text


@pytest.fixture(scope="module")
def in_the_books(run):
    """Find a seeded invoice: `in_the_books(status="Paid", currency="GBP")`, on the profile's company."""
    fetched = {}

    def find(profile="acme", *, status, currency="GBP"):
        if profile not in fetched:
            fetched[profile] = run.ok("fetch", "invoices", "--profile", profile, "--json").json["invoices"]
        return next(row for row in fetched[profile] if row["status"] == status and row["due"]["currency"] == currency)

    return find


def errors(found):
    return {
        (finding["code"], (finding["place"] or {}).get("row"), (finding["place"] or {}).get("column"))
        for finding in found["findings"]
        if finding["severity"] == "error"
    }


def invoices(*rows):
    return "\n".join((INVOICE_HEADER, *rows)) + "\n"


def payments(*rows):
    return "\n".join((PAYMENT_HEADER, *rows)) + "\n"


def payment(payment_id, amount, customer, invoice="", *, currency="GBP"):
    return f'{payment_id},2026-05-20,{amount},{currency},"{customer}",{invoice},'


# Files that can't be read at all.

WORKBOOK = b"PK\x03\x04" + bytes(range(256))


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("empty.csv", b"", "file.empty", "is empty"),
        ("blank.csv", b"\n  \n\n", "file.empty", "blank"),
        ("header.csv", INVOICE_HEADER.encode() + b"\n", "file.no-records", "no records"),
        ("workbook.csv", WORKBOOK, "file.binary", "Excel"),
        ("nul.csv", invoices(GOOD_INVOICE.replace("plan", "pl\0n")).encode(), "file.binary", "NUL"),
        ("latin1.csv", invoices(GOOD_INVOICE.replace("Monthly", "Café")).encode("cp1252"), "file.encoding", "line 2"),
        ("utf16cut.csv", invoices(GOOD_INVOICE).encode("utf-16")[:-1], "file.encoding", "UTF-16"),
        ("quote.csv", invoices(GOOD_INVOICE.replace("Monthly", '"Monthly')).encode(), "file.bad-csv", "line 2"),
        ("wide.csv", b"invoice_number," + b"x" * (2 << 20), "file.line-too-long", "line 1"),
        ("invoices.xyz", invoices(GOOD_INVOICE).encode(), "file.unknown-format", ".xyz"),
        ("broken.json", b'{"invoices": [', "file.bad-json", "line 1"),
        ("shape.json", b'{"invoices": 3}', "file.bad-shape", "invoices"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(push, name, content, code, words):
    error = push("invoices", content, name=name)["error"]

    assert error["code"] == code
    assert name in error["message"]
    assert words in error["message"]
    assert error["hint"]


def test_a_file_that_is_not_there_is_named(run):
    ran = run("push", "invoices", "nowhere.csv", "--yes")

    assert ran.code == 2
    assert "nowhere.csv" in ran.err
    assert "[file.missing]" in ran.err
    assert "hint: check the path" in ran.err
    assert ran.out == ""


def test_a_folder_is_no_file(run):
    (run.folder / "folder.csv").mkdir()

    ran = run("push", "invoices", "folder.csv", "--yes")

    assert (ran.code, "[file.not-a-file]" in ran.err) == (2, True)


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX's")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(run):
    file = run.folder / "secret.csv"
    file.write_text(invoices(GOOD_INVOICE))
    file.chmod(0)

    ran = run("push", "invoices", "secret.csv", "--yes")

    assert (ran.code, "[file.unreadable]" in ran.err) == (2, True)


def test_a_huge_file_is_refused_before_it_is_read(run):
    with (run.folder / "huge.csv").open("wb") as file:
        file.write(b"invoice_number\n")
        file.truncate((1 << 30) + 1)  # sparse: it takes no room

    ran = run("push", "invoices", "huge.csv", "--yes")

    assert (ran.code, "[file.too-big]" in ran.err) == (2, True)


def test_missing_and_doubled_columns_are_named_together(push):
    header = INVOICE_HEADER.replace("currency,", "", 1).replace("issue_date", "Due Date")

    error = push("invoices", f"{header}\n{GOOD_INVOICE}\n")["error"]

    assert error["code"] == "file.columns"
    assert set(error["details"]["missing"]) == {"issue_date", "currency"}
    assert error["details"]["doubled"] == ["due_date"]


def test_a_payments_file_pushed_as_invoices_is_told_apart(push):
    error = push("invoices", payments("P-1,2026-05-20,10.00,GBP,Acorn Bakery Ltd,,"))["error"]

    assert error["hint"] == "these are the columns of payments: `codat-ar push payments FILE`"


# Rows that are wrong in themselves.


def test_every_bad_cell_is_found_in_one_pass_with_its_line_and_column(push):
    found = push(
        "invoices",
        invoices(
            GOOD_INVOICE,
            "B-2,Acorn Bakery Ltd,2026-02-30,2026-06-03,GBP,,No such day,1,100.00,20,200,",
            "B-3,Acorn Bakery Ltd,2026-05-04,04/05/2026,GBP,,Two readings,1,100.00,20,200,",
            "B-4,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Words,1,ten,20,200,",
            "B-5,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Not a number,1,NaN,20,200,",
            "B-6,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Exponent,1,1e3,20,200,",
            "B-7,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Three decimals,1,10.005,20,200,",
            "B-8,Acorn Bakery Ltd,2026-05-04,2026-06-03,QUID,,Currency,1,10.00,20,200,",
            "B-9,,2026-05-04,2026-06-03,GBP,,Nobody,1,10.00,20,200,",
            "B-10,Acorn Bakery Ltd,2026-05-04,2026-06-03,GBP,,Short,1,10.00",
        ),
    )

    assert errors(found) >= {
        ("row.bad-date", 3, "issue_date"),
        ("row.bad-date", 4, "due_date"),
        ("row.bad-amount", 5, "unit_price"),
        ("row.bad-amount", 6, "unit_price"),
        ("row.bad-amount", 7, "unit_price"),
        ("row.too-many-decimals", 8, "unit_price"),
        ("row.bad-currency", 9, "currency"),
        ("row.required", 10, "customer"),
    }
    assert 11 in {row for _, row, _ in errors(found)}
    assert {document["id"]: document["state"] for document in found["documents"]} == {"B-1": "held"}


def test_lines_that_contradict_their_document_are_refused(push):
    found = push(
        "invoices",
        invoices(
            GOOD_INVOICE,
            GOOD_INVOICE.replace("2026-05-04", "2026-05-05"),
            GOOD_INVOICE.replace("Acorn Bakery Ltd", "Riverside Dental"),
        ),
    )

    assert errors(found) >= {("document.conflict", 3, "issue_date"), ("document.number-reused", 4, "customer")}


def test_people_read_the_place_the_reason_and_the_way_out(run):
    (run.folder / "one.csv").write_text(invoices(GOOD_INVOICE.replace("2026-05-04", "4.5.26")), encoding="utf-8")

    ran = run("push", "invoices", "one.csv", "--yes")

    assert ran.code == 2
    assert "one.csv line 2, column issue_date" in ran.err
    assert "[row.bad-date]" in ran.err
    assert "Nothing was sent" in ran.out


# Rows that do not fit the books or the mapping: errors too, of which the rest of the file is not sent either.

UNFIT = {
    "customer": ("Acorn Bakery Ltd", "Nobody Knows Ltd", "customer.unknown", "customer"),
    "archived": ("Acorn Bakery Ltd", "Birchwood Builders Ltd", "customer.archived", "customer"),
    "tax rate": (",20,", ",17.5,", "mapping.tax-rate", "tax_rate"),
    "tax code": (",20,", ",STANDARD,", "mapping.tax-rate", "tax_rate"),
    "account": (",200,", ",9999,", "mapping.item", "item"),
    "tracking": (",South", ",Atlantis", "mapping.tracking", "tracking"),
}


def test_unknown_customers_accounts_tax_codes_and_tracking_are_found_together_and_stop_the_whole_file(push):
    wrong = [
        GOOD_INVOICE.replace("B-1", f"B-{number}").replace(old, new)
        for number, (old, new, _, _) in enumerate(UNFIT.values(), start=2)
    ]

    found = push("invoices", invoices(GOOD_INVOICE, *wrong))

    by_row = {(code, row) for code, row, _ in errors(found)}
    assert by_row >= {(code, row) for row, (_, _, code, _) in enumerate(UNFIT.values(), start=3)}
    assert {document["state"] for document in found["documents"]} == {"held"}
    assert next(one for one in found["documents"] if one["id"] == "B-1")["code"] == "plan.file-has-errors"


@pytest.mark.parametrize("what", UNFIT)
def test_each_of_them_alone_is_an_error_with_a_hint(push, what):
    old, new, code, _ = UNFIT[what]

    found = push("invoices", invoices(GOOD_INVOICE.replace(old, new)))

    (finding,) = [each for each in found["findings"] if each["severity"] == "error"]
    assert finding["code"] == code
    assert finding["document"] == "B-1"
    assert finding["hint"]


def test_an_unknown_account_where_lines_take_accounts_is_an_error(push):
    found = push("invoices", invoices(GOOD_INVOICE.replace(",200,", ",9999,")), "--profile", "xero")

    assert errors(found) == {("mapping.income-account", 2, "account")}


def test_a_dry_run_refuses_the_same(push):
    found = push("invoices", invoices(GOOD_INVOICE.replace("Acorn Bakery Ltd", "Nobody")), "--dry-run")

    assert errors(found) == {("customer.unknown", 2, "customer")}


def test_payments_that_do_not_fit_the_books_are_found_together(push, in_the_books):
    due = in_the_books(status="Submitted")
    paid, void = in_the_books(status="Paid"), in_the_books(status="Void")
    euro = in_the_books(status="Submitted", currency="EUR")

    found = push(
        "payments",
        payments(
            payment("P-1", Decimal(due["due"]["amount"]) + Decimal("0.01"), due["customer"], due["number"]),
            payment("P-2", "10.00", paid["customer"], paid["number"]),
            payment("P-3", "10.00", void["customer"], void["number"]),
            payment("P-4", "10.00", euro["customer"], euro["number"]),
            payment("P-5", "10.00", "Zenith Nobody", due["number"]),
            payment("P-6", "10.00", "Acorn Bakery Ltd", "NO-SUCH-1"),
            payment("P-7", "0.00", "Acorn Bakery Ltd"),
        ),
    )

    assert {(code, row) for code, row, _ in errors(found)} == {
        ("payment.exceeds-due", 2),
        ("payment.exceeds-due", 3),
        ("payment.not-payable", 4),
        ("payment.currency", 5),
        ("customer.unknown", 6),
        ("payment.unknown-invoice", 7),
        ("row.zero-amount", 8),
    }


def test_a_payment_by_another_customer_is_refused(push, in_the_books):
    due = in_the_books(status="Submitted")
    other = "Riverside Dental" if due["customer"] != "Riverside Dental" else "Acorn Bakery Ltd"

    found = push("payments", payments(payment("P-1", "1.00", other, due["number"])))

    assert errors(found) == {("payment.other-customer", 2, "invoice_number")}


def test_two_payments_of_a_file_cannot_pay_the_same_money(push, in_the_books):
    due = in_the_books(status="Submitted")
    rows = (payment(name, due["due"]["amount"], due["customer"], due["number"]) for name in ("P-1", "P-2"))

    found = push("payments", payments(*rows))

    assert errors(found) == {("payment.exceeds-due", 3, "amount")}


def test_a_payment_id_of_two_payments_is_refused(push):
    rows = (payment("P-1", amount, "Acorn Bakery Ltd") for amount in ("10.00", "11.00"))

    found = push("payments", payments(*rows))

    assert "document.conflict" in {code for code, _, _ in errors(found)}


def test_a_cause_that_rows_of_json_share_names_their_paths(run):
    one = '{"payment_id": "P-%d", "date": "2026-05-20", "amount": 5, "currency": "GBP", "customer": "Nobody"}'
    (run.folder / "shared.json").write_text(f'{{"payments": [{one % 1}, {one % 2}]}}', encoding="utf-8")

    ran = run("push", "payments", "shared.json", "--yes")

    assert "shared.json payments[0], column customer: customer `Nobody` is not in the books" in ran.err
    assert "also on payments[1]  [customer.unknown]" in ran.err


def test_ten_thousand_errors_of_one_cause_stay_readable(run):
    rows = (GOOD_INVOICE.replace("B-1", f"B-{n}").replace("Acorn Bakery Ltd", "Nobody Ltd") for n in range(10_000))
    (run.folder / "many.csv").write_text(invoices(*rows), encoding="utf-8")

    ran = run("push", "invoices", "many.csv", "--yes")

    assert ran.code == 2
    assert len((ran.err + ran.out).splitlines()) < 20
    assert "customer `Nobody Ltd` is not in the books; also on line 3, line 4, line 5 and 9,996 more" in ran.err
    assert "the file has 10,000 errors" in ran.out
