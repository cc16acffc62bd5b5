"""Output that never ends a command: the reader went away, the disk is full, the encoding lacks a character."""

import contextlib
import errno
import os
from collections.abc import Callable
from typing import Any, TextIO


class Outlet:
    """A stream to write to. What can't be written is dropped, and `lost` says why: the work itself goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | None = None
        """The first failure; None as long as everything was taken."""

    @property
    def encoding(self) -> str:
        """What the stream writes in; UTF-8 where it does not say."""
        return self._stream.encoding or "utf-8"

    @property
    def reader_left(self) -> bool:
        """Whether output was lost because nobody wanted more of it (`| head`): no failure of ours."""
        # Windows has no broken pipe: it calls the write invalid.
        unwanted = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}
        return self.lost is not None and self.lost.errno in unwanted

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Give the descriptor; raises OSError where there is none."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        r"""Write, showing what the stream's encoding lacks as `\xe9`."""
        self._attempt(self._stream.write, text.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def write_utf8(self, text: str) -> None:
        """Write JSON, in UTF-8 whatever the terminal takes; half a character becomes its JSON escape."""
        buffer = getattr(self._stream, "buffer", None)
        if buffer is None:
            self.write(text)
            return
        self.flush()
        self._attempt(buffer.write, text.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Hand over what is still held back."""
        self._attempt(self._stream.flush)

    def _attempt(self, action: Callable[..., Any], *args: Any) -> None:
        try:
            action(*args)
        except OSError as error:
            self.lost = self.lost or error
            self._send_nowhere()

    def _send_nowhere(self) -> None:
        """Let what the stream still holds, and all that follows, vanish; else Python tries again at exit and fails."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
