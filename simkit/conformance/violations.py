"""What the auditor says of a run: which rules its parties broke, and whether the flow says so.

A flow that names `violations` must have just these rules reported as broken. Of one that does not, a broken MUST fails
the run where the timer logic of somebody else sits in the party's seat; a scripted party may break what it is told to.
"""

from collections.abc import Iterator
from dataclasses import replace

from ..audit.finding import Finding
from ..flows.model import Flow
from ..rulebook import RULES, Severity
from ..runs.run import SHOWN_MAX, Run, Violation
from ..runs.verdict import Expectation, Failure, Verdict
from ..units import format_time
from .audits import Audits, allowances


def judge_violations(run: Run, audits: Audits | None = None) -> Audits:
    """Enter the errors and warnings of the auditor into a run, and what they do to its verdict; return the audits.

    They are made now, of the traces that were kept, unless they have been while the run was played.
    """
    if audits is None:
        audits = Audits(allowances(run.flow, run.wire.tolerance_us if run.wire else 0))
        for call, trace in run.traces.items():
            audits.add(call, trace)
    run.violations = [_violation(finding) for _, finding in audits.found if finding.severity is not Severity.NOTE]
    if run.verdict is Verdict.ERROR or not run.flow.awaits_audit:
        return audits
    told = {failure.rule for failure in run.failures}
    failures = [*_missing(run.flow, audits.found), *_unexpected(run.flow, audits.found, told)]
    if run.flow.expect.violations is not None:
        source = run.flow.expect.sources["violations"]
        text = f"violations: [{', '.join(run.flow.expect.violations)}]"
        run.expectations.append(Expectation(source, text, Verdict.FAIL if failures else Verdict.PASS))
    if failures:
        run.verdict = Verdict.FAIL
        run.failures += failures[: max(0, SHOWN_MAX - len(run.failures))]
    return audits


def _missing(flow: Flow, found: list[tuple[int, Finding]]) -> Iterator[Failure]:
    reported = {finding.rule for _, finding in found}
    for rule in flow.expect.violations or ():
        if rule not in reported:
            source = flow.expect.sources["violations"]
            yield Failure(source, f"nobody broke {rule}", note="expected to be reported", rule=rule)


def _unexpected(flow: Flow, found: list[tuple[int, Finding]], told: set[str | None]) -> Iterator[Failure]:
    listed, actors = flow.expect.violations, flow.actors
    for call, finding in found:
        blamed = finding.rule not in listed if listed is not None else actors[finding.actor].is_stranger
        if finding.severity is Severity.ERROR and blamed and finding.rule not in told:
            source = actors[finding.actor].source if listed is None else flow.expect.sources["violations"]
            headline = f"{finding.actor} {finding.text}, at {format_time(finding.at)} s"
            note = f"likely: {finding.likely}" if finding.likely else RULES[finding.rule].statement
            failure = Failure(source, headline, rule=finding.rule, rule_note=note)
            yield replace(failure, at=finding.at, call=call, frame=finding.frame)
            if flow.systems:
                told.add(finding.rule)  # once is enough of a crowd


def _violation(finding: Finding) -> Violation:
    return Violation(
        finding.rule,
        finding.severity.value,
        finding.actor,
        finding.at,
        finding.frame,
        f"{finding.actor} {finding.text}",
    )
