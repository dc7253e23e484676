"""What one party of a run sent and received, in its order: what a scenario for its side has to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..sip.message import Message, Request, Response
from ..trace import Trace, Transit, What
from ..units import MS

CLOSE_US: Final = 50 * MS
"""What comes closer together than this may come in the other order on a real machine."""


@dataclass(frozen=True, slots=True)
class Act:
    """A message of one party, and when it sent or received it."""

    at_us: int
    message: Message
    is_sent: bool
    repeats: "Act | None" = None
    """The act in which it was sent for the first time."""
    is_repeated: bool = False
    """It was sent again, for nobody answered."""

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return self.message.status if isinstance(self.message, Response) else 0

    @property
    def is_request(self) -> bool:
        """Whether it is a request."""
        return isinstance(self.message, Request)


def acts_of(trace: Trace, party: str) -> list[Act]:
    """Return the acts of a party. What came to it once more is left out, for SIPp absorbs that itself."""
    found: list[tuple[int, int, Transit]] = []
    again: dict[tuple[object, ...], int] = {}
    for transit in trace.messages():
        if transit.sender == party:
            found.append((transit.sent_at, transit.number, transit))
            if transit.retransmission:
                again[_key(transit.message)] = transit.number
        elif transit.receiver == party and transit.received_at is not None and not transit.retransmission:
            found.append((transit.received_at, transit.number, transit))
    acts: list[Act] = []
    first: dict[tuple[object, ...], Act] = {}
    for at_us, _, transit in sorted(found, key=lambda each: each[:2]):
        if transit.sender != party:
            acts.append(Act(at_us, transit.message, is_sent=False))
            continue
        key = _key(transit.message)
        act = Act(at_us, transit.message, True, first.get(key), key in again)
        first.setdefault(key, act)
        acts.append(act)
    return acts


def crashed_at(trace: Trace, party: str) -> int | None:
    """Return when a party crashed for good; None where it did not."""
    for happening in trace.happenings():
        if happening.party == party and happening.what is What.CRASHED:
            return happening.at
    return None


def races(acts: Sequence[Act]) -> Iterator[Act]:
    """Yield what a party receives so close to something that it sends of its own accord that either may come first."""
    for number, (one, other) in enumerate(pairwise(acts), start=1):
        if one.is_sent == other.is_sent or other.at_us - one.at_us >= CLOSE_US:
            continue
        received, sent = (other, one) if one.is_sent else (one, other)
        before_us = acts[number - 2].at_us if number > 1 else 0
        waited = one.at_us - before_us >= CLOSE_US or other.at_us > one.at_us
        if waited and sent.is_request and not _follows(received, sent) and not _follows(sent, received):
            yield received


def _follows(later: Act, earlier: Act) -> bool:
    """Whether a message is there because of another: it answers or acknowledges it, or tries it again."""
    if later.message.cseq.number == earlier.message.cseq.number and later.status + earlier.status > 0:
        return True
    return later.message.method == "ACK" or (earlier.status >= 300 and later.is_request)


def _key(message: Message) -> tuple[object, ...]:
    """Return what a message shares with what repeats it."""
    status = message.status if isinstance(message, Response) else 0
    return message.method, status, message.branch, message.cseq.number
