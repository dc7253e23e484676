"""Run a flow in virtual time: all its calls on one clock that never waits.

The calls of a flow never meet, and each draws its chance from seeds of its own. So a call plays the same alone as in
a crowd: of ten thousand only the first is recorded, and those whose failure is to be shown are played once more.
"""

from collections.abc import Callable, Container
from dataclasses import replace
from time import perf_counter_ns
from typing import Final

from ..drivers.driver import RunEnd, ZeroTimeLoop
from ..drivers.virtual import VirtualDriver
from ..errors import Fault, FlowError
from ..flows.model import Calls, Flow
from .call_run import CallRun
from .party import Cast
from .plan import Plan
from .run import Run
from .tally import Tally

RECORDED_MAX: Final = 100
"""So many calls are recorded from the start; of a larger crowd only the first."""

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
    run = _Simulation(flow, seed=seed, timers=timers, progress=progress).run(seed=seed, keep_all=keep_all)
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
    """The calls of one flow on one clock."""

    def __init__(self, flow: Flow, *, seed: int, timers: bool, progress: Progress | None = None) -> None:
        self._calls = flow.calls
        self._plan = Plan(flow)
        self._cast = Cast(flow, seed=seed, traced=timers)
        self._progress = progress
        self._over = 0
        self._until = (flow.calls.count - 1) * flow.calls.every_us + flow.limit_us

    def run(self, *, seed: int, keep_all: bool) -> Run:
        """Play every call and judge the whole."""
        count = self._calls.count
        recorded = range(count if keep_all or count <= RECORDED_MAX else 1)
        tally = Tally(self._plan)
        tally.interrupted = not self._play(range(count), recorded, tally.add)
        unrecorded = [number for number in tally.failed_calls if number not in recorded]
        for number in unrecorded if not tally.interrupted else ():
            self._play(range(number, number + 1), (number,), tally.keep_trace)
        return tally.run(seed=seed, addresses=self._cast.addresses)

    def _play(self, numbers: range, recorded: Container[int], finished: Callable[[CallRun], None]) -> bool:
        """Play these calls and hand each over when all is done; tell whether it came to that, or was interrupted."""
        every_us = self._calls.every_us
        driver = VirtualDriver(start_at=numbers.start * every_us)
        calls: list[CallRun] = []

        def begin(number: int) -> None:
            call = CallRun(self._plan, self._cast, driver, number, recorded=number in recorded, over=self._note_end)
            calls.append(call)
            call.begin()
            if number + 1 in numbers:
                driver.at((number + 1) * every_us, lambda: begin(number + 1))

        driver.at(driver.now, lambda: begin(numbers.start))
        try:
            end = self._run_to_the_end(driver)
        except KeyboardInterrupt:
            end = RunEnd.STOPPED
        for call in calls:
            if end is not RunEnd.STOPPED:
                call.finish(limit_at=self._until if end is RunEnd.LIMIT else None)
            finished(call)
        return end is not RunEnd.STOPPED

    def _run_to_the_end(self, driver: VirtualDriver) -> RunEnd:
        while True:
            try:
                return driver.run(until=self._until)
            except ZeroTimeLoop as loop:
                call, why = loop.observer, str(loop)
            assert isinstance(call, CallRun)
            call.give_up(why)  # and let the others go on

    def _note_end(self) -> None:
        self._over += 1
        if self._progress is not None:
            self._progress(self._over, self._calls.count)
