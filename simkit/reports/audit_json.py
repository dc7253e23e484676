"""Audited captures as JSON objects and as JUnit XML. Keys are only ever added; times are integers of microseconds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import dumps
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .. import __version__
from ..audit.finding import CallAudit, Deadline, Finding, Refresh
from ..rulebook import Severity
from .audit import CaptureAudit, audit_text, audit_verdict
from .cells import printable
from .style import PLAIN


def audit_json(capture: CaptureAudit) -> Iterator[str]:
    """Yield the object of one capture, a piece at a time: of many calls none but one is in memory."""
    facts = {
        "simkit": __version__,
        "capture": capture.path,
        "packets": capture.packets,
        "sip_messages": capture.sip_messages,
        "skipped": dict(capture.skipped),
        "truncated": capture.truncated,
        "error": capture.unreadable,
        "interrupted": capture.interrupted,
    }
    violations = (
        finding_object(finding) | _logged(capture, finding)
        for call in (capture.all_calls if capture.counts else ())
        for finding in call.findings
    )
    yield f'{dumps(facts)[:-1]}, "calls": ['
    yield from _listed(map(audited_call_object, capture.all_calls))
    yield '], "violations": ['
    yield from _listed(violations)
    yield "]}"


def _listed(objects: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield objects as they stand in a list."""
    for number, each in enumerate(objects):
        yield f"{', ' if number else ''}{dumps(each)}"


def _logged(capture: CaptureAudit, finding: Finding) -> dict[str, object]:
    """Return what was logged at about that time, where there is a log."""
    return {} if capture.log is None else {"log": [line.text for line in capture.logged_near(finding)]}


def audited_call_object(call: CallAudit) -> dict[str, object]:
    """Return the object of one call that was audited."""
    return {
        "call_id": call.call_id,
        "session_interval_s": call.session_interval_s,
        "refresher": call.refresher,
        "refreshes": sum(refresh.interval_s is not None for refresh in call.refreshes),
        "ended_by": call.ended_by,
        "ended_us": call.ended_us,
        "reason": call.reason,
        "caller": call.caller,
        "callee": call.callee,
        "started_us": call.started_us,
        "offered": call.offered,
        "answered": call.answered,
        "min_se_s": call.min_se_s,
        "session_refresh_requests": [_refresh(refresh) for refresh in call.refreshes],
        "deadlines": [_deadline(deadline) for deadline in call.deadlines],
    }


def _refresh(refresh: Refresh) -> dict[str, object]:
    return {
        "actor": refresh.actor,
        "method": refresh.method,
        "frame": refresh.frame,
        "at_us": refresh.at,
        "status": refresh.status,
        "answered_us": refresh.answered_at,
        "sent": refresh.sent,
        "session_interval_s": refresh.interval_s,
    }


def _deadline(deadline: Deadline) -> dict[str, object]:
    return {
        "what": deadline.what,
        "rule": deadline.rule,
        "actor": deadline.actor,
        "due_us": deadline.due_at,
        "state": deadline.state.value,
    }


def finding_object(finding: Finding) -> dict[str, object]:
    """Return the object of one rule that was broken."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "actor": finding.actor,
        "at_us": finding.at,
        "frame": finding.frame,
        "text": f"{finding.actor} {finding.text}",
        "likely": finding.likely or None,
        "again": list(finding.again),
    }


def audit_junit(captures: Sequence[CaptureAudit]) -> str:
    """Return the captures as JUnit XML: a test case for each, failed by an error among its findings."""
    root = Element("testsuites", name="simkit audit", tests=str(len(captures)))
    failed = sum(bool(capture.counts[Severity.ERROR]) for capture in captures)
    errors = sum(capture.unreadable is not None for capture in captures)
    suite = SubElement(
        root, "testsuite", name="audit", tests=str(len(captures)), failures=str(failed), errors=str(errors)
    )
    for capture in captures:
        case = SubElement(suite, "testcase", classname="audit", name=printable(capture.path))
        if capture.unreadable is not None:
            SubElement(case, "error", message=printable(capture.unreadable))
        elif capture.counts[Severity.ERROR]:
            text = audit_text(capture, PLAIN)
            SubElement(case, "failure", message=printable(audit_verdict(capture, PLAIN))).text = f"\n{text}\n"
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'
