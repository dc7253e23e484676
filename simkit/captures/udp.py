"""UDP datagrams (RFC 768): out of an IP packet, or at one go out of the frame that most of them come in."""

from functools import lru_cache
from struct import Struct
from typing import Final

from .ip import UDP, IpPacket, host
from .packet import Address, TooShort, Unreadable

_HEADER: Final = Struct("!HHHxx")
_ETHERNET_BYTES: Final = 14
_IPV4: Final = 0x0800
_IPV4_BYTES: Final = 20
_VERSION_4_WITHOUT_OPTIONS: Final = 0x45
_NO_FRAGMENT: Final = (0x0000, 0x4000)  # 0x4000: nor may it be made one
_USUAL: Final = Struct("!12xHBxHHHxBxx4s4sHHHxx")


Datagram = tuple[bytes, int, bytes, int, int, bytes]
"""Source and its port, destination and its port, the identification of the IP packet, and the data.

With the identification a datagram is told apart from another with the same data. It is as plain as can be, for there
is one for each packet.
"""


@lru_cache(maxsize=65_536)
def address(packed: bytes, port: int) -> Address:
    """Return an address as it is written, and its port."""
    return host(packed), port


def read_usual(frame: bytes) -> Datagram | None:
    """Read at one go what most frames are: a datagram in a whole IPv4 packet without options, in untagged Ethernet.

    None for all others: they go by `find_ip`, `read_ip` and `read_datagram`, which would return the same for this one.
    """
    if len(frame) < _USUAL.size:
        return None
    ether_type, first, total, identification, fragment, protocol, source, destination, source_port, port, length = (
        _USUAL.unpack_from(frame)
    )
    if ether_type != _IPV4 or first != _VERSION_4_WITHOUT_OPTIONS or protocol != UDP or fragment not in _NO_FRAGMENT:
        return None
    if length != total - _IPV4_BYTES or not _HEADER.size <= length <= len(frame) - _ETHERNET_BYTES - _IPV4_BYTES:
        return None
    data = frame[_USUAL.size : _ETHERNET_BYTES + total]
    return source, source_port, destination, port, identification, data


def read_datagram(packet: IpPacket) -> Datagram:
    """Read the datagram that an IP packet carries. Raises Unreadable."""
    payload = packet.payload
    if len(payload) < _HEADER.size:
        raise TooShort("broken UDP header")
    source_port, destination_port, length = _HEADER.unpack_from(payload)
    if length > len(payload):
        raise TooShort("shorter than its UDP header says")
    if 0 < length < _HEADER.size:  # 0 is all there is (RFC 2675)
        raise Unreadable("broken UDP header")
    data = payload[_HEADER.size : length or None]
    return packet.source, source_port, packet.destination, destination_port, packet.identification, data
