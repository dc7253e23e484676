"""`simkit explain`: what a rule asks, whom it binds and why; the rules of a section; the times that follow."""

import re
import textwrap
from collections.abc import Iterator

import click

from ..rulebook import RULES, SECTIONS, Observable, Rule, Severity, Strength, rules_under
from .terminal import say, width

SEEN = {
    Observable.YES: "A capture shows it.",
    Observable.PARTLY: "A capture shows it in part: it is about what does not come, or about local policy.",
    Observable.BOTH_HOPS: "Only captures on both sides of the proxy show it.",
    Observable.NO: "No capture shows it.",
}


@click.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
def command(rules: tuple[str, ...]) -> int:
    """Say what a rule asks, and why.

    RULE is a rule (RFC4028-10-7, or just 10-7), a section (RFC4028-10), or `timing`: when refreshes, hang-ups and
    retransmissions are due. Without one, all sections are listed.
    """
    parts = [explanation(rule) for rule in rules] or [sections()]
    say("\n\n".join(parts))
    return 0


def explanation(wanted: str) -> str:
    """Return all there is to say of a rule, the rules of a section, or the timing tables.

    Raises UsageError for an unknown one, with the likely ids.
    """
    if wanted.lower() == "timing":
        from .timing import timing

        return timing()
    found = find(wanted)
    if len(found) == 1:
        return "\n".join(full(found[0]))
    return "\n\n".join(brief(rule) for rule in found)


def find(wanted: str) -> tuple[Rule, ...]:
    """Return the rule of this id, or the rules below it; RFC4028 goes without saying, as does the RFC of 3261."""
    spellings = (wanted, f"RFC4028-{wanted}", f"RFC{wanted}", wanted.upper().removeprefix("RFC"))
    for spelling in spellings:
        for id, rule in RULES.items():
            if id.lower() == spelling.lower():
                return (rule,)
    for spelling in spellings:
        if found := rules_under(spelling):
            return found
    raise click.UsageError(f"no rule '{wanted}'{_likely(wanted)}; `simkit explain` lists the sections")


def _likely(wanted: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wanted.upper(), [*RULES, *SECTIONS, "TIMING"], n=3, cutoff=0.7)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def sections() -> str:
    """Return the list of all sections."""
    counts = {id: sum(rule.section == id for rule in RULES.values()) for id in SECTIONS}
    lines = [f"{id:<12} {counts[id]:>5}   {title}" for id, title in SECTIONS.items()]
    return "\n".join(["section      rules", *lines, "timing               When all that is due, in seconds"])


def brief(rule: Rule) -> str:
    """Return a rule as an entry of a list."""
    return "\n".join([f"{rule.id}  {rule.strength}, {rule.actor}", *_wrapped(rule.statement)])


def full(rule: Rule) -> Iterator[str]:
    """Yield all lines there are about a rule."""
    yield f"{rule.id}  {rule.strength}, {rule.actor}"
    yield SECTIONS[rule.section]
    yield ""
    yield from _wrapped(rule.statement)
    if rule.why:
        yield ""
        yield from _wrapped(f"Why: {rule.why}")
    if rule.example:
        yield ""
        yield from (f"    {line}" for line in rule.example)
    yield ""
    yield from _wrapped(f"{SEEN[rule.observable]} {_weight(rule)}")
    yield f"  {link(rule)}"


def _weight(rule: Rule) -> str:
    if rule.strength in (Strength.MAY, Strength.DEFINITION):
        return ""
    words = {Severity.ERROR: "is an error", Severity.WARNING: "is worth a warning", Severity.NOTE: "is worth a note"}
    milder = "" if rule.checked else ": milder than it sounds, for our wording has not been checked against the RFC's"
    return f"Breaking it {words[rule.severity]}{milder}."


def link(rule: Rule) -> str:
    """Return where the RFC itself says it."""
    number, section = rule.id.removeprefix("RFC").split("-")[:2]
    return f"https://www.rfc-editor.org/rfc/rfc{number}#section-{re.sub('[a-z]$', '', section)}"


def _wrapped(text: str) -> list[str]:
    columns = min(width(), 100)
    return textwrap.wrap(text, columns, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
