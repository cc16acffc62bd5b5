"""Codat's copy of the books: what a sync takes over, in the form reads show (reference §3.4, §6 to §8).

Names in references come from Codat's own copy of the other type, so they stay empty while that type was never synced;
`paymentAllocations` likewise come from the synced payments, while amounts due come from the package.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from codat_ar_cli.sandbox.amounts import ZERO, wire_instant
from codat_ar_cli.sandbox.booksdata import CUSTOMER_DOCUMENTS, Record
from codat_ar_cli.sandbox.package import Package
from codat_ar_cli.sandbox.platforms.platform import document_name
from codat_ar_cli.sandbox.posting import outstanding

_NAMED = {
    "customers": "customerName",
    "suppliers": "supplierName",
    "chartOfAccounts": "name",
    "taxRates": "name",
    "items": "name",
    "trackingCategories": "name",
    "paymentMethods": "name",
}
_REFERRING = (
    "invoices creditNotes payments directCosts directIncomes journalEntries transfers items bankAccounts".split()
)
_CREDIT_KINDS = frozenset({"Income", "Liability", "Equity"})


@dataclass(slots=True)
class Copier:
    """Copies one company's live records into Codat's cache."""

    package: Package
    _seen: dict[tuple[str, str, str], Record] = field(default_factory=dict)
    """References already filled in during this sync; records share them, as nothing changes a copy in place."""

    def sync(self, data_type: str, now: datetime) -> list[dict[str, str]]:
        """Bring the copy of one data type up to date; `modifiedDate` moves only where something changed.

        Returns Codat's validation warnings about what it could not fill in.
        """
        state = self.package.state
        self._seen.clear()
        ids = state.stale.pop(data_type, {})
        warnings = []
        for record_id in ids:
            live = state.live[data_type].get(record_id)
            if live is None:
                self._mark_deleted(data_type, record_id, now)
                continue
            gaps: list[str] = []
            shown = _SHOW[data_type](self, live, gaps)
            if gaps:
                state.mark(data_type, record_id)
                warnings.append(_warning(data_type, record_id, gaps))
            self._replace(data_type, shown, live, now)
        return warnings

    def _mark_deleted(self, data_type: str, record_id: str, now: datetime) -> None:
        copy = self.package.state.cache[data_type].get(record_id)
        if copy is not None and not copy["metadata"]["isDeleted"]:
            gone = {**copy, "metadata": {"isDeleted": True}, "modifiedDate": wire_instant(now)}
            self.package.state.keep(data_type, gone)

    def _replace(self, data_type: str, shown: Record, live: Record, now: datetime) -> None:
        state = self.package.state
        before = state.cache[data_type].get(live["id"])
        shown["modifiedDate"] = before["modifiedDate"] if before else ""
        shown["sourceModifiedDate"] = live["sourceModifiedDate"]
        shown["metadata"] = {"isDeleted": False}
        if shown == before:
            return
        shown["modifiedDate"] = wire_instant(now)
        state.keep(data_type, shown)
        if data_type == "payments":
            self._restale_documents(before, shown)
        elif before is not None and data_type in _NAMED:
            name = _NAMED[data_type]
            if before.get(name) != shown.get(name):
                for referring in _REFERRING:
                    state.mark(referring, *state.live[referring])

    def _restale_documents(self, *payments: Record | None) -> None:
        """A document shows allocations of synced payments only, so it reads differently after payments were synced."""
        for payment in payments:
            for line in (payment or {}).get("lines", ()):
                for link in line["links"]:
                    if link["type"] in CUSTOMER_DOCUMENTS:
                        self.package.state.mark(CUSTOMER_DOCUMENTS[link["type"]], link["id"])

    # -- references ----------------------------------------------------------------------------------------------------

    def _ref(self, data_type: str, record_id: str, gaps: list[str], name: str = "name") -> Record:
        seen = self._seen.get((data_type, record_id, name))
        if seen is not None:
            return seen
        known = self.package.state.cache[data_type].get(record_id)
        if known is None:
            if self.package.find(data_type, record_id) is not None and record_id not in ("NON", "SHIPPING_ITEM_ID"):
                gaps.append(data_type)
                return {"id": record_id}
            return {"id": record_id, "name": "Shipping" if record_id == "SHIPPING_ITEM_ID" else record_id}
        found = self._seen[data_type, record_id, name] = {"id": record_id, name: known[_NAMED[data_type]]}
        return found

    def _customer(self, record: Record, gaps: list[str]) -> Record:
        customer_id = record["customerRef"]["id"]
        if not customer_id:
            return {}
        found = self._ref("customers", customer_id, gaps, "companyName")
        return {"customerRef": found if "companyName" in found else {"id": customer_id, "companyName": None}}

    def _tax(self, tax_id: str, gaps: list[str]) -> Record:
        found = self._ref("taxRates", tax_id, gaps)
        if "name" in found and "effectiveTaxRate" not in found:
            known = self.package.state.cache["taxRates"].get(tax_id, {})
            found["effectiveTaxRate"] = known.get("effectiveTaxRate", 0)
        return found

    def _line(self, line: Record, gaps: list[str]) -> Record:
        shown = dict(line)
        for name, data_type in (("accountRef", "chartOfAccounts"), ("itemRef", "items")):
            if name in shown:
                shown[name] = self._ref(data_type, shown[name]["id"], gaps)
        if "taxRateRef" in shown:
            shown["taxRateRef"] = self._tax(shown["taxRateRef"]["id"], gaps)
        if shown["trackingCategoryRefs"]:
            shown["trackingCategoryRefs"] = [
                self._ref("trackingCategories", ref["id"], gaps) for ref in shown["trackingCategoryRefs"]
            ]
        return shown

    # -- documents -----------------------------------------------------------------------------------------------------

    def _allocations(self, data_type: str, record: Record, gaps: list[str]) -> list[Record]:
        payers = self.package.state.payers.get((data_type, record["id"]), ())
        if not payers:
            return []
        kind = "Invoice" if data_type == "invoices" else "CreditNote"
        copies = self.package.state.cache["payments"]
        found = []
        for payment_id in payers:
            payment = copies.get(payment_id)
            if payment is None:
                gaps.append("payments")
                continue
            for line in payment["lines"]:
                found += [
                    _allocation(payment, link, record)
                    for link in line["links"]
                    if link["type"] == kind and link["id"] == record["id"]
                ]
        return found

    def _document(self, data_type: str, record: Record, gaps: list[str]) -> Record:
        shown = {key: value for key, value in record.items() if key not in ("lineItems", "customerRef")}
        shown |= self._customer(record, gaps)
        lines = [self._line(line, gaps) for line in record["lineItems"]]
        for line in lines:
            line["isDirectIncome"] = False
        shown |= {
            "lineItems": lines,
            "paymentAllocations": self._allocations(data_type, record, gaps),
            "withholdingTax": [],
            "additionalTaxAmount": 0,
            "additionalTaxPercentage": 0,
            "status": _status(self.package, data_type, record),
        }
        return shown

    def _invoice(self, record: Record, gaps: list[str]) -> Record:
        shown = self._document("invoices", record, gaps)
        shown["salesOrderRefs"] = []
        void = record["status"] == "Void"
        shown["amountDue"] = ZERO if void else outstanding(self.package, "invoices", record)
        if shown["status"] == "Paid":
            shown["paidOnDate"] = self._last_date("invoices", record)
        return shown

    def _credit_note(self, record: Record, gaps: list[str]) -> Record:
        shown = self._document("creditNotes", record, gaps)
        shown.setdefault("discountPercentage", 0)
        void = record["status"] == "Void"
        shown["remainingCredit"] = ZERO if void else outstanding(self.package, "creditNotes", record)
        if shown["status"] == "Paid":
            shown["allocatedOnDate"] = self._last_date("creditNotes", record)
        return shown

    def _last_date(self, data_type: str, record: Record) -> str:
        live = self.package.state.live["payments"]
        payers = self.package.state.payers.get((data_type, record["id"]), ())
        return max((str(live[one]["date"]) for one in payers), default=str(record["issueDate"]))

    def _payment(self, record: Record, gaps: list[str]) -> Record:
        shown = {key: value for key, value in record.items() if key != "customerRef"}
        shown |= self._customer(record, gaps)
        if "accountRef" in record:
            shown["accountRef"] = self._ref("chartOfAccounts", record["accountRef"]["id"], gaps)
        if "paymentMethodRef" in record:
            shown["paymentMethodRef"] = self._ref("paymentMethods", record["paymentMethodRef"]["id"], gaps)
        return shown

    def _direct(self, record: Record, gaps: list[str]) -> Record:
        negative = self.package.rules.cost_allocation_negative and record["id"].startswith("PUR-")
        account = record["paymentAllocations"][0]["payment"]["accountRef"]["id"]
        money = {"currency": record["currency"], "currencyRate": record["currencyRate"]}
        payment = {
            "id": record["id"],
            "accountRef": self._ref("chartOfAccounts", account, gaps),
            **money,
            "paidOnDate": record["issueDate"],
            "totalAmount": record["totalAmount"],
        }
        allocation = {
            **money,
            "allocatedOnDate": record["issueDate"],
            "totalAmount": -record["totalAmount"] if negative else record["totalAmount"],
        }
        return {
            **record,
            "lineItems": [{**self._line(line, gaps), "tracking": {"recordRefs": []}} for line in record["lineItems"]],
            "paymentAllocations": [{"payment": payment, "allocation": allocation}],
        }

    def _transfer(self, record: Record, gaps: list[str]) -> Record:
        shown = dict(record)
        for side in ("from", "to"):
            end = record[side]
            shown[side] = {
                "accountRef": self._ref("chartOfAccounts", end["accountRef"]["id"], gaps),
                "currency": end["currency"],
                "amount": end["amount"],
            }
        return shown

    def _journal(self, record: Record, gaps: list[str]) -> Record:
        lines = [
            {**line, "accountRef": self._ref("chartOfAccounts", line["accountRef"]["id"], gaps)}
            for line in record["journalLines"]
        ]
        return {**record, "journalLines": lines}

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _account(self, record: Record, _gaps: list[str]) -> Record:
        base, own = self.package.state.balances.get(record["id"], (ZERO, ZERO))
        balance = base if self.package.rules.base_balances else own
        return {**record, "currentBalance": -balance if record["type"] in _CREDIT_KINDS else balance}

    def _bank_account(self, record: Record, _gaps: list[str]) -> Record:
        own: Decimal = self.package.state.balances.get(record["_account"], (ZERO, ZERO))[1]
        shown = {key: value for key, value in record.items() if not key.startswith("_")}
        return {**shown, "balance": own, "availableBalance": own}

    def _item(self, record: Record, gaps: list[str]) -> Record:
        shown = dict(record)
        for side in ("invoiceItem", "billItem"):
            if side not in record:
                continue
            shown[side] = dict(record[side])
            if "accountRef" in record[side]:
                shown[side]["accountRef"] = self._ref("chartOfAccounts", record[side]["accountRef"]["id"], gaps)
            if "taxRateRef" in record[side]:
                shown[side]["taxRateRef"] = self._tax(record[side]["taxRateRef"]["id"], gaps)
        return shown

    def _contact(self, record: Record, _gaps: list[str]) -> Record:
        shown = {"addresses": [], **record}
        for contact in shown.get("contacts") or ():
            contact.setdefault("status", "Active")
        return shown

    def _plain(self, record: Record, _gaps: list[str]) -> Record:
        return dict(record)


def _status(package: Package, data_type: str, record: Record) -> str:
    """Give the status a document reads with, by the rule of reference §7.1."""
    if record["status"] in ("Draft", "Void"):
        return str(record["status"])
    left = outstanding(package, data_type, record)
    if left == 0:
        return "Paid"
    return "Submitted" if left == record["totalAmount"] else "PartiallyPaid"


def _allocation(payment: Record, link: Record, document: Record) -> Record:
    """Show one link as the document's allocation: negative on invoices, positive on credit notes (§8.5)."""
    shown: dict[str, Any] = {
        name: payment[name] for name in ("id", "note", "reference", "accountRef") if payment.get(name)
    }
    shown |= {
        "currency": payment["currency"],
        "currencyRate": payment["currencyRate"],
        "paidOnDate": payment["date"],
        "totalAmount": payment["totalAmount"],
    }
    return {
        "payment": shown,
        "allocation": {
            "currency": document["currency"],
            "currencyRate": link["currencyRate"],
            "allocatedOnDate": payment["date"],
            "totalAmount": link["amount"],
        },
    }


def _warning(data_type: str, record_id: str, gaps: Iterable[str]) -> dict[str, str]:
    missing = ", ".join(sorted(set(gaps)))
    return {
        "ruleId": "UnresolvedReference",
        "itemId": record_id,
        "message": f"Refers to {missing} not synced yet.",
        "validatorName": document_name(data_type),
    }


_SHOW: dict[str, Callable[[Copier, Record, list[str]], Record]] = {
    "invoices": Copier._invoice,
    "creditNotes": Copier._credit_note,
    "payments": Copier._payment,
    "directCosts": Copier._direct,
    "directIncomes": Copier._direct,
    "transfers": Copier._transfer,
    "journalEntries": Copier._journal,
    "chartOfAccounts": Copier._account,
    "bankAccounts": Copier._bank_account,
    "items": Copier._item,
    "customers": Copier._contact,
    "suppliers": Copier._contact,
    "taxRates": Copier._plain,
    "trackingCategories": Copier._plain,
    "paymentMethods": Copier._plain,
}
