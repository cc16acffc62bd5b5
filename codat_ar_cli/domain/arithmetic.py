"""Amounts of a document from its lines: sub-totals, tax, totals, and what the platform will make of them (design D5).

Everything is in the document's currency and rounded per its minor units; nothing is rounded twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from codat_ar_cli.domain import money
from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.money import round_to, show
from codat_ar_cli.domain.platforms import TotalsBy
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.types import Currency

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """What one line comes to."""

    discount: Decimal
    """Taken off quantity × unit amount, tax excluded."""
    sub_total: Decimal
    """After discount, before tax."""
    tax: Decimal
    tax_percent: Decimal | None
    """What the mapped rate charges; None where it isn't known and the file states the tax."""

    @property
    def total(self) -> Decimal:
        """Tax included."""
        return self.sub_total + self.tax


@dataclass(frozen=True, slots=True)
class DocumentAmounts:
    """What a document comes to: the sums of its lines."""

    lines: tuple[LineAmounts, ...]
    sub_total: Decimal
    tax: Decimal
    total: Decimal
    discount: Decimal


def line_amounts(
    *,
    quantity: Decimal,
    unit_amount: Decimal,
    currency: Currency,
    tax_percent: Decimal | None,
    tax_amount: Decimal | None = None,
    discount_amount: Decimal | None = None,
    discount_percentage: Decimal | None = None,
) -> LineAmounts:
    """Work one line out: quantity × unit amount − discount, then tax (reference §7.2).

    tax_percent: 20 = 20 %. tax_amount: stated by the file; wins. At most one of the two discounts is given; the
    discount that comes back is the one by which the platform, which rounds for itself, gets the same sub-total.
    """
    sub_total = money.line_net(
        quantity,
        unit_amount,
        currency,
        discount_amount=discount_amount,
        discount_percentage=discount_percentage,
    )
    discount = ZERO
    if discount_amount is not None or discount_percentage is not None:
        discount = money.line_net(quantity, unit_amount, currency) - sub_total
    if tax_amount is None:
        tax = money.tax_on(sub_total, tax_percent or ZERO, currency)
    else:
        tax = round_to(tax_amount, currency)
    return LineAmounts(discount, sub_total, tax, tax_percent)


def add_up(lines: Sequence[LineAmounts]) -> DocumentAmounts:
    """Sum the lines up; exact, since each is rounded already."""
    sub_total = sum((line.sub_total for line in lines), ZERO)
    tax = sum((line.tax for line in lines), ZERO)
    discount = sum((line.discount for line in lines), ZERO)
    return DocumentAmounts(tuple(lines), sub_total, tax, sub_total + tax, discount)


def predicted_total(
    amounts: DocumentAmounts, currency: Currency, *, totals_by: TotalsBy, tax_is_sent: bool, zero_overrides: bool
) -> Decimal:
    """Predict what the platform will show as the document's total, tax included.

    tax_is_sent: the body carries our tax amounts, which the platform then takes over; zero_overrides tells whether
    it does so for a tax of zero (not QuickBooks Online, reference §7.2). Otherwise it computes tax by the rates,
    and rounds it per line or once per rate over the document.
    """
    believed = tax_is_sent and (zero_overrides or amounts.tax != 0)
    if believed or any(line.tax_percent is None for line in amounts.lines):
        return amounts.total
    return amounts.sub_total + _tax_by_rates(amounts.lines, currency, totals_by)


def _tax_by_rates(lines: Sequence[LineAmounts], currency: Currency, totals_by: TotalsBy) -> Decimal:
    if totals_by is TotalsBy.LINE:
        return sum((money.tax_on(line.sub_total, line.tax_percent or ZERO, currency) for line in lines), ZERO)
    nets: dict[Decimal, Decimal] = {}
    for line in lines:
        percent = line.tax_percent or ZERO
        nets[percent] = nets.get(percent, ZERO) + line.sub_total
    return sum((money.tax_on(net, percent, currency) for percent, net in nets.items()), ZERO)


def total_problem(amounts: DocumentAmounts, currency: Currency, stated: Decimal | None) -> Problem | None:
    """Check the total that the file states: a slip is an error; tax rounded over the document is a choice to make."""
    if stated is None or stated == amounts.total:
        return None
    both = f"the file says {show(stated, currency)}, its lines come to {show(amounts.total, currency)}"
    known = all(line.tax_percent is not None for line in amounts.lines)
    if known and stated == amounts.sub_total + _tax_by_rates(amounts.lines, currency, TotalsBy.DOCUMENT):
        return Problem(
            "arithmetic.rounding",
            f"{both}: the file rounds tax over the document, the lines are rounded one by one",
            hint="state `tax_amount` per line, or the total as the lines come to",
        )
    return Problem("arithmetic.total", both, hint="correct the lines or the stated total", severity=Severity.ERROR)


def platform_problem(ours: Decimal, theirs: Decimal, currency: Currency) -> Problem | None:
    """Hold a document whose total the platform would show otherwise than the file's lines come to."""
    if ours == theirs:
        return None
    return Problem(
        "arithmetic.platform-total",
        f"the lines come to {show(ours, currency)}, but the platform would make it {show(theirs, currency)}",
        hint="adjust the lines so that both agree, or leave `tax_amount` out",
    )


def tax_problem(line: LineAmounts, currency: Currency, stated: Decimal | None) -> Problem | None:
    """Warn where a stated tax amount is more than a rounding away from what the mapped rate charges."""
    if stated is None or line.tax_percent is None:
        return None
    computed = money.tax_on(line.sub_total, line.tax_percent, currency)
    if abs(computed - stated) <= money.smallest(currency):
        return None
    return Problem(
        "arithmetic.tax",
        f"the file states {show(stated, currency)} of tax; "
        f"{line.tax_percent.normalize():f}% comes to {show(computed, currency)}",
        severity=Severity.WARNING,
    )
