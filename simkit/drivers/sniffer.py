"""What goes over the loopback, as the system shows it to a sniffer: scapy's, which asks for the right to capture.

The loopback carries other programs' packets, and shows each twice: on its way out and on its way in. Kept is each
message of the run's own sockets, once: a datagram, or what a connection carries.
"""

import select
import socket
import sys
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from struct import Struct
from typing import Any, Final, NamedTuple

from ..errors import SetupError
from ..ua.events import Address
from .place import Datagram
from .segments_seen import Segment, SegmentsSeen, read_segment

INTERFACE: Final = "lo" if sys.platform == "linux" else "lo0"
LINK_HEADER_BYTES: Final = 14 if sys.platform == "linux" else 4
"""Linux puts its loopback's packets into Ethernet frames; elsewhere the address family comes before them."""

READ_MAX: Final = 256
"""So many packets are looked at in one go: nobody else's are to keep the run waiting."""

_BUFFER_BYTES: Final = 8 << 20
_PROTOCOL_TCP: Final = 6
_PROTOCOL_UDP: Final = 17
_UDP: Final = Struct("!HHHH")
_ARPHRD_LOOPBACK: Final = 772  # Linux's type of the loopback
_IPV4_BYTES_MIN, _IPV6_BYTES = 20, 40


class Sniffed(NamedTuple):
    """A datagram that was seen, and when: nanoseconds since 1970."""

    calendar_ns: int
    datagram: Datagram


class Sniffer:
    """Listens to the loopback; leaving the `with` block ends that."""

    name: Final = f"scapy's sniffer on {INTERFACE}"

    def __init__(self, addresses: Collection[Address], *, outward: bool = False, connected: bool = False) -> None:
        """Listen for datagrams between these addresses, or `outward`, for those too that only one of them has part in.

        `connected`: listen for connections to these addresses instead. Raises SetupError where the user may not, or
        scapy cannot.
        """
        self.sniffed: list[Sniffed] = []
        self._addresses = frozenset(addresses)
        self._ends_min = 1 if outward or connected else 2  # a connection comes from any port
        self._segments = SegmentsSeen() if connected else None
        self._socket: Any = _open()

    def __enter__(self) -> "Sniffer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Return what a selector needs."""
        number: int = self._socket.fileno()
        return number

    def read(self, *, at_most: int = READ_MAX) -> bool:
        """Take in what has been seen so far; tell whether there may be more."""
        for _ in range(at_most):
            if not self._is_ready():
                return False
            _, packet, seconds = self._socket.recv_raw()
            if packet:
                calendar_ns = int(seconds * 1_000_000) * 1_000
                self.sniffed += (Sniffed(calendar_ns, each) for each in self._messages_in(packet[LINK_HEADER_BYTES:]))
        return True

    def _messages_in(self, packet: bytes) -> Iterator[Datagram]:
        """Yield the messages that a packet brings."""
        if self._segments is None:
            datagram = datagram_in(packet)
            if datagram is not None and self._is_ours(*datagram[:2]):
                yield datagram
        elif (segment := segment_in(packet)) is not None and self._is_ours(*segment[:2]):
            yield from self._segments.take(segment)

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def _is_ours(self, source: Address, destination: Address) -> bool:
        return (source in self._addresses) + (destination in self._addresses) >= self._ends_min

    def _is_ready(self) -> bool:
        return bool(getattr(self._socket, "received_frames", ()) or select.select([self._socket], [], [], 0)[0])


def _open() -> Any:
    """Open scapy's socket for whole packets; the one that can also send shows no packet twice on Linux."""
    try:
        import scapy.arch  # finds out what this system captures with
        from scapy.config import conf
        from scapy.packet import Raw
    except Exception as error:  # whatever a system without interfaces, or a broken installation, makes of it
        raise SetupError(f"scapy cannot be loaded: {error}") from None
    conf.l2types.num2layer.setdefault(_ARPHRD_LOOPBACK, Raw)  # scapy warns of a link type that it does not know
    try:
        opened = conf.L2socket(iface=INTERFACE, promisc=False)
    except (OSError, scapy.error.Scapy_Exception) as error:
        raise SetupError(f"capturing on {INTERFACE} takes root, or the capability for it ({error})") from None
    if isinstance(opened.ins, socket.socket):
        opened.ins.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return opened


def datagram_in(packet: bytes) -> Datagram | None:
    """Return the UDP datagram of an IP packet; None for fragments and all else."""
    found = _payload_in(packet, _PROTOCOL_UDP)
    if found is None or len(found[1]) < _UDP.size:
        return None
    (source, destination), payload = found
    source_port, destination_port, length, _ = _UDP.unpack_from(payload)
    return Datagram((source, source_port), (destination, destination_port), payload[_UDP.size : length])


def segment_in(packet: bytes) -> Segment | None:
    """Return the TCP segment of an IP packet; None for fragments and all else."""
    found = _payload_in(packet, _PROTOCOL_TCP)
    return read_segment(*found) if found is not None else None


def _payload_in(packet: bytes, wanted: int) -> tuple[tuple[str, str], bytes] | None:
    """Return both hosts and the payload of an IP packet of this protocol (RFC 791, RFC 8200)."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= _IPV4_BYTES_MIN:
        start, end = (packet[0] & 0xF) * 4, int.from_bytes(packet[2:4], "big")
        whole = not int.from_bytes(packet[6:8], "big") & 0x3FFF
        protocol, hosts = packet[9], (packet[12:16], packet[16:20])
    elif version == 6 and len(packet) >= _IPV6_BYTES:
        start, end, whole = _IPV6_BYTES, _IPV6_BYTES + int.from_bytes(packet[4:6], "big"), True
        protocol, hosts = packet[6], (packet[8:24], packet[24:40])
    else:
        return None
    if protocol != wanted or not whole:
        return None
    return (str(ip_address(hosts[0])), str(ip_address(hosts[1]))), packet[start:end]
