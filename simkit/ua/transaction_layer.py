"""The transactions of one party: which message belongs to which, and what leaves (RFC 3261 sections 17 and 18).

Everything that a party sends passes through here. Responses and time-outs go to whoever sent the request.
"""

from dataclasses import dataclass
from typing import Protocol

from ..errors import PeerError
from ..settings import BaseTimes
from ..sip.message import Message, Request, Response
from .client_transaction import ClientTransaction, client_transaction
from .events import Address, Outgoing
from .exchange import Exchange
from .responses import respond
from .server_transaction import ServerTransaction, server_transaction
from .timers import Timer, TimerLog
from .transaction import Key, TimedOut, TransportFailed, cancelled_key, transaction_key


class RequestSender(Protocol):
    """Who sent a request and hears what becomes of it."""

    def receive_response(self, exchange: Exchange, response: Response, *, now: int) -> None:
        """A provisional or final response has come, or a 2xx to INVITE once more."""
        ...

    def timed_out(self, exchange: Exchange, timer: Timer, *, now: int) -> None:
        """Timer B or F fired: no final response has come."""
        ...


@dataclass(slots=True, eq=False)
class _Client:
    transaction: ClientTransaction
    destination: Address
    sender: RequestSender | None
    exchange: Exchange


class TransactionLayer:
    """A party's client and server transactions, by their keys."""

    __slots__ = ("_clients", "_log", "_outgoing", "_servers", "_tidy_at", "_times")

    def __init__(self, times: BaseTimes, log: TimerLog | None) -> None:
        self._times = times
        self._log = log
        self._clients: dict[Key, _Client] = {}
        self._servers: dict[Key, ServerTransaction] = {}
        self._outgoing: list[Outgoing] = []
        self._tidy_at: int | None = None  # when the first transaction that lingers may be forgotten

    def send(
        self, request: Request, destination: Address, sender: RequestSender | None, exchange: Exchange, *, now: int
    ) -> None:
        """Send a request by a new client transaction."""
        key = transaction_key(request)
        client = _Client(client_transaction(request, times=self._times, log=self._log), destination, sender, exchange)
        self._clients[key] = client
        client.transaction.start(now=now)
        self._drain(key, client, now=now)

    def stop_repeating(self, exchange: Exchange, *, now: int) -> None:
        """Send a request no more; its response is still awaited."""
        for client in self._clients.values():
            if client.exchange is exchange:
                client.transaction.stop_repeating(now=now)

    def open_server(self, request: Request) -> ServerTransaction:
        """Begin the server transaction of a request; the caller is to `start` it when it has looked at the request."""
        transaction = server_transaction(request, times=self._times, log=self._log)
        self._servers[transaction_key(request)] = transaction
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response, *, now: int) -> None:
        """Send a response by the server transaction of its request."""
        transaction.respond(response, now=now)
        self._drain_server(transaction)

    def transmit(self, message: Message, destination: Address) -> None:
        """Send a message outside of any transaction."""
        self._outgoing.append(Outgoing(message, destination))

    def receive_response(self, response: Response, *, now: int) -> None:
        """Pass a response on; one that belongs to no transaction is dropped."""
        self._tidy(now=now)
        try:
            key = transaction_key(response)
        except PeerError:
            return
        client = self._clients.get(key)
        if client is not None:
            client.transaction.receive(response, now=now)
            self._drain(key, client, now=now)

    def receive_request(self, request: Request, *, now: int) -> tuple[ServerTransaction | None, list[Request]]:
        """Pass a request to its transaction; None where it begins a new one. Also the ACKs that are for the core."""
        self._tidy(now=now)
        known = self._servers.get(transaction_key(request))
        if known is None:
            return None, [request] if request.method == "ACK" else []
        known.receive(request, now=now)
        passed_up = [event for event in known.events() if isinstance(event, Request)]
        self._drain_server(known)
        return known, passed_up

    def disconnected(self, peer: Address, *, now: int) -> None:
        """The connection to a peer is lost, or could not be had: what waits for its answer has failed.

        Its sender hears of a 503 (section 8.1.3.1).
        """
        for key, client in tuple(self._clients.items()):
            if client.destination == peer:
                client.transaction.fail(now=now)
                self._drain(key, client, now=now)

    def cancelled_by(self, cancel: Request) -> ServerTransaction | None:
        """Return the INVITE's transaction that a CANCEL is for (section 9.2)."""
        return self._servers.get(cancelled_key(cancel))

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` is to be called.

        A transaction that lingers wakes nobody, unless its timers are traced: it is forgotten on the next occasion.
        """
        earliest = None
        traced = self._log is not None
        for client in self._clients.values():
            if traced or not client.transaction.lingers:
                at = client.transaction.next_deadline()
                if at is not None and (earliest is None or at < earliest):
                    earliest = at
        for server in self._servers.values():
            if traced or not server.lingers:
                at = server.next_deadline()
                if at is not None and (earliest is None or at < earliest):
                    earliest = at
        return earliest

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due."""
        for key, client in tuple(self._clients.items()):
            at = client.transaction.next_deadline()
            if at is not None and at <= now:
                client.transaction.handle_deadline(now=now)
                self._drain(key, client, now=now)
        for key, server in tuple(self._servers.items()):
            at = server.next_deadline()
            if at is not None and at <= now:
                server.handle_deadline(now=now)
                self._drain_server(server)
            if server.terminated:
                del self._servers[key]

    def _tidy(self, *, now: int) -> None:
        """Forget the transactions whose time of lingering is over, before they could absorb what comes now."""
        if self._tidy_at is not None and self._tidy_at <= now:
            self.handle_deadline(now=now)
            self._tidy_at = None
            for client in self._clients.values():
                self._note_lingering(client.transaction)
            for server in self._servers.values():
                self._note_lingering(server)

    def _note_lingering(self, transaction: ClientTransaction | ServerTransaction) -> None:
        if not transaction.lingers:
            return
        at = transaction.next_deadline()
        if at is not None and (self._tidy_at is None or at < self._tidy_at):
            self._tidy_at = at

    def outgoing(self) -> list[Outgoing]:
        """Drain the messages to send, in order."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def _drain_server(self, transaction: ServerTransaction) -> None:
        for message in transaction.outgoing():
            self._outgoing.append(Outgoing(message, message.via.address))
        self._note_lingering(transaction)

    def _drain(self, key: Key, client: _Client, *, now: int) -> None:
        for message in client.transaction.outgoing():
            self._outgoing.append(Outgoing(message, client.destination))
        for event in client.transaction.events():
            if client.sender is None:
                continue
            if isinstance(event, TimedOut):
                client.sender.timed_out(client.exchange, event.timer, now=now)
            elif isinstance(event, TransportFailed):
                unavailable = respond(client.transaction.request, 503)
                client.sender.receive_response(client.exchange, unavailable, now=now)
            else:
                client.sender.receive_response(client.exchange, event, now=now)
        if client.transaction.terminated:
            self._clients.pop(key, None)
        else:
            self._note_lingering(client.transaction)
