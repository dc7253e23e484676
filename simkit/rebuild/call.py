"""What one recorded call tells about its two parties: who called, who knows timers, what each asked for and how.

Read from the messages alone (RFC 3261 section 13, RFC 4028 sections 7 and 9). What happened when is the business of
`flow_text`; calls through proxies are left out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..errors import CaptureError
from ..sip.message import Message, Request, Response
from ..trace import Trace, Transit
from ..units import S

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS")
"""What a user agent of a flow can say."""
RINGING: Final = 180
INTERVAL_TOO_SMALL: Final = 422  # RFC 4028 section 6

_FLOOR_S: Final = 90  # RFC 4028 section 4
_SILENT_AFTER: Final = 1  # so many retransmissions without an answer
_LATE_AFTER: Final = 3  # ... with one in the end, which took as long as T2 (RFC 3261 section 17.1.2.1)
_LATE_US: Final = 4 * S
_GIVEN_UP_US: Final = 32 * S  # 64*T1: timers B and F


@dataclass(slots=True)
class Party:
    """One side of a call; seconds and words as its headers have them."""

    name: str
    """In the flow: "alice" called "bob"."""
    address: str
    sent: list[Transit] = field(default_factory=list)
    """Each message once, however often it was sent."""

    @property
    def knows_timers(self) -> bool:
        """Whether it said so: by Supported, by asking for an interval or by refusing one."""
        return any(_shows_timers(transit.message) for transit in self.sent)

    @property
    def refreshes_by_update(self) -> bool:
        """Whether it sent UPDATE within the dialog."""
        return any(isinstance(each.message, Request) and each.message.method == "UPDATE" for each in self.sent)

    @property
    def allow(self) -> tuple[str, ...] | None:
        """Which methods it said to take, of those that a flow knows; None: it never said."""
        said = [allowed for each in self.sent if (allowed := each.message.tokens("Allow"))]
        return tuple(method for method in METHODS if method.lower() in said[0]) if said else None

    def first(self, test: Callable[[Message], bool]) -> Message | None:
        """Return its first message that passes a test."""
        return next((each.message for each in self.sent if test(each.message)), None)


@dataclass(slots=True)
class Call:
    """A call between two parties, in SIP's time: capture's time, times its speed."""

    caller: Party
    callee: Party
    transits: list[Transit]
    """Each message that a flow can tell, once, between "alice" and "bob", counted from the first INVITE."""
    resent: Counter[int]
    """How often a message was sent again, by its number."""
    left_out: Counter[str]
    """What a flow cannot tell, by method."""
    began_at: int
    """When its first INVITE was sent: microseconds since the capture began."""
    ended_at: int = 0
    """When the last message of any kind was seen."""

    def other(self, party: Party) -> Party:
        """Return the other side."""
        return self.callee if party is self.caller else self.caller

    def party(self, name: str) -> Party:
        """Return a side by its name in the flow."""
        return self.caller if name == self.caller.name else self.callee

    def answers(self, request: Transit) -> list[Transit]:
        """Return the responses to a request."""
        wanted = (request.message.header("CSeq"), request.message.branch)
        return [
            each
            for each in self.party(request.receiver).sent
            if isinstance(each.message, Response) and (each.message.header("CSeq"), each.message.branch) == wanted
        ]

    def final(self, request: Transit) -> Transit | None:
        """Return the final response to a request; None where none was seen."""
        return next((each for each in self.answers(request) if status_of(each.message) >= 200), None)

    def was_ignored(self, request: Transit) -> bool:
        """Whether a request was sent again and again, and not answered before it was given up."""
        return (
            request.message.method != "ACK"
            and self.resent[request.number] >= _SILENT_AFTER
            and ((final := self.final(request)) is None or final.sent_at - request.sent_at >= _GIVEN_UP_US)
        )

    def was_answered_late(self, request: Transit) -> bool:
        """Whether a request was sent again and again before it was answered."""
        final = self.final(request)
        return (
            final is not None
            and final.sent_at - request.sent_at < _GIVEN_UP_US
            and len(self.answers(request)) == 1
            and self.resent[request.number] >= _LATE_AFTER
            and final.sent_at - request.sent_at >= _LATE_US
        )

    def late_answers(self) -> list[Transit]:
        """Return the responses that came late."""
        requests = [each for each in self.transits if each.message.is_request and self.was_answered_late(each)]
        return [final for each in requests if (final := self.final(each))]


def read_call(trace: Trace, *, speed: int = 1) -> Call:
    """Return what a call tells. Raises CaptureError for one that does not begin in the capture, or has proxies."""
    messages = list(trace.messages())
    first = next((each for each in messages if _begins_a_call(each.message)), None)
    if first is None:
        raise CaptureError("the capture does not show how the call begins")
    if {end for each in messages for end in (each.sender, each.receiver)} != {first.sender, first.receiver}:
        raise CaptureError("more than two parties are in the call: through proxies no call is rebuilt")
    caller, callee = Party("alice", first.sender), Party("bob", first.receiver)
    call = Call(caller, callee, [], Counter(), Counter(), first.sent_at * speed)
    _add(call, [each for each in messages if each.sent_at >= first.sent_at], first.sent_at, speed)
    return call


def _add(call: Call, messages: Iterable[Transit], origin_at: int, speed: int) -> None:
    known: dict[tuple[object, ...], int] = {}
    for each in messages:
        name = call.caller.name if each.sender == call.caller.address else call.callee.name
        sender = call.party(name)
        at = (each.sent_at - origin_at) * speed
        call.ended_at = at
        key = (name, *_identity(each.message))
        if key in known:
            call.resent[known[key]] += 1
            continue
        known[key] = each.number
        told = replace(each, sent_at=at, received_at=at, sender=name, receiver=call.other(sender).name)
        sender.sent.append(told)
        if _is_for_flows(each.message):
            call.transits.append(told)
        elif status_of(each.message) != 100:
            call.left_out[each.message.method] += 1


def _identity(message: Message) -> Sequence[object]:
    """Return what a message repeats that is sent again; an ACK for a 2xx may have another branch each time."""
    branch = "" if message.method == "ACK" else message.header("Via")
    return (message.start_line.split(" ", 2)[:2][not message.is_request], message.header("CSeq"), branch)


def _is_for_flows(message: Message) -> bool:
    return message.method in METHODS and not (100 <= status_of(message) < 200 and status_of(message) != RINGING)


def _begins_a_call(message: Message) -> bool:
    return isinstance(message, Request) and message.method == "INVITE" and message.to_tag is None


def _shows_timers(message: Message) -> bool:
    return (
        "timer" in message.tokens("Supported") | message.tokens("Require")
        or message.header("Session-Expires") is not None
        or status_of(message) == INTERVAL_TOO_SMALL
    )


def status_of(message: Message) -> int:
    """Return the status of a response; 0 for a request."""
    return message.status if isinstance(message, Response) else 0


def session_timer(call: Call, party: Party) -> dict[str, object]:
    """Return a party's `session_timer` block: what it asked for, took and refused."""
    if not party.knows_timers:
        return {"enabled": False}
    asks = [each.message for each in party.sent if each.message.header("Session-Expires") is not None]
    asked = next((message for message in asks if message.is_request), asks[0] if asks else None)
    session = asked.session_expires if asked else None
    refusal = party.first(lambda message: status_of(message) == INTERVAL_TOO_SMALL)
    said = refusal or (asked if party is call.caller else None)
    least_s = (said.min_se if said else None) or min(_FLOOR_S, session.interval_s if session else _FLOOR_S)
    block: dict[str, object] = {"min_se": least_s}
    if session and not (party is call.callee and _asked_for(call, session.interval_s)):
        block["default_expires"] = session.interval_s
    if session and session.refresher and (party is call.caller or _chose_itself(call)):
        block["prefer_refresher"] = session.refresher.value
    if party.refreshes_by_update:
        block["use_update"] = True
    return block


def _asked_for(call: Call, interval_s: int) -> bool:
    """Whether the caller asked for this interval."""
    asked = (each.message.session_expires for each in call.caller.sent)
    return any(session.interval_s == interval_s for session in asked if session)


def _chose_itself(call: Call) -> bool:
    """Whether the caller left it to the callee who refreshes."""
    invite = call.caller.first(_begins_a_call)
    session = invite.session_expires if invite else None
    return session is None or session.refresher is None


def interval_us(call: Call) -> int | None:
    """Return the shortest session interval that a 2xx set; None: no timer was agreed on."""
    found = [
        session.interval_s * S
        for each in call.transits
        if 200 <= status_of(each.message) < 300 and (session := each.message.session_expires)
    ]
    return min(found, default=None)
