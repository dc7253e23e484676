"""The loopback: real datagrams, real time, and the same networks as in virtual time."""

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from random import Random

import pytest

from simkit.drivers import loopback, network
from simkit.drivers import recording as recording_module
from simkit.drivers.datagrams import Endpoint
from simkit.drivers.driver import RunEnd, ZeroTimeLoop
from simkit.drivers.endpoints import Endpoints
from simkit.drivers.loopback import SELECT_MAX, LoopbackDriver
from simkit.drivers.network import Network, Party
from simkit.drivers.place import Datagram
from simkit.drivers.recording import Listening, Recording
from simkit.drivers.run_clock import RunClock
from simkit.drivers.sniffer import INTERFACE
from simkit.settings import LinkSettings
from simkit.sip.message import Message, Request
from simkit.sip.transport import Transport
from simkit.units import DAY, HOUR, MS, S

from .capturing import require_capturing
from .fakes import Machine, Recorder, request, response

FROM = ("From", "<sip:alice@192.0.2.1>;tag=a")


def asked(number: int = 1, method: str = "OPTIONS") -> Request:
    """Return a request that a parser takes."""
    return request(method, number).with_headers(FROM)


class Stage:
    """Alice and bob, each at a socket: what alice says, bob answers."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        speed: int | None = None,
        link: LinkSettings | None = None,
        listening: Listening | None = None,
        driver: LoopbackDriver | None = None,
    ) -> None:
        self.clock = RunClock(speed)
        sniffer = listening.sniffer if listening else None
        self.driver = driver or LoopbackDriver(endpoints, self.clock, sniffer=sniffer)
        self.recorder = Recorder(lambda: self.driver.now)
        self.network: Network = self.driver.network(
            self.recorder, Random(1), default=link or LinkSettings(), connected=endpoints.transport.is_reliable
        )
        alice, bob = endpoints.addresses["alice"], endpoints.addresses["bob"]
        self.alice, self.bob = Machine(bob), Machine(alice)
        self.bob.on_receive = lambda message, now: self.bob.say(response(200, asked()))
        self.alice_party: Party = self.network.add_party("alice", alice, self.alice)
        self.bob_party: Party = self.network.add_party("bob", bob, self.bob)

    def alice_says(self, *messages: Message, at: int = 0) -> None:
        def say() -> None:
            self.alice.say(*messages)
            self.driver.poke(self.alice_party)

        self.driver.at(at, say)

    def run(self, until: int = DAY) -> list[str]:
        """Run, and return what was observed, without the times."""
        self.driver.run(until=until)
        return [line.partition(" ")[2] for line in self.recorder.lines]


@pytest.fixture
def endpoints() -> Iterator[Endpoints]:
    with Endpoints(("alice", "bob")) as opened:
        yield opened


@pytest.fixture
def stage(endpoints: Endpoints) -> Stage:
    return Stage(endpoints)


EXCHANGE = [
    "alice -> bob: OPTIONS",
    "bob <- alice: OPTIONS",
    "bob -> alice: 200 OPTIONS",
    "alice <- bob: 200 OPTIONS",
]

# --- the wire --------------------------------------------------------------------------------------------------------


def test_a_message_is_written_sent_and_read_again(stage: Stage) -> None:
    sent = asked()
    stage.alice_says(sent)
    assert stage.run() == EXCHANGE
    (_, heard) = stage.bob.heard[0]
    assert heard == sent
    assert heard is not sent


def test_all_that_is_sent_goes_over_the_wire_in_order_as_bytes(stage: Stage) -> None:
    stage.network.link("alice", "bob").drop(lambda message: message.method == "BYE")
    stage.alice_says(asked(), asked(2, "BYE"), asked(3))
    assert "lost BYE: dropped by order of the flow" in stage.run()
    assert [(each.transit.sender, each.transit.message.method) for each in stage.driver.sent] == [
        *(("alice", "OPTIONS"), ("alice", "BYE"), ("alice", "OPTIONS")),
        *(("bob", "OPTIONS"), ("bob", "OPTIONS")),
    ]
    assert all(each.datagram.data == each.transit.message.to_bytes() for each in stage.driver.sent)
    assert [message.cseq.number for _, message in stage.bob.heard] == [1, 3]


def test_a_message_that_is_doubled_goes_over_the_wire_twice(stage: Stage) -> None:
    stage.network.link("alice", "bob").duplicate(lambda message: True)
    stage.bob.on_receive = lambda message, now: None
    stage.alice_says(asked())
    stage.run()
    assert len(stage.driver.sent) == len(stage.bob.heard) == 2


def test_a_link_takes_its_time(endpoints: Endpoints) -> None:
    stage = Stage(endpoints, link=LinkSettings(latency_us=20 * MS))
    stage.alice_says(asked())
    assert stage.run() == EXCHANGE
    for transit in stage.recorder.transits:
        assert transit.received_at is not None
        assert transit.received_at >= transit.sent_at + 20 * MS


def test_a_message_that_is_held_back_is_overtaken(stage: Stage) -> None:
    stage.bob.on_receive = lambda message, now: None
    stage.network.link("alice", "bob").delay(lambda message: message.cseq.number == 1, by_us=HOUR)
    stage.alice_says(asked(1), asked(2))
    stage.run()
    assert [message.cseq.number for _, message in stage.bob.heard] == [2, 1]


TROUBLE = [
    pytest.param(lambda stage: stage.driver.crash(stage.bob_party), "bob has crashed", id="crashed"),
    pytest.param(lambda stage: stage.driver.freeze(stage.bob_party), "bob is frozen", id="frozen"),
]


@pytest.mark.parametrize(("befall", "why"), TROUBLE)
def test_who_is_in_trouble_hears_nothing(stage: Stage, befall: Callable[[Stage], None], why: str) -> None:
    befall(stage)
    stage.alice_says(asked())
    assert stage.run() == ["alice -> bob: OPTIONS", f"lost OPTIONS: {why}"]


def test_a_message_to_nobody_is_lost_and_not_sent(stage: Stage) -> None:
    stage.alice.peer = ("127.0.0.1", 9)
    stage.alice_says(asked())
    assert stage.run() == ["alice -> 127.0.0.1:9: OPTIONS", "lost OPTIONS: nobody at 127.0.0.1:9"]
    assert stage.driver.sent == []


def test_a_message_that_fits_in_no_datagram_is_lost(stage: Stage) -> None:
    stage.alice_says(Request("OPTIONS", "sip:bob@192.0.2.2", asked().headers, bytes(70_000)))
    (_, lost) = stage.run()
    assert lost.startswith("lost OPTIONS: the system does not send it: ")


def test_what_cannot_be_read_on_arrival_is_lost(stage: Stage) -> None:
    stage.alice_says(asked().without_headers("From"))
    (_, lost) = stage.run()
    assert lost.startswith("lost OPTIONS: bob cannot read it: ")


def test_a_datagram_that_the_system_loses_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "GONE_AFTER_S", 0.001)

    def received(endpoint: Endpoint, *, at_most: int) -> list[Datagram]:
        list(received_indeed(endpoint, at_most=at_most))
        return []

    received_indeed = Endpoint.received
    monkeypatch.setattr(Endpoint, "received", received)
    stage.alice_says(asked(), asked(2))
    assert stage.run()[2:] == ["lost OPTIONS: lost by the loopback"] * 2


# --- strangers -------------------------------------------------------------------------------------------------------

STRANGE = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\r\n\r\n", id="keep-alive"),
    pytest.param(bytes(range(256)) * 200, id="garbage"),
    pytest.param(asked().to_bytes(), id="a request like ours"),
]


@pytest.mark.parametrize("data", STRANGE)
def test_what_comes_from_elsewhere_is_ignored_and_counted(stage: Stage, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(data, stage.bob_party.address)
        stage.alice_says(asked())
        assert stage.run() == EXCHANGE
    assert stage.driver.strays == 1


def test_one_message_is_not_taken_for_two(stage: Stage, endpoints: Endpoints) -> None:
    """What was sent once arrives once, though somebody at the same address repeats it."""
    stage.bob.on_receive = lambda message, now: None
    stage.alice_says(asked())
    stage.driver.at(0, lambda: endpoints["alice"].send(asked().to_bytes(), stage.bob_party.address))
    stage.driver.at(S, lambda: None)
    stage.run()
    assert (len(stage.bob.heard), stage.driver.strays) == (1, 1)


# --- time ------------------------------------------------------------------------------------------------------------


def test_what_is_due_is_done_in_order_and_what_is_late_after_the_rest_of_its_instant(stage: Stage) -> None:
    seen: list[str] = []
    stage.driver.at(2 * S, lambda: seen.append("later"))
    stage.driver.at(S, lambda: seen.append("late"), late=True)
    stage.driver.at(S, lambda: seen.append("first"))
    stage.driver.at(S, lambda: seen.append("second"))
    stage.run()
    assert seen == ["first", "second", "late", "later"]


SPEEDS = [
    pytest.param(None, HOUR, id="idle time skipped"),
    pytest.param(1, 3 * MS, id="real time"),
    pytest.param(1000, 3 * S, id="a thousand times"),
]


@pytest.mark.parametrize(("speed", "due_at"), SPEEDS)
def test_nothing_is_done_before_it_is_due(endpoints: Endpoints, speed: int | None, due_at: int) -> None:
    stage = Stage(endpoints, speed=speed)
    seen: list[int] = []
    stage.driver.at(due_at, lambda: seen.append(stage.driver.now))
    stage.run()
    assert seen[0] >= due_at
    assert type(seen[0]) is int


def test_time_stands_still_while_one_thing_happens(stage: Stage) -> None:
    seen: list[int] = []
    stage.driver.at(S, lambda: seen.extend(stage.driver.now for _ in range(1000)))
    stage.run()
    assert len(set(seen)) == 1


def test_an_agent_is_called_as_if_it_were_the_time_it_asked_for(endpoints: Endpoints) -> None:
    """However late the machine is: so ten retransmissions, each a little late, still come before their time-out."""
    stage = Stage(endpoints, speed=1000)

    def again(now: int) -> None:
        stage.alice.deadline = now + 500 * MS if len(stage.alice.woken) < 10 else None

    stage.alice.on_deadline = again
    stage.alice.deadline = 500 * MS
    stage.driver.poke(stage.alice_party)
    stage.run()
    assert stage.alice.woken == [number * 500 * MS for number in range(1, 11)]


def test_an_agent_is_never_told_an_earlier_time_than_before(endpoints: Endpoints) -> None:
    """A message that came late, but was read first, has told it how late it is."""
    stage = Stage(endpoints, speed=1)

    def stall(message: Message, now: int) -> None:
        stage.bob.deadline = now - 10 * S

    stage.bob.on_receive = stall
    stage.alice_says(asked())
    stage.run()
    assert stage.bob.woken == [stage.bob.heard[0][0]]


def test_who_hurries_waits_no_more(endpoints: Endpoints) -> None:
    stage = Stage(endpoints, speed=1)
    seen: list[int] = []
    stage.driver.at(0, stage.driver.hurry)
    stage.driver.at(HOUR, lambda: seen.append(stage.driver.now))
    stage.run()
    assert seen[0] >= HOUR


ENDS = [
    pytest.param(2 * S - 1, RunEnd.LIMIT, [1], id="the limit comes first"),
    pytest.param(2 * S, RunEnd.IDLE, [1, 2], id="just at the limit"),
    pytest.param(DAY, RunEnd.IDLE, [1, 2], id="nothing is left"),
]


@pytest.mark.parametrize(("until", "end", "done"), ENDS)
def test_a_run_goes_up_to_and_including_its_limit(stage: Stage, until: int, end: RunEnd, done: list[int]) -> None:
    seen: list[int] = []
    stage.driver.at(S, lambda: seen.append(1))
    stage.driver.at(2 * S, lambda: seen.append(2))
    assert stage.driver.run(until=until) is end
    assert seen == done


def test_the_limit_holds_though_messages_never_cease(stage: Stage) -> None:
    stage.alice.on_receive = lambda message, now: stage.alice.say(asked())
    stage.alice_says(asked())
    assert stage.driver.run(until=20 * MS) is RunEnd.LIMIT


def test_parties_that_never_come_to_rest_are_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TURNS_MAX", 50)
    stage.alice.on_receive = lambda message, now: stage.alice.say(asked())
    stage.alice_says(asked())
    with pytest.raises(ZeroTimeLoop, match="the parties have acted 50 times within 1m and do not come to rest"):
        stage.driver.run(until=DAY)


def test_an_error_ends_the_run_and_is_passed_on(stage: Stage) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    stage.driver.at(S, interrupt)
    with pytest.raises(KeyboardInterrupt):
        stage.driver.run(until=DAY)


def test_sockets_with_high_numbers_are_watched_as_well() -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= SELECT_MAX + 16:
        pytest.skip("a process may not open so many files here")
    with ExitStack() as stack:
        while (number := os.open(os.devnull, os.O_RDONLY)) < SELECT_MAX:
            stack.callback(os.close, number)
        stack.callback(os.close, number)
        stage = Stage(stack.enter_context(Endpoints(("alice", "bob"))))
        stage.alice_says(asked())
        assert stage.run() == EXCHANGE


# --- what is kept of it ----------------------------------------------------------------------------------------------


def record(stage: Stage, listening: Listening) -> Recording:
    stage.alice_says(asked(), asked(2))
    stage.run()
    return listening.recording(stage.driver.sent, stage.clock)


def test_the_sockets_record_where_no_sniffer_is_wanted(stage: Stage) -> None:
    with Listening({}, wanted=False) as listening:
        recording = record(stage, listening)
    assert list(recording.trace.messages()) == stage.recorder.transits
    assert recording[1:] == ("the sockets", "")


def test_the_sockets_record_where_the_user_may_not_capture(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import scapy.arch  # noqa: F401 - it sets what is replaced here
    from scapy.config import conf

    def refuse(**_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(conf, "L2socket", refuse)
    with Listening({"alice": stage.alice_party.address}, wanted=True) as listening:
        recording = record(stage, listening)
    assert list(recording.trace.messages()) == stage.recorder.transits
    assert recording.by == "the sockets"
    assert recording.note == (
        f"capturing on {INTERFACE} takes root, or the capability for it ([Errno 1] Operation not permitted)"
    )


@pytest.fixture
def listened() -> Iterator[tuple[Stage, Listening]]:
    """Return a stage on which a sniffer listens."""
    require_capturing()
    with Endpoints(("alice", "bob")) as opened, Listening(opened.addresses, wanted=True) as listening:
        yield Stage(opened, listening=listening), listening


def test_the_sniffer_sees_what_the_sockets_sent(listened: tuple[Stage, Listening]) -> None:
    stage, listening = listened
    recording = record(stage, listening)
    assert recording.by == f"scapy's sniffer on {INTERFACE}"
    seen = list(recording.trace.messages())
    assert [transit.number for transit in seen] == [transit.number for transit in stage.recorder.transits]
    assert [transit.message for transit in seen] == [each.transit.message for each in stage.driver.sent]
    assert [transit.sent_at for transit in seen] == sorted(transit.sent_at for transit in seen)


def test_time_stamps_that_go_back_leave_the_order_of_what_was_captured(listened: tuple[Stage, Listening]) -> None:
    stage, listening = listened
    record(stage, listening)
    assert listening.sniffer
    sniffed = listening.sniffer.sniffed
    sniffed[2] = sniffed[2]._replace(calendar_ns=sniffed[1].calendar_ns - 100_000)
    seen = list(listening.recording(stage.driver.sent, stage.clock).trace.messages())
    assert [transit.number for transit in seen] == [transit.number for transit in stage.recorder.transits]
    assert seen[2].sent_at == seen[1].sent_at


def test_a_sniffer_that_missed_a_message_is_no_witness(
    listened: tuple[Stage, Listening], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "DRAIN_S", 0)
    stage, listening = listened
    stage.alice_says(asked(), asked(2))
    stage.run()
    assert listening.sniffer is not None
    while listening.sniffer.read():
        pass
    del listening.sniffer.sniffed[1]
    recording = listening.recording(stage.driver.sent, stage.clock)
    assert list(recording.trace.messages()) == stage.recorder.transits
    assert recording.by == "the sockets"
    assert recording.note == f"scapy's sniffer on {INTERFACE} saw 3 of 4 messages, and 0 that were not sent"


# --- over connections ------------------------------------------------------------------------------------------------


@pytest.fixture
def streams() -> Iterator[Endpoints]:
    with Endpoints(("alice", "bob"), transport=Transport.TCP) as opened:
        yield opened


def test_over_a_connection_a_message_is_written_sent_and_read_again(streams: Endpoints) -> None:
    stage = Stage(streams)
    stage.alice_says(asked(), asked(2))
    again = [*EXCHANGE[:2], "bob -> alice: 200 OPTIONS again", EXCHANGE[3]]  # bob has but one answer
    assert sorted(stage.run()) == sorted([*EXCHANGE, *again])
    assert [message.cseq.number for _, message in stage.bob.heard] == [1, 2]
    assert all(each.datagram.data == each.transit.message.to_bytes() for each in stage.driver.sent)


def test_what_is_on_the_wire_when_the_connection_breaks_never_arrives(streams: Endpoints) -> None:
    stage = Stage(streams, link=LinkSettings(latency_us=50 * MS))
    stage.alice_says(asked())
    stage.driver.at(10 * MS, lambda: stage.driver.disconnect(stage.alice_party, stage.bob_party))
    stage.alice_says(asked(2), at=20 * MS)
    lines = stage.run()
    assert lines[:2] == ["alice -> bob: OPTIONS", "lost OPTIONS: the connection was lost"]
    assert sorted(lines[2:]) == sorted(EXCHANGE)
    assert [len(machine.lost) for machine in (stage.alice, stage.bob)] == [1, 1]


def test_calls_that_share_a_connection_lose_it_together(streams: Endpoints) -> None:
    stage = Stage(streams)
    other = Stage(streams, driver=stage.driver)
    stage.alice_says(asked())
    stage.run(1 * S)
    stage.driver.at(2 * S, lambda: stage.driver.disconnect(stage.alice_party, stage.bob_party))
    stage.run()
    assert [len(each.lost) for each in (stage.alice, stage.bob, other.alice, other.bob)] == [1, 1, 1, 1]


def test_where_nobody_takes_a_connection_the_sender_learns_of_it(streams: Endpoints) -> None:
    stage = Stage(streams)
    with Endpoints(("carol",), transport=Transport.TCP) as others:
        nobody = others.addresses["carol"]
    stage.network.add_party("carol", nobody, Machine())
    stage.alice.peer = nobody
    stage.alice_says(asked())
    assert stage.run() == [
        "alice -> carol: OPTIONS",
        "lost OPTIONS: the system does not send it: Connection refused",
    ]
    assert [peer for _, peer in stage.alice.lost] == [nobody]


def test_a_connection_that_somebody_else_ends_is_told_to_who_has_part_in_it(streams: Endpoints) -> None:
    stage = Stage(streams)
    with socket.create_connection(streams.addresses["bob"]) as other:
        name = other.getsockname()
        stage.driver.at(0, lambda: None)
        stage.run(1 * S)
    stage.driver.at(2 * S, lambda: None)
    stage.driver.at(3 * S, lambda: None)
    stage.run()
    assert [peer for _, peer in stage.bob.lost] == [name]
    assert stage.alice.lost == []


def test_half_a_message_is_given_up_in_the_end(streams: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simkit.drivers.loopback.STUCK_AFTER_S", 0.05)
    stage = Stage(streams)
    stage.alice_says(asked().with_headers(("Content-Length", "5")))
    assert stage.run() == ["alice -> bob: OPTIONS", "lost OPTIONS: lost by the loopback"]
