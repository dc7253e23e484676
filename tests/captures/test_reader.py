"""Captures as messages: what is told of each, and of what is none."""

import gzip
import io
import itertools
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simkit.captures import reader as module
from simkit.captures.reader import read_capture
from simkit.captures.writer import write_pcap
from simkit.errors import CaptureError
from simkit.runs.run import Run
from tests.reports import building as runs

from .building import (
    ALICE,
    BOB,
    datagram,
    enhanced,
    ethernet,
    fragments,
    interface,
    ipv4,
    ipv6,
    pcap,
    section,
    sip,
    tcp,
    udp,
)
from .reading import read, skipped

INVITE = sip("INVITE sip:bob@10.0.0.2 SIP/2.0", body=b"v=0\r\n")
WHOLE = pcap(*(datagram(sip(call_id=str(number)), identification=number) for number in range(3)))


def test_a_message_has_its_frame_time_and_addresses() -> None:
    arp = ethernet(bytes(46), carried=0x0806)
    found, reader = read(
        pcap((5_000_000, arp), (5_250_000, datagram(INVITE)), (6_000_001, datagram(sip(), BOB, ALICE)))
    )
    assert [captured[:5] for captured in found] == [
        (2, 250_000, ALICE, BOB, "udp"),
        (3, 1_000_001, BOB, ALICE, "udp"),
    ]
    assert [captured.raw for captured in found] == [INVITE, sip()]
    assert [captured.message.method for captured in found] == ["INVITE", "OPTIONS"]
    assert (reader.packets, reader.began_at_us, reader.last_at) == (3, 5_000_000, 1_000_001)


def test_time_may_go_back() -> None:
    found, reader = read(pcap((2_000_000, datagram(sip())), (1_000_000, datagram(INVITE))))
    assert [captured.at for captured in found] == [0, -1_000_000]
    assert reader.last_at == 0


def test_what_is_not_sip_is_counted_by_reason() -> None:
    frames = [
        datagram(b"\r\n\r\n"),
        datagram(b""),
        datagram(bytes.fromhex("000100002112a4420102030405060708090a0b0c")),
        datagram(bytes.fromhex("80000001000000010000000a") + bytes(160)),
        ethernet(bytes(46), carried=0x0806),
        ethernet(ipv4(bytes(8), protocol=1)),
        tcp(b"", 1),
    ]
    assert skipped(pcap(*frames)) == {
        "keep-alive": 3,
        "not SIP": 1,
        "not IP": 1,
        "neither UDP nor TCP": 1,
        "TCP without data": 1,
    }


# --- malformed -------------------------------------------------------------------------------------------------------


def test_what_looks_like_sip_and_is_none_is_kept_with_the_place() -> None:
    broken = INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE")
    found, reader = read(pcap(datagram(sip()), datagram(broken)))
    assert len(found) == 1
    (malformed,) = reader.malformed
    assert malformed[:5] == (2, 1_000_000, ALICE, BOB, "udp")
    assert (
        malformed.reason == f"CSeq: the method is BYE, but that of the request is INVITE (at byte {malformed.offset})"
    )
    assert malformed.raw[malformed.offset :].startswith(b"CSeq: 1 BYE")
    assert malformed.raw == broken
    assert reader.skipped == {"malformed SIP": 1}


def test_all_that_is_malformed_is_counted_and_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MALFORMED_MAX", 2)
    _, reader = read(pcap(*(datagram(b"INVITE sip:%d" % number) for number in range(5))))
    assert reader.skipped == {"malformed SIP": 5}
    assert [malformed.frame for malformed in reader.malformed] == [1, 2]


# --- the same packet twice -------------------------------------------------------------------------------------------


def seen(*frames: bytes | tuple[int, bytes], once: bool = True) -> list[int]:
    """The frames that are read."""
    return [captured.frame for captured in read(pcap(*frames), once=once)[0]]


PACKET = datagram(INVITE, identification=7)
TWICE = [
    pytest.param((1000, PACKET), [1], id="a millisecond apart"),
    pytest.param((1001, PACKET), [1, 2], id="more than a millisecond apart: a retransmission"),
    pytest.param((0, datagram(INVITE, identification=8)), [1, 2], id="another identification"),
    pytest.param((0, datagram(INVITE, BOB, ALICE, identification=7)), [1, 2], id="other addresses"),
    pytest.param((0, datagram(INVITE, ALICE, (BOB[0], 9), identification=7)), [1, 2], id="another port"),
    pytest.param((0, datagram(sip(), identification=7)), [1, 2], id="other bytes"),
    pytest.param((0, ethernet(ipv4(udp(INVITE, 5060, 5062), identification=7), 0x8100)), [1], id="in a VLAN as well"),
    pytest.param((0, ethernet(ipv4(PACKET[14:], protocol=4))), [1], id="in a tunnel as well"),
    pytest.param((0, PACKET[:22] + b"\x3f" + PACKET[23:]), [1], id="a hop further"),
]


@pytest.mark.parametrize(("second", "frames"), TWICE)
def test_a_packet_captured_twice_is_read_once(second: tuple[int, bytes], frames: list[int]) -> None:
    assert seen((0, PACKET), second) == frames
    assert seen((0, PACKET), second, once=False) == [1, 2]


def test_a_packet_captured_twice_is_counted() -> None:
    assert skipped(pcap((0, PACKET), (1, PACKET), (2, PACKET))) == {"a packet seen before": 2}


def test_a_fragmented_packet_captured_twice_is_read_once() -> None:
    frames = [(0, frame) for frame in fragments(udp(INVITE), 64)]
    assert len(seen(*frames, *frames)) == 1


def test_what_was_seen_is_forgotten_after_many_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ONCE_PACKETS_MAX", 2)
    others = [(0, datagram(INVITE, identification=number)) for number in range(100, 104)]
    assert seen((0, PACKET), others[0], (0, PACKET)) == [1, 2]
    assert seen((0, PACKET), *others, (0, PACKET)) == [1, 2, 3, 4, 5, 6]


# --- files -----------------------------------------------------------------------------------------------------------

CAPTURES = {
    "pcap": WHOLE,
    "pcap in gzip": gzip.compress(WHOLE),
    "pcapng": section() + interface() + b"".join(enhanced(datagram(sip(call_id=str(n)))) for n in range(3)),
}
CAPTURES["pcapng in gzip"] = gzip.compress(CAPTURES["pcapng"])


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES.keys())
def test_a_file_is_read_whatever_its_name(tmp_path: Path, capture: bytes) -> None:
    path = tmp_path / "what.ever"
    path.write_bytes(capture)
    reader = read_capture(str(path))
    assert [captured.message.call_id for captured in reader] == ["0", "1", "2"]
    assert (reader.name, reader.truncated) == (str(path), None)


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES.keys())
def test_standard_input_is_read_as_it_comes(capture: bytes) -> None:
    program = (
        "from simkit.captures.reader import read_capture\n"
        "for captured in read_capture('-'): print(captured.message.call_id, flush=True)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(capture)
        process.stdin.flush()
        if capture[:1] != b"\x1f":  # gzip gives nothing out before it has a block
            assert process.stdout.readline() == b"0\n"  # before the end of the input
        process.stdin.close()
        assert process.stdout.read().endswith(b"2\n")


def test_standard_input_has_a_name() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        with pytest.raises(CaptureError, match=r"^standard input: not a capture: it is empty"):
            read_capture("-")


NO_CAPTURES = [
    pytest.param(b"", "it is empty", id="empty"),
    pytest.param(b"\xd4", r"it begins with b'\\xd4'", id="a byte"),
    pytest.param(b"flow: refresh\n", "it begins with b'flow'", id="text"),
    pytest.param(gzip.compress(b"hello"), "it begins with b'hell'", id="text in gzip"),
    pytest.param(gzip.compress(b""), "it is empty", id="nothing in gzip"),
]


@pytest.mark.parametrize(("content", "why"), NO_CAPTURES)
def test_a_file_that_is_no_capture_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    with pytest.raises(
        CaptureError, match=rf"^{path}: not a capture: {why} \(pcap and pcapng are read, plain or gzip\)"
    ):
        read_capture(str(path))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("none.pcap", "No such file or directory", id="no file"),
        pytest.param("", "Is a directory", id="a folder"),
        pytest.param("a\0b", "embedded null byte", id="no name"),
    ],
)
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(CaptureError, match=f"cannot be read: {why}"):
        read_capture(os.path.join(tmp_path, name))


def test_gzip_that_is_broken_from_the_start_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"^capture: cannot be read: gzip is broken"):
        read_capture(io.BytesIO(b"\x1f\x8b" + bytes(20)))


def test_gzip_that_breaks_off_is_read_so_far() -> None:
    packed = gzip.compress(WHOLE, compresslevel=0)
    found, reader = read(packed[:-300])
    assert 0 < len(found) < 3
    assert reader.truncated == "gzip ends too early"


def test_a_file_is_closed_at_the_end_of_the_loop_and_of_the_with(tmp_path: Path) -> None:
    """An open file would be a ResourceWarning, which is an error here."""
    path = tmp_path / "x.pcap"
    path.write_bytes(WHOLE)
    assert len(list(read_capture(str(path)))) == 3
    with read_capture(str(path)) as reader:
        assert next(iter(reader)).frame == 1


def test_a_file_that_was_given_open_stays_open() -> None:
    file = io.BytesIO(WHOLE)
    assert len(list(read_capture(file))) == 3
    assert not file.closed


class Pieces(io.BytesIO):
    """A file that is made as it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces

    def read1(self, size: int | None = -1) -> bytes:
        return next(self._pieces, b"")


def test_memory_does_not_grow_with_the_file() -> None:
    packets = pcap(*[datagram(sip())] * 100)[24:]
    file = Pieces(itertools.chain([pcap()], itertools.repeat(packets, 160)))
    assert 160 * len(packets) > 4_000_000
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_capture(file, once=False)) == 16_000
        assert tracemalloc.get_traced_memory()[1] < 800_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_how_far_the_file_has_been_read_is_told_in_its_own_bytes(pack: Callable[[bytes], bytes]) -> None:
    file = pack(pcap(*[datagram(sip(body=os.urandom(300)))] * 200))
    told: list[int] = []
    assert sum(1 for _ in read_capture(io.BytesIO(file), once=False, progress=told.append)) == 200
    assert told == sorted(told)
    assert told[-1] == len(file)


@pytest.mark.parametrize("story", [runs.expiry, runs.broken, runs.slow], ids=lambda story: story.__name__)
def test_what_was_written_is_read_again(story: Callable[[], Run]) -> None:
    run = story()
    file = io.BytesIO()
    write_pcap(file, [run.trace], {"alice": ("127.0.0.1", 5060), "bob": ("::1", 5062)})
    found, reader = read(file.getvalue())
    written = list(run.trace.messages())
    assert [captured.message for captured in found] == [transit.message for transit in written]
    assert [captured.at for captured in found] == [transit.sent_at - written[0].sent_at for transit in written]
    assert not reader.skipped


def test_ipv6_is_told_apart_by_its_addresses() -> None:
    first, second = ethernet(ipv6(udp(sip()))), ethernet(ipv6(udp(sip()), "2001:db8::9"))
    assert seen((0, first), (0, second), (0, first)) == [1, 2]
