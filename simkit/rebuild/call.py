"""What one recorded call tells about its parties: who called whom, by which proxies, who said what, and how often.

Read from the messages alone (RFC 3261 sections 13 and 16). How the parties were set is the business of `settings`, what
happened when that of `flow_text`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ..errors import CaptureError
from ..sip.message import Message, Request, Response
from ..trace import Trace, Transit
from ..units import MS, S
from .ends import ends_of

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS")
"""What a user agent of a flow can say."""
SESSION_METHODS: Final = ("INVITE", "UPDATE")
"""Those that refresh a session (RFC 4028 section 3)."""
RINGING: Final = 180
INTERVAL_TOO_SMALL: Final = 422  # RFC 4028 section 6
GIVEN_UP_US: Final = 32 * S  # 64*T1: timers B and F (RFC 3261 section 17.1)

_WITH_ONE_PROXY: Final = 3
_SILENT_AFTER: Final = 1  # so many retransmissions without an answer
_LATE_AFTER: Final = 3  # ... with one in the end, which took as long as T2 (RFC 3261 section 17.1.2.1)
_LATE_US: Final = 4 * S
_T1_US: Final = 500 * MS


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
    """A call between two user agents, in SIP's time: capture's time, times its speed."""

    parties: list[Party]
    """The caller, the proxies on the way of its INVITE, the callee."""
    transits: list[Transit]
    """Each message that a flow can tell, once on each hop, in the parties' names, counted from the first INVITE."""
    began_at: int
    """When its first INVITE was sent: microseconds since the capture began."""
    names: Mapping[str, str] = field(kw_only=True)
    """Who is behind each address."""
    resent: Counter[int] = field(default_factory=Counter)
    """How often a message was sent again, by its number."""
    resent_at: dict[int, int] = field(default_factory=dict)
    """When a message was sent for the last time, by its number."""
    left_out: Counter[str] = field(default_factory=Counter)
    """What a flow cannot tell, by method."""
    ended_at: int = 0
    """When the last message of any kind was seen."""
    is_cut: bool = False
    """Whether messages at the end were left out, for nobody knows what became of them."""

    @property
    def caller(self) -> Party:
        """Who called."""
        return self.parties[0]

    @property
    def callee(self) -> Party:
        """Who was called."""
        return self.parties[-1]

    @property
    def proxies(self) -> list[Party]:
        """Those between them, in the order in which the INVITE passed them."""
        return self.parties[1:-1]

    def party(self, name: str) -> Party:
        """Return a party by its name in the flow."""
        return next(party for party in self.parties if party.name == name)

    def hop(self, us: Party) -> tuple[Party, list[Transit]]:
        """Return what one side said and heard, and who it had to do with: the other side, or its proxy."""
        peer = self.parties[1] if us is self.caller else self.parties[-2]
        ends = {us.name, peer.name}
        return peer, [each for each in self.transits if {each.sender, each.receiver} == ends]

    def onward(self, request: Transit) -> Transit | None:
        """Return a request as the proxy that got it sent it on; None where it did not, or is none."""
        if self.party(request.receiver) not in self.proxies:
            return None
        wanted = tuple(map(request.message.header, ("CSeq", "From")))
        return next(
            (
                each
                for each in self.party(request.receiver).sent
                if each.message.is_request
                and each.number > request.number
                and tuple(map(each.message.header, ("CSeq", "From"))) == wanted
            ),
            None,
        )

    def answers(self, request: Transit) -> list[Transit]:
        """Return the responses to a request."""
        wanted = (request.message.header("CSeq"), request.message.branch)
        return [
            each
            for each in self.party(request.receiver).sent
            if each.receiver == request.sender
            and isinstance(each.message, Response)
            and (each.message.header("CSeq"), each.message.branch) == wanted
        ]

    def final(self, request: Transit) -> Transit | None:
        """Return the final response to a request; None where none was seen."""
        return next((each for each in self.answers(request) if status_of(each.message) >= 200), None)

    def is_open(self, transit: Transit) -> bool:
        """Whether the capture ends before what follows from a message: it would have been sent again otherwise."""
        if self.ended_at - transit.sent_at >= _T1_US or self.resent[transit.number]:
            return False
        if transit.message.is_request:
            return transit.message.method not in ("ACK", "CANCEL") and self.final(transit) is None
        is_final = transit.message.method == "INVITE" and status_of(transit.message) >= 200
        return is_final and not any(
            each.message.is_request and each.message.method == "ACK" and each.sender == transit.receiver
            for each in self.transits
            if each.number > transit.number
        )

    def last_sent_at(self, transit: Transit) -> int:
        """Return when a message was sent for the last time."""
        return self.resent_at.get(transit.number, transit.sent_at)

    def was_ignored(self, request: Transit) -> bool:
        """Whether a request was not answered before it was given up: over UDP, though it was sent again and again."""
        first = next(iter(self.answers(request)), None)
        was_repeated = self.resent[request.number] >= _SILENT_AFTER
        was_awaited = bool(request.connection) and self.ended_at - request.sent_at >= GIVEN_UP_US
        return (
            request.message.method != "ACK"
            and (was_repeated or was_awaited)
            and (first is None or first.sent_at - request.sent_at >= GIVEN_UP_US)
        )

    def was_answered_late(self, request: Transit) -> bool:
        """Whether nothing was heard for a while before a request was answered, over UDP though it was sent again."""
        final = self.final(request)
        within_dialog = isinstance(request.message, Request) and request.message.to_tag is not None
        return (
            final is not None
            and final.sent_at - request.sent_at < GIVEN_UP_US
            and len(self.answers(request)) == 1
            and (within_dialog if request.connection else self.resent[request.number] >= _LATE_AFTER)
            and final.sent_at - request.sent_at >= _LATE_US
        )

    def late_answers(self) -> list[Transit]:
        """Return the responses that came late."""
        requests = [each for each in self.transits if each.message.is_request and self.was_answered_late(each)]
        return [final for each in requests if (final := self.final(each))]


def read_call(trace: Trace, *, speed: int = 1) -> Call:
    """Return what a call tells.

    Raises CaptureError for one that does not begin in the capture, that forks, or of which it shows one direction only.
    """
    messages = list(trace.messages())
    first = next((each for each in messages if begins_a_call(each.message)), None)
    if first is None:
        raise CaptureError("the capture does not show how the call begins")
    if first.sender == first.receiver:
        raise CaptureError(f"caller and callee are both {first.sender}: nobody knows who says what")
    path = _path(messages, first)
    from_first = [each for each in messages if each.sent_at >= first.sent_at]
    ends = ends_of(path, from_first)
    strangers = {end for each in messages for end in (each.sender, each.receiver)} - ends.keys()
    if strangers:
        are = "are" if len(strangers) > 1 else "is"
        raise CaptureError(f"{', '.join(sorted(strangers))} {are} not on the way of its INVITE: the call forks")
    names = ["alice", *(f"proxy{number}" for number in range(1, len(path) - 1)), "bob"]
    if len(path) == _WITH_ONE_PROXY:
        names[1] = "proxy"
    parties = [Party(*each) for each in zip(names, path, strict=True)]
    named = {address: names[path.index(end)] for address, end in ends.items()}
    call = Call(parties, [], first.sent_at * speed, names=named)
    _add(call, from_first, first.sent_at, speed)
    _check(call, from_first)
    _cut(call)
    return call


def _check(call: Call, messages: Sequence[Transit]) -> None:
    """Raise CaptureError for a call of which there are several, or which is seen from one side only."""
    taken = [each.message for each in messages if each.message.method == "INVITE" and _is_success(each.message)]
    dialogs = {message.to_tag for message in taken if message.from_tag == messages[0].message.from_tag}
    if len(dialogs) > 1:
        raise CaptureError(f"the call forks: its INVITE was answered in {len(dialogs)} dialogs")
    if not call.callee.sent and any(each.message.to_tag for each in call.caller.sent):
        raise CaptureError("the capture shows one direction only: nobody knows what the callee said")


def _cut(call: Call) -> None:
    """Leave out the end of a call from where the capture does not show what became of it."""
    for place, transit in enumerate(call.transits[1:], 1):
        is_farewell = transit.message.is_request and transit.message.method == "BYE" and not call.proxies
        if call.is_open(transit) and not is_farewell:  # who hung up is known, whatever came of it
            call.transits = call.transits[:place]
            call.is_cut = True
            return


def _path(messages: Iterable[Transit], first: Transit) -> list[str]:
    """Return the addresses that the first INVITE passed."""
    path = [first.sender, first.receiver]
    for each in messages:
        if begins_a_call(each.message) and each.sender == path[-1] and each.receiver not in path:
            path.append(each.receiver)
    return path


def _add(call: Call, messages: Iterable[Transit], origin_at: int, speed: int) -> None:
    known: dict[tuple[object, ...], int] = {}
    for each in messages:
        sender, receiver = call.party(call.names[each.sender]), call.names[each.receiver]
        at = (each.sent_at - origin_at) * speed
        call.ended_at = at
        key = (sender.name, receiver, *_identity(each.message))
        if key in known:
            call.resent[known[key]] += 1
            call.resent_at[known[key]] = at
            continue
        known[key] = each.number
        told = replace(each, sent_at=at, received_at=at, sender=sender.name, receiver=receiver)
        sender.sent.append(told)
        if is_for_flows(each.message):
            call.transits.append(told)
        elif status_of(each.message) != 100:
            call.left_out[each.message.method] += 1


def _identity(message: Message) -> Sequence[object]:
    """Return what a message repeats that is sent again; an ACK for a 2xx may have another branch each time."""
    branch = "" if message.method == "ACK" else message.header("Via")
    return (message.start_line.split(" ", 2)[:2][not message.is_request], message.header("CSeq"), branch)


def is_for_flows(message: Message) -> bool:
    """Whether a flow can tell a message: of provisional responses only that it rings."""
    return message.method in METHODS and not (100 <= status_of(message) < 200 and status_of(message) != RINGING)


def begins_a_call(message: Message) -> bool:
    """Whether a message is an INVITE outside a dialog."""
    return isinstance(message, Request) and message.method == "INVITE" and message.to_tag is None


def _shows_timers(message: Message) -> bool:
    return (
        "timer" in message.tokens("Supported") | message.tokens("Require")
        or message.header("Session-Expires") is not None
        or status_of(message) == INTERVAL_TOO_SMALL
    )


def _is_success(message: Message) -> bool:
    return 200 <= status_of(message) < 300


def status_of(message: Message) -> int:
    """Return the status of a response; 0 for a request."""
    return message.status if isinstance(message, Response) else 0
