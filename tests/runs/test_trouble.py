"""What keeps messages from a party, and what becomes of a host."""

from simkit.runs.simulate import simulate
from simkit.trace import What

from .playing import HUNG_UP, UP, flow_of, play, sent, told

PLAIN = "alice: {role: uac}\nbob: {role: uas}"
INVITED = "- alice: call bob\n- alice -> bob: INVITE\n"
ANSWERED = "- bob -> alice: 200 INVITE\n- alice -> bob: ACK\n"


def test_what_a_party_ignores_so_many_times_it_never_hears_of() -> None:
    run = play("- bob: ignore INVITE 2 times", INVITED + "  retransmits: 2\n  lost: false\n" + ANSWERED, HUNG_UP)
    assert run.passed, told(run)
    assert "1.500 bob 200 INVITE" in sent(run)


def test_what_a_party_ignores_until_some_time_it_hears_of_again_after() -> None:
    run = play("- bob: ignore INVITE until start + 5s", INVITED + "  retransmits: 4\n" + ANSWERED, HUNG_UP)
    assert run.passed, told(run)
    assert "7.500 bob 200 INVITE" in sent(run)


def test_what_a_party_ignores_for_good_it_never_hears_of() -> None:
    run = play(
        "- bob: ignore INVITE", INVITED + "  retransmits: 6", expect="reason: no-answer\noutcome: {alice: failed}"
    )
    assert run.passed, told(run)


def test_a_party_ignores_requests_of_that_method_and_nothing_else() -> None:
    run = play("- alice: ignore INVITE\n- bob: ignore UPDATE", UP, HUNG_UP)
    assert run.passed, told(run)


def test_a_party_replies_what_it_is_told_in_place_of_what_it_would_say() -> None:
    reply = "- bob: reply 503 to INVITE 1 times\n  with: {Retry-After: 5}\n"
    rejected = "- bob -> alice: 503 INVITE\n  has: {Retry-After: 5}\n- alice -> bob: ACK\n"
    run = play(reply, INVITED + rejected, INVITED + ANSWERED, HUNG_UP, actors=PLAIN)
    assert run.passed, told(run)


def test_a_request_that_is_repeated_gets_its_reply_again_and_is_counted_once() -> None:
    reply = '- bob: reply 486 to INVITE 1 times\n- net: {drop: "bob -> alice: 486 INVITE"}\n'
    rejected = "- bob -> alice: 486 INVITE\n  lost: true\n  retransmits: 2\n- alice -> bob: ACK\n"
    run = play(reply, INVITED + "  retransmits: 1\n" + rejected, actors=PLAIN, top="network: {latency: 1ms}")
    assert run.failures == [], told(run)


def test_a_reply_may_last_until_some_time() -> None:
    options = "- alice: options\n- alice -> bob: OPTIONS\n"
    later = "- alice: options\n  at: 10s\n- alice -> bob: OPTIONS\n"
    run = play("- bob: reply 500 to OPTIONS until start + 10s", options + "- bob -> alice: 500 OPTIONS",
               later + "- bob -> alice: 200 OPTIONS")  # fmt: skip
    assert run.passed, told(run)


def test_trouble_comes_one_after_the_other() -> None:
    lines = "- bob: ignore INVITE 1 times\n- bob: reply 486 to INVITE\n"
    run = play(lines, INVITED + "  retransmits: 1\n- bob -> alice: 486 INVITE\n  at: 500ms\n- alice -> bob: ACK")
    assert run.passed, told(run)


# --- what becomes of a host ------------------------------------------------------------------------------------------


def test_a_party_that_crashed_neither_hears_nor_speaks() -> None:
    run = play(UP, "- bob: crash\n- alice: hang up\n- alice -> bob: BYE\n  lost: true\n  retransmits: 10")
    assert run.passed, told(run)
    assert next(transit.lost for transit in run.trace.messages() if transit.lost) == "bob has crashed"


def test_a_party_that_restarts_knows_nothing_and_calls_under_other_names() -> None:
    again = (
        "- alice: restart\n- alice: call bob\n- alice -> bob: INVITE\n- bob -> alice: 486 INVITE\n- alice -> bob: ACK"
    )
    run = play(UP, again, top="limit: 30s")
    assert run.passed, told(run)
    first, second = (one.message for one in run.trace.messages() if one.message.start_line.startswith("INVITE"))
    assert first.call_id != second.call_id


def test_a_frozen_party_goes_on_where_it_stood() -> None:
    """Its clock stands still for 10 s, so it refreshes 10 s late."""
    run = play(UP, "- alice: freeze\n  at: 20s\n- alice: thaw\n  at: 30s\n- alice -> bob: INVITE\n  at: 55s",
               top="limit: 55s\nallow: [200 INVITE, ACK]")  # fmt: skip
    assert run.passed, told(run)


def test_a_trace_tells_what_was_done() -> None:
    lines = "- bob: freeze\n- bob: thaw\n- bob: crash\n- bob: restart\n- bob: ignore BYE\n"
    change = '- net: {drop: "alice -> bob: BYE"}\n- alice: hang up\n- alice -> bob: BYE\n  retransmits: 10'
    run = simulate(flow_of(UP, lines, change))
    told_by_flow = [
        (fact.party, fact.what, fact.detail, fact.mark) for fact in run.trace.happenings() if fact.call_id is None
    ]
    assert told_by_flow == [
        ("alice", What.STIMULUS, "alice: call bob", None),
        ("bob", What.NOTE, "", "up"),
        ("bob", What.FROZEN, "", None),
        ("bob", What.THAWED, "", None),
        ("bob", What.CRASHED, "", None),
        ("bob", What.RESTARTED, "", None),
        ("bob", What.STIMULUS, "bob: ignore BYE", None),
        ("net", What.NOTE, "net: drop alice -> bob: BYE", None),
        ("alice", What.STIMULUS, "alice: hang up", None),
    ]
