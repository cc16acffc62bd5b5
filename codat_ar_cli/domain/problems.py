"""What is wrong with one value, before it is known where in the file it stands."""

from dataclasses import dataclass

from codat_ar_cli.domain.findings import Finding, Place, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding without its place: the same value may stand in a thousand rows."""

    code: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.HOLD
    path: str | None = None
    """Where in a Codat body, such as `lineItems[0].taxAmount`; None: it is not about a body."""
    acceptable: str | None = None

    def at(self, place: Place | None, document: str | None) -> Finding:
        """Give the finding that this problem is at a place."""
        return Finding(
            code=self.code,
            severity=self.severity,
            message=self.message,
            place=place,
            hint=self.hint,
            document=document,
            acceptable=self.acceptable,
        )
