"""The messages of a scenario: text with keywords in square brackets, taken apart as SIPp does."""

import re
from dataclasses import dataclass
from typing import Final

_KEYWORD_MAX: Final = 256
_OFFSET = re.compile(r"([+-][0-9]{1,9})$")
_HEX = re.compile(r"\\x([0-9A-Fa-f]{1,2})")
_ARGUMENT = re.compile(r"""([A-Za-z_]+)=("[^"]*"|\S+)""")


@dataclass(frozen=True, slots=True)
class Keyword:
    """`[name+offset argument=...]`; where it stands in the text, and on which line of it."""

    name: str
    """Without brackets, offset and arguments: "last_Via:", "$se", "field0", "branch"."""
    offset: int
    arguments: tuple[tuple[str, str], ...]
    written: str
    line: int

    def argument(self, name: str) -> str | None:
        """Return an argument; None where it is missing."""
        return next((value for key, value in self.arguments if key == name), None)


Piece = str | Keyword


def take_apart(text: str) -> tuple[Piece, ...]:
    """Return literals and keywords in their order. What is no keyword, as SIPp tells them, is literal."""
    pieces: list[Piece] = []
    literal: list[str] = []
    at = 0
    while True:
        opening = text.find("[", at)
        if opening < 0:
            break
        closing = text.find("]", opening, opening + _KEYWORD_MAX + 2)
        again = text.find("[", opening + 1, max(closing, opening))
        if closing == -1 or again >= 0 or closing == opening + 1:  # "[...[keyword]": the first one is literal
            literal.append(text[at : opening + 1])
            at = opening + 1
            continue
        literal.append(text[at:opening])
        if any(literal):
            pieces.append(_unescaped("".join(literal)))
        literal = []
        pieces.append(_keyword(text[opening + 1 : closing], text.count("\n", 0, opening)))
        at = closing + 1
    literal.append(text[at:])
    if any(literal):
        pieces.append(_unescaped("".join(literal)))
    return tuple(pieces)


def _keyword(written: str, line: int) -> Keyword:
    name, _, rest = written.partition(" ")
    arguments = tuple((key, value.strip('"')) for key, value in _ARGUMENT.findall(rest))
    offset = 0
    if (found := _OFFSET.search(name)) and not name.startswith(("$", "authentication")):
        name, offset = name[: found.start()], int(found[1])
    return Keyword(name, offset, arguments, written, line)


def _unescaped(text: str) -> str:
    return _HEX.sub(lambda found: chr(int(found[1], 16)), text) if "\\x" in text else text
