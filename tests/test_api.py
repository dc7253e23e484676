"""simkit from Python."""

from pathlib import Path

import pytest

import simkit
from simkit import Flow, FlowError, Run, SimkitError, Verdict, load_flow, load_flows, simulate
from simkit.errors import NothingToRunError
from simkit.trace import TimerRecord

from .cli.flows import BAD, CASES, FAILING, PASSING, VALUES


def test_a_text_is_loaded_and_simulated() -> None:
    run = simulate(PASSING)
    assert isinstance(run, Run)
    assert (run.passed, run.verdict, run.flow.path) == (True, Verdict.PASS, "<text>")


@pytest.mark.parametrize("as_path", [str, Path], ids=["str", "Path"])
def test_a_path_is_loaded_and_simulated(tmp_path: Path, as_path: type) -> None:
    path = tmp_path / "short.yaml"
    path.write_text(PASSING)
    assert simulate(as_path(path)).flow.path == str(path)


def test_a_failure_is_in_the_run_and_raises_nothing() -> None:
    run = simulate(load_flow(FAILING))
    assert run.verdict is Verdict.FAIL
    assert run.failures


def test_values_are_set() -> None:
    assert simulate(load_flow(VALUES, set={"length": "30s"})).virtual_us == 30_000_000


def test_all_cases_are_loaded_or_one() -> None:
    flows = load_flows(CASES)
    assert [flow.case for flow in flows] == ["length=10s", "length=20s"]
    assert load_flow(CASES, case="length=20s") == flows[1]
    assert load_flow(CASES, case="20") == flows[1]


@pytest.mark.parametrize(
    ("case", "message"),
    [("30", "no cases of cases have '30': length=10s, length=20s"), ("length", "2 cases of cases have 'length'")],
    ids=["none", "several"],
)
def test_a_case_that_is_not_one_is_an_error(case: str, message: str) -> None:
    with pytest.raises(NothingToRunError, match=message):
        load_flow(CASES, case=case)


def test_a_bad_flow_raises_all_its_faults() -> None:
    with pytest.raises(FlowError) as caught:
        load_flow(BAD)
    assert [fault.source.line for fault in caught.value.faults] == [6, 7]
    assert isinstance(caught.value, SimkitError)


def test_the_seed_calls_and_timers_are_those_given() -> None:
    run = simulate(PASSING, seed=7, calls=2, timers=True)
    assert (run.seed, len(run.calls)) == (7, 2)
    assert any(isinstance(record, TimerRecord) for record in run.trace.records)


def test_an_interruption_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(flow: Flow, **_: object) -> Run:
        return Run(flow, 1, Verdict.ERROR, 0, 0, 0, interrupted=True)

    monkeypatch.setattr("simkit.runs.simulate.simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(PASSING)


def test_every_name_of_the_package_is_there_and_no_other() -> None:
    for name in simkit.__all__:
        assert getattr(simkit, name) is not None
    with pytest.raises(AttributeError, match="module 'simkit' has no attribute 'simulat'"):
        _ = simkit.simulat  # type: ignore[attr-defined]
