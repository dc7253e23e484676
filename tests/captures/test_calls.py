"""Messages sorted into calls."""

import io
from collections.abc import Callable

import pytest

from simkit.captures import calls as module
from simkit.captures.calls import PARTED, QUIET_US, CapturedCall, captured_calls
from simkit.captures.reader import read_capture
from simkit.units import MS, S

from .building import ALICE, BOB, Address, datagram, ethernet, ipv6, pcap, sip, udp

Frame = tuple[int, bytes]
ONE = "1@10.0.0.1"


class Scene:
    """Messages between alice and bob, with the time at which each was captured."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def request(self, at: int, method: str, cseq: int = 1, *, back: bool = False, **ids: str) -> "Scene":
        return self._send(at, f"{method} sip:x SIP/2.0", f"{cseq} {method}", back, ids)

    def response(self, at: int, status: int, cseq: str = "1 INVITE", *, back: bool = True, **ids: str) -> "Scene":
        return self._send(at, f"SIP/2.0 {status} Whatever", cseq, back, {"to_tag": "b"} | ids)

    def _send(self, at: int, start: str, cseq: str, back: bool, ids: dict[str, str]) -> "Scene":
        source, destination = (BOB, ALICE) if back else (ALICE, BOB)
        ids = {"branch": f"z9hG4bK{cseq.split()[0]}{cseq.split()[1] == 'ACK'}"} | ids
        number = len(self.frames) + 1
        message = sip(start, cseq=cseq, **ids)  # type: ignore[arg-type] # all are strings
        self.frames.append((at, datagram(message, source, destination, identification=number)))
        return self

    def call(self, at: int, call_id: str, *, ends: bool = True) -> "Scene":
        """A call of three seconds."""
        self.request(at, "INVITE", call_id=call_id).response(at + S, 200, call_id=call_id)
        self.request(at + 2 * S, "ACK", call_id=call_id, to_tag="b")
        if ends:
            self.request(at + 3 * S, "BYE", 2, call_id=call_id, to_tag="b")
            self.response(at + 3 * S + 1, 200, "2 BYE", call_id=call_id)
        return self

    def calls(self, names: dict[Address, str] | None = None) -> list[CapturedCall]:
        return list(captured_calls(read_capture(io.BytesIO(pcap(*self.frames))), names))


def shown(call: CapturedCall) -> list[tuple[int, str]]:
    return [(transit.number, transit.message.start_line.split(" sip")[0]) for transit in call.trace.messages()]


def test_calls_are_told_apart_by_their_call_id() -> None:
    calls = Scene().call(0, "one").call(500 * MS, "two").calls()
    assert [(call.call_id, len(call.trace.records)) for call in calls] == [("one", 5), ("two", 5)]


def test_a_transit_has_the_frame_the_time_and_the_parties() -> None:
    (call,) = Scene().call(10 * S, "one").calls()
    invite, ok, *_ = call.trace.messages()
    assert (invite.number, invite.sent_at, invite.received_at) == (1, 0, 0)
    assert (invite.sender, invite.receiver) == ("10.0.0.1:5060", "10.0.0.2:5062")
    assert (ok.number, ok.sent_at, ok.received_at, ok.sender) == (2, S, S, "10.0.0.2:5062")
    assert ok.lost is None
    assert call.parties == {"10.0.0.1:5060": ALICE, "10.0.0.2:5062": BOB}


def test_parties_have_the_names_that_are_known() -> None:
    (call,) = Scene().call(0, "one").calls({ALICE: "alice"})
    assert list(call.parties) == ["alice", "10.0.0.2:5062"]


def test_an_ipv6_address_is_in_brackets() -> None:
    file = pcap(ethernet(ipv6(udp(sip()))))
    (call,) = captured_calls(read_capture(io.BytesIO(file)))
    assert list(call.parties) == ["[2001:db8::1]:5060", "[2001:db8::2]:5062"]


def test_messages_are_in_the_order_of_time() -> None:
    scene = Scene().request(0, "INVITE").response(2 * S, 180).response(S, 100)
    assert [number for number, _ in shown(scene.calls()[0])] == [1, 3, 2]


# --- retransmissions -------------------------------------------------------------------------------------------------


def invite(**ids: str) -> Callable[[Scene], Scene]:
    return lambda scene: scene.request(S, "INVITE", **ids)  # type: ignore[arg-type] # no `back` among them


AGAIN = [
    pytest.param(invite(), True, id="a request"),
    pytest.param(invite(branch="z9hG4bKother"), False, id="a request in another transaction"),
    pytest.param(lambda scene: scene.request(S, "CANCEL"), False, id="its CANCEL, of the same branch"),
    pytest.param(lambda scene: scene.request(S, "INVITE", back=True), False, id="the same from the other side"),
    pytest.param(lambda scene: scene.response(S, 180), True, id="a response"),
    pytest.param(lambda scene: scene.response(S, 183), False, id="another response"),
    pytest.param(lambda scene: scene.response(S, 180, to_tag="c"), False, id="the response of another branch"),
]


@pytest.mark.parametrize(("send", "again"), AGAIN)
def test_a_retransmission_is_told(send: Callable[[Scene], Scene], again: bool) -> None:
    (call,) = send(Scene().request(0, "INVITE").response(0, 180)).calls()
    assert [transit.retransmission for transit in call.trace.messages()] == [False, False, again]


def test_reliable_provisional_responses_are_told_apart_by_rseq() -> None:
    """RFC 3262 section 3."""
    responses = [sip("SIP/2.0 183 Progress", f"RSeq: {rseq}", cseq="1 INVITE", to_tag="b") for rseq in (1, 2, 2)]
    file = pcap(*(datagram(response, BOB, ALICE) for response in responses))
    (call,) = captured_calls(read_capture(io.BytesIO(file)))
    assert [transit.retransmission for transit in call.trace.messages()] == [False, False, True]


def test_each_call_that_begins_is_told() -> None:
    scene = Scene().call(0, ONE).call(1, "another").call(60 * S, ONE)
    begun: list[None] = []
    reader = read_capture(io.BytesIO(pcap(*scene.frames)))
    assert len(list(captured_calls(reader, begun=lambda: begun.append(None)))) == len(begun) == 3


# --- when a call is over ---------------------------------------------------------------------------------------------


def test_a_call_is_handed_out_when_it_is_over_and_quiet() -> None:
    scene = Scene().call(0, "ended").call(0, "up", ends=False).request(3 * S + QUIET_US + 2, "OPTIONS", call_id="last")
    ended, up, last = scene.calls()
    assert [call.call_id for call in (ended, up, last)] == ["ended", "up", "last"]
    assert [call.watched_until for call in (ended, up, last)] == [3 * S + QUIET_US + 2] * 3


def test_until_then_memory_is_held_and_not_longer() -> None:
    scene = Scene()
    for number in range(20):
        scene.call(number * 40 * S, str(number))
    reader = read_capture(io.BytesIO(pcap(*scene.frames)))
    positions = [(int(call.call_id), reader.packets) for call in captured_calls(reader)]
    assert positions == [(number, min(5 * number + 6, 100)) for number in range(20)]


def called(*, ends: bool = False) -> Scene:
    return Scene().call(0, ONE, ends=ends)


OVER = [
    pytest.param(called(ends=True), True, id="a BYE was answered"),
    pytest.param(called(), False, id="a call is up"),
    pytest.param(called().request(9 * S, "BYE", 2, to_tag="b"), False, id="a BYE was not answered"),
    pytest.param(
        called()
        .request(9 * S, "BYE", back=True, from_tag="b", to_tag="a")
        .response(10 * S, 200, "1 BYE", from_tag="b", to_tag="a"),
        True,
        id="the other side hung up",
    ),
    pytest.param(
        called(ends=True).request(9 * S, "BYE", 3, to_tag="b").response(10 * S, 481, "3 BYE"),
        True,
        id="a second BYE was answered by 481",
    ),
    pytest.param(
        called(ends=True).response(9 * S, 200, to_tag="c"), False, id="another branch of a forked INVITE is up"
    ),
    pytest.param(Scene().request(0, "INVITE").response(1, 180), False, id="a call rings"),
    pytest.param(
        Scene().request(0, "INVITE").response(1, 486).request(2, "ACK", to_tag="b"), True, id="a call was rejected"
    ),
    pytest.param(
        Scene()
        .request(0, "INVITE")
        .request(1, "CANCEL")
        .response(2, 200, "1 CANCEL")
        .response(3, 487)
        .request(4, "ACK", to_tag="b"),
        True,
        id="a call was cancelled",
    ),
    pytest.param(Scene().request(0, "OPTIONS").response(1, 200, "1 OPTIONS"), True, id="OPTIONS was answered"),
    pytest.param(Scene().request(0, "OPTIONS"), True, id="OPTIONS was not answered"),
    pytest.param(Scene().request(0, "INVITE"), True, id="INVITE was not answered"),
    pytest.param(
        Scene().request(0, "INVITE").response(2, 486).response(1, 180).request(3, "ACK", to_tag="b"),
        True,
        id="a call was rejected, and the packets are in disorder",
    ),
    pytest.param(
        Scene().request(0, "UPDATE", 7, to_tag="b").response(1, 200, "7 UPDATE"),
        False,
        id="a call is up that began before the capture",
    ),
]


@pytest.mark.parametrize(("scene", "over"), OVER)
def test_a_call_is_over_when_nothing_more_is_to_be_expected(scene: Scene, over: bool) -> None:
    later = [(at, datagram(sip(call_id="later", to_tag="b"))) for at in (10_000 * S, 20_000 * S)]
    reader = read_capture(io.BytesIO(pcap(*scene.frames, *later)))
    assert next(captured_calls(reader)).call_id == ONE
    assert reader.packets == len(scene.frames) + (1 if over else 2)


def test_a_call_id_that_is_used_again_much_later_gives_another_call() -> None:
    calls = Scene().call(0, "one").call(100 * S, "one").calls()
    assert [shown(call)[0] for call in calls] == [(1, "INVITE"), (6, "INVITE")]
    assert len(Scene().call(0, "one").call(30 * S, "one").calls()) == 1


# --- too many at a time ----------------------------------------------------------------------------------------------


def test_of_too_many_calls_at_a_time_that_which_was_quiet_for_longest_is_handed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HELD_MAX", 17)
    scene = Scene().call(0, "first", ends=False).call(S, "second", ends=False)
    scene.request(20 * S, "UPDATE", 2, call_id="first", to_tag="b")
    scene.call(30 * S, "third", ends=False).request(40 * S, "BYE", 2, call_id="second", to_tag="b")
    reader = read_capture(io.BytesIO(pcap(*scene.frames)))
    found = [(call.call_id, len(list(call.trace.messages()))) for call in captured_calls(reader)]
    assert found[0] == ("second", 3)
    assert sorted(found) == [("first", 4), ("second", 1), ("second", 3), ("third", 3)]
    assert reader.skipped == {PARTED: 1}


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE"])
def test_memory_does_not_grow_with_what_nobody_answers(method: str) -> None:
    scene = Scene()
    for number in range(300):
        scene.request(number * S, method, call_id=str(number))
    reader = read_capture(io.BytesIO(pcap(*scene.frames)))
    calls = captured_calls(reader)
    waiting = [reader.packets - number for number, _ in enumerate(calls)]
    assert max(waiting[:-40]) < 40
    assert not reader.skipped
