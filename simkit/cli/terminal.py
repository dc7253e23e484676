"""Where the words go: what the terminal can show, and writing to it whatever becomes of its reader."""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

from ..errors import SetupError

if TYPE_CHECKING:
    from ..reports.style import Style


def style(colour: bool | None) -> "Style":
    """Return how reports look on standard output; `colour` None: where it is a terminal, unless NO_COLOR is set."""
    from ..reports.style import Style

    if colour is None:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(width=width(), unicode=can_draw(), colour=colour)


def width() -> int:
    """Return the columns of the terminal: COLUMNS, or what it says itself, or 80 where there is none."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def can_draw() -> bool:
    """Whether standard output takes the characters that ladders are drawn with."""
    if os.environ.get("LC_ALL") in ("C", "POSIX"):
        return False
    try:
        "│▶✗⋮".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def tolerate() -> None:
    """Take a closed stream (`>&-`) for /dev/null, and show "?" for characters that an output cannot show."""
    sys.stdin, sys.stdout, sys.stderr = (
        stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - it stays open to the end
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str, *, err: bool = False) -> None:
    """Print lines. A reader that has gone (`| head`) is no error: the work goes on, its exit code still counts.

    Raises SetupError where the output cannot be written for another reason, such as a full disk.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, file=stream, color=True)  # colours are the style's business, not click's
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        raise SetupError(f"cannot write the output: {error.strerror}") from None


def silence(stream: TextIO) -> None:
    """Let everything that is written from here on go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
