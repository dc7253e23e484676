"""Which rule a failure is about: told where what happened leaves no doubt."""

import pytest

from .playing import CALL, SCRIPTED, UP, play, told

LONG = CALL.replace("90", "120")
REFRESHED = "- alice -> bob: INVITE\n  at: up + 60s\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK\n"
EXPECTED = "- alice -> bob: INVITE\n  at: up + 120s"

ABOUT_TIME = [
    pytest.param(
        (UP, REFRESHED, "- bob: hang up\n  at: up + 88s", EXPECTED),
        "RFC4028-9-13: the interval restarts with the most recent 2xx; the last was at 60.000 s",
        id="BYE counted from an older 2xx",
    ),
    pytest.param(
        (UP, "- alice: crash\n- bob -> alice: BYE\n  at: up + 90s"),
        "RFC4028-10-7: who does not refresh hangs up at 88.000 s, 32s before the session expires; "
        "the last 2xx was at 0.000 s",
        id="BYE shortly before the session expires",
    ),
    pytest.param(
        (UP, "- net: {partition: [alice, bob]}", "- alice -> bob: INVITE\n  at: 60s\n- alice -> bob: BYE\n  at: 99s"),
        "RFC4028-10-7: who does not refresh hangs up at 88.000 s, 32s before the session expires; "
        "the last 2xx was at 0.000 s",
        id="BYE of the other side while the refresher still tries",
    ),
    pytest.param(
        (UP, "- alice: hang up\n  at: up + 120s", "- bob: crash\n  at: up + 121s"),
        "RFC4028-7.2-12: a refresh is due when half the interval has passed, at 60.000 s; the last 2xx was at 0.000 s",
        id="a refresh nobody expected",
    ),
    pytest.param(
        (UP, "- alice -> bob: INVITE\n  at: up + 50s"),
        "RFC4028-7.2-12: a refresh is due when half the interval has passed, at 60.000 s; the last 2xx was at 0.000 s",
        id="a refresh expected too early",
    ),
    pytest.param(
        (UP, "- bob -> alice: INVITE\n  at: up + 59s"),
        "RFC4028-7.2-4: the most recent 2xx says that alice refreshes; the last was at 0.000 s",
        id="a refresh expected of the wrong side",
    ),
    pytest.param(
        (UP, "- bob -> alice: BYE\n  at: up + 59s"),
        "RFC4028-10-7: who does not refresh hangs up at 88.000 s, 32s before the session expires; "
        "the last 2xx was at 0.000 s",
        id="a BYE expected too early",
    ),
    pytest.param((UP, "- bob: hang up\n  at: up + 10s", EXPECTED), None, id="a BYE at no time that means anything"),
    pytest.param((UP, "- alice -> bob: OPTIONS\n  at: up + 10s"), None, id="a message that is no refresh"),
    pytest.param(("- alice -> bob: INVITE\n  at: 10s",), None, id="no session yet"),
]


def rule_of(text: str) -> str | None:
    last = text.splitlines()[-1]
    return last if last.startswith("RFC4028-") else None


@pytest.mark.parametrize(("lines", "rule"), ABOUT_TIME)
def test_the_most_recent_2xx_explains_a_message_at_the_wrong_time(lines: tuple[str, ...], rule: str | None) -> None:
    assert rule_of(told(play(*lines, actors=LONG))) == rule


def test_a_bye_of_the_refresher_at_the_expiration_is_about_the_refresh_that_did_not_succeed() -> None:
    run = play(
        UP,
        "- bob: crash\n- alice -> bob: UPDATE\n  at: 45s\n- alice -> bob: BYE\n  at: 109s",
        actors=CALL.replace("prefer_refresher", "use_update: true, prefer_refresher"),
        top="timers: {t1: 1s}",
    )
    rule = "RFC4028-10-2: only a 2xx to a refresh moves the expiration; the last 2xx was at 0.000 s"
    assert rule_of(told(run)) == rule


WITH = [
    pytest.param("1800;refresher=uas", "Session-Expires: 1800;refresher=uac",
                 "RFC4028-9-10: the UAC's choice of the refresher stands", id="another refresher"),
    pytest.param("3600;refresher=uac", "Session-Expires: 1800;refresher=uac",
                 "RFC4028-9-6: a UAS must not lengthen the interval; 1800 s were asked for", id="longer"),
    pytest.param("1800", "Session-Expires: 1800;refresher=uac",
                 "RFC4028-9-9: a 2xx with a session interval says who refreshes", id="no refresher"),
    pytest.param("1800;refresher=uac", "Require: timer",
                 "RFC4028-9-11: where the UAC is to refresh, the 2xx requires the extension", id="nothing required"),
    pytest.param("900;refresher=uac", "Session-Expires: 1800;refresher=uac", None, id="shorter is allowed"),
    pytest.param("nonsense", "Session-Expires: 1800;refresher=uac", None, id="unreadable"),
    pytest.param("1800;refresher=uac", "Subject: hello", None, id="a header of no rule"),
]  # fmt: skip


@pytest.mark.parametrize(("granted", "asked", "rule"), WITH)
def test_the_request_explains_a_wrong_2xx(granted: str, asked: str, rule: str | None) -> None:
    name, _, value = asked.partition(": ")
    run = play(
        "- alice -> bob: INVITE\n  with: {Session-Expires: 1800;refresher=uac, Supported: timer}",
        f"- bob -> alice: 200 INVITE\n  with: {{Session-Expires: {granted}}}\n  has: {{{name}: {value}}}",
        actors=SCRIPTED,
    )
    assert rule_of(told(run)) == rule


def test_a_422_without_min_se_breaks_a_rule() -> None:
    lines = "- alice -> bob: INVITE\n- bob -> alice: 422 INVITE\n  has: {Min-SE: {at_least: 90}}"
    assert rule_of(told(play(lines, actors=SCRIPTED))) == "RFC4028-6-2: a 422 says which interval would do"


def test_a_request_that_does_not_say_that_it_supports_timers_breaks_a_rule() -> None:
    lines = "- alice -> bob: INVITE\n  has: {Supported: {contains: timer}}"
    rule = "RFC4028-7.1-1: who knows session timers says so in every request but ACK"
    assert rule_of(told(play(lines, actors=SCRIPTED))) == rule
