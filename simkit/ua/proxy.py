"""A proxy that keeps transactions and calls in mind, and stays on the path (RFC 3261 section 16, RFC 4028 section 8).

Requests go where their Route or Request-URI says (`proxy_routing`), each by a `ResponseContext` of its own; what
becomes of session timers is decided in `proxy_session`. It forks nothing, looks nobody up, and never sends a BYE.
"""

from dataclasses import dataclass

from ..errors import PeerError
from ..settings import BaseTimes, ChallengeSettings, ProxySessionSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from ..sip.transport import Transport
from . import proxy_session
from .events import Address
from .identifiers import MAGIC_COOKIE, Identifiers
from .proxied_calls import ProxiedCalls
from .proxy_routing import fingerprint, forwarded, is_answerable, next_hop, refusal, stateless_suffix
from .proxy_session import NOTHING, Remembered
from .response_context import ResponseContext
from .server_transaction import ServerTransaction
from .timer_logic import SESSION_METHODS, Reject
from .transaction_user import TransactionUser


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What a proxy goes by."""

    times: BaseTimes = BaseTimes()
    session_timer: ProxySessionSettings = ProxySessionSettings()
    challenge: ChallengeSettings | None = None
    """Whose requests it forwards (RFC 3261 section 22.3); None: anybody's."""
    transport: Transport = Transport.UDP


class Proxy(TransactionUser):
    """One proxy. Times are microseconds on its own clock and never go back."""

    def __init__(
        self, name: str, address: Address, settings: ProxySettings, *, identifiers: Identifiers, traced: bool = False
    ) -> None:
        super().__init__(
            name,
            address,
            times=settings.times,
            transport=settings.transport,
            challenge=settings.challenge,
            identifiers=identifiers,
            traced=traced,
        )
        self._session_timer = settings.session_timer
        self._record_route: HeaderField = ("Record-Route", f"<{settings.transport.uri(address)};lr>")
        self._contexts: list[ResponseContext] = []  # those that still wait for a final response
        self._calls = ProxiedCalls(self.report, self.log)

    # --- what happened ---

    def receive(self, message: Message, *, now: int) -> None:
        """Take a message in. What answers nothing is dropped (RFC 6026), and so is what nothing can answer."""
        if isinstance(message, Response):
            self._layer.receive_response(message, now=now)
        elif isinstance(message, Request) and is_answerable(message):
            self._receive_request(message, now=now)
        self._forget_answered()

    def disconnected(self, peer: Address, *, now: int) -> None:
        """The connection to a peer is lost, or could not be had; sessions outlive it, requests under way do not."""
        self._layer.disconnected(peer, now=now)
        self._forget_answered()

    def next_deadline(self) -> int | None:
        """Return the one time at which `handle_deadline` is to be called next."""
        deadlines = [self._layer.next_deadline(), self._calls.next_deadline()]
        deadlines += [context.next_deadline() for context in self._contexts]
        return min([at for at in deadlines if at is not None], default=None)

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due."""
        self._layer.handle_deadline(now=now)
        for context in self._contexts:
            context.handle_deadline(now=now)
        self._forget_answered()
        self._calls.handle_deadline(now=now)

    def _forget_answered(self) -> None:
        self._contexts = [context for context in self._contexts if not context.answered]

    # --- requests ---

    def _receive_new(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        refused = refusal(request, self.address)
        if refused is not None:
            self.respond_with(transaction, *refused, now=now)
        elif request.method == "CANCEL":
            self._receive_cancel(request, transaction, now=now)
        elif self._challenger is not None and (asked := self._challenger.refusal(request, now=now)) is not None:
            self.respond_with(transaction, *asked, now=now)
        else:
            self._forward(request, transaction, now=now)

    def _receive_cancel(self, cancel: Request, transaction: ServerTransaction, *, now: int) -> None:
        """Answer a CANCEL and pass it on as one of ours (section 16.10).

        One without its INVITE is not forwarded as it is: what we forward has branches that nobody can guess.
        """
        invited = self._layer.cancelled_by(cancel)
        self.respond_with(transaction, 481 if invited is None else 200, now=now)
        for context in self._contexts:
            if context.transaction is invited:
                context.cancel(now=now)

    def _forward(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        hop = next_hop(request, self.address)
        if hop is None:
            self.respond_with(transaction, 404, now=now)  # section 16.5: it ends here, and here is nobody
            return
        try:
            verdict = self._examine(request)
        except PeerError as error:
            self.respond_with(transaction, error.status, now=now)
            return
        if isinstance(verdict, Reject):
            self.respond_with(transaction, verdict.status, verdict.headers, now=now)
            return
        if request.method == "BYE":
            self._calls.ended(request, now=now)
        record_route = self._record_route if request.method in SESSION_METHODS else None
        via = self._via(self.identifiers.branch(), request)
        onward = forwarded(verdict.request, hop, via=via, record_route=record_route)
        context = ResponseContext(self, transaction, onward, hop.destination, verdict.remembered)
        self._contexts.append(context)
        context.forward(now=now)

    def _examine(self, request: Request) -> proxy_session.Forward | Reject:
        if self._session_timer.enabled and request.method in SESSION_METHODS:
            return proxy_session.examine(request, self._session_timer)
        return proxy_session.Forward(request, NOTHING)

    def _receive_ack(self, ack: Request, *, now: int) -> None:
        """Pass on the ACK to a 2xx, a transaction of nobody's, so that each repetition looks the same (16.11)."""
        if refusal(ack, self.address) is None and (hop := next_hop(ack, self.address)):
            via = self._via(MAGIC_COOKIE + stateless_suffix(ack), ack)
            self.transmit(forwarded(ack, hop, via=via, record_route=None), hop.destination)

    def _via(self, branch: str, request: Request) -> HeaderField:
        return "Via", f"{self._sent_by};branch={branch}.{fingerprint(request)}"

    # --- what response contexts need of us (response_context.Forwarder) ---

    def confirmed(self, response: Response, remembered: Remembered, *, first: bool, now: int) -> Response:
        """Return what to pass on in the place of a 2xx; `first`: it has not been passed on before."""
        if response.method not in SESSION_METHODS:
            return response
        enabled = self._session_timer.enabled
        onward = proxy_session.complete(response, remembered, self._session_timer) if enabled else response
        if first:
            self._calls.confirmed(onward, expires=enabled, now=now)
        return onward
