"""Which rules of RFC 4028 does a timer logic keep? Each flow is run, its trace audited, and both counted by rule.

A rule is *exercised* where the situation that it is about came about with the subject in the part that it binds; a rule
that only permits or defines, wherever it came about. It is *broken* where the auditor says so of the subject, or where
a flow failed: by the rule that was at stake there, or else by those that the flow covers and that were exercised in it.
It is *kept* where it was exercised and nobody found fault.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..audit.auditor import audit_call
from ..audit.occasions import SHOWN, occasions_of
from ..errors import Source
from ..flows.model import Flow, Logic
from ..rulebook import RULES, Observable, Rule, Severity, Strength, rules_under
from ..runs.run import Run
from ..runs.seats import LOGIC_TIMEOUT_S
from ..runs.simulate import simulate
from ..units import HOUR
from .suite import ALL_ABLE, Abilities, seat, subject_of

AFTERMATH_US: Final = 2 * HOUR
"""How long a call that has failed is watched: what is wrong may show only when the peer has given up."""
_BINDS_NOBODY: Final = (Strength.MAY, Strength.DEFINITION)


class Standing(StrEnum):
    """How a logic stands with a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_EXERCISED = "not exercised"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Failing:
    """Where a rule was broken."""

    flow: str
    """Its title."""
    source: Source
    at: int
    text: str
    by_auditor: bool


@dataclass(slots=True)
class RuleVerdict:
    """How a logic stands with one rule."""

    rule: Rule
    standing: Standing = Standing.NOT_EXERCISED
    flows: list[str] = field(default_factory=list)
    """The titles of those that exercised it."""
    failings: list[Failing] = field(default_factory=list)
    why: str = ""
    """Why it was not exercised, or is not applicable."""


@dataclass(slots=True)
class Conformance:
    """How a logic stands with all rules."""

    logic: str
    verdicts: dict[str, RuleVerdict]
    played: int = 0
    failed: list[str] = field(default_factory=list)
    """The titles of the flows that failed."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Why a flow was not played, by its title."""
    messages: int = 0
    wall_us: int = 0

    def of(self, standing: Standing) -> list[RuleVerdict]:
        """Return the rules with which it stands so."""
        return [verdict for verdict in self.verdicts.values() if verdict.standing is standing]

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is broken."""
        return not self.of(Standing.BROKEN) and not self.failed

    def coverage(self, prefix: str = "RFC4028") -> tuple[int, int]:
        """Return how many rules of a section were exercised, and how many of them apply to this logic."""
        wanted = [self.verdicts[rule.id] for rule in rules_under(prefix) if rule.id in self.verdicts]
        wanted = [verdict for verdict in wanted if verdict.standing is not Standing.NOT_APPLICABLE]
        return sum(verdict.standing is not Standing.NOT_EXERCISED for verdict in wanted), len(wanted)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one run says of its subject."""

    exercised: frozenset[str]
    failings: tuple[tuple[str, Failing], ...]
    """Each with the rule that it breaks."""


def examine(
    flows: Sequence[Flow],
    logic: Logic | None = None,
    abilities: Abilities = ALL_ABLE,
    *,
    seed: int = 1,
    logic_timeout_s: float = LOGIC_TIMEOUT_S,
) -> Conformance:
    """Put a logic (None: ours) to the test of a suite. Raises FlowError and ForeignError as `simulate` does."""
    shown = [rule for rule in RULES.values() if rule.id.startswith("RFC4028") and rule.observable is not Observable.NO]
    conformance = Conformance(str(logic or "rfc4028"), {rule.id: RuleVerdict(rule) for rule in shown})
    beyond: dict[str, str] = {}
    for flow in flows:
        seated = seat(flow, logic)
        why = "the logic has no seat here" if seated is None else abilities.lacks(flow)
        if seated is None or why:
            conformance.skipped[flow.title] = why
            beyond |= dict.fromkeys(judge(simulate(flow, seed=seed)).exercised, why)
            continue
        run = simulate(seated, seed=seed, logic_timeout_s=logic_timeout_s, aftermath_us=AFTERMATH_US)
        _count(conformance, run)
    for verdict in conformance.verdicts.values():
        _conclude(verdict, beyond)
    return conformance


def _count(conformance: Conformance, run: Run) -> None:
    title = run.flow.title
    conformance.played += 1
    conformance.messages += run.messages
    conformance.wall_us += run.wall_us
    if not run.passed:
        conformance.failed.append(title)
    judged = judge(run)
    for id in judged.exercised:
        if id in conformance.verdicts:
            conformance.verdicts[id].flows.append(title)
    for id, failing in judged.failings:
        verdict = conformance.verdicts.setdefault(id, RuleVerdict(RULES[id]))
        if failing not in verdict.failings:
            verdict.failings.append(failing)


def _conclude(verdict: RuleVerdict, beyond: dict[str, str]) -> None:
    """Say how the logic stands; `beyond` has the rules that ours meets in the flows that were not played, and why."""
    if verdict.failings:
        verdict.standing = Standing.BROKEN
    elif verdict.flows:
        verdict.standing = Standing.KEPT
    elif verdict.rule.id in beyond:
        verdict.standing, verdict.why = Standing.NOT_APPLICABLE, beyond[verdict.rule.id]
    else:
        shown = verdict.rule.id in SHOWN
        verdict.why = "it never came to that" if shown else "nothing here can show it"


def judge(run: Run) -> Judged:
    """Return what a run says of its subject."""
    subject = subject_of(run.flow).name
    exercised = frozenset(
        occasion.rule
        for occasion in occasions_of(run.trace)
        if occasion.actor == subject or RULES[occasion.rule].strength in _BINDS_NOBODY
    )
    found = tuple(_findings(run, subject))
    return Judged(exercised, (*_failures(run, exercised, {id for id, _ in found}), *found))


def _findings(run: Run, subject: str) -> Iterator[tuple[str, Failing]]:
    for finding in audit_call(run.trace).findings:
        if finding.actor == subject and finding.severity is not Severity.NOTE:
            text = f"{subject} {finding.text}"
            yield finding.rule, Failing(run.flow.title, run.flow.source, finding.at, text, by_auditor=True)


def _failures(run: Run, exercised: frozenset[str], found: set[str]) -> Iterator[tuple[str, Failing]]:
    for failure in run.failures:
        covered = [id for id in run.flow.covers if id in exercised or id in found] or run.flow.covers
        failing = Failing(run.flow.title, failure.source, failure.at, failure.headline, by_auditor=False)
        for id in [failure.rule] if failure.rule else [id for id in covered if id in found] or covered:
            yield id, failing
