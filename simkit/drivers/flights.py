"""The messages on the wire between sockets of ours: known again by their bytes and ends when they come out."""

from dataclasses import dataclass

from ..trace import Transit
from ..ua.events import Address
from .network import Party
from .place import Datagram


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A message on the wire; its link wants it to arrive at this time, or (None) never."""

    transit: Transit
    receiver: Party
    arrives_at: int | None
    sent_s: float


class Flights:
    """All that are on the wire; of equal ones the first to have been sent is the first to come out."""

    __slots__ = ("_by_datagram",)

    def __init__(self) -> None:
        self._by_datagram: dict[Datagram, list[Flight]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_datagram)

    def add(self, datagram: Datagram, flight: Flight) -> None:
        """A message was put on the wire."""
        self._by_datagram.setdefault(datagram, []).append(flight)

    def landed(self, datagram: Datagram) -> Flight | None:
        """Return which message has come out; None where none of ours is like it."""
        flights = self._by_datagram.get(datagram)
        if flights is None:
            return None
        flight = flights.pop(0)
        if not flights:
            del self._by_datagram[datagram]
        return flight

    def missing(self, sent_before_s: float) -> Flight | None:
        """Give up the first of those on the wire, if it was sent before this, and return it."""
        datagram, flights = next(iter(self._by_datagram.items()))
        return self.landed(datagram) if flights[0].sent_s <= sent_before_s else None

    def forget_between(self, one: Address, other: Address) -> None:
        """A connection is broken: nothing that was on it comes out any more."""
        ends = {one, other}
        for datagram in [known for known in self._by_datagram if {known.source, known.destination} == ends]:
            del self._by_datagram[datagram]
