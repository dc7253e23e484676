"""What a driver drives: the contract between machines and the drivers, and how a party is wired up."""

from collections.abc import Sequence
from typing import Protocol

from ..sip.message import Message
from ..ua.events import CallEvent, Outgoing
from ..ua.timers import TimerEvent


class Agent(Protocol):
    """A sans-IO party: it is told what happened and when, and asked what it wants (design rule: no fifth kind).

    Times are microseconds on the party's own clock and never go back. Deadlines may be handled early, late or twice.
    """

    def receive(self, message: Message, *, now: int) -> None:
        """A message has arrived."""
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
