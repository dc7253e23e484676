"""Host and port, as a flow or the command line writes them: "127.0.0.1:5060", "[::1]:5060"."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Final

from ..sip.uri import host_port
from .faults import Misread, quoted
from .model import Address

PLACES: Final = ("address", "host", "port")
"""What is known of where every actor is, once the flow runs: ${alice.address} is HOST:PORT."""
PORT_MAX: Final = 65_535
_LOCALHOST: Final = "localhost"


def parse_address(text: str) -> Address:
    """Read an IP address, or localhost, and a port; IPv6 stands in brackets. Raises Misread."""
    host, colon, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not (port.isascii() and port.isdecimal()) or not 1 <= int(port[:9]) <= PORT_MAX:
        raise Misread(f"{quoted(text)} is not HOST:PORT, such as 127.0.0.1:5060")
    if bare == _LOCALHOST:
        return "127.0.0.1", int(port)
    try:
        version = ip_address(bare).version
    except ValueError:
        raise Misread(f"{quoted(host)} is not an IP address, such as 127.0.0.1 or [::1]", host) from None
    if (version == 6) is (bare == host):
        raise Misread(f"{quoted(text)}: an IPv6 address stands in brackets, and only that: [::1]:5060")
    return bare, int(port)


def place_names(actors: Iterable[str]) -> set[str]:
    """Return the names under which it is known where these actors are: "alice.address", ..."""
    return {f"{actor}.{place}" for actor in actors for place in PLACES}


def places(addresses: Mapping[str, Address]) -> dict[str, str]:
    """Return what those names stand for."""
    return {
        f"{actor}.{place}": text
        for actor, address in addresses.items()
        for place, text in zip(PLACES, (host_port(address), address[0], str(address[1])), strict=True)
    }
