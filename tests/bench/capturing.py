"""The captures that are measured, made by simkit itself, and what other programs read them with."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from .measuring import Program, measure
from .programs import NINE

PART_CALLS: Final = 11_112
"""A capture of more calls is made in parts, one after the other in time: a simulation holds all that it writes."""

TSHARK_CALLS_MAX: Final = 2_000
"""tshark looks through all calls between two addresses at every message: its time grows with their square."""

FIELDS: Final = (
    "frame.number frame.time_epoch ip.src udp.srcport ip.dst udp.dstport sip.Method sip.Status-Code sip.Call-ID "
    "sip.from.tag sip.to.tag sip.Via.branch sip.CSeq sip.Session-Expires sip.Min-SE sip.Supported sip.Require "
    "sip.Contact sip.Allow"
).split()
"""What the audit goes by."""

_FILE_HEADER_BYTES: Final = 24
_RECORD: Final = Struct("<IIII")  # seconds, microseconds, bytes kept, bytes sent


@contextmanager
def recording(calls: int) -> Iterator[str]:
    """Yield the path of a capture with so many calls; the same bytes each time."""
    with TemporaryDirectory() as folder:
        capture = Path(folder, "calls.pcap")
        flow, part = Path(folder, "nine.yaml"), Path(folder, "part.pcap")
        flow.write_text(NINE)
        later_s = 0
        with capture.open("wb") as file:
            for number, first in enumerate(range(0, calls, PART_CALLS)):
                count = min(PART_CALLS, calls - first)
                words = ("simulate", "-q", str(flow), "--calls", str(count), "--seed", str(1 + number))
                measure(Program(("-m", "simkit", *words, "--pcap", str(part))))
                later_s = _append(file, part.read_bytes(), later_s)
        part.unlink()
        yield str(capture)


def _append(file: BinaryIO, part: bytes, later_s: int) -> int:
    """Add the packets of a capture, each so many seconds later; return how much later still the next one is to be."""
    if not later_s:
        file.write(part[:_FILE_HEADER_BYTES])
    at, first_s, seconds = _FILE_HEADER_BYTES, None, 0
    while at < len(part):
        seconds, *rest = _RECORD.unpack_from(part, at)
        first_s = seconds if first_s is None else first_s
        end = at + _RECORD.size + rest[1]
        file.write(_RECORD.pack(seconds + later_s, *rest) + part[at + _RECORD.size : end])
        at = end
    return later_s + seconds - (first_s or 0) + 1


def readers(path: str, calls: int) -> dict[str, Program]:
    """Return the other programs that are installed and can read the capture in good time, by what they do."""
    found: dict[str, Program] = {}
    tshark, sngrep = shutil.which("tshark"), shutil.which("sngrep")
    if tshark and calls <= TSHARK_CALLS_MAX:
        fields = [word for field in FIELDS for word in ("-e", field)]
        words = ("-n", "-r", path, "-Y", "sip", "-T", "fields", *fields)
        found["tshark, reading the same fields"] = Program(words, executable=tshark)
    if sngrep:
        words = ("-F", "-N", "-q", "-l", str(calls), "-I", path)
        found["sngrep, listing the calls"] = Program(words, executable=sngrep)
    return found
