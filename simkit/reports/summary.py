"""What a run came to: one line for one run, a table and one line of totals for several.

Wall-clock times are the only thing here that differs from run to run; a verdict line may do without.
"""

from collections.abc import Sequence
from typing import Final

from ..runs.run import Run
from ..runs.verdict import Verdict
from ..units import MS, S, format_time
from .cells import cells, wrap
from .counts import counted
from .failure import failures
from .ladder import ladder
from .style import Colour, Style

_COLOURS: Final = {Verdict.PASS: Colour.GOOD, Verdict.FAIL: Colour.BAD, Verdict.ERROR: Colour.BROKEN}
_WORST_FIRST: Final = (Verdict.ERROR, Verdict.FAIL, Verdict.PASS)
_HEADERS: Final = ("", "flow", "held", "virtual s", "wall", "messages")
_FLOW: Final = _HEADERS.index("flow")
_FLOW_LEAST: Final = 12


def single(run: Run, style: Style, *, timers: bool = False, verbose: bool = False, more: str = "") -> str:
    """Return all that is said about one run: title, ladder, failures, verdict; without a line end.

    Of many calls, the ladder is that of the first that failed. With `verbose` nothing is left out of it, and each
    expectation has its line. `more` tells what the rules say.
    """
    call = next((failure.call for failure in run.failures if failure.call in run.traces), 0)
    parts = [
        _heading(run, style, call),
        ladder(run, style, timers=timers, call=call, full=verbose),
        _expectations(run, style) if verbose else "",
        more or _violations(run, style),
        failures(run, style),
        verdict_line(run, style),
    ]
    return "\n\n".join(part for part in parts if part)


def verdict_line(run: Run, style: Style, *, wall: bool = True) -> str:
    """Return "PASS  6 of 6 expectations   1800.000 s in 3 ms   14 messages"."""
    parts = [
        _of(sum(each.verdict is Verdict.PASS for each in run.expectations), len(run.expectations), "expectation"),
        *([f"{run.flow.calls.count} calls"] if run.flow.calls.count > 1 else []),
        _time(run.virtual_us, run.wall_us if wall else None),
        counted(run.messages, "message"),
    ]
    if run.interrupted:
        parts.append("interrupted")
    if not run.passed:
        parts.append(f"seed {run.seed}")
    return f"{_verdict(run.verdict, style)}  {'   '.join(parts)}"


def table(runs: Sequence[Run], style: Style) -> str:
    """Return one row for each run, without a line end: errors and failures first, then the slowest."""
    from tabulate import tabulate  # takes 60 ms to import, and a single flow needs none of it

    ordered = sorted(runs, key=lambda run: (_WORST_FIRST.index(run.verdict), -run.wall_us))
    rows = [_HEADERS, *(_table_row(run, style) for run in ordered)]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    room = style.width - sum(widths) - 2 * (len(widths) - 1) + widths[_FLOW]
    lines = tabulate(
        [(*row[:_FLOW], style.cut(row[_FLOW], max(_FLOW_LEAST, room)), *row[_FLOW + 1 :]) for row in rows],
        tablefmt="plain",
        disable_numparse=True,
        colalign=("left", "left", *("right" for _ in widths[2:])),
    ).split("\n")
    colours = [Colour.FAINT, *(_COLOURS[run.verdict] for run in ordered)]
    return "\n".join(_first_word(line, colour, style) for line, colour in zip(lines, colours, strict=True))


def _table_row(run: Run, style: Style) -> tuple[str, ...]:
    held = f"{sum(each.verdict is Verdict.PASS for each in run.expectations)} of {len(run.expectations)}"
    title, virtual = style.text(run.flow.title), format_time(run.virtual_us)
    return run.verdict.upper(), title, held, virtual, _wall(run.wall_us), str(run.messages)


def _first_word(line: str, colour: Colour, style: Style) -> str:
    word, space, rest = line.partition(" ")
    return style.paint(word, colour) + space + rest


def totals(runs: Sequence[Run], style: Style, wall_us: int | None = None) -> str:
    """Return "FAIL  11 of 12 flows   21600.000 s in 140 ms   1234 messages"; `wall_us` is what all took together."""
    worst = next((each for each in _WORST_FIRST if any(run.verdict is each for run in runs)), Verdict.PASS)
    parts = [
        _of(sum(run.passed for run in runs), len(runs), "flow"),
        _time(sum(run.virtual_us for run in runs), wall_us),
        counted(sum(run.messages for run in runs), "message"),
    ]
    return f"{_verdict(worst, style)}  {'   '.join(parts)}"


def _heading(run: Run, style: Style, call: int) -> str:
    title, about = style.text(run.flow.title), style.text(" ".join(run.flow.about.split()))
    if run.flow.calls.count > 1:
        about = f"{about} (call {call + 1} of {run.flow.calls.count})".lstrip()
    indent = min(cells(title) + 2, style.width // 3)
    first, *others = wrap(f"{title}  {about}".rstrip(), style.width, indent=indent)
    painted = style.paint(title, Colour.NAME) + first[len(title) :] if first.startswith(title) else first
    return "\n".join([painted, *others])


def _expectations(run: Run, style: Style) -> str:
    lines = []
    for each in run.expectations:
        held = each.verdict is Verdict.PASS
        mark = style.paint(style.glyphs.held if held else style.glyphs.lost, _COLOURS[each.verdict])
        at = [f"at {format_time(each.actual_us)}"] if each.actual_us is not None else []
        if not held and each.expected_us is not None:
            at.append(f"expected at {format_time(each.expected_us)}")
        lines.append("  ".join([f"  {mark} {each.source.line:>4}", style.text(each.text), *at]))
    return "\n".join(lines)


def _violations(run: Run, style: Style) -> str:
    """Return the broken rules that no failure speaks of."""
    said = {failure.rule for failure in run.failures}
    return "\n".join(
        style.text(f"{each.rule}: {each.severity}: {each.actor} at {format_time(each.at)} s: {each.text}")
        for each in run.violations
        if each.rule not in said
    )


def _verdict(verdict: Verdict, style: Style) -> str:
    return style.paint(verdict.upper(), _COLOURS[verdict])


def _of(held: int, total: int, noun: str) -> str:
    return f"{held} of {counted(total, noun)}"


def _time(virtual_us: int, wall_us: int | None) -> str:
    virtual = f"{format_time(virtual_us)} s"
    return virtual if wall_us is None else f"{virtual} in {_wall(wall_us)}"


def _wall(wall_us: int) -> str:
    if wall_us < MS:
        return "under 1 ms"
    return f"{wall_us // MS} ms" if wall_us < S else f"{wall_us // S}.{wall_us % S // (100 * MS)} s"
