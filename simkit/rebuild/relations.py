"""The times of a rebuilt call told as what they follow from: "up + 1m28s", which is the interval less 32 s.

A recording shows when something was sent; why then, RFC 4028 section 10 and RFC 3261 section 17 say. Where a time is
what one of them asks for, that is written, exactly; where it is not, how long it came after the message before, give or
take what was recorded. What comes again and again is written once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..sip.readable import session_of
from ..sip.session_headers import BYE_LEAD_MAX_US, bye_lead_us
from ..trace import Transit
from ..units import MS, S, format_duration, format_time, parse_duration
from .call import GIVEN_UP_US, SESSION_METHODS, status_of
from .rebuilt import Rebuilt

_CLOSE_US: Final = 1 * S
"""So far from what is asked for may a time be that was recorded: machines are late, and clocks differ."""
_ROUND_US: Final = 100 * MS
_AT: Final = re.compile(r"    at: start \+ (?P<earliest>\S+?)(?:\.\.(?P<latest>\S+))?$")
_RESPONSE: Final = re.compile(r"  - \S+ -> \S+: [1-6]")
_PERIOD_MAX: Final = 12
"""So many lines of a ladder at most are looked for as one turn."""

Block = tuple[str, ...]
"""A line of `flow` with the keys below it."""


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why something was due at its time."""

    anchor: Transit
    offset_us: int
    words: str


def with_relations(rebuilt: Rebuilt, *, exact: bool) -> str:
    """Return the text of a rebuilt call, its times counted from marks; `exact`: where a rule gives one, that alone."""
    return _Relations(rebuilt, exact=exact).text()


class _Relations:
    """The lines of one rebuilt call."""

    def __init__(self, rebuilt: Rebuilt, *, exact: bool) -> None:
        self._exact = exact and "\nnetwork:" not in rebuilt.text  # with a latency, what is exact is not so any more
        lines = rebuilt.text.rstrip("\n").split("\n")
        start = lines.index("flow:") + 1
        self._head = lines[:start]
        self._blocks: list[list[str]] = []
        self._messages: list[Transit | None] = []
        for number, line in enumerate(lines[start:], start=start + 1):
            if line.startswith("  - "):
                self._blocks.append([line])
                self._messages.append(rebuilt.origins.get(number))
            else:
                self._blocks[-1].append(line)
        self._marks: dict[int, str] = {}
        """By the number of a message that a time is counted from."""

    def text(self) -> str:
        """Return the whole file."""
        said: list[Transit] = []
        for block, message in zip(self._blocks, self._messages, strict=True):
            for place, line in enumerate(block):
                if found := _AT.match(line):
                    block[place] = f"    at: {self._when(found, message, said)}"
            if message is not None:
                said.append(message)
        for block, message in zip(self._blocks, self._messages, strict=True):
            if message is not None and message.number in self._marks:
                block.append(f"    mark: {self._marks[message.number]}")
        lines = list(_folded([tuple(block) for block in self._blocks]))
        return "\n".join([*self._head, *lines, ""])

    def _when(self, found: re.Match[str], message: Transit | None, said: Sequence[Transit]) -> str:
        """Return when a line is due, counted from a message before it; as it stands where there is none."""
        if not said:
            return found[0].removeprefix("    at: ")
        earliest = parse_duration(found["earliest"])
        latest = parse_duration(found["latest"]) if found["latest"] else None
        reason = _reason(message, said) if message is not None else None
        if reason is not None and self._exact:
            return f"{self._mark(reason.anchor)} + {format_duration(reason.offset_us)}  # {reason.words}"
        anchor = reason.anchor if reason else _last_settled(said) or said[-1]
        offset = f"{self._mark(anchor)} + {_rounded(earliest - anchor.sent_at, up=latest is None)}"
        if latest is not None:
            offset += f"..{_rounded(latest - anchor.sent_at, up=True)}"
        if reason is not None:
            return f"{offset}  # {reason.words}"
        if latest is None or message is None:
            return offset
        return f"{offset}  # recorded {format_time(message.sent_at - anchor.sent_at)} s after that"

    def _mark(self, anchor: Transit) -> str:
        """Return the mark of a message: a 2xx that settles a session is `up`, or `refreshed` each time anew."""
        if anchor.number not in self._marks:
            if _settles(anchor):
                first = next(each for each in self._messages if each is not None and _settles(each))
                name = "up" if anchor is first else "refreshed"
            else:
                name = f"sent_{anchor.message.method.lower()}"
            self._marks[anchor.number] = name
        return self._marks[anchor.number]


def _rounded(offset_us: int, *, up: bool) -> str:
    """Return an offset to a tenth of a second; what is shorter than one, to a millisecond."""
    unit = _ROUND_US if offset_us >= S else MS
    return format_duration(max(0, -(-offset_us // unit) * unit if up else offset_us // unit * unit))


def _reason(message: Transit, said: Sequence[Transit]) -> _Reason | None:
    """Return the rule that has a message sent at its time; None where none does."""
    for reason in _reasons(message, said):
        if abs(message.sent_at - reason.anchor.sent_at - reason.offset_us) <= _CLOSE_US:
            return reason
    return None


def _reasons(message: Transit, said: Sequence[Transit]) -> Iterator[_Reason]:
    settled, method = _last_settled(said), message.message.method
    session = session_of(settled.message) if settled else None
    if settled is not None and session is not None:
        interval_us = session.interval_s * S
        lead_us = bye_lead_us(interval_us)
        answer = f"{status_of(settled.message)} {settled.message.method}"
        if method in SESSION_METHODS:
            words = f"{answer} + SE/2: the refresher's half of {session.interval_s} s (RFC 4028 section 10)"
            yield _Reason(settled, interval_us // 2, words)
        if method == "BYE":
            lead = "32 s" if lead_us == BYE_LEAD_MAX_US else "SE/3"
            words = f"{answer} + SE - {lead}: no refresh came (RFC 4028 section 10)"
            yield _Reason(settled, interval_us - lead_us, words)
            yield _Reason(settled, interval_us, f"{answer} + SE: the session has expired")
    requests = (each for each in reversed(said) if each.message.is_request and each.message.method != "ACK")
    asked = next(requests, None)
    if asked is not None and asked.sender == message.sender:
        words = f"{asked.message.method} + 64*T1: nobody answered it (RFC 3261 section 17.1)"
        yield _Reason(asked, GIVEN_UP_US, words)


def _last_settled(said: Sequence[Transit]) -> Transit | None:
    return next((each for each in reversed(said) if _settles(each)), None)


def _settles(transit: Transit) -> bool:
    """Whether a message is a 2xx that starts the interval afresh."""
    return transit.message.method in SESSION_METHODS and 200 <= status_of(transit.message) < 300


# --- what comes again and again --------------------------------------------------------------------------------------


def _folded(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the lines of blocks, those that come in equal turns once."""
    place = 0
    while place < len(blocks):
        period, times = _turns(blocks, place)
        if times < 2:
            yield from blocks[place]
            place += 1
            continue
        yield f"  - repeat: {times}"
        yield "    flow:"
        for block in blocks[place : place + period]:
            yield from (f"    {line}" for line in block)
        place += period * times


def _turns(blocks: Sequence[Block], place: int) -> tuple[int, int]:
    """Return how many blocks from a place on make a turn, and how often that comes; the most that can be saved."""
    best = (1, 1)
    if _RESPONSE.match(blocks[place][0]):
        return best  # a turn begins with what is asked or done
    for period in range(2, min(_PERIOD_MAX, (len(blocks) - place) // 2) + 1):
        turn = tuple(blocks[place : place + period])
        times = 1
        while tuple(blocks[place + times * period : place + (times + 1) * period]) == turn:
            times += 1
        if times > 1 and (times - 1) * period > (best[1] - 1) * best[0]:
            best = period, times
    return best
