"""What made a party send a session refresh request: its timer, a refusal before, or somebody who wanted it.

By the 2xx of the recorded call, which say who refreshes and when (RFC 4028 sections 7.2, 9 and 10).
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..audit.finding import CallAudit
from ..sip.message import Request
from ..sip.readable import session_of
from ..sip.session_headers import Refresher
from ..trace import Transit
from ..units import MS, S
from .call import SESSION_METHODS, Call, Party, status_of

GLARE_WAIT_US: Final = 4 * S + 500 * MS  # RFC 3261 section 14.1: 4 s at most, and the way there and back

_BY_TIMER: Final = frozenset(("session-expired", "refresh-failed", "no-ack"))
"""Why a call ended, if nobody hung up."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a 2xx settled."""

    at: int
    interval_us: int | None
    """None: no timer."""
    refresher: str | None
    """By the name of the party."""

    @property
    def refresh_due_at(self) -> int | None:
        """When half the interval has passed."""
        return None if self.interval_us is None else self.at + self.interval_us // 2


class Cause(Enum):
    """Why a request was sent."""

    CALL = auto()  # the first of the call
    TIMER = auto()  # by itself, when its time came
    AGAIN = auto()  # by itself, after what it asked was refused
    HOLD = auto()
    RESUME = auto()
    REFRESH = auto()  # a refresh that no timer asked for
    HANG_UP = auto()
    CANCEL = auto()
    OPTIONS = auto()
    ACK = auto()
    PASSED_ON = auto()  # by a proxy


@dataclass(frozen=True, slots=True)
class Causes:
    """Tells of each request of a call why it was sent."""

    call: Call
    audit: CallAudit
    window_us: int
    """How far from its time a timer may have done something."""

    def of(self, transit: Transit) -> Cause | None:
        """Return why a request was sent; None for a response."""
        request = transit.message
        if not isinstance(request, Request):
            return None
        if self.call.party(transit.sender) in self.call.proxies:
            return Cause.PASSED_ON
        if request.method in ("OPTIONS", "CANCEL", "ACK"):
            return Cause[request.method]
        if request.method == "BYE":
            return Cause.TIMER if self.audit.reason in _BY_TIMER else Cause.HANG_UP
        if transit is self.call.transits[0]:
            return Cause.CALL
        if self._was_refused_before(transit) or not request.to_tag:
            return Cause.AGAIN
        was_held = _was_held(self.call.party(transit.sender), transit)
        if request.body and holds(request.body) != was_held:
            return Cause.RESUME if was_held else Cause.HOLD
        return Cause.TIMER if self._is_due(transit) else Cause.REFRESH

    def is_of_itself(self, transit: Transit) -> bool:
        """Whether nobody had to do anything so that a request was sent."""
        return self.of(transit) in (Cause.TIMER, Cause.AGAIN)

    def agreement(self, before: Transit) -> Agreement | None:
        """Return what the last 2xx before a message settled; None: there was none."""
        agreed = [each for each in self._session_messages(before) if 200 <= status_of(each.message) < 300]
        if not agreed:
            return None
        session = session_of(agreed[-1].message)
        if session is None:
            return self._own_measure(agreed[-1], before.sender)
        is_uas = session.refresher is Refresher.UAS
        name = agreed[-1].sender if is_uas else agreed[-1].receiver  # of the hop: a proxy speaks for who is behind it
        return Agreement(agreed[-1].sent_at, session.interval_s * S, name)

    def _own_measure(self, success: Transit, party: str) -> Agreement:
        """Return what a 2xx without a timer means: who had asked for one may refresh by itself (section 7.2)."""
        asked = (
            session_of(each.message)
            for each in self.call.party(party).sent
            if isinstance(each.message, Request) and each.message.cseq == success.message.cseq
        )
        session = next(asked, None) if success.receiver == party else None
        if session is None:
            return Agreement(success.sent_at, None, None)
        return Agreement(success.sent_at, session.interval_s * S, party)

    def _session_messages(self, before: Transit) -> list[Transit]:
        return [
            each
            for each in self.call.transits
            if each.number < before.number
            and each.message.method in SESSION_METHODS
            and before.sender in (each.sender, each.receiver)
        ]

    def _was_refused_before(self, transit: Transit) -> bool:
        """Whether its sender's last request of this kind was refused, and no 2xx came since."""
        refused = False
        for each in self._session_messages(transit):
            if status_of(each.message) >= 300 and each.receiver == transit.sender:
                refused = True
            elif 200 <= status_of(each.message) < 300:
                refused = False
        return refused

    def _is_due(self, transit: Transit) -> bool:
        """Whether a timer may have sent a refresh: in the second half of its interval, by the one who refreshes."""
        agreement = self.agreement(transit)
        if agreement is None or agreement.refresher != transit.sender or agreement.refresh_due_at is None:
            return False
        return transit.sent_at >= agreement.refresh_due_at - self.window_us


def _was_held(party: Party, before: Transit) -> bool:
    """Whether a party had put its peer on hold by what it said last."""
    said = [each.message.body for each in party.sent if each.number < before.number and each.message.body]
    return bool(said) and holds(said[-1])


def holds(description: bytes) -> bool:
    """Whether a session description takes nothing in (RFC 3264 section 8.4)."""
    return b"a=sendonly" in description or b"a=inactive" in description
