"""A Codat body in the making: what the live options let into it, and what of the file they keep out (design D7)."""

from dataclasses import dataclass, field
from typing import Any

from codat_ar_cli.domain.options import Option
from codat_ar_cli.domain.platforms import PlatformRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.types import DataType


@dataclass(slots=True)
class Body:
    """A body in the making, with what could not be put into it."""

    data_type: DataType
    option: Option
    platform: PlatformRules
    value: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def offers(self, path: str) -> bool:
        """Tell whether the body may hold this path: offered, and not used by the platform for something else."""
        reserved, also_offered = self.platform.reserved, self.platform.also_offered
        if not reserved and not also_offered:
            return self.option.offers(path)
        named = f"{self.data_type.value}.{path}"
        return named not in reserved and (self.option.offers(path) or named in also_offered)

    def put(self, name: str, value: Any) -> bool:
        """Write a property if there is a value and the platform takes it; tells whether it takes it."""
        if not self.offers(name):
            return False
        if value is not None:
            self.value[name] = value
        return True

    def put_stated(self, name: str, value: Any, shown: object) -> None:
        """Write a property of the file; one that the platform doesn't take becomes a problem."""
        if value is not None and not self.put(name, value):
            self.refuse(name, shown)

    def refuse(self, name: str, shown: object, why: str | None = None) -> None:
        """Note a value of the file that will not reach the books."""
        problem = not_taken(self.data_type, name, self.platform, shown, why)
        if problem not in self.problems:
            self.problems.append(problem)

    def room(self, path: str, limit: int | None) -> int | None:
        """Give how many characters a text may have here; None: no limit known."""
        option = self.option.at(path)
        limits = [each for each in (limit, option.max_length if option else None) if each is not None]
        return min(limits, default=None)


def not_taken(
    data_type: DataType, name: str, platform: PlatformRules, shown: object, why: str | None = None
) -> Problem:
    """Say that a value of the file can't reach the books; a profile may accept that for good (design D7)."""
    acceptable = f"{data_type.value}.{name}"
    reason = why or f"{platform.name} takes no {WORDS.get(name, name)} for {data_type.label}"
    return Problem(
        "platform.not-taken",
        f"{reason}: `{shown}` would not reach the books",
        hint=f"codat-ar map accept {acceptable}",
        path=name,
        acceptable=acceptable,
    )


WORDS = {
    "invoiceNumber": "number",
    "issueDate": "issue date",
    "dueDate": "due date",
    "currencyRate": "exchange rate",
    "reference": "reference",
    "note": "note",
    "description": "line description",
    "tracking": "tracking",
    "item": "item",
    "account": "account",
    "method": "payment method",
    "taxRate": "tax rate",
}
"""What people call the properties of a body."""
