"""What a comparison notes down as it goes through a call: differences, and which name stands for which.

A name (a tag, a branch, an address) may be another one on the other side if it is so throughout: one to one. Then it is
dynamic, and told where it first appears; where the two part, that is semantic, and told once.
"""

from collections.abc import Mapping
from typing import Final

from .comparison import Difference, Kind

NAMED: Final[Mapping[str, str]] = {
    "Call-ID": "names the call (RFC 3261 section 8.1.1.4)",
    "tag": "names a side of the dialog (RFC 3261 section 19.3)",
    "branch": "names a transaction (RFC 3261 section 8.1.1.7)",
    "address of record": "says who it is, not what is said",
    "target": "says who is called",
    "contact": "says where a party is reached in this dialog (RFC 3261 section 12.1)",
    "route": "says where a proxy is",
    "address": "says who or where somebody is",
    "sent-by": "says where responses go (RFC 3261 section 18.1.1)",
    "provisional": "numbers a reliable provisional response (RFC 3262 section 7.1)",
    "session id": "names the SDP session (RFC 4566 section 5.2)",
    "media address": "says where media go",
    "media port": "says where media go",
}
"""What is named, and what the name is for."""


class Findings:
    """Differences as they are found in one message after the other."""

    def __init__(self) -> None:
        self.count = 0
        """So many differences were found so far ..."""
        self.weight = 0
        """... and so many that are more than dynamic."""
        self.settled: set[tuple[object, ...]] = set()
        """What was compared without finding anything, and need not be again."""
        self._found: list[Difference] = []
        self._right_of: dict[tuple[str, str], str] = {}
        self._left_of: dict[tuple[str, str], str] = {}
        self._told: set[tuple[str, str, str]] = set()

    def take(self) -> tuple[Difference, ...]:
        """Return what was found since the last time."""
        found = tuple(self._found)
        self._found.clear()
        return found

    def add(self, kind: Kind, field: str, left: str | None, right: str | None, why: str) -> None:
        """Note a difference."""
        self.count += 1
        self.weight += kind is not Kind.DYNAMIC
        self._found.append(Difference(kind, field, left, right, why))

    def name(self, what: str, field: str, left: str, right: str, *, owner: object = "") -> None:
        """Compare two names of something in NAMED; those of one `owner` have nothing to do with those of another."""
        scope = f"{what} {owner}"
        known_right, known_left = self._right_of.get((scope, left)), self._left_of.get((scope, right))
        if known_right is None and known_left is None:
            self._right_of[scope, left], self._left_of[scope, right] = right, left
            if left != right:
                self.add(Kind.DYNAMIC, field, left, right, f"{NAMED[what]}: any other will do if it is kept")
        elif known_right != right and (scope, left, right) not in self._told:
            self._told.add((scope, left, right))
            self.add(Kind.SEMANTIC, field, left, right, f"{NAMED[what]}: {_contradiction(known_right, known_left)}")


def _contradiction(known_right: str | None, known_left: str | None) -> str:
    """Say what was learned before: the left name's counterpart, or whose counterpart the right name is."""
    if known_right is not None:
        return f"its counterpart was {known_right} before"
    return f"this was the counterpart of {known_left} before"
