"""Runs as TAP version 14 (testanything.org): a line each, and a YAML block where something did not hold."""

import json
from collections.abc import Iterable, Iterator

from ..runs.run import Run
from ..runs.verdict import Failure
from .cells import printable
from .failure import failure_lines


def tap(runs: Iterable[Run]) -> str:
    """Return the whole stream."""
    ordered = list(runs)
    lines = ["TAP version 14", f"1..{len(ordered)}"]
    for number, run in enumerate(ordered, 1):
        lines.append(f"{'ok' if run.passed else 'not ok'} {number} - {_description(run)}")
        if not run.passed:
            lines += [f"  {line}" for line in _diagnostics(run)]
    return "\n".join(lines) + "\n"


def _description(run: Run) -> str:
    text = printable(f"{run.flow.path}: {run.flow.title}")
    return text.replace("\\", "\\\\").replace("#", "\\#")  # "#" would begin a directive


def _diagnostics(run: Run) -> Iterator[str]:
    yield "---"
    yield f"verdict: {run.verdict.value}"
    yield f"seed: {run.seed}"
    yield "failures:" if run.failures else "failures: []"
    for failure in run.failures:
        yield from _failure(failure, run)
    yield "..."


def _failure(failure: Failure, run: Run) -> Iterator[str]:
    yield f"  - message: {json.dumps(printable(failure.headline))}"  # a JSON text is a YAML text
    yield f"    file: {json.dumps(printable(failure.source.path))}"
    yield f"    line: {failure.source.line}"
    yield f"    column: {failure.source.column}"
    yield f"    at_us: {failure.at}"
    yield "    text: |2"  # an indicator, for the first line may begin with spaces
    for line in failure_lines(failure, run):
        yield f"      {line}"
