"""The sniffer: each datagram of ours once, nobody else's, and no trust in what a packet says of itself."""

from struct import pack

import pytest

from simkit.drivers.endpoints import Datagram, Endpoints
from simkit.drivers.sniffer import Sniffer, datagram_in

from .capturing import require_capturing

ALICE, BOB = ("127.0.0.1", 5070), ("127.0.0.1", 5080)


def udp(data: bytes = b"hello", length: int | None = None) -> bytes:
    return pack("!HHHH", 5070, 5080, 8 + len(data) if length is None else length, 0) + data


def ipv4(payload: bytes, *, options: bytes = b"", fragment: int = 0x4000, protocol: int = 17) -> bytes:
    start = pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(payload), 1, fragment, 64, protocol, 0)
    return start + bytes([127, 0, 0, 1]) * 2 + options + payload


def ipv6(payload: bytes, *, next_header: int = 17) -> bytes:
    return pack("!IHBB", 6 << 28, len(payload), next_header, 64) + (bytes(15) + b"\1") * 2 + payload


PACKETS = [
    pytest.param(ipv4(udp()), Datagram(ALICE, BOB, b"hello"), id="IPv4"),
    pytest.param(ipv4(udp(), options=bytes(8)), Datagram(ALICE, BOB, b"hello"), id="IPv4 with options"),
    pytest.param(ipv4(udp()) + b"padding", Datagram(ALICE, BOB, b"hello"), id="padding is cut off"),
    pytest.param(ipv4(udp(b"")), Datagram(ALICE, BOB, b""), id="an empty datagram"),
    pytest.param(ipv6(udp()), Datagram(("::1", 5070), ("::1", 5080), b"hello"), id="IPv6"),
    pytest.param(ipv4(udp(), protocol=6), None, id="TCP"),
    pytest.param(ipv6(udp(), next_header=44), None, id="IPv6 with an extension"),
    pytest.param(ipv4(udp(), fragment=0x2000), None, id="a first fragment"),
    pytest.param(ipv4(udp(), fragment=0x0001), None, id="a later fragment"),
    pytest.param(ipv4(udp()[:7]), None, id="a UDP header cut short"),
    pytest.param(ipv4(udp(length=3)), Datagram(ALICE, BOB, b""), id="a length that lies"),
    pytest.param(ipv4(b"")[:19], None, id="an IPv4 header cut short"),
    pytest.param(ipv6(b"")[:39], None, id="an IPv6 header cut short"),
    pytest.param(b"", None, id="nothing"),
    pytest.param(b"\0" * 60, None, id="no IP"),
]


@pytest.mark.parametrize(("packet", "datagram"), PACKETS)
def test_udp_is_found_in_a_packet(packet: bytes, datagram: Datagram | None) -> None:
    assert datagram_in(packet) == datagram


def test_each_datagram_between_the_addresses_is_seen_once_and_no_other() -> None:
    require_capturing()
    with Endpoints(("alice", "bob", "stranger")) as endpoints:
        alice, bob, stranger = endpoints
        with Sniffer([alice.address, bob.address]) as sniffer:
            alice.send(b"one", bob.address)
            stranger.send(b"noise", bob.address)
            bob.send(b"two", alice.address)
            alice.send(b"one", bob.address)
            alice.send(b"noise", stranger.address)
            while sniffer.read():
                pass
        assert [(datagram.source, datagram.data) for _, datagram in sniffer.sniffed] == [
            (alice.address, b"one"),
            (bob.address, b"two"),
            (alice.address, b"one"),
        ]
        times = [calendar_ns for calendar_ns, _ in sniffer.sniffed]
        assert times == sorted(times)
