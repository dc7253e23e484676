"""One call of a user agent, from its first request to its last (RFC 3261 sections 12 to 15, RFC 3311).

Here is what it is told to do, what falls due, and what its peer asks of it: each 2xx of ours is repeated until its ACK
comes. What it asks of its peer is `asking_call`'s; how a call begins is `caller`'s and `callee`'s.
"""

from ..errors import LocalError, PeerError
from ..sip.headers import HeaderField
from ..sip.message import Request
from .asking_call import AskingCall, Phase
from .dialog import Dialog
from .events import CallEvent, Fact, Reason
from .exchange import Aim, Exchange
from .offer_answer import with_type
from .responses import respond
from .server_transaction import ServerTransaction
from .timer_logic import SESSION_METHODS, Bye, Reject
from .timers import Timer

Fields = tuple[HeaderField, ...]


class Call(AskingCall):
    """A call from either side. Sans-IO: commands, what happened, one `next_deadline`."""

    __slots__ = ()

    # --- commands ---

    def hang_up(self, *, now: int) -> None:
        """End the call with BYE. Raises LocalError where it is not up."""
        self._must_be_up("hang up")
        self._end(Reason.HUNG_UP, now=now)

    def hold(self, *, on: bool, now: int) -> None:
        """Hold or resume by re-INVITE. Raises LocalError where the call is not up."""
        self._must_be_up("hold" if on else "resume")
        self._want(Exchange(Aim.MODIFY, "INVITE", hold=on), now=now)

    def refresh(self, method: str, *, now: int) -> None:
        """Refresh the session at once, whoever's turn it is. Raises LocalError where the call is not up."""
        self._must_be_up("refresh")
        self._want(Exchange(Aim.REFRESH, method), now=now)

    def options(self, *, now: int) -> None:
        """Ask for the peer's abilities within the dialog. Raises LocalError where the call is not up."""
        self._must_be_up("options")
        self._send(Exchange(Aim.OPTIONS, "OPTIONS"), now=now)

    def _must_be_up(self, what: str) -> None:
        if self.phase is not Phase.UP:
            raise LocalError(f"cannot {what}: the call is {self.phase.value}")

    # --- time ---

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` is to be called."""
        earliest = self._timers.next_deadline()
        for machine in (self._logic, self._answers) if self.phase is Phase.UP else ():
            at = machine.next_deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due."""
        for timer in self._timers.due(now=now):
            self._timer_fired(timer, now=now)
        for response in self._answers.handle_deadline(now=now):
            self._host.transmit(response, response.via.address)
        if self._answers.given_up:
            self._ack_never_came(now=now)
        if self.phase is Phase.UP:
            duty = self._logic.handle_deadline(now=now)
            if isinstance(duty, Bye):
                self._end(Reason(duty.reason), now=now)
            elif duty is not None:
                self._want(Exchange(Aim.REFRESH, duty.method, asked_by_logic=True), now=now)

    def _timer_fired(self, timer: Timer, *, now: int) -> None:
        assert timer is Timer.RETRY
        exchange, self._to_retry = self._to_retry, None
        if exchange is not None and self.phase is Phase.UP:
            self._want(exchange, now=now)

    def _ack_never_came(self, *, now: int) -> None:
        """A 2xx of ours was never acknowledged: the call ends by BYE (RFC 3261 section 13.3.1.4)."""
        self._host.report(CallEvent(Fact.GAVE_UP, self.call_id, "no ACK to 200 INVITE"))
        self._acknowledged = True
        self._end(Reason.NO_ACK, now=now)

    # --- what the peer asks ---

    def receive_request(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        """Answer a request within the dialog (RFC 3261 section 12.2.2)."""
        if self.phase is Phase.OVER or (self.phase is Phase.ENDING and request.method != "BYE"):
            self._host.respond(transaction, respond(request, 481), now=now)
            return
        if self.dialog is None or not self.dialog.accepts(request):
            self._host.respond(transaction, respond(request, 500), now=now)
            return
        if request.method == "BYE":
            self._receive_bye(request, transaction, now=now)
        elif request.method in SESSION_METHODS:
            self._receive_session_request(request, transaction, now=now)
        else:
            self._host.respond(transaction, respond(request, 200, headers=self._host.abilities()), now=now)

    def receive_ack(self, ack: Request, *, now: int) -> None:
        """The ACK to a 2xx of ours has come."""
        if not self._answers.acknowledged(ack, now=now):
            return
        self._acknowledged = True
        self._media.accepted()  # where our 2xx made the offer
        if self._bye_wanted is not None and self.phase is Phase.UP:
            self._end(self._bye_wanted, now=now)
        self._proceed(now=now)

    def _receive_bye(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        crossing = self.phase is Phase.ENDING
        self._host.respond(transaction, respond(request, 200), now=now)
        if not crossing:
            self._leave(Phase.OVER, now=now)
            self._host.report(CallEvent(Fact.ENDED, self.call_id, Reason.HUNG_UP))
            self._host.report(CallEvent(Fact.OVER, self.call_id))

    def _receive_session_request(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        """Take a re-INVITE or UPDATE: first glare, then the timer logic, then offer and answer."""
        refusal = self._glare(request)
        if refusal is not None:
            self._refuse(request, transaction, *refusal, now=now)
            return
        verdict = self._logic.receive_request(request, initial=False, now=now)
        if isinstance(verdict, Reject):
            self._refuse(request, transaction, verdict.status, verdict.headers, now=now)
            return
        try:
            body = self._describe(request)
        except PeerError:
            self._refuse(request, transaction, 488, now=now)
            return
        self._accept(request, transaction, verdict.headers, body, now=now)

    def _glare(self, request: Request) -> tuple[int, tuple[HeaderField, ...]] | None:
        ours = self._under_way
        if request.method == "INVITE" and ours is not None and ours.method == "INVITE":
            return 491, ()  # RFC 3261 section 14.2
        if request.method == "UPDATE" and request.body and self._media.open:
            return 491, ()  # RFC 3311 section 5.2
        return None

    def _refuse(
        self, request: Request, transaction: ServerTransaction, status: int, headers: Fields = (), *, now: int
    ) -> None:
        response = respond(request, status, to_tag=self.local_tag, headers=headers)
        self._host.respond(transaction, response, now=now)
        self._logic.sent_response(response, now=now)

    def _describe(self, request: Request) -> bytes:
        """Return the answer to the request's offer, or our offer to an INVITE that has none (RFC 3261 section 14.2)."""
        if request.body:
            return self._media.answer(request.body)
        return self._media.offer() if request.method == "INVITE" else b""

    def _accept(
        self, request: Request, transaction: ServerTransaction, headers: Fields, body: bytes, *, now: int
    ) -> None:
        response = respond(
            request, 200, to_tag=self.local_tag, headers=with_type(self._host.abilities(*headers), body), body=body
        )
        self._host.respond(transaction, response, now=now)
        if self.dialog is None:
            self.dialog = Dialog.of_callee(request, response)
        elif request.contact is not None:
            self.dialog.retarget(request.contact.uri)
        self._logic.sent_response(response, now=now)
        self._session_set()
        if request.method == "INVITE":
            self._answers.sent(response, now=now)
