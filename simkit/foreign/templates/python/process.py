"""Your session timer as a child of simkit: JSON lines on standard input and output, in simkit's time.

For code that should run in a Python of its own. Change `Seat`, which translates what simkit asks to what your timer
knows, and import your timer below, after the clock has been replaced. Standard error is the log, and so is print().
"""

import heapq
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Action = dict[str, Any]


class Clock:
    """Time that moves when simkit says so: microseconds, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0
        self._agenda: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()

    def add(self, timer: "Timer") -> None:
        """Have a timer fire when its time has come."""
        heapq.heappush(self._agenda, (self.now + round(timer.interval * 1_000_000), next(self._order), timer))

    def next_at(self) -> int | None:
        """Return when the next timer fires; now, where something is done already."""
        if actions:
            return self.now
        while self._agenda and self._agenda[0][2].is_cancelled:
            heapq.heappop(self._agenda)
        return self._agenda[0][0] if self._agenda else None

    def run(self, until: int) -> None:
        """Move on to `until`, or to the first instant at which something was done."""
        while not actions and (at := self.next_at()) is not None and at <= until:
            self.now = at
            heapq.heappop(self._agenda)[2].fire()
        self.now = self.now if actions else until


class Timer:
    """What takes the place of threading.Timer."""

    daemon = True

    def __init__(
        self, interval: float, function: Callable[..., object], args: Iterable[Any] = (), kwargs: Any = None
    ) -> None:
        self.interval, self.is_cancelled = interval, False
        self.fire: Callable[[], object] = lambda: function(*(args or ()), **(kwargs or {}))

    def start(self) -> None:
        """Start to wait."""
        clock.add(self)

    def cancel(self) -> None:
        """Never fire."""
        self.is_cancelled = True


clock = Clock()
actions: list[Action] = []
threading.Timer = Timer  # type: ignore[assignment, misc]
time.monotonic = time.time = time.perf_counter = lambda: clock.now / 1_000_000

from session_timer import SessionTimer  # noqa: E402 - yours, which finds the clock above when it is imported


class Seat:
    """One side of one call: a method for each thing that simkit asks (`do`); each returns its actions."""

    def __init__(self, dialog: int, side: str, settings: Mapping[str, Any]) -> None:
        self.timer = SessionTimer(
            settings,
            side == "caller",
            refresh=lambda method: actions.append({"dialog": dialog, "refresh": method}),
            hang_up=lambda reason: actions.append({"dialog": dialog, "bye": reason}),
        )

    def make_request(self, method: str, initial: bool, headers: object) -> list[Action]:
        """Add headers to a request that is about to be sent."""
        return [{"headers": self.timer.offer(method, initial)}]

    def receive_response(self, method: str, status: int, headers: Iterable[list[str]]) -> list[Action]:
        """A final response to our INVITE or UPDATE has come."""
        return [{"retry": self.timer.answered(status, _by_name(headers))}]

    def refresh_result(self, status: int | str) -> list[Action]:
        """A refresh that we asked for has its outcome: its status, or "timeout"."""
        if isinstance(status, str) or status >= 300:
            self.timer.refresh_failed(0 if isinstance(status, str) else status)
        return []

    def receive_request(self, method: str, initial: bool, headers: Iterable[list[str]]) -> list[Action]:
        """Judge an INVITE or UPDATE of the peer."""
        status, added = self.timer.judge(_by_name(headers))
        return [{"accept": True, "headers": added} if status < 300 else {"reject": status, "headers": added}]

    def sent_response(self, method: str, status: int, headers: Iterable[list[str]]) -> list[Action]:
        """Our final response to the peer's INVITE or UPDATE was sent."""
        if status < 300:
            self.timer.accepted(_by_name(headers))
        return []

    def close(self) -> list[Action]:
        """The call is over."""
        self.timer.stop()
        return []


def _by_name(headers: Iterable[list[str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def answer(seats: dict[int, Seat], do: str, now: int, **fields: Any) -> list[Action]:
    """Do what simkit asks."""
    if do == "advance":
        clock.run(fields["until"])
        done = actions.copy()
        actions.clear()
        return done
    clock.run(now)
    dialog = fields.pop("dialog")
    if do == "open":
        seats[dialog] = Seat(dialog, **fields)
        return []
    seat = seats[dialog] if do != "close" else seats.pop(dialog)
    said: list[Action] = getattr(seat, do)(**fields)
    return said


def main() -> None:
    """Say what we are, then answer line by line."""
    wire, sys.stdout = sys.stdout, sys.stderr
    wire.write('{"simkit": 1, "kind": "timer-logic", "name": "session_timer.py", "knows_next": true}\n')
    wire.flush()
    seats: dict[int, Seat] = {}
    for line in sys.stdin:
        request = json.loads(line)
        number = request.pop("id")
        done = answer(seats, **request)
        wire.write(json.dumps({"id": number, "actions": done, "now": clock.now, "next": clock.next_at()}) + "\n")
        wire.flush()


if __name__ == "__main__":
    main()
