"""pcapng files: sections, interfaces and packets in blocks, in either byte order (draft-ietf-opsawg-pcapng).

Read are Section Header, Interface Description, Enhanced, Simple and the obsolete Packet Block; other blocks are passed
over, and so are all options but those that say what a time stamp counts. A packet without a time, for it is in a Simple
Packet Block or its interface is not described, gets that of the packet before it.
"""

import struct
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from ..units import S
from .byte_stream import ByteStream
from .packet import NO_LINK_TYPE, PACKET_BYTES_MAX, Packet, Truncated

MAGIC: Final = bytes.fromhex("0a0d0d0a")
"""The type of a Section Header Block, the same in either byte order."""

INTERFACES_MAX: Final = 65_536  # no machine has more; a file that describes more is made to fill memory

_BYTE_ORDERS: Final = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_READ: Final = frozenset((_INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED))
_HEAD_BYTES, _TAIL_BYTES = 8, 4  # a block's type and length before its body, and its length once more behind
_BODY_BYTES_MAX: Final = 4 * PACKET_BYTES_MAX  # a packet and its options
_END_OF_OPTIONS, _IF_TSRESOL, _IF_TSOFFSET = 0, 9, 14


def pcapng_packets(stream: ByteStream) -> Iterator[Packet]:
    """Yield the packets of a stream that begins with MAGIC. Raises Truncated."""
    number, last_at = 0, 0
    for section, kind, body in _blocks(stream):
        try:
            if kind == _INTERFACE:
                section.describe_interface(body)
                continue
            captured = section.packet(kind, body)
        except (struct.error, ValueError) as error:
            raise Truncated(f"the block before byte {stream.position} is broken: {error}") from None
        number += 1
        last_at = last_at if captured.at is None else captured.at
        yield Packet(number, last_at, captured.link_type, captured.data, captured.cut)


def _blocks(stream: ByteStream) -> Iterator[tuple["_Section", int, bytes]]:
    """Yield each block that somebody reads: its section, type and body."""
    section: _Section | None = None
    while head := stream.take(_HEAD_BYTES):
        if head.startswith(MAGIC):
            section = _begin_section(stream)
        if section is None or len(head) < _HEAD_BYTES:
            raise Truncated(f"the file ends within a block, at byte {stream.position}")
        kind, length = section.head.unpack(head)
        size = length - _HEAD_BYTES - _TAIL_BYTES
        if size < 0 or length % 4 or (kind in _READ and size > _BODY_BYTES_MAX):
            raise Truncated(f"the block before byte {stream.position} claims {length} bytes: the file is broken")
        if kind not in _READ:
            whole = stream.skip(size) == size
        else:
            body = stream.take(size)
            whole = len(body) == size
        if not whole or len(stream.take(_TAIL_BYTES)) < _TAIL_BYTES:
            raise Truncated(f"the file ends within a block of {length} bytes, at byte {stream.position}")
        if kind in _READ:
            yield section, kind, body


def _begin_section(stream: ByteStream) -> "_Section":
    order = _BYTE_ORDERS.get(stream.peek(4))
    if order is None:
        raise Truncated(f"the section before byte {stream.position} does not say its byte order")
    return _Section(order)


class _Interface(NamedTuple):
    link_type: int
    snapshot_bytes: int
    """0 for no limit."""
    units: int
    """Into how many its clock divides a second."""
    offset_s: int


class _Captured(NamedTuple):
    """What one block tells of its packet; `at` in microseconds since 1970, None where the block has no time."""

    at: int | None
    link_type: int
    data: bytes
    cut: bool


class _Section:
    """The byte order and the interfaces that the blocks of a section share. What is broken raises struct.error or
    ValueError.
    """

    def __init__(self, order: str) -> None:
        self.head = Struct(order + "II")
        self._interface = Struct(order + "HHI")
        self._option = Struct(order + "HH")
        self._offset = Struct(order + "q")
        self._simple = Struct(order + "I")
        self._timed = {_ENHANCED: Struct(order + "IIIII"), _OBSOLETE: Struct(order + "HxxIIII")}
        self._interfaces: list[_Interface] = []

    def describe_interface(self, body: bytes) -> None:
        """Read an Interface Description Block."""
        if len(self._interfaces) == INTERFACES_MAX:
            raise ValueError(f"more than {INTERFACES_MAX} interfaces")
        link_type, _, snapshot_bytes = self._interface.unpack_from(body)
        options = dict(self._options(body[self._interface.size :]))
        resolution = options.get(_IF_TSRESOL, b"\x06")[0]  # microseconds, where nothing is said
        exponent = resolution & 0x7F
        units = 1 << exponent if resolution & 0x80 else 10**exponent
        (offset_s,) = self._offset.unpack(options.get(_IF_TSOFFSET, bytes(self._offset.size)))
        self._interfaces.append(_Interface(link_type, snapshot_bytes, units, offset_s))

    def _options(self, options: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at < len(options):
            code, length = self._option.unpack_from(options, at)
            if code == _END_OF_OPTIONS:
                return
            at += self._option.size
            if length:
                yield code, options[at : at + length]
            at += length + -length % 4

    def packet(self, kind: int, body: bytes) -> _Captured:
        """Read an Enhanced, Simple or obsolete Packet Block."""
        if kind == _SIMPLE:
            return self._simple_packet(body)
        form = self._timed[kind]
        interface, high, low, kept, sent = form.unpack_from(body)
        data = body[form.size : form.size + kept]
        if len(data) < kept:
            raise ValueError(f"its packet claims {kept} bytes, {len(data)} are there")
        if interface >= len(self._interfaces):
            return _Captured(None, NO_LINK_TYPE, data, sent > kept)
        link_type, _, units, offset_s = self._interfaces[interface]
        at = (high << 32 | low) * S // units + offset_s * S
        return _Captured(at, link_type, data, sent > kept)

    def _simple_packet(self, body: bytes) -> _Captured:
        """Read a block that says how long the packet was, but not how much of it was kept."""
        (sent,) = self._simple.unpack_from(body)
        if not self._interfaces:
            return _Captured(None, NO_LINK_TYPE, body[self._simple.size :], False)
        link_type, snapshot_bytes, _, _ = self._interfaces[0]
        kept = min(sent, snapshot_bytes or sent)
        data = body[self._simple.size : self._simple.size + kept]
        return _Captured(None, link_type, data, sent > len(data))
