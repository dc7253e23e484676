"""What a scripted party can be told to send, and what it remembers of it."""

import pytest

from simkit.errors import FlowError
from simkit.flows.loader import load
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.runs.verdict import Verdict
from simkit.sip.message import Message, Request

from .playing import SCRIPTED, flow_of, play, sent, told

SPOKEN = "alice: {role: scripted}\nbob: {role: uas}"


def messages(run: Run) -> list[Message]:
    return [transit.message for transit in run.trace.messages()]


def test_it_sends_the_body_that_its_line_has() -> None:
    run = play("- alice -> bob: INVITE\n  body: |\n    v=0\n    c=IN IP4 ${alice.host}", actors=SCRIPTED)
    (invite,) = messages(run)
    assert invite.body == b"v=0\r\nc=IN IP4 192.0.2.1\r\n"
    assert (invite.header("Content-Type"), invite.header("Content-Length")) == ("application/sdp", "25")


def test_it_sends_no_body_where_its_line_has_an_empty_one() -> None:
    run = play('- alice -> bob: INVITE\n  body: ""', '- bob -> alice: 200 INVITE\n  body: ""', actors=SCRIPTED)
    for message in messages(run):
        assert (message.body, message.header("Content-Type"), message.header("Content-Length")) == (b"", None, "0")


def test_it_may_send_a_body_of_another_type() -> None:
    line = "- alice -> bob: OPTIONS\n  with: {Content-Type: text/plain}\n  body: hello"
    (options,) = messages(play(line, actors=SCRIPTED))
    assert (options.body, options.header("Content-Type")) == (b"hello", "text/plain")


def test_it_sends_a_request_for_any_uri() -> None:
    line = "- alice -> bob: OPTIONS\n  with: {Request-URI: 'sip:${bob.host}:${bob.port}'}"
    (options,) = messages(play(line, actors=SCRIPTED))
    assert isinstance(options, Request)
    assert options.uri == "sip:192.0.2.2:5060"
    assert options.header("Request-URI") is None


def test_the_request_uri_can_be_tested_and_saved() -> None:
    run = play(
        "- alice -> bob: OPTIONS\n  has: {Request-URI: {matches: ^sip:bob@}}\n  save: {user: Request-URI.user}",
        "- bob -> alice: 200 OPTIONS\n  with: {Subject: '${user}'}\n  has: {Subject: bob}",
        actors=SCRIPTED,
    )
    assert run.passed, told(run)


def test_what_a_line_has_put_into_a_request_holds_for_the_next_ones() -> None:
    run = play(
        "- alice -> bob: INVITE\n  with: {From: 'A <sip:a@${alice.address}>;tag=1', Call-ID: c1, CSeq: 7 INVITE}",
        "- bob -> alice: 200 INVITE",
        "- alice -> bob: ACK",
        "- alice -> bob: BYE",
        "- bob -> alice: 200 BYE",
        actors=SPOKEN,
    )
    assert run.passed, told(run)
    invite, _, ack, bye, _ = messages(run)
    assert invite.header("From") == ack.header("From") == bye.header("From") == "A <sip:a@192.0.2.1:5060>;tag=1"
    assert (ack.call_id, bye.call_id) == ("c1", "c1")
    assert (str(ack.header("CSeq")), bye.header("CSeq")) == ("7 ACK", "8 BYE")


def test_a_callee_keeps_the_tag_that_a_line_has_given_it() -> None:
    run = play(
        "- alice -> bob: INVITE",
        "- bob -> alice: 200 INVITE\n  with: {To: '<sip:bob@${bob.address}>;tag=own'}",
        "- alice -> bob: ACK",
        "- bob -> alice: BYE",
        actors=SCRIPTED,
    )
    assert messages(run)[-1].from_tag == "own"


SAVINGS = [
    pytest.param("{Subject: '([0-9]+) s'}", "120", id="the first group"),
    pytest.param("{Subject: '[0-9]+ s'}", "120 s", id="all that matches, without a group"),
    pytest.param("Subject", "about 120 s", id="the whole value"),
]


@pytest.mark.parametrize(("what", "kept"), SAVINGS)
def test_a_part_of_a_header_is_saved(what: str, kept: str) -> None:
    run = play(
        f"- alice -> bob: OPTIONS\n  with: {{Subject: about 120 s}}\n  save: {{value: {what}}}",
        "- bob -> alice: 200 OPTIONS\n  with: {Subject: '${value}'}",
        actors=SCRIPTED,
    )
    assert messages(run)[1].header("Subject") == kept


def test_what_does_not_match_cannot_be_saved() -> None:
    run = play("- alice -> bob: OPTIONS\n  save: {value: {To: 'x([0-9])x'}}", actors=SCRIPTED)
    assert "without /x([0-9])x/ in To" in told(run)


# --- answering a challenge -------------------------------------------------------------------------------------------

ASKED = """
alice: {role: scripted, user: alice, password: sesame}
bob: {role: uas, challenge: {realm: here, user: alice, password: sesame}}
"""
CHALLENGED = ("- alice -> bob: INVITE", "- bob -> alice: 401 INVITE", "- alice -> bob: ACK")


def test_it_answers_the_last_challenge_where_its_line_says_so() -> None:
    again = ("- alice -> bob: INVITE\n  credentials: true", "- bob -> alice: 200 INVITE", "- alice -> bob: ACK")
    bye = ("- alice -> bob: BYE\n  credentials: true", "- bob -> alice: 200 BYE")
    run = play(*CHALLENGED, *again, *bye, actors=ASKED)
    assert run.passed, told(run)
    sent = [message.header("Authorization") or "" for message in messages(run) if isinstance(message, Request)]
    assert [value[:22] for value in sent] == ["", "", 'Digest username="alice', "", 'Digest username="alice']
    assert ["nc=00000001" in sent[2], "nc=00000002" in sent[4]] == [True, True]


def test_it_answers_no_challenge_by_itself() -> None:
    again = ("- alice -> bob: INVITE", "- bob -> alice: 401 INVITE", "- alice -> bob: ACK")
    assert play(*CHALLENGED, *again, actors=ASKED).passed


UNANSWERABLE = [
    pytest.param(ASKED, "nobody has asked for any", id="no challenge"),
    pytest.param(SCRIPTED, "the party has no user and password", id="no account"),
]


@pytest.mark.parametrize(("actors", "why"), UNANSWERABLE)
def test_what_cannot_be_answered_breaks_the_run_off(actors: str, why: str) -> None:
    run = play("- alice -> bob: INVITE\n  credentials: true", actors=actors)
    assert run.verdict is Verdict.ERROR
    assert why in told(run)


# --- sending again ---------------------------------------------------------------------------------------------------

DEAF = "alice: {role: scripted, retransmits: true}\nbob: {role: scripted}"


def test_an_invite_is_sent_again_after_twice_as_long_each_time() -> None:
    times = (0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)
    assert sent(play("- alice -> bob: INVITE", actors=DEAF)) == [f"{at:.3f} alice INVITE" for at in times]


def test_a_request_other_than_invite_is_sent_again_every_t2_in_the_end() -> None:
    run = play("- alice -> bob: BYE", actors=DEAF)
    times = (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert sent(run) == [f"{at:.3f} alice BYE" for at in times]


def test_an_answer_ends_the_sending() -> None:
    lines = ("- alice -> bob: INVITE", "- bob -> alice: 180 INVITE\n  at: 2s", "- bob -> alice: 200 INVITE\n  at: 60s",
             "- alice -> bob: ACK", "- alice -> bob: BYE", "- bob -> alice: 200 BYE\n  at: 61s")  # fmt: skip
    run = play(*lines, actors=DEAF)
    assert run.passed, told(run)
    alone = [line for line in sent(run) if " alice " in line]
    assert alone == [
        *("0.000 alice INVITE", "0.500 alice INVITE", "1.500 alice INVITE"),
        *("60.000 alice ACK", "60.000 alice BYE", "60.500 alice BYE"),
    ]


def test_a_final_response_to_an_invite_is_sent_again_until_its_ack_comes() -> None:
    actors = "alice: {role: scripted}\nbob: {role: scripted, retransmits: true}"
    run = play("- alice -> bob: INVITE", "- bob -> alice: 200 INVITE", "- alice -> bob: ACK\n  at: 2s", actors=actors)
    assert sent(run)[1:] == [
        *("0.000 bob 200 INVITE", "0.500 bob 200 INVITE", "1.500 bob 200 INVITE"),
        "2.000 alice ACK",
    ]


def test_a_request_that_comes_again_is_answered_again() -> None:
    actors = "alice: {role: uac}\nbob: {role: scripted, retransmits: true}"
    lost = '- net: {drop: "bob -> alice: 200 BYE"}'
    run = play(
        "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
        lost, "- alice: hang up\n  at: 1s\n- alice -> bob: BYE\n- bob -> alice: 200 BYE", actors=actors,
    )  # fmt: skip
    assert run.passed, told(run)
    assert sent(run)[-3:] == ["1.000 bob 200 BYE", "1.500 alice BYE", "1.500 bob 200 BYE"]


def test_nothing_is_sent_again_unless_it_is_told_to() -> None:
    assert sent(play("- alice -> bob: INVITE", actors=SCRIPTED)) == ["0.000 alice INVITE"]


def test_only_a_scripted_party_is_told_whether_to_send_again() -> None:
    with pytest.raises(FlowError, match="`retransmits` is for scripted parties"):
        flow_of("- alice -> bob: INVITE", actors="alice: {role: uac, retransmits: true}\nbob: {role: uas}")


DOLLARS = """\
simkit: 1
name: dollars
actors: {alice: {role: scripted}, bob: {role: scripted}}
flow:
  - alice -> bob: INVITE
    with: {Subject: "a $${x} and 5$"}
    has: {Subject: "a $${x} and 5$"}
    save: {call: Call-ID}
  - bob -> alice: 486 INVITE
    with: {Subject: "$${call} is ${call}"}
    has: {Subject: {matches: "^[$][{]call[}] is ${call}$"}}
  - alice -> bob: ACK
    body: "$${x}"
"""


def test_what_is_no_value_is_written_with_two_dollar_signs() -> None:
    run = simulate(load(DOLLARS, "dollars")[0])
    assert run.passed, run.failures
    invite, _, ack = messages(run)
    assert (invite.header("Subject"), ack.body) == ("a ${x} and 5$", b"${x}")
