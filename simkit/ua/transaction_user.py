"""What stands on the transactions of one party, a user agent or a proxy: the transaction user (RFC 3261 section 5).

It has each request opened or absorbed by its transaction, answers what needs no further thought, and hands out what is
to be sent and what has happened. What becomes of a new request is for the party to say.
"""

from typing import TYPE_CHECKING

from ..settings import BaseTimes, ChallengeSettings
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from ..sip.transport import Transport
from .events import Address, CallEvent, Outgoing
from .exchange import Exchange
from .identifiers import Identifiers
from .responses import respond
from .server_transaction import ServerTransaction
from .timers import TimerEvent, TimerLog
from .transaction_layer import RequestSender, TransactionLayer

if TYPE_CHECKING:
    from .challenger import Challenger


class TransactionUser:
    """One party, as far as it deals in requests and responses."""

    __slots__ = ("_challenger", "_events", "_layer", "_sent_by", "address", "identifiers", "log", "name", "times")

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        times: BaseTimes,
        transport: Transport,
        challenge: ChallengeSettings | None,
        identifiers: Identifiers,
        traced: bool,
    ) -> None:
        self.name = name
        self.address = address
        self.times = times
        self.log: TimerLog | None = [] if traced else None
        self.identifiers = identifiers
        self._sent_by = transport.sent_by(address)
        self._layer = TransactionLayer(times, self.log)
        self._challenger = _challenger(challenge, identifiers)
        self._events: list[CallEvent] = []

    # --- requests ---

    def reply(self, request: Request, status: int, headers: tuple[HeaderField, ...] = (), *, now: int) -> None:
        """Answer a request with this final status whatever we would have done; its transaction absorbs the rest."""
        known, _ = self._layer.receive_request(request, now=now)
        if known is None and request.method != "ACK":
            self.respond_with(self._layer.open_server(request), status, headers, now=now)

    def _receive_request(self, request: Request, *, now: int) -> None:
        known, acks = self._layer.receive_request(request, now=now)
        for ack in acks:
            self._receive_ack(ack, now=now)
        if known is None and request.method != "ACK":
            transaction = self._layer.open_server(request)
            self._receive_new(request, transaction, now=now)
            transaction.start(now=now)

    def _receive_new(self, request: Request, transaction: ServerTransaction, *, now: int) -> None:
        """A request that is no repetition, nor an ACK."""
        raise NotImplementedError

    def _receive_ack(self, ack: Request, *, now: int) -> None:
        """The ACK to a 2xx, which belongs to no transaction."""
        raise NotImplementedError

    # --- the way out ---

    def via(self) -> HeaderField:
        """Return a Via with a new branch (RFC 3261 section 8.1.1.7)."""
        return "Via", f"{self._sent_by};branch={self.identifiers.branch()}"

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request by a client transaction that reports to the sender."""
        self._layer.send(request, destination, sender, exchange, now=now)

    def respond(self, transaction: ServerTransaction, response: Response, *, now: int) -> None:
        """Send a response by the server transaction of its request."""
        self._layer.respond(transaction, response, now=now)

    def respond_with(
        self, transaction: ServerTransaction, status: int, headers: tuple[HeaderField, ...] = (), *, now: int
    ) -> None:
        """Answer a request that belongs to no call of ours; where it has no To tag, one is made for the occasion."""
        request = transaction.request
        tag = request.to_tag or self.identifiers.tag()
        self.respond(transaction, respond(request, status, to_tag=tag, headers=headers), now=now)

    def transmit(self, message: Message, destination: Address) -> None:
        """Send a message outside of any transaction."""
        self._layer.transmit(message, destination)

    def report(self, event: CallEvent) -> None:
        """Hand out a fact."""
        self._events.append(event)

    # --- drains ---

    def outgoing(self) -> list[Outgoing]:
        """Drain the messages to send, in order."""
        return self._layer.outgoing()

    def events(self) -> list[CallEvent]:
        """Drain the facts about calls, in order."""
        drained, self._events = self._events, []
        return drained

    def timer_events(self) -> list[TimerEvent]:
        """Drain what became of timers, in order; empty unless traced."""
        if not self.log:
            return []
        drained = self.log[:]
        self.log.clear()  # the machines hold on to this list
        return drained


def _challenger(settings: ChallengeSettings | None, identifiers: Identifiers) -> "Challenger | None":
    if settings is None:
        return None
    from .challenger import Challenger  # few flows have passwords

    return Challenger(settings, identifiers)
