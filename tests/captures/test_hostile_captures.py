"""A capture is not trusted: whatever its bytes, it is read to an end, without an exception, and adds up."""

import gzip
import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.errors import CaptureError

from .building import (
    GRE,
    IN_IP4,
    block,
    datagram,
    enhanced,
    ethernet,
    fragments,
    gre,
    interface,
    ipv4,
    ipv6,
    ipv6_fragment,
    obsolete,
    option,
    pcap,
    section,
    segments,
    simple,
    sip,
    udp,
)

MESSAGE = sip("INVITE sip:bob@10.0.0.2 SIP/2.0", "Session-Expires: 1800;refresher=uac", body=b"v=0\r\n")
FRAMES = [
    datagram(MESSAGE),
    ethernet(ipv6(udp(MESSAGE)), 0x8100, 0x88A8),
    *fragments(udp(MESSAGE), 120),
    ethernet(ipv6_fragment(udp(MESSAGE)[:200], offset=0, more=True)),
    ethernet(ipv6_fragment(udp(MESSAGE)[200:], offset=200, more=False)),
    ethernet(ipv4(gre(ethernet(ipv4(udp(MESSAGE))), 0x6558, 0xB000), protocol=GRE)),
    ethernet(ipv4(ipv4(udp(MESSAGE)), protocol=IN_IP4)),
    ethernet(ipv6(b"\x11\0" + bytes(6) + udp(MESSAGE), protocol=0)),
    *segments(MESSAGE * 3, [100, 200, 300]),
    datagram(b"\r\n\r\n"),
]
PLAIN = pcap(*FRAMES)
BLOCKS = b"".join(
    (
        section(),
        interface(options=option(9, b"\x09") + option(14, bytes(8))),
        block(4, bytes(20)),
        *(enhanced(frame, options=option(1, b"hm")) for frame in FRAMES),
        obsolete(FRAMES[0]),
        simple(FRAMES[0]),
        section(">"),
        interface(order=">"),
        enhanced(FRAMES[0], order=">"),
    )
)


def read_through(file: bytes) -> None:
    """Read a capture to its end, as an audit does."""
    try:
        reader = read_capture(io.BytesIO(file))
    except CaptureError:
        return  # it does not even begin as a capture
    messages = 0
    for call in captured_calls(reader):
        transits = list(call.trace.messages())
        messages += len(transits)
        assert transits
        assert {party for transit in transits for party in (transit.sender, transit.receiver)} == call.parties.keys()
        assert all(1 <= transit.number <= reader.packets for transit in transits)
    assert len(reader.malformed) <= reader.skipped["malformed SIP"]
    assert reader.skipped.total() + messages <= 8 * len(file)  # a segment may hold several messages


def test_the_captures_that_are_mutated_here_are_good_ones() -> None:
    for file, count in ((PLAIN, 10), (BLOCKS, 11)):
        reader = read_capture(io.BytesIO(file), once=False)
        assert len(list(reader)) >= count
        assert reader.truncated is None
        assert reader.skipped == {"keep-alive": 1}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from([b"", PLAIN[:4], PLAIN[:24], BLOCKS[:12], BLOCKS[:48]]), st.binary(max_size=600))
def test_any_bytes_are_read_through(head: bytes, tail: bytes) -> None:
    read_through(head + tail)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from([PLAIN, BLOCKS]), st.data())
def test_any_changed_bytes_are_read_through(file: bytes, data: st.DataObject) -> None:
    changed = bytearray(file)
    places = st.integers(0, len(file) - 1)
    for at in data.draw(st.lists(places, min_size=1, max_size=20)):
        changed[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    read_through(bytes(changed))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from([PLAIN, BLOCKS]), st.data())
def test_any_pieces_left_out_or_doubled_are_read_through(file: bytes, data: st.DataObject) -> None:
    first, second, third = sorted(data.draw(st.tuples(*[st.integers(0, len(file))] * 3)))
    read_through(file[:first] + file[second:])
    read_through(file[:second] + file[first:third] + file[second:])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(FRAMES), st.data())
def test_any_frame_is_read_whatever_its_bytes(frame: bytes, data: st.DataObject) -> None:
    """The headers are where a length or an offset leads astray."""
    changed = bytearray(frame)
    for at in data.draw(st.lists(st.integers(12, min(len(frame), 90) - 1), min_size=1, max_size=6)):
        changed[at] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(0, len(frame)))
    link_type = data.draw(st.sampled_from([1, 0, 101, 113, 276]))
    read_through(pcap(*FRAMES[:3], bytes(changed), bytes(changed[:size]), *FRAMES[3:], link_type=link_type))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.integers(0, len(MESSAGE)), st.booleans())
@example(b"\r\nContent-Length: 99999999999\r\n\r\n", 40, True)
@example(b"\r\n" * 100, 40, True)
def test_any_payload_is_read_through(inserted: bytes, at: int, over_tcp: bool) -> None:
    payload = MESSAGE[:at] + inserted + MESSAGE[at:]
    read_through(pcap(*segments(payload, [64] * 4), datagram(MESSAGE)) if over_tcp else pcap(datagram(payload)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_any_gzip_is_read_through(data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(PLAIN, mtime=0))
    for at in data.draw(st.lists(st.integers(0, len(packed) - 1), max_size=5)):
        packed[at] = data.draw(st.integers(0, 255))
    read_through(bytes(packed[: data.draw(st.integers(0, len(packed)))]))


def test_thousands_of_empty_records_and_blocks_are_read_through() -> None:
    read_through(pcap() + bytes(16) * 5000)
    read_through(section() + block(5, b"") * 5000)
    read_through(section() + block(3, bytes(4)) * 5000)
    read_through(section() * 2000)
    read_through(section() + interface(options=option(2, b"") * 5000))
    read_through(gzip.compress(b"") * 5000)


def test_a_stream_of_single_bytes_is_read_through() -> None:
    stream = MESSAGE.replace(b"Content-Length: 5", b"Content-Length: 60000") + b"x" * 1000
    read_through(pcap(*segments(stream, [1] * len(stream))))
    read_through(pcap(*segments(b"\r\n" * 500 + b"A" * 1000, [1] * 2000)))


def test_streams_with_holes_everywhere_are_read_through() -> None:
    read_through(pcap(*segments(MESSAGE * 50, [10] * 2000)[::2]))
    read_through(pcap(*reversed(segments(MESSAGE * 20, [10] * 800))))


def test_lines_that_lead_a_search_astray_are_read_through() -> None:
    """Each takes minutes where a pattern goes over it again from every byte."""
    lines = [
        b"A" + b" " * 60_000,
        b"A" + b" SIP/1" * 10_000,
        b"A SIP/" + b"1." * 30_000 + b"x",
        b"\r\n" * 30_000 + b"x",
    ]
    read_through(pcap(*(datagram(line) for line in lines)))
    for line in lines:
        read_through(pcap(*segments(line, [9_000] * 7)))


def test_headers_nested_without_end_are_read_through() -> None:
    read_through(pcap(ethernet(ipv4(b"", protocol=IN_IP4) * 3000)))
    read_through(pcap(ethernet(b"\x81\x00\0\0" * 10_000)))
    read_through(pcap(ethernet(ipv6(bytes([60, 0, *bytes(6)]) * 8000, protocol=60))))
