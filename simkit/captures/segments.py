"""Messages over TCP as the segments that a capture of their connection would show (RFC 9293).

Handshake, sequence numbers, acknowledgements, and an orderly end where another connection takes its place. Nothing is
sent twice; what never arrived is not acknowledged. All that belongs to a message has its time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from ..trace import Transit

SEGMENT_BYTES_MAX: Final = 1460  # what an Ethernet frame leaves for it

_HEADER: Final = Struct("!HHIIBBHHH")
_MAXIMUM_SEGMENT_SIZE: Final = b"\x02\x04" + SEGMENT_BYTES_MAX.to_bytes(2, "big")  # RFC 9293 section 3.7.1
_FIN, _SYN, _PSH, _ACK = 0x01, 0x02, 0x08, 0x10
_WINDOW: Final = 65_535
_MODULUS: Final = 1 << 32
_APART: Final = 1 << 24  # between the initial sequence numbers of two connections

Ends = tuple[str, str]
"""Who sends a segment, and to whom."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What one end sends: header without ports and checksum, and data."""

    ends: Ends
    sequence: int
    acknowledged: int
    flags: int
    data: bytes = b""

    def to_bytes(self, ports: tuple[int, int], checksum: Callable[[bytes], int]) -> bytes:
        """Write it for these ports; `checksum` computes that of a segment whose own is 0."""
        options = _MAXIMUM_SEGMENT_SIZE if self.flags & _SYN else b""
        offset = (_HEADER.size + len(options)) << 2  # in words, in the upper half of the byte
        fields = (*ports, self.sequence, self.acknowledged, offset, self.flags, _WINDOW)
        blank = _HEADER.pack(*fields, 0, 0) + options + self.data
        return _HEADER.pack(*fields, checksum(blank), 0) + options + self.data


class _Connection:
    """One connection: who opened it, and how far each end has come."""

    def __init__(self, number: int, opener: Ends) -> None:
        self.number = number
        self._next = {opener: number * _APART % _MODULUS, opener[::-1]: (number * _APART + _APART // 2) % _MODULUS}

    def send(self, ends: Ends, flags: int, data: bytes = b"") -> Segment:
        """Let one end send; a SYN or FIN takes the place of a byte."""
        sequence = self._next[ends]
        self._next[ends] = (sequence + len(data) + bool(flags & (_SYN | _FIN))) % _MODULUS
        return Segment(ends, sequence, self._next[ends[::-1]] if flags & _ACK else 0, flags, data)

    def open(self, opener: Ends) -> Iterator[Segment]:
        """Shake hands."""
        yield self.send(opener, _SYN)
        yield self.send(opener[::-1], _SYN | _ACK)
        yield self.send(opener, _ACK)

    def close(self, first: Ends) -> Iterator[Segment]:
        """Take leave."""
        yield self.send(first, _FIN | _ACK)
        yield self.send(first[::-1], _FIN | _ACK)
        yield self.send(first, _ACK)


class Segments:
    """The connections between all parties of a capture, by their names."""

    def __init__(self) -> None:
        self._open: dict[frozenset[str], _Connection] = {}

    def of(self, transit: Transit) -> Iterator[Segment]:
        """Yield the segments by which a message goes its way, over a connection that is opened if need be."""
        ends = transit.sender, transit.receiver
        pair = frozenset(ends)
        connection = self._open.get(pair)
        if connection is None or connection.number != transit.connection:
            if connection is not None:
                yield from connection.close(ends)
            connection = self._open[pair] = _Connection(transit.connection, ends)
            yield from connection.open(ends)
        data = transit.message.to_bytes()
        for start in range(0, len(data), SEGMENT_BYTES_MAX):
            yield connection.send(ends, _PSH | _ACK, data[start : start + SEGMENT_BYTES_MAX])
        if transit.lost is None:
            yield connection.send(ends[::-1], _ACK)
