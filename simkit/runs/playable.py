"""What a flow says that cannot be played: in virtual time, or over sockets against real systems."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..errors import Fault
from ..flows.model import Flow
from ..flows.systems import TO_ITS_PROCESS, stimuli
from ..units import HOUR


def refuse_systems(flow: Flow) -> list[Fault]:
    """Return that nobody can simulate a real system."""
    message = "'{}' is a real system, and cannot be simulated: use `simkit replay`"
    return [Fault(actor.source, message.format(actor.name)) for actor in flow.systems]


LIMIT_US: Final = 1 * HOUR
"""So long, of real time, a flow that says no `limit` is played against a real system."""


def limited(flow: Flow, speed: int) -> Flow:
    """Return a flow with a limit of its own, or else the one that real time suggests."""
    if not flow.systems or "limit" in flow.sources:
        return flow
    return replace(flow, limit_us=min(flow.limit_us, LIMIT_US * speed))


def speed_of(flow: Flow, speed: int | None) -> int | None:
    """Return how many times as fast as real time the clocks run: as fast as a system that is warped, or real time."""
    warps = {actor.system.warp for actor in flow.systems if actor.system is not None}
    return speed or max(warps, default=None)


def check_systems(flow: Flow) -> list[Fault]:
    """Return what a flow says that cannot be played against its real systems."""
    faults = [*_faults(flow)]
    warps = {actor.system.warp for actor in flow.systems if actor.system is not None}
    if len(warps) > 1:
        message = "the systems under test run at different speeds: give all the same `warp`"
        faults += [Fault(actor.source, message) for actor in flow.systems]
    return faults


def _faults(flow: Flow) -> Iterator[Fault]:
    started = {actor.name for actor in flow.systems if actor.system is not None and actor.system.start}
    for actor in flow.systems:
        if actor.system is not None and actor.system.warp > 1 and actor.name not in started:
            message = f"nobody can warp '{actor.name}', which runs already: let it be started, by `start`"
            yield Fault(actor.source, message)
    if flow.expect.log and not started:
        message = "the log of a system that runs already is not read: have it started (`start`, or --start)"
        yield Fault(flow.expect.sources.get("log", flow.source), message)
    names = {actor.name for actor in flow.systems} - started
    for stimulus in stimuli(flow.steps):
        if stimulus.actor in names and stimulus.verb in TO_ITS_PROCESS:
            message = f"'{stimulus.actor}' is a real system: only one that simkit starts can {stimulus.verb.value}"
            yield Fault(stimulus.source, f"{message} (`start`, or --start)")
