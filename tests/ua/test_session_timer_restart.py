"""What moves a session and what does not: the 2xx to INVITE and UPDATE, nothing else (RFC 4028 sections 7.2, 9, 10)."""

import pytest

from simkit.ua.session_timer import Side
from simkit.ua.timer_logic import Accept, Refresh, Reject, SessionState
from simkit.units import S

from .session_messages import TIMER, expires, min_se, request, response, settings, value
from .session_sides import EXPIRED, accept, accepted, callee, caller, duty, timer


def test_refreshes_that_succeed_keep_the_session_for_ever() -> None:
    """M01, M04: the expiry moves with every 2xx, and there is a next refresh after each."""
    logic = caller(1800)
    for turn in range(1, 20):
        assert duty(logic) == (900 * turn, Refresh("INVITE"))
        accepted(logic, expires("1800;refresher=uac"), at_s=900 * turn)
        assert logic.refresh_result(200, now=900 * turn * S) is None


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_refreshes_of_the_peer_keep_the_session_for_ever(method: str) -> None:
    """M02: by re-INVITE and by UPDATE."""
    logic = caller(1800, "uas")
    for turn in range(1, 20):
        accept(logic, TIMER, expires("1800;refresher=uac"), at_s=900 * turn, method=method)
        assert logic.state() == SessionState(1800, False)
        assert logic.next_deadline() == (900 * turn + 1768) * S


def test_a_re_invite_for_another_purpose_restarts_the_session_too() -> None:
    """RFC4028-7.2-13, M03, M05: one stream of refreshes, from the latest 2xx."""
    logic = caller(1800)
    accepted(logic, expires("1800;refresher=uac"), at_s=100)

    assert duty(logic) == (1000, Refresh("INVITE"))
    assert logic.next_deadline() == 1900 * S

    other = caller(1800, "uas")
    accepted(other, expires("1800;refresher=uas"), at_s=890)
    assert duty(other) == (890 + 1768, EXPIRED)


def test_roles_are_those_of_the_transaction_not_of_the_call() -> None:
    """RFC4028-7.4-9, M15: B refreshes as UAC of its own re-INVITE, and still refreshes after it."""
    a, b = caller(1800, "uas"), callee(1800, "uas")
    for turn in range(1, 4):
        assert duty(b) == (900 * turn, Refresh("INVITE"))
        headers = b.make_request("INVITE", initial=False, now=900 * turn * S)
        assert value(headers, "Session-Expires") == "1800;refresher=uac"
        verdict = a.receive_request(request(*headers), initial=False, now=900 * turn * S)
        a.sent_response(response(200, *verdict.headers), now=900 * turn * S)
        b.receive_response(response(200, *verdict.headers), now=900 * turn * S)
        assert (a.state(), b.state()) == (SessionState(1800, False), SessionState(1800, True))

    assert value(a.make_request("INVITE", initial=False, now=0), "Session-Expires") == "1800;refresher=uas"


def test_the_job_can_be_handed_over_and_taken_back() -> None:
    """RFC4028-7.4-10."""
    logic = callee(1800, "uas")
    accept(logic, TIMER, expires("1800;refresher=uac"), at_s=100)
    assert duty(logic) == (100 + 1768, EXPIRED)

    logic = callee(1800, "uac")
    accept(logic, TIMER, expires("1800;refresher=uas"), at_s=100)
    assert duty(logic) == (1000, Refresh("INVITE"))


@pytest.mark.parametrize("refresher", ["uac", "uas"])
def test_a_request_without_refresher_leaves_the_job_where_it_is(refresher: str) -> None:
    """M17, RFC4028-9-10."""
    logic = callee(1800, refresher)
    before = logic.state()
    for at_s in (100, 200):
        accept(logic, TIMER, expires("1800"), at_s=at_s)
        assert logic.state() == before


def test_a_new_interval_takes_the_place_of_the_old() -> None:
    """RFC4028-7.2-8, 9-13, M42."""
    logic = caller(1800)
    accept(logic, TIMER, expires("300;refresher=uas"), at_s=100)

    assert logic.state() == SessionState(300, True)
    assert duty(logic) == (250, Refresh("INVITE"))
    assert duty(logic) == (400, EXPIRED)


def test_a_2xx_that_we_send_without_session_expires_switches_the_timer_off() -> None:
    """RFC4028-9-13."""
    logic = callee(1800, "uac")
    accept(logic, at_s=100)

    assert logic.state() == SessionState(None, False)
    assert logic.next_deadline() is None


def test_a_timer_may_begin_within_the_dialog() -> None:
    """M69: the request at hand counts, not the first."""
    logic = timer(side=Side.CALLEE)
    accept(logic, initial=True, at_s=0)
    assert logic.next_deadline() is None

    accept(logic, TIMER, expires("600;refresher=uac"), at_s=100)
    assert duty(logic) == (100 + 568, EXPIRED)


def test_the_other_side_never_hangs_up_on_a_peer_that_dropped_the_timer() -> None:
    """M23, RFC4028-7.2-7."""
    logic = caller(1800, "uas")
    accepted(logic, at_s=100)

    assert logic.next_deadline() is None


def test_the_refresher_goes_on_alone_where_the_peer_dropped_the_timer() -> None:
    """M23, RFC4028-7.2-5."""
    logic = caller(1800)
    accepted(logic, at_s=900)

    assert duty(logic) == (1800, Refresh("INVITE"))
    assert logic.next_deadline() == 2700 * S


def test_a_peer_without_the_extension_is_refreshed_and_never_hung_up_on() -> None:
    """M22, RFC4028-7.2-5: with no Session-Expires in the 2xx the UAC may go on for its own benefit."""
    logic = timer()
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200), now=0)
    for turn in range(1, 10):
        assert duty(logic) == (900 * turn, Refresh("INVITE"))
        accepted(logic, at_s=900 * turn)


def test_a_callee_refreshes_for_a_caller_without_the_extension() -> None:
    """M18: a proxy asked; who cannot refresh is not told to."""
    logic = timer(side=Side.CALLEE)
    accept(logic, expires("600"), initial=True, at_s=0)

    assert logic.state() == SessionState(600, True)
    assert duty(logic) == (300, Refresh("INVITE"))


def test_an_interval_that_the_peer_raised_is_refreshed_by_our_own() -> None:
    """M37: 600 asked, 1800 given."""
    logic = timer(settings(600))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires("1800;refresher=uac")), now=0)

    assert logic.state() == SessionState(1800, True)
    assert duty(logic) == (300, Refresh("INVITE"))
    assert duty(logic) == (1800, EXPIRED)


def test_an_interval_below_our_min_se_does_not_cost_the_call() -> None:
    """M38."""
    logic = timer(settings(1800, 200))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires("100;refresher=uac")), now=0)

    assert duty(logic) == (50, Refresh("INVITE"))


@pytest.mark.parametrize(
    "written", ["0", "1", "2", "3", "89", "-5", "1952258", "4294968", "4294967295", "100000000000"]
)
@pytest.mark.parametrize("refresher", ["uac", "uas"])
def test_no_value_of_the_peer_makes_a_storm_or_an_instant_hang_up(written: str, refresher: str) -> None:
    """M13, M14: nothing happens before half of 90 s."""
    logic = timer()
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires(f"{written};refresher={refresher}")), now=0)

    due_at = logic.next_deadline()
    assert due_at is not None
    assert due_at >= 45 * S


def test_intervals_below_the_floor_are_obeyed_where_the_party_is_set_to_them() -> None:
    """RFC4028-4-3 is for the world; a party may be set to less, for testing."""
    logic = timer(settings(30, 10))
    assert value(logic.make_request("INVITE", initial=True, now=0), "Session-Expires") == "30"
    logic.receive_response(response(200, expires("20;refresher=uac")), now=0)

    assert duty(logic) == (10, Refresh("INVITE"))


# --- what does not ---


@pytest.mark.parametrize("refresher", ["uac", "uas"])
@pytest.mark.parametrize("status", [100, 183, 300, 401, 422, 488, 491, 500, 603])
def test_only_a_2xx_moves_the_session(status: int, refresher: str) -> None:
    """RFC4028-10-2, M36, M39, M66, RFC 3261 section 14.1: whoever sent it, and even with Session-Expires."""
    logic = callee(1800, refresher)
    before = logic.state(), logic.next_deadline()

    logic.receive_request(request(TIMER, expires("100;refresher=uac")), initial=False, now=100 * S)
    logic.sent_response(response(status, expires("100;refresher=uac")), now=100 * S)
    logic.receive_request(request(), initial=False, now=100 * S)
    logic.sent_response(response(status), now=100 * S)
    assert (logic.state(), logic.next_deadline()) == before

    logic.make_request("INVITE", initial=False, now=100 * S)
    logic.receive_response(response(status, expires("100;refresher=uac"), min_se(120)), now=100 * S)
    assert (logic.state(), logic.next_deadline()) == before


@pytest.mark.parametrize("method", ["OPTIONS", "INFO", "MESSAGE"])
def test_other_methods_refresh_nothing(method: str) -> None:
    """RFC4028-4-2."""
    logic = caller(1800)
    logic.make_request(method, initial=False, now=0)
    logic.receive_response(response(200, expires("100;refresher=uas"), method=method), now=100 * S)
    logic.sent_response(response(200, expires("100;refresher=uas"), method=method), now=100 * S)

    assert logic.receive_request(request(TIMER, expires(1), method=method), initial=False, now=100 * S) == Accept()
    assert logic.state() == SessionState(1800, True)
    assert logic.next_deadline() == 900 * S


def test_a_request_that_cannot_be_read_is_answered_400_and_changes_nothing() -> None:
    """M14."""
    logic = callee(1800, "uac")

    assert logic.receive_request(request(TIMER, expires("-5")), initial=False, now=S) == Reject(400)
    assert logic.next_deadline() == 1768 * S


def test_an_early_update_does_not_settle_what_the_invite_asks() -> None:
    """M71, erratum 4744: the last 2xx wins, and a response is held against its own request."""
    logic = timer(settings(600))
    logic.make_request("INVITE", initial=True, now=0)
    assert logic.make_request("UPDATE", initial=False, now=0) == (TIMER,)
    logic.receive_response(response(200, method="UPDATE"), now=0)
    assert logic.next_deadline() is None

    logic.receive_response(response(200), now=S)
    assert logic.state() == SessionState(600, True)
