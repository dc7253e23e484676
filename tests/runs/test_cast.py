"""The parties of a call, and what they are set to."""

from dataclasses import replace

import pytest

from simkit.errors import FlowError
from simkit.flows.model import Actor, Flow
from simkit.runs.cast import Cast, SeededRandom

from .playing import CALL, UP, flow_of, play, sent, told

PLAIN = "alice: {role: uac}\nbob: {role: uas}"


def test_parties_live_in_the_networks_that_are_kept_for_documentation() -> None:
    flow = flow_of(UP)
    many = {f"p{number}": flow.actors["alice"] for number in range(256)}
    cast = Cast(_with_actors(flow, many), seed=1, traced=False)
    assert cast.addresses["p0"] == ("192.0.2.1", 5060)
    assert cast.addresses["p253"] == ("192.0.2.254", 5060)
    assert cast.addresses["p254"] == ("198.51.100.1", 5060)
    assert cast.uri("p255") == "sip:p255@198.51.100.2:5060"


def test_more_parties_than_addresses_are_refused() -> None:
    flow = flow_of(UP)
    with pytest.raises(FlowError, match="763 actors are too many"):
        Cast(_with_actors(flow, {f"p{number}": flow.actors["alice"] for number in range(763)}), seed=1, traced=False)


def _with_actors(flow: Flow, actors: dict[str, Actor]) -> Flow:
    return replace(flow, actors=actors)


def test_chance_is_the_same_for_the_same_seed_and_apart_for_each_purpose() -> None:
    one, same, other = SeededRandom("1/0/alice"), SeededRandom("1/0/alice"), SeededRandom("1/0/bob")
    drawn = [one.random() for _ in range(3)]
    assert drawn == [same.random() for _ in range(3)]
    assert drawn != [other.random() for _ in range(3)]
    assert drawn[0] == 0.7771539857973566  # in every version of Python


ANSWERS = [
    ("at once", "0.000 bob 200 INVITE"),
    ("after 2s", "2.000 bob 200 INVITE"),
    ("486", "0.000 bob 486 INVITE"),
]


@pytest.mark.parametrize(("answers", "answer"), ANSWERS)
def test_a_party_answers_as_the_flow_says(answers: str, answer: str) -> None:
    run = play(
        "- alice: call bob\n- alice -> bob: INVITE",
        actors=f"alice: {{role: uac}}\nbob: {{role: uas, answers: {answers}}}",
        top="allow: [200 INVITE, 486 INVITE, 180 INVITE, ACK]\nlimit: 10s",
    )
    assert run.passed, told(run)
    assert answer in sent(run)


SUPPORTED = [
    ("{role: uac}", "timer"),
    ("{role: uac, session_timer: {enabled: false}}", None),
    ("{role: uac, supports: [replaces, timer]}", "replaces, timer"),
    ("{role: uac, supports: []}", None),
]


@pytest.mark.parametrize(("alice", "supported"), SUPPORTED)
def test_a_party_supports_what_the_flow_says_or_its_session_timer_implies(alice: str, supported: str | None) -> None:
    run = play("- alice: call bob\n- alice -> bob: INVITE", actors=f"alice: {alice}\nbob: {{role: uas}}",
               top="allow: [200 INVITE, ACK]\nlimit: 1s")  # fmt: skip
    assert run.passed
    assert next(run.trace.messages()).message.header("Supported") == supported


def test_a_party_allows_what_the_flow_says() -> None:
    lines = "- alice: options\n- alice -> bob: OPTIONS\n- bob -> alice: 405 OPTIONS\n  has: {Allow: 'INVITE, BYE'}"
    run = play(lines, actors="alice: {role: uac}\nbob: {role: uas, allow: [INVITE, BYE]}")
    assert run.passed, told(run)


def test_a_clock_that_runs_fast_refreshes_early() -> None:
    actors = CALL.replace("prefer_refresher: uac}", "prefer_refresher: uac}, clock: {drift: 100000ppm}")
    run = play(UP, "- alice -> bob: INVITE\n  at: 40s..41s", actors=actors, top="allow: [200 INVITE, ACK]\nlimit: 42s")
    assert run.passed, told(run)


def test_the_base_times_of_the_flow_set_the_pace() -> None:
    invited = "- alice: call bob\n- alice -> bob: INVITE\n  lost: true\n  retransmits: 2\n- alice: crash\n  at: 350ms"
    run = play("- bob: crash", invited, actors=PLAIN, top="timers: {t1: 100ms}")
    assert run.passed, told(run)
    assert sent(run) == ["0.000 alice INVITE", "0.100 alice INVITE", "0.300 alice INVITE"]
