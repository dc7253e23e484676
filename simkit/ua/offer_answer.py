"""Offer and answer, as far as session refreshes need them (RFC 3264, RFC 4028 section 7.4).

An offer or answer that changes nothing repeats the last description to the byte; one that changes the direction
raises the origin's version by one (RFC 3264 section 8). Codecs and ports are not negotiated.
"""

from typing import Final

from ..sip.headers import HeaderField
from ..sip.sdp import Direction, SessionDescription, parse_session_description
from .events import Address
from .identifiers import Identifiers

MEDIA_PORT: Final = 40000
CONTENT_TYPE: Final[HeaderField] = ("Content-Type", "application/sdp")


class OfferAnswer:
    """What we last described, and who holds the call."""

    __slots__ = ("_local", "_newest", "_offered", "_proposed", "_proposed_hold", "_they_hold", "_we_hold")

    def __init__(self, local: SessionDescription) -> None:
        self._local = local
        self._newest = local  # of all that were sent, refused ones too: no version is ever used twice
        self._proposed: SessionDescription | None = None
        self._proposed_hold = False
        self._offered = b""  # the peer's last offer, to save reading it again
        self._we_hold = False
        self._they_hold = False

    @property
    def open(self) -> bool:
        """Whether an offer of ours waits for its answer."""
        return self._proposed is not None

    def offer(self, *, hold: bool | None = None) -> bytes:
        """Make an offer: unchanged, or one that holds or resumes."""
        self._proposed_hold = self._we_hold if hold is None else hold
        direction = Direction.of(sends=not self._they_hold, receives=not self._proposed_hold)
        self._proposed = self._turned(direction)
        return self._proposed.to_bytes()

    def accepted(self) -> None:
        """Our offer was answered: it is in force."""
        if self._proposed is not None:
            self._local, self._we_hold, self._proposed = self._proposed, self._proposed_hold, None

    def withdrawn(self) -> None:
        """Our offer was refused: everything stays as it was (RFC 3261 section 14.1)."""
        self._proposed = None

    def answer(self, offer: bytes) -> bytes:
        """Take the peer's offer and answer it. Raises PeerError where it is no session description."""
        if offer != self._offered:
            theirs = parse_session_description(offer).direction
            self._they_hold = not theirs.receives  # not to send may be but the echo of our own hold
            receives = theirs.sends and not self._we_hold
            self._local = self._turned(Direction.of(sends=theirs.receives, receives=receives))
            self._offered = offer
        return self._local.to_bytes()

    def _turned(self, direction: Direction) -> SessionDescription:
        """Return the description in force, or one of the next version with this direction (RFC 3264 section 8)."""
        if direction is not self._local.direction:
            self._newest = self._newest.with_direction(direction)
            return self._newest
        return self._local


def description(name: str, address: Address, about: str, identifiers: Identifiers) -> SessionDescription:
    """Return the first description of a session; `about` is what it says that the session is about."""
    return SessionDescription(name, str(identifiers.session_id()), 1, address[0], MEDIA_PORT, about=about)


def with_type(headers: tuple[HeaderField, ...], body: bytes) -> tuple[HeaderField, ...]:
    """Add the Content-Type of a session description where there is one."""
    return (*headers, CONTENT_TYPE) if body else headers
