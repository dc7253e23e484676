"""How fast anything is sent to other machines: as a test may, not as an attack would."""

from collections.abc import Callable
from time import monotonic
from time import sleep as _sleep
from typing import Final

from ..ua.events import Address
from .hosts import is_loopback

PER_SECOND: Final = 50
"""So many messages go to other machines in a second, all parties' taken together."""
AT_ONCE: Final = 10
"""So many may go out right after one another, before the others have to wait."""


class Pace:
    """Counts what may be sent now, as a bucket of tokens does."""

    def __init__(self, *, clock: Callable[[], float] = monotonic, sleep: Callable[[float], None] = _sleep) -> None:
        """`clock` and `sleep` are in seconds."""
        self._clock, self._sleep = clock, sleep
        self._free, self._counted_s = float(AT_ONCE), clock()

    def wait(self) -> None:
        """Return when a message may be sent; it counts as sent then."""
        now_s = self._clock()
        self._free = min(AT_ONCE, self._free + (now_s - self._counted_s) * PER_SECOND)
        self._counted_s = now_s
        if self._free < 1:
            self._sleep((1 - self._free) / PER_SECOND)
        self._free -= 1


def hold_back(pace: Pace | None, ours: Address, destination: Address) -> None:
    """Wait until a message may go to another machine."""
    if pace is not None and destination[0] != ours[0] and not is_loopback(destination[0]):
        pace.wait()
