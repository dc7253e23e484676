"""IP headers, and IP in IP."""

import struct
from collections.abc import Callable

import pytest

from .building import (
    GRE,
    IN_IP4,
    IN_IP6,
    RAW,
    TCP,
    UDP,
    datagram,
    ethernet,
    fragments,
    gre,
    ipv4,
    ipv6,
    ipv6_fragment,
    pcap,
    sip,
    udp,
)
from .reading import messages, read, skipped

PAYLOAD = udp(sip())
V4, V6 = ipv4(PAYLOAD), ipv6(PAYLOAD)


def extended(kind: int, size: int = 8, *, next_header: int = UDP, inner: bytes = PAYLOAD) -> bytes:
    """An IPv6 packet with one extension header, of so many bytes."""
    length = size // 4 - 2 if kind == 51 else size // 8 - 1
    return ipv6(bytes([next_header, length]) + bytes(size - 2) + inner, protocol=kind)


READ = [
    pytest.param(V4, id="IPv4"),
    pytest.param(ipv4(PAYLOAD, options=bytes(40)), id="IPv4 with options"),
    pytest.param(V4 + b"padding", id="IPv4 with padding"),
    pytest.param(ipv4(PAYLOAD, total=0), id="IPv4 of no total length"),
    pytest.param(V6 + b"padding", id="IPv6 with padding"),
    pytest.param(ipv6(PAYLOAD, length=0), id="IPv6 of no length"),
    *[pytest.param(extended(kind, 24), id=f"IPv6 extension {kind}") for kind in (0, 43, 60, 135, 139, 140)],
    pytest.param(extended(51, 24), id="IPv6 authenticated"),
    pytest.param(
        extended(0, 8, next_header=60, inner=bytes([UDP, 1]) + bytes(14) + PAYLOAD), id="IPv6, two extensions"
    ),
    pytest.param(ipv6_fragment(PAYLOAD, offset=0, more=False), id="IPv6, a fragment that is all"),
    pytest.param(ipv4(PAYLOAD, options=b"")[:6] + b"\x40" + V4[7:], id="IPv4 not to be fragmented"),
]
TUNNELS = [
    pytest.param(ipv4(V4, protocol=IN_IP4), id="4 in 4"),
    pytest.param(ipv4(V6, protocol=IN_IP6), id="6 in 4"),
    pytest.param(ipv6(V4, protocol=IN_IP4), id="4 in 6"),
    pytest.param(ipv6(V6, protocol=IN_IP6), id="6 in 6"),
    pytest.param(ipv4(gre(V4, 0x0800), protocol=GRE), id="GRE"),
    pytest.param(ipv6(gre(V6, 0x86DD), protocol=GRE), id="GRE, IPv6"),
    pytest.param(ipv4(gre(V4, 0x0800, 0x8000), protocol=GRE), id="GRE with checksum"),
    pytest.param(ipv4(gre(V4, 0x0800, 0x2000), protocol=GRE), id="GRE with key"),
    pytest.param(ipv4(gre(V4, 0x0800, 0xB000), protocol=GRE), id="GRE with checksum, key and sequence number"),
    pytest.param(ipv4(gre(ethernet(V4), 0x6558), protocol=GRE), id="GRE, Ethernet"),
    pytest.param(ipv4(gre(ethernet(V6, 0x8100), 0x6558, 0x2000), protocol=GRE), id="GRE with key, Ethernet, VLAN"),
    pytest.param(ipv4(ipv4(ipv6(V4, protocol=IN_IP4), protocol=IN_IP6), protocol=IN_IP4), id="4 in 6 in 4 in 4"),
]


@pytest.mark.parametrize("packet", READ + TUNNELS)
def test_the_message_is_found(packet: bytes) -> None:
    assert messages(pcap(packet, link_type=RAW)) == [sip()]


@pytest.mark.parametrize("packet", TUNNELS)
def test_addresses_are_those_inside(packet: bytes) -> None:
    ((captured,), _) = read(pcap(packet, link_type=RAW))
    assert captured.source in (("10.0.0.1", 5060), ("2001:db8::1", 5060))
    assert captured.destination in (("10.0.0.2", 5062), ("2001:db8::2", 5062))


def nested(wrap: Callable[[bytes], bytes], times: int) -> bytes:
    packet = V4
    for _ in range(times):
        packet = wrap(packet)
    return packet


def in_ipv4(packet: bytes) -> bytes:
    return ipv4(packet, protocol=IN_IP4)


def test_tunnels_are_followed_so_far_and_no_further() -> None:
    assert messages(pcap(nested(in_ipv4, 8), link_type=RAW)) == [sip()]
    assert skipped(pcap(nested(in_ipv4, 9), link_type=RAW)) == {"tunnels in tunnels": 1}


def test_fragments_are_put_together_inside_and_outside_of_a_tunnel() -> None:
    inner = ipv4(PAYLOAD[:104], identification=1, more=True), ipv4(PAYLOAD[104:], identification=1, offset=104)
    outer = [
        ipv4(packet[at : at + 80], protocol=IN_IP4, identification=number, offset=at, more=at + 80 < len(packet))
        for number, packet in enumerate(inner)
        for at in range(0, len(packet), 80)
    ]
    assert len(outer) > 3
    assert messages(pcap(*outer, link_type=RAW)) == [sip()]


NOT_READ = [
    pytest.param(ipv4(PAYLOAD, protocol=1), "neither UDP nor TCP", id="ICMP"),
    pytest.param(ipv6(PAYLOAD, protocol=132), "neither UDP nor TCP", id="SCTP"),
    pytest.param(ipv6(b"", protocol=59), "neither UDP nor TCP", id="nothing in IPv6"),
    pytest.param(ipv4(PAYLOAD, protocol=50), "ESP", id="ESP"),
    pytest.param(b"\x44" + V4[1:], "broken IP header", id="a header shorter than any"),
    pytest.param(ipv4(PAYLOAD, total=19), "broken IP header", id="a length that leaves out the header"),
    pytest.param(V4[:-1], "shorter than its IP header says", id="IPv4, a byte short"),
    pytest.param(V6[:-1], "shorter than its IP header says", id="IPv6, a byte short"),
    pytest.param(V6[:39], "broken IP header", id="half an IPv6 header"),
    pytest.param(ipv6(b"\x11", protocol=0), "broken IP header", id="half an extension"),
    pytest.param(ipv6(b"\x11\xff" + bytes(20), protocol=0), "broken UDP header", id="an extension beyond the end"),
    pytest.param(ipv4(b"\0\0\x08", protocol=GRE), "broken GRE header", id="half a GRE header"),
    pytest.param(ipv4(gre(V4, 0x0800, 0x4000), protocol=GRE), "GRE of another version", id="GRE with routes"),
    pytest.param(ipv4(gre(V4, 0x880B, 1), protocol=GRE), "GRE of another version", id="GRE of PPTP"),
    pytest.param(ipv4(gre(V4, 0x88BE), protocol=GRE), "not IP", id="GRE with something else"),
    pytest.param(ipv4(gre(b"", 0x0800), protocol=GRE), "broken IP header", id="GRE with nothing"),
    pytest.param(ipv4(b"", protocol=IN_IP4), "broken IP header", id="4 in 4, with nothing"),
    pytest.param(ipv4(PAYLOAD[:7]), "broken UDP header", id="half a UDP header"),
    pytest.param(ipv4(PAYLOAD[:-1]), "shorter than its UDP header says", id="UDP, a byte short"),
    pytest.param(ipv4(struct.pack("!HHHH", 1, 2, 7, 0) + sip()), "broken UDP header", id="UDP of 7 bytes"),
    pytest.param(ipv4(bytes(19), protocol=TCP), "broken TCP header", id="half a TCP header"),
    pytest.param(ipv4(bytes(20), protocol=TCP), "broken TCP header", id="a TCP header shorter than any"),
    pytest.param(ipv4(bytes(12) + b"\xf0" + bytes(7), protocol=TCP), "broken TCP header", id="TCP options missing"),
]


@pytest.mark.parametrize(("packet", "reason"), NOT_READ)
def test_what_is_no_sip_is_counted_by_reason(packet: bytes, reason: str) -> None:
    assert skipped(pcap(packet, link_type=RAW)) == {reason: 1}


def test_udp_of_no_length_goes_to_the_end() -> None:
    """RFC 2675 section 4."""
    payload = struct.pack("!HHHH", 1, 2, 0, 0) + sip()
    assert messages(pcap(ipv6(payload), link_type=RAW)) == [sip()]


def test_what_udp_does_not_count_is_not_read() -> None:
    assert messages(pcap(ethernet(ipv4(PAYLOAD + b"trailer")))) == [sip()]


def test_addresses_are_written_as_usual() -> None:
    ((first,), _) = read(pcap(datagram(sip(), ("127.0.0.1", 65_535), ("255.255.255.255", 0))))
    assert (first.source, first.destination) == (("127.0.0.1", 65_535), ("255.255.255.255", 0))
    ((second,), _) = read(pcap(ipv6(PAYLOAD, "::1", "fe80::200:ff:fe00:1"), link_type=RAW))
    assert (second.source[0], second.destination[0]) == ("::1", "fe80::200:ff:fe00:1")


def test_any_port_may_speak_sip() -> None:
    ((captured,), _) = read(pcap(datagram(sip(), ("10.0.0.1", 53), ("10.0.0.2", 49_152))))
    assert captured.source[1] == 53


def test_fragments_of_an_ethernet_frame_are_put_together() -> None:
    assert messages(pcap(*fragments(PAYLOAD, 64))) == [sip()]
