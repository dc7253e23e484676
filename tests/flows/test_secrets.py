"""Passwords are shown nowhere: not in messages, not in labels, not in values printed by anybody."""

import json
from pathlib import Path

import pytest

from simkit.errors import FlowError
from simkit.flows.loader import load
from simkit.reports.json_report import json_line
from simkit.runs.simulate import simulate

CALL = """
simkit: 1
vars: {start: "open "}
cases:
  - {word: "${start}sesame", n: 1}
  - {word: "wrong sesame", n: 2}
actors:
  alice: {role: uac, user: alice, password: "${word}"}
  bob: {role: uas, challenge: {realm: example.org, user: alice, password: "open sesame"}}
allow: [INVITE, 200 INVITE, 401 INVITE, ACK, BYE, 200 BYE, 401 BYE]
flow:
  - alice: call bob
  - alice -> bob: INVITE
"""


def test_a_password_may_be_a_value_of_a_case_and_is_not_in_its_label() -> None:
    flows = load(CALL, "call.yaml")
    assert [flow.title for flow in flows] == ["call[word=***,n=1]", "call[word=***,n=2]"]
    assert [flow.actors["alice"].account is not None for flow in flows] == [True, True]
    assert "sesame" not in repr(flows)


def test_a_password_that_is_set_from_outside_is_not_in_a_label_either() -> None:
    (flow,) = load(
        CALL.replace('"wrong sesame", n: 2', '"wrong sesame", n: 1'), "x.yaml", overrides={"word": "sesame9"}
    )
    assert "sesame" not in flow.title


def test_nothing_that_a_run_says_has_a_password_in_it() -> None:
    for flow in load(CALL.replace("alice -> bob: INVITE\n", "alice -> bob: UPDATE\n"), "call.yaml"):
        run = simulate(flow)
        assert not run.passed
        assert "sesame" not in json_line(run) + repr(run) + "".join(str(failure) for failure in run.failures)
        assert json.loads(json_line(run))["case"] == flow.case


PLACES = [
    pytest.param("vars: {pw: sesame, xx}", id="a named value"),
    pytest.param("vars: {pw: &it sesame, xx}", id="an anchored value"),
    pytest.param('password: "sesame"; nonsense: [', id="YAML that breaks off"),
    pytest.param("password: sesame\n\tnonsense: 1", id="a tab"),
    pytest.param("password: >\n  sesame\nx: [", id="a block, in YAML that breaks off behind it"),
    pytest.param("'PassWord' : {deep: [sesame], other: sesame}\nx: 1", id="a map"),
    pytest.param("pwd: sesame\nx: 1", id="another name"),
    pytest.param("pasword: 'sesame ''and'' sesame'\nx: 1", id="a misspelled name"),
    pytest.param('password: "sesame \\\n  sesame"\nx: 1', id="two lines"),
    pytest.param("password: sesame \x07\nx: 1", id="a character that cannot be"),
]


@pytest.mark.parametrize("text", PLACES)
def test_a_line_that_is_shown_hides_the_password_on_it(text: str) -> None:
    actors = 'actors: {a: {role: uac, user: a, password: "${pw}"}}' if "pw:" in text or "&it" in text else ""
    with pytest.raises(FlowError) as raised:
        load(f"simkit: 1\n{text}\n{actors}\n", "x.yaml")
    assert "sesame" not in str(raised.value)


def test_a_byte_that_is_no_utf_8_shows_no_password() -> None:
    with pytest.raises(FlowError) as raised:
        load(b"simkit: 1\npassword: sesame \xff", "x.yaml")
    assert "sesame" not in str(raised.value)
    assert "2:18" in str(raised.value)


def test_what_is_no_password_is_shown_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FlowError) as raised:
        load("simkit: 1\npassenger: sesame\ncompass: sesame\n", "x.yaml")
    assert str(raised.value).count("sesame") == 2
