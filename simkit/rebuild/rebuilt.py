"""A recorded call made into a flow that our timer logic plays, and what the rules say of the recording."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ..audit.auditor import audit_call
from ..audit.finding import CallAudit
from ..trace import Trace, Transit
from .call import read_call
from .flow_text import flow_text, window_us


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A call as a flow."""

    text: str
    """YAML; the caller is alice, the callee bob, and those between them are proxies."""
    audit: CallAudit
    """What the rules say of the call as it was recorded, in the same names."""
    left_out: Counter[str]
    """Messages that no flow can tell, by method."""
    origins: Mapping[int, Transit]
    """The recorded message of each line of the text that has one, by the line's number; times are the call's own."""
    sent_at: Mapping[int, int]
    """When each recorded message was sent, by its number; the call's own time."""
    addresses: Mapping[str, str]
    """Where each party was."""
    began_at: int
    """When the call began: microseconds since the capture did, as the audit counts."""
    window_us: int
    """How far from its time a message may come."""


def rebuild_call(
    trace: Trace, *, name: str, source: str, tolerance_us: int, speed: int = 1, told: Collection[str] = ()
) -> Rebuilt:
    """Make a flow of a call that was recorded in `speed`-fold time; `source` says in words where it was.

    The parties in `told` ("alice", "bob") say in it what they said; the others are played by our logic. Raises
    CaptureError for a call that does not begin in the capture, or that forks.
    """
    call = read_call(trace, speed=speed)
    addresses = {party.name: party.address for party in call.parties}
    named = ((call.names[each.sender], call.names[each.receiver], each) for each in trace.messages())
    renamed = (replace(each, sender=sender, receiver=receiver) for sender, receiver, each in named)
    audit = audit_call(Trace([*renamed]), speed=speed)
    first, *others = (f"{name} is {address}" for name, address in addresses.items())
    about = f"Rebuilt from {source}: {', '.join([first, *(other.replace(' is ', ' ') for other in others)])}."
    flow = flow_text(call, audit, name=name, about=about, tolerance_us=tolerance_us, told=told)
    return Rebuilt(
        flow.text,
        audit,
        call.left_out,
        flow.origins,
        {each.number: each.sent_at for party in call.parties for each in party.sent},
        addresses,
        call.began_at,
        window_us(call, tolerance_us=tolerance_us),
    )
