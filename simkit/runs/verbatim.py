"""Recorded messages sent over the loopback as they are, byte by byte and with their timing: no machine answers them.

Each address of the recording has a socket of its own. A message goes out at its time, if the one before has arrived;
time in which nothing was sent is skipped, unless a speed is given.
"""

import select
from collections.abc import Sequence
from dataclasses import dataclass
from time import sleep
from typing import Final, NamedTuple

from ..drivers.endpoints import LOCAL_HOST, Endpoint, Endpoints
from ..drivers.run_clock import RunClock
from ..sip.parser import parse_message
from ..trace import Trace, Transit

ARRIVES_WITHIN_S: Final = 0.2
"""A datagram that has not come out of the loopback after so long never will."""


class Spoken(NamedTuple):
    """What one address sent to another; the time is in microseconds of the recording."""

    at: int
    sender: str
    receiver: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """What arrived when a recording was sent again."""

    trace: Trace
    missing: int
    """Datagrams that never arrived."""


def send_again(spoken: Sequence[Spoken], *, speed: int | None = None, host: str = LOCAL_HOST) -> Repeated:
    """Send every message of a recording again and return what arrived. Raises SetupError where a socket fails."""
    names = dict.fromkeys(name for each in spoken for name in (each.sender, each.receiver))
    trace, missing = Trace(), 0
    with Endpoints(tuple(names), host=host) as endpoints:
        clock = RunClock(speed)
        for number, each in enumerate(spoken, 1):
            _wait(clock, each.at - spoken[0].at)
            sent_at = clock.read()
            arrived = _sent(each.raw, endpoints[each.sender], endpoints[each.receiver])
            if arrived is None:
                missing += 1
            else:
                trace.records.append(_transit(number, sent_at, clock.read(), each, arrived))
    return Repeated(trace, missing)


def calls_of(trace: Trace) -> list[Trace]:
    """Return the messages by Call-ID."""
    found: dict[str | None, Trace] = {}
    for each in trace.messages():
        found.setdefault(each.message.header("Call-ID"), Trace()).records.append(each)
    return list(found.values())


def _wait(clock: RunClock, until_at: int) -> None:
    if clock.skips:
        clock.skip_to(until_at)
    sleep(clock.wait_s(until_at))


def _sent(data: bytes, sender: Endpoint, receiver: Endpoint) -> bytes | None:
    """Send a datagram and return what arrived; None where it is too long for the system, or lost."""
    try:
        sender.send(data, receiver.address)
    except OSError:
        return None
    return _arrived(receiver, sender)


def _arrived(receiver: Endpoint, sender: Endpoint) -> bytes | None:
    """Wait for the datagram that was sent; others are not ours."""
    while select.select([receiver], [], [], ARRIVES_WITHIN_S)[0]:
        for datagram in receiver.received(at_most=1):
            if datagram.source == sender.address:
                return datagram.data
    return None


def _transit(number: int, sent_at: int, received_at: int, each: Spoken, data: bytes) -> Transit:
    return Transit(number, sent_at, each.sender, each.receiver, parse_message(data), received_at=received_at)
