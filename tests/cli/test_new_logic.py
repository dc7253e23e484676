"""`simkit new logic` and `--logic`: from a template to a verdict, at the command line."""

import shlex
import sys
from pathlib import Path

import pytest

from simkit.foreign.starting import LANGUAGES

from .conftest import Simkit


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_template_is_copied_and_what_to_do_next_is_said(simkit: Simkit, folder: Path, lang: str) -> None:
    result = simkit("new", "logic", "--lang", lang, "my timer")
    assert result.exit_code == 0, result.stderr
    first, *steps = result.stdout.splitlines()
    assert first == "wrote my timer; now:"
    assert steps[-1].startswith("  simkit simulate refresh.yaml --logic ")
    assert "my timer" in shlex.split(shlex.split(steps[-1])[-1].partition("=")[2])[-1 if lang != "go" else 0]
    copied = {path.name for path in (folder / "my timer").iterdir()}
    assert copied == {
        "go": {"go.mod", "session_timer.go", "simkit_test.go"},
        "python": {"in_process.py", "process.py", "session_timer.py"},
        "node": {"endpoint.js", "package.json", "simkit.js"},
    }.get(lang, copied)


def test_what_is_said_can_be_typed(simkit: Simkit, folder: Path) -> None:
    steps = [shlex.split(line) for line in simkit("new", "logic", "--lang", "python", "mine").stdout.splitlines()[1:]]
    assert [step[0] for step in steps] == ["simkit", "simkit"]
    for step in steps:
        result = simkit(*[word.replace("python3", sys.executable) for word in step[1:]])
        assert result.exit_code == 0, result.output
    assert "PASS  2 of 2 flows" in result.stdout


def test_a_folder_with_something_in_it_is_left_alone(simkit: Simkit, folder: Path) -> None:
    result = simkit("new", "logic", "--lang", "go", "flows")
    assert (result.exit_code, result.stderr) == (3, "flows is not empty: name another folder\n")


WRONG = [
    pytest.param(["logic"], "say --lang:\n  go ", id="no language"),
    pytest.param(["logic", "--lang", "pyhton"], "no template in 'pyhton' (did you mean 'python'?); say", id="misspelt"),
    pytest.param(["logic", "--lang", "rust"], "no template in 'rust'; say --lang:", id="one there is none for"),
    pytest.param(["expiry", "--lang", "go"], "--lang goes with 'logic'", id="a language for a flow"),
    pytest.param(["logci"], "no starter 'logci' (did you mean 'logic'?)", id="logic misspelt"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_what_cannot_be_copied_is_a_matter_of_usage(simkit: Simkit, words: list[str], message: str) -> None:
    result = simkit("new", *words)
    assert result.exit_code == 2
    assert message in result.stderr


LOGICS = [
    pytest.param("alcie=rfc4028", 2, "--logic alcie: unknown actor 'alcie' with a session timer", id="no such actor"),
    pytest.param("alice=rfc4082", 2, "--logic alice: unknown logic 'rfc4082' (did you mean rfc4028?)", id="misspelt"),
    pytest.param("alice", 2, "'alice' is not name=value", id="no logic"),
    pytest.param("alice=museum:M999", 2, "museum:M999: no such museum piece", id="no such museum piece"),
    pytest.param("alice=python:no.such:Timer", 2, "there is no module 'no', neither", id="no such module"),
    pytest.param("alice=./nothing", 3, "('./nothing') cannot be started: No such file or directory", id="no program"),
]


@pytest.mark.parametrize(("logic", "status", "message"), LOGICS)
def test_a_logic_that_cannot_be_seated_is_told_before_anything_runs(
    simkit: Simkit, logic: str, status: int, message: str
) -> None:
    result = simkit("simulate", "flows/short.yaml", "--logic", logic, "--json", "out.json")
    assert result.exit_code == status
    assert message in result.stderr
    assert result.stdout == ""


def test_a_child_that_fails_in_one_flow_leaves_the_others_their_verdict(simkit: Simkit, folder: Path) -> None:
    (folder / "timer.py").write_text("import os; os.write(1, b'{}')")
    works = f"{sys.executable} -c 'import time; time.sleep(9)'"
    assert simkit("simulate", "flows", "--logic", f"alice={works}", "--logic-timeout", "0.1").exit_code == 3
    simkit("new", "logic", "--lang", "python", "mine")
    broken = (folder / "mine/process.py").read_text().replace("self.timer.stop()", "1 / 0")
    (folder / "mine/process.py").write_text(broken)
    result = simkit("simulate", "flows", "--logic", f"alice={sys.executable} mine/process.py", "--json", "out.json")
    assert result.exit_code == 3
    assert result.stdout.count("ZeroDivisionError: division by zero") == 4
    assert len((folder / "out.json").read_text().splitlines()) == 4


def test_a_logic_is_taken_where_there_is_a_seat_for_it(simkit: Simkit, folder: Path) -> None:
    """A folder may hold flows in which the actor is scripted, or missing."""
    (folder / "flows/scripted.yaml").write_text(
        "simkit: 1\nactors:\n  alice: {role: scripted}\n  bob: {role: uas}\nflow:\n  - alice -> bob: OPTIONS\n"
        "  - bob -> alice: 200 OPTIONS\n"
    )
    result = simkit("simulate", "flows", "-k", "s", "--logic", "alice=python:simkit.ua.session_timer:SessionTimer")
    assert "PASS  scripted" in result.stdout
