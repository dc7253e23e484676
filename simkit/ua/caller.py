"""The caller's side of a call: the initial INVITE, its retries, forks and CANCEL (RFC 3261 sections 9.1 and 13.2)."""

from ..errors import LocalError
from ..sip.message import Request, Response
from ..sip.uri import address_of_record
from .asking_call import Phase
from .call import Call
from .dialog import MAX_FORWARDS, Dialog
from .events import CallEvent, Fact, Reason
from .exchange import Aim, Exchange
from .host import Host
from .offer_answer import OfferAnswer, with_type
from .responses import content_length
from .server_transaction import ServerTransaction
from .timer_logic import Retry, TimerLogic
from .timers import Timer


class CallerCall(Call):
    """A call that we place."""

    __slots__ = ("_attempt", "_early", "_invitation", "_other_acks")
    owns_call_id = True

    def __init__(
        self,
        host: Host,
        call_id: str,
        logic: TimerLogic,
        media: OfferAnswer,
        *,
        local: str,
        target: str,
        route: tuple[str, ...] = (),
    ) -> None:
        """Prepare a call from `local` (a From value with its tag) to `target` (a SIP URI), by these Route values."""
        super().__init__(host, call_id, logic, media)
        self._attempt = Dialog(
            call_id=call_id,
            local=local,
            remote=f"<{address_of_record(target)}>",
            local_cseq=0,
            remote_cseq=None,
            route_set=route,
            remote_target=target,
        )
        self.local_tag = self._attempt.local_tag
        self._invitation = Exchange(Aim.CALL, "INVITE")
        self._early: dict[str | None, Dialog] = {}
        self._other_acks: dict[str | None, tuple[Request, Dialog]] = {}

    def invite(self, *, now: int) -> None:
        """Send the initial INVITE, or send it anew with the next CSeq (RFC 4028 section 7.3)."""
        exchange = self._under_way = self._invitation
        added = self._logic.make_request("INVITE", initial=True, now=now)
        body = self._media.offer()
        headers = with_type(self._host.abilities(*added), body)
        exchange.dialog = self._attempt
        exchange.request = self._attempt.request("INVITE", via=self._host.via(), headers=headers, body=body)
        exchange.proceeding = False
        self._host.send(exchange.request, self._attempt.destination, self, exchange, now=now)

    def cancel(self, *, now: int) -> None:
        """Cancel the INVITE as soon as a provisional response allows it. Raises LocalError where it is answered."""
        if self.phase is not Phase.EARLY or self._invitation.cancel_wanted:
            raise LocalError(f"cannot cancel: the call is {self.phase.value}")
        self._invitation.cancel_wanted = True
        if self._invitation.proceeding:
            self._send_cancel(now=now)

    def _send_cancel(self, *, now: int) -> None:
        """Build the CANCEL from its INVITE: same branch, same CSeq number (RFC 3261 section 9.1)."""
        invite = self._invitation.request
        assert invite is not None
        copied = [field for field in invite.headers if field[0] in ("Via", "Route", "From", "To", "Call-ID")]
        headers = (
            copied[0],
            MAX_FORWARDS,
            *copied[1:],
            ("CSeq", f"{invite.cseq.number} CANCEL"),
            content_length(b""),
        )
        cancel = Request("CANCEL", invite.uri, headers)
        self._timers.arm(Timer.CANCEL_LIMIT, now + self._host.times.timeout_us, now=now)
        self._host.send(cancel, self._attempt.destination, self, Exchange(Aim.CANCEL, "CANCEL"), now=now)

    def receive_request(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        """Answer a request of the peer; before the 2xx it may belong to any of the early dialogs."""
        if self.phase is Phase.EARLY:
            self.dialog = self._early.get(request.from_tag)
        super().receive_request(request, transaction, now=now)

    def _provisional(self, exchange: Exchange, response: Response, *, now: int) -> None:
        first = not exchange.proceeding
        super()._provisional(exchange, response, now=now)
        if exchange.aim is not Aim.CALL or self.phase is not Phase.EARLY:
            return
        if first and exchange.cancel_wanted:
            self._send_cancel(now=now)
        if response.to_tag and response.to_tag not in self._early and exchange.request is not None:
            self._early[response.to_tag] = Dialog.of_caller(exchange.request, response)

    def _success(self, exchange: Exchange, response: Response, *, now: int) -> None:
        if exchange.aim is Aim.CALL:
            if self.phase is Phase.EARLY:
                self._establish(exchange, response)
            elif self.dialog is None or self.dialog.remote_tag != response.to_tag:
                self._end_branch(exchange, response, now=now)
                return
        super()._success(exchange, response, now=now)
        if exchange.aim is Aim.CALL and exchange.cancel_wanted:
            self._end(Reason.CANCELLED, now=now)  # the 2xx was faster than the CANCEL

    def _establish(self, exchange: Exchange, response: Response) -> None:
        assert exchange.request is not None
        self.dialog = self._early.get(response.to_tag) or Dialog.of_caller(exchange.request, response)
        self._early.clear()
        self.dialog.local_cseq = self._attempt.local_cseq
        self.phase = Phase.UP
        self._host.report(CallEvent(Fact.UP, self.call_id))

    def _end_branch(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """ACK a 2xx of another fork, then end that dialog: one call is enough (RFC 3261 section 13.2.2.4)."""
        known = self._other_acks.get(response.to_tag)
        if known is not None:
            self._host.transmit(known[0], known[1].destination)
            return
        assert exchange.request is not None
        dialog = Dialog.of_caller(exchange.request, response)
        ack = dialog.acknowledge(exchange.request, via=self._host.via())
        self._other_acks[response.to_tag] = ack, dialog
        self._host.transmit(ack, dialog.destination)
        bye = dialog.request("BYE", via=self._host.via())
        self._host.send(bye, dialog.destination, self, Exchange(Aim.BRANCH, "BYE", request=bye, dialog=dialog), now=now)

    def _failure(self, exchange: Exchange, response: Response | None, *, now: int) -> None:
        super()._failure(exchange, response, now=now)
        if exchange.aim is not Aim.CALL or self.phase is not Phase.EARLY:
            return
        verdict = self._logic.receive_response(response, now=now) if response is not None else None
        if isinstance(verdict, Retry) and response is not None and not exchange.cancel_wanted:
            self._host.report(CallEvent(Fact.RETRIED, self.call_id, str(response.status)))
            self.invite(now=now)
        elif exchange.cancel_wanted:
            self._fail(Reason.CANCELLED, by_us=True, now=now)
        elif response is None:
            self._fail(Reason.NO_ANSWER, by_us=True, now=now)
        else:
            self._fail(Reason.REJECTED, by_us=False, now=now)

    def _timer_fired(self, timer: Timer, *, now: int) -> None:
        if timer is Timer.CANCEL_LIMIT:
            if self.phase is Phase.EARLY:
                self._fail(Reason.CANCELLED, by_us=True, now=now)
            return
        super()._timer_fired(timer, now=now)

    def _fail(self, reason: Reason, *, by_us: bool, now: int) -> None:
        self._leave(Phase.OVER, now=now)
        self._host.report(CallEvent(Fact.ENDED, self.call_id, reason, by_us=by_us))
        self._host.report(CallEvent(Fact.OVER, self.call_id))
