"""The session timer of one side of one dialog: what it says, when it acts, and its end (RFC 4028)."""

from collections.abc import Callable

import pytest

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.ua.session_timer import SessionTimer, Side
from simkit.ua.timer_logic import Accept, Refresh, SessionState, TimerLogic
from simkit.ua.timers import TimerLog
from simkit.units import MS, S

from .session_messages import TIMER, Chance, expires, min_se, request, response, settings, value
from .session_sides import (
    ALLOW_NO_UPDATE,
    ALLOW_UPDATE,
    EXPIRED,
    accept,
    accepted,
    callee,
    caller,
    duties,
    duty,
    refused,
    timer,
)


def test_it_fills_the_seat() -> None:
    logic: TimerLogic = timer()

    assert logic.state() == SessionState(None, False)
    assert logic.next_deadline() is None
    assert logic.handle_deadline(now=10**12) is None


# --- what is said ---


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "BYE", "OPTIONS", "INFO"])
@pytest.mark.parametrize("initial", [True, False])
def test_every_request_says_that_the_timer_is_supported(method: str, initial: bool) -> None:
    """RFC4028-7.1-1, 7.1-2, M41."""
    assert TIMER in timer().make_request(method, initial=initial, now=0)


@pytest.mark.parametrize("method", ["BYE", "OPTIONS", "INFO"])
def test_session_expires_and_min_se_belong_to_invite_and_update(method: str) -> None:
    """RFC4028-4-2, 5-1."""
    assert caller(120).make_request(method, initial=False, now=0) == (TIMER,)
    assert timer(settings(min_se=120)).make_request(method, initial=False, now=0) == (TIMER,)


def test_a_refresh_says_the_terms_in_force() -> None:
    """RFC4028-7.4-8, 7.4-9, M42: not those that the party is set to."""
    logic = timer(settings(1800, prefer="uas"))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires("300;refresher=uac")), now=0)

    assert value(logic.make_request("UPDATE", initial=False, now=0), "Session-Expires") == "300;refresher=uac"

    accepted(logic, expires("200;refresher=uas"), at_s=150)
    assert value(logic.make_request("INVITE", initial=False, now=150 * S), "Session-Expires") == "200;refresher=uas"


def test_a_party_without_the_extension_says_nothing_and_reads_nothing() -> None:
    """RFC4028-7.1-1 binds who supports the timer; M72: nobody is forced into it."""
    for logic in (
        SessionTimer(SessionTimerSettings(enabled=False), side=Side.CALLEE, random=Chance()),
        SessionTimer(settings(), side=Side.CALLEE, random=Chance(), supported=False),
    ):
        assert logic.make_request("INVITE", initial=True, now=0) == ()
        assert logic.receive_request(request(TIMER, expires("x")), initial=True, now=0) == Accept()
        logic.sent_response(response(200, expires("600;refresher=uas")), now=0)
        assert logic.receive_response(response(200, expires("600;refresher=uac")), now=0) is None
        assert logic.receive_response(response(422, min_se(120)), now=0) is None
        assert logic.state() == SessionState(None, False)
        assert logic.next_deadline() is None


# --- deadlines ---


INTERVALS = [90, 95, 96, 120, 128, 300, 600, 1800, 2**32 - 1, 10**11]


@pytest.mark.parametrize("interval_s", INTERVALS)
@pytest.mark.parametrize("refresher", [caller, callee], ids=["caller", "callee"])
def test_the_refresher_refreshes_at_half_and_hangs_up_at_the_expiry(
    interval_s: int, refresher: Callable[[int], SessionTimer]
) -> None:
    """RFC4028-7.2-12, 9-16, 10-2; M10: no early margin for the refresher; M11: but an end there is."""
    logic = refresher(interval_s)

    assert logic.state() == SessionState(interval_s, True)
    assert duty(logic) == (interval_s / 2, Refresh("INVITE"))
    assert duty(logic) == (interval_s, EXPIRED)
    assert logic.next_deadline() is None


@pytest.mark.parametrize(
    ("interval_s", "bye_s"),
    [(90, 60), (96, 64), (120, 88), (128, 96), (300, 268), (600, 568), (1800, 1768), (2**32 - 1, 2**32 - 33)],
)
def test_the_other_side_hangs_up_early(interval_s: int, bye_s: int) -> None:
    """RFC4028-10-6, 10-7, M08, M09."""
    for logic in (caller(interval_s, "uas"), callee(interval_s, "uac")):
        assert logic.state() == SessionState(interval_s, False)
        assert duty(logic) == (bye_s, EXPIRED)
        assert logic.next_deadline() is None


def test_a_deadline_may_be_handled_late() -> None:
    logic = caller(1800)

    assert logic.handle_deadline(now=1000 * S) == Refresh("INVITE")
    assert logic.next_deadline() == 1800 * S


def test_who_wakes_after_the_expiry_hangs_up_and_does_not_refresh() -> None:
    """M81: a clock that stood still."""
    assert caller(1800).handle_deadline(now=5000 * S) == EXPIRED


def test_the_log_tells_what_the_timers_did() -> None:
    log: TimerLog = []
    logic = timer(log=log)
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires("1800;refresher=uac")), now=0)
    duty(logic)
    accepted(logic, expires("1800;refresher=uas"), at_s=901)
    logic.close(now=1000 * S)

    told = [(event.at // S, event.timer.value, event.change, event.due_at // S) for event in log]
    assert told == [
        (0, "refresh", "armed", 900),
        (0, "expiry", "armed", 1800),
        (900, "refresh", "fired", 900),
        (901, "expiry", "cancelled", 1800),
        (901, "bye", "armed", 2669),
        (1000, "bye", "cancelled", 2669),
    ]


# --- UPDATE ---


@pytest.mark.parametrize(
    ("headers", "use_update", "method"),
    [
        pytest.param([ALLOW_UPDATE], True, "UPDATE", id="wanted and allowed"),
        pytest.param([("Allow", "INVITE"), ("Allow", "update")], True, "UPDATE", id="allowed by a second header"),
        pytest.param([ALLOW_UPDATE], False, "INVITE", id="not wanted"),
        pytest.param([ALLOW_NO_UPDATE], True, "INVITE", id="not allowed"),
        pytest.param([], True, "INVITE", id="not known"),
    ],
)
def test_update_is_sent_where_it_is_wanted_and_allowed(
    headers: list[HeaderField], use_update: bool, method: str
) -> None:
    """RFC4028-7.4-13, RFC 3311 section 4, M58."""
    assert duty(caller(1800, "uac", *headers, use_update=use_update)) == (900, Refresh(method))
    assert duty(callee(1800, "uas", *headers, use_update=use_update)) == (900, Refresh(method))


def test_the_latest_allow_counts() -> None:
    """M58, M69."""
    logic = caller(1800, "uac", ALLOW_UPDATE, use_update=True)
    accepted(logic, expires("1800;refresher=uac"), at_s=10)
    assert duty(logic) == (910, Refresh("UPDATE"))

    accept(logic, TIMER, expires("1800;refresher=uas"), ALLOW_NO_UPDATE, at_s=920)
    assert duty(logic) == (1820, Refresh("INVITE"))


@pytest.mark.parametrize("status", [405, 501])
def test_a_refused_update_is_followed_by_a_re_invite_at_once_and_for_good(status: int) -> None:
    """M58: whatever Allow says after that."""
    logic = caller(1800, "uac", ALLOW_UPDATE, use_update=True)
    assert duty(logic) == (900, Refresh("UPDATE"))
    assert refused(logic, status, at_s=900, method="UPDATE") is None
    assert duty(logic) == (900, Refresh("INVITE"))

    accepted(logic, expires("1800;refresher=uac"), ALLOW_UPDATE, at_s=900)
    assert duty(logic) == (1800, Refresh("INVITE"))


def test_a_refused_re_invite_is_a_failure_like_any_other() -> None:
    """M52: no way round is left."""
    assert [at for at, _ in duties(caller(1800), 405)] == [900, 1334, 1551, 1800]


# --- the end ---


@pytest.mark.parametrize("at_s", [899.999, 900, 900.001])
def test_nothing_survives_the_end(at_s: float) -> None:
    """M67: neither a deadline, nor what comes late."""
    now = round(at_s * S)
    logic = caller(1800)
    logic.handle_deadline(now=now)
    logic.make_request("INVITE", initial=False, now=now)
    logic.close(now=now)

    assert logic.receive_response(response(200, expires("1800;refresher=uac")), now=now + MS) is None
    assert logic.refresh_result(491, now=now + MS) is None
    assert logic.refresh_result(None, now=now + 32 * S) is None
    logic.receive_request(request(TIMER, expires("1800;refresher=uas")), initial=False, now=now + MS)
    logic.sent_response(response(200, expires("1800;refresher=uas")), now=now + MS)
    assert logic.next_deadline() is None
    assert logic.handle_deadline(now=10**12) is None
    assert logic.state() == SessionState(None, False)
    assert logic.make_request("BYE", initial=False, now=now) == (TIMER,)


def test_a_hang_up_is_asked_for_once() -> None:
    """M67: a 2xx that comes after it revives nothing."""
    logic = callee(1800, "uac")
    assert duty(logic) == (1768, EXPIRED)
    accept(logic, TIMER, expires("1800;refresher=uac"), at_s=1769)

    assert logic.next_deadline() is None
