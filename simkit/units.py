"""Time as integers of microseconds: the units, their reading and their writing.

A run counts microseconds since it began, so pcap time stamps, JSON and `==` all agree to the last digit.
No floats: "0.1s" is read digit by digit.
"""

import re
from typing import Final

US: Final = 1
MS: Final = 1_000
S: Final = 1_000_000
MINUTE: Final = 60 * S
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

DURATION_MAX_US: Final = 1_000_000 * DAY
"""Longest duration that is read: far past every session interval (2**32 - 1 s), short of nonsense."""

_UNITS: Final = {"us": US, "ms": MS, "s": S, "m": MINUTE, "h": HOUR, "d": DAY, "": S}
_PART = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?(us|ms|s|m|h|d|)")


def parse_duration(text: str) -> int:
    """Read "90", "90s", "1m30s", "500ms", "1.5s" or "2h" as microseconds.

    Raises ValueError for what is no duration, is finer than a microsecond, or exceeds DURATION_MAX_US.
    """
    rest = text.strip()
    if not rest:
        raise ValueError("a duration is missing")
    total, last_unit = 0, DURATION_MAX_US
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise ValueError(f"'{text}' is not a duration (write 90s, 1m30s, 500ms, 2h or 1d)")
        whole, fraction, unit = part.groups()
        size = _UNITS[unit]
        if not unit and part.group() != text.strip():
            raise ValueError(f"'{text}' is not a duration (write 90s, 1m30s, 500ms, 2h or 1d)")
        if size >= last_unit:
            raise ValueError(f"'{text}' is not a duration: units go from large to small, each once")
        total += int(whole) * size + _fraction(fraction or "0", size, text)
        last_unit, rest = size, rest[part.end() :]
    if total > DURATION_MAX_US:
        raise ValueError(f"'{text}' is longer than a million days")
    return total


def _fraction(digits: str, size: int, text: str) -> int:
    microseconds, remainder = divmod(int(digits) * size, 10 ** len(digits))
    if remainder:
        raise ValueError(f"'{text}' is finer than a microsecond")
    return int(microseconds)


def format_duration(duration_us: int) -> str:
    """Write a duration as a person would: "1m30s", "500ms", "0s"; `parse_duration` reads it back."""
    if duration_us < 0:
        return "-" + format_duration(-duration_us)
    parts, rest = [], duration_us
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_time(at: int) -> str:
    """Write an instant in seconds with three decimals, six where a microsecond needs them: "1768.000"."""
    sign, at = ("-", -at) if at < 0 else ("", at)
    seconds, microseconds = divmod(at, S)
    if microseconds % MS:
        return f"{sign}{seconds}.{microseconds:06d}"
    return f"{sign}{seconds}.{microseconds // MS:03d}"
