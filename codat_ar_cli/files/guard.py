"""Cells that a spreadsheet would run as a formula, made harmless in what we write and restored in what we read back."""

import re

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)*")
_FORMULA = re.compile("'*[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What starts a formula, the full-width forms and leading blanks included. Apostrophes before it count as well, so that
guarding and restoring are exact inverses."""


def guard(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; numbers with a sign stay numbers."""
    return "'" + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def without_guard(cell: str) -> str:
    """Take the apostrophe of `guard` off again."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
