"""Some calls of a flow on one clock, begun one after the other, each handed over when it is done."""

from collections.abc import Callable, Container
from typing import Final

from ..drivers.driver import RunEnd, ZeroTimeLoop
from ..drivers.turns import Driver
from ..errors import ForeignError
from ..ua.timers import TIMER_D_MIN_US
from ..units import format_time
from .call_run import CallRun
from .cast import Cast
from .plan import Plan

RECORDED_MAX: Final = 100
"""So many calls are recorded from the start; of a larger crowd only the first."""

Progress = Callable[[int, int], None]
"""Told how many calls are over, and of how many."""


class Crowd:
    """Plays calls on a driver, whichever it is."""

    def __init__(
        self,
        plan: Plan,
        cast: Cast,
        driver: Driver,
        recorded: Container[int],
        done: Callable[[CallRun], None],
        progress: Progress | None = None,
    ) -> None:
        self._plan = plan
        self._cast = cast
        self._driver = driver
        self._recorded = recorded
        self._done = done
        self._progress = progress
        self._over = 0
        self._calls = plan.flow.calls
        self._live: dict[int, CallRun] = {}
        self._begins_at = 0
        self._begun = 0
        self._numbers = range(0)
        self._is_held = False
        """Whether the next call waits until another is over."""
        self.until = 0
        """When the calls have reached the flow's limit."""

    def play(self, numbers: range) -> bool:
        """Play these calls; return whether that was interrupted.

        Raises ForeignError where a party's code that is not ours failed; the calls are handed over as far as they came.
        """
        self.schedule(numbers)
        broken = None
        try:
            end = run_until(self._driver, self.until)
        except KeyboardInterrupt:
            end = RunEnd.STOPPED
        except ForeignError as error:
            end, broken = RunEnd.STOPPED, self._located(error)
        self.finish(end, broken)
        if self._cast.systems is not None and end is RunEnd.STOPPED:
            run_until(self._driver, self._driver.now + self._cast.systems.goodbye_us)
        if broken is not None:
            raise broken
        return end is RunEnd.STOPPED

    @property
    def is_over(self) -> bool:
        """Whether every call is over, or has failed."""
        return self._over == self._calls.count

    def schedule(self, numbers: range, *, begins_at: int = 0) -> None:
        """Have these calls begin when the driver runs, call 0 at `begins_at`."""
        self._begins_at, self._numbers = begins_at, numbers
        self.until = begins_at + (numbers.stop - 1) * self._calls.every_us + self._plan.flow.limit_us
        if self._cast.systems is not None:  # what a real system has said already is heard by those who are there
            self._begin(numbers.start, numbers)
            return
        first_at = max(self._driver.now, begins_at) if begins_at else self._driver.now
        self._driver.at(first_at, lambda: self._begin(numbers.start, numbers))

    def finish(self, end: RunEnd, broken: ForeignError | None = None) -> None:
        """Hand the calls over that are still there, now that the driver has stopped."""
        for call in self._live.values():
            if broken is not None:
                call.break_off(broken)
            elif end is RunEnd.STOPPED and not call.is_done:
                call.give_up(f"interrupted at {format_time(self._driver.now)} s")
            call.finish(limit_at=self.until if end is RunEnd.LIMIT else None)
            self._done(call)

    def _located(self, error: ForeignError) -> ForeignError:
        """Return the error with the time, and where the flow was, unless several calls are under way."""
        place, note = self._plan.flow.source, ""
        if len(self._live) == 1:
            place, note = next(iter(self._live.values())).whereabouts()
        return error.at(place, when=f"at {format_time(self._driver.now)} s", note=note)

    def _begin(self, number: int, numbers: range) -> None:
        call = self._live[number] = CallRun(
            self._plan,
            self._cast,
            self._driver,
            number,
            recorded=number in self._recorded,
            over=self._linger,
            called=lambda _: self._begin_next(numbers) if self._awaits_calls else None,
        )
        self._begun = number + 1
        call.begin()
        if not self._awaits_calls:
            self._begin_next(numbers)

    def _begin_next(self, numbers: range) -> None:
        """Have the next call begin in its time; at once where a real system has just begun the one before."""
        number = self._begun
        if number not in numbers:
            return
        if self._awaits_calls:
            self._begin(number, numbers)
        elif self._calls.at_once is not None and number - numbers.start - self._over >= self._calls.at_once:
            self._is_held = True  # until another is over
        else:
            next_at = self._begins_at + number * self._calls.every_us
            self._driver.at(max(self._driver.now, next_at), lambda: self._begin(number, numbers))

    @property
    def _awaits_calls(self) -> bool:
        return self._cast.systems is not None and self._cast.systems.calls_us

    def _linger(self, call: CallRun) -> None:
        """A call is over, or has failed; wait until its transactions have died."""
        self._over += 1
        if self._is_held:
            self._is_held = False
            self._begin_next(self._numbers)
        if self._progress is not None:
            self._progress(self._over, self._calls.count)
        times = self._plan.flow.timers
        linger_us = max(times.timeout_us, TIMER_D_MIN_US) + times.t4_us
        self._driver.at(self._driver.now + linger_us, lambda: self._forget(call))

    def _forget(self, call: CallRun) -> None:
        """Hand a call over that has nothing to wait for, so that there is room for a million."""
        if call.is_at_rest:
            call.finish(limit_at=None)
            self._done(call)
            del self._live[call.number]


def run_until(driver: Driver, until: int) -> RunEnd:
    """Let happen what is to happen up to a time; tell why it ended. A call in a loop without time is given up."""
    while True:
        try:
            return driver.run(until=until)
        except ZeroTimeLoop as loop:
            call, why = loop.observer, str(loop)
        assert isinstance(call, CallRun)
        call.give_up(why)  # and let the others go on
