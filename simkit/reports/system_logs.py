"""What real systems logged in a run: where something went wrong, or in full."""

from collections.abc import Sequence
from typing import Final

from ..runs.run import Logged, Run, Tested
from ..units import format_time
from .counts import counted
from .style import Colour, Style

BEFORE, AFTER = 8, 2
"""So many lines of a log are shown before and after something went wrong."""
LOG_LINES_MAX: Final = 40
"""So many lines of a log are shown altogether, unless all are."""


def logs(run: Run, style: Style, *, whole: bool = False) -> str:
    """Return what each logged, without a line end; "" where nobody did."""
    tested = run.wire.tested if run.wire else ()
    blocks = (_log(each, run, style, whole=whole) for each in tested)
    return "\n\n".join(block for block in blocks if block)


def _log(tested: Tested, run: Run, style: Style, *, whole: bool) -> str:
    """Return the log, or what of it is near to what went wrong; how long it is where nothing did."""
    if not tested.log:
        return ""
    shown = range(len(tested.log)) if whole else sorted(_near(tested.log, _troubled_at(run)))[:LOG_LINES_MAX]
    count = counted(len(tested.log), "line")
    if not shown:
        return style.text(f"{tested.name} logged {count} (-v shows them)")
    lines = [style.paint(style.text(f"the log of {tested.name}, {len(shown)} of {count}"), Colour.NAME)]
    for place, index in enumerate(shown):
        if place and index > shown[place - 1] + 1:
            lines.append(f"{'...':>12}")
        logged = tested.log[index]
        lines.append(f"{format_time(logged.at):>12}  {style.cut(style.text(logged.text), max(20, style.width - 14))}")
    return "\n".join(lines)


def _troubled_at(run: Run) -> list[int]:
    """Return when something went wrong."""
    errors = [violation.at for violation in run.violations if violation.severity == "error"]
    return [*(failure.at for failure in run.failures), *errors]


def _near(log: Sequence[Logged], times: Sequence[int]) -> set[int]:
    near: set[int] = set()
    for at in times:
        index = sum(logged.at <= at for logged in log)
        near.update(range(max(0, index - BEFORE), min(len(log), index + AFTER)))
    return near
