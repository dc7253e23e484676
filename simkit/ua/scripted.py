"""A party that sends just what it is told and follows no rule of its own: no retransmission, no ACK, no answer.

It fills in what a line of a flow leaves out: Call-ID, tags, CSeq, Via, Route, Contact and a session description, from
what it has sent and seen. Every header can be overridden, so that it can break any rule on purpose.
"""

from typing import TypeVar

from ..errors import LocalError
from ..sip.headers import HeaderField
from ..sip.message import Message, Request, Response
from ..sip.parser import parse_message
from ..sip.sdp import SessionDescription
from ..sip.uri import host_port, parse_name_address
from .dialog import MAX_FORWARDS
from .events import Address, CallEvent, Outgoing
from .identifiers import Identifiers
from .responses import content_length, respond
from .timers import TimerEvent

MEDIA_PORT = 40000
M = TypeVar("M", bound=Message)
_OFFERING = frozenset({"INVITE"})  # methods whose request and 2xx carry a session description unless told otherwise
_TARGETING = frozenset({"INVITE", "UPDATE"})  # ... and a Contact (RFC 3261 section 12.2.1.1, RFC 3311 section 5.1)


class ScriptedParty:
    """One side of one call, moved by commands only."""

    def __init__(self, name: str, address: Address, *, identifiers: Identifiers, route: tuple[str, ...] = ()) -> None:
        """Begin without a call; `route` has the Route values of what is sent before a dialog knows better."""
        self.name = name
        self.address = address
        self._identifiers = identifiers
        self._host = host_port(address)
        self._contact: HeaderField = ("Contact", f"<sip:{name}@{self._host}>")
        self._tag = identifiers.tag()
        self._call_id = ""
        self._local = f"<sip:{name}@{self._host}>;tag={self._tag}"
        self._remote: str | None = None  # the peer's From or To value, with its tag once it is known
        self._remote_target = ""
        self._routes: tuple[HeaderField, ...] = tuple(("Route", value) for value in route)
        self._cseq = 0
        self._sent: dict[str, Request] = {}  # by method, the last one
        self._received: dict[str, Request] = {}
        self._invite_answer: Response | None = None
        self._body = SessionDescription(name, str(identifiers.session_id()), 1, address[0], MEDIA_PORT).to_bytes()
        self._outgoing: list[Outgoing] = []

    # --- commands ---

    def send_request(
        self,
        method: str,
        target: str,
        destination: Address,
        *,
        headers: tuple[HeaderField, ...] = (),
        without: tuple[str, ...] = (),
        now: int,
    ) -> None:
        """Send a request for the peer's Contact, or, before one is known, for the SIP URI `target`.

        It goes to `destination` whatever its Request-URI and Route say. Raises LocalError for an ACK or CANCEL without
        an INVITE.
        """
        request = self._for_invite(method) if method in ("ACK", "CANCEL") else self._next(method, target)
        shaped = _shape(request, headers, without)
        self._sent[method] = shaped
        self._outgoing.append(Outgoing(shaped, destination))

    def send_response(
        self,
        status: int,
        method: str,
        *,
        headers: tuple[HeaderField, ...] = (),
        without: tuple[str, ...] = (),
        now: int,
    ) -> None:
        """Answer the last request of this method. Raises LocalError where none has come."""
        request = self._received.get(method)
        if request is None:
            raise LocalError(f"cannot answer {status}: no {method} has come")
        success = 200 <= status < 300
        body = self._body if success and method in _OFFERING else b""
        added: tuple[HeaderField, ...] = (self._contact,) if method in _TARGETING and status < 300 else ()
        if body:
            added = (*added, ("Content-Type", "application/sdp"))
        tag = None if status == 100 else self._tag
        response = respond(request, status, to_tag=tag, headers=added, body=body)
        self._outgoing.append(Outgoing(_shape(response, headers, without), request.via.address))

    def send_raw(self, text: str, destination: Address, *, now: int) -> None:
        """Send a message as written, lines ended by CRLF. Raises PeerError where no SIP can be made of it."""
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        data = head.strip("\n").replace("\n", "\r\n") + "\r\n\r\n" + body.replace("\n", "\r\n")
        self._outgoing.append(Outgoing(parse_message(data.encode()), destination))

    def _next(self, method: str, target: str) -> Request:
        self._cseq += 1
        if not self._call_id:
            self._call_id = self._identifiers.call_id(self.address[0])
        body = self._body if method in _OFFERING else b""
        uri = self._remote_target or target
        return self._build(method, uri, self._cseq, (self._via(), *self._routes), self._remote, body)

    def _for_invite(self, method: str) -> Request:
        """Build an ACK or CANCEL: the INVITE's CSeq number, and unless a 2xx is acknowledged its branch as well."""
        invite = self._sent.get("INVITE")
        if invite is None:
            raise LocalError(f"cannot send {method}: no INVITE was sent")
        answer, number = self._invite_answer, invite.cseq.number
        if method == "ACK" and answer is not None and answer.status < 300:
            uri, way = self._remote_target or invite.uri, (self._via(), *self._routes)
            return self._build("ACK", uri, number, way, answer.header("To"), b"")
        to = answer.header("To") if method == "ACK" and answer is not None else invite.header("To")
        way = (("Via", invite.header("Via") or ""), *(("Route", route) for route in invite.values("Route")))
        return self._build(method, invite.uri, number, way, to, b"")

    def _build(
        self, method: str, uri: str, cseq: int, way: tuple[HeaderField, ...], to: str | None, body: bytes
    ) -> Request:
        """Build a request; `way` is its Via and Route."""
        optional: tuple[HeaderField, ...] = (self._contact,) if method in _TARGETING else ()
        if body:
            optional = (*optional, ("Content-Type", "application/sdp"))
        fields = (
            *way,
            MAX_FORWARDS,
            ("From", self._local),
            ("To", to or f"<{uri}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{cseq} {method}"),
            *optional,
            content_length(body),
        )
        return Request(method, uri, fields, body)

    def _via(self) -> HeaderField:
        return "Via", f"SIP/2.0/UDP {self._host};branch={self._identifiers.branch()}"

    # --- what happened ---

    def receive(self, message: Message, *, now: int) -> None:
        """Take note of a message, and do nothing about it."""
        if isinstance(message, Request):
            self._note_request(message)
        elif isinstance(message, Response):
            self._note_response(message)

    def _note_request(self, request: Request) -> None:
        if not self._call_id:
            self._call_id = request.call_id
            self._local = _tagged(request.header("To") or "", self._tag)
        if request.call_id == self._call_id:
            self._remote = request.header("From")
        if request.contact is not None:
            self._remote_target = request.contact.uri
        if request.method == "INVITE":
            self._routes = tuple(("Route", value) for value in request.values("Record-Route"))
        self._received[request.method] = request

    def _note_response(self, response: Response) -> None:
        if response.method == "INVITE" and response.status >= 200:
            self._invite_answer = response
        if response.call_id == self._call_id and response.to_tag and response.status < 300:
            self._remote = self._remote or response.header("To")
        if response.contact is not None and response.status < 300:
            self._remote_target = response.contact.uri
        if response.method == "INVITE" and response.to_tag and response.status < 300:
            self._routes = tuple(("Route", value) for value in reversed(response.values("Record-Route")))

    def next_deadline(self) -> int | None:
        """Return None: nothing is ever due."""
        return None

    def handle_deadline(self, *, now: int) -> None:
        """Nothing is ever due."""

    def outgoing(self) -> list[Outgoing]:
        """Drain the messages to send, in order."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def events(self) -> list[CallEvent]:
        """Return nothing: it has no calls, only messages."""
        return []

    def timer_events(self) -> list[TimerEvent]:
        """Return nothing: it has no timers."""
        return []


def _tagged(value: str, tag: str) -> str:
    return value if parse_name_address(value).tag else f"{value};tag={tag}"


def _shape(message: M, headers: tuple[HeaderField, ...], without: tuple[str, ...]) -> M:
    shaped = message.with_headers(*headers) if headers else message
    return shaped.without_headers(*without) if without else shaped
