"""Asking a stack over connections whether it is there."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from simkit.processes.certificate import certificate
from simkit.sip.parser import parse_message
from simkit.sip.transport import Transport
from simkit.sut.order import Address
from simkit.sut.readiness import prober

WITHIN_S = 5.0  # a bound, not a wait
NOT_FOUND = b"SIP/2.0 404 Not Found\r\n\r\n"


@contextmanager
def listening(heard: list[bytes] | None = None, context: ssl.SSLContext | None = None) -> Iterator[Address]:
    """Listen; with `heard`, keep the first message and answer it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            plain, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(plain, server_side=True) if context else plain as connected:
                assert heard is not None
                heard.append(connected.recv(65_535))
                connected.sendall(NOT_FOUND)
                connected.recv(1)

        thread = threading.Thread(target=answer, daemon=True)
        if heard is not None:
            thread.start()
        yield listener.getsockname()
        if heard is not None:
            thread.join(WITHIN_S)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_a_port_is_open_where_a_connection_is_taken(transport: Transport) -> None:
    with listening() as address, prober(address, transport) as asking:
        assert asking.is_open(within_s=WITHIN_S)
        assert not asking.answers_options(within_s=0.05)
    with prober(address, transport) as asking:
        assert not asking.is_open(within_s=WITHIN_S)
        assert not asking.answers_options(within_s=WITHIN_S)


@pytest.mark.parametrize(("transport", "uri"), [(Transport.TCP, "sip:{};transport=tcp"), (Transport.TLS, "sips:{}")])
def test_options_is_answered_by_any_response(transport: Transport, uri: str) -> None:
    context = None
    if transport is Transport.TLS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with certificate("127.0.0.1") as (made, key):
            context.load_cert_chain(made, key)
    heard: list[bytes] = []
    with listening(heard, context) as address, prober(address, transport) as asking:
        assert asking.answers_options(within_s=WITHIN_S)
    request = parse_message(heard[0])
    assert request.start_line == f"OPTIONS {uri.format(f'127.0.0.1:{address[1]}')} SIP/2.0"
    assert request.via.transport == transport.name
