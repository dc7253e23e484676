"""A request on its way through a proxy: what came in, what went out, and which responses go back (RFC 3261 16.7-16.10).

There is one target, so the first final response is the best. A non-INVITE request that nobody answers gets no 408
(RFC 4320 section 4.2): its sender gives up at that time by itself.
"""

from typing import Final, Protocol

from ..settings import BaseTimes
from ..sip.headers import HeaderField, canonical_name
from ..sip.message import Message, Request, Response
from ..sip.status import reason_phrase
from .dialog import MAX_FORWARDS
from .events import Address, CallEvent, Fact
from .exchange import Aim, Exchange
from .proxy_routing import passed_back
from .proxy_session import Remembered
from .responses import content_length
from .server_transaction import ServerTransaction
from .timers import TIMER_C_US, Timer, TimerLog, TimerTable
from .transaction_layer import RequestSender


class Forwarder(Protocol):
    """What a response context needs of its proxy."""

    times: BaseTimes
    log: TimerLog | None

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request by a client transaction that reports to the sender."""
        ...

    def respond(self, transaction: ServerTransaction, response: Response, *, now: int) -> None:
        """Send a response by the server transaction of its request."""
        ...

    def respond_with(
        self, transaction: ServerTransaction, status: int, headers: tuple[HeaderField, ...] = (), *, now: int
    ) -> None:
        """Answer a request ourselves, with this status."""
        ...

    def transmit(self, message: Message, destination: Address) -> None:
        """Send a message outside of any transaction."""
        ...

    def confirmed(self, response: Response, remembered: Remembered, *, first: bool, now: int) -> Response:
        """Return what to pass on in the place of a 2xx; `first`: it has not been passed on before."""
        ...

    def report(self, event: CallEvent) -> None:
        """Hand out a fact."""
        ...


class ResponseContext:
    """One request that a proxy has forwarded."""

    __slots__ = (
        *("_cancelled", "_confirmed", "_destination", "_exchange", "_given_up", "_proxy", "_remembered", "_request"),
        *("_timers", "answered", "transaction"),
    )

    def __init__(
        self,
        proxy: Forwarder,
        transaction: ServerTransaction,
        request: Request,
        destination: Address,
        remembered: Remembered,
    ) -> None:
        """Prepare to forward a request as it is to leave; `transaction` is that by which it came."""
        self.transaction = transaction
        self.answered = False
        """A final response has gone back; only a 2xx to INVITE may still follow."""
        self._proxy = proxy
        self._request = request
        self._destination = destination
        self._remembered = remembered
        self._exchange = Exchange(Aim.FORWARD, request.method)
        self._cancelled = False
        self._given_up = False
        self._confirmed: set[str | None] = set()  # the To tags of the dialogs whose 2xx has gone back
        self._timers = TimerTable(f"{request.method} {request.cseq.number}", proxy.log)

    def forward(self, *, now: int) -> None:
        """Send the request on."""
        if self._request.method == "INVITE":
            self._timers.arm(Timer.C, now + TIMER_C_US, now=now)
        self._proxy.send(self._request, self._destination, self, self._exchange, now=now)

    def cancel(self, *, now: int) -> None:
        """Cancel the INVITE as soon as a provisional response allows it (section 9.1)."""
        if self._cancelled or self.answered:
            return
        self._cancelled = True
        if self._exchange.proceeding:
            self._send_cancel(now=now)

    def _send_cancel(self, *, now: int) -> None:
        """CANCEL has the branch of our INVITE, and goes its way."""
        invite = self._request
        fields = (
            ("Via", invite.values("Via")[0]),
            MAX_FORWARDS,
            *(field for field in invite.headers if canonical_name(field[0]) in _COPIED_INTO_CANCEL),
            ("CSeq", f"{invite.cseq.number} CANCEL"),
            content_length(b""),
        )
        self._timers.disarm(Timer.C, now=now)
        self._timers.arm(Timer.CANCEL_LIMIT, now + self._proxy.times.timeout_us, now=now)
        cancel = Request("CANCEL", invite.uri, fields)
        self._proxy.send(cancel, self._destination, None, Exchange(Aim.CANCEL, "CANCEL"), now=now)

    def receive_response(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """A response has come from the next hop."""
        is_success = 200 <= response.status < 300
        if (self.answered and not is_success) or len(response.values("Via")) < 2:
            return
        if response.status < 200:
            self._provisional(response, now=now)
        elif is_success:
            self._success(passed_back(response), now=now)
        else:
            self._finish(now=now)
            self._proxy.respond(self.transaction, _for_the_caller(passed_back(response)), now=now)

    def _provisional(self, response: Response, *, now: int) -> None:
        first, self._exchange.proceeding = not self._exchange.proceeding, True
        if self._cancelled and first:
            self._send_cancel(now=now)
        if response.status == 100:
            return
        if self._timers.due_at(Timer.C) is not None:
            self._timers.arm(Timer.C, now + TIMER_C_US, now=now)
        self._proxy.respond(self.transaction, passed_back(response), now=now)

    def _success(self, response: Response, *, now: int) -> None:
        """A 2xx; to an INVITE there may be several: repeated ones, and those of other dialogs."""
        first = response.to_tag not in self._confirmed
        self._confirmed.add(response.to_tag)
        onward = self._proxy.confirmed(response, self._remembered, first=first, now=now)
        self._finish(now=now)
        if self._given_up:
            self._proxy.transmit(onward, onward.via.address)  # its transaction has sent 408, and takes no 2xx any more
        else:
            self._proxy.respond(self.transaction, onward, now=now)

    def timed_out(self, exchange: Exchange, timer: Timer, *, now: int) -> None:
        """The next hop has not answered: timer B or F fired."""
        self._give_up(f"timer {timer.value}", now=now)

    def _give_up(self, why: str, *, now: int) -> None:
        if self.answered:
            return
        request = self._request
        if request.method == "INVITE" or request.to_tag is not None:  # else it is about no call
            self._proxy.report(CallEvent(Fact.GAVE_UP, request.call_id, f"{why}: {request.method}"))
        self._given_up = True
        self._finish(now=now)
        if request.method == "INVITE":
            self._proxy.respond_with(self.transaction, 408, now=now)

    def _finish(self, *, now: int) -> None:
        self.answered = True
        self._timers.disarm_all(now=now)

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` is to be called."""
        return self._timers.next_deadline()

    def handle_deadline(self, *, now: int) -> None:
        """Timer C: cancel an INVITE that rings for too long (section 16.8); in the end, do without its 487."""
        for timer in self._timers.due(now=now):
            if timer is Timer.C and self._exchange.proceeding:
                self.cancel(now=now)
            else:
                self._give_up("timer C" if timer is Timer.C else "no 487", now=now)


_COPIED_INTO_CANCEL: Final = frozenset({"Route", "From", "To", "Call-ID"})


def _for_the_caller(response: Response) -> Response:
    """A 503 is about the next hop; passed on, it would say that we can do nothing at all (section 16.7, step 6)."""
    if response.status != 503:
        return response
    return Response(500, reason_phrase(500), response.headers, response.body)
