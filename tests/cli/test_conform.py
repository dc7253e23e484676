"""`simkit conform`: a table by rule, what is broken where, what does not apply, and the files for machines."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import Simkit

SUITE = Path(__file__).parent.parent.parent / "flows" / "rfc4028"


def test_our_logic_keeps_all_rules_of_the_whole_suite(simkit: Simkit) -> None:
    result = simkit("conform", "-q", "--min-coverage", "rfc4028=95")
    assert result.exit_code == 0, result.stdout
    assert result.stdout.splitlines() == [
        "PASS  rfc4028: 101 kept, 3 not exercised",
        "      97.1% of 104 rules exercised, in 128 flows",
    ]


def test_the_table_has_every_rule_with_its_strength_and_verdict(simkit: Simkit) -> None:
    lines = simkit("conform", str(SUITE / "hold.yaml")).stdout.splitlines()
    assert "RFC4028-7.2  The UAC: processing a 2xx" in lines
    assert "  RFC4028-7.2-13   DEFINITION      kept           in 1 flow" in lines
    assert "  RFC4028-9-15     MUST            not exercised  it never came to that" in lines
    assert sum(line.startswith("  RFC4028-") for line in lines) == 104


BROKEN = """\
RFC4028-9  The UAS
  RFC4028-9-13     DEFINITION      broken         in 1 flow
      hold-by-other-side.yaml:29:5, at 1768.000 s: subject sent BYE at 1768.000
        s, 890.000 s too early
"""


def test_what_is_broken_is_told_with_the_flow_the_line_and_the_time(
    simkit: Simkit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(SUITE)
    result = simkit("conform", "hold-by-other-side.yaml", "--logic", "museum:M03", "-q")
    assert result.exit_code == 1
    assert BROKEN in result.stdout
    assert "hold-by-other-side, audited, at 1768.000 s: subject hung up" in result.stdout


def test_what_a_logic_cannot_do_is_told_apart(simkit: Simkit) -> None:
    result = simkit("conform", "--only", "uas", "--without", "update")
    assert result.exit_code == 0
    assert "  RFC4028-7.3-2    SHOULD          not applicable it is uas only" in result.stdout.splitlines()
    assert "1 flow not played: it has no UPDATE" in result.stdout.splitlines()


def test_too_little_coverage_fails_and_says_how_much_there_was(simkit: Simkit) -> None:
    result = simkit("conform", "-q", str(SUITE / "hold.yaml"), "--min-coverage", "rfc4028-9=100")
    assert result.exit_code == 1
    assert result.stderr == "coverage of rfc4028-9 is 12.5%, below 100%: 2 of 16 rules\n"


def test_json_has_every_rule_and_where_it_was_broken(simkit: Simkit) -> None:
    flow = str(SUITE / "hold-by-other-side.yaml")
    report = json.loads(simkit("conform", flow, "--logic", "museum:M03", "--json", "-").stdout)
    assert (report["logic"], report["verdict"]) == ("museum:M03", "fail")
    broken = {rule["rule"]: rule["failings"] for rule in report["rules"] if rule["verdict"] == "broken"}
    assert [(each["path"], each["line"], each["at_us"], each["by"]) for each in broken["RFC4028-9-13"]] == [
        (flow, 29, 1_768_000_000, "flow")
    ]
    assert {each["by"] for each in broken["RFC4028-7.2-8"]} == {"auditor"}
    assert len(report["rules"]) == 104


def test_junit_has_a_case_for_each_rule(simkit: Simkit, folder: Path) -> None:
    simkit("conform", str(SUITE / "hold-by-other-side.yaml"), "--logic", "museum:M03", "--junit", "rules.xml")
    suite = ElementTree.parse(folder / "rules.xml").getroot()
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert len(cases) == int(suite.get("tests") or 0) == 104
    assert int(suite.get("failures") or 0) == 2
    failure = cases["RFC4028-9-13"].find("failure")
    assert failure is not None
    assert "29:5, at 1768.000 s" in (failure.get("message") or "")
    skipped = cases["RFC4028-9-15"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "not exercised: it never came to that"


WRONG = [
    pytest.param(("--logic", "ythoon:x"), "--logic: unknown logic 'ythoon:x' (did you mean python?)", id="no logic"),
    pytest.param(("--logic", "museum:M99"), "museum:M99: no such museum piece", id="no piece"),
    pytest.param(("--min-coverage", "rfc4028"), "'rfc4028' is not SECTION=PERCENT", id="no percentage"),
    pytest.param(("--min-coverage", "rfc4028=101"), "'rfc4028=101' is not SECTION=PERCENT", id="more than all"),
    pytest.param(("--min-coverage", "rfc9999=5"), "no rules under 'rfc9999'", id="no section"),
    pytest.param(("--json", "-", "--junit", "-"), "cannot share standard output", id="both on standard output"),
    pytest.param(("flows",), "nobody is under test: name a party 'subject'", id="flows of no suite"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_usage_is_told(simkit: Simkit, words: tuple[str, ...], message: str) -> None:
    result = simkit("conform", *words)
    assert result.exit_code == 2
    assert message in result.stderr
