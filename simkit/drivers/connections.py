"""The connections between the parties of one call, over TCP and TLS (RFC 3261 section 18).

Each two parties have one, in both directions, from the first message on; setting it up takes no time. What goes over it
arrives, and in order: nothing is lost, doubled or overtaken. Where the way is cut, or a host is suspended, a message
waits until that is over. When the connection breaks, all that is still on its way is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..trace import Transit

_Pair = frozenset[str]


@dataclass(slots=True)
class _Connection:
    """One connection; `number` counts those that the two parties have had."""

    number: int
    on_the_way: dict[int, Transit] = field(default_factory=dict)
    held: dict[tuple[str, str], list[Callable[[int], None]]] = field(default_factory=dict)
    """By direction, what to do with the messages that wait until it is no longer cut."""


class Connections:
    """The connections of one call, by the names of the parties."""

    __slots__ = ("_counts", "_open")

    def __init__(self) -> None:
        self._open: dict[_Pair, _Connection] = {}
        self._counts: dict[_Pair, int] = {}

    def sent(self, transit: Transit) -> None:
        """A message sets out, over a connection that is there or is made for it."""
        pair = frozenset((transit.sender, transit.receiver))
        connection = self._open.get(pair)
        if connection is None:
            number = self._counts[pair] = self._counts.get(pair, 0) + 1
            connection = self._open[pair] = _Connection(number)
        transit.connection = connection.number
        connection.on_the_way[transit.number] = transit

    def arrived(self, transit: Transit) -> None:
        """A message is no longer on its way."""
        connection = self._open.get(frozenset((transit.sender, transit.receiver)))
        if connection is not None:
            connection.on_the_way.pop(transit.number, None)

    def hold(self, transit: Transit, go_on: Callable[[int], None]) -> None:
        """A message waits until its direction is no longer cut; `go_on` is told when that is."""
        connection = self._open[frozenset((transit.sender, transit.receiver))]
        connection.held.setdefault((transit.sender, transit.receiver), []).append(go_on)

    def heal(self, sender: str, receiver: str, *, now: int) -> None:
        """A direction is no longer cut: what has waited goes on."""
        connection = self._open.get(frozenset((sender, receiver)))
        for go_on in connection.held.pop((sender, receiver), ()) if connection is not None else ():
            go_on(now)

    def broken(self, one: str, other: str) -> list[Transit]:
        """The connection of two parties is lost; return what was on its way, and never arrives."""
        connection = self._open.pop(frozenset((one, other)), None)
        return list(connection.on_the_way.values()) if connection is not None else []
