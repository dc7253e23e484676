"""The check-list of a call: the timer that was agreed on, each refresh, the end, and what was still due."""

from collections.abc import Callable

import pytest

from simkit.audit.auditor import audit_call
from simkit.audit.finding import DeadlineState
from simkit.trace import Trace
from simkit.units import S

from . import defects
from .building import Tape, sdp


def test_a_call_is_told_by_its_timer_its_refreshes_and_its_end() -> None:
    tape = Tape(120)
    tape.at(3).invite(("Min-SE", "100"))
    tape.respond(180)
    tape.at(5).respond(200)
    tape.ack()
    tape.at(65).refresh()
    tape.at(125).refresh(status=0)
    tape.again(list(tape.trace.messages())[-1].message)
    tape.at(130).bye("bob")
    call = tape.audit()
    assert (call.call_id, call.caller, call.callee) == ("1@127.0.0.1", "alice", "bob")
    assert (call.started_us, call.offered, call.offered_by, call.answered) == (
        3 * S,
        "120",
        "alice",
        "120;refresher=uac",
    )
    assert (call.min_se_s, call.session_interval_s, call.refresher) == (100, 120, "alice")
    assert (call.ended_by, call.ended_us, call.reason, call.status) == ("bob", 130 * S, "hung-up", None)
    first, second = call.refreshes
    assert (first.actor, first.method, first.at, first.status, first.sent) == ("alice", "UPDATE", 65 * S, 200, 1)
    assert (first.answered_at, first.interval_s, first.refresher) == (65 * S, 120, "alice")
    assert (second.status, second.answered_at, second.sent, second.interval_s) == (None, None, 2, None)


def test_who_named_the_interval_first_may_be_the_callee_or_a_proxy() -> None:
    tape = Tape()
    tape.invite(without=("Session-Expires",))
    tape.respond(200)
    assert (tape.audit().offered, tape.audit().offered_by) == ("1800;refresher=uac", "bob")
    assert defects.proxied((), (defects.terms("600"),)).audit().offered_by == "proxy"


def silent() -> Tape:
    tape = Tape()
    tape.invite()
    return tape


def cancelled() -> Tape:
    tape = Tape()
    invite = tape.invite()
    tape.respond(180)
    tape.at(5).request("alice", "CANCEL", cseq=1, branch=invite.branch.removeprefix("z9hG4bK"))
    tape.respond(487, to=invite)
    return tape


def rejected() -> Tape:
    tape = Tape()
    tape.invite()
    tape.at(5).respond(486)
    return tape


def answered() -> Tape:
    return Tape().set_up()


def hung_up() -> Tape:
    tape = answered()
    tape.at(5).bye("bob")
    return tape


def expired() -> Tape:
    tape = answered()
    tape.at(1768).bye("bob", status=0)
    return tape


def says_expired() -> Tape:
    tape = answered()
    tape.at(900).refresh()
    tape.at(1000).bye("bob", ("Reason", 'SIP;cause=408;text="Session timeout"'))
    return tape


def refresh_refused() -> Tape:
    tape = answered()
    tape.at(900).refresh(status=481)
    tape.bye("alice", status=0)
    return tape


def one_direction(tape: Tape) -> Tape:
    """The callee answers, and the capture shows nothing of it."""
    tape.trace.records[:] = [each for each in tape.trace.messages() if each.sender == "alice"]
    return tape


def heard_of_the_caller_alone() -> Tape:
    tape = answered()
    tape.at(900).refresh()
    return one_direction(tape)


def heard_of_the_caller_to_its_end() -> Tape:
    tape = answered()
    tape.at(900).refresh()
    tape.at(1000).bye("alice")
    return one_direction(tape)


ENDS = [
    (heard_of_the_caller_alone, 2000, (None, None, None, None)),
    (heard_of_the_caller_to_its_end, 2000, ("alice", 1000, "hung-up", None)),
    (silent, 31, (None, None, None, None)),
    (silent, 33, ("alice", 32, "no-answer", None)),
    (cancelled, None, ("alice", 5, "cancelled", 487)),
    (rejected, None, ("bob", 5, "rejected", 486)),
    (answered, 5000, (None, None, None, None)),
    (hung_up, None, ("bob", 5, "hung-up", None)),
    (expired, None, ("bob", 1768, "session-expired", None)),
    (says_expired, None, ("bob", 1000, "session-expired", None)),
    (refresh_refused, None, ("alice", 900, "refresh-failed", None)),
    (defects.refresher_expiry_not_restarted, None, ("alice", 88, "session-expired", None)),
    (defects.never_acknowledged, None, ("bob", 932, "no-ack", None)),
]


@pytest.mark.parametrize(("call", "until", "end"), ENDS, ids=[f"{row[0].__name__}-{row[1]}" for row in ENDS])
def test_a_call_ends_by_somebody_for_a_reason(
    call: Callable[[], Tape], until: int | None, end: tuple[str | None, int | None, str | None, int | None]
) -> None:
    audit = call().audit(until=until)
    ended_s = None if audit.ended_us is None else audit.ended_us // S
    assert (audit.ended_by, ended_s, audit.reason, audit.status) == end


DEADLINES = [
    # the capture ends at   refresh    BYE        expiry
    (899,                   "unknown", "unknown", "unknown"),
    (906,                   "unknown", "unknown", "unknown"),
    (907,                   "unheard", "unknown", "unknown"),
    (1770,                  "unheard", "unheard", "unknown"),
    (1801,                  "unheard", "unheard", "unheard"),
]  # fmt: skip


@pytest.mark.parametrize(("until", "refresh", "bye", "expiry"), DEADLINES)
def test_what_was_due_when_the_capture_ended_is_unknown(until: int, refresh: str, bye: str, expiry: str) -> None:
    deadlines = Tape().set_up().audit(until=until).deadlines
    assert [(each.what, each.actor, each.due_at // S, each.state.value) for each in deadlines] == [
        ("refresh", "alice", 900, refresh),
        ("BYE", "bob", 1768, bye),
        ("expiry", None, 1800, expiry),
    ]


def test_only_who_is_heard_of_again_has_missed_what_was_due() -> None:
    tape = answered()
    tape.at(1900).request("bob", "OPTIONS")
    assert [deadline.state.value for deadline in tape.audit(until=1950).deadlines[:3]] == ["unheard", "missed", "met"]
    tape.respond(200, method="OPTIONS")
    audit = tape.audit(until=1950)
    assert [deadline.state.value for deadline in audit.deadlines[:3]] == ["missed", "missed", "met"]
    assert [finding.rule for finding in audit.findings] == ["RFC4028-7.2-11", "RFC4028-10-6"]


def test_a_bye_spares_what_was_due_later() -> None:
    states = [deadline.state for deadline in hung_up().audit().deadlines]
    assert states == [DeadlineState.SPARED] * 3
    assert [deadline.state.value for deadline in expired().audit().deadlines[:3]] == ["unheard", "met", "spared"]


def test_an_open_request_is_owed_an_answer() -> None:
    tape = answered()
    tape.at(900).refresh(status=0)
    (owed,) = [deadline for deadline in tape.audit().owed if deadline.what.startswith("answer")]
    assert (owed.what, owed.actor, owed.due_at) == ("answer to UPDATE", "bob", 932 * S)


def test_nothing_is_owed_when_the_call_is_over() -> None:
    assert hung_up().audit().owed == ()


def test_without_messages_there_is_nothing_to_tell() -> None:
    call = audit_call(Trace())
    assert (call.call_id, call.caller, call.findings) == ("", None, ())


def test_a_later_2xx_may_change_the_interval_and_hand_over_the_role() -> None:
    tape = answered()
    tape.at(900).request("bob", "UPDATE", ("Session-Expires", "600;refresher=uac"))
    tape.respond(200, method="UPDATE")
    call = tape.audit()
    assert (call.session_interval_s, call.refresher) == (600, "bob")
    assert [(deadline.due_at // S, deadline.actor) for deadline in call.deadlines][:2] == [
        (1200, "bob"),
        (1468, "alice"),
    ]


def test_a_2xx_without_interval_leaves_no_timer() -> None:
    tape = answered()
    tape.at(100).reinvite("alice", body=sdp("alice"))
    tape.respond(200, without=("Session-Expires", "Require"))
    tape.ack()
    call = tape.audit()
    assert (call.session_interval_s, call.refresher, call.deadlines) == (None, None, ())
