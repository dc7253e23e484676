"""Many calls against a real system: bounded, added up, and judged as they end."""

import pytest

from simkit.conformance.audits import Audits, allowances
from simkit.conformance.violations import judge_violations
from simkit.errors import FlowError, Source
from simkit.flows.model import System
from simkit.flows.systems import with_system
from simkit.runs import playable
from simkit.runs.load import CAUSES_MAX, Load
from simkit.runs.play import play
from simkit.runs.verdict import Failure
from simkit.sip.message import Request
from simkit.trace import Trace

from .playing import HUNG_UP, UP, flow_of
from .stack import Stack, stack, takes_calls

SPEED = 20
CALLS = "calls: {count: 8, every: 100ms, at_once: 3}"


def failure(headline: str, line: int = 3) -> Failure:
    return Failure(Source("x.yaml", line), headline)


def test_calls_are_added_up() -> None:
    with stack() as bob:
        flow = with_system(flow_of(UP, HUNG_UP, top=CALLS), "bob", bob.address, System())
        run = play(flow, speed=SPEED, sniff=False)
    assert run.passed, run.failures
    assert run.load is not None
    assert (run.load.calls, len(run.load.set_up_us), run.load.failed) == (8, 8, 0)
    assert run.load.rate_ppm is not None
    assert sum(message.method == "BYE" for message in dict.fromkeys(bob.heard)) == 8


def test_no_more_are_under_way_at_once_than_the_flow_says() -> None:
    live: set[str] = set()
    most = 0

    def counts(bob: Stack, request: Request) -> None:
        nonlocal most
        live.add(request.call_id)
        most = max(most, len(live))
        if request.method == "BYE":
            live.discard(request.call_id)
        takes_calls(bob, request)

    with stack(counts) as bob:
        held = HUNG_UP.replace("- alice: hang up", "- alice: hang up\n      at: up + 2s")
        flow = with_system(flow_of(UP, held, top=CALLS), "bob", bob.address, System())
        assert play(flow, speed=SPEED, sniff=False).passed
    assert most == 3


def test_why_calls_failed_is_told_once_for_each_cause() -> None:
    def refuses_some(bob: Stack, request: Request) -> None:
        calls = [message for message in dict.fromkeys(bob.heard) if message.method == "INVITE"]
        if request.method == "INVITE" and len(calls) % 2 == 0:
            bob.answer(request, 503)
        else:
            takes_calls(bob, request)

    with stack(refuses_some) as bob:
        flow = with_system(flow_of(UP, HUNG_UP, top=CALLS), "bob", bob.address, System())
        run = play(flow, speed=SPEED, sniff=False)
    assert run.load is not None
    assert sorted(run.load.causes.values()) == [4]
    ((_, what),) = run.load.causes
    assert what == "bob sent 503 INVITE instead of 200 INVITE"


def test_every_call_is_judged_though_few_are_kept() -> None:
    def says_too_much(bob: Stack, request: Request) -> None:
        if request.method != "ACK":
            bob.answer(request, 200, ("Min-SE", "90"))

    with stack(says_too_much) as bob:
        flow = with_system(flow_of(UP, HUNG_UP, top=CALLS), "bob", bob.address, System())
        audits = Audits(allowances(flow, 2_000_000))
        run = play(flow, speed=SPEED, sniff=False, each=audits.add)
    judge_violations(run, audits)
    assert {call for call, finding in audits.found if finding.rule == "RFC4028-5-4"} == set(range(8))
    assert [failure.rule for failure in run.failures] == ["RFC4028-5-4"], "once is enough of a crowd"


def test_a_flow_that_does_not_say_how_far_apart_calls_begin_gets_a_rate_and_a_bound() -> None:
    flow = with_system(flow_of(UP, HUNG_UP, top="calls: 500"), "bob", ("127.0.0.1", 9), System())
    calls = playable.limited(flow, SPEED).calls
    assert (calls.every_us, calls.at_once) == (playable.EVERY_US * SPEED, playable.AT_ONCE)


def test_more_calls_than_there_is_room_for_are_refused() -> None:
    flow = with_system(flow_of(UP, HUNG_UP, top="calls: 10001"), "bob", ("127.0.0.1", 9), System())
    with pytest.raises(FlowError, match="at most 10,000 calls are played against a real system, not 10,001"):
        play(flow)


def test_a_process_that_all_calls_share_is_not_struck() -> None:
    flow = flow_of(UP, "- bob: crash", top="calls: 2")
    with pytest.raises(FlowError, match="all 2 calls share 'bob': only in a single one can it crash"):
        play(with_system(flow, "bob", ("127.0.0.1", 9), System(start=("run",))))


CAUSES = [
    pytest.param(
        "200 INVITE from bob never came; nothing more will happen after 32.000 s",
        "200 INVITE from bob never came",
        id="when it ended",
    ),
    pytest.param("bob sent BYE at 88.000 s, before this was due", "bob sent BYE, before this was due", id="when"),
    pytest.param("alice sent INVITE at 45.2 s, 0.098375 s too late", "alice sent INVITE", id="how late"),
    pytest.param("bob sent no BYE from 55.000 s to 65.000 s", "bob sent no BYE", id="a window"),
]


@pytest.mark.parametrize(("headline", "cause"), CAUSES)
def test_a_cause_is_the_same_whenever_it_happens(headline: str, cause: str) -> None:
    load = Load()
    load.add(Trace(), failure(headline))
    assert dict(load.causes) == {(3, cause): 1}


def test_of_causes_without_number_some_are_told() -> None:
    load = Load()
    for number in range(CAUSES_MAX + 5):
        load.add(Trace(), failure("it failed", line=number + 1))
    assert len(load.causes) == CAUSES_MAX + 1
    assert load.causes[0, "anything else"] == 5
    assert load.rate_ppm is None
