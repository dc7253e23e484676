"""Client transactions: a request of ours, sent until it is answered (RFC 3261 section 17.1, RFC 6026 section 7.2).

They acknowledge 3xx-6xx to an INVITE; the ACK to a 2xx is the user agent's (section 13.2.2.4).
"""

from typing import ClassVar, Final

from ..settings import BaseTimes
from ..sip.headers import HeaderField, canonical_name
from ..sip.message import Request, Response
from .dialog import CREDENTIALS
from .responses import content_length
from .timers import Timer, TimerLog
from .transaction import (
    INVITE_RESPONSES,
    NON_INVITE_RESPONSES,
    Action,
    Input,
    State,
    StateTimers,
    TimedOut,
    Transaction,
    Transitions,
    TransportFailed,
)

# fmt: off
# A pair that is absent is an error: it names the state and the input. Nothing that the network brings is absent.
INVITE_TRANSITIONS: Final[Transitions] = {  # RFC 3261 figure 5, with the Accepted state of RFC 6026
    State.CALLING: {
        Timer.A:           (State.CALLING,    Action.SEND_AGAIN_ON_TIMER),
        Timer.B:           (State.TERMINATED, Action.REPORT_TIMEOUT),
        Input.PROVISIONAL: (State.PROCEEDING, Action.DELIVER),
        Input.SUCCESS:     (State.ACCEPTED,   Action.DELIVER),
        Input.FAILURE:     (State.COMPLETED,  Action.SEND_ACK_AND_DELIVER),
        Input.DISCONNECT:  (State.TERMINATED, Action.REPORT_FAILURE),
    },
    State.PROCEEDING: {
        Input.PROVISIONAL: (State.PROCEEDING, Action.DELIVER),
        Input.SUCCESS:     (State.ACCEPTED,   Action.DELIVER),
        Input.FAILURE:     (State.COMPLETED,  Action.SEND_ACK_AND_DELIVER),
        Input.DISCONNECT:  (State.TERMINATED, Action.REPORT_FAILURE),
    },
    State.COMPLETED: {
        Input.PROVISIONAL: (State.COMPLETED,  Action.IGNORE),
        Input.SUCCESS:     (State.COMPLETED,  Action.IGNORE),
        Input.FAILURE:     (State.COMPLETED,  Action.SEND_ACK),
        Timer.D:           (State.TERMINATED, Action.MOVE_ON),
        Input.DISCONNECT:  (State.COMPLETED,  Action.IGNORE),
    },
    State.ACCEPTED: {
        Input.PROVISIONAL: (State.ACCEPTED,   Action.IGNORE),
        Input.SUCCESS:     (State.ACCEPTED,   Action.DELIVER),
        Input.FAILURE:     (State.ACCEPTED,   Action.IGNORE),
        Timer.M:           (State.TERMINATED, Action.MOVE_ON),
        Input.DISCONNECT:  (State.ACCEPTED,   Action.IGNORE),
    },
    State.TERMINATED: {
        Input.PROVISIONAL: (State.TERMINATED, Action.IGNORE),
        Input.SUCCESS:     (State.TERMINATED, Action.IGNORE),
        Input.FAILURE:     (State.TERMINATED, Action.IGNORE),
        Input.DISCONNECT:  (State.TERMINATED, Action.IGNORE),
    },
}
NON_INVITE_TRANSITIONS: Final[Transitions] = {  # RFC 3261 figure 6
    State.TRYING: {
        Timer.E:           (State.TRYING,     Action.SEND_AGAIN_ON_TIMER),
        Timer.F:           (State.TERMINATED, Action.REPORT_TIMEOUT),
        Input.PROVISIONAL: (State.PROCEEDING, Action.DELIVER),
        Input.FINAL:       (State.COMPLETED,  Action.DELIVER),
        Input.DISCONNECT:  (State.TERMINATED, Action.REPORT_FAILURE),
    },
    State.PROCEEDING: {
        Timer.E:           (State.PROCEEDING, Action.SEND_AGAIN_AT_T2),
        Timer.F:           (State.TERMINATED, Action.REPORT_TIMEOUT),
        Input.PROVISIONAL: (State.PROCEEDING, Action.DELIVER),
        Input.FINAL:       (State.COMPLETED,  Action.DELIVER),
        Input.DISCONNECT:  (State.TERMINATED, Action.REPORT_FAILURE),
    },
    State.COMPLETED: {
        Input.PROVISIONAL: (State.COMPLETED,  Action.IGNORE),
        Input.FINAL:       (State.COMPLETED,  Action.IGNORE),
        Timer.K:           (State.TERMINATED, Action.MOVE_ON),
        Input.DISCONNECT:  (State.COMPLETED,  Action.IGNORE),
    },
    State.TERMINATED: {
        Input.PROVISIONAL: (State.TERMINATED, Action.IGNORE),
        Input.FINAL:       (State.TERMINATED, Action.IGNORE),
        Input.DISCONNECT:  (State.TERMINATED, Action.IGNORE),
    },
}
INVITE_TIMERS: Final[StateTimers] = {
    State.CALLING:    (Timer.A, Timer.B),
    State.PROCEEDING: (),  # the user agent decides how long a phone may ring
    State.COMPLETED:  (Timer.D,),
    State.ACCEPTED:   (Timer.M,),
    State.TERMINATED: (),
}
NON_INVITE_TIMERS: Final[StateTimers] = {
    State.TRYING:     (Timer.E, Timer.F),
    State.PROCEEDING: (Timer.E, Timer.F),
    State.COMPLETED:  (Timer.K,),
    State.TERMINATED: (),
}
# fmt: on


class ClientTransaction(Transaction[Response]):
    """What the two client transactions share; never made itself.

    `events()` yields the provisional responses and the first final one, every 2xx to an INVITE, TimedOut, or
    TransportFailed.
    """

    __slots__ = ()

    REPEATS_ON: ClassVar[Timer]
    GIVES_UP_ON: ClassVar[Timer]

    def start(self, *, now: int) -> None:
        """Send the request."""
        super().start(now=now)
        self._outgoing.append(self.request)

    def receive(self, response: Response, *, now: int) -> None:
        """A response with this transaction's key has come."""
        self._step(self.RESPONSES[response.status // 100], response, now)

    def fail(self, *, now: int) -> None:
        """The connection to where the request went is lost, or could not be had (section 17.1.4)."""
        self._step(Input.DISCONNECT, None, now)

    def stop_repeating(self, *, now: int) -> None:
        """Send the request no more, for its call is over; a response is awaited as long as ever."""
        self._durations_us = {timer: us for timer, us in self._durations_us.items() if timer is not self.REPEATS_ON}
        self._timers.disarm(self.REPEATS_ON, now=now)

    def _report_timeout(self, _: None, now: int) -> None:
        self._events.append(TimedOut(self.GIVES_UP_ON))

    def _report_failure(self, _: None, now: int) -> None:
        self._events.append(TransportFailed())


class InviteClientTransaction(ClientTransaction):
    """An INVITE of ours (section 17.1.1)."""

    NAME = "an INVITE client transaction"
    SECTION = "17.1.1"
    FIRST_STATE = State.CALLING
    LINGERING = frozenset({State.COMPLETED, State.ACCEPTED})
    TRANSITIONS = INVITE_TRANSITIONS
    TIMERS = INVITE_TIMERS
    RESPONSES = INVITE_RESPONSES
    REPEATS_ON, GIVES_UP_ON = Timer.A, Timer.B

    __slots__ = ("_ack",)

    def _send_again_on_timer(self, _: None, now: int) -> None:
        self._outgoing.append(self.request)
        self._repeat_after(2 * self._gap_us, Timer.A, now)

    def _send_ack_and_deliver(self, response: Response, now: int) -> None:
        self._ack = _acknowledge(self.request, response)
        self._outgoing.append(self._ack)
        self._events.append(response)

    def _send_ack(self, response: Response, now: int) -> None:
        self._outgoing.append(self._ack)


class NonInviteClientTransaction(ClientTransaction):
    """A request of ours other than INVITE and ACK (section 17.1.2)."""

    NAME = "a non-INVITE client transaction"
    SECTION = "17.1.2"
    FIRST_STATE = State.TRYING
    LINGERING = frozenset({State.COMPLETED})
    TRANSITIONS = NON_INVITE_TRANSITIONS
    TIMERS = NON_INVITE_TIMERS
    RESPONSES = NON_INVITE_RESPONSES
    REPEATS_ON, GIVES_UP_ON = Timer.E, Timer.F

    __slots__ = ()

    def _send_again_on_timer(self, _: None, now: int) -> None:
        self._outgoing.append(self.request)
        self._repeat_after(min(2 * self._gap_us, self._times.t2_us), Timer.E, now)

    def _send_again_at_t2(self, _: None, now: int) -> None:
        self._outgoing.append(self.request)
        self._repeat_after(self._times.t2_us, Timer.E, now)


def client_transaction(request: Request, *, times: BaseTimes, log: TimerLog | None) -> ClientTransaction:
    """Make the client transaction for a request; any but ACK, which has none."""
    assert request.method != "ACK"
    made = InviteClientTransaction if request.method == "INVITE" else NonInviteClientTransaction
    return made(request, times=times, log=log)


_COPIED_INTO_ACK: Final = CREDENTIALS | {"Route", "From", "Call-ID"}


def _acknowledge(request: Request, response: Response) -> Request:
    """Build the ACK to a 3xx-6xx (section 17.1.1.3; the credentials by section 22.1)."""
    headers: list[HeaderField] = [("Via", request.values("Via")[0]), ("Max-Forwards", "70")]
    headers += [field for field in request.headers if canonical_name(field[0]) in _COPIED_INTO_ACK]
    headers += [("To", response.header("To") or ""), ("CSeq", f"{request.cseq.number} ACK"), content_length(b"")]
    return Request("ACK", request.uri, tuple(headers))
