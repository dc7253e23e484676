"""A child process that we talk to line by line: started, asked, and always ended, with everything it has started.

It has a session of its own, so that Ctrl-C reaches us alone and a signal to its group reaches all that it forked. Its
standard error is its log, of which the end is kept. What the lines say is `wire`'s.
"""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Final, NoReturn

from ..errors import ForeignError
from .wire import shown_line

LINE_BYTES_MAX: Final = 1 << 20
"""Longest line that a child may write: a SIP message fits many times."""
LOG_BYTES_MAX: Final = 16_384
LOG_LINES_SHOWN: Final = 10
GRACE_S: Final = 1.0
"""How long a child may take to end by itself, and then again after SIGTERM."""

_CHUNK: Final = 65_536
_CHUNKS_LEFT_MAX: Final = 16
_GLANCE_S: Final = 0.1
"""How often to look whether a silent child still lives: one that it forked may hold its pipes open."""


class ChildProcess:
    """A program that answers lines with lines, in the current folder. Every failure is a ForeignError."""

    def __init__(self, command: Sequence[str], *, whose: str, timeout_s: float) -> None:
        """Start it; errors begin with `whose` it is. Raises ForeignError where that cannot be done."""
        self._whose = whose
        self._timeout_s = timeout_s
        self._unread = bytearray()
        self._log = bytearray()
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in the command
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ForeignError(f"{whose} cannot be started: {reason}") from None
        process = self._process
        self._input, self._output, self._errors = (
            pipe.fileno() for pipe in (process.stdin, process.stdout, process.stderr) if pipe is not None
        )
        for descriptor in (self._input, self._output, self._errors):
            os.set_blocking(descriptor, False)
        self._poll = select.poll()
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
            raise self._death() from None
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
            raise self._death() from None
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
        if not ready and self._process.poll() is not None:
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
        return ForeignError(f"{self._whose} {what}", self._last_lines())

    def _death(self) -> ForeignError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)
        status = self._process.poll()
        if status is None:
            return self.failure("closed its standard output")
        if status < 0:
            return self.failure(f"was killed by {_signal_name(-status)}")
        return self.failure(f"ended with exit status {status}")

    def _last_lines(self) -> tuple[str, ...]:
        text = self._log.decode("utf-8", "replace")
        lines = [
            "".join(character if character.isprintable() else " " for character in line) for line in text.splitlines()
        ]
        if len(lines) > LOG_LINES_SHOWN:
            return f"the last {LOG_LINES_SHOWN} lines of its log:", *lines[-LOG_LINES_SHOWN:]
        return ("its log:", *lines) if lines else ("its log is empty",)

    # --- ending ---

    @property
    def has_ended(self) -> bool:
        """Whether it has been ended."""
        return self._process.stdin is None or self._process.stdin.closed

    def end(self, *, at_once: bool = False) -> None:
        """End it and all that it started: by the end of its input, by SIGTERM, and in any case by SIGKILL."""
        process = self._process
        if process.stdin is None or process.stdin.closed:
            return
        process.stdin.close()  # which says as well that it is being ended
        try:
            if not (self._ends_within(0.0) if at_once else self._ends_within(GRACE_S)):
                self._signal(signal.SIGTERM)
                self._ends_within(GRACE_S)
        finally:
            self._signal(signal.SIGKILL)
            process.wait()
            self._close()

    def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        """Signal its whole group: that is there as long as one of its members is."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, for zombies only
            os.killpg(self._process.pid, number)

    def _close(self) -> None:
        """Read what is left of the log: as much as a pipe holds, for one that left the session may still write."""
        for _ in range(_CHUNKS_LEFT_MAX):
            if not self._read_log():
                break
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _SignalledError(BaseException):
    """A signal that would have ended us without a word."""


@contextlib.contextmanager
def orderly_ends() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end us only when this block has been left, so that children are ended before.

    Elsewhere than in the main thread, and where somebody has other plans for these signals, nothing is changed.
    """
    received: list[int] = []

    def receive(number: int, _: object) -> NoReturn:
        received.append(number)
        raise _SignalledError

    changed = []
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                with contextlib.suppress(ValueError):
                    signal.signal(number, receive)
                    changed.append(number)
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
        if received:
            os.kill(os.getpid(), received[0])
