"""What must hold when a call is over: every key of `expect`, kept and broken."""

import pytest

from simkit.runs.verdict import Verdict

from .playing import CALL, HUNG_UP, UP, play, sent, told

REJECTED = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 486 INVITE\n- alice -> bob: ACK"
BUSY = "alice: {role: uac}\nbob: {role: uas, answers: 486}"
ONE_REFRESH = """
    - alice -> bob: INVITE
      at: up + 45s
    - bob -> alice: 200 INVITE
    - alice -> bob: ACK
"""
DIES = """
    - alice: crash
    - bob -> alice: BYE
      at: up + 60s
      lost: true
"""

SCRIPTED = "alice: {role: uac}\nbob: {role: scripted}"
SCRIPTED_BYE = "    - bob -> alice: BYE\n    - alice -> bob: 200 BYE\n"
SCRIPTED_302 = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 302 INVITE\n- alice -> bob: ACK"

KEPT = [
    pytest.param((UP, HUNG_UP), CALL, "ended_by: alice\nreason: hung-up\nat: up", id="hung up"),
    pytest.param((UP, HUNG_UP), CALL, "outcome: {alice: ended, bob: ended}\nretries: 0\nrefreshes: 0", id="ended"),
    pytest.param((UP, ONE_REFRESH, HUNG_UP), CALL, "refreshes: 1", id="a refresh"),
    pytest.param((UP, ONE_REFRESH, HUNG_UP), CALL, "refreshes: {alice: 1, bob: 0}", id="refreshes of each party"),
    pytest.param((REJECTED,), BUSY, "reason: rejected\noutcome: {alice: failed, bob: failed}", id="rejected"),
    pytest.param((UP, DIES), CALL, "ended_by: bob\nreason: session-expired\nat: up + 92s", id="expired: timer F"),
    pytest.param((UP, DIES), CALL, "outcome: {alice: crashed, bob: ended}", id="crashed"),
    pytest.param((UP, SCRIPTED_BYE), SCRIPTED, "ended_by: bob\nreason: hung-up", id="ended by a scripted party"),
    pytest.param((SCRIPTED_302,), SCRIPTED, "ended_by: bob\nreason: rejected", id="rejected by a scripted party"),
    pytest.param((UP, HUNG_UP), CALL, "never: [481, CANCEL]\nat: up + 0s..5s", id="never, and a window"),
]


@pytest.mark.parametrize(("lines", "actors", "expect"), KEPT)
def test_what_is_expected_holds(lines: tuple[str, ...], actors: str, expect: str) -> None:
    run = play(*lines, actors=actors, expect=expect)
    assert run.passed, told(run)
    terms = run.expectations[-len(expect.splitlines()) :]
    assert sorted(term.text for term in terms) == sorted(expect.splitlines())
    assert all(term.verdict is Verdict.PASS for term in terms)


ASKED = "- alice: options\n- alice -> bob: OPTIONS\n- bob -> alice: 200 OPTIONS"

BROKEN = [
    ((UP, HUNG_UP), "ended_by: bob", "alice ended the call", "expected bob"),
    ((UP, HUNG_UP), "reason: session-expired", "the call ended with the reason hung-up", "expected session-expired"),
    (
        (UP, HUNG_UP),
        "outcome: {alice: up, bob: crashed}",
        "alice saw the call end, and bob saw the call end",
        "expected alice: up, bob: crashed",
    ),
    ((UP, HUNG_UP), "at: up + 5s", "the call was over at 0.000 s", "expected at 5.000 s (up + 5s)"),
    ((UP, HUNG_UP), "refreshes: 1", "refreshes that succeeded: 0", "expected 1"),
    (
        (UP, ONE_REFRESH, HUNG_UP),
        "refreshes: {alice: 2, bob: 0}",
        "refreshes by alice that succeeded: 1",
        "expected 2 by alice",
    ),
    ((UP, HUNG_UP), "retries: 2", "requests that were tried again: 0", "expected 2"),
    ((ASKED,), "ended_by: bob", "nobody ended a call", "expected bob"),
    ((ASKED,), "reason: hung-up", "no call ended", "expected hung-up"),
    ((ASKED,), "outcome: {bob: up}", "bob took part in no call", "expected bob: up"),
    ((ASKED,), "at: 5s", "no call was over", "expected at 5.000 s"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expect", "headline", "note"), BROKEN)
def test_what_is_expected_and_does_not_hold_is_told(
    lines: tuple[str, ...], expect: str, headline: str, note: str
) -> None:
    run = play(*lines, expect=expect)
    assert run.verdict is Verdict.FAIL
    (failure,) = run.failures
    assert (failure.headline, failure.note) == (headline, note)
    assert failure.source.text.strip() == expect
    assert run.expectations[-1].text == expect


def test_everything_that_does_not_hold_is_told() -> None:
    run = play(UP, HUNG_UP, expect="ended_by: bob\nreason: rejected\nretries: 1")
    assert [failure.source.text.strip() for failure in run.failures] == [
        "ended_by: bob",
        "reason: rejected",
        "retries: 1",
    ]


def test_a_call_that_is_still_up_is_not_over() -> None:
    run = play(UP, expect="at: 10s\noutcome: {alice: up, bob: up}", top="limit: 20s")
    assert [failure.headline for failure in run.failures] == ["the call was not over at the end"]


def test_a_party_that_crashed_and_came_back_has_lost_its_call() -> None:
    lines = "- bob: restart\n- alice: hang up\n- alice -> bob: BYE\n- bob -> alice: 481 BYE"
    run = play(UP, lines, expect="outcome: {alice: ended, bob: crashed}")
    assert run.passed, told(run)


def test_the_time_of_a_term_is_kept() -> None:
    run = play(UP, HUNG_UP, expect="at: up + 0s..2s")
    assert (run.expectations[-1].expected_us, run.expectations[-1].actual_us) == (0, 0)


def test_a_call_is_summed_up() -> None:
    run = play(UP, ONE_REFRESH, "- bob: hang up\n  at: up + 50s\n- bob -> alice: BYE\n- alice -> bob: 200 BYE")
    (call,) = run.calls
    assert call.call_id == next(run.trace.messages()).message.call_id
    assert (call.session_interval_s, call.refresher, call.refreshes) == (90, "alice", 1)
    assert (call.ended_by, call.ended_us, call.reason) == ("bob", 50_000_000, "hung-up")


def test_a_call_without_a_timer_has_no_refresher() -> None:
    actors = "alice: {role: uac, session_timer: {enabled: false}}\nbob: {role: uas, session_timer: {enabled: false}}"
    (call,) = play(UP, HUNG_UP, actors=actors).calls
    assert (call.session_interval_s, call.refresher) == (None, None)


def test_two_calls_of_one_flow_are_summed_up_apart() -> None:
    again = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK\n"
    run = play(UP, HUNG_UP, again + "- bob: hang up\n- bob -> alice: BYE\n- alice -> bob: 200 BYE")
    assert sent(run)[5] == "0.000 alice INVITE"
    assert [call.ended_by for call in run.calls] == ["alice", "bob"]
