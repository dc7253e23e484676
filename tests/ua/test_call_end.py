"""How a call ends, also when both sides want something else at that moment (RFC 3261 sections 12.2.1.2 and 15)."""

import pytest

from simkit.sip.message import Message, Request, Response
from simkit.ua.events import Fact
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import MS, S

from .pair import Pair
from .test_call_refresh import replies, with_timer


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_either_side_hangs_up_and_nothing_is_left(who: str) -> None:
    """RFC 3261 section 15: and no timer survives."""
    pair = Pair().call()
    pair.at(5 * S, lambda: pair.agents[who].hang_up(now=pair.now))
    pair.run(10_000)
    assert [line for at, line in pair.lines() if at >= 5] == ["BYE", "200 BYE"]
    other = "bob" if who == "alice" else "alice"
    assert pair.ends() == {who: (5, "hung-up", True), other: (5, "hung-up", False)}
    assert pair.count(Fact.OVER) == 2
    assert pair.idle()


def test_byes_that_cross_are_both_answered() -> None:
    """RFC 3261 section 15.1: each side has ended the call by itself."""
    pair = Pair(latency_us=100 * MS).call()
    for agent in (pair.alice, pair.bob):
        pair.at(5 * S, lambda agent=agent: agent.hang_up(now=pair.now))  # type: ignore[misc]
    pair.run(100)
    assert pair.times("BYE") == [5, 5]
    assert pair.times("200 BYE") == [5.1, 5.1]
    assert {name: end[2] for name, end in pair.ends().items()} == {"alice": True, "bob": True}
    assert pair.idle()


def test_a_request_after_the_bye_gets_481() -> None:
    """RFC 3261 section 15: the dialog is gone."""
    pair = Pair().call()
    pair.at(5 * S, lambda: pair.alice.hang_up(now=pair.now))
    pair.run(6)
    late = pair.last("INVITE").with_headers(
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKlate"),
        ("To", pair.last("200 INVITE").header("To") or ""),
        ("CSeq", "9 INVITE"),
    )
    (answer,) = pair.inject(late)
    assert isinstance(answer, Response)
    assert answer.status == 481


@pytest.mark.parametrize("offset_us", [-1, 0, 1], ids=["just before", "at", "just after"])
@pytest.mark.parametrize("who", ["alice", "bob"])
@pytest.mark.parametrize("use_update", [False, True], ids=["re-INVITE", "UPDATE"])
@pytest.mark.parametrize("latency_us", [0, 30 * MS], ids=["no latency", "latency"])
def test_a_hang_up_that_races_a_refresh_ends_the_call_once(
    offset_us: int, who: str, use_update: bool, latency_us: int
) -> None:
    """No request follows a BYE of the same side, and nothing is left (RFC 3261 section 15)."""
    settings = with_timer(use_update=use_update)
    pair = Pair(settings, settings, latency_us=latency_us).call()
    pair.at(900 * S + 2 * latency_us + offset_us, lambda: pair.agents[who].hang_up(now=pair.now))
    pair.run(10_000)
    assert len(pair.times("BYE")) == 1
    sent_by_who = [line for _, line in pair.lines(who)]
    assert set(sent_by_who[sent_by_who.index("BYE") + 1 :]) <= {
        "ACK", "200 BYE", "200 INVITE", "200 UPDATE", "481 INVITE", "481 UPDATE"
    }  # fmt: skip
    assert set(pair.ends()) == {"alice", "bob"}
    assert pair.idle()


def test_a_bye_stops_the_repeating_of_a_refresh_without_an_answer() -> None:
    """A request must not be repeated in a dialog that its sender has ended."""
    pair = Pair().call()
    pair.at(899 * S, lambda: pair.dead.add("bob"))
    pair.at(903 * S, lambda: pair.alice.hang_up(now=pair.now))
    pair.run(10_000)
    assert pair.times("INVITE", "alice") == [0, 900, 900.5, 901.5]
    assert pair.idle()


def test_a_callee_does_not_send_bye_before_the_ack() -> None:
    """RFC 3261 section 15."""
    lost = [2]

    def loses(number: int, sender: str, message: Message) -> bool:
        lost[0] -= message.method == "ACK"
        return message.method == "ACK" and lost[0] >= 0

    pair = Pair(loses=loses).call()
    pair.at(100 * MS, lambda: pair.bob.hang_up(now=pair.now))
    pair.run(100)
    assert pair.times("ACK") == [0, 0.5, 1.5]
    assert pair.times("BYE", "bob") == [1.5]
    assert pair.ends()["bob"] == (1.5, "hung-up", True)


def test_a_callee_whose_ack_never_comes_hangs_up_after_64_t1_for_the_first_reason() -> None:
    """RFC 3261 section 15."""

    def loses(number: int, sender: str, message: Message) -> bool:
        return message.method == "ACK"

    pair = Pair(loses=loses).call()
    pair.at(100 * MS, lambda: pair.bob.hang_up(now=pair.now))
    pair.run(100)
    assert pair.times("BYE", "bob") == [32]


def test_a_bye_without_an_answer_is_given_up_by_timer_f() -> None:
    """RFC 3261 section 17.1.2.2: eleven times over 32 s."""
    pair = Pair().call().run(1)
    pair.dead.add("bob")
    pair.alice.hang_up(now=pair.now)
    pair.run(100)
    assert pair.times("BYE") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    over = [at / S for at, name, event in pair.facts if event.fact is Fact.OVER]
    assert over == [32]


@pytest.mark.parametrize("status", [408, 481])
def test_a_hold_that_shows_the_dialog_gone_ends_the_call(status: int) -> None:
    """RFC 3261 section 12.2.1.2."""
    pair = Pair().call()
    replies(pair, status, times=1)
    pair.at(10 * S, lambda: pair.alice.hold(now=pair.now))
    pair.run(100)
    assert pair.ends()["alice"] == (10, "no-response", True)


def test_a_hold_that_is_refused_leaves_the_call_as_it_was() -> None:
    """RFC 3261 section 14.1: and the version of the description has not moved."""
    pair = Pair().call()
    replies(pair, 488, times=1)
    pair.at(10 * S, lambda: pair.alice.hold(now=pair.now))
    pair.run(901)
    bodies = [sent.message.body for sent in pair.wire if sent.line == "INVITE"]
    assert bodies[0] == bodies[2] != bodies[1]
    assert pair.ends() == {}


def test_a_re_invite_that_never_leaves_the_callers_side_does_not_stop_the_bye() -> None:
    """A hang-up while our re-INVITE is unanswered: BYE at once, and a late 2xx is still acknowledged."""
    pair = Pair(latency_us=100 * MS).call()
    pair.at(10 * S, lambda: pair.alice.hold(now=pair.now))
    pair.at(10_050 * MS, lambda: pair.alice.hang_up(now=pair.now))
    pair.run(100)
    assert [line for at, line in pair.lines("alice") if at >= 10] == ["INVITE", "BYE", "ACK"]
    assert pair.idle()


def test_a_party_without_the_call_answers_481_and_that_ends_it() -> None:
    """RFC 3261 section 12.2.2: a peer that restarted has forgotten the dialog."""
    pair = Pair().call().run(1)
    pair.bob = pair.agents["bob"] = Pair().bob
    pair.run(2000)
    assert [line for at, line in pair.lines("bob") if at > 1] == ["481 INVITE", "481 BYE"]
    assert pair.ends()["alice"] == (900, "refresh-failed", True)


def test_a_bye_in_flight_answers_what_else_comes_with_481() -> None:
    """RFC 3261 section 15: after our BYE the session is over for us."""
    pair = Pair().call().run(1)
    pair.alice.hang_up(now=pair.now)
    asked = Request(
        "UPDATE",
        "sip:alice@192.0.2.1:5060",
        (
            ("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKu"),
            ("From", pair.last("200 INVITE").header("To") or ""),
            ("To", pair.last("200 INVITE").header("From") or ""),
            ("Call-ID", pair.last("INVITE").call_id),
            ("CSeq", "1 UPDATE"),
        ),
    )
    answers = [answer for answer in pair.inject(asked, to="alice") if isinstance(answer, Response)]
    assert [answer.status for answer in answers] == [481]


def test_a_call_answered_by_a_party_set_to_reject_never_comes_up() -> None:
    """RFC 3261 section 21.4.24."""
    pair = Pair(bob_settings=UserAgentSettings(reject_with=486)).call().run(1)
    assert pair.count(Fact.UP) == 0
