"""Why a file can't be read at all. What is wrong with single records is a Finding instead."""

from typing import Any, ClassVar

from codat_ar_cli.errors import CodatArError, ExitCode


class FileError(CodatArError):
    """The file can't be used: nothing of it was sent. `details` name the file, and line and column where known."""

    code = "file"
    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
    default_hint: ClassVar[str | None] = None

    def __init__(self, message: str, *, name: str, hint: str | None = None, **details: Any) -> None:
        super().__init__(f"{name}: {message}", hint=hint or self.default_hint, details={"file": name, **details})


class FileMissing(FileError):
    """There is no such file."""

    code = "file.missing"
    default_hint = "check the path; it starts from the folder you are in"


class NotAFile(FileError):
    """It is a folder, a device or a pipe."""

    code = "file.not-a-file"


class FileUnreadable(FileError):
    """The operating system refuses to read it."""

    code = "file.unreadable"
    default_hint = "check its owner and permissions"


class FileEmpty(FileError):
    """It holds no bytes, or only blanks."""

    code = "file.empty"
    default_hint = "export the file again"


class NoRecords(FileError):
    """It has a header, or an empty list, and nothing else."""

    code = "file.no-records"
    default_hint = "was the right file exported?"


class UnknownFormat(FileError):
    """Its suffix is none that we read."""

    code = "file.unknown-format"


class BinaryFile(FileError):
    """It is not text: a spreadsheet, an archive, a picture, or text with NUL characters."""

    code = "file.binary"


class WrongEncoding(FileError):
    """Its bytes are not the encoding we read."""

    code = "file.encoding"


class FileTooBig(FileError):
    """It is larger than what is read at once."""

    code = "file.too-big"


class LineTooLong(FileError):
    """A line, or one cell, is longer than any honest record."""

    code = "file.line-too-long"


class BrokenCsv(FileError):
    """Its quotes don't add up, so where cells begin and end is unknown."""

    code = "file.bad-csv"


class BrokenJson(FileError):
    """It is not JSON."""

    code = "file.bad-json"
    default_hint = "correct that place, or export the file again"


class WrongShape(FileError):
    """It is JSON, but not a list of documents."""

    code = "file.bad-shape"


class WrongColumns(FileError):
    """Required columns are missing, or a column is there twice; all of them are named at once."""

    code = "file.columns"


class RejectsNotWritten(FileError):
    """The rejects file could not be written."""

    code = "file.rejects-not-written"
