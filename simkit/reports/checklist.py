"""The list of checks, as people read it: of one stack with what each showed, of several as a matrix."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ..audit.finding import Finding
from ..checklist.checks import CHECKS, Check
from ..checklist.judging import Outcome, Result
from ..checklist.running import Tested
from ..units import S, format_time
from .audit import call_text
from .cells import cells, pad, wrap
from .style import PLAIN, Colour, Style
from .summary import single
from .wire import wire_line

LOG_LINES_MAX: Final = 1_000

_COLOURS: Final = {Outcome.KEPT: Colour.GOOD, Outcome.BROKEN: Colour.BAD, Outcome.NOT_ASKED: Colour.FAINT}
_TIME_COLUMNS: Final = 9


def list_text(tested: Tested, style: Style) -> str:
    """Return a line for each check, the rules that the stack broke, and the verdict; without a line end."""
    lines = [line for check, result in tested.results.items() for line in _row(check, result, style)]
    broken = tested.broken_rules()
    if broken:
        lines += ["", *(line for finding in broken for line in _finding(finding, style))]
    return "\n".join([*lines, "", verdict_line(tested, style)])


def _row(check: Check, result: Result, style: Style) -> list[str]:
    title = max(cells(each.title) for each in CHECKS)
    when = format_time(result.at_us // 1000 * 1000) if result.at_us is not None else ""
    head = f"  {mark(result.outcome, style)} {pad(check.title, title)} {when:>{_TIME_COLUMNS}}"
    indent = 2 + cells(_marks(style)[result.outcome]) + 1 + title + 1 + _TIME_COLUMNS + 3
    first, *rest = wrap(style.text(result.text), max(20, style.width - indent), indent=0)
    return [f"{head}   {first}".rstrip(), *(" " * indent + line for line in rest)]


def _finding(finding: Finding, style: Style) -> list[str]:
    head = f"  {finding.severity.value} {finding.rule}  "
    first, *rest = wrap(style.text(f"the stack {finding.text}"), max(20, style.width - cells(head)), indent=0)
    return [head + first, *(" " * cells(head) + line for line in rest)]


def verdict_line(tested: Tested, style: Style) -> str:
    """Return "PASS  8 of 8 checks   in 9.2 s"."""
    outcomes = [result.outcome for result in tested.results.values()]
    kept, asked = outcomes.count(Outcome.KEPT), len(CHECKS) - outcomes.count(Outcome.NOT_ASKED)
    word = style.paint("PASS", Colour.GOOD) if tested.passed else style.paint("FAIL", Colour.BAD)
    parts = [f"{kept} of {asked} checks", f"in {tested.wall_us / S:.1f} s"]
    if tested.interrupted:
        parts.append("interrupted")
    return f"{word}  {'   '.join(parts)}"


def mark(outcome: Outcome, style: Style) -> str:
    """Return a tick or a cross."""
    return style.paint(_marks(style)[outcome], _COLOURS[outcome])


def _marks(style: Style) -> Mapping[Outcome, str]:
    glyphs = style.glyphs
    return {Outcome.KEPT: glyphs.held, Outcome.BROKEN: glyphs.lost, Outcome.NOT_ASKED: "-"}


def matrix(stacks: Mapping[str, Tested], style: Style) -> str:
    """Return a row for each check and a column for each stack, with when it was seen; without a line end."""
    rows = [["", *stacks]]
    rows += [
        [check.title, *(_cell(tested.results.get(check), style) for tested in stacks.values())] for check in CHECKS
    ]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(pad, row, widths)).rstrip() for row in rows)


def matrix_markdown(stacks: Mapping[str, Tested]) -> str:
    """Return the matrix as a table for the README, and the rules that each stack broke."""
    rows = [f"| | {' | '.join(stacks)} |", f"|---|{'---|' * len(stacks)}"]
    for check in CHECKS:
        found = (_cell(tested.results.get(check), PLAIN) for tested in stacks.values())
        rows.append(f"| {check.title} | {' | '.join(found)} |")
    rows.append("")
    for title, tested in stacks.items():
        remarks = [f"  * {remark}" for remark in _remarks(tested)]
        rows += [f"* **{title}**", *remarks] if remarks else []
    return "\n".join(rows)


def _cell(result: Result | None, style: Style) -> str:
    if result is None:
        return ""
    when = f" {result.at_us / S:.1f}" if result.at_us is not None and result.outcome is Outcome.KEPT else ""
    return f"{mark(result.outcome, style)}{when}"


def remarks_text(stacks: Mapping[str, Tested], style: Style) -> str:
    """Return why there are crosses, and which rules were broken, without a line end."""
    remarks = ((title, remark) for title, tested in stacks.items() for remark in _remarks(tested))
    return "\n".join(
        line for title, remark in remarks for line in wrap(style.text(f"{title}: {remark}"), style.width, indent=2)
    )


def _remarks(tested: Tested) -> Iterator[str]:
    """Yield why a stack has crosses, and which rules it broke."""
    crosses: dict[str, list[str]] = {}
    for check, result in tested.results.items():
        if result.outcome is Outcome.BROKEN:
            crosses.setdefault(result.text, []).append(check.title)
    for text, checks in crosses.items():
        yield f"{' and '.join(checks)}: {text}"
    for finding in tested.broken_rules():
        yield f"{finding.severity.value} {finding.rule}: it {finding.text}"
    if tested.note:
        yield tested.note


def report_text(title: str, tested: Tested, log: Sequence[str]) -> str:
    """Return everything in one place, for a file: the list, the ladder and the audit of each call, and the log."""
    parts = [title, list_text(tested, PLAIN)]
    parts.append(wire_line([*tested.runs.values()], PLAIN))
    for name, run in tested.runs.items():
        parts += [f"=== {name} ===", single(run, PLAIN, verbose=True), call_text(tested.audits[name], PLAIN)]
    more = f", the last {LOG_LINES_MAX} lines" if len(log) > LOG_LINES_MAX else ""
    parts += [f"=== the log of the stack{more} ===", "\n".join(log[-LOG_LINES_MAX:]) or "(empty)"]
    return "\n\n".join(parts) + "\n"
