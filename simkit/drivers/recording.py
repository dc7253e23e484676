"""What went over the wire, by the best witness: the sniffer, if it saw every message once, or else the sockets."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Final, NamedTuple

from ..errors import SetupError
from ..sip.transport import Transport
from ..trace import Trace, Transit
from ..ua.events import Address
from .loopback import Sent
from .place import Datagram
from .run_clock import RunClock
from .sniffer import Sniffer

SOCKETS: Final = "the sockets"

_ENCRYPTED: Final = "what is on the wire is encrypted"

DRAIN_S: Final = 1.0
"""The system hands over what it has captured within milliseconds; so long is waited for the rest of it."""


class Recording(NamedTuple):
    """The messages of a run in the order of time, and who saw them."""

    trace: Trace
    by: str
    note: str = ""
    """Why it was not the sniffer."""


class Listening:
    """A sniffer, where it is wanted and the user may capture; leaving the `with` block closes it."""

    def __init__(
        self,
        addresses: Mapping[str, Address],
        *,
        wanted: bool,
        transport: Transport = Transport.UDP,
        outward: bool = False,
    ) -> None:
        """With `outward` others than these have part in the run, and say more than what is about its calls."""
        self.sniffer: Sniffer | None = None
        self.why_not = _ENCRYPTED if wanted and transport is Transport.TLS else ""
        self._outward = outward
        try:
            if wanted and not self.why_not:
                self.sniffer = Sniffer(addresses.values(), outward=outward, connected=transport.is_reliable)
        except SetupError as error:
            self.why_not = str(error)

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        if self.sniffer is not None:
            self.sniffer.close()

    def recording(
        self, sent: Sequence[Sent], clock: RunClock, opened_from: Mapping[Address, Address] | None = None
    ) -> Recording:
        """Return what was sent as the sniffer saw it, or as the sockets sent it.

        `opened_from` says who opened connections, by the addresses that these came from.
        """
        by_sockets = Trace([each.transit for each in sent])
        if self.sniffer is None:
            return Recording(by_sockets, SOCKETS, self.why_not)
        _drain(self.sniffer, len(sent))
        seen, unknown = _seen(sent, self.sniffer, clock, opened_from or {})
        if len(seen) == len(sent) and (self._outward or not unknown):
            seen.sort(key=lambda transit: transit.sent_at)
            return Recording(Trace([*seen]), self.sniffer.name)
        note = f"{self.sniffer.name} saw {len(seen)} of {len(sent)} messages, and {unknown} that were not sent"
        return Recording(by_sockets, SOCKETS, note)


def _drain(sniffer: Sniffer, expected: int) -> None:
    until_s = monotonic() + DRAIN_S
    sniffer.read()
    while len(sniffer.sniffed) < expected and monotonic() < until_s:
        sniffer.read()


def _seen(
    sent: Sequence[Sent], sniffer: Sniffer, clock: RunClock, names: Mapping[Address, Address]
) -> tuple[list[Transit], int]:
    """Return the messages that the sniffer saw, at its times, and how many it saw beside them.

    Where a time stamp is before the last one, what was captured later is believed to have been later: two processors'
    clocks may differ by a tenth of a millisecond.
    """
    awaited: dict[Datagram, deque[Transit]] = defaultdict(deque)
    for transit, datagram in sent:
        awaited[datagram].append(transit)
    seen: list[Transit] = []
    latest_at = 0
    for calendar_ns, (source, destination, data) in sniffer.sniffed:
        datagram = Datagram(names.get(source, source), names.get(destination, destination), data)
        if awaited[datagram]:
            latest_at = max(latest_at, clock.at_calendar_ns(calendar_ns))
            seen.append(replace(awaited[datagram].popleft(), sent_at=latest_at))
    return seen, len(sniffer.sniffed) - len(seen)
