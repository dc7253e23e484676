"""Flows played against a real system: what it says is observed, matched with the lines, and answered."""

import socket
from time import sleep

import pytest

from simkit.drivers.loopback import LoopbackDriver
from simkit.errors import FlowError, SetupError
from simkit.flows.model import Flow, System
from simkit.flows.systems import counterpart, with_system
from simkit.runs import systems
from simkit.runs.play import play
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict
from simkit.sip.message import Request
from simkit.units import S

from .playing import CALL, HUNG_UP, SCRIPTED, UP, flow_of
from .stack import Stack, responses, stack, takes_calls

SPEED = 60
REFRESHED = """
    - repeat: 2
      every: 45s
      since: up
      flow:
        - alice -> bob: INVITE
        - bob -> alice: 200 INVITE
        - alice -> bob: ACK
"""


WITHOUT_TIMER = """
    alice: {role: uac, session_timer: {enabled: false}}
    bob: {role: uas}
"""


def against(
    running: Stack, *lines: str, speed: int = SPEED, actors: str = CALL, expect: str = "", top: str = ""
) -> Run:
    """Play a flow with this stack in the place of bob."""
    flow = with_system(flow_of(*lines, actors=actors, expect=expect, top=top), "bob", running.address, System())
    return play(flow, speed=speed, sniff=False)


def once(running: Stack) -> list[str]:
    """Return the methods that it heard, those of retransmissions once: a busy machine may be too slow for x60."""
    return [message.method for message in dict.fromkeys(running.heard)]


def told(run: Run) -> str:
    assert run.failures, "nothing failed"
    return run.failures[0].headline


def test_a_system_takes_the_place_of_a_party() -> None:
    with stack() as bob:
        run = against(bob, UP, REFRESHED, HUNG_UP, expect="{ended_by: alice, refreshes: {alice: 2}}")
    assert run.passed, run.failures
    assert once(bob) == ["INVITE", "ACK"] * 3 + ["BYE"]


def test_it_may_ring_without_a_line_for_that() -> None:
    def rings(bob: Stack, request: Request) -> None:
        if request.method == "INVITE":
            bob.answer(request, 100)
            bob.answer(request, 183)
        takes_calls(bob, request)

    with stack(rings) as bob:
        run = against(bob, UP, HUNG_UP)
    assert run.passed, run.failures


def picks_up_late(bob: Stack, request: Request) -> None:
    """Answer an INVITE after more than a glance."""
    if request.method == "INVITE":
        bob.answer(request, 180)
        sleep(2.5 * systems.GLANCE_US / S)
    takes_calls(bob, request)


def answers_late(bob: Stack, request: Request) -> None:
    """Do likewise, without a word before."""
    if request.method == "OPTIONS":
        sleep(2.5 * systems.GLANCE_US / S)
    takes_calls(bob, request)


def test_a_call_that_rings_is_waited_for() -> None:
    """Once it rings no timer of the caller runs (RFC 3261 section 17.1.1.2)."""
    with stack(picks_up_late) as bob:
        run = against(bob, UP, HUNG_UP, speed=8)
    assert run.passed, run.failures


def test_an_answer_to_a_scripted_party_is_waited_for_though_it_has_no_timers() -> None:
    lines = "- alice -> bob: OPTIONS", "- bob -> alice: 200 OPTIONS"
    with stack(answers_late) as bob:
        run = against(bob, *lines, actors=SCRIPTED, speed=8, top="timers: {t1: 250ms}")
    assert run.passed, run.failures


def test_what_no_line_waits_for_fails_the_call_which_is_then_hung_up() -> None:
    def refuses(bob: Stack, request: Request) -> None:
        if request.method == "INVITE" and request.to_tag:
            bob.answer(request, 488)
        else:
            takes_calls(bob, request)

    with stack(refuses) as bob:
        run = against(bob, UP, "- alice: hold", "- alice -> bob: INVITE", "- bob -> alice: 200 INVITE")
        assert told(run).startswith("bob sent 488 INVITE")
    assert once(bob)[-2:] == ["ACK", "BYE"]


def test_what_it_says_again_counts_once_though_it_is_not_the_same_to_the_byte() -> None:
    def stutters(bob: Stack, request: Request) -> None:
        takes_calls(bob, request)
        if request.method == "BYE":
            bob.answer(request, 200, ("User-Agent", "stutters"))

    with stack(stutters) as bob:
        run = against(bob, UP, HUNG_UP)
    assert run.passed, run.failures


def test_what_it_asks_beside_its_calls_is_answered_and_no_part_of_them() -> None:
    def asks(bob: Stack, request: Request) -> None:
        if request.method == "INVITE":
            for number, method in enumerate(("OPTIONS", "REGISTER", "SUBSCRIBE", "INFO")):
                via = f"SIP/2.0/UDP 127.0.0.1:{bob.address[1]};branch=z9hG4bK{method}"
                head = f"{method} sip:alice@127.0.0.1 SIP/2.0\r\nVia: {via}\r\nFrom: <{bob.uri}>;tag=b{number}\r\n"
                bob.send(f"{head}To: <sip:a@127.0.0.1>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n\r\n".encode())
            bob.send(b"\r\n\r\n")
        takes_calls(bob, request)

    with stack(asks) as bob:
        run = against(bob, UP, HUNG_UP)
        assert responses(bob.heard) == [200, 200, 489, 405]
    assert run.passed, run.failures
    assert run.wire is not None
    assert run.wire.heard is not None
    assert run.wire.heard.beside == {"OPTIONS": 1, "REGISTER": 1, "SUBSCRIBE": 1, "INFO": 1}


def test_what_cannot_be_read_is_told() -> None:
    with stack(lambda bob, request: bob.send(b"SIP/2.0 200 OK\r\nnonsense\r\n\r\n")) as bob:
        run = against(bob, UP, HUNG_UP)
    assert run.verdict is Verdict.FAIL
    assert run.wire is not None
    assert run.wire.heard is not None
    assert run.wire.heard.unreadable > 0
    assert "no colon" in run.wire.heard.reasons[0] or "header" in run.wire.heard.reasons[0]


def test_a_contact_that_is_out_of_reach_is_reached_where_the_system_is() -> None:
    def travels(bob: Stack, request: Request) -> None:
        if request.method == "INVITE":
            bob.answer(request, 200, contact="sip:bob@stack.example")
        else:
            takes_calls(bob, request)

    with stack(travels) as bob:
        run = against(bob, UP, HUNG_UP)
    assert run.passed, run.failures
    assert run.wire is not None
    assert run.wire.heard is not None
    assert run.wire.heard.redirected == {"stack.example:5060": f"127.0.0.1:{bob.address[1]}"}


def test_a_system_that_says_nothing_is_told_of_before_the_call_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "SILENCE_REAL_US", 0)
    with stack(lambda bob, request: None) as bob:
        run = against(bob, UP, HUNG_UP, speed=10)
    assert run.broken is not None
    assert "says nothing" in str(run.broken)
    assert run.failures[0].at < 32 * S


def test_nobody_at_the_address_is_told_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        address = held.getsockname()
    flow = with_system(flow_of(UP, HUNG_UP), "bob", address, System())
    with pytest.raises(SetupError, match=f"nobody is at 127.0.0.1:{address[1]}, where bob should be"):
        play(flow)


def test_a_line_without_a_time_is_waited_for_as_long_as_a_transaction_takes() -> None:
    with stack() as bob:
        run = against(bob, UP, "- bob -> alice: BYE", top="timers: {t1: 100ms}", actors=WITHOUT_TIMER)
    assert told(run).startswith("BYE from bob never came; nothing came in the 6s400ms after ")


def test_a_call_that_is_refreshed_for_ever_ends_at_the_limit() -> None:
    with stack() as bob:
        run = against(bob, UP, "- bob -> alice: BYE", top="limit: 60s\nallow: [INVITE, 200 INVITE, ACK]")
    assert told(run).startswith("BYE from bob never came; the run ended at its limit of 60.000 s")


def test_the_network_of_the_flow_is_between_the_system_and_us() -> None:
    with stack() as bob:
        run = against(
            bob,
            "- net: {drop: 'alice -> bob: INVITE'}",
            "- net: {drop: 'bob -> alice: 200 INVITE'}",
            "- alice: call bob",
            "- alice -> bob: INVITE",
            "- bob -> alice: 200 INVITE\n  mark: up\n  lost: true",
        )
    assert run.passed, run.failures
    first = next(run.trace.messages())
    assert first.lost == "dropped by order of the flow"
    assert {message.method for message in bob.heard} == {"INVITE"}


# --- what cannot be done ---------------------------------------------------------------------------------------------


def with_bob(flow: Flow) -> Flow:
    return with_system(flow, "bob", ("127.0.0.1", 5060), System())


def test_nobody_simulates_a_real_system() -> None:
    with pytest.raises(FlowError, match="'bob' is a real system, and cannot be simulated: use `simkit replay`"):
        simulate(with_bob(flow_of(UP, HUNG_UP)))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("- bob: hang up", "nobody can make it hang up"),
        ("- bob: reply 503 to INVITE", "nobody can make it reply"),
    ],
    ids=["hang up", "reply"],
)
def test_a_line_that_cannot_be_carried_over_is_refused(line: str, why: str) -> None:
    with pytest.raises(FlowError, match=why):
        with_bob(flow_of(UP, line))


def test_a_system_that_runs_already_cannot_be_crashed() -> None:
    with pytest.raises(FlowError, match="only one that simkit starts can crash"):
        play(with_bob(flow_of(UP, "- bob: crash")))


def test_the_counterpart_of_our_side_is_found_by_its_role_or_by_the_first_invite() -> None:
    scripted = "\nalice: {role: scripted}\nbob: {role: scripted}\n"
    assert counterpart(flow_of(UP, HUNG_UP), "uac") == "bob"
    assert counterpart(flow_of(UP, HUNG_UP), "uas") == "alice"
    assert counterpart(flow_of("- alice -> bob: INVITE", actors=scripted), "uac") == "bob"


def test_no_socket_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    drivers: list[LoopbackDriver] = []
    usual = LoopbackDriver.__init__

    def noted(self: LoopbackDriver, *args: object, **named: object) -> None:
        drivers.append(self)
        usual(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(LoopbackDriver, "__init__", noted)
    with stack() as bob:
        against(bob, UP, HUNG_UP)
    assert [endpoint.fileno() for endpoint in drivers[0]._endpoints] == [-1]
