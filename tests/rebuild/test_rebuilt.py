"""Recorded calls made into flows: played by our timer logic they pass, unless the recorded stack did something else."""

from dataclasses import replace
from pathlib import Path

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.errors import CaptureError
from simkit.flows.loader import load
from simkit.flows.logic import with_logics
from simkit.rebuild.rebuilt import Rebuilt, rebuild_call
from simkit.runs.simulate import simulate
from simkit.sip.message import Request
from simkit.trace import Trace
from simkit.units import MS

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

ROOT = Path(__file__).parent.parent.parent


def recorded(name: str) -> Trace:
    """Return the first call of a shipped recording."""
    with read_capture(str(ROOT / "captures" / f"{name}.pcap")) as reader:
        return next(captured_calls(reader)).trace


def simulated(**logics: str) -> Trace:
    """Return the messages of a call of seven minutes, with other logic in the seats of some parties."""
    flows = with_logics(load(OPEN, "open"), logics)
    return Trace([*simulate(flows[0]).trace.messages()])


def rebuilt(trace: Trace, speed: int = 1) -> Rebuilt:
    return rebuild_call(trace, name="call", source="here", tolerance_us=100 * MS, speed=speed)


def outcome(trace: Trace, speed: int = 1) -> tuple[str, str | None] | None:
    """Return what first differs when a call is rebuilt and simulated, and the rule at stake; None for nothing."""
    run = simulate(load(rebuilt(trace, speed).text, "call")[0])
    assert run.passed == (not run.failures)
    return (run.failures[0].headline, run.failures[0].rule) if run.failures else None


SAME = """\
ack-lost expiry expiry-intervals.se=90,bye=60,lapse=92 hold-refreshes hour-long peer-dies.se=120,half=60,bye=92
interval-too-small.se=90,least=120,half=60 no-timer-support.callee=false,refreshes=2 run
no-timer-support.caller=false,refreshes=0 refresh-by-callee.se=120,half=60 refresh-lost.se=120,half=60
refresh-rejected.408 refresh-rejected.481 refresh-rejected.488 refresh-rejected.503-with-Retry-After
refresh-update.se=120,half=60 refresh-without-update refresh.se=90,half=45 short-intervals.se=30,half=15
""".split()


@pytest.mark.parametrize("name", SAME)
def test_what_our_machines_said_they_say_again(name: str) -> None:
    assert outcome(recorded(name)) is None


DEVIATIONS = [
    pytest.param({"alice": "museum:M01"}, "alice sent no BYE from 76.000 s to 100.000 s", None, id="a refresher's BYE"),
    pytest.param(
        {"bob": "museum:M02"}, "bob sent no BYE from 76.000 s to 100.000 s", "RFC4028-10-7", id="an early BYE"
    ),
    pytest.param(
        {"alice": "museum:M04"}, "alice sent INVITE again at 120.000 s", "RFC4028-7.2-12", id="a missing refresh"
    ),
]


@pytest.mark.parametrize(("logics", "headline", "rule"), DEVIATIONS)
def test_where_a_stack_did_something_else_the_rule_is_told(logics: dict[str, str], headline: str, rule: str) -> None:
    assert outcome(simulated(**logics)) == (headline, rule)


def test_the_recorded_call_is_judged_under_the_names_of_the_flow() -> None:
    audit = rebuilt(simulated(alice="museum:M01")).audit
    assert (audit.caller, audit.callee, audit.ended_by) == ("alice", "bob", "alice")
    assert any(finding.actor == "alice" for finding in audit.findings)


def test_a_flow_says_who_was_who_and_what_they_asked_for() -> None:
    text = rebuilt(recorded("refresh.se=90,half=45")).text
    (flow,) = load(text, "call")
    assert flow.about.startswith("Rebuilt from here: alice is 127.0.0.1:")
    alice = flow.actors["alice"].session_timer
    assert (alice.default_expires_s, alice.min_se_s, alice.prefer_refresher, alice.use_update) == (90, 90, "uac", False)


def test_a_party_that_fell_silent_crashes_soon_after_its_last_message() -> None:
    lines = rebuilt(recorded("expiry")).text.splitlines()
    assert "  - alice: crash" in lines
    assert lines[lines.index("  - alice: crash") + 1] == "    at: start + 1s"


def test_a_capture_in_twentyfold_time_is_stretched() -> None:
    trace = recorded("refresh.se=120,half=60")
    quick = Trace([replace(each, sent_at=each.sent_at // 20) for each in trace.messages()])
    assert outcome(quick, speed=20) is None


def test_what_no_flow_can_tell_is_counted() -> None:
    trace = recorded("refresh.se=90,half=45")
    first, *others = trace.messages()
    info = replace(first, number=99, message=Request("INFO", "sip:b@b", first.message.headers))
    assert rebuilt(Trace([first, *others])).left_out.total() == 0
    info = replace(info, message=info.message.with_headers(("CSeq", "9 INFO")))
    assert rebuilt(Trace([first, *others, replace(info, sent_at=others[-1].sent_at)])).left_out == {"INFO": 1}


def test_a_call_that_begins_before_the_capture_is_refused() -> None:
    _, *others = recorded("refresh.se=90,half=45").messages()
    with pytest.raises(CaptureError, match="does not show how the call begins"):
        rebuilt(Trace([*others]))


def test_a_call_through_a_proxy_is_refused() -> None:
    first, *others = recorded("refresh.se=90,half=45").messages()
    with pytest.raises(CaptureError, match="more than two parties"):
        rebuilt(Trace([first, replace(others[0], sender="192.0.2.9:5060"), *others]))
