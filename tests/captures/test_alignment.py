"""What is whose counterpart: sequences that differ here and there."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.captures.alignment import Drift, Element, Pair, align, align_groups
from simkit.units import S

REFRESH = ("INVITE", "ACK")


def call(turns: int, *, every: int = 900) -> list[Element]:
    """What a caller sends that refreshes every so many seconds."""
    return [Element("", title, (turn * every + n) * S) for turn in range(turns) for n, title in enumerate(REFRESH)]


def aligned(left: Sequence[Element], right: Sequence[Element]) -> list[Pair]:
    return align(left, right, tolerance_us=S // 10)


def without(elements: Sequence[Element], start: int, count: int) -> list[Element]:
    return [*elements[:start], *elements[start + count :]]


@pytest.mark.parametrize("count", [1, 2, 20, 40, 300])
@pytest.mark.parametrize("start", [0, 1, 100, 101])
def test_what_is_missing_in_a_monotonous_sequence_is_found_by_its_time(start: int, count: int) -> None:
    whole = call(400)
    missing = list(range(start, start + count))
    assert [a for a, b in aligned(whole, without(whole, start, count)) if b is None] == missing
    assert [b for a, b in aligned(without(whole, start, count), whole) if a is None] == missing


def test_sequences_of_the_same_things_are_counterparts_at_any_pace() -> None:
    assert aligned(call(100), call(100, every=45)) == [(n, n) for n in range(200)]


def test_something_else_at_its_time_is_a_counterpart() -> None:
    whole = call(50)
    changed = [*whole[:40], Element("", "UPDATE", whole[40].at), *whole[41:]]
    assert aligned(whole, changed) == [(n, n) for n in range(100)]


def test_neighbours_that_change_places_stay_counterparts() -> None:
    one, other, last = (Element("", key, 0) for key in ("BYE", "INVITE", "ACK"))
    assert sorted(aligned([one, other, last], [other, one, last])) == [(0, 1), (1, 0), (2, 2)]


def test_a_sequence_that_is_late_from_some_point_on_is_aligned_nevertheless() -> None:
    whole = call(400)
    late = [*whole[:300], *(each._replace(at=each.at + 100 * S) for each in without(whole[300:], 200, 2))]
    assert [a for a, b in aligned(whole, late) if b is None] == [500, 501]


def test_sequences_that_have_nothing_in_common_are_counterparts_by_their_times() -> None:
    """Bounded: 2000 elements against 2000 are weighed in windows, not in a table of four million."""
    left, right = ([Element("", key, n * S) for n in range(2000)] for key in ("INVITE", "UPDATE"))
    assert aligned(left, right) == [(n, n) for n in range(2000)]


def test_groups_are_aligned_by_themselves() -> None:
    left = [Element("a", "INVITE", 0), Element("b", "INVITE", 0), Element("b", "BYE", 1)]
    right = [Element("b", "INVITE", 0), Element("a", "INVITE", 0), Element("c", "BYE", 1)]
    assert align_groups(left, right, tolerance_us=0) == [(0, 1), (1, 0), (2, None), (None, 2)]


ELEMENTS = st.lists(
    st.builds(Element, st.just(""), st.sampled_from(["INVITE", "ACK", "BYE"]), st.integers(0, 20 * S)), max_size=60
).map(lambda elements: sorted(elements, key=lambda each: each.at))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ELEMENTS, ELEMENTS)
def test_every_position_comes_just_once(left: list[Element], right: list[Element]) -> None:
    pairs = align_groups(left, right, tolerance_us=S)
    assert sorted(a for a, _ in pairs if a is not None) == list(range(len(left)))
    assert sorted(b for _, b in pairs if b is not None) == list(range(len(right)))
    assert [a for a, _ in pairs if a is not None] == list(range(len(left)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ELEMENTS, st.data())
def test_what_was_taken_away_from_one_side_is_all_that_has_no_counterpart(
    whole: list[Element], data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    rest = [element for element, keep in zip(whole, kept, strict=True) if keep]
    pairs = align(whole, rest, tolerance_us=0)
    assert [b for a, b in pairs if a is None] == []
    assert all(whole[a].key == rest[b].key for a, b in pairs if a is not None and b is not None)


DRIFTS = [
    pytest.param([0, 10, -10], [False, False, False], id="within the tolerance"),
    pytest.param([0, 11, 0], [False, True, False], id="late once"),
    pytest.param([0, 50, 50, 55], [False, True, False, False], id="late from there on"),
    pytest.param([0, 50, 0, 50], [False, True, False, True], id="late twice"),
    pytest.param([0, 50, 61], [False, True, True], id="later and later"),
    pytest.param([-11], [True], id="early"),
]


@pytest.mark.parametrize(("late", "news"), DRIFTS)
def test_a_delay_is_news_where_it_comes_about(late: list[int], news: list[bool]) -> None:
    drift = Drift(10)
    assert [drift.jumps(each) for each in late] == news
