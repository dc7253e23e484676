"""What every driver does with the parties of its calls: it gives them their turns, and has trouble befall them.

A party's turn follows every input to its agent: what the agent hands out is passed on, and its deadline watched. Where
time and bytes come from is each driver's own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from ..settings import LinkSettings
from ..sip.message import Message
from ..trace import TimerChange, TimerRecord, Transit
from ..ua.events import Address
from ..ua.timers import TimerEvent
from .driver import Agent, Observer, RunEnd
from .link import Random
from .network import Condition, Network, Party

_IDEAL: Final = LinkSettings()


class Driver(ABC):
    """Plays any number of calls, each in its own network, on one clock; all times are the run's, in microseconds."""

    instant_us: ClassVar[int] = 1
    """How long what counts as one instant lasts, where parties are to come to rest."""

    @property
    @abstractmethod
    def now(self) -> int:
        """The run's time; it stands still while one thing happens."""

    @abstractmethod
    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at a time that has not passed; `late`: after all that happens at that instant."""

    @abstractmethod
    def run(self, *, until: int) -> RunEnd:
        """Let happen what is to happen up to and including `until`, where the clock then stands; tell why it ended.

        An exception of an agent, an observer or an action ends the run and is passed on, KeyboardInterrupt included.
        What was observed until then holds. Raises ZeroTimeLoop.
        """

    def network(
        self,
        observer: Observer,
        random: Random,
        *,
        default: LinkSettings = _IDEAL,
        links: Mapping[tuple[str, str], LinkSettings] | None = None,
        connected: bool = False,
    ) -> Network:
        """Make a network: links behave as `default` says, or as `links` says by (sender, receiver).

        `connected`: messages go over connections, as over TCP.
        """
        return Network(
            observer,
            random,
            self._carry,
            self._carry_out,
            default=default,
            links=links or {},
            instant_us=self.instant_us,
            refuse=self._refuse if connected else None,
        )

    def admit(self, outsider: Party) -> None:
        """A real system has part in a call from here on. Only a driver with sockets can reach it."""
        raise AssertionError(f"{outsider.name} is out of reach")

    def dismiss(self, outsider: Party) -> None:
        """What a real system says from here on belongs to no call."""
        raise AssertionError(f"{outsider.name} is out of reach")

    def poke(self, party: Party) -> None:
        """Call after every command to a party's agent: what it hands out is sent and its deadline watched.

        A frozen party's turn comes when it thaws, a crashed one's never.
        """
        if party.condition is Condition.RUNNING:
            self._turn(party, None)

    def crash(self, party: Party) -> None:
        """From here on the party neither sends nor hears, and no deadline of its agent comes.

        Its host is gone without a word, so that nobody else learns of a broken connection.
        """
        party.condition = Condition.CRASHED
        party.wake_at = None
        self._no_longer_held(party)

    def restart(self, party: Party, agent: Agent) -> None:
        """Put a fresh agent, which remembers nothing, in the party's place; the connections that it had are lost."""
        party.agent = agent
        self._resume(party)
        if party.network.connections is not None:
            for peer in party.network.parties():
                if peer is not party:
                    self.disconnect(party, peer)

    def disconnect(self, one: Party, other: Party) -> None:
        """Break the connection between two parties; both learn of it, a frozen one when it is thawed."""
        one.network.disconnect(one.name, other.name)
        self._lose(one, other.address)
        self._lose(other, one.address)

    def _lose(self, party: Party, peer: Address) -> None:
        """Tell a party that its connection to a peer is lost, or could not be had."""
        if party.condition is Condition.FROZEN:
            party.held.append(lambda: self._lose(party, peer))
        elif party.condition is Condition.RUNNING:
            party.agent.disconnected(peer, now=party.clock.local(self.now))
            self._turn(party, None)

    def _refuse(self, party: Party, peer: Address) -> None:
        """Tell a party, once its turn is over, that nobody takes its connection."""
        self.at(self.now, lambda: self._lose(party, peer))

    def freeze(self, party: Party) -> None:
        """Suspend a running party's host: its clock stands still and what arrives is lost; a connection waits."""
        if party.condition is Condition.RUNNING:
            party.condition = Condition.FROZEN
            party.clock.freeze(self.now)
            party.wake_at = None

    def thaw(self, party: Party) -> None:
        """Let a frozen party go on where it stood."""
        if party.condition is Condition.FROZEN:
            self._resume(party)

    def _resume(self, party: Party) -> None:
        party.condition = Condition.RUNNING
        party.clock.thaw(self.now)
        self._turn(party, None)
        self._no_longer_held(party)

    def _no_longer_held(self, party: Party) -> None:
        held, party.held = party.held, []
        for go_on in held:
            go_on()

    @abstractmethod
    def _carry(self, transit: Transit, receiver: Party, arrives_at: int | None) -> None:
        """Bring a message to `_deliver` at this time; None: its link loses it on the way."""

    def _carry_out(self, transit: Transit, outsider: Party, leaves_at: int | None, destination: Address) -> None:
        """Send a message to a real system, to this address, at this time; None: its link loses it on the way."""
        raise AssertionError(f"{outsider.name} is out of reach")

    def _deliver(self, transit: Transit, receiver: Party, message: Message) -> None:
        """Hand over a message that has arrived, as its receiver reads it."""
        network, now = receiver.network, self.now
        if transit.lost is not None:
            return  # with the connection
        if network.connections is not None:
            if receiver.condition is Condition.FROZEN:
                receiver.held.append(lambda: self._deliver(transit, receiver, message))
                return
            network.connections.arrived(transit)
        if receiver.condition is not Condition.RUNNING:
            network.lose(transit, f"{receiver.name} {receiver.condition.value}")
            return
        transit.received_at = now
        network.observer.delivered(transit)
        if receiver.filter is None or not receiver.filter(message):
            receiver.agent.receive(message, now=receiver.clock.local(now))
            self._turn(receiver, transit)

    def _turn(self, party: Party, received: Transit | None) -> None:
        """After every input to an agent: pass on what it hands out, and watch its deadline."""
        network, agent, now = party.network, party.agent, self.now
        network.take_turn(party, received, now=now)
        for timer_event in agent.timer_events():
            network.observer.timer(_record(timer_event, party, now))
        for outgoing in agent.outgoing():
            network.send(party, outgoing, now=now)
        for event in agent.events():
            network.observer.happened(party.name, event, at=now)
        self._watch(party, now)

    def _watch(self, party: Party, now: int) -> None:
        """Arm a wake-up for the agent's deadline, unless one comes sooner: that one will look again."""
        deadline = party.agent.next_deadline()
        if deadline is None:
            return
        wake_at = max(now, party.clock.run(deadline))
        if party.wake_at is None or wake_at < party.wake_at:
            party.wake_at = wake_at
            self.at(wake_at, lambda: self._wake(party, wake_at))

    def _wake(self, party: Party, wake_at: int) -> None:
        if party.wake_at != wake_at:
            return  # superseded by an earlier one, or by a crash
        party.wake_at = None
        party.agent.handle_deadline(now=party.clock.local(self.now))
        self._turn(party, None)


def _record(event: TimerEvent, party: Party, now: int) -> TimerRecord:
    timer = event.timer
    due_at = party.clock.run(event.due_at)
    return TimerRecord(now, party.name, timer.value, TimerChange(event.change), due_at, timer.rule, event.about)
