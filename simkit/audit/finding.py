"""What the audit says of a call: findings, each by a rule, and the facts that people write down by hand.

Plain data; all times are microseconds of SIP's time: those of the capture, times its speed. How it looks on a page is
the business of `reports`.
"""

from enum import StrEnum
from typing import NamedTuple

from ..rulebook import Severity


class Finding(NamedTuple):
    """A rule that a party broke, or a custom worth a note."""

    rule: str
    severity: Severity
    actor: str
    at: int
    """When: of something that did not come, when it was due."""
    frame: int
    """Where: of something that did not come, the message that made it due."""
    text: str
    """What was done, and what was due instead: a predicate, of which the actor is the subject."""
    likely: str = ""
    """The likely defect; "" where there is no telling."""
    again: tuple[int, ...] = ()
    """The frames where the same was done again."""


class Refresh(NamedTuple):
    """A session refresh request within the dialog, and what came of it."""

    actor: str
    method: str
    frame: int
    at: int
    status: int | None
    """Of its final response; None: none came."""
    answered_at: int | None
    sent: int
    """How often it was sent."""
    interval_s: int | None
    """The session interval that its 2xx set; None: it failed, or the 2xx set none."""
    refresher: str | None
    late_us: int | None = None
    """How long after half the session interval it came (before: below 0), if it was its sender's turn."""


class DeadlineState(StrEnum):
    """What became of something that was due."""

    MET = "met"
    MISSED = "missed"
    SPARED = "spared"  # something else made it needless: a refresh, a BYE
    UNHEARD = "unheard"  # not seen, but nothing more was heard of who had to do it: it may be dead, or out of sight
    UNKNOWN = "unknown"  # the capture ended before


class Deadline(NamedTuple):
    """What followed from the last 2xx that set the session timer."""

    what: str
    """ "refresh", "BYE" or "expiry"."""
    rule: str
    actor: str | None
    due_at: int
    state: DeadlineState


class CallAudit(NamedTuple):
    """One call: the check-list that people write by hand, and the findings."""

    call_id: str
    caller: str | None = None
    callee: str | None = None
    started_us: int | None = None
    offered: str | None = None
    """The first Session-Expires of the call, as written."""
    offered_by: str | None = None
    """Who wrote it: either side, or a proxy."""
    offered_in: str | None = None
    """The message that says so: "INVITE", "UPDATE" or "2xx"."""
    offered_us: int | None = None
    offered_later: bool = False
    """The call had been set up without a timer."""
    set_up: bool = False
    """The 2xx that set it up was seen."""
    answered_us: int | None = None
    """When that was sent."""
    answered: str | None = None
    """Session-Expires of the 2xx that set the call up, as written."""
    min_se_s: int | None = None
    """The largest Min-SE of the call."""
    session_interval_s: int | None = None
    """What was in force at the end; None: no timer."""
    refresher: str | None = None
    refreshes: tuple[Refresh, ...] = ()
    ended_by: str | None = None
    ended_us: int | None = None
    reason: str | None = None
    """Why: "hung-up", "session-expired", "refresh-failed", "no-ack"; "rejected", "cancelled" or "no-answer" where the
    call was not set up; None where it went on."""
    status: int | None = None
    """The status that rejected the call."""
    deadlines: tuple[Deadline, ...] = ()
    """What followed from the last 2xx, and what else was due at the end."""
    findings: tuple[Finding, ...] = ()

    @property
    def owed(self) -> tuple[Deadline, ...]:
        """What was still due when the capture ended: nobody knows whether it was done."""
        return tuple(deadline for deadline in self.deadlines if deadline.state is DeadlineState.UNKNOWN)
