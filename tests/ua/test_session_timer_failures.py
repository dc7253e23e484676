"""What becomes of a session whose refresh fails (RFC 4028 section 10, RFC 3261 section 14.1)."""

import pytest

from simkit.ua.session_timer import Side
from simkit.ua.timer_logic import Refresh
from simkit.units import S

from .session_messages import NEARLY_ONE, TIMER, expires, response
from .session_sides import EXPIRED, FAILED, accept, accepted, caller, duties, duty, refused, timer


@pytest.mark.parametrize("status", [None, 408, 481], ids=["timeout", "408", "481"])
def test_a_refresh_that_shows_the_dialog_gone_ends_the_call_at_once(status: int | None) -> None:
    """RFC4028-10-3, M11, M49."""
    logic = caller(90)
    duty(logic)

    assert logic.refresh_result(status, now=77 * S) == FAILED
    assert logic.next_deadline() is None
    assert logic.refresh_result(status, now=77 * S) is None  # never twice


@pytest.mark.parametrize(
    ("side", "chance", "again_s"),
    [
        pytest.param(Side.CALLER, 0.0, 902.1, id="caller, at the earliest"),
        pytest.param(Side.CALLER, NEARLY_ONE, 904, id="caller, at the latest"),
        pytest.param(Side.CALLEE, 0.0, 900, id="callee, at the earliest"),
        pytest.param(Side.CALLEE, NEARLY_ONE, 902, id="callee, at the latest"),
    ],
)
def test_a_refresh_that_met_another_is_tried_again_soon(side: Side, chance: float, again_s: float) -> None:
    """RFC 3261 section 14.1, M44, M45: in seconds, not in half an interval."""
    logic = timer(side=side, chance=chance)
    logic.make_request("INVITE", initial=False, now=0)
    logic.receive_response(response(200, expires("1800;refresher=uac")), now=0)
    duty(logic)

    assert refused(logic, 491, at_s=900) is None
    assert duty(logic) == (again_s, Refresh("INVITE"))
    assert logic.next_deadline() == 1800 * S


@pytest.mark.parametrize("status", [300, 401, 403, 407, 420, 488, 500, 503, 603])
def test_a_refresh_that_failed_is_tried_again_calmly_and_the_call_lives_until_it_expires(status: int) -> None:
    """RFC4028-10-4, 10-5, M48, M50, M52: half of what is left until the other side hangs up, thrice in all."""
    assert duties(caller(1800), status) == [
        (900, Refresh("INVITE")),
        (1334, Refresh("INVITE")),
        (1551, Refresh("INVITE")),
        (1800, EXPIRED),
    ]


def test_a_short_interval_leaves_time_for_fewer_tries() -> None:
    assert duties(caller(90), 503) == [
        (45, Refresh("INVITE")),
        (55, Refresh("INVITE")),
        (65, Refresh("INVITE")),
        (90, EXPIRED),
    ]


def test_retry_after_is_obeyed() -> None:
    """RFC4028-10-4, RFC 3261 section 20.33."""
    assert duties(caller(1800), 503, ("Retry-After", "120")) == [
        (900, Refresh("INVITE")),
        (1020, Refresh("INVITE")),
        (1140, Refresh("INVITE")),
        (1800, EXPIRED),
    ]


@pytest.mark.parametrize(
    ("wait_s", "tries"), [("899", [900, 1799]), ("900", [900])], ids=["just before the expiry", "at the expiry"]
)
def test_retry_after_beyond_the_expiry_leaves_no_try(wait_s: str, tries: list[int]) -> None:
    found = duties(caller(1800), 503, ("Retry-After", wait_s))

    assert found == [*((at, Refresh("INVITE")) for at in tries), (1800, EXPIRED)]


def test_no_refusal_makes_a_loop_without_time() -> None:
    """M13, M52: Retry-After 0 and a wait of 0 after 491 are obeyed, a few times."""
    for status in (491, 500):
        logic = timer(side=Side.CALLEE)
        logic.make_request("INVITE", initial=False, now=0)
        logic.receive_response(response(200, expires("1800;refresher=uac")), now=0)
        found = duties(logic, status, ("Retry-After", "0"))
        assert [at for at, _ in found] == [900, 900, 900, 1800]


def test_a_2xx_in_between_makes_the_retry_needless() -> None:
    """M05, M44: the peer's own request succeeded where ours met it."""
    logic = caller(1800)
    duty(logic)
    refused(logic, 491, at_s=900)
    accept(logic, TIMER, expires("1800;refresher=uas"), at_s=901)

    assert duty(logic) == (901 + 900, Refresh("INVITE"))


def test_the_refusal_of_a_refresh_that_a_2xx_has_overtaken_does_not_matter() -> None:
    """M05: one stream of refreshes."""
    logic = caller(1800)
    duty(logic)
    accept(logic, TIMER, expires("1800;refresher=uas"), at_s=900)

    assert refused(logic, 491, at_s=901) is None
    assert duty(logic) == (900 + 900, Refresh("INVITE"))


def test_a_refresh_that_another_2xx_made_needless_may_be_dropped() -> None:
    """RFC 3261 section 14.1 held it back; its result is never told, and the next one comes in its time."""
    logic = caller(1800)
    duty(logic)
    accepted(logic, expires("1800;refresher=uac"), at_s=905)

    assert duty(logic) == (905 + 900, Refresh("INVITE"))


def test_failures_before_a_2xx_do_not_count_after_it() -> None:
    logic = caller(1800)
    for at_s in (900, 1334):
        assert duty(logic) == (at_s, Refresh("INVITE"))
        refused(logic, 503, at_s=at_s)
    accepted(logic, expires("1800;refresher=uac"), at_s=1551)

    assert len(duties(logic, 503)) == 4


def test_no_other_refresh_is_asked_for_while_one_is_open() -> None:
    logic = caller(1800)
    duty(logic)

    assert logic.next_deadline() == 1800 * S
    assert logic.handle_deadline(now=1799 * S) is None
