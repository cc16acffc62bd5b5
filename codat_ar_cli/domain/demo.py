"""What the demo shows of an invoice."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Due:
    """One of the demo's invoices: what was owed before and after the payments, in its own currency."""

    number: str
    customer: str
    currency: str
    total: Decimal
    before: Decimal
    after: Decimal
    status: str
    """As the books have it after the payments: `Submitted`, `PartiallyPaid` or `Paid`."""
