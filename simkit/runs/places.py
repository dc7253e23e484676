"""Where the parties of a flow are when it is played over sockets: ours, and the real systems."""

from collections.abc import Mapping
from typing import NamedTuple

from ..drivers.hosts import LOCAL_HOST, check_host
from ..errors import Fault, FlowError
from ..flows.model import Flow, Role
from .run import Address

LOCAL_HOST_6 = "::1"


class Places(NamedTuple):
    """Where everybody is, or is to be."""

    names: tuple[str, ...]
    """Those of ours."""
    host: str
    """The one address of ours."""
    ports: Mapping[str, int]
    """The ports that some of ours are to have."""
    systems: Mapping[str, Address]


def places(flow: Flow, host: str | None, ports: Mapping[str, int], *, allow_host: bool) -> Places:
    """Return where everybody is: ours at `host`, or where the flow has them, or beside the first real system.

    Raises FlowError where parties of ours are to have different hosts, SetupError for a system that is elsewhere.
    """
    systems = {actor.name: actor.at for actor in flow.systems if actor.at is not None}
    for address in systems.values():
        check_host(address[0], allow_host=allow_host)
    asked = {actor: actor.at for actor in flow.actors.values() if actor.role is not Role.SUT and actor.at is not None}
    hosts = dict.fromkeys([*([host] if host else []), *(at[0] for at in asked.values())])
    if len(hosts) > 1:
        message = f"the parties that simkit plays have one address, not {' and '.join(hosts)}"
        raise FlowError([Fault(actor.source, message) for actor, at in asked.items() if at[0] != next(iter(hosts))])
    beside = any(":" in address[0] for address in systems.values())
    return Places(
        tuple(name for name in flow.actors if name not in systems),
        next(iter(hosts), LOCAL_HOST_6 if beside else LOCAL_HOST),
        {**{actor.name: at[1] for actor, at in asked.items()}, **ports},
        systems,
    )
