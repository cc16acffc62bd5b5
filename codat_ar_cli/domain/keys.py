"""Where an API key is kept, and what it looks like where it must not be; never the key itself."""

import base64
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

DEFAULT_VARIABLE = "CODAT_API_KEY"
KEYRING_SERVICE = "codat-ar"

_SHORTEST = 6
"""Characters. Shorter test keys occur in plain words and can't be taken out of them."""


def appearances(key: str) -> tuple[str, ...]:
    """Give every text that would give a key away, longest first: raw, as header, encoded in the usual ways."""
    raw = key.strip().removeprefix("Basic ").strip()
    encoded = base64.b64encode(raw.encode()).decode()
    forms = {key.strip(), raw, encoded, f"Basic {raw}", f"Basic {encoded}"}
    with contextlib.suppress(ValueError):  # a ready header is a key encoded already
        forms.add(base64.b64decode(raw, validate=True).decode())
    forms |= {base64.b64encode(form.encode()).decode() for form in forms}
    # As an address and as a JSON text or a Python literal would have it.
    forms |= {quote(form, safe="") for form in forms} | {quote(form) for form in forms}
    forms |= {repr(form)[1:-1] for form in forms}
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


class KeyKind(StrEnum):
    """The places a key may be kept in (design D3)."""

    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class KeySource:
    """How to get at a profile's API key. Only the fields of its kind count."""

    kind: KeyKind = KeyKind.ENV
    variable: str = DEFAULT_VARIABLE
    """ENV: name of the environment variable."""
    path: str | None = None
    """FILE: absolute, or relative to the config file that names it; holds the key and nothing else."""
    account: str | None = None
    """KEYRING: the entry's user name under the service `codat-ar`."""
    command: tuple[str, ...] = ()
    """COMMAND: program and arguments, run without a shell; the key is its first line of output."""

    def __str__(self) -> str:
        match self.kind:
            case KeyKind.ENV:
                return f"environment variable {self.variable}"
            case KeyKind.FILE:
                return f"file {self.path}"
            case KeyKind.KEYRING:
                return f"keyring entry {KEYRING_SERVICE}/{self.account}"
            case KeyKind.COMMAND:
                return f"command {self.command[0] if self.command else '(none)'}"
