"""The real systems of a run: which datagrams are theirs, which call each is about, and where they are to be reached.

A message is known by its Call-ID: what a system says about a call of ours, or an INVITE with which it calls us. It may
come from another port than messages to it go to. Requests about no call (a keep-alive, a registration) are answered and
kept out of every call; what cannot be read is counted, with the reason.
"""

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ..errors import PeerError
from ..sip.headers import HeaderField
from ..sip.message import Message, Request
from ..sip.parser import parse_message
from ..sip.uri import host_port
from ..ua.events import Address
from ..ua.responses import respond
from .hosts import is_loopback
from .network import Party
from .place import Datagram

REASONS_MAX: Final = 10
"""So many messages that could not be read are kept, with what is wrong with them."""

_PAST_MAX: Final = 10_000
_RPORT: Final = re.compile(r";\s*rport\s*(?=;|$)", re.IGNORECASE)
_KEEP_ALIVE: Final = b"\r\n\0 "  # RFC 5626 section 3.5.1 has CRLF; SIP over UDP has seen the others
_ANSWERS: Final[Mapping[str, int]] = {
    "OPTIONS": 200,
    "REGISTER": 200,
    "SUBSCRIBE": 489,
    "PUBLISH": 489,
    "NOTIFY": 481,
    "INVITE": 486,
}
"""What a request about no call is answered; any other gets 405."""
_ALLOW: Final[HeaderField] = ("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS")


@dataclass(slots=True)
class Hearsay:
    """What was heard from real systems beside their calls, over a whole run."""

    messages: int = 0
    """Messages about calls."""
    unreadable: int = 0
    reasons: list[str] = field(default_factory=list)
    """What is wrong with the first of those."""
    beside: Counter[str] = field(default_factory=Counter)
    """Requests about no call, by method."""
    after: int = 0
    """Requests about calls that were over."""
    redirected: dict[str, str] = field(default_factory=dict)
    """Where a system wants its messages though it cannot be reached there, and where they were sent."""


class Outside:
    """The real systems that have part in the calls of a run."""

    def __init__(self, *, allow_host: bool = False) -> None:
        """Send to no other machine, unless that is allowed."""
        self.hearsay = Hearsay()
        self.is_empty = True
        """Whether no real system has had part in any call."""
        self._allow_host = allow_host
        self._waiting: dict[Party, None] = {}
        """Of calls that have no Call-ID yet, in the order in which they began."""
        self._calls: dict[str, list[Party]] = {}
        self._past: dict[str, None] = {}
        self._heard_from: dict[str, Address] = {}

    def admit(self, outsider: Party) -> None:
        """It has part in a call from here on."""
        self.is_empty = False
        self._waiting[outsider] = None

    def dismiss(self, outsider: Party) -> None:
        """Its call is over: what is still said about it is no part of it."""
        self._waiting.pop(outsider, None)
        for call_id in [call_id for call_id, parties in self._calls.items() if outsider in parties]:
            del self._calls[call_id]
            self._past[call_id] = None
        while len(self._past) > _PAST_MAX:
            del self._past[next(iter(self._past))]

    def spoken_to(self, outsider: Party, message: Message) -> None:
        """A message goes to it: now the Call-ID of its call is known."""
        with suppress(PeerError):
            self._belongs(message.call_id, outsider)

    def place(self, outsider: Party, wanted: Address) -> Address:
        """Return where to send what is for an address: there, if that is this machine; else where the system is."""
        if self._may_send_to(wanted[0]):
            return wanted
        place = self._heard_from.get(outsider.name, outsider.address)
        self.hearsay.redirected.setdefault(host_port(wanted), host_port(place))
        return place

    def read(self, datagram: Datagram) -> Message | None:
        """Return what a datagram says; None for a keep-alive, and for what cannot be read."""
        if not datagram.data.strip(_KEEP_ALIVE):
            return None
        try:
            return parse_message(datagram.data)
        except PeerError as error:
            self.hearsay.unreadable += 1
            if len(self.hearsay.reasons) < REASONS_MAX:
                self.hearsay.reasons.append(f"{host_port(datagram.source)}: {error}")
            return None

    def sender(self, message: Message, source: Address) -> Party | None:
        """Return the system that has sent a message, with its part in the call that it is about; None: in none."""
        parties = self._calls.get(message.call_id)
        if parties is None and isinstance(message, Request) and message.method == "INVITE" and not message.to_tag:
            parties = self._called_by(source)
        if not parties:
            return None
        found = next((party for party in parties if party.network.party_at(source) is party), parties[0])
        self._belongs(message.call_id, found)
        self._heard_from[found.name] = source
        self.hearsay.messages += 1
        return found

    def answer(self, message: Message) -> Message | None:
        """Take note of a message that is about no call; return the answer that it gets, if any."""
        if not isinstance(message, Request) or message.method == "ACK":
            return None
        if message.call_id in self._past:
            self.hearsay.after += 1
            return None
        self.hearsay.beside[message.method] += 1
        status = 481 if message.to_tag else _ANSWERS.get(message.method, 405)
        headers: tuple[HeaderField, ...] = (_ALLOW,) if status in (200, 405) else ()
        if message.method == "REGISTER":
            headers = tuple(("Contact", value) for value in message.values("Contact"))
        return respond(message, status, to_tag="outside", headers=headers)

    def _called_by(self, source: Address) -> list[Party]:
        """Return who calls us: the first that has not yet spoken, or else whoever has part in the only call."""
        candidates = [*self._waiting] or [party for parties in self._calls.values() for party in parties]
        networks = dict.fromkeys(party.network for party in candidates)
        if not self._waiting and len(networks) > 1:
            return []
        first = next(iter(networks), None)
        return [party for party in candidates if party.network is first]

    def _belongs(self, call_id: str, outsider: Party) -> None:
        """Enter the call of a system, and of the others that have part in it."""
        parties = self._calls.setdefault(call_id, [])
        if outsider not in parties:
            parties.append(outsider)
        self._waiting.pop(outsider, None)

    def _may_send_to(self, host: str) -> bool:
        try:
            return is_loopback(host) or self._allow_host
        except ValueError:
            return False  # no name is looked up: who knows where that would lead


def stamped(message: Message, source: Address) -> Message:
    """Return a request as its receiver is to see it: with where it came from (RFC 3261 section 18.2.1, RFC 3581)."""
    if not isinstance(message, Request):
        return message
    host, port = source
    asks_for_port = message.via.parameter("rport") == ""
    if message.via.host.strip("[]") == host and not asks_for_port:
        return message
    first, *others = message.values("Via")
    if asks_for_port:
        first = _RPORT.sub(f";rport={port}", first, count=1)
    vias = (f"{first};received={host}", *others)
    return message.with_headers(*(("Via", value) for value in vias))
