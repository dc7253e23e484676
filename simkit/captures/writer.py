"""Traces as a pcap file: each message in Ethernet frames, IP packets, and a UDP datagram or the segments of a stream.

The tap is at the sender: lost messages are in the file, for they were sent. The same traces give the same bytes: time
counts from a fixed epoch, and MAC addresses and IP identification follow from the order of parties and messages.
What went over TLS is written as TCP in the clear. Reading is the business of `reader`.
"""

import heapq
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from struct import Struct
from typing import Any, BinaryIO, Final

from ..errors import CaptureError, SetupError
from ..sip.uri import SIP_PORT
from ..trace import Trace, Transit
from ..units import S
from .segments import Segments

EPOCH_S: Final = 946_684_800
"""Where virtual time begins: 2000-01-01T00:00:00Z."""

SNAPLEN: Final = 262_144  # libpcap's largest: no packet is cut

_DATAGRAM_MAX: Final = 65_535 - 20 - 8  # IPv4's total length (RFC 791) less its header and UDP's (RFC 768)
_ETHERNET: Final = Struct("!6s6sH")
_IPV4: Final = Struct("!BBHHHBBH4s4s")  # RFC 791 section 3.1
_IPV6: Final = Struct("!IHBB16s16s")  # RFC 8200 section 3
_UDP: Final = Struct("!HHHH")
_PROTOCOL_TCP: Final = 6
_PROTOCOL_UDP: Final = 17
_TTL: Final = 64  # RFC 1700
_NOWHERE_IPV4: Final = bytes([192, 0, 2, 0])  # RFC 5737
_NOWHERE_IPV6: Final = bytes.fromhex("20010db8") + bytes(12)  # RFC 3849
_NO_MAC: Final = (0x02_00_00_00_00_00).to_bytes(6, "big")

Address = tuple[str, int]


def write_pcap(target: str | BinaryIO, traces: Iterable[Trace], addresses: Mapping[str, Address]) -> int:
    """Write the messages of all traces in the order of time and return their number.

    `target` is a path, "-" for standard output, or an open binary file. `addresses` says where each party is; one that
    is not there is its own "host:port". A host that is no IP address gets one kept for documentation. A file appears
    whole or not at all. Raises SetupError where it cannot be written, CaptureError where a message does not fit into a
    datagram.
    """
    if not isinstance(target, str):
        return _write(target, traces, addresses)
    with _opened(target) as file:
        return _write(file, traces, addresses)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """Yield a file to write to, and put it in its place once all is written; pipes and devices are written directly."""
    try:
        if path == "-":
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                yield file
        else:
            with _whole(os.path.realpath(path)) as file:
                yield file
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _whole(path: str) -> Iterator[BinaryIO]:
    partial = f"{path}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as file:
            yield file
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.remove(partial)
        raise


def _write(file: BinaryIO, traces: Iterable[Trace], addresses: Mapping[str, Address]) -> int:
    from scapy.data import DLT_EN10MB
    from scapy.utils import RawPcapWriter

    writer: Any = RawPcapWriter(file, linktype=DLT_EN10MB, endianness="<", snaplen=SNAPLEN)
    writer.write_header(None)  # even where no message follows
    frames = _Frames(addresses)
    in_order = heapq.merge(*(trace.messages() for trace in traces), key=lambda transit: transit.sent_at)
    count = 0
    for transit in in_order:
        count += 1
        seconds, microseconds = divmod(transit.sent_at, S)
        for frame in frames.of(transit):
            writer.write_packet(frame, sec=EPOCH_S + seconds, usec=microseconds)
    writer.flush()
    return count


@dataclass(frozen=True, slots=True)
class _Path:
    """What all frames of one direction share."""

    ethernet: bytes
    addresses: tuple[bytes, bytes]
    ports: tuple[int, int]
    addresses_sum: int
    """For checksums: protocol and length come to it (RFC 768, RFC 9293 section 3.1, RFC 8200 section 8.1)."""

    def checksum(self, protocol: int, payload: bytes) -> int:
        """Return the checksum of a datagram or segment whose own is 0."""
        words = payload + b"\0" * (len(payload) % 2)
        return _checksum(self.addresses_sum + protocol + len(payload) + int.from_bytes(words, "big"))


class _Frames:
    """Makes frames; what does not change between two parties is made once."""

    def __init__(self, addresses: Mapping[str, Address]) -> None:
        self._addresses = addresses
        self._mac = {party: (0x02_00_00_00_00_00 + n).to_bytes(6, "big") for n, party in enumerate(addresses, 1)}
        self._paths: dict[tuple[str, str], _Path] = {}
        self._segments = Segments()
        self._count = 0

    def of(self, transit: Transit) -> Iterator[bytes]:
        """Yield the frames by which a message goes its way."""
        if not transit.connection:
            path = self._path_between(transit.sender, transit.receiver)
            yield self._frame(path, _PROTOCOL_UDP, _datagram(path, transit))
            return
        for segment in self._segments.of(transit):
            path = self._path_between(*segment.ends)
            payload = segment.to_bytes(path.ports, partial(path.checksum, _PROTOCOL_TCP))
            yield self._frame(path, _PROTOCOL_TCP, payload)

    def _frame(self, path: _Path, protocol: int, payload: bytes) -> bytes:
        self._count += 1
        if len(path.addresses[0]) == len(_NOWHERE_IPV4):
            return path.ethernet + _ipv4_header(path, protocol, len(payload), self._count) + payload
        return path.ethernet + _IPV6.pack(6 << 28, len(payload), protocol, _TTL, *path.addresses) + payload

    def _path_between(self, sender: str, receiver: str) -> _Path:
        path = self._paths.get((sender, receiver))
        if path is None:
            path = self._paths[sender, receiver] = self._path(sender, receiver)
        return path

    def _path(self, sender: str, receiver: str) -> _Path:
        (host, port), (to_host, to_port) = self._address(sender), self._address(receiver)
        source = _packed(host, len(_NOWHERE_IPV4)) or _packed(host, len(_NOWHERE_IPV6)) or _NOWHERE_IPV4
        nowhere, ether_type = (_NOWHERE_IPV4, 0x0800) if len(source) == len(_NOWHERE_IPV4) else (_NOWHERE_IPV6, 0x86DD)
        ends = (source, _packed(to_host, len(source)) or nowhere)
        ethernet = _ETHERNET.pack(self._mac.get(receiver, _NO_MAC), self._mac.get(sender, _NO_MAC), ether_type)
        return _Path(ethernet, ends, (port, to_port), int.from_bytes(b"".join(ends), "big"))

    def _address(self, party: str) -> Address:
        host, _, port = party.rpartition(":")
        known = self._addresses.get(party) or (host.strip("[]"), int(port) if port.isdecimal() else SIP_PORT)
        return known[0], known[1] & 0xFFFF


def _packed(host: str, size: int) -> bytes | None:
    """Return an IP address of this size as bytes; None where the host is something else."""
    try:
        packed = ip_address(host).packed
    except ValueError:
        return None
    return packed if len(packed) == size else None


def _datagram(path: _Path, transit: Transit) -> bytes:
    payload = transit.message.to_bytes()
    if len(payload) > _DATAGRAM_MAX:
        size = f"{transit.message.start_line[:60]!r} is {len(payload)} bytes long"
        raise CaptureError(f"message {transit.number}, {size}: a datagram holds {_DATAGRAM_MAX}")
    length = _UDP.size + len(payload)
    checksum = path.checksum(_PROTOCOL_UDP, _UDP.pack(*path.ports, length, 0) + payload)
    return _UDP.pack(*path.ports, length, checksum or 0xFFFF) + payload  # 0 would say: none


def _ipv4_header(path: _Path, protocol: int, payload_bytes: int, number: int) -> bytes:
    fields = (0x45, 0, _IPV4.size + payload_bytes, number & 0xFFFF, 0, _TTL, protocol)
    checksum = _checksum(int.from_bytes(_IPV4.pack(*fields, 0, *path.addresses), "big"))
    return _IPV4.pack(*fields, checksum, *path.addresses)


def _checksum(number: int) -> int:
    """Return the Internet checksum (RFC 1071) of 16-bit words read as one number.

    Their ones' complement sum is that number modulo 0xFFFF, for 0x10000 leaves 1; the checksum is its complement.
    """
    return -number % 0xFFFF
