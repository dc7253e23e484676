"""One entry of `save`: what is kept of a message for the lines below."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saving:
    """One entry of `save`: a value of the message, kept under a name for the lines below."""

    name: str
    header: str
    part: str | None = None
    """ "tag", "refresher", "number", ...; None: the whole value."""
    pattern: str | None = None
    """A regular expression: its first group is kept, or all that it matches if it has none."""
