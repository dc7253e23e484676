"""Recorded calls that were played again, for machines: JSON with the keys of other runs, and JUnit XML."""

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .. import __version__
from ..captures.sendings import title_of
from ..runs.verdict import Verdict
from ..trace import Transit
from .audit_json import audited_call_object, finding_object
from .cells import printable
from .comparison_json import comparison_object
from .replayed import ReplayedCall, call_line, differences_text
from .style import PLAIN

_TAGS = {Verdict.FAIL: "failure", Verdict.ERROR: "error"}


def replayed_object(call: ReplayedCall) -> dict[str, object]:
    """Return the object of one call: that of a run, without a flow, and with its comparison."""
    last_at = max((each.sent_at for each in call.seen.messages()), default=0)
    return {
        "simkit": __version__,
        "flow": None,
        "case": None,
        "seed": None,
        "capture": call.capture,
        "call": call.number,
        "as": call.side,
        "target": call.target,
        "verdict": call.verdict.value,
        "virtual_us": last_at,
        "wall_us": None,
        "messages": call.messages,
        "expectations": [_expectation(step, at, call.verdict) for step, at in call.came],
        "calls": [audited_call_object(call.audit)],
        "violations": [finding_object(finding) for finding in call.audit.findings],
        "newly_broken": [finding.rule for finding in call.broken],
        "never_came": [title_of(step.message) for step in call.missing],
        "comparison": comparison_object(call.comparison, names=(call.capture, call.target or "what arrived")),
        "driver": "loopback",
        "speed": call.speed,
        "tolerance_us": call.comparison.tolerance_us,
        "recorded_by": "the sockets",
    }


def _expectation(step: Transit, at: int | None, verdict: Verdict) -> dict[str, object]:
    missed = Verdict.ERROR if verdict is Verdict.ERROR else Verdict.FAIL
    return {
        "line": None,
        "text": f"{step.sender} -> {step.receiver}: {title_of(step.message)}",
        "verdict": (missed if at is None else Verdict.PASS).value,
        "expected_us": step.sent_at,
        "actual_us": at,
    }


def replayed_lines(calls: Iterable[ReplayedCall]) -> str:
    """Return the object of each call as a line of ASCII."""
    return "".join(json.dumps(replayed_object(call)) + "\n" for call in calls)


def replayed_junit(calls: Sequence[ReplayedCall]) -> str:
    """Return JUnit XML: a test suite for each capture, a test case for each of its calls."""
    root = _counted(Element("testsuites"), "simkit replay", calls)
    for capture, group in groupby(calls, key=lambda call: call.capture):
        of_capture = list(group)
        suite = _counted(SubElement(root, "testsuite"), capture, of_capture)
        for call in of_capture:
            case = SubElement(suite, "testcase", classname=printable(capture), name=printable(call.title))
            if call.verdict is not Verdict.PASS:
                text = differences_text(call, PLAIN)
                SubElement(
                    case, _TAGS[call.verdict], message=call_line(call, PLAIN), type=call.verdict.value
                ).text = f"\n{text}\n"
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _counted(element: Element, name: str, calls: Sequence[ReplayedCall]) -> Element:
    element.set("name", printable(name))
    element.set("tests", str(len(calls)))
    for verdict, attribute in ((Verdict.FAIL, "failures"), (Verdict.ERROR, "errors")):
        element.set(attribute, str(sum(call.verdict is verdict for call in calls)))
    return element
