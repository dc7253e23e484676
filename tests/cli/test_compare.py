"""`simkit compare`: what differs, in which class, and with which exit code."""

import json
from pathlib import Path

import pytest

from .conftest import Simkit


@pytest.fixture
def captures(simkit: Simkit) -> None:
    """Two runs of one flow under different seeds, and one that takes longer."""
    assert simkit("simulate", "flows/short.yaml", "--pcap", "one.pcap").exit_code == 0
    assert simkit("simulate", "flows/short.yaml", "--pcap", "two.pcap", "--seed", "2").exit_code == 0
    assert simkit("simulate", "flows/cases.yaml", "--case", "20s", "--pcap", "longer.pcap").exit_code == 0


@pytest.mark.usefixtures("captures")
def test_two_runs_of_a_flow_differ_in_names_only(simkit: Simkit) -> None:
    result = simkit("compare", "one.pcap", "two.pcap")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.endswith("PASS  0 semantic, 0 timing   not counted: 9 dynamic   5 messages\n")


@pytest.mark.usefixtures("captures")
def test_a_flow_is_one_side_as_it_is_simulated(simkit: Simkit) -> None:
    assert simkit("compare", "one.pcap", "flows/short.yaml").exit_code == 0
    assert simkit("compare", "longer.pcap", "flows/cases.yaml", "--case", "20s").exit_code == 0
    assert simkit("compare", "longer.pcap", "values.yaml", "--set", "length=20s").exit_code == 0


@pytest.mark.usefixtures("captures")
def test_a_hang_up_at_another_time_is_found_with_the_line_of_the_flow(simkit: Simkit) -> None:
    result = simkit("compare", "flows/short.yaml", "longer.pcap")
    assert result.exit_code == 1
    assert "timing: time (BYE at 10.000)" in result.stdout
    assert "flows/short.yaml:16:5: - alice -> bob: BYE" in result.stdout
    assert simkit("compare", "-q", "flows/short.yaml", "longer.pcap").stdout == ""


@pytest.mark.usefixtures("captures")
def test_the_tolerance_is_a_duration(simkit: Simkit) -> None:
    assert simkit("compare", "one.pcap", "longer.pcap", "--tolerance", "10s").exit_code == 0
    assert simkit("compare", "one.pcap", "longer.pcap", "--tolerance", "9999ms").exit_code == 1
    result = simkit("compare", "one.pcap", "longer.pcap", "--tolerance", "soon")
    assert result.exit_code == 2
    assert "'soon' is not a duration" in result.stderr


@pytest.mark.usefixtures("captures")
def test_captures_in_n_fold_time_are_compared_in_their_own(simkit: Simkit) -> None:
    assert simkit("compare", "one.pcap", "longer.pcap", "--speed", "2", "--tolerance", "19s").exit_code == 1
    assert simkit("compare", "one.pcap", "longer.pcap", "--speed", "2", "--tolerance", "20s").exit_code == 0


@pytest.mark.usefixtures("captures")
def test_the_json_object_has_what_differs(simkit: Simkit, folder: Path) -> None:
    assert simkit("compare", "one.pcap", "longer.pcap", "--json", "out.json").exit_code == 1
    found = json.loads((folder / "out.json").read_text())
    assert (found["verdict"], found["left"], found["right"]) == ("fail", "one.pcap", "longer.pcap")
    assert found["differences"]["timing"] == 1


@pytest.mark.usefixtures("captures")
def test_a_capture_may_come_from_standard_input(simkit: Simkit, folder: Path) -> None:
    assert simkit("compare", "-", "two.pcap", input=(folder / "one.pcap").read_bytes()).exit_code == 0
    assert "one side only" in simkit("compare", "-", "-").stderr


def test_what_is_no_capture_is_said_with_its_name(simkit: Simkit, folder: Path) -> None:
    (folder / "words.pcap").write_text("not a capture")
    result = simkit("compare", "words.pcap", "flows/short.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith("words.pcap:")
    assert simkit("compare", "nowhere.pcap", "flows/short.yaml").exit_code == 2


def test_nothing_is_written_over_what_is_compared(simkit: Simkit, folder: Path) -> None:
    simkit("simulate", "flows/short.yaml", "--pcap", "seen.pcap")
    before = (folder / "seen.pcap").read_bytes()
    result = simkit("compare", "seen.pcap", "flows/short.yaml", "--json", "seen.pcap")
    assert result.exit_code == 2
    assert "--json seen.pcap would write over what is compared" in result.stderr
    assert (folder / "seen.pcap").read_bytes() == before
