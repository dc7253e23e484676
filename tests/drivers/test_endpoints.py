"""Sockets: whose, where, and given back."""

import os
import socket
from collections.abc import Iterator

import pytest

from simkit.drivers.endpoints import Endpoints
from simkit.drivers.place import Place
from simkit.errors import SetupError


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


def test_each_party_has_a_port_of_its_own_that_the_system_picks() -> None:
    with Endpoints(("alice", "bob")) as endpoints:
        assert {host for host, _ in endpoints.addresses.values()} == {"127.0.0.1"}
        assert len({port for _, port in endpoints.addresses.values()}) == 2


def test_what_is_sent_arrives_with_where_it_came_from() -> None:
    with Endpoints(("alice", "bob")) as endpoints:
        alice, bob = endpoints["alice"], endpoints["bob"]
        alice.send(b"hello", bob.address)
        alice.send(b"", bob.address)
        assert list(bob.received(at_most=9)) == [
            (alice.address, bob.address, b"hello"),
            (alice.address, bob.address, b""),
        ]
        assert list(bob.received(at_most=9)) == []


def test_no_more_is_taken_in_than_asked_for() -> None:
    with Endpoints(("alice", "bob")) as endpoints:
        alice, bob = endpoints["alice"], endpoints["bob"]
        for number in range(3):
            alice.send(bytes([number]), bob.address)
        assert [getattr(each, "data", None) for each in bob.received(at_most=2)] == [b"\0", b"\1"]
        assert [getattr(each, "data", None) for each in bob.received(at_most=2)] == [b"\2"]


def test_a_port_that_is_asked_for_is_given() -> None:
    with Endpoints(("alice",)) as endpoints:
        (_, free) = endpoints.addresses["alice"]
    with Endpoints(("alice", "bob"), ports={"bob": free}) as endpoints:
        assert endpoints.addresses["bob"] == ("127.0.0.1", free)


def test_every_socket_is_closed_on_the_way_out() -> None:
    opened: list[Place] = []

    def play() -> None:
        with Endpoints(("alice", "bob")) as endpoints:
            opened.extend(endpoints)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play()
    assert [endpoint.fileno() for endpoint in opened] == [-1, -1]


def test_a_port_that_is_taken_is_told_and_nothing_stays_open(taken: int) -> None:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(SetupError) as error:
        Endpoints(("alice", "bob"), ports={"bob": taken})
    assert str(error.value).startswith(f"bob cannot have 127.0.0.1:{taken}: ")
    assert str(error.value).endswith(" holds the port; choose another port, or leave the choice to the system")
    assert error.value.exit_code == 3
    assert len(os.listdir("/dev/fd")) == before


HOSTS = [
    pytest.param("192.0.2.1", "is not this machine", id="another machine"),
    pytest.param("0.0.0.0", "is not this machine", id="every interface"),
    pytest.param("::", "is not this machine", id="every interface, IPv6"),
    pytest.param("localhost", "is not an IP address", id="a name"),
]


@pytest.mark.parametrize(("host", "reason"), HOSTS)
def test_only_this_machine_is_spoken_to(host: str, reason: str) -> None:
    with pytest.raises(SetupError, match=reason):
        Endpoints(("alice",), host=host)


def test_another_host_may_be_allowed() -> None:
    with Endpoints(("alice",), host="0.0.0.0", allow_host=True) as endpoints:
        assert endpoints.addresses["alice"][0] == "0.0.0.0"


def test_an_address_that_this_machine_does_not_have_is_told() -> None:
    with pytest.raises(SetupError, match=r"a port of 192\.0\.2\.77: that is no address of this"):
        Endpoints(("alice",), host="192.0.2.77", allow_host=True)
