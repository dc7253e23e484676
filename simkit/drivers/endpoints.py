"""The sockets of a run: one place for each party, shared by all its calls, and closed on every way out.

Addresses of this machine alone, unless other hosts are allowed by name. Parties share a host and differ by their ports,
for not every system has more than 127.0.0.1 in 127.0.0.0/8.
"""

import errno
from collections.abc import Callable, Iterator, Mapping

from ..errors import SetupError
from ..processes.port_holder import port_holder
from ..sip.transport import Transport
from ..sip.uri import host_port
from ..ua.events import Address
from .datagrams import Endpoint
from .hosts import LOCAL_HOST, check_host
from .pace import Pace
from .place import Place


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
