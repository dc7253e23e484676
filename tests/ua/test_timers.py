"""The named timers and the table that keeps those that are armed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.settings import BaseTimes
from simkit.ua.timers import Timer, TimerEvent, TimerLog, TimerTable, transaction_durations_us
from simkit.units import MS, S

UDP = BaseTimes()
TCP = BaseTimes(reliable=True)


def test_every_timer_has_a_name_of_its_own_and_a_rule_that_sets_it() -> None:
    assert len({timer.value for timer in Timer}) == len(Timer)
    assert {timer for timer in Timer if not timer.rule} == {Timer.PICK_UP}  # the flow sets that one


DURATIONS = [
    #            timer         udp_us   tcp_us
    pytest.param(Timer.A, 500 * MS, None, id="A: T1, never over a reliable transport"),
    pytest.param(Timer.B, 32 * S, 32 * S, id="B: 64*T1"),
    pytest.param(Timer.D, 32 * S, 0, id="D: at least 32 s, or nothing"),
    pytest.param(Timer.E, 500 * MS, None, id="E: T1, never over a reliable transport"),
    pytest.param(Timer.F, 32 * S, 32 * S, id="F: 64*T1"),
    pytest.param(Timer.G, 500 * MS, None, id="G: T1, never over a reliable transport"),
    pytest.param(Timer.H, 32 * S, 32 * S, id="H: 64*T1"),
    pytest.param(Timer.I, 5 * S, 0, id="I: T4, or nothing"),
    pytest.param(Timer.J, 32 * S, 0, id="J: 64*T1, or nothing"),
    pytest.param(Timer.K, 5 * S, 0, id="K: T4, or nothing"),
    pytest.param(Timer.L, 32 * S, 32 * S, id="L: 64*T1 on any transport"),
    pytest.param(Timer.M, 32 * S, 32 * S, id="M: 64*T1 on any transport"),
    pytest.param(Timer.TRYING, 200 * MS, 200 * MS, id="100: 200 ms"),
]


@pytest.mark.parametrize(("timer", "udp_us", "tcp_us"), DURATIONS)
def test_a_transaction_timer_runs_as_long_as_the_tables_say(timer: Timer, udp_us: int, tcp_us: int | None) -> None:
    """RFC 3261 table 4, RFC 6026 section 7."""
    assert transaction_durations_us(UDP)[timer] == udp_us
    assert transaction_durations_us(TCP).get(timer) == tcp_us


@pytest.mark.parametrize(
    ("t1_us", "d_us"),
    [
        pytest.param(100 * MS, 32 * S, id="shorter T1: still 32 s"),
        pytest.param(500 * MS, 32 * S, id="the T1 that everybody uses"),
        pytest.param(501 * MS, 32_064 * MS, id="longer T1: 64*T1, as H on the other side"),
    ],
)
def test_timer_d_is_never_shorter_than_32_s(t1_us: int, d_us: int) -> None:
    assert transaction_durations_us(BaseTimes(t1_us=t1_us))[Timer.D] == d_us


def test_the_earliest_timer_is_the_next_deadline() -> None:
    timers = TimerTable("INVITE 1")
    assert timers.next_deadline() is None
    timers.arm(Timer.B, 32 * S, now=0)
    timers.arm(Timer.A, 500 * MS, now=0)
    assert timers.next_deadline() == 500 * MS
    timers.disarm(Timer.A, now=1)
    assert timers.next_deadline() == 32 * S
    assert timers.due_at(Timer.A) is None


def test_a_timer_that_is_moved_is_due_at_its_new_time_only() -> None:
    timers = TimerTable("INVITE 1")
    timers.arm(Timer.REFRESH, 10, now=0)
    timers.arm(Timer.REFRESH, 20, now=5)
    assert timers.due(now=19) == []
    assert timers.due(now=20) == [Timer.REFRESH]
    assert timers.due(now=20) == []


def test_a_timer_is_due_at_its_time_and_not_a_microsecond_before() -> None:
    timers = TimerTable("INVITE 1")
    timers.arm(Timer.B, 32 * S, now=0)
    assert timers.earliest_due(now=32 * S - 1) is None
    assert timers.earliest_due(now=32 * S) is Timer.B
    assert timers.earliest_due(now=32 * S) is None


def test_due_timers_come_earliest_first_and_then_as_they_were_armed() -> None:
    timers = TimerTable("INVITE 1")
    for timer, due_at in ((Timer.M, 30), (Timer.D, 20), (Timer.A, 10), (Timer.B, 20), (Timer.K, 99)):
        timers.arm(timer, due_at, now=0)
    assert timers.due(now=50) == [Timer.A, Timer.D, Timer.B, Timer.M]
    assert timers.next_deadline() == 99


def test_all_timers_but_some_are_disarmed_at_once() -> None:
    timers = TimerTable("OPTIONS 1")
    timers.arm(Timer.E, 10, now=0)
    timers.arm(Timer.F, 20, now=0)
    timers.disarm_all(but=(Timer.F,), now=5)
    assert timers.next_deadline() == 20
    timers.disarm_all(now=5)
    assert timers.next_deadline() is None


def test_the_log_says_what_became_of_each_timer() -> None:
    log: TimerLog = []
    timers = TimerTable("INVITE 7", log)
    timers.arm(Timer.A, 10, now=0)
    timers.arm(Timer.A, 30, now=5)
    timers.arm(Timer.B, 20, now=5)
    timers.due(now=20)
    timers.disarm(Timer.D, now=21)  # never armed
    timers.disarm_all(now=22)
    assert log == [
        TimerEvent(0, Timer.A, "armed", 10, "INVITE 7"),
        TimerEvent(5, Timer.A, "cancelled", 10, "INVITE 7"),
        TimerEvent(5, Timer.A, "armed", 30, "INVITE 7"),
        TimerEvent(5, Timer.B, "armed", 20, "INVITE 7"),
        TimerEvent(20, Timer.B, "fired", 20, "INVITE 7"),
        TimerEvent(22, Timer.A, "cancelled", 30, "INVITE 7"),
    ]


SOME_TIMERS = st.sampled_from([Timer.A, Timer.B, Timer.REFRESH])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), SOME_TIMERS, st.integers(0, 5)),
        st.tuples(st.just("disarm"), SOME_TIMERS, st.just(0)),
        st.tuples(st.just("due"), SOME_TIMERS, st.integers(0, 5)),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(OPERATIONS)
def test_the_table_agrees_with_a_plain_dictionary(operations: list[tuple[str, Timer, int]]) -> None:
    timers, expected, now = TimerTable("INVITE 1"), dict[Timer, int](), 0
    for operation, timer, duration_us in operations:
        if operation == "arm":
            timers.arm(timer, now + duration_us, now=now)
            expected[timer] = now + duration_us
        elif operation == "disarm":
            timers.disarm(timer, now=now)
            expected.pop(timer, None)
        else:
            now += duration_us
            fired = timers.due(now=now)
            assert set(fired) == {timer for timer, due_at in expected.items() if due_at <= now}
            due_times = [expected.pop(timer) for timer in fired]
            assert due_times == sorted(due_times)
        assert timers.next_deadline() == min(expected.values(), default=None)
        assert all(timers.due_at(timer) == expected.get(timer) for timer in Timer)
