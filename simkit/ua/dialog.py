"""A dialog: who speaks to whom, numbered how, and by which way (RFC 3261 section 12)."""

from typing import Final

from ..sip.headers import HeaderField
from ..sip.message import CSeq, Request, Response
from ..sip.uri import parse_name_address, parse_uri
from .events import Address
from .responses import content_length

MAX_FORWARDS: HeaderField = ("Max-Forwards", "70")  # RFC 3261 section 8.1.1.6
CREDENTIALS: Final = frozenset({"Authorization", "Proxy-Authorization"})
"""Headers of an INVITE that its ACK has as well (RFC 3261 section 22.1)."""


class Dialog:
    """One side's view of a dialog. It builds requests and checks the order of those that come; it decides nothing."""

    __slots__ = (
        "_call_id_field",
        "_from_field",
        "_routes",
        "_to_field",
        "call_id",
        "destination",
        "local_cseq",
        "local_tag",
        "remote_cseq",
        "remote_tag",
        "remote_target",
        "route_set",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: str,
        remote: str,
        local_cseq: int,
        remote_cseq: int | None,
        route_set: tuple[str, ...],
        remote_target: str,
    ) -> None:
        """Begin with From and To values as they stand in our requests, tags included."""
        self.call_id = call_id
        self.local_tag = parse_name_address(local).tag
        self.remote_tag = parse_name_address(remote).tag
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.route_set = route_set
        self._call_id_field = ("Call-ID", call_id)
        self._from_field = ("From", local)
        self._to_field = ("To", remote)
        self.remote_target = ""
        self.retarget(remote_target)

    @classmethod
    def of_caller(cls, request: Request, response: Response) -> "Dialog":
        """Make the caller's dialog of its INVITE and a response with a To tag (section 12.1.2)."""
        return cls(
            call_id=request.call_id,
            local=_value(request, "From"),
            remote=_value(response, "To"),
            local_cseq=request.cseq.number,
            remote_cseq=None,
            route_set=tuple(reversed(response.values("Record-Route"))),
            remote_target=response.contact.uri if response.contact else request.uri,
        )

    @classmethod
    def of_callee(cls, request: Request, response: Response) -> "Dialog":
        """Make the callee's dialog of the INVITE that came and our response with a To tag (section 12.1.1)."""
        assert request.contact is not None
        return cls(
            call_id=request.call_id,
            local=_value(response, "To"),
            remote=_value(request, "From"),
            local_cseq=0,
            remote_cseq=request.cseq.number,
            route_set=request.values("Record-Route"),
            remote_target=request.contact.uri,
        )

    def retarget(self, uri: str) -> None:
        """Send to this Contact from now on: a target refresh was answered 2xx (section 12.2)."""
        if uri == self.remote_target:
            return
        self.remote_target = uri
        self._routes = tuple(("Route", route) for route in self.route_set)
        first = parse_name_address(self.route_set[0]).uri if self.route_set else uri
        self.destination: Address = parse_uri(first).address

    def accepts(self, request: Request) -> bool:
        """Take a request's CSeq; False where it is not higher than the last, which earns it a 500 (section 12.2.2)."""
        number = request.cseq.number
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def request(
        self, method: str, *, via: HeaderField, headers: tuple[HeaderField, ...] = (), body: bytes = b""
    ) -> Request:
        """Build the next request of ours: CSeq one higher (section 12.2.1.1)."""
        self.local_cseq += 1
        return self._build(method, self.local_cseq, via, headers, body)

    def renew(self, request: Request, *, via: HeaderField) -> Request:
        """Build a request of ours again as a new one, for it was challenged: the next CSeq (section 22.2)."""
        self.local_cseq += 1
        return request.with_headers(via, ("CSeq", f"{self.local_cseq} {request.method}"))

    def acknowledge(self, invite: Request, *, via: HeaderField) -> Request:
        """Build the ACK to a 2xx: a transaction of its own, the INVITE's number and credentials (13.2.2.4, 22.1)."""
        credentials = tuple(field for field in invite.headers if field[0] in CREDENTIALS)
        return self._build("ACK", invite.cseq.number, via, credentials, b"")

    def _build(
        self, method: str, cseq: int, via: HeaderField, headers: tuple[HeaderField, ...], body: bytes
    ) -> Request:
        uri, routes = self.remote_target, self._routes
        if routes and not is_loose_router(self.route_set[0]):
            uri, routes = by_strict_router(self.route_set, self.remote_target)
        fields = (
            via,
            MAX_FORWARDS,
            *routes,
            self._from_field,
            self._to_field,
            self._call_id_field,
            ("CSeq", f"{cseq} {method}"),
            *headers,
            content_length(body),
        )
        return Request(method, uri, fields, body).knowing(
            call_id=self.call_id, cseq=CSeq(cseq, method), from_tag=self.local_tag, to_tag=self.remote_tag
        )


def _value(message: Request | Response, name: str) -> str:
    value = message.header(name)
    assert value is not None  # checked when the message was taken in
    return value


def is_loose_router(route: str) -> bool:
    """Whether a Route value has the lr parameter: else it goes into the Request-URI. Raises PeerError (400, 416)."""
    return any(name.lower() == "lr" for name, _ in parse_uri(parse_name_address(route).uri).parameters)


def by_strict_router(route_set: tuple[str, ...], remote_target: str) -> tuple[str, tuple[HeaderField, ...]]:
    """Return Request-URI and Route for a strict router: the target comes last (sections 12.2.1.1 and 16.6)."""
    first, *others = route_set
    rest = [("Route", route) for route in others]
    return parse_name_address(first).uri, (*rest, ("Route", f"<{remote_target}>"))
