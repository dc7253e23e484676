"""A rule of the audit: its id in the rulebook, how bad it is to break it, and a function that looks for the breach."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Generic, NamedTuple, TypeVar

from ..rulebook import RULES, Severity
from .finding import Finding
from .sending import Passing, Sending, Terms

Subject = TypeVar("Subject")
ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING
NOTE: Final = Severity.NOTE


class Breach(NamedTuple):
    """What a check found; the rule that it belongs to signs it."""

    sending: Sending | Passing
    """The message that breaks the rule, or that made due what did not come."""
    text: str
    likely: str = ""
    actor: str | None = None
    """None: the message's sender."""
    at: int | None = None
    """None: when the message was sent."""
    severity: Severity | None = None
    """None: the rule's own."""


@dataclass(frozen=True, slots=True)
class AuditRule(Generic[Subject]):
    """A rule with the function that finds what breaks it: in a message, a transaction, a session or a dialog."""

    id: str
    check: Callable[[Subject], Breach | Iterable[Breach] | None]
    severity: Severity

    def findings(self, found: Breach | Iterable[Breach]) -> list[Finding]:
        """Sign what the check found."""
        return [self._sign(breach) for breach in ((found,) if isinstance(found, Breach) else found)]

    def _sign(self, breach: Breach) -> Finding:
        sending = breach.sending
        return Finding(
            self.id,
            breach.severity or self.severity,
            breach.actor or sending.sender,
            sending.at if breach.at is None else breach.at,
            sending.frame,
            breach.text,
            breach.likely,
        )


def rule(
    id: str, check: Callable[[Subject], Breach | Iterable[Breach] | None], severity: Severity | None = None
) -> AuditRule[Subject]:
    """Return the rule of this id; its severity is that of the rulebook, unless the audit has a reason for another."""
    return AuditRule(id, check, severity or RULES[id].severity)


# --- rules about what a message says, whoever sent it and when -------------------------------------------------------


class Fault(NamedTuple):
    """What is wrong with what a message says."""

    text: str
    likely: str = ""


TermsCheck = Callable[[Terms, Terms], Fault | None]
"""Takes what a message said, and what the next one made of it: request and 2xx, or the two sides of a proxy."""


@dataclass(frozen=True, slots=True)
class TermsRule:
    """A rule about what is said in reply: it needs no more than the two, so that like pairs are judged once."""

    id: str
    check: TermsCheck
    severity: Severity

    def sign(self, fault: Fault, sending: Sending | Passing) -> Finding:
        """Return the finding about this message."""
        return Finding(self.id, self.severity, sending.sender, sending.at, sending.frame, *fault)


def terms_rule(id: str, check: TermsCheck, severity: Severity | None = None) -> TermsRule:
    """Return the rule of this id, as `rule` does."""
    return TermsRule(id, check, severity or RULES[id].severity)


Faults = tuple[tuple[TermsRule, Fault], ...]


def remembering(rules: tuple[TermsRule, ...]) -> Callable[[Terms, Terms], Faults]:
    """Return a function that applies the rules, and remembers what came of it: most calls say the same."""

    @lru_cache(maxsize=4096)
    def faults(before: Terms, after: Terms) -> Faults:
        found = ((rule, rule.check(before, after)) for rule in rules)
        return tuple((rule, fault) for rule, fault in found if fault is not None)

    return faults
