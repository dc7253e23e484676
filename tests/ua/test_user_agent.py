"""What a user agent says to requests that belong to no call, and what it refuses (RFC 3261 sections 8.2 and 11)."""

import pytest

from simkit.errors import LocalError
from simkit.sip.message import Response
from simkit.ua.user_agent_settings import UserAgentSettings

from .pair import Pair, request

REFUSALS = [
    pytest.param(request("BYE", to_tag="nobody"), 481, {}, id="BYE for a dialog that is not there"),
    pytest.param(request("UPDATE", to_tag="nobody"), 481, {}, id="UPDATE for a dialog that is not there"),
    pytest.param(request("INVITE", to_tag="nobody"), 481, {}, id="re-INVITE for a dialog that is not there"),
    pytest.param(request("BYE"), 481, {}, id="BYE without a To tag"),
    pytest.param(request("CANCEL"), 481, {}, id="CANCEL of an INVITE that is not there"),
    pytest.param(
        request("MESSAGE"),
        405,
        {"Allow": "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS"},
        id="a known method, not allowed",
    ),
    pytest.param(
        request("DANCE"), 501, {"Allow": "INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS"}, id="a method nobody knows"
    ),
    pytest.param(
        request("INVITE", headers=(("Require", "timer, 100rel"),)),
        420,
        {"Unsupported": "100rel"},
        id="an extension in Require that is not supported",
    ),
]


@pytest.mark.parametrize(("asked", "status", "headers"), REFUSALS)
def test_a_request_is_refused_by_its_first_fault(asked: object, status: int, headers: dict[str, str]) -> None:
    """RFC 3261 sections 8.2.1, 8.2.2.3, 12.2.2 and 9.2."""
    (answer,) = Pair().inject(asked)  # type: ignore[arg-type]
    assert isinstance(answer, Response)
    assert (answer.status, {name: answer.header(name) for name in headers}) == (status, headers)


def test_an_invite_without_contact_is_refused() -> None:
    """RFC 3261 section 8.1.1.8."""
    (answer,) = Pair().inject(request("INVITE").without_headers("Contact"))
    assert isinstance(answer, Response)
    assert answer.status == 400


def test_a_request_uri_of_another_scheme_is_refused() -> None:
    """RFC 3261 section 8.2.2.1."""
    asked = request("OPTIONS")
    (answer,) = Pair().inject(type(asked)("OPTIONS", "nobodyKnows:bob", asked.headers))
    assert isinstance(answer, Response)
    assert answer.status == 416


def test_an_ack_for_nothing_is_dropped() -> None:
    """RFC 3261 section 13.3.1.4: an ACK gets no response, whatever it is for."""
    assert Pair().inject(request("ACK", to_tag="nobody")) == []


def test_a_response_for_nothing_is_dropped() -> None:
    """RFC 3261 section 18.1.2."""
    pair = Pair()
    stray = Response(200, "OK", (("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx"), ("CSeq", "1 INVITE")))
    assert pair.inject(stray) == []


def test_options_tells_what_a_user_agent_can_do() -> None:
    """RFC 3261 section 11.2."""
    (answer,) = Pair().inject(request("OPTIONS"))
    assert isinstance(answer, Response)
    assert answer.status == 200
    assert answer.tokens("Supported") == {"timer"}
    assert "update" in answer.tokens("Allow")


def test_options_is_sent_and_answered_within_a_call_and_without_one() -> None:
    """RFC 3261 sections 11.1 and 12.2."""
    pair = Pair()
    pair.alice.options("sip:bob@192.0.2.2:5060", now=0)
    pair.call().run(1)
    pair.alice.options("sip:bob@192.0.2.2:5060", now=pair.now)
    pair.run(100)
    assert [line for _, line in pair.lines() if "OPTIONS" in line] == ["OPTIONS", "200 OPTIONS"] * 2
    assert pair.last("OPTIONS").to_tag is not None


def test_a_repeated_request_gets_the_same_answer_again() -> None:
    """RFC 3261 section 17.2.2."""
    pair = Pair()
    first = pair.inject(request("OPTIONS"))
    assert pair.inject(request("OPTIONS")) == first


def test_one_call_at_a_time() -> None:
    """A second INVITE finds the line busy (RFC 3261 section 21.4.24)."""
    pair = Pair().call().run(1)
    (answer,) = pair.inject(request("INVITE"))
    assert isinstance(answer, Response)
    assert answer.status == 486
    with pytest.raises(LocalError, match="a call is under way"):
        pair.alice.invite("sip:bob@192.0.2.2:5060", now=pair.now)


@pytest.mark.parametrize("command", ["hang_up", "hold", "resume", "refresh", "answer", "ring", "cancel"])
def test_a_command_without_a_call_says_so(command: str) -> None:
    with pytest.raises(LocalError, match="there is no call"):
        getattr(Pair().alice, command)(now=0)


def test_commands_for_the_wrong_moment_say_so() -> None:
    pair = Pair().call().run(1)
    with pytest.raises(LocalError, match="the call was placed by this side"):
        pair.alice.answer(now=pair.now)
    with pytest.raises(LocalError, match="the call came from the other side"):
        pair.bob.cancel(now=pair.now)
    with pytest.raises(LocalError, match="cannot ring: the call is up"):
        pair.bob.ring(now=pair.now)
    with pytest.raises(LocalError, match="cannot cancel: the call is up"):
        pair.alice.cancel(now=pair.now)


def test_reply_stands_in_for_the_user_agent() -> None:
    """A flow may have a party answer with any status; its transaction absorbs and repeats as ever."""
    pair = Pair()
    pair.bob.reply(request("INVITE"), 503, (("Retry-After", "5"),), now=0)
    pair.bob.reply(request("INVITE"), 503, now=0)
    statuses = [outgoing.message for outgoing in pair.bob.outgoing()]
    assert [message.header("Retry-After") for message in statuses] == ["5", "5"]


def test_the_option_tags_of_a_user_agent_and_of_its_timer_are_one_list() -> None:
    """RFC 3261 section 20.37."""
    pair = Pair(alice_settings=UserAgentSettings(supported=("100rel",))).call()
    pair.run(1)
    assert pair.last("INVITE").header("Supported") == "100rel"
    pair = Pair(alice_settings=UserAgentSettings(supported=("100rel", "timer"))).call()
    pair.run(1)
    assert pair.last("INVITE").header("Supported") == "100rel, timer"
