"""What a system under test writes, line by line, with when it came: its output, and a file that it logs to.

Files are followed while they grow, and from their beginning when they are begun anew. Memory is bounded: of a system
that never stops talking, the latest lines are kept.
"""

import os
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Final

LINES_MAX: Final = 20_000
LINE_BYTES_MAX: Final = 4_096
GLANCE_S: Final = 0.01
"""How often is looked for more: so late a line's time may be, of real time."""

_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line, without its end."""

    at_ns: int
    """When it came, by `time.monotonic_ns`."""
    text: str


@dataclass(slots=True)
class _Followed:
    """A file, and how far it has been read."""

    path: str
    offset: int
    unfinished: bytearray = field(default_factory=bytearray)
    """The line that has no end yet."""


class Log:
    """Follows files from where they end when it begins; `end` stops that."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._files = [_Followed(path, _size(path)) for path in paths]
        self._lines: deque[LogLine] = deque(maxlen=LINES_MAX)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log", daemon=True)

    def begin(self) -> None:
        """Follow the files from here on."""
        self._thread.start()

    def end(self) -> None:
        """Read to the end, and stop."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._read()
        for file in self._files:
            if file.unfinished:
                self._add(monotonic_ns(), file)

    def lines(self) -> tuple[LogLine, ...]:
        """Return the lines that have come so far, the latest LINES_MAX of them."""
        self._read()
        with self._lock:
            return tuple(self._lines)

    def holds(self, text: str, *, since_ns: int = 0) -> bool:
        """Whether a line that came since then has this text in it, were it one without an end."""
        if any(text in line.text for line in self.lines() if line.at_ns >= since_ns):
            return True
        with self._lock:
            return any(text in file.unfinished.decode("utf-8", "replace") for file in self._files)

    def _follow(self) -> None:
        while not self._over.wait(GLANCE_S):
            self._read()

    def _read(self) -> None:
        with self._lock:
            for file in self._files:
                with suppress(OSError):  # it is not there yet
                    self._read_on(file)

    def _read_on(self, file: _Followed) -> None:
        size = _size(file.path)
        if size < file.offset:  # it has been begun anew
            file.offset = 0
            file.unfinished.clear()
        if size == file.offset:
            return
        now_ns = monotonic_ns()
        with open(file.path, "rb") as stream:
            stream.seek(file.offset)
            while chunk := stream.read(_CHUNK):
                file.offset += len(chunk)
                *ended, rest = chunk.split(b"\n")
                for part in ended:
                    file.unfinished += part
                    self._add(now_ns, file)
                file.unfinished += rest
                del file.unfinished[LINE_BYTES_MAX:]

    def _add(self, at_ns: int, file: _Followed) -> None:
        text = file.unfinished[:LINE_BYTES_MAX].decode("utf-8", "replace").removesuffix("\r")
        self._lines.append(LogLine(at_ns, text))
        file.unfinished.clear()


def _size(path: str) -> int:
    with suppress(OSError):
        return os.stat(path).st_size
    return 0
