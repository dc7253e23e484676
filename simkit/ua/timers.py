"""The named timers, their durations, and the table in which one machine keeps those that are armed.

RFC 3261 table 4, RFC 6026 section 7, RFC 4028 section 10. A timer belongs to a state: entering the state arms it,
leaving disarms it. Drivers never cancel anything: they ask for the earliest deadline and call when it has come.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from ..settings import BaseTimes
from ..units import MS, S


class Timer(Enum):
    """What is waited for; the value is its name in traces, `rule` where its duration comes from."""

    A = ("A", "3261-17.1.1.2")  # When to send the INVITE again, over an unreliable transport
    B = ("B", "3261-17.1.1.2")  # When to give up an INVITE that got no response
    C = ("C", "3261-16.8")  # When a proxy stops waiting for the final response to an INVITE
    D = ("D", "3261-17.1.1.2")  # When to stop absorbing repeated 3xx-6xx to an INVITE
    E = ("E", "3261-17.1.2.2")  # When to send a non-INVITE request again
    F = ("F", "3261-17.1.2.2")  # When to give up a non-INVITE request
    G = ("G", "3261-17.2.1")  # When to send a 3xx-6xx to an INVITE again
    H = ("H", "3261-17.2.1")  # When to stop waiting for the ACK to a 3xx-6xx
    I = ("I", "3261-17.2.1")  # noqa: E741 - the RFC's letter. When to stop absorbing repeated ACKs
    J = ("J", "3261-17.2.2")  # When to stop absorbing repeated non-INVITE requests
    K = ("K", "3261-17.1.2.2")  # When to stop absorbing repeated responses to a non-INVITE request
    L = ("L", "6026-7.1")  # When to stop absorbing repeated INVITEs after a 2xx
    M = ("M", "6026-7.2")  # When to stop passing on repeated 2xx to an INVITE
    TRYING = ("100", "3261-17.2.1")  # When to answer 100 to an INVITE that has had no response yet
    ANSWER = ("2xx", "3261-13.3.1.4")  # When to send the 2xx to an INVITE again, for want of its ACK
    ANSWER_LIMIT = ("no ACK", "3261-13.3.1.4")  # When to give up waiting for the ACK to a 2xx
    PICK_UP = ("pick up", "")  # When to answer a call, as the flow has it
    CANCEL_LIMIT = ("cancelled", "3261-9.1")  # When to take a cancelled INVITE as answered, though no 487 came
    RETRY = ("retry", "3261-14.1")  # When to send a request again that was answered 491, or 500 with Retry-After
    REFRESH = ("refresh", "RFC4028-7.2-12")  # When to refresh the session
    BYE = ("bye", "RFC4028-10-7")  # When to hang up, for the peer's refresh has not come
    EXPIRY = ("expiry", "RFC4028-10-2")  # When the session has expired in spite of our tries to refresh it
    EXPIRATION = ("expiration", "RFC4028-8.2-7")  # When a proxy forgets a call, for its session has expired

    rule: str

    def __new__(cls, label: str, rule: str) -> "Timer":
        """Make the label the value and keep the rule beside it."""
        member = object.__new__(cls)
        member._value_ = label
        member.rule = rule
        return member

    __hash__ = object.__hash__  # timers are dictionary keys in every step of every machine


TIMER_D_MIN_US: Final = 32 * S  # RFC 3261 section 17.1.1.2: at least 32 s, whatever T1 is
TIMER_C_US: Final = 181 * S  # RFC 3261 section 16.6: more than 3 minutes
TRYING_AFTER_US: Final = 200 * MS  # RFC 3261 section 17.2.1


@lru_cache(maxsize=64)
def transaction_durations_us(times: BaseTimes) -> Mapping[Timer, int]:
    """Return how long each timer of a transaction runs from entering its state; the missing ones never do."""
    t1_us, timeout_us = times.t1_us, times.timeout_us
    unreliable = {Timer.A: t1_us, Timer.E: t1_us, Timer.G: t1_us}
    return {
        **({} if times.reliable else unreliable),
        Timer.B: timeout_us,
        Timer.D: 0 if times.reliable else max(timeout_us, TIMER_D_MIN_US),
        Timer.F: timeout_us,
        Timer.H: timeout_us,
        Timer.I: times.absorb_us,
        Timer.J: 0 if times.reliable else timeout_us,
        Timer.K: times.absorb_us,
        Timer.L: timeout_us,
        Timer.M: timeout_us,
        Timer.TRYING: TRYING_AFTER_US,
    }


@dataclass(frozen=True, slots=True)
class TimerEvent:
    """A timer was armed, fired or cancelled: a line of the trace."""

    at: int
    timer: Timer
    change: str
    """"armed", "fired" or "cancelled"."""
    due_at: int
    about: str


TimerLog = list[TimerEvent]


class TimerTable:
    """The armed timers of one machine, each with its absolute due time in microseconds."""

    __slots__ = ("_about", "_due_at", "_log", "_next")

    def __init__(self, about: str, log: TimerLog | None = None) -> None:
        self._about = about
        self._due_at: dict[Timer, int] = {}
        self._log = log
        self._next: int | None = None

    def arm(self, timer: Timer, due_at: int, *, now: int) -> None:
        """Arm a timer, or move it."""
        moved_from = self._due_at.get(timer)
        if self._log is not None:
            if moved_from is not None:
                self._log.append(TimerEvent(now, timer, "cancelled", moved_from, self._about))
            self._log.append(TimerEvent(now, timer, "armed", due_at, self._about))
        self._due_at[timer] = due_at
        if self._next is None or due_at < self._next:
            self._next = due_at
        elif moved_from == self._next:
            self._next = min(self._due_at.values())

    def disarm(self, timer: Timer, *, now: int) -> None:
        """Disarm a timer; harmless where it is not armed."""
        due_at = self._due_at.pop(timer, None)
        if due_at is not None:
            self._removed("cancelled", timer, due_at, now)

    def disarm_all(self, *, but: Collection[Timer] = (), now: int) -> None:
        """Disarm every timer but these."""
        if self._due_at:
            for timer in tuple(self._due_at):
                if timer not in but:
                    self.disarm(timer, now=now)

    def next_deadline(self) -> int | None:
        """Return when the earliest timer is due; None where none is armed."""
        return self._next

    def due_at(self, timer: Timer) -> int | None:
        """Return when a timer is due; None where it is not armed."""
        return self._due_at.get(timer)

    def due(self, *, now: int) -> list[Timer]:
        """Disarm and return the timers that are due: the earliest first, then in the order in which they were armed."""
        fired: list[Timer] = []
        if self._next is None or now < self._next:
            return fired
        while (timer := self.earliest_due(now=now)) is not None:
            fired.append(timer)
        return fired

    def earliest_due(self, *, now: int) -> Timer | None:
        """Disarm and return the earliest timer that is due, of equals the first armed; None where none is due.

        For machines in which one timer's firing disarms the others.
        """
        if self._next is None or now < self._next:
            return None
        timer = min(self._due_at, key=self._due_at.__getitem__)
        self._removed("fired", timer, self._due_at.pop(timer), now)
        return timer

    def _removed(self, change: str, timer: Timer, due_at: int, now: int) -> None:
        if self._log is not None:
            self._log.append(TimerEvent(now, timer, change, due_at, self._about))
        if due_at == self._next:
            self._next = min(self._due_at.values()) if self._due_at else None
