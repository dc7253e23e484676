"""What becomes of the messages whose lines ask for it: whether they arrive, and how often they are sent again."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..trace import Transit
from .plan import Turn


@dataclass(slots=True, eq=False)
class Fate:
    """A message that met a line, and how often it was sent again."""

    turn: Turn
    transit: Transit
    retransmissions: int = 0


class Fates:
    """The messages of one call that are followed."""

    __slots__ = ("_fates",)

    def __init__(self) -> None:
        self._fates: list[Fate] = []

    def __iter__(self) -> Iterator[Fate]:
        return iter(self._fates)

    def follow(self, turn: Turn, transit: Transit) -> None:
        """Follow a message from its first sending on."""
        self._fates.append(Fate(turn, transit))

    def sent_again(self, transit: Transit) -> Iterator[Fate]:
        """Count a retransmission; yield what it repeats."""
        for fate in self._fates:
            if _is_same(fate.transit, transit):
                fate.retransmissions += 1
                yield fate


def _is_same(first: Transit, again: Transit) -> bool:
    one, other = first.message, again.message
    if one is other:
        return True
    return (
        (first.sender, first.receiver) == (again.sender, again.receiver)
        and one.start_line == other.start_line
        and all(one.header(name) == other.header(name) for name in ("Via", "CSeq", "Call-ID", "To"))
    )
