"""Session timers gone wrong, each told as a tap would see it: the defects that SIP stacks have had, and their likes."""

from simkit.sip.digest import Challenge, answer
from simkit.sip.headers import HeaderField
from simkit.sip.message import Request

from .building import Tape, sdp


def terms(value: str) -> HeaderField:
    return "Session-Expires", value


def repeated(tape: Tape, last_s: float = 31.5) -> None:
    """Repeat the last request in vain, as timer E has it, for 32 s."""
    transit = list(tape.trace.messages())[-1]
    start = tape.now / 1_000_000
    for offset in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
        if offset <= last_s:
            tape.at(start + offset).again(transit.message)


# --- the expiry ------------------------------------------------------------------------------------------------------


def refresher_expiry_not_restarted() -> Tape:
    tape = Tape(120).set_up()
    tape.at(60).refresh()
    tape.at(88).bye("alice")
    return tape


def other_side_expiry_not_restarted() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh()
    tape.at(1768).bye("bob")
    return tape


def hold_does_not_restart() -> Tape:
    tape = Tape(1800, "uas").set_up()
    tape.at(890).held("alice")
    tape.at(1768).bye("alice")
    return tape


def refreshed_once() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh()
    tape.at(2668).bye("bob")
    return tape


def two_streams() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(100).held("alice")
    tape.at(900).refresh()
    tape.at(1000).refresh()
    tape.at(1010).bye("alice")
    return tape


def clock_starts_at_ack() -> Tape:
    tape = Tape(1800)
    tape.invite()
    answer = tape.respond(200)
    for at in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5):
        tape.at(at).again(answer)
    tape.at(20).ack()
    tape.at(1788).bye("bob")
    return tape


def hung_up_after_expiry() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(1980).bye("bob", status=0)
    return tape


def hung_up_much_after_expiry() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(2400).bye("bob", status=0)
    return tape


def hung_up_a_tenth_before_expiry() -> Tape:
    tape = Tape(120).set_up()
    tape.at(108).bye("bob", status=0)
    return tape


def lead_taken_by_refresher() -> Tape:
    tape = Tape(90).set_up()
    tape.at(45).refresh(status=0)
    repeated(tape, 11.5)
    tape.at(60).bye("alice", status=0)
    return tape


def silence_after_timeout() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=0)
    repeated(tape)
    return tape


def refresh_storm() -> Tape:
    tape = Tape(1800).set_up()
    for turn in range(5):
        tape.at(900 + turn / 10).refresh()
    return tape


# --- who refreshes ---------------------------------------------------------------------------------------------------


def role_taken_for_the_call() -> Tape:
    tape = Tape(1800, "uas").set_up()
    tape.at(900).request("bob", "UPDATE", terms("1800;refresher=uas"))
    tape.respond(200, method="UPDATE")
    return tape


def both_refresh() -> Tape:
    tape = Tape(1800, "uac").set_up()
    tape.at(900).refresh(by="bob")
    return tape


def incapable_peer_appointed() -> Tape:
    tape = Tape(1800)
    tape.invite(without=("Supported",))
    tape.respond(200, without=("Require",))
    tape.ack()
    return tape


def choice_overruled() -> Tape:
    tape = Tape(1800)
    tape.invite(terms("1800;refresher=uas"))
    tape.respond(200, terms("1800;refresher=uac"))
    tape.ack()
    return tape


def refresher_none() -> Tape:
    tape = Tape(1800)
    tape.invite(without=("Supported", "Session-Expires"))
    tape.respond(200, terms("1800;refresher=none"))
    tape.ack()
    return tape


def hung_up_on_a_peer_without_timer() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(200, without=("Session-Expires", "Require"))
    tape.ack()
    tape.at(1768).bye("alice")
    return tape


def hung_up_after_switching_off() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"))
    tape.respond(200, method="UPDATE", without=("Session-Expires", "Require"))
    tape.at(900 + 1768).bye("bob")
    return tape


# --- intervals -------------------------------------------------------------------------------------------------------


def too_small_tried_in_vain() -> Tape:
    tape = Tape(200)
    for _ in range(4):
        tape.invite()
        tape.respond(422, ("Min-SE", "3600"))
        tape.ack_failure()
    return tape


def min_se_lowered() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    tape.invite(terms("3600"), ("Min-SE", "2000"))
    tape.respond(200, terms("3600;refresher=uac"))
    tape.ack()
    return tape


def min_se_of_peer_forgotten() -> Tape:
    tape = Tape(3600, "uas")
    tape.invite(("Min-SE", "3600"))
    tape.respond(200)
    tape.ack()
    tape.at(1800).refresh()
    return tape


def interval_raised() -> Tape:
    tape = Tape(1800)
    tape.invite(terms("1000"))
    tape.respond(200, terms("1800;refresher=uac"))
    tape.ack()
    return tape


def interval_below_floor() -> Tape:
    tape = Tape(60)
    tape.invite()
    tape.respond(422)
    tape.ack_failure()
    return tape


def bare_422() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, without=("Min-SE",))
    tape.ack_failure()
    return tape


def gave_up_at_422() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    return tape


def headers_out_of_place() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(180, terms("1800"))
    tape.respond(200, ("Min-SE", "90"))
    tape.ack()
    return tape


def require_missing() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(200, without=("Require",))
    tape.ack()
    return tape


def timer_not_listed_in_refresh() -> Tape:
    tape = Tape(1800, "uas").set_up()
    tape.at(900).request("bob", "UPDATE", terms("1800"), without=("Supported",))
    tape.respond(200, terms("1800;refresher=uas"), method="UPDATE", without=("Require",))
    return tape


def interval_left_out() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).request("alice", "UPDATE")
    tape.respond(200, terms("1800;refresher=uac"), method="UPDATE")
    return tape


def configured_interval() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(200, terms("600;refresher=uac"))
    tape.ack()
    tape.at(300).request("alice", "UPDATE", terms("1800;refresher=uac"))
    tape.respond(200, terms("600;refresher=uac"), method="UPDATE")
    return tape


def hung_up_on_a_small_interval() -> Tape:
    tape = Tape()
    tape.invite(("Min-SE", "200"))
    tape.respond(200, terms("100;refresher=uac"))
    tape.ack()
    tape.bye("alice")
    return tape


def refresher_left_out() -> Tape:
    tape = Tape().set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800"))
    tape.respond(200, method="UPDATE")
    return tape


# --- the refresh transaction -----------------------------------------------------------------------------------------


def glare_not_tried_again() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=491)
    tape.at(1768).bye("bob")
    return tape


def glare_waits_for_the_next_refresh() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=491)
    tape.at(1750).refresh()
    tape.at(1760).bye("bob")
    return tape


def glare_tried_at_once() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=491)
    tape.at(900.1).refresh()
    return tape


def invite_while_one_is_open() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(100)
    first = tape.reinvite("alice", body=sdp("alice"))
    tape.at(100.1)
    second = tape.reinvite("alice", body=sdp("alice"))
    tape.respond(500, ("Retry-After", "3"), to=second)
    tape.ack_failure(second)
    tape.respond(200, to=first)
    tape.ack(first)
    return tape


def hung_up_on_503() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=503)
    tape.at(900.1).bye("alice")
    return tape


def went_on_after_481() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=481)
    tape.at(1768).bye("bob")
    return tape


def challenge_not_answered() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).refresh(status=401)
    tape.at(1768).bye("bob")
    return tape


def hot_retry() -> Tape:
    tape = Tape(1800).set_up()
    for turn in range(5):
        tape.at(900 + turn / 100).refresh(status=500)
    return tape


def never_refreshed() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(1768).bye("bob")
    return tape


def configured_address() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"), uri="sip:bob@example.net")
    tape.respond(200, method="UPDATE")
    return tape


def contact_of_the_socket() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"), ("Contact", "<sip:alice@10.0.0.1>"))
    tape.respond(200, method="UPDATE")
    return tape


def version_counted_up() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).reinvite("alice", body=sdp("alice", version=2))
    tape.respond(200)
    tape.ack()
    return tape


def taken_off_hold_by_refresh() -> Tape:
    tape = Tape().set_up()
    tape.at(100).held("alice")
    tape.at(1000).reinvite("alice", body=sdp("alice", version=3))
    tape.respond(200, body=sdp("bob", version=3))
    tape.ack()
    return tape


def version_kept() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).reinvite("alice", body=sdp("alice", codec="8"))
    tape.respond(200)
    tape.ack()
    return tape


def hold_answered_from_a_copy() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(100).reinvite("alice")
    tape.respond(200)
    tape.ack()
    return tape


def bare_200() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(100).reinvite("alice")
    tape.respond(200, body=b"")
    tape.ack()
    return tape


def update_to_a_peer_without() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(200, ("Allow", "INVITE, ACK, CANCEL, BYE"))
    tape.ack()
    tape.at(900).refresh(status=405)
    tape.at(901).reinvite("alice", body=sdp("alice"))
    tape.respond(200)
    tape.ack()
    return tape


def never_acknowledged() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).reinvite("alice")
    answer = tape.respond(200, body=sdp("bob", version=2, direction="recvonly"))
    for offset in (0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5):
        tape.at(900 + offset).again(answer)
    tape.at(932).bye("bob")
    return tape


def refresh_cancelled_at_once() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900)
    invite = tape.reinvite("alice", body=sdp("alice"))
    branch = invite.branch.removeprefix("z9hG4bK")
    tape.request("alice", "CANCEL", cseq=invite.cseq.number, branch=branch)
    tape.respond(200, method="CANCEL")
    tape.respond(487, to=invite)
    tape.ack_failure(invite)
    return tape


def call_not_found() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(900).reinvite("alice", body=sdp("alice"))
    tape.respond(486)
    tape.ack_failure()
    return tape


def refresh_after_the_end() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(899).bye("bob")
    tape.at(900).refresh(status=481)
    return tape


def two_byes() -> Tape:
    tape = Tape(1800).set_up()
    tape.at(100).bye("alice")
    tape.at(130).bye("alice", status=481)
    return tape


def bye_before_ack() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(200)
    tape.at(0.1).bye("bob")
    tape.at(0.2).ack()
    return tape


# --- headers that are there twice ------------------------------------------------------------------------------------


def two_intervals() -> Tape:
    tape = Tape()
    tape.invite(terms("1800"), ("x", "600"))
    tape.respond(200, terms("1800;refresher=uac"))
    tape.ack()
    return tape


def proxy_adds_a_second_interval() -> Tape:
    return proxied((terms("1800"),), (terms("1800"), terms("900")))


def two_minima_in_422() -> Tape:
    tape = Tape(1800)
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"), ("Min-SE", "7200"))
    tape.ack_failure()
    return tape


# --- what else requests say ------------------------------------------------------------------------------------------


def unreadable_headers() -> Tape:
    tape = Tape()
    tape.invite(terms("half an hour"), ("Min-SE", "soon"))
    return tape


def refresher_in_quotes() -> Tape:
    tape = Tape()
    tape.invite(terms('1800;refresher="uac"'))
    return tape


def min_se_below_floor() -> Tape:
    tape = Tape()
    tape.invite(("Min-SE", "30"))
    return tape


def minimum_below_floor() -> Tape:
    tape = Tape(90)
    tape.invite()
    tape.respond(422, ("Min-SE", "60"))
    tape.ack_failure()
    return tape


def timer_insisted_on() -> Tape:
    tape = Tape()
    tape.invite(("Require", "timer"), without=("Supported",))
    return tape


def interval_below_its_min_se() -> Tape:
    tape = Tape()
    tape.invite(("Min-SE", "3600"))
    return tape


def refused_without_support() -> Tape:
    tape = Tape()
    tape.invite(without=("Supported",))
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    return tape


def addresses_changed_after_422() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(422, ("Min-SE", "3600"))
    tape.ack_failure()
    tape.interval_s = 3600
    tape.request("alice", "INVITE", terms("3600"), ("Min-SE", "3600"), ("To", "<sip:carol@127.0.0.1>"), cseq=4)
    return tape


def tags_changed_in_refresh() -> Tape:
    tape = Tape().set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"), ("Supported", "timer, replaces"))
    tape.respond(200, method="UPDATE")
    return tape


def offer_in_update() -> Tape:
    tape = Tape().set_up()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"), body=sdp("alice"))
    tape.respond(200, method="UPDATE", body=sdp("bob"))
    return tape


def refresh_without_offer() -> Tape:
    tape = Tape().set_up()
    tape.at(900).reinvite("alice", body=b"")
    tape.respond(200)
    tape.ack()
    return tape


def answer_counted_up() -> Tape:
    tape = Tape().set_up()
    tape.at(100).reinvite("alice", body=sdp("alice", version=2, codec="8"))
    tape.respond(200, body=sdp("bob", version=2))
    tape.ack()
    return tape


def update_not_listed() -> Tape:
    tape = Tape()
    tape.invite(("Allow", "INVITE, ACK, CANCEL, BYE"))
    tape.respond(200)
    tape.ack()
    tape.at(900).request("alice", "UPDATE", terms("1800;refresher=uac"), without=("Allow",))
    tape.respond(200, method="UPDATE")
    return tape


def second_negotiation() -> Tape:
    tape = Tape()
    invite = tape.invite()
    tape.respond(180)
    tape.at(1).early("alice", "UPDATE", terms("1800"))
    tape.respond(200, method="UPDATE")
    tape.at(2).respond(200, to=invite)
    tape.ack(invite)
    return tape


# --- what else 2xx say -----------------------------------------------------------------------------------------------


def required_without_interval() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(200, without=("Session-Expires",))
    tape.ack()
    return tape


def reduced_below_min_se() -> Tape:
    tape = Tape(1800)
    tape.invite(("Min-SE", "1000"))
    tape.respond(200, terms("900;refresher=uac"))
    tape.ack()
    return tape


def own_interval_too_small() -> Tape:
    tape = Tape()
    tape.invite(without=("Session-Expires",))
    tape.respond(200, terms("60;refresher=uas"))
    tape.ack()
    return tape


def uas_refreshes_unrequired() -> Tape:
    tape = Tape(refresher="uas")
    tape.invite()
    tape.respond(200, without=("Require",))
    tape.ack()
    return tape


# --- the callee as refresher -----------------------------------------------------------------------------------------


def callee_never_refreshes() -> Tape:
    tape = Tape(refresher="uas").set_up()
    tape.at(1768).bye("alice")
    return tape


def callee_refreshes_late() -> Tape:
    tape = Tape(refresher="uas").set_up()
    tape.at(1200).refresh()
    return tape


def callee_refreshes_after_expiry() -> Tape:
    tape = Tape(refresher="uas").set_up()
    tape.at(1900).refresh()
    return tape


def callee_overdue() -> Tape:
    tape = Tape(refresher="uas").set_up()
    tape.at(1000).bye("bob")
    return tape


def never_hung_up() -> Tape:
    tape = Tape().set_up()
    tape.at(2000).request("bob", "OPTIONS")
    tape.respond(408, method="OPTIONS")
    return tape


# --- transactions ----------------------------------------------------------------------------------------------------


def number_skipped() -> Tape:
    tape = Tape().set_up()
    tape.at(100).request("alice", "BYE", cseq=7)
    return tape


def number_used_again() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh()
    tape.at(1000).request("alice", "BYE", cseq=1)
    return tape


def old_request_accepted() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh()
    tape.at(1800).request("alice", "UPDATE", terms("1800;refresher=uac"), cseq=1)
    tape.respond(200, method="UPDATE")
    return tape


def other_side_goes_on_after_481() -> Tape:
    tape = Tape().set_up()
    tape.at(100).reinvite("bob")
    tape.respond(481)
    tape.ack_failure()
    return tape


def refresh_ignored() -> Tape:
    tape = Tape().set_up()
    tape.at(900).refresh(status=0)
    repeated(tape)
    tape.at(932).bye("alice")
    return tape


def reinvite_ignored() -> Tape:
    tape = Tape().set_up()
    tape.at(900).reinvite("alice")
    repeated(tape)
    tape.at(932).bye("alice")
    return tape


def not_repeated_without_ack() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(200)
    tape.at(60).bye("bob")
    return tape


def ack_not_repeated() -> Tape:
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    tape.ack()
    for at in (0.5, 1.5, 3.5):
        tape.at(at).again(answer)
    tape.at(60).bye("alice")
    return tape


def ack_not_repeated_once() -> Tape:
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    tape.ack()
    tape.at(0.5).again(answer)
    tape.at(60).bye("bob")
    return tape


def hung_up_instead_of_ack() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(200)
    tape.at(0.2).bye("alice")
    return tape


def refusal_not_acknowledged() -> Tape:
    tape = Tape().set_up()
    tape.at(100).reinvite("alice")
    refusal = tape.respond(488)
    for offset in (0.5, 1.5, 3.5):
        tape.at(100 + offset).again(refusal)
    tape.at(200).bye("alice")
    return tape


def ack_of_nothing() -> Tape:
    tape = Tape().set_up()
    tape.at(1).ack(cseq=9)
    return tape


def ack_with_the_branch_of_its_invite() -> Tape:
    tape = Tape()
    invite = tape.invite()
    tape.respond(200)
    ack = Request("ACK", invite.uri, (invite.headers[0], *tape.addresses("alice", "1 ACK")))
    tape.send("alice", "bob", ack)
    return tape


def cancelled_too_late() -> Tape:
    tape = Tape()
    invite = tape.invite()
    tape.respond(180)
    tape.respond(200)
    tape.ack()
    branch = invite.branch.removeprefix("z9hG4bK")
    tape.at(5).request("alice", "CANCEL", cseq=1, branch=branch)
    return tape


def bare_420() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(420)
    tape.ack_failure()
    return tape


def hung_up_on_488() -> Tape:
    tape = Tape().set_up()
    tape.at(900).reinvite("alice", body=sdp("alice"))
    tape.respond(488)
    tape.ack_failure()
    tape.at(900.1).bye("alice")
    return tape


def invite_glare_tried_too_early() -> Tape:
    tape = Tape().set_up()
    tape.at(100).reinvite("alice")
    tape.respond(491)
    tape.ack_failure()
    tape.at(101).reinvite("alice")
    return tape


def glare_accepted() -> Tape:
    tape = Tape().set_up()
    tape.at(100)
    first = tape.reinvite("alice")
    second = tape.reinvite("bob")
    tape.respond(200, to=second, body=sdp("alice", version=2, direction="recvonly"))
    tape.respond(491, to=first)
    tape.ack_failure(first)
    tape.ack(second)
    return tape


def overlap_accepted() -> Tape:
    tape = Tape().set_up()
    tape.at(100)
    first = tape.reinvite("alice")
    second = tape.reinvite("alice")
    tape.respond(200, to=second, body=sdp("bob", version=2, direction="recvonly"))
    tape.ack(second)
    tape.respond(500, ("Retry-After", "3"), to=first)
    tape.ack_failure(first)
    return tape


def overlap_refused_for_good() -> Tape:
    tape = Tape().set_up()
    tape.at(900)
    first = tape.refresh(status=0)
    second = tape.refresh(status=0)
    tape.respond(500, to=second)
    tape.respond(200, to=first)
    return tape


def second_offer() -> Tape:
    tape = Tape().set_up()
    tape.at(100)
    first = tape.reinvite("alice")
    held = sdp("alice", version=3, direction="inactive")
    tape.at(100.1).request("alice", "UPDATE", terms("1800;refresher=uac"), body=held)
    tape.respond(491, method="UPDATE")
    tape.at(101).respond(200, to=first, body=sdp("bob", version=2, direction="recvonly"))
    tape.ack(first)
    tape.at(103.5).request("alice", "UPDATE", terms("1800;refresher=uac"), body=held)
    tape.respond(200, method="UPDATE", body=sdp("bob", version=3, direction="inactive"))
    return tape


def crossing_offer_accepted() -> Tape:
    tape = Tape().set_up()
    tape.at(100)
    first = tape.reinvite("alice")
    second = tape.request("bob", "UPDATE", terms("1800;refresher=uas"), body=sdp("bob", version=2, codec="8"))
    tape.respond(200, to=second, body=sdp("alice", version=2, direction="sendonly"))
    tape.respond(200, to=first, body=sdp("bob", version=3, direction="recvonly"))
    tape.ack(first)
    return tape


def bye_of_a_call_not_answered() -> Tape:
    tape = Tape()
    tape.invite()
    tape.respond(180)
    tape.at(1).early("bob", "BYE")
    return tape


# --- proxies ---------------------------------------------------------------------------------------------------------


def proxied(
    asked: tuple[HeaderField, ...] = (),
    passed: tuple[HeaderField, ...] = (),
    *,
    without: tuple[str, ...] = (),
    answer: tuple[HeaderField, ...] = (),
    answer_without: tuple[str, ...] = (),
    back: tuple[HeaderField, ...] = (),
    supported: bool = True,
) -> Tape:
    """A call through a proxy that edits what it passes on."""
    tape = Tape()
    route = ("Record-Route", "<sip:127.0.0.1:5080;lr>")
    left_out = () if supported else ("Supported",)
    invite = tape.request("alice", "INVITE", *asked, body=sdp("alice"), without=left_out)
    tape.pass_on(invite, *(passed if without else (route, *passed)), without=without)
    accepted = tape.respond(200, route, *answer, without=answer_without)
    tape.pass_on(accepted, *back)
    return tape


UAC = terms("1800;refresher=uac")


def proxy_names_a_refresher() -> Tape:
    return proxied((), (UAC,))


def proxy_reduces_too_far() -> Tape:
    return proxied((terms("1800"), ("Min-SE", "1000")), (terms("900"),))


def proxy_increases() -> Tape:
    return proxied((terms("1800"),), (terms("3600"),))


def proxy_passes_too_small() -> Tape:
    return proxied((terms("1800"), ("Min-SE", "2000")), answer=(terms("2000;refresher=uac"),))


def proxy_edits_the_refresher() -> Tape:
    return proxied((terms("1800"),), (UAC,))


def proxy_lowers_min_se() -> Tape:
    return proxied((terms("3600"), ("Min-SE", "3600")), (("Min-SE", "1800"),), answer=(terms("3600;refresher=uac"),))


def proxy_raises_min_se_alone() -> Tape:
    return proxied((terms("1800"),), (("Min-SE", "3600"),), supported=False, answer=(terms("1800;refresher=uas"),))


def proxy_edits_min_se() -> Tape:
    return proxied((terms("3600"),), (("Min-SE", "3600"),), answer=(terms("3600;refresher=uac"),))


def proxy_requires_timer() -> Tape:
    return proxied((terms("1800"),), (("Require", "timer"),))


def proxy_leaves_the_route() -> Tape:
    return proxied((), (terms("1800"),), without=("Record-Route",))


def proxy_forgets_its_timer() -> Tape:
    return proxied((), (terms("1800"),), answer_without=("Session-Expires", "Require"))


def proxy_inserts_for_the_uas() -> Tape:
    back = (terms("1800;refresher=uas"), ("Require", "timer"))
    return proxied((), (terms("1800"),), answer_without=("Session-Expires", "Require"), back=back)


def proxy_inserts_without_require() -> Tape:
    return proxied((), (terms("1800"),), answer_without=("Session-Expires", "Require"), back=(UAC,))


def proxy_edits_the_answer() -> Tape:
    return proxied((terms("1800"),), back=(terms("1000;refresher=uac"),))


def proxy_hangs_up() -> Tape:
    tape = proxied((terms("1800"),))
    tape.ack()
    bye = tape.made("bob", "BYE", ("Route", "<sip:127.0.0.1:5080;lr>"))
    tape.at(1800).send("proxy", "alice", bye)
    return tape


# --- who are you? ----------------------------------------------------------------------------------------------------


def asked(tape: Tape, nonce: str, *, stale: bool = False, method: str = "INVITE") -> None:
    """Challenge the last request, whose INVITE is acknowledged."""
    challenge = Challenge("example.org", nonce, qop=True, stale=stale)
    tape.respond(401, ("WWW-Authenticate", str(challenge)), method=method)
    if method == "INVITE":
        tape.ack_failure()


def proof(nonce: str, nc: int = 1) -> HeaderField:
    challenge = Challenge("example.org", nonce, qop=True)
    given = answer(challenge, "alice", "sesame", method="INVITE", uri="sip:bob@127.0.0.1", cnonce="c", nc=nc)
    return "Authorization", str(given)


def challenge_answered_with_the_same_number() -> Tape:
    tape = Tape()
    tape.invite()
    asked(tape, "one")
    tape.request("alice", "INVITE", terms("1800"), proof("one"), body=sdp("alice"), cseq=1, branch="again")
    tape.respond(200)
    tape.ack(bare=True)
    tape.at(100).bye("alice")
    return tape


def rejected_password_tried_again() -> Tape:
    tape = Tape()
    tape.invite()
    asked(tape, "one")
    tape.invite(proof("one"))
    asked(tape, "two")
    tape.invite(proof("two"))
    asked(tape, "three")
    return tape
