"""The session timer of one side of one dialog: its state, its deadlines, and what it makes of failures (RFC 4028)."""

from collections.abc import Callable, Sequence

import pytest

from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.ua.session_timer import TOO_SMALL_MAX, SessionTimer, Side
from simkit.ua.timer_logic import Accept, Bye, GiveUp, Refresh, Reject, Retry, SessionState, TimerLogic
from simkit.ua.timers import TimerLog
from simkit.units import MS, S

from .session_messages import NEARLY_ONE, TIMER, Chance, expires, min_se, request, response, settings, value

EXPIRED = Bye("session-expired")
FAILED = Bye("refresh-failed")
ALLOW_UPDATE = ("Allow", "INVITE, ACK, BYE, UPDATE")
ALLOW_NO_UPDATE = ("Allow", "INVITE, ACK, BYE")


def timer(
    party: SessionTimerSettings | None = None,
    *,
    side: Side = Side.CALLER,
    chance: float = 0.0,
    log: TimerLog | None = None,
) -> SessionTimer:
    return SessionTimer(party or settings(), side=side, random=Chance(chance), log=log)


def caller(
    interval_s: int = 1800, refresher: str = "uac", *more: HeaderField, use_update: bool = False
) -> SessionTimer:
    """A caller whose call came up at 0 with these terms; by `refresher` uac it refreshes."""
    logic = timer(settings(interval_s, use_update=use_update))
    logic.make_request("INVITE", initial=True, now=0)
    logic.receive_response(response(200, expires(f"{interval_s};refresher={refresher}"), *more), now=0)
    return logic


def callee(
    interval_s: int = 1800, refresher: str = "uas", *more: HeaderField, use_update: bool = False
) -> SessionTimer:
    """A callee whose call came up at 0 with these terms; by `refresher` uas it refreshes."""
    logic = timer(settings(interval_s, use_update=use_update), side=Side.CALLEE)
    accept(logic, TIMER, expires(f"{interval_s};refresher={refresher}"), *more, initial=True, at_s=0)
    return logic


def accept(
    logic: SessionTimer, *headers: HeaderField, at_s: float, initial: bool = False, method: str = "INVITE"
) -> None:
    """The peer sends a request and gets its 2xx."""
    now = round(at_s * S)
    verdict = logic.receive_request(request(*headers, method=method), initial=initial, now=now)
    assert isinstance(verdict, Accept)
    logic.sent_response(response(200, *verdict.headers, method=method), now=now)


def accepted(logic: SessionTimer, *headers: HeaderField, at_s: float, method: str = "INVITE") -> None:
    """A request of ours gets its 2xx, at once."""
    now = round(at_s * S)
    logic.make_request(method, initial=False, now=now)
    assert logic.receive_response(response(200, *headers, method=method), now=now) is None


def refused(logic: SessionTimer, status: int, *headers: HeaderField, at_s: float, method: str = "INVITE") -> Bye | None:
    """The refresh that the logic has asked for is refused, at once."""
    now = round(at_s * S)
    logic.make_request(method, initial=False, now=now)
    logic.receive_response(response(status, *headers, method=method), now=now)
    return logic.refresh_result(status, now=now)


def duty(logic: SessionTimer) -> tuple[float, Refresh | Bye]:
    """Go to the next deadline; nothing may fall due before it, and nothing twice."""
    due_at = logic.next_deadline()
    assert due_at is not None
    assert logic.handle_deadline(now=due_at - 1) is None
    found = logic.handle_deadline(now=due_at)
    assert found is not None
    assert logic.handle_deadline(now=due_at) is None
    return due_at / S, found


def duties(logic: SessionTimer, status: int, *headers: HeaderField) -> list[tuple[float, Refresh | Bye]]:
    """Refuse every refresh in the same way until nothing more is asked for."""
    found = []
    while logic.next_deadline() is not None:
        found.append(duty(logic))
        if isinstance(found[-1][1], Refresh):
            refused(logic, status, *headers, at_s=found[-1][0])
    return found


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


# --- what restarts the session ---


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


# --- 422 and Min-SE ---


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


# --- failures ---


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
