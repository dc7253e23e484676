"""What a scripted party that was told to sends again, without a transaction of its own.

A request until it is answered (RFC 3261 sections 17.1.1.2 and 17.1.2.2), a final response to an INVITE until its ACK
comes (13.3.1.4 and 17.2.1), and the last response when its request comes once more (17.2.2). After 64*T1 it stops, and
nobody is told. Over a reliable transport it is the 2xx to an INVITE alone.
"""

from dataclasses import dataclass

from ..settings import BaseTimes
from ..sip.message import Message, Request, Response
from .events import Outgoing


@dataclass(slots=True)
class _Pending:
    """A message that waits for what follows it."""

    outgoing: Outgoing
    interval_us: int
    due_at: int
    ends_at: int


class Resending:
    """The messages of one party that are still to be answered or acknowledged, and the responses it gave."""

    def __init__(self, times: BaseTimes) -> None:
        self._times = times
        self._pending: dict[tuple[str, str], _Pending] = {}
        """By what ends it: a response to this method and branch, an ACK with this CSeq number."""
        self._answers: dict[tuple[str, str], Outgoing] = {}
        """The last response to a request, by its branch and method."""

    def sent(self, outgoing: Outgoing, *, now: int) -> None:
        """A message went out for the first time."""
        message = outgoing.message
        if isinstance(message, Response):
            self._answers[message.branch, message.method] = outgoing
        if message.is_request and message.method == "BYE":
            self._pending.clear()  # the call is over: nobody waits for anything else in it (RFC 3261 section 15.1.1)
        if (key := _awaits(message)) and (not self._times.reliable or _is_success(message)):
            t1_us = self._times.t1_us
            self._pending[key] = _Pending(outgoing, t1_us, now + t1_us, now + 64 * t1_us)

    def received(self, message: Message) -> Outgoing | None:
        """Stop sending again what this answers; return the response to repeat where it is a request sent again."""
        if isinstance(message, Request):
            if message.method == "ACK":
                self._pending.pop(("ACK", str(message.cseq.number)), None)
            return self._answers.get((message.branch, message.method))
        if message.method == "INVITE" or _status(message) >= 200:
            # RFC 3261 section 17.1.2.2 has a provisional response only slow a request down; here it changes nothing.
            self._pending.pop((message.method, message.branch), None)
        return None

    def next_deadline(self) -> int | None:
        """Return when something is to be sent again."""
        return min((pending.due_at for pending in self._pending.values()), default=None)

    def due(self, *, now: int) -> list[Outgoing]:
        """Return what is to be sent again now."""
        found = []
        for key, pending in list(self._pending.items()):
            if now < pending.due_at:
                continue
            if pending.due_at >= pending.ends_at:
                del self._pending[key]
                continue
            found.append(pending.outgoing)
            doubled_us = 2 * pending.interval_us
            is_invite = isinstance(pending.outgoing.message, Request) and pending.outgoing.message.method == "INVITE"
            pending.interval_us = doubled_us if is_invite else min(doubled_us, self._times.t2_us)
            pending.due_at = min(pending.due_at + pending.interval_us, pending.ends_at)
        return found


def _awaits(message: Message) -> tuple[str, str] | None:
    """Return what ends the sending of a message again; None for one that is sent once."""
    if isinstance(message, Request):
        return None if message.method == "ACK" else (message.method, message.branch)
    if message.method == "INVITE" and _status(message) >= 200:
        return "ACK", str(message.cseq.number)
    return None


def _is_success(message: Message) -> bool:
    return 200 <= _status(message) < 300


def _status(message: Message) -> int:
    return message.status if isinstance(message, Response) else 0
