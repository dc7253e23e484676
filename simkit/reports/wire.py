"""How runs went over the loopback, in a line: where, how fast, and who saw what was on the wire."""

from collections.abc import Sequence

from ..runs.run import Run
from .cells import wrap
from .counts import counted
from .style import Style


def wire_line(runs: Sequence[Run], style: Style, *, saved: str | None = None) -> str:
    """Return "on 127.0.0.1 in real time, idle time skipped; recorded by scapy's sniffer on lo", without a line end.

    `saved` is the capture that was written.
    """
    wires = [run.wire for run in runs if run.wire]
    hosts = dict.fromkeys(host for run in runs for host, _ in run.addresses.values())
    parts = [f"on {' and '.join(hosts)} in {' and '.join(dict.fromkeys(wire.pace for wire in wires))}"]
    for by, note in dict.fromkeys((wire.recorded_by, wire.note) for wire in wires):
        parts.append(f"recorded by {by}" + (f", for {note}" if note else ""))
    if saved:
        parts.append(f"saved to {saved}, its times in seconds of SIP")
    strays = sum(wire.strays for wire in wires)
    if strays:
        parts.append(f"{counted(strays, 'message')} from elsewhere ignored")
    return "\n".join(wrap(style.text("; ".join(parts)), style.width))
