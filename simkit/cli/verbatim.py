"""`simkit replay --verbatim`: send the messages of captures again as they are, and compare what arrives."""

from collections.abc import Sequence

from ..captures.compare import compare_calls
from ..captures.reader import read_capture
from ..reports.comparison import comparison_text
from ..reports.style import Style
from ..runs.verbatim import Spoken, calls_of, send_again
from ..sip.uri import host_port
from .recordings import find_captures, read_calls
from .terminal import say
from .words import Manner


def replay_verbatim(
    paths: Sequence[str], *, speed: int | None, tolerance_us: int, host: str, manner: Manner, look: Style
) -> bool:
    """Send the messages of each capture again; say what came of it, and return whether all arrived as recorded.

    Raises CaptureError for what is no capture, SetupError where a socket cannot be had.
    """
    found = [path for folder in paths for path in find_captures(folder)]
    same = [_replay(path, speed, tolerance_us, host, manner, look) for path in found]
    return all(same)


def _replay(path: str, speed: int | None, tolerance_us: int, host: str, manner: Manner, look: Style) -> bool:
    recorded, spoken = read_calls(path), _spoken(path)
    seen = send_again(spoken, speed=speed, host=host)
    comparison = compare_calls(recorded, calls_of(seen.trace), tolerance_us=tolerance_us * (speed or 1))
    if manner is Manner.VERBOSE or not (comparison.equal or manner is Manner.SILENT):
        say(comparison_text(comparison, look, names=(path, "what arrived"), verbose=manner is Manner.VERBOSE) + "\n")
    if manner is not Manner.SILENT:
        count = len(spoken) - seen.missing
        say(look.text(f"{'PASS' if comparison.equal else 'FAIL'}  {path}: {count} of {len(spoken)} messages arrived"))
    return comparison.equal


def _spoken(path: str) -> list[Spoken]:
    """Return the messages of a capture as bytes, in the order of time."""
    with read_capture(path) as reader:
        messages = [Spoken(each.at, host_port(each.source), host_port(each.destination), each.raw) for each in reader]
    return sorted(messages, key=lambda each: each.at)
