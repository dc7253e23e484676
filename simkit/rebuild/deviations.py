"""Where a recorded stack did something else than our timer logic, and which rule that is about.

The rebuilt call is played in virtual time with our logic in both seats. Where a party did something else, that is
noted; from then on it is told to say what it said, so that the rest of the call can be judged, and the other side, too.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

from ..audit.auditor import audit_call
from ..audit.finding import Finding
from ..audit.words import named as title_of
from ..errors import CaptureError, FlowError
from ..flows.loader import load
from ..flows.model import Flow, Stimulus
from ..rulebook import Severity
from ..runs.run import Run
from ..runs.simulate import simulate
from ..runs.verdict import Failure, Verdict
from ..trace import TimerChange, Trace, Transit
from .rebuilt import Rebuilt, rebuild_call


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a recorded party did, and our logic in its place; times are in microseconds since the capture began."""

    actor: str
    address: str
    at: int
    """When the two parted."""
    recorded: Transit | None
    """The message of the recording; None: it said nothing more."""
    ours: Transit | None
    """What our logic said instead; None: nothing."""
    refused: str
    """Why our logic could not do it at all; "" where that was not tried."""
    findings: tuple[Finding, ...]
    """What the auditor says of it in the recording, the gravest first."""
    rule: str | None
    """The rule that our logic went by, where a timer had it act."""
    tolerance_us: int
    """How far from the time of ours a message may come and be none."""

    @property
    def is_fault(self) -> bool:
        """Whether a rule was broken, and not only a choice made that the rules leave open."""
        return any(finding.severity is not Severity.NOTE for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Settled:
    """A recorded call that can be played to its end."""

    flow: Flow
    rebuilt: Rebuilt
    deviations: tuple[Deviation, ...]
    told: tuple[str, ...]
    """The parties that say what they said, for they did something else."""
    unsettled: Failure | None
    """Why it cannot be played to its end even so."""


def settle(
    trace: Trace,
    *,
    name: str,
    source: str,
    tolerance_us: int,
    speed: int = 1,
    seed: int = 1,
    untold: Collection[str] = (),
) -> Settled:
    """Rebuild a call and find out where its parties did something else than our logic.

    `source` says in words where the call was recorded. The parties in `untold` are never told: somebody else's logic is
    to play them. Raises CaptureError for a call that cannot be rebuilt.
    """
    rebuild = partial(rebuild_call, trace, name=name, source=source, tolerance_us=tolerance_us, speed=speed)
    deviations: list[Deviation] = []
    told: tuple[str, ...] = ()
    while True:  # ends with everybody told
        rebuilt = rebuild(told=told)
        flow = flow_of(rebuilt.text, f"<{source}>")
        run = simulate(flow, seed=seed, timers=True)
        if run.passed:
            return Settled(flow, rebuilt, tuple(deviations), told, None)
        deviation = _deviation(rebuilt, run)
        if deviation is None or deviation.actor in (*told, *untold):
            break
        if _ahead(rebuilt, run):
            deviations.append(deviation)  # else it is what the party may have done when the capture had ended
        told = (*told, deviation.actor)
    return Settled(flow, rebuilt, tuple(deviations), told, run.failures[0])


def flow_of(text: str, path: str) -> Flow:
    """Load the flow of a call. Raises CaptureError for what was recorded and no flow may say."""
    try:
        (flow,) = load(text, path)
    except FlowError as error:
        raise CaptureError(f"no flow can tell it: {error.faults[0].message}") from None
    return flow


def _deviation(rebuilt: Rebuilt, run: Run) -> Deviation | None:
    """Return where a run of a rebuilt call failed, as what one party did; None where that is nobody's doing."""
    failure = run.failures[0]
    ours = next((each for each in run.trace.messages() if each.number == failure.frame), None)
    actor = ours.sender if ours else _awaited(rebuilt, run)
    if actor is None:
        return None
    recorded = next((each for each in _ahead(rebuilt, run) if each.sender == actor), None)
    parted_at = min([each.sent_at for each in (ours, recorded) if each], default=failure.at)
    known = {finding.rule for finding in audit_call(run.trace).findings if finding.actor == actor}
    findings = [each for each in _findings(rebuilt, actor, ours, recorded) if each.rule not in known]
    rule = _rule(run.trace, ours) if ours else None
    recorded, ours = (each and replace(each, sent_at=each.sent_at + rebuilt.began_at) for each in (recorded, ours))
    return Deviation(
        actor,
        rebuilt.addresses[actor],
        parted_at + rebuilt.began_at,
        recorded,
        ours,
        failure.headline if run.verdict is Verdict.ERROR else "",
        tuple(findings),
        rule,
        rebuilt.window_us,
    )


def _awaited(rebuilt: Rebuilt, run: Run) -> str | None:
    """Return who did not do what the line says at which a call failed, or could not do it."""
    line = run.failures[0].source.line
    for step in run.flow.steps:
        if isinstance(step, Stimulus) and step.source.line == line:
            return step.actor if run.verdict is Verdict.ERROR else None
    lines = [each for each in rebuilt.origins if each <= line]
    return rebuilt.origins[lines[-1]].sender if lines else None


def _ahead(rebuilt: Rebuilt, run: Run) -> list[Transit]:
    """Return the recorded messages that the run has not come to, or not as they were."""
    held = {each.source.line for each in run.expectations if each.verdict is Verdict.PASS}
    return [transit for line, transit in rebuilt.origins.items() if line not in held]


def _findings(rebuilt: Rebuilt, actor: str, ours: Transit | None, recorded: Transit | None) -> list[Finding]:
    """Return what the auditor says about what a party did there, and did not do; the gravest first."""
    same = ours is not None and recorded is not None and title_of(ours.message) == title_of(recorded.message)
    found = []
    for finding in rebuilt.audit.findings:
        at = finding.at - rebuilt.began_at
        if finding.actor != actor:
            continue
        if rebuilt.sent_at.get(finding.frame) == at:  # about a message
            is_about = recorded is not None and finding.frame == recorded.number
            is_near = is_about and (same or finding.severity is not Severity.NOTE)
        else:  # about what was not done, when it was due
            is_near = any(abs(at - each.sent_at) <= rebuilt.window_us for each in (ours, recorded) if each)
        if is_near:
            found.append(finding)
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))


def _rule(trace: Trace, ours: Transit) -> str | None:
    """Return the rule of the timer that had our logic send a message."""
    fired = [
        record.rule
        for record in trace.timers()
        if record.party == ours.sender and record.change is TimerChange.FIRED and record.at == ours.sent_at
    ]
    return fired[-1] if fired else None
