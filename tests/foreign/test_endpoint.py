"""A child that is the whole of a party: it gets messages, sends messages, and its calls are read from them."""

import pytest

from simkit.errors import FlowError
from simkit.flows.loader import load
from simkit.runs.run import Run
from simkit.runs.verdict import Verdict

from .playing import command, played

FLOW = """\
simkit: 1
network: {{latency: 10ms}}
actors:
  alice: {{role: uac, session_timer: {{default_expires: 90, prefer_refresher: uac}}}}
  bob: {{role: uas}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    mark: up
  - alice -> bob: ACK
{lines}
"""
REFRESHED = """\
  - alice -> bob: INVITE
    at: up.received + 45s
  - bob -> alice: 200 INVITE
    mark: again
  - alice -> bob: ACK
"""
HUNG_UP = """\
  - bob: hang up
    at: again + 5s
  - bob -> alice: BYE
  - alice -> bob: 200 BYE
expect: {ended_by: bob, reason: hung-up, outcome: {alice: ended, bob: ended}, refreshes: {alice: 1, bob: 0}}
"""
EXPIRED = """\
  - alice: crash
  - bob -> alice: BYE
    at: again + 60s
    lost: true
expect: {ended_by: bob, reason: session-expired, outcome: {alice: crashed, bob: ended}, at: again + 92s}
"""
RESTARTED = """\
  - bob: crash
  - bob: restart
    at: up + 10s
  - alice: hang up
    at: up + 20s
  - alice -> bob: BYE
  - bob -> alice: 200 BYE
expect: {ended_by: alice, outcome: {alice: ended, bob: crashed}}
"""


def play(lines: str, mode: str = "well", extra: str = "") -> Run:
    (flow,) = load(FLOW.format(lines=lines) + extra, "endpoint.yaml")
    return played(flow, bob=command("endpoint.py", mode))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(REFRESHED + HUNG_UP, id="it hangs up when told to"),
        pytest.param(REFRESHED + EXPIRED, id="it hangs up by its own timer, and is given up after 32 s"),
        pytest.param(RESTARTED, id="it comes back as another process"),
    ],
)
def test_what_becomes_of_its_call_is_read_from_its_messages(lines: str) -> None:
    run = play(lines)
    assert run.passed, run.failures


def test_several_calls_have_a_process_each() -> None:
    run = play(REFRESHED + HUNG_UP, extra="calls: {count: 3, every: 1s}\n")
    assert run.passed, run.failures
    assert len(run.calls) == 3


BROKEN = [
    pytest.param("no-sip", "sent what is no SIP message: ", id="no SIP"),
    pytest.param("no-host", "sent a message to 'alice': \"to\" is host:port", id="nobody's address"),
    pytest.param("no-text", "gave {'send': 5, 'to': '192.0.2.1:5060'} as its actions", id="a number for a message"),
    pytest.param("unknown", "gave {'snd': 'hello'} as its actions", id="an unknown action"),
]


@pytest.mark.parametrize(("mode", "what"), BROKEN)
def test_what_it_does_wrong_is_told_with_what_it_has_logged(mode: str, what: str) -> None:
    run = play("", mode)
    assert run.broken is not None
    assert what in str(run.broken)
    assert run.broken.log == ("its log:", "bob at 192.0.2.2:5060, peer 192.0.2.1:5060")


def test_a_verb_that_it_does_not_know_ends_the_run() -> None:
    run = play("  - bob: hold\n")
    assert run.broken is not None
    assert "reported an error: 'cannot hold', asked for \"command\"" in str(run.broken)


def test_nobody_can_reply_in_its_place() -> None:
    run = play("  - bob: reply 503 to INVITE\n")
    assert run.verdict is Verdict.ERROR
    assert "reply" in run.failures[0].headline


def test_a_child_that_is_the_whole_of_a_party_knows_no_connections() -> None:
    flow = load("transport: tcp\n" + FLOW.format(lines=REFRESHED), "endpoint.yaml")[0]
    with pytest.raises(FlowError, match=r"^endpoint\.yaml:1:1: the logic of bob is the whole of a party"):
        played(flow, bob=command("endpoint.py", "well"))
