"""How wide the parts of a ladder are: the times, the gaps between lifelines, the remarks.

What there is room for decides, in this order: everything in full; remarks wrapped; labels shortened; labels cut. Where
even that is too wide there is no layout, and the ladder becomes a list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..units import MS, format_time
from .cells import cells
from .labels import shortened
from .rows import Arrow, Fate, Row, Spot

MARGIN: Final = 2
BETWEEN: Final = 3
"""Cells between times and ladder, and between ladder and remarks."""

_GAP_PLEASANT = 24
_GAP_LEAST = 20  # room for "200 INVITE 180" and an arrow: below that a list says more
_NOTES_PLEASANT = 24
_NOTES_LEAST = 12

_HEAD_CELLS: Final = {Fate.ARRIVED: 1, Fate.UNHEARD: 2, Fate.LOST: 3}


def frame(fate: Fate, *, rightward: bool) -> int:
    """Return the cells of an arrow besides its label: at least "── ", " ─" and a head, or a head, "─ " and " ─"."""
    return _HEAD_CELLS[fate] + (5 if rightward else 4)


@dataclass(frozen=True, slots=True)
class Times:
    """Instants as texts of one width, their decimal points one above the other."""

    width: int
    fine: bool
    """Some have microseconds."""

    @staticmethod
    def of(instants: Iterable[int], *, title: str) -> "Times":
        """Return how to write these instants below a title."""
        known = list(instants)
        fine = any(at % MS for at in known)
        times = Times(0, fine)
        return Times(max([len(title), *(len(times.text(at)) for at in known)]), fine)

    def text(self, at: int) -> str:
        """Return an instant in seconds."""
        coarse = self.fine and not at % MS
        return (format_time(at) + ("   " if coarse else "")).rjust(self.width)


@dataclass(frozen=True, slots=True)
class Layout:
    """The widths of one ladder, in cells."""

    times: Times
    arrivals: Times | None
    """A second column of times, where messages take time to arrive."""
    parties: tuple[str, ...]
    gap: int
    """Between two lifelines."""
    notes: int
    short: bool
    """Labels are shortened."""

    def inner(self, columns: int) -> int:
        """Return the room of an arrow across so many columns."""
        return columns * (self.gap + 1) - 1

    def label(self, text: str) -> str:
        """Return a label as this layout has room for."""
        return shortened(text) if self.short else text


def fit(rows: Sequence[Row], parties: Sequence[str], names: Sequence[str], width: int) -> Layout | None:
    """Return the layout of these rows in a width; None where lifelines do not fit."""
    times = Times.of((row.at for row in rows), title="time")
    arrows = [row for row in rows if isinstance(row, Arrow)]
    arrived = (row.received_at for row in arrows if row.received_at is not None)
    arrivals = Times.of(arrived, title="arrives") if any(map(_is_late, arrows)) else None
    before = MARGIN + times.width + (BETWEEN - 1 + arrivals.width if arrivals else 0) + BETWEEN
    gaps = len(parties) - 1
    room = width - before - 1 - BETWEEN  # for gaps, lifelines but the first, and remarks
    if not gaps:
        return None
    wanted = max((_notes_cells(row) for row in rows), default=0)
    least = min(wanted, _NOTES_LEAST)
    for short, notes in ((False, wanted), (False, min(wanted, _NOTES_PLEASANT)), (True, least)):
        gap = max(_GAP_PLEASANT, _gap(rows, parties, names, short=short))
        if gaps * (gap + 1) + notes <= room:
            return Layout(times, arrivals, tuple(parties), gap, room - gaps * (gap + 1), short)
    gap = (room - least) // gaps - 1
    if gap < _GAP_LEAST:
        return None
    short = gap < _gap(rows, parties, names, short=False)
    return Layout(times, arrivals, tuple(parties), gap, room - gaps * (gap + 1), short)


def _is_late(arrow: Arrow) -> bool:
    return arrow.received_at is not None and arrow.received_at != arrow.at


def _notes_cells(row: Row) -> int:
    again = len(row.again()) if isinstance(row, Arrow) else 0
    return max(again, sum(cells(note.text) + 2 for note in row.notes) - 2)


def _gap(rows: Iterable[Row], parties: Sequence[str], names: Sequence[str], *, short: bool) -> int:
    """Return the gap at which everything between the lifelines can be read in full."""
    column = {party: index for index, party in enumerate(parties)}
    widest = max(2 * cells(name) for name in names)
    for row in rows:
        if isinstance(row, Spot):
            widest = max(widest, cells(row.text) + 2)
        elif isinstance(row, Arrow):
            columns = column[row.receiver] - column[row.sender]
            needed = cells(shortened(row.label) if short else row.label) + frame(row.fate, rightward=columns > 0)
            columns = abs(columns) or 1
            widest = max(widest, -(-(needed - columns + 1) // columns))
    return widest
