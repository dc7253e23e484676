"""What became of the calls of a party that reports nothing itself, read from the messages that it sends and receives.

Why it hung up is a guess where no line of the flow made it: after a refresh that got no answer, 408 or 481, that; else
that the session has expired, if it was about to. What leaves no trace in messages, such as a transaction that was given
up, is not seen.
"""

from dataclasses import dataclass, field
from typing import Final

from ..errors import PeerError
from ..sip.message import Message, Request, Response
from ..sip.session_headers import Refresher, bye_lead_us
from ..ua.events import CallEvent, Fact, Reason
from ..ua.timer_logic import SESSION_METHODS
from ..units import S

_DIALOG_IS_GONE: Final = frozenset({408, 481})  # RFC 4028 section 10
_TRIED_AGAIN: Final = frozenset({401, 407, 422, 491, 500, 503})  # what a caller may mend, or wait for


@dataclass(slots=True)
class _Call:
    """One call, by Call-ID."""

    has_begun: bool = False
    is_up: bool = False
    has_ended: bool = False
    is_over: bool = False
    session: tuple[int | None, bool] | None = None
    failed: dict[str, int] = field(default_factory=dict)
    """By method: the status with which our last request failed."""
    set_at: int = 0
    """When the last 2xx set the session, or would have."""
    waiting: dict[tuple[str, int], int] = field(default_factory=dict)
    """Our INVITEs and UPDATEs without a final response, and when they were sent."""
    settled: set[tuple[bool, str, int]] = field(default_factory=set)
    """Final responses seen, so that their repetitions count for nothing: whether ours, method, CSeq number."""


class ObservedCalls:
    """The calls of one party."""

    def __init__(self, timeout_us: int, *, early_us: int | None = None) -> None:
        """A BYE that is not answered is given up after `timeout_us` (RFC 3261 section 17.1.2.2, timer F).

        So much earlier than RFC 4028 section 10 has it, a BYE may still be because the session was about to expire;
        None: whenever it comes.
        """
        self._timeout_us = timeout_us
        self._early_us = early_us
        self._calls: dict[str, _Call] = {}
        self._events: list[CallEvent] = []
        self._hangs_up = False
        self._given_up_at: dict[str, int] = {}

    def commanded(self, verb: str) -> None:
        """The flow had the party do something."""
        self._hangs_up = self._hangs_up or verb in ("hang up", "cancel")

    def sent(self, message: Message, *, now: int) -> None:
        """The party has sent a message."""
        self._note(message, by_us=True, now=now)

    def received(self, message: Message, *, now: int) -> None:
        """A message has reached the party."""
        self._note(message, by_us=False, now=now)

    def next_deadline(self) -> int | None:
        """Return when a BYE is given up."""
        return min(self._given_up_at.values(), default=None)

    def handle_deadline(self, *, now: int) -> None:
        """Take as over the calls whose BYE was never answered."""
        for call_id, at in tuple(self._given_up_at.items()):
            if at <= now:
                self._over(call_id)

    def events(self) -> list[CallEvent]:
        """Drain the facts."""
        drained, self._events = self._events, []
        return drained

    def _note(self, message: Message, *, by_us: bool, now: int) -> None:
        try:
            call_id, cseq = message.call_id, message.cseq
        except PeerError:
            return
        call = self._calls.setdefault(call_id, _Call())
        if isinstance(message, Request):
            self._note_request(call, call_id, message, by_us=by_us, now=now)
        elif isinstance(message, Response) and message.status >= 200:
            key = by_us, cseq.method, cseq.number
            if key not in call.settled:
                call.settled.add(key)
                self._note_response(call, call_id, message, by_us=by_us, now=now)

    def _note_request(self, call: _Call, call_id: str, request: Request, *, by_us: bool, now: int) -> None:
        key = request.method, request.cseq.number
        call.has_begun = call.has_begun or request.method == "INVITE"
        if request.method == "BYE" and call.has_begun and not call.has_ended:
            reason = self._reason(call, now=now) if by_us else Reason.HUNG_UP
            self._ended(call, call_id, reason, by_us=by_us)
            self._given_up_at[call_id] = now + self._timeout_us
        elif by_us and request.method in SESSION_METHODS and key not in call.waiting:
            call.waiting[key] = now
            if status := call.failed.pop(request.method, 0):
                self._report(Fact.RETRIED, call_id, str(status))

    def _reason(self, call: _Call, *, now: int) -> Reason:
        if self._hangs_up or call.session is None or call.session[0] is None:
            return Reason.HUNG_UP
        given_up = any(now - sent_at >= self._timeout_us for sent_at in call.waiting.values())
        refused = not _DIALOG_IS_GONE.isdisjoint(call.failed.values())
        if given_up or refused:
            return Reason.REFRESH_FAILED
        interval_us = call.session[0] * S
        due_at = call.set_at + interval_us - bye_lead_us(interval_us)
        if self._early_us is not None and now + self._early_us < due_at:
            return Reason.HUNG_UP
        return Reason.SESSION_EXPIRED

    def _note_response(self, call: _Call, call_id: str, response: Response, *, by_us: bool, now: int) -> None:
        method, status = response.method, response.status
        if method == "BYE":
            self._over(call_id)
        elif method in SESSION_METHODS:
            if not by_us:
                call.waiting.pop((method, response.cseq.number), None)
            if status < 300:
                call.set_at = now
                self._note_success(call, call_id, response, by_us=by_us)
            else:
                self._note_failure(call, call_id, response, by_us=by_us)

    def _note_success(self, call: _Call, call_id: str, response: Response, *, by_us: bool) -> None:
        was_up = call.is_up
        if not was_up and response.method == "INVITE":
            call.is_up = True
            self._report(Fact.UP, call_id)
        call.failed.clear()
        session = _session(response, Refresher.UAS if by_us else Refresher.UAC)
        if session != call.session:
            call.session = session
            interval_s, we_refresh = session
            self._events.append(CallEvent(Fact.SESSION, call_id, interval_s=interval_s, we_refresh=we_refresh))
        if was_up and not by_us and session[0] is not None:
            self._report(Fact.REFRESHED, call_id, response.method)

    def _note_failure(self, call: _Call, call_id: str, response: Response, *, by_us: bool) -> None:
        status = response.status
        if not by_us:
            call.failed[response.method] = status
        if call.is_up:
            if not by_us:
                self._report(Fact.REFRESH_FAILED, call_id, str(status))
        elif response.method == "INVITE" and status not in _TRIED_AGAIN:
            cancelled = status == 487
            self._ended(call, call_id, Reason.CANCELLED if cancelled else Reason.REJECTED, by_us=by_us != cancelled)
            self._over(call_id)

    def _ended(self, call: _Call, call_id: str, reason: Reason, *, by_us: bool) -> None:
        call.has_ended = True
        self._events.append(CallEvent(Fact.ENDED, call_id, reason, by_us=by_us))

    def _over(self, call_id: str) -> None:
        self._given_up_at.pop(call_id, None)
        call = self._calls[call_id]
        if call.has_ended and not call.is_over:
            call.is_over = True
            self._report(Fact.OVER, call_id)

    def _report(self, fact: Fact, call_id: str, detail: str = "") -> None:
        self._events.append(CallEvent(fact, call_id, detail))


def _session(response: Response, our_role: Refresher) -> tuple[int | None, bool]:
    """Return the interval that a 2xx sets (None: no timer), and whether we refresh."""
    try:
        terms = response.session_expires
    except PeerError:
        terms = None
    return (terms.interval_s, (terms.refresher or Refresher.UAC) is our_role) if terms else (None, False)
