"""How a run comes out, as its lines and terms are judged: what was expected, and what did not hold.

All times are microseconds of virtual time since the run began.
"""

from dataclasses import dataclass
from enum import StrEnum

from ..errors import Source


class Verdict(StrEnum):
    """How a run or an expectation came out."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"  # the run could not go on: a stimulus that its party refuses, a zero-time loop, an interruption


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing the flow says must be seen or hold, and how it came out."""

    source: Source
    text: str
    verdict: Verdict
    expected_us: int | None = None
    actual_us: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not hold, as a person is to read it.

    "flows/x.yaml:21:7: <headline>", the source line, a caret with `note`, then `details`, a line each; `rule` names the
    rule at stake.
    """

    source: Source
    headline: str
    note: str = ""
    details: tuple[str, ...] = ()
    rule: str | None = None
    rule_note: str = ""
    """What the rule means here: "the interval restarts with the most recent 2xx; the last was at 60.000 s"."""
    at: int = 0
    call: int = 0
    """Which of the flow's calls, from 0."""
    frame: int | None = None
    """The message that broke it, by its `Transit.number`; None where one that was due did not come."""
