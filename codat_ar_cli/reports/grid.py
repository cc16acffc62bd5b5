"""A table as lines of text that fit a width, measured in terminal cells, so that wide scripts line up too."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_GAP = "  "
_NARROW = 8
"""Cells that a column of words keeps before columns that must stay whole are broken."""


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a grid."""

    title: str
    right: bool = False
    """Amounts and counts stand to the right."""
    whole: bool = False
    """Amounts, dates and ids: broken only when nothing else gives way."""


def draw(headings: Sequence[Heading], rows: Sequence[Sequence[str]], *, width: int, unicode: bool = True) -> str:
    """Draw headings, a rule and rows, no line wider than `width` cells; long text goes on below, nothing is cut off.

    Without a single title there is no heading and no rule.

    The cells hold printable characters only. unicode: whether the rule may be a box-drawing line.
    """
    titles = [heading.title for heading in headings]
    widths = _widths(headings, [titles, *rows], width - len(_GAP) * (len(headings) - 1))
    rule = ("─" if unicode else "-") * (sum(widths) + len(_GAP) * (len(headings) - 1))
    lines = [*_lines(titles, headings, widths), rule] if any(titles) else []
    for row in rows:
        lines += _lines(row, headings, widths)
    return "\n".join(lines)


def cell_width(text: str) -> int:
    """Count the terminal cells that text takes: two for wide East Asian characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _widths(headings: Sequence[Heading], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Share the room out: words break between each other first, then inside, and ids and amounts last."""
    columns = list(zip(*rows, strict=True))
    widths = [min(max(map(cell_width, column)), max(room, 1)) for column in columns]
    words = [max((cell_width(word) for cell in column for word in cell.split(" ")), default=0) for column in columns]
    whole = [heading.whole for heading in headings]
    for floors in (
        [natural if keep else word for natural, keep, word in zip(widths, whole, words, strict=True)],
        [natural if keep else _NARROW for natural, keep in zip(widths, whole, strict=True)],
        [_NARROW for _ in widths],
        [2 for _ in widths],  # a wide character needs two
    ):
        _level(widths, floors, room)
    return widths


def _level(widths: list[int], floors: Sequence[int], room: int) -> None:
    """Take from the widest column that is above its floor until all fit, or all stand on their floors."""
    while sum(widths) > room:
        loose = [index for index, width in enumerate(widths) if width > floors[index]]
        if not loose:
            return
        widths[max(loose, key=widths.__getitem__)] -= 1


def _lines(cells: Sequence[str], headings: Sequence[Heading], widths: Sequence[int]) -> Iterator[str]:
    """Give the lines of one row: as many as its tallest cell needs."""
    folded = [list(fold(cell, width)) for cell, width in zip(cells, widths, strict=True)]
    for index in range(max(map(len, folded), default=0)):
        parts = []
        for lines, heading, width in zip(folded, headings, widths, strict=True):
            text = lines[index] if index < len(lines) else ""
            blank = " " * (width - cell_width(text))
            parts.append(blank + text if heading.right else text + blank)
        yield _GAP.join(parts).rstrip()


def fold(text: str, width: int) -> Iterator[str]:
    """Break text into lines of at most `width` cells: between words, and inside a word only where it is longer."""
    if cell_width(text) <= width:
        yield text
        return
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_width(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = _pieces(word, width)
        yield from full
    yield line


def _pieces(word: str, width: int) -> Iterator[str]:
    piece, used = "", 0
    for char in word:
        taken = _char_width(char)
        if piece and used + taken > width:
            yield piece
            piece, used = "", 0
        piece += char
        used += taken
    yield piece
