"""One side of a play on paper with all that tells its story, and the addresses that its scenario writes out."""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from .dialogue import Dialogue
from .filling import Names
from .ladder import Ladder, Line
from .quotes import Quotes
from .scenario import Receive, Scenario, Send
from .sent import Sent
from .side import Side
from .words import Words

_LOOKED_AT: Final = 4_000
"""So much of a message is searched for addresses."""

_VIA_HOST = re.compile(r"^(?:Via|v)\s*:\s*SIP/2\.0/\w+\s+([^\s;\[\]]+:[0-9]+)", re.MULTILINE | re.IGNORECASE)
_CONTACT_HOST = re.compile(
    r"^(?:Contact|m)\s*:[^:\n]*sips?:(?:[^@\s>\[\]]*@)?([^\s;>\[\]@]+:[0-9]+)", re.MULTILINE | re.IGNORECASE
)
_URI_HOST = re.compile(r"\S+ sips?:(?:\S*@)?([^\s;>\[\]@]+:[0-9]+)\S* SIP/2\.0")


@dataclass(frozen=True, slots=True)
class Moment:
    """A message in the story of one side: which step it belongs to, and, of one that it sent, what is in it."""

    line: Line
    step: Send | Receive
    clock_us: int
    """How far the side had come by its pauses and timeouts when it turned to this."""
    sent: Sent | None = None


@dataclass(slots=True)
class Player:
    """One side with all that tells its story."""

    side: Side
    dialogue: Dialogue
    words: Words
    quotes: Quotes
    local: str
    remote: str
    """Addresses that the scenario has instead of keywords; "" where it has none."""
    story: list[Moment] = field(default_factory=list)
    account: tuple[str, str] | None = None
    """User and password with which it answers challenges."""
    repeats: bool = False
    """It sends again what is not answered, step by step."""
    inbox: deque[tuple[int, Line]] = field(default_factory=deque)
    """What has come and is not looked at yet, with the time."""

    @property
    def lasts_us(self) -> int:
        """How long it may take by its pauses and timeouts."""
        timeouts = (moment.step.timeout_us for moment in self.story if isinstance(moment.step, Receive))
        return self.side.clock_us + sum(timeouts)

    @property
    def name(self) -> str:
        """Its name in the flow."""
        return self.side.names.own


def player(scenario: Scenario, names: Names, ladder: Ladder, quotes: Quotes) -> Player:
    """Return a side at its beginning."""
    side, dialogue = Side(scenario, names, ladder, quotes), Dialogue(names, ladder, quotes)
    local, remote = _addresses(scenario)
    return Player(side, dialogue, Words(names, ladder, quotes, dialogue), quotes, local, remote)


def _addresses(scenario: Scenario) -> tuple[str, str]:
    """Return the addresses that a scenario writes out for itself and for its peer."""
    texts = [step.message.text[:_LOOKED_AT] for step in scenario.steps if isinstance(step, Send)]
    requests = [text for text in texts if not text.startswith("SIP/2.0")]
    local = next((found[1] for text in requests if (found := _VIA_HOST.search(text))), "")
    local = local or next((found[1] for text in texts if (found := _CONTACT_HOST.search(text))), "")
    remote = next((found[1] for text in requests if (found := _URI_HOST.match(text))), "")
    return local, remote if remote != local else ""
