"""`simkit audit`: what is said of a capture, and with which exit code."""

import errno
import io
import itertools
import json
import os
import pickle
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simkit.audit.auditor import audit_call
from simkit.audit.finding import CallAudit
from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.cli import spool
from simkit.reports.audit import CaptureAudit
from simkit.reports.audit_json import audit_json
from simkit.trace import Trace

from .conftest import Simkit

CARELESS = """\
simkit: 1
name: careless
about: A callee whose 200 names the refresher and forgets to require the extension.
actors:
  alice: {role: uac}
  bob: {role: scripted}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    with: {Session-Expires: 1800;refresher=uac, Supported: timer}
    mark: up
  - alice -> bob: ACK
  - bob -> alice: BYE
    at: up + 10s
    with: {Supported: timer}
  - alice -> bob: 200 BYE
"""

SAID = """\
careless.pcap  5 packets, 5 SIP messages

192.0.2.1:5060 → 192.0.2.2:5060  8mq66q73jf1@192.0.2.1
  session timer  1800, offered by 192.0.2.1:5060; answered 1800;refresher=uac
  in force       1800 s, refreshed by 192.0.2.1:5060
  end            10.000  hung-up, by 192.0.2.2:5060
  was due        900.000  refresh by 192.0.2.1:5060: not needed any more
                 (RFC4028-7.2-12)
                 1768.000  BYE by 192.0.2.2:5060: not needed any more
                 (RFC4028-10-7)
                 1800.000  expiry: did not come to that  (RFC4028-7.2-10)

  error  RFC4028-9-11  frame 2, 0.000 s
"""


@pytest.fixture
def captures(simkit: Simkit, folder: Path) -> None:
    """A capture in order, and one that is not."""
    (folder / "careless.yaml").write_text(CARELESS)
    (folder / "captures").mkdir()
    assert simkit("simulate", "flows/short.yaml", "--pcap", "captures/short.pcap").exit_code == 0
    assert simkit("simulate", "careless.yaml", "--pcap", "careless.pcap").exit_code == 0


@pytest.mark.usefixtures("captures")
def test_a_call_in_order_is_told_as_a_check_list(simkit: Simkit) -> None:
    result = simkit("audit", "captures/short.pcap")
    assert result.exit_code == 0
    assert "session timer  1800" in result.stdout
    assert result.stdout.endswith("PASS  0 errors, 0 warnings, 0 notes   1 call\n")


@pytest.mark.usefixtures("captures")
def test_a_broken_rule_is_named_with_actor_frame_and_time(simkit: Simkit) -> None:
    result = simkit("audit", "careless.pcap")
    assert result.exit_code == 1
    assert result.stdout.startswith(SAID)
    assert result.stdout.endswith("FAIL  1 error, 0 warnings, 0 notes   1 call\n")


@pytest.mark.usefixtures("captures")
def test_a_folder_gives_one_table_with_the_worst_first(simkit: Simkit) -> None:
    result = simkit("audit", "-q", ".")
    assert result.exit_code == 1
    header, worst, best = result.stdout.strip().split("\n")
    assert header.split() == ["capture", "packets", "SIP", "calls", "errors", "warnings", "notes"]
    assert worst.split() == ["./careless.pcap", "5", "5", "1", "1"]
    assert best.split() == ["./captures/short.pcap", "5", "5", "1"]


@pytest.mark.usefixtures("captures")
def test_json_has_the_calls_and_the_violations(simkit: Simkit) -> None:
    result = simkit("audit", "careless.pcap", "--json", "-")
    found = json.loads(result.stdout)
    assert (found["packets"], found["sip_messages"], found["skipped"]) == (5, 5, {})
    (call,) = found["calls"]
    assert (call["session_interval_s"], call["refresher"], call["refreshes"]) == (1800, "192.0.2.1:5060", 0)
    assert (call["ended_by"], call["ended_us"], call["reason"]) == ("192.0.2.2:5060", 10_000_000, "hung-up")
    (violation,) = found["violations"]
    assert {key: violation[key] for key in ("rule", "severity", "actor", "at_us", "frame")} == {
        "rule": "RFC4028-9-11",
        "severity": "error",
        "actor": "192.0.2.2:5060",
        "at_us": 0,
        "frame": 2,
    }


@pytest.mark.usefixtures("captures")
def test_junit_has_a_case_for_each_capture(simkit: Simkit, folder: Path) -> None:
    (folder / "words.pcap").write_text("words")
    result = simkit("audit", ".", "--junit", "report.xml")
    assert result.exit_code == 2
    suite = ElementTree.parse(folder / "report.xml").getroot()[0]
    assert [(case.get("name"), [child.tag for child in case]) for case in suite] == [
        ("./captures/short.pcap", []),
        ("./careless.pcap", ["failure"]),
        ("./words.pcap", ["error"]),
    ]


def test_what_cannot_be_audited_is_said(simkit: Simkit, folder: Path) -> None:
    (folder / "words.pcap").write_text("words")
    result = simkit("audit", "words.pcap")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("words.pcap: ")
    (folder / "empty").mkdir()
    assert simkit("audit", "empty").exit_code == 5


@pytest.mark.parametrize("words", [(), ("-q",), ("--json", "-")], ids=["in full", "quiet", "as JSON"])
def test_where_there_is_no_call_nothing_has_passed(simkit: Simkit, folder: Path, words: tuple[str, ...]) -> None:
    simkit("replay", "flows/short.yaml", "--save", "seen.pcap")
    (folder / "empty.pcap").write_bytes((folder / "seen.pcap").read_bytes()[:24])
    result = simkit("audit", "empty.pcap", *words)
    assert (result.exit_code, result.stderr) == (5, "no SIP message is in empty.pcap\n")
    assert "PASS" not in result.stdout
    assert simkit("audit", "empty.pcap", "seen.pcap").exit_code == 0


@pytest.mark.usefixtures("captures")
def test_a_capture_that_breaks_off_is_judged_as_far_as_it_goes(simkit: Simkit, folder: Path) -> None:
    whole = (folder / "careless.pcap").read_bytes()
    (folder / "cut.pcap").write_bytes(whole[:-100])
    result = simkit("audit", "cut.pcap")
    assert result.exit_code == 1
    assert "cut.pcap  4 packets, 4 SIP messages\nthe file breaks off: " in result.stdout


def test_what_was_found_before_an_interruption_is_told_and_written(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simkit("replay", "flows/short.yaml", "--calls", "3", "--save", "seen.pcap")
    judged: list[object] = []

    def audit_call(trace: Trace, **options: object) -> CallAudit:
        if judged:
            raise KeyboardInterrupt
        judged.append(trace)
        return CallAudit("first")

    monkeypatch.setattr("simkit.audit.auditor.audit_call", audit_call)
    result = simkit("audit", "seen.pcap", "seen.pcap", "--json", "found.json", "-q")
    assert result.exit_code == 130
    assert result.stdout.startswith("ERROR  0 errors, 0 warnings, 0 notes   1 call   interrupted after ")
    (found,) = (json.loads(line) for line in (folder / "found.json").read_text().splitlines())
    assert (found["interrupted"], [call["call_id"] for call in found["calls"]]) == (True, ["first"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--json", "-", "--junit", "-"), "cannot share standard output", id="two on standard output"),
        pytest.param(("--json", "seen.pcap"), "--json seen.pcap would write over the capture", id="over the capture"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_read(
    simkit: Simkit, words: tuple[str, ...], message: str
) -> None:
    simkit("replay", "flows/short.yaml", "--save", "seen.pcap")
    result = simkit("audit", "seen.pcap", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


# --- many calls ------------------------------------------------------------------------------------------------------

LATER_S = 100
"""So much later each of many calls begins: the one before is long over."""


def many(capture: bytes, count: int) -> bytes:
    """A capture of one call as one of many, each with a Call-ID of its own, one after the other."""
    packets, at = [capture[:24]], 24
    while at < len(capture):
        packets.append(capture[at : (at := at + 16 + int.from_bytes(capture[at + 8 : at + 12], "little"))])
    header, *packets = packets
    call = [(int.from_bytes(packet[:4], "little"), packet[4:]) for packet in packets]
    return header + b"".join(
        (second + number * LATER_S).to_bytes(4, "little") + rest.replace(b"8mq66q73jf1", b"%011d" % number)
        for number in range(count)
        for second, rest in call
    )


@pytest.mark.usefixtures("captures")
def test_memory_does_not_grow_with_the_calls_that_go_into_json(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 10_000)
    with read_capture("careless.pcap") as reader:
        (captured,) = captured_calls(reader)
    audited, calls = audit_call(captured.trace), 0
    monkeypatch.setattr("simkit.captures.calls.captured_calls", lambda *_, **__: itertools.repeat(captured, calls))
    monkeypatch.setattr("simkit.audit.auditor.audit_call", lambda *_, **__: pickle.loads(pickle.dumps(audited)))

    def most_memory(count: int) -> int:
        nonlocal calls
        calls = count
        tracemalloc.start()
        try:
            assert simkit("audit", "-q", "careless.pcap", "--json", "found.json").exit_code == 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = (min(most_memory(count) for _ in range(2)) for count in (500, 1500))  # a thread of xdist may allocate
    assert many < few + 100_000
    assert (folder / "found.json").stat().st_size > 1_000_000


@pytest.mark.usefixtures("captures")
def test_many_calls_are_one_json_object_a_capture_and_each_is_told_in_full(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 10_000)
    (folder / "many.pcap").write_bytes(many((folder / "careless.pcap").read_bytes(), 30))
    result = simkit("audit", "many.pcap", "captures/short.pcap", "-v", "--json", "found.json")
    lines = (folder / "found.json").read_text().splitlines(keepends=True)
    assert [json.dumps(json.loads(line)) + "\n" for line in lines] == lines
    found, short = map(json.loads, lines)
    assert [call["call_id"] for call in found["calls"]] == [f"{number:011}@192.0.2.1" for number in range(30)]
    assert [violation["at_us"] // 1_000_000 for violation in found["violations"]] == [
        number * LATER_S for number in range(30)
    ]
    assert (len(short["calls"]), short["violations"]) == (1, [])
    calls, _, rest = result.stdout.partition("FAIL  30 errors")
    assert [line.split()[-1] for line in calls.splitlines() if " → " in line] == [
        call["call_id"] for call in found["calls"]
    ]
    assert calls.count("  error  RFC4028-9-11  frame ") == 30
    assert "\n\ncaptures/short.pcap  5 packets" in rest


@pytest.mark.usefixtures("captures")
def test_an_interruption_while_calls_are_told_leaves_the_json_whole(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("simkit.cli.audit.audit_blocks", interrupted)
    result = simkit("audit", "careless.pcap", "careless.pcap", "-v", "--json", "found.json")
    assert (result.exit_code, result.stderr.strip(), result.stdout) == (130, "interrupted", "")
    (found,) = map(json.loads, (folder / "found.json").read_text().splitlines())
    assert len(found["calls"]) == 1


@pytest.mark.usefixtures("captures")
def test_an_interruption_while_the_json_is_written_waits_until_it_is_whole(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(capture: CaptureAudit) -> Iterator[str]:
        for piece in audit_json(capture):
            yield piece
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("simkit.reports.audit_json.audit_json", interrupted)
    result = simkit("audit", "careless.pcap", "-q", "--json", "found.json")
    assert (result.exit_code, result.stderr.strip()) == (130, "interrupted")
    (found,) = map(json.loads, (folder / "found.json").read_text().splitlines())
    assert len(found["calls"]) == 1


@pytest.mark.usefixtures("captures")
def test_calls_that_cannot_be_kept_are_told(simkit: Simkit, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = Full()
    monkeypatch.setattr(spool, "SpooledTemporaryFile", lambda size: file)
    result = simkit("audit", "careless.pcap", "--json", "-")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "cannot keep what was found in a temporary file: No space left on device\n"
    assert file.closed


# --- what somebody logged meanwhile ----------------------------------------------------------------------------------

TAKEN_AT_S = 1_795_358_611


@pytest.fixture
def dated(captures: None, folder: Path) -> None:
    """The careless capture as if it had been taken at a time, and a log of the callee."""
    data = bytearray((folder / "careless.pcap").read_bytes())
    place = 24  # the file's header; then each packet has one of 16 bytes, which begins with its seconds
    first = int.from_bytes(data[place : place + 4], "little")
    while place < len(data):
        seconds, length = (int.from_bytes(data[place + skip : place + skip + 4], "little") for skip in (0, 8))
        data[place : place + 4] = (TAKEN_AT_S + seconds - first).to_bytes(4, "little")
        place += 16 + length
    (folder / "dated.pcap").write_bytes(data)
    lines = [f"{TAKEN_AT_S}.0 INVITE received", f"{TAKEN_AT_S}.0 no timer: 200", f"{TAKEN_AT_S + 9}.5 bored"]
    (folder / "callee.log").write_text("\n".join([*lines, "call 8mq66q73jf1@192.0.2.1 is over", ""]))


@pytest.mark.usefixtures("dated")
def test_a_log_is_told_beside_what_was_found(simkit: Simkit) -> None:
    result = simkit("audit", "dated.pcap", "--log", "callee.log", "--json", "found.json")
    _, _, found = result.stdout.partition("error  RFC4028-9-11")
    assert "    | 1795358611.0 INVITE received\n    | 1795358611.0 no timer: 200\n" in found
    assert "bored" not in found.partition("logged about this call:")[0].partition("error")[0]
    assert "  logged about this call:\n    | call 8mq66q73jf1@192.0.2.1 is over\n" in found
    (capture,) = [json.loads(line) for line in Path("found.json").read_text().splitlines()]
    assert capture["violations"][0]["log"][:1] == ["1795358611.0 INVITE received"]


@pytest.mark.usefixtures("dated")
def test_a_log_of_another_time_tells_of_calls_that_it_names(simkit: Simkit) -> None:
    result = simkit("audit", "careless.pcap", "--log", "callee.log")
    assert "callee.log: not written while this was captured: only lines that name a call are told" in result.stderr
    assert "is over" in result.stdout
    assert "no timer: 200" not in result.stdout


@pytest.mark.usefixtures("captures")
def test_a_log_that_is_missing_is_told(simkit: Simkit) -> None:
    result = simkit("audit", "careless.pcap", "--log", "missing.log")
    assert result.exit_code == 2
    assert "missing.log: cannot be read" in result.stderr
