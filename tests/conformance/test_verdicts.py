"""A logic is judged rule by rule: by the flows that fail, by the auditor, and by what came about."""

import pytest

from simkit.conformance.suite import Abilities, load_suite, logic_of
from simkit.conformance.verdicts import Conformance, Standing, examine
from simkit.flows.model import Role

FLOWS = load_suite()


@pytest.fixture(scope="module")
def ours() -> Conformance:
    return examine(FLOWS)


def test_our_logic_keeps_every_rule_that_is_exercised(ours: Conformance) -> None:
    assert ours.keeps_all, [(verdict.rule.id, verdict.failings) for verdict in ours.of(Standing.BROKEN)]
    assert ours.played == len(FLOWS)


def test_all_rules_that_a_run_can_show_are_exercised_but_these(ours: Conformance) -> None:
    assert {verdict.rule.id: verdict.why for verdict in ours.of(Standing.NOT_EXERCISED)} == {
        "RFC4028-7.1-6": "it never came to that",  # our user agents never insist
        "RFC4028-8-2": "nothing here can show it",  # no proxy of ours is stateless
        "RFC4028-11.2-2": "it never came to that",  # the flows go over UDP
    }
    assert ours.coverage() == (101, 104)
    assert ours.coverage("rfc4028-9") == (16, 16)


def test_a_broken_rule_tells_the_flow_the_line_and_the_time() -> None:
    """RFC 4028 section 10: the refresher takes no early margin."""
    found = examine([flow for flow in FLOWS if flow.name == "refresh-unanswered"], logic_of("museum:M10"))
    assert found.failed == ["refresh-unanswered[se=90,half=45,bye=77]"]
    (by_flow,) = found.verdicts["RFC4028-10-2"].failings
    assert (by_flow.source.path, by_flow.source.line, by_flow.at) == (
        "flows/rfc4028/refresh-unanswered.yaml",
        31,
        60_000_000,
    )
    (by_auditor,) = found.verdicts["RFC4028-10-7"].failings
    assert by_auditor.by_auditor
    assert "subject hung up while its own refresh" in by_auditor.text
    assert not found.keeps_all


def test_a_rule_that_nobody_names_is_taken_from_what_the_flow_covers() -> None:
    found = examine([flow for flow in FLOWS if flow.name == "disabled"], logic_of("museum:M72"))
    assert [verdict.rule.id for verdict in found.of(Standing.BROKEN)] == ["RFC4028-9-13"]


def test_rules_beside_rfc_4028_are_added_where_they_are_broken() -> None:
    found = examine([flow for flow in FLOWS if flow.name == "hold-received"], logic_of("museum:M65"))
    assert found.verdicts["3264-6.1"].standing is Standing.BROKEN


def test_what_a_logic_cannot_do_is_not_applicable_and_does_not_count() -> None:
    found = examine(FLOWS, abilities=Abilities(only=Role.UAS, without=frozenset({"update"})))
    assert found.verdicts["RFC4028-7.3-2"].standing is Standing.NOT_APPLICABLE
    assert found.verdicts["RFC4028-7.3-2"].why == "it is uas only"
    assert found.verdicts["RFC4028-7.4-14"].standing is Standing.NOT_APPLICABLE
    assert found.verdicts["RFC4028-9-9"].standing is Standing.KEPT
    exercised, applicable = found.coverage()
    assert exercised == applicable - 3
    assert found.keeps_all


def test_a_timer_logic_has_no_seat_in_a_proxy() -> None:
    found = examine([flow for flow in FLOWS if flow.name == "proxy-call"], logic_of("museum:M01"))
    assert found.skipped == {"proxy-call": "the logic has no seat here"}
    assert found.verdicts["RFC4028-8.2-6"].standing is Standing.NOT_APPLICABLE


def test_nothing_is_kept_where_nothing_is_played() -> None:
    found = examine([])
    assert {verdict.standing for verdict in found.verdicts.values()} == {Standing.NOT_EXERCISED}
    assert found.coverage() == (0, 104)
