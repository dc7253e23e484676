"""A party's clock: exact both ways, never back, never below zero."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.drivers.clock import PartyClock
from simkit.units import DAY, DURATION_MAX_US, HOUR, MS, S

SHOWN = [
    #            skew_us drift_ppm run_now  shown
    pytest.param(0, 0, 0, 0, id="true clock: start"),
    pytest.param(0, 0, 1800 * S, 1800 * S, id="true clock: the run's time"),
    pytest.param(2 * S, 0, 10 * S, 12 * S, id="ahead"),
    pytest.param(-2 * S, 0, 10 * S, DURATION_MAX_US + 8 * S, id="behind: 8 s past its epoch"),
    pytest.param(-2 * S, 0, 0, DURATION_MAX_US - 2 * S, id="behind: not below zero"),
    pytest.param(0, 100, 1 * DAY, 1 * DAY + 8640 * MS, id="fast: 8.64 s a day at 100 ppm"),
    pytest.param(0, -100, 1 * DAY, 1 * DAY - 8640 * MS, id="slow: 8.64 s a day at 100 ppm"),
    pytest.param(0, 1, 999_999, 999_999, id="one ppm: the first microsecond is not yet gained"),
    pytest.param(0, 1, 1_000_000, 1_000_001, id="one ppm: gained after a second"),
]


@pytest.mark.parametrize(("skew_us", "drift_ppm", "run_now", "shown"), SHOWN)
def test_a_clock_shows_skew_and_drift(skew_us: int, drift_ppm: int, run_now: int, shown: int) -> None:
    assert PartyClock(skew_us, drift_ppm).local(run_now) == shown


def test_a_fast_clock_reaches_a_deadline_early_and_a_slow_one_late() -> None:
    assert PartyClock(0, 1000).run(1001 * S) == 1000 * S
    assert PartyClock(0, -1000).run(999 * S) == 1000 * S


def test_a_time_that_is_already_past_is_reached_at_once() -> None:
    clock = PartyClock(5 * S)
    assert clock.run(3 * S) == 0
    assert clock.run(5 * S) == 0
    assert clock.run(5 * S + 1) == 1


def test_a_frozen_clock_stands_still_and_goes_on_from_there() -> None:
    clock = PartyClock()
    clock.freeze(10 * S)
    assert [clock.local(at) for at in (10 * S, 11 * S, HOUR)] == [10 * S] * 3
    clock.thaw(310 * S)
    assert clock.local(310 * S) == 10 * S
    assert clock.local(311 * S) == 11 * S
    assert clock.run(60 * S) == 360 * S


def test_what_was_passed_before_a_thaw_is_reached_at_the_thaw() -> None:
    clock = PartyClock()
    clock.freeze(10 * S)
    clock.thaw(20 * S)
    assert clock.run(9 * S) == clock.run(10 * S) == 20 * S


def test_freezing_twice_and_thawing_twice_change_nothing() -> None:
    clock = PartyClock()
    clock.freeze(1 * S)
    clock.freeze(2 * S)
    clock.thaw(3 * S)
    clock.thaw(4 * S)
    assert clock.local(4 * S) == 2 * S


skews = st.integers(-DURATION_MAX_US, DURATION_MAX_US)
drifts = st.integers(-999_999, 1_000_000)
times = st.integers(0, 1000 * DAY)


@st.composite
def used_clocks(draw: st.DrawFn) -> tuple[PartyClock, int]:
    """Return a clock that has perhaps been frozen, and the run time at which it was last set going."""
    clock, now = PartyClock(draw(skews), draw(drifts)), 0
    for running, standing in draw(st.lists(st.tuples(times, times), max_size=3)):
        clock.freeze(now + running)
        now += running + standing
        clock.thaw(now)
    return clock, now


@settings(max_examples=100, deadline=None, derandomize=True)
@given(used_clocks(), times)
def test_a_wake_up_comes_at_the_first_instant_that_shows_the_deadline(used: tuple[PartyClock, int], ahead: int) -> None:
    clock, now = used
    local_at = clock.local(now) + ahead
    run_at = clock.run(local_at)
    assert clock.local(run_at) >= local_at
    assert run_at == now or clock.local(run_at - 1) < local_at


@settings(max_examples=100, deadline=None, derandomize=True)
@given(used_clocks(), times, times)
def test_a_clock_never_goes_back_nor_below_zero(used: tuple[PartyClock, int], one: int, other: int) -> None:
    clock, now = used
    earlier, later = sorted((now + one, now + other))
    assert 0 <= clock.local(earlier) <= clock.local(later)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(used_clocks(), times)
def test_there_and_back_is_never_late(used: tuple[PartyClock, int], elapsed: int) -> None:
    clock, now = used
    assert clock.run(clock.local(now + elapsed)) <= now + elapsed
