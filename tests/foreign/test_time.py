"""Time stands still while a child works, and each child is where the others are when they meet."""

from pathlib import Path

import pytest

from simkit.errors import FlowError
from simkit.flows.loader import load
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.units import MS, S

from .playing import command, played, played_by, refreshed

LATENCY = "network: {latency: 10ms}"


def said(run: Run) -> list[tuple[int, str, str]]:
    """Return each message: when it was sent, by whom, and its first line."""
    return [(transit.sent_at, transit.sender, transit.message.start_line) for transit in run.trace.messages()]


SEATS = [
    pytest.param({"alice": command("timer.py", "well")}, id="a child that knows when it acts next"),
    pytest.param({"alice": command("blind.py")}, id="one that does not"),
    pytest.param({"bob": command("blind.py")}, id="one that does not, as the callee"),
    pytest.param({"alice": command("timer.py", "well"), "bob": command("blind.py")}, id="one of each"),
    pytest.param({"alice": command("blind.py"), "bob": command("blind.py")}, id="two that do not"),
]


@pytest.mark.parametrize("logics", SEATS)
def test_a_run_with_children_is_to_the_microsecond_the_run_without(logics: dict[str, str]) -> None:
    flow = refreshed(LATENCY)
    run = played_by(flow, logics)
    assert run.passed, run.failures
    assert said(run) == said(simulate(flow))


def test_a_blind_child_is_brought_to_each_event_of_the_others(tmp_path: Path) -> None:
    """Never past it, and not before there is a call."""
    times = tmp_path / "times"
    assert played(refreshed(LATENCY), alice=command("blind.py", str(times))).passed
    asked = [tuple(map(int, line.split())) for line in times.read_text().splitlines()]
    assert all(until - now <= 60 * S for now, until in asked)
    assert [until for _, until in asked if until <= 100 * MS][:2] == [10 * MS, 20 * MS], "INVITE and 200 arrive"


def test_two_blind_children_advance_in_steps_of_the_shortest_way(tmp_path: Path) -> None:
    times = tmp_path / "times"
    flow = refreshed('network: {latency: 50ms, "bob -> alice": {latency: 20ms}}')
    assert played(flow, alice=command("blind.py", str(times)), bob=command("blind.py")).passed
    steps = {until - now for now, until in (map(int, line.split()) for line in times.read_text().splitlines())}
    assert max(steps - {50 * MS}) <= 20 * MS, "the first 50 ms alone, while there is only one dialog"


def test_two_blind_children_without_a_way_between_them_are_refused() -> None:
    with pytest.raises(FlowError, match="the logics of alice and bob both cannot know when they act next") as raised:
        played(refreshed(), alice=command("blind.py"), bob=command("blind.py"))
    assert "give every link a latency, such as network: {latency: 10ms}" in str(raised.value)


FROZEN = """\
simkit: 1
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uac}, clock: {drift: 1000ppm, skew: 3s}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice: freeze
    at: up + 10s
  - alice: thaw
    at: up + 20s
  - alice -> bob: INVITE
    at: up + 54s..56s
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: crash
    at: up + 57s
  - alice: restart
    at: up + 58s
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 486 INVITE
  - alice -> bob: ACK
  - bob: hang up
  - bob -> alice: BYE
  - alice -> bob: 481 BYE
"""


@pytest.mark.parametrize("script", ["timer.py", "blind.py"])
def test_a_childs_clock_is_its_partys(script: str) -> None:
    """It drifts, stands still with its host, and dies with it; another process takes the place of the one that died."""
    (flow,) = load(FROZEN, "frozen.yaml")
    run = played(flow, alice=command(script, *["well"][: script == "timer.py"]))
    assert run.passed, run.failures
    assert said(run) == said(simulate(flow))


@pytest.mark.parametrize("script", ["timer.py", "blind.py"])
def test_one_child_serves_one_call_after_the_other(script: str, tmp_path: Path) -> None:
    flow = refreshed("calls: {count: 5, every: 1s}")
    run = played(flow, alice=command(script, *["well"][: script == "timer.py"]))
    assert run.passed, run.failures
    assert [call.refreshes for call in run.calls] == [1] * 5
    assert {call.ended_us for call in run.calls} == {(60 + number) * S for number in range(5)}
