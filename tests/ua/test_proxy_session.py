"""What a proxy makes of session refresh requests and their 2xx: RFC 4028 section 8 row by row, then exhaustively."""

from itertools import product

import pytest

from simkit.errors import PeerError
from simkit.settings import ProxySessionSettings
from simkit.sip.headers import HeaderField
from simkit.sip.message import Request
from simkit.sip.session_headers import Refresher
from simkit.ua.proxy_session import NOTHING, Forward, Remembered, complete, examine
from simkit.ua.timer_logic import Reject

from .session_messages import TIMER, expires, min_se, request, response


def proxy(
    default_expires: int | None = None, max_expires: int | None = None, min_se: int = 90, *, require: bool = False
) -> ProxySessionSettings:
    return ProxySessionSettings(True, default_expires, max_expires, min_se, require)


# --- section 8.1: requests -------------------------------------------------------------------------------------------

FORWARDED = [
    #            settings, headers of the request -> Session-Expires, Min-SE as they leave
    pytest.param(proxy(), [TIMER], None, None, id="8-1: a proxy may leave it all alone"),
    pytest.param(proxy(600), [TIMER], "600", None, id="8.1-2, 8.1-3: inserted, and no refresher named"),
    pytest.param(proxy(600), [], "600", None, id="8.1-2: inserted for a caller without timer"),
    pytest.param(proxy(600), [TIMER, min_se(600)], "600", "600", id="8.1-2: at the request's Min-SE"),
    pytest.param(proxy(600), [TIMER, min_se(601)], "601", "601", id="8.1-2: not below the request's Min-SE"),
    pytest.param(proxy(600), [min_se(900)], "900", "900", id="8.1-2: ... of a caller without timer"),
    pytest.param(proxy(60, min_se=60), [TIMER], "60", None, id="below 90 by choice"),
    pytest.param(proxy(600), [TIMER, expires(1800)], "1800", None, id="8.1-4: it need not lower"),
    pytest.param(proxy(600), [TIMER, expires(300)], "300", None, id="8.1-5: never lengthened to its own wish"),
    pytest.param(proxy(None, 600), [TIMER, expires(600)], "600", None, id="8.1-4: what it lets pass"),
    pytest.param(proxy(None, 600), [TIMER, expires(601)], "600", None, id="8.1-4: lowered"),
    pytest.param(proxy(None, 600), [expires(1800)], "600", None, id="8.1-4: lowered for a caller without timer"),
    pytest.param(proxy(None, 600), [TIMER, expires(1800), min_se(599)], "600", "599", id="8.1-4: above Min-SE"),
    pytest.param(proxy(None, 600), [TIMER, expires(1800), min_se(900)], "900", "900", id="8.1-4: not below Min-SE"),
    pytest.param(proxy(None, 60), [TIMER, expires(1800)], "90", None, id="8.1-4, 5-3: without Min-SE not below 90"),
    pytest.param(proxy(), [TIMER, expires(90)], "90", None, id="8.1-5: left alone at 90"),
    pytest.param(proxy(), [TIMER, expires(200), min_se(200)], "200", "200", id="8.1-5: left alone at Min-SE"),
    pytest.param(proxy(), [TIMER, expires(100), min_se(200)], "200", "200", id="8.1-6: lifted to Min-SE"),
    pytest.param(proxy(), [expires(100), min_se(200)], "200", "200", id="8.1-6: ... for a caller without timer"),
    pytest.param(proxy(None, 600), [TIMER, expires("1800;refresher=uas")], "600;refresher=uas", None,
                 id="8.1-7: lowered, the refresher stays"),
    pytest.param(proxy(None, 600), [TIMER, expires('1800 ; Refresher="UAC";x=y')], '600; Refresher="UAC";x=y', None,
                 id="8.1-7: ... as it was written"),
    pytest.param(proxy(min_se=120), [TIMER, expires(120)], "120", None, id="8.1-8: at its minimum nobody is rejected"),
    pytest.param(proxy(min_se=120), [expires(120)], "120", None, id="8.1-11: at its minimum no Min-SE is inserted"),
    pytest.param(proxy(min_se=120), [expires(119)], "120", "120", id="8.1-11, 8.1-13: Min-SE inserted, both raised"),
    pytest.param(proxy(min_se=120), [expires(100), min_se(100)], "120", "120", id="8.1-12: Min-SE raised"),
    pytest.param(proxy(min_se=120), [expires(100), min_se(120)], "120", "120", id="8.1-12: Min-SE as it is"),
    pytest.param(proxy(min_se=120), [expires(100), min_se(300)], "300", "300", id="8.1-12: Min-SE never lowered"),
    pytest.param(proxy(min_se=120), [expires(1800), min_se(100)], "1800", "100", id="8.1-12: no cause to raise it"),
    pytest.param(proxy(min_se=120), [TIMER, expires(1800), min_se(100)], "1800", "100",
                 id="8.1-14: a supporting caller's Min-SE is its own"),
    pytest.param(proxy(min_se=120), [TIMER, expires(1800)], "1800", None, id="8.1-14: ... and none is inserted"),
    pytest.param(proxy(600, min_se=120), [TIMER, min_se(100)], "600", "100", id="8.1-14: ... nor with an interval"),
    pytest.param(proxy(None, 600, 120), [expires(60)], "120", "120", id="raised, though it lowers others"),
]  # fmt: skip


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(("settings", "headers", "interval", "least"), FORWARDED)
def test_a_request_goes_on_with(
    settings: ProxySessionSettings, headers: list[HeaderField], interval: str | None, least: str | None, method: str
) -> None:
    """RFC 4028 section 8.1; 8.1-1: every session refresh request is treated alike."""
    verdict = examine(request(*headers, method=method), settings)
    assert isinstance(verdict, Forward)
    assert verdict.request.header("Session-Expires") == interval
    assert verdict.request.header("Min-SE") == least
    assert verdict.request.header("Require") is None


def test_a_request_that_needs_no_change_goes_on_as_it_is() -> None:
    asked = request(TIMER, expires("1800;refresher=uac"), min_se(90))
    verdict = examine(asked, proxy(600, 3600))
    assert isinstance(verdict, Forward)
    assert verdict.request is asked


def test_a_header_in_compact_form_is_the_same_header() -> None:
    """RFC 4028 section 4, RFC 3261 section 7.3.3."""
    verdict = examine(request(("k", "timer"), ("x", "1800;refresher=uac")), proxy(None, 600))
    assert isinstance(verdict, Forward)
    assert verdict.request.values("Session-Expires") == ("600;refresher=uac",)
    assert verdict.remembered == Remembered(600, True, Refresher.UAC)


REFUSED = [  # M76: who may be sent 422, and what is done for the others
    #            settings, headers -> the Min-SE of the 422, None where the request goes on
    pytest.param(proxy(), [TIMER, expires(89)], "90", id="8.1-8: below 90"),
    pytest.param(proxy(), [TIMER, expires(90)], None, id="8.1-8: at 90"),
    pytest.param(proxy(min_se=1800), [TIMER, expires(1799)], "1800", id="8.1-9: below its minimum"),
    pytest.param(proxy(min_se=1800), [TIMER, expires(1800)], None, id="8.1-9: at its minimum"),
    pytest.param(proxy(min_se=1800), [TIMER, expires(90), min_se(90)], "1800", id="8.1-8: whatever its own Min-SE"),
    pytest.param(proxy(min_se=1800), [TIMER], None, id="8.1-8: no interval, nothing too small"),
    pytest.param(proxy(min_se=1800), [TIMER, min_se(90)], None, id="8.1-8: Min-SE alone is no interval"),
    pytest.param(proxy(min_se=1800), [expires(90)], None, id="8.1-11: a caller without timer is not rejected"),
    pytest.param(proxy(min_se=1800), [("Supported", "100rel"), expires(90)], None, id="8.1-11: ... with other tags"),
    pytest.param(proxy(min_se=1800), [("Supported", "100rel, Timer"), expires(90)], "1800",
                 id="8.1-8: the tag compares without case"),
    pytest.param(proxy(min_se=1800), [("Require", "timer"), expires(90)], None, id="8.1-8: only Supported counts"),
    pytest.param(proxy(min_se=30), [TIMER, expires(29)], "30", id="8.1-10 broken by choice"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "headers", "least"), REFUSED)
def test_who_is_sent_422(settings: ProxySessionSettings, headers: list[HeaderField], least: str | None) -> None:
    """RFC 4028 section 8.1."""
    verdict = examine(request(*headers), settings)
    if least is None:
        assert isinstance(verdict, Forward)
    else:
        assert verdict == Reject(422, (("Min-SE", least),))


REMEMBERED = [
    pytest.param([TIMER], proxy(), Remembered(None, True), id="nobody asked"),
    pytest.param([], proxy(600), Remembered(600, False), id="8.1-15: what it inserted"),
    pytest.param([TIMER, expires("1800;refresher=uas")], proxy(None, 600), Remembered(600, True, Refresher.UAS),
                 id="8.1-15: what it lowered"),
    pytest.param([TIMER, expires(700)], proxy(), Remembered(700, True), id="8.1-15: what it found and let pass"),
    pytest.param([expires(60)], proxy(), Remembered(90, False), id="8.1-16: what it lifted"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "settings", "remembered"), REMEMBERED)
def test_what_is_remembered(headers: list[HeaderField], settings: ProxySessionSettings, remembered: Remembered) -> None:
    """RFC 4028 section 8.1: the interval that was forwarded, and whether the caller supports timers."""
    verdict = examine(request(*headers), settings)
    assert isinstance(verdict, Forward)
    assert verdict.remembered == remembered


INSISTING = [
    pytest.param([], "timer", id="8.1-17: a caller without timer"),
    pytest.param([("Require", "100rel")], "100rel, timer", id="8.1-17: beside another extension"),
    pytest.param([("Require", "timer")], "timer", id="8.1-17: not twice"),
    pytest.param([expires(600)], "timer", id="8.1-17: beside an interval that was there"),
    pytest.param([TIMER], None, id="8.1-17: needless for a caller that supports it"),
]


@pytest.mark.parametrize(("headers", "required"), INSISTING)
def test_a_proxy_may_insist_on_a_timer(headers: list[HeaderField], required: str | None) -> None:
    """RFC 4028 section 8.1, which advises against it."""
    verdict = examine(request(*headers), proxy(600, require=True))
    assert isinstance(verdict, Forward)
    assert verdict.request.header("Require") == required


@pytest.mark.parametrize("headers", [[TIMER, expires("soon")], [expires("-1")], [expires(600), min_se("x")]])
def test_what_cannot_be_read_is_a_bad_request(headers: list[HeaderField]) -> None:
    with pytest.raises(PeerError) as refused:
        examine(request(*headers), proxy(600))
    assert refused.value.status == 400


# --- section 8.2: 2xx ------------------------------------------------------------------------------------------------

ASKED = Remembered(600, True)
SILENT_CALLER = Remembered(600, False)

COMPLETED = [
    #            remembered, headers of the 2xx -> Session-Expires, Require as they leave
    pytest.param(SILENT_CALLER, [], None, None, id="8.2-1: neither side knows of a timer"),
    pytest.param(SILENT_CALLER, [("Require", "100rel")], None, "100rel", id="8.2-1: ... nothing is touched"),
    pytest.param(ASKED, [], "600;refresher=uac", "timer", id="8.2-2, 8.2-3, 8.2-4: only the caller does (M73)"),
    pytest.param(ASKED, [("Require", "100rel")], "600;refresher=uac", "100rel, timer", id="8.2-4: added to Require"),
    pytest.param(ASKED, [("Require", "Timer")], "600;refresher=uac", "Timer", id="8.2-4: there already"),
    pytest.param(Remembered(600, True, Refresher.UAC), [], "600;refresher=uac", "timer", id="8.2-3: as was wished"),
    pytest.param(Remembered(600, True, Refresher.UAS), [], "600;refresher=uac", "timer", id="8.2-3: even so (M74)"),
    pytest.param(Remembered(None, True), [], None, None, id="8.2-2: nobody asked for a timer"),
    pytest.param(ASKED, [expires("300;refresher=uas")], "300;refresher=uas", None, id="8.2-5: there already"),
    pytest.param(ASKED, [expires("1800;refresher=uas")], "1800;refresher=uas", None, id="8.2-6: even if longer"),
    pytest.param(ASKED, [expires(300)], "300", None, id="8.2-6: even without refresher"),
    pytest.param(ASKED, [("x", "300;refresher=uac")], "300;refresher=uac", None, id="8.2-5: in compact form"),
    pytest.param(ASKED, [expires("soon")], "soon", None, id="8.2-6: even what cannot be read"),
    pytest.param(SILENT_CALLER, [expires("600;refresher=uas")], "600;refresher=uas", None, id="8.2-5: of the callee"),
]  # fmt: skip


@pytest.mark.parametrize(("remembered", "headers", "interval", "required"), COMPLETED)
def test_a_2xx_goes_back_with(
    remembered: Remembered, headers: list[HeaderField], interval: str | None, required: str | None
) -> None:
    """RFC 4028 section 8.2."""
    answered = response(200, *headers)
    onward = complete(answered, remembered, proxy())
    assert onward.header("Session-Expires") == interval
    assert (", ".join(onward.values("Require")) or None) == required
    assert (onward is answered) is (onward.headers == answered.headers)


ERRATUM = [
    pytest.param(None, "600;refresher=uac", id="no wish"),
    pytest.param(Refresher.UAC, "600;refresher=uac", id="the caller wanted to"),
    pytest.param(Refresher.UAS, None, id="the caller wanted the other side to"),
]


@pytest.mark.parametrize(("wish", "interval"), ERRATUM)
def test_with_erratum_8926_nobody_refreshes_who_asked_the_other_side_to(
    wish: Refresher | None, interval: str | None
) -> None:
    obeying = ProxySessionSettings(erratum_8926=True)
    assert complete(response(200), Remembered(600, True, wish), obeying).header("Session-Expires") == interval


# --- all of it -------------------------------------------------------------------------------------------------------


def _named(settings: ProxySessionSettings) -> str:
    return f"asks {settings.default_expires_s}, most {settings.max_expires_s}, least {settings.min_se_s}"


VALUES = (None, 60, 90, 120, 600, 1800)
SETTINGS = [
    proxy(default, most, least)
    for default, most, least in product((None, 120, 1800), (None, 120, 900), (90, 120, 900))
    if (default or least) >= least and (most or least) >= least
]


def _asked(supports: bool, interval: int | None, least: int | None, wish: str) -> Request:
    headers = [TIMER] if supports else []
    headers += [expires(f"{interval}{wish}")] if interval is not None else []
    return request(*headers, *([min_se(least)] if least is not None else []))


@pytest.mark.parametrize("settings", SETTINGS, ids=_named)
def test_whatever_comes_the_prohibitions_of_section_8_1_hold(settings: ProxySessionSettings) -> None:
    for supports, interval, least, wish in product((True, False), VALUES, VALUES, ("", ";refresher=uac")):
        asked = _asked(supports, interval, least, wish)
        verdict = examine(asked, settings)
        if isinstance(verdict, Reject):
            assert supports  # 8.1-8, 8.1-11
            assert interval is not None
            assert interval < settings.min_se_s
            continue
        _check(asked, verdict.request, supports=supports)


def _check(asked: Request, onward: Request, *, supports: bool) -> None:
    before, after = asked.session_expires, onward.session_expires
    least = onward.min_se or 90
    if supports:
        assert onward.min_se == asked.min_se  # 8.1-14
    if asked.min_se is not None:
        assert (onward.min_se or 0) >= asked.min_se  # 8.1-12
    if before is None:
        assert after is None or (after.refresher is None and after.interval_s >= (asked.min_se or 0))  # 8.1-2, 8.1-3
        return
    assert after is not None
    assert after.refresher is before.refresher  # 8.1-7
    assert after.interval_s >= least  # 8.1-4, 8.1-6, 8.1-13
    if before.interval_s >= least:
        assert after.interval_s <= before.interval_s  # 8.1-5


@pytest.mark.parametrize("settings", SETTINGS, ids=_named)
def test_several_proxies_in_a_row_come_to_rest(settings: ProxySessionSettings) -> None:
    """What one proxy has made of a request, a second of the same settings leaves alone."""
    for supports, interval, least in product((True, False), VALUES, VALUES):
        first = examine(_asked(supports, interval, least, ""), settings)
        if isinstance(first, Forward):
            second = examine(first.request, settings)
            assert isinstance(second, Forward)
            assert second.request is first.request


def test_nothing_remembered_changes_nothing() -> None:
    answered = response(200)
    assert complete(answered, NOTHING, proxy(600)) is answered
