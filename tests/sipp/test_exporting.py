"""A flow becomes two scenarios, and what they become again is the same flow.

The scenarios of one flow are kept in exported/; to write them anew, run with SIMKIT_UPDATE_GOLDENS=1.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from simkit.captures.compare import compare_calls
from simkit.errors import FlowError
from simkit.flows.loader import load, load_path
from simkit.flows.model import Flow
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.sip.transport import Transport
from simkit.sipp.exporting import Exported, export_run, file_stem
from simkit.sipp.importing import Terms, import_scenarios
from simkit.sipp.ladder import Remark
from simkit.trace import Trace

ROOT = Path(__file__).parent.parent.parent
KEPT = Path(__file__).parent / "exported"
HEAD = "simkit: 1\nactors: {alice: {role: uac}, bob: {role: uas}}\n"
CALL = "flow:\n  - alice: call bob\n  - alice -> bob: INVITE\n  - bob -> alice: 200 INVITE\n  - alice -> bob: ACK\n"


@cache
def shipped() -> tuple[tuple[Flow, Run, Exported], ...]:
    """Every flow that we ship and two SIPps can play, simulated and exported."""
    found = []
    for path in sorted((ROOT / "flows").rglob("*.yaml")):
        for flow in load_path(str(path)):
            run = simulate(flow, calls=1)
            try:
                found.append((flow, run, export_run(flow, run.trace, run.addresses, source=path.name)))
            except FlowError:
                assert flow.transport is Transport.TLS or any(actor.is_proxy for actor in flow.actors.values())
    return tuple(found)


def exported(text: str) -> Exported:
    (flow,) = load(text, "x.yaml")
    run = simulate(flow, calls=1)
    return export_run(flow, run.trace, run.addresses, source="x.yaml")


def imported_again(exported: Exported, transport: Transport = Transport.UDP) -> Trace:
    """Return what happens in the flow that the scenarios of another become."""
    files = [(side.file, side.text.encode()) for side in exported.sides]
    result = import_scenarios(files, Terms(transport=transport))
    assert [note.message for note in result.notes if note.remark is Remark.NOT_CARRIED_OVER] == []
    (flow,) = load(result.text, "again.yaml")
    run = simulate(flow)
    assert run.passed, run.failures
    return run.trace


def test_most_of_what_we_ship_can_be_exported_as_a_whole() -> None:
    whole = [flow.title for flow, _, exported in shipped() if not exported.left_out]
    assert len(whole) >= 100
    assert "refresh[se=120,half=60]" in whole


def test_what_is_exported_as_a_whole_is_the_same_flow_when_it_is_imported_again() -> None:
    """The same messages at the same microseconds, with the same headers and bodies."""
    different = []
    for flow, run, exported in shipped():
        if not exported.left_out:
            again = imported_again(exported, flow.transport)
            if not compare_calls([run.trace], [again], tolerance_us=0).equal:
                different.append(flow.title)
    assert different == []


def test_another_flow_is_not_the_same() -> None:
    """The comparison bites: an interval, or a second, makes a difference."""
    flow, run, exported = next(each for each in shipped() if each[0].title == "refresh[se=120,half=60]")
    for old, new in (
        ("Session-Expires: 120", "Session-Expires: 121"),
        ('milliseconds="60000"', 'milliseconds="59000"'),
    ):
        files = [(side.file, side.text.replace(old, new).encode()) for side in exported.sides]
        (changed,) = load(import_scenarios(files, Terms()).text, "changed.yaml")
        assert not compare_calls([run.trace], [simulate(changed).trace], tolerance_us=0).equal, flow.title


def test_scenarios_are_written_like_this() -> None:
    _, _, exported = next(each for each in shipped() if each[0].title == "expiry")
    for side in exported.sides:
        if os.environ.get("SIMKIT_UPDATE_GOLDENS"):
            KEPT.mkdir(exist_ok=True)
            (KEPT / side.file).write_text(side.text, "utf-8")
        assert side.text == (KEPT / side.file).read_text("utf-8")


def test_who_is_called_is_started_first() -> None:
    sides = exported(HEAD + CALL).sides
    assert [(side.actor, side.answers) for side in sides] == [("bob", True), ("alice", False)]
    assert sides[0].command.startswith("sipp -sf x.bob.xml -i 127.0.0.1 -p 5061 -m 1 ")
    assert sides[1].command.endswith(" 127.0.0.1:5061")


def test_a_name_that_no_file_should_have_is_mended() -> None:
    (flow,) = load("simkit: 1\nname: a/b c\n" + HEAD.partition("\n")[2] + CALL, "x.yaml")
    assert file_stem(flow) == "a-b-c"


LEFT_OUT = [
    pytest.param(
        '  - net: {drop: "alice -> bob: BYE"}\n', "nobody stands between two SIPps", id="a change of the network"
    ),
    pytest.param("  - bob: freeze\n  - bob: thaw\n    at: 5s\n", "SIPp's clock cannot be stopped", id="a freeze"),
    pytest.param("  - bob: ignore OPTIONS 2 times\n", "SIPp cannot overlook a message", id="deafness"),
    pytest.param("  - bob: restart\n    at: 5s\n", "SIPp cannot come back", id="a restart"),
    pytest.param("network: {latency: 5ms}\n", "the loopback has no latency and loses nothing", id="the network"),
    pytest.param("calls: 7\n", "one of the 7 calls is exported: say -m 7 to SIPp", id="a crowd"),
]


@pytest.mark.parametrize(("lines", "told"), LEFT_OUT)
def test_what_two_sipps_cannot_do_is_told_with_its_line(lines: str, told: str) -> None:
    text = HEAD + CALL + lines if lines.startswith(" ") else HEAD + lines + CALL
    (first, *_) = exported(text).left_out
    assert told in first.message
    assert first.source.line == (8 if lines.startswith(" ") else 3)


def test_a_clock_that_drifts_is_told_with_its_actor() -> None:
    (fault,) = exported(HEAD.replace("role: uas", "role: uas, clock: {drift: 100ppm}") + CALL).left_out
    assert "SIPp's clock is true" in fault.message


def test_messages_that_cross_are_told() -> None:
    crossing = "  - alice: hang up\n    at: 10s\n  - bob: hang up\n    at: 10s\n"
    lines = "  - alice -> bob: BYE\n  - bob -> alice: BYE\n"
    text = HEAD + "network: {latency: 5ms}\nallow: [200 BYE, 481 BYE]\n" + CALL + crossing + lines
    assert any("crosses what alice sends" in fault.message for fault in exported(text).left_out)


REFUSED = [
    pytest.param(
        HEAD.replace("}}", "}, p: {role: proxy}}").replace("role: uac", "role: uac, route: p"), "'p' is a proxy"
    ),
    pytest.param(HEAD.replace("}}", "}, carol: {role: uas}}"), "3 parties: SIPp plays one of two"),
]


@pytest.mark.parametrize(("head", "told"), REFUSED)
def test_what_is_no_matter_of_two_sides_is_refused(head: str, told: str) -> None:
    (flow,) = load(head + "flow:\n  - alice: call bob\n", "x.yaml")
    with pytest.raises(FlowError) as raised:
        export_run(flow, Trace(), {}, source="x.yaml")
    assert told in str(raised.value)


def test_what_sipp_would_take_for_a_keyword_is_escaped() -> None:
    said = '  - alice -> bob: OPTIONS\n    with: {Subject: "[service] ]]>"}\n    body: "[len]"\n'
    text = (
        "simkit: 1\nactors: {alice: {role: scripted}, bob: {role: uas}}\nflow:\n"
        + said
        + "  - bob -> alice: 200 OPTIONS\n"
    )
    alice = exported(text).sides[1].text
    assert "Subject: \\x5Bservice] ]]\\x3E" in alice
    assert compare_calls([simulate(load(text, "x")[0]).trace], [imported_again(exported(text))], tolerance_us=0).equal
