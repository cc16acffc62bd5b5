"""What happens to an exception nobody foresaw: a redacted report in a file, one line on the terminal."""

import os
import platform
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codat_ar_cli import __version__
from codat_ar_cli.private import write_private
from codat_ar_cli.secrets import redact

if TYPE_CHECKING:
    from codat_ar_cli.cli.session import Session


def report(defect: Exception, words: Sequence[str], session: "Session") -> None:
    """Keep a defect's traceback (no variables, no keys) in the state directory, and say where.

    The ledger is committed at every step, so running the command again is safe.
    """
    kind = type(defect).__name__
    try:
        path = _keep(_text(defect, words, session), session)
        hint = f"the report {path} has no key in it; please send it. Running the command again is safe"
    except (OSError, ValueError, RuntimeError, ArithmeticError) as error:
        hint = f"no crash report could be written ({type(error).__name__}). Running the command again is safe"
        path = None
    session.console.failure(
        "defect",
        f"codat-ar failed in a way it should not: {kind}",
        hint=hint,
        details={"type": kind, "report": str(path) if path else None},
    )


def _text(defect: Exception, words: Sequence[str], session: "Session") -> str:
    head = (
        f"codat-ar {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"at {session.clock().isoformat()}\narguments: {list(words)!r}\n\n"
    )
    return redact(head + "".join(traceback.format_exception(defect)))


def _keep(text: str, session: "Session") -> Path:
    folder = session.crash_dir()
    path = folder / f"crash-{session.clock():%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    write_private(path, text)
    return path
