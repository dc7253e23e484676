"""What is to be told of a run against real systems: the rules, how punctual refreshes were, what else was heard, logs.

The check-list of the rules is that of the audit of a capture; a log is shown where something went wrong, or in full.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from statistics import median_low
from typing import Final

from ..audit.finding import CallAudit
from ..conformance.audits import Audits, Punctuality
from ..rulebook import Severity
from ..runs.load import Load
from ..runs.run import Run
from ..units import S
from .audit import call_text, is_broken
from .cells import wrap
from .counts import counted
from .style import Style
from .system_logs import logs

CALLS_TOLD_MAX: Final = 3
CAUSES_TOLD_MAX: Final = 10
_PERCENTS: Final = (50, 90, 99, 100)


def systems_text(run: Run, audits: Audits, style: Style, *, verbose: bool) -> str:
    """Return all that is told of the real systems of a run, without a line end."""
    assert run.wire is not None
    kept = audits.kept
    told = kept if verbose else ([audit for audit in kept if is_broken(audit)] or kept[:1])[:CALLS_TOLD_MAX]
    names = {actor.name for actor in run.flow.systems}
    blocks = [call_text(audit if verbose else _about(names, audit), style) for audit in told]
    blocks.append("\n".join(_lines(run, audits, style)))
    blocks.append(logs(run, style, whole=verbose))
    return "\n\n".join(block for block in blocks if block)


def _about(systems: Collection[str], audit: CallAudit) -> CallAudit:
    """Leave out what parties of ours do by custom only: they are not what is tested."""
    kept = (each for each in audit.findings if each.actor in systems or each.severity is not Severity.NOTE)
    return audit._replace(findings=tuple(kept))


def _lines(run: Run, audits: Audits, style: Style) -> Iterator[str]:
    assert run.wire is not None
    for line in _load(run.load) if run.load else ():
        yield from _wrapped(line, style)
    for party, each in audits.by_party.items():
        if each.late_us:
            yield from _wrapped(f"{party}: {_punctuality(each, detailed=run.load is not None)}", style)
    for tested in run.wire.tested:
        for warning in tested.warnings:
            yield from _wrapped(f"{tested.name}: {warning}", style)
    for line in _heard(run):
        yield from _wrapped(line, style)


def _load(load: Load) -> Iterator[str]:
    """Yield how fast calls were set up, and why others failed."""
    rate = load.rate_ppm
    pace = f", {rate // 10**6}.{rate % 10**6 // 10**5} a second" if rate is not None else ""
    yield f"set up: {len(load.set_up_us)} of {load.calls} calls{pace}"
    if load.set_up_us:
        yield f"from INVITE to 2xx: {_percentiles(load.set_up_us).replace('+', '')}"
    for (line, what), count in load.causes.most_common(CAUSES_TOLD_MAX):
        yield f"failed: {counted(count, 'call')}: {f'line {line}: ' if line else ''}{what}"


def _punctuality(party: Punctuality, *, detailed: bool) -> str:
    if detailed:
        counts = f"refreshes due {party.due}, sent {len(party.late_us)}, done {party.done}"
        return f"{counts}; off half the interval: {_percentiles(party.late_us)}"
    figures = (min(party.late_us), median_low(party.late_us), max(party.late_us))
    off = ", ".join(f"{_signed(us)} s" for us in figures)
    return f"{counted(len(party.late_us), 'refresh', 'es')}, off half the interval by {off} (least, median, most)"


def _percentiles(figures: Sequence[int]) -> str:
    ordered = sorted(figures)
    names = ("median", *(f"{percent} %" for percent in _PERCENTS[1:-1]), "most")
    told = zip(_PERCENTS, names, strict=True)
    return ", ".join(f"{_signed(_of_hundred(ordered, percent))} s ({name})" for percent, name in told)


def _of_hundred(ordered: Sequence[int], percent: int) -> int:
    """Return the least of the figures that so many of a hundred do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _heard(run: Run) -> Iterator[str]:
    heard = run.wire.heard if run.wire else None
    if heard is None:
        return
    if heard.beside:
        asked = ", ".join(f"{count} {method}" for method, count in sorted(heard.beside.items()))
        yield f"beside the calls, and answered: {asked}"
    if heard.unreadable:
        yield f"could not be read: {counted(heard.unreadable, 'datagram')}"
        yield from (f"  {reason}" for reason in heard.reasons)
    if heard.after:
        yield f"came when its call was over: {counted(heard.after, 'request')}"
    for wanted, sent in heard.redirected.items():
        yield f"what is for {wanted}, which is not on this machine, was sent to {sent}"


def _wrapped(text: str, style: Style) -> list[str]:
    return wrap(style.text(text), style.width, indent=2)


def _signed(us: int) -> str:
    return f"{'-' if us < 0 else '+'}{abs(us) // S}.{abs(us) % S // 1000:03d}"


def systems_object(run: Run, audits: Audits) -> Mapping[str, object]:
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
                "actor": party,
                "refreshes": len(each.late_us),
                "due": each.due,
                "done": each.done,
                "least_us": min(each.late_us, default=None),
                "median_us": median_low(each.late_us) if each.late_us else None,
                "most_us": max(each.late_us, default=None),
            }
            for party, each in audits.by_party.items()
        ],
        **({"load": _load_object(run.load)} if run.load else {}),
    }


def _load_object(load: Load) -> Mapping[str, object]:
    ordered = sorted(load.set_up_us)
    return {
        "calls": load.calls,
        "set_up": len(ordered),
        "set_up_a_second": None if load.rate_ppm is None else load.rate_ppm / 10**6,
        "set_up_us": {str(percent): _of_hundred(ordered, percent) for percent in _PERCENTS} if ordered else {},
        "failed": [{"line": line or None, "text": what, "calls": count} for (line, what), count in load.causes.items()],
    }
