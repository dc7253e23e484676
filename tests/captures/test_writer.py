"""Captures of runs: what tshark, and anybody else, reads of them."""

import io
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simkit.api import load_flow, simulate
from simkit.captures.reader import read_capture
from simkit.captures.writer import EPOCH_S, write_pcap
from simkit.errors import CaptureError, SetupError
from simkit.runs.run import Run
from simkit.sip.message import Request
from simkit.trace import Trace
from simkit.units import S
from tests.reports import building
from tests.reports.building import Story, request

IPV4 = {"alice": ("127.0.0.1", 5060), "bob": ("127.0.0.2", 5062)}
IPV6 = {"alice": ("::1", 5060), "bob": ("2001:db8::2", 5062)}


def captured(*traces: Trace, addresses: dict[str, tuple[str, int]] = IPV4) -> bytes:
    file = io.BytesIO()
    write_pcap(file, traces, addresses)
    return file.getvalue()


def records(capture: bytes) -> list[tuple[int, bytes]]:
    """Read a capture as times in microseconds and frames."""
    found, at = [], 24
    while at < len(capture):
        seconds, microseconds, length, original = struct.unpack_from("<IIII", capture, at)
        assert length == original
        found.append(((seconds - EPOCH_S) * S + microseconds, capture[at + 16 : at + 16 + length]))
        at += 16 + length
    return found


def ones_complement_sum(data: bytes) -> int:
    """RFC 1071, word by word."""
    total = 0
    for (word,) in struct.iter_unpack("!H", data + b"\0" * (len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_every_message_is_a_frame_at_its_time_of_sending() -> None:
    run = building.slow()
    found = records(captured(run.trace))
    assert [(at, frame[42:]) for at, frame in found] == [
        (each.sent_at, each.message.to_bytes()) for each in run.trace.messages()
    ]


def test_the_header_says_microseconds_ethernet_and_whole_packets() -> None:
    assert struct.unpack("<IHHiIII", captured()) == (0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


def test_traces_are_merged_in_the_order_of_time() -> None:
    first, second = Story("alice", "bob").at(1), Story("alice", "bob").at(2)
    for turn in range(3):
        first.at(1 + 2 * turn).send("alice", "bob", request("INVITE", cseq=turn))
        second.at(2 + 2 * turn).send("bob", "alice", request("BYE", cseq=turn))
    assert [at // S for at, _ in records(captured(first.trace, second.trace))] == [1, 2, 3, 4, 5, 6]


def test_the_number_of_messages_is_returned() -> None:
    run = building.expiry()
    assert write_pcap(io.BytesIO(), [run.trace], run.addresses) == run.messages


def test_the_same_traces_give_the_same_bytes() -> None:
    assert captured(building.hours().trace) == captured(building.hours().trace)


def test_parties_are_told_apart_by_their_mac_addresses() -> None:
    (_, frame), (_, answer), *_ = records(captured(building.expiry().trace))
    assert frame[:12].hex(":", 6) == "020000000002:020000000001"
    assert answer[:12].hex(":", 6) == "020000000001:020000000002"


@pytest.mark.parametrize("size", range(64))
def test_checksums_add_up(size: int) -> None:
    """RFC 768, RFC 791, RFC 8200 section 8.1: with its checksum, all sums to ones."""
    story = Story("alice", "bob").send("alice", "bob", request("BYE", ("Subject", "x" * size)))
    ((_, frame),) = records(captured(story.trace))
    assert ones_complement_sum(frame[14:34]) == 0xFFFF
    assert ones_complement_sum(frame[26:34] + bytes([0, 17]) + frame[38:40] + frame[34:]) == 0xFFFF
    ((_, frame),) = records(captured(story.trace, addresses=IPV6))
    assert ones_complement_sum(frame[22:54] + frame[58:60] + bytes([0, 17]) + frame[54:]) == 0xFFFF


def test_a_udp_checksum_of_zero_is_sent_as_ones() -> None:
    """RFC 768: a checksum of zero would say that there is none."""

    def checksum(body: bytes) -> bytes:
        headers = request("BYE").headers
        even = "x" * (len(Request("BYE", "sip:b", headers).to_bytes()) % 2)
        story = Story("alice", "bob").send("alice", "bob", Request("BYE", f"sip:b{even}", headers, body))
        ((_, frame),) = records(captured(story.trace))
        return frame[40:42]

    missing_to_ones = checksum(bytes(2))
    assert missing_to_ones != b"\xff\xff"
    assert checksum(missing_to_ones) == b"\xff\xff"


def test_a_message_to_nobody_goes_to_the_address_that_was_meant() -> None:
    story = Story("alice", "bob").send("alice", "10.1.2.3:5080", request("BYE"), lost="nobody at 10.1.2.3:5080")
    ((_, frame),) = records(captured(story.trace))
    assert frame[30:34] == bytes([10, 1, 2, 3])
    assert struct.unpack("!H", frame[36:38]) == (5080,)


@pytest.mark.parametrize("place", ["bob.example:5060", "[2001:db8::9]:5060", "nowhere", "bob:99999"])
def test_a_place_without_an_ipv4_address_gets_one_of_the_documentations(place: str) -> None:
    story = Story("alice", "bob").send("alice", place, request("BYE"), lost=f"nobody at {place}")
    ((_, frame),) = records(captured(story.trace))
    assert frame[30:34] == bytes([192, 0, 2, 0])


def test_a_message_that_no_datagram_holds_is_refused() -> None:
    def bye(size: int) -> Story:
        empty = len(request("BYE", ("Subject", "")).to_bytes())
        return Story("alice", "bob").send("alice", "bob", request("BYE", ("Subject", "x" * (size - empty))))

    assert len(captured(bye(65_507).trace)) == 24 + 16 + 14 + 65_535
    with pytest.raises(CaptureError, match=r"message 1, 'BYE .*' is 65508 bytes long: a datagram holds 65507"):
        captured(bye(65_508).trace)


def test_a_file_replaces_what_was_there(tmp_path: Path) -> None:
    path, run = tmp_path / "run.pcap", building.expiry()
    path.write_text("old")
    write_pcap(str(path), [run.trace], run.addresses)
    assert path.read_bytes() == captured(run.trace, addresses=dict(run.addresses))
    assert os.listdir(tmp_path) == ["run.pcap"]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.pcap"
    path.write_text("old")
    story = Story("alice", "bob").send("alice", "bob", request("BYE", ("Subject", "x" * 70_000)))
    with pytest.raises(CaptureError):
        write_pcap(str(path), [story.trace], IPV4)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["run.pcap"]


def test_a_file_is_written_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "link.pcap").symlink_to(tmp_path / "target.pcap")
    write_pcap(str(tmp_path / "link.pcap"), [], IPV4)
    assert (tmp_path / "link.pcap").is_symlink()
    assert (tmp_path / "target.pcap").stat().st_size == 24


def test_a_device_is_written_to_and_not_replaced() -> None:
    assert write_pcap(os.devnull, [building.expiry().trace], IPV4) == 14
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize(
    ("name", "why"), [("no/run.pcap", "No such file"), (".", "Is a directory")], ids=["no folder", "a folder"]
)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str, why: str) -> None:
    path = os.path.join(tmp_path, name)
    with pytest.raises(SetupError, match=f"^{re.escape(path)}: cannot be written: {why}"):
        write_pcap(path, [building.expiry().trace], IPV4)


def test_standard_output_takes_a_capture(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_pcap("-", [building.expiry().trace], IPV4)
    assert capfdbinary.readouterr().out == captured(building.expiry().trace)


def test_writing_loads_little_of_scapy() -> None:
    script = (
        "import io, sys; from simkit.captures.writer import write_pcap;"
        "assert 'scapy' not in sys.modules; write_pcap(io.BytesIO(), [], {});"
        "assert 'scapy.utils' in sys.modules and 'scapy.layers' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, capture_output=True).stderr == b""


# --- over connections ------------------------------------------------------------------------------------------------


def connected() -> Run:
    """A call over TCP: its connection breaks under way, and a message is longer than a segment."""
    flow = load_flow(DISCONNECTED)
    return simulate(flow)


DISCONNECTED = """
simkit: 1
name: disconnected
transport: tcp
network: {latency: 20ms}
actors: {alice: {role: scripted}, bob: {role: scripted}}
flow:
  - alice -> bob: INVITE
    with: {Subject: "${long}"}
  - bob -> alice: 200 INVITE
    at: 1s
  - alice -> bob: ACK
    at: 2s
  - net: {disconnect: [alice, bob]}
    at: 3s
  - bob -> alice: BYE
    at: 4s
    mark: bye
  - net: {disconnect: [alice, bob]}
    at: bye + 10ms
  - bob -> alice: BYE
    at: 5s
  - alice -> bob: 200 BYE
    at: 6s
vars: {long: "LONG"}
""".replace("LONG", "x" * 4000)


def flags(frame: bytes) -> int:
    return frame[14 + 20 + 13]


def test_a_stream_begins_with_a_handshake_and_all_of_it_is_acknowledged() -> None:
    run = connected()
    assert run.passed, run.failures
    found = records(captured(run.trace, addresses=dict(run.addresses)))
    opening = [0x02, 0x12, 0x10]  # SYN, SYN and ACK, ACK
    closing = [0x11, 0x11, 0x10]
    message = [0x18, 0x10]  # PSH and ACK, ACK
    assert [flags(frame) for _, frame in found] == [
        *opening,
        *[0x18] * 4,  # a message of several segments
        *[0x10],
        *message * 2,
        *closing,
        *opening,
        *[0x18],  # lost: nobody acknowledges it
        *closing,
        *opening,
        *message * 2,
    ]
    assert max(len(frame) for _, frame in found) == 14 + 20 + 20 + 1460


def test_what_is_written_over_connections_reads_the_same() -> None:
    run = connected()
    with read_capture(io.BytesIO(captured(run.trace, addresses=dict(run.addresses)))) as reader:
        read = list(reader)
    sent = list(run.trace.messages())
    assert [(each.at, each.message, each.connection) for each in read] == [
        (each.sent_at, each.message, each.connection) for each in sent
    ]
    assert {each.transport for each in read} == {"tcp"}
    assert reader.skipped == {"TCP without data": 3 * 3 + 2 * 3 + 5}


TSHARK = shutil.which("tshark")


@pytest.mark.skipif(TSHARK is None and not os.environ.get("CI"), reason="tshark is not installed")
@pytest.mark.parametrize("addresses", [IPV4, IPV6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("story", [building.expiry, building.broken, building.slow], ids=lambda story: story.__name__)
def test_tshark_reads_every_frame_as_sip_and_has_no_complaint(
    tmp_path: Path, story: Callable[[], Run], addresses: dict[str, tuple[str, int]]
) -> None:
    assert TSHARK, "tshark is not installed, and this is CI"
    path, run = str(tmp_path / "run.pcap"), story()
    count = write_pcap(path, [run.trace], addresses)
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
    fields = ["-T", "fields", "-e", "frame.protocols", "-e", "udp.checksum.status", "-e", "_ws.expert.message"]
    read = subprocess.run([TSHARK, "-r", path, *checks, *fields], check=True, capture_output=True, text=True)
    lines = read.stdout.splitlines()
    assert len(lines) == count
    for protocols, checksum, complaint in (line.split("\t") for line in lines):
        assert protocols.endswith(":udp:sip")
        assert checksum == "1"
        assert complaint == ""


@pytest.mark.skipif(TSHARK is None and not os.environ.get("CI"), reason="tshark is not installed")
@pytest.mark.parametrize("addresses", [IPV4, IPV6], ids=["IPv4", "IPv6"])
def test_tshark_reads_a_stream_and_calls_nothing_in_it_more_than_worth_a_note(
    tmp_path: Path, addresses: dict[str, tuple[str, int]]
) -> None:
    assert TSHARK, "tshark is not installed, and this is CI"
    path, run = str(tmp_path / "run.pcap"), connected()
    assert write_pcap(path, [run.trace], addresses) == run.messages
    checks = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-d", "tcp.port==5062,sip"]
    fields = ["sip.CSeq", "tcp.checksum.status", "_ws.expert.severity", "_ws.expert.message"]
    wanted = [word for field in fields for word in ("-e", field)]
    read = subprocess.run(
        [TSHARK, "-r", path, *checks, "-T", "fields", *wanted], check=True, capture_output=True, text=True
    )
    lines = [line.split("\t") for line in read.stdout.splitlines()]
    assert [cseq for cseq, *_ in lines if cseq] == [
        transit.message.header("CSeq") for transit in run.trace.messages() if transit.message.header("CSeq")
    ]
    assert {checksum for _, checksum, _, _ in lines} == {"1"}
    note = 0x00400000  # the next higher is a warning
    assert all(int(each) <= note for _, _, severities, _ in lines for each in severities.split(",") if each), lines
