"""`simkit import`."""

from pathlib import Path

import pytest

from .conftest import Simkit

SCENARIOS = Path(__file__).parent.parent / "sipp" / "scenarios"


@pytest.fixture(autouse=True)
def scenarios(folder: Path) -> None:
    """The scenarios lie in our folder."""
    for file in SCENARIOS.glob("*.[xc][ms][lv]"):
        (folder / file.name).write_bytes(file.read_bytes())


def test_a_scenario_is_written_as_a_flow_that_runs(simkit: Simkit, folder: Path) -> None:
    result = simkit("import", "callee.xml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "wrote callee.yaml: 9 messages; now: simkit simulate callee.yaml\n"
    assert simkit("simulate", "-q", "callee.yaml").exit_code == 0


def test_what_is_wrong_is_told_with_its_place(simkit: Simkit) -> None:
    result = simkit("import", "guide.xml", "-o", "x.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("wrote x.yaml: 8 messages, 12 mistakes; now:")
    assert "guide.xml:17:7: mistake: Min-SE 60 is below the floor" in result.stderr
    assert result.stderr.endswith("left out, for it changes no message: rtd (line 30)\n")


def test_the_flow_goes_to_standard_output_and_nothing_else_does(simkit: Simkit, folder: Path) -> None:
    result = simkit("import", "guide.xml", "-o", "-")
    assert result.stdout == (SCENARIOS / "guide.yaml").read_text("utf-8")


def test_the_scenario_may_come_from_standard_input(simkit: Simkit, folder: Path) -> None:
    result = simkit("import", "-", "-o", "-", input=(folder / "callee.xml").read_bytes())
    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported from -\n")


def test_two_scenarios_make_one_flow(simkit: Simkit) -> None:
    assert simkit("import", "caller.xml", "callee.xml", "-o", "both.yaml").exit_code == 0
    assert simkit("simulate", "-q", "both.yaml").exit_code == 0


def test_a_data_file_makes_cases(simkit: Simkit) -> None:
    assert simkit("import", "refresh.xml", "--inf", "refresh.csv").exit_code == 0
    assert "2 of 2 flows" in simkit("simulate", "-q", "refresh.yaml").stdout


def test_what_is_there_is_left_alone_unless_forced(simkit: Simkit, folder: Path) -> None:
    (folder / "callee.yaml").write_text("mine")
    result = simkit("import", "callee.xml")
    assert (result.exit_code, (folder / "callee.yaml").read_text()) == (2, "mine")
    assert "callee.yaml is there already: name another file by -o, or say --force" in result.stderr
    assert simkit("import", "callee.xml", "--force").exit_code == 0


REFUSED = [
    pytest.param(("import",), "Missing argument 'FILE...'", id="nothing"),
    pytest.param(("import", "none.xml"), "none.xml:1:1: cannot be read: No such file or directory", id="no file"),
    pytest.param(("import", "values.yaml"), "there is no element in this file", id="no XML"),
    pytest.param(("import", "caller.xml", "callee.xml", "x.xml"), "3 scenarios: one makes a flow", id="three"),
    pytest.param(("import", "refresh.xml", "--inf", "caller.xml"), "a data file begins with one of", id="no data file"),
    pytest.param(("import", "callee.xml", "--peer", "me"), "'me' is not one of", id="no such peer"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_wrong_usage_and_broken_files_are_told(simkit: Simkit, words: tuple[str, ...], told: str) -> None:
    result = simkit(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_place_that_cannot_be_written_is_told(simkit: Simkit) -> None:
    result = simkit("import", "callee.xml", "-o", "no/such/folder/x.yaml")
    assert result.exit_code == 3
    assert "cannot write no/such/folder/x.yaml" in result.stderr
