"""Where an API key is kept; never the key itself."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_VARIABLE = "CODAT_API_KEY"
KEYRING_SERVICE = "codat-ar"


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
