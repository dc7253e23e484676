"""One recorded side of a call, put right for a dialog that is going on: addresses, tags, branches, Call-ID, Contact.

What our side said in the recording becomes what it has to say now (RFC 3261 sections 8.2.6.2 and 12.2.1.1); what the
recording cannot know (the peer's tag, Contact, Via and CSeq) is learnt from the peer's own messages. Session-Expires
and all else that the recording is about stays as it was. Sending and waiting is the business of `against`.
"""

from ipaddress import ip_address
from typing import Final

from ..errors import PeerError
from ..sip.headers import HeaderField, canonical_name
from ..sip.message import Message, Request, Response
from ..sip.transport import Transport
from ..sip.uri import address_of_record, is_sip_uri, parse_uri
from ..ua.identifiers import Identifiers
from ..ua.responses import content_length, respond
from .run import Address
from .uris import parameters_of, user_of

_OF_THE_DIALOG: Final = frozenset(
    "Via From To Call-ID CSeq Contact Route Record-Route Content-Length Timestamp".split()
)
_TARGET_METHODS: Final = ("INVITE", "UPDATE")
CSEQ_MAX: Final = 2**32 - 1


class OneSide:
    """What our side says, in the names of the live dialog."""

    def __init__(
        self,
        us: Address,
        peer: Address,
        identifiers: Identifiers,
        *,
        recorded_host: str,
        transport: Transport = Transport.UDP,
    ) -> None:
        self.peer = peer
        self.transport = transport
        self._us = us
        self._identifiers = identifiers
        self._recorded_host = recorded_host.encode()
        self.call_id = identifiers.call_id(us[0])
        self._our_tag, self._peer_tag = "", ""
        self._tags: dict[str | None, str] = {}
        self._our_uri = self._peer_uri = ""
        self._target = ""
        self._routes: tuple[HeaderField, ...] = ()
        self._branches: dict[str, str] = {}
        self._invites: dict[int, Request] = {}
        self._numbers: dict[int, int] = {}
        """Our live CSeq number for each recorded one."""
        self._last_number = self._pracked = self._shift = 0
        self._asked: dict[str, Request] = {}
        """The peer's last request of each method."""

    def learn(self, message: Message) -> None:
        """Take from a message of the peer what the recording cannot know."""
        if isinstance(message, Request):
            if not self._asked and message.to_tag is None:
                self._routes = tuple(("Route", route) for route in message.values("Record-Route"))
            self._asked[message.method] = message
            self.call_id = message.call_id
            self._peer_tag = message.from_tag or ""
            self._our_uri, self._peer_uri = message.recipient.uri, message.sender.uri
        elif message.to_tag:
            if message.to_tag != self._peer_tag:  # it makes the dialog (RFC 3261 section 12.1.2)
                self._routes = tuple(("Route", route) for route in reversed(message.values("Record-Route")))
            self._peer_tag = message.to_tag
        if message.contact is not None and message.method in _TARGET_METHODS:
            self._target = message.contact.uri

    @property
    def target(self) -> Address | None:
        """Where the peer wants requests to go, by its Contact; None where that is no IP address."""
        try:
            address = parse_uri(self._target).address
            ip_address(address[0])
        except (PeerError, ValueError):
            return None
        return address

    def request(self, recorded: Request) -> Request:
        """Return a recorded request of ours as it is to be sent now."""
        if not self._our_uri:
            self._our_uri = self._name(recorded.sender.uri, self._us)
            self._peer_uri = self._name(recorded.recipient.uri, self.peer)
        number = self._numbers.get(recorded.cseq.number) or self._take_number(recorded.cseq.number)
        invite = self._invites.get(number) if recorded.method == "CANCEL" else None
        branch = invite.branch if invite else self._branch_for(recorded)
        tag = f";tag={self._peer_tag}" if self._peer_tag and recorded.method != "CANCEL" else ""
        body = self._body(recorded)
        headers = (
            ("Via", f"{self.transport.sent_by(self._us)};branch={branch}"),
            ("From", f"<{self._our_uri}>;tag={self._tag_for(recorded.from_tag)}"),
            ("To", f"<{self._peer_uri}>{tag if recorded.to_tag else ''}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {recorded.method}"),
            *(self._routes if recorded.to_tag else ()),
            *self._others(recorded),
            content_length(body),
        )
        sent = Request(recorded.method, invite.uri if invite else self._request_uri(recorded), headers, body)
        if recorded.method == "INVITE":
            self._invites[number] = sent
        return sent

    def number(self, recorded: int) -> int:
        """Return our live CSeq number for a recorded one: the same, unless a PRACK has taken it (section 12.2.1.1)."""
        return self._numbers.get(recorded, recorded)

    def _take_number(self, recorded: int) -> int:
        """Go on from our last PRACK where its number was another's in the recording; else as recorded, right or not."""
        if recorded + self._shift <= self._pracked:
            self._shift = self._pracked + 1 - recorded
        number = self._numbers[recorded] = min(recorded + self._shift, CSEQ_MAX)
        self._last_number = max(self._last_number, number)
        return number

    def _name(self, recorded: str, address: Address) -> str:
        """Return the URI of a party for From and To, which have no transport (section 19.1.1, table 1)."""
        if not is_sip_uri(recorded):
            return recorded  # tel:+123 names nobody's address
        return address_of_record(self.transport.uri(address, user=user_of(recorded)))

    def _request_uri(self, recorded: Request) -> str:
        if recorded.to_tag:
            return self._target or self._peer_uri
        uri = address_of_record(self.transport.uri(self.peer, user=user_of(recorded.uri)))
        return uri + parameters_of(recorded.uri)

    def response(self, recorded: Response) -> Response | None:
        """Return a recorded response of ours to the peer's last request of its method; None where there is none."""
        asked = self._asked.get(recorded.method)
        if asked is None:
            return None
        return respond(
            asked,
            recorded.status,
            to_tag=None if recorded.status == 100 else self._tag_for(recorded.to_tag),
            headers=self._others(recorded),
            body=self._body(recorded),
        )

    def answer(self, asked: Request, status: int) -> Response:
        """Return a response to a request of the peer's that the recording has not."""
        return respond(asked, status, to_tag=None if status == 100 else self._our_tag or self._tag_for(None))

    def ack(self, final: Response, recorded: Request | None = None) -> Request | None:
        """Return the ACK for a final response to our INVITE; None where it answers none of ours.

        That of a 2xx says what the recorded one said: where the 2xx made the offer, it has the answer (RFC 3264).
        """
        invite = self._invites.get(final.cseq.number)
        if invite is None:
            return None
        is_success = final.status < 300
        branch = self._identifiers.branch() if is_success else invite.branch  # sections 13.2.2.4 and 17.1.1.3
        said = recorded if is_success else None
        body = self._body(said) if said else b""
        headers = (
            ("Via", f"{self.transport.sent_by(self._us)};branch={branch}"),
            ("From", invite.header("From") or ""),
            ("To", final.header("To") or ""),
            ("Call-ID", final.call_id),
            ("CSeq", f"{final.cseq.number} ACK"),
            *(self._routes if is_success else ()),
            *(self._others(said) if said else (("Max-Forwards", "70"),)),
            content_length(body),
        )
        return Request("ACK", self._target if is_success and self._target else invite.uri, headers, body)

    def prack(self, provisional: Response) -> Request | None:
        """Return the PRACK for a provisional response that asks for one; None for another (RFC 3262 section 4)."""
        sequence, invite = provisional.header("RSeq"), self._invites.get(provisional.cseq.number)
        if sequence is None or invite is None or "100rel" not in provisional.tokens("Require"):
            return None
        self._last_number = self._pracked = min(self._last_number + 1, CSEQ_MAX)
        headers = (
            ("Via", f"{self.transport.sent_by(self._us)};branch={self._identifiers.branch()}"),
            ("From", invite.header("From") or ""),
            ("To", provisional.header("To") or ""),
            ("Call-ID", provisional.call_id),
            ("CSeq", f"{self._last_number} PRACK"),
            *self._routes,
            ("Max-Forwards", "70"),
            ("RAck", f"{sequence} {provisional.header('CSeq')}"),
            content_length(b""),
        )
        return Request("PRACK", self._target or invite.uri, headers)

    def _tag_for(self, recorded: str | None) -> str:
        """Return our live tag in the place of a recorded one: a second dialog has a second one."""
        self._our_tag = self._tags.get(recorded) or self._identifiers.tag()
        self._tags[recorded] = self._our_tag
        return self._our_tag

    def _branch_for(self, recorded: Request) -> str:
        """Return the live branch of a recorded transaction: the same for the same."""
        key = f"{recorded.branch} {recorded.header('CSeq')}"
        return self._branches.setdefault(key, self._identifiers.branch())

    def _others(self, recorded: Message) -> tuple[HeaderField, ...]:
        """Return the headers that are not of the dialog as they were, and Contact with our address."""
        kept = [field for field in recorded.headers if canonical_name(field[0]) not in _OF_THE_DIALOG]
        if recorded.contact is None:
            return tuple(kept)
        return (("Contact", f"<{self._contact(recorded.contact.uri)}>"), *kept)

    def _contact(self, recorded: str) -> str:
        """Return a recorded URI of ours with our address; what went over TCP has to say so (section 19.1.1)."""
        uri, parameters = self.transport.uri(self._us, user=user_of(recorded)), parameters_of(recorded)
        return address_of_record(uri) + parameters if ";transport=" in parameters.lower() else uri + parameters

    def _body(self, recorded: Message) -> bytes:
        """Return the body with our host in the place of the recorded one."""
        return recorded.body.replace(self._recorded_host, self._us[0].encode())
