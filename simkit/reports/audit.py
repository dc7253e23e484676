"""What the audit found in captures, as a person reads it: the check-list of each call, then the findings.

Few calls are each told in full; of many, only those with an error or a warning. A folder of captures is one table.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from ..audit.finding import CallAudit, Deadline, DeadlineState, Finding, Refresh
from ..captures.logs import LOG_BYTES_MAX, Log, LogLine
from ..rulebook import Severity
from ..units import format_time
from .cells import wrap
from .counts import counted
from .style import Colour, Style

TOLD_MAX: Final = 10
"""So many calls of a capture are told in full; of more, only those with an error or a warning."""
BROKEN_MAX: Final = 100
"""... and of these so many."""

_COLOURS: Final = {Severity.ERROR: Colour.BROKEN, Severity.WARNING: Colour.BAD, Severity.NOTE: Colour.FAINT}
_FATES: Final = {
    DeadlineState.MET: "done",
    DeadlineState.MISSED: "not done",
    DeadlineState.SPARED: "not needed any more",
    DeadlineState.UNHEARD: "not seen: nothing more was heard of it",
    DeadlineState.UNKNOWN: "unknown: the capture ended before",
}
_FATES_OF_EXPIRY: Final = _FATES | {
    DeadlineState.MET: "the session expired",
    DeadlineState.MISSED: "the session expired",
    DeadlineState.SPARED: "did not come to that",
    DeadlineState.UNHEARD: "the session expired unattended: nothing more was heard of either side",
}
_LABEL: Final = 15
NAMING_MAX: Final = 10
"""So many lines of a log that name a call are told."""


@dataclass(slots=True)
class CaptureAudit:
    """One capture, audited."""

    path: str
    packets: int = 0
    sip_messages: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    truncated: str | None = None
    malformed: list[str] = field(default_factory=list)
    """What looked like SIP and could not be read: "frame 3: ...", the first of them."""
    call_count: int = 0
    calls: list[CallAudit] = field(default_factory=list)
    """Those to be told of, unless all are wanted."""
    all_calls: Iterable[CallAudit] = ()
    """All of them, where that is wanted: read anew by each loop, for there may be more than memory holds."""
    counts: Counter[Severity] = field(default_factory=Counter)
    """How many findings of each severity all its calls have."""
    unreadable: str | None = None
    """Why it could not be read at all."""
    interrupted: bool = False
    """Whether it was left before its end."""
    log: Log | None = None
    """What somebody logged meanwhile."""
    began_at_us: int = 0
    """When the first packet was captured: microseconds since 1970."""
    lasted_us: int = 0
    """How long after that the last was."""
    speed: int = 1

    def logged_near(self, finding: Finding) -> list[LogLine]:
        """Return what was logged at about the time of a finding."""
        return [] if self.log is None else self.log.near(self.began_at_us + finding.at // self.speed)


def audit_text(capture: CaptureAudit, style: Style) -> str:
    """Return what is said about one capture, without a line end."""
    return "\n\n".join(audit_blocks(capture, style))


def audit_blocks(capture: CaptureAudit, style: Style, *, verbose: bool = False) -> Iterator[str]:
    """Yield what is said about one capture, block by block: an empty line goes between two, a line end behind each.

    `verbose` tells all of its calls.
    """
    yield _heading(capture, style)
    told: Iterable[CallAudit] = capture.calls
    if verbose:
        told = capture.all_calls
    elif capture.call_count > TOLD_MAX:
        told = islice(filter(is_broken, told), BROKEN_MAX)
    untold = capture.call_count
    for call in told:
        untold -= 1
        named = _naming(call, capture, style)
        yield "\n\n".join(filter(None, (call_text(call, style, logged=capture.logged_near), named)))
    if untold:
        yield f"{counted(untold, 'more call')}: -v tells all of them"
    yield audit_verdict(capture, style)


def is_broken(call: CallAudit) -> bool:
    """Whether a call has an error or a warning."""
    return any(finding.severity is not Severity.NOTE for finding in call.findings)


def audit_table(captures: Sequence[CaptureAudit], style: Style) -> str:
    """Return one row for each capture, the worst first, without a line end."""
    from tabulate import tabulate  # takes 60 ms to import

    ordered = sorted(captures, key=lambda each: (each.unreadable is None, *(-each.counts[one] for one in Severity)))
    rows = [
        (
            style.text(each.path) if each.unreadable is None else f"{style.text(each.path)}: cannot be read",
            *(each.packets, each.sip_messages, each.call_count),
            *(each.counts[severity] or "" for severity in Severity),
        )
        for each in ordered
    ]
    headers = ("capture", "packets", "SIP", "calls", "errors", "warnings", "notes")
    return tabulate(rows, headers=headers, tablefmt="plain", disable_numparse=True)


def _heading(capture: CaptureAudit, style: Style) -> str:
    skipped = [f"{count} {style.text(reason)}" for reason, count in capture.skipped.most_common()]
    facts = [counted(capture.packets, "packet"), counted(capture.sip_messages, "SIP message")]
    lines = [f"{style.paint(style.text(capture.path), Colour.NAME)}  {', '.join(facts)}"]
    if skipped:
        lines += wrap(f"skipped: {', '.join(skipped)}", style.width, indent=9)
    if capture.truncated:
        lines.append(style.text(f"the file breaks off: {capture.truncated}"))
    return "\n".join([*lines, *(style.text(each) for each in capture.malformed)])


def call_text(call: CallAudit, style: Style, *, logged: Callable[[Finding], Sequence[LogLine]] | None = None) -> str:
    """Return the check-list of one call and what the rules find, without a line end.

    `logged` says what somebody logged at about the time of a finding.
    """
    arrow = style.glyphs.arrow
    title = f"call {call.call_id}" if call.caller is None else f"{call.caller} {arrow} {call.callee}  {call.call_id}"
    rows = [row for row in _facts(call, style) if row[1]]
    lines = [style.paint(style.text(title), Colour.NAME)]
    for label, text in rows:
        first, *rest = wrap(style.text(text), max(20, style.width - _LABEL - 2), indent=0)
        lines.append(f"  {label:<{_LABEL}}{first}")
        lines += [f"  {'':<{_LABEL}}{line}" for line in rest]
    for finding in call.findings:
        lines += ["", *_finding(finding, style)]
        if logged is not None and finding.severity is not Severity.NOTE:
            lines += [_logged(line, style) for line in logged(finding)]
    return "\n".join(lines)


def _facts(call: CallAudit, style: Style) -> Iterator[tuple[str, str]]:
    """Yield the rows of the check-list that people write by hand."""
    least = f"; Min-SE {call.min_se_s}" if call.min_se_s is not None else ""
    yield "session timer", _offer(call) + least
    if call.session_interval_s is not None:
        yield "in force", f"{call.session_interval_s} s, refreshed by {call.refresher or 'nobody that was named'}"
    for number, refresh in enumerate(call.refreshes):
        yield ("" if number else "refreshes"), _refresh(refresh)
    yield "end", _end(call)
    for number, deadline in enumerate(call.deadlines):
        yield ("" if number else "was due"), _deadline(deadline)


def _offer(call: CallAudit) -> str:
    if call.offered is None:
        return "no session timer was offered"
    if call.offered_later or call.offered_in == "2xx":
        named = f"{call.offered}, first named by {call.offered_by} in the {call.offered_in}"
        later = "; the call was set up without" if call.offered_later else ""
        return f"{named} at {format_time(call.offered_us or 0)}{later}"
    offered = f"{call.offered}, offered by {call.offered_by}"
    if not call.set_up:
        return offered
    return f"{offered}; answered {call.answered or 'without one'}"


def _refresh(refresh: Refresh) -> str:
    sent = f", sent {refresh.sent} times" if refresh.sent > 1 else ""
    if refresh.status is None:
        outcome = "no final response"
    else:
        late = (refresh.answered_at or refresh.at) - refresh.at
        outcome = f"{refresh.status}" + (f" after {format_time(late)} s" if late else "")
    session = f"; {refresh.interval_s} s from then" if refresh.interval_s is not None else ""
    return f"{format_time(refresh.at)}  {refresh.method} by {refresh.actor}{sent}: {outcome}{session}"


def _end(call: CallAudit) -> str:
    if call.reason is None:
        return "none seen: the call was up when the capture ended" if call.started_us is not None else "none seen"
    status = f" ({call.status})" if call.status is not None else ""
    when = f"{format_time(call.ended_us)}  " if call.ended_us is not None else ""
    return f"{when}{call.reason}{status}" + (f", by {call.ended_by}" if call.ended_by else "")


def _deadline(deadline: Deadline) -> str:
    fate = (_FATES_OF_EXPIRY if deadline.what == "expiry" else _FATES)[deadline.state]
    actor = f" by {deadline.actor}" if deadline.actor else ""
    return f"{format_time(deadline.due_at)}  {deadline.what}{actor}: {fate}  ({deadline.rule})"


def _finding(finding: Finding, style: Style) -> list[str]:
    again = f", and {counted(len(finding.again), 'more time')}" if finding.again else ""
    place = f"frame {finding.frame}, {format_time(finding.at)} s{again}"
    head = f"  {style.paint(finding.severity.value, _COLOURS[finding.severity])}  {finding.rule}  {place}"
    room = max(20, style.width - 4)
    lines = [head, *(f"    {line}" for line in wrap(style.text(f"{finding.actor} {finding.text}"), room, indent=0))]
    if finding.likely:
        lines += [f"    {line}" for line in wrap(style.text(f"likely: {finding.likely}"), room, indent=8)]
    return lines


def _logged(line: LogLine, style: Style) -> str:
    return style.paint(style.cut(style.text(f"    | {line.text}"), style.width), Colour.FAINT)


def _naming(call: CallAudit, capture: CaptureAudit, style: Style) -> str:
    """Return the lines of the log that name a call; "" where there is none."""
    found = [*capture.log.naming(call.call_id)] if capture.log is not None and call.call_id else []
    if not found:
        return ""
    more = [f"    ... and {counted(len(found) - NAMING_MAX, 'more line')}"] if len(found) > NAMING_MAX else []
    return "\n".join(["  logged about this call:", *(_logged(line, style) for line in found[:NAMING_MAX]), *more])


def log_text(capture: CaptureAudit) -> str:
    """Return what is to be known of a log before one looks for a finding in it; "" where it was written meanwhile."""
    log = capture.log
    if log is None:
        return ""
    part = "" if log.is_whole else f"; only its first {LOG_BYTES_MAX >> 20} MiB are read"
    if log.span is None:
        return f"{log.path}: no line begins with a time: only lines that name a call are told{part}"
    ended_at_us = capture.began_at_us + capture.lasted_us
    if log.span[1] < capture.began_at_us or log.span[0] > ended_at_us:
        return f"{log.path}: not written while this was captured: only lines that name a call are told{part}"
    return f"{log.path}{part}" if part else ""


def audit_verdict(capture: CaptureAudit, style: Style) -> str:
    """Return the last line: how many findings of each severity, in how many calls."""
    word = "FAIL" if capture.counts[Severity.ERROR] else "ERROR" if capture.interrupted else "PASS"
    if word == "PASS" and not capture.call_count:
        word = "NONE"  # what was not seen has not passed
    painted = style.paint(word, Colour.GOOD if word == "PASS" else Colour.BAD)
    found = ", ".join(counted(capture.counts[severity], severity.value) for severity in Severity)
    cut = f"   interrupted after {counted(capture.packets, 'packet')}" if capture.interrupted else ""
    return f"{painted}  {found}   {counted(capture.call_count, 'call')}{cut}"
