"""Many calls against a real system, in figures: how fast they were set up, and why the others failed."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ..sip.message import Request, Response
from ..trace import Trace
from .verdict import Failure

CAUSES_MAX: Final = 100
"""So many causes are told apart; what comes after that is "anything else"."""

_WHEN: Final = re.compile(r"\s+(?:at|after|from|to) [0-9.]+ s\b|, [0-9.]+ s too (?:early|late)")


@dataclass(slots=True)
class Load:
    """The calls of a run, added up."""

    calls: int = 0
    set_up_us: list[int] = field(default_factory=list)
    """How long each call took from its INVITE to its 2xx."""
    first_at: int | None = None
    """When the first INVITE was sent."""
    last_up_at: int = 0
    causes: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Why calls failed: the line of the flow, and what is said of it, without times."""

    def add(self, trace: Trace, failure: Failure | None) -> None:
        """Count a call that is over."""
        self.calls += 1
        if failure is not None:
            cause = failure.source.line, _WHEN.sub("", failure.headline.partition(";")[0])
            known = cause in self.causes or len(self.causes) < CAUSES_MAX
            self.causes[cause if known else (0, "anything else")] += 1
        asked_at = None
        for transit in trace.messages():
            message = transit.message
            if asked_at is None and isinstance(message, Request) and message.method == "INVITE":
                asked_at = transit.sent_at
                self.first_at = asked_at if self.first_at is None else min(self.first_at, asked_at)
            elif asked_at is not None and isinstance(message, Response) and message.status // 100 == 2:
                self.set_up_us.append(transit.sent_at - asked_at)
                self.last_up_at = max(self.last_up_at, transit.sent_at)
                return

    @property
    def failed(self) -> int:
        """How many calls failed."""
        return sum(self.causes.values())

    @property
    def rate_ppm(self) -> int | None:
        """How many calls were set up in a second, in millionths; None where there is no telling."""
        if self.first_at is None or self.last_up_at <= self.first_at:
            return None
        return len(self.set_up_us) * 10**12 // (self.last_up_at - self.first_at)
