"""IP packets put together from their fragments (RFC 791 section 3.2, RFC 8200 section 4.5).

A fragment that comes twice counts once; a packet whose fragments overlap is thrown away, as RFC 5722 wants it for IPv6
and Linux does for both. What is held is bounded, whatever the capture: packets, fragments of each, and time to wait.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Final

from ..units import S
from .ip import IpPacket
from .packet import Unreadable

WAIT_US: Final = 30 * S  # as Linux waits (net.ipv4.ipfrag_time)
PACKETS_MAX: Final = 512
FRAGMENTS_MAX: Final = 128  # of one packet: 65,535 bytes in the 576 that every IPv4 host takes are 118
PAYLOAD_BYTES_MAX: Final = 65_535

_Key = tuple[bytes, bytes, int, int]


@dataclass(slots=True)
class _Pieces:
    """What has come of one packet; it is no more than a warning once `broken`."""

    first_at: int
    parts: dict[int, bytes] = field(default_factory=dict)
    """The fragments by their offset; none overlaps another."""
    held_bytes: int = 0
    whole_bytes: int | None = None
    """Known when the last fragment has come."""
    broken: bool = False


class Fragments:
    """Holds fragments until their packet is whole."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._packets: OrderedDict[_Key, _Pieces] = OrderedDict()

    def add(self, fragment: IpPacket, at: int) -> IpPacket | None:
        """Take a fragment in; return the packet that it completes. Raises Unreadable for one that cannot belong."""
        while self._packets and next(iter(self._packets.values())).first_at < at - WAIT_US:
            self._forget_oldest()
        key = (fragment.source, fragment.destination, fragment.protocol, fragment.identification)
        pieces = self._packets.get(key)
        if pieces is None:
            if len(self._packets) == PACKETS_MAX:
                self._forget_oldest()
            pieces = self._packets[key] = _Pieces(at)
        if pieces.broken:
            raise Unreadable("fragments that do not fit together")
        if pieces.parts.get(fragment.offset) == fragment.payload:
            raise Unreadable("a fragment seen before")
        if not _fits(pieces, fragment):
            pieces.broken = True
            pieces.parts.clear()
            raise Unreadable("fragments that do not fit together")
        pieces.parts[fragment.offset] = fragment.payload
        pieces.held_bytes += len(fragment.payload)
        if not fragment.more:
            pieces.whole_bytes = fragment.offset + len(fragment.payload)
        if pieces.held_bytes != pieces.whole_bytes:
            return None
        del self._packets[key]
        payload = b"".join(part for _, part in sorted(pieces.parts.items()))
        return fragment._replace(payload=payload, offset=0, more=False)

    def finish(self) -> None:
        """Count what was never completed, for the capture is at its end."""
        while self._packets:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, pieces = self._packets.popitem(last=False)
        if not pieces.broken:
            self._skipped["fragments of a packet that never was whole"] += len(pieces.parts)


def _fits(pieces: _Pieces, fragment: IpPacket) -> bool:
    """Whether a fragment leaves the others alone, in its place and in what it says of the end."""
    start, end = fragment.offset, fragment.offset + len(fragment.payload)
    if start == end or end > PAYLOAD_BYTES_MAX or (fragment.more and end % 8):
        return False
    if len(pieces.parts) == FRAGMENTS_MAX:
        return False
    furthest = max((offset + len(part) for offset, part in pieces.parts.items()), default=0)
    if not fragment.more and (end < furthest or pieces.whole_bytes is not None):
        return False
    if pieces.whole_bytes is not None and end > pieces.whole_bytes:
        return False
    return not any(offset < end and start < offset + len(part) for offset, part in pieces.parts.items())
