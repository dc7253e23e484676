"""Leaving out the middle of what comes again and again: an hour of refreshes is read from its first and its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..units import S, format_duration
from .rows import Note, Row
from .style import Colour

_SHOWN_FIRST: Final = 2  # one turn, and one more that shows how far apart they are
_FEWEST_TURNS: Final = 5
_LONGEST_TURN: Final = 40  # rows


@dataclass(slots=True)
class Elision(Row):
    """Rows that were left out."""


def elide(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without the middle turns of each cycle: rows that look the same but for their times."""
    numbers: dict[tuple[object, ...], int] = {}
    looks = [numbers.setdefault(row.likeness(), len(numbers)) for row in rows]
    shown: list[Row] = []
    index = 0
    while index < len(rows):
        start, length, turns = _cycle(rows, looks, index)
        if not turns:
            shown.append(rows[index])
            index += 1
            continue
        first, last = start + _SHOWN_FIRST * length, start + (turns - 1) * length
        shown += [
            *rows[index:first],
            _elision(rows[start : start + turns * length], length),
            *rows[last : last + length],
        ]
        index = last + length
    return shown


def _cycle(rows: Sequence[Row], looks: Sequence[int], index: int) -> tuple[int, int, int]:
    """Return where the cycle at `index` best starts, the length of its turn and their number; 0 where there is none."""
    for length in range(1, min(_LONGEST_TURN, (len(rows) - index) // _FEWEST_TURNS) + 1):
        end = index + length
        while end < len(rows) and looks[end] == looks[end - length]:
            end += 1
        if end - index < _FEWEST_TURNS * length:
            continue
        # A turn starts after its longest pause, not between a response and its ACK.
        start = max(range(index, index + length), key=lambda at: rows[at + length].at - rows[at + length - 1].at)
        turns = (end - start) // length
        if turns >= _FEWEST_TURNS:
            return start, length, turns
    return index, 0, 0


def _elision(cycle: Sequence[Row], length: int) -> Elision:
    turns = len(cycle) // length
    text = f"{turns - _SHOWN_FIRST - 1} more times{_spacing(cycle, length)}"
    return Elision(cycle[_SHOWN_FIRST * length].at, [Note(text, Colour.FAINT)])


def _spacing(cycle: Sequence[Row], length: int) -> str:
    apart = {later.at - earlier.at for earlier, later in zip(cycle, cycle[length:], strict=False)}
    if len(apart) == 1:
        return f", every {format_duration(apart.pop())}"
    mean_s = round((cycle[-length].at - cycle[0].at) / (len(cycle) // length - 1) / S)
    return f", about every {format_duration(mean_s * S)}" if mean_s else ""
