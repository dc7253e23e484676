"""Virtual time: a simpy clock that jumps from one event to the next, so that nobody ever waits.

Times are integers of microseconds throughout. Events of one instant happen in the order in which they were scheduled,
those called late after all others. Messages are handed over as they are: nothing is written as bytes or parsed here.
"""

from collections.abc import Callable
from typing import Final

from simpy.core import Environment, Infinity
from simpy.events import NORMAL, Event, EventPriority

from ..trace import Transit
from .driver import Outlook, RunEnd
from .network import Condition, Party
from .turns import Driver

_LATE: Final = EventPriority(NORMAL + 1)


class _Moment(Event):
    """One thing to do at one instant."""

    def __init__(
        self, environment: Environment, delay: int, action: Callable[[], None], priority: EventPriority
    ) -> None:
        assert delay >= 0, "the past is settled"
        super().__init__(environment)
        self.callbacks.append(_act)
        self._ok = True
        self._value = action
        environment.schedule(self, priority, delay)


def _act(moment: Event) -> None:
    moment._value()


class VirtualDriver(Driver):
    """Plays calls on a clock that never waits."""

    now: int = 0
    look_ahead: Callable[[int], Outlook] | None = None
    """Asked when everything at this instant has happened: nothing is on the agenda before the time that it is given."""

    def __init__(self, *, start_at: int = 0) -> None:
        self._environment = Environment(start_at)
        self.now = start_at
        self._unwatched: dict[Party, None] = {}  # had their turn at this instant, in that order

    def at(self, when: int, action: Callable[[], None], *, late: bool = False) -> None:
        """Do something at a time that has not passed; `late`: after all that happens at that instant."""
        if late:
            _Moment(self._environment, when - self.now, lambda: self._act_late(action), _LATE)
        else:
            _Moment(self._environment, when - self.now, action, NORMAL)

    def _act_late(self, action: Callable[[], None]) -> None:
        if self._unwatched:
            self._settle()  # what falls due at this instant comes first
            self.at(self.now, action, late=True)
        elif self.look_ahead is not None and self.look_ahead(self.now) is Outlook.SOON:
            self.at(self.now, action, late=True)
        else:
            action()

    def run(self, *, until: int) -> RunEnd:
        """Let happen what is to happen up to and including `until`, where the clock then stands; tell why it ended."""
        environment = self._environment
        outlook = Outlook.NEVER
        while (next_at := environment.peek()) <= until or self._unwatched or self.look_ahead is not None:
            if next_at > self.now:
                if self._unwatched:
                    self._settle()
                    continue
                if self.look_ahead is not None:
                    outlook = self.look_ahead(int(min(next_at, until)))
                    next_at = environment.peek()
                    if next_at > until:
                        break
                self.now = int(next_at)
            environment.step()
        if self.now < until:
            environment.run(until=until)
            self.now = until
        return RunEnd.IDLE if next_at == Infinity and outlook is Outlook.NEVER else RunEnd.LIMIT

    def _watch(self, party: Party, now: int) -> None:
        """Look at the deadline when the instant is over: most timers that it arms are disarmed by then."""
        self._unwatched[party] = None

    def _settle(self) -> None:
        unwatched, self._unwatched = self._unwatched, {}
        for party in unwatched:
            if party.condition is Condition.RUNNING:
                super()._watch(party, self.now)

    def _carry(self, transit: Transit, receiver: Party, arrives_at: int | None) -> None:
        if arrives_at is not None:
            self.at(arrives_at, lambda: self._deliver(transit, receiver, transit.message))
