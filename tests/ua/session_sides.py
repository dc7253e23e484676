"""One side of a dialog with its session timer, for tests: a call that is up, exchanges at one instant, duties."""

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.ua.session_timer import SessionTimer, Side
from simkit.ua.timer_logic import Accept, Bye, Refresh
from simkit.ua.timers import TimerLog
from simkit.units import S

from .session_messages import TIMER, Chance, expires, request, response, settings

EXPIRED = Bye("session-expired")
FAILED = Bye("refresh-failed")
ALLOW_UPDATE = ("Allow", "INVITE, ACK, BYE, UPDATE")
ALLOW_NO_UPDATE = ("Allow", "INVITE, ACK, BYE")


def timer(
    party: SessionTimerSettings | None = None,
    *,
    side: Side = Side.CALLER,
    chance: float = 0.0,
    log: TimerLog | None = None,
) -> SessionTimer:
    return SessionTimer(party or settings(), side=side, random=Chance(chance), log=log)


def caller(
    interval_s: int = 1800, refresher: str = "uac", *more: HeaderField, use_update: bool = False
) -> SessionTimer:
    """A caller whose call came up at 0 with these terms; by `refresher` uac it refreshes."""
    logic = timer(settings(interval_s, use_update=use_update))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires(f"{interval_s};refresher={refresher}"), *more), now=0)
    return logic


def callee(
    interval_s: int = 1800, refresher: str = "uas", *more: HeaderField, use_update: bool = False
) -> SessionTimer:
    """A callee whose call came up at 0 with these terms; by `refresher` uas it refreshes."""
    logic = timer(settings(interval_s, use_update=use_update), side=Side.CALLEE)
    accept(logic, TIMER, expires(f"{interval_s};refresher={refresher}"), *more, initial=True, at_s=0)
    return logic


def accept(
    logic: SessionTimer, *headers: HeaderField, at_s: float, initial: bool = False, method: str = "INVITE"
) -> None:
    """The peer sends a request and gets its 2xx."""
    now = round(at_s * S)
    verdict = logic.receive_request(request(*headers, method=method), initial=initial, now=now)
    assert isinstance(verdict, Accept)
    logic.sent_response(response(200, *verdict.headers, method=method), now=now)


def accepted(logic: SessionTimer, *headers: HeaderField, at_s: float, method: str = "INVITE") -> None:
    """A request of ours gets its 2xx, at once."""
    now = round(at_s * S)
    logic.make_request(method, initial=False, now=now)
    assert logic.receive_response(response(200, *headers, method=method), now=now) is None


def refused(logic: SessionTimer, status: int, *headers: HeaderField, at_s: float, method: str = "INVITE") -> Bye | None:
    """The refresh that the logic has asked for is refused, at once."""
    now = round(at_s * S)
    logic.make_request(method, initial=False, now=now)
    logic.receive_response(response(status, *headers, method=method), now=now)
    return logic.refresh_result(status, now=now)


def duty(logic: SessionTimer) -> tuple[float, Refresh | Bye]:
    """Go to the next deadline; nothing may fall due before it, and nothing twice."""
    due_at = logic.next_deadline()
    assert due_at is not None
    assert logic.handle_deadline(now=due_at - 1) is None
    found = logic.handle_deadline(now=due_at)
    assert found is not None
    assert logic.handle_deadline(now=due_at) is None
    return due_at / S, found


def duties(logic: SessionTimer, status: int, *headers: HeaderField) -> list[tuple[float, Refresh | Bye]]:
    """Refuse every refresh in the same way until nothing more is asked for."""
    found = []
    while logic.next_deadline() is not None:
        found.append(duty(logic))
        if isinstance(found[-1][1], Refresh):
            refused(logic, status, *headers, at_s=found[-1][0])
    return found
