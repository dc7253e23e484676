"""The pytest plugin: flow files are items, other YAML is left alone, failures read as on the command line."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import simkit.api  # noqa: F401 - PyYAML's C loader can be imported but once, and pytester forgets what it imports

from .cli.flows import BAD, CASES, FAILING, PASSING, VALUES

Run = Callable[..., pytest.RunResult]

# Where simkit is installed, pytest loads the plugin by itself.
IS_INSTALLED = any(point.name == "simkit" for point in entry_points(group="pytest11"))


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest with the plugin, in a folder of its own."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    plugin = () if IS_INSTALLED else ("-p", "simkit.pytest_plugin")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))  # for xdist's workers

    def run_pytest(*words: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*plugin, "-p", "no:cacheprovider", *words)

    return run_pytest


def test_each_flow_and_each_case_is_an_item(pytester: pytest.Pytester, run: Run) -> None:
    folder = pytester.mkdir("flows")
    (folder / "short.yaml").write_text(PASSING)
    (folder / "many.yml").write_text(CASES)
    result = run("-v", "flows")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "flows/many.yml::cases[[]length=10s[]] PASSED*",
            "flows/many.yml::cases[[]length=20s[]] PASSED*",
            "flows/short.yaml::short PASSED*",
        ]
    )


def test_an_item_is_run_by_its_name(pytester: pytest.Pytester, run: Run) -> None:
    (pytester.path / "many.yaml").write_text(CASES)
    run("many.yaml::cases[length=20s]").assert_outcomes(passed=1)


def test_a_real_system_is_not_simulated(pytester: pytest.Pytester, run: Run) -> None:
    system = PASSING.replace("bob: {role: uas}", 'bob: {role: sut, at: "127.0.0.1:5060"}')
    assert system != PASSING
    (pytester.path / "system.yaml").write_text(system)
    result = run("-rs", "system.yaml")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*'bob' is a real system: use `simkit replay`*"])


OTHER_YAML = {
    "settings.yaml": "services: {simkit: {image: x}}\n",
    "indented.yml": "a:\n  simkit: 1\n",
    "comment.yaml": "# simkit: 1\na: 1\n",
    "broken.yaml": "}{ not YAML: [\n",
    "binary.yaml": "\x00\x01",
    "empty.yaml": "",
}


@pytest.mark.parametrize("name", OTHER_YAML)
def test_other_yaml_is_left_alone(pytester: pytest.Pytester, run: Run, name: str) -> None:
    (pytester.path / name).write_text(OTHER_YAML[name])
    result = run()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.assert_outcomes()


def test_a_failure_reads_as_on_the_command_line(pytester: pytest.Pytester, run: Run) -> None:
    (pytester.path / "late.yaml").write_text(FAILING)
    result = run("late.yaml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*___ late ___*",
            "late.yaml:*:*: *",
            "*| *^ expected at 11.000 s (up + 11s)",
            "FAIL  * expectations   *seed 1",
            "*ladder*",
            "*alice*bob*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_bad_file_is_a_collection_error_with_all_its_faults(pytester: pytest.Pytester, run: Run) -> None:
    (pytester.path / "bad.yaml").write_text(BAD)
    (pytester.path / "short.yaml").write_text(PASSING)
    result = run("--continue-on-collection-errors")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting bad.yaml*",
            "bad.yaml:6:12: unknown verb 'cal' (did you mean call?)",
            "    6 |   - alice: cal bob",
            "      |            ^",
            "bad.yaml:7:19: unknown method 'INVTE' (did you mean INVITE?)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_a_simulation_cannot_do_is_said_without_a_traceback(pytester: pytest.Pytester, run: Run) -> None:
    (pytester.path / "log.yaml").write_text(PASSING.replace("ended_by: alice", "ended_by: alice, log: registered"))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["log.yaml:*: there is no system under test whose log could be read"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_tags_choose_by_k_and_need_no_marker(pytester: pytest.Pytester, run: Run) -> None:
    (pytester.path / "late.yaml").write_text(FAILING)
    (pytester.path / "short.yaml").write_text(PASSING)
    run("--strict-markers", "-k", "plain and quick").assert_outcomes(passed=1, deselected=1)


def test_paths_are_those_of_the_folder_where_pytest_was_called(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pytester.mkdir("deep")
    (folder / "late.yaml").write_text(FAILING)
    run("deep").stdout.fnmatch_lines(["deep/late.yaml:*:*: *"])
    monkeypatch.chdir(folder)
    run("late.yaml").stdout.fnmatch_lines(["late.yaml:*:*: *"])


def test_flows_run_under_xdist(pytester: pytest.Pytester, run: Run) -> None:
    pytest.importorskip("xdist")
    (pytester.path / "many.yaml").write_text(CASES)
    (pytester.path / "late.yaml").write_text(FAILING)
    result = run("-n", "2")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["late.yaml:*:*: *"])


USES_THE_FIXTURE = """
import pytest
from simkit import FlowError

TEXT = '''%s'''

def test_text(simulate_flow):
    run = simulate_flow(TEXT)
    assert run.passed
    assert run.seed == %d

def test_path_and_case(simulate_flow):
    assert simulate_flow("many.yaml", case="20").virtual_us == 20_000_000

def test_value(simulate_flow):
    assert simulate_flow("values.yaml", set={"length": "30s"}).virtual_us == 30_000_000

def test_seed_and_calls(simulate_flow):
    run = simulate_flow(TEXT, seed=7, calls=3)
    assert (run.seed, run.messages) == (7, 15)

def test_fault(simulate_flow):
    with pytest.raises(FlowError, match="unknown key"):
        simulate_flow(TEXT + "tgas: [x]\\n")

@pytest.fixture(scope="module")
def run_once(simulate_flow):
    return simulate_flow(TEXT)

def test_of_any_scope(run_once):
    assert run_once.passed
"""


@pytest.mark.parametrize(("words", "seed"), [((), 1), (("--simkit-seed", "5"), 5)], ids=["seed 1", "--simkit-seed 5"])
def test_the_fixture_simulates_texts_and_paths(
    pytester: pytest.Pytester, run: Run, words: tuple[str, ...], seed: int
) -> None:
    (pytester.path / "many.yaml").write_text(CASES)
    (pytester.path / "values.yaml").write_text(VALUES)
    pytester.makepyfile(test_calls=USES_THE_FIXTURE % (PASSING, seed))
    run("test_calls.py", *words).assert_outcomes(passed=6)
