"""Runs as JUnit XML: a test suite for each flow file, a test case for each of its cases.

The form that Jenkins, GitLab and GitHub readers share; it has no standard. Times are left out unless asked for, so that
the same seed gives the same bytes.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..runs.run import Run
from ..runs.verdict import Verdict
from ..units import S
from .cells import printable
from .failure import failure_lines
from .ladder import ladder
from .style import PLAIN
from .summary import verdict_line
from .system_logs import logs

_TAGS = {Verdict.FAIL: "failure", Verdict.ERROR: "error"}


def junit(runs: Iterable[Run], *, wall: bool = False) -> str:
    """Return the whole document; runs of one file stand together, in the order of their first."""
    ordered = list(runs)
    first = {run.flow.path: -index for index, run in reversed(list(enumerate(ordered)))}
    by_file = sorted(ordered, key=lambda run: -first[run.flow.path])
    root = _counted(Element("testsuites"), "simkit", ordered, wall=wall)
    for path, group in groupby(by_file, key=lambda run: run.flow.path):
        suite = list(group)
        element = _counted(SubElement(root, "testsuite"), path, suite, wall=wall)
        for run in suite:
            _case(element, run, wall=wall)
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _counted(element: Element, name: str, runs: Sequence[Run], *, wall: bool) -> Element:
    element.set("name", printable(name))
    element.set("tests", str(len(runs)))
    element.set("failures", str(sum(run.verdict is Verdict.FAIL for run in runs)))
    element.set("errors", str(sum(run.verdict is Verdict.ERROR for run in runs)))
    if wall:
        element.set("time", _seconds(sum(run.wall_us for run in runs)))
    return element


def _case(suite: Element, run: Run, *, wall: bool) -> None:
    path = printable(run.flow.path)
    case = SubElement(suite, "testcase", classname=path, name=printable(run.flow.title), file=path)
    if wall:
        case.set("time", _seconds(run.wall_us))
    SubElement(SubElement(case, "properties"), "property", name="seed", value=str(run.seed))
    if run.passed:
        return
    blocks = ["\n".join(failure_lines(failure, run)) for failure in run.failures]
    headline = printable(run.failures[0].headline) if run.failures else verdict_line(run, PLAIN, wall=False)
    SubElement(case, _TAGS[run.verdict], message=headline, type=run.verdict.value).text = (
        "\n\n".join(blocks) or headline
    )
    if drawing := ladder(run, PLAIN, call=run.failures[0].call if run.failures else 0):
        SubElement(case, "system-out").text = f"\n{drawing}\n"
    if logged := logs(run, PLAIN):
        SubElement(case, "system-err").text = f"\n{logged}\n"


def _seconds(wall_us: int) -> str:
    return f"{wall_us // S}.{wall_us % S:06d}"
