"""The command of a process: one text, split as a shell would, or a list; and where actors are, filled into it."""

from collections.abc import Mapping, Sequence

from .addresses import places
from .faults import Misread, quoted
from .model import Address
from .variables import fill


def split_command(text: str) -> tuple[str, ...]:
    """Split a command as a shell would. Raises Misread."""
    import shlex  # few flows have a command

    try:
        return checked_command(shlex.split(text))
    except ValueError as error:
        raise Misread(f"{quoted(text)} cannot be split into words: {error}") from None


def checked_command(command: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command. Raises Misread where there is no program."""
    if not command or not command[0]:
        raise Misread("a command begins with its program")
    return tuple(command)


def with_places(command: Sequence[str], addresses: Mapping[str, Address]) -> tuple[str, ...]:
    """Return a command with the addresses of the actors filled in."""
    known = places(addresses)
    return tuple(fill(word, known) for word in command)
