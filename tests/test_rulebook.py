"""The rulebook holds every rule once, and says of each what a verdict needs."""

import itertools
import re

import pytest

from simkit.rulebook import RULES, SECTIONS, Rule, Severity, Strength, rules_under
from simkit.ua.timers import Timer

# RFC 4028 section by section: how many statements it makes.
STATEMENTS = {
    "RFC4028-4": 8,
    "RFC4028-5": 5,
    "RFC4028-6": 2,
    "RFC4028-7.1": 11,
    "RFC4028-7.2": 13,
    "RFC4028-7.3": 3,
    "RFC4028-7.4": 17,
    "RFC4028-8": 3,
    "RFC4028-8.1": 17,
    "RFC4028-8.2": 8,
    "RFC4028-8.3": 2,
    "RFC4028-9": 16,
    "RFC4028-10": 8,
    "RFC4028-11": 3,
}


@pytest.mark.parametrize("section", STATEMENTS)
def test_a_section_of_rfc_4028_has_all_its_statements(section: str) -> None:
    assert sum(rule.section == section for rule in RULES.values()) == STATEMENTS[section]


def test_statements_of_a_section_are_numbered_without_a_gap() -> None:
    numbered = [rule.id.rsplit("-", 1) for rule in rules_under("RFC4028")]
    for section, group in itertools.groupby(numbered, key=lambda parts: parts[0]):
        assert [number for _, number in group] == [str(n + 1) for n in range(len(rules_under(section + "-")))], section


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_reads_as_sentences(rule: Rule) -> None:
    assert rule.section in SECTIONS
    assert rule.id.startswith(rule.section)
    assert re.fullmatch(r"\S.*[.]", rule.statement), rule.statement
    assert rule.why == "" or rule.why.endswith("."), rule.why
    assert "  " not in rule.statement + rule.why
    assert len(rule.statement) < 300
    assert all(len(line) <= 76 for line in rule.example)


def test_what_people_trip_over_is_explained() -> None:
    for id in ("RFC4028-7.2-4", "RFC4028-7.2-12", "RFC4028-7.4-9", "RFC4028-9-9", "RFC4028-10-3", "RFC4028-10-7"):
        assert RULES[id].why, id
        assert RULES[id].example, id


@pytest.mark.parametrize("timer", Timer, ids=lambda timer: timer.value)
def test_every_timer_names_a_rule(timer: Timer) -> None:
    assert rules_under(timer.rule)


# fmt: off
SEVERITIES = [
    # rule             strength                  checked  severity
    ("RFC4028-9-11",   Strength.MUST,            True,    Severity.ERROR),
    ("RFC4028-9-6",    Strength.MUST_NOT,        True,    Severity.ERROR),
    ("RFC4028-7.1-9",  Strength.MUST,            False,   Severity.WARNING),
    ("RFC4028-9-5",    Strength.MUST_NOT,        False,   Severity.WARNING),
    ("RFC4028-10-6",   Strength.SHOULD,          True,    Severity.WARNING),
    ("RFC4028-4-6",    Strength.SHOULD_NOT,      True,    Severity.WARNING),
    ("RFC4028-10-7",   Strength.RECOMMENDED,     True,    Severity.WARNING),
    ("RFC4028-10-5",   Strength.SHOULD_NOT,      False,   Severity.NOTE),
    ("RFC4028-7.1-5",  Strength.NOT_RECOMMENDED, False,   Severity.NOTE),
    ("RFC4028-9-1",    Strength.MAY,             True,    Severity.NOTE),
    ("RFC4028-4-3",    Strength.DEFINITION,      True,    Severity.NOTE),
]
# fmt: on


@pytest.mark.parametrize(("id", "strength", "checked", "severity"), SEVERITIES, ids=[row[0] for row in SEVERITIES])
def test_an_unchecked_wording_is_judged_one_step_milder(
    id: str, strength: Strength, checked: bool, severity: Severity
) -> None:
    rule = RULES[id]
    assert (rule.strength, rule.checked, rule.severity) == (strength, checked, severity)


@pytest.mark.parametrize(
    ("prefix", "ids"),
    [
        ("RFC4028-6", ["RFC4028-6-1", "RFC4028-6-2"]),
        ("rfc4028-8.3", ["RFC4028-8.3-1", "RFC4028-8.3-2"]),
        ("3261-14.1", ["3261-14.1a", "3261-14.1b", "3261-14.1c"]),
        ("3311-5.2", ["3311-5.2a", "3311-5.2b", "3311-5.2c"]),
        ("RFC4028-1", []),
        ("RFC9999", []),
    ],
)
def test_a_prefix_finds_the_rules_of_its_section(prefix: str, ids: list[str]) -> None:
    assert [rule.id for rule in rules_under(prefix)] == ids


def test_a_section_is_not_mistaken_for_one_whose_number_begins_alike() -> None:
    assert all(rule.section == "RFC4028-10" for rule in rules_under("RFC4028-10"))
    assert not any(rule.section == "RFC4028-11" for rule in rules_under("RFC4028-1"))
