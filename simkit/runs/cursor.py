"""The cursor of one call: which lines of its flow are ahead, looked at only as far as anybody needs."""

from itertools import islice
from typing import Final

from .plan import Line, Plan, Turn

LOOKAHEAD_MAX: Final = 64
"""How many lines ahead a message is looked for: more than any ladder has at one instant."""


class Cursor:
    """The lines that are neither met nor done yet, in the order in which their turn comes."""

    __slots__ = ("_ahead", "_turns")

    def __init__(self, plan: Plan) -> None:
        self._turns = plan.turns()
        self._ahead: list[Turn] = []

    def __contains__(self, turn: Turn) -> bool:
        return turn in self._ahead

    def peek(self, index: int) -> Turn | None:
        """Return the line at this place, from 0; None past the last."""
        ahead = self._ahead
        while len(ahead) <= index:
            turn = next(self._turns, None)
            if turn is None:
                return None
            ahead.append(turn)
        return ahead[index]

    def take(self, index: int) -> Turn:
        """Take out the line at this place; those before it stay."""
        return self._ahead.pop(index)

    def skip(self, count: int) -> None:
        """Drop the first lines: they were optional."""
        del self._ahead[:count]

    def before(self, index: int) -> list[Turn]:
        """Return the lines before this place that must not be skipped."""
        return [turn for turn in self._ahead[:index] if not turn.line.optional] if index else []

    def waiting(self) -> Turn | None:
        """Return the first line that must not be skipped."""
        index = 0
        while (turn := self.peek(index)) is not None and turn.line.optional:
            index += 1
        return turn

    def ahead(self) -> list[Turn]:
        """Return the next lines, as far as anybody looks."""
        self.peek(LOOKAHEAD_MAX - 1)
        return self._ahead[:LOOKAHEAD_MAX]

    def rest(self, count: int) -> set[Line]:
        """Use up the cursor: return the lines still ahead, and those of the next `count` turns after them."""
        return {turn.line for turn in (*self._ahead, *islice(self._turns, count))}
