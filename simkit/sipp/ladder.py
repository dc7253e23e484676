"""The ladder that scenarios amount to: what is sent and expected in its order, before it is written down as a flow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ..errors import Fault, Source

TARGETING: Final = frozenset({"INVITE", "UPDATE"})
"""Methods whose requests and 2xx have a Contact (RFC 3261 section 12.2.1.1, RFC 3311 section 5.1)."""


class Remark(Enum):
    """What kind of thing is said about a place in a scenario; the value is how it is called."""

    NOT_CARRIED_OVER = "not carried over"
    MISTAKE = "mistake"
    LEFT_OUT = "left out"  # it changes no message


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about a place in a scenario."""

    remark: Remark
    source: Source
    message: str

    def fault(self) -> Fault:
        """Return it as what is told with its place."""
        return Fault(self.source, f"{self.remark.value}: {self.message}")


@dataclass(slots=True)
class Shape:
    """What a line says of a message that a scripted party sends."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    content: str | None = None
    answers_challenge: bool = False


@dataclass(slots=True, eq=False)
class Line:
    """A message of the ladder."""

    number: int
    sender: str
    receiver: str
    method: str
    status: str
    """"200", "4xx"; "" for a request."""
    source: Source
    """Of the step in the scenario."""
    when: "When | None" = None
    optional: bool = False
    shape: Shape | None = None
    """None: nobody is told to send it."""
    has: list[tuple[str, str, str]] = field(default_factory=list)
    """Header (or "body"), comparison, operand."""
    saves: dict[tuple[str, str], str] = field(default_factory=dict)
    """The name for a header and a regular expression ("": all of it)."""
    wishes: dict[tuple[str, str], str] = field(default_factory=dict)
    """How the scenario calls such a value."""
    mark: str = ""
    is_dropped: bool = False
    """It is lost on its way."""
    notes: list[Note] = field(default_factory=list)

    @property
    def shows_tag(self) -> bool:
        """Whether it has the tag of its sender: a request, or a response that makes a dialog (RFC 3261 section 12)."""
        return not self.status or "101" <= self.status < "300"

    @property
    def shows_contact(self) -> bool:
        """Whether it says where its sender is reached within the dialog."""
        return self.method in TARGETING and self.shows_tag

    @property
    def pattern(self) -> str:
        """Return it as a flow names it: "200 INVITE"."""
        return f"{self.status} {self.method}".strip()


@dataclass(slots=True, eq=False)
class Deed:
    """Something that a party of ours is asked to do."""

    text: str
    """ "bob: hang up"."""
    when: "When | None" = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class When:
    """A time counted from a line of the ladder, or from the start."""

    anchor: Line | None
    is_received: bool
    """Counted from the arrival of that message."""
    offset_us: int
    width_us: int | None = None
    """How long the window is; None: an exact time."""


@dataclass(slots=True)
class Ladder:
    """The lines so far, with what is to be said about them; messages are numbered from 0."""

    rungs: list[Line | Deed] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    """All of them, in the order in which they were found."""
    _messages: list[Line] = field(default_factory=list)
    _pending: list[Note] = field(default_factory=list)
    _known: set[Note] = field(default_factory=set)

    def lines(self) -> Iterator[Line]:
        """Yield the messages in order."""
        return iter(self._messages)

    def line(self, number: int) -> Line:
        """Return a message by its number."""
        return self._messages[number]

    @property
    def next_number(self) -> int:
        """The number of the next message."""
        return len(self._messages)

    def line_before(self, source: Source) -> Line | None:
        """Return the last message whose step begins at a place of a scenario, or before it."""
        before = [
            line for line in self._messages if line.source.path == source.path and line.source.line <= source.line
        ]
        return before[-1] if before else None

    def add(self, line: Line) -> Line:
        """Put a message at the end, with what was noted since the one before."""
        line.notes = self._pending + line.notes
        self._pending = []
        assert line.number == len(self._messages)
        self._messages.append(line)
        self.rungs.append(line)
        return line

    def note(self, remark: Remark, source: Source, message: str, line: Line | None = None) -> None:
        """Say something about a place: at a line of the ladder, else at the next; once, however often it is passed."""
        note = Note(remark, source, message)
        if note in self._known:
            return
        self._known.add(note)
        self.notes.append(note)
        if line is not None:
            line.notes.append(note)
        else:
            self._pending.append(note)

    def rest(self) -> list[Note]:
        """Return what was noted after the last line."""
        return self._pending
