"""What a comparison of two captures yields: calls side by side, message by message, each difference with its class.

Made by `compare`; shown by reports. The left side is what was expected, the right side what came instead.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from ..trace import Transit


class Kind(StrEnum):
    """The class of a difference."""

    SEMANTIC = "semantic"  # the parties said something else
    TIMING = "timing"  # ... the same, but at another time or another number of times
    COSMETIC = "cosmetic"  # ... the same, in other words
    DYNAMIC = "dynamic"  # differs from run to run: names, addresses, dates


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two messages differ; a text is None where that side has nothing."""

    kind: Kind
    field: str
    """"Session-Expires", "status", "To tag", "body o= version", ..."""
    left: str | None
    right: str | None
    why: str
    """The rule that puts it into its class, in words."""


@dataclass(slots=True)
class Sending:
    """One message of a call, however often it was sent."""

    transit: Transit
    """Its first sending."""
    at: int
    """Microseconds since the call began."""
    sender: int
    """The party's number; the same number is the same role on both sides."""
    receiver: int
    title: str
    """"INVITE", "200 INVITE"."""
    is_request: bool
    exchange: tuple[int, int, int]
    """Who asked whom, and the CSeq number: what a request shares with its responses, its ACK and its CANCEL."""
    cseq_step: int | None
    """By how much CSeq differs from that party's last request; None in its first one."""
    version_step: int | None
    """By how much the version of the SDP origin differs from that party's last one; None in its first one."""
    waited_us: int | None = None
    """How long after a 491 to the one before this request came; None where there was none."""
    repeats: int = 0
    """How often it was sent again."""
    last_at: int = 0
    """When it was sent for the last time."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message and its counterpart; None on the side that lacks it."""

    left: Sending | None
    right: Sending | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CallComparison:
    """Two calls side by side, in the order of the left one; `left` and `right` are their numbers from 0."""

    left: int
    right: int
    rows: tuple[Row, ...]
    parties: tuple[tuple[str | None, str | None], ...]
    """Each party's name on the left and on the right, by its number."""

    def differences(self) -> Iterator[Difference]:
        """Every difference, in order."""
        return (difference for row in self.rows for difference in row.differences)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two captures side by side."""

    calls: tuple[CallComparison, ...]
    left_only: tuple[int, ...]
    """Calls that the right side lacks, by number."""
    right_only: tuple[int, ...]
    call_ids: tuple[tuple[str, ...], tuple[str, ...]]
    """The Call-IDs of the left side and of the right side, by the call's number."""
    tolerance_us: int
    counted: frozenset[Kind]
    """The classes that make two captures differ."""

    @property
    def equal(self) -> bool:
        """Whether nothing differs that counts."""
        return not (self.left_only or self.right_only or any(map(self.differs, self.calls)))

    def of_call(self, number: int) -> "Comparison":
        """Return the comparison of one call of the left side, by its number."""
        calls = tuple(call for call in self.calls if call.left == number)
        return replace(self, calls=calls, left_only=tuple({number} & {*self.left_only}), right_only=())

    def without_words_of(self, party: str) -> "Comparison":
        """Return it without what is otherwise within the messages of one party, by its name on the left.

        That is for a party which only follows what the other says. What it did not send, or when, still counts.
        """
        calls = (replace(call, rows=tuple(_forgiven(row, call, party) for row in call.rows)) for call in self.calls)
        return replace(self, calls=tuple(calls))

    def differs(self, call: CallComparison) -> bool:
        """Whether something counts in which these two calls differ."""
        return any(difference.kind in self.counted for difference in call.differences())

    def counts(self) -> dict[Kind, int]:
        """Return how many differences each class has; a call that one side lacks is a semantic one."""
        found = Counter(difference.kind for call in self.calls for difference in call.differences())
        found[Kind.SEMANTIC] += len(self.left_only) + len(self.right_only)
        return {kind: found[kind] for kind in Kind}


def _forgiven(row: Row, call: CallComparison, party: str) -> Row:
    if row.left is None or row.right is None or call.parties[row.left.sender][0] != party:
        return row
    return replace(row, differences=tuple(each for each in row.differences if each.kind is not Kind.SEMANTIC))
