"""How a timer logic stands with the rules of RFC 4028: a table for people, JSON, and JUnit."""

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .. import __version__
from ..conformance.verdicts import Conformance, Failing, RuleVerdict, Standing
from ..rulebook import SECTIONS
from ..units import format_time
from .cells import printable
from .style import Colour, Style

_COLOURS: Final = {
    Standing.KEPT: Colour.GOOD,
    Standing.BROKEN: Colour.BAD,
    Standing.NOT_EXERCISED: Colour.MARK,
    Standing.NOT_APPLICABLE: Colour.FAINT,
}
_FAILINGS_MAX: Final = 3


def table(conformance: Conformance, style: Style, *, quiet: bool = False, verbose: bool = False) -> str:
    """Return the rules by section, each with its verdict; `quiet`: without those that are kept."""
    lines: list[str] = []
    for section, verdicts in groupby(conformance.verdicts.values(), key=lambda verdict: verdict.rule.section):
        wanted = [verdict for verdict in verdicts if not quiet or verdict.standing is Standing.BROKEN]
        if wanted:
            lines += ["", style.paint(f"{section}  {SECTIONS[section]}", Colour.NAME)]
        for verdict in wanted:
            lines += _row(verdict, style, verbose=verbose)
    return "\n".join([*lines, "", *totals(conformance, style)]).lstrip("\n")


def _row(verdict: RuleVerdict, style: Style, *, verbose: bool) -> Iterator[str]:
    standing = style.paint(f"{verdict.standing:<15}", _COLOURS[verdict.standing])
    head = f"  {verdict.rule.id:<17}{verdict.rule.strength:<16}"
    yield f"{head}{standing}{style.cut(_remark(verdict), max(20, style.width - 50))}".rstrip()
    if verbose:
        yield from _wrapped(verdict.rule.statement, style)
    shown = verdict.failings if verbose else verdict.failings[:_FAILINGS_MAX]
    for failing in shown:
        yield from _wrapped(f"{place(failing)}: {style.text(failing.text)}", style)
    if len(verdict.failings) > len(shown):
        yield f"      and {len(verdict.failings) - len(shown)} times more"


def _remark(verdict: RuleVerdict) -> str:
    if verdict.standing in (Standing.KEPT, Standing.BROKEN):
        flows = len(verdict.flows)
        return f"in {flows} flow{'s' if flows != 1 else ''}" if flows else ""
    return verdict.why


def _wrapped(text: str, style: Style) -> list[str]:
    columns = max(40, style.width)
    return textwrap.wrap(text, columns, initial_indent="      ", subsequent_indent="        ", break_on_hyphens=False)


def place(failing: Failing) -> str:
    """Return where and when a rule was broken: the flow's file and line, or its name where the auditor saw it."""
    source = failing.source
    where = f"{failing.flow}, audited" if failing.by_auditor else f"{source.path}:{source.line}:{source.column}"
    return f"{where}, at {format_time(failing.at)} s"


def totals(conformance: Conformance, style: Style) -> Iterator[str]:
    """Yield the verdict in numbers."""
    for why in dict.fromkeys(conformance.skipped.values()):
        count = sum(reason == why for reason in conformance.skipped.values())
        yield f"{count} flow{'s' if count != 1 else ''} not played: {why}"
    counts = [(standing, len(conformance.of(standing))) for standing in Standing]
    told = ", ".join(f"{count} {standing}" for standing, count in counts if count)
    exercised, applicable = conformance.coverage()
    word = style.paint("PASS", Colour.GOOD) if conformance.keeps_all else style.paint("FAIL", Colour.BAD)
    percent = format_percent(exercised, applicable)
    played = f"{conformance.played} flow{'s' if conformance.played != 1 else ''}"
    failed = f", {len(conformance.failed)} of them failed" if conformance.failed else ""
    yield f"{word}  {style.text(conformance.logic)}: {told}"
    yield f"      {percent} of {applicable} rules exercised, in {played}{failed}"


def format_percent(part: int, whole: int) -> str:
    """Return a share as "97.1%", rounded down, so that only all of it is "100%"; nothing of nothing is all of it."""
    tenths = 1000 * part // whole if whole else 1000
    return f"{tenths // 10}.{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"


# --- for machines ----------------------------------------------------------------------------------------------------


def as_json(conformance: Conformance) -> str:
    """Return one JSON object, ended by a line end; times are integers of microseconds."""
    exercised, applicable = conformance.coverage()
    whole = {
        "simkit": __version__,
        "logic": conformance.logic,
        "verdict": "pass" if conformance.keeps_all else "fail",
        "coverage": {"exercised": exercised, "applicable": applicable},
        "flows": {"played": conformance.played, "failed": conformance.failed, "skipped": conformance.skipped},
        "rules": [_rule(verdict) for verdict in conformance.verdicts.values()],
    }
    return json.dumps(whole, ensure_ascii=False) + "\n"


def _rule(verdict: RuleVerdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule.id,
        "strength": verdict.rule.strength,
        "verdict": verdict.standing,
        "why": verdict.why or None,
        "flows": verdict.flows,
        "failings": [
            {
                "flow": failing.flow,
                "path": failing.source.path,
                "line": failing.source.line,
                "at_us": failing.at,
                "by": "auditor" if failing.by_auditor else "flow",
                "text": failing.text,
            }
            for failing in verdict.failings
        ],
    }


def as_junit(conformance: Conformance) -> str:
    """Return JUnit XML: a test case for each rule; what was not exercised or does not apply is skipped."""
    verdicts = conformance.verdicts.values()
    skipped = conformance.of(Standing.NOT_EXERCISED) + conformance.of(Standing.NOT_APPLICABLE)
    suite = Element("testsuite", name=printable(f"conformance of {conformance.logic}"))
    suite.set("tests", str(len(verdicts)))
    suite.set("failures", str(len(conformance.of(Standing.BROKEN))))
    suite.set("skipped", str(len(skipped)))
    for verdict in verdicts:
        case = SubElement(suite, "testcase", classname=verdict.rule.section, name=verdict.rule.id)
        if verdict.failings:
            told = [printable(f"{place(failing)}: {failing.text}") for failing in verdict.failings]
            SubElement(case, "failure", message=told[0]).text = "\n".join([verdict.rule.statement, *told])
        elif verdict.standing is not Standing.KEPT:
            SubElement(case, "skipped", message=f"{verdict.standing}: {verdict.why}")
    indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suite, encoding="unicode")}\n'
