"""Taking one uploaded file out of a `multipart/form-data` body, byte for byte (RFC 7578)."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import HTTP

from codat_ar_cli.sandbox.answers import ApiError


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file part."""

    name: str
    content_type: str
    data: bytes


def first_file(content_type: str, body: bytes) -> UploadedFile:
    """Give the first part that has a file name; raises 400 where there is none or the body is cut."""
    head = EmailMessage()
    head["Content-Type"] = content_type or "application/octet-stream"
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise _not_valid("Content-Type must be multipart/form-data with a boundary.")
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(delimiter)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise _not_valid("The multipart body is incomplete.")
    for part in parts[1:-1]:
        headers, blank, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not blank:
            continue
        fields = HeaderParser(policy=HTTP).parsestr(headers.decode("utf-8", "replace") + "\r\n\r\n")
        name = fields.get_filename()
        if name:
            return UploadedFile(name, fields.get_content_type(), data)
    raise _not_valid("A file is expected in the form.")


def _not_valid(reason: str) -> ApiError:
    return ApiError(400, f"Error processing request - not valid. {reason}")
