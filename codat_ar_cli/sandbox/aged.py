"""The aged debtors report, computed from Codat's copy of the books (reference §15)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.amounts import ZERO, date_of, wire_date, wire_instant
from codat_ar_cli.sandbox.booksdata import Record

_EVER = date(1, 1, 1)
_Owed = tuple[str, str, str, date, Decimal]
"""(customer id, currency, kind, date it ages from, amount; credits negative)."""


def aged_debtors(
    cache: dict[str, dict[str, Record]], *, report_date: date, periods: int, length: int, now: datetime
) -> dict[str, Any]:
    """Give what each customer owes on a date, by age.

    periods, length: how many buckets and how many days each spans; the oldest reaches back for ever. Amounts age from
    their due date, credits from their own date; what is not due yet is in the newest bucket.
    """
    buckets = list(_buckets(report_date, periods, length))
    sums: dict[str, dict[str, list[dict[str, Decimal]]]] = defaultdict(dict)
    for customer, currency, kind, day, amount in _owed(cache, report_date):
        rows = sums[customer].setdefault(currency, [defaultdict(lambda: ZERO) for _ in buckets])
        place = min(max((report_date - day).days, 0) // length, periods - 1)
        rows[place][kind] += amount
    customers = cache["customers"]
    return {
        "generated": wire_instant(now),
        "reportDate": wire_date(report_date),
        "data": [
            {
                "customerId": customer,
                "customerName": customers.get(customer, {}).get("customerName") or "",
                "agedCurrencyOutstanding": [
                    {"currency": currency, "agedOutstandingAmounts": list(_amounts(buckets, rows))}
                    for currency, rows in sorted(currencies.items())
                ],
            }
            for customer, currencies in sums.items()
        ],
    }


def _buckets(report_date: date, periods: int, length: int) -> Iterator[tuple[date, date]]:
    last = report_date
    for index in range(periods):
        first = _EVER if index == periods - 1 else date.fromordinal(max(1, last.toordinal() - length + 1))
        yield first, last
        last = first - timedelta(days=1) if first > _EVER else last


def _amounts(buckets: list[tuple[date, date]], rows: list[dict[str, Decimal]]) -> Iterator[dict[str, Any]]:
    for (first, last), kinds in zip(buckets, rows, strict=True):
        yield {
            "fromDate": wire_date(first),
            "toDate": wire_date(last),
            "amount": sum(kinds.values(), ZERO),
            "details": [{"name": kind, "amount": amount} for kind, amount in sorted(kinds.items())],
        }


def _owed(cache: dict[str, dict[str, Record]], report_date: date) -> Iterator[_Owed]:
    for invoice in _standing(cache["invoices"].values(), "issueDate", report_date):
        if invoice["amountDue"]:
            due = date_of(invoice.get("dueDate") or invoice["issueDate"])
            yield invoice["customerRef"]["id"], invoice["currency"], "Invoices", due, invoice["amountDue"]
    for note in _standing(cache["creditNotes"].values(), "issueDate", report_date):
        if note["remainingCredit"]:
            issued = date_of(note["issueDate"])
            yield note["customerRef"]["id"], note["currency"], "CreditNotes", issued, -note["remainingCredit"]
    for payment in _standing(cache["payments"].values(), "date", report_date):
        links = (link for line in payment["lines"] for link in line["links"])
        amount = sum((link["amount"] for link in links if link["type"] == "PaymentOnAccount"), ZERO)
        if amount:
            yield payment["customerRef"]["id"], payment["currency"], "Payments", date_of(payment["date"]), amount


def _standing(records: Iterable[Record], dated: str, report_date: date) -> Iterator[Record]:
    for record in records:
        counts = not record["metadata"]["isDeleted"] and record.get("status") not in ("Draft", "Void")
        if counts and "customerRef" in record and date_of(record[dated]) <= report_date:
            yield record
