"""Recorded calls made into flows: played by our timer logic they pass, unless the recorded stack did something else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simkit.captures.calls import captured_calls
from simkit.captures.reader import read_capture
from simkit.captures.sendings import title_of
from simkit.errors import CaptureError
from simkit.flows.loader import load, load_path
from simkit.flows.logic import with_logics
from simkit.rebuild.deviations import settle
from simkit.rebuild.rebuilt import Rebuilt, rebuild_call
from simkit.runs.simulate import simulate
from simkit.sip.message import Message, Request
from simkit.trace import Trace
from simkit.units import MS

OPEN = """\
simkit: 1
name: open
actors:
  alice: {role: uac, session_timer: {default_expires: 120, prefer_refresher: uac}}
  bob: {role: uas}
allow: [INVITE, 422 INVITE, 200 INVITE, ACK, UPDATE, 200 UPDATE, BYE, 200 BYE, 481 INVITE, 481 UPDATE, 481 BYE]
flow:
  - alice: call bob
  - bob: ignore OPTIONS
    at: start + 7m
  - alice: hang up
"""

ROOT = Path(__file__).parent.parent.parent


def recorded(name: str) -> Trace:
    """Return the first call of a shipped recording."""
    with read_capture(str(ROOT / "captures" / f"{name}.pcap")) as reader:
        return next(captured_calls(reader)).trace


def simulated(**logics: str) -> Trace:
    """Return the messages of a call of seven minutes, with other logic in the seats of some parties."""
    flows = with_logics(load(OPEN, "open"), logics)
    return Trace([*simulate(flows[0]).trace.messages()])


def rebuilt(trace: Trace, speed: int = 1) -> Rebuilt:
    return rebuild_call(trace, name="call", source="here", tolerance_us=100 * MS, speed=speed)


def outcome(trace: Trace, speed: int = 1) -> tuple[str, str | None] | None:
    """Return what first differs when a call is rebuilt and simulated, and the rule at stake; None for nothing."""
    run = simulate(load(rebuilt(trace, speed).text, "call")[0])
    assert run.passed == (not run.failures)
    return (run.failures[0].headline, run.failures[0].rule) if run.failures else None


SAME = """\
ack-lost busy-hour bye-crosses-refresh expiry expiry-intervals.se=90,bye=60,lapse=92 glare hold-refreshes hour-long
interval-too-small.se=90,least=120,half=60 no-timer-support.callee=false,refreshes=2 run
no-timer-support.caller=false,refreshes=0 peer-dies.se=120,half=60,bye=92 refresh-by-callee.se=120,half=60
refresh-lost.se=120,half=60 refresh-rejected.408 refresh-rejected.481 refresh-rejected.488 refresh-rejected.491
refresh-rejected.503-with-Retry-After refresh-update.se=120,half=60 refresh-without-update refresh.se=90,half=45
short-intervals.se=30,half=15 suspend-too-long
""".split()


@pytest.mark.parametrize("name", SAME)
def test_what_our_machines_said_they_say_again(name: str) -> None:
    assert outcome(recorded(name)) is None


DEVIATIONS = [
    pytest.param({"alice": "museum:M01"}, "alice sent no BYE from 76.000 s to 100.000 s", None, id="a refresher's BYE"),
    pytest.param(
        {"bob": "museum:M02"}, "bob sent no BYE from 76.000 s to 100.000 s", "RFC4028-10-7", id="an early BYE"
    ),
    pytest.param(
        {"alice": "museum:M04"}, "alice sent INVITE again at 120.000 s", "RFC4028-7.2-12", id="a missing refresh"
    ),
]


@pytest.mark.parametrize(("logics", "headline", "rule"), DEVIATIONS)
def test_where_a_stack_did_something_else_the_rule_is_told(logics: dict[str, str], headline: str, rule: str) -> None:
    assert outcome(simulated(**logics)) == (headline, rule)


def test_the_recorded_call_is_judged_under_the_names_of_the_flow() -> None:
    audit = rebuilt(simulated(alice="museum:M01")).audit
    assert (audit.caller, audit.callee, audit.ended_by) == ("alice", "bob", "alice")
    assert any(finding.actor == "alice" for finding in audit.findings)


def test_a_flow_says_who_was_who_and_what_they_asked_for() -> None:
    text = rebuilt(recorded("refresh.se=90,half=45")).text
    (flow,) = load(text, "call")
    assert flow.about.startswith("Rebuilt from here: alice is 127.0.0.1:")
    alice = flow.actors["alice"].session_timer
    assert (alice.default_expires_s, alice.min_se_s, alice.prefer_refresher, alice.use_update) == (90, 90, "uac", False)


def test_a_party_that_fell_silent_crashes_soon_after_its_last_message() -> None:
    lines = rebuilt(recorded("expiry")).text.splitlines()
    assert "  - alice: crash" in lines
    assert lines[lines.index("  - alice: crash") + 1] == "    at: start + 1s"


def test_a_capture_in_twentyfold_time_is_stretched() -> None:
    trace = recorded("refresh.se=120,half=60")
    quick = Trace([replace(each, sent_at=each.sent_at // 20) for each in trace.messages()])
    assert outcome(quick, speed=20) is None


OVER_TCP = ["flows/refresh.yaml", "flows/refresh-by-callee.yaml", "flows/suspend-too-long.yaml", "flows/peer-dies.yaml"]


@pytest.mark.parametrize("path", OVER_TCP)
def test_what_went_over_tcp_goes_over_tcp_again(path: str) -> None:
    """Nobody sends anything again there: silence is an answer that does not come for 64*T1."""
    text = (ROOT / path).read_text(encoding="utf-8").replace("simkit: 1", "simkit: 1\ntransport: tcp", 1)
    flow = load(text, path)[0]
    trace = Trace([*simulate(flow).trace.messages()])
    assert "\ntransport: tcp\n" in rebuilt(trace).text
    assert outcome(trace) is None


def test_over_udp_a_flow_says_nothing_of_its_transport() -> None:
    assert "transport" not in rebuilt(recorded("refresh.se=90,half=45")).text


def test_a_party_that_has_several_addresses_is_one() -> None:
    first, *others = recorded("refresh.se=90,half=45").messages()
    *between, bye, ok = [replace(each, connection=1) for each in (first, *others)]
    moved = [replace(bye, sender="127.0.0.1:9", receiver="127.0.0.1:8")]
    moved.append(replace(ok, sender="127.0.0.1:8", receiver="127.0.0.1:9"))
    call = rebuilt(Trace([*between, *moved]))
    assert outcome(Trace([*between, *moved])) is None
    assert (call.audit.caller, call.audit.ended_by) == ("alice", "alice")


def changed(edit: Callable[[Message], Message]) -> Trace:
    return Trace([replace(each, message=edit(each.message)) for each in recorded("refresh.se=90,half=45").messages()])


@pytest.mark.parametrize("value", ["", "-90", "90.5", "90, 1800", "forever"])
def test_an_interval_that_nobody_can_read_is_none(value: str) -> None:
    spoilt = changed(
        lambda message: (
            message.with_headers(("Session-Expires", value)) if message.header("Session-Expires") else message
        )
    )
    assert "default_expires" not in rebuilt(spoilt).text
    settle(spoilt, name="call", source="here", tolerance_us=100 * MS)


@pytest.mark.parametrize("logics", [{}, {"alice": "museum:M01"}], ids=["played by our logic", "told"])
def test_what_looks_like_a_value_of_a_flow_is_only_what_was_said(logics: dict[str, str]) -> None:
    transits = [
        replace(each, message=each.message.with_headers(("Supported", "timer, ${x}")))
        for each in simulated(**logics).messages()
    ]
    settled = settle(Trace([*transits]), name="call", source="here", tolerance_us=100 * MS)
    assert bool(settled.told) is bool(logics)
    assert settled.unsettled is None


def test_an_interval_that_no_flow_can_have_is_told() -> None:
    vast = changed(lambda message: message.with_headers(("Session-Expires", "99999999999999;refresher=uac")))
    with pytest.raises(CaptureError, match=r"^no flow can tell it: '99999999999999' is longer than a million days$"):
        settle(vast, name="call", source="here", tolerance_us=100 * MS)


def forked(trace: Trace) -> Trace:
    first, answer, *others = trace.messages()
    other = replace(answer, message=answer.message.with_headers(("To", f"{answer.message.header('To')}2")))
    return Trace([first, answer, other, *others])


REFUSED = [
    pytest.param(forked, "the call forks: its INVITE was answered in 2 dialogs", id="forked"),
    pytest.param(
        lambda trace: Trace([each for each in trace.messages() if each.message.is_request]),
        "the capture shows one direction only",
        id="one direction",
    ),
    pytest.param(
        lambda trace: Trace([replace(each, sender="h:1", receiver="h:1") for each in trace.messages()]),
        "caller and callee are both h:1",
        id="to itself",
    ),
]


@pytest.mark.parametrize(("change", "why"), REFUSED)
def test_what_cannot_be_one_call_between_two_is_not_made_into_one(change: Callable[[Trace], Trace], why: str) -> None:
    with pytest.raises(CaptureError, match=why):
        rebuilt(change(recorded("refresh.se=90,half=45")))


def test_what_no_flow_can_tell_is_counted() -> None:
    trace = recorded("refresh.se=90,half=45")
    first, *others = trace.messages()
    info = replace(first, number=99, message=Request("INFO", "sip:b@b", first.message.headers))
    assert rebuilt(Trace([first, *others])).left_out.total() == 0
    info = replace(info, message=info.message.with_headers(("CSeq", "9 INFO")))
    assert rebuilt(Trace([first, *others, replace(info, sent_at=others[-1].sent_at)])).left_out == {"INFO": 1}


def test_a_call_that_begins_before_the_capture_is_refused() -> None:
    _, *others = recorded("refresh.se=90,half=45").messages()
    with pytest.raises(CaptureError, match="does not show how the call begins"):
        rebuilt(Trace([*others]))


def test_a_call_with_somebody_who_is_not_on_its_way_is_refused() -> None:
    first, *others = recorded("refresh.se=90,half=45").messages()
    with pytest.raises(CaptureError, match=r"192\.0\.2\.9:5060 is not on the way of its INVITE"):
        rebuilt(Trace([first, replace(others[0], sender="192.0.2.9:5060"), *others]))


def test_requests_that_crossed_meet_again_on_a_network_that_takes_its_time() -> None:
    lines = rebuilt(recorded("glare")).text.splitlines()
    assert "network: {latency: 20ms}" in lines
    timer, stimulus = lines.index("    at: start + 12m..18m100ms"), lines.index("  - bob: hold")
    assert timer < stimulus
    assert lines[stimulus + 1] == lines[timer]


def test_who_sleeps_through_a_request_and_comes_back_freezes_and_thaws() -> None:
    lines = rebuilt(recorded("suspend-too-long")).text.splitlines()
    frozen, thawed = lines.index("  - alice: freeze"), lines.index("  - alice: thaw")
    assert lines[frozen + 1] == "    at: start + 1s"
    assert frozen < lines.index("  - bob -> alice: BYE") < thawed


def test_who_is_told_is_scripted_and_says_what_it_said() -> None:
    trace = recorded("refresh.se=90,half=45")
    text = rebuild_call(trace, name="call", source="here", tolerance_us=100 * MS, told=["bob"]).text
    assert 'bob: {"role": "scripted"}' in text
    assert '    with: {"Supported": "timer", "Require": "timer", "Session-Expires": "90;refresher=uac"' in text
    assert "bob: answer" not in text
    assert simulate(load(text, "call")[0]).passed


@pytest.mark.parametrize(
    "name", ["refresh.se=90,half=45", "glare", "suspend-too-long", "interval-changed.se=90,half=45"]
)
def test_where_all_are_told_the_call_is_as_it_was(name: str) -> None:
    trace = recorded(name)
    text = rebuild_call(trace, name="call", source="here", tolerance_us=100 * MS, told=["alice", "bob"]).text
    run = simulate(load(text, "call")[0])
    assert run.passed, run.failures
    titles = [title_of(each.message) for each in trace.messages()]
    assert sorted(title_of(each.message) for each in run.trace.messages()) == sorted(titles)


PROXIES = [
    "call",
    "every-refresh",
    "lowers",
    "protects-its-minimum",
    "refresher-dies",
    "only-the-callee",
    "two-proxies",
]


@pytest.mark.parametrize("name", PROXIES)
def test_proxies_are_on_the_way_again(name: str) -> None:
    flow = load_path(str(ROOT / "flows/proxy" / f"{name}.yaml"))[0]
    trace = Trace([*simulate(flow).trace.messages()])
    text = rebuilt(trace).text
    assert '"role": "proxy"' in text
    settled = settle(trace, name="call", source="here", tolerance_us=100 * MS)
    assert settled.unsettled is None
    assert not any(name.startswith("proxy") for name in settled.told)


def test_what_a_proxy_put_in_and_refused_is_what_it_is_set_to() -> None:
    flow = load_path(str(ROOT / "flows/proxy/lowers.yaml"))[0]
    (rebuilt_flow,) = load(rebuilt(Trace([*simulate(flow).trace.messages()])).text, "call")
    assert rebuilt_flow.actors["proxy"].proxy_session.max_expires_s == flow.actors["proxy"].proxy_session.max_expires_s
    assert rebuilt_flow.actors["alice"].route == ("proxy",)
