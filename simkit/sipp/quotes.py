"""What the text of a message holds that only a run knows, each as one character of a private range of Unicode.

So a text with keywords filled in can be compared, split and searched like any other.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

FIRST: Final = 0xF0000  # Supplementary Private Use Area-A, which the reader lets no file bring along
MOST: Final = 60_000


class Kind(Enum):
    """What a quote stands for."""

    LOCAL_HOST = "our host"
    LOCAL_PORT = "our port"
    REMOTE_HOST = "the peer's host"
    REMOTE_PORT = "the peer's port"
    CALL_ID = "the Call-ID"
    CSEQ = "the next CSeq number"
    BRANCH = "a branch of our own"  # `detail`: the index of the step whose branch it is
    PEER_TAG = "the peer's tag, as a parameter"
    ROUTES = "the route set, as headers"
    NEXT_URI = "the remote target"
    LENGTH = "the length of the body"
    HEADER = "a value of a message that came"  # `message`, `header`, `detail`: a regular expression, or ""
    LINES = "all headers of that name of a message that came"
    FIELD = "a field of the data file"  # `detail`: its number
    AUTHENTICATION = "the answer to a challenge, as a header"  # `header`: the user, `detail`: the password
    UNKNOWN = "something that nobody knows"


@dataclass(frozen=True, slots=True)
class Quote:
    """One thing that only a run knows."""

    kind: Kind
    message: int = -1
    """Which line of the ladder it is taken from."""
    header: str = ""
    detail: str = ""


class Quotes:
    """The quotes of one import, and their characters."""

    def __init__(self) -> None:
        self._characters: dict[Quote, str] = {}
        self._quotes: list[Quote] = []

    def character(self, quote: Quote) -> str:
        """Return the character that stands for something."""
        found = self._characters.get(quote)
        if found is None:
            if len(self._quotes) >= MOST:
                return "\ufffd"
            found = self._characters[quote] = chr(FIRST + len(self._quotes))
            self._quotes.append(quote)
        return found

    def quote(self, character: str) -> Quote | None:
        """Return what a character stands for; None where it is itself."""
        number = ord(character) - FIRST
        return self._quotes[number] if 0 <= number < len(self._quotes) else None

    def within(self, text: str) -> list[Quote]:
        """Return what a text quotes, in order."""
        return [quote for character in text if (quote := self.quote(character))]

    def only(self, text: str) -> Quote | None:
        """Return the one quote that a text is; None where it is more, or none."""
        text = text.strip()
        return self.quote(text) if len(text) == 1 else None
