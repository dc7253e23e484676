"""The UDP sockets of a run: one for each party, shared by all its calls, and closed on every way out.

Addresses of this machine alone, unless other hosts are allowed by name. Parties share a host and differ by their ports,
for not every system has more than 127.0.0.1 in 127.0.0.0/8.
"""

import errno
import socket
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from ..errors import SetupError
from ..processes.port_holder import port_holder
from ..sip.uri import host_port
from ..ua.events import Address
from .pace import Pace

LOCAL_HOST: Final = "127.0.0.1"

_DATAGRAM_MAX: Final = 65_535
_BUFFER_BYTES: Final = 4 << 20  # asked for; the system may give less, and a driver never has many datagrams under way


class Datagram(NamedTuple):
    """Bytes from one address to another."""

    source: Address
    destination: Address
    data: bytes


class Endpoint:
    """One party's socket."""

    __slots__ = ("_pace", "_socket", "address")

    def __init__(self, host: str, port: int, pace: Pace | None = None) -> None:
        """Send at this pace what leaves the machine. Raise OSError where the address cannot be had."""
        self._pace = pace
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind((host, port))
            self.address: Address = (host, self._socket.getsockname()[1])
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        return self._socket.fileno()

    def send(self, data: bytes, destination: Address) -> None:
        """Put a datagram on the wire. Raises OSError where the system will not."""
        if self._pace is not None and destination[0] != self.address[0] and not is_loopback(destination[0]):
            self._pace.wait()
        self._socket.sendto(data, destination)

    def received(self, *, at_most: int) -> Iterator[Datagram]:
        """Yield the datagrams that have arrived, so many at most."""
        for _ in range(at_most):
            try:
                data, source = self._socket.recvfrom(_DATAGRAM_MAX)
            except OSError:
                return  # there is no more, or an earlier datagram of ours found nobody
            yield Datagram(source[:2], self.address, data)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class Endpoints:
    """The sockets of all parties, by name; leaving the `with` block closes them."""

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        host: str = LOCAL_HOST,
        ports: Mapping[str, int] | None = None,
        allow_host: bool = False,
    ) -> None:
        """Open a socket for each name; the system picks the ports that `ports` does not ask for.

        Raises SetupError for a host that is neither this machine nor allowed, or is no IP address; for a port that is
        taken, with who might hold it; for whatever else the system refuses.
        """
        check_host(host, allow_host=allow_host)
        pace = Pace() if allow_host else None
        self._endpoints: dict[str, Endpoint] = {}
        try:
            for name in names:
                self._endpoints[name] = _opened(name, host, (ports or {}).get(name, 0), pace)
        except BaseException:
            self.close()
            raise
        self.addresses: Mapping[str, Address] = {name: endpoint.address for name, endpoint in self._endpoints.items()}
        """Where each party is."""

    def __getitem__(self, name: str) -> Endpoint:
        return self._endpoints[name]

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints.values())

    def __enter__(self) -> "Endpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every socket."""
        for endpoint in self._endpoints.values():
            endpoint.close()


def check_host(host: str, *, allow_host: bool) -> None:
    """Raise SetupError for a host that is neither of the loopback nor allowed, or is no IP address."""
    try:
        is_local = is_loopback(host)
    except ValueError:
        raise SetupError(f"'{host}' is not an IP address, such as {LOCAL_HOST} or ::1") from None
    if not (is_local or allow_host):
        raise SetupError(
            f"{host} is not this machine's loopback: nothing is sent beyond 127.0.0.0/8 and ::1 without --allow-host"
        )


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether an IP address is of the loopback. Raises ValueError where it is none."""
    return ip_address(host).is_loopback


def host_towards(target: Address) -> str:
    """Return the address of this machine from which another one is reached. Raises SetupError where there is none."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(target)  # nothing is sent: the system only looks for the way
            host: str = probe.getsockname()[0]
            return host
    except OSError as error:
        raise SetupError(f"there is no way to {host_port(target)}: {error.strerror or error}") from None


def _opened(name: str, host: str, port: int, pace: Pace | None) -> Endpoint:
    try:
        return Endpoint(host, port, pace)
    except OSError as error:
        place = host_port((host, port)) if port else f"a port of {host}"
        if error.errno == errno.EADDRINUSE:
            mend = "choose another port, or leave the choice to the system"
            raise SetupError(f"{name} cannot have {place}: {port_holder(port)} holds the port; {mend}") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise SetupError(f"{name} cannot have {place}: that is no address of this machine") from None
        raise SetupError(f"{name} cannot have {place}: {error.strerror or error}") from None
