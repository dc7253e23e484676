"""When two header values are the same to SIP, and what parts they have."""

import pytest

from simkit.sip.equality import header_part, uris_equal, values_equal

EQUAL = [
    pytest.param("Session-Expires", "1800;refresher=uac", "1800 ; Refresher = UAC", id="case and white space"),
    pytest.param("Session-Expires", "1800;a=1;refresher=uac", "1800;refresher=uac;a=1", id="parameters in any order"),
    pytest.param("x", "1800;a", "1800;A", id="by the compact name"),
    pytest.param("Supported", "timer, 100rel", "Timer,100REL", id="a list"),
    pytest.param("Content-Type", "application/sdp", "Application / SDP", id="slash"),
    pytest.param("X-Unknown", "a;b=C", "A; B=c", id="an unknown header"),
    pytest.param("From", '"A" <sip:a@b>;tag=1', "<sip:a@B>;TAG=1", id="display names do not count"),
    pytest.param("From", "sip:a@b;tag=1", "<sip:a@b>;tag=1", id="brackets do not count"),
    pytest.param("Contact", "<sip:a@b;lr>, <sip:c@d>", "<sip:%61@b;lr>,<sip:c@D>", id="a list of addresses"),
    pytest.param("CSeq", "0009  INVITE", "9 INVITE", id="CSeq as a number"),
    pytest.param("Via", "SIP/2.0/UDP a;branch=x;rport", "SIP / 2.0 / udp A; rport; branch=x", id="Via"),
    pytest.param("Call-ID", "a@b ", "a@b", id="white space around a Call-ID"),
    pytest.param("Min-SE", "garbage", "Garbage", id="tokens that make no sense"),
]
DIFFERENT = [
    pytest.param("Session-Expires", "1800;refresher=uac", "1800;refresher=uas", id="another parameter value"),
    pytest.param("Session-Expires", "1800;refresher=uac", "1800", id="a parameter missing"),
    pytest.param("Session-Expires", "1800;a;a", "1800;a", id="a parameter twice"),
    pytest.param("Session-Expires", "1800", "90", id="another number"),
    pytest.param("Supported", "timer, 100rel", "100rel, timer", id="lists in another order"),
    pytest.param("Supported", "timer", "timer, 100rel", id="a longer list"),
    pytest.param("Warning", '399 a "Text"', '399 a "text"', id="quoted strings keep their case"),
    pytest.param("From", "<sip:a@b>;tag=1", "<sip:a@b>", id="a tag missing"),
    pytest.param("From", "<sip:A@b>;tag=1", "<sip:a@b>;tag=1", id="users keep their case"),
    pytest.param("From", "<sip:a@b", "<sip:a@B", id="broken addresses"),
    pytest.param("CSeq", "9 INVITE", "9 invite", id="methods keep their case"),
    pytest.param("CSeq", "9 INVITE", "9", id="broken CSeq"),
    pytest.param("Allow", "INVITE", "invite", id="methods in Allow"),
    pytest.param("Call-ID", "a@b", "A@b", id="Call-IDs keep their case"),
    pytest.param("User-Agent", "Phone", "phone", id="free text"),
    pytest.param("Subject", "", "x", id="empty"),
]


@pytest.mark.parametrize(("name", "left", "right"), EQUAL)
def test_values_are_equal(name: str, left: str, right: str) -> None:
    assert values_equal(name, left, right)
    assert values_equal(name, right, left)
    assert values_equal(name, left, left)


@pytest.mark.parametrize(("name", "left", "right"), DIFFERENT)
def test_values_are_different(name: str, left: str, right: str) -> None:
    assert not values_equal(name, left, right)
    assert not values_equal(name, right, left)


SAME_URI = [  # RFC 3261 section 19.1.4
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("sip:a%3a@b", "sip:a%3A@b"),
    ("http://x", "http://x"),
]
OTHER_URI = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtlanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
    ("sip:bob@biloxi.com", "sip:biloxi.com"),
    ("sip:a%3A@b", "sip:a:@b"),
    ("sip:bob@", "sip:BOB@"),
    ("http://x", "http://X"),
]


@pytest.mark.parametrize(("left", "right"), SAME_URI)
def test_uris_are_equivalent(left: str, right: str) -> None:
    assert uris_equal(left, right)
    assert uris_equal(right, left)


@pytest.mark.parametrize(("left", "right"), OTHER_URI)
def test_uris_are_not_equivalent(left: str, right: str) -> None:
    assert not uris_equal(left, right)
    assert not uris_equal(right, left)


FROM = '"A; B" <sip:alice@example.com:5070;lr>;Tag=Ab;bare'
PARTS = [
    ("Session-Expires", "1800 ; Refresher = uac", "refresher", "uac"),
    ("x", "1800;refresher=uac", "value", "1800"),
    ("Session-Expires", "1800", "refresher", None),
    ("CSeq", "0042 INVITE", "number", "42"),
    ("CSeq", "42 INVITE", "method", "INVITE"),
    ("CSeq", "42 INVITE", "value", None),
    ("CSeq", "x", "number", None),
    ("From", FROM, "tag", "Ab"),
    ("From", FROM, "TAG", "Ab"),
    ("From", FROM, "bare", ""),
    ("From", FROM, "lr", None),
    ("From", FROM, "value", '"A; B" <sip:alice@example.com:5070;lr>'),
    ("From", FROM, "uri", "sip:alice@example.com:5070;lr"),
    ("From", FROM, "user", "alice"),
    ("From", FROM, "host", "example.com"),
    ("From", FROM, "port", "5070"),
    ("To", "<sip:b>", "user", None),
    ("To", "<tel:+1>", "host", None),
    ("To", "<sip:b", "uri", None),
    ("Contact", "<sip:a@b>;q=1, <sip:c@d>", "host", "b"),
    ("Via", "SIP/2.0/UDP a:1;branch=z9, SIP/2.0/UDP b", "branch", "z9"),
    ("Via", "SIP/2.0/UDP a:1;branch=z9", "host", "a"),
    ("Via", "SIP/2.0/UDP a", "port", None),
    ("Content-Type", "multipart/mixed;boundary=x", "boundary", "x"),
    ("Supported", "", "value", ""),
]


@pytest.mark.parametrize(("name", "value", "part", "expected"), PARTS)
def test_a_part_of_a_value_is_found(name: str, value: str, part: str, expected: str | None) -> None:
    assert header_part(name, value, part) == expected
