"""TCP as a sniffer of the loopback sees it: segments that come in order, cut into messages.

The loopback neither loses nor reorders. What does not follow on what was seen before is passed over, and with it the
message that it belongs to; whoever compares what was seen with what was sent will notice.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from ..sip.framing import SipFraming
from ..ua.events import Address
from .place import Datagram

_HEADER: Final = Struct("!HHIIBB")
_SYN: Final = 0x02
_MODULUS: Final = 1 << 32


class Segment(NamedTuple):
    """A TCP segment (RFC 9293 section 3.1)."""

    source: Address
    destination: Address
    sequence: int
    synchronizes: bool
    data: bytes


def read_segment(hosts: tuple[str, str], payload: bytes) -> Segment | None:
    """Read the payload of an IP packet; None where it is no segment."""
    if len(payload) < _HEADER.size:
        return None
    source_port, destination_port, sequence, _, offset, flags = _HEADER.unpack_from(payload)
    data = payload[(offset >> 4) * 4 :]
    return Segment((hosts[0], source_port), (hosts[1], destination_port), sequence, bool(flags & _SYN), data)


class SegmentsSeen:
    """The directions of all connections."""

    def __init__(self) -> None:
        self._next: dict[tuple[Address, Address], int] = {}
        self._framing: dict[tuple[Address, Address], SipFraming] = {}

    def take(self, segment: Segment) -> Iterator[Datagram]:
        """Yield the messages that a segment completes."""
        ends = segment.source, segment.destination
        if segment.synchronizes:
            self._next[ends], self._framing[ends] = (segment.sequence + 1) % _MODULUS, SipFraming()
        elif segment.data and self._next.get(ends) == segment.sequence:
            self._next[ends] = (segment.sequence + len(segment.data)) % _MODULUS
            for message in self._framing[ends].feed(segment.data):
                yield Datagram(*ends, message)
