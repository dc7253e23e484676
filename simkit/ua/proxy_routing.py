"""The way of a request through a proxy, and of its responses back (RFC 3261 sections 16.3 to 16.7): no state.

There is no location service: a request goes to one place, where its Route or its Request-URI says. Host names are
compared as they are written, and one transport is taken for all hops.
"""

from dataclasses import dataclass
from typing import Final
from zlib import crc32

from ..errors import PeerError
from ..sip.headers import HeaderField, canonical_name
from ..sip.message import Request, Response
from ..sip.session_headers import TIMER
from ..sip.uri import parse_name_address, parse_uri, parse_via
from .capabilities import Refusal
from .dialog import by_strict_router, is_loose_router
from .events import Address

SUPPORTED: Final = frozenset({TIMER})
"""The extensions that a Proxy-Require may name (RFC 4028 section 7.1)."""
MAX_FORWARDS: Final = 70  # RFC 3261 section 16.6: for a request that has none
MAX_FORWARDS_MOST: Final = 255  # RFC 3261 section 20.22


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a request goes next, and what its Request-URI and Route then say."""

    uri: str
    routes: tuple[HeaderField, ...]
    destination: Address


# --- what is not forwarded (section 16.3) ----------------------------------------------------------------------------


def is_answerable(request: Request) -> bool:
    """Whether everything can be read that a response is made of."""
    try:
        return None not in (request.via, request.sender, request.recipient, request.call_id, request.cseq)
    except PeerError:
        return False


def refusal(request: Request, own: Address) -> Refusal | None:
    """Return what an answerable request earns that must not be forwarded; None to go on."""
    try:
        _check_uris(request)
        if _hops_left(request) == 0:
            return 483, ()
        if _is_looped(request, own):
            return 482, ()
    except PeerError as error:
        return error.status, ()
    unknown = request.tokens("Proxy-Require") - SUPPORTED
    return (420, (("Unsupported", ", ".join(sorted(unknown))),)) if unknown else None


def _check_uris(request: Request) -> None:
    """Read the URIs that a proxy goes by. Raises PeerError."""
    parse_uri(request.uri)
    for route in request.values("Route"):
        parse_uri(parse_name_address(route).uri)


def _hops_left(request: Request) -> int:
    value = request.header("Max-Forwards")
    if value is None:
        return MAX_FORWARDS + 1
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) <= MAX_FORWARDS_MOST):
        raise PeerError(f"Max-Forwards: '{value[:40]}' is not a number from 0 to {MAX_FORWARDS_MOST}")
    return int(value)


def _is_looped(request: Request, own: Address) -> bool:
    """Whether we have forwarded it before just as it is now; with another target it may come by again (a spiral)."""
    ours = [via.branch for via in map(parse_via, request.values("Via")) if (via.host, via.port) == own]
    return bool(ours) and any(branch.endswith(f".{fingerprint(request)}") for branch in ours)


# --- where it goes (sections 16.4 to 16.6) ---------------------------------------------------------------------------


def next_hop(request: Request, own: Address) -> Hop | None:
    """Return the next hop of a request that was not refused; None where it leads nowhere but here."""
    uri, routes = _past_us(request, own)
    fields = tuple(("Route", route) for route in routes)
    if not routes:
        destination = parse_uri(uri).address
    elif is_loose_router(routes[0]):
        destination = _address_of(routes[0])
    else:
        uri, fields = by_strict_router(routes, uri)
        destination = parse_uri(uri).address
    return Hop(uri, fields, destination) if destination != own else None


def _past_us(request: Request, own: Address) -> tuple[str, tuple[str, ...]]:
    """Return Request-URI and Route without what has led the request here (section 16.4)."""
    uri, routes = request.uri, request.values("Route")
    if routes and parse_uri(uri).address == own:  # a strict router put our Record-Route there, and the target last
        uri, routes = parse_name_address(routes[-1]).uri, routes[:-1]
    if routes and _address_of(routes[0]) == own:
        routes = routes[1:]
    return uri, routes


def _address_of(route: str) -> Address:
    return parse_uri(parse_name_address(route).uri).address


def forwarded(request: Request, hop: Hop, *, via: HeaderField, record_route: HeaderField | None) -> Request:
    """Return the request as it leaves (section 16.6)."""
    vias = tuple(field for field in request.headers if canonical_name(field[0]) == "Via")
    kept = tuple(field for field in request.headers if canonical_name(field[0]) not in _WRITTEN_ANEW)
    hops: HeaderField = ("Max-Forwards", str(_hops_left(request) - 1))
    fields = (via, *vias, hops, *((record_route,) if record_route else ()), *hop.routes, *kept)
    return Request(request.method, hop.uri, fields, request.body).knowing(
        call_id=request.call_id, cseq=request.cseq, from_tag=request.from_tag, to_tag=request.to_tag
    )


_WRITTEN_ANEW: Final = frozenset({"Via", "Max-Forwards", "Route"})


# --- branches (sections 16.6 and 16.11) ------------------------------------------------------------------------------


def fingerprint(request: Request) -> str:
    """Return what a request has in common with itself when it has come round in a loop, and nothing else has.

    It ends our branch (section 16.6). The topmost Via, which that section counts in, differs each time round.
    """
    fields = (request.uri, request.values("Route"), request.call_id, request.from_tag, request.to_tag)
    return _digest((*fields, request.cseq.number))


def stateless_suffix(request: Request) -> str:
    """Return what is the same for a request and its retransmissions, to make a branch of (section 16.11)."""
    return _digest((request.header("Via"), request.call_id, request.cseq))


def _digest(fields: tuple[object, ...]) -> str:
    return f"{crc32(repr(fields).encode('utf-8', 'surrogateescape')):08x}"


# --- the way back (section 16.7) -------------------------------------------------------------------------------------


def passed_back(response: Response) -> Response:
    """Return a response without its topmost Via, which is ours."""
    vias = tuple(("Via", via) for via in response.values("Via")[1:])
    kept = tuple(field for field in response.headers if canonical_name(field[0]) != "Via")
    return Response(response.status, response.reason, (*vias, *kept), response.body).knowing(
        call_id=response.call_id, cseq=response.cseq, method=response.method
    )
