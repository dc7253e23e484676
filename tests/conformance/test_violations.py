"""`violations` in a flow, and what a broken MUST does to a run that does not speak of it."""

import pytest

from simkit import Run, Verdict, simulate
from simkit.flows.loader import load
from simkit.flows.logic import with_logics

CARELESS = """\
simkit: 1
name: careless
about: A scripted callee raises the interval and names Min-SE in its 200.
actors: {{alice: {{role: uac}}, bob: {{role: scripted}}}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
    with: {{Session-Expires: 5000;refresher=uac, Require: timer, Min-SE: 90}}
  - alice -> bob: ACK
  - bob -> alice: BYE
  - alice -> bob: 200 BYE
{expect}
"""


def careless(expect: str = "") -> Run:
    return simulate(load(CARELESS.format(expect=expect), "careless.yaml")[0], audit=True)


def test_what_a_scripted_party_breaks_is_reported_and_fails_nothing() -> None:
    run = careless()
    assert run.passed
    assert {(each.rule, each.severity, each.actor) for each in run.violations if each.severity == "error"} == {
        ("RFC4028-5-4", "error", "bob"),
        ("RFC4028-9-6", "error", "bob"),
    }


def test_just_the_rules_that_are_listed_must_be_broken() -> None:
    assert careless("expect: {violations: [RFC4028-5-4, RFC4028-9-6]}").passed


LISTS = [
    pytest.param("[RFC4028-5-4]", "bob raised the session interval from 1800 s to 5000 s", id="one too few"),
    pytest.param("[]", "bob put Min-SE into 200 INVITE", id="none"),
    pytest.param("[RFC4028-5-4, RFC4028-9-6, RFC4028-9-11]", "nobody broke RFC4028-9-11", id="one too many"),
]


@pytest.mark.parametrize(("rules", "headline"), LISTS)
def test_a_list_that_is_not_right_fails_at_its_line(rules: str, headline: str) -> None:
    run = careless(f"expect: {{violations: {rules}}}")
    assert run.verdict is Verdict.FAIL
    assert run.failures[0].headline.startswith(headline)
    assert run.failures[0].source.line == 13
    assert run.expectations[-1].verdict is Verdict.FAIL


def test_a_broken_must_fails_the_run_of_somebody_elses_logic() -> None:
    flow = load(
        "simkit: 1\nname: deaf\nactors: {alice: {role: uac}, bob: {role: uas}}\nflow:\n  - alice: call bob\n"
        "  - alice -> bob: INVITE\n  - bob -> alice: 200 INVITE\n  - alice -> bob: ACK\n  - alice: hang up\n"
        "  - alice -> bob: BYE\n  - bob -> alice: 200 BYE\n",
        "deaf.yaml",
    )
    assert simulate(flow[0]).passed
    (defective,) = with_logics(flow, {"bob": "museum:M40"})
    run = simulate(defective)
    assert [(failure.rule, failure.headline) for failure in run.failures] == [
        ("RFC4028-9-11", "bob answered refresher=uac without Require: timer, at 0.000 s")
    ]
