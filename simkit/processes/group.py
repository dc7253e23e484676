"""A program with a session of its own: Ctrl-C reaches us alone, and a signal to its group all that it has forked.

What it says, and what is done about it, is the business of those who start it.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Final

GRACE_S: Final = 1.0
"""How long a program may take to end by itself."""

NOWHERE: Final = subprocess.DEVNULL

Streams = int | IO[bytes]
Process = subprocess.Popen[bytes]


def start_group(
    command: Sequence[str],
    *,
    output: Streams = subprocess.PIPE,
    errors: Streams = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start a program in the current folder, with pipes to its standard input, and to the outputs that go nowhere else.

    Raises OSError where that cannot be done, ValueError for a NUL in the command. Call it where nothing interrupts, and
    keep what it returns: only `end_group` takes it away.
    """
    return subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=errors,
        env=None if environment is None else dict(environment),
        start_new_session=True,
    )


def signal_group(process: Process, number: signal.Signals) -> None:
    """Signal the whole group, which is there as long as one of its members is."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, for zombies only
        os.killpg(process.pid, number)


def ends_within(seconds: float, process: Process) -> bool:
    """Wait for a program to end by itself; tell whether it did."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def end_group(process: Process, *, asked_s: float = GRACE_S) -> None:
    """End it and all that it has forked: by SIGTERM, and after so long, or an interruption, by SIGKILL."""
    try:
        if process.poll() is None:
            signal_group(process, signal.SIGTERM)
            signal_group(process, signal.SIGCONT)  # one that stands still hears of nothing else
            ends_within(asked_s, process)
    finally:
        signal_group(process, signal.SIGKILL)
        process.wait()


def end_of(status: int) -> str:
    """Return "ended with exit status 1" or "was killed by SIGKILL" of what `poll` says."""
    return f"was killed by {_signal_name(-status)}" if status < 0 else f"ended with exit status {status}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
