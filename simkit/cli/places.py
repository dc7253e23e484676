"""HOST:PORT at the command line."""

from ipaddress import ip_address
from typing import Any

import click

from ..runs.run import Address


class HostAndPort(click.ParamType):  # type: ignore[type-arg]  # newer clicks have it generic
    """HOST:PORT, the host an IP address; IPv6 in brackets."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """Read an address; a usage error where it is none."""
        if isinstance(value, tuple):
            return value
        host, _, port = str(value).rpartition(":")
        if not _is_address(host.strip("[]")) or not port.isdecimal() or not 1 <= int(port) <= 65_535:
            self.fail(f"'{value}' is not HOST:PORT, such as 127.0.0.1:5060", param, ctx)
        return host.strip("[]"), int(port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
