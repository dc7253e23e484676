"""What other programs read: JSON, JUnit, TAP, GitHub annotations."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import yaml

from simkit.errors import Fault
from simkit.reports.github import annotations
from simkit.reports.json_report import json_line, run_object
from simkit.reports.junit import junit
from simkit.reports.tap import tap
from simkit.runs.run import Run
from simkit.runs.verdict import Verdict

from . import building
from .golden import assert_golden

HOSTILE = '<a & "b"> ]]> # \\ % : , \x00\x1b\r\n\ufffe\udc80 é'


def some_runs() -> list[Run]:
    return [building.expiry(), building.broken(), building.run("refresh"), building.run("odd", verdict=Verdict.ERROR)]


def hostile() -> Run:
    run = building.run(HOSTILE, verdict=Verdict.FAIL, case=HOSTILE)
    run.failures = [replace(building.failure(), headline=HOSTILE, note=HOSTILE, details=(HOSTILE,))]
    run.violations = [replace(building.expiry().violations[0], text=HOSTILE)]
    return run


def test_json_has_the_keys_that_were_promised() -> None:
    expectation = "line text verdict expected_us actual_us"
    call = "call_id session_interval_s refresher refreshes ended_by ended_us reason"
    violation = "rule severity actor at_us frame text"
    run = json.loads(json_line(building.expiry()))
    keys = "simkit flow case seed verdict virtual_us wall_us messages expectations calls violations"
    assert list(run) == keys.split()
    assert [list(run[key][0]) for key in ("expectations", "calls", "violations")] == [
        expectation.split(),
        call.split(),
        violation.split(),
    ]


def test_json_is_as_it_was() -> None:
    assert_golden("runs.json", "".join(map(json_line, some_runs())))


@pytest.mark.parametrize("run", [hostile(), building.broken()], ids=["hostile", "broken"])
def test_json_is_one_line_of_ascii_that_reads_back(run: Run) -> None:
    line = json_line(run)
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.endswith("}\n")
    assert json.loads(line) == run_object(run)


def test_wall_time_is_told_only_when_asked_for() -> None:
    assert run_object(building.expiry())["wall_us"] is None
    assert run_object(building.expiry(), wall=True)["wall_us"] == 3100
    assert "time=" not in junit(some_runs())
    assert 'time="0.003100"' in junit(some_runs(), wall=True)


def test_junit_is_as_it_was() -> None:
    assert_golden("junit.xml", junit(some_runs()))


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_run() -> None:
    root = ElementTree.fromstring(junit(some_runs()))
    suites = {suite.get("name"): [case.get("name") for case in suite] for suite in root}
    assert suites == {
        "flows/expiry.yaml": ["expiry"],
        "flows/refresh.yaml": ["refresh[se=90]", "refresh"],
        "flows/odd.yaml": ["odd"],
    }
    assert [(each.get("tests"), each.get("failures"), each.get("errors")) for each in [root, *root]] == [
        ("4", "1", "1"),
        ("1", "0", "0"),
        ("2", "1", "0"),
        ("1", "0", "1"),
    ]


def test_junit_keeps_what_belongs_to_one_file_together() -> None:
    root = ElementTree.fromstring(junit([building.run("a"), building.run("b"), building.run("a", case="x=1")]))
    assert [[case.get("name") for case in suite] for suite in root] == [["a", "a[x=1]"], ["b"]]


def test_junit_of_nothing_is_a_document() -> None:
    assert ElementTree.fromstring(junit([])).get("tests") == "0"


def test_junit_survives_what_xml_forbids() -> None:
    case = ElementTree.fromstring(junit([hostile()])).find(".//testcase")
    assert case is not None
    assert case.get("name", "").startswith('<a & "b"> ]]> # \\ % : , \\x00\\x1b\\r\\n\\ufffe\\udc80 é[')


def test_tap_is_as_it_was() -> None:
    assert_golden("runs.tap", tap(some_runs()))


@pytest.mark.parametrize("run", [hostile(), building.broken()], ids=["hostile", "broken"])
def test_the_diagnostics_of_tap_are_yaml(run: Run) -> None:
    _, _, line, *block = tap([run]).splitlines()
    assert re.fullmatch(r"not ok 1 - (\\[#\\]|[^#\\])*", line)
    read = yaml.safe_load("\n".join(line.removeprefix("  ") for line in block[1:-1]))
    assert [block[0], block[-1]] == ["  ---", "  ..."]
    assert (read["verdict"], read["seed"], read["failures"][0]["line"]) == ("fail", 1, 21)
    assert read["failures"][0]["text"].startswith("flows/refresh.yaml:21:5: ")


def test_annotations_are_as_they_were() -> None:
    runs = some_runs()
    warning = Fault(building.source("flows/expiry.yaml", 14, 9), "30 s is below the floor of 90 s")
    for run in runs[:2]:  # two cases with one warning
        run.flow = replace(run.flow, name="expiry", warnings=(warning,))
    assert_golden("annotations.txt", annotations(runs))


def test_nothing_is_annotated_where_all_held() -> None:
    assert annotations([building.expiry()]) == ""


def test_annotations_escape_what_github_reads() -> None:
    (line,) = annotations([hostile()]).split("\n")[:-1]
    _, command, message = re.split(r"^::|(?<=[^:])::", line, maxsplit=2)
    assert re.fullmatch(r"error file=[^,:]*,line=21,col=5,title=[^,:]*", command)
    assert line.isprintable()
    assert message.replace("%0A", "").replace("%25", "").count("%") == 0
