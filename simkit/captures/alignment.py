"""Which element of one sequence is whose counterpart in the other, by what it is and when it comes.

Where both go on as expected, they are paired as they come. Where they do not, the next place at which they agree again
is looked for by its time, and what lies between is paired at the least cost (an edit distance). Both are bounded, so
that the work grows with the length of the sequences and not with its square; a gap of more than LOOKAHEAD elements may
be told as a late one.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

LOOKAHEAD: Final = 1000
WINDOW: Final = 32
"""Elements of either side that are weighed against each other at once ..."""
MARGIN: Final = 8
"""... so many of which come after both agree again: that may be by accident."""

_ONE_SIDED: Final = 16  # costs: an element without a counterpart ...
_OTHER_KEY: Final = 17  # ... one whose counterpart is something else: less than two without any
_OTHER_TIME: Final = 8  # ... and by so much more, the farther away it is:
_FARTHEST: Final = 7

Pair = tuple[int | None, int | None]
"""Positions on the left and on the right."""

_Step = tuple[bool, bool]
"""Whether it goes on by one on the left, and on the right."""
_BOTH: Final = (True, True)


class Element(NamedTuple):
    """What is aligned."""

    group: Hashable
    """Whose order it belongs to: counterparts are of one group."""
    key: Hashable
    """What it is."""
    at: int


class Drift:
    """By how much the right side is behind: a delay is noted where it comes about, not with all that follows."""

    def __init__(self, tolerance_us: int) -> None:
        self.tolerance_us = tolerance_us
        self.late_us = 0

    def allows(self, late_us: int) -> bool:
        """Whether this is on time: counted from the beginning, or from what came before."""
        return abs(late_us - self.late_us) <= self.tolerance_us or abs(late_us) <= self.tolerance_us

    def jumps(self, late_us: int) -> bool:
        """Note how late an element is, and tell whether that is news."""
        if abs(late_us - self.late_us) <= self.tolerance_us:
            return False
        on_time = abs(late_us) <= self.tolerance_us
        self.late_us = 0 if on_time else late_us
        return not on_time


def align_groups(left: Sequence[Element], right: Sequence[Element], *, tolerance_us: int) -> list[Pair]:
    """Align the elements of each group by themselves; return every position of both sides once, in order."""
    groups: dict[Hashable, tuple[list[int], list[int]]] = {}
    for side, elements in enumerate((left, right)):
        for position, element in enumerate(elements):
            groups.setdefault(element.group, ([], []))[side].append(position)
    pairs: list[Pair] = []
    for mine, theirs in groups.values():
        for a, b in align([left[n] for n in mine], [right[n] for n in theirs], tolerance_us=tolerance_us):
            pairs.append((None if a is None else mine[a], None if b is None else theirs[b]))
    return in_order(pairs)


def align(left: Sequence[Element], right: Sequence[Element], *, tolerance_us: int) -> list[Pair]:
    """Return every position of both sides once, with its counterpart or None.

    In order, but for those that changed places with a neighbour.
    """
    if [element.key for element in left] == [element.key for element in right]:
        return [(index, index) for index in range(len(left))]  # whatever the times: one side may run faster
    return _reunited(list(_pairs(left, right, Drift(tolerance_us))), left, right)


def in_order(pairs: Iterable[Pair]) -> list[Pair]:
    """Return pairs in the order of the left side; what the right side has alone comes before what follows it there."""
    ours: list[tuple[int, int | None]] = []
    theirs: list[int] = []
    for a, b in pairs:
        if a is not None:
            ours.append((a, b))
        elif b is not None:
            theirs.append(b)
    ours.sort(key=itemgetter(0))
    theirs.sort()
    ordered: list[Pair] = []
    placed = 0
    for a, b in ours:
        while b is not None and placed < len(theirs) and theirs[placed] < b:
            ordered.append((None, theirs[placed]))
            placed += 1
        ordered.append((a, b))
    return [*ordered, *((None, b) for b in theirs[placed:])]


def _pairs(left: Sequence[Element], right: Sequence[Element], drift: Drift) -> Iterator[Pair]:
    i = j = 0
    while i < len(left) and j < len(right):
        for is_left, is_right in _next_pairs(left, right, i, j, drift):
            yield (i if is_left else None), (j if is_right else None)
            if is_left and is_right:
                drift.jumps(right[j].at - left[i].at)
            i, j = i + is_left, j + is_right
    yield from ((index, None) for index in range(i, len(left)))
    yield from ((None, index) for index in range(j, len(right)))


def _next_pairs(left: Sequence[Element], right: Sequence[Element], i: int, j: int, drift: Drift) -> list[_Step]:
    """Return how to go on from here, at least to where both sides agree again."""
    if _agree(left[i], right[j], drift):
        return [_BOTH]
    end_i, end_j = _next_agreement(left, right, i, j, drift)
    if i == end_i or j == end_j:
        alone = (end_i - i) or (end_j - j)
        if alone > WINDOW - MARGIN:
            return [(j == end_j, i == end_i)] * alone
    ours = left[i : min(end_i + MARGIN, i + WINDOW)]
    theirs = right[j : min(end_j + MARGIN, j + WINDOW)]
    return _trusted(_cheapest(ours, theirs, drift), ours, theirs, drift)


def _trusted(steps: list[_Step], left: Sequence[Element], right: Sequence[Element], drift: Drift) -> list[_Step]:
    """Return the steps up to the first agreement; without one, half of them: what is beyond the window matters."""
    i = j = 0
    for count, (is_left, is_right) in enumerate(steps, start=1):
        if is_left and is_right and _agree(left[i], right[j], drift):
            return steps[:count]
        i, j = i + is_left, j + is_right
    return steps[: max(1, len(steps) // 2)]


def _agree(left: Element, right: Element, drift: Drift) -> bool:
    return left.key == right.key and drift.allows(right.at - left.at)


def _next_agreement(left: Sequence[Element], right: Sequence[Element], i: int, j: int, drift: Drift) -> tuple[int, int]:
    """Walk along both sides by time to where they agree; if they do not, return both ends."""
    for _ in range(LOOKAHEAD):
        if i == len(left) or j == len(right):
            break
        if _agree(left[i], right[j], drift):
            return i, j
        if right[j].at - left[i].at < drift.late_us:
            j += 1
        else:
            i += 1
    return len(left), len(right)


def _cheapest(left: Sequence[Element], right: Sequence[Element], drift: Drift) -> list[_Step]:
    """Return the cheapest way through two short sequences (Wagner and Fischer's table, filled from the end)."""
    rows, columns = len(left), len(right)
    table = [[(rows - i + columns - j) * _ONE_SIDED for j in range(columns + 1)] for i in range(rows + 1)]
    for i in reversed(range(rows)):
        row, below = table[i], table[i + 1]
        for j in reversed(range(columns)):
            row[j] = min(_cost(left[i], right[j], drift) + below[j + 1], below[j] + _ONE_SIDED, row[j + 1] + _ONE_SIDED)
    steps: list[_Step] = []
    i = j = 0
    while i < rows or j < columns:
        if i < rows and j < columns and table[i][j] == _cost(left[i], right[j], drift) + table[i + 1][j + 1]:
            step = _BOTH
        else:
            is_left = i < rows and table[i][j] == table[i + 1][j] + _ONE_SIDED
            step = (is_left, not is_left)
        steps.append(step)
        i, j = i + step[0], j + step[1]
    return steps


def _cost(left: Element, right: Element, drift: Drift) -> int:
    cost = 0 if left.key == right.key else _OTHER_KEY
    late_us = right.at - left.at
    if not drift.allows(late_us):
        times_late = abs(late_us - drift.late_us) // (drift.tolerance_us or 1)
        cost += _OTHER_TIME + min(_FARTHEST, times_late.bit_length() // 2)
    return cost


def _reunited(pairs: list[Pair], left: Sequence[Element], right: Sequence[Element]) -> list[Pair]:
    """Pair what has no counterpart only because it changed places with a neighbour."""
    alone: dict[tuple[bool, Hashable], int] = {}
    gone: set[int] = set()
    for place, (a, b) in enumerate(pairs):
        if (a is None) == (b is None):
            continue
        is_left = a is not None
        key = left[a].key if a is not None else right[b or 0].key
        other_place = alone.pop((not is_left, key), None)
        if other_place is None or place - other_place > MARGIN:
            alone[is_left, key] = place
            continue
        other = pairs[other_place]
        pairs[place] = (a, other[1]) if is_left else (other[0], b)
        gone.add(other_place)
    return [pair for place, pair in enumerate(pairs) if place not in gone]
