"""Recorded messages sent over the loopback as they are, byte by byte and with their timing: no machine answers them.

Each address of the recording has a socket of its own, and connections where it had them; all its calls go side by side.
A message goes out at its time, if the one before has arrived; time in which nothing was sent is skipped, unless a speed
is given.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from selectors import DefaultSelector
from time import sleep
from types import TracebackType
from typing import Final, NamedTuple, cast

from ..drivers.endpoints import Endpoints
from ..drivers.hosts import LOCAL_HOST
from ..drivers.place import Datagram, Place, Source
from ..drivers.run_clock import RunClock
from ..sip.parser import parse_message
from ..sip.transport import Transport
from ..trace import Transit
from .run import Address

ARRIVES_WITHIN_S: Final = 0.2
"""A message that has not come out of the loopback after so long never will."""

Progress = Callable[[int, int], None]
"""Told how many microseconds of the recording are played, and of how many."""
_WAIT_MAX_S: Final = 0.5
"""So often it is told how far all has come."""


class Spoken(NamedTuple):
    """A recorded message as bytes, and which call it belongs to."""

    transit: Transit
    raw: bytes
    call: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """What arrived when a recording was sent again."""

    arrived: tuple[Transit | None, ...]
    """Each message as it arrived, in the order of the recording; None: it never did."""
    addresses: Mapping[str, Address]
    """Where each party was."""
    interrupted: bool


def send_again(
    spoken: Sequence[Spoken],
    *,
    speed: int | None = None,
    host: str = LOCAL_HOST,
    allow_host: bool = False,
    progress: Progress | None = None,
) -> Repeated:
    """Send every message of a recording again, in the order of time, and return what arrived.

    On KeyboardInterrupt that is what has arrived by then. Raises SetupError where a socket fails, or where `host` is
    not of the loopback and that is not allowed.
    """
    arrived: list[Transit | None] = []
    with _Wires(spoken, host, allow_host=allow_host) as wires:
        clock = RunClock(speed)
        interrupted = False
        try:
            for each in spoken:
                _wait(clock, each.transit.sent_at - spoken[0].transit.sent_at, progress, spoken)
                arrived.append(wires.carry(each, clock))
        except KeyboardInterrupt:
            interrupted = True
    arrived += [None] * (len(spoken) - len(arrived))
    return Repeated(tuple(arrived), wires.addresses, interrupted)


def _wait(clock: RunClock, until_at: int, progress: Progress | None, spoken: Sequence[Spoken]) -> None:
    if clock.skips:
        clock.skip_to(until_at)
    while (wait_s := clock.wait_s(until_at)) > 0:
        sleep(min(wait_s, _WAIT_MAX_S))
        if progress is not None:
            progress(clock.read(), spoken[-1].transit.sent_at - spoken[0].transit.sent_at)


class _Wires:
    """A place for each address of the recording and each transport that it used; leaving the `with` block closes them.

    Raises SetupError where one cannot be had.
    """

    def __init__(self, spoken: Sequence[Spoken], host: str, *, allow_host: bool) -> None:
        self.addresses: dict[str, Address] = {}
        """Where each party is; for its first message, if it used several transports."""
        self._places: dict[tuple[str, Transport], Place] = {}
        self._connections: dict[frozenset[str], int] = {}
        """Which of the recorded connections the last message of two addresses went over."""
        self._selector = DefaultSelector()
        with ExitStack() as stack:
            stack.enter_context(self._selector)
            for transport in dict.fromkeys(each.transit.transport for each in spoken):
                ends = ((each.transit.sender, each.transit.receiver, each.transit.transport) for each in spoken)
                names = dict.fromkeys(name for *both, used in ends for name in both if used is transport)
                endpoints = Endpoints(tuple(names), host=host, allow_host=allow_host, transport=transport)
                stack.enter_context(endpoints)
                for name in names:
                    self._places[name, transport] = place = endpoints[name]
                    place.watch(self._selector)
                    self.addresses.setdefault(name, place.address)
            self._open = stack.pop_all()

    def __enter__(self) -> "_Wires":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def carry(self, each: Spoken, clock: RunClock) -> Transit | None:
        """Send a message and return what arrived; None where it is too long for the system, or lost."""
        transit = each.transit
        sender, receiver = (self._places[name, transit.transport] for name in (transit.sender, transit.receiver))
        self._connect_anew(transit, sender, receiver)
        sent_at = clock.read()
        try:
            sender.send(each.raw, receiver.address)
        except OSError:
            return None
        data = self._arrived(sender, receiver)
        if data is None:
            return None
        return replace(transit, sent_at=sent_at, received_at=clock.read(), message=parse_message(data))

    def _connect_anew(self, transit: Transit, sender: Place, receiver: Place) -> None:
        """Break a connection where the recorded parties had another one from here on."""
        pair = frozenset((transit.sender, transit.receiver))
        if transit.connection and self._connections.setdefault(pair, transit.connection) != transit.connection:
            self._connections[pair] = transit.connection
            sender.disconnect(receiver.address)
            receiver.disconnect(sender.address)

    def _arrived(self, sender: Place, receiver: Place) -> bytes | None:
        """Wait for the message that was sent; others are not ours."""
        while ready := self._selector.select(ARRIVES_WITHIN_S):
            for key, _ in ready:
                for each in cast("Source", key.fileobj).received(at_most=1):
                    if isinstance(each, Datagram) and (each.source, each.destination) == (
                        sender.address,
                        receiver.address,
                    ):
                        return each.data
        return None
