"""Several flows played over the loopback at the same time: one clock, and a socket for each name of an actor.

That is how the calls of a capture go that were each rebuilt as a flow: with their recorded spacing, side by side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import NamedTuple

from ..drivers.driver import RunEnd
from ..drivers.endpoints import Endpoints
from ..drivers.hosts import LOCAL_HOST
from ..drivers.loopback import LoopbackDriver
from ..drivers.recording import Listening, Recording
from ..drivers.run_clock import RunClock
from ..errors import ForeignError
from ..flows.model import Flow
from ..trace import Trace
from .cast import Cast
from .crowd import Crowd, Progress, run_until
from .garbage import collecting_nothing
from .plan import Plan
from .play import TOLERANCE_US
from .playable import check_replayable
from .run import Run, Wire
from .tally import Tally


class Begun(NamedTuple):
    """A flow, and when it begins: microseconds of the run's time."""

    flow: Flow
    at: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the flows, as it is played."""

    seed: int
    tally: Tally
    crowd: Crowd
    plan: Plan


def play_side_by_side(
    flows: Sequence[Begun],
    *,
    seed: int = 1,
    speed: int | None = None,
    tolerance_us: int = TOLERANCE_US,
    timers: bool = False,
    host: str | None = None,
    ports: Mapping[str, int] | None = None,
    allow_host: bool = False,
    sniff: bool = True,
    progress: Progress | None = None,
    ticked: Callable[[int], None] | None = None,
) -> list[Run]:
    """Play flows without real systems, each from its time on, and return what came of each, in their order.

    Actors of the same name share an address. The seed of each flow is one higher than that of the one before. All else
    is as `play` has it. Raises FlowError for what cannot be played, SetupError where a socket cannot be had.
    """
    started_ns = perf_counter_ns()
    for each in flows:
        check_replayable(each.flow)
    names = tuple(dict.fromkeys(name for each in flows for name in each.flow.actors))
    with (
        Endpoints(names, host=host or LOCAL_HOST, ports=ports, allow_host=allow_host) as endpoints,
        Listening(endpoints.addresses, wanted=sniff) as listening,
    ):
        clock = RunClock(speed)
        driver = LoopbackDriver(endpoints, clock, sniffer=listening.sniffer, allow_host=allow_host)
        driver.ticked = ticked
        stage = _Stage(driver, sum(each.flow.calls.count for each in flows), progress)
        for number, each in enumerate(flows):
            addresses = {name: endpoints.addresses[name] for name in each.flow.actors}
            cast = Cast(each.flow, seed=seed + number, traced=timers, addresses=addresses)
            stage.add(each, cast, tolerance_us * (speed or 1), seed + number)
        with collecting_nothing():
            stage.play()
        seen = listening.recording(driver.sent, clock)
    runs = stage.runs(endpoints.addresses, seen, speed)
    runs[0].wire = replace(runs[0].wire, strays=driver.strays) if runs[0].wire else None
    for run in runs:
        run.wall_us = (perf_counter_ns() - started_ns) // 1000
    return runs


class _Stage:
    """The flows that share a driver."""

    def __init__(self, driver: LoopbackDriver, calls: int, progress: Progress | None) -> None:
        self._driver, self._calls, self._progress = driver, calls, progress
        self._parts: list[_Part] = []
        self._over = 0

    def add(self, begun: Begun, cast: Cast, tolerance_us: int, seed: int) -> None:
        """Have a flow take part."""
        plan, numbers = Plan(begun.flow, tolerance_us=tolerance_us), range(begun.flow.calls.count)
        tally = Tally(plan)
        crowd = Crowd(plan, cast, self._driver, numbers, tally.add, self._progressed)
        crowd.schedule(numbers, begins_at=begun.at)
        self._parts.append(_Part(seed, tally, crowd, plan))

    def play(self) -> None:
        """Play all to their ends, or as far as they come."""
        broken = None
        try:
            end = run_until(self._driver, max(part.crowd.until for part in self._parts))
        except KeyboardInterrupt:
            end = RunEnd.STOPPED
        except ForeignError as error:
            end, broken = RunEnd.STOPPED, error
        for part in self._parts:
            is_cut_off = end is RunEnd.STOPPED and not part.crowd.is_over
            part.crowd.finish(end, broken.at(part.plan.flow.source) if broken else None)
            part.tally.interrupted, part.tally.broken = is_cut_off and broken is None, broken

    def _progressed(self, _over: int, _of: int) -> None:
        self._over += 1
        if self._over == self._calls:
            self._driver.hurry()
        if self._progress is not None:
            self._progress(self._over, self._calls)

    def runs(self, addresses: Mapping[str, tuple[str, int]], seen: Recording, speed: int | None) -> list[Run]:
        """Return what came of each flow, with its own part of what was seen."""
        found = []
        for part in self._parts:
            names = {name: addresses[name] for name in part.plan.flow.actors}
            run = part.tally.run(seed=part.seed, addresses=names)
            call_ids = {each.message.header("Call-ID") for trace in run.traces.values() for each in trace.messages()}
            own = Trace([each for each in seen.trace.messages() if each.message.header("Call-ID") in call_ids])
            run.wire = Wire(speed, part.plan.tolerance_us, own, seen.by, seen.note)
            found.append(run)
        return found
