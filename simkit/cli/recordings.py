"""Where the recording of a flow is, and which flow a capture is a recording of: what its messages say, or its name.

`captures/` lies beside the folder of the flows and has its shape, a file for each case:

    flows/glare.yaml                    captures/glare.pcap
    flows/refresh.yaml, case se=90      captures/refresh.se=90.pcap
    flows/proxy/call.yaml               captures/proxy/call.pcap
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ..captures.calls import captured_calls
from ..captures.reader import read_capture
from ..errors import CaptureError, FlowError, NothingToRunError
from ..flows.files import STDIN, is_flow
from ..flows.loader import load_path
from ..flows.model import Flow
from ..flows.signature import is_signed_by, signed
from ..reports.counts import counted
from ..trace import Trace
from .progress import ReadingProgress
from .terminal import say

FOLDER: Final = "captures"
FLOWS_FOLDER: Final = "flows"

_SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")
_FLOW_SUFFIXES: Final = (".yaml", ".yml")
_FOLDERS_UP: Final = 3
"""So many folders above a capture may hold the folder of its flow."""
_TEXT_MAX: Final = 1 << 20  # a flow file is never larger
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
    """Return the calls of a capture in the order in which they begin; say where it breaks off.

    Raises CaptureError where it cannot be read, NothingToRunError where there is none in it.
    """
    progress = ReadingProgress(path)
    try:
        with read_capture(path, progress=progress.read) as reader:
            coming = captured_calls(reader, begun=progress.begun)
            calls = sorted(coming, key=lambda call: next(call.trace.messages()).number)
    finally:
        progress.clear()
    if reader.truncated:
        say(f"{path}: it breaks off: {reader.truncated}", err=True)
    if not calls:
        packets = counted(reader.packets, "packet")
        reasons = ", ".join(f"{count} {reason}" for reason, count in reader.skipped.most_common())
        encrypted = "; what is encrypted cannot be read" if reader.skipped["TLS"] or reader.skipped["ESP"] else ""
        found = f" ({reasons})" if reasons else ""
        raise NothingToRunError(f"{path}: no SIP message is in its {packets}{found}{encrypted}")
    return [call.trace for call in calls]


def read_each(paths: Sequence[str]) -> Iterator[tuple[str, list[Trace]]]:
    """Yield the captures that have calls in them, with these; say which of several have none.

    Raises CaptureError where one cannot be read, NothingToRunError where none has any.
    """
    found = False
    for path in paths:
        try:
            calls = read_calls(path)
        except NothingToRunError as error:
            if len(paths) == 1:
                raise
            say(str(error), err=True)
            continue
        found = True
        yield path, calls
    if not found:
        raise NothingToRunError(f"no SIP message is in any of {len(paths)} captures")


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


def recorded_flow(capture: str, calls: Sequence[Trace]) -> Flow | None:
    """Return the flow that a capture is a recording of; None where there is none.

    It is said where the messages are not of the flow that the capture's name is of. Raises FlowError for a flow that
    cannot be loaded, CaptureError where two in the nearest folder have the title that the messages say.
    """
    title, by_name = signed_title(calls), _flow_by_name(capture)
    if title is None or (by_name is not None and is_signed_by(by_name, title)):
        return by_name
    nearest_first = _flow_files(Path(os.path.abspath(capture)))
    around = ([flow for path in paths for flow in _flows_called(path, title)] for paths in nearest_first)
    found = next(filter(None, around), [])
    if len(found) > 1:
        places = " and ".join(sorted({flow.path for flow in found}))
        raise CaptureError(f"{capture}: a recording of '{title}', which is in {places}: say which by --flow")
    if not found:
        instead = f"taken for one of '{by_name.title}', as its name says" if by_name else "its calls are rebuilt"
        say(f"{capture}: a recording of '{title}', which is not found here; {instead} (--flow says better)", err=True)
        return by_name
    if by_name is not None:
        say(f"{capture}: named as if of '{by_name.title}', but a recording of '{title}': played as that", err=True)
    return found[0]


def signed_title(calls: Sequence[Trace]) -> str | None:
    """Return the title of the flow that the messages of a capture say they are of; None for other people's."""
    return signed(each.message.body for call in calls for each in call.messages())


def _flow_by_name(capture: str) -> Flow | None:
    """Return the flow whose recording has a capture's name."""
    for path in _namesakes(Path(os.path.abspath(capture))):
        for flow in load_path(_shown(path)):
            place = recording_path(flow)
            if place is not None and os.path.abspath(place) == os.path.abspath(capture):
                return flow
    return None


def _flow_files(capture: Path) -> Iterator[list[str]]:
    """Yield the flow files around a capture, folder by folder upwards, then those around us."""
    for base in dict.fromkeys([*capture.parents[:_FOLDERS_UP], Path.cwd()]):
        inside = (base / FLOWS_FOLDER).rglob("*.y*ml") if (base / FLOWS_FOLDER).is_dir() else ()
        found = dict.fromkeys(path.resolve() for path in sorted([*base.glob("*.y*ml"), *inside]))
        yield [_shown(path) for path in found if _is_yaml(path.name)]


def _flows_called(path: str, title: str) -> list[Flow]:
    """Return the flows of a file that have this title; nothing where it is no flow, or cannot be one of that title."""
    name = title.partition("[")[0]
    with open(path, "rb") as file:
        text = file.read(_TEXT_MAX)
    if name.split()[0].encode() not in text + os.path.basename(path).encode() or not is_flow(path):
        return []
    try:
        return [flow for flow in load_path(path) if is_signed_by(flow, title)]
    except FlowError:
        return []  # it may be any other


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
