"""SIP over real connections: opened once, used both ways, cut into messages, and closed on every way out."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import cast

import pytest

from simkit.drivers.endpoints import Endpoints
from simkit.drivers.place import Datagram, Loss, Source
from simkit.drivers.streams import StreamEndpoint
from simkit.errors import SetupError
from simkit.sip.transport import Transport
from simkit.ua.events import Address

from ..captures.building import sip

WITHIN_S = 5.0  # a bound, not a wait


class Table:
    """Alice and bob at one selector."""

    def __init__(self, endpoints: Endpoints, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.alice, self.bob = (cast("StreamEndpoint", endpoints[name]) for name in ("alice", "bob"))
        self.arrived: list[Datagram | Loss] = []
        self.alice.watch(selector)
        self.bob.watch(selector)

    def take(self, count: int) -> list[Datagram | Loss]:
        """Return the next so many things that arrive."""
        until_s = monotonic() + WITHIN_S
        while len(self.arrived) < count and monotonic() < until_s:
            for key, _ in self.selector.select(0.05):
                self.arrived += cast("Source", key.fileobj).received(at_most=64)
        taken, self.arrived = self.arrived[:count], self.arrived[count:]
        return taken

    def connections(self) -> int:
        """Return how many sockets are looked at beside the two that listen."""
        return len(self.selector.get_map()) - 2


@contextmanager
def table(host: str = "127.0.0.1") -> Iterator[Table]:
    with (
        Endpoints(("alice", "bob"), host=host, transport=Transport.TCP) as endpoints,
        selectors.DefaultSelector() as selector,
    ):
        yield Table(endpoints, selector)


@contextmanager
def outsider(to: Address) -> Iterator[socket.socket]:
    """Connect somebody else's socket."""
    with socket.create_connection(to, timeout=WITHIN_S) as connected:
        yield connected


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_message_arrives_from_the_address_of_its_sender_and_is_answered_over_the_same_connection(host: str) -> None:
    with table(host) as both:
        request, response = sip(), sip("SIP/2.0 200 OK", cseq="1 OPTIONS")
        both.alice.send(request, both.bob.address)
        assert both.take(1) == [Datagram(both.alice.address, both.bob.address, request)]
        both.bob.send(response, both.alice.address)
        assert both.take(1) == [Datagram(both.bob.address, both.alice.address, response)]
        both.bob.send(request, both.alice.address)
        both.alice.send(response, both.bob.address)
        assert len(both.take(2)) == 2
        assert both.connections() == 2  # the two ends of one


def test_a_stream_is_cut_into_messages_wherever_its_parts_end() -> None:
    messages = [sip(cseq=f"{number} OPTIONS", body=b"x" * number) for number in range(1, 20)]
    stream = b"\r\n\r\n".join(messages)
    with table() as both, outsider(both.bob.address) as other:
        for start in range(0, len(stream), 97):
            other.sendall(stream[start : start + 97])
        arrived = both.take(len(messages))
        assert [each.data for each in arrived if isinstance(each, Datagram)] == messages
        assert {each.source for each in arrived if isinstance(each, Datagram)} == {other.getsockname()}


def test_more_than_the_system_takes_at_once_is_sent_as_room_comes() -> None:
    large = sip(body=b"x" * 60_000)
    with table() as both:
        for _ in range(200):
            both.alice.send(large, both.bob.address)
        arrived = both.take(200)
        assert [each.data == large for each in arrived if isinstance(each, Datagram)] == [True] * 200


def test_where_nobody_listens_the_system_says_so_and_nothing_is_left_open() -> None:
    with table() as both:
        with Endpoints(("carol",), transport=Transport.TCP) as others:
            nobody = others.addresses["carol"]
        with pytest.raises(ConnectionRefusedError):
            both.alice.send(sip(), nobody)
        assert both.connections() == 0


def test_a_connection_that_meets_itself_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket may be given the very port that it is to connect to, and takes its own connection."""
    with Endpoints(("carol",), transport=Transport.TCP) as others:
        nobody = others.addresses["carol"]
    bind = socket.socket.bind
    with table() as both:
        monkeypatch.setattr(socket.socket, "bind", lambda each, _: bind(each, nobody))
        with pytest.raises(ConnectionRefusedError):
            both.alice.send(sip(), nobody)


def test_who_calls_itself_by_another_address_is_reached_over_its_own_connection() -> None:
    """RFC 3261 section 18.2.2: a response goes back over the connection of its request, whatever its Via says."""
    with table() as both, outsider(both.bob.address) as other:
        other.sendall(sip())
        (asked,) = both.take(1)
        assert isinstance(asked, Datagram)
        both.bob.heard(("127.0.0.1", 9), asked.source)
        both.bob.send(sip("SIP/2.0 200 OK", cseq="1 OPTIONS"), ("127.0.0.1", 9))
        assert other.recv(65_536).startswith(b"SIP/2.0 200 OK")


def test_a_connection_that_the_other_side_ends_is_told_with_all_names_and_the_next_message_opens_another() -> None:
    with table() as both:
        with outsider(both.bob.address) as other:
            other.sendall(sip())
            (asked,) = both.take(1)
            assert isinstance(asked, Datagram)
            both.bob.heard(both.alice.address, asked.source)
        assert both.take(1) == [Loss((asked.source, both.alice.address), both.bob.address)]
        both.bob.send(sip(), both.alice.address)
        assert [type(each) for each in both.take(1)] == [Datagram]


def test_a_connection_that_breaks_within_a_message_yields_no_message() -> None:
    with table() as both:
        with outsider(both.bob.address) as other:
            other.sendall(sip(body=b"xxxx")[:-1])
        assert [type(each) for each in both.take(1)] == [Loss]


def test_to_disconnect_is_to_break_off_at_once_on_both_sides() -> None:
    with table() as both:
        both.alice.send(sip(), both.bob.address)
        both.take(1)
        both.alice.disconnect(both.bob.address)
        assert both.take(1) == [Loss((both.alice.address,), both.bob.address)]
        assert both.connections() == 0
        both.alice.send(sip(), both.bob.address)
        assert [type(each) for each in both.take(1)] == [Datagram]


def test_every_socket_is_closed_on_the_way_out_and_the_port_can_be_had_again_at_once() -> None:
    with table() as both:
        both.alice.send(sip(), both.bob.address)
        both.take(1)
        opened = [key.fileobj for key in both.selector.get_map().values()]
        (_, port) = both.bob.address
    assert [cast("Source", each).fileno() for each in opened] == [-1] * 4
    with Endpoints(("bob",), ports={"bob": port}, transport=Transport.TCP) as endpoints:
        assert endpoints.addresses["bob"] == ("127.0.0.1", port)


def test_a_port_that_is_taken_is_told_with_who_holds_it() -> None:
    with (
        Endpoints(("alice",), transport=Transport.TCP) as endpoints,
        pytest.raises(SetupError, match=r"bob cannot have 127\.0\.0\.1:\d+: .* holds the port; choose another port"),
    ):
        Endpoints(("bob",), ports={"bob": endpoints.addresses["alice"][1]}, transport=Transport.TCP)


def test_tcp_and_udp_may_have_the_same_port() -> None:
    with Endpoints(("alice",)) as datagrams:
        port = datagrams.addresses["alice"][1]
        with Endpoints(("alice",), ports={"alice": port}, transport=Transport.TCP) as endpoints:
            assert endpoints.addresses == datagrams.addresses
