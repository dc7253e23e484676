"""Over connections nothing is lost, doubled or overtaken; what breaks is the connection (RFC 3261 section 18)."""

import pytest

from simkit.sip.message import Message
from simkit.ua.events import Address
from simkit.units import MS, S

from .fakes import ALICE, BOB, request
from .test_network import Stage

HELD = ["0.000 alice -> bob: INVITE", "1.000 alice -> bob: BYE"]


def any_message(message: Message) -> bool:
    return True


def connections(stage: Stage) -> list[int]:
    return [transit.connection for transit in stage.recorder.transits]


def test_both_directions_share_a_connection_and_udp_has_none() -> None:
    for connected, expected in ((True, [1, 1]), (False, [0, 0])):
        stage = Stage(connected=connected)
        stage.alice_says(request("INVITE"))
        stage.bob_says(request("BYE", 2))
        stage.run()
        assert connections(stage) == expected


def test_a_delayed_message_delays_what_follows_it() -> None:
    stage = Stage(connected=True, latency_us=10 * MS)
    stage.network.link("alice", "bob").delay(any_message, by_us=1 * S)
    stage.alice_says(request("INVITE"), request("BYE", 2))
    assert stage.run()[2:] == ["1.010 bob <- alice: INVITE", "1.010 bob <- alice: BYE"]


def test_over_udp_a_delayed_message_is_overtaken() -> None:
    stage = Stage(latency_us=10 * MS)
    stage.network.link("alice", "bob").delay(any_message, by_us=1 * S)
    stage.alice_says(request("INVITE"), request("BYE", 2))
    assert stage.run()[2:] == ["0.010 bob <- alice: BYE", "1.010 bob <- alice: INVITE"]


def test_jitter_keeps_the_order() -> None:
    stage = Stage(connected=True, latency_us=10 * MS, jitter_us=100 * MS)
    stage.alice_says(*(request("OPTIONS", number) for number in range(50)))
    stage.run()
    assert [message.cseq.number for _, message in stage.bob.heard] == [*range(50)]


def test_what_is_sent_into_a_partition_arrives_in_order_once_it_is_healed() -> None:
    stage = Stage(connected=True, latency_us=10 * MS)
    stage.network.partition("alice", "bob")
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.alice_says(request("BYE", 2))
    stage.run(5 * S)
    stage.network.heal("alice", "bob", now=stage.driver.now)
    assert stage.run() == [*HELD, "5.010 bob <- alice: INVITE", "5.010 bob <- alice: BYE"]
    assert stage.alice.lost == []


def test_what_is_sent_to_a_suspended_host_waits_there() -> None:
    stage = Stage(connected=True)
    stage.driver.freeze(stage.bob_party)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.alice_says(request("BYE", 2))
    stage.run(5 * S)
    stage.driver.thaw(stage.bob_party)
    assert stage.run() == [*HELD, "5.000 bob <- alice: INVITE", "5.000 bob <- alice: BYE"]


def test_what_waits_at_a_suspended_host_that_then_dies_is_lost() -> None:
    stage = Stage(connected=True)
    stage.driver.freeze(stage.bob_party)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.driver.crash(stage.bob_party)
    assert stage.run() == ["0.000 alice -> bob: INVITE", "1.000 lost INVITE: bob has crashed"]


def test_a_broken_connection_loses_what_is_on_its_way_and_both_ends_learn_of_it() -> None:
    stage = Stage(connected=True, latency_us=2 * S)
    stage.alice_says(request("INVITE"))
    stage.bob_says(request("OPTIONS"))
    stage.run(1 * S)
    stage.driver.disconnect(stage.alice_party, stage.bob_party)
    assert stage.run()[2:] == [
        "1.000 lost INVITE: the connection was lost",
        "1.000 lost OPTIONS: the connection was lost",
    ]
    assert (stage.alice.lost, stage.bob.lost) == ([(1 * S, BOB)], [(1 * S, ALICE)])


def test_what_has_arrived_is_not_lost_with_the_connection_and_the_next_message_opens_another() -> None:
    stage = Stage(connected=True)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.driver.disconnect(stage.alice_party, stage.bob_party)
    stage.alice_says(request("BYE", 2))
    stage.run()
    assert [message.method for _, message in stage.bob.heard] == ["INVITE", "BYE"]
    assert connections(stage) == [1, 2]


def test_what_waits_for_a_partition_to_end_is_lost_with_the_connection() -> None:
    stage = Stage(connected=True)
    stage.network.partition("alice", "bob")
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.driver.disconnect(stage.bob_party, stage.alice_party)
    stage.network.heal("alice", "bob", now=1 * S)
    assert stage.run() == ["0.000 alice -> bob: INVITE", "1.000 lost INVITE: the connection was lost"]


def test_a_suspended_host_learns_of_a_broken_connection_when_it_wakes_up() -> None:
    stage = Stage(connected=True)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.driver.freeze(stage.bob_party)
    stage.driver.disconnect(stage.alice_party, stage.bob_party)
    stage.run(5 * S)
    assert stage.bob.lost == []
    stage.driver.thaw(stage.bob_party)
    assert stage.bob.lost == [(1 * S, ALICE)]  # its clock stood still


def test_a_host_that_dies_tells_nobody_and_one_that_comes_back_breaks_its_connections() -> None:
    stage = Stage(connected=True)
    stage.alice_says(request("INVITE"))
    stage.run(1 * S)
    stage.driver.crash(stage.bob_party)
    stage.run(5 * S)
    assert stage.alice.lost == []
    stage.driver.restart(stage.bob_party, stage.bob)
    assert stage.alice.lost == [(5 * S, BOB)]


@pytest.mark.parametrize("connected", [True, False])
def test_where_nobody_is_a_connection_is_refused_once_the_turn_is_over(connected: bool) -> None:
    stage = Stage(connected=connected)
    nobody: Address = ("192.0.2.9", 5060)
    stage.alice_says(request("INVITE"), to=nobody)
    assert stage.alice.lost == []
    stage.run()
    assert stage.alice.lost == ([(0, nobody)] if connected else [])
