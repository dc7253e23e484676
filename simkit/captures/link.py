"""Where the IP header is in a captured frame, for each link type that is read.

Ethernet with any VLAN tags (IEEE 802.1Q, 802.1ad), Linux cooked v1 and v2, BSD null and loop, and raw IP. The numbers
are those of tcpdump.org/linktypes.html and of the EtherType registry.
"""

from collections.abc import Callable
from typing import Final

from .packet import NO_LINK_TYPE, TooShort, Unreadable

ETHERNET: Final = 1
VLAN_TAGS_MAX: Final = 8  # two are in use; more is a packet made to keep us busy

_IP: Final = frozenset((b"\x08\x00", b"\x86\xdd"))  # IPv4 and IPv6: the header itself says which
_VLAN: Final = frozenset((b"\x81\x00", b"\x88\xa8", b"\x91\x00"))
_FAMILIES: Final = frozenset((2, 10, 23, 24, 28, 30))  # AF_INET, and AF_INET6 of Linux, Windows, the BSDs and macOS


def find_ip(link_type: int, frame: bytes) -> int:
    """Return where the IP header begins. Raises Unreadable."""
    find = _LINKS.get(link_type)
    if find is None:
        raise Unreadable("no interface described" if link_type == NO_LINK_TYPE else f"link type {link_type}")
    return find(frame)


def _after_ether_type(frame: bytes, at: int) -> int:
    for _ in range(VLAN_TAGS_MAX + 1):
        ether_type = frame[at : at + 2]
        if ether_type in _IP:
            return at + 2
        if len(ether_type) < 2:
            raise TooShort("not IP")
        if ether_type not in _VLAN:
            break
        at += 4  # the tag, and the EtherType behind it
    raise Unreadable("not IP")


def _ethernet(frame: bytes) -> int:
    return _after_ether_type(frame, 12)


def _linux_cooked(frame: bytes) -> int:
    return _after_ether_type(frame, 14)


def _linux_cooked_2(frame: bytes) -> int:
    header_bytes = 20
    if frame[:2] in _IP:
        return header_bytes
    if frame[:2] in _VLAN:  # the tag is in the payload, as in Ethernet
        return _after_ether_type(frame, header_bytes + 2)
    raise Unreadable("not IP")


def _bsd_loopback(frame: bytes) -> int:
    """Null is in the byte order of whoever captured, loop in that of the network: either is one small number."""
    family = frame[:4]
    if int.from_bytes(family, "big") in _FAMILIES or int.from_bytes(family, "little") in _FAMILIES:
        return 4
    raise Unreadable("not IP")


def _raw(frame: bytes) -> int:
    return 0


_LINKS: Final[dict[int, Callable[[bytes], int]]] = {
    0: _bsd_loopback,  # NULL
    ETHERNET: _ethernet,
    12: _raw,  # DLT_RAW, as some systems number it
    14: _raw,  # ... and OpenBSD
    101: _raw,  # RAW
    108: _bsd_loopback,  # LOOP
    113: _linux_cooked,  # LINUX_SLL
    228: _raw,  # IPV4
    229: _raw,  # IPV6
    276: _linux_cooked_2,  # LINUX_SLL2
}
