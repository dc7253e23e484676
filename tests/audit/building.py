"""Calls as a tap would see them, told message by message: what is not said is as it should be."""

from simkit.audit.auditor import audit_call
from simkit.audit.finding import CallAudit, Finding
from simkit.rulebook import Severity
from simkit.sip.headers import HeaderField
from simkit.sip.message import Message, Request, Response
from simkit.trace import Trace, Transit
from simkit.units import S

PORTS = {"alice": 5060, "bob": 5070, "proxy": 5080, "carol": 5090}
ALLOW = "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS"
WITH_TIMER = ("INVITE", "UPDATE")


def sdp(party: str, *, version: int = 1, direction: str = "sendrecv", codec: str = "0") -> bytes:
    """The session description of a party."""
    lines = (
        "v=0",
        f"o={party} 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=audio 4000 RTP/AVP {codec}",
        f"a={direction}",
        "",
    )
    return "\r\n".join(lines).encode()


def contact(party: str) -> str:
    """The URI of a party's Contact."""
    return f"sip:{party}@127.0.0.1:{PORTS[party]}"


class Tape:
    """A call between alice, who calls, and bob, recorded from its first message on."""

    def __init__(self, interval_s: int = 1800, refresher: str = "uac") -> None:
        self.trace = Trace()
        self.interval_s = interval_s
        self.refresher = refresher
        self.now = 0
        self.frame = 0
        self._cseq = {"alice": 0, "bob": 100}
        self._last: dict[str, Request] = {}
        self._sender: dict[Request, str] = {}
        self._up = False

    def at(self, seconds: float) -> "Tape":
        """Go on at this time."""
        self.now = round(seconds * S)
        return self

    # --- messages ---

    def request(
        self,
        sender: str,
        method: str,
        *headers: HeaderField,
        without: tuple[str, ...] = (),
        body: bytes = b"",
        cseq: int | None = None,
        uri: str | None = None,
        branch: str | None = None,
    ) -> Request:
        """Have a party send a request of its own."""
        made = self.made(sender, method, *headers, without=without, body=body, cseq=cseq, uri=uri, branch=branch)
        self.send(sender, other(sender), made)
        return made

    def early(self, sender: str, method: str, *headers: HeaderField) -> Request:
        """Have a party send a request within a dialog that has only rung."""
        self._up, up = True, self._up
        made = self.request(sender, method, *headers)
        self._up = up
        return made

    def made(
        self,
        sender: str,
        method: str,
        *headers: HeaderField,
        without: tuple[str, ...] = (),
        body: bytes = b"",
        cseq: int | None = None,
        uri: str | None = None,
        branch: str | None = None,
    ) -> Request:
        """Make a request without sending it."""
        self._cseq[sender] = self._cseq[sender] + 1 if cseq is None else cseq
        peer = other(sender)
        fields: list[HeaderField] = [
            ("Via", via(sender, branch or f"{sender}{self._cseq[sender]}{method}")),
            *self.addresses(sender, f"{self._cseq[sender]} {method}", self._up),
            ("Supported", "timer"),
        ]
        if method in WITH_TIMER:
            fields += [("Contact", f"<{contact(sender)}>"), ("Allow", ALLOW)]
        made = Request(method, uri or contact(peer), tuple(fields), body)
        made = made.with_headers(*headers).without_headers(*without)
        self._last[method] = made
        self._sender[made] = sender
        return made

    def respond(
        self,
        status: int,
        *headers: HeaderField,
        to: Request | None = None,
        method: str = "INVITE",
        without: tuple[str, ...] = (),
        body: bytes | None = None,
        by: str | None = None,
    ) -> Response:
        """Answer the last request of this method, or the one that is named."""
        request = to or self._last[method]
        sender = self._sender[request]
        answerer = by or other(sender)
        fields = [field for field in request.headers if field[0] in ("Via", "From", "Call-ID", "CSeq")]
        tagged = self._up or status > 100
        fields.append(("To", f"<sip:{other(sender)}@127.0.0.1>" + (f";tag={other(sender)}" if tagged else "")))
        if 200 <= status < 300 and request.method in WITH_TIMER:
            terms = request.header("Session-Expires") or f"{self.interval_s}"
            terms = terms if "refresher" in terms else f"{terms};refresher={self.refresher}"
            fields += [("Contact", f"<{contact(answerer)}>"), ("Allow", ALLOW), ("Supported", "timer")]
            fields += [("Require", "timer"), ("Session-Expires", terms)]
            if body is None and request.method == "INVITE":
                body = sdp(answerer)
        if status == 422:
            fields.append(("Min-SE", "90"))
        made = Response(status, "Whatever", tuple(fields), body or b"")
        made = made.with_headers(*headers).without_headers(*without)
        self.send(answerer, sender, made)
        if request.method == "INVITE" and 200 <= status < 300:
            self._up = True
        return made

    def ack(
        self, to: Request | None = None, *, cseq: int | None = None, uri: str | None = None, bare: bool = False
    ) -> Request:
        """Acknowledge the 2xx to the last INVITE, with its credentials unless `bare`."""
        invite = to or self._last["INVITE"]
        sender = self._sender[invite]
        number = invite.cseq.number if cseq is None else cseq
        fields = (("Via", via(sender, f"{sender}{number}ACK{self.frame}")), *self.addresses(sender, f"{number} ACK"))
        credentials = () if bare else tuple(field for field in invite.headers if field[0] == "Authorization")
        made = Request("ACK", uri or contact(other(sender)), (*fields, *credentials))
        self._sender[made] = sender
        self.send(sender, other(sender), made)
        return made

    def ack_failure(self, to: Request | None = None) -> None:
        """Acknowledge a refusal of the last INVITE, within its transaction."""
        invite = to or self._last["INVITE"]
        sender = self._sender[invite]
        fields = (*invite.headers[:1], *self.addresses(sender, f"{invite.cseq.number} ACK"))
        self.send(sender, other(sender), Request("ACK", invite.uri, fields))

    def pass_on(self, message: Message, *headers: HeaderField, without: tuple[str, ...] = ()) -> Message:
        """Have the proxy between the two pass on what it got, edited like this."""
        if isinstance(message, Request):
            sender = self._sender[message]
            path = (("Via", via("proxy", f"proxy{self.frame}")), *message.headers)
            request = Request(message.method, message.uri, path, message.body)
            request = request.with_headers(*headers).without_headers(*without)
            self._last[message.method], self._sender[request] = request, sender
            self.send("proxy", other(sender), request)
            return request
        assert isinstance(message, Response)
        response = Response(message.status, message.reason, message.headers[1:], message.body)
        response = response.with_headers(*headers).without_headers(*without)
        self.send("proxy", message.sender.tag or "", response)
        return response

    def again(self, message: Message, *, sender: str | None = None) -> None:
        """Have a message sent once more."""
        first = next(transit for transit in self.trace.messages() if transit.message is message)
        self.send(sender or first.sender, first.receiver, message)

    def send(self, sender: str, receiver: str, message: Message) -> int:
        """Put a message on the tape; return its frame."""
        self.frame += 1
        transit = Transit(self.frame, self.now, sender, receiver, message, received_at=self.now)
        self.trace.records.append(transit)
        return self.frame

    def addresses(self, sender: str, cseq: str, tagged: bool = True) -> tuple[HeaderField, ...]:
        """From, To, Call-ID and CSeq of a request."""
        peer = other(sender)
        return (
            ("From", f"<sip:{sender}@127.0.0.1>;tag={sender}"),
            ("To", f"<sip:{peer}@127.0.0.1>" + (f";tag={peer}" if tagged else "")),
            ("Call-ID", "1@127.0.0.1"),
            ("CSeq", cseq),
        )

    # --- what goes without saying ---

    def invite(self, *headers: HeaderField, sender: str = "alice", without: tuple[str, ...] = ()) -> Request:
        """An INVITE that asks for a session timer; within the dialog, for the roles to stay."""
        if "Session-Expires" not in dict(headers):
            headers = (("Session-Expires", self.terms(sender) if self._up else f"{self.interval_s}"), *headers)
        return self.request(sender, "INVITE", *headers, body=sdp(sender), without=without)

    def set_up(self) -> "Tape":
        """Alice calls bob, who answers at once."""
        self.invite()
        self.respond(200)
        self.ack()
        return self

    def refresh(self, *, by: str | None = None, status: int = 200) -> Request:
        """An UPDATE of who refreshes, or of this party, and its answer; status 0: none."""
        sender = by or ("alice" if self.refresher == "uac" else "bob")
        update = self.request(sender, "UPDATE", ("Session-Expires", self.terms(sender)))
        if status:
            self.respond(status, method="UPDATE")
        return update

    def reinvite(self, by: str = "alice", *headers: HeaderField, body: bytes | None = None) -> Request:
        """A re-INVITE that changes the media unless its body says otherwise; without its answer."""
        terms = ("Session-Expires", self.terms(by))
        held = sdp(by, version=2, direction="sendonly")
        return self.request(by, "INVITE", terms, *headers, body=held if body is None else body)

    def held(self, by: str = "alice") -> "Tape":
        """A re-INVITE that holds the call, its 2xx and its ACK."""
        self.reinvite(by)
        self.respond(200, body=sdp(other(by), version=2, direction="recvonly"))
        self.ack()
        return self

    def terms(self, sender: str) -> str:
        """The Session-Expires of a request within the dialog that leaves the roles where they are."""
        refresher = "alice" if self.refresher == "uac" else "bob"
        return f"{self.interval_s};refresher={'uac' if sender == refresher else 'uas'}"

    def bye(self, by: str = "alice", *headers: HeaderField, status: int = 200) -> Request:
        """A BYE and its answer; status 0: none."""
        bye = self.request(by, "BYE", *headers)
        if status:
            self.respond(status, method="BYE")
        return bye

    # --- what the audit says ---

    def audit(self, *, until: float | None = None, speed: int = 1) -> CallAudit:
        """Judge the call; the capture ends at this second, or with the last message."""
        return audit_call(self.trace, speed=speed, ended_at=None if until is None else round(until * S))

    def findings(self, *, until: float | None = None) -> list[tuple[str, str, str, float, int]]:
        """What is found: rule, severity, actor, second and frame."""
        return [brief(finding) for finding in self.audit(until=until).findings]


def brief(finding: Finding) -> tuple[str, str, str, float, int]:
    """A finding without its words."""
    return finding.rule, finding.severity.value, finding.actor, finding.at / S, finding.frame


def serious(audit: CallAudit) -> list[Finding]:
    """Findings that are more than notes."""
    return [finding for finding in audit.findings if finding.severity is not Severity.NOTE]


def other(party: str) -> str:
    """The peer of alice or bob."""
    return "bob" if party == "alice" else "alice"


def via(party: str, branch: str) -> str:
    """A Via of a party."""
    return f"SIP/2.0/UDP 127.0.0.1:{PORTS[party]};branch=z9hG4bK{branch}"
