"""How far long work has come: one line on a terminal's standard error, nothing when it is piped or soon done."""

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
