"""A real system under test in the place of an actor, and what no line of a flow can make it do.

It calls, rings and answers by itself: such a line says what it is expected to do, and what is seen tells whether it
did. Crashing it takes a system that we have started: see `runs.systems`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ..errors import Fault, FlowError
from .faults import unknown
from .model import Actor, Address, Flow, Observation, Repeat, Role, Step, Stimulus, System, Verb

BY_ITSELF: Final = frozenset({Verb.CALL, Verb.RING, Verb.ANSWER})
"""What a system is not asked for: it does so, or what is awaited will not come."""
TO_ITS_PROCESS: Final = frozenset({Verb.CRASH, Verb.RESTART, Verb.FREEZE, Verb.THAW})
"""What can be done to a system that we have started."""
_POSSIBLE: Final = BY_ITSELF | TO_ITS_PROCESS


def refusal(name: str, verb: Verb) -> str | None:
    """Return why no line can have a real system do this; None where one can."""
    if verb in _POSSIBLE:
        return None
    return f"'{name}' is a real system: nobody can make it {verb.value}; leave the line out, and wait for its message"


def counterpart(flow: Flow, side: str) -> str:
    """Return the actor that is the system under test where we play the `side` ("uac" or "uas") of a flow.

    It is the one whose role is the other side's; of scripted parties, who gets the first INVITE, or sends it. Raises
    FlowError where that is not one.
    """
    wanted = Role.UAS if side == Role.UAC.value else Role.UAC
    named = [actor.name for actor in flow.actors.values() if actor.role is wanted]
    if len(named) == 1:
        return named[0]
    for step in observations(flow.steps):
        if step.pattern.method == "INVITE" and step.pattern.status is None:
            name = step.receiver if wanted is Role.UAS else step.sender
            if not named or name in named:
                return name
    raise FlowError([Fault(flow.source, f"no actor of {flow.title} is the {wanted.value}: choose it by --sut ACTOR")])


def with_system(flow: Flow, name: str, at: Address, system: System) -> Flow:
    """Return the flow with a real system in the place of an actor. Raises FlowError, with all that it cannot be."""
    actor = flow.actors.get(name)
    if actor is None:
        raise FlowError([Fault(flow.source, unknown("actor", name, flow.actors).message)])
    faults = [*_faults(actor, flow.steps)]
    if faults:
        raise FlowError(faults)
    plays = actor.role if actor.role in (Role.UAC, Role.UAS, Role.PROXY) else system.plays
    real = Actor(
        actor.source,
        name,
        Role.SUT,
        session_timer=actor.session_timer,
        proxy_session=actor.proxy_session,
        at=at,
        system=replace(system, plays=plays),
    )
    return replace(flow, actors={**flow.actors, name: real})


def _faults(actor: Actor, steps: Iterable[Step]) -> Iterator[Fault]:
    for step in _flat(steps):
        if isinstance(step, Stimulus) and step.actor == actor.name and (why := refusal(actor.name, step.verb)):
            yield Fault(step.source, why)
        elif isinstance(step, Observation) and step.sender == actor.name and (step.headers or step.raw or step.without):
            yield Fault(step.source, f"'{actor.name}' is a real system: nobody can shape what it sends")


def observations(steps: Iterable[Step]) -> Iterator[Observation]:
    """Yield the observations of a flow in order, those of repeats once."""
    return (step for step in _flat(steps) if isinstance(step, Observation))


def stimuli(steps: Iterable[Step]) -> Iterator[Stimulus]:
    """Yield the stimuli of a flow in order, those of repeats once."""
    return (step for step in _flat(steps) if isinstance(step, Stimulus))


def _flat(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Repeat):
            yield from _flat(step.steps)
        else:
            yield step
