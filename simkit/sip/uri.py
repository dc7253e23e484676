"""SIP URIs, name-addresses and Via: who and where (RFC 3261 sections 19.1, 20.10, 20.42 and 25.1)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..errors import PeerError

SIP_PORT: Final = 5060  # RFC 3261 section 19.1.2
SIPS_PORT: Final = 5061

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in order: name as written, and value (None for a bare name)."""


@dataclass(frozen=True, slots=True)
class SipUri:
    """A SIP or SIPS URI (RFC 3261 section 19.1)."""

    scheme: str
    user: str | None
    host: str
    port: int | None = None
    parameters: Parameters = ()
    headers: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to send to; the port is the scheme's own where none is given."""
        return self.host, self.port or (SIPS_PORT if self.scheme == "sips" else SIP_PORT)


@dataclass(frozen=True, slots=True)
class NameAddress:
    """The value of From, To, Contact, Route or Record-Route: a URI as written, display name and parameters."""

    uri: str
    display_name: str = ""
    parameters: Parameters = ()

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value; "" for a bare name, None where it is missing. Names compare without case."""
        for written, value in self.parameters:
            if written.lower() == name:
                return value or ""
        return None

    @property
    def tag(self) -> str | None:
        """The tag (RFC 3261 section 19.3)."""
        return self.parameter("tag") or None


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int | None
    parameters: Parameters = ()

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value; "" for a bare name, None where it is missing. Names compare without case."""
        for written, value in self.parameters:
            if written.lower() == name:
                return value or ""
        return None

    @property
    def branch(self) -> str:
        """The branch parameter; "" where there is none (RFC 2543)."""
        return self.parameter("branch") or ""

    @property
    def address(self) -> tuple[str, int]:
        """Where responses go (RFC 3261 section 18.2.2, RFC 3581 section 4)."""
        rport = self.parameter("rport") or ""
        port = int(rport) if rport.isascii() and rport.isdigit() else self.port
        return self.parameter("received") or self.host, port or SIP_PORT


_PARAMETER = re.compile(r';\s*([^;=\s"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;\s]*))?\s*')
_NAME_ADDRESS = re.compile(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"<])*?)\s*<([^>]*)>\s*(.*)', re.DOTALL)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9.-]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s:;\[\]]+)(?:\s*:\s*([0-9]{1,5}))?\s*(.*)",
    re.I | re.DOTALL,
)
_URI = re.compile(
    r"(sips?):(?:([^@\s]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?((?:;[^;?\s]+)*)(?:\?(\S*))?\Z", re.I
)


def parse_parameters(text: str, what: str) -> Parameters:
    """Read ";name=value;name" to its end. Raises PeerError (400)."""
    found, at = [], 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise PeerError(f"{what}: '{text[at : at + 40]}' is not a parameter")
        name, value = match.groups()
        found.append((name, value))
        at = match.end()
    return tuple(found)


@lru_cache(maxsize=8192)
def parse_name_address(value: str) -> NameAddress:
    """Read a name-addr or addr-spec with parameters. Raises PeerError (400)."""
    match = _NAME_ADDRESS.match(value)
    if match is None:
        uri, semicolon, rest = value.strip().partition(";")  # without brackets the parameters are the header's
        if not uri or " " in uri or "<" in uri:
            raise PeerError(f"'{value[:60]}' is not an address")
        return NameAddress(uri.strip(), "", parse_parameters(semicolon + rest, "address"))
    display_name, uri, rest = match.groups()
    return NameAddress(uri, display_name, parse_parameters(rest, "address"))


@lru_cache(maxsize=8192)
def parse_via(value: str) -> Via:
    """Read one Via value. Raises PeerError (400)."""
    match = _VIA.match(value.strip())
    if match is None:
        raise PeerError(f"Via: '{value[:60]}' is not 'SIP/2.0/transport host:port'")
    transport, host, port, rest = match.groups()
    return Via(transport.upper(), host, int(port) if port else None, parse_parameters(rest, "Via"))


@lru_cache(maxsize=8192)
def parse_uri(text: str) -> SipUri:
    """Read a SIP or SIPS URI. Raises PeerError (416 where the scheme is another, else 400)."""
    match = _URI.match(text.strip())
    if match is None:
        status = 400 if text.strip().lower().startswith(("sip:", "sips:")) else 416
        raise PeerError(f"'{text[:60]}' is not a SIP URI", status=status)
    scheme, user, host, port, parameters, headers = match.groups()
    return SipUri(
        scheme.lower(),
        user,
        host,
        int(port) if port else None,
        parse_parameters(parameters or "", "URI"),
        headers or "",
    )
