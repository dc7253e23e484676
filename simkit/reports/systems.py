"""What is to be told of a run against real systems: the rules, how punctual refreshes were, what else was heard, logs.

The check-list of the rules is that of the audit of a capture; a log is shown where something went wrong, or in full.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from ..audit.finding import CallAudit
from ..rulebook import Severity
from ..runs.run import Logged, Run, Tested
from ..units import S, format_time
from .audit import call_text, is_broken
from .cells import wrap
from .style import Colour, Style

CALLS_TOLD_MAX: Final = 3
BEFORE, AFTER = 8, 2
"""So many lines of a log are shown before and after something went wrong."""
LOG_LINES_MAX: Final = 40
"""So many lines of a log are shown altogether, unless all are."""


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How far from half the session interval a party's refreshes were, in microseconds; before it: below 0."""

    party: str
    count: int
    least_us: int
    median_us: int
    most_us: int


def punctuality(audits: Sequence[CallAudit]) -> list[Punctuality]:
    """Return how punctual each party was that refreshed, over all calls."""
    late: dict[str, list[int]] = defaultdict(list)
    for audit in audits:
        for refresh in audit.refreshes:
            if refresh.late_us is not None:
                late[refresh.actor].append(refresh.late_us)
    return [Punctuality(party, len(found), min(found), median_low(found), max(found)) for party, found in late.items()]


def systems_text(run: Run, audits: Sequence[CallAudit], style: Style, *, verbose: bool) -> str:
    """Return all that is told of the real systems of a run, without a line end."""
    assert run.wire is not None
    told = audits if verbose else ([audit for audit in audits if is_broken(audit)] or audits[:1])[:CALLS_TOLD_MAX]
    names = {actor.name for actor in run.flow.systems}
    blocks = [call_text(audit if verbose else _about(names, audit), style) for audit in told]
    blocks.append("\n".join(_lines(run, audits, style)))
    blocks += [_log(tested, run, style, verbose=verbose) for tested in run.wire.tested]
    return "\n\n".join(block for block in blocks if block)


def _about(systems: Collection[str], audit: CallAudit) -> CallAudit:
    """Leave out what parties of ours do by custom only: they are not what is tested."""
    kept = (each for each in audit.findings if each.actor in systems or each.severity is not Severity.NOTE)
    return audit._replace(findings=tuple(kept))


def _lines(run: Run, audits: Sequence[CallAudit], style: Style) -> Iterator[str]:
    assert run.wire is not None
    for each in punctuality(audits):
        off = ", ".join(f"{_signed(value)} s" for value in (each.least_us, each.median_us, each.most_us))
        count = f"{each.count} refresh{'' if each.count == 1 else 'es'}"
        yield from _wrapped(f"{each.party}: {count}, off half the interval by {off} (least, median, most)", style)
    for tested in run.wire.tested:
        for warning in tested.warnings:
            yield from _wrapped(f"{tested.name}: {warning}", style)
    for line in _heard(run):
        yield from _wrapped(line, style)


def _heard(run: Run) -> Iterator[str]:
    heard = run.wire.heard if run.wire else None
    if heard is None:
        return
    if heard.beside:
        asked = ", ".join(f"{count} {method}" for method, count in sorted(heard.beside.items()))
        yield f"beside the calls, and answered: {asked}"
    if heard.unreadable:
        yield f"could not be read: {_count(heard.unreadable, 'datagram')}"
        yield from (f"  {reason}" for reason in heard.reasons)
    if heard.after:
        yield f"came when its call was over: {_count(heard.after, 'request')}"
    for wanted, sent in heard.redirected.items():
        yield f"what is for {wanted}, which is not on this machine, was sent to {sent}"


def _log(tested: Tested, run: Run, style: Style, *, verbose: bool) -> str:
    """Return the log, or what of it is near to what went wrong; how long it is where nothing did."""
    if not tested.log:
        return ""
    shown = range(len(tested.log)) if verbose else sorted(_near(tested.log, _troubled_at(run)))[:LOG_LINES_MAX]
    count = _count(len(tested.log), "line")
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


def _wrapped(text: str, style: Style) -> list[str]:
    return wrap(style.text(text), style.width, indent=2)


def _signed(us: int) -> str:
    return f"{'-' if us < 0 else '+'}{abs(us) // S}.{abs(us) % S // 1000:03d}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def systems_object(run: Run, audits: Sequence[CallAudit]) -> Mapping[str, object]:
    """Return what a JSON object says of the real systems of a run."""
    assert run.wire is not None
    heard = run.wire.heard
    assert heard is not None
    return {
        "systems": [
            {
                "actor": tested.name,
                "command": tested.command or None,
                "warp": tested.warp,
                "warnings": list(tested.warnings),
                "log": [{"at_us": logged.at, "text": logged.text} for logged in tested.log],
            }
            for tested in run.wire.tested
        ],
        "heard": {
            "messages": heard.messages,
            "unreadable": heard.unreadable,
            "reasons": heard.reasons,
            "beside": dict(sorted(heard.beside.items())),
            "after": heard.after,
            "redirected": heard.redirected,
        },
        "punctuality": [
            {
                "actor": each.party,
                "refreshes": each.count,
                "least_us": each.least_us,
                "median_us": each.median_us,
                "most_us": each.most_us,
            }
            for each in punctuality(audits)
        ],
    }
