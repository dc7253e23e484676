"""Files that a command writes: whole or not at all, and known to be writable before the work begins."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

import click

from ..errors import SetupError
from .terminal import silence

STANDARD_OUTPUT = "-"


class Output:
    """One file to write, or standard output ("-"); leaving the `with` block takes back what was not written to its end.

    A regular file is written beside its place and renamed; a pipe or a device is written directly. Raises SetupError
    where that cannot be done: on opening, if it can be known by then.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._target = os.path.realpath(path)
        self._is_regular = os.path.isfile(self._target) or not os.path.exists(self._target)
        self._part = f"{self._target}.{os.getpid()}.part"
        self._stream = self._open()

    def _open(self) -> BinaryIO:
        if self.path == STANDARD_OUTPUT:
            return sys.stdout.buffer
        try:
            return open(self._part if self._is_regular else self._target, "wb")
        except OSError as error:
            raise SetupError(f"cannot write {self.path}: {error.strerror}") from None

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        if self.path != STANDARD_OUTPUT:
            with contextlib.suppress(OSError):
                self._stream.close()
            with contextlib.suppress(FileNotFoundError):  # it is in its place
                os.unlink(self._part)

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """Yield the stream to write all of the content to; after this block the file is in its place.

        A reader of standard output that has gone is no error.
        """
        try:
            yield self._stream
            self._stream.flush()
            if self.path != STANDARD_OUTPUT:
                self._stream.close()
                if self._is_regular:
                    os.replace(self._part, self._target)
        except BrokenPipeError:
            if self.path == STANDARD_OUTPUT:
                silence(sys.stdout)
        except OSError as error:
            raise SetupError(f"cannot write {self.path}: {error.strerror}") from None

    def write(self, text: str) -> None:
        """Write text, as UTF-8, as all of the content."""
        with self.writing() as stream:
            stream.write(text.encode())


def write_new(path: str, text: str, *, force: bool) -> None:
    """Write a file, or standard output. Raises UsageError for a file that is there already, unless `force` says so."""
    if path != STANDARD_OUTPUT and not force and os.path.exists(path):
        raise click.UsageError(f"{path} is there already: name another file by -o, or say --force")
    with Output(path) as output:
        output.write(text)
