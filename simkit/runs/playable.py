"""What a flow says that cannot be played, in virtual time or over sockets; and what a real system can take."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..errors import Fault, FlowError
from ..flows.model import Flow
from ..flows.systems import TO_ITS_PROCESS, stimuli
from ..units import HOUR, MS
from .logics import check_logics
from .seats import has_child

EVERY_US: Final = 10 * MS
"""Calls of a flow that does not say how far apart they begin do so in this time, which is real: a hundred a second."""
AT_ONCE: Final = 1_000
"""So many of them at most are under way at once, unless the flow says so."""
CALLS_MAX: Final = 10_000
"""Each call leaves 30 kB behind until the run is over: to tidy up meanwhile would make the others late."""
LIMIT_US: Final = 1 * HOUR
"""So long, of real time, a flow that says no `limit` is played against a real system."""


def limited(flow: Flow, speed: int) -> Flow:
    """Return a flow with limits of its own, or else with those that a real system suggests."""
    if not flow.systems:
        return flow
    calls = replace(flow.calls, every_us=flow.calls.every_us or EVERY_US * speed, at_once=flow.calls.at_once or AT_ONCE)
    limit_us = flow.limit_us if "limit" in flow.sources else min(flow.limit_us, LIMIT_US * speed)
    return replace(flow, limit_us=limit_us, calls=calls)


def speed_of(flow: Flow, speed: int | None) -> int | None:
    """Return how many times as fast as real time the clocks run: as fast as a system that is warped, or real time."""
    warps = {actor.system.warp for actor in flow.systems if actor.system is not None}
    return speed or max(warps, default=None)


def check_playable(flow: Flow) -> None:
    """Raise FlowError, with all faults, for what a flow says that a simulation cannot do."""
    faults = [*check_logics(flow), *(_refuse_systems(flow) or _check_log(flow))]
    if faults:
        raise FlowError(faults)


def check_replayable(flow: Flow) -> None:
    """Raise FlowError, with all faults, for what cannot be played: by logics that are commands, or by real systems."""
    message = "a command runs in virtual time only: use `simkit simulate`, or another logic"
    foreign = [actor.logic for actor in flow.actors.values() if actor.logic is not None and has_child(actor)]
    faults = [*check_logics(flow), *(Fault(logic.source, message) for logic in foreign)]
    faults += _check_systems(flow) if flow.systems else _check_log(flow)
    if faults:
        raise FlowError(faults)


def _refuse_systems(flow: Flow) -> list[Fault]:
    """Return that nobody can simulate a real system."""
    message = "'{}' is a real system, and cannot be simulated: use `simkit replay`"
    return [Fault(actor.source, message.format(actor.name)) for actor in flow.systems]


def _check_log(flow: Flow) -> list[Fault]:
    """Return what is wrong with a flow without a real system that expects something to be logged."""
    if not flow.expect.log:
        return []
    message = "there is no system under test whose log could be read"
    return [Fault(flow.expect.sources.get("log", flow.source), message)]


def _check_systems(flow: Flow) -> list[Fault]:
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
    if flow.calls.count > CALLS_MAX:
        message = f"at most {CALLS_MAX:,} calls are played against a real system, not {flow.calls.count:,}"
        yield Fault(flow.sources.get("calls", flow.source), message)
    if flow.calls.count > 1:
        for stimulus in stimuli(flow.steps):
            if stimulus.actor in started and stimulus.verb in TO_ITS_PROCESS:
                message = f"all {flow.calls.count} calls share '{stimulus.actor}': only in a single one can it"
                yield Fault(stimulus.source, f"{message} {stimulus.verb.value}")
    names = {actor.name for actor in flow.systems} - started
    for stimulus in stimuli(flow.steps):
        if stimulus.actor in names and stimulus.verb in TO_ITS_PROCESS:
            message = f"'{stimulus.actor}' is a real system: only one that simkit starts can {stimulus.verb.value}"
            yield Fault(stimulus.source, f"{message} (`start`, or --start)")
