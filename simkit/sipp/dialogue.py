"""What a scripted party of a flow sends by itself, so that only what a scenario does otherwise is written down.

It mirrors `ua.scripted`, which this part may not ask: Call-ID, tags, CSeq, Via, Contact, and a session description come
from what was sent and seen. A value that the party would choose anew in every run (a tag, a branch) counts as its own
whatever the scenario writes, as long as it is used as such.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..sip.headers import canonical_name
from ..sip.transport import Transport
from .filling import Names
from .ladder import TARGETING, Ladder, Line, Shape
from .quotes import Kind, Quote, Quotes
from .sent import Field, Sent

_TAG = re.compile(r";\s*tag=([^;>\s]*)\s*$", re.IGNORECASE)
_OFFERING: Final = frozenset({"INVITE"})
_LEFT_TO_IT: Final = frozenset({"Route", "Record-Route"})


@dataclass(frozen=True, slots=True)
class _Invite:
    """What a CANCEL or an ACK repeats."""

    number: int
    branch: str
    uri: str
    to: str


class Dialogue:
    """One side's dialog as a scripted party keeps it."""

    def __init__(self, names: Names, ladder: Ladder, quotes: Quotes) -> None:
        self._names = names
        self._ladder = ladder
        self._quotes = quotes
        host, port = (quotes.character(Quote(kind)) for kind in (Kind.LOCAL_HOST, Kind.LOCAL_PORT))
        self._address = f"{host}:{port}"
        peer = (quotes.character(Quote(kind)) for kind in (Kind.REMOTE_HOST, Kind.REMOTE_PORT))
        parameter = ";transport=tcp" if names.transport is Transport.TCP else ""
        self._called = f"sip:{names.peer}@{':'.join(peer)}"
        self._target = f"{self._called}{parameter}"
        self._own_tag: str | None = None
        self._from: str | None = None
        """What a line has put there; None: the party's own choice."""
        self._to = ""
        """As its first request has it, without a tag."""
        self._contact = f"<sip:{names.own}@{self._address}{parameter}>"
        self._call_id: str | None = None
        self._cseq = 0
        self._invite: _Invite | None = None
        """Its last one."""
        self._branches: dict[str, Line] = {}
        self.bodies: list[tuple[Line, str]] = []
        """What stands in each message that has a body, or has none where the party would put one."""

    def shape(self, line: Line, sent: Sent) -> Shape:
        """Return what a line must say so that the party sends this."""
        wanted = self._response(line, sent) if sent.status else self._request(line, sent)
        shape = Shape()
        if not sent.status and sent.uri != self._uri(sent) and not self._is_known_in_a_run(sent.uri):
            shape.headers.append(("Request-URI", sent.uri))
        told: dict[str, list[Field]] = {}
        for field in sent.fields:
            told.setdefault(canonical_name(field.name), []).append(field)
        for name, fields in told.items():
            if len(fields) == 1 and self._is_as_wanted(name, fields[0].value, wanted, sent):
                continue
            shape.headers += [(field.name, field.value) for field in fields if not self._is_left_to_it(name, field)]
        shape.without = [name for name in wanted if name not in told]
        self._remember(line, sent, shape)
        return shape

    # --- what the party would send ---

    def _request(self, line: Line, sent: Sent) -> dict[str, str]:
        """Return the headers that the party gives a request, "" for one whose value is its own affair."""
        number = self._number(sent.method)
        wanted = {
            "Via": "",
            "Max-Forwards": "70",
            "From": self._from or f"<sip:{self._names.own}@{self._address}>",
            "To": self._to_value(sent),
            "Call-ID": self._call_id or self._quotes.character(Quote(Kind.CALL_ID)),
            "CSeq": f"{number} {sent.method}",
        }
        if sent.method in TARGETING:
            wanted["Contact"] = self._contact
        return wanted | self._describing(line, sent, offers=sent.method in _OFFERING)

    def _response(self, line: Line, sent: Sent) -> dict[str, str]:
        wanted = dict.fromkeys(("Via", "From", "To", "Call-ID", "CSeq"), "")
        if sent.method in TARGETING and sent.status < "300":
            wanted["Contact"] = self._contact
        return wanted | self._describing(line, sent, offers=sent.method in _OFFERING and sent.status[0] == "2")

    def _describing(self, line: Line, sent: Sent, *, offers: bool) -> dict[str, str]:
        """Return the headers about the body, and note the body."""
        if sent.body or offers:
            self.bodies.append((line, sent.body))
        return ({"Content-Type": "application/sdp"} if sent.body else {}) | {"Content-Length": ""}

    def _number(self, method: str) -> int:
        if method in ("ACK", "CANCEL") and self._invite:
            return self._invite.number
        return self._cseq + 1

    def _uri(self, sent: Sent) -> str:
        """Return the Request-URI that the party chooses."""
        if self._repeats_invite(sent) and self._invite:
            return self._invite.uri
        return (
            self._quotes.character(Quote(Kind.NEXT_URI))
            if self._knows(lambda line: line.shows_contact)
            else self._target
        )

    def _to_value(self, sent: Sent) -> str:
        """Return the To that the party chooses for a request."""
        if sent.method == "CANCEL" and self._invite:
            return self._invite.to
        if sent.method == "ACK" or self._knows(lambda line: line.shows_tag):
            return f"{self._to}{self._quotes.character(Quote(Kind.PEER_TAG))}"
        return f"<{self._called}>"

    def _knows(self, shows: Callable[[Line], bool]) -> bool:
        """Whether a message has come that shows something."""
        return any(line.receiver == self._names.own and shows(line) for line in self._ladder.lines())

    # --- whether it is what the scenario sends ---

    def _is_left_to_it(self, name: str, field: Field) -> bool:
        """Whether a header is one that the party copies by itself, or that only SIPp can fill in."""
        quotes = self._quotes.within(field.value)
        if any(quote.kind is Kind.UNKNOWN for quote in quotes):
            return True
        return name in _LEFT_TO_IT and bool(quotes) and quotes[0].kind is Kind.LINES

    def _is_known_in_a_run(self, text: str) -> bool:
        return any(quote.kind is Kind.UNKNOWN for quote in self._quotes.within(text))

    def _is_as_wanted(self, name: str, value: str, wanted: dict[str, str], sent: Sent) -> bool:
        if name not in wanted:
            return False
        if self._is_known_in_a_run(value):
            return True
        judge = _JUDGES.get(name)
        if judge is None:
            return value == wanted[name]
        return judge(self, value, wanted[name], sent)

    def _judge_via(self, value: str, wanted: str, sent: Sent) -> bool:
        if sent.status:
            return self._is_copied("Via", value, sent)
        protocol = rf"SIP/2\.0/{self._names.transport.name}"
        found = re.fullmatch(rf"{protocol}\s+{re.escape(self._address)};\s*branch=(\S)", value)
        quote = self._quotes.quote(found[1]) if found else None
        if found is None or quote is None or quote.kind is not Kind.BRANCH:
            return False
        if self._repeats_invite(sent):
            return self._invite is not None and found[1] == self._invite.branch
        return found[1] not in self._branches

    def _repeats_invite(self, sent: Sent) -> bool:
        """Whether a request has the branch of the INVITE (RFC 3261 sections 9.1 and 17.1.1.3)."""
        if sent.method == "CANCEL":
            return True
        return sent.method == "ACK" and self._was_refused()

    def _was_refused(self) -> bool:
        answers = [
            line
            for line in self._ladder.lines()
            if line.receiver == self._names.own and line.method == "INVITE" and line.status >= "2"
        ]
        return bool(answers) and answers[-1].status >= "3"

    def _judge_from(self, value: str, wanted: str, sent: Sent) -> bool:
        if sent.status:
            return self._is_copied("From", value, sent)
        if self._is_header_of_peer(value, of_request="", of_response="From"):
            return True
        plain, tag = _without_tag(value)
        if self._own_tag is None and tag:
            self._own_tag = tag
        if self._from is not None:
            return value == wanted
        is_ours = plain == wanted or self._is_header_of_peer(plain, of_request="To", of_response="")
        return is_ours and tag in (self._own_tag, "" if plain != wanted else self._own_tag)

    def _judge_to(self, value: str, wanted: str, sent: Sent) -> bool:
        if sent.status:
            return self._judge_to_of_response(value, sent)
        return value == wanted or self._is_header_of_peer(value, of_request="From", of_response="To")

    def _is_header_of_peer(self, value: str, *, of_request: str, of_response: str) -> bool:
        """Whether a value is that of this header in a request that came, or of the other one in a response."""
        quote = self._quotes.only(value)
        if quote is None or quote.kind is not Kind.HEADER or quote.detail:
            return False
        header = of_response if self._ladder.line(quote.message).status else of_request
        return canonical_name(quote.header) == header

    def _judge_to_of_response(self, value: str, sent: Sent) -> bool:
        request = self._answered(sent)
        quote = self._quotes.quote(value[:1]) if value else None
        if request is None or quote is None or not _is_of(quote, request, "To"):
            return False
        rest, is_first = value[1:].strip(), not self._is_in_dialog(request)
        if not is_first or sent.status == "100":
            return rest == ""
        tag = _TAG.fullmatch(rest)
        if tag and self._own_tag is None:
            self._own_tag = tag[1]
        return tag is not None and tag[1] == self._own_tag

    def _is_in_dialog(self, request: Line) -> bool:
        """Whether a request came when both sides had tags already."""
        return any(line.number < request.number and line.shows_tag and line.status for line in self._ladder.lines())

    def _judge_call_id(self, value: str, wanted: str, sent: Sent) -> bool:
        if sent.status and self._is_copied("Call-ID", value, sent):
            return True
        quote = self._quotes.only(value)
        return value == wanted or (quote is not None and (quote.kind is Kind.CALL_ID or quote.header == "Call-ID"))

    def _judge_cseq(self, value: str, wanted: str, sent: Sent) -> bool:
        if sent.status:
            return self._is_copied("CSeq", value, sent) or value.endswith(f" {sent.method}")
        number, _, method = value.partition(" ")
        quote = self._quotes.only(number)
        is_next = quote is not None and quote.kind in (Kind.CSEQ, Kind.UNKNOWN)
        return value == wanted or (is_next and method.strip() == sent.method)

    def _judge_length(self, value: str, wanted: str, sent: Sent) -> bool:
        quote = self._quotes.only(value)
        if quote is not None and quote.kind is Kind.LENGTH:
            return True
        return value.isdecimal() and int(value[:9]) == self._length(sent.body)

    def _length(self, body: str) -> int:
        """Return how long a body is on the loopback."""
        lengths = {Kind.LOCAL_HOST: 9, Kind.REMOTE_HOST: 9, Kind.LOCAL_PORT: 4, Kind.REMOTE_PORT: 4}
        quoted = sum(lengths.get(quote.kind, 1) for quote in self._quotes.within(body))
        plain = "".join(character for character in body if self._quotes.quote(character) is None)
        return len(plain.replace("\n", "\r\n").encode()) + quoted

    def _judge_contact(self, value: str, wanted: str, sent: Sent) -> bool:
        return value in (wanted, wanted.removeprefix("<").removesuffix(">"))

    def _is_copied(self, name: str, value: str, sent: Sent) -> bool:
        """Whether a value is that of the request which is answered."""
        request, quote = self._answered(sent), self._quotes.only(value)
        return request is not None and quote is not None and _is_of(quote, request, name)

    def _answered(self, sent: Sent) -> Line | None:
        """Return the request that a response answers: the last of its method."""
        found = [
            line
            for line in self._ladder.lines()
            if line.receiver == self._names.own and not line.status and line.method == sent.method
        ]
        return found[-1] if found else None

    # --- what it keeps ---

    def _remember(self, line: Line, sent: Sent, shape: Shape) -> None:
        lasting = {canonical_name(name): value for name, value in shape.headers}
        self._contact = lasting.get("Contact", self._contact)
        if sent.status:
            if "To" in lasting:
                self._from = lasting["To"]
            return
        self._from = lasting.get("From", self._from)
        self._call_id = lasting.get("Call-ID", self._call_id)
        number = self._number(sent.method)
        if "CSeq" in lasting and (given := lasting["CSeq"].partition(" ")[0]).isdecimal():
            number = int(given[:10])
        self._cseq = max(self._cseq, number)
        branch = next((each for each in sent.value("Via") or "" if self._is_branch(each)), "")
        if branch:
            self._branches.setdefault(branch, line)
        if not self._to:
            self._to = sent.value("To") or ""
        if sent.method == "INVITE":
            self._invite = _Invite(number, branch, sent.uri, sent.value("To") or "")

    def _is_branch(self, character: str) -> bool:
        quote = self._quotes.quote(character)
        return quote is not None and quote.kind is Kind.BRANCH

    def branch_line(self, character: str) -> Line | None:
        """Return the first request that was sent with a branch."""
        return self._branches.get(character)


_JUDGES: Final = {
    "Via": Dialogue._judge_via,
    "From": Dialogue._judge_from,
    "To": Dialogue._judge_to,
    "Call-ID": Dialogue._judge_call_id,
    "CSeq": Dialogue._judge_cseq,
    "Content-Length": Dialogue._judge_length,
    "Contact": Dialogue._judge_contact,
}


def _is_of(quote: Quote, line: Line, name: str) -> bool:
    return (
        quote.kind in (Kind.LINES, Kind.HEADER)
        and quote.message == line.number
        and canonical_name(quote.header) == name
        and not quote.detail
    )


def _without_tag(value: str) -> tuple[str, str]:
    found = _TAG.search(value)
    return (value[: found.start()], found[1]) if found else (value, "")
