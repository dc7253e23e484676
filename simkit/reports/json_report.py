"""A run as one JSON object on one line. Keys are only ever added; times are integers of microseconds."""

import json
from collections.abc import Mapping
from typing import Final

from .. import __version__
from ..runs.run import CallSummary, Run, Violation, Wire
from ..runs.verdict import Expectation

_NOTHING: Final[Mapping[str, object]] = {}


def run_object(run: Run, *, wall: bool = False) -> dict[str, object]:
    """Return the object of one run; without `wall` its `wall_us` is null, so that equal seeds give equal bytes."""
    return {
        "simkit": __version__,
        "flow": run.flow.path,
        "case": run.flow.case,
        "seed": run.seed,
        "verdict": run.verdict.value,
        "virtual_us": run.virtual_us,
        "wall_us": run.wall_us if wall else None,
        "messages": run.messages,
        "expectations": [_expectation(each) for each in run.expectations],
        "calls": [call_object(each) for each in run.calls],
        "violations": [violation_object(each) for each in run.violations],
        **(_wire(run.wire) if run.wire else {}),
    }


def _wire(wire: Wire) -> dict[str, object]:
    return {
        "driver": "loopback",
        "speed": wire.speed,
        "tolerance_us": wire.tolerance_us,
        "recorded_by": wire.recorded_by,
        "strays": wire.strays,
    }


def json_line(run: Run, *, wall: bool = False, more: Mapping[str, object] = _NOTHING) -> str:
    """Return the object of one run, with what `more` adds, as a line of ASCII with its line end."""
    return json.dumps({**run_object(run, wall=wall), **more}) + "\n"


def _expectation(expectation: Expectation) -> dict[str, object]:
    return {
        "line": expectation.source.line,
        "text": expectation.text,
        "verdict": expectation.verdict.value,
        "expected_us": expectation.expected_us,
        "actual_us": expectation.actual_us,
    }


def call_object(call: CallSummary) -> dict[str, object]:
    """Return the object of one call, of a run or of a capture."""
    return {
        "call_id": call.call_id,
        "session_interval_s": call.session_interval_s,
        "refresher": call.refresher,
        "refreshes": call.refreshes,
        "ended_by": call.ended_by,
        "ended_us": call.ended_us,
        "reason": call.reason,
    }


def violation_object(violation: Violation) -> dict[str, object]:
    """Return the object of one broken rule, of a run or of a capture."""
    return {
        "rule": violation.rule,
        "severity": violation.severity,
        "actor": violation.actor,
        "at_us": violation.at,
        "frame": violation.frame,
        "text": violation.text,
    }
