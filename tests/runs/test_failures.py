"""What a person reads when a line did not hold: one small flow for each text."""

import pytest

from simkit.runs.verdict import Verdict

from .playing import HUNG_UP, SCRIPTED, UP, play, told

INVITED = "- alice: call bob\n- alice -> bob: INVITE\n"
ANSWERED = "- bob -> alice: 200 INVITE\n- alice -> bob: ACK\n"
LOSS = '- net: {drop: "alice -> bob: INVITE"}\n'
CALL = "alice: {role: uac, session_timer: {prefer_refresher: uac}}\nbob: {role: uas}\n"

FAILURES = [
    pytest.param(
        (UP, "- bob: hang up\n  at: up + 30s\n- bob -> alice: BYE\n  at: up + 40s"),
        "bob sent BYE at 30.000 s, 10.000 s too early\n- bob -> alice: BYE ^ expected at 40.000 s (up + 40s)",
        id="too early",
    ),
    pytest.param(
        (UP, "- bob: hang up\n  at: up + 10s\n- bob -> alice: BYE\n  at: up + 2s..5s"),
        "bob sent BYE at 10.000 s, 5.000 s too late\n"
        "- bob -> alice: BYE ^ expected from 2.000 s to 5.000 s (up + 2s..5s)",
        id="too late",
    ),
    pytest.param(
        (UP, "- bob: hang up\n  at: 10s\n- bob -> alice: BYE\n- alice -> bob: INVITE\n  at: 5s"),
        "the turn of 'alice -> bob: INVITE' came at 10.000 s, when its time had passed\n"
        "- alice -> bob: INVITE ^ expected at 5.000 s\n"
        "seen last: bob -> alice: BYE, at 10.000 s",
        id="its time had passed when its turn came",
    ),
    pytest.param(
        (UP, "- bob: hang up\n  at: 10s\n- bob -> alice: BYE\n- alice: crash\n  at: 5s"),
        "the turn of 'alice: crash' came at 10.000 s, when its time had passed\n"
        "- alice: crash ^ due at 5.000 s\n"
        "seen last: bob -> alice: BYE, at 10.000 s",
        id="the time of a stimulus had passed when its turn came",
    ),
    pytest.param(
        (UP, "- alice -> bob: OPTIONS\n  at: up + 10s"),
        "alice sent no OPTIONS at 10.000 s\n"
        "- alice -> bob: OPTIONS ^ expected at 10.000 s (up + 10s)\n"
        "seen last: alice -> bob: ACK, at 0.000 s",
        id="missing at its time",
    ),
    pytest.param(
        (UP, "- alice -> bob: OPTIONS\n  at: up + 10s\n  within: 1s"),
        "alice sent no OPTIONS from 9.000 s to 11.000 s\n"
        "- alice -> bob: OPTIONS ^ expected at 10.000 s (up + 10s), give or take 1s\n"
        "seen last: alice -> bob: ACK, at 0.000 s",
        id="missing in its window",
    ),
    pytest.param(
        ("- alice -> bob: INVITE\n  at: 10s",),
        "alice sent no INVITE at 10.000 s\n- alice -> bob: INVITE ^ expected at 10.000 s\nnothing had been seen before",
        id="missing, and nothing seen at all",
    ),
    pytest.param(
        (UP, HUNG_UP, "- alice -> bob: BYE"),
        "BYE from alice never came; nothing more will happen after 0.000 s\n"
        "- alice -> bob: BYE ^ expected next\n"
        "seen last: bob -> alice: 200 BYE, at 0.000 s",
        id="never came",
    ),
    pytest.param(
        (LOSS, INVITED + "  mark: sent\n" + ANSWERED, HUNG_UP, "- alice: call bob\n  at: sent.received + 1s"),
        "the turn of 'alice: call bob' never came; nothing more will happen after 0.500 s\n"
        "- alice: call bob ^ the time is counted from a mark that was never set (sent.received + 1s)\n"
        "seen last: bob -> alice: 200 BYE, at 0.500 s",
        id="a mark that was never received",
    ),
    pytest.param(
        (INVITED + "- bob -> alice: 180 INVITE",),
        "bob sent 200 INVITE at 0.000 s instead of 180 INVITE\n- bob -> alice: 180 INVITE ^ expected next",
        id="another response of the same party",
    ),
    pytest.param(
        (UP, "- alice: hang up\n  at: up + 10s\n- bob -> alice: OPTIONS\n- bob -> alice: INFO"),
        "alice sent BYE at 10.000 s, while this was waited for\n- bob -> alice: OPTIONS ^ expected next",
        id="something of another party",
    ),
    pytest.param(
        (UP, "- alice: hang up\n  at: up + 10s\n- bob -> alice: INFO\n  at: up + 90s"),
        "alice sent BYE at 10.000 s, before this was due\n- bob -> alice: INFO ^ expected at 90.000 s (up + 90s)",
        id="something before a line that has a time",
    ),
    pytest.param(
        (UP, "- alice: refresh\n  at: 10s\n- alice: crash\n  at: 20s"),
        "alice sent INVITE again at 10.000 s\n- alice -> bob: INVITE ^ was met at 0.000 s\n"
        "waiting for line 15: alice: crash\n"
        "RFC4028-7.2-12: a refresh is due when half the interval has passed, at 900.000 s; the last 2xx was at 0.000 s",
        id="a line that was met already",
    ),
    pytest.param(
        (UP, "- alice: hang up\n  at: up + 10s\n- bob -> alice: INFO\n- alice -> bob: INFO\n- alice -> bob: BYE"),
        "alice sent BYE at 10.000 s, before this was due\n"
        "- alice -> bob: BYE ^ expected in its turn\n"
        "waiting for line 15: bob -> alice: INFO",
        id="a line whose turn has not come",
    ),
    pytest.param(
        (UP, "- alice: hang up\n- alice -> bob: BYE"),
        "bob sent 200 BYE at 0.000 s, after the last line\n- alice -> bob: BYE ^ nothing more was expected",
        id="after the last line",
    ),
    pytest.param(
        (INVITED + "  has: {Session-Expires: {at_least: 3600}}",),
        "alice sent INVITE at 0.000 s with Session-Expires: 1800;refresher=uac\n"
        "has: {Session-Expires: {at_least: 3600}} ^ expected at least 3600",
        id="a header with another value",
    ),
    pytest.param(
        (INVITED + "  has: {Min-SE: 90}",),
        "alice sent INVITE at 0.000 s without Min-SE\nhas: {Min-SE: 90} ^ expected 90",
        id="a header that is missing",
    ),
    pytest.param(
        (INVITED + "  body: {absent: true}",),
        "alice sent INVITE at 0.000 s with a body of 155 bytes\nbody: {absent: true} ^ expected to be absent",
        id="a body that should not be there",
    ),
    pytest.param(
        (INVITED + "  save: {least: Min-SE}",),
        "alice sent INVITE at 0.000 s without Min-SE\n- alice -> bob: INVITE ^ expected to save it",
        id="no header to save",
    ),
    pytest.param(
        (INVITED + "  save: {tag: To.tag}",),
        "alice sent INVITE at 0.000 s without To.tag\n- alice -> bob: INVITE ^ expected to save it",
        id="no part to save",
    ),
    pytest.param(
        (INVITED + "  lost: true\n" + ANSWERED, HUNG_UP),
        "INVITE, sent by alice at 0.000 s, arrived at 0.000 s\n- alice -> bob: INVITE ^ expected to be lost",
        id="delivered although it should be lost",
    ),
    pytest.param(
        (LOSS + INVITED + "  lost: false\n" + ANSWERED, HUNG_UP),
        "INVITE, sent by alice at 0.000 s, was lost: dropped by order of the flow\n"
        "- alice -> bob: INVITE ^ expected to arrive",
        id="lost although it should be delivered",
    ),
    pytest.param(
        (LOSS + INVITED + "  retransmits: 2\n" + ANSWERED, HUNG_UP),
        "INVITE, sent by alice at 0.000 s, was sent again once\n"
        "- alice -> bob: INVITE ^ expected to be sent again twice",
        id="sent again too seldom",
    ),
    pytest.param(
        (LOSS + INVITED + "  retransmits: 0\n" + ANSWERED, HUNG_UP),
        "alice sent INVITE again at 0.500 s\n- alice -> bob: INVITE ^ expected not to be sent again",
        id="sent again too often",
    ),
    pytest.param(
        (UP, "- alice: call bob"),
        "alice cannot call at 0.000 s: a call is under way\n- alice: call bob ^ \n"
        "seen last: alice -> bob: ACK, at 0.000 s",
        id="refused by the user agent",
    ),
    pytest.param(
        ("- alice: crash\n- alice: call bob",),
        "'alice: call bob' cannot be done at 0.000 s: alice has crashed\n- alice: call bob ^ \n"
        "nothing had been seen before",
        id="asked of a party that has crashed",
    ),
]


@pytest.mark.parametrize(("lines", "text"), FAILURES)
def test_a_failure_says_what_came_and_what_was_due(lines: tuple[str, ...], text: str) -> None:
    run = play(*lines, actors=CALL)
    assert told(run) == text
    assert run.failures[0].source.path == "test.yaml"


CALL_OF_THREE = CALL + "carol: {role: uac}\n"


def test_of_three_parties_a_failure_says_to_whom() -> None:
    run = play(UP, "- alice: hang up\n- carol -> bob: BYE\n  at: 5s", actors=CALL_OF_THREE)
    assert told(run).startswith("alice sent BYE to bob at 0.000 s, before this was due")
    run = play(UP, "- carol -> bob: INVITE\n  at: 5s", actors=CALL_OF_THREE)
    assert told(run).startswith("carol sent no INVITE to bob at 5.000 s")


def test_a_failure_in_a_repeat_says_in_which_turn() -> None:
    turns = "- repeat: 3\n  every: 800s\n  since: up\n  flow:\n    - alice -> bob: INVITE\n"
    assert "in turn 1 of 3" in told(play(UP, turns, actors=CALL)).splitlines()


def test_what_must_never_be_seen_fails_at_once_whichever_list_forbids_it() -> None:
    top = play(UP, HUNG_UP, actors=CALL, top="never: [ACK, 4xx BYE]")
    assert told(top) == "alice sent ACK at 0.000 s, which must never be seen\nnever: [ACK, 4xx BYE] ^ never: ACK"
    end = play(UP, HUNG_UP, actors=CALL, expect="never: [486, 200]")
    assert told(end) == "bob sent 200 INVITE at 0.000 s, which must never be seen\nnever: [486, 200] ^ never: 200"


def test_a_run_that_reaches_its_limit_says_so_where_a_line_is_left() -> None:
    run = play(UP, "- alice -> bob: BYE", actors=CALL, top="limit: 30s")
    assert told(run) == (
        "BYE from alice never came; the run ended at its limit of 30.000 s\n- alice -> bob: BYE ^ expected next\n"
        "seen last: alice -> bob: ACK, at 0.000 s"
    )
    run = play(UP, "- alice: hang up\n  at: 1m", actors=CALL, top="limit: 30s")
    assert told(run) == (
        "the turn of 'alice: hang up' never came; the run ended at its limit of 30.000 s\n"
        "- alice: hang up ^ due at 60.000 s\nseen last: alice -> bob: ACK, at 0.000 s"
    )


def test_what_a_party_refuses_is_an_error_of_the_run_and_no_failure_of_a_rule() -> None:
    assert play("- alice: hang up", actors=CALL).verdict is Verdict.ERROR
    assert play("- alice -> bob: ACK", actors=SCRIPTED).verdict is Verdict.ERROR


def test_a_scripted_party_cannot_quote_what_was_not_saved() -> None:
    saved = "- alice -> bob: INVITE\n  optional: true\n  save: {id: Call-ID}"
    actors = "alice: {role: uac}\nbob: {role: scripted}"
    assert told(play(saved, '- bob -> alice: BYE\n  with: {Subject: "${id}"}', actors=actors)).startswith(
        "'bob -> alice: BYE' cannot be done at 0.000 s: '${id}' quotes what has not been saved"
    )


def test_a_call_that_failed_is_not_played_on() -> None:
    run = play(INVITED + "- bob -> alice: 180 INVITE", actors=CALL)
    assert [transit.message.start_line.partition(" sip")[0] for transit in run.trace.messages()] == [
        *("INVITE", "SIP/2.0 200 OK"),
    ]
    assert run.failures[0].frame == 2
    assert [expectation.verdict for expectation in run.expectations] == [Verdict.PASS, Verdict.FAIL]


def test_what_was_not_reached_is_counted_and_has_no_time() -> None:
    run = play(UP, "- bob -> alice: BYE\n  at: 5s..6s\n- alice -> bob: 200 BYE", expect="ended_by: bob", actors=CALL)
    assert [(one.text, one.verdict.value, one.expected_us, one.actual_us) for one in run.expectations] == [
        ("alice -> bob: INVITE", "pass", None, 0),
        ("bob -> alice: 200 INVITE", "pass", None, 0),
        ("alice -> bob: ACK", "pass", None, 0),
        ("bob -> alice: BYE", "fail", 5_000_000, None),
        ("alice -> bob: 200 BYE", "fail", None, None),
        ("ended_by: bob", "fail", None, None),
    ]


def test_a_missed_time_is_kept_with_what_came() -> None:
    run = play(UP, "- bob: hang up\n  at: 4s\n- bob -> alice: BYE\n  at: 5s", actors=CALL)
    missed = run.expectations[-1]
    assert (missed.expected_us, missed.actual_us) == (5_000_000, 4_000_000)
