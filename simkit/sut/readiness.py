"""Asks a SIP stack whether it is there: by OPTIONS (RFC 3261 section 11), or a keep-alive (RFC 5626 section 4.4.1)."""

import secrets
import select
import socket
from contextlib import suppress

from ..sip.message import Request
from ..sip.uri import host_port
from .order import Address

KEEP_ALIVE = b"\r\n\r\n"


class Prober:
    """A socket of ours, connected to a UDP address; the system tells it when nobody listens there."""

    def __init__(self, address: Address) -> None:
        """Raise OSError where no socket can be had."""
        self._socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(address)
            self._options = _options(self._socket.getsockname()[:2], address).to_bytes()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "Prober":
        return self

    def __exit__(self, *_: object) -> None:
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


def _options(us: Address, target: Address) -> Request:
    here, there = host_port(us), host_port(target)
    headers = (
        ("Via", f"SIP/2.0/UDP {here};branch=z9hG4bK{secrets.token_hex(8)};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:simkit@{here}>;tag={secrets.token_hex(4)}"),
        ("To", f"<sip:{there}>"),
        ("Call-ID", f"{secrets.token_hex(8)}@{us[0]}"),
        ("CSeq", "1 OPTIONS"),
        ("Contact", f"<sip:simkit@{here}>"),
        ("Accept", "application/sdp"),
        ("Content-Length", "0"),
    )
    return Request("OPTIONS", f"sip:{there}", headers)
