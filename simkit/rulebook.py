"""The rules that simkit judges by: RFC 4028 statement by statement, and what a session timer needs of RFC 3261, 3264,
3311 and 6026.

The words are ours and stand in rulebook.txt, whose head says what its columns mean; importing this module reads it (a
few milliseconds), so import it where a rule is asked for. It judges nothing itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Strength(StrEnum):
    """How much a statement asks (RFC 2119); where it permits one thing and forbids another, what it forbids."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    RECOMMENDED = "RECOMMENDED"
    NOT_RECOMMENDED = "NOT RECOMMENDED"
    MAY = "MAY"
    DEFINITION = "DEFINITION"


class Observable(StrEnum):
    """What of a rule a capture can show."""

    YES = "yes"
    PARTLY = "partly"  # absence over time, or a matter of local policy
    BOTH_HOPS = "both hops"  # needs both sides of a proxy
    NO = "no"


class Severity(StrEnum):
    """How bad it is to break a rule."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One statement of an RFC, in our own words."""

    id: str
    """"RFC4028-7.2-11", "3261-14.1a"."""
    section: str
    """A key of SECTIONS: "RFC4028-7.2", "3261"."""
    strength: Strength
    actor: str
    """Whom it binds: "UAC", "UAS", "proxy", "UAC as refresher", "other side", "any"."""
    observable: Observable
    checked: bool
    """Whether our wording was compared with the RFC's; see `severity`."""
    statement: str
    why: str = ""
    """What it means in practice; "" where the statement says it all."""
    example: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """How bad it is to break this rule; one step milder where its wording is unchecked."""
        if self.strength in (Strength.MUST, Strength.MUST_NOT):
            return Severity.ERROR if self.checked else Severity.WARNING
        if self.strength in (Strength.MAY, Strength.DEFINITION) or not self.checked:
            return Severity.NOTE
        return Severity.WARNING


def _read(text: str) -> tuple[dict[str, str], dict[str, Rule]]:
    sections: dict[str, str] = {}
    rules: dict[str, Rule] = {}
    section = ""
    for head, body in _blocks(text):
        if head.startswith("== "):
            section, sections[section] = head[3:].split(" | ")
        else:
            rule = _rule(section, head, body)
            assert rule.id not in rules, rule.id
            rules[rule.id] = rule
    return sections, rules


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each line that is not indented with the indented lines below it; comments and blank lines fall away."""
    head, body = "", list[str]()
    for line in text.splitlines():
        if line.startswith("  "):
            body.append(line[2:])
        elif line and not line.startswith("#"):
            if head:
                yield head, body
            head, body = line, []
    yield head, body


def _rule(section: str, head: str, body: list[str]) -> Rule:
    id, strength, actor, observable, basis = head.split(" | ")
    example: list[str] = []
    if "example:" in body:
        start = body.index("example:")
        body, example = body[:start], [line.removeprefix("  ") for line in body[start + 1 :]]
    statement, _, why = " ".join(body).partition(" why: ")
    return Rule(
        id=id,
        section=section,
        strength=Strength(strength),
        actor=actor,
        observable=Observable(observable),
        checked=basis == "checked",
        statement=statement,
        why=why,
        example=tuple(example),
    )


_sections, _rules = _read(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))

SECTIONS: Final[Mapping[str, str]] = _sections
"""Every section's id and title: "RFC4028-7.2": "The UAC: processing a 2xx"."""

RULES: Final[Mapping[str, Rule]] = _rules
"""Every rule by its id, in the order of the RFCs."""


def rules_under(prefix: str) -> tuple[Rule, ...]:
    """Return the rules of a section or of a part of one: "RFC4028", "RFC4028-10", "3261-14.1"; () for anything else.

    Letters compare without case; "RFC4028-1" is no part of section 10, nor "3261-14" one of a section 140.
    """
    wanted = prefix.lower()
    return tuple(rule for rule in RULES.values() if _is_part(rule.id.lower(), wanted))


def _is_part(id: str, prefix: str) -> bool:
    return id.startswith(prefix) and not (prefix[-1:].isdigit() and id[len(prefix) : len(prefix) + 1].isdigit())
