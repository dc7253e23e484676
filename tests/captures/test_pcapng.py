"""pcapng files."""

import struct

import pytest

from simkit.captures import pcapng
from simkit.units import S

from .building import (
    ETHERNET,
    IPV4_LINK,
    block,
    datagram,
    enhanced,
    interface,
    ipv4,
    obsolete,
    option,
    section,
    simple,
    sip,
    udp,
)
from .reading import messages, read

FRAMES = [datagram(sip(call_id=str(number))) for number in range(3)]
BARE = ipv4(udp(sip()))


@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
def test_each_kind_of_packet_block_is_read(order: str) -> None:
    packets = (
        enhanced(FRAMES[0], 5 * S, order=order),
        obsolete(FRAMES[1], 6 * S, order=order),
        simple(FRAMES[2], order=order),
    )
    found, reader = read(section(order) + interface(order=order) + b"".join(packets))
    assert [captured.message.call_id for captured in found] == ["0", "1", "2"]
    assert [captured.at for captured in found] == [0, S, S]  # a simple block has no time
    assert [captured.frame for captured in found] == [1, 2, 3]
    assert reader.began_at_us == 5 * S
    assert reader.truncated is None


def resolution(value: int, offset_s: int = 0) -> bytes:
    return option(9, bytes([value])) + option(14, struct.pack("<q", offset_s)) + option(0, b"")


CLOCKS = [
    pytest.param(b"", 1_500_000, id="microseconds when nothing is said"),
    pytest.param(option(2, b"eth0"), 1_500_000, id="options of no concern"),
    pytest.param(option(0, b"") + resolution(9), 1_500_000, id="options end where they say so"),
    pytest.param(resolution(6), 1_500_000, id="microseconds"),
    pytest.param(resolution(9), 1_500, id="nanoseconds"),
    pytest.param(resolution(3), 1_500_000_000, id="milliseconds"),
    pytest.param(resolution(0), 1_500_000 * S, id="seconds"),
    pytest.param(resolution(0x80 | 20), 1_430_511, id="2**-20 s"),
    pytest.param(resolution(0x7F), 0, id="10**-127 s"),
    pytest.param(resolution(6, 1_000_000_000), 1_000_000_001_500_000, id="counted from another second"),
    pytest.param(resolution(6, -1), 500_000, id="counted from before 1970"),
]


@pytest.mark.parametrize(("options", "at"), CLOCKS)
def test_time_is_counted_as_the_interface_says(options: bytes, at: int) -> None:
    _, reader = read(section() + interface(options=options) + enhanced(FRAMES[0], 1_500_000))
    assert reader.began_at_us == at


def test_each_packet_is_of_its_interface() -> None:
    described = interface(ETHERNET) + interface(IPV4_LINK, resolution(9))
    found, _ = read(section() + described + enhanced(FRAMES[0], S) + enhanced(BARE, 3_000_000_000, 1))
    assert [captured.at for captured in found] == [0, 2 * S]


def test_a_new_section_forgets_the_interfaces_and_may_turn_the_byte_order() -> None:
    first = section() + interface(ETHERNET) + enhanced(FRAMES[0])
    second = section(">") + interface(IPV4_LINK, order=">") + enhanced(BARE, S, order=">")
    found, reader = read(first + second + section() + enhanced(FRAMES[1]))
    assert [captured.frame for captured in found] == [1, 2]
    assert reader.packets == 3
    assert reader.skipped == {"no interface described": 1}


def test_other_blocks_and_options_of_packets_are_passed_over() -> None:
    others = block(4, bytes(100)) + block(5, b"") + block(0x0BAD, bytes(300_000)) + block(0x80000001, b"abc")
    packet = enhanced(FRAMES[0], options=option(1, b"a comment") + option(0, b""))
    assert len(messages(section() + others + interface() + others + packet + others)) == 1


def test_a_simple_block_ends_where_the_snapshot_does() -> None:
    found, reader = read(section() + interface(snapshot_bytes=60) + simple(FRAMES[0][:60], sent=len(FRAMES[0])))
    assert not found
    assert reader.skipped == {"cut short by the capture": 1}


def test_a_simple_block_without_interface_is_counted() -> None:
    assert read(section() + simple(FRAMES[0]))[1].skipped == {"no interface described": 1}


GOOD = section() + interface() + enhanced(FRAMES[0])
FALSE_PACKET = block(6, struct.pack("<IIIII4x", 0, 0, 0, 5, 5))
BROKEN = [  # what follows GOOD, the byte behind its end at which the reading ends, and why: at {at}
    pytest.param(b"\x06\0", 2, "the file ends within a block, at byte {at}", id="two bytes of a block"),
    pytest.param(FALSE_PACKET[:-5], 31, "the file ends within a block of 36 bytes, at byte {at}", id="half a packet"),
    pytest.param(block(4, bytes(100))[:50], 50, "the file ends within a block of 112 bytes, at byte {at}", id="half"),
    pytest.param(bytes(64), 8, "the block before byte {at} claims 0 bytes: the file is broken", id="zeros"),
    pytest.param(struct.pack("<II", 6, 11), 8, "the block before byte {at} claims 11 bytes", id="shorter than any"),
    pytest.param(struct.pack("<II", 6, 34), 8, "the block before byte {at} claims 34 bytes", id="no multiple of 4"),
    pytest.param(struct.pack("<II", 6, 2**32 - 4), 8, "the block before byte {at} claims 4294967292", id="4 GiB"),
    pytest.param(
        FALSE_PACKET, 36, "the block before byte {at} is broken: its packet claims 5 bytes, 4 are there", id="false"
    ),
    pytest.param(block(6, bytes(8)), 20, "the block before byte {at} is broken: unpack_from", id="no packet"),
    pytest.param(interface(options=option(14, b"ab")), 28, "the block before byte {at} is broken", id="false option"),
    pytest.param(
        struct.pack("<III", 0x0A0D0D0A, 28, 7),
        8,
        "the section before byte {at} does not say its byte order",
        id="order",
    ),
]


@pytest.mark.parametrize(("tail", "at", "why"), BROKEN)
def test_what_is_broken_ends_the_reading_and_what_came_before_stands(tail: bytes, at: int, why: str) -> None:
    found, reader = read(GOOD + tail)
    assert len(found) == 1
    assert (reader.truncated or "").startswith(why.format(at=len(GOOD) + at))


def test_an_option_that_is_longer_than_its_block_is_read_as_far_as_it_goes() -> None:
    options = struct.pack("<HHB3x", 9, 64, 3)
    assert read(section() + interface(options=options) + enhanced(FRAMES[0], 2))[1].began_at_us == 2000


def test_interfaces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcapng, "INTERFACES_MAX", 3)
    _, reader = read(section() + interface() * 4 + enhanced(FRAMES[0]))
    assert (reader.truncated or "").endswith("is broken: more than 3 interfaces")
