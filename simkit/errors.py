"""What can go wrong in a way that the user can put right: one class per reaction, each with its exit code.

`SimkitError` is for what a user can mend; `assert` is for what only we can. A fault in a file says where
(`Source`), what, and how to mend it. Lines and columns count from 1.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a file: what an error message points at."""

    path: str
    line: int
    column: int = 1
    text: str = ""
    """The source line itself, without its line end."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at one place of a file."""

    source: Source
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}{caret(self.source)}"


def caret(source: Source, note: str = "") -> str:
    """Return the source line with a caret under its column, as lines that begin with a line end; "" without text."""
    if not source.text:
        return ""
    number = f"{source.line:>5}"
    shown = source.text.replace("\t", " ")
    start = max(0, source.column - 80)  # keep the caret in sight on a very long line
    indent = " " * (source.column - 1 - start)
    return f"\n{number} | {shown[start : start + 160]}\n{' ' * len(number)} | {indent}^{' ' + note if note else ''}"


class SimkitError(Exception):
    """Something the user can put right; `str()` is the whole text to show. Never raised itself."""

    exit_code: ClassVar[int] = 2


class FlowError(SimkitError):
    """A flow file that cannot be used, with all its faults (exit code 2)."""

    def __init__(self, faults: "list[Fault] | tuple[Fault, ...]") -> None:
        assert faults
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[object, ...]:
        return FlowError, (self.faults,)  # to get whole from one process to another


class CaptureError(SimkitError):
    """A capture that cannot be read or written (exit code 2)."""


class SetupError(SimkitError):
    """The surroundings do not allow it: no permission, a port taken, an output that cannot be written (exit code 3)."""

    exit_code: ClassVar[int] = 3


class ForeignError(SimkitError):
    """Somebody else's code failed: it died, hung, broke the protocol or raised (exit code 3).

    `what` says so; `log` are the last lines of its log, or of the traceback through its own files.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, log: tuple[str, ...] = (), place: Source | None = None, note: str = "") -> None:
        super().__init__(what, log, place, note)
        self.what = what
        self.log = log
        self.place = place
        self.note = note

    def at(self, place: Source, *, when: str = "", note: str = "") -> "ForeignError":
        """Return this error with the line of the flow, and when in the run it happened."""
        what = f"{when}, {self.what}" if when else self.what
        return ForeignError(what, self.log, self.place or place, note)

    def __str__(self) -> str:
        first = f"{self.place}: {self.what}{caret(self.place, self.note)}" if self.place else self.what
        return "\n".join([first, *(f"    {line}" for line in self.log)])


class NothingToRunError(SimkitError):
    """No flow was found or chosen (exit code 5)."""

    exit_code: ClassVar[int] = 5


class LocalError(SimkitError):
    """A command that RFC 3261 forbids us in this state, such as a hang-up of a call that is over."""


class PeerError(SimkitError):
    """The other side broke a rule; `status` is what to answer it (RFC 3261 section 21)."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(message)
