"""422 and Min-SE: what is learnt, carried, forgotten and given up (RFC 4028 sections 7.3 and 7.4)."""

from collections.abc import Sequence

import pytest

from simkit.sip.headers import HeaderField
from simkit.ua.session_timer import TOO_SMALL_MAX, Side
from simkit.ua.timer_logic import GiveUp, Refresh, Retry, SessionState
from simkit.units import S

from .session_messages import TIMER, expires, min_se, request, response, settings, value
from .session_sides import EXPIRED, accept, callee, caller, duties, duty, timer


def test_a_422_is_answered_by_a_request_with_its_min_se() -> None:
    """RFC4028-7.3-1, 7.4-3, M28."""
    logic = timer(settings(90))
    logic.make_request("INVITE", initial=True, now=0)

    assert logic.receive_response(response(422, min_se(120)), now=0) == Retry()
    headers = logic.make_request("INVITE", initial=True, now=0)
    assert (value(headers, "Session-Expires"), value(headers, "Min-SE")) == ("120", "120")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="M34: no Min-SE"),
        pytest.param([min_se("")], id="an empty one"),
        pytest.param([min_se("many")], id="one that is no number"),
        pytest.param([min_se(90)], id="what we offered"),
        pytest.param([min_se(89)], id="less than we offered"),
    ],
)
def test_a_422_that_tells_nothing_new_is_given_up(headers: Sequence[HeaderField]) -> None:
    """M29, M34, RFC4028-10-5."""
    logic = timer(settings(90))
    logic.make_request("INVITE", initial=True, now=0)

    assert logic.receive_response(response(422, *headers), now=0) == GiveUp()


def test_a_server_that_says_422_for_ever_is_asked_once_more() -> None:
    """M29."""
    logic = timer()
    logic.make_request("INVITE", initial=True, now=0)
    assert logic.receive_response(response(422, min_se(3600)), now=0) == Retry()
    logic.make_request("INVITE", initial=True, now=0)
    assert logic.receive_response(response(422, min_se(3600)), now=0) == GiveUp()


def test_servers_that_raise_their_min_se_for_ever_are_left_alone_in_the_end() -> None:
    """M29."""
    logic = timer(settings(90))
    for number in range(TOO_SMALL_MAX):
        logic.make_request("INVITE", initial=True, now=0)
        assert logic.receive_response(response(422, min_se(100 + number)), now=0) == Retry()
    logic.make_request("INVITE", initial=True, now=0)
    assert logic.receive_response(response(422, min_se(1000)), now=0) == GiveUp()


def test_422s_are_counted_in_a_row() -> None:
    """M29: a request that went another way, or was given up, begins a new row."""
    for ending in (response(500), response(422), response(200, expires("90;refresher=uac"))):
        logic = timer(settings(90))
        for answer in [*(response(422, min_se(100 + number)) for number in range(TOO_SMALL_MAX)), ending]:
            logic.make_request("INVITE", initial=True, now=0)
            logic.receive_response(answer, now=0)
        logic.make_request("INVITE", initial=True, now=0)
        assert logic.receive_response(response(422, min_se(1000)), now=0) == Retry()


def test_a_422_to_a_request_that_asked_for_nothing_is_followed_once() -> None:
    """RFC4028-7.4-2: Min-SE is carried without a timer in force, too."""
    logic = timer(side=Side.CALLEE)
    assert logic.make_request("INVITE", initial=False, now=0) == (TIMER,)
    assert logic.receive_response(response(422, min_se(120)), now=0) == Retry()
    assert logic.make_request("INVITE", initial=False, now=0) == (TIMER, min_se(120))
    assert logic.receive_response(response(422, min_se(120)), now=0) == GiveUp()


def test_the_largest_min_se_is_carried_and_never_falls() -> None:
    """RFC4028-7.4-4, M30: of 422s before the dialog, of 422s and of the peer's requests within."""
    logic = timer(settings(90))
    for offered, told in (("90", 300), ("300", 350), ("350", 200)):
        assert value(logic.make_request("INVITE", initial=True, now=0), "Session-Expires") == offered
        logic.receive_response(response(422, min_se(told)), now=0)
    assert value(logic.make_request("INVITE", initial=True, now=0), "Min-SE") == "350"

    logic = caller(120)
    carried = []
    for told in (300, 200, 400):
        accept(logic, TIMER, expires("500;refresher=uas"), min_se(told), at_s=1)
        carried.append(value(logic.make_request("UPDATE", initial=False, now=S), "Min-SE"))
    assert carried == ["300", "300", "400"]

    for told in (600, 500):
        logic.receive_response(response(422, min_se(told), method="UPDATE"), now=S)
        assert value(logic.make_request("UPDATE", initial=False, now=S), "Min-SE") == "600"


def test_a_min_se_without_session_expires_is_learnt_too() -> None:
    """M30: the peer's request holds Min-SE 3600 and no interval."""
    logic = caller(1800)
    accept(logic, TIMER, min_se(3600), at_s=1)

    assert logic.state() == SessionState(3600, True)
    assert value(logic.make_request("INVITE", initial=False, now=S), "Min-SE") == "3600"


def test_the_min_se_of_a_request_that_was_rejected_is_learnt() -> None:
    """RFC4028-7.4-2 counts what was received, whatever became of it; the interval stays."""
    logic = callee(1800)
    logic.receive_request(request(TIMER, expires(50), min_se(2000)), initial=False, now=S)
    logic.sent_response(response(422, min_se(90)), now=S)

    assert logic.state() == SessionState(1800, True)
    headers = logic.make_request("INVITE", initial=False, now=S)
    assert (value(headers, "Session-Expires"), value(headers, "Min-SE")) == ("2000;refresher=uac", "2000")


def test_the_min_se_of_the_initial_invite_binds_the_callee() -> None:
    """RFC4028-7.4-2: the initial INVITE is a session refresh request as well."""
    logic = callee(1800, "uas", min_se(300))

    assert value(logic.make_request("INVITE", initial=False, now=0), "Min-SE") == "300"


def test_what_422s_said_before_the_dialog_is_forgotten_within_it() -> None:
    """RFC4028-7.4-5: a proxy that said it need not be on the path; the interval that came of it stays."""
    logic = timer(settings(90))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(422, min_se(3600)), now=0)
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires("3600;refresher=uac")), now=0)

    headers = logic.make_request("INVITE", initial=False, now=S)
    assert (value(headers, "Session-Expires"), value(headers, "Min-SE")) == ("3600;refresher=uac", None)


def test_a_refresh_that_was_too_small_is_sent_anew_and_leaves_the_expiry() -> None:
    """M36, RFC4028-10-2."""
    logic = caller(300)
    assert duty(logic) == (150, Refresh("INVITE"))
    logic.make_request("INVITE", initial=False, now=150 * S)
    assert logic.receive_response(response(422, min_se(400)), now=150 * S) == Retry()

    assert logic.state() == SessionState(300, True)
    assert logic.next_deadline() == 300 * S

    headers = logic.make_request("INVITE", initial=False, now=150 * S)
    assert (value(headers, "Session-Expires"), value(headers, "Min-SE")) == ("400;refresher=uac", "400")
    logic.receive_response(response(200, expires("400;refresher=uac")), now=151 * S)
    assert logic.refresh_result(200, now=151 * S) is None
    assert duty(logic) == (351, Refresh("INVITE"))


def test_a_refresh_that_stays_too_small_is_not_tried_for_ever() -> None:
    """M29, M52."""
    assert duties(caller(300), 422, min_se(90)) == [(150, Refresh("INVITE")), (300, EXPIRED)]
