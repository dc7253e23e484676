"""SIP over UDP (RFC 3261 section 18): a party's socket."""

import socket
from collections.abc import Iterator
from selectors import EVENT_READ, BaseSelector
from typing import Final

from ..ua.events import Address
from .hosts import family_of
from .pace import Pace, hold_back
from .place import Datagram

_DATAGRAM_MAX: Final = 65_535
_BUFFER_BYTES: Final = 4 << 20  # asked for; the system may give less, and a driver never has many datagrams under way


class Endpoint:
    """One party's UDP socket."""

    __slots__ = ("_pace", "_socket", "address")

    def __init__(self, host: str, port: int, pace: Pace | None = None) -> None:
        """Send at this pace what leaves the machine. Raise OSError where the address cannot be had."""
        self._pace = pace
        self._socket = socket.socket(family_of(host), socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind((host, port))
            self.address: Address = (host, self._socket.getsockname()[1])
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        return self._socket.fileno()

    def watch(self, selector: BaseSelector | None) -> None:
        """Have this selector look at the socket; None: nobody does."""
        if selector is not None:
            selector.register(self, EVENT_READ)

    def send(self, data: bytes, destination: Address) -> None:
        """Put a datagram on the wire. Raises OSError where the system will not."""
        hold_back(self._pace, self.address, destination)
        self._socket.sendto(data, destination)

    def received(self, *, at_most: int) -> Iterator[Datagram]:
        """Yield the datagrams that have arrived, so many at most."""
        for _ in range(at_most):
            try:
                data, source = self._socket.recvfrom(_DATAGRAM_MAX)
            except OSError:
                return  # there is no more, or an earlier datagram of ours found nobody
            yield Datagram(source[:2], self.address, data)

    def heard(self, named: Address, source: Address) -> None:
        """Take no notice: there is no connection."""

    def disconnect(self, peer: Address) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
