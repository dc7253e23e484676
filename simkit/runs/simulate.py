"""Run a flow in virtual time: its calls on a clock that never waits.

The calls of a flow never meet, and each draws its chance from seeds of its own. So a call plays the same alone as in
a crowd, and that is how it is played: one after the other, each on a clock of its own that starts when it is its time.
Ten thousand calls need no more room than one. Only the first is recorded, and those whose failure is to be shown are
played once more.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from time import perf_counter_ns

from ..drivers.virtual import VirtualDriver
from ..errors import ForeignError
from ..flows.model import Calls, Flow
from .call_run import CallRun
from .cast import Cast
from .crowd import RECORDED_MAX, Crowd, Progress
from .garbage import collecting_rarely
from .plan import Plan
from .playable import check_playable
from .run import Run
from .seats import LOGIC_TIMEOUT_S, Seats
from .tally import Tally


def simulate(
    flow: Flow,
    *,
    seed: int = 1,
    calls: int | None = None,
    numbers: range | None = None,
    timers: bool = False,
    keep_all: bool = False,
    logic_timeout_s: float = LOGIC_TIMEOUT_S,
    aftermath_us: int = 0,
    progress: Progress | None = None,
) -> Run:
    """Run a flow in virtual time and return what came of it; the same flow and seed give the same run.

    `calls` takes the place of the flow's own count; of these only those with `numbers` (from 0) are played, and
    `joined.join` makes one run of several such parts. With `timers` the traces hold every timer armed, fired and
    cancelled; with `keep_all` every call's trace is kept. A child in the seat of a party has `logic_timeout_s` of real
    time for each answer. What user agents do for `aftermath_us` after a failure is recorded and not judged. On
    KeyboardInterrupt the run is returned as far as it came, `interrupted`, and so it is, `broken`, where somebody
    else's code fails.

    Raises FlowError for what cannot be simulated, ForeignError for a child that cannot be started.
    """
    started_ns = perf_counter_ns()
    if calls is not None:
        flow = replace(flow, calls=Calls(calls, flow.calls.every_us))
    check_playable(flow)
    with collecting_rarely():
        plan = Plan(flow, aftermath_us=aftermath_us)
        simulation = _Simulation(plan, seed, logic_timeout_s, timers=timers, progress=progress)
        run = simulation.run(numbers or range(flow.calls.count), keep_all=keep_all)
    run.wall_us = (perf_counter_ns() - started_ns) // 1000
    return run


class _Simulation:
    """The calls of one flow, played and added up."""

    def __init__(
        self, plan: Plan, seed: int, logic_timeout_s: float, *, timers: bool, progress: Progress | None
    ) -> None:
        self._flow = plan.flow
        self._seed = seed
        self._logic_timeout_s = logic_timeout_s
        self._plan = plan
        self._cast = Cast(plan.flow, seed=seed, traced=timers)
        self._progress = progress

    def run(self, numbers: range, *, keep_all: bool) -> Run:
        """Play these calls and judge the whole."""
        count = self._flow.calls.count
        recorded = range(count if keep_all or count <= RECORDED_MAX else 1)
        tally = Tally(self._plan)
        with Seats(self._flow, timeout_s=self._logic_timeout_s) as self._cast.seats:
            try:
                tally.interrupted = self._play(numbers, recorded, tally.add)
                if not tally.interrupted:
                    again = [number for number in tally.failed_calls if number not in recorded]
                    tally.interrupted = self._play(again, again, tally.show)
            except ForeignError as error:
                tally.broken = error
        return tally.run(seed=self._seed, addresses=self._cast.addresses)

    def _play(self, numbers: Iterable[int], recorded: Container[int], done: Callable[[CallRun], None]) -> bool:
        """Play these calls; return whether that was interrupted."""
        for number in numbers:
            driver = VirtualDriver(start_at=number * self._flow.calls.every_us)
            self._cast.attend(driver)
            if Crowd(self._plan, self._cast, driver, recorded, done).play(range(number, number + 1)):
                return True
            if self._progress is not None:
                self._progress(number + 1, self._flow.calls.count)
        return False
