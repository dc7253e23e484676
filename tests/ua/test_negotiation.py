"""What is said and understood (RFC 4028 sections 5, 7 and 9, table 2), case by case and then exhaustively."""

from itertools import product

import pytest

from simkit.errors import PeerError
from simkit.settings import SessionTimerSettings
from simkit.sip.headers import HeaderField
from simkit.sip.session_headers import Refresher
from simkit.ua.negotiation import NOTHING_ASKED, Asked, SessionTerms, agreed, announced, answer, ask, floor_s
from simkit.ua.timer_logic import Accept, Reject
from simkit.units import S

from .session_messages import TIMER, expires, min_se, request, response, settings, value

WE_REFRESH = SessionTerms(600, we_refresh=True)
PEER_REFRESHES = SessionTerms(600, we_refresh=False)

# --- section 7.1 and 7.4: what a request says ---

REQUESTS = [
    #            settings, in force, initial, Min-SE seen -> Session-Expires, Min-SE
    pytest.param(settings(), None, True, None, "1800", None, id="7.1-11: the refresher is left to the UAS"),
    pytest.param(settings(prefer="uac"), None, True, None, "1800;refresher=uac", None, id="7.1-10: we want the job"),
    pytest.param(settings(prefer="uas"), None, True, None, "1800;refresher=uas", None, id="Table 2: the UAS is to"),
    pytest.param(settings(min_se=120), None, True, None, "1800", "120", id="7.1-7: our own Min-SE above 90"),
    pytest.param(settings(min_se=91), None, True, None, "1800", "91", id="7.1-7: ... just above"),
    pytest.param(settings(60, 30), None, True, None, "60", None, id="5-2: our own Min-SE below 90 is not sent"),
    pytest.param(settings(100, 200), None, True, None, "200", "200", id="7.1-9: raised to our own Min-SE"),
    pytest.param(settings(90), None, True, 120, "120", "120", id="7.4-3: after a 422 before the dialog"),
    pytest.param(settings(300), None, True, 120, "300", "120", id="7.4-8: already above the Min-SE of the 422"),
    pytest.param(settings(300), None, True, 90, "300", "90", id="7.4-2: a Min-SE of 90 is carried too"),
    pytest.param(settings(60, 30), None, True, 75, "90", "90", id="5-2: a Min-SE below 90 is carried as 90"),
    pytest.param(settings(min_se=400), None, True, 120, "1800", "400", id="7.4-6: our own Min-SE above the 422's"),
    pytest.param(settings(), WE_REFRESH, False, None, "600;refresher=uac", None, id="7.4-9: the job is ours"),
    pytest.param(settings(), PEER_REFRESHES, False, None, "600;refresher=uas", None, id="7.4-9: the job is the peer's"),
    pytest.param(settings(prefer="uas"), WE_REFRESH, False, None, "600;refresher=uac", None, id="7.4-9: not by wish"),
    pytest.param(settings(), WE_REFRESH, False, 3600, "3600;refresher=uac", "3600", id="7.4-8: raised to Min-SE"),
    pytest.param(settings(60, 30), SessionTerms(60, True), False, None, "60;refresher=uac", None, id="short by choice"),
    pytest.param(settings(), None, False, None, None, None, id="7.4-7: no timer in force, none asked for"),
    pytest.param(settings(), None, False, 120, None, "120", id="7.4-2: Min-SE even so"),
]


@pytest.mark.parametrize(("party", "current", "initial", "seen", "says", "least"), REQUESTS)
def test_a_request_says(
    party: SessionTimerSettings,
    current: SessionTerms | None,
    initial: bool,
    seen: int | None,
    says: str | None,
    least: str | None,
) -> None:
    """RFC 4028 sections 5, 7.1 and 7.4."""
    headers = ask(party, current, initial=initial, min_se_seen_s=seen).headers

    assert headers[0] == TIMER  # 7.1-1, 7.1-2, 7.4-1
    assert value(headers, "Session-Expires") == says
    assert value(headers, "Min-SE") == least


def test_headers_of_unchanged_terms_are_made_once() -> None:
    first, second = (ask(settings(), WE_REFRESH, initial=False, min_se_seen_s=None) for _ in range(2))

    assert first is second


# --- section 9: what is answered ---

ANSWERS = [
    #            request's headers, settings, in force -> status, Session-Expires, Require: timer
    pytest.param([TIMER, expires("1800")], settings(), None, 200, "1800;refresher=uac", True, id="Table 2: yes, none"),
    pytest.param([TIMER, expires("1800")], settings(prefer="uas"), None, 200, "1800;refresher=uas", True, id="... uas"),
    pytest.param([TIMER, expires("1800;refresher=uas")], settings(prefer="uac"), None, 200, "1800;refresher=uas", True,
                 id="9-10: the UAC's choice stands, uas"),
    pytest.param([TIMER, expires("1800;refresher=uac")], settings(prefer="uas"), None, 200, "1800;refresher=uac", True,
                 id="9-10: the UAC's choice stands, uac"),
    pytest.param([TIMER, expires('1800;refresher="UAS"')], settings(), None, 200, "1800;refresher=uas", True,
                 id="4-8: without case, quoted"),
    pytest.param([("k", "100rel, Timer"), ("x", "1800")], settings(), None, 200, "1800;refresher=uac", True,
                 id="4-8: compact forms, in a list"),
    pytest.param([TIMER, expires("1800;refresher=none")], settings(), None, 200, "1800;refresher=uac", True,
                 id="4-7: an unknown refresher is none"),
    pytest.param([expires("600")], settings(), None, 200, "600;refresher=uas", False, id="Table 2: no, none"),
    pytest.param([expires("600;refresher=uac")], settings(), None, 200, "600;refresher=uas", False,
                 id="Table 2: no, uac, must not occur"),
    pytest.param([expires("600;refresher=uas")], settings(), None, 200, "600;refresher=uas", False,
                 id="Table 2: no, uas, must not occur"),
    pytest.param([("Require", "timer"), expires("600")], settings(), None, 200, "600;refresher=uas", False,
                 id="8.1-17: Require may be a proxy's word, only Supported is the UAC's"),
    pytest.param([TIMER, expires("89")], settings(), None, 422, None, False, id="9-1: below the floor"),
    pytest.param([TIMER, expires("90")], settings(), None, 200, "90;refresher=uac", True, id="9-1: on the floor"),
    pytest.param([TIMER, expires("299")], settings(min_se=300), None, 422, None, False, id="9-1: below our minimum"),
    pytest.param([TIMER, expires("300")], settings(min_se=300), None, 200, "300;refresher=uac", True,
                 id="9-1: on our minimum"),
    pytest.param([TIMER, expires("0")], settings(60, 30), None, 422, None, False, id="M14: no interval at all"),
    pytest.param([TIMER, expires("60")], settings(60, 30), None, 200, "60;refresher=uac", True, id="short by choice"),
    pytest.param([expires("120")], settings(min_se=300), None, 200, "120;refresher=uas", False,
                 id="9-1, 9-6: too small, no 422 possible, not raised"),
    pytest.param([expires("89")], settings(), None, 200, None, False, id="4-3: below the floor, no 422: no timer"),
    pytest.param([TIMER, expires("4294967295")], settings(), None, 200, "4294967295;refresher=uac", True,
                 id="4-5: any value above"),
    pytest.param([TIMER, expires("100000000000")], settings(), None, 200, "100000000000;refresher=uac", True,
                 id="M14: beyond 32 bits"),
    pytest.param([TIMER], settings(), None, 200, "1800;refresher=uac", True, id="9-7: asked for by us"),
    pytest.param([TIMER], settings(prefer="uas"), None, 200, "1800;refresher=uas", True, id="9-7: ... we refresh"),
    pytest.param([TIMER, min_se("3600")], settings(), None, 200, "3600;refresher=uac", True, id="9-8: above Min-SE"),
    pytest.param([TIMER], settings(100, 300), None, 200, "300;refresher=uac", True, id="9-7: nor below our minimum"),
    pytest.param([], settings(), None, 200, None, False, id="M21: who knows no timer is told of none"),
    pytest.param([min_se("120")], settings(), None, 200, None, False, id="M21: ... with Min-SE of a proxy"),
    pytest.param([TIMER, expires("600")], settings(), WE_REFRESH, 200, "600;refresher=uas", True,
                 id="M17: no refresher named within the dialog, the job stays with us"),
    pytest.param([TIMER, expires("600")], settings(prefer="uas"), PEER_REFRESHES, 200, "600;refresher=uac", True,
                 id="M17: ... with the peer"),
    pytest.param([TIMER, expires("600;refresher=uas")], settings(), PEER_REFRESHES, 200, "600;refresher=uas", True,
                 id="7.4-10: the peer hands the job over"),
    pytest.param([TIMER], settings(), WE_REFRESH, 200, "600;refresher=uas", True, id="9-7: goes on as it was, ours"),
    pytest.param([TIMER], settings(), PEER_REFRESHES, 200, "600;refresher=uac", True, id="9-7: ... the peer's"),
    pytest.param([TIMER, min_se("900")], settings(), WE_REFRESH, 200, "900;refresher=uas", True, id="9-8: within too"),
    pytest.param([], settings(), WE_REFRESH, 200, None, False, id="M69: this request knows no timer"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "party", "current", "status", "says", "requires"), ANSWERS)
def test_a_request_is_answered(
    headers: list[HeaderField],
    party: SessionTimerSettings,
    current: SessionTerms | None,
    status: int,
    says: str | None,
    requires: bool,
) -> None:
    """RFC 4028 section 9."""
    verdict = answer(request(*headers), party, current)

    if isinstance(verdict, Reject):
        assert (verdict.status, verdict.headers) == (status, (min_se(party.min_se_s),))  # 6-2, 9-2
    else:
        assert status == 200
        assert value(verdict.headers, "Session-Expires") == says
        assert (("Require", "timer") in verdict.headers) is requires
        assert value(verdict.headers, "Min-SE") is None  # 5-4
        assert value(verdict.headers, "Supported") == "timer"


@pytest.mark.parametrize("header", [expires("-5"), expires("1" * 21), expires("soon"), min_se("many")])
def test_a_request_that_cannot_be_read_is_no_request_for_a_timer(header: HeaderField) -> None:
    """M14, RFC 3261 section 8.2: 400."""
    with pytest.raises(PeerError) as caught:
        answer(request(TIMER, header), settings(), None)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("current", "says"), [(None, None), (WE_REFRESH, "600;refresher=uas")], ids=["no timer yet", "timer in force"]
)
def test_an_update_without_session_expires_starts_no_second_negotiation(
    current: SessionTerms | None, says: str | None
) -> None:
    """Erratum 4744: it may come before the INVITE is answered. A timer in force is kept."""
    verdict = answer(request(TIMER, method="UPDATE"), settings(), current)

    assert value(verdict.headers, "Session-Expires") == says


EVERY_REQUEST = [
    (supported, interval_s, refresher, least_s)
    for supported, interval_s, refresher, least_s in product(
        (False, True), (None, 0, 1, 89, 90, 91, 128, 1800, 2**32 - 1), (None, "uac", "uas"), (None, 90, 300, 7200)
    )
    if interval_s is not None or refresher is None
]
EVERY_PARTY = [
    settings(default_expires_s, min_se_s, prefer)
    for default_expires_s, min_se_s, prefer in product((90, 1800), (90, 300), (None, "uac", "uas"))
]
TABLE_2 = {
    # (timer supported by the UAC, its choice): what the UAS may answer
    (False, None): {"uas"},
    (False, "uac"): {"uas"},
    (False, "uas"): {"uas"},
    (True, None): {"uac", "uas"},
    (True, "uac"): {"uac"},
    (True, "uas"): {"uas"},
}


@pytest.mark.parametrize("current", [None, WE_REFRESH, PEER_REFRESHES], ids=["no timer", "ours", "peer's"])
def test_every_answer_obeys_section_9(current: SessionTerms | None) -> None:
    """RFC4028-9-1, 9-2, 9-6, 9-8 ... 9-12, 5-2, 5-4, for every request and every party."""
    for (supported, interval_s, refresher, least_s), party in product(EVERY_REQUEST, EVERY_PARTY):
        headers = [TIMER] if supported else []
        if interval_s is not None:
            headers.append(expires(f"{interval_s}{f';refresher={refresher}' if refresher else ''}"))
        if least_s is not None:
            headers.append(min_se(least_s))
        verdict = answer(request(*headers), party, current)

        too_small = interval_s is not None and interval_s < party.min_se_s
        assert isinstance(verdict, Reject) is (supported and too_small)
        if isinstance(verdict, Accept):
            _obeys_section_9(verdict, supported, interval_s, refresher, least_s)


def _obeys_section_9(
    verdict: Accept, supported: bool, interval_s: int | None, refresher: str | None, least_s: int | None
) -> None:
    says = value(verdict.headers, "Session-Expires")
    assert ("Require", "timer") not in verdict.headers or supported
    if says is None:
        assert not supported
        return
    interval, _, chosen = says.partition(";refresher=")
    assert chosen in TABLE_2[supported, refresher]
    assert (("Require", "timer") in verdict.headers) is supported
    if interval_s is not None:
        assert int(interval) == interval_s
    else:
        assert supported
        assert int(interval) >= max(90, least_s or 0)


# --- section 7.2: what a 2xx means to the UAC ---

INITIAL = ask(settings(600), None, initial=True, min_se_seen_s=None)
INITIAL_UAS = ask(settings(600, prefer="uas"), None, initial=True, min_se_seen_s=None)
AS_REFRESHER = ask(settings(), WE_REFRESH, initial=False, min_se_seen_s=None)
AS_OTHER_SIDE = ask(settings(), PEER_REFRESHES, initial=False, min_se_seen_s=None)
REQUIRE = ("Require", "timer")

AGREEMENTS = [
    #            asked, headers of the 2xx -> interval, we refresh, refresh after
    pytest.param(INITIAL, [REQUIRE, expires("600;refresher=uac")], 600, True, 300, id="7.2-4: uac is us"),
    pytest.param(INITIAL, [REQUIRE, expires("600;refresher=uas")], 600, False, None, id="7.2-4: uas is the peer"),
    pytest.param(INITIAL, [("x", "600;Refresher=UAC")], 600, True, 300, id="4-8: compact form, without case"),
    pytest.param(INITIAL_UAS, [REQUIRE, expires("600;refresher=uac")], 600, True, 300, id="7.2-4: whatever we asked"),
    pytest.param(INITIAL, [expires("200;refresher=uac")], 200, True, 100, id="7.2-8: the 2xx is what counts"),
    pytest.param(INITIAL, [expires("1800;refresher=uac")], 1800, True, 300, id="M37: raised, we refresh by our own"),
    pytest.param(INITIAL, [expires("1800;refresher=uas")], 1800, False, None, id="M37: raised, the peer refreshes"),
    pytest.param(INITIAL, [expires("1;refresher=uac")], 90, True, 45, id="M13: no storm"),
    pytest.param(INITIAL, [expires("0;refresher=uas")], 90, False, None, id="M14: no hang-up at once"),
    pytest.param(INITIAL, [expires("89;refresher=uac")], 90, True, 45, id="4-3: just below the floor"),
    pytest.param(INITIAL, [expires("90;refresher=uac")], 90, True, 45, id="4-3: on the floor"),
    pytest.param(NOTHING_ASKED, [expires(f"{10**11};refresher=uac")], 10**11, True, 5 * 10**10, id="M14: huge"),
    pytest.param(INITIAL, [expires("600")], 600, True, 300, id="9-9 broken: nobody named, we refresh"),
    pytest.param(INITIAL_UAS, [expires("600")], 600, False, None, id="9-9 broken: nobody named, as we asked"),
    pytest.param(INITIAL, [], 600, True, 300, id="7.2-5: no support, we want it still"),
    pytest.param(INITIAL_UAS, [], 600, True, 300, id="7.2-5: ... and are the only ones who can"),
    pytest.param(INITIAL, [expires("-5;refresher=uas")], 600, True, 300, id="M14: unreadable, as if it were missing"),
    pytest.param(AS_REFRESHER, [], 600, True, 300, id="M23: dropped by the other side, we may go on"),
    pytest.param(AS_OTHER_SIDE, [], None, False, None, id="M23: dropped by the refresher, off"),
    pytest.param(NOTHING_ASKED, [], None, False, None, id="7.2-6: neither asked nor given"),
    pytest.param(NOTHING_ASKED, [expires("300;refresher=uac")], 300, True, 150, id="7.2-3: given without asking"),
]


@pytest.mark.parametrize(("asked", "headers", "interval_s", "we_refresh", "refresh_s"), AGREEMENTS)
def test_a_2xx_means(
    asked: Asked, headers: list[HeaderField], interval_s: int | None, we_refresh: bool, refresh_s: int | None
) -> None:
    """RFC 4028 section 7.2."""
    terms = agreed(response(200, *headers), asked, settings())

    if interval_s is None:
        assert terms is None
    else:
        assert terms is not None
        assert (terms.interval_s, terms.we_refresh) == (interval_s, we_refresh)
        assert refresh_s is None or terms.refresh_us == refresh_s * S


@pytest.mark.parametrize(
    ("headers", "terms"),
    [
        ([expires("600;refresher=uas")], SessionTerms(600, True)),
        ([expires("600;refresher=uac")], SessionTerms(600, False)),
        ([expires("600")], SessionTerms(600, True)),
        ([expires("0;refresher=uas")], SessionTerms(90, True)),
        ([], None),
    ],
)
def test_a_2xx_that_was_sent_means_the_other_way_round(headers: list[HeaderField], terms: SessionTerms | None) -> None:
    """RFC4028-9-13: uas is us."""
    assert announced(response(200, *headers), settings()) == terms


@pytest.mark.parametrize(
    ("party", "floor"),
    [(settings(), 90), (settings(min_se=300), 90), (settings(60), 60), (settings(60, 30), 30), (settings(0, 0), 1)],
)
def test_the_floor_is_90_s_or_what_the_party_is_set_to(party: SessionTimerSettings, floor: int) -> None:
    """RFC4028-4-3, and a loop without time is never obeyed."""
    assert floor_s(party) == floor


# --- sections 7.2 and 10: when ---

DURATIONS = [
    #            interval, refresh, bye, all after the 2xx
    pytest.param(90, 45, 60, id="90: the floor"),
    pytest.param(95, 47.5, 63.333333, id="95: a third is just below 32 s, and rounds to the early side"),
    pytest.param(96, 48, 64, id="96: a third is 32 s"),
    pytest.param(97, 48.5, 65, id="97: a third is above 32 s"),
    pytest.param(120, 60, 88, id="120"),
    pytest.param(128, 64, 96, id="128: a refresh at half its time may last as long as the other side waits"),
    pytest.param(300, 150, 268, id="300"),
    pytest.param(600, 300, 568, id="600"),
    pytest.param(1800, 900, 1768, id="1800: the advised interval"),
    pytest.param(1, 0.5, 0.666666, id="1: no division before the unit"),
    pytest.param(2**32 - 1, (2**32 - 1) / 2, 2**32 - 33, id="2**32 - 1"),
]


@pytest.mark.parametrize(("interval_s", "refresh_s", "bye_s"), DURATIONS)
def test_duties_follow_from_the_interval(interval_s: int, refresh_s: float, bye_s: float) -> None:
    """RFC4028-7.2-12, 9-16 and 10-7."""
    terms = SessionTerms(interval_s, we_refresh=True)

    assert (terms.refresh_us, terms.bye_us, terms.expiry_us) == (refresh_s * S, round(bye_s * S), interval_s * S)


def test_a_refresh_at_half_the_interval_outlives_its_transaction_before_the_session_expires() -> None:
    """RFC4028-4-3: that is what 90 s is for; the early margin on top of it would not fit below 128 s (M10)."""
    timeout_us = 32 * S
    for interval_s in range(90, 2000):
        terms = SessionTerms(interval_s, we_refresh=True)
        assert terms.refresh_us + timeout_us < terms.expiry_us
        assert (terms.refresh_us + timeout_us > terms.bye_us) is (interval_s < 128)


def test_the_preference_is_one_of_two_words() -> None:
    assert [word.value for word in Refresher] == ["uac", "uas"]
