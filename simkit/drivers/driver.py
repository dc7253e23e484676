"""What a driver drives, and whom it tells: the contracts between machines, drivers and runs.

A driver owns time and the network. It hands each `Agent` what arrives and calls it when its deadline has come; what the
agents hand out in return goes over links to other parties and, as facts, to an `Observer`.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from ..errors import SimkitError
from ..sip.message import Message
from ..trace import TimerRecord, Transit
from ..ua.events import Address, CallEvent, Outgoing
from ..ua.timers import TimerEvent


class Agent(Protocol):
    """A sans-IO party: it is told what happened and when, and asked what it wants (design rule: no fifth kind).

    Times are microseconds on the party's own clock and never go back. Deadlines may be handled early, late or twice.
    """

    def receive(self, message: Message, *, now: int) -> None:
        """A message has arrived."""
        ...

    def disconnected(self, peer: Address, *, now: int) -> None:
        """The connection to a peer is lost, or could not be had; the next message to it opens another."""
        ...

    def next_deadline(self) -> int | None:
        """Return the one time at which `handle_deadline` is to be called next, or None."""
        ...

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due."""
        ...

    def outgoing(self) -> Sequence[Outgoing]:
        """Drain the messages to send, in order."""
        ...

    def events(self) -> Sequence[CallEvent]:
        """Drain the facts about calls, in order."""
        ...

    def timer_events(self) -> Sequence[TimerEvent]:
        """Drain what became of timers, in order; empty where it was not asked for."""
        ...


class Witness(Agent, Protocol):
    """An agent that only looks on: in the place of a real system, which is outside. It hands out nothing to send."""

    def sent(self, message: Message, *, now: int) -> None:
        """The system has sent a message."""
        ...

    def commanded(self, verb: str) -> None:
        """A line of the flow says what the system does by itself."""
        ...


class Observer(Protocol):
    """Told of everything that happens in one network, as it happens; all times are the run's, on nobody's own clock.

    An observer notes. It may schedule what is to follow at this very instant, but it gives no command to an agent:
    the agent's turn is still under way.
    """

    def sent(self, transit: Transit) -> None:
        """A message was sent; its fate is still open."""
        ...

    def delivered(self, transit: Transit) -> None:
        """It has arrived (`received_at`); the receiver has not acted on it yet."""
        ...

    def lost(self, transit: Transit) -> None:
        """It will never arrive; `lost` says why."""
        ...

    def happened(self, party: str, event: CallEvent, *, at: int) -> None:
        """A party reported a fact about a call. Who its peer is, and so who refreshes, is the observer's to know."""
        ...

    def timer(self, record: TimerRecord) -> None:
        """A timer was armed, fired or cancelled."""
        ...


class RunEnd(Enum):
    """Why a run has come to its end."""

    IDLE = "idle"  # nothing is left that could happen
    LIMIT = "limit"  # the time given is up
    STOPPED = "stopped"  # somebody interrupted it, or code that is not ours failed


class Outlook(Enum):
    """What is known of what is not on a driver's agenda, such as what a child process will do."""

    SOON = "soon"  # something has been put on the agenda, for no later than was asked about
    LATER = "later"  # something will happen, or may, but not by then
    NEVER = "never"


class ZeroTimeLoop(SimkitError):
    """Parties that act on each other, or one on itself, without end and without time passing."""

    def __init__(self, message: str, observer: Observer) -> None:
        self.observer = observer
        """The observer of the network in which that happens: the others may go on."""
        super().__init__(message)
