"""`expect: log`: what a real system under test must have logged."""

from ..errors import Source
from ..flows.model import Flow
from .run import Run
from .verdict import Expectation, Failure, Verdict

CASE_HINT = "expected in a line of its output or log, letter by letter"


def judge_log(run: Run) -> None:
    """Enter into a run which of the texts that its flow expects were logged, by any of its systems."""
    if run.wire is None or run.interrupted:
        return
    lines = [logged.text for tested in run.wire.tested for logged in tested.log]
    for text in run.flow.expect.log:
        source, held = _place(run.flow), any(text in line for line in lines)
        run.expectations.append(Expectation(source, f"log: {text}", Verdict.PASS if held else Verdict.FAIL))
        if not held:
            where = f"none of its {len(lines)} lines has it" if lines else "it logged nothing"
            run.failures.append(Failure(source, f"'{text}' was not logged: {where}", CASE_HINT, at=run.virtual_us))
            run.verdict = Verdict.FAIL if run.verdict is Verdict.PASS else run.verdict


def _place(flow: Flow) -> Source:
    return flow.expect.sources.get("log", flow.source)
