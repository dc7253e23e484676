"""What is in order, or left open by the RFCs, or cannot be known from a tap, is not held against anybody."""

from collections.abc import Callable

import pytest

from simkit.units import MS, S

from .building import Tape, contact, other, sdp
from .defects import asked, proof


def refreshed_by_caller() -> Tape:
    tape = Tape().set_up()
    for turn in (1, 2, 3):
        tape.at(900 * turn).refresh()
    tape.at(2800).bye("bob")
    return tape


def refreshed_by_callee() -> Tape:
    """The words uac and uas in a refresh are roles of that request."""
    tape = Tape(refresher="uas").set_up()
    tape.at(900).refresh()
    tape.at(1800).refresh()
    tape.at(1900).bye("alice")
    return tape


def hold_restarts_the_interval() -> Tape:
    tape = Tape(refresher="uas").set_up()
    tape.at(890).held("alice")
    tape.at(1790).refresh()
    tape.at(2600).bye("bob")
    return tape


def peer_dies() -> Tape:
    tape = Tape().set_up()
    tape.at(1768).bye("bob", status=0)
    return tape


def refresh_times_out() -> Tape:
    """Below 128 s the refresher's time-out and its peer's BYE may cross; either order is fine, and so is the 481."""
    tape = Tape(1800).set_up()
    tape.at(900)
    update = tape.refresh(status=0)
    for offset in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
        tape.at(900 + offset).again(update)
    tape.at(932).bye("alice", status=0)
    return tape


def challenged_again_and_again() -> Tape:
    """A nonce that grew stale, and one that a server has lost, are other nonces; the password was not refused."""
    tape = Tape()
    tape.invite()
    asked(tape, "one")
    tape.invite(proof("one"))
    tape.respond(200)
    tape.ack()
    tape.at(900)
    for nonce, nc, then in (("one", 2, "two"), ("two", 1, "three"), ("three", 1, "")):
        tape.request("alice", "UPDATE", ("Session-Expires", tape.terms("alice")), proof(nonce, nc))
        if then:
            asked(tape, then, stale=True, method="UPDATE")
    tape.respond(200, method="UPDATE")
    tape.at(1800)
    for nonce, nc, then in (("three", 2, "four"), ("four", 1, "")):
        tape.request("alice", "UPDATE", ("Session-Expires", tape.terms("alice")), proof(nonce, nc))
        if then:
            asked(tape, then, method="UPDATE")
    tape.respond(200, method="UPDATE")
    tape.at(1900).bye("alice")
    return tape


def byes_cross() -> Tape:
    tape = Tape().set_up()
    tape.at(100)
    first, second = tape.bye("alice", status=0), tape.bye("bob", status=0)
    tape.respond(481, to=first)
    tape.respond(200, to=second)
    return tape


def refresh_crosses_bye() -> Tape:
    tape = Tape().set_up()
    tape.at(900)
    tape.bye("bob", status=0)
    tape.refresh(status=481)
    tape.respond(200, method="BYE")
    return tape


def repeated_success_does_not_move_the_clock() -> Tape:
    tape = Tape(refresher="uas")
    tape.invite()
    answer = tape.respond(200)
    for at in (0.5, 1.5, 3.5, 7.5):
        tape.at(at).again(answer)
    tape.at(7.6).ack()
    tape.at(900).refresh()
    tape.at(950).bye()
    return tape


def first_success_may_have_been_lost() -> Tape:
    """The UAC counts from the copy that it got; which that was, a tap cannot tell."""
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    for at in (0.5, 1.5, 3.5, 7.5, 11.5):
        tape.at(at).again(answer)
    tape.at(11.6).ack()
    tape.at(911.5).refresh()
    tape.at(950).bye()
    return tape


def lost_ack_is_repeated() -> Tape:
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    tape.ack()
    for at in (0.5, 1.5, 3.5):
        tape.at(at).again(answer)
        tape.ack()
    tape.at(100).bye()
    return tape


def repeated_success_crosses_ack() -> Tape:
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    tape.at(0.4).ack()
    tape.at(0.5).again(answer)
    tape.at(100).bye()
    return tape


def header_twice_with_one_value() -> Tape:
    tape = Tape()
    tape.invite(("Session-Expires", "1800"), ("x", "1800"))
    tape.respond(200)
    tape.ack()
    tape.at(100).bye()
    return tape


def too_small_then_retried() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    tape.interval_s = 3600
    tape.invite(("Min-SE", "3600"))
    tape.respond(200)
    tape.ack()
    tape.at(1800).refresh()
    tape.at(2000).bye()
    return tape


def retried_with_a_new_from_tag() -> Tape:
    """Erratum 1681 shows it; section 7.3 reads otherwise."""
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    tape.interval_s = 3600
    tape.invite(("Min-SE", "3600"), ("From", "<sip:alice@127.0.0.1>;tag=another"))
    return tape


def glare_waited_out() -> Tape:
    tape = Tape().set_up()
    tape.at(900)
    first, second = tape.reinvite("alice"), tape.reinvite("bob")
    tape.respond(491, to=second)
    tape.respond(491, to=first)
    tape.ack_failure(first)
    tape.ack_failure(second)
    tape.at(901).held("bob")
    tape.at(903.5).reinvite("alice", body=sdp("alice", version=3))
    tape.respond(200, body=sdp("bob", version=3))
    tape.ack()
    tape.at(1000).bye()
    return tape


def glare_settled_by_the_peer() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh(status=491)
    tape.at(901.5).held("bob")
    tape.at(1000).bye()
    return tape


def challenged() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh(status=401)
    tape.refresh()
    tape.at(1000).bye("alice", status=401)
    tape.bye("alice")
    return tape


def no_timer() -> Tape:
    tape = Tape()
    tape.invite(without=("Supported", "Session-Expires"))
    tape.respond(200, without=("Session-Expires", "Require", "Supported"))
    tape.ack()
    tape.at(5000).request("alice", "BYE", without=("Supported",))
    tape.respond(200, method="BYE")
    return tape


def peer_without_timer() -> Tape:
    """The 2xx sets none: the caller may go on by itself, or not."""
    tape = Tape()
    tape.invite()
    tape.respond(200, without=("Session-Expires", "Require", "Supported"))
    tape.ack()
    tape.at(5000).bye()
    return tape


def options_refreshes_nothing() -> Tape:
    tape = Tape().set_up()
    tape.at(800).request("bob", "OPTIONS")
    tape.respond(200, method="OPTIONS")
    tape.at(900).refresh()
    tape.at(950).bye()
    return tape


def forked() -> Tape:
    """Two callees take the call: two dialogs, of which the caller ends one."""
    tape = Tape()
    invite = tape.invite()
    tape.respond(200)
    tape.ack(invite)
    to_carol = ("To", "<sip:bob@127.0.0.1>;tag=carol")
    tape.respond(200, to_carol, to=invite, by="carol")
    ack = tape.made("alice", "ACK", to_carol, cseq=1, branch="forked", uri=contact("carol"))
    tape.send("alice", "carol", ack.without_headers("Supported"))
    bye = tape.request("alice", "BYE", to_carol, cseq=2, uri=contact("carol"))
    tape.respond(200, to_carol, to=bye, by="carol")
    tape.at(900).request("alice", "UPDATE", ("Session-Expires", "1800;refresher=uac"), cseq=2)
    tape.respond(200, method="UPDATE")
    return tape


def tuned_in_late() -> Tape:
    """The capture began in the middle of the call."""
    tape = Tape(refresher="uas").set_up()
    tape.at(900).refresh()
    tape.at(1800).refresh()
    tape.at(1900).bye("alice")
    del tape.trace.records[:3]
    return tape


def through_a_proxy() -> Tape:
    tape = Tape()
    route = ("Record-Route", "<sip:127.0.0.1:5080;lr>")
    invite = tape.invite()
    tape.pass_on(invite, route)
    accepted = tape.respond(200, route)
    tape.pass_on(accepted)
    tape.pass_on(tape.ack(invite))
    return tape


CALLS = [
    *(refreshed_by_caller, refreshed_by_callee, hold_restarts_the_interval, peer_dies, refresh_times_out),
    *(byes_cross, refresh_crosses_bye, repeated_success_does_not_move_the_clock, first_success_may_have_been_lost),
    *(repeated_success_crosses_ack, header_twice_with_one_value),
    *(lost_ack_is_repeated, too_small_then_retried, retried_with_a_new_from_tag, glare_waited_out),
    *(glare_settled_by_the_peer, challenged, challenged_again_and_again, no_timer, peer_without_timer),
    *(options_refreshes_nothing, forked, tuned_in_late, through_a_proxy),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_nothing_is_found(call: Callable[[], Tape]) -> None:
    assert call().audit().findings == ()


ON_TIME = [
    # by whom         s          ms off   severity of what is found
    ("refresh",     "alice",       0,     None),
    ("refresh",     "alice",  -1_000,     None),
    ("refresh",     "alice",   1_000,     None),
    ("refresh",     "alice",  -1_001,     "note"),
    ("refresh",     "alice",   1_001,     "note"),
    ("refresh",     "alice",   6_000,     "note"),
    ("refresh",     "alice",   6_001,     "warning"),
    ("refresh",     "bob",         0,     None),
    ("refresh",     "bob",    -1_000,     None),
    ("refresh",     "bob",     1_001,     "note"),
    ("hang up",     "alice",       0,     None),
    ("hang up",     "alice",   1_000,     None),
    ("hang up",     "alice",   1_001,     "note"),
    ("hang up",     "bob",     1_000,     None),
    ("hang up",     "bob",     1_001,     "note"),
    ("hang up",     "bob",    30_000,     "note"),
    ("hang up",     "bob",    33_000,     "note"),
    ("hang up",     "bob",    33_001,     "warning"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "who", "off_ms", "severity"), ON_TIME)
def test_what_is_due_may_be_off_by_a_second(what: str, who: str, off_ms: int, severity: str | None) -> None:
    """RFC 4028 section 10: half the interval of 1800 s, and 32 s before it ends; refreshes may be spread by 5 s."""
    refresher = who if what == "refresh" else other(who)
    tape = Tape(refresher="uac" if refresher == "alice" else "uas").set_up()
    due_us = (900 if what == "refresh" else 1768) * S + off_ms * MS
    tape.at(due_us / S)
    if what == "refresh":
        tape.refresh()
    else:
        tape.bye(who, status=0)
    found = [finding.severity.value for finding in tape.audit().findings]
    assert found == ([] if severity is None else [severity])


GLARE = [
    # who     waited ms  found
    ("alice",   2_099 - 250,  True),
    ("alice",   2_100 - 250,  False),
    ("alice",   4_000 + 250,  False),
    ("alice",   4_001 + 250,  True),
    ("bob",             0,    False),
    ("bob",     2_000 + 250,  False),
    ("bob",     2_001 + 250,  True),
]  # fmt: skip


@pytest.mark.parametrize(("who", "waited_ms", "found"), GLARE)
def test_the_wait_after_491_depends_on_who_owns_the_call_id(who: str, waited_ms: int, found: bool) -> None:
    """RFC 3261 section 14.1; a quarter of a second is allowed for the way."""
    tape = Tape(refresher="uac" if who == "alice" else "uas").set_up()
    tape.at(900).refresh(status=491)
    tape.at(900 + waited_ms / 1000).refresh()
    assert [finding.rule for finding in tape.audit().findings] == (["3311-5.3"] if found else [])


@pytest.mark.parametrize(("connections", "found"), [((0, 0), True), ((1, 1), True), ((1, 2), False)], ids=str)
def test_a_refresh_whose_connection_was_replaced_is_not_taken_for_one_that_nobody_answers(
    connections: tuple[int, int], found: bool
) -> None:
    """RFC 3261 section 8.1.3.1: it failed as by a 503, which leaves the dialog alone."""
    tape = Tape().set_up()
    tape.at(900).refresh(status=0)
    tape.at(1300).refresh()
    before, after = connections
    for transit in tape.trace.messages():
        transit.connection = before if transit.sent_at <= 900 * S else after
    rules = [finding.rule for finding in tape.audit().findings]
    assert ("RFC4028-10-3" in rules) is found


LEADS = [(90, 60), (96, 64), (120, 88), (128, 96), (300, 268), (600, 568), (1800, 1768)]


@pytest.mark.parametrize(("interval_s", "bye_s"), LEADS)
def test_the_lead_is_32_s_or_a_third_of_the_interval(interval_s: int, bye_s: int) -> None:
    """RFC 4028 section 10, also as the expiry of an earlier 2xx that ran on."""
    tape = Tape(interval_s).set_up()
    tape.at(interval_s / 2).refresh()
    tape.at(bye_s).bye("bob")
    assert tape.findings()[-1] == ("RFC4028-9-13", "error", "bob", bye_s, 6)
    tape = Tape(interval_s).set_up()
    tape.at(interval_s / 2).refresh()
    tape.at(interval_s / 2 + bye_s).bye("bob", status=0)
    assert all(severity == "note" for _, severity, *_ in tape.findings())


def test_anybody_may_hang_up_at_any_other_time() -> None:
    for seconds in range(901, 1800, 7):
        for party in ("alice", "bob"):
            if abs(seconds - 1768) > 1:
                tape = Tape().set_up()
                tape.at(900).refresh()
                tape.at(seconds).bye(party)
                assert tape.findings() == [], seconds
