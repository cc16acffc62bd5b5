"""Which records can answer a mapping slot, best first and with the reason; which can't, and why (reference §6.9)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.slots import Slot, Target, fold
from codat_ar_cli.domain.types import (
    Account,
    BankAccount,
    Currency,
    Item,
    PaymentMethod,
    ReferenceData,
    Supplier,
    TaxRate,
    TrackingCategory,
)

GOOD = 60
"""The score from which a candidate is more than merely valid: something in its data speaks for it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record that could answer a slot, or that can't."""

    target: Target
    reason: str
    """What speaks for it, in words: `bank account in GBP`."""
    excluded: str | None = None
    """Why it can't be used here; None: it can."""
    score: int = 0
    """Higher is better; `GOOD` and above means more than merely valid."""
    details: str = ""
    """What else people recognise it by, such as sort code and account number."""
    percent: str | None = None
    """Of a tax rate: what it charges, as text; None where the platform doesn't say."""

    @property
    def is_good(self) -> bool:
        """Whether it can be used and something speaks for it."""
        return self.excluded is None and self.score >= GOOD


@dataclass(frozen=True, slots=True)
class _View:
    """What the questions about one company have in common."""

    reference: ReferenceData
    platform: PlatformRules
    base: Currency | None
    currency: Currency | None


def candidates(
    slot: Slot, reference: ReferenceData, platform: PlatformRules, *, currency: Currency | None = None
) -> tuple[Candidate, ...]:
    """List every record of the slot's kind: usable ones best first, then the excluded ones with their reason.

    currency: what the money will be in; None: only the base currency counts in favour of an account.
    """
    base = reference.company_info.base_currency if reference.company_info else None
    found = _LISTS[slot](_View(reference, platform, base, currency))
    return tuple(sorted(found, key=_rank))


def _rank(each: Candidate) -> tuple[bool, int, int, str]:
    """Order usable ones by score; of equally good ones the shorter, more general name: `Sales`, `Export Sales`."""
    length = len(each.target.name) if each.is_good else 0
    return each.excluded is not None, -each.score, length, fold(each.target.name)


def _bank_accounts(view: _View) -> Iterable[Candidate]:
    details = _BankDetails(view.reference.bank_accounts)
    for account in view.reference.accounts:
        reason, score = "", 0
        excluded = _life(account.status, account.is_deleted)
        if "Payment.AccountRef.Id" in account.valid_links:
            reason, score = "the platform allows payments to it", 60
        elif _qualified(account).endswith(".paymentsenabled"):
            reason, score = "payments are enabled on it", 50
        elif account.is_bank_account:
            reason, score = "bank account", 60
            if account.valid_links and not any(link.startswith("Payment.") for link in account.valid_links):
                reason, score = "bank account, though its links name other uses", 40
        elif any(part in _category(account) for part in view.platform.payment_account_categories):
            reason, score = "takes payments on this platform", 30
        else:
            excluded = excluded or "not a bank account, and payments are not enabled on it"
        if account.is_bank_account:
            score += 10
        excluded = excluded or _currency_clash(account, view)
        if account.currency is not None and account.currency == (view.currency or view.base):
            reason, score = f"{reason} in {account.currency}", score + 10
        elif account.currency is not None and view.base is not None:
            reason, score = f"{reason} in {account.currency}", score - 30
        yield Candidate(_account_target(account), reason, excluded, score, details.of(account))


def _currency_clash(account: Account, view: _View) -> str | None:
    if account.currency is None or view.base is None or account.currency == view.base:
        return None
    if view.platform.payment_account_base_only:
        return f"in {account.currency}; this platform takes payments only to accounts in {view.base}"
    if view.currency is not None and account.currency != view.currency:
        return f"in {account.currency}; a payment in {view.currency} needs an account in {view.currency} or {view.base}"
    return None


class _BankDetails:
    """Join accounts to the bank details of the same nominal code, else of the same name (reference §6.2)."""

    def __init__(self, banks: Sequence[BankAccount]) -> None:
        alive = [bank for bank in banks if not bank.is_deleted]
        self._by_code = _unique((fold(bank.nominal_code), bank) for bank in alive if bank.nominal_code)
        self._by_name = _unique((fold(bank.name), bank) for bank in alive)

    def of(self, account: Account) -> str:
        bank = self._by_code.get(fold(account.nominal_code)) if account.nominal_code else None
        bank = bank or self._by_name.get(fold(account.name))
        if bank is None:
            return ""
        return " ".join(part for part in (bank.institution, bank.sort_code, bank.account_number, bank.iban) if part)


def _unique(pairs: Iterable[tuple[str, BankAccount]]) -> dict[str, BankAccount]:
    found: dict[str, BankAccount] = {}
    doubled: set[str] = set()
    for key, bank in pairs:
        if key in found:
            doubled.add(key)
        found[key] = bank
    return {key: bank for key, bank in found.items() if key not in doubled}


def _typed_accounts(view: _View, wanted: str, link: str, names: re.Pattern[str]) -> Iterable[Candidate]:
    for account in view.reference.accounts:
        excluded = _life(account.status, account.is_deleted)
        linked = link in account.valid_links
        if excluded is None and account.valid_links and not linked:
            excluded = f"the platform's links for it don't include {link.split('.', 1)[0]} lines"
        if excluded is None and account.is_bank_account:
            excluded = "a bank account"
        if excluded is None and account.type not in {wanted, "Unknown"} and not linked:
            excluded = f"of type {account.type}, not {wanted}"
        reason, score = f"{wanted.lower()} account", 40 if account.type == wanted else 10
        if names.search(account.name):
            reason, score = f"{reason} whose name says so", score + 30
        if linked:
            reason, score = f"{reason}, which the platform allows here", score + 10
        yield Candidate(_account_target(account), reason, excluded, score)


def _income_accounts(view: _View) -> Iterable[Candidate]:
    return _typed_accounts(view, "Income", "Invoice.LineItems.AccountRef.Id", _SALES)


def _fee_accounts(view: _View) -> Iterable[Candidate]:
    return _typed_accounts(view, "Expense", "DirectCost.LineItems.AccountRef.Id", _FEES)


_SALES = re.compile(r"\b(sales?|revenue|turnover|services?)\b", re.IGNORECASE)
_FEES = re.compile(r"\b(fees?|charges?|commissions?|merchant)\b", re.IGNORECASE)
_PAYEES = re.compile(r"stripe|gocardless|paypal|square|adyen|worldpay|sumup|shopify|\bbank\b", re.IGNORECASE)
_OUTPUT = re.compile(r"\b(income|sales|output)\b", re.IGNORECASE)


def _tax_rates(view: _View) -> Iterable[Candidate]:
    endings = view.platform.invoice_tax_links
    for rate in view.reference.tax_rates:
        excluded = _life(rate.status, rate.is_deleted) or _not_for_sales(rate, endings)
        percent = None if rate.effective_rate is None else f"{rate.effective_rate.normalize():f}"
        reason, score = "rate not stated" if percent is None else f"charges {percent}%", 40
        if _OUTPUT.search(rate.name):
            reason, score = f"{reason}, for sales by its name", score + 10
        if rate.effective_rate:
            score += 10
        yield Candidate(Target(rate.id, rate.name, rate.code), reason, excluded, score, percent=percent)


def _not_for_sales(rate: TaxRate, endings: tuple[str, ...]) -> str | None:
    if rate.valid_links:
        allowed = any(link.startswith("Invoice.") for link in rate.valid_links)
        return None if allowed else "the platform's links for it don't include invoices"
    if endings and not rate.id.endswith(endings):
        return "not the version of this rate for invoices"
    return None


def _items(view: _View) -> Iterable[Candidate]:
    accounts = {account.id: account for account in view.reference.accounts}
    for item in view.reference.items:
        excluded = _life(item.status, item.is_deleted)
        if excluded is None and not item.is_invoice_item:
            excluded = "not sold on invoices"
        reason, score = f"{item.type.lower()} item", 40 + (5 if item.type == "Service" else 0)
        account = accounts.get(item.income_account) if item.income_account else None
        if account is not None:
            reason += f" posting to {account.name}"
        if _SALES.search(item.name):
            reason, score = f"{reason}, sales by its name", score + 20
        yield Candidate(Target(item.id, item.name, item.code), reason, excluded, score)


def _tracking(view: _View) -> Iterable[Candidate]:
    names = {category.id: category.name for category in view.reference.tracking_categories}
    for category in view.reference.tracking_categories:
        excluded = _life(category.status, category.is_deleted)
        if excluded is None and view.platform.tracking.leaf_only and _is_heading(category, view):
            excluded = "a heading: choose one of the entries below it"
        parent = names.get(category.parent_id) if category.parent_id else None
        yield Candidate(
            Target(category.id, category.name), f"of {parent}" if parent else "tracking category", excluded, 40
        )


def _is_heading(category: TrackingCategory, view: _View) -> bool:
    if category.has_children:
        return True
    return view.platform.tracking.leaf_has_parent and category.parent_id is None


def _payment_methods(view: _View) -> Iterable[Candidate]:
    allowed = view.platform.choices.get("paymentMethodRef.id")
    for method in view.reference.payment_methods:
        excluded = _life(method.status, method.is_deleted)
        if excluded is None and allowed is not None and method.id not in allowed:
            excluded = "not a method that this platform takes for payments"
        yield Candidate(_named(method), "payment method", excluded, 40)


def _suppliers(view: _View) -> Iterable[Candidate]:
    for supplier in view.reference.suppliers:
        is_payee = _PAYEES.search(supplier.name) is not None
        reason = "a payment processor or bank by its name" if is_payee else "supplier"
        excluded = _life(supplier.status, supplier.is_deleted)
        yield Candidate(_named(supplier), reason, excluded, 70 if is_payee else 40)


_LISTS: dict[Slot, Callable[[_View], Iterable[Candidate]]] = {
    Slot.BANK_ACCOUNT: _bank_accounts,
    Slot.INCOME_ACCOUNT: _income_accounts,
    Slot.FEE_ACCOUNT: _fee_accounts,
    Slot.FEE_SUPPLIER: _suppliers,
    Slot.TAX_RATE: _tax_rates,
    Slot.ITEM: _items,
    Slot.TRACKING: _tracking,
    Slot.PAYMENT_METHOD: _payment_methods,
}


def _life(status: str, is_deleted: bool) -> str | None:
    if is_deleted:
        return DELETED
    return None if status in {"Active", "Unknown"} else status.lower()


DELETED = "deleted in the books"


def _qualified(account: Account) -> str:
    return fold(account.qualified_name or account.name)


def _category(account: Account) -> str:
    return fold(account.qualified_category or "").replace(" ", "")


def _account_target(account: Account) -> Target:
    return Target(account.id, account.name, account.nominal_code or None)


def _named(record: PaymentMethod | Supplier | Item) -> Target:
    return Target(record.id, record.name)
