"""What a SIP stack logged, beside a capture of its calls: the lines near a time, and those that name a call.

A line has a time if it begins with one, in one of the usual forms: 2026-11-22 14:43:31.883 or 2026-11-22T14:43:31Z,
1795358611.883, Nov 22 14:43:31, 14:43:31.883. Without an offset it is local time; a date that is not said is that of
the capture. Other lines belong to the one before.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

from ..errors import CaptureError
from ..units import S

LOG_BYTES_MAX: Final = 64 << 20
LINE_CHARACTERS_MAX: Final = 4_096
NEAR_US: Final = 1 * S
"""So near to a time, by the calendar, a line must be to be about it."""
BEFORE, AFTER = 5, 2
"""So many lines at most before and after a time."""

_FRACTION: Final = r"(?:[.,](?P<fraction>[0-9]{1,9}))?"
_CLOCK: Final = rf"(?P<clock>[0-2][0-9]:[0-5][0-9]:[0-6][0-9]){_FRACTION}"
_FORMS: Final = (
    re.compile(
        rf"\W{{0,2}}(?P<date>[0-9]{{4}}-[01][0-9]-[0-3][0-9])[T\s]{_CLOCK}\s?(?P<offset>Z|[+-][0-9]{{2}}:?[0-9]{{2}})?"
    ),
    re.compile(r"\W{0,2}(?P<epoch>[0-9]{10})\.(?P<fraction>[0-9]{1,9})"),
    re.compile(rf"(?P<month>[A-Z][a-z]{{2}}) +(?P<day>[0-9]{{1,2}}) {_CLOCK}"),
    re.compile(rf"\W{{0,2}}{_CLOCK}"),
)
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class LogLine(NamedTuple):
    """A line of a log."""

    number: int
    """From 1."""
    at_us: int | None
    """When it was written, in microseconds since 1970; None: neither it nor a line before says."""
    text: str


class Log:
    """A log that has been read."""

    def __init__(self, path: str, lines: list[LogLine], *, is_whole: bool) -> None:
        self.path = path
        self.lines = lines
        self.is_whole = is_whole
        """Whether all of it was read: not more than LOG_BYTES_MAX."""
        timed = [(line.at_us, place) for place, line in enumerate(lines) if line.at_us is not None]
        self._timed = sorted(timed, key=lambda pair: pair[0])

    @property
    def span(self) -> tuple[int, int] | None:
        """When its first and last lines were written; None where no line says."""
        return (self._timed[0][0], self._timed[-1][0]) if self._timed else None

    def near(self, at_us: int) -> list[LogLine]:
        """Return the lines that were written at about this time, in their order."""
        first = bisect_left(self._timed, at_us - NEAR_US, key=lambda pair: pair[0])
        place = bisect_right(self._timed, at_us, key=lambda pair: pair[0])
        last = bisect_right(self._timed, at_us + NEAR_US, key=lambda pair: pair[0])
        found = self._timed[max(first, place - BEFORE) : min(last, place + AFTER)]
        return [self.lines[place] for place in sorted(place for _, place in found)]

    def naming(self, text: str) -> Iterator[LogLine]:
        """Yield the lines that have this text in them."""
        return (line for line in self.lines if text in line.text)


def read_log(path: str, *, taken_at_us: int) -> Log:
    """Read a log; a date that it does not say is that of `taken_at_us`. Raises CaptureError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(LOG_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise CaptureError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    day = datetime.fromtimestamp(taken_at_us / S).astimezone()
    lines, at_us = [], None
    for number, raw in enumerate(data[:LOG_BYTES_MAX].split(b"\n"), 1):
        text = raw[:LINE_CHARACTERS_MAX].decode("utf-8", "replace").rstrip("\r")
        at_us = time_of(text, day) or at_us
        lines.append(LogLine(number, at_us, text))
    if lines and not lines[-1].text:
        lines.pop()
    return Log(path, lines, is_whole=len(data) <= LOG_BYTES_MAX)


def time_of(text: str, day: datetime) -> int | None:
    """Return the time that a line begins with, in microseconds since 1970; None where there is none."""
    for form in _FORMS:
        found = form.match(text)
        if found is not None:
            try:
                return _microseconds(found.groupdict(), day)
            except (ValueError, OverflowError):
                return None  # the thirtieth of February
    return None


def _microseconds(found: dict[str, str | None], day: datetime) -> int:
    fraction_us = int(f"{found.get('fraction') or '':0<6}"[:6])
    if epoch := found.get("epoch"):
        return int(epoch) * S + fraction_us
    clock, date = found["clock"] or "", found.get("date") or f"{day:%Y-%m-%d}"
    if month := found.get("month"):
        date = f"{day:%Y}-{_MONTHS.index(month) + 1:02}-{int(found['day'] or 0):02}"
    moment = datetime.fromisoformat(f"{date}T{clock}")
    offset = found.get("offset")
    moment = moment.replace(tzinfo=_zone(offset)) if offset else moment.astimezone()
    return int(moment.timestamp()) * S + fraction_us


def _zone(offset: str) -> timezone:
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
