"""The sockets of a run: one place for each party, shared by all its calls, and closed on every way out.

Addresses of this machine alone, unless other hosts are allowed by name. Parties share a host and differ by their ports,
for not every system has more than 127.0.0.1 in 127.0.0.0/8.
"""

import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address
from selectors import EVENT_READ, BaseSelector
from typing import Final, NamedTuple, Protocol

from ..errors import SetupError
from ..processes.port_holder import port_holder
from ..sip.transport import Transport
from ..sip.uri import host_port
from ..ua.events import Address
from .pace import Pace

LOCAL_HOST: Final = "127.0.0.1"

_DATAGRAM_MAX: Final = 65_535
_BUFFER_BYTES: Final = 4 << 20  # asked for; the system may give less, and a driver never has many datagrams under way


class Datagram(NamedTuple):
    """The bytes of one message, from one address to another."""

    source: Address
    destination: Address
    data: bytes


class Loss(NamedTuple):
    """A connection that the other side, or the system, has ended."""

    peers: tuple[Address, ...]
    """By which addresses the other side was known on it."""
    ours: Address


class Source(Protocol):
    """A socket that a selector looks at."""

    def fileno(self) -> int:
        """Return what a selector needs; -1 once closed."""
        ...

    def received(self, *, at_most: int) -> Iterator[Datagram | Loss]:
        """Yield what has arrived, so much at most."""
        ...


class Place(Source, Protocol):
    """Where one party is: it sends, and is heard from by whoever selects among its sockets."""

    address: Address

    def watch(self, selector: BaseSelector | None) -> None:
        """Have this selector look at its sockets from here on, those to come included; None: nobody does."""
        ...

    def send(self, data: bytes, destination: Address) -> None:
        """Send a message. Raises OSError where the system will not, or nobody takes the connection."""
        ...

    def heard(self, named: Address, source: Address) -> None:
        """Who is at `source` calls itself by another address: what goes there may go over the same connection."""
        ...

    def disconnect(self, peer: Address) -> None:
        """Break the connections with a peer."""
        ...

    def close(self) -> None:
        """Give the port back."""
        ...


class Endpoint:
    """One party's UDP socket."""

    __slots__ = ("_pace", "_socket", "address")

    def __init__(self, host: str, port: int, pace: Pace | None = None) -> None:
        """Send at this pace what leaves the machine. Raise OSError where the address cannot be had."""
        self._pace = pace
        self._socket = socket.socket(family_of(host), socket.SOCK_DGRAM)
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

    def watch(self, selector: BaseSelector | None) -> None:
        """Have this selector look at the socket; None: nobody does."""
        if selector is not None:
            selector.register(self, EVENT_READ)

    def send(self, data: bytes, destination: Address) -> None:
        """Put a datagram on the wire. Raises OSError where the system will not."""
        hold_back(self._pace, self.address, destination)
        self._socket.sendto(data, destination)

    def received(self, *, at_most: int) -> Iterator[Datagram]:
        """Yield the datagrams that have arrived, so many at most."""
        for _ in range(at_most):
            try:
                data, source = self._socket.recvfrom(_DATAGRAM_MAX)
            except OSError:
                return  # there is no more, or an earlier datagram of ours found nobody
            yield Datagram(source[:2], self.address, data)

    def heard(self, named: Address, source: Address) -> None:
        """Take no notice: there is no connection."""

    def disconnect(self, peer: Address) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class Endpoints:
    """The places of all parties, by name; leaving the `with` block closes them."""

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        host: str = LOCAL_HOST,
        ports: Mapping[str, int] | None = None,
        allow_host: bool = False,
        transport: Transport = Transport.UDP,
    ) -> None:
        """Open a socket for each name; the system picks the ports that `ports` does not ask for.

        Raises SetupError for a host that is neither this machine nor allowed, or is no IP address; for a port that is
        taken, with who might hold it; for whatever else the system refuses.
        """
        check_host(host, allow_host=allow_host)
        self.transport = transport
        self.opened_from: dict[Address, Address] = {}
        """Who has opened a connection, by the address that it came from."""
        make = _maker(transport, host, self.opened_from, Pace() if allow_host else None)
        self._endpoints: dict[str, Place] = {}
        try:
            for name in names:
                self._endpoints[name] = _opened(make, transport, name, (host, (ports or {}).get(name, 0)))
        except BaseException:
            self.close()
            raise
        self.addresses: Mapping[str, Address] = {name: endpoint.address for name, endpoint in self._endpoints.items()}
        """Where each party is."""

    def __getitem__(self, name: str) -> Place:
        return self._endpoints[name]

    def __iter__(self) -> Iterator[Place]:
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
        with socket.socket(family_of(target[0]), socket.SOCK_DGRAM) as probe:
            probe.connect(target)  # nothing is sent: the system only looks for the way
            host: str = probe.getsockname()[0]
            return host
    except OSError as error:
        raise SetupError(f"there is no way to {host_port(target)}: {error.strerror or error}") from None


Maker = Callable[[str, int], Place]


def _maker(transport: Transport, host: str, openers: dict[Address, Address], pace: Pace | None) -> Maker:
    """Return what makes places of this kind, for host and port. Raises SetupError where TLS cannot be had."""
    if not transport.is_reliable:
        return lambda host, port: Endpoint(host, port, pace)
    from .streams import StreamEndpoint  # few flows have connections

    channels = None
    if transport is Transport.TLS:
        from .tls import TlsChannels

        channels = TlsChannels(host)
    return lambda host, port: StreamEndpoint(host, port, openers, channels=channels, pace=pace)


def _opened(make: Maker, transport: Transport, name: str, address: Address) -> Place:
    host, port = address
    try:
        return make(host, port)
    except OSError as error:
        place = host_port(address) if port else f"a port of {host}"
        if error.errno == errno.EADDRINUSE:
            mend = "choose another port, or leave the choice to the system"
            holder = port_holder(port, protocol="tcp" if transport.is_reliable else "udp")
            raise SetupError(f"{name} cannot have {place}: {holder} holds the port; {mend}") from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise SetupError(f"{name} cannot have {place}: that is no address of this machine") from None
        raise SetupError(f"{name} cannot have {place}: {error.strerror or error}") from None


def family_of(host: str) -> socket.AddressFamily:
    """Return the address family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def hold_back(pace: Pace | None, ours: Address, destination: Address) -> None:
    """Wait until a message may go to another machine."""
    if pace is not None and destination[0] != ours[0] and not is_loopback(destination[0]):
        pace.wait()
