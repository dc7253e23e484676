"""A recorded call as a flow: the parties as they showed themselves, what people did to them, and what was seen.

What a session timer does by itself (refresh, hang up in time, try again what was refused) gets no stimulus: it is for
our timer logic to do at its own time, and the flow fails where the recorded stack did something else. What a timer
cannot have done (hang up early, reject, ring, fall silent) is put into the flow as it happened. A party may also be
told: then it is scripted, and says what it said.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from ..audit.finding import CallAudit
from ..sip.message import Request
from ..sip.readable import session_of
from ..sip.transport import Transport
from ..trace import Transit
from ..units import DAY, MS, S, format_duration
from .call import INTERVAL_TOO_SMALL, RINGING, SESSION_METHODS, Call, Party, status_of
from .crossings import LATENCY_US, crossings, in_playing_order
from .sessions import GLARE_WAIT_US, Cause, Causes, holds
from .settings import interval_us, proxy_session_timer, session_timer
from .silences import Happened, Silences, stimulus

_OF_ITSELF: Final = (487, INTERVAL_TOO_SMALL)  # answers that follow from what was said before
_GONE: Final = 481
_GLARE: Final = 491
_AT_ONCE_US: Final = 1 * S
"""What is done so soon after the message before is done at once: then a slower or quicker machine changes nothing."""
_SETTLING: Final = (0, *range(200, 300))
"""A request, and its 2xx."""
_ROUND_US: Final = 100 * MS
_VERBS: Final[dict[Cause | None, str]] = {
    Cause.HOLD: "hold",
    Cause.RESUME: "resume",
    Cause.REFRESH: "refresh",
    Cause.HANG_UP: "hang up",
    Cause.CANCEL: "cancel",
    Cause.OPTIONS: "options",
}
_TOLD: Final = ("Supported", "Require", "Session-Expires", "Min-SE", "Allow", "Retry-After", "Reason")
"""The headers that a party which is told repeats."""


def window_us(call: Call, *, tolerance_us: int) -> int:
    """Return how far from its time a message may come: RFC 4028 leaves open when exactly a refresh is sent."""
    return max(tolerance_us, (interval_us(call) or 0) // 10)


@dataclass(frozen=True, slots=True)
class FlowText:
    """A flow as YAML, and where it came from."""

    text: str
    origins: dict[int, Transit]
    """The recorded message of each line of it that has one, by the line's number."""


def flow_text(
    call: Call, audit: CallAudit, *, name: str, about: str, tolerance_us: int, told: Collection[str] = ()
) -> FlowText:
    """Return the flow of a call; the parties in `told` say what they said, the others what our logic has them say."""
    causes = Causes(call, audit, window_us(call, tolerance_us=tolerance_us))
    writer = _Writer(causes, frozenset(told))
    for line in ("simkit: 1", f"name: {name}", f"about: {json.dumps(about)}", *writer.terms(), "actors:"):
        writer.add(line)
    for party in call.parties:
        writer.add(f"  {party.name}: {json.dumps(writer.actor(party))}  # {party.address}")
    writer.add("flow:")
    writer.write()
    return FlowText("\n".join([*writer.lines, ""]), writer.origins)


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines about one message, or about what happened to a party."""

    at: int
    before: tuple[str, ...]
    transit: Transit | None = None
    after: tuple[str, ...] = ()


@dataclass(slots=True)
class _Writer:
    """Writes the parts of a flow."""

    causes: Causes
    told: frozenset[str]
    lines: list[str] = field(default_factory=list)
    origins: dict[int, Transit] = field(default_factory=dict)
    _call: Call = field(init=False)
    _silences: Silences = field(init=False)
    _crossed: dict[int, Transit] = field(init=False)
    """What a request crosses that comes first in the flow, by its own number."""

    def __post_init__(self) -> None:
        self._call, self._silences = self.causes.call, Silences(self.causes)
        self._crossed = {second.number: first for first, second in crossings(self.causes)}

    def add(self, line: str) -> None:
        self.lines.append(line)

    def terms(self) -> Iterator[str]:
        """Yield what is said of the network and of the time: requests cross where messages take a while."""
        transport = self._call.transits[0].transport
        if transport is not Transport.UDP:
            yield f"transport: {transport.value}"
        if self._crossed:
            yield f"network: {{latency: {format_duration(LATENCY_US)}}}"
        if self._call.ended_at > DAY // 2:
            yield f"limit: {format_duration(2 * self._call.ended_at // S * S)}"

    def actor(self, party: Party) -> dict[str, object]:
        """Return a party's settings."""
        if party.name in self.told:
            is_repeating = any(self._call.resent[each.number] for each in party.sent if each.message.is_request)
            route = self._route() if party is self._call.caller else []
            return (
                {"role": "scripted"}
                | ({"retransmits": True} if is_repeating else {})
                | ({"route": route} if route else {})
            )
        if party in self._call.proxies:
            return {"role": "proxy", "session_timer": proxy_session_timer(self._call, party)}
        words: dict[str, object] = {"role": "uac", "session_timer": session_timer(self._call, party)}
        if party is self._call.callee:
            words |= {"role": "uas", "answers": "by hand"}
        elif route := self._route():
            words["route"] = route
        if party.allow is not None:
            words["allow"] = list(party.allow)
        return words

    def _route(self) -> list[str]:
        """Return the proxies on the way of the first INVITE, as far as one that is told: that is whom alice calls."""
        names = [party.name for party in self._call.parties[1:]]
        return names[: next((place for place, name in enumerate(names) if name in self.told), len(names) - 1)]

    def write(self) -> None:
        """Write the lines of `flow`, in the order of time."""
        pairs = crossings(self.causes)
        blocks: list[_Block] = []
        happenings: list[Happened] = []
        for transit in in_playing_order(self._call.transits, pairs):
            if transit.sender in self._silences.crashed:
                continue  # what it said once it was back, when the others had given it up
            happenings += self._silence(transit)
            after = self._order(transit) if transit.sender in self.told else self._expectation(transit)
            blocks.append(_Block(transit.sent_at, (*self._before(transit),), transit, (*after,)))
        for happened in happenings:
            place = next((i for i, block in enumerate(blocks) if block.at > happened.at), len(blocks))
            blocks.insert(place, _Block(happened.at, happened.lines))
        for block in blocks:
            self.lines += block.before
            if block.transit is not None:
                self.add(f"  - {block.transit.sender} -> {block.transit.receiver}: {_pattern(block.transit)}")
                self.origins[len(self.lines)] = block.transit
            self.lines += block.after
        if self._call.is_cut or self.causes.audit.ended_us is None:
            self._break_off()

    def _silence(self, transit: Transit) -> Iterator[Happened]:
        if transit.receiver not in self.told:
            yield from self._silences.of(transit)

    def _break_off(self) -> None:
        """Write that everybody stops who is still there when the capture ends."""
        ended_at = self._call.transits[-1].sent_at if self._call.is_cut else self._call.ended_at
        for party in self._call.parties:
            if party.name not in self._silences.crashed | self.told:
                self.add(f"  - {party.name}: crash")
                self.add(f"    at: {_between(ended_at, ended_at + self.causes.window_us + GLARE_WAIT_US)}")

    # --- a message ---

    def _expectation(self, transit: Transit) -> Iterator[str]:
        """Yield what is expected of a message that our logic is to send."""
        if wanted := _session_headers(transit):
            yield f"    has: {{{wanted}}}"
        if self.causes.is_of_itself(transit):
            yield f"    at: {self._window(transit)}"

    def _order(self, transit: Transit) -> Iterator[str]:
        """Yield how a party is told to send a message."""
        message = transit.message
        if transit.number in self._crossed or not self._is_at_once(transit):
            earliest, latest = transit.sent_at, transit.sent_at + self.causes.window_us
            if first := self._crossed.get(transit.number):
                earliest = min(earliest, first.sent_at) - self.causes.window_us
            yield f"    at: {_between(earliest, latest)}"
        values = {name: ", ".join(message.values(name)) for name in _TOLD if message.header(name) is not None}
        if values:
            yield f"    with: {_quoted(values)}"
        describes = message.method == "INVITE" and status_of(message) in _SETTLING  # unless told otherwise
        body = message.body.decode("utf-8", "replace")
        if bool(body) != describes or holds(message.body):
            yield f"    body: {_quoted(body)}"

    # --- what comes before it ---

    def _before(self, transit: Transit) -> Iterator[str]:
        """Yield what had to happen before a message."""
        if isinstance(transit.message, Request):
            if transit.receiver not in self.told:
                yield from self._refusal(transit, transit.message)
            cause = self.causes.of(transit)
            verb = f"call {self._called()}" if cause is Cause.CALL else _VERBS.get(cause)
            if verb and transit.sender not in self.told:
                yield from self._done_by_somebody(transit, verb)
        elif transit.sender not in self.told and self._call.party(transit.sender) not in self._call.proxies:
            yield from self._before_response(transit)

    def _called(self) -> str:
        return self._call.parties[1 + len(self._route())].name

    def _refusal(self, transit: Transit, request: Request) -> Iterator[str]:
        """Yield that a request within the dialog is refused, unless that follows from what was said before."""
        final = self._call.final(transit)
        is_proxy = self._call.party(transit.receiver) in self._call.proxies
        if final is None or is_proxy or not request.to_tag or request.method == "BYE":
            return
        if transit.receiver in self._silences.crashed:
            return
        status = status_of(final.message)
        if status < 300 or status in _OF_ITSELF or self._follows(status, transit):
            return
        yield f"  - {transit.receiver}: reply {status} to {request.method} 1 times"
        if retry_after := final.message.header("Retry-After"):
            yield f"    with: {{Retry-After: {_quoted(retry_after)}}}"

    def _follows(self, status: int, request: Transit) -> bool:
        """Whether a refusal follows from a request of the other side that came before, or crossed."""
        method = {_GONE: "BYE", _GLARE: "INVITE"}.get(status)
        return any(
            isinstance(each.message, Request)
            and each.message.method == method
            and (status == _GONE or each.sender == request.receiver)
            and (status == _GONE or (final := self._call.final(each)) is None or final.number > request.number)
            for each in self._call.transits
            if each.number < request.number or self._crossed.get(each.number) is request
        )

    def _before_response(self, transit: Transit) -> Iterator[str]:
        message, status = transit.message, status_of(transit.message)
        if any(each is transit for each in self._call.late_answers()):
            yield from stimulus(transit.sender, "thaw", transit.sent_at)
        if message.method != "INVITE" or not self._answers_the_call(transit):
            return
        if status == RINGING:
            yield from self._done_by_somebody(transit, "ring")
        elif 200 <= status < 300:
            yield from self._done_by_somebody(transit, "answer")
        elif status not in _OF_ITSELF:
            yield from self._done_by_somebody(transit, f"reject {status}")

    def _answers_the_call(self, transit: Transit) -> bool:
        """Whether a response is to an INVITE outside the dialog."""
        return any(
            isinstance(each.message, Request)
            and each.message.to_tag is None
            and each.message.branch == transit.message.branch
            for each in self._call.party(transit.receiver).sent
        )

    def _done_by_somebody(self, transit: Transit, verb: str) -> Iterator[str]:
        """Yield what its sender did, so that a message was sent: then, or at once after the message before it."""
        if first := self._crossed.get(transit.number):
            yield f"  - {transit.sender}: {verb}"
            yield f"    at: {self._window(first)}"
        else:
            yield from stimulus(transit.sender, verb, 0 if self._is_at_once(transit) else transit.sent_at)

    # --- times ---

    def _is_at_once(self, transit: Transit) -> bool:
        before_at = max((each.sent_at for each in self._call.transits if each.number < transit.number), default=0)
        return transit.sent_at - before_at <= _AT_ONCE_US

    def _window(self, transit: Transit) -> str:
        """Return when a message may come that is sent by itself."""
        spread_us = self.causes.window_us
        if self._was_refused_with_glare(transit):
            spread_us = max(spread_us, GLARE_WAIT_US)
        return _between(transit.sent_at - spread_us, transit.sent_at + spread_us)

    def _was_refused_with_glare(self, transit: Transit) -> bool:
        refusals = [each for each in self._call.transits if each.number < transit.number and _is_refusal(each)]
        return any(each.receiver == transit.sender and status_of(each.message) == _GLARE for each in refusals[-2:])


def _is_refusal(transit: Transit) -> bool:
    return transit.message.method in SESSION_METHODS and status_of(transit.message) >= 300


def _between(earliest: int, latest: int) -> str:
    earliest = max(0, earliest) // _ROUND_US * _ROUND_US
    latest = -(-max(0, latest) // _ROUND_US) * _ROUND_US
    return f"start + {format_duration(earliest)}..{format_duration(latest)}"


def _session_headers(transit: Transit) -> str | None:
    """Return what is said of Session-Expires by every request and every 2xx that could, and if it says so amiss."""
    message = transit.message
    if message.method not in SESSION_METHODS or status_of(message) not in _SETTLING:
        return None
    session = session_of(message)
    wanted = f"Session-Expires: {_quoted(str(session)) if session else '{absent: true}'}"
    if session and message.is_request and message.header("Supported") is None:
        wanted += ", Supported: {absent: true}"
    return wanted


def _quoted(said: object) -> str:
    """Return what was said as a flow has it, which takes ${x} for a value unless it says $${x}."""
    return json.dumps(said).replace("${", "$${")


def _pattern(transit: Transit) -> str:
    status = status_of(transit.message)
    return f"{status} {transit.message.method}" if status else transit.message.method
