"""The sniffer: each datagram of ours once, nobody else's, and no trust in what a packet says of itself."""

import selectors
from struct import pack
from time import monotonic

import pytest

from simkit.drivers.endpoints import Endpoints
from simkit.drivers.place import Datagram
from simkit.drivers.segments_seen import Segment, SegmentsSeen
from simkit.drivers.sniffer import Sniffer, datagram_in, segment_in
from simkit.sip.transport import Transport

from ..captures.building import sip
from .capturing import require_capturing
from .test_streams import Table

ALICE, BOB = ("127.0.0.1", 5070), ("127.0.0.1", 5080)


def udp(data: bytes = b"hello", length: int | None = None) -> bytes:
    return pack("!HHHH", 5070, 5080, 8 + len(data) if length is None else length, 0) + data


def ipv4(payload: bytes, *, options: bytes = b"", fragment: int = 0x4000, protocol: int = 17) -> bytes:
    start = pack(
        "!BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), 1, fragment, 64, protocol, 0
    )
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


# --- connections -----------------------------------------------------------------------------------------------------

OPTIONS, BYE = sip(), sip("BYE sip:bob@127.0.0.1 SIP/2.0")
SYN, PSH_ACK = 0x02, 0x18


def tcp(data: bytes = b"", sequence: int = 1000, *, flags: int = PSH_ACK, options: bytes = b"") -> bytes:
    offset = (20 + len(options)) // 4 << 4
    return pack("!HHIIBBHHH", 5070, 5080, sequence, 0, offset, flags, 0, 0, 0) + options + data


SEGMENTS = [
    pytest.param(ipv4(tcp(b"x"), protocol=6), Segment(ALICE, BOB, 1000, False, b"x"), id="IPv4"),
    pytest.param(ipv4(tcp(b"x"), protocol=6) + bytes(6), Segment(ALICE, BOB, 1000, False, b"x"), id="padding"),
    pytest.param(ipv4(tcp(flags=SYN), protocol=6), Segment(ALICE, BOB, 1000, True, b""), id="SYN"),
    pytest.param(ipv4(tcp(b"x", options=bytes(12)), protocol=6), Segment(ALICE, BOB, 1000, False, b"x"), id="options"),
    pytest.param(ipv6(tcp(b"x"), next_header=6), Segment(("::1", 5070), ("::1", 5080), 1000, False, b"x"), id="IPv6"),
    pytest.param(ipv4(udp()), None, id="UDP"),
    pytest.param(ipv4(tcp()[:13], protocol=6), None, id="a header cut short"),
    pytest.param(ipv4(tcp(), protocol=6, fragment=0x2000), None, id="a fragment"),
]


@pytest.mark.parametrize(("packet", "segment"), SEGMENTS)
def test_tcp_is_found_in_a_packet(packet: bytes, segment: Segment | None) -> None:
    assert segment_in(packet) == segment


def seen(*parts: tuple[int, bytes], begins_at: int | None = 999) -> list[bytes]:
    """Return the messages of a direction that shows these bytes at these sequence numbers."""
    segments, found = SegmentsSeen(), []
    if begins_at is not None:
        assert list(segments.take(Segment(ALICE, BOB, begins_at, True, b""))) == []
    for sequence, data in parts:
        found += [datagram.data for datagram in segments.take(Segment(ALICE, BOB, sequence, False, data))]
    return found


def test_what_comes_in_order_is_cut_into_messages() -> None:
    stream = OPTIONS + BYE
    assert seen((1000, stream[:40]), (1040, stream[40:])) == [OPTIONS, BYE]


def test_numbers_go_on_from_zero() -> None:
    assert seen((2**32 - 10, OPTIONS[:10]), (0, OPTIONS[10:]), begins_at=2**32 - 11) == [OPTIONS]


def test_what_was_seen_before_or_does_not_follow_or_has_no_beginning_is_passed_over() -> None:
    assert seen((1000, OPTIONS), (1000, OPTIONS)) == [OPTIONS]
    assert seen((1001, OPTIONS)) == []
    assert seen((1000, OPTIONS), begins_at=None) == []


def test_each_message_over_our_connections_is_seen_once() -> None:
    require_capturing()
    with (
        selectors.DefaultSelector() as selector,
        Endpoints(("alice", "bob"), transport=Transport.TCP) as endpoints,
        Sniffer(endpoints.addresses.values(), connected=True) as sniffer,
    ):
        both = Table(endpoints, selector)
        both.alice.send(OPTIONS, both.bob.address)
        both.take(1)
        both.bob.send(BYE, both.alice.address)
        both.take(1)
        until_s = monotonic() + 5  # a bound, not a wait
        while len(sniffer.sniffed) < 2 and monotonic() < until_s:
            sniffer.read()
    names = endpoints.opened_from
    assert [(names.get(source, source), data) for _, (source, _, data) in sniffer.sniffed] == [
        (both.alice.address, OPTIONS),
        (both.bob.address, BYE),
    ]
