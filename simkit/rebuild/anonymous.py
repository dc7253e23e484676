"""Calls told without names: users, hosts, addresses, display names, Call-IDs and where media go become others.

The same name becomes the same other one throughout, so that the calls still hang together. Of headers only those are
kept that say something about a session, or where messages go; of a session description what a refresh needs.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..errors import PeerError
from ..sip.headers import HeaderField, canonical_name, split_list
from ..sip.message import Message, Request, Response
from ..sip.status import reason_phrase
from ..sip.uri import parse_name_address, parse_uri
from ..trace import Record, Trace

_ADDRESSES: Final = frozenset(("From", "To", "Contact", "Route", "Record-Route"))
_KEPT: Final = frozenset(
    canonical_name(name)
    for name in (
        "CSeq Max-Forwards Content-Type Content-Length Session-Expires Min-SE Supported Require Proxy-Require Allow "
        "Unsupported Retry-After RSeq RAck Expires Accept"
    ).split()
)
"""Headers in which nobody is named."""
_KEPT_LINES: Final = re.compile(r"(?:v=|t=|m=|a=(?:sendrecv|sendonly|recvonly|inactive|rtpmap:|fmtp:|ptime:))")
_HOST_AND_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]+))?")
_VIA: Final = re.compile(r"(SIP\s*/\s*2\.0\s*/\s*\w+\s+)([^\s;,]+)([^,]*)")
_VIA_PARAMETERS: Final = re.compile(r";\s*(branch|ttl|keep|alias)(?:=([^;]*))?", re.IGNORECASE)
_DOCUMENTATION: Final = ("192.0.2.", "198.51.100.", "203.0.113.")  # RFC 5737


class Anonymous:
    """Gives everybody another name, and remembers which."""

    def __init__(self) -> None:
        self._hosts: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._calls: dict[str, str] = {}

    def trace(self, trace: Trace) -> Trace:
        """Return a call as if others had made it. Timers and happenings are left out."""
        records: list[Record] = []
        for transit in trace.messages():
            message = self._message(transit.message)
            sender, receiver = self._place(transit.sender), self._place(transit.receiver)
            records.append(replace(transit, message=message, sender=sender, receiver=receiver))
        return Trace(records)

    def call_id(self, call_id: str) -> str:
        """Return another Call-ID."""
        return _other(self._calls, call_id, lambda number: f"call-{number}@example.invalid")

    # --- names ---

    def _host(self, host: str) -> str:
        return _other(self._hosts, host.strip("[]").lower(), _documentation)

    def _place(self, place: str) -> str:
        """Return another "host:port"; the port stays."""
        found = _HOST_AND_PORT.fullmatch(place)
        host, port = (found[1], found[2]) if found else (place, None)
        return self._host(host) + (f":{port}" if port else "")

    def _user(self, user: str) -> str:
        return _other(self._users, user, lambda number: f"user{number}")

    # --- messages ---

    def _message(self, message: Message) -> Message:
        headers = tuple(field for header in message.headers for field in self._header(*header))
        body = self._description(message.body)
        headers = tuple((name, str(len(body)) if _is_length(name) else value) for name, value in headers)
        if isinstance(message, Request):
            return Request(message.method, self._uri(message.uri), headers, body)
        assert isinstance(message, Response)
        return Response(message.status, reason_phrase(message.status), headers, body)

    def _header(self, name: str, value: str) -> tuple[HeaderField, ...]:
        """Return a header as it is told; nothing where it may name somebody."""
        canonical = canonical_name(name)
        if canonical in _KEPT:
            return ((name, value),)
        if canonical == "Call-ID":
            return ((name, self.call_id(value)),)
        if canonical == "Via":
            return ((name, ", ".join(self._via(element) for element in split_list(value))),)
        if canonical in _ADDRESSES:
            return ((name, ", ".join(self._address(element) for element in split_list(value))),)
        return ()

    def _address(self, value: str) -> str:
        """Return a name-addr with another name and URI; of its parameters the tag and `lr` stay."""
        try:
            address = parse_name_address(value)
        except PeerError:
            return "<sip:somebody@192.0.2.254>"
        name = address.display_name
        shown = f'"{_other(self._names, name, lambda number: f"Name {number}")}" ' if name else ""
        tag = f";tag={address.tag}" if address.tag else ""
        return f"{shown}<{self._uri(address.uri)}>{tag}"

    def _uri(self, uri: str) -> str:
        """Return another URI of the same kind."""
        try:
            sip = parse_uri(uri)
        except PeerError:
            return "sip:somebody@192.0.2.254"
        user = f"{self._user(sip.user)}@" if sip.user else ""
        port = f":{sip.port}" if sip.port else ""
        loose = ";lr" if any(name.lower() == "lr" for name, _ in sip.parameters) else ""
        return f"{sip.scheme}:{user}{self._host(sip.host)}{port}{loose}"

    def _via(self, value: str) -> str:
        found = _VIA.fullmatch(value.strip())
        if found is None:
            return "SIP/2.0/UDP 192.0.2.254"
        kept = "".join(part[0] for part in _VIA_PARAMETERS.finditer(found[3]))
        return f"{found[1]}{self._place(found[2])}{kept}"

    def _description(self, body: bytes) -> bytes:
        """Return a session description with another origin and place for media; any other body is left out."""
        if not body.startswith(b"v=0"):
            return b""
        lines = []
        for line in body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
            if line.startswith("o="):
                lines.append(self._origin(line))
            elif line.startswith("c="):
                lines.append(f"c=IN IP4 {self._host(line.split()[-1])}")
            elif line.startswith("s="):
                lines.append("s=-")
            elif _KEPT_LINES.match(line):
                lines.append(line)
        return "\r\n".join([*lines, ""]).encode()

    def _origin(self, line: str) -> str:
        words = line[2:].split()
        if len(words) != 6:
            return "o=- 0 0 IN IP4 192.0.2.254"
        return f"o={self._user(words[0])} {words[1]} {words[2]} IN IP4 {self._host(words[5])}"


def _is_length(name: str) -> bool:
    return canonical_name(name) == "Content-Length"


def _documentation(number: int) -> str:
    network, host = divmod(number - 1, 254)
    return f"{_DOCUMENTATION[network % 3]}{host + 1}"


def _other(known: dict[str, str], name: str, make: Callable[[int], str]) -> str:
    """Return the name that stands for another, a new one the first time."""
    if name not in known:
        known[name] = make(len(known) + 1)
    return known[name]
