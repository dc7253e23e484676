"""A user agent: it takes messages in, finds what they belong to, and carries out commands (RFC 3261 section 8).

Which side of a transaction it is, UAC or UAS, each message decides. Transactions, calls and timer logics do the work;
here is only who gets what. Sans-IO: it owns no clock, no socket and no randomness.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from ..errors import LocalError
from ..settings import Account, SessionTimerSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from ..sip.uri import address_of_record
from .asking_call import Phase
from .callee import CalleeCall
from .caller import CallerCall
from .capabilities import capabilities
from .dialog import Dialog
from .events import Address, CallEvent, Fact
from .exchange import Aim, Exchange
from .identifiers import Identifiers, Random
from .offer_answer import OfferAnswer, description
from .responses import respond
from .server_transaction import ServerTransaction
from .session_timer import SessionTimer, Side
from .timer_logic import TimerLogic
from .timers import TimerLog
from .transaction_layer import RequestSender
from .transaction_user import TransactionUser
from .user_agent_settings import UserAgentSettings

if TYPE_CHECKING:
    from .authentication import Authentication

TimerLogicFactory = Callable[[SessionTimerSettings, Side, Random, TimerLog | None], TimerLogic]


class UserAgent(TransactionUser):
    """One party. Times are microseconds on its own clock and never go back."""

    session_timer: ClassVar[type[SessionTimer]] = SessionTimer
    """With what it fills the seats that no other timer logic is given for; this and the next are what it is made of."""
    caller_call: ClassVar[type[CallerCall]] = CallerCall
    callee_call: ClassVar[type[CalleeCall]] = CalleeCall
    offer_answer: ClassVar[type[OfferAnswer]] = OfferAnswer

    __slots__ = (
        *("_authentication", "_calls", "_capabilities", "_settings", "_some_call_is_over", "_timer_logic"),
        *("contact", "random"),
    )

    def __init__(
        self,
        name: str,
        address: Address,
        settings: UserAgentSettings,
        *,
        identifiers: Identifiers,
        random: Random,
        timer_logic: TimerLogicFactory | None = None,
        traced: bool = False,
    ) -> None:
        assert settings.times.reliable is settings.transport.is_reliable
        super().__init__(
            name,
            address,
            times=settings.times,
            transport=settings.transport,
            challenge=settings.challenge,
            identifiers=identifiers,
            traced=traced,
        )
        self.random = random
        self.contact: HeaderField = ("Contact", f"<{settings.transport.uri(address, user=name)}>")
        self._settings = settings
        self._timer_logic = timer_logic or self._rfc4028
        self._capabilities = capabilities(self.contact, settings.supported, settings.allow)
        self._authentication = self._authenticate(settings.account)
        self._calls: dict[tuple[str, str | None], CallerCall | CalleeCall] = {}
        self._some_call_is_over = False

    def _authenticate(self, account: Account | None) -> "Authentication | None":
        if account is None:
            return None
        from .authentication import Authentication  # few flows have passwords

        return Authentication(account, self, self._layer)

    @property
    def uri(self) -> str:
        """Our address of record; the Contact, which is at the same place, may say by which transport."""
        return address_of_record(self._settings.transport.uri(self.address, user=self.name))

    # --- commands ---

    def invite(self, target: str, *, now: int) -> None:
        """Place a call to a SIP URI. Raises LocalError while another call is up."""
        if self._live_calls():
            raise LocalError("cannot call: a call is under way")
        call_id = self.identifiers.call_id(self.address[0])
        call = self.caller_call(
            self,
            call_id,
            self._seat(Side.CALLER),
            self._media(),
            local=f"<{self.uri}>;tag={self.identifiers.tag()}",
            target=target,
            route=self._settings.route,
        )
        self._calls[call_id, call.local_tag] = call
        call.invite(now=now)

    def ring(self, *, now: int) -> None:
        """Send 180 to the call that waits. Raises LocalError where there is none."""
        self._incoming("ring").ring(now=now)

    def answer(self, *, now: int) -> None:
        """Answer the call that waits. Raises LocalError where there is none."""
        self._incoming("answer").answer(now=now)

    def reject(self, status: int, headers: tuple[HeaderField, ...] = (), *, now: int) -> None:
        """Reject the call that waits. Raises LocalError where there is none."""
        self._incoming("reject").reject(status, headers, now=now)

    def cancel(self, *, now: int) -> None:
        """Cancel the call that we placed. Raises LocalError where there is none without an answer."""
        call = self._call("cancel")
        if not isinstance(call, CallerCall):
            raise LocalError("cannot cancel: the call came from the other side")
        call.cancel(now=now)

    def hang_up(self, *, now: int) -> None:
        """End the call. Raises LocalError where none is up."""
        self._call("hang up").hang_up(now=now)

    def hold(self, *, now: int) -> None:
        """Hold the call. Raises LocalError where none is up."""
        self._call("hold").hold(on=True, now=now)

    def resume(self, *, now: int) -> None:
        """Resume the call. Raises LocalError where none is up."""
        self._call("resume").hold(on=False, now=now)

    def refresh(self, *, now: int) -> None:
        """Refresh the session at once, by the method that is set. Raises LocalError where no call is up."""
        method = "UPDATE" if self._settings.session_timer.use_update else "INVITE"
        self._call("refresh").refresh(method, now=now)

    def options(self, target: str, *, now: int) -> None:
        """Ask a peer for its abilities: within the call where there is one (RFC 3261 section 11)."""
        live = self._live_calls()
        if live:
            live[-1].options(now=now)
            return
        outside = Dialog(
            call_id=self.identifiers.call_id(self.address[0]),
            local=f"<{self.uri}>;tag={self.identifiers.tag()}",
            remote=f"<{address_of_record(target)}>",
            local_cseq=0,
            remote_cseq=None,
            route_set=self._settings.route,
            remote_target=target,
        )
        request = outside.request("OPTIONS", via=self.via(), headers=(*self.abilities(), ("Accept", "application/sdp")))
        exchange = Exchange(Aim.OPTIONS, "OPTIONS", request=request, dialog=outside)
        self.send(request, outside.destination, None, exchange, now=now)

    # --- what happened ---

    def receive(self, message: Message, *, now: int) -> None:
        """Take a message in."""
        if isinstance(message, Response):
            self._layer.receive_response(message, now=now)
        elif isinstance(message, Request):
            self._receive_request(message, now=now)
        if self._some_call_is_over:
            self._forget_calls()

    def disconnected(self, peer: Address, *, now: int) -> None:
        """The connection to a peer is lost, or could not be had; sessions outlive it, requests under way do not."""
        self._layer.disconnected(peer, now=now)
        if self._some_call_is_over:
            self._forget_calls()

    def next_deadline(self) -> int | None:
        """Return the one time at which `handle_deadline` is to be called next."""
        earliest = self._layer.next_deadline()
        for call in self._calls.values():
            at = call.next_deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due: first the transactions, for their results may change what a call is to do."""
        self._layer.handle_deadline(now=now)
        for call in tuple(self._calls.values()):
            at = call.next_deadline()
            if at is not None and at <= now:
                call.handle_deadline(now=now)
        if self._some_call_is_over:
            self._forget_calls()

    # --- what calls need of us (host.Host) ---

    def abilities(self, *added: HeaderField) -> tuple[HeaderField, ...]:
        """Return Contact, Allow and Supported, and these headers; option tags of several Supported are merged."""
        return self._capabilities.fields(*added)

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request by a client transaction that reports to the sender, and say who we are where that is asked."""
        by = self._layer if self._authentication is None or exchange.dialog is None else self._authentication
        by.send(request, destination, sender, exchange, now=now)

    def abandon(self, exchange: Exchange, *, now: int) -> None:
        """Stop repeating a request: the call is over and nobody needs it any more."""
        exchange.abandoned = True
        self._layer.stop_repeating(exchange, now=now)

    def report(self, event: CallEvent) -> None:
        """Hand out a fact."""
        super().report(event)
        if event.fact is Fact.OVER:
            self._some_call_is_over = True

    # --- taking messages in ---

    def _receive_ack(self, ack: Request, *, now: int) -> None:
        call = self._calls.get((ack.call_id, ack.to_tag))
        if call is not None:
            call.receive_ack(ack, now=now)

    def _receive_new(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        refusal = self._challenger.refusal(request, now=now) if self._challenger is not None else None
        refusal = refusal or self._capabilities.refusal(request)
        if refusal is not None:
            self.respond_with(transaction, *refusal, now=now)
        elif request.method == "CANCEL":
            self._receive_cancel(request, transaction, now=now)
        elif request.to_tag is not None:
            call = self._calls.get((request.call_id, request.to_tag))
            if call is None:
                self.respond_with(transaction, 481, now=now)
            else:
                call.receive_request(request, transaction, now=now)
        elif request.method == "INVITE":
            self._receive_call(request, transaction, now=now)
        elif request.method == "OPTIONS":
            self.respond_with(transaction, 200, self.abilities(), now=now)
        else:
            self.respond_with(transaction, 481, now=now)

    def _receive_cancel(self, cancel: Request, transaction: ServerTransaction, *, now: int) -> None:
        invited = self._layer.cancelled_by(cancel)
        for call in tuple(self._calls.values()):
            if isinstance(call, CalleeCall) and call.transaction is invited:
                self.respond(transaction, respond(cancel, 200, to_tag=call.local_tag), now=now)
                call.cancelled(now=now)
                return
        self.respond_with(transaction, 200 if invited is not None else 481, now=now)

    def _receive_call(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        if self._live_calls():
            self.respond_with(transaction, 486, now=now)
            return
        call = self.callee_call(
            self, request, transaction, self._seat(Side.CALLEE), self._media(), local_tag=self.identifiers.tag()
        )
        self._calls[request.call_id, call.local_tag] = call
        call.receive(after_us=self._settings.answer_after_us, reject_with=self._settings.reject_with, now=now)

    # --- calls ---

    def _live_calls(self) -> list[CallerCall | CalleeCall]:
        return [call for call in self._calls.values() if call.phase in (Phase.EARLY, Phase.UP)]

    def _call(self, what: str) -> CallerCall | CalleeCall:
        live = self._live_calls()
        if not live:
            raise LocalError(f"cannot {what}: there is no call")
        return live[-1]

    def _incoming(self, what: str) -> CalleeCall:
        call = self._call(what)
        if not isinstance(call, CalleeCall):
            raise LocalError(f"cannot {what}: the call was placed by this side")
        return call

    def _forget_calls(self) -> None:
        """Forget calls that are over; a later request for them gets 481, a later 2xx finds them by its transaction."""
        self._some_call_is_over = False
        over = [key for key, call in self._calls.items() if call.phase is Phase.OVER]
        for key in over:
            del self._calls[key]

    def _seat(self, side: Side) -> TimerLogic:
        return self._timer_logic(self._settings.session_timer, side, self.random, self.log)

    def _rfc4028(self, settings: SessionTimerSettings, side: Side, random: Random, log: TimerLog | None) -> TimerLogic:
        supported = settings.enabled and "timer" in self._settings.supported
        return self.session_timer(settings, side=side, random=random, supported=supported, log=log)

    def _media(self) -> OfferAnswer:
        return self.offer_answer(description(self.name, self.address, self._settings.about, self.identifiers))
