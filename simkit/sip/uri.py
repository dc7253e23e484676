"""SIP URIs, name-addresses and Via: who and where (RFC 3261 sections 19.1, 20.10, 20.42 and 25.1)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from ..errors import PeerError
from .grammar import WHITE_SPACE, Parameters, parameter, parse_parameters

SIP_PORT: Final = 5060  # RFC 3261 section 19.1.2
SIPS_PORT: Final = 5061


@dataclass(frozen=True, slots=True)
class SipUri:
    """A SIP or SIPS URI (RFC 3261 section 19.1)."""

    scheme: str
    user: str | None
    """As written, with the password where there is one."""
    host: str
    port: int | None = None
    parameters: Parameters = ()
    headers: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to send to, IPv6 without brackets; the port is the scheme's own where none is given."""
        return self.host.strip("[]"), self.port or (SIPS_PORT if self.scheme == "sips" else SIP_PORT)


class NameAddress(NamedTuple):
    """The value of From, To, Contact, Route or Record-Route: a URI as written, display name and parameters."""

    uri: str
    display_name: str = ""
    parameters: Parameters = ()
    tag: str | None = None
    """The tag among the parameters (RFC 3261 section 19.3); None where there is none."""

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value by its lower-case name: "" for a bare name, None where it is missing."""
        return parameter(self.parameters, name)


class Via(NamedTuple):
    """One Via value (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int | None
    parameters: Parameters = ()
    branch: str = ""
    """The branch among the parameters; "" where there is none (RFC 2543)."""

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value by its lower-case name: "" for a bare name, None where it is missing."""
        return parameter(self.parameters, name)

    @property
    def address(self) -> tuple[str, int]:
        """Where responses go (RFC 3261 section 18.2.2, RFC 3581 section 4); IPv6 without brackets."""
        if len(self.parameters) == 1 and self.branch:
            return self.host.strip("[]"), self.port or SIP_PORT
        rport = self.parameter("rport") or ""
        port = int(rport) if _PORT.fullmatch(rport) else self.port
        return (self.parameter("received") or self.host).strip("[]"), port or SIP_PORT


_PORT = re.compile("[0-9]{1,5}")
# An unquoted display name may hold more than the tokens it should, but nothing that would end a value.
_NAME_ADDRESS = re.compile(r'("(?:[^"\\]|\\.)*"\s*|[^"<>,;]*)<([^<>\s]+)>\s*(.*)', re.DOTALL)
_BARE_ADDRESS = re.compile(r'([^\s<>",;?]+)\s*(;.*)?', re.DOTALL)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(\[[0-9A-Fa-f:.]+\]|[^\s:;\[\]]+)(?:\s*:\s*([0-9]{1,5}))?\s*(.*)",
    re.I | re.DOTALL,
)
# What nearly all values look like, and can be read at one go: the usual parameter alone, and nothing quoted.
_USUAL_ADDRESS = re.compile(r"<([^<>\s]+)>(?:;tag=([^;=\s\"]+))?")
_USUAL_VIA = re.compile(r"SIP/2\.0/([A-Z]+) ([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?;branch=([^;\s\"]+)")
_TRANSPORT = re.compile(r";transport=[^;?]*", re.I)
_URI = re.compile(
    r"(sips?):(?:([^@\s]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?((?:;[^;?\s]+)*)(?:\?(\S*))?\Z", re.I
)


def host_port(address: tuple[str, int]) -> str:
    """Write an address as a URI or a Via does, IPv6 in brackets (hostport, RFC 3261 section 25.1)."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_of_record(uri: str) -> str:
    """Return a URI as From and To have it: they do not say by which transport (RFC 3261 section 19.1.1, table 1)."""
    return _TRANSPORT.sub("", uri)


@lru_cache(maxsize=4096)
def parse_name_address(value: str) -> NameAddress:
    """Read a name-addr or addr-spec with parameters. Raises PeerError (400).

    Without angle brackets the parameters are the header's, and the URI can hold no comma, semicolon or question mark
    (RFC 3261 section 20).
    """
    if usual := _USUAL_ADDRESS.fullmatch(value):
        uri, tag = usual.groups()
        return NameAddress(uri, "", (("tag", tag),), tag) if tag else NameAddress(uri)
    value = value.strip(WHITE_SPACE)
    if match := _NAME_ADDRESS.fullmatch(value):
        display_name, uri, rest = match.groups()
        display_name = display_name.rstrip(WHITE_SPACE)
    elif match := _BARE_ADDRESS.fullmatch(value):
        uri, rest = match.groups("")
        display_name = ""
    else:
        raise PeerError(f"'{value[:60]}' is not an address")
    parameters = parse_parameters(rest)
    return NameAddress(uri, display_name, parameters, parameter(parameters, "tag") or None)


@lru_cache(maxsize=4096)
def parse_via(value: str) -> Via:
    """Read one Via value. Raises PeerError (400)."""
    if usual := _USUAL_VIA.fullmatch(value):
        transport, host, port, branch = usual.groups()
        return Via(transport, host, int(port) if port else None, (("branch", branch),), branch)
    match = _VIA.match(value.strip(WHITE_SPACE))
    if match is None:
        raise PeerError(f"'{value[:60]}' is not 'SIP/2.0/transport host:port'")
    transport, host, port, rest = match.groups()
    parameters = parse_parameters(rest)
    branch = parameter(parameters, "branch") or ""
    return Via(transport.upper(), host, int(port) if port else None, parameters, branch)


@lru_cache(maxsize=4096)
def parse_uri(text: str) -> SipUri:
    """Read a SIP or SIPS URI. Raises PeerError (416 where the scheme is another, else 400)."""
    match = _URI.match(text)
    if match is None:
        status = 400 if is_sip_uri(text) else 416
        raise PeerError(f"'{text[:60]}' is not a SIP URI", status=status)
    scheme, user, host, port, parameters, headers = match.groups()
    return SipUri(
        scheme.lower(),
        user,
        host,
        int(port) if port else None,
        parse_parameters(parameters),
        headers or "",
    )


def is_sip_uri(text: str) -> bool:
    """Whether the scheme is sip or sips, however the rest may look."""
    return text[:5].lower().startswith(("sip:", "sips:"))
