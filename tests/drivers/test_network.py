"""Networks: addresses, numbers, retransmissions, partitions, and calls kept apart."""

from random import Random

import pytest

from simkit.drivers.network import Network
from simkit.drivers.virtual import VirtualDriver
from simkit.settings import LinkSettings
from simkit.sip.message import Message, Request, Response
from simkit.ua.events import Address, Outgoing
from simkit.units import MS, S

from .fakes import ALICE, BOB, Machine, Recorder, request, response


class Stage:
    """Alice and bob, who send what a test has them say."""

    def __init__(
        self, driver: VirtualDriver | None = None, *, latency_us: int = 0, jitter_us: int = 0, connected: bool = False
    ) -> None:
        self.driver = driver or VirtualDriver()
        self.recorder = Recorder(lambda: self.driver.now)
        self.network: Network = self.driver.network(
            self.recorder,
            Random(1),
            default=LinkSettings(latency_us=latency_us, jitter_us=jitter_us),
            connected=connected,
        )
        self.alice, self.bob = Machine(BOB), Machine(ALICE)
        self.alice_party = self.network.add_party("alice", ALICE, self.alice)
        self.bob_party = self.network.add_party("bob", BOB, self.bob)

    def alice_says(self, *messages: Message, to: Address = BOB) -> None:
        self.alice.peer = to
        self.alice.say(*messages)
        self.driver.poke(self.alice_party)

    def bob_says(self, *messages: Message) -> None:
        self.bob.say(*messages)
        self.driver.poke(self.bob_party)

    def run(self, until: int = 10 * S) -> list[str]:
        self.driver.run(until=until)
        return self.recorder.lines


def test_messages_are_numbered_in_the_order_of_sending() -> None:
    stage = Stage(latency_us=S)
    stage.alice_says(request("INVITE"), request("BYE", 2))
    stage.bob_says(request("OPTIONS"))
    stage.run()
    assert [(t.number, t.sender, t.message.method, t.sent_at, t.received_at) for t in stage.recorder.transits] == [
        (1, "alice", "INVITE", 0, S),
        (2, "alice", "BYE", 0, S),
        (3, "bob", "OPTIONS", 0, S),
    ]


def test_a_message_is_handed_over_as_it_is() -> None:
    stage, sent = Stage(), request()
    stage.alice_says(sent)
    stage.run()
    assert stage.bob.heard[0][1] is sent


NOBODY = [
    pytest.param(("192.0.2.9", 5060), "192.0.2.9:5060", id="IPv4"),
    pytest.param(("2001:db8::9", 5061), "[2001:db8::9]:5061", id="IPv6"),
    pytest.param(("192.0.2.2", 5070), "192.0.2.2:5070", id="bob's host, another port"),
]


@pytest.mark.parametrize(("destination", "written"), NOBODY)
def test_a_message_to_an_address_where_nobody_is_is_lost(destination: Address, written: str) -> None:
    stage = Stage()
    stage.alice_says(request("INVITE"), to=destination)
    assert stage.run() == [f"0.000 alice -> {written}: INVITE", f"0.000 lost INVITE: nobody at {written}"]


INVITE = request("INVITE")
PAIRS = [
    pytest.param(INVITE, request("INVITE"), True, id="the same again"),
    pytest.param(INVITE, INVITE.with_headers(("CSeq", "2 INVITE")), False, id="another CSeq"),
    pytest.param(INVITE, INVITE.with_headers(("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")), False, id="branch"),
    pytest.param(INVITE, INVITE.with_headers(("Call-ID", "two@192.0.2.1")), False, id="another call"),
    pytest.param(INVITE, Request("ACK", INVITE.uri, INVITE.headers), False, id="another method"),
    pytest.param(response(180, INVITE), response(200, INVITE), False, id="another status"),
    pytest.param(response(200, INVITE), response(200, INVITE), True, id="a response again"),
    pytest.param(response(200, INVITE), response(200, INVITE, to_tag="c"), False, id="another branch of a fork"),
    pytest.param(Request("X", "y", ()), Request("X", "y", ()), True, id="one without any header"),
]


@pytest.mark.parametrize(("first", "second", "is_retransmission"), PAIRS)
def test_a_retransmission_is_what_was_sent_before(first: Message, second: Message, is_retransmission: bool) -> None:
    stage = Stage()
    stage.alice_says(first)
    stage.run(1 * S)
    stage.alice_says(second)
    stage.run()
    assert [transit.retransmission for transit in stage.recorder.transits] == [False, is_retransmission]


def test_the_same_message_the_other_way_is_no_retransmission() -> None:
    stage, ping = Stage(), request()
    stage.alice_says(ping)
    stage.bob_says(ping)
    assert not any(transit.retransmission for transit in stage.recorder.transits)


def test_the_second_copy_of_a_doubled_message_is_a_retransmission_with_a_number_of_its_own() -> None:
    stage = Stage(latency_us=1 * MS)
    stage.network.link("alice", "bob").duplicate(lambda message: True)
    stage.alice_says(request())
    assert stage.run() == [
        "0.000 alice -> bob: OPTIONS",
        "0.000 alice -> bob: OPTIONS again",
        "0.001 bob <- alice: OPTIONS",
        "0.001 bob <- alice: OPTIONS",
    ]
    assert [transit.number for transit in stage.recorder.transits] == [1, 2]


def test_a_partition_cuts_both_ways_until_healed_and_spares_what_is_on_its_way() -> None:
    stage = Stage(latency_us=2 * S)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.network.partition("alice", "bob")
    stage.alice_says(request("BYE", 2))
    stage.bob_says(request("OPTIONS"))
    stage.run(3 * S)
    stage.network.heal("bob", "alice", now=3 * S)
    stage.alice_says(request("BYE", 2))
    assert stage.run() == [
        "0.000 alice -> bob: INVITE",
        "1.000 alice -> bob: BYE",
        "1.000 lost BYE: the parties are cut off from each other",
        "1.000 bob -> alice: OPTIONS",
        "1.000 lost OPTIONS: the parties are cut off from each other",
        "2.000 bob <- alice: INVITE",
        "3.000 alice -> bob: BYE again",
        "5.000 bob <- alice: BYE",
    ]


def test_one_direction_may_differ() -> None:
    driver = VirtualDriver()
    recorder = Recorder(lambda: driver.now)
    links = {("bob", "alice"): LinkSettings(latency_us=3 * S)}
    network = driver.network(recorder, Random(1), default=LinkSettings(latency_us=1 * S), links=links)
    alice, bob = Machine(BOB), Machine(ALICE)
    bob.on_receive = lambda message, now: bob.say(response(200, request()))
    party = network.add_party("alice", ALICE, alice)
    network.add_party("bob", BOB, bob)
    alice.say(request())
    driver.poke(party)
    driver.run(until=10 * S)
    assert [now for now, _ in bob.heard + alice.heard] == [1 * S, 4 * S]


def test_calls_with_the_same_names_and_addresses_never_meet() -> None:
    driver = VirtualDriver()
    first, second = Stage(driver), Stage(driver)
    first.alice_says(request("INVITE"))
    second.alice_says(request("BYE"))
    driver.run(until=S)
    assert [message.method for _, message in first.bob.heard] == ["INVITE"]
    assert [message.method for _, message in second.bob.heard] == ["BYE"]
    assert [stage.recorder.transits[0].number for stage in (first, second)] == [1, 1]


def test_two_parties_cannot_have_one_address() -> None:
    stage = Stage()
    with pytest.raises(AssertionError, match="taken"):
        stage.network.add_party("carol", BOB, Machine())


def test_a_message_may_be_sent_in_the_name_of_a_party() -> None:
    """So are requests answered that the flow has a party refuse before its agent sees them."""
    stage = Stage()

    def refuse(message: Message) -> bool:
        if not isinstance(message, Request):
            return False
        stage.network.send(stage.bob_party, Outgoing(response(503, message), ALICE), now=stage.driver.now)
        return True

    stage.bob_party.filter = refuse
    stage.alice_says(request("INVITE"))
    assert stage.run() == [
        "0.000 alice -> bob: INVITE",
        "0.000 bob <- alice: INVITE",
        "0.000 bob -> alice: 503 INVITE",
        "0.000 alice <- bob: 503 INVITE",
    ]
    assert stage.bob.heard == []
    assert [type(message) for _, message in stage.alice.heard] == [Response]
