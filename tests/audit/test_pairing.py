"""Messages are paired as transactions by branch, method and tags, also where a capture marks nothing."""

from simkit.audit.dialog import Transaction
from simkit.audit.pairing import Pairing
from simkit.sip.message import Request
from simkit.trace import Trace

from .building import Tape, via


def transactions(tape: Tape) -> list[Transaction]:
    return Pairing(tape.trace.messages(), speed=1).transactions


def brief(tape: Tape) -> list[tuple[str, int, int, int]]:
    """Method, CSeq, final status and number of ACKs of each transaction."""
    return [(each.method, each.cseq, each.status, len(each.acks)) for each in transactions(tape)]


def test_a_call_is_three_transactions() -> None:
    tape = Tape().set_up()
    tape.at(900).refresh()
    tape.at(1000).bye()
    assert brief(tape) == [("INVITE", 1, 200, 1), ("UPDATE", 2, 200, 0), ("BYE", 3, 200, 0)]


def test_a_message_with_the_same_branch_method_and_status_was_sent_again() -> None:
    tape = Tape()
    invite = tape.invite()
    tape.at(0.5).again(invite)
    answer = tape.respond(200)
    tape.at(1).again(answer)
    tape.at(2).again(answer)
    (transaction,) = transactions(tape)
    assert transaction.request.again_at == [500_000]
    assert transaction.final is not None
    assert (transaction.final.at, transaction.final.again_at) == (500_000, [1_000_000, 2_000_000])


def test_the_ack_to_a_refusal_has_the_branch_of_its_invite_the_ack_to_a_2xx_its_number() -> None:
    tape = Tape()
    tape.invite()
    tape.respond(486)
    tape.ack_failure()
    tape.invite()
    tape.respond(200)
    tape.ack()
    tape.ack(cseq=1)
    assert brief(tape) == [("INVITE", 1, 486, 2), ("INVITE", 2, 200, 1)]


def test_an_ack_of_no_invite_is_kept_apart() -> None:
    tape = Tape().set_up()
    tape.ack(cseq=9)
    assert [ack.frame for ack in Pairing(tape.trace.messages(), speed=1).stray_acks] == [4]


def test_a_cancel_belongs_to_its_invite() -> None:
    tape = Tape()
    invite = tape.invite()
    tape.request("alice", "CANCEL", cseq=1, branch=invite.branch.removeprefix("z9hG4bK"))
    first, second = transactions(tape)
    assert first.cancel is second.request


def test_a_request_with_more_vias_from_another_sender_was_passed_on() -> None:
    tape = Tape()
    invite = tape.invite()
    passed = tape.pass_on(invite, ("Session-Expires", "900"))
    tape.again(passed, sender="proxy")
    tape.pass_on(tape.respond(200))
    (transaction,) = transactions(tape)
    assert transaction.request.message is invite
    assert transaction.request.arrived is passed
    assert [passing.sender for passing in transaction.request.passed_on] == ["proxy"]
    assert transaction.final is not None
    assert (transaction.final.sender, len(transaction.final.passed_on)) == ("bob", 1)


def test_without_a_branch_the_from_tag_and_the_number_name_the_transaction() -> None:
    """RFC 2543."""
    tape = Tape().set_up()
    tape.at(900).refresh()
    for transit in tape.trace.messages():
        party = via("alice", "").partition(";")[0]
        transit.message = transit.message.with_headers(("Via", party))
    assert brief(tape) == [("INVITE", 1, 200, 1), ("UPDATE", 2, 200, 0)]


def test_what_answers_no_request_or_cannot_be_read_is_passed_over() -> None:
    tape = Tape()
    invite = tape.invite()
    tape.respond(200)
    tape.send("alice", "bob", Request("INVITE", "sip:bob@127.0.0.1", invite.without_headers("CSeq").headers))
    records = tape.trace.records
    assert transactions(tape)[0].status == 200
    tape.trace = Trace(records[1:])
    assert transactions(tape) == []


def test_the_first_copy_of_a_lost_message_did_not_arrive() -> None:
    """A run knows what was lost; then the clock of the receiver starts with the copy that came."""
    tape = Tape()
    tape.invite()
    answer = tape.respond(200)
    lost = list(tape.trace.messages())[-1]
    lost.lost, lost.received_at = "lost by the network", None
    tape.at(0.5).again(answer)
    (transaction,) = transactions(tape)
    assert transaction.final is not None
    assert (transaction.final.at, transaction.final.arrived_at) == (0, 500_000)
    assert not transaction.final.arrived_again_at
