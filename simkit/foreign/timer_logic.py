"""A child of kind "timer-logic": it fills the seat of session timers; what it may do there, the seat says.

One process serves all dialogs of its party; a number in each request and in what falls due tells them apart. Its clock
is the party's. What falls due, and when, is found out by `advance` before time moves on, so that the user agent can be
told its deadline.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import PeerError
from ..settings import SessionTimerSettings
from ..sip.headers import HeaderField
from ..sip.message import Request, Response
from ..sip.session_headers import Refresher
from ..ua.timer_logic import Accept, Bye, GiveUp, Refresh, Reject, Retry, SessionState
from . import actions
from .actions import Actions, Duty
from .child import Child
from .wire import Nonsense

T = TypeVar("T")

NO_TIMER = SessionState(None, False)


class TimerLogicChild:
    """The process, and the dialogs that are open in it."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._opened = 0
        self._open: dict[int, ForeignTimerLogic] = {}

    def seat(self, settings: SessionTimerSettings, side: str) -> "ForeignTimerLogic":
        """Return the logic for one side ("caller", "callee") of a dialog to come."""
        return ForeignTimerLogic(self, settings, side)

    @property
    def is_waiting(self) -> bool:
        """Whether something may fall due."""
        return bool(self._open)

    def advance(self, *, until: int) -> bool:
        """Let its clock run up to `until`, or to where something falls due; return whether it did."""
        due = self.child.advance(self._due, until=until)
        for logic, duty in due:
            logic.falls_due(duty, at=self.child.now)
        return bool(due)

    def _due(self, said: Actions) -> "list[tuple[ForeignTimerLogic, Duty]]":
        return [(self._dialog(action.get("dialog")), actions.duty(action)) for action in said]

    def _dialog(self, number: object) -> "ForeignTimerLogic":
        if number is None and len(self._open) == 1:
            return next(iter(self._open.values()))
        if not isinstance(number, int) or number not in self._open:
            raise Nonsense(f'acted in dialog {number}: "dialog" is one of those open, {sorted(self._open)}')
        return self._open[number]

    def open(self, logic: "ForeignTimerLogic", settings: dict[str, Any], side: str, *, now: int) -> int:
        """Tell the process of a new dialog; return its number."""
        self._opened += 1
        self.child.ask("open", actions.nothing, now=now, dialog=self._opened, side=side, settings=settings)
        self._open[self._opened] = logic
        return self._opened

    def close(self, number: int, *, now: int) -> None:
        """Tell the process that a dialog is over."""
        if self._open.pop(number, None) is not None:
            self.child.ask("close", actions.nothing, now=now, dialog=number)

    def vacate(self) -> bool:
        """The call is over: close what is open. Return whether the child can serve in another."""
        if self.child.has_ended:
            return False
        for number in tuple(self._open):
            self.close(number, now=self.child.now)
        self.child.rest()
        return True

    def end(self) -> None:
        """End the process: its host has crashed."""
        self._open.clear()
        self.child.end()


class ForeignTimerLogic:
    """One side of one dialog, in the seat `ua.timer_logic.TimerLogic`."""

    def __init__(self, process: TimerLogicChild, settings: SessionTimerSettings, side: str) -> None:
        self._process = process
        self._settings = settings
        self._side = side
        self._number: int | None = None
        self._closed = False
        self._duties: deque[tuple[int, Duty]] = deque()
        self._supported: tuple[HeaderField, ...] = ()
        """What it has said of its abilities: the BYE that follows the end of the dialog says it once more."""
        self._state = NO_TIMER

    def _ask(self, do: str, read: Callable[[Actions], T], *, now: int, **fields: Any) -> T:
        process = self._process
        if self._number is None:
            self._number = process.open(self, settings_as_written(self._settings), self._side, now=now)
        return process.child.ask(do, read, now=now, dialog=self._number, **fields)

    def make_request(self, method: str, *, initial: bool, now: int) -> tuple[HeaderField, ...]:
        """Return the headers that the child adds to a request of ours."""
        if self._closed:
            return self._supported
        added = self._ask("make_request", actions.added_headers, now=now, method=method, initial=initial, headers=[])
        return self._noted(added)

    def _noted(self, headers: tuple[HeaderField, ...]) -> tuple[HeaderField, ...]:
        self._supported = tuple(field for field in headers if field[0] == "Supported") or self._supported
        return headers

    def receive_request(self, request: Request, *, initial: bool, now: int) -> Accept | Reject:
        """Have the child judge an INVITE or UPDATE of the peer."""
        verdict = self._ask(
            "receive_request",
            actions.verdict,
            now=now,
            method=request.method,
            initial=initial,
            headers=request.headers,
        )
        self._noted(verdict.headers)
        return verdict

    def sent_response(self, response: Response, *, now: int) -> None:
        """Tell the child of our final response."""
        self._respond("sent_response", actions.nothing, response, now=now)
        self._note_terms(response, we_refresh=Refresher.UAS)

    def receive_response(self, response: Response, *, now: int) -> Retry | GiveUp | None:
        """Tell the child of the final response to our request, and return what follows from it."""
        verdict = self._respond("receive_response", actions.second_try, response, now=now)
        self._note_terms(response, we_refresh=Refresher.UAC)
        return verdict

    def _respond(self, do: str, read: Callable[[Actions], T], response: Response, *, now: int) -> T:
        return self._ask(do, read, now=now, method=response.method, status=response.status, headers=response.headers)

    def _note_terms(self, response: Response, *, we_refresh: Refresher) -> None:
        """Take from a 2xx what both sides can read there: a child is not asked what it believes."""
        if not 200 <= response.status < 300:
            return
        try:
            terms = response.session_expires
        except PeerError:
            terms = None
        self._state = SessionState(terms.interval_s, terms.refresher is we_refresh) if terms else NO_TIMER

    def refresh_result(self, status: int | None, *, now: int) -> Bye | None:
        """Tell the child what became of a refresh that it asked for."""
        outcome = "timeout" if status is None else status
        return self._ask("refresh_result", actions.hang_up, now=now, status=outcome)

    def falls_due(self, duty: Duty, *, at: int) -> None:
        """The child has been advanced to this time, and this is what it then wants."""
        self._duties.append((at, duty))

    def next_deadline(self) -> int | None:
        """Return when something falls due, as far as the child has been advanced."""
        return self._duties[0][0] if self._duties else None

    def handle_deadline(self, *, now: int) -> Refresh | Bye | None:
        """Return what has fallen due."""
        if self._duties and self._duties[0][0] <= now:
            return self._duties.popleft()[1]
        return None

    def state(self) -> SessionState:
        """Return the terms of the last 2xx."""
        return self._state

    def close(self, *, now: int) -> None:
        """Tell the child that the dialog is over."""
        self._closed = True
        self._duties.clear()
        self._state = NO_TIMER
        if self._number is not None:
            self._process.close(self._number, now=now)


def settings_as_written(settings: SessionTimerSettings) -> dict[str, Any]:
    """Return settings under the names that a flow file has for them."""
    return {
        "enabled": settings.enabled,
        "default_expires": settings.default_expires_s,
        "min_se": settings.min_se_s,
        "prefer_refresher": settings.prefer_refresher,
        "use_update": settings.use_update,
    }
