"""`simkit check`, `new` and `schema`."""

import json
from pathlib import Path

import pytest

from simkit.flows.starters import STARTERS

from .conftest import Simkit
from .flows import BAD, WARNED

FAULTS = """\
bad.yaml:6:12: unknown verb 'cal' (did you mean call?)
    6 |   - alice: cal bob
      |            ^
bad.yaml:7:19: unknown method 'INVTE' (did you mean INVITE?)
    7 |   - alice -> bob: INVTE
      |                   ^
"""


def test_flows_without_faults_are_counted(simkit: Simkit) -> None:
    result = simkit("check", "flows")
    assert (result.exit_code, result.stdout) == (0, "3 files, 4 flows: no faults\n")


def test_faults_are_named_with_their_places(simkit: Simkit, folder: Path) -> None:
    (folder / "bad.yaml").write_text(BAD)
    result = simkit("check", "bad.yaml", "flows")
    assert (result.exit_code, result.stderr, result.stdout) == (2, FAULTS, "")


def test_warnings_are_said_once_and_are_no_faults(simkit: Simkit) -> None:
    result = simkit("check", "-q", "-", input=WARNED)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.count("-:5:55: warning: default_expires is 30 s") == 1


def test_a_folder_without_flows_is_nothing_to_check(simkit: Simkit, folder: Path) -> None:
    (folder / "empty").mkdir()
    assert simkit("check", "empty").exit_code == 5


def test_a_file_that_is_not_there_has_its_likely_name(simkit: Simkit) -> None:
    result = simkit("check", "flows/shrt.yaml")
    assert result.exit_code == 2
    assert "flows/shrt.yaml:1:1: no such file or folder (did you mean flows/short.yaml?)" in result.stderr


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_is_written_checks_and_passes(simkit: Simkit, folder: Path, name: str) -> None:
    result = simkit("new", name)
    assert result.stdout == f"wrote {name}.yaml; now: simkit simulate {name}.yaml\n"
    assert (folder / f"{name}.yaml").read_text() == STARTERS[name]
    assert simkit("check", f"{name}.yaml").stderr == ""
    simulated = simkit("simulate", "-q", f"{name}.yaml")
    assert simulated.exit_code == 0, simulated.stdout


def test_a_starter_takes_another_name_or_goes_to_standard_output(simkit: Simkit, folder: Path) -> None:
    assert simkit("new", "expiry", "mine.yaml").exit_code == 0
    assert (folder / "mine.yaml").read_text() == STARTERS["expiry"]
    assert simkit("new", "expiry", "-").stdout == STARTERS["expiry"]


def test_a_file_that_is_there_is_left_alone(simkit: Simkit, folder: Path) -> None:
    (folder / "expiry.yaml").write_text("mine")
    result = simkit("new", "expiry")
    assert result.exit_code == 2
    assert "expiry.yaml is there already: name another file" in result.stderr
    assert (folder / "expiry.yaml").read_text() == "mine"


def test_a_starter_that_cannot_be_written_is_a_matter_of_the_surroundings(simkit: Simkit) -> None:
    result = simkit("new", "expiry", "nowhere/expiry.yaml")
    assert result.exit_code == 3
    assert result.stderr == "cannot write nowhere/expiry.yaml: No such file or directory\n"


def test_without_a_name_the_starters_are_listed(simkit: Simkit) -> None:
    assert [line.split()[0] for line in simkit("new").stdout.splitlines()] == [*STARTERS, "logic"]


def test_the_schema_is_json_with_every_top_level_key(simkit: Simkit) -> None:
    schema = json.loads(simkit("schema").stdout)
    assert {"simkit", "actors", "flow", "expect"} <= set(schema["properties"])
