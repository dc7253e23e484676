"""Time expressions and what they count from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.flows.faults import Misread
from simkit.flows.times import format_instant, parse_instant, parse_window
from simkit.units import DAY, HOUR, MS, S

INSTANTS = [
    #            text               mark     received  offset_us
    pytest.param("90", "start", False, 90 * S, id="seconds without a unit"),
    pytest.param("1m30s", "start", False, 90 * S, id="units from large to small"),
    pytest.param("1.5s", "start", False, 1_500 * MS, id="a fraction"),
    pytest.param("2h - 30m", "start", False, 90 * 60 * S, id="a difference"),
    pytest.param("start", "start", False, 0, id="the start"),
    pytest.param("up", "up", False, 0, id="a mark"),
    pytest.param("up + 60s", "up", False, 60 * S, id="after a mark"),
    pytest.param("up+60s-1ms", "up", False, 60 * S - MS, id="without spaces"),
    pytest.param("up + 1d - 2h + 5s", "up", False, DAY - 2 * HOUR + 5 * S, id="several terms"),
    pytest.param("up.received - 5s", "up", True, -5 * S, id="counted from its arrival"),
]


@pytest.mark.parametrize(("text", "mark", "received", "offset_us"), INSTANTS)
def test_an_instant_is_a_mark_and_an_offset(text: str, mark: str, received: bool, offset_us: int) -> None:
    instant = parse_instant(f" {text} ")
    assert (instant.mark, instant.received, instant.offset_us, instant.text) == (mark, received, offset_us, text)


WINDOWS = [
    pytest.param("55s..65s", ("start", 55 * S), ("start", 65 * S), id="from the start"),
    pytest.param("up + 55s..65s", ("up", 55 * S), ("up", 65 * S), id="the end counts from the same mark"),
    pytest.param("up + 55s .. up + 65s", ("up", 55 * S), ("up", 65 * S), id="the end has its mark"),
    pytest.param("up + 5s..down + 1s", ("up", 5 * S), ("down", 1 * S), id="between two marks"),
    pytest.param("up..5s", ("up", 0), ("up", 5 * S), id="from a mark on"),
    pytest.param("up - 2s..2s", ("up", -2 * S), ("up", 2 * S), id="around a mark"),
    pytest.param("5s..5s", ("start", 5 * S), ("start", 5 * S), id="of no width"),
]


@pytest.mark.parametrize(("text", "earliest", "latest"), WINDOWS)
def test_a_window_has_two_ends(text: str, earliest: tuple[str, int], latest: tuple[str, int]) -> None:
    first, last = parse_window(text)
    assert ((first.mark, first.offset_us), (last.mark, last.offset_us)) == (earliest, latest)


def test_the_end_of_a_window_is_written_in_full() -> None:
    assert parse_window("up + 55s..65s")[1].text == "up + 1m5s"


@pytest.mark.parametrize("text", ["", "+", "up +", "up 5s", "up * 5s", "5s..", "..5s", "5s..4s", "1s2m", "up.x", "5 s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Misread):
        parse_window(text)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.booleans(), st.integers(-(10**13), 10**13))
def test_what_is_written_is_read_back(mark: str, received: bool, offset_us: int) -> None:
    instant = parse_instant(format_instant(mark, received, offset_us))
    assert (instant.mark, instant.received, instant.offset_us) == (mark, received, offset_us)
