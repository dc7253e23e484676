"""pcap files: records of libpcap, in microseconds or nanoseconds and either byte order (draft-ietf-opsawg-pcap).

Read with `struct` and not with scapy, whose RawPcapReader does not tell a file that breaks off from one that ends, and
takes longer to load than most captures take to read.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from ..units import S
from .byte_stream import ByteStream
from .packet import PACKET_BYTES_MAX, Packet, Truncated

# fmt: off
MAGICS: Final = {  # byte order, and units of time in a microsecond
    bytes.fromhex("a1b2c3d4"): (">", 1),
    bytes.fromhex("d4c3b2a1"): ("<", 1),
    bytes.fromhex("a1b23c4d"): (">", 1000),
    bytes.fromhex("4d3cb2a1"): ("<", 1000),
}
# fmt: on
_HEADER_BYTES: Final = 24
_LINK_TYPE_AT: Final = 20
_RECORD: Final = "IIII"  # seconds, their fraction, bytes kept, bytes sent


def pcap_packets(stream: ByteStream) -> Iterator[Packet]:
    """Yield the packets of a stream that begins with one of MAGICS. Raises Truncated."""
    header = stream.take(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        raise Truncated("the file ends within its header")
    order, units = MAGICS[header[:4]]
    (link_type,) = Struct(order + "I").unpack_from(header, _LINK_TYPE_AT)
    link_type &= 0xFFFF  # what is above says how long the frame check sequence is
    record = Struct(order + _RECORD)
    take, unpack, record_bytes = stream.take, record.unpack, record.size
    number = 0
    while head := take(record_bytes):
        number += 1
        if len(head) < record_bytes:
            raise Truncated(f"the file ends within the header of packet {number}")
        seconds, fraction, kept, sent = unpack(head)
        if kept > PACKET_BYTES_MAX:
            raise Truncated(f"packet {number} claims {kept} bytes, more than any capture keeps: the file is broken")
        data = take(kept)
        if len(data) < kept:
            raise Truncated(f"the file ends within packet {number}: {len(data)} of {kept} bytes are there")
        yield Packet(number, seconds * S + fraction // units, link_type, data, sent > kept)
