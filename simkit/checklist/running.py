"""The calls of the list, side by side, and what they show of a stack.

Each call is played by a thread of its own: it waits nearly all the time.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns, sleep
from typing import Final

from ..audit.auditor import audit_call
from ..audit.finding import CallAudit, Finding
from ..flows.model import Flow
from ..rulebook import Severity
from ..runs.play import play
from ..runs.run import Address, Run
from .checks import CHECKS, Check, load_calls
from .judging import STACK, Outcome, Result, Seen
from .terms import Terms

GLANCE_S: Final = 0.1
APART_S: Final = 0.05
"""Calls do not begin at once: neither side is to be hurried."""


@dataclass(slots=True)
class Tested:
    """A stack, and what came of its list."""

    terms: Terms
    is_proxy: bool
    speed: int
    results: dict[Check, Result] = field(default_factory=dict)
    """Of the checks whose call is over."""
    runs: dict[str, Run] = field(default_factory=dict)
    """By call."""
    audits: dict[str, CallAudit] = field(default_factory=dict)
    note: str = ""
    """What else is to be known of it."""
    wall_us: int = 0
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether the stack does all that was asked of it."""
        return len(self.results) == len(CHECKS) and all(
            result.outcome is not Outcome.BROKEN for result in self.results.values()
        )

    def broken_rules(self) -> list[Finding]:
        """Return the errors and warnings about the stack, each rule once, the worst first."""
        found: dict[str, Finding] = {}
        for audit in self.audits.values():
            for finding in audit.findings:
                if finding.actor == STACK and finding.severity is not Severity.NOTE:
                    found.setdefault(finding.rule, finding)
        return sorted(found.values(), key=lambda finding: (finding.severity is not Severity.ERROR, finding.rule))


def run_list(
    place_of: Callable[[str], Address],
    terms: Terms,
    *,
    is_proxy: bool = False,
    speed: int = 1,
    look_after: Callable[[], None] = lambda: None,
    progress: Callable[[int, int], None] = lambda over, of: None,
) -> Tested:
    """Play all calls of the list, and judge them.

    `place_of` says where the stack is that a call goes to. `look_after` is called every now and then, and may raise
    what ends the test; `progress` is told how many calls are over, of how many. On KeyboardInterrupt what is over is
    judged, and the rest `interrupted`. Raises SetupError where a socket cannot be had, or nobody is there.
    """
    tested = Tested(terms, is_proxy, speed)
    began_ns = perf_counter_ns()
    calls = [_Call(name, flow, speed) for name, flow in load_calls(place_of, terms, is_proxy=is_proxy).items()]
    try:
        for call in calls:
            call.begin()
            sleep(APART_S)
        while not all(call.is_over for call in calls):
            sleep(GLANCE_S)
            look_after()
            progress(sum(call.is_over for call in calls), len(calls))
    except KeyboardInterrupt:
        tested.interrupted = True
    tested.runs = {call.name: call.outcome() for call in calls if call.is_over}
    tested.audits = {name: _audit(run) for name, run in tested.runs.items()}
    unfinished = {call.name for call in calls} - tested.runs.keys()
    tested.results = {check: _judge(check, tested) for check in CHECKS if check.call not in unfinished}
    tested.wall_us = (perf_counter_ns() - began_ns) // 1000
    return tested


class _Call:
    """One call, played by a thread that does not keep us from ending."""

    def __init__(self, name: str, flow: Flow, speed: int) -> None:
        self.name = name
        self._flow = flow
        self._speed = speed
        self._came: Run | BaseException | None = None

    def begin(self) -> None:
        """Play it from here on."""
        threading.Thread(target=self._play, name=self.name, daemon=True).start()

    def _play(self) -> None:
        try:
            self._came = play(self._flow, speed=self._speed)
        except BaseException as error:  # it is for the thread that waits for this one
            self._came = error

    @property
    def is_over(self) -> bool:
        """Whether something has come of it."""
        return self._came is not None

    def outcome(self) -> Run:
        """Return what came of it; raise what it raised."""
        assert self._came is not None
        if isinstance(self._came, BaseException):
            raise self._came
        return self._came


def _audit(run: Run) -> CallAudit:
    ((_, trace),) = run.traces.items()
    return audit_call(trace)


def _judge(check: Check, tested: Tested) -> Result:
    run, call = tested.runs.get(check.call), tested.audits.get(check.call)
    failure = run.failures[0].headline if run is not None and run.failures else ""
    return check.judge(Seen(call or CallAudit(""), tested.terms, tested.is_proxy, failure))
