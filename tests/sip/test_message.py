"""Messages as values."""

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from simkit.errors import PeerError
from simkit.sip.headers import HeaderField
from simkit.sip.message import CSeq, Message, Request, Response
from simkit.sip.session_headers import Refresher, SessionExpires

from .messages import MANDATORY

INVITE = Request("INVITE", "sip:bob@127.0.0.2", MANDATORY, b"hello")
OK = Response(200, "OK", MANDATORY)


def invite(*headers: HeaderField) -> Request:
    return Request("INVITE", "sip:bob@127.0.0.2", headers)


@pytest.mark.parametrize("message", [INVITE, OK], ids=["request", "response"])
def test_a_message_can_be_copied_and_pickled(message: Message) -> None:
    assert message.call_id == "1@127.0.0.1"  # what was read before is read again, not carried along
    for twin in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
        assert twin == message
        assert hash(twin) == hash(message)
        assert twin.cseq == message.cseq


if TYPE_CHECKING:  # a message cannot be changed: the type checker complains of an ignore that it does not need
    INVITE.headers = ()  # type: ignore[assignment]
    INVITE.body = b""  # type: ignore[assignment]
    INVITE.uri = "sip:carol@127.0.0.3"  # type: ignore[assignment]
    INVITE.method = "BYE"  # type: ignore[assignment]
    INVITE.call_id = "2@127.0.0.1"  # type: ignore[assignment]
    OK.status = 486  # type: ignore[assignment]
    OK.cseq = CSeq(2, "INVITE")  # type: ignore[assignment]


def test_messages_are_equal_when_start_line_headers_and_body_are() -> None:
    assert Request("INVITE", "sip:bob@127.0.0.2", MANDATORY, b"hello") == INVITE
    assert Request("INVITE", "sip:bob@127.0.0.2", MANDATORY, b"") != INVITE
    assert Request("UPDATE", "sip:bob@127.0.0.2", MANDATORY, b"hello") != INVITE
    assert INVITE.without_headers("To") != INVITE
    assert INVITE != "INVITE"


def test_what_the_machines_ask_for_is_read_from_the_headers() -> None:
    assert (INVITE.method, OK.method) == ("INVITE", "INVITE")
    assert INVITE.call_id == "1@127.0.0.1"
    assert INVITE.cseq == CSeq(1, "INVITE")
    assert (INVITE.from_tag, INVITE.to_tag) == ("a", None)
    assert INVITE.branch == "z9hG4bK1"
    assert (INVITE.contact, INVITE.session_expires, INVITE.min_se) == (None, None, None)


@pytest.mark.parametrize("name", ["x", "X", "session-expires", "Session-Expires", "SESSION-EXPIRES"])
def test_a_header_is_found_by_any_of_its_names(name: str) -> None:
    for spelling in ("x", "Session-Expires", "SESSION-expires"):
        message = invite((spelling, "90;refresher=uas"))
        assert message.header(name) == "90;refresher=uas"
        assert message.values(name) == ("90;refresher=uas",)
        assert message.session_expires == SessionExpires(90, Refresher.UAS)


def test_the_first_of_repeated_headers_counts() -> None:
    message = invite(("Via", "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2"), ("v", "SIP/2.0/UDP c;branch=3"))
    assert message.branch == "1"
    assert message.values("Via") == ("SIP/2.0/UDP a;branch=1", "SIP/2.0/UDP b;branch=2", "SIP/2.0/UDP c;branch=3")


def test_tokens_are_gathered_from_repeated_headers_without_case() -> None:
    message = invite(("Supported", "Timer, 100rel"), ("k", "replaces"))
    assert message.tokens("Supported") == {"timer", "100rel", "replaces"}
    assert message.tokens("Require") == frozenset()
    assert invite(("Supported", "")).tokens("Supported") == frozenset()


ACCESSORS = ["call_id", "cseq", "sender", "recipient", "from_tag", "to_tag", "via", "branch"]


@pytest.mark.parametrize("accessor", ACCESSORS)
def test_a_missing_mandatory_header_is_the_peers_fault(accessor: str) -> None:
    with pytest.raises(PeerError, match="missing") as error:
        getattr(invite(), accessor)
    assert error.value.status == 400


BROKEN = [
    pytest.param("From", "<sip:a", "sender", id="From"),
    pytest.param("To", "a b", "recipient", id="To"),
    pytest.param("Via", "UDP a", "via", id="Via"),
    pytest.param("Via", ",", "via", id="empty Via"),
    pytest.param("CSeq", "-1 INVITE", "cseq", id="CSeq"),
    pytest.param("Contact", ",", "contact", id="Contact"),
    pytest.param("Session-Expires", "soon", "session_expires", id="Session-Expires"),
    pytest.param("Min-SE", "soon", "min_se", id="Min-SE"),
]


@pytest.mark.parametrize(("name", "value", "accessor"), BROKEN)
def test_a_broken_header_is_the_peers_fault_and_named(name: str, value: str, accessor: str) -> None:
    with pytest.raises(PeerError, match=f"^{name}: ") as error:
        getattr(invite((name, value)), accessor)
    assert error.value.status == 400


def test_a_response_without_cseq_can_be_made_but_has_no_method() -> None:
    response = OK.without_headers("CSeq")
    with pytest.raises(PeerError, match="CSeq"):
        _ = response.method


def test_a_header_takes_the_place_of_its_namesakes_or_goes_to_the_end() -> None:
    message = invite(("A", "1"), ("k", "timer"), ("B", "2"), ("Supported", "100rel"))
    changed = message.with_headers(("Supported", "replaces"), ("C", "3"))
    assert changed.headers == (("A", "1"), ("Supported", "replaces"), ("B", "2"), ("C", "3"))
    assert message.header("Supported") == "timer"


def test_several_headers_of_one_name_take_the_place_of_the_first() -> None:
    message = invite(("Via", "1"), ("A", "a"), ("v", "2"))
    assert message.with_headers(("Via", "3"), ("Via", "4")).headers == (("Via", "3"), ("Via", "4"), ("A", "a"))


def test_headers_are_taken_away_under_any_name() -> None:
    message = invite(("A", "1"), ("x", "90"), ("session-expires", "90"))
    assert message.without_headers("Session-Expires").headers == (("A", "1"),)


def test_a_message_is_written_as_its_headers_have_it() -> None:
    message = Response(200, "OK", (("l", "99"), ("Subject", "")), b"x")
    assert message.to_bytes() == b"SIP/2.0 200 OK\r\nl: 99\r\nSubject: \r\n\r\nx"
    assert repr(message) == "<Response SIP/2.0 200 OK>"
