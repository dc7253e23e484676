"""Calls through proxies as flows play them: the flows that are shipped, and what each of them would catch."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simkit.flows.loader import load_path
from simkit.flows.model import Flow
from simkit.rulebook import rules_under
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.settings import ProxySessionSettings
from simkit.sip.message import Request, Response
from simkit.sip.session_headers import Refresher, SessionExpires
from simkit.ua import proxied_calls, proxy_session
from simkit.ua.proxied_calls import ProxiedCalls
from simkit.ua.proxy import Proxy
from simkit.ua.proxy_session import Forward, Remembered
from simkit.ua.timer_logic import Reject

from .playing import flow_of, play, sent, told

FOLDER = Path(__file__).parents[2] / "flows" / "proxy"
FLOWS = {f"{path.stem}{f'[{flow.case}]' if flow.case else ''}": flow
         for path in sorted(FOLDER.glob("*.yaml")) for flow in load_path(str(path))}  # fmt: skip


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_a_shipped_flow_holds(flow: Flow) -> None:
    run = simulate(flow)
    assert run.passed, told(run)


def test_the_shipped_flows_cover_every_rule_for_proxies() -> None:
    """But one: RFC4028-8-2 is about stateless proxies, and ours is none."""
    covered = {rule for flow in FLOWS.values() for rule in flow.covers}
    assert {rule.id for rule in rules_under("RFC4028-8")} - covered == {"RFC4028-8-2"}


# --- each check is proved by a defect --------------------------------------------------------------------------------

Examine = Callable[[Request, ProxySessionSettings], Forward | Reject]
Complete = Callable[[Response, Remembered, ProxySessionSettings], Response]

examine, complete = proxy_session.examine, proxy_session.complete


def onward(change: Callable[[Request, Request, ProxySessionSettings], Request]) -> Examine:
    """Return a defect: what goes on is changed, given what had come."""

    def wrong(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
        verdict = examine(request, settings)
        if isinstance(verdict, Reject):
            return verdict
        return replace(verdict, request=change(verdict.request, request, settings))

    return wrong


def with_interval(message: Request, interval_s: int) -> Request:
    was = message.session_expires
    value = SessionExpires(interval_s, was.refresher if was else None)
    return message.with_headers(("Session-Expires", str(value)))


def lengthens(sent: Request, came: Request, settings: ProxySessionSettings) -> Request:
    least_s, expires = settings.default_expires_s or 0, sent.session_expires
    return with_interval(sent, least_s) if expires and expires.interval_s < least_s else sent


def lowers_below_min_se(sent: Request, came: Request, settings: ProxySessionSettings) -> Request:
    most_s, expires = settings.max_expires_s, sent.session_expires
    return with_interval(sent, most_s) if most_s and expires and expires.interval_s > most_s else sent


def keeps_intervals(sent: Request, came: Request, settings: ProxySessionSettings) -> Request:
    expires = came.session_expires
    return with_interval(sent, expires.interval_s) if expires else sent


def writes_min_se(sent: Request, came: Request, settings: ProxySessionSettings) -> Request:
    return sent.with_headers(("Min-SE", str(settings.min_se_s))) if sent.session_expires else sent


def keeps_min_se(sent: Request, came: Request, settings: ProxySessionSettings) -> Request:
    least = came.header("Min-SE")
    return sent.without_headers("Min-SE") if least is None else sent.with_headers(("Min-SE", least))


def refuses_what_is_at_its_minimum(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    return examine(request, replace(settings, min_se_s=settings.min_se_s + 1) if settings.min_se_s > 90 else settings)


def refuses_nobody(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    return examine(request, replace(settings, min_se_s=1))


def says_no_minimum(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    verdict = examine(request, settings)
    return Reject(422) if isinstance(verdict, Reject) else verdict


def knows_invite_only(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    return examine(request, settings) if request.method == "INVITE" else Forward(request, Remembered())


def remembers_what_came(request: Request, settings: ProxySessionSettings) -> Forward | Reject:
    verdict, expires = examine(request, settings), request.session_expires
    if isinstance(verdict, Reject) or expires is None:
        return verdict
    return replace(verdict, remembered=replace(verdict.remembered, interval_s=expires.interval_s))


def takes_all_callers_for_supporting(
    response: Response, remembered: Remembered, settings: ProxySessionSettings
) -> Response:
    return complete(response, replace(remembered, caller_supports=True), settings)


def has_the_callee_refresh(response: Response, remembered: Remembered, settings: ProxySessionSettings) -> Response:
    done = complete(response, remembered, settings)
    if done is response or remembered.interval_s is None:
        return response
    return done.with_headers(("Session-Expires", str(SessionExpires(remembered.interval_s, Refresher.UAS))))


def requires_nothing(response: Response, remembered: Remembered, settings: ProxySessionSettings) -> Response:
    done = complete(response, remembered, settings)
    return response if done is response else done.without_headers("Require")


def ignores_the_erratum(response: Response, remembered: Remembered, settings: ProxySessionSettings) -> Response:
    return complete(response, remembered, replace(settings, erratum_8926=False))


DEFECTS = [
    #            what is replaced, by what -> the flows that catch it, and the rule that a failure names
    pytest.param("examine", onward(lengthens), {"call", "leaves-alone"}, "8.1-5", id="lengthens"),
    pytest.param("examine", onward(lowers_below_min_se), {"lowers"}, "8.1-4", id="lowers below Min-SE"),
    pytest.param("examine", onward(keeps_intervals), {"lowers", "raises-min-se", "inserts-min-se"}, "8.1-6",
                 id="neither lowers nor lifts"),
    pytest.param("examine", onward(writes_min_se), {"lowers", "raises-min-se", "leaves-alone"}, "8.1-14",
                 id="writes its own Min-SE everywhere"),
    pytest.param("examine", onward(keeps_min_se), {"inserts-min-se", "raises-min-se"}, None, id="inserts no Min-SE"),
    pytest.param("examine", refuses_what_is_at_its_minimum, {"leaves-alone"}, None, id="422 at its minimum"),
    pytest.param("examine", refuses_nobody, {"rejects", "who-is-rejected", "two-minimums"}, None, id="no 422"),
    pytest.param("examine", says_no_minimum, {"rejects", "who-is-rejected"}, "8.1-9", id="422 without Min-SE"),
    pytest.param("examine", knows_invite_only, {"every-refresh"}, None, id="an UPDATE is none of its business"),
    pytest.param("examine", remembers_what_came, {"only-the-caller"}, None, id="remembers what came"),
    pytest.param("complete", takes_all_callers_for_supporting, {"neither"}, "8.2-1", id="completes for everybody"),
    pytest.param("complete", has_the_callee_refresh, {"only-the-caller"}, "8.2-3", id="completes with refresher=uas"),
    pytest.param("complete", requires_nothing, {"only-the-caller"}, "8.2-4", id="completes without Require"),
    pytest.param("complete", ignores_the_erratum, {"erratum-8926"}, None, id="erratum 8926 is not obeyed"),
]  # fmt: skip


def failures() -> list[tuple[str, str | None]]:
    """Return which shipped flows fail now, each with the rule that it names."""
    runs = [(name.partition("[")[0], simulate(flow)) for name, flow in FLOWS.items()]
    return [(name, failure.rule) for name, run in runs for failure in run.failures]


def failing() -> set[str]:
    return {name for name, _ in failures()}


@pytest.mark.parametrize(("replaced", "by", "caught_by", "rule"), DEFECTS)
def test_a_defect_of_a_proxy_is_caught(
    monkeypatch: pytest.MonkeyPatch, replaced: str, by: Examine | Complete, caught_by: set[str], rule: str | None
) -> None:
    monkeypatch.setattr(proxy_session, replaced, by)
    found = failures()
    assert caught_by <= {name for name, _ in found}
    if rule is not None:
        assert f"RFC4028-{rule}" in {named for _, named in found}


def test_an_expiration_that_does_not_move_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC4028-8.2-7."""

    class Unmoved(ProxiedCalls):
        def confirmed(self, response: Response, *, expires: bool, now: int) -> None:
            if self.next_deadline() is None:
                super().confirmed(response, expires=expires, now=now)

    monkeypatch.setattr("simkit.ua.proxy.ProxiedCalls", Unmoved)
    assert {"no-bye-of-its-own", "two-dialogs"} <= failing()


def test_one_expiration_for_all_dialogs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC4028-8.2-8."""
    monkeypatch.setattr(proxied_calls, "_dialog", lambda message: (message.call_id, frozenset()))
    assert failing() == {"two-dialogs"}


def test_a_proxy_that_leaves_the_path_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC4028-8-3: without Record-Route it sees no refresh."""

    class Offside(Proxy):
        def __init__(self, *given: object, **settings: object) -> None:
            super().__init__(*given, **settings)  # type: ignore[arg-type]
            self._record_route = None  # type: ignore[assignment]

    monkeypatch.setattr("simkit.ua.proxy.Proxy", Offside)
    assert {"call", "only-the-caller", "rejects"} <= failing()


MUSEUM = ["M73", "M76", "M77", "M77b", "M78"]


@pytest.mark.parametrize("piece", MUSEUM)
def test_a_museum_piece_is_caught_by_its_rule(piece: str) -> None:
    """The failure names a rule that the piece breaks."""
    from simkit.flows.logic import with_logics
    from simkit.museum import PIECES

    with_proxy = [flow for flow in FLOWS.values() if "proxy" in flow.actors]
    runs = [simulate(flow) for flow in with_logics(with_proxy, {"proxy": f"museum:{piece}"})]
    named = {failure.rule for run in runs for failure in run.failures}
    assert named & set(PIECES[piece].rules)


# --- what runs make of proxies ---------------------------------------------------------------------------------------

ACTORS = """
    alice: {role: uac, route: proxy, session_timer: {default_expires: 90, prefer_refresher: uac}}
    proxy: {role: proxy}
    bob: {role: uas}
"""
UP = """
    - alice: call bob
    - alice -> proxy: INVITE
    - proxy -> bob: INVITE
    - bob -> proxy: 200 INVITE
      mark: up
    - proxy -> alice: 200 INVITE
    - alice -> proxy: ACK
    - proxy -> bob: ACK
"""
HUNG_UP = """
    - alice: hang up
    - alice -> proxy: BYE
    - proxy -> bob: BYE
    - bob -> proxy: 200 BYE
    - proxy -> alice: 200 BYE
"""


def proxied(*lines: str, actors: str = ACTORS, expect: str = "", top: str = "", seed: int = 1) -> Run:
    return play(*lines, actors=actors, expect=expect, top=top, seed=seed)


@pytest.mark.parametrize("refresher", ["uac", "uas"])
def test_who_refreshes_is_told_by_the_two_sides_and_not_by_who_is_between(refresher: str) -> None:
    run = proxied(UP, HUNG_UP, actors=ACTORS.replace("refresher: uac", f"refresher: {refresher}"))
    assert run.passed, told(run)
    assert [call.refresher for call in run.calls] == [{"uac": "alice", "uas": "bob"}[refresher]]


def test_a_line_without_its_proxy_is_met_by_nothing() -> None:
    """Observations are per hop."""
    run = proxied("- alice: call bob\n- alice -> bob: INVITE")
    assert told(run).startswith("alice sent INVITE to proxy at 0.000 s instead of INVITE to bob")


def test_the_outcome_of_a_proxy_is_what_it_knows_of_the_call() -> None:
    assert proxied(UP, HUNG_UP, expect="outcome: {proxy: ended}").passed
    assert proxied(UP, "- alice: refresh", top="allow: [INVITE, 200 INVITE, ACK]\nlimit: 1s",
                   expect="outcome: {proxy: up}").passed  # fmt: skip
    assert proxied(UP, HUNG_UP, "- proxy: crash", expect="outcome: {proxy: crashed}").passed


def test_a_proxy_may_be_told_to_reply_in_its_own_name() -> None:
    run = proxied(
        "- proxy: reply 503 to INVITE 1 times\n  with: {Retry-After: 5}",
        "- alice: call bob\n- alice -> proxy: INVITE\n- proxy -> alice: 503 INVITE\n  has: {Retry-After: 5}",
        "- alice -> proxy: ACK",
        UP,
        HUNG_UP,
    )
    assert run.passed, told(run)


def test_a_proxy_may_ignore_requests() -> None:
    run = proxied(
        "- proxy: ignore INVITE 2 times", UP.replace("proxy: INVITE", "proxy: INVITE\n      retransmits: 2", 1)
    )
    assert "1.500 proxy INVITE" in sent(run)


def test_options_go_through_the_proxies_of_who_asks() -> None:
    run = proxied(
        "- alice: options\n- alice -> proxy: OPTIONS\n- proxy -> bob: OPTIONS",
        "- bob -> proxy: 200 OPTIONS\n- proxy -> alice: 200 OPTIONS",
    )
    assert run.passed, told(run)


def test_a_scripted_party_calls_through_proxies_too() -> None:
    """Its requests carry the route that a user agent's would, and go to whom the line says."""
    run = proxied(
        "- alice -> west: INVITE\n- west -> east: INVITE\n- east -> bob: INVITE\n- bob -> east: 180 INVITE",
        "- east -> west: 180 INVITE\n- west -> alice: 180 INVITE\n- bob -> east: 486 INVITE\n- east -> bob: ACK",
        "- east -> west: 486 INVITE\n- west -> east: ACK\n- west -> alice: 486 INVITE\n- alice -> west: ACK",
        actors="""
            alice: {role: scripted, route: [west, east]}
            west: {role: proxy}
            east: {role: proxy}
            bob: {role: scripted}
        """,
    )
    assert run.passed, told(run)
    bye = [one.message for one in run.trace.messages() if one.sender == "alice"]
    assert [len(message.values("Route")) for message in bye] == [2, 2]


def test_a_call_plays_the_same_alone_as_in_a_crowd() -> None:
    flow = flow_of(UP, HUNG_UP, actors=ACTORS, top="calls: {count: 50, every: 20ms}\nnetwork: {latency: 20ms}")
    run = simulate(flow)
    assert run.passed, told(run)
    assert run.messages == 50 * 10


ABOUT = [
    pytest.param("- alice -> proxy: INVITE\n  at: up + 44s", "RFC4028-7.2-12", id="a refresh expected too early"),
    pytest.param("- bob -> proxy: INVITE\n  at: up + 44s",
                 "RFC4028-7.2-4: the most recent 2xx says that the other side refreshes; the last was at 0.000 s",
                 id="a refresh expected of the wrong side"),
    pytest.param("- proxy -> bob: INVITE\n  at: up + 44s", None, id="what a proxy did not pass on"),
    pytest.param("- bob: hang up\n  at: up + 10s\n- bob -> proxy: INVITE", None, id="a BYE for no reason of the timer"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "rule"), ABOUT)
def test_the_rule_at_stake_names_no_proxy(line: str, rule: str | None) -> None:
    last = told(proxied(UP, line)).splitlines()[-1]
    assert last.startswith(rule) if rule else not last.startswith("RFC4028")
