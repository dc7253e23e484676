"""Failures as a person reads them: where the flow says it, what came instead, and the rule at stake."""

from ..errors import caret
from ..runs.run import Run
from ..runs.verdict import Failure
from .style import PLAIN, Colour, Style


def failures(run: Run, style: Style) -> str:
    """Return all failures of a run, a blank line between them and no line end; "" where there are none."""
    blocks = ["\n".join(_painted(failure, run, style)) for failure in run.failures]
    if run.failures_omitted:
        blocks.append(f"{run.failures_omitted} more calls failed")
    return "\n\n".join(blocks)


def failure_lines(failure: Failure, run: Run, style: Style = PLAIN) -> list[str]:
    """Return a failure without colours: place and headline, the flow's line and a caret, details, the rule."""
    place = failure.source
    first = f"{place}: {failure.headline}"
    if run.flow.calls.count > 1:
        first += f" (call {failure.call + 1} of {run.flow.calls.count})"
    lines = [first, *caret(place, failure.note).split("\n")[1:], *failure.details]
    if failure.note and not place.text:
        lines.append(failure.note)
    if failure.rule:
        lines.append(f"{failure.rule}: {failure.rule_note}" if failure.rule_note else failure.rule)
    return [style.text(line) for line in lines]


def _painted(failure: Failure, run: Run, style: Style) -> list[str]:
    first, *others = failure_lines(failure, run, style)
    place = style.text(f"{failure.source}: ")
    lines = [style.paint(place, Colour.NAME) + style.paint(first.removeprefix(place), Colour.BROKEN)]
    return lines + [style.paint(line, Colour.BAD) if _is_caret(line) else line for line in others]


def _is_caret(line: str) -> bool:
    return line.partition("| ")[2].lstrip().startswith("^")
