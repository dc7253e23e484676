"""A recorded call as a flow: the parties as they showed themselves, what people did to them, and what was seen.

What a session timer does by itself (refresh, hang up in time, try again after 422) gets no stimulus: it is for our
timer logic to do at its own time, and the flow fails where the recorded stack did something else. What a timer cannot
have done (hang up early, reject, ring, fall silent) is put into the flow as it happened.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..audit.finding import CallAudit
from ..sip.message import Request
from ..sip.session_headers import Refresher, SessionExpires
from ..trace import Transit
from ..units import MS, S, format_duration
from .call import (
    INTERVAL_TOO_SMALL,
    RINGING,
    Call,
    Party,
    interval_us,
    session_timer,
    status_of,
)

_BY_TIMER: Final = frozenset(("session-expired", "refresh-failed", "no-ack"))
"""Why a call ended, if nobody hung up."""
_SESSION: Final = ("INVITE", "UPDATE")
_OF_ITSELF: Final = (487, 491, INTERVAL_TOO_SMALL)  # answers that follow from what was said before
_AT_ONCE_US: Final = 1 * S
"""What is done so soon after the message before is done at once: then a slower or quicker machine changes nothing."""
_ROUND_US: Final = 100 * MS
_SILENT_AFTER_US: Final = 1 * S
"""Who falls silent does so after its last message; when exactly, nobody knows."""


def window_us(call: Call, *, tolerance_us: int) -> int:
    """Return how far from its time a message may come: RFC 4028 leaves open when exactly a refresh is sent."""
    return max(tolerance_us, (interval_us(call) or 0) // 10)


def flow_text(call: Call, audit: CallAudit, *, name: str, about: str, tolerance_us: int) -> str:
    """Return the flow of a call as YAML."""
    writer = _Writer(call, audit, window_us(call, tolerance_us=tolerance_us))
    lines = [
        "simkit: 1",
        f"name: {name}",
        f"about: {json.dumps(about)}",
        "actors:",
        f"  alice: {writer.actor(call.caller, 'uac')}  # {call.caller.address}",
        f"  bob: {writer.actor(call.callee, 'uas')}  # {call.callee.address}",
        "flow:",
        *writer.lines(),
    ]
    return "\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the parts of a flow."""

    call: Call
    audit: CallAudit
    window_us: int

    def actor(self, party: Party, role: str) -> str:
        words: dict[str, object] = {"role": role, "session_timer": session_timer(self.call, party)}
        if party is self.call.callee:
            words["answers"] = "by hand"
        if party.allow is not None:
            words["allow"] = list(party.allow)
        return json.dumps(words)

    def lines(self) -> Iterator[str]:
        """Yield the lines of `flow`, in the order of time."""
        silent = set[str]()
        for transit in self.call.transits:
            if transit.sender in silent:
                continue  # what it said once it was back, when the others had given it up
            yield from self._before(transit, silent)
            yield f"  - {transit.sender} -> {transit.receiver}: {_pattern(transit)}"
            if session := _session_expires(transit):
                yield f"    has: {{Session-Expires: {session}}}"
            if self._is_due_by_itself(transit):
                yield f"    at: {self._window(transit.sent_at)}"
        if self.audit.ended_us is None:
            for party in (self.call.caller, self.call.callee):
                if party.name not in silent:
                    yield from _stimulus(party.name, "crash", self.call.ended_at)

    def _before(self, transit: Transit, silent: set[str]) -> Iterator[str]:
        """Yield what had to happen before a message."""
        if isinstance(transit.message, Request):
            yield from self._before_request(transit, transit.message, silent)
        else:
            yield from self._before_response(transit)

    def _before_request(self, transit: Transit, request: Request, silent: set[str]) -> Iterator[str]:
        receiver = self.call.party(transit.receiver)
        if receiver.name not in silent and self.call.was_ignored(transit):
            yield from self._silence(receiver, transit, request, silent)
        elif (final := self.call.final(transit)) and request.to_tag and request.method != "BYE":
            status = status_of(final.message)
            if status >= 300 and status not in _OF_ITSELF:
                yield f"  - {receiver.name}: reply {status} to {request.method} 1 times"
                if retry_after := final.message.header("Retry-After"):
                    yield f"    with: {{Retry-After: {json.dumps(retry_after)}}}"
        if receiver.name not in silent and self.call.was_answered_late(transit):
            yield from self._freeze(receiver, transit)
        verb = self._verb(transit, request)
        if verb:
            yield from self._cause(transit, verb)

    def _verb(self, transit: Transit, request: Request) -> str | None:
        """Return what somebody did, so that this request was sent; None where it follows from what was before."""
        if request.method in ("OPTIONS", "CANCEL"):
            return request.method.lower()
        if request.method == "BYE":
            return None if self.audit.reason in _BY_TIMER else "hang up"
        if request.method in _SESSION and transit is self.call.transits[0]:
            return "call bob"
        if request.method not in _SESSION or not request.to_tag:
            return None
        was_held = _was_held(self.call.party(transit.sender), transit)
        if request.body and _holds(request.body) != was_held:
            return "resume" if was_held else "hold"
        return None if self._is_refresh_by_timer(transit) else "refresh"

    def _silence(self, party: Party, transit: Transit, request: Request, silent: set[str]) -> Iterator[str]:
        """Have a party crash, or only ignore what it did not answer, if it was heard of later."""
        if any(self._is_alive(each, transit) for each in party.sent):
            yield f"  - {party.name}: ignore {request.method} {1 + self.call.resent[transit.number]} times"
            return
        silent.add(party.name)
        yield from _stimulus(party.name, "crash", _silent_at(party, transit))

    def _is_alive(self, later: Transit, request: Transit) -> bool:
        """Whether a message shows that its sender was there after it had left a request unanswered."""
        late = self.call.final(request)
        return later.sent_at > request.sent_at and (late is None or later.sent_at < late.sent_at)

    def _freeze(self, party: Party, transit: Transit) -> Iterator[str]:
        """Have a party fall silent, and come back when it answered."""
        yield from _stimulus(party.name, "freeze", _silent_at(party, transit))

    def _before_response(self, transit: Transit) -> Iterator[str]:
        message, status = transit.message, status_of(transit.message)
        if any(each is transit for each in self.call.late_answers()):
            yield from _stimulus(transit.sender, "thaw", transit.sent_at)
        if message.method != "INVITE" or not self._answers_the_call(transit):
            return
        if status == RINGING:
            yield from self._cause(transit, "ring")
        elif 200 <= status < 300:
            yield from self._cause(transit, "answer")
        elif status not in _OF_ITSELF:
            yield from self._cause(transit, f"reject {status}")

    def _cause(self, transit: Transit, verb: str) -> Iterator[str]:
        """Yield what its sender did, so that a message was sent: then, or at once after the message before it."""
        before_at = max((each.sent_at for each in self.call.transits if each.number < transit.number), default=0)
        at_once = transit.sent_at - before_at <= _AT_ONCE_US
        yield from _stimulus(transit.sender, verb, 0 if at_once else transit.sent_at)

    def _answers_the_call(self, transit: Transit) -> bool:
        """Whether a response is to an INVITE outside the dialog."""
        return any(
            isinstance(each.message, Request)
            and each.message.to_tag is None
            and each.message.branch == transit.message.branch
            for each in self.call.party(transit.receiver).sent
        )

    def _is_refresh_by_timer(self, transit: Transit) -> bool:
        """Whether a session refresh request is one that a timer may have sent: in the second half of its interval.

        Or soon after an answer that has it tried again.
        """
        before = [
            each for each in self.call.transits if each.sent_at < transit.sent_at and each.message.method in _SESSION
        ]
        rejected = [each for each in before if status_of(each.message) >= 300 and each.receiver == transit.sender]
        if rejected and rejected[-1] is before[-1]:
            return True
        agreed = [each for each in before if 200 <= status_of(each.message) < 300]
        session = agreed[-1].message.session_expires if agreed else None
        if session is None or not _is_refresher(transit.sender, agreed[-1], session):
            return False
        return transit.sent_at - agreed[-1].sent_at >= session.interval_s * S // 2 - self.window_us

    def _is_due_by_itself(self, transit: Transit) -> bool:
        message = transit.message
        return (
            isinstance(message, Request)
            and message.method != "ACK"
            and transit is not self.call.transits[0]
            and self._verb(transit, message) is None
        )

    def _window(self, at: int) -> str:
        earliest = max(0, at - self.window_us) // _ROUND_US * _ROUND_US
        latest = -(-(at + self.window_us) // _ROUND_US) * _ROUND_US
        return f"start + {format_duration(earliest)}..{format_duration(latest)}"


def _silent_at(party: Party, request: Transit) -> int:
    """Return when a party fell silent that did not answer a request: soon after it was last heard of."""
    last_at = max((each.sent_at for each in party.sent if each.sent_at < request.sent_at), default=0)
    return min(last_at + _SILENT_AFTER_US, (last_at + request.sent_at) // 2)


def _is_refresher(name: str, agreed: Transit, session: SessionExpires) -> bool:
    """Whether a party is the one that a 2xx has refresh; the word is a role in that transaction."""
    return name == (agreed.sender if session.refresher is Refresher.UAS else agreed.receiver)


def _was_held(party: Party, before: Transit) -> bool:
    """Whether a party had put its peer on hold by what it said last."""
    said = [each.message.body for each in party.sent if each.number < before.number and each.message.body]
    return bool(said) and _holds(said[-1])


def _holds(description: bytes) -> bool:
    """Whether a session description takes nothing in (RFC 3264 section 8.4)."""
    return b"a=sendonly" in description or b"a=inactive" in description


def _session_expires(transit: Transit) -> str | None:
    """Return what is said of Session-Expires: by whoever asks for it, and by every 2xx that could."""
    message = transit.message
    if message.method not in _SESSION or status_of(message) >= 300:
        return None
    session = message.session_expires
    if session is not None:
        return json.dumps(str(session))
    return "{absent: true}" if status_of(message) >= 200 else None


def _stimulus(actor: str, verb: str, at: int) -> Iterator[str]:
    yield f"  - {actor}: {verb}"
    if at >= MS:
        yield f"    at: start + {format_duration(at // MS * MS)}"


def _pattern(transit: Transit) -> str:
    status = status_of(transit.message)
    return f"{status} {transit.message.method}" if status else transit.message.method
