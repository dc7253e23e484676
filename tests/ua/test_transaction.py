"""Which message belongs to which transaction (RFC 3261 sections 9.2, 17.1.3 and 17.2.3)."""

import pytest

from simkit.sip.message import Message, Request, Response
from simkit.ua.transaction import cancelled_key, transaction_key

COOKIE_VIA = "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa1"
OLD_VIA = "SIP/2.0/UDP 192.0.2.1:5070;branch=1"


def make_request(
    method: str = "INVITE", via: str = COOKIE_VIA, to: str = "<sip:bob@example.com>", sender: str = "a", number: int = 2
) -> Request:
    headers = (
        ("Via", via),
        ("From", f"<sip:alice@example.com>;tag={sender}"),
        ("To", to),
        ("Call-ID", "call-1"),
        ("CSeq", f"{number} {method}"),
    )
    return Request(method, "sip:bob@example.com", headers)


VIAS = [pytest.param(COOKIE_VIA, id="RFC 3261"), pytest.param(OLD_VIA, id="RFC 2543")]
TAGGED = "<sip:bob@example.com>;tag=b"


@pytest.mark.parametrize("via", VIAS)
def test_retransmission_response_and_ack_belong_to_the_invite(via: str) -> None:
    invite = make_request(via=via)
    answered = invite.with_headers(("To", TAGGED))
    same: list[Message] = [make_request(via=via), Response(486, "Busy Here", answered.headers)]
    same.append(make_request("ACK", via, TAGGED))
    assert {transaction_key(message) for message in same} == {transaction_key(invite)}


@pytest.mark.parametrize("via", VIAS)
def test_a_cancel_has_a_transaction_of_its_own_and_names_that_of_its_invite(via: str) -> None:
    invite, cancel = make_request(via=via), make_request("CANCEL", via)
    assert transaction_key(cancel) != transaction_key(invite)
    assert cancelled_key(cancel) == transaction_key(invite)


@pytest.mark.parametrize("via", VIAS)
def test_a_via_without_a_port_means_5060(via: str) -> None:
    with_port = make_request(via=via.replace(":5070", ":5060"))
    assert transaction_key(make_request(via=via.replace(":5070", ""))) == transaction_key(with_port)


OTHERS = [
    pytest.param(make_request("BYE"), id="another method"),
    pytest.param(make_request(via=COOKIE_VIA.replace("a1", "a2")), id="another branch"),
    pytest.param(make_request(via=COOKIE_VIA.replace("192.0.2.1", "192.0.2.2")), id="another host, same branch"),
    pytest.param(make_request(via=COOKIE_VIA.replace("5070", "5080")), id="another port, same branch"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_what_differs_in_branch_sender_or_method_is_another_transaction(other: Request) -> None:
    assert transaction_key(other) != transaction_key(make_request())


OLD_OTHERS = [
    pytest.param(make_request(via=OLD_VIA, sender="z"), id="another From tag"),
    pytest.param(make_request(via=OLD_VIA, number=3), id="another CSeq"),
    pytest.param(make_request(via=OLD_VIA).with_headers(("Call-ID", "call-2")), id="another Call-ID"),
]


@pytest.mark.parametrize("other", OLD_OTHERS)
def test_without_the_magic_cookie_a_branch_alone_proves_nothing(other: Request) -> None:
    assert transaction_key(other) != transaction_key(make_request(via=OLD_VIA))
