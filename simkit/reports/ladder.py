"""The ladder of a run: time runs down, each party has its lifeline, each message is an arrow (as RFC 3665 draws calls).

`rows` says what is drawn, `elision` leaves out repetitions, `layout` finds the widths. A terminal too narrow for
lifelines gets the same rows as a list.
"""

from collections.abc import Iterator, Sequence

from ..runs.run import Run
from ..trace import TimerRecord, Trace, Transit, What
from ..units import format_time
from .cells import cells, pad, wrap
from .elision import Elision, elide
from .layout import BETWEEN, MARGIN, Layout, Times, fit
from .rows import Arrow, Fate, Row, Spot, SpotKind, rows
from .style import Colour, Style


def ladder(run: Run, style: Style, *, timers: bool = False, call: int = 0, full: bool = False) -> str:
    """Return the ladder of one of a run's calls, without a line end; "" where the run kept no trace of it.

    With `timers`, each timer that was armed, fired or cancelled has its line; with `full`, nothing is left out.
    """
    trace = run.traces.get(call)
    if trace is None or not trace.records:
        return ""
    failures = [failure for failure in run.failures if failure.call == call]
    shown = rows(trace, style, failures=failures, timers=timers)
    if not full:
        shown = elide(shown)
    return draw(shown, _parties(run, trace), style)


def draw(shown: Sequence[Row], parties: Sequence[str], style: Style) -> str:
    """Return rows as a ladder between these parties, from left to right, or as a list where it is too narrow."""
    names = [style.text(party) for party in parties]
    layout = fit(shown, parties, names, style.width)
    lines = _listing(shown, style) if layout is None else _Drawing(layout, style).lines(shown, names)
    return "\n".join(lines)


def _parties(run: Run, trace: Trace) -> list[str]:
    """Return the flow's actors in its order, then whoever else turns up in the trace; notes may be by anybody."""
    found = dict.fromkeys(run.flow.actors)
    for record in trace.records:
        if isinstance(record, Transit):
            found.update({record.sender: None, record.receiver: None})
        elif isinstance(record, TimerRecord) or record.what is not What.NOTE:
            found[record.party] = None
    return list(found)


class _Drawing:
    """Draws rows from the first to the last, for a lifeline shows what became of its party."""

    def __init__(self, layout: Layout, style: Style) -> None:
        self._layout, self._style, self._glyphs = layout, style, style.glyphs
        self._column = {party: index for index, party in enumerate(layout.parties)}
        self._life = [self._glyphs.lifeline] * len(layout.parties)

    def lines(self, shown: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
        yield self._heading(names)
        for row in shown:
            times, body = self._times(row), self._body(row)
            for note in self._notes(row) or [""]:
                yield f"{' ' * MARGIN}{times}{' ' * BETWEEN}{body}{' ' * BETWEEN}{note}".rstrip()
                times, body = " " * self._times_cells(), self._lifelines()

    def _heading(self, names: Sequence[str]) -> str:
        """Put the first name after its lifeline, the last one before it, the others in the middle of theirs."""
        layout, line, last = self._layout, "", len(names) - 1
        for index, name in enumerate(names):
            shown = self._style.cut(name, layout.gap // 2)
            back = 0 if index == 0 else cells(shown) - 1 if index == last else cells(shown) // 2
            line = pad(line, index * (layout.gap + 1) - back) + shown
        titles = "time".rjust(layout.times.width)
        if layout.arrivals:
            titles += " " * (BETWEEN - 1) + "arrives".rjust(layout.arrivals.width)
        titles = self._style.paint(titles, Colour.FAINT)
        return f"{' ' * MARGIN}{titles}{' ' * BETWEEN}{self._style.paint(line, Colour.NAME)}"

    def _times_cells(self) -> int:
        arrivals = self._layout.arrivals
        return self._layout.times.width + (BETWEEN - 1 + arrivals.width if arrivals else 0)

    def _times(self, row: Row) -> str:
        if isinstance(row, Elision):
            return " " * self._times_cells()
        text, arrivals = self._layout.times.text(row.at), self._layout.arrivals
        if arrivals and isinstance(row, Arrow) and row.received_at is not None:
            text += " " * (BETWEEN - 1) + arrivals.text(row.received_at)
        return self._style.paint(pad(text, self._times_cells()), Colour.FAINT)

    def _notes(self, row: Row) -> list[str]:
        """Return the remarks as lines: all in one where there is room, else each on its own, wrapped."""
        paint, width = self._style.paint, self._layout.notes
        if sum(cells(note.text) + 2 for note in row.notes) <= width + 2:
            lines = [", ".join(paint(note.text, note.colour) for note in row.notes)]
        else:
            lines = [paint(line, note.colour) for note in row.notes for line in wrap(note.text, width)]
        if isinstance(row, Arrow) and row.retransmissions:
            lines += [paint(line, Colour.FAINT) for line in wrap(row.again(), width)]
        return lines

    def _body(self, row: Row) -> str:
        if isinstance(row, Arrow):
            return self._arrow(row)
        if isinstance(row, Spot):
            return self._spot(row)
        if isinstance(row, Elision):
            return self._lifelines().replace(self._glyphs.lifeline, self._glyphs.elision)
        return self._lifelines()

    def _lifelines(self, first: int = 0, last: int | None = None) -> str:
        return (" " * self._layout.gap).join(self._life[first:last])

    def _between(self, first: int, middle: str, last: int) -> str:
        """Return all lifelines, with `middle` in place of what is between two of them, these two included."""
        gap = " " * self._layout.gap
        before = self._lifelines(0, first) + gap if first else ""
        after = gap + self._lifelines(last + 1) if last + 1 < len(self._life) else ""
        return before + middle + after

    def _arrow(self, row: Arrow) -> str:
        start, end = self._column[row.sender], self._column[row.receiver]
        if start == end:
            return self._at_lifeline(start, self._life[start], f"{row.label} to itself", Colour.PLAIN)
        colour = Colour.BROKEN if row.broken else Colour.PLAIN
        shaft = self._shaft(row, self._layout.inner(abs(start - end)), rightward=start < end)
        target = self._life[end]
        if row.fate is Fate.UNHEARD:
            target = self._style.paint(self._glyphs.lost, Colour.BAD)
        first, last = (self._life[start], target) if start < end else (target, self._life[start])
        return self._between(min(start, end), first + self._style.paint(shaft, colour) + last, max(start, end))

    def _shaft(self, row: Arrow, width: int, *, rightward: bool) -> str:
        glyphs = self._glyphs
        tip = glyphs.right if rightward else glyphs.left
        head = {Fate.ARRIVED: tip, Fate.UNHEARD: tip + " ", Fate.LOST: glyphs.lost + "  "}[row.fate]
        tail = glyphs.line * 2 if rightward else (head[::-1] + glyphs.line)
        room = width - len(head) - (5 if rightward else 4)
        text = f"{tail} {self._style.cut(self._layout.label(row.label), room)} "
        end = head if rightward else ""
        return text + glyphs.line * (width - cells(text) - len(end)) + end

    def _spot(self, row: Spot) -> str:
        glyphs, column = self._glyphs, self._column[row.party]
        match row.kind:
            case SpotKind.CRASH:
                glyph, self._life[column], colour = glyphs.lost, " ", Colour.BAD
            case SpotKind.FREEZE:
                glyph = self._life[column] = glyphs.frozen
                colour = Colour.PLAIN
            case SpotKind.RESTART | SpotKind.THAW:
                glyph = self._life[column] = glyphs.lifeline
                colour = Colour.PLAIN
            case SpotKind.STIMULUS:
                glyph, colour = glyphs.stimulus, Colour.MARK
            case SpotKind.TIMER:
                glyph, colour = self._life[column], Colour.FAINT
        return self._at_lifeline(column, self._style.paint(glyph, colour), row.text, colour)

    def _at_lifeline(self, column: int, glyph: str, text: str, colour: Colour) -> str:
        """Write beside a lifeline: to its right, but to the left of the last one."""
        gap = self._layout.gap
        shown = self._style.cut(text, gap - 2)
        painted, rest = self._style.paint(shown, colour), " " * (gap - 1 - cells(shown))
        if column + 1 == len(self._life):
            return self._between(column - 1, f"{self._life[column - 1]}{rest}{painted} {glyph}", column)
        return self._between(column, f"{glyph} {painted}{rest}{self._life[column + 1]}", column + 1)


def _listing(shown: Sequence[Row], style: Style) -> Iterator[str]:
    """Yield the rows as a list: "0.000  alice -> bob  INVITE  1800;refresher=uac  (up)"."""
    times = Times.of((row.at for row in shown), title="")
    indent = MARGIN + times.width + MARGIN
    for row in shown:
        at = times.text(row.at) if not isinstance(row, Elision) else style.glyphs.elision.rjust(times.width)
        remarks = [note.text for note in row.notes]
        if isinstance(row, Arrow) and row.retransmissions:
            remarks.append(row.again())
        text = "  ".join([*_listed(row, style), *([f"({', '.join(remarks)})"] if remarks else [])])
        colour = Colour.BROKEN if isinstance(row, Arrow) and row.broken else Colour.PLAIN
        for line in wrap(f"{' ' * MARGIN}{at}{' ' * MARGIN}{text}", style.width, indent=indent):
            yield style.paint(line.rstrip(), colour)


def _listed(row: Row, style: Style) -> list[str]:
    if isinstance(row, Spot):
        return [style.text(row.party), row.text]
    if not isinstance(row, Arrow):
        return []
    late = row.received_at is not None and row.received_at != row.at
    at = [f"{style.glyphs.arrow} {format_time(row.received_at or 0)}"] if late else []
    lost = [f"{style.glyphs.lost} lost"] if row.fate is not Fate.ARRIVED else []
    return [f"{style.text(row.sender)} -> {style.text(row.receiver)}", *at, row.label, *lost]
