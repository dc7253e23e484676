"""The calls of a run added up: one expectation for each line and each term of the flow, whatever the number of calls.

An expectation holds if it held in every call. Its times are those of the first call, or of the first that missed it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from ..errors import ForeignError
from ..trace import Trace
from .call_run import CallRun
from .load import Load
from .outcome import Judgement, Term, judge, terms
from .plan import Line, Plan
from .run import SHOWN_MAX, Address, CallSummary, Run
from .script import Script
from .verdict import Expectation, Failure, Verdict


class Finding(NamedTuple):
    """How one line or term came out in one call."""

    about: Line | Term
    held: bool
    expected_us: int | None = None
    actual_us: int | None = None


class Tally:
    """Adds up calls that are over."""

    def __init__(self, plan: Plan, *, kept_max: int | None = None) -> None:
        """Keep the traces of so many calls that were recorded, beside those that failed and are shown; None: of all."""
        self._kept_max = kept_max
        self.load: Load | None = None
        """Where figures are wanted, what they come to."""
        self.interrupted = False
        self.broken: ForeignError | None = None
        self.failed_calls: list[int] = []
        """The first calls that failed: those to be shown."""
        self._plan = plan
        self._terms = terms(plan.flow)
        self._findings: dict[Line | Term, Finding] = {}
        self._failures: list[Failure] = []
        self._failures_omitted = 0
        self._verdicts: set[Verdict] = set()
        self._summaries: dict[int, list[CallSummary]] = {}
        self._traces: dict[int, Trace] = {}
        self._messages = 0
        self._virtual_us = 0

    def add(self, call: CallRun) -> None:
        """Count a call that is over."""
        self._messages += call.messages
        failure = call.script.failure
        self._virtual_us = max(self._virtual_us, call.last_at, failure.at if failure else 0)
        self._summaries[call.number] = call.ledger.summaries()
        judgements = self._judge(call)
        failed = failure is not None or any(judgement.failure for judgement in judgements)
        self._verdicts |= {call.script.verdict, Verdict.FAIL if failed else Verdict.PASS}
        self._note(_of_lines(call.script))
        self._note(_of_terms(self._terms, judgements))
        if failed and len(self.failed_calls) < SHOWN_MAX:
            self.failed_calls.append(call.number)
        else:
            self._failures_omitted += failed
        if self.load is not None and call.trace is not None:
            self.load.add(call.trace, failure or next((each.failure for each in judgements if each.failure), None))
        is_shown = call.number in self.failed_calls
        if call.trace is not None and (is_shown or self._kept_max is None or len(self._traces) < self._kept_max):
            self.show(call)

    def show(self, call: CallRun) -> None:
        """Keep the trace of a call that was recorded, and its failures."""
        assert call.trace is not None
        self._traces[call.number] = call.trace
        if call.number in self.failed_calls:
            self._failures += [call.failure] if call.failure else []
            self._failures += [replace(found.failure, call=call.number) for found in self._judge(call) if found.failure]

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
            failures=sorted(self._failures, key=lambda failure: failure.call),
            failures_omitted=self._failures_omitted,
            calls=[summary for _, summaries in sorted(self._summaries.items()) for summary in summaries],
            traces=dict(sorted(self._traces.items())),
            addresses=addresses,
            interrupted=self.interrupted,
            broken=self.broken,
            load=self.load,
        )

    def _verdict(self) -> Verdict:
        if self.interrupted or self.broken or Verdict.ERROR in self._verdicts:
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

    def _judge(self, call: CallRun) -> list[Judgement]:
        """Judge `expect`; nothing where the call did not come that far."""
        if call.script.failure is not None:
            return []
        expect, ledger, marks = self._plan.flow.expect, call.ledger, call.script.marks
        return [judge(term, expect, ledger, marks, at=call.last_at) for term in self._terms]


def _of_terms(terms: list[Term], judgements: list[Judgement]) -> Iterator[Finding]:
    for term, found in zip_longest(terms, judgements):
        if found is None:
            yield Finding(term, held=False)
        else:
            yield Finding(term, found.failure is None, found.expected_us, found.actual_us)


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
