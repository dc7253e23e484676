"""A party's own clock: run time to its time and back, in exact integers.

A clock may be set differently (skew), run fast or slow (drift) and stand still for a while (a suspended host).
Session timers are durations, so a skew shows only to code that looks at the time itself.
"""

from typing import Final

from ..units import DURATION_MAX_US

_MILLION: Final = 1_000_000


class PartyClock:
    """The clock of one party, in microseconds: never below zero, never back.

    A clock without skew shows the run's time. One that is set back counts from an epoch a million days ago, so that it
    does not begin below zero.
    """

    __slots__ = ("_frozen", "_local_at", "_rate", "_run_at")

    def __init__(self, skew_us: int = 0, drift_ppm: int = 0) -> None:
        assert drift_ppm > -_MILLION, "a clock runs forward"
        self._run_at = 0
        self._local_at = skew_us % DURATION_MAX_US
        self._rate = _MILLION + drift_ppm  # local microseconds in a million of the run
        self._frozen = False

    def local(self, run_now: int) -> int:
        """Return what this clock shows at a time of the run, rounded down."""
        if self._frozen:
            return self._local_at
        return self._local_at + (run_now - self._run_at) * self._rate // _MILLION

    def run(self, local_at: int) -> int:
        """Return the earliest time of the run, since this clock was last set going, at which it shows `local_at`."""
        assert not self._frozen, "a clock that stands still shows no later time"
        wait = local_at - self._local_at
        return self._run_at - (-wait * _MILLION // self._rate) if wait > 0 else self._run_at

    def freeze(self, run_now: int) -> None:
        """Stand still from here on."""
        self._local_at = self.local(run_now)
        self._frozen = True

    def thaw(self, run_now: int) -> None:
        """Go on from where it stood."""
        if self._frozen:
            self._run_at = run_now
            self._frozen = False
