"""Run a flow in virtual time: all its calls on one clock that never waits.

The calls of a flow never meet, and each draws its chance from seeds of its own. So a call plays the same alone as in
a crowd: of ten thousand only the first is recorded, and those whose failure is to be shown are played once more.
"""

import gc
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter_ns
from typing import Final

from ..drivers.driver import RunEnd, ZeroTimeLoop
from ..drivers.virtual import VirtualDriver
from ..errors import Fault, FlowError
from ..flows.model import Calls, Flow
from ..ua.timers import TIMER_D_MIN_US
from ..units import format_time
from .call_run import CallRun
from .party import Cast
from .plan import Plan
from .run import Run
from .tally import Tally

RECORDED_MAX: Final = 100
"""So many calls are recorded from the start; of a larger crowd only the first."""

RARELY: Final = (50_000, 20, 100)
"""Thresholds of the garbage collector: what calls are made of lives as long as they do, so looking for waste is one."""

Progress = Callable[[int, int], None]
"""Told how many calls are over, and of how many."""


def simulate(
    flow: Flow,
    *,
    seed: int = 1,
    calls: int | None = None,
    timers: bool = False,
    keep_all: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run a flow in virtual time and return what came of it; the same flow and seed give the same run.

    `calls` takes the place of the flow's own count. With `timers` the traces hold every timer armed, fired and
    cancelled; with `keep_all` every call's trace is kept. On KeyboardInterrupt the run is returned as far as it came,
    `interrupted`. Raises FlowError for what cannot be simulated.
    """
    started_ns = perf_counter_ns()
    if calls is not None:
        flow = replace(flow, calls=Calls(calls, flow.calls.every_us))
    check_playable(flow)
    run = _Simulation(flow, seed=seed, timers=timers, progress=progress).run(keep_all=keep_all)
    run.wall_us = (perf_counter_ns() - started_ns) // 1000
    return run


def check_playable(flow: Flow) -> None:
    """Raise FlowError, with all faults, for what a flow says that a simulation cannot do."""
    expect, sources = flow.expect, flow.expect.sources
    faults = []
    if expect.violations:
        message = "a simulation does not report violated rules: audit its capture instead"
        faults.append(Fault(sources.get("violations", flow.source), message))
    if expect.log:
        message = "there is no system under test whose log could be read"
        faults.append(Fault(sources.get("log", flow.source), message))
    if faults:
        raise FlowError(faults)


class _Simulation:
    """The calls of one flow, played and added up."""

    def __init__(self, flow: Flow, *, seed: int, timers: bool, progress: Progress | None) -> None:
        self._flow = flow
        self._seed = seed
        self._plan = Plan(flow)
        self._cast = Cast(flow, seed=seed, traced=timers)
        self._progress = progress

    def run(self, *, keep_all: bool) -> Run:
        """Play every call and judge the whole."""
        count = self._flow.calls.count
        recorded = range(count if keep_all or count <= RECORDED_MAX else 1)
        tally = Tally(self._plan)
        tally.interrupted = _Play(self._plan, self._cast, recorded, tally.add, self._progress).play(range(count))
        if not tally.interrupted:
            self._play_again(tally, [number for number in tally.failed_calls if number not in recorded])
        return tally.run(seed=self._seed, addresses=self._cast.addresses)

    def _play_again(self, tally: Tally, numbers: list[int]) -> None:
        for number in numbers:
            interrupted = _Play(self._plan, self._cast, numbers, tally.show).play(range(number, number + 1))
            tally.interrupted = tally.interrupted or interrupted


class _Play:
    """Some calls of a flow on one clock, each handed over when it is done."""

    def __init__(
        self,
        plan: Plan,
        cast: Cast,
        recorded: Container[int],
        done: Callable[[CallRun], None],
        progress: Progress | None = None,
    ) -> None:
        self._plan = plan
        self._cast = cast
        self._recorded = recorded
        self._done = done
        self._progress = progress
        self._over = 0
        self._calls = plan.flow.calls
        self._live: dict[int, CallRun] = {}

    def play(self, numbers: range) -> bool:
        """Play these calls; return whether that was interrupted."""
        flow, every_us = self._plan.flow, self._calls.every_us
        self._driver = VirtualDriver(start_at=numbers.start * every_us)
        until = (flow.calls.count - 1) * every_us + flow.limit_us
        self._driver.at(self._driver.now, lambda: self._begin(numbers.start, numbers))
        try:
            with _collecting_rarely():
                end = self._run(until)
        except KeyboardInterrupt:
            end = RunEnd.STOPPED
        for call in self._live.values():
            if end is RunEnd.STOPPED and not call.is_done:
                call.give_up(f"interrupted at {format_time(self._driver.now)} s")
            call.finish(limit_at=until if end is RunEnd.LIMIT else None)
            self._done(call)
        return end is RunEnd.STOPPED

    def _run(self, until: int) -> RunEnd:
        while True:
            try:
                return self._driver.run(until=until)
            except ZeroTimeLoop as loop:
                call, why = loop.observer, str(loop)
            assert isinstance(call, CallRun)
            call.give_up(why)  # and let the others go on

    def _begin(self, number: int, numbers: range) -> None:
        call = self._live[number] = CallRun(
            self._plan, self._cast, self._driver, number, recorded=number in self._recorded, over=self._linger
        )
        call.begin()
        if number + 1 in numbers:
            self._driver.at((number + 1) * self._calls.every_us, lambda: self._begin(number + 1, numbers))

    def _linger(self, call: CallRun) -> None:
        """A call is over, or has failed; wait until its transactions have died."""
        self._over += 1
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


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Have the garbage collector look for cycles less often for a while."""
    usual = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
