"""Files that can't be trusted: each refused by name, with the line and a way out; never read in part."""

import contextlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.files import errors
from codat_ar_cli.files.readers import FileError, Limits, read_table

HEADER = "invoice_number,customer,issue_date,currency,line_description,quantity,unit_price"
ROW = "INV-1,Acorn,2026-05-01,GBP,Bread,1,10.00"
GOOD = f"{HEADER}\n{ROW}\n"

CASES: dict[str, tuple[str, bytes, type[FileError], str]] = {
    "no bytes": ("a.csv", b"", errors.FileEmpty, "is empty"),
    "only a mark": ("a.csv", b"\xef\xbb\xbf", errors.FileEmpty, "blank lines"),
    "blank lines": ("a.csv", b"\n \n\n", errors.FileEmpty, "blank lines"),
    "only a header": ("a.csv", HEADER.encode(), errors.NoRecords, "a header and no records"),
    "header and blank rows": ("a.csv", f"{HEADER}\n,,,,,,\n".encode(), errors.NoRecords, "no records"),
    "a workbook": ("a.csv", b"PK\x03\x04rest", errors.BinaryFile, "XLSX"),
    "a PDF": ("a.csv", b"%PDF-1.7", errors.BinaryFile, "a PDF"),
    "gzip": ("a.csv", b"\x1f\x8b\x08", errors.BinaryFile, "gzip"),
    "a NUL": ("a.csv", GOOD.replace("Bread", "Br\0ad").encode(), errors.BinaryFile, "line 2 holds a NUL"),
    "Windows-1252": (
        "a.csv",
        GOOD.replace("Acorn", "Grüber").encode("cp1252"),
        errors.WrongEncoding,
        "line 2 is not UTF-8: byte 0xFC at position 9; as Windows-1252 it would read `INV-1,Grüber",
    ),
    "UTF-16 without a mark": ("a.csv", GOOD.encode("utf-16-le"), errors.WrongEncoding, "UTF-16 without"),
    "UTF-32": ("a.csv", GOOD.encode("utf-32"), errors.WrongEncoding, "UTF-32"),
    "cut UTF-16": ("a.csv", GOOD.encode("utf-16")[:-1], errors.WrongEncoding, "damaged or cut"),
    "an open quote": (
        "a.csv",
        f'{GOOD}INV-2,"Ac\nmore\n'.encode(),
        errors.BrokenCsv,
        "starts on line 3 is never closed",
    ),
    "text after a quote": ("a.csv", f'{GOOD}INV-2,"A"c,\n'.encode(), errors.BrokenCsv, "record that starts on line 3"),
    "a giant cell": ("a.csv", f"{GOOD}{'x' * 140_000}\n".encode(), errors.LineTooLong, "longer than 131,072"),
    "missing columns": (
        "a.csv",
        b"invoice_number,customer\n1,A\n",
        errors.WrongColumns,
        "missing `issue_date`, `currency`",
    ),
    "unknown suffix": ("a.xlsx", GOOD.encode(), errors.UnknownFormat, "`.xlsx`"),
    "no suffix": ("a", GOOD.encode(), errors.UnknownFormat, "no suffix"),
    "not JSON": ("a.json", b'{"invoices": [', errors.BrokenJson, "line 1 column"),
    "NaN": ("a.json", b"[NaN]", errors.BrokenJson, "NaN is not a JSON number"),
    "blank JSON": ("a.json", b"  \n", errors.FileEmpty, "only blanks"),
    "deep JSON": ("a.json", b"[" * 100_000, errors.BrokenJson, "too deeply"),
    "a number": ("a.json", b"12", errors.WrongShape, "holds no list"),
    "an empty list": ("a.json", b'{"invoices": []}', errors.NoRecords, "empty list"),
    "a list of words": ("a.json", b'["a"]', errors.WrongShape, "no entry is an object"),
    "another list": ("a.json", b'{"bills": []}', errors.WrongShape, "no list `invoices`; found: 'bills'"),
    "half a character": ("a.json", b'[{"\\ud800": 1}]', errors.BrokenJson, "surrogate"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_trusted_is_refused_by_name(tmp_path, case):
    name, content, kind, says = CASES[case]
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(kind) as caught:
        read_table(path, INVOICES)

    assert says in caught.value.message
    assert caught.value.message.startswith(str(path))
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.details["file"] == str(path)


def test_every_error_has_its_own_code():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FileError)]

    assert len({kind.code for kind in kinds}) == len(kinds) > 10


def test_missing_and_doubled_columns_are_named_all_at_once(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Invoice Number,invoice_number,customer,note,NOTE,quantity\n1,2,3,4,5,6\n")

    with pytest.raises(errors.WrongColumns) as caught:
        read_table(path, INVOICES)

    assert caught.value.details["missing"] == ["issue_date", "currency", "line_description", "unit_price"]
    assert caught.value.details["doubled"] == ["invoice_number", "note"]
    assert "`invoice_number` ('Invoice Number', 'invoice_number')" in caught.value.message


def test_misspelt_required_columns_are_pointed_out(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD.replace("customer", "custmer").replace("quantity", "quantitiy"))

    with pytest.raises(errors.WrongColumns) as caught:
        read_table(path, INVOICES)

    assert caught.value.hint == "rename `custmer` to `customer`, `quantitiy` to `quantity`"


@pytest.mark.parametrize(
    ("content", "name"),
    [("payment_id,date,amount,currency,customer\n1,2026-05-01,1,GBP,A\n", "a.csv"), ('{"payments": []}', "a.json")],
)
def test_a_file_of_the_other_kind_is_recognised(tmp_path, content, name):
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(FileError) as caught:
        read_table(path, INVOICES)

    assert "codat-ar push payments FILE" in str(caught.value.hint)


def test_a_missing_file_points_to_one_with_a_similar_name(tmp_path):
    (tmp_path / "payments.csv").write_text("x")

    with pytest.raises(errors.FileMissing) as caught:
        read_table(tmp_path / "payment.csv", PAYMENTS)

    assert caught.value.hint == "beside it: payments.csv"


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(errors.NotAFile, match="is a folder"):
        read_table(tmp_path, INVOICES)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")

    with pytest.raises(errors.NotAFile, match="a device or a pipe"):
        read_table(tmp_path / "pipe.csv", INVOICES)


def test_a_name_with_a_nul_is_no_file():
    with pytest.raises(errors.FileMissing):
        read_table(Path("a\0.csv"), INVOICES)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    path.chmod(0)

    with pytest.raises(errors.FileUnreadable, match="Permission denied"):
        read_table(path, INVOICES)


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path, name):
    path = tmp_path / name
    path.write_text(GOOD)

    with pytest.raises(errors.FileTooBig, match="at most 20 are read"):
        read_table(path, INVOICES, limits=Limits(csv_bytes=20, json_bytes=20))


def test_a_line_above_the_limit_is_refused_where_it_stands(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD + "x" * 500)

    with pytest.raises(errors.LineTooLong, match="line 3 is longer than 200 characters"):
        read_table(path, INVOICES, limits=Limits(line=200))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([".csv", ".json", ".tsv"]), st.booleans())
def test_garbage_never_raises_anything_but_a_file_error(tmp_path_factory, garbage, suffix, after_header):
    path = tmp_path_factory.mktemp("g") / f"g{suffix}"
    path.write_bytes(GOOD.encode() + garbage if after_header else garbage)

    with contextlib.suppress(FileError):
        table = read_table(path, INVOICES)
        assert len(table.rows) == len(table.raw) > 0
