"""Virtual time: a simpy clock that jumps from one event to the next, so that nobody ever waits.

Times are integers of microseconds throughout. Events of one instant happen in the order in which they were scheduled,
those called late after all others. Messages are handed over as they are: nothing is written as bytes or parsed here.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simpy.core import Environment, Infinity
from simpy.events import NORMAL, Event, EventPriority

from ..settings import LinkSettings
from ..trace import TimerChange, TimerRecord, Transit
from ..ua.timers import TimerEvent
from .driver import Agent, Observer, RunEnd
from .link import Random
from .network import Condition, Network, Party

_LATE: Final = EventPriority(NORMAL + 1)
_IDEAL: Final = LinkSettings()


class _Moment(Event):
    """One thing to do at one instant."""

    def __init__(
        self, environment: Environment, at: int, action: Callable[[Event], None], priority: EventPriority = NORMAL
    ) -> None:
        delay = at - environment.now
        assert delay >= 0, "the past is settled"
        super().__init__(environment)
        self.callbacks.append(action)
        self._ok = True
        self._value = None
        environment.schedule(self, priority, delay)


class VirtualDriver:
    """Plays any number of calls, each in its own network, on one clock."""

    def __init__(self, *, start_at: int = 0) -> None:
        self._environment = Environment(start_at)
        self._stopped = False

    @property
    def now(self) -> int:
        """The run's time in microseconds."""
        return self._environment.now  # type: ignore[return-value]  # integers went in, so integers come out

    def network(
        self,
        observer: Observer,
        random: Random,
        *,
        default: LinkSettings = _IDEAL,
        links: Mapping[tuple[str, str], LinkSettings] | None = None,
    ) -> Network:
        """Make a network: links behave as `default` says, or as `links` says by (sender, receiver)."""
        return Network(observer, random, self._carry, default=default, links=links or {})

    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at a time that has not passed; `late`: after all that happens at that instant."""
        _Moment(self._environment, when, lambda _: action(), _LATE if late else NORMAL)

    def poke(self, party: Party) -> None:
        """Call after every command to a party's agent: what it hands out is sent and its deadline watched.

        A frozen party's turn comes when it thaws, a crashed one's never.
        """
        if party.condition is Condition.RUNNING:
            self._turn(party, None)

    def crash(self, party: Party) -> None:
        """From here on the party neither sends nor hears, and no deadline of its agent comes."""
        party.condition = Condition.CRASHED
        party.wake_at = None

    def restart(self, party: Party, agent: Agent) -> None:
        """Put a fresh agent, which remembers nothing, in the party's place."""
        party.agent = agent
        self._resume(party)

    def freeze(self, party: Party) -> None:
        """Suspend a running party's host: its clock stands still and what arrives is lost."""
        if party.condition is Condition.RUNNING:
            party.condition = Condition.FROZEN
            party.clock.freeze(self.now)
            party.wake_at = None

    def thaw(self, party: Party) -> None:
        """Let a frozen party go on where it stood."""
        if party.condition is Condition.FROZEN:
            self._resume(party)

    def run(self, *, until: int) -> RunEnd:
        """Let happen what is to happen up to and including `until`, where the clock then stands; tell why it ended.

        An exception of an agent, an observer or an action ends the run and is passed on, KeyboardInterrupt included.
        What was observed until then holds. Raises ZeroTimeLoop.
        """
        environment = self._environment
        self._stopped = False
        while (next_at := environment.peek()) <= until:
            environment.step()
            if self._stopped:
                return RunEnd.STOPPED
        if self.now < until:
            environment.run(until=until)
        return RunEnd.IDLE if next_at == Infinity else RunEnd.LIMIT

    def stop(self) -> None:
        """End `run` when what is happening now is done."""
        self._stopped = True

    def _resume(self, party: Party) -> None:
        party.condition = Condition.RUNNING
        party.clock.thaw(self.now)
        self._turn(party, None)

    def _carry(self, transit: Transit, receiver: Party, arrives_at: int) -> None:
        _Moment(self._environment, arrives_at, lambda _: self._deliver(transit, receiver))

    def _deliver(self, transit: Transit, receiver: Party) -> None:
        network, now = receiver.network, self.now
        if receiver.condition is not Condition.RUNNING:
            network.lose(transit, f"{receiver.name} {receiver.condition.value}")
            return
        transit.received_at = now
        network.observer.delivered(transit)
        if receiver.filter is None or not receiver.filter(transit.message):
            receiver.agent.receive(transit.message, now=receiver.clock.local(now))
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
            _Moment(self._environment, wake_at, lambda _: self._wake(party, wake_at))

    def _wake(self, party: Party, wake_at: int) -> None:
        if party.wake_at != wake_at:
            return  # superseded by an earlier one, or by a crash
        party.wake_at = None
        agent, local_now = party.agent, party.clock.local(wake_at)
        deadline = agent.next_deadline()
        if deadline is not None and deadline <= local_now:
            agent.handle_deadline(now=local_now)
            self._turn(party, None)
        else:
            self._watch(party, wake_at)  # what it was armed for has been cancelled


def _record(event: TimerEvent, party: Party, now: int) -> TimerRecord:
    timer = event.timer
    due_at = party.clock.run(event.due_at)
    return TimerRecord(now, party.name, timer.value, TimerChange(event.change), due_at, timer.rule, event.about)
