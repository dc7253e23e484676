"""Where the recording of a flow is, and which flow a capture is a recording of: by their names, for a pcap has no room.

`captures/` lies beside the folder of the flows and has its shape, a file for each case:

    flows/glare.yaml                    captures/glare.pcap
    flows/refresh.yaml, case se=90      captures/refresh.se=90.pcap
    flows/proxy/call.yaml               captures/proxy/call.pcap
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..captures.calls import captured_calls
from ..captures.reader import read_capture
from ..errors import CaptureError, NothingToRunError
from ..flows.files import STDIN, is_flow
from ..flows.loader import load_path
from ..flows.model import Flow
from ..trace import Trace

FOLDER: Final = "captures"
FLOWS_FOLDER: Final = "flows"

_SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")
_FLOW_SUFFIXES: Final = (".yaml", ".yml")
_UNSAFE = re.compile(r"[^\w=,.+-]+")


def is_capture(path: str) -> bool:
    """Tell a capture from a flow by its name; a folder of captures is one that holds no flow."""
    if os.path.isdir(path):
        found = [name for _, _, names in os.walk(path) for name in names]
        return any(name.endswith(_SUFFIXES) for name in found) and not any(map(_is_yaml, found))
    return path.endswith(_SUFFIXES)


def find_captures(path: str) -> list[str]:
    """Return the captures that a path means: itself, or those in a folder, in the order of their names.

    Raises CaptureError where it does not exist.
    """
    if not os.path.exists(path):
        raise CaptureError(f"{path}: no such file or folder")
    if not os.path.isdir(path):
        return [path]
    inside = (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
    return sorted(each for each in inside if each.endswith(_SUFFIXES))


def read_calls(path: str) -> list[Trace]:
    """Return the calls of a capture in the order in which they begin. Raises CaptureError where there is none."""
    with read_capture(path) as reader:
        calls = sorted(captured_calls(reader), key=lambda call: next(call.trace.messages()).number)
    if not calls:
        raise CaptureError(f"{path}: no SIP message is in this capture")
    return [call.trace for call in calls]


def recording_path(flow: Flow) -> str | None:
    """Return where the recording of a flow is, or would be; None for a flow that is no file.

    `captures/` is looked for beside the flow and in the folders above it, as far as the current folder; where there is
    none it belongs into the current folder, or beside a flow that is elsewhere.
    """
    if flow.path == STDIN or not os.path.isfile(flow.path):
        return None
    path, here = Path(os.path.abspath(flow.path)), Path.cwd()
    above = [folder for folder in path.parents if folder.is_relative_to(here)] or list(path.parents)[:2]
    base = next((folder for folder in above if (folder / FOLDER).is_dir()), None)
    if base is None:
        base = here if path.is_relative_to(here) else path.parent
    inside = path.relative_to(base).parts
    name = f"{path.stem}.{_UNSAFE.sub('-', flow.case)}" if flow.case else path.stem
    return _shown(base.joinpath(FOLDER, *inside[1:-1], f"{name}.pcap"))


def recorded_flow(capture: str) -> Flow | None:
    """Return the flow that a capture is a recording of; None where no flow has its name.

    Raises FlowError for one that cannot be loaded.
    """
    for path in _namesakes(Path(os.path.abspath(capture))):
        for flow in load_path(_shown(path)):
            place = recording_path(flow)
            if place is not None and os.path.abspath(place) == os.path.abspath(capture):
                return flow
    return None


def flow_named(path: str, case: str | None) -> Flow:
    """Return a flow, or the one case whose label contains `case`. Raises NothingToRunError where that is not one."""
    flows = [flow for flow in load_path(path) if case is None or case in (flow.case or "")]
    if len(flows) != 1:
        raise NothingToRunError(f"{path} has {len(flows) or 'no'} cases like that: choose one by --case")
    return flows[0]


def _namesakes(capture: Path) -> Iterator[Path]:
    """Yield the flow files whose name the capture's name begins with."""
    for folder in capture.parents:
        if folder.name != FOLDER:
            continue
        inside = capture.parent.relative_to(folder)
        for beside in (folder.parent / FLOWS_FOLDER / inside, folder.parent / inside):
            for path in sorted(beside.glob("*.y*ml")):
                if f"{capture.name}.".startswith(f"{path.stem}.") and _is_yaml(path.name) and is_flow(str(path)):
                    yield path


def _is_yaml(name: str) -> bool:
    return name.endswith(_FLOW_SUFFIXES)


def _shown(path: Path) -> str:
    """Return a path as people write it: from the current folder, if it is in there."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
