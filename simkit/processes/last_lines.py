"""The end of a log, as it is shown in an error."""

import re
from collections.abc import Sequence
from typing import Final

LINES_SHOWN: Final = 10
COLUMNS_SHOWN: Final = 300

_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def last_lines(log: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines under a heading, as far as they are long; control characters do not get to the terminal."""
    lines = [_shown(line) for line in log[-LINES_SHOWN:]]
    if len(log) > LINES_SHOWN:
        return f"the last {LINES_SHOWN} lines of its log:", *lines
    return ("its log:", *lines) if lines else ("its log is empty",)


def _shown(line: str) -> str:
    """Return a line as a terminal would show it: of what is written over, the end."""
    line = _COLOUR.sub("", line.rstrip("\r").rpartition("\r")[2])[:COLUMNS_SHOWN]
    return "".join(character if character.isprintable() else " " for character in line)
