"""What the auditor says of the calls of a run, added up as they end: of a crowd, few are kept."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from ..audit.allowances import Allowances
from ..audit.auditor import audit_call
from ..audit.finding import CallAudit, DeadlineState, Finding
from ..flows.model import Flow
from ..rulebook import Severity
from ..trace import Trace

KEPT_MAX: Final = 100
"""So many audits are kept, and so many of calls in which a rule was broken."""
FOUND_MAX: Final = 1_000


@dataclass(slots=True)
class Punctuality:
    """The session refresh requests of one party."""

    late_us: list[int] = field(default_factory=list)
    """How long after half the session interval each came; before it: below 0."""
    done: int = 0
    """How many got a 2xx."""
    missed: int = 0
    """How many were due, and never came."""

    @property
    def due(self) -> int:
        """How many were due."""
        return len(self.late_us) + self.missed


class Audits:
    """The audits of a run's calls."""

    def __init__(self, allow: Allowances) -> None:
        self.kept: list[CallAudit] = []
        """The first, and the first of those in which a rule was broken."""
        self.found: list[tuple[int, Finding]] = []
        """What was found in which call, from 0."""
        self.by_party: dict[str, Punctuality] = defaultdict(Punctuality)
        self._allow = allow
        self._broken = 0

    def add(self, call: int, trace: Trace) -> None:
        """Judge a call that is over."""
        audit = audit_call(trace, allow=self._allow)
        is_broken = any(finding.severity is not Severity.NOTE for finding in audit.findings)
        self._broken += is_broken
        if len(self.kept) < KEPT_MAX or (is_broken and self._broken <= KEPT_MAX):
            self.kept.append(audit)
        self.found += [(call, finding) for finding in audit.findings][: FOUND_MAX - len(self.found)]
        for refresh in audit.refreshes:
            if refresh.late_us is not None:
                party = self.by_party[refresh.actor]
                party.late_us.append(refresh.late_us)
                party.done += refresh.interval_s is not None
        for deadline in audit.deadlines:
            is_lacking = deadline.state in (DeadlineState.MISSED, DeadlineState.UNHEARD)
            if deadline.what == "refresh" and deadline.actor is not None and is_lacking:
                self.by_party[deadline.actor].missed += 1


def allowances(flow: Flow, tolerance_us: int) -> Allowances:
    """Return what is held against nobody: against a real system, the machine's delays count at its speed."""
    usual = Allowances(t1_us=flow.timers.t1_us)
    if not flow.systems:
        return usual
    turn_us, session_us = max(usual.turn_us, tolerance_us), max(usual.session_us, tolerance_us)
    return Allowances(session_us=session_us, turn_us=turn_us, t1_us=usual.t1_us)
