"""A recorded call made into a flow that our timer logic plays, and what the rules say of the recording."""

from collections import Counter
from dataclasses import dataclass, replace

from ..audit.auditor import audit_call
from ..audit.finding import CallAudit
from ..trace import Trace
from .call import read_call
from .flow_text import flow_text


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A call as a flow."""

    text: str
    """YAML; the caller is alice, the callee bob."""
    audit: CallAudit
    """What the rules say of the call as it was recorded, in the same names."""
    left_out: Counter[str]
    """Messages that no flow can tell, by method."""


def rebuild_call(trace: Trace, *, name: str, source: str, tolerance_us: int, speed: int = 1) -> Rebuilt:
    """Make a flow of a call that was recorded in `speed`-fold time; `source` says in words where it was.

    Raises CaptureError for a call that does not begin in the capture, or goes through proxies.
    """
    call = read_call(trace, speed=speed)
    names = {party.address: party.name for party in (call.caller, call.callee)}
    renamed = (replace(each, sender=names[each.sender], receiver=names[each.receiver]) for each in trace.messages())
    audit = audit_call(Trace([*renamed]), speed=speed)
    about = f"Rebuilt from {source}: alice is {call.caller.address}, bob {call.callee.address}."
    text = flow_text(call, audit, name=name, about=about, tolerance_us=tolerance_us)
    return Rebuilt(text, audit, call.left_out)
