"""`simkit replay` of a capture that is no flow's: each call is rebuilt, played, and told where it was another."""

from pathlib import Path

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
    result = simkit("replay", "theirs.pcap")
    assert result.exit_code == 0, result.stdout
    assert "Rebuilt from theirs.pcap: alice is 127.0.0.1:" in " ".join(result.stdout.split())
    assert "by the rules" not in result.stdout


def test_where_a_stack_did_something_else_its_line_and_rules_are_told(simkit: Simkit, folder: Path) -> None:
    (folder / "early.yaml").write_text(MUSEUM)
    simkit("simulate", "early.yaml", "--pcap", "theirs.pcap")
    result = simkit("replay", "theirs.pcap")
    assert result.exit_code == 1
    assert "theirs.pcap:7:1: alice (192.0.2.1:5060) did something else than our timer logic" in result.stdout
    assert "The recorded call, by the rules:" in result.stdout


def test_each_call_of_a_capture_is_a_flow(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--calls", "3", "--save", "theirs.pcap")
    assert simkit("replay", "theirs.pcap", "-q").stdout.startswith("PASS  3 of 3 flows")
    assert simkit("replay", "theirs.pcap", "-q", "-k", "theirs-2").stdout.startswith("PASS  7 of 7 expectations")


def test_a_rebuilt_flow_makes_no_recording(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    before = (folder / "theirs.pcap").read_bytes()
    assert simkit("replay", "theirs.pcap", "--update").exit_code == 0
    assert (folder / "theirs.pcap").read_bytes() == before


def test_the_time_of_a_capture_may_have_been_faster(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--save", "theirs.pcap")
    result = simkit("replay", "theirs.pcap", "--recorded-speed", "20", "-q")
    assert result.exit_code == 0
    assert "   20" in result.stdout
