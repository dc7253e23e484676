"""Where a recorded stack did something else than our timer logic: what it did, what ours does, and the rule."""

from collections.abc import Iterator

from ..captures.sendings import title_of
from ..errors import Source
from ..rebuild.deviations import Deviation, Settled
from ..rulebook import RULES, Severity
from ..runs.run import Run
from ..runs.verdict import Failure
from ..trace import Transit
from ..units import MS, format_duration, format_time
from .cells import wrap
from .flow_lines import flow_lines
from .labels import label
from .style import Colour, Style

_TOKENS = ("Supported", "Require")


def deviation_failure(deviation: Deviation, settled: Settled, run: Run) -> Failure:
    """Return a deviation that broke a rule as what failed when the call was played."""
    finding, *others = (each for each in deviation.findings if each.severity is not Severity.NOTE)
    note = f"{deviation.actor} {finding.text}" + (f"; likely: {finding.likely}" if finding.likely else "")
    also = [f"{each.rule}: {deviation.actor} {each.text}" for each in others]
    return Failure(
        Source(run.flow.path.strip("<>"), deviation.recorded.number if deviation.recorded else finding.frame),
        _headline(deviation),
        details=(*(f"    {line}" for line in _both(deviation)), *also),
        rule=finding.rule,
        rule_note=note,
        at=deviation.at,
        frame=_played(deviation.recorded, settled, run) if deviation.recorded else None,
    )


def _played(recorded: Transit, settled: Settled, run: Run) -> int | None:
    """Return the number that a recorded message has where it was played."""
    lines = flow_lines(run.flow, run.trace.messages())
    origins = {number: settled.rebuilt.origins.get(source.line) for number, source in lines.items()}
    return next((number for number, origin in origins.items() if origin and origin.number == recorded.number), None)


def choices_text(settled: Settled, style: Style) -> str:
    """Return the deviations that the rules leave open, without a line end; "" where there are none."""
    return "\n\n".join("\n".join(_choice(each, style)) for each in settled.deviations if not each.is_fault)


def _choice(deviation: Deviation, style: Style) -> Iterator[str]:
    yield style.paint(style.text(_headline(deviation)), Colour.NAME)
    lines = [*_both(deviation), *_why(deviation)]
    for line in lines:
        yield from (f"    {part}" for part in wrap(style.text(line), max(20, style.width - 4), indent=10))


def _headline(deviation: Deviation) -> str:
    what = "did something else than our timer logic" if deviation.is_fault else "chose otherwise than our timer logic"
    return f"{deviation.actor} ({deviation.address}) {what}, at {format_time(deviation.at)} s"


def _both(deviation: Deviation) -> Iterator[str]:
    recorded, ours = deviation.recorded, deviation.ours
    is_same = recorded and ours and title_of(recorded.message) == title_of(ours.message)
    until = "nothing until " if recorded and ours and not is_same else ""
    by = _late(recorded.sent_at - ours.sent_at, deviation.tolerance_us) if recorded and ours and is_same else ""
    yield f"recorded  {until}{_said(recorded, ours if is_same else None)}{by}"
    yield f"ours      {deviation.refused or _said(ours, recorded if is_same else None)}"


def _late(late_us: int, tolerance_us: int) -> str:
    """Return ": 11s late, tolerance 9s", or "early"; "" for what is no later or earlier than it may be."""
    if abs(late_us) <= tolerance_us:
        return ""
    by = format_duration(abs(late_us) // MS * MS)
    return f": {by} {'late' if late_us > 0 else 'early'}, tolerance {format_duration(tolerance_us)}"


def _said(transit: Transit | None, other: Transit | None) -> str:
    """Return what was said when, and what is in it that is otherwise in another message."""
    if transit is None:
        return "nothing"
    said = label(transit.message)
    for name in _TOKENS if other else ():
        tokens = transit.message.tokens(name)
        if other and ("timer" in tokens) != ("timer" in other.message.tokens(name)):
            said += f"  {name}: timer" if "timer" in tokens else f"  no {name}: timer"
    return f"{said}, at {format_time(transit.sent_at)} s"


def _why(deviation: Deviation) -> Iterator[str]:
    """Yield that no rule was broken, with the custom that it is, or the rule that ours went by."""
    yield "the auditor finds no rule broken by that"
    if deviation.findings:
        finding = deviation.findings[0]
        yield f"{finding.rule}: {deviation.actor} {finding.text}"
    elif rule := RULES.get(deviation.rule or ""):
        yield f"ours goes by {rule.id}: {rule.statement}"


def deviation_object(deviation: Deviation) -> dict[str, object]:
    """Return the object of a deviation; times are integers of microseconds since the capture began."""
    recorded, ours = deviation.recorded, deviation.ours
    return {
        "actor": deviation.actor,
        "address": deviation.address,
        "at_us": deviation.at,
        "broken": deviation.is_fault,
        "frame": recorded.number if recorded else None,
        "recorded": label(recorded.message) if recorded else None,
        "recorded_us": recorded.sent_at if recorded else None,
        "ours": label(ours.message) if ours else None,
        "ours_us": ours.sent_at if ours else None,
        "refused": deviation.refused or None,
        "rules": [finding.rule for finding in deviation.findings],
        "our_rule": deviation.rule,
    }
