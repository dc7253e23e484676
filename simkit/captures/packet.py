"""What is in a capture before anybody looks into it: packets, and why one cannot be read.

An `Unreadable` concerns one packet: it is counted by its reason, and the next one is read. A `Truncated` ends the
capture: what came before it stands.
"""

from typing import Final, NamedTuple

PACKET_BYTES_MAX: Final = 262_144
"""libpcap's largest snapshot length: a record that claims more is broken, not large."""

NO_LINK_TYPE: Final = -1
"""Of a packet whose interface the file does not describe."""


Address = tuple[str, int]
"""Host and port."""


class Packet(NamedTuple):
    """One packet as it was captured."""

    number: int
    """Counts from 1 in the order of the file, as Wireshark's frame numbers do."""
    at: int
    """Microseconds since 1970."""
    link_type: int
    """What `data` begins with: a LINKTYPE of tcpdump.org, or NO_LINK_TYPE."""
    data: bytes
    cut: bool
    """The packet was longer than what was kept of it."""


class Unreadable(Exception):
    """A packet, or a part of one, that holds no SIP that we can read; `str()` is the reason, in a few words."""


class TooShort(Unreadable):
    """A packet that ends before its headers say so: it is broken, or it was cut when it was captured."""


class Truncated(Exception):
    """The capture cannot be read on from here; `str()` says where and why."""
