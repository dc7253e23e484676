"""When something is due: marks, and windows of time made of them.

A mark is the instant at which a message was sent; `mark.received` is when it arrived, unknown until then. `start` is
when the call began. All times are microseconds since the run began.
"""

from typing import NamedTuple

from ..flows.model import Instant, Repeat, Window
from ..trace import Transit
from ..units import format_duration, format_time

START = "start"


class Due(NamedTuple):
    """When something is to happen: earliest and latest, both included, and how the flow puts it."""

    earliest: int
    latest: int
    text: str
    within_us: int = 0
    """The tolerance that `earliest` and `latest` already allow for."""

    @property
    def stated(self) -> int:
        """The time that the flow states, or the first of its window, without the tolerance."""
        return self.earliest + self.within_us

    @property
    def span(self) -> str:
        """Return "at 120.000 s" or "from 55.000 s to 65.000 s", the tolerance included."""
        if self.earliest == self.latest:
            return f"at {format_time(self.earliest)} s"
        return f"from {format_time(self.earliest)} s to {format_time(self.latest)} s"

    def __str__(self) -> str:
        """Return "at 120.000 s (up + 120s)", "from 55.000 s to 65.000 s (up + 55s..65s)"."""
        stated = Due(self.stated, self.latest - self.within_us, "").span
        tolerance = f", give or take {format_duration(self.within_us)}" if self.within_us else ""
        return stated + (f" ({self.text})" if self.text else "") + tolerance


class Marks:
    """The instants that a call has marked so far."""

    __slots__ = ("_received_at", "_sent_at", "_under_way", "tolerance_us")

    def __init__(self, start_at: int, *, tolerance_us: int = 0) -> None:
        self.tolerance_us = tolerance_us
        """How early or late everything may be, beside what its own line allows."""
        self._sent_at = {START: start_at}
        self._received_at: dict[str, int] = {}
        self._under_way: dict[int, str] = {}

    def begin(self, at: int) -> None:
        """The call begins only now."""
        self._sent_at[START] = at

    def set(self, mark: str, transit: Transit) -> None:
        """Remember when a message was sent; a mark may be set anew."""
        self._sent_at[mark] = transit.sent_at
        self._received_at.pop(mark, None)
        self._under_way = {number: name for number, name in self._under_way.items() if name != mark}
        self._under_way[transit.number] = mark

    def arrived(self, transit: Transit) -> None:
        """Remember when a message arrived, if it set a mark."""
        mark = self._under_way.pop(transit.number, None)
        if mark is not None and transit.received_at is not None:
            self._received_at[mark] = transit.received_at

    def resolve(self, instant: Instant) -> int | None:
        """Return when that is; None where the mark is not set, or its message has not arrived."""
        at = (self._received_at if instant.received else self._sent_at).get(instant.mark)
        return None if at is None else at + instant.offset_us

    def due(self, window: Window, within_us: int = 0) -> Due | None:
        """Return when a window is; None while a mark of it is unknown."""
        earliest, latest = self.resolve(window.earliest), self.resolve(window.latest)
        if earliest is None or latest is None:
            return None
        within_us += self.tolerance_us
        plain = window.earliest.mark == START and self._sent_at[START] == 0
        return Due(earliest - within_us, latest + within_us, "" if plain else window.text, within_us)


class Beginning:
    """When a repeat began for one call: `since`, or when its turn came; fixed once, so a mark may move meanwhile."""

    __slots__ = ("_at", "_every_us", "_since", "_spacing", "times")

    def __init__(self, repeat: Repeat, spacing: str) -> None:
        """`spacing` is how `every` is written."""
        assert repeat.every_us is not None
        self.times = repeat.times
        self._since = repeat.since
        self._every_us = repeat.every_us
        self._spacing = spacing
        self._at: int | None = None

    @property
    def text(self) -> str:
        """What its turns are counted from, as the flow has it."""
        return self._since.text if self._since else "repeat"

    def due(self, number: int, marks: Marks, *, within_us: int, now: int) -> Due | None:
        """Return when turn `number` (from 1) begins; None while the mark it counts from is unknown."""
        if self._at is None:
            self._at = marks.resolve(self._since) if self._since else now
        if self._at is None:
            return None
        at, within_us = self._at + number * self._every_us, within_us + marks.tolerance_us
        return Due(at - within_us, at + within_us, f"{self.text} + {number} * {self._spacing}", within_us)
