"""What the four transactions share: their words, the walk through a table, matching (RFC 3261 section 17, RFC 6026).

The tables themselves are in `client_transaction` and `server_transaction`. Where messages go, and who makes them up,
is the user agent's business. A connection that breaks fails the requests that wait for an answer over it; a response
finds another way, so server transactions do not mind (section 18.2.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Generic, TypeVar

from ..errors import LocalError
from ..settings import BaseTimes
from ..sip.message import Message, Request
from ..sip.uri import SIP_PORT
from .timers import Timer, TimerLog, TimerTable, transaction_durations_us


class State(StrEnum):
    """Where a transaction is, in the words of the RFCs' figures."""

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"


class Input(StrEnum):
    """What moves a transaction, beside its timers."""

    REQUEST = "retransmitted request"
    ACK = "ACK"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"  # only an INVITE's transactions tell it from 3xx-6xx
    FAILURE = "3xx-6xx"
    FINAL = "2xx-6xx"
    DISCONNECT = "transport error"


class Action(StrEnum):
    """What a transaction does on its way to the next state; the value is the method that does it."""

    IGNORE = "_ignore"
    MOVE_ON = "_move_on"  # the change of state is all
    SEND = "_send"
    SEND_PROVISIONAL = "_send_provisional"  # ... and disarm timer TRYING
    SEND_TRYING = "_send_trying"
    SEND_AGAIN = "_send_again"
    SEND_AGAIN_ON_TIMER = "_send_again_on_timer"  # ... and arm the timer anew, with a longer gap
    SEND_AGAIN_AT_T2 = "_send_again_at_t2"  # ... with a gap of T2
    SEND_ACK = "_send_ack"
    SEND_ACK_AND_DELIVER = "_send_ack_and_deliver"
    DELIVER = "_deliver"
    REPORT_TIMEOUT = "_report_timeout"
    REPORT_FAILURE = "_report_failure"


INVITE_RESPONSES: Final = (*2 * (Input.PROVISIONAL,), Input.SUCCESS, *7 * (Input.FAILURE,))
NON_INVITE_RESPONSES: Final = (*2 * (Input.PROVISIONAL,), *8 * (Input.FINAL,))
"""The input that a response is, by the first digit of its status."""

_TERMINATED: Final = State.TERMINATED  # before Python 3.12 a member is slow to reach through its class


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The transaction was given up: B or F, no response came; H, no ACK came."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class TransportFailed:
    """The connection by which the answer would have come is gone (RFC 3261 section 17.1.4)."""


Transitions = Mapping[State, Mapping[Input | Timer, tuple[State, Action]]]
StateTimers = Mapping[State, tuple[Timer, ...]]
"""The timers that run in each state: entering it arms them, leaving it disarms them."""

Delivered = TypeVar("Delivered", bound=Message)
_Step = tuple[State, Callable[[Any, Any, int], None]]


class Transaction(Generic[Delivered]):
    """One transaction; never made itself. It hands out messages to send and what the transaction user is to know."""

    NAME: ClassVar[str]
    SECTION: ClassVar[str]
    FIRST_STATE: ClassVar[State]
    LINGERING: ClassVar[frozenset[State]]
    """The states in which it only absorbs what comes late, until it may be forgotten."""
    TRANSITIONS: ClassVar[Transitions] = {}
    TIMERS: ClassVar[StateTimers]
    RESPONSES: ClassVar[tuple[Input, ...]]
    _STEPS: ClassVar[dict[State, dict[Input | Timer, _Step]]]

    __slots__ = (
        "_durations_us",
        "_events",
        "_gap_us",
        "_outgoing",
        "_steps",
        "_timers",
        "_times",
        "lingers",
        "request",
        "state",
    )

    def __init_subclass__(cls) -> None:
        """Bind the table's actions to the methods that do them, once for all transactions of this class."""
        cls._STEPS = {
            state: {event: (target, getattr(cls, action)) for event, (target, action) in rows.items()}
            for state, rows in cls.TRANSITIONS.items()
        }

    def __init__(self, request: Request, *, times: BaseTimes, log: TimerLog | None = None) -> None:
        self.request = request
        self.state = self.FIRST_STATE
        self.lingers = False
        """Whether nothing will leave it unless something comes first: its deadline wakes nobody."""
        self._steps = self._STEPS[self.state]
        self._times = times
        self._durations_us = transaction_durations_us(times)
        self._gap_us = times.t1_us
        about = "" if log is None else f"{request.method} {request.cseq.number}"
        self._timers = TimerTable(about, log)
        self._outgoing: list[Message] = []
        self._events: list[Delivered | TimedOut | TransportFailed] = []

    def start(self, *, now: int) -> None:
        """Enter the first state: its timers begin to run."""
        self._enter(self.state, now)

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` is to be called; None where no timer is armed."""
        return self._timers.next_deadline()

    def handle_deadline(self, *, now: int) -> None:
        """Do what has fallen due. After a pause of many periods a retransmission is sent once, not many times."""
        while (timer := self._timers.earliest_due(now=now)) is not None:
            self._step(timer, None, now)

    def outgoing(self) -> list[Message]:
        """Drain the messages to send, in order."""
        drained, self._outgoing = self._outgoing, []
        return drained

    def events(self) -> list[Delivered | TimedOut | TransportFailed]:
        """Drain what the transaction user is to know, in order."""
        drained, self._events = self._events, []
        return drained

    @property
    def terminated(self) -> bool:
        """It is over: no timer is armed, and the user agent may forget it."""
        return self.state is _TERMINATED

    def _step(self, event: Input | Timer, message: Message | None, now: int) -> None:
        """Take the table's row for this input. Raises LocalError where there is none."""
        step = self._steps.get(event)
        if step is None:
            raise LocalError(
                f"{self.request.method} {self.request.cseq.number}: {self.NAME} in state {self.state} "
                f"takes no {event.value} (RFC 3261 section {self.SECTION})"
            )
        state, act = step
        if state is not self.state:
            self._enter(state, now)
        act(self, message, now)

    def _enter(self, state: State, now: int) -> None:
        """Arm the timers of this state and disarm all others; one that belongs to both states runs on."""
        self.state = state
        self.lingers = state in self.LINGERING
        self._steps = self._STEPS[state]
        wanted = self.TIMERS[state]
        timers = self._timers
        timers.disarm_all(but=wanted, now=now)
        for timer in wanted:
            if timers.due_at(timer) is None and timer in self._durations_us:
                timers.arm(timer, now + self._durations_us[timer], now=now)

    def _repeat_after(self, gap_us: int, timer: Timer, now: int) -> None:
        self._gap_us = gap_us
        self._timers.arm(timer, now + gap_us, now=now)

    def _ignore(self, message: Message | None, now: int) -> None:
        pass

    _move_on = _ignore

    def _deliver(self, message: Delivered, now: int) -> None:
        self._events.append(message)


Key = tuple[str | int | None, ...]
_MAGIC_COOKIE: Final = "z9hG4bK"  # RFC 3261 section 8.1.1.7


def transaction_key(message: Message) -> Key:
    """Return what a request shares with its retransmissions, its responses, and the ACK to its 3xx-6xx.

    RFC 3261 sections 17.1.3 and 17.2.3. Raises PeerError (400) where Via, or for RFC 2543 another header, is broken.
    """
    return _key(message, "INVITE" if message.method == "ACK" else message.method)


def cancelled_key(cancel: Request) -> Key:
    """Return the key of the INVITE that a CANCEL is for (RFC 3261 section 9.2)."""
    return _key(cancel, "INVITE")


def _key(message: Message, method: str) -> Key:
    via = message.via
    branch = via.branch
    if branch.startswith(_MAGIC_COOKIE):
        return branch, via.host, via.port or SIP_PORT, method
    # RFC 2543: the branch alone says nothing. Neither To tag, for the ACK has one where the INVITE had none, nor
    # Request-URI, which a response lacks: copies that a proxy forked differ in their branch.
    return branch, via.host, via.port or SIP_PORT, method, message.call_id, message.from_tag, message.cseq.number
