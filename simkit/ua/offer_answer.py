"""Offer and answer, as far as session refreshes need them (RFC 3264, RFC 4028 section 7.4).

An offer or answer that changes nothing repeats the last description to the byte; one that changes the direction
raises the origin's version by one (RFC 3264 section 8). Codecs and ports are not negotiated.
"""

from ..sip.sdp import Direction, SessionDescription, parse_session_description


class OfferAnswer:
    """What we last described, what the peer last described, and whether we hold the call."""

    __slots__ = ("_local", "_proposed", "_proposed_hold", "_remote_body", "_remote_direction", "we_hold")

    def __init__(self, local: SessionDescription) -> None:
        self._local = local
        self._proposed: SessionDescription | None = None
        self._proposed_hold = False
        self._remote_body = b""
        self._remote_direction = Direction.SENDRECV
        self.we_hold = False

    @property
    def open(self) -> bool:
        """Whether an offer of ours waits for its answer."""
        return self._proposed is not None

    def offer(self, *, hold: bool | None = None) -> bytes:
        """Make an offer: unchanged, or one that holds or resumes."""
        self._proposed_hold = self.we_hold if hold is None else hold
        self._proposed = self._local.with_direction(self._direction(self._proposed_hold))
        return self._proposed.to_bytes()

    def accepted(self, answer: bytes) -> None:
        """Our offer was answered: it is in force. Raises PeerError where the answer is no session description."""
        if self._proposed is None:
            return
        self._local, self.we_hold, self._proposed = self._proposed, self._proposed_hold, None
        self._take(answer)

    def withdrawn(self) -> None:
        """Our offer was refused: everything stays as it was (RFC 3261 section 14.1)."""
        self._proposed = None

    def answer(self, offer: bytes) -> bytes:
        """Take the peer's offer and answer it. Raises PeerError (400) where it is no session description."""
        self._take(offer)
        self._local = self._local.with_direction(self._direction(self.we_hold))
        return self._local.to_bytes()

    def _take(self, body: bytes) -> None:
        if body and body != self._remote_body:
            self._remote_direction = parse_session_description(body).direction
            self._remote_body = body

    def _direction(self, hold: bool) -> Direction:
        """What we send and receive: not more than either side wants (RFC 3264 sections 6.1 and 8.4)."""
        we_receive = not hold and self._remote_direction.sends
        we_send = self._remote_direction.receives
        return Direction.of(sends=we_send, receives=we_receive)
