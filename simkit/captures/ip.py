"""IPv4 (RFC 791) and IPv6 (RFC 8200) headers, and what they carry when that is IP again (RFC 2003, 4213, 2473, 2784).

Checksums are not verified: a sender that leaves them to its network card is captured before they are right. Encrypted
payload (ESP) stays closed. A total length of 0 is that of a packet which the network card is to cut up: all is there.
"""

from functools import lru_cache
from ipaddress import ip_address
from struct import Struct
from typing import Final, NamedTuple

from .link import ETHERNET, find_ip
from .packet import TooShort, Unreadable

IN_IP4, TCP, UDP, IN_IP6, GRE, ESP = 4, 6, 17, 41, 47, 50
TUNNELS: Final = frozenset((IN_IP4, IN_IP6, GRE))
TUNNELS_MAX: Final = 8  # one in another; more is a packet made to keep us busy

_IPV4: Final = Struct("!BxHHHxBxx4s4s")
_IPV6: Final = Struct("!4xHBx16s16s")
_FRAGMENT: Final = Struct("!BxHI")
_MORE_FRAGMENTS, _OFFSET_MASK = 0x2000, 0x1FFF  # the offset counts 8 bytes

_FRAGMENT_HEADER, _AH = 44, 51
_EXTENSIONS: Final = frozenset((0, 43, 60, 135, 139, 140))  # of one form: next header, and length in 8 bytes less one


class IpPacket(NamedTuple):
    """An IP packet, or a fragment of one, by what those who look inside need."""

    source: bytes
    destination: bytes
    protocol: int
    identification: int
    """The same for all fragments of a packet; 0 for an IPv6 packet that is whole."""
    payload: bytes
    offset: int = 0
    """Where in the whole packet's payload this fragment begins."""
    more: bool = False
    """Whether further fragments follow; offset 0 without more is a whole packet."""


@lru_cache(maxsize=65_536)
def host(packed: bytes) -> str:
    """Return an address as it is written: "127.0.0.1", "2001:db8::1"."""
    return str(ip_address(packed))


def read_ip(data: bytes, at: int) -> IpPacket:
    """Read the IP packet that begins at this byte. Raises Unreadable."""
    version = data[at] >> 4 if at < len(data) else 0
    if version == 4:
        return _read_ipv4(data, at)
    if version == 6:
        return _read_ipv6(data, at)
    raise TooShort("broken IP header")


def _read_ipv4(data: bytes, at: int) -> IpPacket:
    if len(data) < at + _IPV4.size:
        raise TooShort("broken IP header")
    first, total, identification, fragment, protocol, source, destination = _IPV4.unpack_from(data, at)
    header_bytes = (first & 0x0F) * 4
    end = at + total if total else len(data)
    if header_bytes < _IPV4.size or end < at + header_bytes:
        raise Unreadable("broken IP header")
    if end > len(data):
        raise TooShort("shorter than its IP header says")
    payload = data[at + header_bytes : end]
    if fragment & (_MORE_FRAGMENTS | _OFFSET_MASK):
        offset, more = (fragment & _OFFSET_MASK) * 8, bool(fragment & _MORE_FRAGMENTS)
        return IpPacket(source, destination, protocol, identification, payload, offset, more)
    return IpPacket(source, destination, protocol, identification, payload)


def _read_ipv6(data: bytes, at: int) -> IpPacket:
    if len(data) < at + _IPV6.size:
        raise TooShort("broken IP header")
    length, protocol, source, destination = _IPV6.unpack_from(data, at)
    at += _IPV6.size
    end = at + length if length else len(data)
    if end > len(data):
        raise TooShort("shorter than its IP header says")
    while protocol in _EXTENSIONS or protocol in (_AH, _FRAGMENT_HEADER):
        if end < at + _FRAGMENT.size:
            raise Unreadable("broken IP header")
        if protocol == _FRAGMENT_HEADER:
            protocol, fragment, identification = _FRAGMENT.unpack_from(data, at)
            payload = data[at + _FRAGMENT.size : end]
            if fragment & 0xFFF9:  # a fragment that is all of its packet is no fragment (RFC 6946)
                return IpPacket(
                    source, destination, protocol, identification, payload, fragment & 0xFFF8, bool(fragment & 1)
                )
            at += _FRAGMENT.size
        else:
            size = (data[at + 1] + 2) * 4 if protocol == _AH else (data[at + 1] + 1) * 8
            protocol, at = data[at], at + size
    return IpPacket(source, destination, protocol, 0, data[at:end])


def inner_packet(outer: IpPacket) -> IpPacket:
    """Read the IP packet that one of the TUNNELS carries. Raises Unreadable."""
    if outer.protocol != GRE:
        return read_ip(outer.payload, 0)
    return read_ip(*_inside_gre(outer.payload))


def _inside_gre(payload: bytes) -> tuple[bytes, int]:
    """Return what GRE carries (RFC 2784, with the key and sequence number of RFC 2890), and where IP begins in it."""
    if len(payload) < 4:
        raise TooShort("broken GRE header")
    flags, protocol = int.from_bytes(payload[:2], "big"), payload[2:4]
    if flags & 0x4007:  # source routes of RFC 1701, or a version other than 0
        raise Unreadable("GRE of another version")
    size = 4 + sum(4 for flag in (0x8000, 0x2000, 0x1000) if flags & flag)  # checksum, key, sequence number
    carried = payload[size:]
    if protocol in (b"\x08\x00", b"\x86\xdd"):
        return carried, 0
    if protocol == b"\x65\x58":  # transparent Ethernet bridging
        return carried, find_ip(ETHERNET, carried)
    raise Unreadable("not IP")
