"""A file's bytes as text: refused before anything is read from it if it is no text, hashed as they are read."""

import codecs
import difflib
import hashlib
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from codat_ar_cli.files.errors import (
    BinaryFile,
    FileEmpty,
    FileMissing,
    FileTooBig,
    FileUnreadable,
    LineTooLong,
    NotAFile,
    WrongEncoding,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (XLSX)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (XLS)"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a SQLite database"),
)
_SNIFFED = 8192
_AS_TEXT = "in the spreadsheet, save it as `CSV UTF-8`"


class _HashedFile(io.RawIOBase):
    """A file that remembers the SHA-256 and the number of the bytes that were read through it."""

    def __init__(self, file: io.FileIO, name: str, limit: int) -> None:
        self._file, self._name, self._limit = file, name, limit
        self.sha256 = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        count = self._file.readinto(view) or 0
        self.size += count
        if self.size > self._limit:
            # It grew while it was read: the size at opening was within the limit.
            raise _too_big(self._name, self.size, self._limit)
        self.sha256.update(view[:count])
        return count


class Source:
    """An open text file."""

    def __init__(self, name: str, path: Path, raw: _HashedFile, text: io.TextIOWrapper, encoding: str) -> None:
        self.name = name
        self.encoding = encoding
        self._path, self._raw, self._text = path, raw, text

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes read so far; of the whole file once its lines are exhausted."""
        return self._raw.sha256.hexdigest()

    def lines(self, limit: int) -> Iterator[str]:
        """Yield physical lines with their line ends (LF, CRLF or CR), none longer than `limit` characters.

        Raises LineTooLong, BinaryFile for a NUL, WrongEncoding; each names the line.
        """
        number = 0
        readline = self._text.readline
        try:
            while line := readline(limit):
                number += 1
                if len(line) == limit and line[-1] not in "\r\n":
                    raise LineTooLong(
                        f"line {number} is longer than {limit:,} characters",
                        name=self.name,
                        line=number,
                        hint="this is no list of records; look at the line",
                    )
                if "\0" in line:
                    raise BinaryFile(
                        f"line {number} holds a NUL character, so this is not text or it is damaged",
                        name=self.name,
                        line=number,
                        hint="export the file again",
                    )
                yield line
        except UnicodeDecodeError as error:
            raise self._undecodable() from error

    def read(self, limit: int) -> str:
        """Give the whole text; for formats that can't be read line by line."""
        return "".join(self.lines(limit))

    def _undecodable(self) -> WrongEncoding:
        """Find the first line that can't be decoded; the decoder itself knows only a place in its buffer."""
        if self.encoding == "utf-16":
            return WrongEncoding("the UTF-16 text is damaged or cut", name=self.name, hint=_AS_TEXT)
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    return _not_utf8(self.name, number, line, error)
        return WrongEncoding("the text is not UTF-8", name=self.name, hint=_AS_TEXT)


def _not_utf8(name: str, number: int, line: bytes, error: UnicodeDecodeError) -> WrongEncoding:
    around = line[max(0, error.start - 12) : error.start + 12].decode("cp1252", errors="replace").strip()
    return WrongEncoding(
        f"line {number} is not UTF-8: byte 0x{line[error.start]:02X} at position {error.start + 1}; "
        f"as Windows-1252 it would read `{around}`",
        name=name,
        hint=f"{_AS_TEXT}, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
        line=number,
    )


def _too_big(name: str, size: int, limit: int) -> FileTooBig:
    return FileTooBig(f"has {size:,} bytes; at most {limit:,} are read", name=name, hint="split it into several files")


@contextmanager
def open_source(path: Path, *, max_bytes: int) -> Iterator[Source]:
    """Open a text file of one of the encodings we can prove: UTF-8 with or without a mark, UTF-16 with one.

    Raises FileMissing, NotAFile, FileUnreadable, FileEmpty, FileTooBig, BinaryFile, WrongEncoding.
    """
    name = str(path)
    try:
        with _open_regular(path, name, max_bytes) as file:
            encoding = _sniff(file.read(_SNIFFED) or b"", name)
            file.seek(0)
            raw = _HashedFile(file, name, max_bytes)
            buffered = io.BufferedReader(raw, buffer_size=1 << 18)
            with io.TextIOWrapper(buffered, encoding=encoding, errors="strict", newline="") as text:
                yield Source(name, path, raw, text, encoding)
    except OSError as error:
        raise FileUnreadable(f"can't be read: {error.strerror or error}", name=name) from error


def check_is_file(path: Path) -> int:
    """Give the size of a regular file in bytes; raises FileMissing, NotAFile, FileUnreadable."""
    name = str(path)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise FileMissing("there is no such file", name=name, hint=_siblings(path)) from None
    except ValueError as error:
        raise FileMissing("this is no file name", name=name) from error
    except OSError as error:
        raise FileUnreadable(f"can't be read: {error.strerror or error}", name=name) from error
    # Asked before opening: opening a pipe would wait for its writer.
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or a pipe"
        raise NotAFile(f"is {kind}, not a file", name=name, hint="name a file")
    return status.st_size


def _open_regular(path: Path, name: str, max_bytes: int) -> io.FileIO:
    size = check_is_file(path)
    if size > max_bytes:
        raise _too_big(name, size, max_bytes)
    if size == 0:
        raise FileEmpty("is empty", name=name)
    return io.FileIO(path, "r")


def _siblings(path: Path) -> str | None:
    """Point to files with a similar name beside it."""
    try:
        beside = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return f"there is no folder `{path.parent}` either"
    close = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.7)
    return f"beside it: {', '.join(close)}" if close else None


def _sniff(head: bytes, name: str) -> str:
    """Choose the encoding by the byte order mark; refuse what is no text."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            raise BinaryFile(f"is {kind}, not a text file", name=name, hint=_AS_TEXT)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise WrongEncoding("is UTF-32; UTF-8 and UTF-16 are read", name=name, hint=_AS_TEXT)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(0) * 3 > len(head):
        raise WrongEncoding("looks like UTF-16 without a byte order mark", name=name, hint=_AS_TEXT)
    return "utf-8"
