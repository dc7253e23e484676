"""Whole captures side by side: no false alarm between runs of one flow, and every call finds its counterpart."""

from dataclasses import replace
from io import BytesIO

import pytest

from simkit import load_flows, simulate
from simkit.captures.calls import captured_calls
from simkit.captures.compare import compare_calls
from simkit.captures.comparison import Comparison, Kind
from simkit.captures.reader import read_capture
from simkit.captures.writer import write_pcap
from simkit.flows.model import Flow
from simkit.trace import Trace, Transit
from simkit.units import MS, S

from .calls import (
    FLOWS,
    REFRESHED,
    TOLERANCE_US,
    compared,
    differences,
    everywhere,
    kinds,
    later,
    messages,
    played,
    replaced,
)

SHIPPED = [flow for path in sorted(FLOWS.glob("*.yaml")) for flow in load_flows(path) if flow.calls.count <= 10]


@pytest.mark.parametrize("flow", SHIPPED, ids=lambda flow: flow.title)
def test_a_flow_that_is_run_again_says_the_same(flow: Flow) -> None:
    """Other seed, other names, other waits after 491."""
    one, other = simulate(flow, seed=1).trace, simulate(flow, seed=2).trace
    comparison = compared(one, other)
    assert comparison.equal
    assert differences(comparison) == []
    assert differences(comparison, dynamic=True)


BY_UPDATE = """\
simkit: 1
name: by update
about: The callee refreshes, by UPDATE.
actors:
  alice: {role: uac, session_timer: {default_expires: 90, prefer_refresher: uas}}
  bob: {role: uas, session_timer: {use_update: true}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
  - repeat: 3
    flow:
      - bob -> alice: UPDATE
      - alice -> bob: 200 UPDATE
  - bob: hang up
  - bob -> alice: BYE
  - alice -> bob: 200 BYE
"""

REPLAYED = [
    pytest.param(REFRESHED, 10, id="refreshed by the caller, with jitter"),
    pytest.param(BY_UPDATE, 10, id="refreshed by the callee by UPDATE, with jitter"),
    pytest.param(str(FLOWS / "glare.yaml"), None, id="glare, with other waits"),
]


@pytest.mark.parametrize(("flow", "jitter_ms"), REPLAYED)
def test_fifty_runs_of_one_flow_raise_no_alarm(flow: str, jitter_ms: int | None) -> None:
    recording = played(flow, jitter_ms=jitter_ms)
    for seed in range(2, 52):
        assert differences(compared(recording, played(flow, seed, jitter_ms))) == [], f"seed {seed}"


def test_what_was_written_to_a_capture_is_read_as_the_same_call() -> None:
    run = simulate(str(FLOWS / "refresh-lost.yaml"), seed=2)
    file = BytesIO()
    write_pcap(file, run.traces.values(), run.addresses)
    file.seek(0)
    read = [call.trace for call in captured_calls(read_capture(file))]
    again = simulate(str(FLOWS / "refresh-lost.yaml"), seed=3)
    assert differences(compare_calls(read, [again.trace], tolerance_us=TOLERANCE_US)) == []


def test_a_call_equals_itself_and_nothing_differs() -> None:
    assert differences(compared(played(), played(), tolerance_us=0), dynamic=True) == []
    assert compared(played(), played(), strict=True).equal


def test_headers_that_are_ignored_are_passed_over_by_any_of_their_names() -> None:
    other = everywhere(played(), lambda message: message.with_headers(("Session-Expires", "99"), ("X-New", "1")))
    for names in (["session-expires", "X-NEW"], ["x", "x-new"]):
        assert compare_calls([played()], [other], tolerance_us=0, ignore=names).equal
    assert not compare_calls([played()], [other], tolerance_us=0, ignore=["x-new"]).equal


def test_a_capture_in_twentyfold_time_is_compared_in_its_own() -> None:
    fast = Trace([replace(transit, sent_at=transit.sent_at // 20) for transit in played().messages()])
    assert compare_calls([played()], [fast], tolerance_us=TOLERANCE_US, speeds=(1, 20)).equal
    assert compare_calls([fast], [played()], tolerance_us=TOLERANCE_US, speeds=(20, 1)).equal
    assert kinds(compared(played(), fast)) == {Kind.TIMING}


def test_the_parties_of_a_capture_are_who_they_are_by_what_they_do() -> None:
    names = {"alice": "127.0.0.1:5060", "bob": "127.0.0.1:5070"}
    comparison = compared(played(), renamed(played(seed=2), names))
    assert comparison.equal
    assert comparison.calls[0].parties == (("alice", "127.0.0.1:5060"), ("bob", "127.0.0.1:5070"))


def renamed(trace: Trace, names: dict[str, str]) -> Trace:
    return Trace([replace(each, sender=names[each.sender], receiver=names[each.receiver]) for each in trace.messages()])


def test_parties_that_change_their_roles_are_told_once() -> None:
    turned = renamed(played(), {"alice": "bob", "bob": "alice"})
    found = differences(compared(played(), turned))
    assert [(each.kind, each.field, each.left, each.right) for each in found] == [
        (Kind.SEMANTIC, "role", "alice", "bob")
    ]


def test_parties_keep_their_roles_where_the_first_message_is_missing() -> None:
    for start in (1, 2):
        rest = Trace([*messages(played())[start:]])
        rows = compared(played(), rest).calls[0].rows
        assert [row.right is None for row in rows] == [True] * start + [False] * (len(rows) - start)


def test_retransmissions_that_come_at_other_times_are_told() -> None:
    path = str(FLOWS / "peer-dies.yaml")
    again = [place for place, transit in enumerate(messages(played(path))) if transit.retransmission]
    assert len(again) > 10
    (difference,) = differences(compared(played(path), later(played(path), again[-1:], 5 * S)))
    assert (difference.kind, difference.field) == (Kind.TIMING, "retransmissions")


def test_the_mark_of_retransmission_is_not_needed() -> None:
    """Not every reader of captures sets it."""
    path = str(FLOWS / "peer-dies.yaml")
    unmarked = Trace([replace(transit, retransmission=False) for transit in played(path).messages()])
    assert differences(compared(played(path), unmarked), dynamic=True) == []


def test_answers_of_forks_are_no_retransmissions() -> None:
    """They have a request in common, but each a tag of its own."""
    transits = messages(played())
    forked = transits[4].message.with_headers(("To", "<sip:bob@192.0.2.2:5060>;tag=fork"))
    trace = Trace([*transits[:5], replace(transits[4], message=forked), *transits[5:]])
    assert [(each.kind, each.field) for each in differences(compared(played(), trace))] == [(Kind.SEMANTIC, "message")]


# --- several calls ---------------------------------------------------------------------------------------------------


def crowd(*starts_ms: int, users: tuple[str, ...] = (), seed: int = 1) -> list[Trace]:
    """Calls that begin at these times, each between users of its own where they are named."""
    calls = []
    for number, start_ms in enumerate(starts_ms):
        words = [("alice", users[number])] if users else []
        call = everywhere(played(seed=seed + number), lambda message, words=words: replaced(message, *words))  # type: ignore[misc]
        calls.append(later(call, range(len(messages(call))), start_ms * MS))
    return calls


def pairs(comparison: Comparison) -> list[tuple[int, int]]:
    return [(call.left, call.right) for call in comparison.calls]


def test_calls_are_paired_by_when_they_begin() -> None:
    comparison = compare_calls(crowd(0, 1000, 2000, 3000), crowd(0, 1000, 3000, seed=9), tolerance_us=TOLERANCE_US)
    assert pairs(comparison) == [(0, 0), (1, 1), (3, 2)]
    assert (comparison.left_only, comparison.right_only) == ((2,), ())
    assert not comparison.equal
    assert comparison.counts()[Kind.SEMANTIC] == 1


def test_calls_are_paired_by_who_calls_whom() -> None:
    left, right = crowd(0, 0, 0, users=("anna", "berta", "carla")), crowd(0, 0, 0, users=("carla", "anna", "berta"))
    comparison = compare_calls(left, right, tolerance_us=TOLERANCE_US)
    assert pairs(comparison) == [(0, 1), (1, 2), (2, 0)]
    assert comparison.equal


def test_calls_of_strangers_are_paired_in_order() -> None:
    left, right = crowd(0, 1000, users=("anna", "berta")), crowd(0, 1000, users=("xenia", "yvonne"))
    assert pairs(compare_calls(left, right, tolerance_us=TOLERANCE_US)) == [(0, 0), (1, 1)]


def test_a_call_that_begins_late_is_told_once() -> None:
    comparison = compare_calls(crowd(0, 1000, 2000, 3000), crowd(0, 1000, 2500, 3500), tolerance_us=TOLERANCE_US)
    (late,) = differences(comparison)
    assert (late.kind, late.field, late.left, late.right) == (Kind.TIMING, "start of the call", "2.000", "2.500")
    assert not comparison.differs(comparison.calls[1])
    assert comparison.differs(comparison.calls[2])


def test_captures_without_calls_are_equal_and_one_without_is_not() -> None:
    assert compare_calls([], [], tolerance_us=0).equal
    comparison = compare_calls([played()], [], tolerance_us=0)
    assert comparison.left_only == (0,)
    assert not comparison.equal
    assert compare_calls([Trace()], [Trace()], tolerance_us=0).equal


def test_a_response_without_cseq_is_compared_all_the_same() -> None:
    def damaged(transit: Transit) -> Transit:
        return replace(transit, message=transit.message.without_headers("CSeq", "Via", "From", "To", "Call-ID"))

    broken = Trace([damaged(transit) for transit in played().messages()])
    assert not compared(played(), broken).equal
    assert differences(compared(broken, broken), dynamic=True) == []


def test_what_a_party_only_says_after_the_other_may_be_left_out() -> None:
    trace = played()
    caller = next(trace.messages()).sender
    other = Trace([replace(each, message=each.message.with_headers(("Subject", "x"))) for each in trace.messages()])
    comparison = compared(trace, other)
    theirs = comparison.without_words_of(caller)
    assert not comparison.equal
    senders = {row.left.transit.sender for call in theirs.calls for row in call.rows if row.left and row.differences}
    assert caller not in senders
    assert not theirs.equal
    (only,) = theirs.without_words_of(next(each.receiver for each in trace.messages())).calls
    assert not [each for each in only.differences() if each.kind is Kind.SEMANTIC]
