"""A scenario is read with every fault of its elements, and with what is left out."""

import pytest

from simkit.errors import FlowError
from simkit.sipp.reading import read_scenario
from simkit.sipp.scenario import Pause, Receive, Scenario, Search, Send

SEND = "<send><![CDATA[\n  BYE sip:a SIP/2.0\n  Call-ID: 1\n]]></send>"


def read(inner: str) -> Scenario:
    return read_scenario(f'<?xml version="1.0"?><scenario name="x">{inner}</scenario>'.encode(), "x.xml")


FAULTS = [
    pytest.param("", "the scenario has no <send>, <recv> or <pause>: nothing happens", id="empty"),
    pytest.param("<sned/>", "<sned> is no part of a SIPp scenario (did you mean <send>?)", id="unknown element"),
    pytest.param("<send/>", "<send> has no message: SIPp looks for it in <![CDATA[ ... ]]>", id="send without CDATA"),
    pytest.param("<send><![CDATA[ \n ]]></send>", "<send> has no message", id="send with an empty message"),
    pytest.param("<recv/>", '<recv> has request="METHOD" or response="STATUS"', id="recv of nothing"),
    pytest.param('<recv request="A" response="1"/>', "<recv> has either request or response, not both", id="both"),
    pytest.param('<recv request="A" timeout="soon"/>', "'timeout' is a number, not 'soon'", id="no number"),
    pytest.param('<pause milliseconds="-1"/>', "'milliseconds' is from 0 ms to ten years, not -1 ms", id="negative"),
    pytest.param('<pause milliseconds="nan"/>', "'milliseconds' is a number, not 'nan'", id="NaN"),
    pytest.param('<recv request="A" rrs="maybe"/>', "'rrs' is true or false, not 'maybe'", id="no truth value"),
    pytest.param('<nop next="1"/>', "there is no label '1' to go to", id="label for next"),
    pytest.param('<recv request="A" ontimeout="1"/>', "there is no label '1' to go to", id="label for ontimeout"),
    pytest.param('<label id="1"/><label id="1"/><nop/>', "label '1' stands in this scenario twice", id="label twice"),
    pytest.param("<label/><nop/>", 'a label has a name: <label id="1"/>', id="label without a name"),
    pytest.param("<nop><action><jmp/></action></nop>", "<jmp> is no action that SIPp knows", id="unknown action"),
    pytest.param('<nop><action><ereg assign_to="a"/></action></nop>', "<ereg> has no expression", id="no expression"),
    pytest.param('<nop><action><ereg regexp="a"/></action></nop>', "<ereg> does not say where to keep", id="no target"),
    pytest.param(
        '<nop><action><ereg regexp="a" search_in="hdr" assign_to="a"/></action></nop>',
        'search_in="hdr" needs header="Name:"',
        id="no header",
    ),
    pytest.param(
        '<nop><action><ereg regexp="a" search_in="head" assign_to="a"/></action></nop>',
        "'head' is none of msg, hdr, body, var",
        id="no place",
    ),
    pytest.param('<nop><action><add assign_to="a"/></action></nop>', "<add> has neither value", id="nothing to add"),
    pytest.param('<nop><action><add value="1"/></action></nop>', "<add> does not say which variable", id="no variable"),
    pytest.param('<nop><action><test variable="a"/></action></nop>', "<test> has neither value", id="no comparison"),
    pytest.param(
        '<nop><action><test variable="a" value="1" compare="is"/></action></nop>',
        "'is' is no comparison: write equal, not_equal",
        id="unknown comparison",
    ),
    pytest.param(
        '<nop><action><strcmp value="1"/></action></nop>', "<strcmp> does not say what to compare", id="of what"
    ),
]


@pytest.mark.parametrize(("inner", "told"), FAULTS)
def test_a_fault_is_told(inner: str, told: str) -> None:
    with pytest.raises(FlowError) as raised:
        read(inner)
    assert told in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(FlowError) as raised:
        read("<recv/><foo/><send/>")
    assert len(raised.value.faults) == 3


def test_another_root_is_no_scenario() -> None:
    with pytest.raises(FlowError, match="<html> is no SIPp scenario"):
        read_scenario(b"<?xml?><html/>", "x.xml")


def test_a_message_loses_the_white_space_around_its_lines() -> None:
    (send,) = read("<send><![CDATA[\n\n   BYE sip:a SIP/2.0  \n\t Call-ID: 1\n\n  v=0 \n\n  ]]></send>").steps
    assert isinstance(send, Send)
    assert send.message.text == "BYE sip:a SIP/2.0\nCall-ID: 1\n\nv=0\n"
    assert [send.place(number).line for number in range(4)] == [3, 4, 5, 6]


def test_steps_are_counted_as_sipp_counts_messages() -> None:
    scenario = read(f'<label id="a"/>{SEND}<label id="b"/><recv request="ACK"/><nop/><timewait milliseconds="5"/>')
    assert [step.index for step in scenario.steps] == [0, 1, 2, 3]
    assert scenario.labels == {"a": 0, "b": 1}


def test_a_step_says_what_its_attributes_say() -> None:
    recv, pause = read(
        '<recv response="200" optional="true" timeout="1500" ontimeout="e" rrs="true" auth="true" response_txn="t"/>'
        '<pause distribution="uniform" min="10" max="20"/><label id="e"/>'
    ).steps
    assert isinstance(recv, Receive)
    assert (recv.response, recv.optional, recv.timeout_us, recv.on_timeout) == ("200", True, 1_500_000, "e")
    assert (recv.keeps_routes, recv.authenticates, recv.transaction) == (True, True, "t")
    assert isinstance(pause, Pause)
    assert (pause.duration_us, pause.latest_us) == (10_000, 20_000)


def test_either_spelling_of_occurrence_is_read() -> None:
    (nop,) = read('<nop><action><ereg regexp="a" occurence="2" assign_to="a, b"/></action></nop>').steps
    (search,) = nop.actions
    assert isinstance(search, Search)
    assert (search.occurrence, search.targets) == (2, ("a", "b"))


def test_what_changes_no_message_is_left_out_and_named_once() -> None:
    scenario = read(
        '<recv request="A" rtd="1" crlf="true"/><recv request="B" rtd="1"/><CallLengthRepartition value="1"/>'
    )
    assert [fault.message for fault in scenario.harmless] == ["rtd", "crlf", "CallLengthRepartition"]


def test_an_action_outside_of_a_step_is_a_mistake_and_no_fault() -> None:
    (oddity,) = read(f"{SEND}<log message='x'/>").oddities[1:]
    assert oddity.message == "SIPp refuses <log> here: put it into an <action> of the step before"
