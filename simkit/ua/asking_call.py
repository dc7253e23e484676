"""What a call asks of its peer: one thing at a time, once more where that helps, and BYE where it does not.

RFC 3261 sections 12.2.1, 13.2.2.4, 14.1 and 15.1.1, RFC 3311 section 5.1. When to refresh and when to give up is the
timer logic's; messages on their way are the transactions'. What the peer asks of us is `call`'s.
"""

from enum import Enum
from typing import ClassVar, Final

from ..sip.message import Request, Response
from .answers import UnacknowledgedAnswers
from .dialog import Dialog
from .events import CallEvent, Fact, Reason
from .exchange import Aim, Exchange
from .host import Host
from .offer_answer import OfferAnswer, with_type
from .retry import glare_wait_us, retry_after_us
from .timer_logic import SESSION_METHODS, Retry, TimerLogic
from .timers import Timer, TimerTable

TRIES_MAX: Final = 5  # RFC 3261 section 14.1 has one retry; a bound keeps two stubborn sides from trying for ever


class Phase(Enum):
    """How far a call has come."""

    EARLY = "early"  # no 2xx yet
    UP = "up"
    ENDING = "ending"  # over for us; our BYE or CANCEL is under way
    OVER = "over"


class AskingCall:
    """How far a call has come, and what it wants. It speaks through its host."""

    __slots__ = (
        *("_acknowledged", "_acks", "_answers", "_bye_wanted", "_host", "_logic", "_media", "_refresh_failed"),
        *("_session", "_timers", "_to_retry", "_under_way", "_wanted", "call_id", "dialog", "local_tag", "phase"),
    )
    local_tag: str | None
    owns_call_id: ClassVar[bool]

    def __init__(self, host: Host, call_id: str, logic: TimerLogic, media: OfferAnswer) -> None:
        self.call_id = call_id
        self.phase = Phase.EARLY
        self.dialog: Dialog | None = None
        self._host = host
        self._logic = logic
        self._media = media
        self._timers = TimerTable(call_id, host.log)
        self._under_way: Exchange | None = None  # our INVITE or UPDATE without a final response
        self._wanted: list[Exchange] = []  # waiting until nothing else is under way
        self._to_retry: Exchange | None = None  # waiting for Timer.RETRY
        self._answers = UnacknowledgedAnswers(host.times, host.log)
        self._acks: dict[tuple[int, str | None], Request] = {}  # by CSeq and To tag: to repeat for a repeated 2xx
        self._bye_wanted: Reason | None = None  # a hang-up that must wait for the ACK to our first 2xx
        self._acknowledged = True
        self._refresh_failed = ""
        self._session: tuple[int | None, bool] | None = None

    # --- what is wanted ---

    def _want(self, exchange: Exchange, *, now: int) -> None:
        self._wanted.append(exchange)
        self._proceed(now=now)

    def _proceed(self, *, now: int) -> None:
        """Send what is wanted, once nothing else is under way (RFC 3261 section 14.1, RFC 3311 section 5.1)."""
        while self._wanted and self.phase is Phase.UP and self._under_way is None and not self._answers.any:
            self._send(self._wanted.pop(0), now=now)

    def _send(self, exchange: Exchange, *, now: int) -> None:
        assert self.dialog is not None
        exchange.tries += 1
        added = self._logic.make_request(exchange.method, initial=False, now=now)
        if exchange.method in SESSION_METHODS:
            self._under_way = exchange
            body = self._media.offer(hold=exchange.hold) if exchange.method == "INVITE" else b""
            headers = with_type(self._host.abilities(*added), body)
        else:
            body, headers = b"", added
        if exchange.asked_by_logic and self._refresh_failed:
            self._host.report(CallEvent(Fact.RETRIED, self.call_id, self._refresh_failed))
            self._refresh_failed = ""
        exchange.dialog = self.dialog
        exchange.request = self.dialog.request(exchange.method, via=self._host.via(), headers=headers, body=body)
        self._host.send(exchange.request, self.dialog.destination, self, exchange, now=now)

    # --- what comes of it ---

    def receive_response(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """A response to a request of ours has come: provisional, final, or a repeated 2xx to an INVITE."""
        if response.status < 200:
            self._provisional(exchange, response, now=now)
        elif response.status < 300:
            self._success(exchange, response, now=now)
        else:
            self._failure(exchange, response, now=now)

    def timed_out(self, exchange: Exchange, timer: Timer, *, now: int) -> None:
        """No final response has come to a request of ours: timer B or F fired."""
        if exchange is self._under_way or exchange.aim is Aim.BYE:
            self._host.report(CallEvent(Fact.GAVE_UP, self.call_id, f"timer {timer.value}: {exchange.method}"))
        self._failure(exchange, None, now=now)

    def _provisional(self, exchange: Exchange, response: Response, *, now: int) -> None:
        exchange.proceeding = True

    def _success(self, exchange: Exchange, response: Response, *, now: int) -> None:
        if exchange.method == "INVITE" and not self._acknowledge(exchange, response):
            return  # repeated: it must not move anything
        if exchange is self._under_way:
            self._session_confirmed(exchange, response, now=now)
        elif exchange.aim is Aim.BYE:
            self._over(now=now)

    def _acknowledge(self, exchange: Exchange, response: Response) -> bool:
        """ACK a 2xx to INVITE, each time it comes (RFC 3261 section 13.2.2.4); True the first time."""
        assert self.dialog is not None
        assert exchange.request is not None
        key = (response.cseq.number, response.to_tag)
        known = self._acks.get(key)
        ack = known or self.dialog.acknowledge(exchange.request, via=self._host.via())
        self._acks = {key: ack} if known is None else self._acks
        self._host.transmit(ack, self.dialog.destination)
        return known is None

    def _session_confirmed(self, exchange: Exchange, response: Response, *, now: int) -> None:
        assert self.dialog is not None
        self._under_way = None
        if response.contact is not None:
            self.dialog.retarget(response.contact.uri)
        self._media.accepted()
        if self.phase is not Phase.UP:
            return
        self._logic.receive_response(response, now=now)
        self._result(exchange, response.status, now=now)
        self._session_set()
        if exchange.aim is not Aim.CALL and self._logic.state().interval_s is not None:
            self._host.report(CallEvent(Fact.REFRESHED, self.call_id, exchange.method))
        self._proceed(now=now)

    def _failure(self, exchange: Exchange, response: Response | None, *, now: int) -> None:
        if exchange is self._under_way:
            self._under_way = None
            self._media.withdrawn()
        if exchange.aim is Aim.BYE:
            self._over(now=now)
        elif self.phase is Phase.UP and exchange.aim is not Aim.CANCEL:
            self._try_again_or_end(exchange, response, now=now)
            self._proceed(now=now)

    def _try_again_or_end(self, exchange: Exchange, response: Response | None, *, now: int) -> None:
        status = response.status if response is not None else None
        if response is not None and exchange.method in SESSION_METHODS:
            verdict = self._logic.receive_response(response, now=now)
            if isinstance(verdict, Retry):
                self._host.report(CallEvent(Fact.RETRIED, self.call_id, str(status)))
                self._send(exchange, now=now)
                return
        if exchange.aim is Aim.REFRESH:
            self._host.report(CallEvent(Fact.REFRESH_FAILED, self.call_id, str(status or "timeout")))
        if exchange.asked_by_logic:
            self._result(exchange, status, now=now)
        elif status in (None, 408, 481):  # RFC 3261 section 12.2.1.2
            reason = Reason.REFRESH_FAILED if exchange.aim is Aim.REFRESH else Reason.NO_RESPONSE
            self._end(reason, now=now)
        elif response is not None and exchange.tries < TRIES_MAX:
            self._retry_later(exchange, response, now=now)

    def _result(self, exchange: Exchange, status: int | None, *, now: int) -> None:
        """Tell the timer logic what became of the refresh that it asked for."""
        if not exchange.asked_by_logic:
            return
        self._refresh_failed = "" if status == 200 else str(status or "timeout")
        verdict = self._logic.refresh_result(status, now=now)
        if verdict is not None:
            self._end(Reason(verdict.reason), now=now)

    def _retry_later(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """Wait as 491 or Retry-After ask, then try again (RFC 3261 sections 14.1 and 20.33)."""
        delay_us = retry_after_us(response)
        if response.status == 491:
            delay_us = glare_wait_us(self._host.random, owns_call_id=self.owns_call_id)
        if delay_us is not None and exchange.method in SESSION_METHODS:
            self._to_retry = exchange
            self._timers.arm(Timer.RETRY, now + delay_us, now=now)

    # --- the end ---

    def _end(self, reason: Reason, *, now: int) -> None:
        """End the call with BYE; a callee waits for the ACK to its 2xx first (RFC 3261 section 15)."""
        if self.phase is not Phase.UP:
            return
        if not self._acknowledged:
            self._bye_wanted = self._bye_wanted or reason
            return
        self._leave(Phase.ENDING, now=now)
        self._host.report(CallEvent(Fact.ENDED, self.call_id, reason, by_us=True))
        self._send(Exchange(Aim.BYE, "BYE"), now=now)

    def _leave(self, phase: Phase, *, now: int) -> None:
        """No timer and no wish survives the call."""
        self.phase = phase
        self._logic.close(now=now)
        self._timers.disarm_all(now=now)
        self._answers.stop(now=now)
        self._wanted.clear()
        self._to_retry = None
        if self._under_way is not None:
            self._host.abandon(self._under_way, now=now)

    def _over(self, *, now: int) -> None:
        if self.phase is not Phase.OVER:
            self._leave(Phase.OVER, now=now)
            self._host.report(CallEvent(Fact.OVER, self.call_id))

    def _session_set(self) -> None:
        """A 2xx has passed: report terms that are new, and drop a refresh that is no longer needed."""
        self._refresh_failed = ""
        state = self._logic.state()
        if (state.interval_s, state.we_refresh) != self._session:
            self._session = state.interval_s, state.we_refresh
            self._host.report(
                CallEvent(Fact.SESSION, self.call_id, interval_s=state.interval_s, we_refresh=state.we_refresh)
            )
        if self._wanted:
            self._wanted = [exchange for exchange in self._wanted if not exchange.asked_by_logic]
