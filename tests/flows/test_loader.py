"""Flow files as values: every key read, values filled in, cases told apart, warnings kept."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from simkit.errors import FlowError, Source
from simkit.flows.loader import load, load_path
from simkit.flows.model import (
    Actor,
    Answer,
    AnswerPolicy,
    Calls,
    Clock,
    Comparison,
    Flow,
    LinkPattern,
    LinkSettings,
    MessagePattern,
    NetChange,
    NetVerb,
    Observation,
    Outcome,
    Repeat,
    Role,
    Saving,
    Stimulus,
    Verb,
)
from simkit.flows.yaml_source import MAX_FAULTS
from simkit.settings import Account, BaseTimes, ChallengeSettings, SessionTimerSettings
from simkit.sip.transport import Transport
from simkit.units import DAY, HOUR, MS, S

from .samples import EVERYTHING, SMALL


@pytest.fixture(scope="module")
def flow() -> Flow:
    return load(EVERYTHING, "flows/everything.yaml")[0]


def test_what_a_flow_is_called_and_about(flow: Flow) -> None:
    assert (flow.name, flow.tags, flow.covers) == (
        "everything",
        ("sample", "rfc4028"),
        ("RFC4028-10-6", "3261-14.1a"),
    )
    assert flow.about == "Each key of the language at least once."
    assert flow.title == "everything[se=1800]"
    assert flow.path == "flows/everything.yaml"
    assert flow.source == Source("flows/everything.yaml", 1, 1, "simkit: 1")


def test_how_a_flow_is_run(flow: Flow) -> None:
    assert flow.timers == BaseTimes(500 * MS, 4 * S, 5 * S)
    assert flow.calls == Calls(10, 100 * MS)
    assert flow.limit_us == 2 * DAY
    assert flow.allow == (MessagePattern("UPDATE"), MessagePattern("UPDATE", "200"))
    assert [str(pattern) for pattern in flow.never] == ["408", "481", "CANCEL", "5xx INVITE"]


def test_a_direction_keeps_what_it_does_not_set_of_the_network(flow: Flow) -> None:
    assert flow.network.default == LinkSettings(latency_us=20 * MS, loss_ppm=5_000, reorder_ppm=250_000)
    alice_to_bob = replace(flow.network.default, latency_us=30 * MS, jitter_us=1 * MS, duplicate_ppm=1_000)
    assert flow.network.links == {("alice", "bob"): alice_to_bob}


def test_actors(flow: Flow) -> None:
    alice, bob, carol = flow.actors.values()
    assert isinstance(alice, Actor)
    assert alice.role is Role.UAC
    assert alice.session_timer == SessionTimerSettings(True, 1800, 90, "uac", False)
    assert alice.clock == Clock(-2 * S, 100)
    assert alice.account == Account("alice", "open a value")
    assert alice.challenge == ChallengeSettings(
        realm="a.example.org",
        account=Account("bob", "1 # 2"),
        status=407,
        algorithms=("SHA-256", "MD5"),
        qop=False,
        methods=("BYE", "UPDATE"),
        nonce_lasts_us=90 * S,
    )
    assert bob.answers == AnswerPolicy(Answer.AFTER, 2 * S)
    assert bob.supports == ("timer", "100rel")
    assert bob.allow == ("INVITE", "ACK", "BYE", "UPDATE")
    assert (carol.name, carol.role, carol.at) == ("car-ol", Role.SCRIPTED, ("127.0.0.1", 5070))


@pytest.mark.parametrize(("role", "status"), [("uas", 401), ("uac", 401), ("proxy", 407)])
def test_a_challenge_has_the_status_of_its_role(role: str, status: int) -> None:
    actor = f'{{role: {role}, challenge: {{realm: r, user: u, password: "p"}}}}'
    flow = load(SMALL.replace("{role: uas}", actor, 1).replace("call bob", "options"), "x.yaml")[0]
    (challenge,) = (each.challenge for each in flow.actors.values() if each.challenge)
    assert challenge == ChallengeSettings("r", Account("u", "p"), status)


def step(flow: Flow, text: str) -> Any:
    return next(found for found in flow.steps if found.text.startswith(text))


def test_a_stimulus_has_its_place_and_time(flow: Flow) -> None:
    call = flow.steps[0]
    assert isinstance(call, Stimulus)
    assert (call.text, call.actor, call.verb, call.target) == ("alice: call bob", "alice", Verb.CALL, "bob")
    assert call.source == Source("flows/everything.yaml", 35, 5, "  - alice: call bob")
    assert call.at is not None
    assert (call.at.earliest.mark, call.at.earliest.offset_us, call.at.text) == ("start", 1 * S, "1s")
    assert call.at.earliest == call.at.latest


TROUBLE = [
    pytest.param("bob: ignore INVITE", "INVITE", None, 2, None, id="so many times"),
    pytest.param("bob: ignore OPTIONS", "OPTIONS", None, None, 10 * S, id="until a time"),
    pytest.param("bob: reply 503", "INVITE", 503, 1, None, id="reply so many times"),
    pytest.param("bob: reply 491", "UPDATE", 491, None, 55 * S, id="reply until a time"),
]


@pytest.mark.parametrize(("text", "method", "status", "times", "until_us"), TROUBLE)
def test_trouble_lasts_so_many_times_or_until(
    flow: Flow, text: str, method: str, status: int | None, times: int | None, until_us: int | None
) -> None:
    found = step(flow, text)
    assert (found.method, found.status, found.times) == (method, status, times)
    assert (found.until.offset_us if found.until else None) == until_us


def test_a_reply_carries_headers(flow: Flow) -> None:
    assert step(flow, "bob: reply 503").headers == (("Retry-After", "5"),)


def test_an_observation_has_its_matchers(flow: Flow) -> None:
    invite = step(flow, "alice -> bob: INVITE")
    assert isinstance(invite, Observation)
    matchers = {found.header: found.matcher for found in invite.has}
    assert matchers["Session-Expires"].comparison is Comparison.EQUALS
    assert matchers["Session-Expires"].operands == ("1800;refresher=uac",)
    assert matchers["Require"].comparison is Comparison.ABSENT
    assert matchers["Allow"].operands == ("INVITE, ACK", "a value")
    assert invite.body is not None
    assert invite.body.operands == ("m=audio",)
    assert invite.save == (
        Saving("first", "CSeq", "number"),
        Saving("identity", "Call-ID"),
        Saving("interval", "Session-Expires", pattern="([0-9]+)"),
    )
    assert invite.within_us == 5 * MS
    assert invite.at is not None
    assert (invite.at.earliest.offset_us, invite.at.latest.offset_us) == (1 * S, 2 * S)
    assert (invite.lost, invite.retransmits, invite.optional) == (None, None, False)


def test_what_is_saved_is_filled_in_while_the_flow_runs(flow: Flow) -> None:
    repeat = step(flow, "repeat")
    assert isinstance(repeat, Repeat)
    refresh = repeat.steps[0]
    assert isinstance(refresh, Observation)
    assert refresh.has[0].matcher.operands == ("${first}",)
    options = step(flow, "car-ol -> bob: OPTIONS")
    assert options.headers == (
        *(("Subject", "${identity}"), ("Via", "a"), ("Via", "b")),
        ("Request-URI", "sip:bob@${bob.address}"),
    )
    assert options.content == "${interval}\n"
    assert step(flow, "car-ol -> bob: BYE").raw.endswith("Call-ID: ${identity}\n")


def test_the_network_changes(flow: Flow) -> None:
    changes = [found for found in flow.steps if isinstance(found, NetChange)]
    assert [(change.verb, change.nth, change.by_us, change.parties) for change in changes] == [
        (NetVerb.DROP, 2, 0, None),
        (NetVerb.DELAY, 1, 3 * S, None),
        (NetVerb.DUPLICATE, 1, 0, None),
        (NetVerb.PARTITION, 1, 0, ("alice", "bob")),
        (NetVerb.HEAL, 1, 0, ("alice", "bob")),
    ]
    assert changes[0].messages == LinkPattern("alice", "bob", MessagePattern("INVITE"))
    assert changes[1].at is not None
    assert changes[1].text == "net: delay bob -> alice: 2xx INVITE"


def test_a_repeat_is_counted_from_a_mark(flow: Flow) -> None:
    repeat = step(flow, "repeat")
    assert (repeat.times, repeat.every_us, repeat.since.mark) == (3, 900 * S, "up")
    at = repeat.steps[1].at
    assert (at.earliest.mark, at.earliest.received, at.earliest.offset_us) == ("refreshing", True, 20 * MS)


def test_what_is_expected(flow: Flow) -> None:
    expect = flow.expect
    assert (expect.ended_by, expect.reason, expect.retries) == ("alice", "hung-up", 1)
    assert expect.outcome == {"alice": Outcome.ENDED, "bob": Outcome.UP, "car-ol": Outcome.FAILED}
    assert expect.at is not None
    assert (expect.at.earliest.offset_us, expect.at.latest.offset_us) == (1 * HOUR, 200 * HOUR)
    assert expect.refreshes == {"alice": 3}
    assert expect.never == (MessagePattern(None, "481"),)
    assert (expect.log, expect.violations) == (("one", "two"), ("RFC4028-9-13",))
    assert expect.sources["reason"].text == "  reason: hung-up"


def test_what_a_file_does_not_say_has_its_default() -> None:
    (flow,) = load(SMALL, "flows/small.yaml")
    assert (flow.name, flow.about, flow.case, flow.title) == ("small", "", None, "small")
    assert (flow.limit_us, flow.calls, flow.transport) == (DAY, Calls(), Transport.UDP)
    assert flow.actors["alice"].session_timer == SessionTimerSettings()


def test_a_flow_without_calls_block_may_say_how_many() -> None:
    assert load(SMALL + "calls: 100\n", "x.yaml")[0].calls == Calls(100, 0)


# --- cases and values ------------------------------------------------------------------------------------------------


def test_each_case_is_a_flow_of_its_own() -> None:
    flows = load(EVERYTHING, "x.yaml")
    assert [flow.case for flow in flows] == ["se=1800", "se=90,half=45", "long"]
    assert [flow.actors["alice"].session_timer.default_expires_s for flow in flows] == [1800, 90, 3600]
    assert [step(flow, "repeat").every_us for flow in flows] == [900 * S, 45 * S, 1800 * S]


def test_without_cases_the_plain_values_count() -> None:
    text = SMALL + "vars: {n: 7}\ncases: [{n: 8}, {n: 9}]\ncalls: ${n}\n"
    assert [flow.calls.count for flow in load(text, "x.yaml")] == [8, 9]
    (plain,) = load(text, "x.yaml", cases=False)
    assert (plain.calls.count, plain.case) == (7, None)


def test_an_override_takes_the_place_of_variables_and_cases() -> None:
    text = SMALL + "vars: {n: 7}\ncases: [{n: 8}]\ncalls: ${n}\n"
    (flow,) = load(text, "x.yaml", overrides={"n": "3"})
    assert (flow.calls.count, flow.case) == (3, "n=3")


def test_an_override_of_nothing_is_a_fault_with_the_likely_name() -> None:
    with pytest.raises(FlowError, match=r"--set intervall: unknown value 'intervall' \(did you mean interval\?\)"):
        load(SMALL + "vars: {interval: 7}\n", "x.yaml", overrides={"intervall": "3"})


SUBSTITUTIONS = [
    pytest.param('vars: {a: 1}\nabout: "x${a}y"', "x1y", id="in the midst"),
    pytest.param('vars: {a: 1, b: "${a}0"}\nabout: ${b}', "10", id="values use those above them"),
    pytest.param('about: "5$ or $${a}"', "5$ or ${a}", id="a dollar sign is itself, $${ is ${"),
    pytest.param("vars: {a: true}\nabout: ${a}", "true", id="a truth value is its word"),
]


@pytest.mark.parametrize(("keys", "about"), SUBSTITUTIONS)
def test_values_are_filled_in(keys: str, about: str) -> None:
    assert load(f"{SMALL}{keys}\n", "x.yaml")[0].about == about


def test_a_flow_that_is_fine_in_one_case_only_is_refused() -> None:
    with pytest.raises(FlowError) as raised:
        load(SMALL + "cases: [{n: 1}, {n: 0}, {n: x}]\ncalls: ${n}\n", "x.yaml")
    messages = [fault.message for fault in raised.value.faults]
    assert messages == ["'0' is not from 1 to 1,000,000 (case n=0)", "'x' is not a whole number (case n=x)"]


def test_too_much_work_is_refused_before_it_is_done() -> None:
    lines = "  - alice: refresh\n" * 1_000
    cases = "cases:\n" + "".join(f"  - {{n: {n}}}\n" for n in range(2_000))
    with pytest.raises(FlowError, match="2,000 cases of a flow as long as this are too many"):
        load(SMALL + lines + cases, "x.yaml")


# --- warnings --------------------------------------------------------------------------------------------------------

WARNED = [
    pytest.param("{min_se: 90, default_expires: 90}", [], id="at the floor"),
    pytest.param("{min_se: 89}", ["min_se is 89 s, below RFC 4028's floor of 90 s (section 4)"], id="below the floor"),
    pytest.param("{min_se: 30, enabled: false}", [], id="below the floor but off"),
    pytest.param(
        "{default_expires: 600, min_se: 900}",
        [
            "default_expires (600 s) is below min_se (900 s): an offer must not ask for less than its own Min-SE "
            "(RFC4028-7.1-9)"
        ],
        id="an offer below its own Min-SE",
    ),
]


@pytest.mark.parametrize(("timer", "messages"), WARNED)
def test_what_is_allowed_but_surprising_is_a_warning(timer: str, messages: list[str]) -> None:
    text = SMALL.replace("{role: uac}", f"{{role: uac, session_timer: {timer}}}")
    assert [warning.message for warning in load(text, "x.yaml")[0].warnings] == messages


def test_a_livekit_block_can_be_pasted() -> None:
    block = """{enabled: true, default_expires: 120, min_se: 30, prefer_refresher: "uac", use_update: false}"""
    (flow,) = load(SMALL.replace("{role: uac}", f"{{role: uac, session_timer: {block}}}"), "x.yaml")
    assert flow.actors["alice"].session_timer == SessionTimerSettings(True, 120, 30, "uac", False)
    assert [warning.source.line for warning in flow.warnings] == [2]


# --- where the text comes from ---------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert load(b"\xef\xbb\xbf" + SMALL.encode(), "x.yaml") == load(SMALL, "x.yaml")


@pytest.mark.parametrize("line_end", ["\r\n", "\r"], ids=["CRLF", "CR"])
def test_line_ends_do_not_matter(line_end: str) -> None:
    assert load(SMALL.replace("\n", line_end).encode(), "x.yaml") == load(SMALL, "x.yaml")


def test_a_path_is_read(tmp_path: Path) -> None:
    file = tmp_path / "call.yaml"
    file.write_text(SMALL, encoding="utf-8")
    (flow,) = load_path(str(file))
    assert (flow.name, flow.path) == ("call", str(file))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(SMALL.encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    (flow,) = load_path("-")
    assert (flow.name, flow.path) == ("flow", "-")


def test_what_cannot_be_read_is_a_fault_with_a_place(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yaml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(FlowError) as raised:
            load_path(str(path))
        assert str(raised.value) == f"{path}:1:1: cannot be read: {reason}"


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(100 << 20)  # sparse
    with pytest.raises(FlowError, match="the file is over 1 MiB"):
        load_path(str(huge))


def test_a_file_full_of_faults_shows_the_first() -> None:
    lines = "".join(f"  - alice: verb{number}\n" for number in range(5_000))
    with pytest.raises(FlowError) as raised:
        load(SMALL + lines, "x.yaml")
    assert len(raised.value.faults) == MAX_FAULTS + 1
    assert raised.value.faults[-1].message == "... these are the first 100 faults"
