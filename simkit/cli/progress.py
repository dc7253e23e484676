"""How far long work has come: one line on a terminal's standard error, nothing when it is piped or soon done."""

import os
import sys
from time import monotonic
from typing import Final

from ..units import S

QUIET_S: Final = 0.5
"""Work shorter than this shows nothing."""
BETWEEN_S: Final = 0.1


class Progress:
    """A line that is written over as the work goes on; call `clear` before anything else is printed."""

    def __init__(self) -> None:
        self._is_shown = False
        self.is_watched = sys.stderr.isatty()
        """Whether anything is shown at all."""
        self._next_at = monotonic() + QUIET_S if self.is_watched else float("inf")

    def show(self, done: int, total: int, unit: str) -> None:
        """Say "1,200 of 10,000 calls", unless it was said a moment ago."""
        self._say(f"{done:,} of {total:,} {unit}")

    def count(self, done: int, unit: str) -> None:
        """Say "1,200 calls", where nobody knows how many there are."""
        self._say(f"{done:,} {unit}")

    def _say(self, text: str) -> None:
        now = monotonic()
        if now < self._next_at:
            return
        self._next_at = now + BETWEEN_S
        self._is_shown = True
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()

    def show_time(self, done_us: int, total_us: int) -> None:
        """Say "75 of 1,800 s", unless it was said a moment ago."""
        self.show(done_us // S, total_us // S, "s")

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_shown = False


class ReadingProgress(Progress):
    """How far the reading of a capture has come: "120 of 472 MB, 7,345 calls, 1,200 judged"."""

    def __init__(self, path: str) -> None:
        super().__init__()
        is_file = self.is_watched and os.path.isfile(path)
        self._of = f" of {_megabytes(os.path.getsize(path))}" if is_file else ""
        self._bytes = self._calls = self._judged = 0

    def read(self, count: int) -> None:
        """So many bytes of the file have been read."""
        self._bytes = count
        self._say_all()

    def begun(self) -> None:
        """Another call has begun."""
        self._calls += 1

    def judged(self, count: int) -> None:
        """So many calls have been judged."""
        self._judged = count
        self._say_all()

    def _say_all(self) -> None:
        if not self.is_watched:
            return
        judged = f", {self._judged:,} judged" if self._judged else ""
        self._say(f"{_megabytes(self._bytes)}{self._of} MB, {self._calls:,} calls{judged}")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f}"
