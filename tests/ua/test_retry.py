"""How long to wait after a refusal (RFC 3261 sections 14.1 and 20.33, RFC 4028 section 10)."""

from random import Random

import pytest

from simkit.ua.retry import FAILURES_MAX, SAME_FAILURE_MAX, glare_wait_us, refresh_wait_us, retry_after_us
from simkit.units import MS, S

from .session_messages import NEARLY_ONE, Chance, response


@pytest.mark.parametrize(
    ("owns_call_id", "drawn", "wait_us"),
    [
        pytest.param(True, 0.0, 2100 * MS, id="owner: not before 2.1 s"),
        pytest.param(True, 0.5, 3050 * MS, id="owner: the middle"),
        pytest.param(True, NEARLY_ONE, 4000 * MS, id="owner: 4 s at most, inclusive"),
        pytest.param(False, 0.0, 0, id="other: at once at the earliest"),
        pytest.param(False, 0.5, 1000 * MS, id="other: the middle"),
        pytest.param(False, NEARLY_ONE, 2000 * MS, id="other: 2 s at most, inclusive"),
    ],
)
def test_the_wait_after_491_spans_its_range(owns_call_id: bool, drawn: float, wait_us: int) -> None:
    """RFC 3261 section 14.1."""
    assert glare_wait_us(Chance(drawn), owns_call_id=owns_call_id) == wait_us


@pytest.mark.parametrize(("owns_call_id", "choices"), [(True, 191), (False, 201)])
def test_the_wait_after_491_takes_every_step_of_10_ms_and_no_other(owns_call_id: bool, choices: int) -> None:
    """RFC 3261 section 14.1."""
    random = Random(1)
    waits = {glare_wait_us(random, owns_call_id=owns_call_id) for _ in range(5000)}

    assert len(waits) == choices
    assert all(wait % (10 * MS) == 0 for wait in waits)


def test_the_two_sides_never_wait_equally_long_after_491() -> None:
    """RFC 3261 section 14.1: the ranges do not meet, so the same glare does not come again."""
    assert glare_wait_us(Chance(NEARLY_ONE), owns_call_id=False) < glare_wait_us(Chance(0.0), owns_call_id=True)


@pytest.mark.parametrize(
    ("written", "wait_us"),
    [
        ("0", 0),
        ("18000;duration=3600", 18000 * S),
        ("120 (I'm in a meeting)", 120 * S),
        (" 5 ", 5 * S),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("99999999999", None),
    ],
)
def test_retry_after_is_read_as_whole_seconds_or_not_at_all(written: str, wait_us: int | None) -> None:
    """RFC 3261 section 20.33."""
    assert retry_after_us(response(503, ("Retry-After", written))) == wait_us


def test_without_retry_after_nothing_is_asked() -> None:
    assert retry_after_us(response(503)) is None


def wait(failures: tuple[int, ...], *, retry_after: int | None = None, left_s: int = 868) -> int | None:
    return refresh_wait_us(failures, retry_after, left_s * S, Chance(0.0), owns_call_id=True)


@pytest.mark.parametrize(
    ("failures", "wait_us"),
    [
        pytest.param((503,), 434 * S, id="any failure: half of what is left"),
        pytest.param((503, 503), 434 * S, id="the same again: still calm"),
        pytest.param((503, 503, 503), None, id="the same a third time: no more"),
        pytest.param((503, 488, 503, 403, 503), None, id="the same three times, others between: no more"),
        pytest.param((491,), 2100 * MS, id="491: once more after T"),
        pytest.param((503, 491), 2100 * MS, id="491 after another failure: once more after T"),
        pytest.param((491, 491), 434 * S, id="491 again: calm"),
        pytest.param((422,), None, id="422 that was given up: no more"),
        pytest.param(tuple(range(500, 510)), None, id="ten failures, all different: no more"),
        pytest.param(tuple(range(500, 509)), 434 * S, id="nine failures, all different"),
    ],
)
def test_a_failed_refresh_is_tried_again_calmly_and_not_for_ever(failures: tuple[int, ...], wait_us: int) -> None:
    """RFC 4028 section 10: do what the status asks, but do not keep retrying on the same error."""
    assert wait(failures) == wait_us


@pytest.mark.parametrize(
    ("left_s", "wait_s"), [(21, 10.5), (20, 10), (19, 10), (0, 10), (-30, 10)], ids=lambda seconds: f"{seconds}s"
)
def test_the_calm_wait_is_half_of_what_is_left_but_at_least_10_s(left_s: int, wait_s: float) -> None:
    assert wait((503,), left_s=left_s) == wait_s * S


def test_retry_after_is_obeyed_where_it_is_given() -> None:
    """RFC 3261 sections 14.2 and 20.33: 500 with Retry-After 0 ... 10, 503 with any."""
    assert wait((500,), retry_after=7 * S) == 7 * S
    assert wait((500, 500), retry_after=0) == 0
    assert wait((500, 500, 500), retry_after=0) is None


def test_no_sequence_of_refusals_is_followed_without_end() -> None:
    """However the peer varies its refusals, tries end."""
    tries = 0
    failures: tuple[int, ...] = ()
    while True:
        failures = (*failures, 480 + tries % 20)
        tries += 1
        if wait(failures, retry_after=0) is None:
            break
    assert SAME_FAILURE_MAX <= tries <= FAILURES_MAX
