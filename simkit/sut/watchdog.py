"""Ends a system under test when we cannot: killed by SIGKILL, or crashed.

A small shell waits for a word from us. When its pipe breaks instead, we are gone, and it ends the group. It does not
find processes that have left their group, as daemons do; nor is it there in the instant between two starts of ours.
"""

import contextlib
from typing import Final

from ..processes.group import NOWHERE, Process, end_group, ends_within, start_group

_PROGRAM: Final = (
    "read -r word && exit;"
    ' kill -s TERM -- "-$1"; kill -s CONT -- "-$1"; sleep 1; kill -s KILL -- "-$1";'
    ' rm -f "/dev/shm/faketime_shm_$1" "/dev/shm/sem.faketime_sem_$1";'
    ' [ -z "$2" ] || { rm -f "$2"; rmdir "${2%/*}"; }'
)


class Watchdog:
    """Watches over the group of a process, from when it is made until `dismiss`."""

    def __init__(self, process: Process, private: str | None = None) -> None:
        """Raise OSError where there is no shell. A `private` file is taken away then, with its folder."""
        command = ["/bin/sh", "-c", _PROGRAM, "simkit-watchdog", str(process.pid), private or ""]
        self._shell = start_group(command, output=NOWHERE, errors=NOWHERE)

    def dismiss(self) -> None:
        """Let it go: what it watched over has been ended."""
        assert self._shell.stdin is not None
        with contextlib.suppress(OSError), self._shell.stdin:  # OSError: somebody has ended it
            self._shell.stdin.write(b"over\n")
        if not ends_within(1.0, self._shell):
            end_group(self._shell)
