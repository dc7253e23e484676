"""The shipped flows, audited: our own parties keep every rule, and those that a flow has misbehave are found out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simkit.api import load_flows
from simkit.audit.auditor import audit_call
from simkit.audit.finding import Finding
from simkit.flows.model import Flow, Role
from simkit.rulebook import Severity
from simkit.runs.simulate import simulate
from simkit.trace import Trace, Transit

FLOWS = sorted((Path(__file__).parents[2] / "flows").rglob("*.yaml"))
CALLS_MAX = 3
"""Of each flow; the others are alike."""

SET_SO = {
    "RFC4028-4-3": "a flow may set an interval below 90 s: that is how people test",
    "RFC4028-5-2": "... and so a Min-SE",
}
STOOD_STILL = ("suspend", "suspend-too-long")


def serious(flow: Flow) -> Iterator[Finding]:
    """Findings that are more than notes, about parties that follow rules of their own."""
    run = simulate(flow, calls=min(flow.calls.count, CALLS_MAX), keep_all=True)
    actors = flow.actors.values()
    ours = {actor.name for actor in actors if actor.role is not Role.SCRIPTED and actor.logic is None}
    for number in sorted(run.traces):
        for trace in by_call_id(run.traces[number]):
            for finding in audit_call(trace, ended_at=run.virtual_us).findings:
                if finding.severity is not Severity.NOTE and finding.actor in ours:
                    yield finding


def by_call_id(trace: Trace) -> Iterator[Trace]:
    calls: dict[str, list[Transit]] = {}
    for transit in trace.messages():
        calls.setdefault(transit.message.call_id, []).append(transit)
    for transits in calls.values():
        yield Trace(list(transits))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_our_own_parties_keep_the_rules(path: Path) -> None:
    for flow in load_flows(path):
        found = [finding for finding in serious(flow) if finding.rule not in SET_SO]
        assert bool(found) == (path.stem in STOOD_STILL), found


def test_a_party_that_stood_still_is_found_late() -> None:
    (flow,) = load_flows(next(path for path in FLOWS if path.stem == "suspend-too-long"))
    assert [finding.rule for finding in serious(flow)] == ["RFC4028-7.2-11"]
