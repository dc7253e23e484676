"""Asks a SIP stack whether it is there: by OPTIONS (RFC 3261 section 11), or a keep-alive (RFC 5626 section 4.4.1)."""

import secrets
import select
import socket
from contextlib import suppress
from typing import Self

from ..sip.message import Request
from ..sip.transport import Transport
from ..sip.uri import address_of_record, host_port
from .order import Address

KEEP_ALIVE = b"\r\n\r\n"


class Prober:
    """Asks whether somebody is at an address, and answers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what it holds."""

    def answers_options(self, *, within_s: float) -> bool:
        """Whether OPTIONS is answered, by any response, in this time."""
        raise NotImplementedError

    def is_open(self, *, within_s: float) -> bool:
        """Whether anybody listens: nobody has said in this time that nobody does."""
        raise NotImplementedError


def prober(address: Address, transport: Transport = Transport.UDP) -> Prober:
    """Return what asks there. Raises OSError where no socket can be had."""
    return _StreamProber(address, transport) if transport.is_reliable else _DatagramProber(address)


class _DatagramProber(Prober):
    """A socket of ours, connected to a UDP address; the system tells it when nobody listens there."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(address)
            self._options = _options(self._socket.getsockname()[:2], address, Transport.UDP).to_bytes()
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def answers_options(self, *, within_s: float) -> bool:
        """Whether OPTIONS is answered, by any response, in this time."""
        heard = self._ask(self._options, within_s)
        return heard is not None and heard.startswith(b"SIP/2.0 ")

    def is_open(self, *, within_s: float) -> bool:
        """Whether anybody listens: nobody has said in this time that nobody does."""
        return self._ask(KEEP_ALIVE, within_s) is not None

    def _ask(self, data: bytes, within_s: float) -> bytes | None:
        """Return what comes, b"" where nothing comes; None where nobody listens."""
        with suppress(OSError):  # that nobody listens, of the last time
            self._socket.recv(65_535)
        try:
            self._socket.send(data)
            if select.select([self._socket], [], [], within_s)[0]:
                return self._socket.recv(65_535)
        except OSError:
            return None
        return b""


class _StreamProber(Prober):
    """Takes a connection for each question."""

    def __init__(self, address: Address, transport: Transport) -> None:
        self._address = address
        self._transport = transport

    def answers_options(self, *, within_s: float) -> bool:
        """Whether OPTIONS is answered, by any response, in this time."""
        with suppress(OSError), self._connected(within_s) as connected:
            options = _options(connected.getsockname()[:2], self._address, self._transport)
            connected.sendall(options.to_bytes())
            return connected.recv(65_535).startswith(b"SIP/2.0 ")
        return False

    def _connected(self, within_s: float) -> socket.socket:
        plain = socket.create_connection(self._address, timeout=within_s)
        if self._transport is not Transport.TLS:
            return plain
        with plain:  # which from here on is part of the other
            return _encrypted(plain)

    def is_open(self, *, within_s: float) -> bool:
        """Whether a connection is taken in this time."""
        with suppress(OSError), socket.create_connection(self._address, timeout=within_s):
            return True
        return False


def _encrypted(plain: socket.socket) -> socket.socket:
    """Shake hands for TLS, whatever certificate there is."""
    import ssl  # few flows have TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain)


def _options(us: Address, target: Address, transport: Transport) -> Request:
    here, there = host_port(us), transport.uri(target)
    headers = (
        ("Via", f"{transport.sent_by(us)};branch=z9hG4bK{secrets.token_hex(8)};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:simkit@{here}>;tag={secrets.token_hex(4)}"),
        ("To", f"<{address_of_record(there)}>"),
        ("Call-ID", f"{secrets.token_hex(8)}@{us[0]}"),
        ("CSeq", "1 OPTIONS"),
        ("Contact", f"<{transport.uri(us, user='simkit')}>"),
        ("Accept", "application/sdp"),
        ("Content-Length", "0"),
    )
    return Request("OPTIONS", there, headers)
