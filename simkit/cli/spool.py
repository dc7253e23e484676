"""Calls that were judged, kept in a temporary file until they are told: memory does not grow with them.

What is said first of a capture is known when its last packet is read. The file has no name, or loses it at once where
the system allows that; leaving the `with` block takes it away on every way out. Few calls never get that far: they stay
in memory.
"""

import contextlib
from collections.abc import Iterator
from pickle import HIGHEST_PROTOCOL, Pickler, Unpickler
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from ..audit.finding import CallAudit
from ..errors import SetupError

IN_MEMORY_BYTES: Final = 1 << 20


class Spool:
    """A temporary file of calls, one capture's after another's. Raises SetupError where it cannot be written."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - leaving the block closes it

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # of what could not be written, which has been told
            self._file.close()

    def section(self) -> "Section":
        """Begin the calls of another capture: nothing is added to those before any more."""
        return Section(self._file, self._file.seek(0, 2))


class Section:
    """The calls of one capture, in the order in which they were added; each loop reads them anew."""

    def __init__(self, file: IO[bytes], begins_at: int) -> None:
        self._file, self._begins_at, self._count = file, begins_at, 0
        self._pickler = Pickler(file, HIGHEST_PROTOCOL)

    def add(self, call: CallAudit) -> None:
        """Keep a call. Raises SetupError."""
        try:
            self._pickler.dump(call)
        except OSError as error:
            raise SetupError(f"cannot keep what was found in a temporary file: {error.strerror}") from None
        self._pickler.clear_memo()
        self._count += 1

    def __iter__(self) -> Iterator[CallAudit]:
        self._file.seek(self._begins_at)
        for _ in range(self._count):
            yield Unpickler(self._file).load()
