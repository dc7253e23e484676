"""The conformance flows: every one has somebody under test, and exercises the rules that it says it covers."""

from functools import cache
from pathlib import Path

import pytest

from simkit.conformance.suite import SUBJECT, Abilities, load_suite, logic_of, seat, seats, subject_of, suite_folders
from simkit.conformance.verdicts import judge
from simkit.errors import FlowError
from simkit.flows.model import Flow, Role
from simkit.rulebook import RULES, Observable
from simkit.runs.run import Run
from simkit.runs.simulate import simulate

FLOWS = load_suite()
OWN = [flow for flow in FLOWS if "conformance" in flow.tags]
BY_TITLE = {flow.title: flow for flow in FLOWS}


@cache
def healthy(title: str) -> Run:
    """Return what our own machines make of a flow."""
    return simulate(BY_TITLE[title])


def flow_named(name: str) -> Flow:
    return next(flow for flow in FLOWS if flow.name == name)


def test_the_suite_is_found_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert all(Path(folder).is_dir() for folder in suite_folders())


def test_in_each_flow_of_the_suite_the_subject_is_named_so() -> None:
    assert {subject_of(flow).name for flow in OWN} == {SUBJECT}


def test_no_title_is_given_twice() -> None:
    assert len(BY_TITLE) == len(FLOWS)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.title)
def test_our_machines_pass_each_flow(flow: Flow) -> None:
    run = healthy(flow.title)
    assert run.passed, run.failures


def test_every_flow_exercises_what_it_covers_in_one_of_its_cases() -> None:
    claims: dict[str, set[str]] = {}
    exercised: dict[str, set[str]] = {}
    for flow in OWN:
        shown = {id for id in flow.covers if id.startswith("RFC4028") and RULES[id].observable is not Observable.NO}
        claims.setdefault(flow.name, set()).update(shown)
        exercised.setdefault(flow.name, set()).update(judge(healthy(flow.title)).exercised)
    idle = {name: sorted(claimed - exercised[name]) for name, claimed in claims.items()}
    assert {name: rules for name, rules in idle.items() if rules} == {}


def test_a_flow_in_which_nobody_is_under_test_is_a_fault() -> None:
    with pytest.raises(FlowError, match="nobody is under test: name a party 'subject'"):
        load_suite(["flows/refresh.yaml"])


def test_a_logic_takes_the_seat_under_test_and_no_other() -> None:
    seated = seat(flow_named("glare-callee"), logic_of("museum:M01"))
    assert seated is not None
    assert {name: str(actor.logic) for name, actor in seated.actors.items() if actor.logic} == {SUBJECT: "museum:M01"}


SEATS = [
    pytest.param("caller-refreshes", "museum:M01", [SUBJECT], id="the subject alone, though the peer is healthy"),
    pytest.param("route", "museum:M73", ["proxy"], id="a proxy's defect: the proxy"),
    pytest.param("route", "python:some.module:Logic", [SUBJECT], id="a timer logic: no proxy"),
    pytest.param("proxy-call", "museum:M01", ["alice", "bob"], id="nobody is named subject: both sides"),
]


@pytest.mark.parametrize(("name", "logic", "expected"), SEATS)
def test_whose_place_a_logic_may_take(name: str, logic: str, expected: list[str]) -> None:
    parsed = logic_of(logic)
    assert parsed is not None
    assert seats(flow_named(name), parsed) == expected


LACKS = [
    pytest.param(Abilities(), "update", "", id="nothing"),
    pytest.param(Abilities(without=frozenset({"update"})), "update", "it has no UPDATE", id="no UPDATE"),
    pytest.param(Abilities(without=frozenset({"update"})), "hold", "", id="no UPDATE, and none is needed"),
    pytest.param(Abilities(only=Role.UAS), "hold", "it is uas only", id="a caller's flow"),
    pytest.param(Abilities(only=Role.UAS), "callee-watches", "", id="a callee's flow"),
    pytest.param(Abilities(only=Role.UAS), "proxy-call", "it is uas only", id="a proxy's flow"),
]


@pytest.mark.parametrize(("abilities", "name", "why"), LACKS)
def test_what_a_logic_lacks_for_a_flow(abilities: Abilities, name: str, why: str) -> None:
    assert abilities.lacks(flow_named(name)) == why
