"""What a user agent hands out: messages to send, and facts about its calls."""

from dataclasses import dataclass
from enum import StrEnum

from ..sip.message import Message

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to put on the wire, and where to."""

    message: Message
    destination: Address


class Reason(StrEnum):
    """Why a call ended: the words of `expect: reason`."""

    HUNG_UP = "hung-up"  # somebody wanted it so
    SESSION_EXPIRED = "session-expired"  # no refresh came (RFC 4028 section 10)
    REFRESH_FAILED = "refresh-failed"  # our refresh got no answer, 408 or 481 (RFC 4028 section 10)
    REJECTED = "rejected"  # a 3xx-6xx to the initial INVITE
    CANCELLED = "cancelled"  # the caller gave up before an answer
    NO_ANSWER = "no-answer"  # the initial INVITE timed out
    NO_ACK = "no-ack"  # the ACK to a 2xx never came (RFC 3261 section 13.3.1.4)
    NO_RESPONSE = "no-response"  # a request other than a refresh timed out, or got 408 or 481 (section 12.2.1.2)


class Fact(StrEnum):
    """What became of a call."""

    UP = "up"  # the 2xx to the initial INVITE was sent or received
    SESSION = "session"  # a 2xx set the session timer, or switched it off
    REFRESHED = "refreshed"  # our session refresh request got its 2xx
    REFRESH_FAILED = "refresh failed"  # ... or something else; `detail` is the status or "timeout"
    RETRIED = "retried"  # a request was sent anew; `detail` is the status that made us
    ENDED = "ended"  # the call is over for us; `detail` is the Reason
    OVER = "over"  # ... and our last request about it is answered or given up
    GAVE_UP = "gave up"  # a transaction timed out; `detail` is "timer F: BYE"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One fact about one call."""

    fact: Fact
    call_id: str
    detail: str = ""
    by_us: bool = False
    """With ENDED: we ended it."""
    interval_s: int | None = None
    we_refresh: bool = False
    """With SESSION: interval (None: switched off) and whether we refresh."""
