"""TLS between connections and messages (RFC 3261 section 26.2), with a certificate that is made for the run.

The other side's certificate is not checked, and it is asked for none: what is tested here is SIP.
"""

import ssl
from contextlib import suppress

from ..processes.certificate import certificate


class TlsChannels:
    """Makes the channels of a run's connections."""

    def __init__(self, host: str) -> None:
        """Make a certificate for this address. Raises SetupError where that cannot be done."""
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client.check_hostname = False
        self._client.verify_mode = ssl.CERT_NONE
        with certificate(host) as (made, key):
            self._server.load_cert_chain(made, key)

    def channel(self, *, opened_by_us: bool) -> "TlsChannel":
        """Return the channel of a new connection; who opened it is the client."""
        return TlsChannel(self._client if opened_by_us else self._server, is_server=not opened_by_us)


class TlsChannel:
    """The TLS of one connection, for whoever sends and receives; what is to be said waits for the handshake."""

    __slots__ = ("_established", "_incoming", "_outgoing", "_tls", "_waiting")

    def __init__(self, context: ssl.SSLContext, *, is_server: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=is_server)
        self._established = False
        self._waiting = bytearray()

    def encrypt(self, data: bytes) -> bytes:
        """Return what is to be sent now, of this and of what has waited."""
        self._waiting += data
        self._go_on()
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes in; return what they say, and what is to be sent now. Raises OSError for what is no TLS."""
        self._incoming.write(data)
        self._go_on()
        said = bytearray()
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):  # there is no more, or the other side takes leave
            while self._established and (part := self._tls.read()):
                said += part
        return bytes(said), self._outgoing.read()

    def _go_on(self) -> None:
        """Shake hands as far as that goes, and then say what has waited."""
        with suppress(ssl.SSLWantReadError):
            if not self._established:
                self._tls.do_handshake()
                self._established = True
            while self._waiting:
                del self._waiting[: self._tls.write(self._waiting)]
