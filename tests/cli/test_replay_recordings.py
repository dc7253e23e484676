"""`simkit replay` with recordings: which flow is whose, what is compared, and what becomes the new recording."""

import json
import shutil
import struct
from pathlib import Path

import pytest

from simkit.cli.recordings import is_capture, recorded_flow, recording_path
from simkit.flows.loader import load_path

from .conftest import Simkit

ROOT = Path(__file__).parent.parent.parent

NAMES = [
    pytest.param("flows/short.yaml", "captures/short.pcap", id="beside the folder of the flow"),
    pytest.param("flows/cases.yaml", "captures/cases.length=10s.pcap", id="a case"),
    pytest.param("flows/deep/short.yaml", "captures/deep/short.pcap", id="a folder of flows in a folder of flows"),
    pytest.param("values.yaml", "captures/values.pcap", id="in the current folder"),
]


@pytest.mark.parametrize(("flow_path", "capture"), NAMES)
def test_a_recording_has_the_name_of_its_flow_and_tells_it(folder: Path, flow_path: str, capture: str) -> None:
    (folder / "flows/deep").mkdir()
    shutil.copy(folder / "flows/short.yaml", folder / "flows/deep/short.yaml")
    flow = load_path(flow_path)[0]
    assert recording_path(flow) == capture
    found = recorded_flow(capture, [])
    assert found is not None
    assert (found.path, found.title) == (flow_path, flow.title)


def test_a_flow_that_is_no_file_has_no_recording(simkit: Simkit, folder: Path) -> None:
    text = (folder / "flows/short.yaml").read_text()
    assert simkit("replay", "-", "--update", input=text).exit_code == 0
    assert not (folder / "captures").exists()


def test_a_folder_is_one_of_captures_if_it_holds_no_flow(simkit: Simkit) -> None:
    assert simkit("replay", "flows/short.yaml", "--save", "flows/seen.pcap").exit_code == 0
    assert not is_capture("flows")
    assert simkit("replay", "flows/short.yaml", "--update").exit_code == 0
    assert is_capture("captures")


def test_what_is_recorded_is_compared_the_next_time(simkit: Simkit) -> None:
    assert "6 of 6 expectations" in simkit("replay", "flows/short.yaml", "-q", "--update").stdout
    for path in ("flows/short.yaml", "captures/short.pcap", "captures"):
        result = simkit("replay", path, "-q")
        assert result.exit_code == 0
        assert result.stdout.startswith("PASS  7 of 7 expectations")


def test_a_difference_fails_the_run_and_is_shown_with_its_line(simkit: Simkit, folder: Path) -> None:
    assert simkit("replay", "flows/short.yaml", "--update").exit_code == 0
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text().replace("up + 10s", "up + 12s"))
    result = simkit("replay", "flows/short.yaml", "--json", "seen.json")
    assert result.exit_code == 1
    assert "flows/short.yaml:1:1: not as recorded in captures/short.pcap: 1 timing" in result.stdout
    assert "flows/short.yaml:16:5: - alice -> bob: BYE" in result.stdout
    run = json.loads((folder / "seen.json").read_text())
    assert run["verdict"] == "fail"
    assert [each["verdict"] for each in run["expectations"]] == ["pass"] * 6 + ["fail"]
    assert simkit("replay", "flows/short.yaml", "--tolerance", "3s").exit_code == 0


def test_where_nothing_differs_the_comparison_is_shown_to_those_who_want_everything(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--update")
    assert "not counted:" not in simkit("replay", "flows/short.yaml").stdout
    assert "not counted:" in simkit("replay", "flows/short.yaml", "-v").stdout


def test_what_fails_becomes_no_recording(simkit: Simkit, folder: Path) -> None:
    assert simkit("replay", "flows/late.yaml", "--update").exit_code == 1
    assert not (folder / "captures").exists()


def test_other_values_than_the_recorded_ones_are_not_compared(simkit: Simkit) -> None:
    simkit("replay", "values.yaml", "--update")
    assert simkit("replay", "values.yaml", "-q", "--set", "length=7s").stdout.startswith("PASS  6 of 6")


def test_of_a_crowd_a_recording_may_have_the_first_calls(simkit: Simkit, folder: Path) -> None:
    path = folder / "flows/short.yaml"
    path.write_text(path.read_text() + "calls: {count: 30, every: 10ms}\n")
    assert simkit("replay", "flows/short.yaml", "--calls", "3", "--update").exit_code == 0
    assert "7 of 7 expectations   30 calls" in simkit("replay", "flows/short.yaml", "-q").stdout
    assert "7 of 7 expectations   3 calls" in simkit("replay", "captures", "-q").stdout


def test_a_capture_of_another_name_can_be_told_its_flow(simkit: Simkit) -> None:
    simkit("replay", "flows/cases.yaml", "--case", "20s", "--save", "seen.pcap")
    assert simkit("replay", "seen.pcap", "--flow", "flows/cases.yaml", "--case", "20s").exit_code == 0
    assert simkit("replay", "seen.pcap", "--flow", "flows/cases.yaml", "--case", "10s").exit_code == 1
    result = simkit("replay", "seen.pcap", "--flow", "flows/cases.yaml")
    assert (result.exit_code, result.stderr) == (5, "flows/cases.yaml has 2 cases like that: choose one by --case\n")


def test_a_capture_that_was_renamed_and_moved_finds_its_flow(simkit: Simkit, folder: Path) -> None:
    assert simkit("replay", "flows/cases.yaml", "--case", "20s", "--save", "seen.pcap").exit_code == 0
    (folder / "kept").mkdir()
    shutil.move("seen.pcap", "kept/last week.pcap")
    result = simkit("replay", "kept/last week.pcap")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "cases[length=20s]" in result.stdout
    assert "as recorded" not in result.stdout


def test_a_capture_that_is_named_as_if_of_another_flow_is_played_as_what_it_is(simkit: Simkit) -> None:
    simkit("replay", "flows/short.yaml", "--update")
    simkit("replay", "values.yaml", "--save", "captures/short.pcap")
    result = simkit("replay", "captures/short.pcap")
    assert result.exit_code == 0
    expected = "captures/short.pcap: named as if of 'short', but a recording of 'values': played as that\n"
    assert result.stderr == expected
    result = simkit("replay", "flows/short.yaml")
    assert result.stderr.startswith("captures/short.pcap: a recording of 'values', though it is where that of 'short'")
    assert simkit("replay", "captures/short.pcap", "--flow", "flows/short.yaml").exit_code == 1


def test_where_the_flow_of_a_capture_is_gone_its_calls_are_rebuilt(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "values.yaml", "--save", "seen.pcap")
    (folder / "values.yaml").unlink()
    result = simkit("replay", "seen.pcap")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "seen.pcap: a recording of 'values', which is not found here; its calls are rebuilt"
    )
    assert "Rebuilt from seen.pcap" in result.stdout


def test_where_two_flows_have_the_title_that_a_capture_says_one_has_to_be_named(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "values.yaml", "--save", "seen.pcap")
    shutil.copy("values.yaml", "flows/twin.yaml")
    result = simkit("replay", "seen.pcap")
    assert result.exit_code == 2
    assert "a recording of 'values', which is in flows/twin.yaml and values.yaml" in result.stderr
    assert simkit("replay", "seen.pcap", "--flow", "flows/twin.yaml").exit_code == 0


def test_of_two_flows_with_that_title_the_one_in_the_nearer_folder_is_meant(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "values.yaml", "--save", "seen.pcap")
    (folder / "project" / "captures").mkdir(parents=True)
    shutil.copy("values.yaml", "project/values.yaml")
    shutil.move("seen.pcap", "project/captures/run.pcap")
    result = simkit("replay", "project/captures/run.pcap")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_flow_with_another_stack_in_it_is_no_recording_of_ours(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--save", "seen.pcap")
    data = (folder / "seen.pcap").read_bytes()
    head, line, tail = data.rpartition(b"i=simkit flow short\r\n")
    (folder / "other.pcap").write_bytes(head + b"i=something else ..\r\n" + tail)
    assert len(line) == len(b"i=something else ..\r\n")
    assert "Rebuilt from other.pcap" in simkit("replay", "other.pcap").stdout


def test_one_flow_is_for_one_capture(simkit: Simkit) -> None:
    result = simkit("replay", "flows/short.yaml", "--flow", "flows/short.yaml")
    assert result.exit_code == 2
    assert "--flow says which flow one capture is a recording of" in result.stderr


def capture_of(payload: bytes) -> bytes:
    """Return a capture of one packet."""
    packet = bytes.fromhex("4500 0000 0001 0000 4011 0000 7f000001 7f000001".replace(" ", "")) + b"\x13\xc4\x13\xc4"
    packet += (8 + len(payload)).to_bytes(2, "big") + bytes(2) + payload
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
    return head + struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet


def test_a_capture_without_a_call_is_nothing_to_run_and_of_several_it_is_left_out(simkit: Simkit, folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept/other.pcap").write_bytes(capture_of(b"hello there"))
    result = simkit("replay", "kept/other.pcap")
    assert (result.exit_code, result.stderr) == (5, "kept/other.pcap: no SIP message is in its 1 packet (1 not SIP)\n")
    simkit("replay", "flows/short.yaml", "--save", "kept/short.pcap")
    for words in ((), ("--verbatim",)):
        result = simkit("replay", "kept", "-q", *words)
        assert (result.exit_code, result.stderr.count("no SIP message")) == (0, 1)


def test_a_capture_that_breaks_off_is_played_as_far_as_it_goes(simkit: Simkit, folder: Path) -> None:
    simkit("replay", "flows/short.yaml", "--save", "seen.pcap")
    (folder / "cut.pcap").write_bytes((folder / "seen.pcap").read_bytes()[:-50])
    result = simkit("replay", "--rebuild", "cut.pcap")
    assert result.exit_code == 0
    assert result.stderr.startswith("cut.pcap: it breaks off: the file ends within packet 5")


def test_a_capture_that_is_missing_is_told(simkit: Simkit) -> None:
    result = simkit("replay", "captures/short.pcap")
    assert (result.exit_code, result.stderr) == (2, "captures/short.pcap: no such file or folder\n")


def test_the_shipped_recordings_pass(simkit: Simkit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = simkit("replay", "captures/", "-q")
    assert result.exit_code == 0, result.stdout


def test_every_shipped_flow_has_its_recording() -> None:
    flows = [flow for path in sorted((ROOT / "flows").glob("*.yaml")) for flow in load_path(str(path))]
    missing = [place for flow in flows if (place := recording_path(flow)) and not Path(place).is_file()]
    assert missing == []
