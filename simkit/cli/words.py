"""What people read of a simulation: about each run as it comes in, and about all of them at the end."""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from time import perf_counter_ns

from ..reports.failure import failures
from ..reports.style import Style
from ..reports.summary import single, table, totals, verdict_line
from ..runs.run import Run
from ..units import S
from .progress import Progress
from .terminal import say


class Manner(Enum):
    """How much is said."""

    SILENT = auto()
    QUIET = auto()  # failures and totals
    PLAIN = auto()  # one flow: its ladder too; several: a table too
    VERBOSE = auto()  # every ladder, and every expectation


class Words:
    """What people read on standard output, while the runs come in and at the end."""

    def __init__(self, count: int, manner: Manner, style: Style, *, timers: bool) -> None:
        self._count, self._manner, self._style, self._timers = count, manner, style, timers
        self._progress = Progress()
        self._began_ns = perf_counter_ns()

    def progressed(self, done: int, total: int) -> None:
        """Show how far a single flow has come."""
        if total > 1:
            self._progress.show(done, total, "calls")

    @property
    def ticked(self) -> Callable[[int], None] | None:
        """Where somebody looks at a terminal: to be told the time of what is under way, now and then."""
        return self._ticked if self._progress.is_watched else None

    def _ticked(self, now_us: int) -> None:
        if self._count == 1:
            self._progress.count(now_us // S, "s")

    def add(self, run: Run, done: int, *, more: str = "") -> None:
        """Say what is to be said of one run at once; `more` where it is told in full, or has failed."""
        if text := self._about(run, more):
            self._progress.clear()
            say(text if self._count == 1 else f"{text}\n")
        if self._count > 1:
            self._progress.show(done, self._count, "flows")

    def _about(self, run: Run, more: str) -> str:
        if self._manner is Manner.SILENT:
            return ""
        if self._manner is Manner.VERBOSE or (self._count == 1 and self._manner is Manner.PLAIN):
            return single(run, self._style, timers=self._timers, verbose=self._manner is Manner.VERBOSE, more=more)
        verdict = verdict_line(run, self._style) if self._count == 1 else ""
        more = "" if run.passed else more
        return "\n\n".join(filter(None, [more, failures(run, self._style), verdict]))

    def end(self, runs: Sequence[Run]) -> None:
        """Say what all came to."""
        self._progress.clear()
        if self._count == 1 or not runs or self._manner is Manner.SILENT:
            return
        if self._manner is not Manner.QUIET:
            say(f"{table(runs, self._style)}\n")
        say(totals(runs, self._style, (perf_counter_ns() - self._began_ns) // 1000))
