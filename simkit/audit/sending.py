"""A message as a tap sees it: when it was first sent and by whom, how it arrived, and how often it was sent.

What a proxy on the way passes on is the same sending: what its sender did is judged by `message`, what its receiver
made of it by `arrived`. Times are microseconds of SIP's time: those of the trace, times the speed it was taken at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from ..sip.headers import HeaderField
from ..sip.layout import Layout
from ..sip.message import Message, Request, Response
from ..sip.readable import least_of, session_of
from ..sip.session_headers import TIMER, Refresher
from ..trace import Transit

_Element = TypeVar("_Element")


class Terms(NamedTuple):
    """What a message says of the session timer; None: nothing that can be read."""

    interval_s: int | None
    refresher: Refresher | None
    min_se_s: int | None
    supported: bool
    """`timer` is in its Supported."""
    required: bool
    """`timer` is in its Require."""


SESSION_HEADERS: Final = ("Session-Expires", "Min-SE", "Supported", "Require")
"""What they are read from."""
NOTHING: Final = Terms(None, None, None, supported=False, required=False)


@dataclass(frozen=True, slots=True)
class Passing:
    """A sending as a proxy passed it on."""

    message: Message
    sender: str
    frame: int
    at: int

    @property
    def said(self) -> Terms:
        """What it says of the session timer now."""
        return terms_of(self.message)


@dataclass(slots=True, eq=False)
class Sending:
    """One message of one party, however often it was sent."""

    message: Message
    """As it left its sender."""
    sender: str
    receiver: str
    """Who got it first: the peer or a proxy."""
    frame: int
    at: int
    arrived: Message
    """As it reached the far end of what the tap sees."""
    arrived_at: int
    """When it first got there; where the tap cannot know that, when it was seen."""
    lost: bool
    """No copy of it has arrived yet."""
    order: int
    """Its place in the trace: the frames of several interfaces may not be in the order of time."""
    status: int
    """That of a response; 0 of a request."""
    connection: int
    """Over which connection of the two it first went, from 1; 0: over UDP."""
    again_at: Sequence[int] = ()
    """When it was sent again."""
    arrived_again_at: Sequence[int] = ()
    """When it came again, as far as the tap knows."""
    passed_on: Sequence[Passing] = ()
    said: Terms = NOTHING
    """What it says of the session timer, as its sender wrote it."""
    heard: Terms = NOTHING
    """The same as its receiver got it."""

    def read(self) -> None:
        """Read what it says of the session timer: it is asked for again and again."""
        self.said = self.heard = terms_of(self.message)
        if self.passed_on:
            self.heard = terms_of(self.arrived)

    @property
    def last_at(self) -> int:
        """When it was last sent."""
        return self.again_at[-1] if self.again_at else self.at

    def seen_again(self, transit: Transit, *, speed: int) -> None:
        """Its sender has sent it again."""
        at, arrived_at = times(transit, speed=speed)
        self.again_at = _and(self.again_at, at)
        if transit.lost is not None:
            return
        if self.lost:
            self.lost, self.arrived_at = False, arrived_at
        else:
            self.arrived_again_at = _and(self.arrived_again_at, arrived_at)

    def passed(self, transit: Transit, *, speed: int) -> None:
        """A proxy has passed it on."""
        at, arrived_at = times(transit, speed=speed)
        passing = Passing(transit.message, transit.sender, transit.number, at)
        self.passed_on = _and(self.passed_on, passing)
        self.arrived, self.arrived_at = transit.message, arrived_at


def _and(former: Sequence[_Element], latest: _Element) -> list[_Element]:
    """Return the list with one more: most sendings have none of it, and are many, so that only these get a list."""
    if not isinstance(former, list):
        return [latest]
    former.append(latest)
    return former


def sending_of(transit: Transit, order: int, *, speed: int) -> Sending:
    """Return a message that was not seen before."""
    at, arrived_at = times(transit, speed=speed)
    message, lost = transit.message, transit.lost is not None
    status = message.status if isinstance(message, Response) else 0
    return Sending(
        message,
        transit.sender,
        transit.receiver,
        transit.number,
        at,
        message,
        arrived_at,
        lost,
        order,
        status,
        transit.connection,
    )


def times(transit: Transit, *, speed: int) -> tuple[int, int]:
    """Return when a message was sent and when it arrived; the same where only one of them was seen."""
    sent_at, received_at = transit.sent_at, transit.received_at
    return sent_at * speed, (sent_at if received_at is None else received_at) * speed


# --- what a message says ---------------------------------------------------------------------------------------------


def terms_of(message: Message) -> Terms:
    """Read what a message says of the session timer; what cannot be read is a finding of its own."""
    headers = message.headers
    return _terms(tuple([headers[place] for place in _session_places(message.layout)]))


@lru_cache(maxsize=1024)
def _session_places(layout: Layout) -> tuple[int, ...]:
    return tuple(place for name in SESSION_HEADERS for place in layout.places.get(name, ()))


@lru_cache(maxsize=4096)  # most messages say the same
def _terms(headers: tuple[HeaderField, ...]) -> Terms:
    message = Request("INVITE", "sip:nobody@invalid", headers)
    supported, required = TIMER in message.tokens("Supported"), TIMER in message.tokens("Require")
    expires, min_se_s = session_of(message), least_of(message)
    if expires is None:
        return Terms(None, None, min_se_s, supported, required)
    return Terms(expires.interval_s, expires.refresher, min_se_s, supported, required)


def has_description(message: Message) -> bool:
    """Whether the body is an SDP offer or answer."""
    return message.body.startswith(b"v=")


def without_origin(body: bytes) -> bytes:
    """Return an SDP body less its origin line: what must be the same where only the version may differ."""
    return b"\n".join(line for line in body.replace(b"\r", b"").split(b"\n") if not line.startswith(b"o="))
