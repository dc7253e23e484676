"""Recorded sides played on, in virtual time: against each other, and against peers that do something else."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.compare import compare_calls
from simkit.captures.reader import read_capture
from simkit.rebuild.call import read_call
from simkit.runs.one_side import OneSide
from simkit.runs.side_player import CALL_WITHIN_US, SidePlayer, title_of
from simkit.sip.message import Message, Request, Response
from simkit.sip.parser import parse_message
from simkit.sip.transport import Transport
from simkit.trace import Trace, Transit
from simkit.ua.identifiers import Identifiers
from simkit.units import MS, S

from ..captures.calls import with_body

RECORDINGS = Path(__file__).parent.parent.parent / "captures"
ALICE, BOB = ("127.0.0.1", 5070), ("127.0.0.1", 5080)
LONGEST_US = 48 * 3600 * S

SPOKEN = sorted(path.stem for path in RECORDINGS.glob("*.pcap"))


def recording(name: str) -> list[Transit]:
    with read_capture(str(RECORDINGS / f"{name}.pcap")) as reader:
        return read_call(next(captured_calls(reader)).trace).transits


def player(steps: Sequence[Transit], us: str, *, seed: int = 1, begins_at: int = 0) -> SidePlayer:
    peer, ends = ("bob", (ALICE, BOB)) if us == "alice" else ("alice", (BOB, ALICE))
    side = OneSide(*ends, Identifiers(Random(f"{us}{seed}")), recorded_host="127.0.0.1")
    return SidePlayer(steps, us, peer, side, begins_at=begins_at)


class Line:
    """A wire without delay between two sides, in virtual time."""

    def __init__(self, left: SidePlayer, right: SidePlayer) -> None:
        self.sides, self.now = (left, right), 0

    def carry(self) -> None:
        """Deliver until nobody has anything to say."""
        while any([self._pass_on(*self.sides), self._pass_on(*reversed(self.sides))]):
            pass

    def _pass_on(self, sender: SidePlayer, receiver: SidePlayer) -> bool:
        sent = sender.outgoing()
        for data in sent:
            receiver.receive(parse_message(data), now=self.now)
        return bool(sent)

    def play(self) -> None:
        """Let time pass until both are done."""
        while deadlines := [at for side in self.sides if (at := side.next_deadline()) is not None]:
            self.now = max(self.now, min(deadlines))
            assert self.now < LONGEST_US
            for side in self.sides:
                side.handle_deadline(now=self.now)
            self.carry()


def alone(side: SidePlayer, said: Sequence[tuple[int, Message]] = ()) -> list[tuple[int, str]]:
    """Play a side to its end against a peer that says these messages and nothing else; return what it sent and when."""
    now, sent, to_come = 0, [], [*said]
    while (deadline := side.next_deadline()) is not None:
        if to_come and to_come[0][0] <= deadline:
            now, message = to_come.pop(0)
            side.receive(message, now=now)
        else:
            now = max(now, deadline)
            side.handle_deadline(now=now)
        sent += [(now, title_of(parse_message(data))) for data in side.outgoing()]
    return sent


@pytest.mark.parametrize("name", SPOKEN)
def test_two_sides_of_a_recording_say_it_again(name: str) -> None:
    steps = recording(name)
    sides = player(steps, "alice"), player(steps, "bob")
    Line(*sides).play()
    for side in sides:
        heard = side.heard()
        assert [title_of(step.message) for step, at in heard.came if at is None] == []
        seen = Trace([each for each in heard.trace.messages() if title_of(each.message) != "100 INVITE"])
        comparison = compare_calls([Trace([*steps])], [seen], tolerance_us=100 * MS)
        assert [each for call in comparison.calls for each in call.differences() if each.kind == "semantic"] == []


CALL = "refresh.se=90,half=45"


def test_a_peer_that_is_not_there_is_given_up_and_no_more_is_sent() -> None:
    side = player(recording(CALL), "alice")
    assert alone(side) == [(0, "INVITE"), (500 * MS, "INVITE"), (1500 * MS, "INVITE"), (3500 * MS, "INVITE")]
    assert side.is_over
    assert not side.has_heard


def test_over_a_connection_nothing_is_sent_again() -> None:
    """RFC 3261 section 17.1.1.2: timer A is for unreliable transports."""
    steps = recording(CALL)
    side = OneSide(ALICE, BOB, Identifiers(Random(1)), recorded_host="127.0.0.1", transport=Transport.TCP)
    played = SidePlayer(steps, "alice", "bob", side, begins_at=0)
    assert alone(played) == [(0, "INVITE")]
    assert [transit.connection for transit in played.heard().trace.messages()] == [1]


def test_a_caller_that_does_not_call_is_waited_for_so_long() -> None:
    side = player(recording(CALL), "bob", begins_at=5 * S)
    assert side.expects_a_call
    assert alone(side) == []
    assert side.next_deadline() is None
    assert not side.expects_a_call


def test_a_recording_in_faster_time_has_its_patience_stretched() -> None:
    steps = recording(CALL)
    side = SidePlayer(
        steps,
        "bob",
        "alice",
        OneSide(BOB, ALICE, Identifiers(Random(1)), recorded_host="127.0.0.1"),
        begins_at=0,
        real_us=20,
    )
    side.handle_deadline(now=0)
    assert side.next_deadline() == 20 * CALL_WITHIN_US


def answer(side: SidePlayer, status: int, *, tag: str = "theirs") -> Response:
    """Return the peer's answer to what our side sent last."""
    (data,) = side.outgoing()
    request = parse_message(data)
    to = request.header("To") or ""
    headers = [
        (name, f"{to};tag={tag}" if name == "To" and "tag=" not in to else value) for name, value in request.headers
    ]
    return Response(status, "", tuple(headers), b"")


def begun(name: str) -> SidePlayer:
    side = player(recording(name), "alice")
    side.handle_deadline(now=0)
    return side


def test_in_a_call_that_was_rejected_nothing_is_sent_that_needs_a_dialog() -> None:
    side = begun(CALL)
    assert alone(side, [(10 * MS, answer(side, 486))]) == [(10 * MS, "ACK")]
    missing = [title_of(step.message) for step, at in side.heard().came if at is None]
    assert missing == ["200 INVITE"] * 4 + ["200 BYE"]


def test_a_request_that_the_recording_has_not_is_answered() -> None:
    side = begun(CALL)
    ok = answer(side, 200)
    options = parse_message(
        b"OPTIONS sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKo\r\n"
        b"From: <sip:bob@127.0.0.1>;tag=theirs\r\nTo: <sip:alice@127.0.0.1>;tag=x\r\nCall-ID: c\r\n"
        b"CSeq: 1 OPTIONS\r\n\r\n"
    )
    sent = alone(side, [(10 * MS, ok), (20 * MS, options), (30 * MS, options)])
    assert sent[:3] == [(10 * MS, "ACK"), (20 * MS, "200 OPTIONS"), (30 * MS, "200 OPTIONS")]


def test_a_request_that_the_recording_leaves_without_an_answer_gets_none() -> None:
    steps = recording("expiry")
    invite = next(step for step in steps if title_of(step.message) == "INVITE")
    assert [title_of(step.message) for step in steps if step.sender == "alice"] == ["INVITE", "ACK"]
    side = player(steps, "alice")
    side.handle_deadline(now=0)
    bye = next(step.message for step in steps if title_of(step.message) == "BYE")
    sent = alone(side, [(10 * MS, answer(side, 200)), (1768 * S, bye), (1769 * S, bye)])
    assert sent == [(10 * MS, "ACK")]
    assert invite.sent_at == 0


def test_who_is_told_reliably_that_it_rings_acknowledges_each_once() -> None:
    """RFC 3262 section 4: and what was recorded goes on, with higher numbers."""
    side = begun(CALL)
    ok = answer(side, 200)
    ringing = [Response(183, "", (*ok.headers, ("Require", "100rel"), ("RSeq", str(number))), b"") for number in (8, 9)]
    pracked = [ok.with_headers(("CSeq", f"{number} PRACK")) for number in (2, 3)]
    said = [(10 * MS, ringing[0]), (20 * MS, pracked[0]), (30 * MS, ringing[0]), (40 * MS, ringing[1])]
    sent = alone(side, [*said, (50 * MS, pracked[1]), (60 * MS, ok)])
    assert sent[:3] == [(10 * MS, "PRACK"), (40 * MS, "PRACK"), (60 * MS, "ACK")]
    heard = side.heard().trace.messages()
    asked = [each.message for each in heard if each.sender == "alice" and not each.retransmission]
    numbers = [each.cseq.number for each in asked if isinstance(each, Request) and each.method != "ACK"]
    assert numbers[:4] == [1, 2, 3, 4]


def test_who_answers_an_offer_in_a_2xx_does_so_in_the_ack() -> None:
    first, *others = recording(CALL)
    bare = Request("INVITE", "sip:bob@127.0.0.1", first.message.headers)
    ok, ack, *rest = others
    answering = replace(ack, message=with_body(ack.message, b"v=0\r\n"))
    steps = [replace(first, message=bare), ok, answering, *rest]
    side = player(steps, "alice")
    side.handle_deadline(now=0)
    side.receive(answer(side, 200), now=10 * MS)
    (sent,) = map(parse_message, side.outgoing())
    assert sent.body == b"v=0\r\n"


def test_a_provisional_response_ends_timer_a() -> None:
    side = begun(CALL)
    ringing = answer(side, 180)
    assert alone(side, [(10 * MS, ringing)]) == []


def test_the_way_through_proxies_is_kept() -> None:
    side = begun(CALL)
    (data,) = side.outgoing()
    invite = parse_message(data)
    side = begun(CALL)
    ok = answer(side, 200).with_headers(("Record-Route", "<sip:127.0.0.1:5090;lr>, <sip:127.0.0.1:5091;lr>"))
    side.receive(ok, now=10 * MS)
    (ack,) = map(parse_message, side.outgoing())
    assert ack.values("Route") == ("<sip:127.0.0.1:5091;lr>", "<sip:127.0.0.1:5090;lr>")
    assert invite.values("Route") == ()
    side.handle_deadline(now=46 * S)
    (refresh,) = map(parse_message, side.outgoing())
    assert refresh.values("Route") == ack.values("Route")


def test_steps_keep_their_spacing_from_a_later_beginning() -> None:
    steps = [replace(step) for step in recording(CALL)]
    side = player(steps, "alice", begins_at=7 * S)
    assert side.next_deadline() == 7 * S
