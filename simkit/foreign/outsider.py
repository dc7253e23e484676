"""A real system, outside of this process: what it sends and gets is noted, and from that what became of its calls."""

from ..sip.message import Message
from ..ua.events import Address, CallEvent, Outgoing
from .observed import ObservedCalls


class Outsider:
    """Looks on in the place of a real system: what a driver asks of every party, and nothing to send."""

    def __init__(self, *, timeout_us: int, early_us: int, has_calls: bool) -> None:
        """A BYE is given up after `timeout_us` (RFC 3261 section 17.1.2.2, timer F). A proxy has no calls.

        A BYE so much too early is believed to be for the session timer all the same.
        """
        self._calls = ObservedCalls(timeout_us, early_us=early_us) if has_calls else None

    def commanded(self, verb: str) -> None:
        """A line of the flow says what it does by itself."""
        if self._calls is not None:
            self._calls.commanded(verb)

    def sent(self, message: Message, *, now: int) -> None:
        """The system has sent a message."""
        if self._calls is not None:
            self._calls.sent(message, now=now)

    def receive(self, message: Message, *, now: int) -> None:
        """A message was sent to the system."""
        if self._calls is not None:
            self._calls.received(message, now=now)

    def disconnected(self, peer: Address, *, now: int) -> None:
        """Take no notice: the system sees for itself."""

    def next_deadline(self) -> int | None:
        """Return when a call of its own is given up."""
        return self._calls.next_deadline() if self._calls is not None else None

    def handle_deadline(self, *, now: int) -> None:
        """Give up a call that nobody answers any more."""
        if self._calls is not None:
            self._calls.handle_deadline(now=now)

    def outgoing(self) -> tuple[Outgoing, ...]:
        """Return nothing: it sends by itself."""
        return ()

    def events(self) -> list[CallEvent]:
        """Drain the facts about calls, as its messages tell them."""
        return self._calls.events() if self._calls is not None else []

    def timer_events(self) -> tuple[()]:
        """Return nothing: its timers are its own."""
        return ()
