"""The calls of a run added up: one expectation for each line and each term of the flow, whatever the number of calls.

An expectation holds if it held in every call. Its times are those of the first call, or of the first that missed it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ..trace import Trace
from .call_run import CallRun
from .outcome import Term, judge, terms
from .plan import Line, Plan
from .run import Address, CallSummary, Expectation, Failure, Run, Verdict
from .script import Script

SHOWN_MAX: Final = 10
"""How many failed calls are shown, with their failures and traces."""


class Finding(NamedTuple):
    """How one line or term came out in one call."""

    about: Line | Term
    held: bool
    expected_us: int | None = None
    actual_us: int | None = None


class Tally:
    """Adds up calls that are over."""

    def __init__(self, plan: Plan) -> None:
        self.interrupted = False
        self.failed_calls: list[int] = []
        """The first calls that failed: those to be shown."""
        self._plan = plan
        self._terms = terms(plan.flow)
        self._findings: dict[Line | Term, Finding] = {}
        self._failures: list[Failure] = []
        self._failures_omitted = 0
        self._verdicts: set[Verdict] = set()
        self._summaries: list[CallSummary] = []
        self._traces: dict[int, Trace] = {}
        self._messages = 0
        self._virtual_us = 0

    def add(self, call: CallRun) -> None:
        """Count a call that is over."""
        self._messages += call.messages
        self._virtual_us = max(self._virtual_us, call.last_at)
        self._summaries += call.ledger.summaries()
        self.keep_trace(call)
        failures = [call.failure] if call.failure else []
        self._note(_of_lines(call.script))
        self._note(self._of_terms(call, failures))
        self._verdicts |= {call.script.verdict, Verdict.FAIL if failures else Verdict.PASS}
        if len(self.failed_calls) == SHOWN_MAX:
            self._failures_omitted += bool(failures)
        elif failures:
            self.failed_calls.append(call.number)
            self._failures += failures

    def keep_trace(self, call: CallRun) -> None:
        """Keep a call's trace, where it has one."""
        if call.trace is not None:
            self._traces[call.number] = call.trace

    def run(self, *, seed: int, addresses: Mapping[str, Address]) -> Run:
        """Return the whole."""
        return Run(
            self._plan.flow,
            seed,
            self._verdict(),
            self._virtual_us,
            wall_us=0,
            messages=self._messages,
            expectations=[*map(self._expectation, self._plan.observations), *map(self._expectation, self._terms)],
            failures=self._failures,
            failures_omitted=self._failures_omitted,
            calls=self._summaries,
            traces=self._traces,
            addresses=addresses,
            interrupted=self.interrupted,
        )

    def _verdict(self) -> Verdict:
        if self.interrupted or Verdict.ERROR in self._verdicts:
            return Verdict.ERROR
        return Verdict.FAIL if Verdict.FAIL in self._verdicts else Verdict.PASS

    def _expectation(self, about: Line | Term) -> Expectation:
        found = self._findings.get(about, Finding(about, held=False))
        text = about.text if isinstance(about, Term) else about.step.text
        verdict = Verdict.PASS if found.held else Verdict.FAIL
        return Expectation(about.source, text, verdict, found.expected_us, found.actual_us)

    def _note(self, findings: Iterator[Finding]) -> None:
        for finding in findings:
            known = self._findings.get(finding.about)
            if known is None or (known.held and not finding.held):
                self._findings[finding.about] = finding

    def _of_terms(self, call: CallRun, failures: list[Failure]) -> Iterator[Finding]:
        """Judge `expect`, unless the call did not come that far; add its failures."""
        if failures or self.interrupted:
            yield from (Finding(term, held=False) for term in self._terms)
            return
        for term in self._terms:
            judgement = judge(term, self._plan.flow.expect, call.ledger, call.script.marks, at=call.last_at)
            if judgement.failure is not None:
                failures.append(judgement.failure)
            yield Finding(term, judgement.failure is None, judgement.expected_us, judgement.actual_us)


def _of_lines(script: Script) -> Iterator[Finding]:
    unmet = script.unmet()
    for line in script.plan.observations:
        met = script.met.get(line)
        if line not in unmet:
            yield Finding(line, True, met.due.stated if met and met.due else None, met.at if met else None)
        elif line is script.culprit:
            due = script.missed or (met.due if met else None)
            yield Finding(line, False, due.stated if due else None, met.at if met and not script.missed else None)
        else:
            yield Finding(line, False)
