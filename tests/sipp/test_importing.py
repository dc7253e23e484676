"""Scenarios become flows that load, and do in a run what SIPp does.

Each scenarios/NAME.xml has its flow in NAME.yaml and what is told about it in NAME.txt. To write these anew, run with
SIMKIT_UPDATE_GOLDENS=1 and read the difference.
"""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import FlowError
from simkit.flows.loader import load
from simkit.runs.run import Run
from simkit.runs.simulate import simulate
from simkit.sipp.data_file import read_data_file
from simkit.sipp.importing import SCRIPTED, Imported, Terms, import_scenarios
from simkit.sipp.ladder import Remark

SCENARIOS = Path(__file__).parent / "scenarios"
FILES = sorted(SCENARIOS.glob("*.xml"))


def imported(*names: str, terms: Terms | None = None) -> Imported:
    files = [(f"{name}.xml", (SCENARIOS / f"{name}.xml").read_bytes()) for name in names]
    return import_scenarios(files, terms or terms_of(names[0]))


def terms_of(name: str) -> Terms:
    data = SCENARIOS / f"{name}.csv"
    return Terms(data=read_data_file(data.read_bytes(), data.name) if data.exists() else None)


def runs(text: str) -> list[Run]:
    return [simulate(flow) for flow in load(text, "imported.yaml")]


def said(run: Run) -> list[str]:
    """Return who said what when, such as "0.000 alice INVITE"."""
    return [
        f"{each.sent_at / 1_000_000:.3f} {each.sender} {_kind(each.message.start_line, each.message.method)}"
        for each in run.trace.messages()
        if not each.retransmission
    ]


def _kind(start_line: str, method: str) -> str:
    return f"{start_line.split()[1]} {method}" if start_line.startswith("SIP/2.0") else method


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_scenario_becomes_this_flow(name: str) -> None:
    result = imported(name)
    notes = "".join(f"{note.fault()}\n" for note in result.notes)
    for suffix, text in ((".yaml", result.text), (".txt", notes)):
        golden = SCENARIOS / f"{name}{suffix}"
        if os.environ.get("SIMKIT_UPDATE_GOLDENS"):
            golden.write_text(text, "utf-8")
        assert text == golden.read_text("utf-8")


OPTIONS = "<send><![CDATA[\nOPTIONS sip:[$x] SIP/2.0\nX: [$x] [$n]\n]]></send>"
PASSING = ["refresh", "callee", "too-small", "branches", "challenged"]


@pytest.mark.parametrize("name", PASSING)
def test_what_a_correct_peer_lets_pass_passes(name: str) -> None:
    for run in runs(imported(name).text):
        assert run.passed, run.failures


def test_the_guide_waits_in_vain_and_is_told_so_before_it_runs() -> None:
    result = imported("guide")
    (run,) = runs(result.text)
    assert run.failures[0].headline == "bob sent no INVITE from 0.000 s to 100.000 s"
    mistakes = [note.message for note in result.notes if note.remark is Remark.MISTAKE]
    assert any("a correct peer never sends this INVITE" in mistake for mistake in mistakes)


def test_two_scenarios_that_talk_to_each_other_become_one_flow() -> None:
    result = imported("caller", "callee")
    (run,) = runs(result.text)
    assert run.passed, run.failures
    assert said(run) == [
        *("0.000 alice INVITE", "0.000 bob 180 INVITE", "2.500 bob 200 INVITE", "2.500 alice ACK"),
        *("47.500 alice INVITE", "47.500 bob 200 INVITE", "47.500 alice ACK"),
        *("57.500 bob BYE", "57.500 alice 200 BYE"),
    ]


def test_it_does_not_matter_which_of_two_is_named_first() -> None:
    assert said(runs(imported("callee", "caller").text)[0]) == said(runs(imported("caller", "callee").text)[0])


def test_two_scenarios_that_do_not_fit_are_told_where() -> None:
    result = imported("too-small", "callee")
    told = [note.message for note in result.notes if note.remark is Remark.NOT_CARRIED_OVER]
    assert "alice expects 422 here, and 180 INVITE comes: SIPp would give the call up" in told


def test_a_scripted_peer_says_what_is_expected_of_it() -> None:
    (run,) = runs(imported("guide", terms=Terms(peer=SCRIPTED)).text)
    assert run.passed, run.failures
    assert said(run)[3:6] == ["0.000 bob INVITE", "0.000 alice 200 INVITE", "0.000 bob ACK"]


def test_the_flow_runs_once_for_each_line_of_the_data_file() -> None:
    first, second = runs(imported("refresh").text)
    names = [run.trace.messages().__next__().message.sender.uri for run in (first, second)]
    assert names == ["sip:carol@192.0.2.1:5060", "sip:erin@192.0.2.1:5060"]


DATA_FAULTS = [
    pytest.param(b"a;b\n", "a data file begins with one of SEQUENTIAL, RANDOM, USER", id="no order"),
    pytest.param(b"SEQUENTIAL\n#a;b\n\n", "there is no line of fields below this one", id="no lines"),
    pytest.param(b"x" * (1 << 21), "is over 1 MiB: that is too long", id="too long"),
]


@pytest.mark.parametrize(("data", "told"), DATA_FAULTS)
def test_a_broken_data_file_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(FlowError) as raised:
        read_data_file(data, "x.csv")
    assert told in str(raised.value)


ENDLESS = [
    pytest.param('<nop next="a"/>', "it goes round and round: the rest is left out", id="without a message"),
    pytest.param(f"{OPTIONS}<nop next='a'/>", "it goes on for more than 1,000 messages", id="with messages"),
    pytest.param(
        f'{OPTIONS}<nop next="a"><action><assignstr assign_to="x" value="[$x][$x]y"/></action></nop>',
        "the rest is left out",
        id="with a text that doubles",
    ),
    pytest.param(
        f'{OPTIONS}<nop next="a"><action><multiply assign_to="n" value="1e17"/></action></nop>',
        "it goes on for more than 1,000 messages",
        id="with a number that grows",
    ),
    pytest.param(
        f'{OPTIONS.replace("X:", "Y: " + 50_000 * "y" + chr(10) + "X:")}<nop next="a"/>',
        "its messages are longer than 1,000,000 characters",
        id="with long messages",
    ),
]


@pytest.mark.parametrize(("loop", "told"), ENDLESS)
def test_what_never_ends_is_cut_short(loop: str, told: str) -> None:
    text = f'<?xml version="1.0"?><scenario name="x"><Global variables="n"/>{OPTIONS}<label id="a"/>{loop}</scenario>'
    result = import_scenarios([("x.xml", text.encode())], Terms())
    assert any(told in note.message for note in result.notes)
    load(result.text, "imported.yaml")


# --- whatever the scenario says --------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [piece for file in FILES for piece in file.read_text("utf-8").splitlines(keepends=True)]
    + [
        '<nop next="again"/>\n',
        '<label id="again"/>\n',
        "[last_To:][$se]${x}\n",
        '<recv request="BYE" optional="true"/>\n',
    ]
    + ['<ereg regexp="(a+)+" assign_to="se" check_it="true"/>\n', "X: [branch-3] [call_id] [peer_tag_param]\n"]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 200), PIECES), max_size=8), st.booleans())
def test_whatever_a_scenario_says_it_is_refused_or_becomes_a_flow_that_loads(
    file: Path, changes: list[tuple[int, str]], cut: bool
) -> None:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    for place, piece in changes:
        at = place % len(lines)
        lines[at : at + cut] = [piece]
    try:
        result = import_scenarios([(file.name, "".join(lines).encode())], Terms())
    except FlowError:
        return
    load(result.text, "imported.yaml")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_any_text_in_a_message_becomes_a_flow_that_loads(value: str, body: str, expression: str) -> None:
    message = f"INVITE sip:a SIP/2.0\nX: {value}\n\n{body}".replace("]]>", "")
    search = expression.replace("\\", "").replace('"', "")
    text = f"""<?xml version="1.0"?><scenario name="x">
        <send><![CDATA[{message}]]></send>
        <recv response="200"><action>
            <ereg assign_to="a" check_it="true" search_in="hdr" header="X:" regexp="{search}"/>
        </action></recv>
        <send><![CDATA[BYE sip:[$a] SIP/2.0\nX: [$a]\n]]></send>
        </scenario>"""
    load(import_scenarios([("x.xml", text.encode("utf-8", "replace"))], Terms()).text, "imported.yaml")
