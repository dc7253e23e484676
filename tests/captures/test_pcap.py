"""pcap files."""

import struct

import pytest

from simkit.units import S

from .building import ETHERNET, datagram, pcap, sip
from .reading import messages, read

FRAMES = [datagram(sip(call_id=str(number))) for number in range(3)]
WHOLE = pcap(*FRAMES)


@pytest.mark.parametrize("nanoseconds", [False, True], ids=["microseconds", "nanoseconds"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
def test_either_byte_order_and_unit_is_read(order: str, nanoseconds: bool) -> None:
    times = (S + 1, 2 * S + 999_999, 4_000_000_000 * S)
    file = pcap(*zip(times, FRAMES, strict=True), order=order, nanoseconds=nanoseconds)
    found, reader = read(file)
    assert [captured.message.call_id for captured in found] == ["0", "1", "2"]
    assert [captured.at for captured in found] == [at - times[0] for at in times]
    assert [captured.frame for captured in found] == [1, 2, 3]
    assert reader.began_at_us == times[0]
    assert reader.packets == 3


def test_nanoseconds_are_cut_to_microseconds() -> None:
    file = pcap((0, b""), (0, b""), nanoseconds=True)
    record = struct.pack("<IIII", 1, 1999, len(FRAMES[0]), len(FRAMES[0])) + FRAMES[0]
    ((captured,), _) = read(file + record)
    assert captured.at == S + 1


def test_what_a_file_says_of_check_sequences_is_no_link_type() -> None:
    assert len(messages(pcap(*FRAMES, link_type=0x2400_0000 | ETHERNET))) == 3


BYTES = len(FRAMES[0])
CUTS = [
    pytest.param(23, 0, "the file ends within its header", id="in the header of the file"),
    pytest.param(24 + 15, 0, "the file ends within the header of packet 1", id="in the header of a packet"),
    pytest.param(24 + 16, 0, f"the file ends within packet 1: 0 of {BYTES} bytes are there", id="behind it"),
    pytest.param(-1, 2, f"the file ends within packet 3: {BYTES - 1} of {BYTES} bytes are there", id="in a packet"),
]


@pytest.mark.parametrize(("size", "packets", "why"), CUTS)
def test_a_file_that_breaks_off_is_read_to_its_last_whole_packet(size: int, packets: int, why: str) -> None:
    found, reader = read(WHOLE[:size])
    assert len(found) == reader.packets == packets
    assert reader.truncated == why


def test_a_whole_file_is_not_truncated() -> None:
    assert read(WHOLE)[1].truncated is None
    assert read(pcap())[1].truncated is None


def test_a_length_that_no_packet_has_ends_the_reading() -> None:
    file = WHOLE + struct.pack("<IIII", 4, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(1000)
    found, reader = read(file)
    assert len(found) == 3
    assert reader.truncated == ("packet 4 claims 4294967295 bytes, more than any capture keeps: the file is broken")


def test_a_packet_that_was_cut_when_captured_is_counted() -> None:
    frame = FRAMES[0][:96]
    found, reader = read(pcap() + struct.pack("<IIII", 1, 0, len(frame), len(FRAMES[0])) + frame + WHOLE[24:])
    assert len(found) == 3
    assert reader.skipped == {"cut short by the capture": 1}
