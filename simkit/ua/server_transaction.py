"""Server transactions: a peer's request, answered as often as it comes (RFC 3261 section 17.2, RFC 6026 section 7.1).

They repeat 3xx-6xx to an INVITE until its ACK has come; a 2xx is repeated by the user agent (section 13.3.1.4), and
passes through here.
"""

from typing import Final

from ..settings import BaseTimes
from ..sip.message import Request, Response
from .responses import respond
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
)

# fmt: off
# A pair that is absent is an error: it names the state and the input. Nothing that the network brings is absent.
INVITE_TRANSITIONS: Final[Transitions] = {  # RFC 3261 figure 7, with the Accepted state of RFC 6026
    State.PROCEEDING: {
        Input.REQUEST:     (State.PROCEEDING, Action.SEND_AGAIN),
        Timer.TRYING:      (State.PROCEEDING, Action.SEND_TRYING),
        Input.PROVISIONAL: (State.PROCEEDING, Action.SEND_PROVISIONAL),
        Input.SUCCESS:     (State.ACCEPTED,   Action.SEND),
        Input.FAILURE:     (State.COMPLETED,  Action.SEND),
        Input.ACK:         (State.PROCEEDING, Action.IGNORE),  # of nothing that was sent
    },
    State.ACCEPTED: {
        Input.REQUEST:     (State.ACCEPTED,   Action.IGNORE),
        Input.ACK:         (State.ACCEPTED,   Action.DELIVER),
        Input.SUCCESS:     (State.ACCEPTED,   Action.SEND),
        Timer.L:           (State.TERMINATED, Action.MOVE_ON),
    },
    State.COMPLETED: {
        Input.REQUEST:     (State.COMPLETED,  Action.SEND_AGAIN),
        Timer.G:           (State.COMPLETED,  Action.SEND_AGAIN_ON_TIMER),
        Timer.H:           (State.TERMINATED, Action.REPORT_TIMEOUT),
        Input.ACK:         (State.CONFIRMED,  Action.MOVE_ON),
    },
    State.CONFIRMED: {
        Input.REQUEST:     (State.CONFIRMED,  Action.IGNORE),
        Input.ACK:         (State.CONFIRMED,  Action.IGNORE),
        Timer.I:           (State.TERMINATED, Action.MOVE_ON),
    },
    State.TERMINATED: {
        Input.REQUEST:     (State.TERMINATED, Action.IGNORE),
        Input.ACK:         (State.TERMINATED, Action.IGNORE),
        Input.SUCCESS:     (State.TERMINATED, Action.IGNORE),  # a repetition that timer L has overtaken
    },
}
NON_INVITE_TRANSITIONS: Final[Transitions] = {  # RFC 3261 figure 8
    State.TRYING: {
        Input.REQUEST:     (State.TRYING,     Action.IGNORE),
        Input.PROVISIONAL: (State.PROCEEDING, Action.SEND),
        Input.FINAL:       (State.COMPLETED,  Action.SEND),
    },
    State.PROCEEDING: {
        Input.REQUEST:     (State.PROCEEDING, Action.SEND_AGAIN),
        Input.PROVISIONAL: (State.PROCEEDING, Action.SEND),
        Input.FINAL:       (State.COMPLETED,  Action.SEND),
    },
    State.COMPLETED: {
        Input.REQUEST:     (State.COMPLETED,  Action.SEND_AGAIN),
        Input.FINAL:       (State.COMPLETED,  Action.IGNORE),  # section 17.2.2: discarded
        Timer.J:           (State.TERMINATED, Action.MOVE_ON),
    },
    State.TERMINATED: {
        Input.REQUEST:     (State.TERMINATED, Action.IGNORE),
    },
}
INVITE_TIMERS: Final[StateTimers] = {
    State.PROCEEDING: (Timer.TRYING,),  # until the first response
    State.ACCEPTED:   (Timer.L,),
    State.COMPLETED:  (Timer.G, Timer.H),
    State.CONFIRMED:  (Timer.I,),
    State.TERMINATED: (),
}
NON_INVITE_TIMERS: Final[StateTimers] = {
    State.TRYING:     (),
    State.PROCEEDING: (),
    State.COMPLETED:  (Timer.J,),
    State.TERMINATED: (),
}
# fmt: on


class ServerTransaction(Transaction[Request]):
    """What the two server transactions share; never made itself.

    `events()` yields each ACK to a 2xx, or TimedOut where the ACK to a 3xx-6xx has not come.
    """

    __slots__ = ("_response",)

    def __init__(self, request: Request, *, times: BaseTimes, log: TimerLog | None = None) -> None:
        super().__init__(request, times=times, log=log)
        self._response: Response | None = None

    def start(self, *, now: int) -> None:
        """The user agent has seen the request; where it has not answered at once, the time for a 100 begins."""
        if self._response is None:
            super().start(now=now)

    def receive(self, request: Request, *, now: int) -> None:
        """The request has come again, or the ACK that goes with it."""
        self._step(Input.ACK if request.method == "ACK" else Input.REQUEST, request, now)

    def respond(self, response: Response, *, now: int) -> None:
        """Send a response. Raises LocalError where RFC 3261 forbids it, such as a 486 after a 200."""
        self._step(self.RESPONSES[response.status // 100], response, now)

    def _send(self, response: Response, now: int) -> None:
        self._response = response
        self._outgoing.append(response)

    def _send_again(self, _: Request | None, now: int) -> None:
        if self._response is not None:
            self._outgoing.append(self._response)


class InviteServerTransaction(ServerTransaction):
    """An INVITE of the peer (section 17.2.1)."""

    NAME = "an INVITE server transaction"
    SECTION = "17.2.1"
    FIRST_STATE = State.PROCEEDING
    LINGERING = frozenset({State.ACCEPTED, State.CONFIRMED})
    TRANSITIONS = INVITE_TRANSITIONS
    TIMERS = INVITE_TIMERS
    RESPONSES = INVITE_RESPONSES

    __slots__ = ()

    def _send_provisional(self, response: Response, now: int) -> None:
        self._timers.disarm(Timer.TRYING, now=now)
        self._send(response, now)

    def _send_trying(self, _: None, now: int) -> None:
        self._send(respond(self.request, 100), now)

    def _send_again_on_timer(self, _: None, now: int) -> None:
        self._send_again(None, now)
        self._repeat_after(min(2 * self._gap_us, self._times.t2_us), Timer.G, now)

    def _report_timeout(self, _: None, now: int) -> None:
        self._events.append(TimedOut(Timer.H))


class NonInviteServerTransaction(ServerTransaction):
    """A request of the peer other than INVITE and ACK (section 17.2.2)."""

    NAME = "a non-INVITE server transaction"
    SECTION = "17.2.2"
    FIRST_STATE = State.TRYING
    LINGERING = frozenset({State.COMPLETED})
    TRANSITIONS = NON_INVITE_TRANSITIONS
    TIMERS = NON_INVITE_TIMERS
    RESPONSES = NON_INVITE_RESPONSES

    __slots__ = ()


def server_transaction(request: Request, *, times: BaseTimes, log: TimerLog | None) -> ServerTransaction:
    """Make the server transaction for a request that has come; any but ACK, which has none."""
    assert request.method != "ACK"
    made = InviteServerTransaction if request.method == "INVITE" else NonInviteServerTransaction
    return made(request, times=times, log=log)
