"""Logics that run in our own process, resolved: ours, museum pieces, and classes of somebody else's."""

from typing import TYPE_CHECKING, TypeVar

from ..errors import Fault, ForeignError
from ..flows.model import Actor, Flow, Logic, LogicKind, Role
from ..settings import SessionTimerSettings
from ..ua.identifiers import Random
from ..ua.session_timer import Side
from ..ua.timer_logic import TimerLogic
from ..ua.timers import TimerLog
from ..ua.user_agent import TimerLogicFactory, UserAgent

if TYPE_CHECKING:
    from ..ua.proxy import Proxy

M = TypeVar("M")


def check_logics(flow: Flow) -> list[Fault]:
    """Return what is wrong with the logics that a flow names, as far as that shows before it is run."""
    faults = []
    for actor in flow.actors.values():
        try:
            in_process(actor)
            proxy_of(actor) if actor.role is Role.PROXY else user_agent_of(actor)
        except ForeignError as error:
            assert actor.logic is not None
            place, lines = actor.logic.source, [f"{actor.logic}: {error.what}", *error.log]
            faults.append(Fault(place, "\n    ".join(lines)))
    return faults


def in_process(actor: Actor) -> TimerLogicFactory | None:
    """Return what makes the timer logics of an actor; None: not a class of somebody else's. Raises ForeignError."""
    logic = actor.logic
    if logic is None or logic.kind is not LogicKind.PYTHON:
        return None
    return _of_python(actor.name, logic)


def user_agent_of(actor: Actor) -> type[UserAgent]:
    """Return what an actor's user agents are: ours, or those of a museum piece. Raises ForeignError."""
    return _machine_of(actor, UserAgent, "a proxy")


def proxy_of(actor: Actor) -> "type[Proxy]":
    """Return what a proxy is: ours, or a museum piece. Raises ForeignError."""
    from ..ua.proxy import Proxy  # few flows have one

    return _machine_of(actor, Proxy, "a user agent")


def _machine_of(actor: Actor, ours: type[M], other: str) -> type[M]:
    """Return our machine, or the museum piece in its place; `other` is what else a piece may be."""
    logic = actor.logic
    if logic is None or logic.kind is not LogicKind.MUSEUM:
        return ours
    from ..museum import PIECES

    if logic.name not in PIECES:
        raise ForeignError("no such museum piece; `simkit museum` lists them")
    machine = PIECES[logic.name].machine
    if not issubclass(machine, ours):
        raise ForeignError(f"a defect of {other}, which {actor.name} is not")
    return machine


def _of_python(name: str, logic: Logic) -> TimerLogicFactory:
    from ..foreign.python_logic import GuardedLogic, find

    make, whose = find(logic.name), f"{name}'s logic ({logic})"

    def seat(settings: SessionTimerSettings, side: Side, random: Random, log: TimerLog | None) -> TimerLogic:
        return GuardedLogic(make, whose, settings, side=side, random=random)

    return seat
