"""SIP over connections (RFC 3261 section 18): a party's listening socket, and the connections that it has with others.

A connection serves both ways, whoever opened it: what goes to an address goes over the one by which that address was
last heard from or reached, and opens one only where there is none. Messages are cut from the stream by their
Content-Length. Nothing here waits, but for a connection to be taken.
"""

import selectors
import socket
from collections.abc import Iterator
from contextlib import suppress
from errno import ECONNREFUSED
from os import strerror
from struct import pack
from typing import Final, Protocol

from ..sip.framing import SipFraming
from ..ua.events import Address
from .hosts import family_of
from .pace import Pace, hold_back
from .place import Datagram, Loss

CONNECT_S: Final = 2.0
"""So long the other side may take to take a connection."""

_READ_BYTES: Final = 65_536
_BACKLOG: Final = 128
_AT_ONCE: Final = pack("ii", 1, 0)  # SO_LINGER: a reset, and no port that rests for a while


class Channel(Protocol):
    """What stands between messages and the bytes on the wire; it may have bytes of its own to send."""

    def encrypt(self, data: bytes) -> bytes:
        """Return what is to be sent now, of this and of what has waited."""
        ...

    def decrypt(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes in; return what they say, and what is to be sent now. Raises OSError."""
        ...


class Channels(Protocol):
    """Makes channels."""

    def channel(self, *, opened_by_us: bool) -> Channel:
        """Return the channel of a new connection."""
        ...


class Connection:
    """One connection of a party; `peer` is whom it leads to, `ours` that party's own address."""

    __slots__ = ("_channel", "_framing", "_selector", "_socket", "_unsent", "names", "ours", "peer")

    def __init__(
        self,
        connected: socket.socket,
        peer: Address,
        ours: Address,
        channel: Channel | None,
        selector: selectors.BaseSelector | None,
    ) -> None:
        self.peer = peer
        self.names = [peer]
        """By which addresses the other side is known."""
        self.ours = ours
        self._socket = connected
        self._channel = channel
        self._framing = SipFraming()
        self._unsent = bytearray()
        self._selector: selectors.BaseSelector | None = None
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a message does not wait for the next
        self.watch(selector)

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        return self._socket.fileno()

    def watch(self, selector: selectors.BaseSelector | None) -> None:
        """Be looked at by this selector from here on; None: by nobody."""
        if selector is not None:
            selector.register(self, selectors.EVENT_READ)
        self._selector = selector
        self._look_for_room()

    def send(self, data: bytes) -> None:
        """Send a message, as soon as there is room for it. Raises OSError where the connection is lost."""
        self._unsent += data if self._channel is None else self._channel.encrypt(data)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        self._look_for_room()

    def _look_for_room(self) -> None:
        if self._selector is not None:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
            if self._selector.get_key(self).events != wanted:
                self._selector.modify(self, wanted)

    def received(self, *, at_most: int) -> Iterator[Datagram | Loss]:
        """Yield the messages that have arrived, by so many reads at most, and the loss of the connection."""
        try:
            self._flush()
            for _ in range(at_most):
                data = self._socket.recv(_READ_BYTES)
                if not data:
                    break
                if self._channel is not None:
                    data, reply = self._channel.decrypt(data)
                    self._unsent += reply
                    self._flush()
                yield from (Datagram(self.peer, self.ours, message) for message in self._framing.feed(data))
            else:
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.close()
        yield Loss(tuple(self.names), self.ours)

    def close(self, *, at_once: bool = False) -> None:
        """End the connection; `at_once`: without a word, and whatever is under way."""
        if self.fileno() == -1:
            return
        if self._selector is not None:
            self._selector.unregister(self)
            self._selector = None
        if at_once:
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._socket.close()


class StreamEndpoint:
    """One party's place: it listens there, and is known by that address on each connection that it opens."""

    __slots__ = ("_by_peer", "_channels", "_connections", "_listener", "_openers", "_pace", "_selector", "address")

    def __init__(
        self,
        host: str,
        port: int,
        openers: dict[Address, Address],
        *,
        channels: Channels | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Listen. Raise OSError where the address cannot be had.

        `openers` is shared by the parties of a run: who has opened a connection from an address.
        """
        self._openers = openers
        self._channels = channels
        self._pace = pace
        self._selector: selectors.BaseSelector | None = None
        self._connections: dict[Connection, None] = {}
        self._by_peer: dict[Address, Connection] = {}
        self._listener = socket.socket(family_of(host), socket.SOCK_STREAM)
        try:
            self._listener.setblocking(False)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past what rests of the last run
            self._listener.bind((host, port))
            self._listener.listen(_BACKLOG)
            self.address: Address = (host, self._listener.getsockname()[1])
        except BaseException:
            self._listener.close()
            raise

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        return self._listener.fileno()

    def watch(self, selector: selectors.BaseSelector | None) -> None:
        """Have this selector look at all sockets from here on, those to come included; None: nobody does."""
        self._selector = selector
        if selector is not None:
            selector.register(self, selectors.EVENT_READ)
        for connection in self._connections:
            if connection.fileno() != -1:
                connection.watch(selector)

    def send(self, data: bytes, destination: Address) -> None:
        """Send a message. Raises OSError where nobody takes a connection, or it is lost."""
        hold_back(self._pace, self.address, destination)
        connection = self._by_peer.get(destination)
        if connection is None or connection.fileno() == -1:
            connection = self._connect(destination)
        try:
            connection.send(data)
        except OSError:
            self._end(connection)
            raise

    def received(self, *, at_most: int) -> Iterator[Datagram | Loss]:
        """Take connections; what comes over them they yield themselves."""
        for _ in range(at_most):
            try:
                connected, source = self._listener.accept()
            except OSError:
                return
            peer = source[:2]
            self._add(connected, self._openers.get(peer, peer), opened_by_us=False)
        yield from ()

    def heard(self, named: Address, source: Address) -> None:
        """Who is at `source` calls itself by another address: what goes there goes over the same connection."""
        connection = self._by_peer.get(source)
        if connection is not None and self._by_peer.get(named) is not connection:
            self._by_peer[named] = connection
            connection.names.append(named)

    def disconnect(self, peer: Address) -> None:
        """Break the connections with a peer."""
        for connection in [each for each in self._connections if peer in each.names]:
            self._end(connection)

    def close(self) -> None:
        """End every connection and give the port back."""
        self.watch(None)
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._listener.close()

    def _connect(self, destination: Address) -> Connection:
        opened = socket.socket(family_of(self.address[0]), socket.SOCK_STREAM)
        try:
            opened.settimeout(CONNECT_S)
            opened.bind((self.address[0], 0))
            self._openers[opened.getsockname()[:2]] = self.address
            opened.connect(destination)
            if opened.getsockname() == opened.getpeername():  # it has met itself, for nobody listens at its own port
                raise ConnectionRefusedError(ECONNREFUSED, strerror(ECONNREFUSED))
            return self._add(opened, destination, opened_by_us=True)
        except BaseException:
            self._openers.pop(opened.getsockname()[:2], None)
            opened.close()
            raise

    def _add(self, connected: socket.socket, peer: Address, *, opened_by_us: bool) -> Connection:
        for known in [each for each in self._connections if each.fileno() == -1]:
            self._end(known)
        channel = self._channels.channel(opened_by_us=opened_by_us) if self._channels is not None else None
        connection = Connection(connected, peer, self.address, channel, self._selector)
        self._connections[connection] = None
        self._by_peer[peer] = connection
        return connection

    def _end(self, connection: Connection) -> None:
        connection.close(at_once=True)
        self._connections.pop(connection, None)
        for peer in [peer for peer, known in self._by_peer.items() if known is connection]:
            del self._by_peer[peer]
