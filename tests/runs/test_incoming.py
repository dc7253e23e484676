"""An incoming INVITE is the recorded call that it is like, by the users that tell the recorded calls apart."""

import pytest

from simkit.runs.incoming import match
from simkit.sip.message import Request
from simkit.sip.parser import parse_message


def invite(called: str, caller: str = "alice", to: str | None = None) -> Request:
    text = (
        f"INVITE sip:{called}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
        f"From: <sip:{caller}@127.0.0.1>;tag=a\r\nTo: <sip:{called if to is None else to}@127.0.0.1>\r\n"
        "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
    )
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


CALLED = [invite("1001"), invite("1002"), invite("1003")]
CALLING = [invite("desk", "ann"), invite("desk", "ben"), invite("desk", "ann")]
BOTH = [invite("1001", "ann"), invite("1001", "ben"), invite("1002", "ann")]
NEITHER = [invite("desk"), invite("desk")]
TO = [invite("trunk", to="1001"), invite("trunk", to="1002")]

MATCHES = [
    pytest.param(CALLED, [0, 1, 2], invite("1002"), (1, True), id="who is called"),
    pytest.param(CALLED, [0, 2], invite("1002"), (0, False), id="... and was called already"),
    pytest.param(CALLED, [0, 1, 2], invite("1009"), (0, False), id="like none"),
    pytest.param(CALLING, [0, 1, 2], invite("desk", "ben"), (1, True), id="who calls"),
    pytest.param(CALLING, [1, 2], invite("desk", "ann"), (2, True), id="... for the second time"),
    pytest.param(CALLING, [0, 1, 2], invite("other", "ben"), (1, True), id="who calls, though somebody else"),
    pytest.param(BOTH, [0, 1, 2], invite("1001", "ben"), (1, True), id="both"),
    pytest.param(BOTH, [0, 1, 2], invite("1002", "ben"), (2, True), id="who is called counts for more"),
    pytest.param(TO, [0, 1], invite("trunk", to="1002"), (1, True), id="to whom"),
    pytest.param(NEITHER, [1], invite("anybody", "whoever"), (1, True), id="nothing tells them apart: in their order"),
]


@pytest.mark.parametrize(("recorded", "awaited", "incoming", "found"), MATCHES)
def test_an_invite_is_the_recorded_call_that_it_is_like(
    recorded: list[Request], awaited: list[int], incoming: Request, found: tuple[int, bool]
) -> None:
    assert match(incoming, recorded, awaited) == found
