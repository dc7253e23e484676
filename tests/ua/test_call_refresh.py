"""What keeps a call alive, and what goes wrong on the way (RFC 3261 section 14, RFC 3311, RFC 4028)."""

import pytest

from simkit.settings import SessionTimerSettings
from simkit.sip.message import Message, Request, Response
from simkit.sip.sdp import parse_session_description
from simkit.ua.events import Fact
from simkit.ua.user_agent_settings import UserAgentSettings
from simkit.units import S

from .pair import Pair


def with_timer(*, expires: int = 1800, **others: object) -> UserAgentSettings:
    """Make the settings of a party with this session timer."""
    timer = SessionTimerSettings(default_expires_s=expires, **others)  # type: ignore[arg-type]
    return UserAgentSettings(session_timer=timer)


def talking(pair: Pair) -> Pair:
    """Set up the call at time 0."""
    return pair.call()


def replies(pair: Pair, status: int, *, times: int, method: str = "INVITE", **headers: str) -> None:
    """Have bob's next requests of this method within the dialog answered so instead."""
    left = [times]
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())

    def swallows(receiver: str, message: Message) -> bool:
        if receiver != "bob" or not isinstance(message, Request) or message.method != method or not message.to_tag:
            return False
        if left[0] == 0:
            return False
        left[0] -= 1
        pair.bob.reply(message, status, fields, now=pair.now)
        return True

    pair.swallows = swallows


@pytest.mark.parametrize("interval_s", [90, 96, 120, 128, 1800])
@pytest.mark.parametrize("refresher", ["uac", "uas"])
@pytest.mark.parametrize("use_update", [False, True], ids=["re-INVITE", "UPDATE"])
def test_the_refresher_refreshes_at_each_half_and_the_call_lives(
    interval_s: int, refresher: str, use_update: bool
) -> None:
    """RFC 4028 section 7.2: ten intervals, and no BYE."""
    settings = with_timer(expires=interval_s, prefer_refresher=refresher, use_update=use_update)
    pair = talking(Pair(settings, settings)).run(10 * interval_s)
    method = "UPDATE" if use_update else "INVITE"
    sender = "alice" if refresher == "uac" else "bob"
    refreshes = [at for at in pair.times(method, sender) if at > 0]
    assert refreshes == [interval_s / 2 * turn for turn in range(1, 21)]
    assert pair.ends() == {}


@pytest.mark.parametrize(("interval_s", "bye_s"), [(90, 60), (96, 64), (120, 88), (128, 96), (1800, 1768)])
def test_the_other_side_hangs_up_shortly_before_expiry(interval_s: int, bye_s: int) -> None:
    """RFC 4028 section 10: the smaller of 32 s and a third before."""
    pair = talking(Pair(with_timer(expires=interval_s)))
    pair.at(20 * S, lambda: pair.dead.add("alice"))
    pair.run(3000)
    assert pair.times("BYE", "bob")[0] == bye_s
    assert pair.ends()["bob"] == (bye_s, "session-expired", True)


@pytest.mark.parametrize("interval_s", [90, 96, 127, 128, 1800])
@pytest.mark.parametrize("use_update", [False, True], ids=["re-INVITE", "UPDATE"])
def test_a_refresh_that_gets_no_answer_ends_the_call_when_it_times_out(interval_s: int, use_update: bool) -> None:
    """RFC 4028 section 10: at half + 64*T1, and not before its own refresh has had its time."""
    settings = with_timer(expires=interval_s, use_update=use_update)
    pair = talking(Pair(settings, settings))
    pair.at(20 * S, lambda: pair.dead.add("bob"))
    pair.run(3000)
    assert pair.ends()["alice"] == (interval_s / 2 + 32, "refresh-failed", True)
    assert pair.times("UPDATE" if use_update else "INVITE", "alice")[-1] < pair.times("BYE")[0]


@pytest.mark.parametrize("status", [408, 481])
def test_408_and_481_to_a_refresh_end_the_call_at_once(status: int) -> None:
    """RFC 3261 section 12.2.1.2."""
    pair = talking(Pair())
    replies(pair, status, times=1)
    pair.run(3000)
    assert pair.ends()["alice"] == (900, "refresh-failed", True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 415, 486, 488, 500, 503, 600])
def test_any_other_refusal_is_tried_again_calmly_and_the_call_lives(status: int) -> None:
    """RFC 4028 section 10."""
    pair = talking(Pair())
    replies(pair, status, times=1)
    pair.run(1700)
    tries = [at for at in pair.times("INVITE", "alice") if at > 0]
    assert tries[0] == 900
    assert 5 <= tries[1] - tries[0] <= 868
    assert pair.ends() == {}
    assert pair.count(Fact.RETRIED, "alice") == 1


@pytest.mark.parametrize("status", [488, 500, 503])
def test_a_peer_that_refuses_for_ever_is_left_by_the_expiry_without_a_storm(status: int) -> None:
    """RFC 4028 section 10: the expiration has not moved, so the other side's BYE comes first."""
    pair = talking(Pair())
    replies(pair, status, times=1000)
    pair.run(3000)
    assert len(pair.times("INVITE", "alice")) <= 6
    assert pair.ends()["bob"] == (1768, "session-expired", True)
    assert pair.idle()


def test_retry_after_is_obeyed() -> None:
    """RFC 3261 section 20.33."""
    pair = talking(Pair())
    replies(pair, 503, times=1, Retry_After="17")
    pair.run(1700)
    assert pair.times("INVITE", "alice") == [0, 900, 917]


def test_update_that_the_peer_cannot_do_falls_back_to_invite() -> None:
    """RFC 3311 section 4: Allow says so, or the 405 does."""
    deaf = UserAgentSettings(allow=("INVITE", "ACK", "CANCEL", "BYE"))
    pair = talking(Pair(with_timer(use_update=True), deaf)).run(1000)
    assert pair.times("UPDATE") == []
    assert pair.times("INVITE", "alice") == [0, 900]
    pair = talking(Pair(with_timer(use_update=True)))
    replies(pair, 501, times=1, method="UPDATE")
    pair.run(1000)
    assert (pair.times("UPDATE", "alice"), pair.times("INVITE", "alice")) == ([900], [0, 900])


def test_a_refresh_changes_nothing_but_the_time() -> None:
    """RFC 4028 section 7.4, RFC 3261 section 12.2.1: origin, Contact, tags and CSeq order stay."""
    pair = talking(Pair()).run(1900)
    invites = [sent.message for sent in pair.wire if sent.line == "INVITE"]
    answers = [sent.message for sent in pair.wire if sent.line == "200 INVITE"]
    assert len({message.body for message in invites}) == 1
    assert len({message.body for message in answers}) == 1
    assert len({message.header("Contact") for message in invites}) == 1
    assert [message.cseq.number for message in invites] == [1, 2, 3]


def test_holding_refreshes_too_and_the_roles_stay() -> None:
    """RFC 4028 section 7.2: the next refresh counts from the hold's 2xx; section 7.4: uas, for bob is UAC here."""
    pair = talking(Pair(with_timer(prefer_refresher="uac")))
    pair.at(890 * S, lambda: pair.bob.hold(now=pair.now))
    pair.run(1800)
    hold = next(sent.message for sent in pair.wire if sent.sender == "bob" and sent.line == "INVITE")
    assert hold.header("Session-Expires") == "1800;refresher=uas"
    assert pair.times("INVITE", "alice") == [0, 1790]
    assert pair.ends() == {}


def test_hold_and_resume_change_the_direction_and_raise_the_version_once() -> None:
    """RFC 3264 sections 6.1 and 8: a held call is refreshed held."""
    pair = talking(Pair())
    pair.at(500 * S, lambda: pair.alice.hold(now=pair.now)).at(2000 * S, lambda: pair.alice.resume(now=pair.now))
    pair.run(2100)
    offers = [parse_session_description(sent.message.body) for sent in pair.wire if sent.line == "INVITE"]
    answers = [parse_session_description(sent.message.body) for sent in pair.wire if sent.line == "200 INVITE"]
    assert [offer.direction.value for offer in offers] == ["sendrecv", "sendonly", "sendonly", "sendrecv"]
    assert [answer.direction.value for answer in answers] == ["sendrecv", "recvonly", "recvonly", "sendrecv"]
    versions = [offer.version for offer in offers]
    assert [version - versions[0] for version in versions] == [0, 1, 1, 2]


def test_crossing_re_invites_are_answered_491_and_tried_again_by_turns() -> None:
    """RFC 3261 section 14.1: who made the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, in steps of 10 ms."""
    pair = talking(Pair(latency_us=S // 20))
    pair.at(900_100_000, lambda: pair.bob.hold(now=pair.now))  # alice had the 2xx 100 ms after her INVITE
    pair.run(1000)
    assert [line for _, line in pair.lines() if line == "491 INVITE"] == ["491 INVITE"] * 2
    again = [at for at in pair.times("INVITE", "bob") if at > 900.1]
    assert len(again) == 1
    waited_us = round((again[0] - 900.2) * S)
    assert 0 <= waited_us <= 2 * S
    assert waited_us % 10_000 == 0
    assert [at for at in pair.times("INVITE", "alice") if at > 900.1] == []  # bob's hold has refreshed the session
    assert pair.ends() == {}


def test_a_refresh_that_falls_due_while_a_hold_is_under_way_is_not_sent() -> None:
    """RFC 3261 section 14.1: one INVITE at a time; the hold's 2xx makes the refresh needless."""
    pair = talking(Pair(latency_us=S // 10))
    pair.at(900 * S - 50_000, lambda: pair.alice.hold(now=pair.now))
    pair.run(1100)
    assert len(pair.times("INVITE", "alice")) == 2


def test_a_refresh_of_ours_waits_for_the_ack_to_theirs() -> None:
    """RFC 3261 section 14.1: not while an INVITE of the peer is unconfirmed."""
    pair = talking(Pair(latency_us=S // 10))
    pair.at(899_950_000, lambda: pair.bob.hold(now=pair.now))  # arrives at 900.05, while nothing of alice's is open
    pair.at(900_060_000, lambda: pair.alice.refresh(now=pair.now))
    pair.run(910)
    open_requests = 0
    for sent in pair.wire:
        if sent.at > 800 * S and sent.line == "INVITE":
            open_requests += 1
        assert open_requests <= 2
    assert pair.ends() == {}


def test_an_update_with_an_offer_while_ours_is_open_gets_491() -> None:
    """RFC 3311 section 5.2."""
    pair = talking(Pair()).run(1)
    pair.alice.hold(now=pair.now)
    hold = pair.alice.outgoing()[0].message
    update = Request(
        "UPDATE",
        "sip:alice@192.0.2.1:5060",
        (
            ("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKupdate"),
            ("From", hold.header("To") or ""),
            ("To", hold.header("From") or ""),
            ("Call-ID", hold.call_id),
            ("CSeq", "7 UPDATE"),
        ),
        hold.body,
    )
    (answer,) = pair.inject(update, to="alice")
    assert isinstance(answer, Response)
    assert answer.status == 491


def test_a_refresh_lost_on_the_way_is_repeated_and_the_interval_counts_from_its_answer() -> None:
    """RFC 3261 section 17.1.1.2, RFC 4028 section 7.2."""

    def loses(number: int, sender: str, message: Message) -> bool:
        return isinstance(message, Request) and message.cseq.number == 2 and number == 3

    pair = talking(Pair(loses=loses)).run(1801)
    assert pair.times("INVITE", "alice") == [0, 900, 900.5, 1800.5]


def test_a_lost_ack_has_the_2xx_repeated_and_acknowledged_each_time() -> None:
    """RFC 3261 sections 13.2.2.4 and 13.3.1.4; repeated 2xx move no timer."""
    lost = [3]

    def loses(number: int, sender: str, message: Message) -> bool:
        lost[0] -= message.method == "ACK"
        return message.method == "ACK" and lost[0] >= 0

    pair = talking(Pair(loses=loses)).run(901)
    assert pair.times("200 INVITE", "bob") == [0, 0.5, 1.5, 3.5, 900]
    assert pair.times("ACK") == [0, 0.5, 1.5, 3.5, 900]
    assert pair.times("INVITE", "alice") == [0, 900]


def test_a_2xx_that_is_never_acknowledged_ends_the_call_after_64_t1() -> None:
    """RFC 3261 sections 13.3.1.4 and 15: by BYE, and not earlier."""

    def loses(number: int, sender: str, message: Message) -> bool:
        return message.method == "ACK"

    pair = talking(Pair(loses=loses)).run(100)
    assert pair.times("200 INVITE", "bob")[-1] == 31.5
    assert pair.ends()["bob"] == (32, "no-ack", True)
    assert pair.times("BYE") == [32]


def test_a_lower_cseq_is_answered_500() -> None:
    """RFC 3261 section 12.2.2."""
    pair = talking(Pair()).run(901)
    old = next(sent.message for sent in pair.wire if sent.line == "INVITE" and sent.at > 0)
    stale = old.with_headers(("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKstale"), ("CSeq", "1 INVITE"))
    (answer,) = pair.inject(stale)
    assert isinstance(answer, Response)
    assert answer.status == 500


def test_a_new_contact_is_where_later_requests_go() -> None:
    """RFC 3261 section 12.2.2: a re-INVITE is a target refresh."""
    pair = talking(Pair()).run(901)
    moved = next(sent.message for sent in pair.wire if sent.line == "INVITE" and sent.at > 0).with_headers(
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmoved"),
        ("CSeq", "3 INVITE"),
        ("Contact", "<sip:alice@192.0.2.77:5070>"),
    )
    pair.inject(moved)
    pair.bob.receive(moved.with_headers(("CSeq", "3 ACK")), now=pair.now)  # any ACK with that number will do
    ack = Request("ACK", "sip:bob@192.0.2.2:5060", moved.with_headers(("CSeq", "3 ACK")).headers)
    pair.bob.receive(ack, now=pair.now)
    pair.bob.hang_up(now=pair.now)
    (bye,) = [outgoing for outgoing in pair.bob.outgoing() if outgoing.message.method == "BYE"]
    assert bye.destination == ("192.0.2.77", 5070)


def test_a_peer_without_timers_gets_refreshes_but_owes_nothing() -> None:
    """RFC 4028 section 7.2: the caller goes on for its own sake; the callee never hangs up."""
    plain = UserAgentSettings(session_timer=SessionTimerSettings(enabled=False), supported=())
    pair = talking(Pair(bob_settings=plain)).run(5000)
    assert pair.times("INVITE", "alice") == [0, 900, 1800, 2700, 3600, 4500]
    pair = talking(Pair(alice_settings=plain)).run(100_000)
    assert [line for _, line in pair.lines()] == ["INVITE", "200 INVITE", "ACK"]
    assert pair.idle()
