"""Who catches the defects of the museum? Each piece is put into every seat of every flow, and the traces are audited.

A piece is *caught* where a flow fails that a healthy machine passes. It is *named* where the auditor, who sees nothing
but messages, finds one of the rules broken that the piece is known to break, by the party that the piece plays, where
it finds nothing of the kind with the healthy machine. Neither knows that there is a museum.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..audit.auditor import audit_call
from ..audit.finding import Finding
from ..flows.model import Calls, Flow, Repeat, Role, Step, Stimulus, Verb
from ..museum import Piece, Visible
from ..rulebook import Severity
from ..runs.run import Run
from ..runs.simulate import simulate
from ..runs.verdict import Failure
from .suite import logic_of, seat_in, seats
from .verdicts import AFTERMATH_US


@dataclass(frozen=True, slots=True)
class Catch:
    """A flow in which a piece was caught, or named."""

    flow: str
    """Its title."""
    actor: str
    """In whose place the piece was."""
    at: int
    text: str
    rule: str | None
    """The rule at stake, or found broken."""


@dataclass(slots=True)
class Score:
    """Who caught one piece."""

    piece: Piece
    caught: list[Catch] = field(default_factory=list)
    """By flows."""
    named: list[Catch] = field(default_factory=list)
    """By the auditor alone."""
    played: int = 0

    @property
    def is_good(self) -> bool:
        """Whether a flow caught it, and the auditor named it if a capture shows it."""
        return bool(self.caught) and (bool(self.named) or self.piece.visible is not Visible.FULLY)


@dataclass(frozen=True, slots=True)
class _Healthy:
    """What our own machines do in a flow."""

    passed: bool
    findings: tuple[Finding, ...]


class Scorer:
    """Plays pieces in these flows, and remembers what healthy machines do there."""

    def __init__(self, flows: Sequence[Flow], *, seed: int = 1) -> None:
        """Take the flows, of each but one call."""
        self._flows = [replace(flow, calls=Calls()) for flow in flows]
        self._seed = seed
        self._healthy: dict[int, _Healthy] = {}

    def score(self, piece: Piece) -> Score:
        """Return who catches a piece."""
        score, logic = Score(piece), logic_of(f"museum:{piece.id}")
        assert logic is not None
        for index, flow in enumerate(self._flows):
            for actor in seats(flow, logic):
                healthy, run = self._at(index), self._play(seat_in(flow, actor, logic))
                score.played += 1
                if healthy.passed and not run.passed:
                    score.caught += [_caught(failure, run, actor) for failure in run.failures[:1]]
                score.named += _named(run, healthy, piece, actor)
        return score

    def false_alarms(self) -> Iterator[tuple[str, Finding]]:
        """Yield what the auditor holds against healthy machines, each beside the title of the flow.

        Flows that warn, or that stop somebody's clock, are left out: that is not healthy.
        """
        for index, flow in enumerate(self._flows):
            machines = {actor.name for actor in flow.actors.values() if actor.role is not Role.SCRIPTED}
            for finding in () if flow.warnings or _stops_clocks(flow.steps) else self._at(index).findings:
                if finding.actor in machines and finding.severity is not Severity.NOTE:
                    yield flow.title, finding

    def _at(self, index: int) -> _Healthy:
        healthy = self._healthy.get(index)
        if healthy is None:
            run = self._play(self._flows[index])
            healthy = self._healthy[index] = _Healthy(run.passed, audit_call(run.trace).findings)
        return healthy

    def _play(self, flow: Flow) -> Run:
        return simulate(flow, seed=self._seed, aftermath_us=AFTERMATH_US)


def _stops_clocks(steps: Sequence[Step]) -> bool:
    stimuli = (step for step in steps if isinstance(step, Stimulus))
    repeats = (step for step in steps if isinstance(step, Repeat))
    return any(step.verb is Verb.FREEZE for step in stimuli) or any(_stops_clocks(step.steps) for step in repeats)


def _caught(failure: Failure, run: Run, actor: str) -> Catch:
    return Catch(run.flow.title, actor, failure.at, failure.headline, failure.rule)


def _named(run: Run, healthy: _Healthy, piece: Piece, actor: str) -> Iterator[Catch]:
    """Yield what the auditor finds of the defect, and does not find without it."""
    usual = {(finding.rule, finding.severity) for finding in healthy.findings if finding.actor == actor}
    for finding in audit_call(run.trace).findings:
        is_new = (finding.rule, finding.severity) not in usual
        if finding.actor == actor and finding.rule in piece.rules and is_new:
            yield Catch(run.flow.title, actor, finding.at, finding.text, finding.rule)
