"""Time expressions: `90s`, `up + 1768s`, `up.received - 5s`, and windows such as `up + 55s..65s`.

Only their grammar: whether a mark is known at a line is for the reader of the lines to say.
"""

import re
from typing import Final

from ..units import format_duration, parse_duration
from .faults import Misread, quoted
from .model import Instant

START: Final = "start"
"""The mark that every flow has: when its run begins."""

_MARK = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\.[A-Za-z]*)?")
_TERM = re.compile(r"\s*([+-])\s*([^\s+-]+)\s*")
_HOW: Final = "write 90s, up + 60s, or a window 55s..65s"


def parse_window(text: str) -> tuple[Instant, Instant]:
    """Read an instant, or a window with both its ends; the end counts from the mark of the beginning.

    Raises Misread for what is no time, and where the end of a window precedes its beginning.
    """
    first, dots, last = text.partition("..")
    if not dots:
        instant = parse_instant(text)
        return instant, instant
    earliest = parse_instant(first)
    latest = parse_instant(last, counted_from=earliest)
    if (latest.mark, latest.received) == (earliest.mark, earliest.received) and latest.offset_us < earliest.offset_us:
        raise Misread(f"{quoted(text)} ends before it begins")
    return earliest, latest


def parse_instant(text: str, *, counted_from: Instant | None = None) -> Instant:
    """Read `mark`, `mark + duration - duration ...` or a duration, which counts from `start`.

    With `counted_from` a duration counts from the mark of that instant. Raises Misread.
    """
    expression = text.strip()
    mark = _MARK.match(expression)
    if mark is None:
        name, received, terms = START, False, f"+{expression}"
        if counted_from:
            name, received = counted_from.mark, counted_from.received
    else:
        name, received, terms = mark[1], _is_received(mark[2], expression), expression[mark.end() :]
    offset_us = _sum(terms, expression)
    shown = expression if mark or not counted_from else format_instant(name, received, offset_us)
    return Instant(name, received, offset_us, shown)


def format_instant(mark: str, received: bool, offset_us: int) -> str:
    """Write an instant as a flow would: "up + 1m5s"."""
    at = f"{mark}.received" if received else mark
    sign = "-" if offset_us < 0 else "+"
    return f"{at} {sign} {format_duration(abs(offset_us))}"


def _is_received(suffix: str | None, expression: str) -> bool:
    if suffix not in (None, ".received"):
        raise Misread(f"{quoted(expression)}: a mark has only '.received', not '{suffix}'", suffix)
    return suffix is not None


def _sum(terms: str, expression: str) -> int:
    total, end = 0, 0
    while end < len(terms):
        term = _TERM.match(terms, end)
        if term is None:
            raise Misread(f"{quoted(expression)} is not a time ({_HOW})")
        try:
            duration_us = parse_duration(term[2])
        except ValueError as error:
            raise Misread(f"{error}" if len(term[2]) <= 40 else f"{quoted(term[2])} is not a duration") from None
        total += duration_us if term[1] == "+" else -duration_us
        end = term.end()
    return total
