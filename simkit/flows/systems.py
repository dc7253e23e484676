"""A real system under test in the place of an actor, and what no line of a flow can make it do.

What it does, it does by itself: a line that has it answer says what is expected, and what is seen tells whether it did.
One that places calls is scripted somewhere, and may hang up or hold there; one that takes calls only rings, answers or
rejects. To crash it takes a system that we have started: see `runs.playable`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from ..errors import Fault, FlowError
from .faults import unknown
from .model import Actor, Address, Flow, Observation, Repeat, Role, Step, Stimulus, System, Verb

TO_ITS_PROCESS: Final = frozenset({Verb.CRASH, Verb.RESTART, Verb.FREEZE, Verb.THAW})
"""What can be done to a system that we have started."""
_CALLED: Final = TO_ITS_PROCESS | {Verb.RING, Verb.ANSWER, Verb.REJECT}
"""What a system may do that takes calls."""
_WITHIN: Final = frozenset({Verb.IGNORE, Verb.REPLY})
"""What takes a hand in it."""


def counterpart(flow: Flow, side: str) -> str:
    """Return the actor that is the system under test where we play the `side` ("uac" or "uas") of a flow.

    It is the one whose role is the other side's; of scripted parties, who gets the first INVITE, or sends it. Raises
    FlowError where that is not one.
    """
    wanted = Role.UAS if side == Role.UAC.value else Role.UAC
    named = [actor.name for actor in flow.actors.values() if actor.role is wanted]
    if len(named) == 1:
        return named[0]
    first = first_invite(flow)
    name = first and (first.receiver if wanted is Role.UAS else first.sender)
    if name and (not named or name in named):
        return name
    raise FlowError([Fault(flow.source, f"no actor of {flow.title} is the {wanted.value}: choose it by --sut ACTOR")])


def with_system(flow: Flow, name: str, at: Address, system: System) -> Flow:
    """Return the flow with a real system in the place of an actor. Raises FlowError, with all that it cannot be."""
    actor = flow.actors.get(name)
    if actor is None:
        raise FlowError([Fault(flow.source, unknown("actor", name, flow.actors).message)])
    faults = [*faults_of(actor, flow.steps)]
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


def with_stand_ins(flow: Flow) -> Flow:
    """Return the flow with parties of ours in the places of its real systems: what they would do by the rules."""
    actors = {name: _stand_in(flow, actor) for name, actor in flow.actors.items()}
    return replace(flow, actors=actors)


def _stand_in(flow: Flow, actor: Actor) -> Actor:
    if actor.system is None:
        return actor
    first = first_invite(flow)
    usual = Role.UAC if first is not None and first.sender == actor.name else Role.UAS
    return replace(actor, role=actor.system.plays or usual, system=None)


def faults_of(actor: Actor, steps: Iterable[Step]) -> Iterator[Fault]:
    """Yield what lines have a real system do that nobody can make it do."""
    steps = [*_flat(steps)]
    calls = any(each.verb is Verb.CALL and each.actor == actor.name for each in stimuli(steps))
    for step in steps:
        if isinstance(step, Stimulus) and step.actor == actor.name:
            if step.verb in _WITHIN:
                way = "have `net` drop what it is sent" if step.verb is Verb.IGNORE else "leave the line out"
                yield Fault(
                    step.source, f"'{actor.name}' is a real system: nobody can make it {step.verb.value}; {way}"
                )
            elif not calls and step.verb not in _CALLED:
                what = f"'{actor.name}' is a real system that takes calls: nobody can make it {step.verb.value}"
                yield Fault(step.source, f"{what}; leave the line out, and wait for its message")
        elif isinstance(step, Observation) and step.sender == actor.name and (step.headers or step.raw or step.without):
            yield Fault(step.source, f"'{actor.name}' is a real system: nobody can shape what it sends")


def first_invite(flow: Flow) -> Observation | None:
    """Return the line of the first INVITE."""
    invites = (step for step in observations(flow.steps) if str(step.pattern) == "INVITE")
    return next(invites, None)


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
