"""SIP over TCP, however it was cut into segments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.captures import tcp as module

from .building import ACK, ALICE, BOB, SYN, pcap, segments, sip, tcp
from .reading import messages, read, skipped

INVITE = sip("INVITE sip:bob@10.0.0.2 SIP/2.0", body=b"v=0\r\n" * 100)
OPTIONS = sip(call_id="2")
OK = sip("SIP/2.0 200 OK", cseq="1 INVITE")
STREAM = INVITE + OPTIONS + OK
WHOLE = [INVITE, OPTIONS, OK]
SEEN, NO_DATA = "TCP segment seen before", "TCP without data"
MISSING, ENDS_WITHIN = "bytes missing in a TCP stream", "TCP stream that ends within a message"


def back(acknowledged: int = 0, payload: bytes = b"", sequence: int = 50) -> bytes:
    """A segment from bob to alice."""
    return tcp(payload, sequence, source=BOB, destination=ALICE, acknowledged=acknowledged)


@pytest.mark.parametrize("sizes", [[], [1], [500], [len(INVITE)], [len(INVITE) - 1, 2], [100] * 8, [1] * 900], ids=str)
def test_messages_are_put_together_from_segments(sizes: list[int]) -> None:
    assert messages(pcap(*segments(STREAM, sizes))) == WHOLE


def test_a_message_has_the_frame_and_the_time_of_its_last_segment() -> None:
    found, _ = read(pcap(*segments(STREAM, [300, 300, len(INVITE) - 600])))
    assert [(captured.frame, captured.at) for captured in found] == [(3, 2_000_000), (4, 3_000_000), (4, 3_000_000)]
    assert {(captured.source, captured.destination, captured.transport) for captured in found} == {(ALICE, BOB, "tcp")}


def test_options_of_a_segment_are_no_data() -> None:
    assert messages(pcap(tcp(OPTIONS, 1, options=bytes(12)))) == [OPTIONS]


def test_both_directions_are_streams_of_their_own() -> None:
    first, second = segments(INVITE, [300])
    answer = back(0, OK[:50]), back(0, OK[50:], 100)
    assert messages(pcap(first, answer[0], second, answer[1])) == [INVITE, OK]


def test_a_connection_is_read_from_its_beginning() -> None:
    opening = tcp(b"", 999, flags=SYN), back(1000)
    found, reader = read(pcap(*opening, *segments(STREAM, [300])))
    assert [captured.raw for captured in found] == WHOLE
    assert reader.skipped == {NO_DATA: 2}


def test_a_first_segment_that_comes_second_is_waited_for() -> None:
    first, second = segments(OPTIONS, [50])
    assert messages(pcap(tcp(b"", 999, flags=SYN), second, first)) == [OPTIONS]


def test_a_port_that_is_used_again_is_another_connection() -> None:
    again = tcp(b"", 77_777, flags=SYN), tcp(OPTIONS, 77_778)
    found, reader = read(pcap(*segments(INVITE[:-1], [300]), *again))
    assert [captured.raw for captured in found] == [OPTIONS]
    assert reader.skipped == {NO_DATA: 1, ENDS_WITHIN: 1}


def test_segments_out_of_order_are_put_in_order() -> None:
    first, *rest = segments(STREAM, [200] * 5)
    found, reader = read(pcap(first, *reversed(rest)))
    assert [captured.raw for captured in found] == WHOLE
    assert {captured.frame for captured in found} == {2, 3, 4}  # each when its last byte was captured
    assert not reader.skipped


def test_retransmitted_and_overlapping_segments_count_once() -> None:
    first, second = segments(STREAM, [400])
    found, reader = read(pcap(first, first, tcp(STREAM[300:600], 1300), second, second))
    assert [captured.raw for captured in found] == WHOLE
    assert reader.skipped == {SEEN: 2}


def test_a_longer_segment_takes_the_place_of_one_that_waits() -> None:
    waiting = tcp(STREAM[400:500], 1400), tcp(STREAM[400:600], 1400), tcp(STREAM[400:450], 1400)
    around = tcp(STREAM[:200], 1000), tcp(STREAM[500:], 1500), tcp(STREAM[200:410], 1200)
    found, reader = read(pcap(around[0], *waiting, *around[1:]))
    assert [captured.raw for captured in found] == WHOLE
    assert reader.skipped == {SEEN: 1}


def test_sequence_numbers_go_round() -> None:
    assert messages(pcap(*segments(STREAM, [100] * 6, first=2**32 - 250))) == WHOLE
    first, *rest = segments(STREAM, [100] * 6, first=2**32 - 250)
    assert messages(pcap(first, *reversed(rest))) == WHOLE


def test_what_the_receiver_has_and_the_capture_has_not_is_missing() -> None:
    """The message with the hole is lost, and the others come at once."""
    first, _, third, fourth = segments(STREAM, [300, 100, len(INVITE) - 400])
    found, reader = read(pcap(first, third, fourth, back(1000 + len(STREAM)), tcp(OPTIONS, 1000 + len(STREAM))))
    assert [captured.raw for captured in found] == [OPTIONS, OK, OPTIONS]
    assert [captured.frame for captured in found] == [3, 3, 5]
    assert reader.skipped == {MISSING: 1, "not SIP": 1, NO_DATA: 1}


def test_what_the_receiver_has_not_is_waited_for() -> None:
    first, second, third = segments(STREAM, [300, 100])
    assert messages(pcap(first, third, back(1300), second)) == WHOLE


def test_a_hole_is_given_up_at_the_end() -> None:
    first, _, third, fourth = segments(STREAM, [300, 100, len(INVITE) - 400])
    found, reader = read(pcap(first, third, fourth))
    assert [(captured.raw, captured.frame) for captured in found] == [(OPTIONS, 3), (OK, 3)]
    assert reader.skipped == {MISSING: 1, "not SIP": 1}


def test_a_leap_beyond_all_windows_is_a_hole() -> None:
    found, reader = read(
        pcap(tcp(INVITE[:100], 1000), tcp(STREAM, 1_000_000_000), tcp(OPTIONS, 1_000_000_000 + len(STREAM)))
    )
    assert [captured.raw for captured in found] == [*WHOLE, OPTIONS]
    assert reader.skipped == {MISSING: 1}


def test_a_capture_that_begins_within_a_message_finds_the_next() -> None:
    assert messages(pcap(*segments(STREAM[300:], [200]))) == [OPTIONS, OK]


def test_a_stream_that_ends_within_a_message_is_counted() -> None:
    assert skipped(pcap(*segments(INVITE[:-1], [200]))) == {ENDS_WITHIN: 1}


def test_keep_alives_are_counted() -> None:
    """RFC 5626 section 3.5.1."""
    frames = tcp(b"\r\n\r\n", 1000), back(0, b"\r\n"), tcp(OPTIONS, 1004)
    found, reader = read(pcap(*frames))
    assert [captured.raw for captured in found] == [OPTIONS]
    assert reader.skipped == {"keep-alive": 2}


def test_a_probe_of_one_old_byte_is_no_data() -> None:
    """RFC 9293 section 3.8.4."""
    found, reader = read(pcap(tcp(OPTIONS, 1000), tcp(b"\0", 999 + len(OPTIONS)), tcp(OPTIONS, 1000 + len(OPTIONS))))
    assert len(found) == 2
    assert reader.skipped == {SEEN: 1}


OTHERS = {
    "HTTP": (b"GET / HTTP/1.1\r\n\r\n", "not SIP"),
    "bytes": (bytes(range(128, 256)) * 20, "not SIP"),
    "TLS": (bytes.fromhex("1603010200010001fc0303") + bytes(500), "TLS"),
    "TLS, later": (bytes.fromhex("1703030050") + bytes(80), "TLS"),
}


@pytest.mark.parametrize(("payload", "reason"), OTHERS.values(), ids=OTHERS.keys())
def test_what_is_not_sip_is_counted_by_reason(payload: bytes, reason: str) -> None:
    assert skipped(pcap(tcp(payload, 1), tcp(payload, 1 + len(payload)))) == {reason: 2}


def test_a_message_that_is_none_does_not_stop_the_stream() -> None:
    broken = INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: one    ")
    found, reader = read(pcap(*segments(OPTIONS + broken + OK, [300])))
    assert [captured.raw for captured in found] == [OPTIONS, OK]
    (malformed,) = reader.malformed
    assert (malformed.frame, malformed.transport, malformed.raw) == (2, "tcp", broken)


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_what_waits_behind_a_hole_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES_MAX", 3 * len(OPTIONS))
    frames = [tcp(OPTIONS, 2000 + number * len(OPTIONS)) for number in range(4)]
    found, _ = read(pcap(tcp(INVITE[:50], 1950), *frames[1:], tcp(OPTIONS, 5 * len(OPTIONS) + 2000)))
    assert [captured.frame for captured in found] == [2, 3, 4, 5]


def test_what_waits_behind_a_hole_is_bounded_in_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENTS_MAX", 4)
    seen: list[tuple[int, int]] = []
    first, _, *rest = segments(OPTIONS * 20, [len(OPTIONS)] * 19)
    reader = read(pcap(first, *rest))[1]
    assert reader.skipped == {MISSING: 1}
    seen.extend((captured.frame, captured.at) for captured in read(pcap(first, *rest))[0])
    assert [frame for frame, _ in seen] == list(range(1, 20))


def test_directions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DIRECTIONS_MAX", 2)
    begun = [tcp(OPTIONS[:50], 1, source=("10.0.0.1", port)) for port in range(3)]
    ended = [tcp(OPTIONS[50:], 51, source=("10.0.0.1", port)) for port in range(3)]
    found, reader = read(pcap(*begun, *reversed(ended)))
    assert [captured.source[1] for captured in found] == [2, 1]
    assert reader.skipped == {ENDS_WITHIN: 1, "not SIP": 1}


def test_all_that_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD_BYTES_MAX", 1000)
    frames = [tcp(OPTIONS[:100], 1, source=("10.0.0.1", port)) for port in range(50)]
    late = tcp(OPTIONS[100:], 101, source=("10.0.0.1", 49)), tcp(OPTIONS[100:], 101, source=("10.0.0.1", 0))
    found, reader = read(pcap(*frames, *late))
    assert [captured.source[1] for captured in found] == [49]
    assert reader.skipped == {ENDS_WITHIN: 49, "not SIP": 1}


# --- properties ------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_any_cut_order_and_repetition_gives_the_same_messages(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 300), max_size=12))
    first = data.draw(st.sampled_from([1, 2**31 - 300, 2**32 - 300]))
    frames = segments(STREAM, sizes, first)
    repeated = data.draw(st.lists(st.sampled_from(frames), max_size=5))
    overlapping = [
        tcp(STREAM[start : start + size], first + start)
        for start, size in data.draw(st.lists(st.tuples(st.integers(0, 800), st.integers(1, 200)), max_size=4))
    ]
    shuffled = data.draw(st.permutations([*frames, *repeated, *overlapping]))
    found, reader = read(pcap(tcp(b"", first - 1, flags=SYN), *shuffled))
    assert sorted(captured.raw for captured in found) == sorted(WHOLE)
    assert MISSING not in reader.skipped


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(30, 400), st.sets(st.integers(0, 40)), st.booleans())
def test_messages_without_a_hole_are_found_and_no_others(size: int, lost: set[int], acknowledged: bool) -> None:
    frames = segments(STREAM, [size] * (len(STREAM) // size))
    kept = [frame for number, frame in enumerate(frames) if number not in lost]
    end = [back(1000 + len(STREAM))] if acknowledged else []
    whole, start = [], 0
    for message in WHOLE:
        touched = range(start // size, (start + len(message) - 1) // size + 1)
        whole += [] if lost.intersection(touched) else [message]
        start += len(message)
    assert messages(pcap(tcp(b"", 999, flags=SYN), *kept, *end)) == whole


def test_the_connections_between_two_addresses_are_counted() -> None:
    """A SYN begins another, whichever side sends it; its answer belongs to it, as does what had no beginning."""
    without_beginning = [tcp(OPTIONS, 1), back(0, OK)]
    second = [tcp(b"", 7_000, flags=SYN), tcp(b"", 9_000, flags=SYN | ACK, source=BOB, destination=ALICE)]
    third = [tcp(b"", 500_000, flags=SYN, source=BOB, destination=ALICE), tcp(b"", 600_000, flags=SYN | ACK)]
    found, _ = read(
        pcap(
            *without_beginning,
            *second,
            tcp(OPTIONS, 7_001),
            back(0, OK, 9_001),
            *third,
            back(0, OPTIONS, 500_001),
            tcp(OK, 600_001),
        )
    )
    assert [(each.source == ALICE, each.connection) for each in found] == [
        *[(True, 1), (False, 1)],
        *[(True, 2), (False, 2)],
        *[(False, 3), (True, 3)],
    ]
