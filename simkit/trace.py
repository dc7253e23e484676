"""What happened: every message on its way, every timer, every turn of the call, in the order of time.

A run writes a trace and a capture file yields one; comparing, auditing and reporting only read it.
All times are microseconds since the run began, on nobody's clock but the run's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from .sip.message import Message
from .sip.transport import Transport


@dataclass(slots=True)
class Transit:
    """One message on its way from one party to another; its fate is filled in when it is known."""

    number: int
    """Counts from 1 in the order of sending; in a capture, the packet's number in the file."""
    sent_at: int
    sender: str
    receiver: str
    message: Message
    retransmission: bool = False
    """The same message was sent before (by its sender, or doubled by the network)."""
    received_at: int | None = None
    lost: str | None = None
    """Why it never arrived: "lost by the network", "bob has crashed"; None while on its way or delivered."""
    connection: int = 0
    """Over which connection of the two parties it went, from 1; 0: over UDP."""

    @property
    def transport(self) -> Transport:
        """What it went over; which of those that have connections, its Via says."""
        if not self.connection:
            return Transport.UDP
        return Transport.TLS if self.message.via.transport == Transport.TLS.name else Transport.TCP


class TimerChange(Enum):
    """What became of a timer."""

    ARMED = "armed"
    FIRED = "fired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TimerRecord:
    """A timer was armed, fired or cancelled."""

    at: int
    party: str
    timer: str
    """Its name: "A" ... "M" of RFC 3261 and 6026, "refresh", "session expiry", ..."""
    change: TimerChange
    due_at: int
    rule: str
    """The rule that sets its duration: "3261-17.1.1.2", "RFC4028-7.2-12"."""
    about: str
    """What it serves: a method and CSeq number ("INVITE 2"), or a Call-ID for timers of the session."""


class What(Enum):
    """What a party did, or what became of its call."""

    STIMULUS = "stimulus"  # the flow had it do something; `detail` is the line's text
    CRASHED = "crashed"
    RESTARTED = "restarted"
    FROZEN = "frozen"
    THAWED = "thawed"
    CALL_UP = "up"  # the 2xx to the initial INVITE was sent or received
    SESSION = "session"  # a 2xx set the session timer; interval_s None: switched off
    REFRESHED = "refreshed"  # a 2xx answered this party's session refresh request
    REFRESH_FAILED = "refresh failed"  # `detail` is the status, or "timeout"
    RETRIED = "retried"  # a request was sent anew after 422, 491, 503 ...; `detail` is the status
    ENDED = "ended"  # this party sees the call as over; `detail` is the reason
    OVER = "over"  # ... and its last transaction about it has been answered or given up
    GAVE_UP = "gave up"  # a transaction timed out; `detail` is "timer F: BYE"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something other than a message or a timer happened to a party."""

    at: int
    party: str
    what: What
    detail: str = ""
    call_id: str | None = None
    interval_s: int | None = None
    refresher: str | None = None
    """The party that refreshes from here on, by name."""
    mark: str | None = None


Record = Transit | TimerRecord | Happening


@dataclass(slots=True)
class Trace:
    """The records of one call of one flow, in the order in which they came about."""

    records: list[Record] = field(default_factory=list)

    def messages(self) -> Iterator[Transit]:
        """Every message, in the order of sending."""
        return (record for record in self.records if isinstance(record, Transit))

    def timers(self) -> Iterator[TimerRecord]:
        """Every timer event, in the order of time."""
        return (record for record in self.records if isinstance(record, TimerRecord))

    def happenings(self) -> Iterator[Happening]:
        """Everything else, in the order of time."""
        return (record for record in self.records if isinstance(record, Happening))
