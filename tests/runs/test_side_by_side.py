"""Several flows over the loopback at the same time: each from its time on, each judged by itself."""

import pytest

from simkit.flows.loader import load
from simkit.flows.model import Flow
from simkit.runs.run import Run
from simkit.runs.side_by_side import Begun, play_side_by_side
from simkit.runs.verdict import Verdict
from simkit.units import MS, S

CALL = """\
simkit: 1
name: {name}
actors: {{alice: {{role: uac}}, {callee}: {{role: uas}}}}
flow:
  - alice: call {callee}
  - alice -> {callee}: INVITE
  - {callee} -> alice: 200 INVITE
  - alice -> {callee}: ACK
  - alice: hang up
    at: start + {length}
  - alice -> {callee}: BYE
    at: start + {bye}
  - {callee} -> alice: 200 BYE
"""


def call(name: str, *, callee: str = "bob", length: str = "60s", bye: str | None = None) -> Flow:
    return load(CALL.format(name=name, callee=callee, length=length, bye=bye or length), name)[0]


def sent(run: Run) -> list[tuple[int, str]]:
    """Return what went over the wire, and in which second."""
    assert run.wire is not None
    return [(each.sent_at // S, each.message.start_line.split()[0]) for each in run.wire.recording.messages()]


def test_each_flow_begins_at_its_time_and_sees_its_own_messages_alone() -> None:
    first, second = play_side_by_side([Begun(call("long"), 0), Begun(call("short", length="10s"), 30 * S)], sniff=False)
    assert (first.verdict, second.verdict) == (Verdict.PASS, Verdict.PASS), (first.failures, second.failures)
    assert sent(first) == [(0, "INVITE"), (0, "SIP/2.0"), (0, "ACK"), (60, "BYE"), (60, "SIP/2.0")]
    assert sent(second) == [(30, "INVITE"), (30, "SIP/2.0"), (30, "ACK"), (40, "BYE"), (40, "SIP/2.0")]
    assert first.addresses == second.addresses
    assert (first.seed, second.seed) == (1, 2)


def test_one_may_fail_and_the_others_go_on() -> None:
    wrong, right = play_side_by_side([Begun(call("wrong", bye="50s"), 0), Begun(call("right"), 10 * MS)], sniff=False)
    assert (wrong.verdict, right.verdict) == (Verdict.FAIL, Verdict.PASS)


def test_actors_of_other_names_have_places_of_their_own() -> None:
    to_bob, to_carol = play_side_by_side([Begun(call("bob"), 0), Begun(call("carol", callee="carol"), 0)], sniff=False)
    assert (to_bob.verdict, to_carol.verdict) == (Verdict.PASS, Verdict.PASS)
    assert to_bob.addresses["alice"] == to_carol.addresses["alice"]
    assert "carol" not in to_bob.addresses


def test_progress_counts_the_calls_of_all() -> None:
    told: list[tuple[int, int]] = []
    play_side_by_side(
        [Begun(call("one", length="1s"), 0), Begun(call("two", length="2s"), 0)],
        sniff=False,
        progress=lambda over, of: told.append((over, of)),
    )
    assert told == [(1, 2), (2, 2)]


def test_what_was_over_before_an_interruption_keeps_its_verdict() -> None:
    def interrupt(over: int, _: int) -> None:
        if over == 1:
            raise KeyboardInterrupt

    short, long = play_side_by_side(
        [Begun(call("short", length="1s"), 0), Begun(call("long"), 0)], sniff=False, progress=interrupt
    )
    assert (short.verdict, short.interrupted) == (Verdict.PASS, False), short.failures
    assert (long.verdict, long.interrupted) == (Verdict.ERROR, True)
    assert long.failures[0].headline.startswith("interrupted at ")


@pytest.mark.parametrize("speed", [None, 200])
def test_at_any_speed(speed: int | None) -> None:
    runs = play_side_by_side([Begun(call("one"), 0), Begun(call("two"), 5 * S)], speed=speed, sniff=False)
    assert [run.verdict for run in runs] == [Verdict.PASS] * 2
    assert all(run.wire is not None and run.wire.speed == speed for run in runs)
