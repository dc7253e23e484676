"""What a flow says that no two SIPps can do, with its place."""

from collections.abc import Iterator, Sequence
from typing import Final

from ..errors import Fault, FlowError
from ..flows.model import Clock, Flow, NetChange, Network, Repeat, Role, Step, Stimulus, Verb
from ..sip.transport import Transport

_STRANGE: Final = {
    Verb.RESTART: "SIPp cannot come back: it is silent from the crash on",
    Verb.FREEZE: "SIPp's clock cannot be stopped: what comes meanwhile is looked at when it comes",
    Verb.THAW: "SIPp's clock cannot be stopped",
    Verb.IGNORE: "SIPp cannot overlook a message that its scenario expects",
}


def check_exportable(flow: Flow) -> None:
    """Raise FlowError for a flow whose parties cannot be two SIPps."""
    faults = [
        Fault(actor.source, f"'{actor.name}' is a {actor.role.value}: only the two ends of a call can be SIPp's")
        for actor in flow.actors.values()
        if actor.role is Role.PROXY
    ]
    if not faults and len(flow.actors) != 2:
        where = flow.sources.get("actors", flow.source)
        faults.append(Fault(where, f"{len(flow.actors)} parties: SIPp plays one of two that talk to each other"))
    if flow.transport is Transport.TLS:
        faults.append(Fault(flow.sources["transport"], "SIPp needs a certificate for TLS: export it over udp or tcp"))
    if faults:
        raise FlowError(faults)


def unexportable(flow: Flow) -> Iterator[Fault]:
    """Yield what is lost when a flow is exported, in the order of its lines."""
    if flow.network != Network():
        message = "the loopback has no latency and loses nothing: SIPp sends when it does in the simulation"
        yield Fault(flow.sources.get("network", flow.source), message)
    if flow.calls.count > 1:
        message = f"one of the {flow.calls.count:,} calls is exported: say -m {flow.calls.count} to SIPp"
        yield Fault(flow.sources.get("calls", flow.source), message)
    for actor in flow.actors.values():
        if actor.clock != Clock():
            yield Fault(actor.source, f"SIPp's clock is true: it sends when '{actor.name}' does in the simulation")
    yield from _in_steps(flow.steps)


def _in_steps(steps: Sequence[Step]) -> Iterator[Fault]:
    for step in steps:
        if isinstance(step, Repeat):
            yield from _in_steps(step.steps)
        elif isinstance(step, NetChange):
            yield Fault(step.source, "nobody stands between two SIPps: this does not happen to their messages")
        elif isinstance(step, Stimulus) and step.verb in _STRANGE:
            yield Fault(step.source, _STRANGE[step.verb])
