"""A party that sends just what it is told and follows no rule of its own: no ACK, no answer, nothing sent again.

It fills in what a line of a flow leaves out: Call-ID, tags, CSeq, Via, Route, Contact and a session description, from
what it has sent and seen. Every header can be overridden, so that it can break any rule on purpose. Only where it was
told to does it send again what is not answered.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TypeVar

from ..errors import LocalError, PeerError
from ..settings import Account, BaseTimes
from ..sip.headers import REQUEST_URI, HeaderField, canonical_name
from ..sip.message import Message, Request, Response, parse_cseq
from ..sip.parser import parse_message
from ..sip.transport import Transport
from ..sip.uri import address_of_record, parse_name_address
from .credentials import Credentials
from .dialog import MAX_FORWARDS
from .events import Address, CallEvent, Outgoing
from .identifiers import Identifiers
from .offer_answer import CONTENT_TYPE, description, with_type
from .resending import Resending
from .responses import content_length, respond
from .timers import TimerEvent

M = TypeVar("M", bound=Message)
_OFFERING = frozenset({"INVITE"})  # methods whose request and 2xx carry a session description unless told otherwise
_TARGETING = frozenset({"INVITE", "UPDATE"})  # ... and a Contact (RFC 3261 section 12.2.1.1, RFC 3311 section 5.1)


_FROM_REQUESTS: Final = {name: name for name in ("Call-ID", "From", "Contact", "CSeq")}
"""Headers that keep what a line puts into them, and as what."""
_FROM_RESPONSES: Final = {"To": "From", "Contact": "Contact"}


class ScriptedParty:
    """One side of one call, moved by commands only."""

    def __init__(
        self,
        name: str,
        address: Address,
        about: str = "",
        *,
        identifiers: Identifiers,
        route: tuple[str, ...] = (),
        resends: BaseTimes | None = None,
        account: Account | None = None,
        transport: Transport = Transport.UDP,
    ) -> None:
        """Begin without a call; `about` is what its session descriptions say that they are about.

        `route` has the Route values of what is sent before a dialog knows better; with `resends` it sends again, in
        these times, what is not answered.
        """
        self.name = name
        self.address = address
        self._identifiers = identifiers
        self._sent_by = transport.sent_by(address)
        contact = transport.uri(address, user=name)
        self._contact: HeaderField = ("Contact", f"<{contact}>")
        self._tag = identifiers.tag()
        self._call_id = ""
        self._local = f"<{address_of_record(contact)}>;tag={self._tag}"
        self._remote: str | None = None  # the peer's From or To value, with its tag once it is known
        self._remote_target = ""
        self._routes: tuple[HeaderField, ...] = tuple(("Route", value) for value in route)
        self._cseq = 0
        self._sent: dict[str, Request] = {}  # by method, the last one
        self._received: dict[str, Request] = {}
        self._invite_answer: Response | None = None
        self._body = description(name, address, about, identifiers).to_bytes()
        self._outgoing: list[Outgoing] = []
        self._resending = Resending(resends) if resends else None
        self._credentials = Credentials(account, identifiers)

    # --- commands ---

    def send_request(
        self,
        method: str,
        target: str,
        destination: Address,
        *,
        headers: tuple[HeaderField, ...] = (),
        without: tuple[str, ...] = (),
        body: bytes | None = None,
        credentials: bool = False,
        now: int,
    ) -> None:
        """Send a request for the peer's Contact, or, before one is known, for the SIP URI `target`.

        Among `headers` a Request-URI takes the place of either. It goes to `destination` whatever that and Route say.
        With `credentials` it answers the last challenge. Raises LocalError for an ACK or CANCEL without an INVITE, and
        where nothing was asked that could be answered.
        """
        request = self._for_invite(method) if method in ("ACK", "CANCEL") else self._next(method, target)
        uri = next((value for name, value in headers if name == REQUEST_URI), request.uri)
        fields = tuple(field for field in headers if field[0] != REQUEST_URI)
        request = _with_body(Request(method, uri, request.headers, request.body), body)
        if credentials:
            request = request.with_headers(self._credentials.answer(request))
        shaped = _shape(request, fields, without)
        self._sent[method] = shaped
        self._remember(fields, _FROM_REQUESTS)
        self._send(Outgoing(shaped, destination), now=now)

    def send_response(
        self,
        status: int,
        method: str,
        *,
        headers: tuple[HeaderField, ...] = (),
        without: tuple[str, ...] = (),
        body: bytes | None = None,
        now: int,
    ) -> None:
        """Answer the last request of this method. Raises LocalError where none has come."""
        request = self._received.get(method)
        if request is None:
            raise LocalError(f"cannot answer {status}: no {method} has come")
        success = 200 <= status < 300
        if body is None:
            body = self._body if success and method in _OFFERING else b""
        added: tuple[HeaderField, ...] = (self._contact,) if method in _TARGETING and status < 300 else ()
        tag = None if status == 100 else self._tag
        response = respond(request, status, to_tag=tag, headers=with_type(added, body), body=body)
        self._remember(headers, _FROM_RESPONSES)
        self._send(Outgoing(_shape(response, headers, without), request.via.address), now=now)

    def send_raw(self, text: str, destination: Address, *, now: int) -> None:
        """Send a message as written, lines ended by CRLF. Raises PeerError where no SIP can be made of it."""
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        data = head.strip("\n").replace("\n", "\r\n") + "\r\n\r\n" + body.replace("\n", "\r\n")
        self._outgoing.append(Outgoing(parse_message(data.encode()), destination))

    def _send(self, outgoing: Outgoing, *, now: int) -> None:
        self._outgoing.append(outgoing)
        if self._resending is not None:
            with suppress(PeerError):  # what it was told to send may be no SIP: that is sent once
                self._resending.sent(outgoing, now=now)

    def _remember(self, headers: tuple[HeaderField, ...], lasting: Mapping[str, str]) -> None:
        """What a line has told of this side holds for the requests after it."""
        for name, value in headers:
            match lasting.get(canonical_name(name)):
                case "Call-ID":
                    self._call_id = value
                case "From":
                    self._local = value
                case "Contact":
                    self._contact = ("Contact", value)
                case "CSeq":
                    with suppress(PeerError):
                        self._cseq = max(self._cseq, parse_cseq(value).number)

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
        fields = (
            *way,
            MAX_FORWARDS,
            ("From", self._local),
            ("To", to or f"<{address_of_record(uri)}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{cseq} {method}"),
            *with_type(optional, body),
            content_length(body),
        )
        return Request(method, uri, fields, body)

    def _via(self) -> HeaderField:
        return "Via", f"{self._sent_by};branch={self._identifiers.branch()}"

    # --- what happened ---

    def receive(self, message: Message, *, now: int) -> None:
        """Take note of a message, and do nothing about it; at most what was answered before is answered again."""
        if self._resending is not None:
            with suppress(PeerError):
                again = self._resending.received(message)
                if again is not None:
                    self._outgoing.append(again)
        with suppress(PeerError):  # of what cannot be read there is nothing to note
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
        self._credentials.asked(response)
        if response.method == "INVITE" and response.status >= 200:
            self._invite_answer = response
        if response.call_id == self._call_id and response.to_tag and response.status < 300:
            self._remote = self._remote or response.header("To")
        if response.contact is not None and response.status < 300:
            self._remote_target = response.contact.uri
        if response.method == "INVITE" and response.to_tag and response.status < 300:
            self._routes = tuple(("Route", value) for value in reversed(response.values("Record-Route")))

    def disconnected(self, peer: Address, *, now: int) -> None:
        """Take no notice that a connection is lost."""

    def next_deadline(self) -> int | None:
        """Return when something is to be sent again; mostly nothing ever is."""
        return self._resending.next_deadline() if self._resending is not None else None

    def handle_deadline(self, *, now: int) -> None:
        """Send again what is not answered yet."""
        if self._resending is not None:
            self._outgoing += self._resending.due(now=now)

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


def _with_body(request: Request, body: bytes | None) -> Request:
    """Return a request with another body, and the headers that go with it; None: as it is."""
    if body is None:
        return request
    if body:
        shaped = request.with_headers(CONTENT_TYPE, content_length(body))
    else:
        shaped = request.without_headers("Content-Type").with_headers(content_length(body))
    return Request(request.method, request.uri, shaped.headers, body)


def _shape(message: M, headers: tuple[HeaderField, ...], without: tuple[str, ...]) -> M:
    shaped = message.with_headers(*headers) if headers else message
    return shaped.without_headers(*without) if without else shaped
