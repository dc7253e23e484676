"""The end of a log, as it is shown in an error."""

from collections.abc import Sequence
from typing import Final

LINES_SHOWN: Final = 10


def last_lines(log: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines under a heading; control characters do not get to the terminal."""
    lines = [
        "".join(character if character.isprintable() else " " for character in line) for line in log[-LINES_SHOWN:]
    ]
    if len(log) > LINES_SHOWN:
        return f"the last {LINES_SHOWN} lines of its log:", *lines
    return ("its log:", *lines) if lines else ("its log is empty",)
