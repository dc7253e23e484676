"""The calls that pass through a proxy, and when their sessions expire for it (RFC 4028 sections 8.2 and 8.3).

A call is known from its first 2xx on, until a BYE passes or its session expires. Then it is forgotten and the fact
reported; a proxy is no party to the dialog, so it sends nothing.
"""

from collections.abc import Callable

from ..sip.message import Message, Request, Response
from ..units import S
from .events import CallEvent, Fact, Reason
from .negotiation import read_session_expires
from .timers import Timer, TimerLog, TimerTable

_Dialog = tuple[str, frozenset[str | None]]
"""Call-ID and both tags: the same whoever sends the request."""


class ProxiedCalls:
    """The dialogs that are up, each with an expiration of its own or none."""

    __slots__ = ("_log", "_report", "_timers")

    def __init__(self, report: Callable[[CallEvent], None], log: TimerLog | None) -> None:
        self._report = report
        self._log = log
        self._timers: dict[_Dialog, TimerTable] = {}

    def confirmed(self, response: Response, *, expires: bool, now: int) -> None:
        """A 2xx to an INVITE or UPDATE goes back: its interval, if any, begins now and replaces the former one.

        Without `expires` nobody looks at the interval.
        """
        dialog = _dialog(response)
        timers = self._timers.get(dialog)
        if timers is None:
            timers = self._timers[dialog] = TimerTable(response.call_id, self._log)
            self._report(CallEvent(Fact.UP, response.call_id))
        granted = read_session_expires(response) if expires else None
        if granted is None:
            timers.disarm(Timer.EXPIRATION, now=now)
        else:
            timers.arm(Timer.EXPIRATION, now + granted.interval_s * S, now=now)

    def ended(self, bye: Request, *, now: int) -> None:
        """A BYE passes."""
        timers = self._timers.pop(_dialog(bye), None)
        if timers is not None:
            timers.disarm_all(now=now)
            self._forgotten(bye.call_id, Reason.HUNG_UP)

    def next_deadline(self) -> int | None:
        """Return when the first session expires."""
        deadlines = [at for timers in self._timers.values() if (at := timers.next_deadline()) is not None]
        return min(deadlines, default=None)

    def handle_deadline(self, *, now: int) -> None:
        """Forget the calls whose session has expired."""
        for dialog, timers in tuple(self._timers.items()):
            if timers.due(now=now):
                del self._timers[dialog]
                self._forgotten(dialog[0], Reason.SESSION_EXPIRED)

    def _forgotten(self, call_id: str, reason: Reason) -> None:
        self._report(CallEvent(Fact.ENDED, call_id, reason))
        self._report(CallEvent(Fact.OVER, call_id))


def _dialog(message: Message) -> _Dialog:
    return message.call_id, frozenset((message.from_tag, message.to_tag))
