"""Many calls on one clock: what is kept, what is added up, and that the same seed gives the same run."""

import gc

import pytest

from simkit.drivers.network import TURNS_MAX
from simkit.errors import FlowError
from simkit.flows.model import Flow
from simkit.runs.call_run import CallRun
from simkit.runs.cast import Cast, FlowAgent
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict
from simkit.sip.message import Message
from simkit.ua.user_agent import UserAgent

from .playing import HUNG_UP, UP, flow_of, play, sent, told

HURT = "network: {latency: 20ms, jitter: 30ms, loss: 20%, duplicate: 10%, reorder: 10%}\nlimit: 20m"
TRIES = """
    - alice: call bob
    - repeat: 3
      flow:
        - alice -> bob: INVITE
        - bob -> alice: 200 INVITE
        - alice -> bob: ACK
"""


def bytes_of(run: Run) -> list[tuple[int, int | None, bytes]]:
    return [(one.sent_at, one.received_at, one.message.to_bytes()) for one in run.trace.messages()]


def some_fail() -> Flow:
    """On this network some calls get through three refreshes and some do not."""
    return flow_of(TRIES, top=f"{HURT}\nallow: [BYE, 200 BYE, 491 INVITE, 481 INVITE, 481 BYE, 500 INVITE]")


def test_the_same_seed_gives_the_same_run_to_the_last_byte() -> None:
    one, other = (simulate(some_fail(), seed=7, timers=True) for _ in range(2))
    assert bytes_of(one) == bytes_of(other)
    assert one.failures == other.failures
    assert list(one.trace.timers()) == list(other.trace.timers())
    assert bytes_of(one) != bytes_of(simulate(some_fail(), seed=8))


def test_each_call_has_a_seed_of_its_own() -> None:
    run = simulate(flow_of(UP, HUNG_UP), calls=3)
    assert len({call.call_id for call in run.calls}) == 3


def test_calls_begin_one_after_the_other_and_count_from_their_own_start() -> None:
    hung_up = "- alice: hang up\n  at: 10s\n- alice -> bob: BYE\n  at: start + 10s\n- bob -> alice: 200 BYE"
    run = play(UP, hung_up, top="calls: {count: 3, every: 7s}", expect="at: up + 10s")
    assert run.passed, told(run)
    assert [next(run.traces[number].messages()).sent_at for number in range(3)] == [0, 7_000_000, 14_000_000]
    assert run.virtual_us == 24_000_000
    assert run.messages == 15


def test_a_call_that_begins_later_may_last_as_long() -> None:
    hung_up = "- alice: hang up\n  at: 30s\n- alice -> bob: BYE\n- bob -> alice: 200 BYE"
    assert play(UP, hung_up, top="limit: 30s\ncalls: {count: 3, every: 20s}").passed


def test_the_caller_of_simulate_may_ask_for_another_number_of_calls() -> None:
    run = simulate(flow_of(UP, HUNG_UP, top="calls: {count: 2, every: 1s}"), calls=4)
    assert run.flow.calls.count == len(run.calls) == 4
    assert run.virtual_us == 3_000_000


def test_an_expectation_counts_once_however_many_calls_there_are() -> None:
    run = simulate(flow_of(UP, HUNG_UP, expect="ended_by: alice"), calls=5)
    assert len(run.expectations) == 6


def test_a_call_that_fails_leaves_the_others_alone() -> None:
    run = simulate(some_fail(), calls=20)
    failed = {failure.call for failure in run.failures}
    assert 0 < len(failed) < 20
    assert run.verdict is Verdict.FAIL
    assert len(run.calls) >= 20


def test_a_crowd_is_not_recorded_but_the_first_call_and_those_that_are_shown() -> None:
    run = simulate(flow_of(UP, HUNG_UP), calls=101)
    assert run.passed
    assert list(run.traces) == [0]
    assert list(simulate(flow_of(UP, HUNG_UP), calls=100).traces) == list(range(100))
    assert list(simulate(flow_of(UP, HUNG_UP), calls=101, keep_all=True).traces) == list(range(101))


def test_a_failed_call_of_a_crowd_is_shown_as_it_was() -> None:
    """It is played again, alone; in a run that records everything it looks the same."""
    crowd, recorded = (simulate(some_fail(), calls=101, keep_all=keep_all) for keep_all in (False, True))
    assert len({failure.call for failure in crowd.failures}) == 10
    assert crowd.failures == recorded.failures
    assert crowd.failures_omitted == recorded.failures_omitted > 0
    for failure in crowd.failures:
        assert crowd.traces[failure.call] == recorded.traces[failure.call]


def test_a_failed_call_is_shown_once_with_all_that_does_not_hold() -> None:
    run = simulate(flow_of(UP, HUNG_UP, expect="ended_by: bob\nreason: rejected"), calls=102)
    assert len(run.failures) == 20
    assert run.failures_omitted == 92
    assert [failure.call for failure in run.failures] == [number // 2 for number in range(20)]


def test_calls_that_are_over_are_forgotten_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    live, most = 0, 0
    begin, finish = CallRun.begin, CallRun.finish

    def counted_begin(call: CallRun) -> None:
        nonlocal live, most
        live, most = live + 1, max(most, live + 1)
        begin(call)

    def counted_finish(call: CallRun, *, limit_at: int | None) -> None:
        nonlocal live
        live -= 1
        finish(call, limit_at=limit_at)

    monkeypatch.setattr(CallRun, "begin", counted_begin)
    monkeypatch.setattr(CallRun, "finish", counted_finish)
    run = simulate(flow_of(UP, HUNG_UP, top="calls: {count: 60, every: 10s}"))
    assert run.passed
    assert live == 0
    assert most <= 5  # 37 s after it is over, no timer is left


def test_a_call_that_is_over_may_still_send_what_no_line_expects() -> None:
    """It lingers: a message after its last line fails it, though other calls have gone on."""
    late = "- bob: refresh\n  at: 20s\n- bob -> alice: INVITE\n  retransmits: 0"
    run = simulate(flow_of(UP, "- alice: crash\n  at: 10s", late, top="calls: {count: 3, every: 1s}"))
    assert [failure.headline for failure in run.failures] == [
        f"bob sent INVITE again at {second}.500 s" for second in (20, 21, 22)
    ]


def test_progress_is_told_for_every_call_that_is_over() -> None:
    seen: list[tuple[int, int]] = []
    simulate(flow_of(UP, HUNG_UP), calls=3, progress=lambda over, count: seen.append((over, count)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_timers_are_recorded_where_they_are_asked_for() -> None:
    assert not list(play(UP, HUNG_UP).trace.timers())
    timers = {record.timer for record in play(UP, HUNG_UP, timers=True).trace.timers()}
    assert {"A", "B", "refresh", "bye"} <= timers


def test_tidying_up_takes_no_time_that_anybody_sees() -> None:
    run = play(UP, HUNG_UP)
    assert run.virtual_us == 0


def test_the_garbage_collector_works_as_before_when_the_run_is_over() -> None:
    usual = gc.get_threshold()
    play(UP, HUNG_UP)
    assert gc.get_threshold() == usual


def test_what_cannot_be_judged_is_refused_and_not_passed_over() -> None:
    with pytest.raises(FlowError, match="there is no system under test"):
        play(UP, HUNG_UP, expect='log: "registered"')


# --- what goes wrong with the run itself -----------------------------------------------------------------------------


def test_a_loop_without_time_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserAgent, "next_deadline", lambda agent: 1_000_000)
    monkeypatch.setattr(UserAgent, "handle_deadline", lambda agent, *, now: None)
    run = play(UP, top="limit: 10s")
    assert run.verdict is Verdict.ERROR
    assert run.failures[0].headline == (
        f"no time passes any more at 1.000 s: the parties have acted {TURNS_MAX} times at this instant and do not "
        "come to rest (last: alice acted on its deadline or a command)"
    )


def test_a_loop_without_time_in_one_call_lets_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    deadline = UserAgent.next_deadline

    def restless_once(agent: UserAgent) -> int | None:
        return 1_000_000 if agent.identifiers is first[0] else deadline(agent)

    first: list[object] = []
    build = Cast.agent

    def remembered(cast: Cast, name: str, call: int, *, life: int = 0) -> FlowAgent:
        agent = build(cast, name, call, life=life)
        if call == 0 and name == "alice" and isinstance(agent, UserAgent):
            first.append(agent.identifiers)
        return agent

    monkeypatch.setattr(Cast, "agent", remembered)
    monkeypatch.setattr(UserAgent, "next_deadline", restless_once)
    run = simulate(flow_of(UP, HUNG_UP, top="calls: {count: 3, every: 2s}"))
    assert [(failure.call, failure.headline[:24]) for failure in run.failures] == [(0, "no time passes any more ")]
    assert run.verdict is Verdict.ERROR
    assert run.messages == 15


def test_an_interrupted_run_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = UserAgent.receive

    def interrupted(agent: UserAgent, message: Message, *, now: int) -> None:
        if now >= 3_000_000:
            raise KeyboardInterrupt
        receive(agent, message, now=now)

    monkeypatch.setattr(UserAgent, "receive", interrupted)
    hung_up = "- alice: hang up\n  at: 1s\n- alice -> bob: BYE\n- bob -> alice: 200 BYE"
    run = play(UP, hung_up, top="calls: {count: 3, every: 1s}")
    assert run.interrupted
    assert run.verdict is Verdict.ERROR
    assert sent(run)[-1] == "1.000 bob 200 BYE"
    assert {failure.call for failure in run.failures} == {2}
    assert run.failures[0].headline == "interrupted at 3.000 s"
