"""TCP streams put in order (RFC 9293): each direction of a connection becomes SIP messages, wherever segments were cut.

Segments may come out of order, twice, or overlapping. A hole is given up when the receiver acknowledges what is behind
it (it is the capture that missed it), when too much waits behind it, and at the end. All that is held is bounded: what
waits in one direction, how many directions there are, and what they hold together.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from ..sip.framing import SipFraming
from .ip import IpPacket, host
from .packet import Address, TooShort, Unreadable

WAITING_BYTES_MAX: Final = 262_144  # of one direction: four times the longest message
SEGMENTS_MAX: Final = 256  # ... and in how many segments
DIRECTIONS_MAX: Final = 16_384
HELD_BYTES_MAX: Final = 64 * 1024 * 1024

_HEADER: Final = Struct("!HHIIBBxxxxxx")
_SYN, _ACK = 0x02, 0x10
_MODULUS, _BEHIND = 1 << 32, 1 << 31  # a difference of sequence numbers from _BEHIND on is negative
_TLS: Final = (b"\x14\x03", b"\x15\x03", b"\x16\x03", b"\x17\x03")  # the record types of TLS 1.x (RFC 8446)


class Cut(NamedTuple):
    """A message cut from a stream."""

    number: int
    """The packet that completed it."""
    at: int
    source: Address
    destination: Address
    data: bytes
    connection: int
    """Which of the connections between these two addresses it came over, from 1."""


class _Segment(NamedTuple):
    number: int
    at: int
    source: Address
    destination: Address
    sequence: int
    acknowledged: int | None
    synchronizes: bool
    data: bytes


class TcpStreams:
    """Takes segments in and hands out messages."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._directions: OrderedDict[tuple[Address, Address], _Direction] = OrderedDict()
        self._held_bytes = 0

    def receive(self, packet: IpPacket, number: int, at: int) -> Iterator[Cut]:
        """Take a segment in and yield each message that it completes. Raises Unreadable for one that tells nothing."""
        segment = _read_segment(packet, number, at)
        back = self._directions.get((segment.destination, segment.source))
        if back is not None and segment.acknowledged is not None:
            yield from self._counted(back, back.acknowledge(segment.acknowledged))
        key = (segment.source, segment.destination)
        direction = self._directions.get(key)
        if direction is None or (segment.synchronizes and direction.next != segment.sequence):
            connection = self._connection(segment)
            yield from self._end(key)
            direction = self._directions[key] = _Direction(segment.sequence, connection, self._skipped)
        self._directions.move_to_end(key)
        if not segment.data:
            raise Unreadable("TCP without data")
        yield from self._counted(direction, direction.receive(segment))
        while len(self._directions) > DIRECTIONS_MAX or self._held_bytes > HELD_BYTES_MAX:
            yield from self._end(next(iter(self._directions)))

    def _connection(self, segment: _Segment) -> int:
        """Return the number of the connection to which the first segment of a direction belongs."""
        back = self._directions.get((segment.destination, segment.source))
        former = self._directions.get((segment.source, segment.destination))
        if segment.synchronizes and segment.acknowledged is None:
            return 1 + max((each.connection for each in (back, former) if each is not None), default=0)
        return back.connection if back is not None else 1

    def finish(self) -> Iterator[Cut]:
        """Yield what waits behind holes, for the capture is at its end."""
        while self._directions:
            yield from self._end(next(iter(self._directions)))

    def _end(self, key: tuple[Address, Address]) -> Iterator[Cut]:
        direction = self._directions.get(key)
        if direction is not None:
            yield from self._counted(direction, direction.finish())
            self._held_bytes -= len(direction)
            del self._directions[key]

    def _counted(self, direction: "_Direction", cuts: Iterator[Cut]) -> Iterator[Cut]:
        """Keep count of the bytes held while a direction is at work."""
        before = len(direction)
        try:
            yield from cuts
        finally:
            self._held_bytes += len(direction) - before


def _read_segment(packet: IpPacket, number: int, at: int) -> _Segment:
    payload = packet.payload
    if len(payload) < _HEADER.size:
        raise TooShort("broken TCP header")
    source_port, destination_port, sequence, acknowledged, size, flags = _HEADER.unpack_from(payload)
    header_bytes = (size >> 4) * 4
    if not _HEADER.size <= header_bytes <= len(payload):
        raise Unreadable("broken TCP header")
    synchronizes = bool(flags & _SYN)
    return _Segment(
        number,
        at,
        (host(packet.source), source_port),
        (host(packet.destination), destination_port),
        (sequence + synchronizes) % _MODULUS,  # a SYN takes the place of one byte
        acknowledged if flags & _ACK else None,
        synchronizes,
        payload[header_bytes:],
    )


class _Direction:
    """What one side of a connection sends."""

    __slots__ = ("_framing", "_skipped", "_waiting", "_waiting_bytes", "connection", "next")

    def __init__(self, sequence: int, connection: int, skipped: Counter[str]) -> None:
        self.connection = connection
        self.next = sequence
        """The sequence number of the first byte that has not come."""
        self._framing = SipFraming()
        self._waiting: dict[int, _Segment] = {}
        self._waiting_bytes = 0
        self._skipped = skipped

    def __len__(self) -> int:
        return len(self._framing) + self._waiting_bytes

    def receive(self, segment: _Segment) -> Iterator[Cut]:
        """Take a segment with data in, and all that has waited for it. Raises Unreadable for one seen before."""
        due = self._without_seen(segment)
        if due is None:
            raise Unreadable("TCP segment seen before")
        if due.sequence == self.next:
            yield from self._take(due)
            yield from self._take_waiting()
            return
        self._wait(due)
        while self._is_hopeless(due):
            yield from self._leap(self._nearest())

    def acknowledge(self, acknowledged: int) -> Iterator[Cut]:
        """The receiver has all bytes before this one: what is missing of them is missing in the capture."""
        while self._waiting and 0 < (acknowledged - self.next) % _MODULUS < _BEHIND:
            yield from self._leap(self._nearest())

    def finish(self) -> Iterator[Cut]:
        """Give up every hole."""
        while self._waiting:
            yield from self._leap(self._nearest())
        if len(self._framing):
            within = self._framing.is_within_message
            self._skipped["TCP stream that ends within a message" if within else "not SIP"] += 1

    def _without_seen(self, segment: _Segment) -> _Segment | None:
        """Return a segment without the bytes that have come already; None if those are all."""
        seen = (self.next - segment.sequence) % _MODULUS
        if seen == 0 or seen >= _BEHIND:
            return segment
        if seen >= len(segment.data):
            return None
        return segment._replace(sequence=self.next, data=segment.data[seen:])

    def _wait(self, segment: _Segment) -> None:
        known = self._waiting.get(segment.sequence)
        if known is not None and len(known.data) >= len(segment.data):
            raise Unreadable("TCP segment seen before")
        self._waiting_bytes += len(segment.data) - (len(known.data) if known else 0)
        self._waiting[segment.sequence] = segment

    def _is_hopeless(self, last: _Segment) -> bool:
        """Whether more waits than a window may hold, or the last segment is further away than that."""
        if self._waiting_bytes > WAITING_BYTES_MAX or len(self._waiting) > SEGMENTS_MAX:
            return True
        return WAITING_BYTES_MAX < (last.sequence - self.next) % _MODULUS < _BEHIND

    def _nearest(self) -> int:
        return min(self._waiting, key=lambda sequence: (sequence - self.next) % _MODULUS)

    def _leap(self, sequence: int) -> Iterator[Cut]:
        """Give up the bytes before this sequence number, and take what has waited behind them."""
        self._skipped["bytes missing in a TCP stream"] += 1
        self._framing.lose_step()
        self.next = sequence
        yield from self._take_waiting()

    def _take_waiting(self) -> Iterator[Cut]:
        while self._waiting:
            sequence = self._due()
            if sequence is None:
                return
            segment = self._waiting.pop(sequence)
            self._waiting_bytes -= len(segment.data)
            due = self._without_seen(segment)
            if due is not None:
                yield from self._take(due)

    def _due(self) -> int | None:
        """Return the sequence number of a segment whose turn has come."""
        if self.next in self._waiting:
            return self.next
        return next((each for each in self._waiting if (each - self.next) % _MODULUS >= _BEHIND), None)

    def _take(self, segment: _Segment) -> Iterator[Cut]:
        data = segment.data
        self.next = (segment.sequence + len(data)) % _MODULUS
        if not len(self._framing) and not data.strip(b"\r\n"):
            self._skipped["keep-alive"] += 1
            return
        for message in self._framing.feed(data):
            yield Cut(segment.number, segment.at, segment.source, segment.destination, message, self.connection)
        if self._framing.passed_over:
            self._framing.passed_over = 0
            self._skipped["TLS" if data.startswith(_TLS) else "not SIP"] += 1
