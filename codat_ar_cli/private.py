"""Files for their owner's eyes only, written whole or not at all."""

import contextlib
import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` in place of the file in one step, mode 0600, its folder made 0700 if need be.

    It is written as UTF-8, line ends as they are. A reader, or a crash at any moment, finds the old text or the
    new one. Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.unlink(missing_ok=True)
        # Made with its mode, not changed to it later: there is no moment when others could open it.
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
