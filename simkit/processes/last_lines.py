"""The end of a log, as it is shown in an error."""

from typing import Final

LINES_SHOWN: Final = 10


def last_lines(log: bytes | bytearray) -> tuple[str, ...]:
    """Return the last lines under a heading; control characters do not get to the terminal."""
    lines = [printable(line) for line in log.decode("utf-8", "replace").splitlines()]
    if len(lines) > LINES_SHOWN:
        return f"the last {LINES_SHOWN} lines of its log:", *lines[-LINES_SHOWN:]
    return ("its log:", *lines) if lines else ("its log is empty",)


def printable(line: str) -> str:
    """Return a line without what would move the cursor."""
    return "".join(character if character.isprintable() else " " for character in line)
