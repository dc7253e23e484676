"""The callee's side of a call: ringing, answering, rejecting, being cancelled (RFC 3261 sections 9.2 and 13.3)."""

from ..errors import LocalError, PeerError
from ..sip.headers import HeaderField
from ..sip.message import Request
from .asking_call import Phase
from .call import Call
from .dialog import Dialog
from .events import CallEvent, Fact, Reason
from .host import Host
from .offer_answer import OfferAnswer
from .responses import respond
from .server_transaction import ServerTransaction
from .timer_logic import Accept, Reject, TimerLogic
from .timers import Timer

RETRY_AFTER_MAX_S = 10  # RFC 3261 section 14.2


class CalleeCall(Call):
    """A call that comes to us."""

    __slots__ = ("_request", "_terms", "transaction")
    owns_call_id = False

    def __init__(
        self,
        host: Host,
        request: Request,
        transaction: ServerTransaction,
        logic: TimerLogic,
        media: OfferAnswer,
        *,
        local_tag: str,
    ) -> None:
        """Take the initial INVITE and the transaction that it began."""
        super().__init__(host, request.call_id, logic, media)
        self.local_tag = local_tag
        self._request = request
        self.transaction = transaction
        self._terms = Accept()

    def receive(self, *, after_us: int | None, reject_with: int | None, now: int) -> None:
        """Judge the INVITE; answer after a time (None: by hand), or reject it."""
        verdict = self._logic.receive_request(self._request, initial=True, now=now)
        if isinstance(verdict, Reject):  # no call has failed yet: the caller is to try again (RFC 4028 section 7.3)
            self._refuse(self._request, self.transaction, verdict.status, verdict.headers, now=now)
            self._leave(Phase.OVER, now=now)
            return
        self._terms = verdict
        if reject_with is not None:
            self.reject(reject_with, now=now)
        elif after_us == 0:
            self.answer(now=now)
        elif after_us is not None:
            self._timers.arm(Timer.PICK_UP, now + after_us, now=now)

    def ring(self, *, now: int) -> None:
        """Send 180. Raises LocalError where the call is answered."""
        self._must_be_early("ring")
        ringing = respond(self._request, 180, to_tag=self.local_tag, headers=(self._host.contact,))
        self._host.respond(self.transaction, ringing, now=now)
        if self.dialog is None:
            self.dialog = Dialog.of_callee(self._request, ringing)

    def answer(self, *, now: int) -> None:
        """Send the 200. Raises LocalError where the call is answered."""
        self._must_be_early("answer")
        try:
            body = self._describe(self._request)
        except PeerError:
            self.reject(488, now=now)
            return
        self._timers.disarm(Timer.PICK_UP, now=now)
        self._acknowledged = False
        self.phase = Phase.UP
        self._host.report(CallEvent(Fact.UP, self.call_id))
        self._accept(self._request, self.transaction, self._terms.headers, body, now=now)

    def reject(self, status: int, headers: tuple[HeaderField, ...] = (), *, now: int) -> None:
        """Send a 3xx-6xx. Raises LocalError where the call is answered."""
        self._must_be_early("reject")
        self._finish(status, headers, Reason.REJECTED, by_us=True, now=now)

    def cancelled(self, *, now: int) -> None:
        """The caller has cancelled: 487, unless we have answered (RFC 3261 section 9.2)."""
        if self.phase is Phase.EARLY:
            self._finish(487, (), Reason.CANCELLED, by_us=False, now=now)

    def _must_be_early(self, what: str) -> None:
        if self.phase is not Phase.EARLY:
            raise LocalError(f"cannot {what}: the call is {self.phase.value}")

    def _finish(self, status: int, headers: tuple[HeaderField, ...], reason: Reason, *, by_us: bool, now: int) -> None:
        response = respond(self._request, status, to_tag=self.local_tag, headers=headers)
        self._host.respond(self.transaction, response, now=now)
        self._logic.sent_response(response, now=now)
        self._leave(Phase.OVER, now=now)
        self._host.report(CallEvent(Fact.ENDED, self.call_id, reason, by_us=by_us))
        self._host.report(CallEvent(Fact.OVER, self.call_id))

    def _receive_bye(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        if self.phase is Phase.EARLY:  # a caller may end an early dialog by BYE; its INVITE is still owed a 487
            self._host.respond(self.transaction, respond(self._request, 487, to_tag=self.local_tag), now=now)
        super()._receive_bye(request, transaction, now=now)

    def _glare(self, request: Request) -> tuple[int, tuple[HeaderField, ...]] | None:
        """Before our answer, nothing that brings an offer can be taken (3261 14.2, 3311 5.2)."""
        if self.phase is Phase.EARLY and (request.method == "INVITE" or request.body):
            seconds = int(self._host.random.random() * (RETRY_AFTER_MAX_S + 1))
            return 500, (("Retry-After", str(seconds)),)
        return super()._glare(request)

    def _timer_fired(self, timer: Timer, *, now: int) -> None:
        if timer is Timer.PICK_UP:
            self.answer(now=now)
        else:
            super()._timer_fired(timer, now=now)
