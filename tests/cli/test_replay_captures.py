"""`simkit replay` of a capture that is no flow's: each call is rebuilt, played, and told where it was another."""

import json
from pathlib import Path

import pytest

from simkit.cli.recordings import read_calls

from .conftest import Simkit

MUSEUM = """\
simkit: 1
name: early
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}, logic: "museum:M01"}
  bob: {role: uas}
allow: [INVITE, 200 INVITE, ACK, BYE, 200 BYE]
flow:
  - alice: call bob
"""


def test_a_capture_of_a_sound_call_passes(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap")
    assert result.exit_code == 0, result.stdout
    assert "Rebuilt from theirs.pcap: alice is 127.0.0.1:" in " ".join(result.stdout.split())
    assert "by the rules" not in result.stdout


def test_where_a_stack_did_something_else_its_line_and_rules_are_told(simkit: Simkit, folder: Path) -> None:
    (folder / "early.yaml").write_text(MUSEUM)
    simkit("simulate", "early.yaml", "--pcap", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap")
    assert result.exit_code == 1
    assert "theirs.pcap:7:1: alice (192.0.2.1:5060) did something else than our timer logic" in result.stdout
    assert "The recorded call, by the rules:" in result.stdout


def test_each_call_of_a_capture_is_a_flow(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--calls", "3", "--save", "theirs.pcap")
    assert simkit("replay", "--rebuild", "theirs.pcap", "-q").stdout.startswith("PASS  3 of 3 flows")
    assert simkit("replay", "--rebuild", "theirs.pcap", "-q", "-k", "theirs-2").stdout.startswith(
        "PASS  7 of 7 expectations"
    )


def test_a_rebuilt_flow_makes_no_recording(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    before = (folder / "theirs.pcap").read_bytes()
    result = simkit("replay", "--rebuild", "theirs.pcap", "--update")
    assert result.exit_code == 2
    assert "calls that are rebuilt have none" in result.stderr
    assert (folder / "theirs.pcap").read_bytes() == before


def test_the_time_of_a_capture_may_have_been_faster(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap", "--recorded-speed", "20", "-q")
    assert result.exit_code == 0
    assert "   20" in result.stdout


def test_the_calls_of_a_capture_go_side_by_side_with_their_recorded_spacing(simkit: Simkit, folder: Path) -> None:
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text() + "calls: {count: 3, every: 2s}\n")
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap", "--json", "seen.json", "--save", "seen.pcap", "-q")
    assert result.exit_code == 0, result.stdout
    runs = [json.loads(line) for line in (folder / "seen.json").read_text().splitlines()]
    began = [run["expectations"][0]["actual_us"] for run in runs]
    assert began == [pytest.approx(at, abs=100_000) for at in (0, 2_000_000, 4_000_000)]
    assert [len([*trace.messages()]) for trace in read_calls("seen.pcap")] == [5] * 3


def test_what_a_stack_did_otherwise_is_written_down_too(simkit: Simkit, folder: Path) -> None:
    (folder / "early.yaml").write_text(MUSEUM)
    simkit("simulate", "early.yaml", "--pcap", "theirs.pcap")
    simkit("replay", "--rebuild", "theirs.pcap", "--json", "seen.json", "--junit", "seen.xml")
    run = json.loads((folder / "seen.json").read_text())
    (deviation,) = run["deviations"]
    assert (deviation["actor"], deviation["recorded"], deviation["broken"]) == ("alice", "BYE", True)
    assert run["violations"]
    assert "alice (192.0.2.1:5060) did something else" in (folder / "seen.xml").read_text()


CHOICE = """\
simkit: 1
name: choice
actors: {alice: {role: scripted}, bob: {role: uas, session_timer: {enabled: false}}}
flow:
  - alice -> bob: INVITE
    with: {Supported: timer, Session-Expires: 120;refresher=uac}
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice -> bob: BYE
    at: start + 70s
  - bob -> alice: 200 BYE
"""


def test_a_choice_that_the_rules_leave_open_is_told_and_fails_nothing(simkit: Simkit, folder: Path) -> None:
    (folder / "choice.yaml").write_text(CHOICE)
    simkit("simulate", "choice.yaml", "--pcap", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert "alice (192.0.2.1:5060) chose otherwise than our timer logic, at 60.000 s" in said
    assert "recorded nothing until BYE, at 70.000 s ours INVITE 120;refresher=uac, at 60.000 s" in said
    assert "ours goes by RFC4028-7.2-12" in said


def test_to_rebuild_a_flow_has_no_meaning(simkit: Simkit) -> None:
    result = simkit("replay", "--rebuild", "flows/short.yaml")
    assert result.exit_code == 2
    assert "--rebuild is about captures" in result.stderr


LATE = """\
simkit: 1
name: late
actors: {alice: {role: scripted}, bob: {role: scripted}}
flow:
  - alice -> bob: INVITE
    with: {Supported: timer, Session-Expires: 90;refresher=uac}
  - bob -> alice: 200 INVITE
    with: {Supported: timer, Require: timer, Session-Expires: 90;refresher=uac}
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up + 56s500ms
    with: {Supported: timer, Session-Expires: 90;refresher=uac}
  - bob -> alice: 200 INVITE
    with: {Supported: timer, Require: timer, Session-Expires: 90;refresher=uac}
  - alice -> bob: ACK
  - alice -> bob: BYE
    at: up + 80s
    with: {Supported: timer}
  - bob -> alice: 200 BYE
"""


def test_a_refresh_that_comes_late_is_told_with_how_late_and_what_is_tolerated(simkit: Simkit, folder: Path) -> None:
    """A tenth of the interval is: RFC 4028 leaves open when exactly a refresh is sent."""
    (folder / "late.yaml").write_text(LATE)
    simkit("simulate", "late.yaml", "--pcap", "theirs.pcap")
    result = simkit("replay", "--rebuild", "theirs.pcap")
    assert "    recorded  INVITE  90;refresher=uac, at 56.500 s: 11s500ms late, tolerance 9s\n" in result.stdout
    (folder / "late.yaml").write_text(LATE.replace("56s500ms", "53s900ms"))
    simkit("simulate", "late.yaml", "--pcap", "theirs.pcap")
    assert simkit("replay", "--rebuild", "theirs.pcap").exit_code == 0
