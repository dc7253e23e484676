"""Two captures side by side: call by call, message by message, each difference in its class.

Within a call each party's requests, and its responses, are aligned by themselves: their order is its own doing, while
which of two crossing messages comes first is chance. Times count from the first message that both sides have, and a
delay is told where it comes about, not with all that follows from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from ..sip.headers import canonical_name
from ..trace import Trace
from ..units import MS, S, format_duration, format_time
from .alignment import Drift, Element, Pair, align_groups
from .comparison import CallComparison, Comparison, Difference, Kind, Row, Sending
from .differences import Comparer
from .pairing import Cast, match_parties, pair_calls
from .sendings import sendings

COUNTED: Final = frozenset((Kind.SEMANTIC, Kind.TIMING))
COUNTED_STRICTLY: Final = COUNTED | {Kind.COSMETIC}

# RFC 3261 section 14.1: who made the Call-ID waits longer. T1 is what a round trip takes.
_CALLER_WAITS_US: Final = (2_100 * MS, 4 * S)
_CALLEE_WAITS_US: Final = (0, 2 * S)
_ROUND_TRIP_US: Final = 500 * MS
_CROSSED_MAX: Final = 64  # so many messages before it are looked at when one is out of order


def compare_calls(
    left: Sequence[Trace],
    right: Sequence[Trace],
    *,
    tolerance_us: int,
    ignore: Iterable[str] = (),
    strict: bool = False,
    speeds: tuple[int, int] = (1, 1),
    pairs: Sequence[Pair] | None = None,
) -> Comparison:
    """Compare two captures, of which each trace is a call.

    Times may differ by the tolerance, in microseconds of the calls' own time: a capture taken in N-fold time has speed
    N. Headers in `ignore` are passed over. With `strict`, cosmetic differences count, too; dynamic ones never do.
    `pairs` says which call is whose counterpart, by their numbers, where that is known.
    """
    assert tolerance_us >= 0
    comparer = _CallComparer(tolerance_us, frozenset(map(canonical_name, ignore)), speeds)
    if pairs is None:
        pairs = pair_calls(left, right, tolerance_us=tolerance_us, speeds=speeds)
    calls = (comparer.compare(a, b, left[a], right[b]) for a, b in pairs if a is not None and b is not None)
    return Comparison(
        tuple(calls),
        tuple(a for a, b in pairs if a is not None and b is None),
        tuple(b for a, b in pairs if b is not None and a is None),
        (tuple(map(_call_id, left)), tuple(map(_call_id, right))),
        tolerance_us,
        COUNTED_STRICTLY if strict else COUNTED,
    )


def _call_id(trace: Trace) -> str:
    first = next(trace.messages(), None)
    return (first and first.message.header("Call-ID")) or ""


class _CallComparer:
    """Compares one call after the other, for a call may begin late, and all others with it."""

    def __init__(self, tolerance_us: int, ignore: frozenset[str], speeds: tuple[int, int]) -> None:
        self._ignore, self._speeds = ignore, speeds
        self._clock = _Clock(tolerance_us, "the calls before")
        self._tolerance_us = tolerance_us

    def compare(self, left_number: int, right_number: int, left: Trace, right: Trace) -> CallComparison:
        cast = match_parties(left, right)
        lefts = sendings(left, cast.left, speed=self._speeds[0])
        rights = sendings(right, cast.right, speed=self._speeds[1])
        pairs = align_groups(_elements(lefts), _elements(rights), tolerance_us=self._tolerance_us)
        rows = _Rows(Comparer(self._ignore), self._tolerance_us)
        found = [rows.row(None if a is None else lefts[a], None if b is None else rights[b], b or 0) for a, b in pairs]
        first = next((index for index, row in enumerate(found) if row.left and row.right), None)
        if first is not None:
            found[first] = self._with_beginning(found[first], cast)
        return CallComparison(left_number, right_number, tuple(found), cast.names())

    def _with_beginning(self, row: Row, cast: Cast) -> Row:
        """Add what is to be said about the call as a whole."""
        assert row.left
        assert row.right
        here, there = row.left.transit, row.right.transit
        times = (here.sent_at * self._speeds[0], there.sent_at * self._speeds[1])
        differences = [*self._clock.compare("start of the call", times)]
        if cast.is_turned:
            why = "the same parties are there, but each in the other's role"
            differences.append(Difference(Kind.SEMANTIC, "role", here.sender, there.sender, why))
        return replace(row, differences=(*differences, *row.differences))


def _elements(sent: Iterable[Sending]) -> list[Element]:
    return [Element((each.sender, each.receiver, each.is_request), each.title, each.at) for each in sent]


class _Rows:
    """Compares the messages of a call with their counterparts, from the first to the last."""

    def __init__(self, comparer: Comparer, tolerance_us: int) -> None:
        self._comparer, self._tolerance_us = comparer, tolerance_us
        self._clock = _Clock(tolerance_us, "what came before")
        self._seen: list[tuple[int, Sending, Sending]] = []
        self._last_position = -1

    def row(self, left: Sending | None, right: Sending | None, position: int) -> Row:
        """Compare a message with its counterpart, which stands at this position of the right side."""
        if left is None or right is None:
            titles = (left.title if left else None, right.title if right else None)
            missing = Difference(Kind.SEMANTIC, "message", *titles, "a message that only one side sent")
            return Row(left, right, (missing,))
        differences = (
            *self._comparer.compare(left, right),
            *self._clock.compare("time", (left.at, right.at), by_lot=_is_by_lot(left) and _is_by_lot(right)),
            *self._compare_repeats(left, right),
            *self._compare_order(left, right, position),
        )
        return Row(left, right, differences)

    def _compare_repeats(self, left: Sending, right: Sending) -> Iterator[Difference]:
        span_us, other_us = (each.last_at - each.at if each.repeats else 0 for each in (left, right))
        if left.repeats != right.repeats:
            why = "a message is sent again while no answer comes (RFC 3261 section 17)"
            texts = (f"sent {left.repeats + 1} times", f"sent {right.repeats + 1} times")
            yield Difference(Kind.TIMING, "retransmissions", *texts, why)
        elif abs(span_us - other_us) > self._tolerance_us:
            why = "timer A, E or G says when a message is sent again (RFC 3261 section 17)"
            texts = (f"over {format_duration(span_us)}", f"over {format_duration(other_us)}")
            yield Difference(Kind.TIMING, "retransmissions", *texts, why)

    def _compare_order(self, left: Sending, right: Sending, position: int) -> Iterator[Difference]:
        """Find messages before this one on the left whose counterparts come after its own."""
        before = self._seen[-_CROSSED_MAX:] if position < self._last_position else []
        self._seen.append((position, left, right))
        self._last_position = max(position, self._last_position)
        passed = [(mine, theirs) for place, mine, theirs in before if place > position]
        by_plan = [pair for pair in passed if not self._is_chance(pair, (left, right))]
        for mine, _ in (by_plan or passed)[-1:]:
            texts = (f"after {mine.title}", f"before {mine.title}")
            if by_plan:
                yield Difference(Kind.SEMANTIC, "order", *texts, "one party's order, or that of request and response")
            else:
                yield Difference(Kind.DYNAMIC, "order", *texts, "they crossed: which came first is chance")

    def _is_chance(self, before: tuple[Sending, Sending], now: tuple[Sending, Sending]) -> bool:
        """Whether two messages may change places: nobody's order, and closer than the tolerance."""
        (earlier, later_now), (later, earlier_now) = before, now
        return (
            earlier.exchange != later.exchange
            and (earlier.sender, earlier.is_request) != (later.sender, later.is_request)
            and max(later.at - earlier.at, later_now.at - earlier_now.at) <= self._tolerance_us
        )


def _is_by_lot(sending: Sending) -> bool:
    """Whether a request comes when RFC 3261 section 14.1 has it tried again after 491."""
    if sending.waited_us is None:
        return False
    earliest_us, latest_us = _CALLER_WAITS_US if sending.sender == 0 else _CALLEE_WAITS_US
    return earliest_us <= sending.waited_us <= latest_us + _ROUND_TRIP_US


class _Clock:
    """Compares times, counted from the first that it is given."""

    def __init__(self, tolerance_us: int, before: str) -> None:
        self._drift, self._before = Drift(tolerance_us), before
        self._origin_us: int | None = None

    def compare(self, field: str, times: tuple[int, int], *, by_lot: bool = False) -> Iterator[Difference]:
        """Compare the next times; a delay that was there before is not told again."""
        left_at, right_at = times
        if self._origin_us is None:
            self._origin_us = right_at - left_at
        was_late_us, late_us = self._drift.late_us, right_at - left_at - self._origin_us
        if not self._drift.jumps(late_us):
            return
        by_us = late_us - was_late_us
        why = f"{format_duration(abs(by_us))} too {'late' if by_us > 0 else 'early'}, counting from {self._before}; "
        if by_lot:
            kind, reason = Kind.DYNAMIC, "but after 491 the wait is drawn by lot (RFC 3261 section 14.1)"
        else:
            kind, reason = Kind.TIMING, f"the tolerance is {format_duration(self._drift.tolerance_us)}"
        yield Difference(kind, field, format_time(left_at), format_time(right_at), why + reason)
