"""Recorded messages sent over the loopback as they are, byte by byte and with their timing: no machine answers them.

Each address of the recording has a socket of its own; all its calls go side by side. A message goes out at its time, if
the one before has arrived; time in which nothing was sent is skipped, unless a speed is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from selectors import EVENT_READ, DefaultSelector
from time import sleep
from typing import Final, NamedTuple

from ..drivers.endpoints import LOCAL_HOST, Endpoint, Endpoints
from ..drivers.run_clock import RunClock
from ..sip.parser import parse_message
from ..trace import Transit
from .run import Address

ARRIVES_WITHIN_S: Final = 0.2
"""A datagram that has not come out of the loopback after so long never will."""

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
    names = dict.fromkeys(name for each in spoken for name in (each.transit.sender, each.transit.receiver))
    arrived: list[Transit | None] = []
    with Endpoints(tuple(names), host=host, allow_host=allow_host) as endpoints:
        clock = RunClock(speed)
        interrupted = False
        try:
            for each in spoken:
                _wait(clock, each.transit.sent_at - spoken[0].transit.sent_at, progress, spoken)
                arrived.append(_sent(each, endpoints, clock))
        except KeyboardInterrupt:
            interrupted = True
    arrived += [None] * (len(spoken) - len(arrived))
    return Repeated(tuple(arrived), endpoints.addresses, interrupted)


def _wait(clock: RunClock, until_at: int, progress: Progress | None, spoken: Sequence[Spoken]) -> None:
    if clock.skips:
        clock.skip_to(until_at)
    while (wait_s := clock.wait_s(until_at)) > 0:
        sleep(min(wait_s, _WAIT_MAX_S))
        if progress is not None:
            progress(clock.read(), spoken[-1].transit.sent_at - spoken[0].transit.sent_at)


def _sent(each: Spoken, endpoints: Endpoints, clock: RunClock) -> Transit | None:
    """Send a message and return what arrived; None where it is too long for the system, or lost."""
    sender, receiver = endpoints.udp(each.transit.sender), endpoints.udp(each.transit.receiver)
    sent_at = clock.read()
    try:
        sender.send(each.raw, receiver.address)
    except OSError:
        return None
    data = _arrived(receiver, sender)
    if data is None:
        return None
    return replace(each.transit, sent_at=sent_at, received_at=clock.read(), message=parse_message(data))


def _arrived(receiver: Endpoint, sender: Endpoint) -> bytes | None:
    """Wait for the datagram that was sent; others are not ours."""
    with DefaultSelector() as selector:
        selector.register(receiver, EVENT_READ)
        while selector.select(ARRIVES_WITHIN_S):
            for datagram in receiver.received(at_most=1):
                if datagram.source == sender.address:
                    return datagram.data
    return None
