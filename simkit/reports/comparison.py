"""Two captures side by side, as a person reads it: where they differ, in which class, by which rule.

What counts is drawn into the ladder of its call and told in full; what does not count is summed up. The left side is
called A, the right side B.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..captures.comparison import CallComparison, Comparison, Difference, Kind, Row
from ..errors import Source
from ..units import format_time
from .cells import wrap
from .counts import counted
from .elision import elide
from .flow_lines import Origin, Side
from .labels import label
from .ladder import draw
from .rows import Arrow, Note
from .style import Colour, Style

_LADDERS_MAX: Final = 3
_DIFFERENCES_MAX: Final = 30
_NOTHING: Final = "(nothing)"
_EMPTY: Final = "(empty)"
_COLOURS: Final = {Kind.SEMANTIC: Colour.BROKEN, Kind.TIMING: Colour.BAD}


def comparison_text(
    comparison: Comparison,
    style: Style,
    *,
    names: tuple[str, str],
    origin: Origin | None = None,
    verbose: bool = False,
) -> str:
    """Return all that is said about a comparison, without a line end; `names` are those of the two captures.

    With `verbose` nothing is left out: neither calls nor messages nor differences.
    """
    text = _Text(comparison, style, origin, verbose=verbose)
    parts = [
        "\n".join(f"{side.name}  {style.text(name)}" for side, name in zip(Side, names, strict=True)),
        *text.ladders(),
        *text.findings(),
        text.missing_calls(),
        text.uncounted(),
        text.verdict(),
    ]
    return "\n\n".join(part for part in parts if part)


@dataclass(slots=True)
class _Finding:
    """A difference that counts, and where it is: the same one may come many times."""

    number: int
    difference: Difference
    call: CallComparison
    row: Row
    """Where it comes first."""
    source: Source | None
    count: int = 1


class _Text:
    """The parts of the report, each a text without a line end."""

    def __init__(self, comparison: Comparison, style: Style, origin: Origin | None, *, verbose: bool) -> None:
        self._comparison, self._style, self._origin, self._verbose = comparison, style, origin, verbose
        self._findings: dict[Difference, _Finding] = {}
        for call in comparison.calls:
            self._collect(call)

    def _collect(self, call: CallComparison) -> None:
        if not self._comparison.differs(call):
            return
        sources = self._origin.lines(call) if self._origin else {}
        for row in call.rows:
            sending = self._origin.of(row) if self._origin else None
            source = sources.get(sending.transit.number) if sending else None
            for difference in self._counted(row):
                known = self._findings.get(difference)
                if known:
                    known.count += 1
                else:
                    number = len(self._findings) + 1
                    self._findings[difference] = _Finding(number, difference, call, row, source)

    def _counted(self, row: Row) -> list[Difference]:
        return [each for each in row.differences if each.kind in self._comparison.counted]

    # --- the ladders -------------------------------------------------------------------------------------------------

    def ladders(self) -> Iterator[str]:
        """Yield the ladders of the first calls that differ, or of all calls."""
        calls = [call for call in self._comparison.calls if self._verbose or self._comparison.differs(call)]
        shown = calls if self._verbose else calls[:_LADDERS_MAX]
        for call in shown:
            heading = "\n".join(self._call_heading(call))
            if heading:
                yield heading
            yield self._ladder(call)
        if len(calls) > len(shown):
            yield f"{len(calls) - len(shown)} more calls differ"

    def _call_heading(self, call: CallComparison) -> Iterator[str]:
        if any(len(call_ids) > 1 for call_ids in self._comparison.call_ids):
            yield self._style.paint(self._call_title(call), Colour.NAME)
        for left, right in call.parties:
            if left and right and left != right:
                yield self._style.text(f"{left} in A is {right} in B")

    def _call_title(self, call: CallComparison) -> str:
        other = "" if call.left == call.right else f" of A, {call.right + 1} of B"
        return f"call {call.left + 1}{other}"

    def _ladder(self, call: CallComparison) -> str:
        at_right = self._origin is not None and self._origin.side is Side.B
        names = [(right or left) if at_right else (left or right) for left, right in call.parties]
        parties = [name or "" for name in names]
        rows = [self._arrow(row, parties) for row in call.rows]
        return draw(rows if self._verbose else elide(rows), parties, self._style)

    def _arrow(self, row: Row, parties: Sequence[str]) -> Arrow:
        sending = row.left or row.right
        assert sending
        text = self._style.text(label(sending.transit.message))
        ends = (parties[sending.sender], parties[sending.receiver])
        counted = self._counted(row)
        return Arrow(
            sending.at, self._notes(row, counted), *ends, text, retransmissions=sending.repeats, broken=bool(counted)
        )

    def _notes(self, row: Row, counted: Sequence[Difference]) -> list[Note]:
        numbers = ", ".join(str(self._findings[each].number) for each in counted)
        where = "" if row.left and row.right else " only in A" if row.left else " only in B"
        return [Note(f"{self._style.glyphs.lost} {numbers}{where}", Colour.BROKEN)] if counted else []

    # --- the differences ---------------------------------------------------------------------------------------------

    def findings(self) -> Iterator[str]:
        """Yield what counts, one difference after the other."""
        found = list(self._findings.values())
        shown = found if self._verbose else found[:_DIFFERENCES_MAX]
        for finding in shown:
            yield "\n".join(self._finding(finding))
        if len(found) > len(shown):
            yield f"{len(found) - len(shown)} more differences"

    def _finding(self, finding: _Finding) -> Iterator[str]:
        style, difference = self._style, finding.difference
        sending = finding.row.left or finding.row.right
        assert sending
        indent = len(str(finding.number)) + 2
        where = f"{style.text(sending.title)} at {format_time(sending.at)}"
        if len(self._comparison.calls) > 1:
            where += f", {self._call_title(finding.call)}"
        if finding.count > 1:
            where += f", and {finding.count - 1} more"
        title = f"{difference.kind}: {style.text(difference.field)}"
        first, *others = wrap(f"{finding.number}  {title} ({where})", style.width, indent=indent)
        yield first.replace(title, style.paint(title, _COLOURS.get(difference.kind, Colour.PLAIN)), 1)
        yield from others
        for side, text in zip(Side, (difference.left, difference.right), strict=True):
            yield from wrap(f"{' ' * indent}{side.name}  {self._value(text)}", style.width, indent=indent + 3)
        yield from wrap(" " * indent + style.text(difference.why), style.width, indent=indent)
        if finding.source:
            line = style.text(f"{finding.source}: {finding.source.text.strip()}")
            yield from wrap(" " * indent + line, style.width, indent=indent + 3)

    def _value(self, text: str | None) -> str:
        return _NOTHING if text is None else self._style.text(text) or _EMPTY

    def missing_calls(self) -> str:
        """Return a line for each call that one side lacks."""
        comparison = self._comparison
        lines = []
        for side, numbers, call_ids in zip(
            Side, (comparison.left_only, comparison.right_only), comparison.call_ids, strict=True
        ):
            for number in numbers:
                line = f"{Kind.SEMANTIC}: call {number + 1} is only in {side.name} ({call_ids[number]})"
                lines.append(self._style.paint(self._style.text(line), Colour.BROKEN))
        return "\n".join(lines)

    def uncounted(self) -> str:
        """Return what does not count, summed up by field."""
        firsts: dict[tuple[Kind, str], Difference] = {}
        counts: Counter[tuple[Kind, str]] = Counter()
        for call in self._comparison.calls:
            for each in call.differences():
                if each.kind not in self._comparison.counted:
                    firsts.setdefault((each.kind, each.field), each)
                    counts[each.kind, each.field] += 1
        lines = ["not counted:"] if firsts else []
        for key in sorted(firsts):
            lines += self._summed_up(firsts[key], counts[key])
        return "\n".join(lines)

    def _summed_up(self, difference: Difference, count: int) -> list[str]:
        style = self._style
        title = f"  {difference.kind:8}  {style.text(difference.field)}" + (f", {count} times" if count > 1 else "")
        values = f" {style.glyphs.arrow} ".join(map(self._value, (difference.left, difference.right)))
        lines = [style.cut(f"{title}: {values}", style.width)]
        lines += wrap(f"{' ' * 12}{style.text(difference.why)}", style.width, indent=12)
        return [style.paint(line, Colour.FAINT) for line in lines]

    def verdict(self) -> str:
        """Return "FAIL  2 semantic, 1 timing   not counted: 18 dynamic   14 messages"."""
        comparison, counts = self._comparison, self._comparison.counts()
        word, colour = ("PASS", Colour.GOOD) if comparison.equal else ("FAIL", Colour.BAD)
        parts = [", ".join(f"{counts[kind]} {kind}" for kind in Kind if kind in comparison.counted)]
        others = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if kind not in comparison.counted and counts[kind])
        if others:
            parts.append(f"not counted: {others}")
        if len(comparison.calls) > 1:
            parts.append(f"{len(comparison.calls)} calls")
        parts.append(counted(sum(len(call.rows) for call in comparison.calls), "message"))
        first, *rest = wrap(f"{word}  {'   '.join(parts)}", self._style.width, indent=6)
        return "\n".join([first.replace(word, self._style.paint(word, colour), 1), *rest])
