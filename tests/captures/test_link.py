"""Where the IP packet is in a frame, for each link type."""

import struct

import pytest

from .building import ETHERNET, ether_type, ethernet, ipv4, ipv6, pcap, sip, udp
from .reading import messages, read, skipped

V4, V6 = ipv4(udp(sip())), ipv6(udp(sip()))


def cooked(packet: bytes) -> bytes:
    """Linux cooked v1."""
    return struct.pack("!HHH8sH", 4, 1, 6, bytes(8), ether_type(packet)) + packet


def cooked_2(packet: bytes) -> bytes:
    """Linux cooked v2."""
    return struct.pack("!HHIHBB8s", ether_type(packet), 0, 1, 1, 4, 6, bytes(8)) + packet


def tagged(packet: bytes) -> bytes:
    """What stands behind the EtherType of a VLAN tag."""
    return struct.pack("!HH", 42, ether_type(packet)) + packet


READ = [
    pytest.param(1, ethernet(V4), id="Ethernet, IPv4"),
    pytest.param(1, ethernet(V6), id="Ethernet, IPv6"),
    pytest.param(1, ethernet(V4) + bytes(12), id="Ethernet with padding"),
    pytest.param(1, ethernet(V4, 0x8100), id="VLAN"),
    pytest.param(1, ethernet(V6, 0x88A8, 0x8100), id="QinQ"),
    pytest.param(1, ethernet(V4, 0x9100, 0x8100), id="QinQ of old"),
    pytest.param(1, ethernet(V4, *[0x8100] * 8), id="eight VLAN tags"),
    pytest.param(113, cooked(V4), id="Linux cooked, IPv4"),
    pytest.param(113, cooked(V6), id="Linux cooked, IPv6"),
    pytest.param(113, struct.pack("!14xH", 0x8100) + tagged(V4), id="Linux cooked, VLAN"),
    pytest.param(276, cooked_2(V4), id="Linux cooked v2, IPv4"),
    pytest.param(276, cooked_2(V6), id="Linux cooked v2, IPv6"),
    pytest.param(276, struct.pack("!H18x", 0x8100) + tagged(V6), id="Linux cooked v2, VLAN"),
    pytest.param(0, struct.pack("<I", 2) + V4, id="null, IPv4, little-endian"),
    pytest.param(0, struct.pack(">I", 2) + V4, id="null, IPv4, big-endian"),
    *[
        pytest.param(0, struct.pack("<I", family) + V6, id=f"null, IPv6 of {system}")
        for family, system in [(10, "Linux"), (23, "Windows"), (24, "NetBSD"), (28, "FreeBSD"), (30, "macOS")]
    ],
    pytest.param(108, struct.pack(">I", 2) + V4, id="loop, IPv4"),
    pytest.param(108, struct.pack(">I", 24) + V6, id="loop, IPv6"),
    pytest.param(12, V4, id="raw 12, IPv4"),
    pytest.param(14, V6, id="raw 14, IPv6"),
    pytest.param(101, V4, id="raw 101, IPv4"),
    pytest.param(101, V6, id="raw 101, IPv6"),
    pytest.param(228, V4, id="IPv4"),
    pytest.param(229, V6, id="IPv6"),
]


@pytest.mark.parametrize(("link_type", "frame"), READ)
def test_the_message_is_found(link_type: int, frame: bytes) -> None:
    assert messages(pcap(frame, link_type=link_type)) == [sip()]


@pytest.mark.parametrize(("link_type", "frame"), READ)
def test_a_frame_cut_anywhere_is_counted(link_type: int, frame: bytes) -> None:
    padding = 12 if frame.endswith(bytes(12)) else 0
    for size in range(len(frame) - padding):
        found, reader = read(pcap(frame[:size], link_type=link_type))
        assert not found
        assert reader.skipped.total() == 1


NOT_READ = [
    pytest.param(ETHERNET, ethernet(bytes(46), carried=0x0806), "not IP", id="ARP"),
    pytest.param(ETHERNET, ethernet(bytes(46), carried=0x002E), "not IP", id="802.3"),
    pytest.param(ETHERNET, ethernet(V4, *[0x8100] * 9), "not IP", id="nine VLAN tags"),
    pytest.param(ETHERNET, ethernet(b"\x50" + V4[1:], carried=0x0800), "broken IP header", id="IP version 5"),
    pytest.param(ETHERNET, b"", "not IP", id="nothing"),
    pytest.param(113, cooked(V4)[:14] + b"\0\4" + V4, "not IP", id="Linux cooked, 802.2"),
    pytest.param(276, b"\x08\x06" + bytes(40), "not IP", id="Linux cooked v2, ARP"),
    pytest.param(0, struct.pack("<I", 16) + V4, "not IP", id="null, AppleTalk"),
    pytest.param(101, b"", "broken IP header", id="raw, nothing"),
    pytest.param(105, V4, "link type 105", id="IEEE 802.11"),
]


@pytest.mark.parametrize(("link_type", "frame", "reason"), NOT_READ)
def test_what_is_not_ip_is_counted_by_reason(link_type: int, frame: bytes, reason: str) -> None:
    assert skipped(pcap(frame, link_type=link_type)) == {reason: 1}
