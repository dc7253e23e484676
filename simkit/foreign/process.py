"""A child process that we talk to line by line: started, asked, and always ended, with everything it has started.

Its standard error is its log, of which the end is kept. What the lines say is `wire`'s.
"""

import contextlib
import os
import select
from collections.abc import Sequence
from time import monotonic
from typing import IO, Final

from ..errors import ForeignError
from ..processes.group import GRACE_S, Process, end_group, end_of, ends_within, start_group
from ..processes.interruptions import undisturbed
from ..processes.last_lines import last_lines
from .wire import shown_line

LINE_BYTES_MAX: Final = 1 << 20
"""Longest line that a child may write: a SIP message fits many times."""
LOG_BYTES_MAX: Final = 16_384

_CHUNK: Final = 65_536
_CHUNKS_LEFT_MAX: Final = 16
_GLANCE_S: Final = 0.1
"""How often to look whether a silent child still lives: one that it forked may hold its pipes open."""


class ChildProcess:
    """A program that answers lines with lines, in the current folder. Every failure is a ForeignError."""

    def __init__(self, command: Sequence[str], *, whose: str, timeout_s: float) -> None:
        """Prepare to start it; errors begin with `whose` it is."""
        self._command = command
        self._whose = whose
        self._timeout_s = timeout_s
        self._unread = bytearray()
        self._log = bytearray()
        self._process: Process | None = None
        self._input = self._output = self._errors = -1
        self._poll = select.poll()

    def start(self) -> None:
        """Start it. Raises ForeignError where that cannot be done."""
        try:
            with undisturbed():
                self._process = start_group(self._command)
                self._watch(self._process)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the command
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ForeignError(f"{self._whose} cannot be started: {reason}") from None

    def _watch(self, process: Process) -> None:
        self._input, self._output, self._errors = (pipe.fileno() for pipe in _pipes(process))
        for descriptor in (self._input, self._output, self._errors):
            os.set_blocking(descriptor, False)
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._errors, select.POLLIN)

    # --- talking ---

    def read_line(self) -> bytes:
        """Return the next line, without its end. Raises ForeignError where none comes in time."""
        give_up_at = monotonic() + self._timeout_s
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > LINE_BYTES_MAX:
                raise self.failure(f"wrote {LINE_BYTES_MAX:,} bytes without an end of line")
            self._wait(give_up_at)
        line = bytes(self._unread[:end])
        if end + 1 < len(self._unread):
            raise self.failure(
                f"wrote more than one line for one request: {shown_line(bytes(self._unread[end + 1 :]))}"
            )
        self._unread.clear()
        return line

    def exchange(self, line: bytes) -> bytes:
        """Write a line and return the line that answers it. Raises ForeignError where none comes in time."""
        try:
            written = os.write(self._input, line)
        except BlockingIOError:
            written = 0
        except BrokenPipeError:
            raise self._death(closed="input") from None
        if written < len(line):
            self._write_slowly(line[written:])
        return self.read_line()

    def _write_slowly(self, rest: bytes) -> None:
        """Write what the pipe does not take at once, and keep reading, so that neither side waits for the other."""
        give_up_at = monotonic() + self._timeout_s
        self._poll.register(self._input, select.POLLOUT)
        try:
            while rest:
                self._wait(give_up_at)
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(self._input, rest) :]
        except BrokenPipeError:
            raise self._death(closed="input") from None
        finally:
            self._poll.unregister(self._input)

    def _wait(self, give_up_at: float) -> None:
        """Wait until something can be read or written, and read it."""
        ready = self._poll.poll(_GLANCE_S * 1000)
        for descriptor, _ in ready:
            if descriptor == self._errors:
                self._read_log()
            elif descriptor == self._output:
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    raise self._death()
                self._unread += chunk
        if not ready and self._running.poll() is not None:
            raise self._death()
        if monotonic() > give_up_at:
            raise self.failure(
                f"did not answer within {self._timeout_s:g} s of real time (does it flush what it writes?)"
            )

    def _read_log(self) -> bool:
        """Read some of the log; False where there is nothing to read now, or nothing will come any more."""
        try:
            chunk = os.read(self._errors, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._errors)
            return False
        self._log += chunk
        del self._log[:-LOG_BYTES_MAX]
        return True

    # --- failing ---

    def note(self, text: str) -> None:
        """Add to its log what it said by way of the protocol."""
        self._log += text.encode("utf-8", "replace") + b"\n"
        del self._log[:-LOG_BYTES_MAX]

    def failure(self, what: str) -> ForeignError:
        """Return the error to raise for what it did; it is ended, and its log read to the end, by then."""
        self.end(at_once=True)
        return ForeignError(f"{self._whose} {what}", last_lines(self._log.decode("utf-8", "replace").splitlines()))

    def _death(self, *, closed: str = "output") -> ForeignError:
        process = self._running
        if not ends_within(GRACE_S, process):
            return self.failure(f"closed its standard {closed}")
        return self.failure(end_of(process.returncode))

    # --- ending ---

    @property
    def _running(self) -> Process:
        assert self._process is not None, "it has been started"
        return self._process

    @property
    def has_ended(self) -> bool:
        """Whether it has been ended, or has not been started."""
        return self._process is None

    def end(self, *, at_once: bool = False) -> None:
        """End it and all that it started: by the end of its input, by SIGTERM, and in any case by SIGKILL."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            _pipes(process)[0].close()
            ends_within(0.0 if at_once else GRACE_S, process)
        finally:
            end_group(process)
            self._close(process)

    def _close(self, process: Process) -> None:
        """Read what is left of the log: as much as a pipe holds, for one that left the session may still write."""
        for _ in range(_CHUNKS_LEFT_MAX):
            if not self._read_log():
                break
        for pipe in _pipes(process)[1:]:
            pipe.close()


def _pipes(process: Process) -> list[IO[bytes]]:
    return [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe is not None]
