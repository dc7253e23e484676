"""What a user agent does when it is asked who it is (RFC 3261 sections 22.2 and 22.3, RFC 8760 section 2.4).

It stands between the transactions and whoever sends a request: a challenge that it can answer is answered, by the same
request with credentials and the next CSeq, and the sender hears of what comes of that alone. So to a timer logic a
challenged refresh has not failed; it is under way until its 2xx.

The nonce is kept for the requests to come with the same Call-ID, and counted. Credentials that were rejected are not
tried again, unless the nonce was stale, once; so a request is sent twice, or three times, for each realm on its way.
"""

from typing import Final, NamedTuple

from ..errors import PeerError
from ..settings import Account
from ..sip.digest import Challenge, parse_challenge
from ..sip.message import Request, Response
from .dialog import CREDENTIALS
from .events import Address, CallEvent, Fact
from .exchange import Aim, Exchange
from .host import Host
from .nonce import HEADERS, Nonce
from .timers import Timer
from .transaction_layer import RequestSender, TransactionLayer

REALMS_MAX: Final = 5  # ours: as many proxies may each have a realm of their own; more is a loop

_OF_THE_CALL: Final = frozenset({Aim.CALL, Aim.REFRESH, Aim.MODIFY, Aim.BYE})


class _Space(NamedTuple):
    """Within what a nonce is good: a protection space (RFC 7616 section 3.3), for one call."""

    call_id: str
    header: str
    realm: str


class Authentication:
    """Who one user agent is, and what it has been asked."""

    __slots__ = ("_account", "_host", "_layer", "_nonces")

    def __init__(self, account: Account, host: Host, layer: TransactionLayer) -> None:
        self._account = account
        self._host = host
        self._layer = layer
        self._nonces: dict[_Space, Nonce] = {}
        """Of each space, the latest challenge."""

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request, with the credentials that have been asked for before; any but ACK and CANCEL."""
        self._send(request, _Attempt(self, destination, sender), exchange, now=now)

    def _send(self, request: Request, attempt: "_Attempt", exchange: Exchange, *, now: int) -> None:
        exchange.request = self._signed(request)
        self._layer.send(exchange.request, attempt.destination, attempt, exchange, now=now)

    def _signed(self, request: Request) -> Request:
        fields = []
        for space, nonce in self._nonces.items():
            if space.call_id == request.call_id:
                fields.append((space.header, nonce.credentials(self._account, request, self._host.identifiers)))
        return request.without_headers(*CREDENTIALS).with_headers(*fields) if fields else request

    def answers(self, attempt: "_Attempt", exchange: Exchange, response: Response, *, now: int) -> bool:
        """Send a request again that was answered 401 or 407; False where that is no use, or not wanted any more."""
        if exchange.abandoned or exchange.cancel_wanted or not self._learn(attempt, exchange, response):
            return False
        assert exchange.request is not None
        assert exchange.dialog is not None
        if exchange.aim in _OF_THE_CALL:
            self._host.report(CallEvent(Fact.RETRIED, response.call_id, str(response.status)))
        exchange.proceeding = False
        again = exchange.dialog.renew(exchange.request, via=self._host.via())
        self._send(again, attempt, exchange, now=now)
        return True

    def _learn(self, attempt: "_Attempt", exchange: Exchange, response: Response) -> bool:
        """Take the challenges of a response; False where there is none that may be answered."""
        asked_in, answered_in = HEADERS[response.status]
        challenges: dict[_Space, Challenge] = {}
        for value in response.values(asked_in):
            try:
                challenge = parse_challenge(value)
            except PeerError:
                continue
            challenges.setdefault(_Space(response.call_id, answered_in, challenge.realm), challenge)
        for space, challenge in challenges.items():
            known = self._nonces.get(space)
            is_repeated = known is not None and known.challenge.nonce == challenge.nonce
            if not attempt.may_answer(space, challenge, is_repeated=is_repeated):
                self._nonces.pop(space, None)
                return False
            self._nonces[space] = Nonce(challenge)
        return bool(challenges)


class _Attempt:
    """A request on its way to an answer that is no challenge."""

    __slots__ = ("_answered", "_authentication", "_sender", "destination")

    def __init__(self, authentication: Authentication, destination: Address, sender: RequestSender | None) -> None:
        self.destination = destination
        self._authentication = authentication
        self._sender = sender
        self._answered: dict[_Space, bool] = {}
        """The spaces whose challenge was answered, and whether that was for a stale nonce."""

    def may_answer(self, space: _Space, challenge: Challenge, *, is_repeated: bool) -> bool:
        """Whether to answer, and note that it is; `is_repeated`: this nonce has been used already."""
        if space in self._answered:
            allowed = challenge.stale and not self._answered[space]
        else:
            allowed = (challenge.stale or not is_repeated) and len(self._answered) < REALMS_MAX
        self._answered[space] = space in self._answered
        return allowed

    def receive_response(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """Answer a challenge; pass all else on to whoever sent the request."""
        if response.status in HEADERS and self._authentication.answers(self, exchange, response, now=now):
            return
        if self._sender is not None:
            self._sender.receive_response(exchange, response, now=now)

    def timed_out(self, exchange: Exchange, timer: Timer, *, now: int) -> None:
        """Pass on that nobody answers."""
        if self._sender is not None:
            self._sender.timed_out(exchange, timer, now=now)
