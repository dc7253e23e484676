"""A session timer in Go as they are written in the field: what is wrong with it, simkit sees from outside.

The timer takes the place of the toy in the template; nothing else is changed.
"""

import shutil
from pathlib import Path

import pytest

from simkit.flows.loader import load, load_path
from simkit.flows.model import Flow
from simkit.foreign.starting import copy_template
from simkit.runs.run import Run
from simkit.runs.verdict import Verdict

from .building import built_by_go
from .playing import ROOT, played_by

WITNESS = Path(__file__).parent / "witness" / "session_timer.go"


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The logic of the witness; WITNESS_DEFECT in its environment breaks it."""
    folder = tmp_path_factory.mktemp("witness")
    copy_template("go", str(folder))
    shutil.copy(WITNESS, folder)
    return built_by_go(folder)


def flow(name: str, **values: str) -> Flow:
    (found,) = load_path(str(ROOT / "flows" / f"{name}.yaml"), overrides=values, cases=False)
    return found


REFRESHED = flow("refresh", se="1800", half="900")
TOO_SMALL = flow("interval-too-small", se="90", least="120", half="60")
TWICE_REFRESHED = """\
simkit: 1
network: {latency: 10ms}               # so that the second refresh is due 20 ms after the first session would expire
actors:
  alice: {role: uac, session_timer: {default_expires: 1800, prefer_refresher: uac}}
  bob: {role: uas}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: up.received + 900s
  - bob -> alice: 200 INVITE
    mark: again
  - alice -> bob: ACK
  - alice -> bob: INVITE
    at: again.received + 900s
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice: hang up
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
"""
(LATE_REFRESHED,) = load(TWICE_REFRESHED, "twice-refreshed.yaml")

RESTARTED = "RFC4028-9-13"  # the interval restarts with the most recent 2xx
DEFECTS = [
    pytest.param(
        *("own-refresh", LATE_REFRESHED, "alice", "alice sent BYE at 1800.020 s", RESTARTED),
        id="its own refresh does not restart the expiry",
    ),
    pytest.param(
        *("received-refresh", REFRESHED, "bob", "bob sent BYE at 1768.000 s", RESTARTED),
        id="a refresh of the peer does not restart it",
    ),
    pytest.param(
        *("no-422", TOO_SMALL, "bob", "bob sent 200 INVITE at 0.000 s", None),
        id="422 is never sent",
    ),
]


def play(flow: Flow, actor: str, logic: str, defect: str) -> Run:
    return played_by(flow, {actor: f"env WITNESS_DEFECT={defect} {logic}"})


@pytest.mark.parametrize(("defect", "flow", "actor", "headline", "rule"), DEFECTS)
def test_a_defect_is_seen_from_outside(
    witness: str, defect: str, flow: Flow, actor: str, headline: str, rule: str | None
) -> None:
    run = play(flow, actor, witness, defect)
    assert run.verdict is Verdict.FAIL
    assert run.failures[0].headline.startswith(headline)
    assert run.failures[0].rule == rule


@pytest.mark.parametrize(("defect", "flow", "actor", "headline", "rule"), DEFECTS)
def test_without_its_defect_it_passes(
    witness: str, defect: str, flow: Flow, actor: str, headline: str, rule: str | None
) -> None:
    run = play(flow, actor, witness, "none")
    assert run.passed, run.failures
