"""How a report looks: its width, its characters, its colours. The command line finds out; reports never look around."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from .cells import cut, printable


class Colour(Enum):
    """What a colour says; the value is its ECMA-48 rendition."""

    PLAIN = ""
    GOOD = "32"
    BAD = "31"
    BROKEN = "1;31"  # the one place to look at
    MARK = "36"
    NAME = "1"
    FAINT = "2"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters a report draws with."""

    lifeline: str
    frozen: str
    line: str
    right: str
    left: str
    lost: str
    stimulus: str
    elision: str
    arrow: str
    ellipsis: str
    held: str


UNICODE: Final = Glyphs("│", "┊", "─", "▶", "◀", "✗", "●", "⋮", "→", "…", "✓")
ASCII: Final = Glyphs("|", ":", "-", ">", "<", "x", "*", ":", "->", "..", "+")


@dataclass(frozen=True, slots=True)
class Style:
    """How a report looks."""

    width: int = 80
    """Cells in a line."""
    unicode: bool = True
    """Draw with lines and arrows; False: ASCII only."""
    colour: bool = False

    @property
    def glyphs(self) -> Glyphs:
        """The characters to draw with."""
        return UNICODE if self.unicode else ASCII

    def text(self, text: str) -> str:
        """Return a text from outside with what this style cannot show as escapes."""
        return printable(text, unicode=self.unicode)

    def cut(self, text: str, width: int) -> str:
        """Return a printable text, or as much of it as fits."""
        return cut(text, width, self.glyphs.ellipsis)

    def paint(self, text: str, colour: Colour) -> str:
        """Return the text in a colour; as it is where it is blank or colours are off."""
        if not self.colour or colour is Colour.PLAIN or not text.strip():
            return text
        return f"\x1b[{colour.value}m{text}\x1b[0m"


PLAIN: Final = Style(width=100)
"""For files: Unicode without colours."""
