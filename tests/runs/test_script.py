"""What a script has done, and what it lets pass: order, strictness, one instant, options, windows, repeats, values.

What it does not let pass is in test_failures.
"""

import pytest

from simkit.runs.verdict import Verdict

from .playing import CALL, HUNG_UP, SCRIPTED, UP, play, sent, told


def test_a_call_is_set_up_and_hung_up_line_by_line() -> None:
    run = play(UP, HUNG_UP)
    assert run.passed
    assert sent(run) == [
        *("0.000 alice INVITE", "0.000 bob 200 INVITE", "0.000 alice ACK"),
        *("0.000 alice BYE", "0.000 bob 200 BYE"),
    ]


def test_a_stimulus_happens_at_its_time_else_as_soon_as_its_turn_comes() -> None:
    run = play(UP, "- alice: refresh\n  at: up + 5s", "- alice -> bob: INVITE\n  at: 5s\n- bob -> alice: 200 INVITE",
               "- alice -> bob: ACK", HUNG_UP)  # fmt: skip
    assert run.passed
    assert sent(run)[-2:] == ["5.000 alice BYE", "5.000 bob 200 BYE"]


def test_a_stimulus_with_a_window_happens_when_that_opens_or_when_its_turn_comes_within() -> None:
    assert sent(play(UP, "- bob: hang up\n  at: 10s..20s", "- bob -> alice: BYE", "- alice -> bob: 200 BYE"))[3] == (
        "10.000 bob BYE"
    )
    run = play(UP, "- alice -> bob: INVITE\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
               "- bob: hang up\n  at: 10s..50s", "- bob -> alice: BYE", "- alice -> bob: 200 BYE")  # fmt: skip
    assert sent(run)[6] == "45.000 bob BYE"


def test_who_is_asked_for_something_waits_until_the_message_before_has_arrived() -> None:
    run = play(
        "- alice: call bob\n- alice -> bob: INVITE",
        "- bob: ring\n- bob -> alice: 180 INVITE\n- bob: answer\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
        HUNG_UP,
        actors="alice: {role: uac}\nbob: {role: uas, answers: by hand}",
        top="network: {latency: 40ms}\nallow: [100 INVITE]",
    )
    assert run.passed
    assert sent(run)[:2] == ["0.000 alice INVITE", "0.040 bob 180 INVITE"]


def test_trouble_strikes_at_once_before_the_message_before_it_arrives() -> None:
    run = play("- alice: call bob\n- alice -> bob: INVITE\n  lost: true\n  retransmits: 6\n- bob: crash")
    assert run.passed
    assert run.trace.messages().__next__().lost == "bob has crashed"


def test_retransmissions_and_100_need_no_line() -> None:
    actors = "alice: {role: uac}\nbob: {role: uas, answers: after 3s}"
    run = play(UP, HUNG_UP, actors=actors)
    assert run.passed
    assert "0.200 bob 100 INVITE" in sent(run)


def test_100_may_have_a_line() -> None:
    actors = "alice: {role: uac}\nbob: {role: uas, answers: after 3s}"
    line = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 100 INVITE\n  at: 200ms"
    run = play(line, UP.partition("INVITE\n")[2], HUNG_UP, actors=actors)
    assert run.passed


def test_what_is_allowed_needs_no_line_and_may_have_one() -> None:
    allow = "allow: [INVITE, 200 INVITE, ACK]\nlimit: 100s\n"
    assert play(UP, top=allow).passed
    refreshed = "- alice -> bob: INVITE\n  at: 45s\n"
    assert play(UP, refreshed, top=allow).passed


def test_what_is_allowed_leaves_a_line_to_the_message_that_comes_at_its_time() -> None:
    allow = "allow: [INVITE, 200 INVITE, ACK]\nlimit: 100s\n"
    run = play(UP, "- alice -> bob: INVITE\n  at: 90s\n", top=allow)
    assert run.passed, told(run)
    assert run.expectations[-1].actual_us == 90_000_000


def test_messages_of_different_senders_at_one_instant_have_no_order() -> None:
    """Both hang up at 10 s: neither BYE is first."""
    both = "- alice: hang up\n  at: 10s\n- bob: hang up\n  at: 10s\n"
    lines = {
        "alice": "- alice -> bob: BYE\n- bob -> alice: BYE\n- bob -> alice: 200 BYE\n- alice -> bob: 200 BYE",
        "bob": "- bob -> alice: BYE\n- alice -> bob: BYE\n- alice -> bob: 200 BYE\n- bob -> alice: 200 BYE",
    }
    for order in lines.values():
        run = play(UP, both, order)
        assert run.passed, told(run)


def test_who_has_received_a_message_answers_after_it_even_at_one_instant() -> None:
    run = play(UP, "- bob: hang up\n  at: 10s", "- alice -> bob: 200 BYE\n- bob -> alice: BYE")
    assert told(run) == ("bob sent BYE at 10.000 s, while this was waited for\n- alice -> bob: 200 BYE ^ expected next")


def test_messages_of_one_sender_have_their_order_even_at_one_instant() -> None:
    run = play("- alice: call bob", "- alice -> bob: ACK\n- alice -> bob: INVITE")
    assert told(run).startswith("alice sent INVITE at 0.000 s, before this was due")


def test_what_was_overtaken_must_come_at_that_instant() -> None:
    lines = "- dave -> alice: OPTIONS\n- carol -> alice: OPTIONS\n- alice -> carol: 200 OPTIONS"
    run = play("- carol: options\n  at: 10s", lines, actors="alice: {role: uas}\ncarol: {role: uac}\ndave: {role: uac}")
    assert run.failures[0].at == 10_000_000
    assert told(run) == (
        "carol sent OPTIONS to alice at 10.000 s, while this was waited for\n- dave -> alice: OPTIONS ^ expected next"
    )
    assert sent(run) == ["10.000 carol OPTIONS", "10.000 alice 200 OPTIONS"]


OPTIONAL = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 180 INVITE\n  optional: true\n"
REST = "- bob -> alice: 200 INVITE\n- alice -> bob: ACK"


def test_an_optional_line_may_be_met_or_skipped() -> None:
    assert play(OPTIONAL, REST, HUNG_UP).passed
    ringing = "alice: {role: uac}\nbob: {role: uas, answers: after 1s}"
    assert play(OPTIONAL, REST, HUNG_UP, actors=ringing, top="allow: [180 INVITE]").passed


def test_an_optional_line_is_met_at_its_time_only() -> None:
    early = "- alice -> bob: INVITE\n  at: 10s..20s\n  optional: true\n"
    run = play(UP, early, "- alice -> bob: INVITE\n  at: 45s", top="allow: [200 INVITE, ACK]\nlimit: 50s")
    assert run.passed, told(run)
    met = {expectation.actual_us for expectation in run.expectations[-2:]}
    assert met == {None, 45_000_000}


def test_an_optional_line_at_the_end_need_not_be_met() -> None:
    run = play(UP, HUNG_UP, "- alice -> bob: OPTIONS\n  optional: true")
    assert run.passed
    assert all(expectation.verdict is Verdict.PASS for expectation in run.expectations)


def test_an_action_behind_an_optional_line_waits_for_it_to_the_end_of_the_instant() -> None:
    actors = "alice: {role: uac}\nbob: {role: uas, answers: by hand}"
    run = play(OPTIONAL, "- bob: answer", REST, HUNG_UP, actors=actors)
    assert run.passed
    run = play(OPTIONAL.replace("bob -> alice: 180", "alice -> bob: CANCEL").replace("CANCEL INVITE", "CANCEL"),
               "- bob: answer", REST, HUNG_UP, actors=actors)  # fmt: skip
    assert run.passed


def test_an_action_behind_an_optional_line_waits_until_that_can_no_longer_come() -> None:
    actors = "alice: {role: uac}\nbob: {role: uas, answers: by hand}"
    run = play(OPTIONAL + "  at: 1s..2s", "- bob: answer", REST, HUNG_UP, actors=actors)
    assert run.passed
    assert "2.000 bob 200 INVITE" in sent(run)


def test_a_window_includes_both_its_ends() -> None:
    for window in ("45s..50s", "40s..45s", "45s"):
        assert play(UP, f"- alice -> bob: INVITE\n  at: {window}", top="limit: 45s\nallow: [200 INVITE, ACK]").passed


def test_a_tolerance_widens_a_time_to_both_sides() -> None:
    for stated in ("44s", "46s"):
        lines = f"- alice -> bob: INVITE\n  at: {stated}\n  within: 1s"
        assert play(UP, lines, top="limit: 46s\nallow: [200 INVITE, ACK]").passed


def test_a_repeat_expects_each_turn_at_its_time() -> None:
    turns = """
        - repeat: 3
          every: 45s
          since: up
          flow:
            - alice -> bob: INVITE
            - bob -> alice: 200 INVITE
              mark: up
            - alice -> bob: ACK
    """
    run = play(UP, turns, "- alice: hang up\n  at: up + 10s", HUNG_UP.partition("hang up\n")[2])
    assert run.passed, told(run)
    assert run.virtual_us == 145_000_000


def test_a_repeat_gives_its_time_to_a_stimulus_as_well() -> None:
    turns = """
        - repeat: 2
          every: 10s
          flow:
            - bob: refresh
            - bob -> alice: INVITE
            - alice -> bob: 200 INVITE
            - bob -> alice: ACK
    """
    run = play(UP, turns, HUNG_UP)
    assert run.passed
    assert [line for line in sent(run) if line.endswith("bob INVITE")] == ["10.000 bob INVITE", "20.000 bob INVITE"]


def test_a_repeat_without_a_spacing_implies_no_times() -> None:
    turns = "- repeat: 2\n  flow:\n    - alice -> bob: INVITE\n    - bob -> alice: 200 INVITE\n    - alice -> bob: ACK"
    assert play(UP, turns, HUNG_UP).passed


def test_a_saved_value_is_filled_in_later() -> None:
    run = play(
        "- alice: call bob\n- alice -> bob: INVITE\n  save: {call: Call-ID, number: CSeq.number, tag: From.tag}",
        '- bob -> alice: 200 INVITE\n  has: {Call-ID: "${call}"}\n- alice -> bob: ACK\n  has: {CSeq: "${number} ACK"}',
        '- alice: hang up\n- alice -> bob: BYE\n  has: {CSeq: {more_than: "${number}"}, From: {contains: "${tag}"}}',
        "- bob -> alice: 200 BYE",
    )
    assert run.passed, told(run)


def test_a_mark_may_be_counted_from_the_arrival_of_its_message() -> None:
    run = play(
        "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 200 INVITE\n  mark: up\n- alice -> bob: ACK",
        "- alice: hang up\n  at: up.received + 5s\n- alice -> bob: BYE\n  at: up.received + 5s",
        "- bob -> alice: 200 BYE",
        top="network: {latency: 100ms}",
    )
    assert run.passed, told(run)
    assert "5.200 alice BYE" in sent(run)


def test_a_change_of_the_network_happens_in_its_turn() -> None:
    run = play(
        UP,
        '- net: {drop: "alice -> bob: INVITE", nth: 2}',
        "- alice -> bob: INVITE\n  lost: false\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
        "- alice -> bob: INVITE\n  lost: true\n  retransmits: 1\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
        HUNG_UP,
    )
    assert run.passed, told(run)


NETWORKS = [
    pytest.param("{partition: [alice, bob]}", "10.500", id="cut off until healed"),
    pytest.param('{delay: "alice -> bob: INVITE", by: 100ms}', "10.100", id="delayed"),
]


@pytest.mark.parametrize(("change", "answered_at"), NETWORKS)
def test_the_network_does_as_it_is_told(change: str, answered_at: str) -> None:
    run = play(
        UP,
        f"- net: {change}\n  at: 9s\n- alice: refresh\n  at: 10s\n- alice -> bob: INVITE",
        "- net: {heal: [alice, bob]}\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK",
        HUNG_UP,
    )
    assert run.passed, told(run)
    assert f"{answered_at} bob 200 INVITE" in sent(run)


def test_a_doubled_message_is_no_message_of_its_own() -> None:
    run = play('- net: {duplicate: "bob -> alice: 200 INVITE"}', UP, HUNG_UP)
    assert run.passed
    assert sent(run).count("0.000 bob 200 INVITE") == 2


def test_a_scripted_party_sends_when_its_turn_comes() -> None:
    """What is ordered takes the place of a call: no rule of SIP is kept but those that the lines keep."""
    run = play(
        "- alice -> bob: INVITE\n  with: {Session-Expires: 60}\n  without: [Contact]\n  save: {id: Call-ID}",
        '- bob -> alice: 422 INVITE\n  with: {Min-SE: 90, Warning: "399 bob \\"${id}\\""}\n  at: 2s',
        '- alice -> bob: ACK\n- alice -> bob: BYE\n  at: 3s\n- bob -> alice: 481 BYE\n  has: {Call-ID: "${id}"}',
        actors=SCRIPTED,
        top="network: {latency: 10ms}",
    )
    assert run.passed, told(run)
    assert sent(run) == [
        *("0.000 alice INVITE", "2.000 bob 422 INVITE"),
        *("2.010 alice ACK", "3.000 alice BYE", "3.010 bob 481 BYE"),
    ]
    invite, rejection, *_ = (transit.message for transit in run.trace.messages())
    assert invite.header("Session-Expires") == "60"
    assert invite.header("Contact") is None
    assert rejection.header("Warning") == f'399 bob "{invite.call_id}"'


def test_a_scripted_party_may_send_the_same_again() -> None:
    again = "- bob -> alice: 200 INVITE\n  at: 1s\n"
    actors = "alice: {role: uac}\nbob: {role: scripted}"
    first = "- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 200 INVITE\n- alice -> bob: ACK\n"
    run = play(first, again, actors=actors, top="limit: 2s")
    assert run.passed, told(run)


def test_a_scripted_party_that_is_frozen_sends_when_it_thaws() -> None:
    lines = "- bob: freeze\n- bob -> alice: OPTIONS\n- alice -> bob: OPTIONS\n- bob: thaw\n  at: 5s"
    run = play(lines, actors=SCRIPTED, top="limit: 9s")
    assert sent(run) == ["0.000 alice OPTIONS", "5.000 bob OPTIONS"]
    assert run.passed, told(run)


def test_what_a_scripted_party_is_to_send_is_sent_optional_or_not() -> None:
    run = play("- alice -> bob: OPTIONS\n  optional: true", actors=SCRIPTED)
    assert sent(run) == ["0.000 alice OPTIONS"]


def test_a_scripted_party_may_send_any_text() -> None:
    raw = """
        - alice -> bob: OPTIONS
          raw: |
            OPTIONS sip:bob@192.0.2.2 SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
            From: <sip:alice@192.0.2.1>;tag=a
            To: <sip:bob@192.0.2.2>
            Call-ID: one
            CSeq: 1 OPTIONS
            Content-Length: 0
        - bob -> alice: 200 OPTIONS
          has: {Call-ID: one}
    """
    run = play(raw, actors="alice: {role: scripted}\nbob: {role: uas}")
    assert run.passed, told(run)


def test_two_callers_may_call_one_callee_and_the_second_finds_it_busy() -> None:
    run = play(
        UP.replace("mark: up", "mark: up"),
        "- carol: call bob\n  at: 1s\n- carol -> bob: INVITE\n- bob -> carol: 486 INVITE\n- carol -> bob: ACK",
        HUNG_UP,
        actors=CALL + "    carol: {role: uac}\n",
    )
    assert run.passed, told(run)


def test_options_without_a_call_go_to_the_other_party() -> None:
    assert play("- alice: options\n- alice -> bob: OPTIONS\n- bob -> alice: 200 OPTIONS").passed
