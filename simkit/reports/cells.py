"""Text as the cells of a terminal: escaped, measured, cut and wrapped.

What comes out of a message or a name is never trusted: control characters, which could move the cursor or end a line
of a report, are shown as escapes. Wide characters count as two cells, combining ones as none (Unicode annex 11).
"""

import re
from unicodedata import category, east_asian_width


def printable(text: str, *, unicode: bool = True) -> str:
    r"""Return the text with what cannot be shown as an escape ("\x1b", "\n"); without `unicode`, all but ASCII."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, unicode) for character in text)


def _shown(character: str, unicode: bool) -> str:
    if character.isprintable() and (unicode or character.isascii()):
        return character
    return character.encode("unicode_escape").decode("ascii")


def cells(text: str) -> int:
    """Return how many cells a printable text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def pad(text: str, width: int) -> str:
    """Return the text followed by spaces up to a width."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int, ellipsis: str) -> str:
    """Return the text, or as much of it as fits a width together with an ellipsis."""
    if cells(text) <= width:
        return text
    return _beginning(text, width - cells(ellipsis)) + ellipsis[: max(0, width)]


def _beginning(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return text[:index]
    return text


def wrap(text: str, width: int, *, indent: int = 0) -> list[str]:
    """Return the text as lines that fit a width, all but the first indented; words are broken only where need be."""
    assert width >= indent + 2
    lines, line = [], ""
    for piece in re.findall(r" *[^ ]+", text):
        if line.strip() and cells(line) + cells(piece) > width:
            lines.append(line)
            line, piece = " " * indent, piece.lstrip()
        while cells(line) + cells(piece) > width:
            head = _beginning(piece, width - cells(line))
            lines.append(line + head)
            line, piece = " " * indent, piece[len(head) :]
        line += piece
    return [*lines, line]
