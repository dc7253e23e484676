"""The children that have a part in a call of a flow, while it is played in virtual time.

A child of kind "timer-logic" serves its party in one call after the other; of kind "endpoint" each call has one of its
own. A child is its party's host: where a flow has the party crash, the process ends, and where it restarts, another is
started.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from ..drivers.network import Party
from ..drivers.virtual import VirtualDriver
from ..errors import Fault, FlowError, ForeignError
from ..flows.model import Actor, Answer, Flow, LogicKind
from ..settings import SessionTimerSettings
from ..ua.events import Address
from ..ua.identifiers import Random
from ..ua.session_timer import Side
from ..ua.timer_logic import TimerLogic
from ..ua.timers import TimerLog
from ..ua.user_agent import TimerLogicFactory

if TYPE_CHECKING:
    from ..foreign.child import Child
    from ..foreign.endpoint import Endpoint
    from ..foreign.timer_logic import TimerLogicChild
    from .foresight import Foresight

LOGIC_TIMEOUT_S: Final = 5.0
"""How long, in real time, a child may take to answer."""


class Seats:
    """The seats that children take in the calls of a flow. They live as long as its `with` block, and no longer."""

    def __init__(self, flow: Flow, *, timeout_s: float = LOGIC_TIMEOUT_S) -> None:
        self._flow = flow
        self._timeout_s = timeout_s
        self._names = [name for name, actor in flow.actors.items() if has_child(actor)]
        self._stack = ExitStack()
        self._endpoints: set[str] = set()
        """The parties of which a child is the whole; of the others that have one, it fills the seat of the timer."""
        self._standing: dict[str, Child] = {}
        """Children that have started, and have no seat now."""
        self._seated: dict[str, TimerLogicChild | Endpoint] = {}
        self._foresight: Foresight | None = None

    def __enter__(self) -> "Seats":
        """Start the children. Raises ForeignError, and FlowError for what cannot be played with them."""
        if self._names:
            with self._stack:
                self._start_all()
                self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        """End the children."""
        self._stack.close()

    def _start_all(self) -> None:
        from ..foreign.wire import Kind
        from ..processes.interruptions import orderly_ends

        self._stack.enter_context(orderly_ends())
        children = self._standing = {name: self._start(name) for name in self._names}
        self._endpoints = {name for name, child in children.items() if child.kind is Kind.ENDPOINT}
        blind = [name for name, child in children.items() if not child.knows_next]
        if faults := [*_faults(self._flow, blind, sorted(self._endpoints))]:
            raise FlowError(faults)

    def attend(self, driver: VirtualDriver) -> None:
        """The next call is played on this driver."""
        if self._names:
            from .foresight import Foresight

            self._foresight = driver.look_ahead = Foresight(driver, step_us=shortest_way_us(self._flow))

    def _start(self, name: str) -> "Child":
        from ..foreign.child import Child

        logic = self._flow.actors[name].logic
        assert logic is not None
        child = Child(logic.command, whose=f"{name}'s logic", timeout_s=self._timeout_s)
        self._stack.callback(child.end)
        try:
            child.start()
        except ForeignError as error:
            raise error.at(logic.source) from None
        return child

    def _take_child(self, name: str) -> "Child":
        return self._standing.pop(name) if name in self._standing else self._start(name)

    def timer_logic(self, name: str) -> TimerLogicFactory | None:
        """Return what makes the timer logics of a party; None where no child does."""
        if name not in self._names:
            return None
        from ..foreign.timer_logic import TimerLogicChild

        seated = self._seated[name] = TimerLogicChild(self._take_child(name))

        def seat(settings: SessionTimerSettings, side: Side, random: Random, log: TimerLog | None) -> TimerLogic:
            return seated.seat(settings, side.value)

        return seat

    def is_endpoint(self, name: str) -> bool:
        """Whether a child is the whole of this party."""
        return name in self._endpoints

    def endpoint(self, name: str, address: Address, peer: Address) -> "Endpoint":
        """Return the whole of a party."""
        from ..foreign.endpoint import Endpoint

        actor = self._flow.actors[name]
        endpoint = self._seated[name] = Endpoint(
            self._take_child(name),
            name=name,
            address=address,
            peer=peer,
            settings=actor.session_timer,
            answers=_answers(actor),
            timeout_us=self._flow.timers.timeout_us,
        )
        return endpoint

    def take(self, party: Party) -> None:
        """A party is in its place, or back in it: what its child does next is foreseen from here on."""
        if party.name in self._seated and self._foresight is not None:
            self._foresight.watch(self._seated[party.name], party)

    def crashed(self, party: Party) -> None:
        """A party's host has died, and its child with it."""
        seated = self._seated.pop(party.name, None)
        if seated is not None:
            self._forget(seated)
            seated.end()

    def call_is_over(self) -> None:
        """Everybody gets up. A child that can serve in another call stays."""
        for name, seated in self._seated.items():
            self._forget(seated)
            if seated.vacate():
                self._standing[name] = seated.child
        self._seated.clear()

    def _forget(self, seated: "TimerLogicChild | Endpoint") -> None:
        assert self._foresight is not None
        self._foresight.forget(seated)


def shortest_way_us(flow: Flow) -> int:
    """Return the least time that a message is on its way between any two parties."""
    links = flow.network.links
    pairs = [(sender, receiver) for sender in flow.actors for receiver in flow.actors if sender != receiver]
    return min((links.get(pair, flow.network.default).latency_us for pair in pairs), default=0)


def has_child(actor: Actor) -> bool:
    """Whether a child has a part in what this actor does."""
    return actor.logic is not None and actor.logic.kind is LogicKind.COMMAND


def _faults(flow: Flow, blind: Sequence[str], endpoints: Sequence[str]) -> Iterator[Fault]:
    """Yield what cannot be played with children that do not know when they act next, or are the whole of a party."""
    if endpoints and flow.transport.is_reliable:
        message = f"the logic of {' and '.join(endpoints)} is the whole of a party: its protocol knows udp alone"
        yield Fault(flow.sources["transport"], message)
    if len(blind) > 1 and not shortest_way_us(flow):
        yield Fault(flow.sources.get("network", flow.source), _BLIND.format(*blind))


_BLIND: Final = (
    "the logics of {} and {} both cannot know when they act next, so they advance in steps as long as a message is on "
    "its way: give every link a latency, such as network: {{latency: 10ms}}"
)


def _answers(actor: Actor) -> dict[str, int | None]:
    """Return how a party is to answer calls: after a time (None: by hand), or by rejecting them."""
    answers = actor.answers
    after_us = {Answer.AT_ONCE: 0, Answer.AFTER: answers.after_us}.get(answers.how)
    return {"answer_after_us": after_us, "reject_with": answers.status if answers.how is Answer.REJECT else None}
