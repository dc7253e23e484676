"""Captures as SIP messages with their time, their addresses and their frame's number, one after another.

Any pcap or pcapng file, plain or gzip, or a pipe. Nothing in it is trusted, and nothing in it is fatal: what holds no
SIP is counted by reason, what looks like SIP and is none is kept as malformed, and a file that breaks off is read to
its last whole packet. Memory does not grow with the file. Sorting messages into calls is the business of `calls`.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple, Self

from ..errors import CaptureError
from ..sip.framing import is_keep_alive, looks_like_sip
from ..sip.message import Message
from ..sip.parser import MessageError, parse_message
from ..units import MS
from .byte_stream import ByteStream, Readable
from .fragments import Fragments
from .ip import ESP, TCP, TUNNELS, TUNNELS_MAX, UDP, IpPacket, inner_packet, read_ip
from .link import ETHERNET, find_ip
from .packet import Address, Packet, TooShort, Truncated, Unreadable
from .pcap import MAGICS, pcap_packets
from .pcapng import MAGIC, pcapng_packets
from .tcp import TcpStreams
from .udp import Datagram, address, read_datagram, read_usual

MALFORMED_MAX: Final = 1_000
"""How many malformed messages are kept; all are counted."""

ONCE_US: Final = MS
"""How close two appearances of one packet are; the fastest retransmission, T1 in sixtyfold time, comes after 8 ms."""
_ONCE_PACKETS_MAX: Final = 4_096

Progress = Callable[[int], None]
"""Told how many bytes of the file have been read (of gzip: as they lie there), piece by piece."""


class Captured(NamedTuple):
    """A message as it went over the wire."""

    frame: int
    """The number of its packet in the file, of its last packet if it had several; counts from 1."""
    at: int
    """When that packet was captured: microseconds since the first packet of the file."""
    source: Address
    destination: Address
    transport: str
    """Either of "udp" and "tcp"."""
    message: Message
    raw: bytes
    connection: int = 0
    """Over TCP, which of the connections between these two addresses it came over, from 1."""


class Malformed(NamedTuple):
    """Bytes that look like SIP and are no message; the first fields are those of Captured."""

    frame: int
    at: int
    source: Address
    destination: Address
    transport: str
    reason: str
    offset: int
    """The byte of `raw`, from 0, where it goes wrong."""
    raw: bytes


class CaptureReader:
    """The messages of a capture, for one loop over it; what else was in it is known when that has ended.

    The end of the loop closes a file that was opened here; so does leaving a `with` of the reader, for those who break
    off.
    """

    def __init__(self, file: BinaryIO, name: str, *, once: bool, closes: bool, progress: Progress | None) -> None:
        self.name = name
        """What to call the capture in a message: its path, or "standard input"."""
        self.packets = 0
        self.skipped: Counter[str] = Counter()
        """What was not read, by reason: packets, or parts of a TCP stream."""
        self.malformed: list[Malformed] = []
        """The first MALFORMED_MAX of them."""
        self.truncated: str | None = None
        """Where and why the file could not be read to its end."""
        self.began_at_us: int | None = None
        """When the first packet was captured: microseconds since 1970."""
        self.last_at = 0
        """When the latest packet was captured: microseconds since the first."""
        self._file, self._closes = file, closes
        self._packets = _packets(file if progress is None else _Watched(file, progress), name)
        self._fragments = Fragments(self.skipped)
        self._streams = TcpStreams(self.skipped)
        self._repeats = _Repeats() if once else None

    def __iter__(self) -> Iterator[Captured]:
        with self:
            try:
                for packet in self._packets:
                    yield from self._read(packet)
            except Truncated as reason:
                self.truncated = str(reason)
            self._fragments.finish()
            for cut in self._streams.finish():
                yield from self._parsed("tcp", *cut)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._closes:
            self._file.close()

    def _read(self, packet: Packet) -> Iterable[Captured]:
        """Return the messages that a packet completes, or count why there are none."""
        number, at, link_type, data, _ = packet
        self.packets += 1
        if self.began_at_us is None:
            self.began_at_us = at
        at -= self.began_at_us
        if at > self.last_at:
            self.last_at = at
        try:
            datagram = read_usual(data) if link_type == ETHERNET else None
            if datagram is None:
                whole = self._transport_packet(packet)
                if whole is None:
                    return ()
                if whole.protocol == TCP:
                    return self._segment(whole, packet, at)
                if whole.protocol != UDP:
                    raise Unreadable("ESP" if whole.protocol == ESP else "neither UDP nor TCP")
                datagram = read_datagram(whole)
            return self._datagram(datagram, number, at)
        except Unreadable as reason:
            self._skip(packet, reason)
            return ()

    def _skip(self, packet: Packet, reason: Unreadable) -> None:
        cut = packet.cut and isinstance(reason, TooShort)
        self.skipped["cut short by the capture" if cut else str(reason)] += 1

    def _transport_packet(self, packet: Packet) -> IpPacket | None:
        """Return the innermost IP packet; None for a fragment of one that is not complete."""
        found: IpPacket | None = read_ip(packet.data, find_ip(packet.link_type, packet.data))
        for _ in range(TUNNELS_MAX + 1):
            if found is not None and (found.more or found.offset):
                found = self._fragments.add(found, packet.at)
            if found is None or found.protocol not in TUNNELS:
                return found
            found = inner_packet(found)
        raise Unreadable("tunnels in tunnels")

    def _segment(self, whole: IpPacket, packet: Packet, at: int) -> Iterator[Captured]:
        try:
            for cut in self._streams.receive(whole, packet.number, at):
                yield from self._parsed("tcp", *cut)
        except Unreadable as reason:
            self._skip(packet, reason)

    def _datagram(self, datagram: Datagram, number: int, at: int) -> Iterable[Captured]:
        source, source_port, destination, destination_port, _, data = datagram
        if not looks_like_sip(data):
            raise Unreadable("keep-alive" if is_keep_alive(data) else "not SIP")
        if self._repeats is not None and self._repeats.holds(datagram, at):
            raise Unreadable("a packet seen before")
        return self._parsed(
            "udp", number, at, address(source, source_port), address(destination, destination_port), data
        )

    def _parsed(
        self,
        transport: str,
        frame: int,
        at: int,
        source: Address,
        destination: Address,
        raw: bytes,
        connection: int = 0,
    ) -> tuple[()] | tuple[Captured]:
        try:
            message = parse_message(raw)
        except MessageError as error:
            self.skipped["malformed SIP"] += 1
            if len(self.malformed) < MALFORMED_MAX:
                broken = Malformed(frame, at, source, destination, transport, str(error), error.offset, raw)
                self.malformed.append(broken)
            return ()
        return (Captured(frame, at, source, destination, transport, message, raw, connection),)


def read_capture(source: str | BinaryIO, *, once: bool = True, progress: Progress | None = None) -> CaptureReader:
    """Begin to read a capture: a path, "-" for standard input, or an open binary file, which stays open.

    `once` reads a packet once that was captured twice, as happens on the loopback and on "any": the same UDP datagram
    with the same addresses and IP identification within ONCE_US. A retransmission comes later, or is another packet.
    Raises CaptureError for what cannot be opened or is no capture at all.
    """
    if not isinstance(source, str):
        name = str(getattr(source, "name", "capture"))
        return CaptureReader(source, name, once=once, closes=False, progress=progress)
    if source == "-":
        return CaptureReader(sys.stdin.buffer, "standard input", once=once, closes=False, progress=progress)
    try:
        file = open(source, "rb")  # noqa: SIM115 - the reader closes it
    except (OSError, ValueError) as error:
        raise CaptureError(f"{source}: cannot be read: {getattr(error, 'strerror', error)}") from error
    try:
        return CaptureReader(file, source, once=once, closes=True, progress=progress)
    except CaptureError:
        file.close()
        raise


class _Watched:
    """A file that tells how far it has been read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._progress, self._passed = progress, 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; a pipe's as it has them."""
        piece = self._read(size)
        self._passed += len(piece)
        self._progress(self._passed)
        return piece


def _packets(file: Readable, name: str) -> Iterator[Packet]:
    """Return the packets of a file by how it begins. Raises CaptureError."""
    try:
        stream = ByteStream(file)
        magic = stream.peek(4)
    except Truncated as error:
        raise CaptureError(f"{name}: cannot be read: {error}") from None
    if magic in MAGICS:
        return pcap_packets(stream)
    if magic == MAGIC:
        return pcapng_packets(stream)
    begins = f"it begins with {magic!r}" if magic else "it is empty"
    raise CaptureError(f"{name}: not a capture: {begins} (pcap and pcapng are read, plain or gzip)")


class _Repeats:
    """The datagrams of the last moment."""

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def holds(self, datagram: Datagram, at: int) -> bool:
        """Whether this datagram was captured a moment ago; from now on it was."""
        key = hash(datagram)
        before = self._recent.get(key, self._older.get(key))
        self._recent[key] = at
        if len(self._recent) == _ONCE_PACKETS_MAX:
            self._recent, self._older = {}, self._recent
        return before is not None and abs(at - before) <= ONCE_US
