"""The course of one call through the lines of its flow: which are met, which are ahead, and what a message is to them.

Two parties that send at the same instant have no order: a message may overtake lines of other senders.
"""

from typing import NamedTuple

from ..trace import Transit
from .cursor import LOOKAHEAD_MAX, Cursor
from .matching import status_of
from .plan import Line, Plan, Turn
from .times import Due, Marks


class Met(NamedTuple):
    """A line was met, most recently at this time; `due` says when it should have been, where the flow does."""

    at: int
    due: Due | None


class Course:
    """How far a call has come."""

    __slots__ = ("cursor", "marks", "met", "plan")

    def __init__(self, plan: Plan, *, start_at: int) -> None:
        self.plan = plan
        self.cursor = Cursor(plan)
        self.marks = Marks(start_at, tolerance_us=plan.tolerance_us)
        self.met: dict[Line, Met] = {}
        """In the order in which the lines were first met."""

    def due(self, turn: Turn, *, now: int) -> Due | None:
        """Return when a line is due; None where the flow does not say, or counts from a mark that is not known yet."""
        return turn.due(self.marks, now=now) if turn.is_timed else None

    def find(self, transit: Transit) -> int | None:
        """Return the place of the line that a message meets, at the instant of its sending."""
        overtakes = False
        for index in range(LOOKAHEAD_MAX):
            turn = self.cursor.peek(index)
            if turn is None:
                return None
            line = turn.line
            if line.is_awaited and line.means(transit.sender, transit.receiver, transit.message):
                if self._may_meet(turn, transit, overtakes=overtakes):
                    return index
            elif not line.optional and not line.comes_from(transit.sender) and self._may_come(turn, transit.sent_at):
                overtakes = True
                continue
            if not line.optional:
                return None
        return None

    def _may_meet(self, turn: Turn, transit: Transit, *, overtakes: bool) -> bool:
        """Whether a message of its kind meets a line; where there is a choice, only if it comes at the right time."""
        is_allowed = self.plan.allowed.find(transit.message) is not None
        if not (overtakes or is_allowed or turn.line.optional):
            return True
        return not (overtakes and is_allowed) and self._may_come(turn, transit.sent_at)

    def _may_come(self, turn: Turn, at: int) -> bool:
        if not turn.is_timed:
            return True
        due = turn.due(self.marks, now=at)
        return due is not None and due.earliest <= at <= due.latest

    def is_free(self, transit: Transit) -> bool:
        """Whether a message needs no line: a 100; a provisional response of a real system, which may ring as it likes.

        And whatever the flow allows.
        """
        status = status_of(transit.message)
        ringing = 100 < status < 200 and transit.sender in self.plan.systems
        return status == 100 or ringing or self.plan.allowed.find(transit.message) is not None
