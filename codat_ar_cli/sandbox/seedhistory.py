"""A year of history for a seeded company, booked through the same functions as a client's writes."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox import documents, movements, payments
from codat_ar_cli.sandbox.amounts import ZERO, wire_date
from codat_ar_cli.sandbox.booksdata import Record
from codat_ar_cli.sandbox.package import DAY_RATES, Draft, Package
from codat_ar_cli.sandbox.posting import outstanding
from codat_ar_cli.sandbox.seedchart import ITEMS, default_tax, seed_reference
from codat_ar_cli.sandbox.seednames import CUSTOMERS, STREETS, SUPPLIERS, TOWNS, more_customers

_HISTORY_ENDS = date(2026, 3, 31)
"""Seeded documents are not dated after this, so that a later file of invoices meets settled history."""
_HISTORY_DAYS = 420


class History:
    """Fills one company's books, piece by piece."""

    def __init__(self, package: Package, rng: random.Random, now: datetime) -> None:
        self.package, self.rng, self.now = package, rng, now
        self.booked_at = now - timedelta(days=1)
        self.ends = min(_HISTORY_ENDS, now.date())
        self.accounts: dict[str, str] = {}
        links = package.platform.trees["payments"].fields or {}
        choices = ((links["lines"].fields or {})["links"].fields or {})["type"].choices
        self.takes_on_account = not choices or "PaymentOnAccount" in choices
        self.takes_drafts = "Draft" in (
            (package.platform.trees["invoices"].fields or {})["status"].choices or ("Draft",)
        )

    def reference(self) -> None:
        """Seed the chart and the lists, and give the banks an opening balance."""
        self.accounts = seed_reference(self.package, self.package.stamp(self.booked_at))
        opening = self.package.role("opening")
        for role, amount in (("bank", 48250), ("savings", 20000), ("bank.EUR", 9100), ("bank.USD", 4300)):
            account, own = self.package.role(role), Decimal(amount)
            currency = self.package.currency_of(account)
            base = (own * DAY_RATES[currency]).quantize(Decimal("0.01"))
            self.package.state.post(account, base, own)
            self.package.state.post(opening, -base, -base)

    def contacts(self, customers: int) -> None:
        """Seed customers and suppliers; where each contact is both, on both lists."""
        stamp = self.package.stamp(self.booked_at)
        named = [*CUSTOMERS, *more_customers(self.rng, customers - len(CUSTOMERS))]
        for name, mail, currency, status in named:
            self._contact("customers", name, mail, currency, status, stamp)
        for name, mail, status in SUPPLIERS:
            self._contact("suppliers", name, mail, "GBP", status, stamp)

    def _contact(self, data_type: str, name: str, mail: str, currency: str, status: str, stamp: str) -> None:
        town, postcode = self.rng.choice(TOWNS)
        address = {
            "type": "Billing",
            "line1": f"{self.rng.randint(1, 199)} {self.rng.choice(STREETS)}",
            "city": town,
            "country": "GB",
            "postalCode": postcode,
        }
        record = {
            "id": self.package.next_id(data_type),
            "emailAddress": mail,
            "defaultCurrency": currency,
            "addresses": [address],
            "status": status,
            "sourceModifiedDate": stamp,
        }
        both = ("customers", "suppliers") if self.package.rules.shared_contacts else (data_type,)
        for one in both:
            more: Record = {"contacts": []} if one == "customers" else {}
            self.package.state.put(one, {**record, **more, f"{one.removesuffix('s')}Name": name})

    # -- documents -----------------------------------------------------------------------------------------------------

    def documents(self, count: int) -> None:
        """Seed invoices of every status with their payments, then credit notes."""
        customers = [one for one in self.package.state.live["customers"].values() if one["status"] == "Active"]
        if self.package.rules.shared_contacts:
            names = {name for name, _, _ in SUPPLIERS}
            customers = [one for one in customers if one["customerName"] not in names]
        waiting: dict[tuple[str, str], Record] = {}
        for index in range(count):
            customer = customers[index % len(customers)]
            status = {5: "Draft", 9: "Void"}.get(index % 12, "Submitted")
            if status == "Draft" and not self.takes_drafts:
                status = "Submitted"
            day = self.ends - timedelta(days=_HISTORY_DAYS * (count - index) // count)
            invoice = self._document("invoices", customer, day, status)
            if status == "Submitted":
                self._settle(invoice, index, waiting)
        if self.takes_on_account:
            for customer in customers[:2]:
                self._pay(customer, self.ends, customer["defaultCurrency"], [], on_account=Decimal("150.00"))
        self._credit_notes(customers[:6])

    def _settle(self, invoice: Record, index: int, waiting: dict[tuple[str, str], Record]) -> None:
        """Pay most invoices: in full, in part, or two of one customer together; leave the rest open."""
        customer = self.package.state.live["customers"][invoice["customerRef"]["id"]]
        paid = min(date.fromisoformat(invoice["issueDate"][:10]) + timedelta(days=24), self.ends)
        key = (customer["id"], invoice["currency"])
        manner = index % 6
        if manner in (0, 1, 2):
            self._pay(customer, paid, invoice["currency"], [(invoice, invoice["totalAmount"])])
        elif manner == 3:
            part = (invoice["totalAmount"] / 3).quantize(Decimal("0.01"))
            self._pay(customer, paid, invoice["currency"], [(invoice, part)])
        elif manner == 4 and key in waiting:
            other = waiting.pop(key)
            both = [(other, other["totalAmount"]), (invoice, invoice["totalAmount"])]
            self._pay(customer, paid, invoice["currency"], both)
        elif manner == 4:
            waiting[key] = invoice

    def _book(self, data_type: str, body: Record, write: Callable[[Package, Draft], Any]) -> Any:
        return write(self.package, Draft(data_type, body, body, self.booked_at))

    def _document(self, data_type: str, customer: Record, day: date, status: str) -> Record:
        currency = customer["defaultCurrency"]
        body = {
            "customerRef": {"id": customer["id"]},
            "issueDate": wire_date(day),
            "currency": currency,
            "currencyRate": DAY_RATES[currency],
            "status": status,
            "lineItems": [self._line(currency) for _ in range(self.rng.choice((1, 1, 2, 3)))],
        }
        if data_type == "invoices":
            body["dueDate"] = wire_date(day + timedelta(days=30))
        if self.package.rules.income_by_item and self.rng.random() < 0.3:
            body["note"] = "Thank you for your business."
        record: Record = self._book(data_type, body, documents.write_document)
        return record

    def _line(self, currency: str) -> Record:
        code, name, account, price = self.rng.choice(ITEMS)
        item = self._items[code]
        tax = self._tax["20" if currency == "GBP" and code != "EXPORT" else "0"]
        line: Record = {
            "description": name,
            "quantity": Decimal(self.rng.choice((1, 2, 3, 10))),
            "unitAmount": Decimal(price),
            "accountRef": {"id": self.accounts[account]},
            "itemRef": {"id": item},
            "taxRateRef": {"id": tax},
        }
        if self._leaves and self.rng.random() < 0.5:
            line["trackingCategoryRefs"] = [{"id": self.rng.choice(self._leaves)}]
        return line

    @property
    def _items(self) -> dict[str, str]:
        if not hasattr(self, "_item_ids"):
            self._item_ids = {item["code"]: item["id"] for item in self.package.state.live["items"].values()}
        return self._item_ids

    @property
    def _tax(self) -> dict[str, str]:
        if not hasattr(self, "_tax_ids"):
            self._tax_ids = {percent: default_tax(self.package, percent) for percent in ("20", "0")}
        return self._tax_ids

    @property
    def _leaves(self) -> list[str]:
        """Regions: on QuickBooks Online classes, which may stand on any line."""
        if not hasattr(self, "_leaf_ids"):
            categories = self.package.state.live["trackingCategories"].values()
            self._leaf_ids = [one["id"] for one in categories if one["name"] in ("North", "South")]
        return self._leaf_ids

    def _pay(
        self,
        customer: Record,
        day: date,
        currency: str,
        settled: list[tuple[Record, Decimal]],
        *,
        on_account: Decimal = ZERO,
    ) -> None:
        role = "bank" if currency == "GBP" else f"bank.{currency}"
        lines: list[Record] = [
            {"amount": part, "links": [{"type": "Invoice", "id": invoice["id"], "amount": -part}]}
            for invoice, part in settled
            if part
        ]
        if on_account:
            link = {"type": "PaymentOnAccount", "id": customer["id"], "amount": -on_account}
            lines.append({"amount": on_account, "links": [link]})
        if not lines:
            return
        body = {
            "customerRef": {"id": customer["id"]},
            "accountRef": {"id": self.package.role(role)},
            "totalAmount": sum((line["amount"] for line in lines), ZERO),
            "currency": currency,
            "currencyRate": DAY_RATES[currency],
            "date": wire_date(day),
            "reference": f"BACS {self.rng.randint(10000, 99999)}",
            "lines": lines,
        }
        self._book("payments", body, payments.write_payment)

    def _credit_notes(self, customers: list[Record]) -> None:
        """Credit notes: open, part used on an open invoice of their customer where there is one."""
        open_invoices: dict[str, list[Record]] = defaultdict(list)
        for invoice in self.package.state.live["invoices"].values():
            if invoice["status"] == "Submitted" and outstanding(self.package, "invoices", invoice) > 0:
                open_invoices[invoice["customerRef"]["id"]].append(invoice)
        for customer in customers:
            note = self._document("creditNotes", customer, self.ends - timedelta(days=20), "Submitted")
            for invoice in open_invoices[customer["id"]][:1]:
                due = outstanding(self.package, "invoices", invoice)
                part = min(due, (note["totalAmount"] / 2).quantize(Decimal("0.01")))
                links = [
                    {"type": "Invoice", "id": invoice["id"], "amount": -part},
                    {"type": "CreditNote", "id": note["id"], "amount": part},
                ]
                body = {
                    "customerRef": {"id": customer["id"]},
                    "accountRef": {"id": self.package.role("bank")},
                    "totalAmount": ZERO,
                    "currency": note["currency"],
                    "currencyRate": note["currencyRate"],
                    "date": wire_date(self.ends),
                    "lines": [{"amount": ZERO, "links": links}],
                }
                self._book("payments", body, payments.write_payment)

    # -- movements -----------------------------------------------------------------------------------------------------

    def movements(self) -> None:
        """Seed fees, interest, a transfer and a journal entry."""
        contacts = self.package.state.live["suppliers"].values()
        processor = next(one for one in contacts if one["supplierName"] == SUPPLIERS[0][0])
        bank = {"payment": {"accountRef": {"id": self.package.role("bank")}}}
        for index, fee in enumerate(("18.40", "22.15", "9.99")):
            self._direct("directCosts", processor, fee, "405", bank, index)
        first = next(iter(self.package.state.live["customers"].values()))
        self._direct("directIncomes", first, "12.34", "270", bank, 4)
        sides = {
            side: {"accountRef": {"id": self.package.role(role)}, "amount": Decimal(2500)}
            for side, role in (("from", "bank"), ("to", "savings"))
        }
        moved = {"date": wire_date(self.ends - timedelta(days=9)), "description": "To savings", **sides}
        self._book("transfers", moved, movements.write_transfer)
        entries = (("469", Decimal("300.00")), ("489", Decimal("-300.00")))
        lines = [
            {"description": "Reclassify rent", "netAmount": net, "accountRef": {"id": self.accounts[code]}}
            for code, net in entries
        ]
        journal = {"postedOn": wire_date(self.ends - timedelta(days=5)), "journalLines": lines}
        self._book("journalEntries", journal, movements.write_journal)

    def _direct(self, data_type: str, contact: Record, amount: str, account: str, bank: Record, index: int) -> None:
        costs = data_type == "directCosts"
        line = {
            "description": "Card processing fees" if costs else "Interest",
            "quantity": Decimal(1),
            "unitAmount": Decimal(amount),
            "accountRef": {"id": self.accounts[account]},
            "taxRateRef": {"id": default_tax(self.package, "0", purchases=costs)},
        }
        body = {
            "contactRef": {"id": contact["id"]},
            "issueDate": wire_date(self.ends - timedelta(days=30 * index)),
            "currency": "GBP",
            "reference": f"FEE-{index + 1}" if costs else "Interest",
            "lineItems": [line],
            "paymentAllocations": [bank],
        }
        self._book(data_type, body, movements.write_direct)
