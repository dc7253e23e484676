"""Play a flow over the loopback: the same machines, script and judgement as in virtual time, with real packets.

Time is real, so what the flow says to the microsecond holds within a tolerance. At a fixed speed the parties' clocks
run so many times as fast as real time. Without one they keep real time while something is on its way, and time in which
nothing happens is skipped: both sides are ours, so nobody notices. That is quick however long the flow is, and T1 stays
at 500 ms of real time, a thousand times what this machine takes to turn a message round.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from time import perf_counter_ns
from typing import Final

from ..drivers.endpoints import Endpoints
from ..drivers.hosts import LOCAL_HOST as LOCAL_HOST
from ..drivers.loopback import LoopbackDriver
from ..drivers.recording import Listening
from ..drivers.run_clock import RunClock
from ..errors import ForeignError
from ..flows.model import Calls, Flow
from ..trace import Trace
from ..units import MS
from .call_run import CallRun
from .cast import Cast
from .crowd import RECORDED_MAX, Crowd, Progress
from .garbage import collecting_nothing
from .load import Load
from .logged import judge_log
from .places import places
from .plan import Plan
from .playable import check_replayable, limited, speed_of
from .run import Run, Wire
from .tally import Tally

TOLERANCE_US: Final = 100 * MS
"""Of real time: what the machine may be late, unless told otherwise."""

MESSAGES_MAX: Final = 100_000
"""So many messages at most are recorded of a crowd: a hundred megabytes."""


def play(
    flow: Flow,
    *,
    seed: int = 1,
    speed: int | None = None,
    tolerance_us: int = TOLERANCE_US,
    calls: int | None = None,
    timers: bool = False,
    host: str | None = None,
    ports: Mapping[str, int] | None = None,
    allow_host: bool = False,
    sniff: bool = True,
    each: Callable[[int, Trace], None] | None = None,
    progress: Progress | None = None,
    ticked: Callable[[int], None] | None = None,
) -> Run:
    """Play a flow over the loopback and return what came of it; every call's trace is kept.

    The parties' clocks run `speed` times as fast as real time; None: as fast, but idle time is skipped. `tolerance_us`
    is real time, however fast the clocks run. `calls` takes the place of the flow's own count. `ports` says which ports
    some parties are to have; the system picks the others'. What goes over the wire is recorded by scapy's sniffer where
    the user may capture, unless `sniff` is off; otherwise by the sockets. Of many calls against a real system only the
    first messages are recorded, and few traces are kept; `each` is given that of every call when it is over.

    On KeyboardInterrupt the run is returned as far as it came, `interrupted`. Raises FlowError for what cannot be
    played, SetupError where a socket cannot be had, or where `host` is not this machine and that is not allowed.
    """
    started_ns = perf_counter_ns()
    if calls is not None:
        flow = replace(flow, calls=Calls(calls, flow.calls.every_us))
    check_replayable(flow)
    speed = speed_of(flow, speed)
    flow = limited(flow, speed or 1)
    is_crowd = bool(flow.systems) and flow.calls.count > RECORDED_MAX
    plan = Plan(flow, tolerance_us=tolerance_us * (speed or 1))
    ours = places(flow, host, ports or {}, allow_host=allow_host)
    with ExitStack() as stack:
        endpoints = stack.enter_context(
            Endpoints(ours.names, host=ours.host, ports=ours.ports, allow_host=allow_host, transport=flow.transport)
        )
        addresses = {**endpoints.addresses, **ours.systems}
        cast = Cast(flow, seed=seed, traced=timers, addresses=addresses)
        transport, outward = flow.transport, bool(flow.systems)
        ends = addresses if transport.is_reliable else endpoints.addresses  # a connection of ours may be to a system
        wanted = sniff and not is_crowd
        listening = stack.enter_context(Listening(ends, wanted=wanted, transport=transport, outward=outward))
        if flow.systems:
            from .systems import Systems  # what starts processes is loaded for those alone who have one to start

            cast.systems = stack.enter_context(Systems(flow, addresses, speed=speed or 1))
        clock = RunClock(speed)
        driver = LoopbackDriver(
            endpoints,
            clock,
            sniffer=listening.sniffer,
            allow_host=allow_host,
            recorded_max=MESSAGES_MAX if is_crowd else None,
        )
        driver.ticked = ticked
        if cast.systems is not None:
            cast.systems.heard, cast.systems.hurry = driver.outside.hearsay, driver.hurry
        tally = _play(plan, cast, driver, each, progress, kept_max=RECORDED_MAX if is_crowd else None)
        seen = listening.recording(driver.sent, clock, endpoints.opened_from)
    run = tally.run(seed=seed, addresses=addresses)
    wire = Wire(speed, plan.tolerance_us, seen.trace, seen.by, seen.note, driver.strays)
    run.wire = wire if cast.systems is None else replace(wire, heard=cast.systems.heard, tested=cast.systems.met(clock))
    judge_log(run)
    run.wall_us = (perf_counter_ns() - started_ns) // 1000
    return run


def _play(
    plan: Plan,
    cast: Cast,
    driver: LoopbackDriver,
    each: Callable[[int, Trace], None] | None,
    progress: Progress | None,
    *,
    kept_max: int | None,
) -> Tally:
    """Play all calls and judge the whole; when all are over, do not wait until their transactions have died."""

    def progressed(over: int, of: int) -> None:
        if over == of and cast.systems is None:
            driver.hurry()
        if progress is not None:
            progress(over, of)

    def done(call: CallRun) -> None:
        tally.add(call)
        if each is not None and call.trace is not None:
            each(call.number, call.trace)

    numbers, tally = range(plan.flow.calls.count), Tally(plan, kept_max=kept_max)
    if cast.systems is not None and len(numbers) > 1:
        tally.load = Load()
    with collecting_nothing():
        try:
            tally.interrupted = Crowd(plan, cast, driver, numbers, done, progressed).play(numbers)
        except ForeignError as error:
            tally.broken = error
    return tally
