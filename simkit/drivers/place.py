"""Where one party is on the network, whatever carries its messages; and what a socket yields.

`datagrams` and `streams` have the two kinds, `endpoints` the places of all parties of a run.
"""

from collections.abc import Iterator
from selectors import BaseSelector
from typing import NamedTuple, Protocol

from ..ua.events import Address


class Datagram(NamedTuple):
    """The bytes of one message, from one address to another."""

    source: Address
    destination: Address
    data: bytes


class Loss(NamedTuple):
    """A connection that the other side, or the system, has ended."""

    peers: tuple[Address, ...]
    """By which addresses the other side was known on it."""
    ours: Address


class Source(Protocol):
    """A socket that a selector looks at."""

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        ...

    def received(self, *, at_most: int) -> Iterator[Datagram | Loss]:
        """Yield what has arrived, so much at most."""
        ...


class Place(Source, Protocol):
    """Where one party is: it sends, and is heard from by whoever selects among its sockets."""

    address: Address

    def watch(self, selector: BaseSelector | None) -> None:
        """Have this selector look at its sockets from here on, those to come included; None: nobody does."""
        ...

    def send(self, data: bytes, destination: Address) -> None:
        """Send a message. Raises OSError where the system will not, or nobody takes the connection."""
        ...

    def heard(self, named: Address, source: Address) -> None:
        """Who is at `source` calls itself by another address: what goes there may go over the same connection."""
        ...

    def disconnect(self, peer: Address) -> None:
        """Break the connections with a peer."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...
