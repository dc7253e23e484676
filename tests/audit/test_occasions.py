"""When a rule has something to say: the situation, whom it binds, and nothing about whether it was kept."""

import pytest

from simkit.api import load_flow, simulate
from simkit.audit.occasions import SHOWN, occasions_of
from simkit.rulebook import RULES, Observable

SHOWABLE = {
    rule.id for rule in RULES.values() if rule.id.startswith("RFC4028") and rule.observable is not Observable.NO
}


def occasions(flow: str, case: str | None = None) -> set[tuple[str, str]]:
    run = simulate(load_flow(f"flows/{flow}.yaml", case=case))
    return {(occasion.rule, occasion.actor) for occasion in occasions_of(run.trace)}


def test_every_rule_that_messages_can_show_has_a_situation_but_that_of_stateless_proxies() -> None:
    assert {"RFC4028-8-2"} == SHOWABLE - SHOWN
    assert SHOWN <= SHOWABLE


CAME_ABOUT = [
    pytest.param("refresh", "se=90,half=45", "RFC4028-7.2-12", "alice", id="half the interval is over: its refresher"),
    pytest.param("refresh-by-callee", "se=90,half=45", "RFC4028-9-16", "bob", id="the same of a callee"),
    pytest.param("expiry", None, "RFC4028-10-6", "bob", id="a session runs out: who does not refresh"),
    pytest.param("interval-too-small", "se=90,least=120,half=60", "RFC4028-9-2", "bob", id="422: who sent it"),
    pytest.param("interval-too-small", "se=90,least=120,half=60", "RFC4028-7.4-3", "alice", id="422: who got it"),
    pytest.param("refresh-rejected", "503 with", "RFC4028-10-4", "alice", id="a refresh is refused: who sent it"),
    pytest.param("peer-dies", "se=90,half=45,bye=77", "RFC4028-10-3", "alice", id="no answer: who waited for it"),
    pytest.param("hold-refreshes", None, "RFC4028-7.2-13", "bob", id="a hold: who holds"),
    pytest.param("proxy/only-the-caller", "as she asked", "RFC4028-8.2-2", "proxy", id="a bare 2xx: the proxy"),
]


@pytest.mark.parametrize(("flow", "case", "rule", "actor"), CAME_ABOUT)
def test_a_situation_comes_about_for_whom_it_binds(flow: str, case: str | None, rule: str, actor: str) -> None:
    assert (rule, actor) in occasions(flow, case)


DID_NOT = [
    pytest.param("refresh", "se=90,half=45", "RFC4028-7.2-12", "bob", id="who does not refresh owes none"),
    pytest.param("refresh", "se=90,half=45", "RFC4028-10-6", "bob", id="a session that is refreshed does not run out"),
    pytest.param("refresh", "se=90,half=45", "RFC4028-9-2", "bob", id="no 422"),
    pytest.param("refresh", "se=90,half=45", "RFC4028-8.1-5", "bob", id="no proxy"),
    pytest.param("no-timer-support", "callee=false", "RFC4028-9-9", "bob", id="no Session-Expires in the 2xx"),
]


@pytest.mark.parametrize(("flow", "case", "rule", "actor"), DID_NOT)
def test_a_situation_does_not_come_about(flow: str, case: str | None, rule: str, actor: str) -> None:
    assert (rule, actor) not in occasions(flow, case)


def test_a_rule_that_is_broken_had_its_occasion_all_the_same() -> None:
    """422 without Min-SE (RFC 4028 section 6)."""
    text = """
simkit: 1
name: bare-422
actors:
  alice: {role: uac, session_timer: {default_expires: 90}}
  bob: {role: scripted}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 422 INVITE
  - alice -> bob: ACK
"""
    run = simulate(load_flow(text))
    assert ("RFC4028-6-2", "bob") in {(occasion.rule, occasion.actor) for occasion in occasions_of(run.trace)}
