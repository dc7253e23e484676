"""Durations and instants in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.units import DAY, DURATION_MAX_US, HOUR, MINUTE, MS, US, S, format_duration, format_time, parse_duration

DURATIONS = [
    pytest.param("0", 0, id="zero"),
    pytest.param("90", 90 * S, id="a bare number is seconds"),
    pytest.param("1.5", 1_500 * MS, id="a bare fraction too"),
    pytest.param("90s", 90 * S, id="seconds"),
    pytest.param("500ms", 500 * MS, id="milliseconds"),
    pytest.param("7us", 7 * US, id="microseconds"),
    pytest.param("2h", 2 * HOUR, id="hours"),
    pytest.param("1d", DAY, id="days"),
    pytest.param("1m30s", 90 * S, id="minutes and seconds"),
    pytest.param("1d2h3m4s5ms6us", DAY + 2 * HOUR + 3 * MINUTE + 4 * S + 5 * MS + 6, id="everything"),
    pytest.param("0.1s", 100 * MS, id="a tenth, exactly"),
    pytest.param("0.000001", 1, id="the smallest"),
    pytest.param("1.0000000", S, id="zeros beyond microseconds"),
    pytest.param("0.5d", 12 * HOUR, id="half a day"),
    pytest.param(" 5s ", 5 * S, id="white space around"),
    pytest.param("1000000d", DURATION_MAX_US, id="the longest"),
]


@pytest.mark.parametrize(("text", "microseconds"), DURATIONS)
def test_a_duration_is_read_in_microseconds(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


FAULTS = [
    pytest.param("", "missing", id="nothing"),
    pytest.param(" ", "missing", id="white space"),
    pytest.param("s", "not a duration", id="a unit alone"),
    pytest.param("-1s", "not a duration", id="negative"),
    pytest.param("1.s", "not a duration", id="a point without digits"),
    pytest.param(".5s", "not a duration", id="digits missing before the point"),
    pytest.param("1 s", "not a duration", id="a space within"),
    pytest.param("1w", "not a duration", id="weeks"),
    pytest.param("1S", "not a duration", id="a unit in capitals"),
    pytest.param("1:30", "not a duration", id="minutes with a colon"),
    pytest.param("1e3", "not a duration", id="an exponent"),
    pytest.param("٩٠", "not a duration", id="other digits"),
    pytest.param("30s1m", "from large to small", id="units from small to large"),
    pytest.param("1m1m", "from large to small", id="a unit twice"),
    pytest.param("1m30", "not a duration", id="a bare number at the end"),
    pytest.param("0.0000001s", "finer than a microsecond", id="a tenth of a microsecond"),
    pytest.param("0.5us", "finer than a microsecond", id="half a microsecond"),
    pytest.param("1000000d1us", "longer than a million days", id="just too long"),
    pytest.param("1000001d", "longer than a million days", id="too long"),
    pytest.param("9" * 18 + "d", "longer than a million days", id="far too long"),
    pytest.param("9" * 10_000, "not a duration", id="ten thousand digits"),
]


@pytest.mark.parametrize(("text", "reason"), FAULTS)
def test_what_is_no_duration_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [(0, "0s"), (90 * S, "1m30s"), (500 * MS, "500ms"), (DAY + 1, "1d1us"), (-90 * S, "-1m30s")],
)
def test_a_duration_is_written_as_a_person_would(duration_us: int, text: str) -> None:
    assert format_duration(duration_us) == text


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, DURATION_MAX_US))
def test_a_written_duration_is_read_back(duration_us: int) -> None:
    assert parse_duration(format_duration(duration_us)) == duration_us


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "0.000"),
        (1768 * S, "1768.000"),
        (1 * MS, "0.001"),
        (1, "0.000001"),
        (S + 500_001, "1.500001"),
        (-1, "-0.000001"),
        (-1_500 * MS, "-1.500"),
    ],
)
def test_an_instant_is_written_in_seconds_with_as_many_decimals_as_it_needs(at: int, text: str) -> None:
    assert format_time(at) == text
