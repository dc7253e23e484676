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
"""Elements of either side that are weighed against each other at once."""

_ONE_SIDED: Final = 16  # costs: an element without a counterpart ...
_OTHER_KEY: Final = 16  # ... one whose counterpart is something else: less than two without any
_OTHER_TIME: Final = 8  # ... and by so much more, the farther away it is:
_FARTHEST: Final = 7

Pair = tuple[int | None, int | None]
"""Positions on the left and on the right."""


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
    """Return every position of both sides once, with its counterpart or None, in order."""
    if [element.key for element in left] == [element.key for element in right]:
        return [(index, index) for index in range(len(left))]  # whatever the times: one side may run faster
    return list(_pairs(left, right, Drift(tolerance_us)))


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
        if _agree(left[i], right[j], drift):
            drift.jumps(right[j].at - left[i].at)
            yield i, j
            i, j = i + 1, j + 1
            continue
        end_i, end_j = _next_agreement(left, right, i, j, drift)
        is_whole = (end_i - i) * (end_j - j) <= WINDOW * WINDOW
        if not is_whole:
            end_i, end_j = min(end_i, i + WINDOW), min(end_j, j + WINDOW)
        pairs = _cheapest(left[i:end_i], right[j:end_j], drift)
        for a, b in pairs if is_whole else pairs[: WINDOW // 2]:  # farther on, what is beyond the window matters
            yield (None if a is None else i), (None if b is None else j)
            if a is not None and b is not None:
                drift.jumps(right[j].at - left[i].at)
            i, j = i + (a is not None), j + (b is not None)
    yield from ((index, None) for index in range(i, len(left)))
    yield from ((None, index) for index in range(j, len(right)))


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


def _cheapest(left: Sequence[Element], right: Sequence[Element], drift: Drift) -> list[Pair]:
    """Return the cheapest way to pair two short sequences (Wagner and Fischer's table, filled from the end)."""
    table = [
        [(len(left) - i + len(right) - j) * _ONE_SIDED for j in range(len(right) + 1)] for i in range(len(left) + 1)
    ]
    for i in reversed(range(len(left))):
        row, below = table[i], table[i + 1]
        for j in reversed(range(len(right))):
            row[j] = min(_cost(left[i], right[j], drift) + below[j + 1], below[j] + _ONE_SIDED, row[j + 1] + _ONE_SIDED)
    pairs: list[Pair] = []
    i = j = 0
    while i < len(left) or j < len(right):
        cost, last_left, last_right = table[i][j], i == len(left), j == len(right)
        if not last_left and not last_right and cost == _cost(left[i], right[j], drift) + table[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif not last_left and cost == table[i + 1][j] + _ONE_SIDED:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def _cost(left: Element, right: Element, drift: Drift) -> int:
    cost = 0 if left.key == right.key else _OTHER_KEY
    late_us = abs(right.at - left.at - drift.late_us)
    if late_us > drift.tolerance_us:
        cost += _OTHER_TIME + min(_FARTHEST, (late_us // (drift.tolerance_us or 1)).bit_length() // 2)
    return cost
