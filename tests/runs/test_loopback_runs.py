"""Flows over the loopback: the same verdict as in virtual time, and everything given back."""

import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from simkit.captures.compare import compare_calls
from simkit.drivers import loopback
from simkit.drivers.loopback import LoopbackDriver
from simkit.drivers.sniffer import INTERFACE
from simkit.errors import FlowError, SetupError
from simkit.flows.loader import load_path
from simkit.flows.model import Flow
from simkit.runs.matching import kind_of
from simkit.runs.play import play
from simkit.runs.run import Run, Wire
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict
from simkit.trace import Trace, Transit, What
from simkit.units import MS, S

from ..drivers.capturing import require_capturing
from .playing import HUNG_UP, UP, flow_of

FLOWS = Path(__file__).parents[2] / "flows"
SHIPPED = [flow for path in sorted(FLOWS.rglob("*.yaml")) for flow in load_path(str(path))]
MANY = 20
"""So many calls stand for the thousand of a flow that ships with more than one."""

REFRESH = ("- alice -> bob: INVITE\n  at: up + 45s", "- bob -> alice: 200 INVITE", "- alice -> bob: ACK")


def wire(run: Run) -> Wire:
    assert run.wire is not None
    return run.wire


def ladder(run: Run) -> Counter[tuple[int, str, str, str, bool]]:
    """Return what was sent in each call, whatever the order of those who sent at the same time."""
    return Counter(
        (call, transit.sender, transit.receiver, kind_of(transit.message), transit.lost is None)
        for call, trace in run.traces.items()
        for transit in trace.messages()
    )


# --- as in virtual time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flow", SHIPPED, ids=lambda flow: flow.title)
def test_a_shipped_flow_comes_out_as_in_virtual_time(flow: Flow) -> None:
    calls = MANY if flow.calls.count > 1 else None
    expected, run = simulate(flow, calls=calls), play(flow, calls=calls, sniff=False)
    assert run.verdict is expected.verdict
    assert [failure.source for failure in run.failures] == [failure.source for failure in expected.failures]
    assert ladder(run) == ladder(expected)
    assert [summary.reason for summary in run.calls] == [summary.reason for summary in expected.calls]


@pytest.mark.parametrize("flow", SHIPPED, ids=lambda flow: flow.title)
def test_a_recording_shows_no_difference_from_virtual_time_that_counts(flow: Flow) -> None:
    calls = 3 if flow.calls.count > 1 else None
    simulated, run = simulate(flow, calls=calls), play(flow, calls=calls, sniff=False)
    messages = [transit for trace in simulated.traces.values() for transit in trace.messages()]
    expected = Wire(None, 0, Trace([*messages]), "")
    assert compare_calls(wire(run).calls(), expected.calls(), tolerance_us=100 * MS).equal


def test_what_fails_in_virtual_time_fails_at_the_same_line() -> None:
    flow = flow_of(UP, "- alice -> bob: INVITE\n  at: up + 50s", expect="refreshes: 1")
    expected, run = simulate(flow), play(flow, sniff=False)
    assert run.verdict is expected.verdict is Verdict.FAIL
    assert run.failures[0].source == expected.failures[0].source
    assert run.failures[0].headline.startswith("alice sent INVITE at 45.00")
    assert run.failures[0].rule == expected.failures[0].rule


def test_a_run_says_how_it_was_played() -> None:
    flow = flow_of(UP, HUNG_UP)
    simulated, played, quick = simulate(flow), play(flow, sniff=False), play(flow, speed=50, sniff=False)
    assert (simulated.driver, simulated.wire) == ("virtual", None)
    assert (played.driver, wire(played).speed, wire(played).pace) == ("loopback", None, "real time, idle time skipped")
    assert (wire(quick).speed, wire(quick).pace) == (50, "50 times real time")


def test_calls_share_the_sockets_of_their_parties() -> None:
    run = play(flow_of(UP, HUNG_UP), calls=50, sniff=False)
    assert run.passed
    assert len(run.traces) == len(run.calls) == 50
    assert {host for host, _ in run.addresses.values()} == {"127.0.0.1"}


def test_timers_are_traced_where_asked_for() -> None:
    flow = flow_of(UP, HUNG_UP)
    assert list(play(flow, timers=True, sniff=False).trace.timers())
    assert not list(play(flow, sniff=False).trace.timers())


def test_parties_call_each_other_at_the_addresses_of_their_sockets() -> None:
    run = play(flow_of(UP, HUNG_UP), sniff=False)
    host, port = run.addresses["bob"]
    invite = next(run.trace.messages())
    assert invite.message.start_line == f"INVITE sip:bob@{host}:{port} SIP/2.0"


# --- time ------------------------------------------------------------------------------------------------------------

TOLERANCES = [
    pytest.param(100 * MS, Verdict.PASS, id="within the tolerance"),
    pytest.param(1 * MS, Verdict.FAIL, id="beyond it"),
]


@pytest.mark.parametrize(("tolerance_us", "verdict"), TOLERANCES)
def test_what_is_a_little_early_is_judged_by_the_tolerance(tolerance_us: int, verdict: Verdict) -> None:
    early = flow_of(UP, "- alice -> bob: INVITE\n  at: up + 45s + 50ms", *REFRESH[1:], HUNG_UP)
    run = play(early, tolerance_us=tolerance_us, sniff=False)
    assert run.verdict is verdict
    assert wire(run).tolerance_us == tolerance_us


def test_the_tolerance_is_real_time_however_fast_the_clocks_run() -> None:
    assert wire(play(flow_of(UP, HUNG_UP), speed=50, sniff=False)).tolerance_us == 5000 * MS


def test_a_stimulus_waits_for_its_time_and_takes_no_advantage_of_the_tolerance() -> None:
    run = play(flow_of(UP, "- alice: hang up\n  at: up + 10s", *HUNG_UP.strip().split("\n    ")[1:]), sniff=False)
    stimulus = [each for each in run.trace.happenings() if each.what is What.STIMULUS][-1]
    up = next(transit for transit in run.trace.messages() if kind_of(transit.message) == "200 INVITE")
    assert stimulus.at >= up.sent_at + 10_000 * MS


CROSSING = """
    - bob: options
      at: up + 10s - 30ms
    - alice: options
      at: up + 10s
    - alice -> bob: OPTIONS
    - bob -> alice: OPTIONS
    - alice -> bob: 200 OPTIONS
    - bob -> alice: 200 OPTIONS
"""
"""Bob's request comes before alice's, which the flow has first; neither has heard the other's."""


def test_messages_that_cross_within_the_tolerance_have_no_order() -> None:
    flow = flow_of(UP, CROSSING, HUNG_UP, top="network: {latency: 60ms}")
    assert simulate(flow).verdict is Verdict.FAIL
    assert play(flow, sniff=False).passed
    assert play(flow, tolerance_us=MS, sniff=False).verdict is Verdict.FAIL


def test_a_call_that_is_over_is_not_waited_for() -> None:
    """Timers J and K of the BYE would take 32 s of real time."""
    run = play(flow_of(UP, HUNG_UP), speed=1, timers=True, sniff=False)
    assert run.passed
    assert run.wall_us < run.virtual_us + 32_000 * MS


# --- the way out -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def everything_is_closed() -> Iterator[None]:
    """Every test leaves as many files open as it found."""
    before = len(os.listdir("/dev/fd"))
    yield
    assert len(os.listdir("/dev/fd")) == before


def test_sockets_are_closed_after_a_failure() -> None:
    assert play(flow_of(UP, "- alice -> bob: BYE\n  at: up + 1s")).verdict is Verdict.FAIL


def test_an_interrupted_run_is_returned_as_far_as_it_came() -> None:
    def interrupt(over: int, of: int) -> None:
        if over == 1:
            raise KeyboardInterrupt

    run = play(flow_of(UP, HUNG_UP), calls=3, progress=interrupt)
    assert run.interrupted
    assert run.verdict is Verdict.ERROR
    assert list(wire(run).recording.messages())


def test_an_error_of_ours_closes_the_sockets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(LoopbackDriver, "run", fail)
    with pytest.raises(ZeroDivisionError):
        play(flow_of(UP, HUNG_UP))


def test_progress_is_told_call_by_call() -> None:
    told: list[tuple[int, int]] = []
    play(flow_of(UP, HUNG_UP), calls=3, sniff=False, progress=lambda over, of: told.append((over, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# --- what does not begin ---------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_and_no_socket_stays_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"bob cannot have 127.0.0.1:{taken}") as error:
            play(flow_of(UP, HUNG_UP), ports={"bob": taken})
    assert error.value.exit_code == 3


def test_another_host_is_not_spoken_to_unless_allowed() -> None:
    with pytest.raises(SetupError, match="is not this machine"):
        play(flow_of(UP, HUNG_UP), host="192.0.2.1")


def test_what_cannot_be_simulated_cannot_be_played() -> None:
    with pytest.raises(FlowError, match="log"):
        play(flow_of(UP, HUNG_UP, expect="log: [hello]"))


def test_a_command_in_the_seat_of_a_party_is_refused_for_it_runs_in_virtual_time() -> None:
    actors = "alice: {role: uac, logic: [./timer]}\nbob: {role: uas}"
    with pytest.raises(FlowError, match="a command runs in virtual time only"):
        play(flow_of(UP, HUNG_UP, actors=actors))


# --- what went over the wire -----------------------------------------------------------------------------------------


def numbers(transits: Iterator[Transit]) -> list[int]:
    return sorted(transit.number for transit in transits)


def test_the_sockets_record_every_message_where_nobody_else_does() -> None:
    run = play(flow_of(UP, *REFRESH, HUNG_UP), sniff=False)
    assert wire(run).recorded_by == "the sockets"
    assert list(wire(run).recording.messages()) == list(run.trace.messages())


def test_the_sniffer_records_every_message_once_lost_ones_and_repeated_ones_too() -> None:
    require_capturing()
    drop = '- net: {drop: "alice -> bob: INVITE"}'
    refresh = "- alice -> bob: INVITE\n  at: up + 45s\n  lost: true\n  retransmits: 1"
    run = play(flow_of(UP, drop, refresh, *REFRESH[1:], HUNG_UP))
    assert run.passed
    assert (wire(run).recorded_by, wire(run).note) == (f"scapy's sniffer on {INTERFACE}", "")
    assert numbers(wire(run).recording.messages()) == numbers(run.trace.messages())


def test_other_programs_on_the_loopback_disturb_nobody() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

        def disturb(over: int, of: int) -> None:
            stranger.sendto(b"noise", ("127.0.0.1", port))

        run = play(flow_of(UP, *REFRESH, HUNG_UP), calls=3, ports={"bob": port}, progress=disturb)
    assert run.passed
    assert wire(run).strays == 3
    assert wire(run).note == ""


def test_somebody_who_watches_is_told_the_time_though_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "TICK_S", 0.001)
    told: list[int] = []
    lines = "- alice: hang up\n  at: up + 60s\n- alice -> bob: BYE\n- bob -> alice: 200 BYE"
    play(flow_of(UP, lines), speed=60, ticked=told.append)
    assert told == sorted(told)
    assert [at for at in told if S < at < 59 * S]
