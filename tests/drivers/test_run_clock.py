"""The clock of a run over the loopback: as fast as told, never back, forward where nobody waits."""

from time import monotonic_ns, time_ns

import pytest

from simkit.drivers.run_clock import STALL_NS, WORK_NS, RunClock
from simkit.units import HOUR, MS, S

MS_NS = 1_000_000


class Machine:
    """A machine whose time passes when a test says so."""

    def __init__(self, real_ns: int = 777) -> None:
        self.real_ns = real_ns

    def pass_ms(self, count: int) -> None:
        self.real_ns += count * MS_NS

    def clock(self, speed: int | None) -> RunClock:
        return RunClock(speed, real_ns=lambda: self.real_ns)


SPEEDS = [
    pytest.param(1, 7, 7 * MS, id="as fast as real time"),
    pytest.param(20, 7, 140 * MS, id="20 times"),
    pytest.param(20, 60_000, 1200 * S, id="a long look away counts in full"),
    pytest.param(None, 7, 7 * MS, id="idle time skipped: as fast as real time"),
    pytest.param(None, 10, 10 * MS, id="... just no stall"),
    pytest.param(None, 60_000, STALL_NS // 1000, id="... a stall counts as the longest look away that is none"),
]


@pytest.mark.parametrize(("speed", "real_ms", "shown_us"), SPEEDS)
def test_time_passes_at_the_speed_told(speed: int | None, real_ms: int, shown_us: int) -> None:
    machine = Machine()
    clock = machine.clock(speed)
    machine.pass_ms(real_ms)
    assert clock.read() == shown_us


def test_time_is_an_integer_and_no_microsecond_is_lost_by_reading_often() -> None:
    machine = Machine()
    clock = machine.clock(3)
    for _ in range(1000):
        machine.real_ns += 500
        assert type(clock.read()) is int
    assert clock.read() == 1500


def test_it_can_be_set_forward_and_never_back() -> None:
    machine = Machine()
    clock = machine.clock(None)
    clock.skip_to(HOUR)
    assert clock.read() == HOUR
    machine.pass_ms(1)
    clock.skip_to(HOUR)
    assert clock.read() == HOUR + 1 * MS


@pytest.mark.parametrize(
    ("speed", "until_at", "wait_s"), [(1, 2 * S, 2.0), (20, 2 * S, 0.1), (None, 2 * S, 2.0), (1, 0, 0.0)]
)
def test_it_says_how_long_to_wait_in_real_time(speed: int | None, until_at: int, wait_s: float) -> None:
    assert Machine().clock(speed).wait_s(until_at) == pytest.approx(wait_s)


def test_times_of_the_calendar_are_found_again_even_around_a_skip() -> None:
    clock = RunClock(None)
    ahead_ns = time_ns() - monotonic_ns()
    before = clock.read()
    seen_before_ns = monotonic_ns() + ahead_ns
    clock.skip_to(HOUR)
    seen_after_ns = monotonic_ns() + ahead_ns
    assert before <= clock.at_calendar_ns(seen_before_ns) < HOUR <= clock.at_calendar_ns(seen_after_ns) <= clock.read()


def test_a_clock_does_not_stand_still() -> None:
    with pytest.raises(AssertionError, match="stand still"):
        RunClock(0)


def test_the_machines_own_work_is_next_to_no_time_where_idle_time_is_skipped() -> None:
    machine = Machine()
    clock = machine.clock(None)
    for _ in range(1000):
        machine.pass_ms(1)
        clock.forget_work()
    assert clock.read() == 1000 * WORK_NS // 1000
    machine.pass_ms(5)
    assert clock.read() == 1000 * WORK_NS // 1000 + 5 * MS


def test_at_a_fixed_speed_work_takes_its_time() -> None:
    machine = Machine()
    clock = machine.clock(20)
    machine.pass_ms(8)
    clock.forget_work()
    assert clock.read() == 160 * MS
