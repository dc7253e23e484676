"""What a call with a stack shows: one function for each check, from the auditor's facts of the call.

A real stack is held to windows, not to instants. Which rules it breaks the auditor says; here is only said whether it
does what its users rely on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ..audit.finding import CallAudit, Refresh
from ..units import S
from .terms import FLOOR_S, Terms

STACK: Final = "stack"
"""What the party under test is called in the flows."""
TESTER: Final = "tester"

EARLIEST_PERCENT, LATEST_PERCENT = 40, 62
"""When "half the interval" is: some stacks spread their refreshes by chance (sofia-sip: 47 to 54)."""


class Outcome(Enum):
    """How a check came out."""

    KEPT = auto()
    BROKEN = auto()
    NOT_ASKED = auto()
    """It does not apply to this stack."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a check has shown."""

    outcome: Outcome
    text: str
    at_us: int | None = None
    """When that was seen, since the call began, in SIP's time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A call, as it was seen."""

    call: CallAudit
    terms: Terms
    is_proxy: bool = False
    failure: str = ""
    """What its flow missed, in words; "" where it went as written."""

    @property
    def refreshes(self) -> list[Refresh]:
        """The refreshes that did their work: with a 2xx and a new interval."""
        return [each for each in self.call.refreshes if each.interval_s is not None]

    def since_start(self, at: int | None) -> int | None:
        """Return a time of the call as counted from its first message."""
        return None if at is None or self.call.started_us is None else at - self.call.started_us

    def kept(self, text: str, at: int | None = None) -> Result:
        """It does what it is to do."""
        return Result(Outcome.KEPT, text, self.since_start(at))

    def broken(self, text: str, at: int | None = None) -> Result:
        """It does not."""
        return Result(Outcome.BROKEN, text, self.since_start(at))


Judge = Callable[[Seen], Result]

NO_TIMER: Final = Result(Outcome.NOT_ASKED, "it negotiates no session timer")
SWITCHED_OFF: Final = Result(Outcome.NOT_ASKED, "its session timer is switched off")
NO_PROXY_DOES: Final = Result(Outcome.NOT_ASKED, "a proxy does not")


def negotiated(seen: Seen) -> Result:
    """Session-Expires is agreed on; where the stack is configured, as configured."""
    call, timer = seen.call, seen.terms.timer
    if not call.set_up:
        return _not_set_up(seen)
    at, answered = _answered_at(seen), call.answered
    if not timer.enabled:
        return seen.kept("none, as configured", at) if answered is None else seen.broken(answered, at)
    if answered is None:
        return seen.broken("the 200 has no Session-Expires", at)
    interval_s, refresher = call.session_interval_s, answered.partition("refresher=")[2]
    if interval_s is not None and interval_s > seen.terms.interval_s:
        return seen.broken(f"{answered}: longer than was asked for", at)
    if not refresher:
        return seen.broken(f"{answered}: without a refresher", at)
    if seen.terms.configured and timer.prefer_refresher not in (None, refresher):
        return seen.broken(f"{answered}: configured is prefer_refresher: {timer.prefer_refresher}", at)
    return seen.kept(answered, at)


def refreshed(number: int) -> Judge:
    """Return what says whether the stack, asked to refresh, does so in time for the `number`th time."""

    def judge(seen: Seen) -> Result:
        if (lacking := _lacking(seen)) is not None:
            return lacking
        by = "callee" if seen.is_proxy else STACK
        if not seen.is_proxy and (seen.call.answered or "").endswith("refresher=uac"):
            return seen.broken("asked to refresh, it leaves that to its caller", _answered_at(seen))
        done = [each for each in seen.refreshes if each.actor == by]
        if len(done) < number:
            return seen.broken(_missed(seen, f"{len(done)} of {number} refreshes by the {by}"), seen.call.ended_us)
        refresh = done[number - 1]
        last_at = (done[number - 2].answered_at if number > 1 else _answered_at(seen)) or 0
        return _in_time(seen, refresh, refresh.at - last_at)

    return judge


def is_refreshed(seen: Seen) -> Result:
    """The stack takes the refreshes of its caller."""
    if (lacking := _lacking(seen)) is not None:
        return lacking
    ours = [each for each in seen.call.refreshes if each.actor == TESTER]
    bad = next((each for each in ours if each.interval_s is None), None)
    if bad is not None:
        answer = "was not answered" if bad.status is None else f"got {bad.status}"
        timer = " without Session-Expires" if bad.status is not None and bad.status < 300 else ""
        return seen.broken(f"the {bad.method} {answer}{timer}", bad.at)
    if len(ours) < 2 or seen.call.ended_by != TESTER:
        return seen.broken(_missed(seen, f"{len(ours)} of 2 refreshes by its caller"), seen.call.ended_us)
    return seen.kept(f"by {ours[-1].method}, twice", ours[-1].answered_at)


def hangs_up(seen: Seen) -> Result:
    """When refreshes stop the stack hangs up, in the second half of the interval."""
    if (lacking := _lacking(seen)) is not None:
        return lacking
    call = seen.call
    since = max((each.answered_at or 0 for each in seen.refreshes), default=_answered_at(seen) or 0)
    expires_at = since + seen.terms.interval_s * S
    if seen.is_proxy:
        if call.ended_by == STACK:
            return seen.broken("a BYE of its own", call.ended_us)
        return seen.kept("no BYE of its own")
    if call.ended_by != STACK or call.ended_us is None:
        return seen.broken("no BYE", None)
    text = f"BYE {_before(expires_at, call.ended_us)}"
    if call.ended_us < expires_at - seen.terms.interval_s * S // 2:
        return seen.broken(f"{text}: too early", call.ended_us)
    return seen.kept(text, call.ended_us)


def gives_up(seen: Seen) -> Result:
    """When nobody answers its refresh the stack hangs up before the session has expired."""
    if seen.is_proxy:
        return NO_PROXY_DOES
    if (lacking := _lacking(seen)) is not None:
        return lacking
    call = seen.call
    tried = next((each for each in call.refreshes if each.actor == STACK and each.status is None), None)
    if call.ended_by != STACK or call.ended_us is None:
        return seen.broken("no BYE" if tried else "it does not even refresh", None)
    expires_at = (_answered_at(seen) or 0) + seen.terms.interval_s * S
    return seen.kept(f"BYE {_before(expires_at, call.ended_us)}", call.ended_us)


def too_small(seen: Seen) -> Result:
    """An interval that is too small is refused, and the least that would do is named."""
    call, least_s = seen.call, seen.terms.least_s
    if not seen.terms.timer.enabled:
        return SWITCHED_OFF
    if call.set_up and call.answered is None:
        return NO_TIMER
    if call.set_up:
        return seen.broken(f"{seen.terms.small_s} s is taken: {call.answered}", call.started_us)
    if call.status != 422:
        return seen.broken(f"rejected by {call.status}" if call.status else seen.failure, call.ended_us)
    if call.min_se_s is None or call.min_se_s < least_s:
        return seen.broken(f"Min-SE {call.min_se_s}, not {least_s}", call.ended_us)
    if seen.is_proxy and seen.failure:
        return seen.broken(f"Min-SE {call.min_se_s}, and the INVITE is passed on all the same", call.ended_us)
    below = f", below the floor of {FLOOR_S}" if call.min_se_s < FLOOR_S else ""
    return seen.kept(f"Min-SE {call.min_se_s}{below}", call.ended_us)


def unsupported(seen: Seen) -> Result:
    """A call of somebody who knows no session timers goes on, and asks nothing of them."""
    call, at = seen.call, _answered_at(seen)
    if not call.set_up:
        return _not_set_up(seen)
    if call.answered is not None and call.answered.endswith("refresher=uac"):
        return seen.broken(f"{call.answered} for a caller that knows no timers", at)
    if call.ended_by != TESTER:
        return seen.broken(_missed(seen, "the call was lost"), call.ended_us)
    alone = f"; {STACK} refreshes by itself" if any(each.actor == STACK for each in call.refreshes) else ""
    return seen.kept(f"the call goes on{alone}", call.ended_us)


def _lacking(seen: Seen) -> Result | None:
    """Return why nothing can be said of a session timer; None where there is one."""
    if not seen.terms.timer.enabled:
        return SWITCHED_OFF
    if not seen.call.set_up:
        return _not_set_up(seen)
    return NO_TIMER if seen.call.answered is None else None


def _not_set_up(seen: Seen) -> Result:
    call = seen.call
    return seen.broken(f"the call got {call.status}" if call.status else seen.failure or "no answer", call.ended_us)


def _answered_at(seen: Seen) -> int | None:
    return seen.call.answered_us


def _in_time(seen: Seen, refresh: Refresh, after_us: int) -> Result:
    percent = after_us * 100 // (seen.terms.interval_s * S)
    text = f"by {refresh.method}, {after_us / S:.1f} s after the last 2xx"
    if not EARLIEST_PERCENT <= percent <= LATEST_PERCENT:
        return seen.broken(text, refresh.at)
    timer = seen.terms.timer
    method = "UPDATE" if timer.use_update else "INVITE"
    if seen.terms.configured and not seen.is_proxy and refresh.method != method:
        return seen.broken(f"{text}: configured is use_update: {str(timer.use_update).lower()}", refresh.at)
    return seen.kept(text, refresh.at)


def _missed(seen: Seen, otherwise: str) -> str:
    """Return what went wrong in a call that was to go on."""
    if seen.call.ended_by == STACK:
        return f"it hung up ({seen.call.reason})"
    return seen.failure or otherwise


def _before(expires_at: int, at: int) -> str:
    lead_s = round((expires_at - at) / S)
    if lead_s == 0:
        return "when the session expires"
    return f"{abs(lead_s)} s {'before' if lead_s > 0 else 'after'} the session expires"
