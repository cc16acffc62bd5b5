"""API keys: fetched from where the profile says they are kept, and never printed.

A key is not accepted on the command line (process lists and shell histories keep those) nor in the config file.
"""

import hmac
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from codat_ar_cli.domain.keys import DEFAULT_VARIABLE, KEYRING_SERVICE, KeyKind, KeySource, appearances
from codat_ar_cli.errors import CodatArError, ExitCode
from codat_ar_cli.private import write_private

COMMAND_TIMEOUT = 60
"""Seconds a key command may take: long enough to unlock a password manager by hand."""
_MAX_KEY = 4096

_seen: set[str] = set()


class KeyMissing(CodatArError):
    """The place that should hold the key holds none."""

    code = "key.missing"
    exit_code = ExitCode.USAGE


class KeyMalformed(CodatArError):
    """What was found can't be a key: several lines, blanks or unprintable characters."""

    code = "key.malformed"


class KeyFileExposed(CodatArError):
    """Others on this machine can read or change the key file."""

    code = "key.file-exposed"


class KeyFileUnreadable(CodatArError):
    """The key file is there but can't be read, or can't be written."""

    code = "key.file-unreadable"


class KeyringUnavailable(CodatArError):
    """This system has no usable keyring, or it refused."""

    code = "key.keyring-unavailable"


class KeyCommandFailed(CodatArError):
    """The command that should print the key did not."""

    code = "key.command-failed"


class Secret:
    """A key that shows itself only to `reveal()`: not in `str`, `repr`, formatting, pickles or crash reports."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        _seen.update(appearances(value))

    def reveal(self) -> str:
        """Give the key itself; only the HTTP client asks."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __str__(self) -> str:
        return "…"

    def __format__(self, spec: str) -> str:
        return "…"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret can't be pickled")


def redact(text: str) -> str:
    """Take every key this process has held out of a text, in every form that gives it away."""
    for shape in sorted(_seen, key=len, reverse=True):
        text = text.replace(shape, "[redacted]")
    return text


def effective_source(source: KeySource, env: Mapping[str, str]) -> KeySource:
    """Say where the key will really come from: `CODAT_API_KEY`, where set, goes before the profile's own place.

    A profile that names a variable of its own keeps it, so that several profiles can live in one environment.
    """
    if source.kind is not KeyKind.ENV and env.get(DEFAULT_VARIABLE, "").strip():
        return KeySource(KeyKind.ENV)
    return source


def read_key(source: KeySource, env: Mapping[str, str], *, folder: Path | None = None) -> Secret:
    """Fetch the key from where it is kept.

    Args:
        source: the profile's key source; `effective_source` is applied first.
        env: the environment.
        folder: what a relative key file is relative to (the config file's folder); None: the working folder.

    Raises:
        KeyMissing, KeyMalformed, KeyFileExposed, KeyFileUnreadable, KeyringUnavailable, KeyCommandFailed.
    """
    source = effective_source(source, env)
    match source.kind:
        case KeyKind.ENV:
            text = env.get(source.variable, "")
        case KeyKind.FILE:
            text = _from_file(_key_path(source, folder))
        case KeyKind.KEYRING:
            text = _from_keyring(source.account or "")
        case KeyKind.COMMAND:
            text = _from_command(source.command)
    return parse_key(text, where=str(source), hint=_missing_hint(source))


def parse_key(text: str, *, where: str, hint: str | None = None) -> Secret:
    """Take a key as pasted: outer blanks dropped, the ready header `Basic …` accepted as it is.

    Raises KeyMissing when nothing is there, KeyMalformed when it can't be a key; neither shows what was found.
    """
    value = text.removeprefix("\ufeff").strip()
    if not value:
        raise KeyMissing(f"no API key in {where}", hint=hint, details={"source": where})
    scheme, _, rest = value.partition(" ")
    is_header = scheme == "Basic"
    body = rest.strip() if is_header else value
    if not body or len(value) > _MAX_KEY or not body.isascii() or not body.isprintable() or " " in body:
        raise KeyMalformed(
            f"what stands in {where} can't be an API key: expected one line without blanks",
            hint="copy the key from the Codat portal: Developers > API keys",
            details={"source": where},
        )
    return Secret(f"Basic {body}" if is_header else body)


def store_key(source: KeySource, secret: Secret, *, folder: Path | None = None) -> None:
    """Keep a key in the file or keyring entry that `source` names; a file is made 0600.

    Raises KeyFileUnreadable or KeyringUnavailable. An environment variable or a command can't be written to.
    """
    if source.kind is KeyKind.FILE:
        _to_file(_key_path(source, folder), secret)
    elif source.kind is KeyKind.KEYRING:
        _to_keyring(source.account or "", secret)
    else:
        raise ValueError(f"a key can't be stored in a {source.kind}")


def _missing_hint(source: KeySource) -> str:
    match source.kind:
        case KeyKind.ENV:
            return f"set {source.variable}, or choose another place with `codat-ar init`"
        case KeyKind.COMMAND:
            return f"`{source.command[0]}` must print the key on its first line"
        case _:
            return "store it with `codat-ar init`"


def _key_path(source: KeySource, folder: Path | None) -> Path:
    path = expand_home(source.path or "")
    return path if path.is_absolute() or folder is None else folder / path


def expand_home(place: str) -> Path:
    """Read a key file's path, `~` as the home folder; raises KeyFileUnreadable where there is no such home."""
    try:
        return Path(place).expanduser()
    except RuntimeError as error:
        raise KeyFileUnreadable(
            f"`{place}` begins with a home folder that this machine does not know", hint="give the whole path"
        ) from error


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _refuse_exposed(path, os.fstat(file.fileno()))
            return file.read(_MAX_KEY + 1).decode("utf-8")
    except FileNotFoundError as error:
        raise KeyMissing(
            f"key file {path} does not exist", hint="store the key with `codat-ar init --key-file`"
        ) from error
    except UnicodeDecodeError as error:
        raise KeyMalformed(f"key file {path} is not text", hint="it must hold the key and nothing else") from error
    except OSError as error:
        raise KeyFileUnreadable(
            f"key file {path} can't be read: {error.strerror}", hint="check its owner and permissions"
        ) from error


def _refuse_exposed(path: Path, facts: os.stat_result) -> None:
    if os.name != "posix":
        return  # Windows keeps access in ACLs, which the mode bits do not show
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o077:
        raise KeyFileExposed(
            f"key file {path} is open to others (mode {mode:04o}); expected 0600",
            hint=f"chmod 600 '{path}', and change the key if others may have seen it",
            details={"path": str(path), "mode": f"{mode:04o}"},
        )


def _to_file(path: Path, secret: Secret) -> None:
    try:
        write_private(path, secret.reveal() + "\n")
    except OSError as error:
        message = f"key file {path} can't be written: {error.strerror}"
        raise KeyFileUnreadable(message, hint="check the folder's owner and permissions, or name another") from error


def _from_keyring(account: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(KEYRING_SERVICE, account) or ""
    except (KeyringError, RuntimeError) as error:
        raise _no_keyring(error) from error


def _to_keyring(account: str, secret: Secret) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(KEYRING_SERVICE, account, secret.reveal())
    except (KeyringError, RuntimeError) as error:
        raise _no_keyring(error) from error


def _no_keyring(error: Exception) -> KeyringUnavailable:
    reason = redact(str(error)).splitlines()
    return KeyringUnavailable(
        f"this system's keyring can't be used: {reason[0].strip() if reason else type(error).__name__}",
        hint="keep the key in a file (`codat-ar init --key-file PATH`) or in CODAT_API_KEY",
    )


def _from_command(command: tuple[str, ...]) -> str:
    # The output is the key: it is read, never shown, not even when the command fails.
    hint = f"run it by hand: `{command[0]}` must print the key on its first line and exit with 0"
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT, check=False)
    except FileNotFoundError as error:
        raise KeyCommandFailed(f"key command `{command[0]}` was not found", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise KeyCommandFailed(
            f"key command `{command[0]}` gave no answer in {COMMAND_TIMEOUT} s", hint=hint
        ) from error
    except OSError as error:
        raise KeyCommandFailed(f"key command `{command[0]}` can't be run: {error.strerror}", hint=hint) from error
    if done.returncode != 0:
        raise KeyCommandFailed(f"key command `{command[0]}` failed with exit code {done.returncode}", hint=hint)
    lines = done.stdout.decode("utf-8", errors="replace").splitlines()
    return lines[0] if lines else ""
