"""The run's time, made of the machine's monotonic clock: N times as fast, or as fast with idle stretches skipped."""

from bisect import bisect_right
from collections.abc import Callable
from time import monotonic_ns, time_ns
from typing import Final, NamedTuple

STALL_NS: Final = 10_000_000
"""Where idle stretches are skipped, a longer look away is the machine's own delay, and counts as so much."""

WORK_NS: Final = 2_000
"""What the work on one message counts as, where idle stretches are skipped."""

_NS_PER_US: Final = 1_000
_READINGS: Final = 5


class _Stretch(NamedTuple):
    """Since `real_ns`, when it showed `at`, the clock runs evenly."""

    real_ns: int
    at: int


class RunClock:
    """Microseconds since the run began: integers that never go back."""

    def __init__(self, speed: int | None = None, *, real_ns: Callable[[], int] = monotonic_ns) -> None:
        """Run `speed` times as fast as real time; None: as fast, and may be set forward."""
        assert speed is None or speed >= 1, "time does not stand still"
        self.skips = speed is None
        """Whether it may be set forward where nobody waits for the machine."""
        self._speed = speed or 1
        self._real_ns = real_ns
        self._read_ns = real_ns()
        self._stretches = [_Stretch(self._read_ns, 0)]
        self._calendar_ahead_ns = _calendar_ahead_ns(real_ns)

    def read(self) -> int:
        """Return the time now."""
        real_ns = self._real_ns()
        stretch = self._stretches[-1]
        stalled_ns = real_ns - self._read_ns - STALL_NS if self.skips else 0
        if stalled_ns > 0:
            stretch = self._begin(real_ns, self._at(stretch, self._read_ns + STALL_NS))
        self._read_ns = real_ns
        return self._at(stretch, real_ns)

    def forget_work(self) -> None:
        """Count what the machine has done since the last reading as next to no time, where idle time is skipped.

        Then a crowd of calls whose time has come is not late for the work that those before it made.
        """
        real_ns = self._real_ns()
        worked_ns = real_ns - self._read_ns - WORK_NS
        if self.skips and worked_ns > 0:
            self._begin(real_ns, self._at(self._stretches[-1], self._read_ns + WORK_NS))
            self._read_ns = real_ns

    def skip_to(self, at: int) -> None:
        """Show this time from here on, unless it has passed."""
        real_ns = self._read_ns = self._real_ns()
        if at > self._at(self._stretches[-1], real_ns):
            self._begin(real_ns, at)

    def wait_s(self, until_at: int) -> float:
        """Return how long to wait, in real seconds, until the clock shows this time; 0 where it has passed."""
        stretch = self._stretches[-1]
        return max(0.0, (until_at - stretch.at) / self._speed / 1e6 - (self._real_ns() - stretch.real_ns) / 1e9)

    def at_calendar_ns(self, calendar_ns: int) -> int:
        """Return what the clock showed at a time that is given in nanoseconds since 1970."""
        return self.at_real_ns(calendar_ns - self._calendar_ahead_ns)

    def at_real_ns(self, real_ns: int) -> int:
        """Return what the clock showed at a time of `time.monotonic_ns`."""
        index = max(1, bisect_right(self._stretches, real_ns, key=lambda stretch: stretch.real_ns))
        at = self._at(self._stretches[index - 1], real_ns)
        return min(at, self._stretches[index].at) if index < len(self._stretches) else at

    def _begin(self, real_ns: int, at: int) -> _Stretch:
        self._stretches.append(_Stretch(real_ns, at))
        return self._stretches[-1]

    def _at(self, stretch: _Stretch, real_ns: int) -> int:
        return stretch.at + (real_ns - stretch.real_ns) * self._speed // _NS_PER_US


def _calendar_ahead_ns(real_ns: Callable[[], int]) -> int:
    """Return what the calendar, by which captures go, is ahead: by the reading that was least disturbed."""
    readings = [(real_ns(), time_ns(), real_ns()) for _ in range(_READINGS)]
    before, calendar_ns, after = min(readings, key=lambda reading: reading[2] - reading[0])
    return calendar_ns - (before + after) // 2
