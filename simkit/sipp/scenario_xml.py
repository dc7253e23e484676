"""One side of a run written as a SIPp scenario: each message as it was, with keywords for what differs in every run.

Steps are counted as SIPp counts them, for `[branch-2]` is the branch of the message two steps before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..sip.headers import HeaderField, canonical_name
from ..sip.message import Message, Request
from ..sip.uri import host_port
from ..units import MS, S
from .acts import Act

Address = tuple[str, int]

_OWN_ADDRESS: Final = "[local_ip]:[local_port]"
_PEERS_ADDRESS: Final = "[remote_ip]:[remote_port]"
_AFTERMATH_US: Final = 1 * S


@dataclass(frozen=True, slots=True)
class Cast:
    """Who a side is, and whom it talks to."""

    name: str
    own: Address
    peer: Address
    calls: bool
    """Whether it sends the first request."""
    t1_us: int
    about: str
    """What its session descriptions say that they are about: SIPp's are no recording of this flow."""


@dataclass(slots=True)
class Needs:
    """What must be kept of the messages that come, by their place among the acts: headers and variables."""

    kept: dict[int, dict[str, str]] = field(default_factory=dict)

    def keep(self, act: int, header: str, variable: str) -> str:
        """Have a header kept, and return how it is quoted."""
        return f"[${self.kept.setdefault(act, {}).setdefault(header, variable)}]"


def scenario_xml(cast: Cast, acts: Sequence[Act], *, title: str, remarks: Sequence[str], silent_us: int | None) -> str:
    """Write a scenario; `remarks` go above it as a comment, and `silent_us` is how long it says nothing at its end."""
    writer = _Writer(cast, acts)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<!--",
        *(f"  {_comment(remark)}".rstrip() for remark in remarks),
        "-->",
        f'<scenario name="{_attribute(title)}">',
        *writer.steps(),
    ]
    if silent_us is not None:
        lines += [
            f"  <!-- {cast.name} crashes: from here on it is silent -->",
            f'  <pause milliseconds="{(silent_us + _AFTERMATH_US) // MS}"/>',
        ]
    return "\n".join([*lines, "</scenario>", ""])


class _Writer:
    """Writes the steps of one side."""

    def __init__(self, cast: Cast, acts: Sequence[Act]) -> None:
        self._cast = cast
        self._acts = acts
        self._needs = Needs()
        self._own_address, self._peers_address = host_port(cast.own), host_port(cast.peer)
        self._tags: dict[str, str] = {}
        """By tag of its own, how that is written."""
        self._positions: dict[int, int] = {}
        """By act, the index of its step."""
        self._branches: dict[str, int] = {}
        """By branch, the act that was the first to have it."""

    def steps(self) -> Iterator[str]:
        """Yield the lines of all steps."""
        self._number()
        messages: list[list[str]] = []
        for number, act in enumerate(self._acts):
            first = self._acts.index(act.repeats) if act.repeats else number
            messages.append(self._again(number, messages[first]) if first != number else self._message(number, act))
        before_us = 0
        for number, act in enumerate(self._acts):
            yield from self._pause(act.at_us - before_us if act.is_sent else 0)
            yield from self._sending(act, messages[number]) if act.is_sent else self._receiving(number, act)
            before_us = act.at_us

    def _number(self) -> None:
        """Find out which index each step has: pauses count as well."""
        position, before_us = 0, 0
        for number, act in enumerate(self._acts):
            position += act.is_sent and act.at_us - before_us >= MS
            self._positions[number] = position
            if act.is_sent and act.is_request:
                self._branches.setdefault(act.message.branch, number)
            position += 1
            before_us = act.at_us

    def _pause(self, duration_us: int) -> Iterator[str]:
        if duration_us >= MS:
            yield f'  <pause milliseconds="{duration_us // MS}"/>'

    # --- what it receives ---

    def _receiving(self, number: int, act: Act) -> Iterator[str]:
        what = f'response="{act.status}"' if act.status else f'request="{act.message.method}"'
        routes = ' rrs="true"' if act.message.contact is not None and act.status < 300 else ""
        kept = self._needs.kept.get(number)
        if not kept:
            yield f"  <recv {what}{routes}/>"
            return
        yield f"  <recv {what}{routes}>"
        yield "    <action>"
        for header, variable in kept.items():
            yield f'      <ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{variable}"/>'
        yield "    </action>"
        yield "  </recv>"

    # --- what it sends ---

    def _sending(self, act: Act, lines: list[str]) -> Iterator[str]:
        yield f"  <send{self._retrans(act)}>"
        yield "    <![CDATA["
        *most, last = [f"      {line}".rstrip() for line in lines]
        yield from most
        if act.message.body and not act.message.body.endswith(b"\n"):
            yield f"{last}]]>"  # for SIPp ends the body as the section ends
        else:
            yield last
            yield "    ]]>"
        yield "  </send>"

    def _retrans(self, act: Act) -> str:
        """Return whether SIPp is to send it again by itself: not what nobody answers, for then it does nothing else."""
        waits = act.message.method != "ACK" if act.is_request else act.message.method == "INVITE" and act.status >= 200
        return f' retrans="{self._cast.t1_us // MS}"' if waits and not act.is_repeated else ""

    def _again(self, number: int, lines: list[str]) -> list[str]:
        """Return a message that goes out once more: a request has the branch of the first time."""
        act = self._acts[number]
        if not isinstance(act.message, Request):
            return lines
        return [line.replace("branch=[branch]", f"branch={self._branch(number, act.message)}") for line in lines]

    def _message(self, number: int, act: Act) -> list[str]:
        if not act.is_sent:
            return []
        message = act.message
        if isinstance(message, Request):
            lines = [f"{message.method} {self._uri(number, message)} SIP/2.0"]
            lines += [f"{name}:{value}" for name, value in self._request_headers(number, message)]
        else:
            lines = [_literal(message.start_line)]
            lines += self._response_lines(number, message)
        return [*lines, *self._body(message)]

    def _uri(self, number: int, request: Request) -> str:
        contact = next(
            (
                act.message.contact.uri
                for act in reversed(self._acts[:number])
                if not act.is_sent and act.message.contact is not None and act.status < 300
            ),
            None,
        )
        if contact == request.uri and not self._repeats_invite(number, request):
            return "[next_url]"
        return self._with_places(request.uri)

    def _repeats_invite(self, number: int, request: Request) -> bool:
        """Whether a request has the branch of one before it: a CANCEL, or the ACK to a refusal."""
        return self._branches[request.branch] != number

    def _request_headers(self, number: int, request: Request) -> Iterator[HeaderField]:
        for name, value in request.headers:
            match canonical_name(name):
                case "Via":
                    yield name, f" SIP/2.0/[transport] {_OWN_ADDRESS};branch={self._branch(number, request)}"
                case "From":
                    yield name, self._own_side(value, request.from_tag or "")
                case "To":
                    yield name, self._peers_side(request, value)
                case "Call-ID":
                    yield name, " [call_id]"
                case "Content-Length":
                    yield name, " [len]"
                case _:
                    yield name, f" {self._with_places(value)}"

    def _branch(self, number: int, request: Request) -> str:
        distance = self._positions[number] - self._positions[self._branches[request.branch]]
        return f"[branch-{distance}]" if distance else "[branch]"

    def _own_side(self, value: str, tag: str) -> str:
        """Write From: of the caller as it is, of the callee as the INVITE's To had it."""
        if self._cast.calls:
            return f" {self._with_places(_without_tag(value))};tag={self._tag(tag)}"
        return f"{self._needs.keep(self._call(), 'To', 'local')};tag={self._tag(tag)}"

    def _peers_side(self, request: Request, value: str) -> str:
        if not self._cast.calls:
            return self._needs.keep(self._call(), "From", "remote")
        tag = "[peer_tag_param]" if request.to_tag else ""
        return f" {self._with_places(_without_tag(value))}{tag}"

    def _call(self) -> int:
        """Return the act in which the first INVITE came, or whatever came first."""
        received = [number for number, act in enumerate(self._acts) if not act.is_sent and act.is_request]
        return next((number for number in received if self._acts[number].message.method == "INVITE"), received[0])

    def _response_lines(self, number: int, response: Message) -> Iterator[str]:
        request = self._answered(number, response)
        is_last = request == self._last_received(number)
        for name, value in response.headers:
            canonical = canonical_name(name)
            if canonical in ("Via", "From", "To", "Call-ID") and is_last:
                yield f"[last_{canonical}:]{self._new_tag(canonical, request, response)}"
            elif canonical in ("Via", "From", "To"):
                kept = self._needs.keep(request, canonical, f"{canonical.lower()}{request}")
                yield f"{name}:{kept}{self._new_tag(canonical, request, response)}"
            elif canonical == "Call-ID":
                yield f"{name}: [call_id]"
            elif canonical == "Content-Length":
                yield f"{name}: [len]"
            else:
                yield f"{name}: {self._with_places(value)}"

    def _answered(self, number: int, response: Message) -> int:
        """Return the act in which the request came that a response answers."""
        for before in reversed(range(number)):
            act = self._acts[before]
            is_asked = not act.is_sent and act.is_request and act.message.method == response.method
            if is_asked and act.message.branch == response.branch:
                return before
        return self._call()

    def _last_received(self, number: int) -> int:
        return next((before for before in reversed(range(number)) if not self._acts[before].is_sent), -1)

    def _new_tag(self, header: str, request: int, response: Message) -> str:
        """Return the tag that a response adds to To."""
        if header != "To" or not response.to_tag or self._acts[request].message.to_tag:
            return ""
        return f";tag={self._tag(response.to_tag)}"

    def _tag(self, tag: str) -> str:
        """Write a tag of its own as SIPp makes one, another for each that it had in the run."""
        number = 0 if self._cast.calls else 1
        another = f"-{len(self._tags) + 1}" if self._tags else ""
        return self._tags.setdefault(tag, f"[pid]SIPpTag0{number}[call_number]{another}")

    # --- text ---

    def _body(self, message: Message) -> list[str]:
        if not message.body:
            return [""]
        said = message.body.decode("utf-8", "replace").replace("\r\n", "\n").replace(f"i={self._cast.about}\n", "")
        text = self._with_places(said, hosts=True)
        return ["", *text.removesuffix("\n").split("\n")]

    def _with_places(self, text: str, *, hosts: bool = False) -> str:
        """Write keywords for the addresses of both sides; `hosts`: of hosts without a port as well."""
        text = _literal(text).replace(self._own_address, _OWN_ADDRESS).replace(self._peers_address, _PEERS_ADDRESS)
        if hosts:
            text = text.replace(self._cast.own[0], "[local_ip]").replace(self._cast.peer[0], "[remote_ip]")
        return text


def _without_tag(value: str) -> str:
    head, _, _ = value.partition(";tag=")
    return head


def _literal(text: str) -> str:
    """Write a text so that SIPp takes nothing in it for a keyword, nor for the end of the message."""
    return text.replace("[", "\\x5B").replace("]]>", "]]\\x3E")


def _comment(text: str) -> str:
    return text.replace("--", "- -")


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
