"""A call as it is compared: each message once, however often it was sent; parties, times and numbers from its start.

What the one who sends it chose at random (the first CSeq, the first version of an SDP origin) becomes steps from the
message before. Which message is whose counterpart is the business of `alignment`.
"""

import re
from collections.abc import Mapping

from ..errors import PeerError
from ..sip.message import CSeq, Message, Request, Response
from ..trace import Trace, Transit
from .comparison import Sending

_ORIGIN = re.compile(rb"^o=[^ \r\n]+ +([^ \r\n]+) +([0-9]{1,20}) ", re.MULTILINE)
_REQUEST_PENDING = "491 "  # RFC 3261 section 21.4.27
_OF_ANOTHER_REQUEST = ("ACK", "CANCEL")  # they carry its CSeq number (RFC 3261 sections 9.1, 13.2.2.4 and 17.1.1.3)


def parties_of(trace: Trace) -> list[str]:
    """Return the parties of a call: who asks first comes first, even where its request is missing."""
    found: dict[str, None] = {}
    for transit in trace.messages():
        ends = (transit.sender, transit.receiver)
        found.update(dict.fromkeys(ends if transit.message.is_request else reversed(ends)))
    return list(found)


def sendings(trace: Trace, number_of: Mapping[str, int], *, speed: int = 1) -> list[Sending]:
    """Return a call's messages in the order of sending, repetitions folded into the first.

    `number_of` has each party's number. The capture was taken in time that ran `speed`-fold.
    """
    reader = _Reader(number_of, speed)
    for transit in trace.messages():
        reader.read(transit)
    return reader.sendings


class _Reader:
    """Reads a call from its first message to its last."""

    def __init__(self, number_of: Mapping[str, int], speed: int) -> None:
        self.sendings: list[Sending] = []
        self._number_of, self._speed = number_of, speed
        self._began_at: int | None = None
        self._first: dict[tuple[object, ...], Sending] = {}
        self._cseq: dict[tuple[int, int], int] = {}
        self._refused_at: dict[tuple[int, int], int] = {}
        self._origin: dict[tuple[int, int], tuple[bytes, int]] = {}

    def read(self, transit: Transit) -> None:
        if self._began_at is None:
            self._began_at = transit.sent_at
        at, message = (transit.sent_at - self._began_at) * self._speed, transit.message
        cseq = _cseq(message)
        title = title_of(message)
        # A 2xx that is repeated is acknowledged again, by some with another branch.
        branch = None if title == "ACK" else message.header("Via")
        # Forks answer with tags of their own, and reliable provisional responses are numbered (RFC 3262).
        key = (transit.sender, transit.receiver, title, cseq, branch, message.header("To"), message.header("RSeq"))
        first = self._first.get(key)
        if first is not None:
            first.repeats += 1
            first.last_at = at
            return
        self._first[key] = sending = self._sending(transit, at, title, cseq)
        self.sendings.append(sending)

    def _sending(self, transit: Transit, at: int, title: str, cseq: CSeq | None) -> Sending:
        message = transit.message
        hop = (self._number_of[transit.sender], self._number_of[transit.receiver])
        asked = hop if message.is_request else (hop[1], hop[0])
        number = cseq.number if cseq else 0
        is_new = message.is_request and title not in _OF_ANOTHER_REQUEST
        step = number - self._cseq[asked] if cseq and asked in self._cseq else None
        if cseq and (is_new or asked not in self._cseq):
            self._cseq[asked] = number
        if title.startswith(_REQUEST_PENDING):
            self._refused_at[asked] = at
        refused_at = self._refused_at.pop(asked, None) if is_new else None
        return Sending(
            transit,
            at,
            *hop,
            title,
            message.is_request,
            (*asked, number),
            step,
            self._version_step(hop, message.body),
            None if refused_at is None else at - refused_at,
        )

    def _version_step(self, hop: tuple[int, int], body: bytes) -> int | None:
        origin = _ORIGIN.search(body) if body else None
        if origin is None:
            return None
        session_id, version = origin[1], int(origin[2])
        known = self._origin.get(hop)
        self._origin[hop] = (session_id, version)
        return version - known[1] if known and known[0] == session_id else None


def _cseq(message: Message) -> CSeq | None:
    try:
        return message.cseq
    except PeerError:
        return None


def title_of(message: Message) -> str:
    """Return "INVITE" or "200 INVITE"; of a response that does not say to what, the status alone."""
    if isinstance(message, Request):
        return message.method
    assert isinstance(message, Response)
    cseq = _cseq(message)
    return f"{message.status} {cseq.method}" if cseq else str(message.status)
