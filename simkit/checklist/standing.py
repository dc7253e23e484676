"""Stacks that stand ready for the calls of the list: one process for all of them, or one for each call."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ..runs.run import Address
from ..sut.order import StartOrder
from ..sut.peer import Peer
from ..sut.system import System, started
from .checks import CALLS
from .terms import Terms

LOCAL_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stack is, and its processes, if we have started them."""

    places: Mapping[str, Address]
    """By call."""
    systems: tuple[System, ...] = field(default=())

    def place_of(self, call: str) -> Address:
        """Return where the stack is that a call goes to."""
        return self.places[call]

    def look_after(self) -> None:
        """Raise SetupError where a process has ended."""
        for system in self.systems:
            system.check_alive()


def standing_at(address: Address) -> Standing:
    """Return a stack that runs already."""
    return Standing(dict.fromkeys(CALLS, address))


@contextmanager
def standing(order: StartOrder) -> Iterator[Standing]:
    """Start one process for all calls, and end it. Raises SetupError."""
    with started(order) as system:
        yield Standing(dict.fromkeys(CALLS, order.address), (system,))


@contextmanager
def standing_peer(peer: Peer, folder: str, terms: Terms, *, warp: int, port: int | None = None) -> Iterator[Standing]:
    """Start a stack that we know, at this port or where the system picks one, and end it. Raises SetupError."""
    groups = [[call] for call in CALLS] if peer.one_call else [[*CALLS]]
    addresses = [(LOCAL_HOST, port)] if port else _free_addresses(len(groups))
    with ExitStack() as stack:
        places: dict[str, Address] = {}
        systems = []
        for calls, address in zip(groups, addresses, strict=True):
            own = os.path.join(folder, calls[0]) if peer.one_call else folder
            order = peer.prepared(own, address, terms.timer, warp=warp)
            systems.append(stack.enter_context(started(order)))
            places |= dict.fromkeys(calls, address)
        yield Standing(places, tuple(systems))


def _free_addresses(count: int) -> list[Address]:
    """Return addresses that nobody held a moment ago."""
    with ExitStack() as stack:
        bound = []
        for _ in range(count):
            each = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            each.bind((LOCAL_HOST, 0))
            bound.append((LOCAL_HOST, int(each.getsockname()[1])))
        return bound
