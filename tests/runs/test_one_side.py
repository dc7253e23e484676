"""One recorded side in the names of a live dialog (RFC 3261 sections 8.2.6.2, 9.1, 12.2.1.1, 13.2.2.4, 17.1.1.3)."""

from random import Random

import pytest

from simkit.runs.one_side import OneSide
from simkit.sip.message import Request, Response
from simkit.sip.parser import parse_message
from simkit.sip.transport import Transport
from simkit.ua.identifiers import Identifiers
from simkit.ua.responses import respond

US, PEER = ("127.0.0.1", 5070), ("127.0.0.1", 5080)


def recorded(method: str, number: int = 1, *, to_tag: str = "") -> Request:
    """Return a request as the caller once sent it, from 192.0.2.1."""
    text = (
        f"{method} sip:bob@192.0.2.2 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{number}\r\n"
        "From: <sip:alice@192.0.2.1>;tag=old\r\n"
        f"To: <sip:bob@192.0.2.2>{f';tag={to_tag}' if to_tag else ''}\r\n"
        f"Call-ID: old@192.0.2.1\r\nCSeq: {number} {method}\r\nContact: <sip:alice@192.0.2.1:5060>\r\n"
        "Session-Expires: 120;refresher=uac\r\n\r\nc=IN IP4 192.0.2.1\r\n"
    )
    message = parse_message(text.encode())
    assert isinstance(message, Request)
    return message


def our_side(transport: Transport = Transport.UDP) -> OneSide:
    return OneSide(US, PEER, Identifiers(Random(1)), recorded_host="192.0.2.1", transport=transport)


def answered(side: OneSide, invite: Request, status: int = 200) -> Response:
    """Return the peer's answer, which our side has heard."""
    answer = respond(invite, status, to_tag="theirs", headers=(("Contact", "<sip:desk@127.0.0.1:5081>"),))
    side.learn(answer)
    return answer


def test_an_initial_request_has_new_names_our_address_and_what_the_recording_says() -> None:
    sent = our_side().request(recorded("INVITE"))
    assert sent.uri == "sip:bob@127.0.0.1:5080"
    assert (sent.via.host, sent.via.port) == US
    assert sent.branch != "z9hG4bK-1"
    assert sent.from_tag not in (None, "old")
    assert sent.to_tag is None
    assert sent.call_id != "old@192.0.2.1"
    assert sent.header("Contact") == "<sip:alice@127.0.0.1:5070>"
    assert sent.header("Session-Expires") == "120;refresher=uac"
    assert sent.body == b"c=IN IP4 127.0.0.1\r\n"
    assert sent.header("Content-Length") == str(len(sent.body))


def test_a_request_in_the_dialog_has_the_peers_tag_and_goes_to_its_contact() -> None:
    side = our_side()
    invite = side.request(recorded("INVITE"))
    answered(side, invite)
    bye = side.request(recorded("BYE", 2, to_tag="old"))
    assert (bye.uri, bye.to_tag, bye.from_tag) == ("sip:desk@127.0.0.1:5081", "theirs", invite.from_tag)
    assert bye.call_id == invite.call_id
    assert bye.branch != invite.branch


def test_the_ack_of_a_2xx_is_a_transaction_of_its_own_and_that_of_a_failure_is_not() -> None:
    side = our_side()
    invite = side.request(recorded("INVITE"))
    failed = side.ack(answered(side, invite, 486))
    succeeded = side.ack(answered(side, invite))
    assert failed is not None
    assert succeeded is not None
    assert (failed.branch, failed.uri) == (invite.branch, invite.uri)
    assert succeeded.branch != invite.branch
    assert succeeded.uri == "sip:desk@127.0.0.1:5081"
    assert succeeded.to_tag == "theirs"


def test_the_ack_of_a_2xx_has_what_the_recorded_one_had_the_answer_too() -> None:
    """RFC 3264 section 4: where the INVITE made no offer, the 2xx does, and the ACK answers."""
    side = our_side()
    invite = side.request(recorded("INVITE"))
    said = recorded("ACK", to_tag="old")
    succeeded, failed = side.ack(answered(side, invite), said), side.ack(answered(side, invite, 486), said)
    assert succeeded is not None
    assert failed is not None
    assert (succeeded.body, failed.body) == (b"c=IN IP4 127.0.0.1\r\n", b"")
    assert succeeded.header("Content-Length") == str(len(succeeded.body))
    assert succeeded.header("Contact") == "<sip:alice@127.0.0.1:5070>"
    assert succeeded.header("CSeq") == "1 ACK"


def provisional(invite: Request, *headers: tuple[str, str]) -> Response:
    return respond(invite, 183, to_tag="theirs", headers=(("Contact", "<sip:desk@127.0.0.1:5081>"), *headers))


def test_a_provisional_response_that_is_reliable_gets_a_prack() -> None:
    """RFC 3262 section 4."""
    side = our_side()
    invite = side.request(recorded("INVITE"))
    reliable = provisional(invite, ("Require", "100rel"), ("RSeq", "41"))
    side.learn(reliable)
    sent = side.prack(reliable)
    assert sent is not None
    assert (sent.header("RAck"), sent.header("CSeq"), sent.to_tag) == ("41 1 INVITE", "2 PRACK", "theirs")
    assert (sent.uri, sent.call_id) == ("sip:desk@127.0.0.1:5081", invite.call_id)
    assert sent.branch != invite.branch
    assert side.prack(provisional(invite)) is None
    assert side.prack(provisional(invite, ("RSeq", "42"))) is None


def test_a_number_that_a_prack_has_taken_is_not_used_again() -> None:
    """RFC 3261 section 12.2.1.1: an ACK has the number of its INVITE all the same."""
    side = our_side()
    invite = side.request(recorded("INVITE"))
    reliable = provisional(invite, ("Require", "100rel"), ("RSeq", "41"))
    side.learn(reliable)
    assert side.prack(reliable) is not None
    ack = side.ack(answered(side, invite), recorded("ACK", to_tag="old"))
    assert ack is not None
    update, bye = (side.request(recorded(*said, to_tag="old")) for said in (("UPDATE", 2), ("BYE", 5)))
    assert [sent.header("CSeq") for sent in (ack, update, bye)] == ["1 ACK", "3 UPDATE", "6 BYE"]
    assert (side.number(2), side.number(5)) == (3, 6)


@pytest.mark.parametrize("numbers", [(5, 3, 4), (7, 7 + 2, 8), (2**32 - 1, 1, 2)], ids=str)
def test_numbers_that_were_wrong_are_sent_as_they_were(numbers: tuple[int, ...]) -> None:
    side = our_side()
    first, *others = numbers
    sent = [
        side.request(recorded("INVITE", first)),
        *(side.request(recorded("UPDATE", n, to_tag="old")) for n in others),
    ]
    assert tuple(each.cseq.number for each in sent) == numbers


def test_an_answer_to_no_invite_of_ours_gets_no_ack() -> None:
    assert our_side().ack(respond(recorded("INVITE", 7), 200)) is None


def test_a_cancel_is_of_its_invites_transaction() -> None:
    side = our_side()
    invite = side.request(recorded("INVITE"))
    cancel = side.request(recorded("CANCEL"))
    assert (cancel.branch, cancel.uri, cancel.header("CSeq")) == (invite.branch, invite.uri, "1 CANCEL")


def test_a_response_takes_its_names_from_the_request_that_came() -> None:
    side = our_side()
    asked = recorded("INVITE", 40).with_headers(("Call-ID", "live"), ("From", "<sip:al@127.0.0.1>;tag=live"))
    side.learn(asked)
    answer = side.response(respond(recorded("INVITE"), 200, to_tag="old", headers=(("Session-Expires", "90"),)))
    assert answer is not None
    assert (answer.call_id, answer.from_tag, answer.header("CSeq")) == ("live", "live", "40 INVITE")
    assert answer.header("Via") == asked.header("Via")
    assert answer.to_tag not in (None, "old")
    assert answer.header("Session-Expires") == "90"


def test_where_nothing_was_asked_there_is_nothing_to_answer() -> None:
    assert our_side().response(respond(recorded("BYE"), 200)) is None


def test_who_was_called_sends_requests_the_other_way_round() -> None:
    side = our_side()
    asked = recorded("INVITE")
    side.learn(asked)
    bye = side.request(recorded("BYE", 5, to_tag="old"))
    assert bye.sender.uri == asked.recipient.uri
    assert (bye.recipient.uri, bye.to_tag) == (asked.sender.uri, asked.from_tag)
    assert bye.uri == "sip:alice@192.0.2.1:5060"


OVER = [
    (Transport.UDP, "SIP/2.0/UDP", "sip:alice@127.0.0.1:5070", "sip:alice@127.0.0.1:5070"),
    (Transport.TCP, "SIP/2.0/TCP", "sip:alice@127.0.0.1:5070;transport=tcp", "sip:alice@127.0.0.1:5070"),
    (Transport.TLS, "SIP/2.0/TLS", "sips:alice@127.0.0.1:5070", "sips:alice@127.0.0.1:5070"),
]


@pytest.mark.parametrize(("transport", "protocol", "contact", "name"), OVER, ids=lambda value: str(value))
def test_via_and_contact_say_what_it_goes_over_and_from_does_not(
    transport: Transport, protocol: str, contact: str, name: str
) -> None:
    """RFC 3261 sections 18.1.1, 19.1.1 (table 1) and 26.2.2."""
    side = our_side(transport)
    sent = side.request(recorded("INVITE"))
    assert (sent.header("Via") or "").startswith(f"{protocol} 127.0.0.1:5070;branch=")
    assert sent.header("Contact") == f"<{contact}>"
    assert sent.sender.uri == name
    ack = side.ack(answered(side, sent))
    assert ack is not None
    assert ack.via.transport == transport.name


def test_a_request_uri_says_what_it_goes_over_if_the_recorded_one_did() -> None:
    said = recorded("INVITE")
    plain = our_side(Transport.TCP).request(said)
    told = our_side(Transport.TCP).request(Request("INVITE", f"{said.uri};transport=tcp", said.headers, said.body))
    assert (plain.uri, told.uri) == ("sip:bob@127.0.0.1:5080", "sip:bob@127.0.0.1:5080;transport=tcp")


CONTACTS = [
    (Transport.UDP, "<sip:alice@192.0.2.1;transport=UDP;ob>", "<sip:alice@127.0.0.1:5070;transport=UDP;ob>"),
    (Transport.TCP, "<sip:alice@192.0.2.1;transport=TCP;ob>", "<sip:alice@127.0.0.1:5070;transport=TCP;ob>"),
    (Transport.TCP, "<sip:alice@192.0.2.1;ob>", "<sip:alice@127.0.0.1:5070;transport=tcp;ob>"),
    (Transport.UDP, "<tel:+123;phone-context=x>", "<sip:+123@127.0.0.1:5070>"),
]


@pytest.mark.parametrize(
    ("transport", "said", "live"), CONTACTS, ids=[f"{over.name} {said}" for over, said, _ in CONTACTS]
)
def test_a_contact_keeps_its_parameters_for_the_peer_repeats_them(transport: Transport, said: str, live: str) -> None:
    sent = our_side(transport).request(recorded("INVITE").with_headers(("Contact", said)))
    assert sent.header("Contact") == live


def test_a_name_that_is_no_address_stays_as_it_is() -> None:
    side, said = our_side(), recorded("INVITE").with_headers(("To", "<tel:+123>"))
    sent = side.request(Request("INVITE", "tel:+123", said.headers, said.body))
    assert (sent.uri, sent.recipient.uri) == ("sip:+123@127.0.0.1:5080", "tel:+123")


def test_who_is_called_is_the_user_of_the_request_uri() -> None:
    said = recorded("INVITE")
    sent = our_side().request(Request("INVITE", "sip:desk@192.0.2.2", said.headers, said.body))
    assert (sent.uri, sent.recipient.uri) == ("sip:desk@127.0.0.1:5080", "sip:bob@127.0.0.1:5080")


TARGETS = [
    ("<sip:bob@127.0.0.1:5081>", ("127.0.0.1", 5081)),
    ("<sip:bob@[::1]>", ("::1", 5060)),
    ("<sips:bob@127.0.0.1>", ("127.0.0.1", 5061)),
    ("<sip:bob@example.org>", None),
    ("<tel:+123>", None),
]


@pytest.mark.parametrize(("contact", "target"), TARGETS, ids=[contact for contact, _ in TARGETS])
def test_the_peers_contact_says_where_it_may_be_reached(contact: str, target: tuple[str, int] | None) -> None:
    side = our_side()
    assert side.target is None
    side.learn(respond(side.request(recorded("INVITE")), 200, to_tag="theirs", headers=(("Contact", contact),)))
    assert side.target == target
