"""The list holds for machines that keep the rules, and each check is broken by a stack with the defect it is for."""

from typing import Any
from unittest.mock import ANY

import pytest

from simkit.audit.finding import CallAudit
from simkit.checklist.checks import CHECKS
from simkit.checklist.judging import Outcome, Result, Seen, unsupported
from simkit.checklist.terms import Terms
from simkit.settings import SessionTimerSettings as Timer

from .seats import broken, results


def configured(**settings: object) -> Terms:
    return Terms(Timer(**{"default_expires_s": 120, **settings}), configured=True)  # type: ignore[arg-type]


SOUND = [
    pytest.param(Terms(), False, id="a callee of which nothing is known"),
    pytest.param(Terms(), True, id="a proxy"),
    pytest.param(configured(), False, id="a configured callee"),
    pytest.param(configured(min_se_s=30), False, id="with a minimum below the floor"),
    pytest.param(configured(min_se_s=300, default_expires_s=600), False, id="with a large minimum"),
    pytest.param(configured(min_se_s=900, default_expires_s=7200), False, id="with intervals that nobody waits for"),
    pytest.param(configured(prefer_refresher="uas"), False, id="that likes to refresh"),
    pytest.param(configured(prefer_refresher="uac"), False, id="that likes its callers to"),
    pytest.param(configured(use_update=True), False, id="that refreshes by UPDATE"),
]


@pytest.mark.parametrize(("terms", "is_proxy"), SOUND)
def test_a_sound_stack_passes(terms: Terms, is_proxy: bool) -> None:
    assert broken(terms, is_proxy=is_proxy) == {}


def test_what_was_seen_is_told_with_its_time() -> None:
    told = {title: (result.at_us, result.text) for title, result in results(Terms()).items()}
    assert told == {
        "negotiated": (0, "120;refresher=uac"),
        "refreshed at half": (60_000_000, "by INVITE, 60.0 s after the last 2xx"),
        "refreshed again": (120_000_000, "by INVITE, 60.0 s after the last 2xx"),
        "refreshed by its caller": (120_000_000, "by INVITE, twice"),
        "expiry when refreshes stop": (148_000_000, "BYE 32 s before the session expires"),
        "expiry when nobody answers": (92_000_000, "BYE 28 s before the session expires"),
        "422 for a small interval": (0, "Min-SE 90"),
        "no timer support": (130_000_000, "the call goes on"),
    }


EARLY = "tester sent BYE at {} s, before this was due"
DEFECTS = [
    pytest.param("M01", {"refreshed again": "it hung up (session-expired)"}, id="its own refresh does not count"),
    pytest.param(
        "M02",
        {
            "refreshed by its caller": "it hung up (session-expired)",
            "expiry when refreshes stop": "BYE 92 s before the session expires: too early",
        },
        id="the refresh of its peer does not count",
    ),
    pytest.param("M04", {"refreshed again": "1 of 2 refreshes by the stack"}, id="it refreshes once"),
    pytest.param("M08", {"expiry when refreshes stop": "no BYE"}, id="it hangs up too late"),
    pytest.param("M11", {"expiry when nobody answers": "no BYE"}, id="it never gives up"),
    pytest.param("M15", {"refreshed again": "1 of 2 refreshes by the stack"}, id="it mixes up the roles"),
    pytest.param(
        "M19",
        {
            "refreshed at half": "asked to refresh, it leaves that to its caller",
            "refreshed again": "asked to refresh, it leaves that to its caller",
        },
        id="it overrules its caller",
    ),
    pytest.param("M20", {"negotiated": "the 200 has no Session-Expires"}, id="it keeps the timer to itself"),
    pytest.param("M31", {"422 for a small interval": "20 s is taken: 90;refresher=uac"}, id="it raises the interval"),
    pytest.param("M34", {"422 for a small interval": "Min-SE 20, not 90"}, id="its 422 does not say what it wants"),
    pytest.param(
        "M54",
        {"refreshed at half": EARLY.format("88.000"), "refreshed again": EARLY.format("88.000")},
        id="its refreshes are lost",
    ),
    pytest.param("M62", {"refreshed again": EARLY.format("92.000")}, id="it never acknowledges"),
    pytest.param(
        "M63",
        {"refreshed by its caller": "the INVITE got 481", "expiry when refreshes stop": "no BYE"},
        id="it refuses refreshes",
    ),
    pytest.param(
        "M64",
        {
            "refreshed by its caller": "the INVITE got 200 without Session-Expires",
            "expiry when refreshes stop": "no BYE",
        },
        id="it answers refreshes by rote",
    ),
]


@pytest.mark.parametrize(("piece", "expected"), DEFECTS)
def test_a_defect_breaks_its_check(piece: str, expected: dict[str, str]) -> None:
    assert broken(Terms(), logic=f"museum:{piece}") == expected


def test_a_proxy_must_not_hang_up() -> None:
    expected = {"expiry when refreshes stop": "a BYE of its own"}
    assert broken(Terms(), logic="museum:M78", is_proxy=True) == expected


MISFITS = [
    pytest.param(
        configured(prefer_refresher="uas"),
        Timer(default_expires_s=120),
        {"negotiated": "120;refresher=uac: configured is prefer_refresher: uas"},
        id="another refresher",
    ),
    pytest.param(
        configured(use_update=True),
        Timer(default_expires_s=120),
        {
            "refreshed at half": "by INVITE, 60.0 s after the last 2xx: configured is use_update: true",
            "refreshed again": "by INVITE, 60.0 s after the last 2xx: configured is use_update: true",
        },
        id="another method",
    ),
    pytest.param(
        configured(min_se_s=300, default_expires_s=600),
        Timer(default_expires_s=600),
        {"422 for a small interval": "Min-SE 90, not 300"},
        id="another minimum",
    ),
    pytest.param(
        configured(enabled=False), Timer(default_expires_s=120), {"negotiated": "120;refresher=uac"}, id="switched off"
    ),
]


@pytest.mark.parametrize(("terms", "timer", "expected"), MISFITS)
def test_a_stack_that_is_not_what_its_configuration_says_is_found(
    terms: Terms, timer: Timer, expected: dict[str, str]
) -> None:
    assert broken(terms, timer=timer) == expected


@pytest.mark.parametrize("is_configured", [True, False])
def test_a_stack_without_session_timers_is_asked_little(is_configured: bool) -> None:
    off = Timer(enabled=False)
    found = results(Terms(off, configured=True) if is_configured else Terms(), timer=off)
    outcomes = {title: result.outcome for title, result in found.items()}
    asked = {"negotiated": Outcome.KEPT if is_configured else Outcome.BROKEN, "no timer support": Outcome.KEPT}
    assert outcomes == {**{check.title: Outcome.NOT_ASKED for check in CHECKS}, **asked}


UNSUPPORTING = [
    pytest.param({"answered": "90;refresher=uac"}, "90;refresher=uac for a caller that knows no timers", id="a task"),
    pytest.param({"ended_by": "stack", "reason": "session-expired"}, "it hung up (session-expired)", id="a BYE"),
    pytest.param({"set_up": False, "status": 421}, "the call got 421", id="a refusal"),
]


@pytest.mark.parametrize(("facts", "text"), UNSUPPORTING)
def test_a_caller_without_timers_is_to_be_left_in_peace(facts: dict[str, Any], text: str) -> None:
    sound = CallAudit("", set_up=True, started_us=0, answered_us=0, ended_by="tester", ended_us=1, reason="hung-up")
    assert unsupported(Seen(sound, Terms())).outcome is Outcome.KEPT
    assert unsupported(Seen(sound._replace(**facts), Terms())) == Result(Outcome.BROKEN, text, ANY)
