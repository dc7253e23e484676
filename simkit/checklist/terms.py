"""What a stack is asked for, and what it is to make of that: by its configuration if there is one, else by RFC 4028."""

from dataclasses import dataclass
from typing import Final

from ..settings import SessionTimerSettings

USUAL: Final = SessionTimerSettings(default_expires_s=120)
"""What stacks of ours are set to: short, so that a test is."""
LONGEST_S: Final = 600
"""The longest interval that is asked for: a test waits for more than one of them."""
FLOOR_S: Final = 90  # RFC 4028 section 4
SMALL_S: Final = 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known of a stack's session timer."""

    timer: SessionTimerSettings = USUAL
    configured: bool = False
    """Whether that is its configuration; otherwise nothing is known but that it has to obey RFC 4028."""

    @property
    def interval_s(self) -> int:
        """The interval that its callers ask for: its own, unless that is too long to wait for."""
        own_s = self.timer.default_expires_s
        return own_s if own_s <= LONGEST_S else max(USUAL.default_expires_s, self.timer.min_se_s)

    @property
    def small_s(self) -> int:
        """An interval that it must not take."""
        return min(SMALL_S, max(1, self.timer.min_se_s - 1)) if self.configured else SMALL_S

    @property
    def least_s(self) -> int:
        """The Min-SE that it has to name, or more."""
        return self.timer.min_se_s if self.configured else FLOOR_S

    def values(self, names: str) -> dict[str, str]:
        """Return some values of the flows, in seconds: intervals, and how long after its 200 a call still lasts."""
        half_s, lead_s = self.interval_s // 2, 10
        values = {
            "se": self.interval_s,
            "small": self.small_s,
            "once": half_s + lead_s,
            "twice": 2 * half_s + lead_s,
            "twice_spread": 2 * half_s + half_s // 3,
            "expired": self.interval_s + lead_s,
            "expired_again": half_s + self.interval_s + lead_s,
        }
        return {name: str(values[name]) for name in names.split()}
