"""Which flow messages are of, by what their session descriptions say."""

import pytest

from simkit.flows.loader import load
from simkit.flows.signature import is_signed_by, signature, signed
from simkit.runs.simulate import simulate

FLOW = """\
simkit: 1
name: {name}
cases: [{{se: 90}}]
actors: {{alice: {{role: uac}}, bob: {{role: scripted}}}}
flow:
  - alice: call bob
  - alice -> bob: INVITE
  - bob -> alice: 200 INVITE
  - alice -> bob: ACK
"""


@pytest.mark.parametrize("name", ["short", "a long name", "with  two  spaces", "größer"])
def test_what_the_parties_of_a_flow_say_tells_its_title(name: str) -> None:
    (flow,) = load(FLOW.format(name=name), "here")
    bodies = [each.message.body for each in simulate(flow).trace.messages()]
    title = signed(bodies)
    assert title is not None
    assert is_signed_by(flow, title)
    assert title.endswith("[se=90]")


def description(about: str) -> bytes:
    return f"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n{about}t=0 0\r\n".encode()


UNSIGNED = [
    pytest.param([], id="no messages"),
    pytest.param([b"", b"hello"], id="no session descriptions"),
    pytest.param([description("")], id="nothing said"),
    pytest.param([description("i=simkit flow a\r\n"), description("")], id="one side only"),
    pytest.param([description("i=simkit flow a\r\n"), description("i=simkit flow b\r\n")], id="two flows"),
    pytest.param([description("i=our simkit flow a\r\n")], id="other words"),
]


@pytest.mark.parametrize("bodies", UNSIGNED)
def test_messages_that_do_not_all_say_the_same_are_of_no_flow(bodies: list[bytes]) -> None:
    assert signed(bodies) is None


def test_a_signature_is_one_line() -> None:
    (flow,) = load(FLOW.format(name='"two\\nlines"'), "here")
    assert signature(flow) == "simkit flow two lines[se=90]"
