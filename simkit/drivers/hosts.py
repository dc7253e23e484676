"""Which hosts a run may have and speak to: this machine's loopback alone, unless others are allowed by name."""

import socket
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from ..errors import SetupError
from ..sip.uri import host_port
from ..ua.events import Address

LOCAL_HOST: Final = "127.0.0.1"


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


def family_of(host: str) -> socket.AddressFamily:
    """Return the address family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
