"""2xx to INVITE that have no ACK yet: the user agent itself repeats them (RFC 3261 section 13.3.1.4).

On any transport: after T1, doubling up to T2, until the ACK comes or 64*T1 have passed.
"""

from ..settings import BaseTimes
from ..sip.message import Request, Response
from .timers import Timer, TimerLog, TimerTable


class _Repeater:
    """One 2xx, its gap and its timers."""

    __slots__ = ("gap_us", "response", "timers")

    def __init__(self, response: Response, times: BaseTimes, log: TimerLog | None) -> None:
        self.response = response
        self.gap_us = times.t1_us
        self.timers = TimerTable(f"INVITE {response.cseq.number}" if log is not None else "", log)


class UnacknowledgedAnswers:
    """The 2xx of one call that wait for their ACK, by CSeq number."""

    __slots__ = ("_log", "_times", "_waiting", "given_up")

    def __init__(self, times: BaseTimes, log: TimerLog | None) -> None:
        self._times = times
        self._log = log
        self._waiting: dict[int, _Repeater] = {}
        self.given_up = False
        """Whether one of them was never acknowledged."""

    @property
    def any(self) -> bool:
        """Whether one of them still waits."""
        return bool(self._waiting)

    def waiting_for(self, ack: Request) -> Response | None:
        """Return the 2xx that waits for this ACK; None where there is none."""
        repeater = self._waiting.get(ack.cseq.number)
        return repeater.response if repeater is not None else None

    def sent(self, response: Response, *, now: int) -> None:
        """A 2xx was sent for the first time."""
        repeater = self._waiting[response.cseq.number] = _Repeater(response, self._times, self._log)
        repeater.timers.arm(Timer.ANSWER, now + repeater.gap_us, now=now)
        repeater.timers.arm(Timer.ANSWER_LIMIT, now + self._times.timeout_us, now=now)

    def acknowledged(self, ack: Request, *, now: int) -> bool:
        """An ACK has come; False where none of them waited for it."""
        repeater = self._waiting.pop(ack.cseq.number, None)
        if repeater is not None:
            repeater.timers.disarm_all(now=now)
        return repeater is not None

    def stop(self, *, now: int) -> None:
        """The call is over: repeat nothing more."""
        for repeater in self._waiting.values():
            repeater.timers.disarm_all(now=now)
        self._waiting.clear()

    def next_deadline(self) -> int | None:
        """Return when `handle_deadline` is to be called."""
        if not self._waiting:
            return None
        deadlines = [at for repeater in self._waiting.values() if (at := repeater.timers.next_deadline()) is not None]
        return min(deadlines, default=None)

    def handle_deadline(self, *, now: int) -> list[Response]:
        """Return the 2xx to send again; `given_up` tells whether one has waited for too long."""
        again = []
        for cseq, repeater in tuple(self._waiting.items()):
            due = repeater.timers.due(now=now)
            if Timer.ANSWER_LIMIT in due:
                repeater.timers.disarm_all(now=now)
                del self._waiting[cseq]
                self.given_up = True
            elif due:
                repeater.gap_us = min(2 * repeater.gap_us, self._times.t2_us)
                repeater.timers.arm(Timer.ANSWER, now + repeater.gap_us, now=now)
                again.append(repeater.response)
        return again
