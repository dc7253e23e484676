"""Which line of a flow a message belongs to, by its sender, its receiver and its kind, in the flow's order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final

from ..captures.comparison import CallComparison, Row, Sending
from ..errors import Source
from ..flows.model import Flow
from ..runs.plan import Line, Plan
from ..trace import Transit

_AHEAD: Final = 64
"""So many lines that nobody kept may be passed over before a message is taken to belong to none."""


class Side(Enum):
    """One of the two captures."""

    A = "left"
    B = "right"


@dataclass(frozen=True, slots=True)
class Origin:
    """The flow that one side was made from."""

    flow: Flow
    side: Side

    def lines(self, call: CallComparison) -> Mapping[int, Source]:
        """Return the flow's line of each message of a call, by the message's number on that side."""
        sent = [sending.transit for row in call.rows if (sending := self.of(row))]
        return flow_lines(self.flow, sorted(sent, key=lambda transit: transit.number))

    def of(self, row: Row) -> Sending | None:
        """Return this side's message of a row."""
        return row.left if self.side is Side.A else row.right


def flow_lines(flow: Flow, transits: Iterable[Transit]) -> Mapping[int, Source]:
    """Return the place of each message's line, by `Transit.number`; messages that no line asks for are left out.

    The messages are those of one call in the order of sending, and their parties have the flow's names.
    """
    lines = (turn.line for turn in Plan(flow).turns() if turn.line.observation)
    waiting: list[Line] = []
    found: dict[int, Source] = {}
    for transit in transits:
        line = _take(waiting, lines, transit)
        if line is not None:
            found[transit.number] = line.source
    return found


def _take(waiting: list[Line], lines: Iterator[Line], transit: Transit) -> Line | None:
    """Take the first line that waits for this message, from those passed over or from those ahead."""
    waiting += islice(lines, max(0, _AHEAD - len(waiting)))
    for place, line in enumerate(waiting):
        if line.means(transit.sender, transit.receiver, transit.message):
            return waiting.pop(place)
    return None
