"""One run made of parts of it: the calls of a crowd that were played in several processes.

The parts together say what the whole would have said, had it been played at once.
"""

from collections.abc import Sequence
from dataclasses import replace

from .run import SHOWN_MAX, Run
from .verdict import Expectation, Verdict

_WORST_FIRST = (Verdict.ERROR, Verdict.FAIL, Verdict.PASS)


def join(parts: Sequence[Run]) -> Run:
    """Return the run that these are parts of, in the order of their calls; `wall_us` is that of the slowest part."""
    failed = sorted({failure.call for part in parts for failure in part.failures})
    shown = failed[:SHOWN_MAX]
    traces = {number: trace for part in parts for number, trace in part.traces.items()}
    if len(traces) < parts[0].flow.calls.count:  # not all are kept: then only of those failures that are shown
        traces = {number: trace for number, trace in traces.items() if number in shown or number not in failed}
    return replace(
        parts[0],
        verdict=min((part.verdict for part in parts), key=_WORST_FIRST.index),
        virtual_us=max(part.virtual_us for part in parts),
        wall_us=max(part.wall_us for part in parts),
        messages=sum(part.messages for part in parts),
        expectations=[_first_missed(found) for found in zip(*(part.expectations for part in parts), strict=True)],
        failures=[failure for part in parts for failure in part.failures if failure.call in shown],
        failures_omitted=sum(part.failures_omitted for part in parts) + len(failed) - len(shown),
        calls=[call for part in parts for call in part.calls],
        violations=[violation for part in parts for violation in part.violations],
        traces=traces,
        interrupted=any(part.interrupted for part in parts),
        broken=next((part.broken for part in parts if part.broken), None),
    )


def _first_missed(found: Sequence[Expectation]) -> Expectation:
    return next((expectation for expectation in found if expectation.verdict is not Verdict.PASS), found[0])
