"""A small, true PDF of an invoice: one page, one font, no library."""

from collections.abc import Mapping
from typing import Any


def invoice_pdf(invoice: Mapping[str, Any]) -> bytes:
    """Draw the invoice's number, customer, dates and amounts on one A4 page."""
    customer = (invoice.get("customerRef") or {}).get("companyName") or ""
    currency = invoice.get("currency") or ""
    lines = [
        f"Invoice {invoice.get('invoiceNumber') or invoice.get('id')}",
        f"To: {customer}",
        f"Issued: {str(invoice.get('issueDate') or '')[:10]}   Due: {str(invoice.get('dueDate') or '')[:10]}",
        *(_line(line) for line in invoice.get("lineItems") or []),
        f"Total: {currency} {invoice.get('totalAmount')}   Due: {currency} {invoice.get('amountDue')}",
    ]
    shown = b" T* ".join(b"(" + _escape(line) + b") Tj" for line in lines[:45])
    return _document(b"BT /F1 12 Tf 15 TL 56 780 Td " + shown + b" ET")


def _line(line: Mapping[str, Any]) -> str:
    return f"{line.get('quantity')} x {line.get('description') or ''}: {line.get('totalAmount')}"


def _escape(text: str) -> bytes:
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("\r", " ").replace("\n", " ")
    return escaped.encode("cp1252", "replace")


def _document(content: bytes) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
