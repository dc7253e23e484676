"""Logics that run in our own process, resolved: ours, museum pieces, and classes of somebody else's."""

from importlib import import_module
from typing import cast

from ..errors import Fault, ForeignError
from ..flows.model import Actor, Flow, Logic, LogicKind
from ..settings import SessionTimerSettings
from ..ua.identifiers import Random
from ..ua.session_timer import Side
from ..ua.timer_logic import TimerLogic
from ..ua.timers import TimerLog
from ..ua.user_agent import TimerLogicFactory


def check_logics(flow: Flow) -> list[Fault]:
    """Return what is wrong with the logics that a flow names, as far as that shows before it is run."""
    faults = []
    for actor in flow.actors.values():
        try:
            in_process(actor)
        except ForeignError as error:
            assert actor.logic is not None
            place, lines = actor.logic.source, [f"{actor.logic}: {error.what}", *error.log]
            faults.append(Fault(place, "\n    ".join(lines)))
    return faults


def in_process(actor: Actor) -> TimerLogicFactory | None:
    """Return what makes the timer logics of an actor; None where that is our own, or a child. Raises ForeignError."""
    logic = actor.logic
    if logic is None or logic.kind in (LogicKind.RFC4028, LogicKind.COMMAND):
        return None
    return _museum_piece(logic) if logic.kind is LogicKind.MUSEUM else _of_python(actor.name, logic)


def _museum_piece(logic: Logic) -> TimerLogicFactory:
    try:
        piece = import_module("..museum", __package__).logic(logic.name)
    except (ImportError, AttributeError, LookupError):
        raise ForeignError("no such museum piece") from None
    return cast("TimerLogicFactory", piece)


def _of_python(name: str, logic: Logic) -> TimerLogicFactory:
    from ..foreign.python_logic import GuardedLogic, find

    make, whose = find(logic.name), f"{name}'s logic ({logic})"

    def seat(settings: SessionTimerSettings, side: Side, random: Random, log: TimerLog | None) -> TimerLogic:
        return GuardedLogic(make, whose, settings, side=side, random=random)

    return seat
