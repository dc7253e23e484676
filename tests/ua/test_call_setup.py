"""How a call begins, or does not (RFC 3261 sections 9 and 13, RFC 4028 sections 7.1 to 7.3 and 9)."""

from simkit.settings import SessionTimerSettings
from simkit.sip.message import Message, Request, Response
from simkit.ua.events import Fact
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

from .pair import Pair

BY_HAND = UserAgentSettings(answer_after_us=None)


def test_an_answer_at_once_needs_three_messages() -> None:
    """RFC 3261 section 17.2.1: no 100 is owed when the final response comes within 200 ms."""
    assert Pair().call().run(100).lines() == [(0, "INVITE"), (0, "200 INVITE"), (0, "ACK")]


def test_a_callee_who_takes_its_time_sends_100_and_answers_when_told() -> None:
    """RFC 3261 section 17.2.1."""
    pair = Pair(bob_settings=UserAgentSettings(answer_after_us=2 * S)).call().run(100)
    assert pair.lines() == [(0, "INVITE"), (0.2, "100 INVITE"), (2, "200 INVITE"), (2, "ACK")]


def test_ring_and_answer_by_hand() -> None:
    """RFC 3261 section 13.3.1."""
    pair = Pair(bob_settings=BY_HAND).call()
    pair.at(1 * S, lambda: pair.bob.ring(now=pair.now)).at(5 * S, lambda: pair.bob.answer(now=pair.now))
    pair.run(100)
    assert pair.lines("bob") == [(0.2, "100 INVITE"), (1, "180 INVITE"), (5, "200 INVITE")]
    assert pair.last("180 INVITE").to_tag == pair.last("200 INVITE").to_tag


def test_a_rejected_call_is_over_for_both() -> None:
    """RFC 3261 section 13.3.1.3: the ACK to a 486 has the INVITE's branch."""
    pair = Pair(bob_settings=UserAgentSettings(reject_with=486)).call().run(100)
    assert pair.lines() == [(0, "INVITE"), (0, "486 INVITE"), (0, "ACK")]
    assert pair.ends() == {"alice": (0, "rejected", False), "bob": (0, "rejected", True)}
    assert pair.last("ACK").branch == pair.last("INVITE").branch
    assert pair.idle()


def test_an_invite_that_nobody_answers_is_given_up_after_64_t1() -> None:
    """RFC 3261 section 17.1.1.2: seven INVITEs, then timer B."""
    pair = Pair()
    pair.dead.add("bob")
    pair.call().run(100)
    assert pair.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert pair.ends() == {"alice": (32, "no-answer", True)}


def test_a_cancel_waits_for_a_provisional_response() -> None:
    """RFC 3261 section 9.1."""
    pair = Pair(bob_settings=BY_HAND).call()
    pair.alice.cancel(now=0)
    pair.run(100)
    assert pair.lines() == [
        (0, "INVITE"),
        (0.2, "100 INVITE"),
        (0.2, "CANCEL"),
        (0.2, "200 CANCEL"),
        (0.2, "487 INVITE"),
        (0.2, "ACK"),
    ]
    assert pair.ends() == {"alice": (0.2, "cancelled", True), "bob": (0.2, "cancelled", False)}
    cancel, invite = pair.last("CANCEL"), pair.last("INVITE")
    assert (cancel.branch, cancel.cseq.number) == (invite.branch, invite.cseq.number)
    assert pair.idle()


def test_a_cancel_that_comes_too_late_turns_into_a_bye() -> None:
    """RFC 3261 section 9.1: the 2xx was on its way already."""
    pair = Pair(bob_settings=UserAgentSettings(answer_after_us=1 * S), latency_us=S // 10).call()
    pair.at(1_050_000, lambda: pair.alice.cancel(now=pair.now))
    pair.run(100)
    assert [line for _, line in pair.lines("alice")] == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert pair.ends()["alice"] == (1.2, "cancelled", True)
    assert pair.ends()["bob"][1:] == ("hung-up", False)


def test_a_cancelled_invite_without_its_487_is_over_after_64_t1() -> None:
    """RFC 3261 section 9.1."""

    def loses(number: int, sender: str, message: Message) -> bool:
        return isinstance(message, Response) and message.status == 487

    pair = Pair(bob_settings=BY_HAND, loses=loses).call()
    pair.at(1 * S, lambda: pair.alice.cancel(now=pair.now))
    pair.run(100)
    assert pair.ends()["alice"] == (33, "cancelled", True)


def test_a_caller_ends_an_early_dialog_by_bye_and_still_gets_its_487() -> None:
    """RFC 3261 section 15.1.2: pending requests are answered 487."""
    pair = Pair(bob_settings=BY_HAND).call()
    pair.bob.receive(pair.alice.outgoing()[0].message, now=0)
    pair.bob.ring(now=0)
    ringing = pair.bob.outgoing()[0].message
    bye = Request(
        "BYE",
        "sip:bob@192.0.2.2:5060",
        (
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKbye"),
            ("From", ringing.header("From") or ""),
            ("To", ringing.header("To") or ""),
            ("Call-ID", ringing.call_id),
            ("CSeq", "2 BYE"),
        ),
    )
    answers = [answer.start_line for answer in pair.inject(bye)]
    assert answers == ["SIP/2.0 487 Request Terminated", "SIP/2.0 200 OK"]


def test_a_second_invite_before_the_first_is_answered_gets_500_with_retry_after() -> None:
    """RFC 3261 section 14.2: with a random Retry-After of 0 to 10 seconds."""
    pair = Pair(bob_settings=BY_HAND).call()
    invite = pair.alice.outgoing()[0].message
    pair.bob.receive(invite, now=0)
    pair.bob.ring(now=0)
    tag = pair.bob.outgoing()[0].message.to_tag
    again = invite.with_headers(
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKagain"),
        ("To", f"<sip:bob@192.0.2.2:5060>;tag={tag}"),
        ("CSeq", "2 INVITE"),
    )
    (answer,) = pair.inject(again)
    assert isinstance(answer, Response)
    assert answer.status == 500
    assert 0 <= int(answer.header("Retry-After") or "-1") <= 10


def test_every_fork_that_answers_is_acknowledged_and_all_but_the_first_are_ended() -> None:
    """RFC 3261 section 13.2.2.4; repeated 2xx of either are acknowledged again."""
    pair = Pair()
    pair.call().run(1)
    ok = pair.last("200 INVITE")
    fork = ok.with_headers(("To", "<sip:bob@192.0.2.2:5060>;tag=fork"), ("Contact", "<sip:bob@192.0.2.3:5060>"))
    sent = pair.inject(fork, to="alice")
    assert [message.method for message in sent] == ["ACK", "BYE"]
    assert {message.to_tag for message in sent} == {"fork"}
    assert [message.method for message in pair.inject(fork, to="alice")] == ["ACK"]
    again = pair.inject(ok, to="alice")
    assert [(message.method, message.to_tag) for message in again] == [("ACK", ok.to_tag)]
    assert pair.ends() == {}


def test_an_early_dialog_of_another_fork_does_not_confuse_the_answer() -> None:
    """RFC 3261 section 13.2.2.1: each To tag is a dialog of its own."""
    pair = Pair(bob_settings=BY_HAND).call()
    pair.run(0.1)
    pair.bob.ring(now=pair.now)
    pair.run(0.1)
    other = pair.last("180 INVITE").with_headers(("To", "<sip:bob@192.0.2.2:5060>;tag=other"))
    pair.alice.receive(other, now=pair.now)
    pair.bob.answer(now=pair.now)
    pair.run(1)
    assert pair.last("ACK").to_tag == pair.last("200 INVITE").to_tag


def test_an_interval_that_is_too_small_is_raised_and_tried_again() -> None:
    """RFC 4028 sections 7.3 and 7.4: same Call-ID, To and From, CSeq one higher, Min-SE of the 422."""
    pair = Pair(
        alice_settings=UserAgentSettings(session_timer=SessionTimerSettings(default_expires_s=90)),
        bob_settings=UserAgentSettings(session_timer=SessionTimerSettings(min_se_s=600)),
    ).call()
    pair.run(10)
    assert [line for _, line in pair.lines()] == ["INVITE", "422 INVITE", "ACK", "INVITE", "200 INVITE", "ACK"]
    first, second = (sent.message for sent in pair.wire if sent.line == "INVITE")
    assert (first.header("Session-Expires"), first.header("Min-SE")) == ("90", None)
    assert (second.header("Session-Expires"), second.header("Min-SE")) == ("600", "600")
    assert (second.call_id, second.from_tag, second.to_tag) == (first.call_id, first.from_tag, None)
    assert (first.cseq.number, second.cseq.number) == (1, 2)
    assert pair.count(Fact.RETRIED) == 1


def test_a_peer_that_never_has_enough_ends_the_attempt() -> None:
    """RFC 4028 section 10: no endless INVITE and 422."""
    pair = Pair(bob_settings=BY_HAND).call()
    for number in range(50):
        sent = [outgoing.message for outgoing in pair.alice.outgoing()]
        invites = [message for message in sent if message.method == "INVITE"]
        if not invites:
            break
        fields = [field for field in invites[0].headers if field[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        refusal = Response(422, "Session Interval Too Small", (*fields, ("Min-SE", str(3600 * (number + 1)))))
        pair.alice.receive(refusal, now=number)
    assert number <= 6
    assert [event.detail for event in pair.alice.events() if event.fact is Fact.ENDED] == ["rejected"]


def test_a_422_without_min_se_is_not_tried_again() -> None:
    """RFC 4028 section 6 has it in every 422."""
    pair = Pair(bob_settings=UserAgentSettings(reject_with=422)).call().run(100)
    assert [line for _, line in pair.lines()] == ["INVITE", "422 INVITE", "ACK"]
    assert pair.ends()["alice"] == (0, "rejected", False)
