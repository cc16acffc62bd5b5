"""What a platform can't take of our layouts: the names under which a profile accepts that for good (design D7)."""

from dataclasses import dataclass

from codat_ar_cli.domain.body import WORDS, Body
from codat_ar_cli.domain.marking import marker_field
from codat_ar_cli.domain.options import Option
from codat_ar_cli.domain.platforms import IncomeBy, PlatformRules
from codat_ar_cli.domain.types import DataType

_OF_INVOICES = "invoiceNumber issueDate dueDate currencyRate reference note description taxRate account item tracking"
_OF_PAYMENTS = "currencyRate method reference note"

ACCEPTABLE: frozenset[str] = frozenset(
    [f"{DataType.INVOICES.value}.{name}" for name in _OF_INVOICES.split()]
    + [f"{DataType.PAYMENTS.value}.{name}" for name in _OF_PAYMENTS.split()]
)
"""Every name that a finding can be accepted under, on whatever platform."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One value of a file that this platform can't take."""

    name: str
    """What `map accept` takes: `invoices.issueDate`."""
    meaning: str
    """What happens instead, in words."""


def limits(option: Option, platform: PlatformRules, data_type: DataType) -> tuple[Limit, ...]:
    """List what the live options leave no place for, in the order of the layout's columns.

    A text that only lacks room on this platform is not listed: that depends on the row.
    """
    body = Body(data_type, option, platform)
    missing = _of_invoices(body) if data_type is DataType.INVOICES else _of_payments(body)
    return tuple(Limit(f"{data_type.value}.{name}", _meaning(name, body)) for name in missing)


def _of_invoices(body: Body) -> list[str]:
    plain = ("invoiceNumber", "issueDate", "dueDate", "currencyRate")
    names = [name for name in plain if not body.offers(name)]
    if not body.offers("note"):
        names += ["reference", "note"]
    takes_account = body.offers("lineItems.accountRef") and body.platform.income_by is IncomeBy.ACCOUNT
    takes_item = body.offers("lineItems.itemRef") and (body.platform.items_beside_accounts or not takes_account)
    line_fields = {
        "description": body.offers("lineItems.description"),
        "taxRate": body.offers("lineItems.taxRateRef"),
        "account": takes_account or takes_item,
        "item": takes_item,
        "tracking": body.offers("lineItems.trackingCategoryRefs"),
    }
    return names + [name for name, is_taken in line_fields.items() if not is_taken]


def _of_payments(body: Body) -> list[str]:
    names = [] if body.offers("currencyRate") else ["currencyRate"]
    return names if marker_field(body) else [*names, "reference", "note"]


def _meaning(name: str, body: Body) -> str:
    what = WORDS.get(name, name)
    if name == "invoiceNumber" and marker_field(body) == "note":
        return f"{body.platform.name} gives its own number; yours goes into the note"
    if name == "issueDate":
        return f"{body.platform.name} takes no issue date; it dates the invoice itself"
    if name == "currencyRate":
        return f"{body.platform.name} takes no exchange rate; it uses its own"
    return f"{body.platform.name} takes no {what}; it does not reach the books"
