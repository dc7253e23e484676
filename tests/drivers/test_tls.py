"""TLS over connections: the same messages, and nobody else can read them."""

import selectors
import socket
import ssl
from collections.abc import Iterator

import pytest

from simkit.drivers.endpoints import Endpoints
from simkit.drivers.place import Datagram, Loss
from simkit.drivers.streams import Connection
from simkit.drivers.tls import TlsChannels
from simkit.sip.transport import Transport

from ..captures.building import sip
from .test_streams import WITHIN_S, Table

SECRET = sip(body=b"nobody is to know")


@pytest.fixture
def both() -> Iterator[Table]:
    with (
        selectors.DefaultSelector() as selector,
        Endpoints(("alice", "bob"), transport=Transport.TLS) as endpoints,
    ):
        yield Table(endpoints, selector)


def test_messages_go_both_ways_over_one_connection(both: Table) -> None:
    both.alice.send(SECRET, both.bob.address)
    assert both.take(1) == [Datagram(both.alice.address, both.bob.address, SECRET)]
    both.bob.send(SECRET, both.alice.address)
    assert both.take(1) == [Datagram(both.bob.address, both.alice.address, SECRET)]
    assert both.connections() == 2


def test_more_than_a_record_holds_arrives_in_order(both: Table) -> None:
    large = [sip(cseq=f"{number} OPTIONS", body=b"x" * 60_000) for number in range(1, 50)]
    for message in large:
        both.alice.send(message, both.bob.address)
    assert [each.data for each in both.take(49) if isinstance(each, Datagram)] == large


def test_on_the_wire_nothing_can_be_read(both: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = bytearray()
    flush = Connection._flush

    def watched(connection: Connection) -> None:
        sent.extend(connection._unsent)
        flush(connection)

    monkeypatch.setattr(Connection, "_flush", watched)
    both.alice.send(SECRET, both.bob.address)
    assert both.take(1)
    assert sent
    assert b"nobody" not in sent
    assert b"OPTIONS" not in sent


def test_anybody_with_tls_is_understood_and_may_take_leave(both: Table) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connected = socket.create_connection(both.bob.address, timeout=WITHIN_S)
    with context.wrap_socket(connected, do_handshake_on_connect=False) as other:
        other.setblocking(False)
        for _ in range(1000):
            try:
                other.do_handshake()
                break
            except ssl.SSLWantReadError:
                both.take(0)
                for key, _ in both.selector.select(0.05):
                    both.arrived += key.fileobj.received(at_most=64)  # type: ignore[union-attr]
        other.sendall(SECRET)
        name = other.getsockname()
        assert both.take(1) == [Datagram(name, both.bob.address, SECRET)]
    assert both.take(1) == [Loss((name,), both.bob.address)]


def test_who_speaks_no_tls_is_cut_off(both: Table) -> None:
    with socket.create_connection(both.bob.address, timeout=WITHIN_S) as other:
        other.sendall(SECRET)
        assert [type(each) for each in both.take(1)] == [Loss]


def test_a_handshake_needs_both_sides_and_what_is_said_meanwhile_is_not_lost() -> None:
    channels = TlsChannels("127.0.0.1")
    client, server = channels.channel(opened_by_us=True), channels.channel(opened_by_us=False)
    to_server, said = client.encrypt(b"one") + client.encrypt(b"two"), b""
    for _ in range(10):
        part, to_client = server.decrypt(to_server)
        said += part
        _, to_server = client.decrypt(to_client)
    assert said == b"onetwo"
