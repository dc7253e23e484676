"""A recorded call that was played again, as it was or one side of it: what came of it, in words.

What differs from the recording is told as in any comparison, then what the rules say of what was heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..audit.finding import CallAudit, Finding
from ..captures.comparison import Comparison
from ..captures.sendings import title_of
from ..runs.verdict import Verdict
from ..trace import Trace, Transit
from .audit import call_text
from .cells import wrap
from .comparison import comparison_text
from .counts import counted
from .style import Colour, Style

_COLOURS: Final = {Verdict.PASS: Colour.GOOD, Verdict.FAIL: Colour.BAD, Verdict.ERROR: Colour.BROKEN}
_VERBATIM: Final = "what arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCall:
    """One call of a capture, played again; times are in SIP's microseconds."""

    capture: str
    number: int
    """Which of the capture's calls, from 1."""
    of: int
    """How many there are."""
    seen: Trace
    came: tuple[tuple[Transit, int | None], ...]
    """What was to be heard by the recording, and when it was; None: never."""
    comparison: Comparison
    """Of this call alone."""
    audit: CallAudit
    speed: int | None
    side: str | None = None
    """ "uac" or "uas" where one side was played; None where the messages were sent as they are."""
    target: str | None = None
    """The system that was played against."""
    broken: tuple[Finding, ...] = ()
    """What the target broke, and had not in the recording."""
    interrupted: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether it went as recorded."""
        if self.interrupted and self.missing:
            return Verdict.ERROR  # nobody knows what would have come
        return Verdict.PASS if self.comparison.equal and not self.broken else Verdict.FAIL

    @property
    def missing(self) -> tuple[Transit, ...]:
        """What was awaited in vain."""
        return tuple(step for step, at in self.came if at is None)

    @property
    def title(self) -> str:
        """Return "x.pcap", "x.pcap, call 2 as uac"."""
        return call_title(self.capture, self.number, self.of) + (f" as {self.side}" if self.side else "")

    @property
    def messages(self) -> int:
        """How many messages were seen."""
        return sum(1 for _ in self.seen.messages())


def call_title(capture: str, number: int, of: int) -> str:
    """Return "x.pcap", or "x.pcap, call 2" of one that has several."""
    return f"{capture}, call {number}" if of > 1 else capture


def differences_text(call: ReplayedCall, style: Style, *, verbose: bool = False) -> str:
    """Return in what a call differs from its recording, and what the rules say of it, without a line end."""
    names = (call.capture, call.target or _VERBATIM)
    text = comparison_text(call.comparison, style, names=names, verbose=verbose)
    return f"{text}\n\nWhat was seen, by the rules:\n\n{call_text(call.audit, style)}"


def call_line(call: ReplayedCall, style: Style) -> str:
    """Return "FAIL  x.pcap as uac: 5 messages; never came: 200 BYE", without a line end."""
    if call.side:
        parts = [f"{call.title}: {counted(call.messages, 'message')}"]
        if call.missing and not call.interrupted:
            parts.append(f"never came: {', '.join(title_of(step.message) for step in call.missing)}")
        parts += [f"{finding.actor} broke {finding.rule}" for finding in call.broken]
    else:
        parts = [f"{call.title}: {call.messages} of {counted(len(call.came), 'message')} arrived"]
    if call.verdict is Verdict.ERROR:
        parts.append("interrupted")
    word = call.verdict.upper()
    first, *rest = wrap(style.text(f"{word}  {'; '.join(parts)}"), style.width, indent=6)
    return "\n".join([first.replace(word, style.paint(word, _COLOURS[call.verdict]), 1), *rest])


def totals_line(calls: Sequence[ReplayedCall], style: Style) -> str:
    """Return "FAIL  198 of 200 calls   1797 messages", without a line end."""
    verdicts = {call.verdict for call in calls}
    worst = next((each for each in (Verdict.ERROR, Verdict.FAIL) if each in verdicts), Verdict.PASS)
    passed = sum(call.verdict is Verdict.PASS for call in calls)
    messages = counted(sum(call.messages for call in calls), "message")
    return f"{style.paint(worst.upper(), _COLOURS[worst])}  {passed} of {counted(len(calls), 'call')}   {messages}"
