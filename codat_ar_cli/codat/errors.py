"""What can go wrong between us and Codat, by name; what each means for a write is said in its first line.

Reference §1.1 (status codes), §1.2 (error body), §1.5 and design D10 (what each means for a push).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from codat_ar_cli.domain.types import ValidationItem
from codat_ar_cli.errors import CodatArError, ExitCode


@dataclass(frozen=True, slots=True)
class Where:
    """Which request an error belongs to, and what Codat said about it. Holds no secret."""

    method: str = ""
    path: str = ""
    """Path with query, as sent."""
    status: int | None = None
    """HTTP status; None where there was no answer."""
    correlation_id: str | None = None
    """What Codat's support asks for."""
    validation: tuple[ValidationItem, ...] = ()
    """The errors of the body's `validation`, not its warnings."""


class CodatError(CodatArError):
    """Codat, or the way to it, did not do what was asked."""

    code: ClassVar[str] = "codat.error"
    exit_code: ClassVar[ExitCode] = ExitCode.TRY_LATER
    default_hint: ClassVar[str | None] = None

    def __init__(
        self,
        message: str,
        *,
        where: Where | None = None,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        place = where or Where()
        facts: dict[str, Any] = {
            "method": place.method,
            "path": place.path,
            "status": place.status,
            "correlation_id": place.correlation_id,
        }
        super().__init__(message, hint=hint or self.default_hint, details={**facts, **(details or {})})
        self.status: int | None = place.status
        self.correlation_id: str | None = place.correlation_id
        self.validation: tuple[ValidationItem, ...] = place.validation


class UnsafeAddress(CodatArError):
    """The base address can't be used: the API key would travel unprotected, or the address has no meaning here."""

    code = "codat.unsafe-address"
    exit_code = ExitCode.USAGE


class UnusableKey(CodatArError):
    """The API key can't be a key at all: nothing was sent."""

    code = "codat.unusable-key"
    exit_code = ExitCode.KEY_REFUSED

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the API key {why}",
            hint="copy it again from Codat's portal (Developers > API keys): the key, or the whole `Basic …` header",
        )


class UnusableProxy(CodatArError):
    """The proxy that the environment names can't be used; it is not shown, since it may hold a password."""

    code = "codat.unusable-proxy"

    def __init__(self) -> None:
        super().__init__(
            "the proxy named by HTTPS_PROXY, ALL_PROXY or the system is not an http or https address",
            hint="set HTTPS_PROXY=http://HOST:PORT, or leave it out for this host with NO_PROXY",
        )


class UnusableCertificates(CodatArError):
    """The file or folder of trusted certificates can't be read."""

    code = "codat.unusable-certificates"

    def __init__(self, place: str, error: OSError) -> None:
        super().__init__(
            f"the trusted certificates in {place} can't be read: {error.strerror or error}",
            hint="name a PEM file in SSL_CERT_FILE, or unset it to trust the usual authorities",
            details={"path": place},
        )


class KeyRefused(CodatError):
    """401: the key is wrong or was deleted. Stops the run; no document is at fault."""

    code = "codat.key-refused"
    exit_code = ExitCode.KEY_REFUSED
    default_hint = "check CODAT_API_KEY (or the profile's key) against Codat's portal, then `codat-ar whoami`"


class AccountLimited(CodatError):
    """402: the Codat account may not do this. Stops the run; no document is at fault."""

    code = "codat.account-limited"
    exit_code = ExitCode.TRY_LATER
    default_hint = "the Codat account has a limit (trial, plan or schedule): ask whoever holds the account"


class ComplianceBlock(AccountLimited):
    """451: Codat blocks this for compliance reasons. Stops the run; no document is at fault."""

    code = "codat.compliance-block"
    default_hint = "Codat blocks this account or company: contact Codat's support with the correlation id"


class AccessForbidden(CodatError):
    """403: the key is good but not for this. Stops the run; no document is at fault."""

    code = "codat.access-forbidden"
    exit_code = ExitCode.KEY_REFUSED
    default_hint = "the key belongs to a Codat client that may not do this: check the company and the key's permissions"


class RecordNotFound(CodatError):
    """404: no such company, connection, record, or data type on this platform. Final for a body."""

    code = "codat.not-found"
    exit_code = ExitCode.USAGE
    default_hint = "check the ids; `codat-ar whoami` shows the companies and connections this key can see"


class PlaceGone(RecordNotFound):
    """404 that names the company or the connection: gone or never there. Stops the run; no document is at fault."""

    code = "codat.place-gone"


class DataNotReady(CodatError):
    """409 on a read: Codat never synced this data type, or is still at it."""

    code = "codat.data-not-ready"
    default_hint = "sync it with `codat-ar fetch --refresh`, then repeat"


class KeyInProgress(CodatError):
    """409 on a push: the request with this idempotency key is still running. Wait, same key."""

    code = "codat.key-in-progress"


class KeyBodyMismatch(CodatError):
    """422 on a push: this idempotency key belongs to another body. A defect; never swap in a new key."""

    code = "codat.key-body-mismatch"
    exit_code = ExitCode.DEFECT
    default_hint = "please report it, with `codat-ar runs show`; nothing was sent twice"


class RateLimited(CodatError):
    """429: quota, concurrency or the platform's own limit. The key is free again: same key after the pause."""

    code = "codat.rate-limited"
    default_hint = "run again later; nothing is lost or sent twice"

    def __init__(
        self,
        message: str,
        *,
        where: Where | None = None,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        seconds = None if retry_after is None else math.ceil(retry_after)
        super().__init__(message, where=where, hint=hint, details={**(details or {}), "retry_after": seconds})
        self.retry_after = retry_after
        """Seconds Codat asks us to wait; None where it did not say, or said nonsense."""


class RequestRejected(CodatError):
    """400, 405, 413 and other refusals that Codat itself signed: final for this body."""

    code = "codat.rejected"
    exit_code = ExitCode.FINDINGS


class CodatFault(CodatError):
    """5xx: Codat's own fault. For a push the answer is replayed under that key, so it is in doubt."""

    code = "codat.fault"
    default_hint = "Codat has a fault: try later; its status page is status.codat.io"


class NotSent(CodatError):
    """No connection (refused, DNS, TLS): nothing left this machine. Same key again."""

    code = "codat.not-sent"
    default_hint = "check the network, proxy and CODAT_AR_BASE_URL"


class Untrusted(NotSent):
    """The other side's certificate does not prove who it is: nothing was said to it, and repeating would not help."""

    code = "codat.untrusted"
    default_hint = (
        "check CODAT_AR_BASE_URL and this machine's clock; where your own CA signs (a proxy that reads along, say), "
        "name its PEM file in SSL_CERT_FILE"
    )


class AnswerLost(CodatError):
    """It may have been done: the answer was cut, late or unreadable. Same key, same bytes, inside the window."""

    code = "codat.answer-lost"
    default_hint = "run again: the same idempotency key makes a repeat safe"


class RedirectRefused(AnswerLost):
    """A 3xx: Codat never redirects, and the key goes to no other host. Who answered is not known."""

    code = "codat.redirect-refused"
    default_hint = "a proxy or a wrong base address answers in Codat's place: check CODAT_AR_BASE_URL"


class AnswerTooLarge(AnswerLost):
    """The answer went on beyond what we read; asking again would bring the same."""

    code = "codat.answer-too-large"
    default_hint = "ask for smaller pages, or check what answers at CODAT_AR_BASE_URL"


class WireError(CodatError):
    """Codat's answer is JSON, but not of the shape that the reference gives."""

    code = "codat.wire"
    exit_code = ExitCode.DEFECT
    default_hint = "Codat may have changed its API: please report it with the correlation id"
