"""Where a recorded stack did something else than our timer logic: which party, what, when, and by which rule."""

from pathlib import Path

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.flows.loader import load, load_path
from simkit.flows.logic import with_logics
from simkit.rebuild.deviations import Deviation, Settled, settle
from simkit.reports.labels import label
from simkit.runs.simulate import simulate
from simkit.trace import Trace, Transit
from simkit.units import MS

ROOT = Path(__file__).parent.parent.parent

OPEN = """\
simkit: 1
name: open
actors:
  alice: {role: uac, session_timer: {default_expires: 120, prefer_refresher: uac}}
  bob: {role: uas}
allow: [INVITE, 422 INVITE, 200 INVITE, ACK, UPDATE, 200 UPDATE, BYE, 200 BYE, 481 INVITE, 481 UPDATE, 481 BYE]
flow:
  - alice: call bob
  - bob: ignore OPTIONS
    at: start + 7m
  - alice: hang up
"""

LATE = """\
simkit: 1
name: late
actors: {alice: {role: scripted}, bob: {role: scripted}}
flow:
  - alice -> bob: INVITE
    with: {Supported: timer, Session-Expires: 120;refresher=uac}
  - bob -> alice: 200 INVITE
    with: {Supported: timer, Require: timer, Session-Expires: 120;refresher=uac}
  - alice -> bob: ACK
  - bob -> alice: BYE
    at: start + 108s
  - alice -> bob: 200 BYE
"""
"""Nobody refreshes, and the BYE comes 12 s before the session expires, not 32 s."""


def settled(trace: Trace) -> Settled:
    return settle(trace, name="call", source="here", tolerance_us=100 * MS)


def recorded(name: str) -> Settled:
    with read_capture(str(ROOT / "captures" / f"{name}.pcap")) as reader:
        return settled(next(captured_calls(reader)).trace)


def simulated(text: str, **logics: str) -> Settled:
    flow = with_logics(load(text, "open"), logics)[0]
    return settled(Trace([*simulate(flow).trace.messages()]))


def said(transit: Transit | None) -> str | None:
    return label(transit.message) if transit else None


def what(deviation: Deviation) -> tuple[str, str | None, str | None, str | None]:
    """Return who, what it did, what ours does, and the rule it broke."""
    rule = deviation.findings[0].rule if deviation.is_fault else None
    return deviation.actor, said(deviation.recorded), said(deviation.ours), rule


SHIPPED = [
    pytest.param(
        "interval-changed.se=120,half=60",
        [("bob", "INVITE  120;refresher=uas", "INVITE  1800;refresher=uas", None)],
        id="an interval that changes in mid-call",
    ),
    pytest.param(
        "timer-switched-off",
        [("bob", "INVITE", "INVITE  1800;refresher=uas", None)],
        id="a timer that is switched off in mid-call",
    ),
    pytest.param(
        "suspend.se=1800,half=900,nap=300",
        [("alice", "INVITE  1800;refresher=uac", "INVITE  1800;refresher=uac", "RFC4028-7.2-12")],
        id="a refresh that comes late, and nobody knows why",
    ),
    pytest.param("too-small-twice", [("bob", "422 INVITE  Min-SE 600", None, None)], id="two minimums"),
    pytest.param(
        "wrong-refresher.se=120,bye=88",
        [("alice", "200 BYE", "INVITE  120;refresher=uac", "RFC4028-7.2-11")],
        id="a refresher that does not refresh",
    ),
    pytest.param("glare", [], id="glare, and its retry"),
    pytest.param("suspend-too-long", [], id="a host that was suspended, as its silence shows"),
    pytest.param("hold-refreshes", [], id="several refreshers"),
]


@pytest.mark.parametrize(("name", "expected"), SHIPPED)
def test_the_rest_of_the_call_is_played_whatever_somebody_did(
    name: str, expected: list[tuple[str, str | None, str | None, str | None]]
) -> None:
    found = recorded(name)
    assert [what(each) for each in found.deviations] == expected
    assert found.told == tuple(each[0] for each in expected)
    assert found.unsettled is None
    assert simulate(found.flow).passed


DEFECTS = [
    pytest.param({"alice": "museum:M01"}, "alice", "BYE", None, id="a refresher's BYE"),
    pytest.param({"bob": "museum:M02"}, "bob", "BYE", None, id="an early BYE"),
    pytest.param({"alice": "museum:M04"}, "alice", "200 BYE", "INVITE  120;refresher=uac", id="a missing refresh"),
]


@pytest.mark.parametrize(("logics", "actor", "did", "ours"), DEFECTS)
def test_a_defect_is_its_owners_and_has_its_rule(
    logics: dict[str, str], actor: str, did: str, ours: str | None
) -> None:
    deviation = simulated(OPEN, **logics).deviations[0]
    assert (deviation.actor, said(deviation.recorded), said(deviation.ours)) == (actor, did, ours)
    assert deviation.is_fault


def test_both_sides_are_judged_each_against_what_the_other_said() -> None:
    found = simulated(LATE)
    assert [what(each) for each in found.deviations] == [
        ("alice", "200 BYE", "INVITE  120;refresher=uac", "RFC4028-7.2-11"),
        ("bob", "BYE", "BYE", None),
    ]
    assert found.unsettled is None


def test_a_choice_that_the_rules_leave_open_is_no_fault_and_ours_goes_by_a_rule() -> None:
    quiet = """\
simkit: 1
name: quiet
actors: {alice: {role: scripted}, bob: {role: uas, session_timer: {enabled: false}}}
flow:
  - alice -> bob: INVITE
    with: {Supported: timer, Session-Expires: 120;refresher=uac}
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - alice -> bob: BYE
    at: start + 70s
  - bob -> alice: 200 BYE
"""
    (deviation,) = simulated(quiet).deviations
    assert what(deviation) == ("alice", "BYE", "INVITE  120;refresher=uac", None)
    assert deviation.rule == "RFC4028-7.2-12"


def test_times_are_those_of_the_capture() -> None:
    with read_capture(str(ROOT / "captures" / "wrong-refresher.se=120,bye=88.pcap")) as reader:
        trace = next(captured_calls(reader)).trace
    for each in trace.messages():
        each.sent_at += 1_000 * MS
    (deviation,) = settled(trace).deviations
    assert deviation.ours is not None
    assert (deviation.at, deviation.ours.sent_at) == (61_000 * MS, 61_000 * MS)


def test_what_our_machines_cannot_do_is_said() -> None:
    flow = load_path(str(ROOT / "flows/rfc4028/update-early.yaml"))[0]
    found = settled(Trace([*simulate(flow).trace.messages()]))
    (deviation,) = found.deviations
    assert (deviation.actor, deviation.refused) == ("alice", "alice cannot refresh at 2.000 s: the call is early")
    assert found.unsettled is None


CUT = [
    "refresh.se=90,half=45",
    "refresh-by-callee.se=120,half=60",
    "interval-too-small.se=90,least=120,half=60",
    "expiry",
]


@pytest.mark.parametrize("name", CUT)
def test_a_capture_that_ends_in_the_middle_blames_nobody(name: str) -> None:
    with read_capture(str(ROOT / "captures" / f"{name}.pcap")) as reader:
        messages = [*next(captured_calls(reader)).trace.messages()]
    for count in range(1, len(messages)):
        found = settled(Trace([*messages[:count]]))
        assert (found.deviations, found.unsettled) == ((), None), f"{count} of {len(messages)} messages"
        assert simulate(found.flow).passed
