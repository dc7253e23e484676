"""A flow made into SIPp scenarios, one for each side: what its parties sent and received when it was simulated."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import Fault
from ..flows.model import Flow
from ..flows.signature import signature
from ..trace import Trace
from ..units import S, format_time
from .acts import Act, acts_of, crashed_at, races
from .scenario_xml import Address, Cast, scenario_xml
from .unexportable import check_exportable, unexportable

_HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 5060
_SPARE_S: Final = 30
_UNSAFE = re.compile(r"[^\w=,.+-]+")


@dataclass(frozen=True, slots=True)
class Side:
    """One scenario."""

    actor: str
    file: str
    text: str
    command: str
    """How SIPp plays it."""
    answers: bool
    """It waits for the other side, so it is to be started first."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A flow as scenarios, and what of it could not be exported."""

    sides: tuple[Side, ...]
    """Those that are to be started first come first."""
    left_out: tuple[Fault, ...]


def export_run(flow: Flow, trace: Trace, addresses: Mapping[str, Address], *, source: str) -> Exported:
    """Write the scenarios of both parties of a flow, from the trace of its simulation; `source` is how it was named.

    Raises FlowError where the parties cannot be two SIPps.
    """
    check_exportable(flow)
    acts = {name: acts_of(trace, name) for name in flow.actors}
    end_us = max((each.at_us for some in acts.values() for each in some), default=0)
    first = next((transit.sender for transit in trace.messages()), "")
    stem = file_stem(flow)
    sides = []
    names = sorted(flow.actors, key=lambda name: name == first)  # who is called waits, so it is started first
    for number, name in enumerate(names):
        peer = next(other for other in flow.actors if other != name)
        died_at = crashed_at(trace, name)
        silent_us = None if died_at is None else max(0, end_us - died_at)
        cast = Cast(name, addresses[name], addresses[peer], name == first, flow.timers.t1_us, signature(flow))
        file = f"{stem}.{name}.xml"
        command = _command(file, number, end_us, flow, is_silent=died_at is not None)
        remarks = _remarks(flow, source, name, command, is_first=number == 0)
        text = scenario_xml(cast, acts[name], title=f"{name} of {flow.title}", remarks=remarks, silent_us=silent_us)
        sides.append(Side(name, file, text, command, number == 0))
    left_out = (*unexportable(flow), *_races(flow, acts))
    return Exported(tuple(sides), left_out)


def file_stem(flow: Flow) -> str:
    """Return how the files of a flow begin: "refresh.se=120"."""
    return _UNSAFE.sub("-", f"{flow.name}.{flow.case}" if flow.case else flow.name)


def _remarks(flow: Flow, source: str, name: str, command: str, *, is_first: bool) -> list[str]:
    case = f", case {flow.case}" if flow.case else ""
    order = "Start this side first:" if is_first else "Start this side when the other one listens:"
    return [f"{name} of {source}{case}, as simkit simulates it.", order, "", f"  {command}"]


def _command(file: str, number: int, end_us: int, flow: Flow, *, is_silent: bool) -> str:
    ports = (_FIRST_PORT + 1 - number, _FIRST_PORT + number)
    words = ["sipp", "-sf", file, "-i", _HOST, "-p", str(ports[0]), "-m", "1", "-nostdin", "-watchdog_interval", "0"]
    words += ["-timeout", f"{end_us // S + _SPARE_S}s", "-timeout_error"]
    words += ["-pause_msg_ign"] if is_silent else []  # for else it answers a BYE by itself
    words += ["-t", "t1"] if flow.transport.value == "tcp" else []
    return shlex.join([*words, f"{_HOST}:{ports[1]}"])


def _races(flow: Flow, acts: Mapping[str, list[Act]]) -> list[Fault]:
    """Say what may come in another order: what crosses on its way."""
    found = []
    for name, some in acts.items():
        for act in races(some):
            what = f"at {format_time(act.at_us)} s {act.message.start_line.partition(' ')[0]} crosses what {name} sends"
            found.append(Fault(flow.sources.get("flow", flow.source), f"{what}: SIPp may see them the other way round"))
    return found
