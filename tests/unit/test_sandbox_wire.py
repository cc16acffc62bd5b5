"""Small pieces of the sandbox's wire: exact JSON, uploads, steps in time, PDFs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codat_ar_cli.sandbox.answers import ApiError, parse_stamp, stamp
from codat_ar_cli.sandbox.jsonexact import dumps, loads
from codat_ar_cli.sandbox.multipart import first_file
from codat_ar_cli.sandbox.operations import Operation, Work, new_operation
from codat_ar_cli.sandbox.pdf import invoice_pdf
from codat_ar_cli.sandbox.timeline import Timeline

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["12.50", "1000000000000000000000.01", "-0.00", "7", '{"a":[1.10,null,true,"ü\\n"]}', "[]"]
)
def test_json_keeps_every_digit(text: str) -> None:
    assert dumps(loads(text)) == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "", "[" * 100_000])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_a_float_never_reaches_json() -> None:
    with pytest.raises(TypeError):
        dumps({"amount": 1.5})
    assert dumps(Decimal("1E+2")) == "100"


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_stamps_come_back_to_the_microsecond(instant: datetime) -> None:
    assert parse_stamp(stamp(instant)) == instant


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


@given(st.binary(max_size=200))
def test_an_uploaded_file_keeps_its_bytes(data: bytes) -> None:
    note = b'Content-Disposition: form-data; name="note"\r\n\r\nhello'
    file = b'Content-Disposition: form-data; name=""; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + data

    found = first_file('multipart/form-data; boundary="b"', multipart(note, file))

    if b"\r\n--b" not in data:
        assert (found.name, found.content_type, found.data) == ("a.pdf", "application/pdf", data)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", multipart(b"x")),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; filename=a\r\n\r\ncut"),
        ("multipart/form-data; boundary=b", multipart(b'Content-Disposition: form-data; name="a"\r\n\r\nno file')),
        ("", b""),
    ],
)
def test_an_upload_without_a_whole_file_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ApiError) as raised:
        first_file(content_type, body)

    assert raised.value.status == 400


def test_steps_run_in_order_of_time_each_at_its_own_instant() -> None:
    timeline, seen = Timeline(), []
    timeline.add(START + timedelta(seconds=2), lambda at: seen.append(("b", at)))
    timeline.add(START + timedelta(seconds=1), lambda at: timeline.add(at, lambda then: seen.append(("a", then))))
    timeline.add(START + timedelta(hours=1), lambda at: seen.append(("never", at)))

    timeline.settle(START + timedelta(minutes=1))

    assert seen == [("a", START + timedelta(seconds=1)), ("b", START + timedelta(seconds=2))]


def steps(timeout: int | None = None, **outcome: object) -> list[tuple[int, str]]:
    operation = new_operation(
        company_id="c",
        connection_id="n",
        work=Work("create", "invoices"),
        now=START,
        delay=90,
        timeout_minutes=timeout,
        outcome=outcome,
    )
    assert Operation.load(loads(dumps(operation.dump()))) == operation
    return [(int((at - START).total_seconds()), step) for at, step in operation.steps]


def test_an_operation_completes_after_its_delay_or_times_out_first_and_lands_later() -> None:
    assert steps() == [(90, "complete")]
    assert steps(timeout=1) == [(60, "time-out"), (90, "land")]
    assert steps(timeout=2) == [(90, "complete"), (120, "time-out")]
    assert steps(outcome="TimedOut", landsAfter=5) == [(90, "time-out"), (95, "land")]
    assert steps(outcome="Pending") == []
    assert steps(outcome="Pending", timeout=1) == [(60, "time-out")]
    assert steps(outcome="NoId", delay=1) == [(1, "complete-without-id")]


def test_a_final_status_is_never_changed() -> None:
    operation = Operation({"status": "Pending", "pushOperationKey": "k"}, Work("create", "invoices"), [])

    operation.finish("TimedOut", 408, START)
    operation.finish("Success", 200, START)

    assert operation.wire["status"] == "TimedOut"


def test_a_pdf_has_a_true_cross_reference_and_escapes_its_text() -> None:
    pdf = invoice_pdf({"id": "1", "invoiceNumber": "INV-(1)\\", "customerRef": None, "totalAmount": Decimal("1.00")})

    start = int(pdf.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    entries = pdf[start:].split(b"\n")[3:8]
    assert pdf[start:].startswith(b"xref\n0 6\n")
    for number, entry in enumerate(entries, 1):
        assert pdf[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
    assert rb"Invoice INV-\(1\)\\" in pdf
