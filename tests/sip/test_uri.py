"""URIs, addresses and Via."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import PeerError
from simkit.sip.uri import NameAddress, SipUri, Via, is_sip_uri, parse_name_address, parse_uri, parse_via

URIS = [
    pytest.param("sip:a@b", SipUri("sip", "a", "b"), id="user and host"),
    pytest.param("SIPS:b:5061", SipUri("sips", None, "b", 5061), id="scheme in capitals, port"),
    pytest.param("sip:a:secret@b", SipUri("sip", "a:secret", "b"), id="password"),
    pytest.param("sip:a;b=%40?c@d", SipUri("sip", "a;b=%40?c", "d"), id="odd user"),
    pytest.param("sip:[2001:db8::1]:5070", SipUri("sip", None, "[2001:db8::1]", 5070), id="IPv6"),
    pytest.param(
        "sip:b;lr;transport=tcp", SipUri("sip", None, "b", None, (("lr", None), ("transport", "tcp"))), id="p"
    ),
    pytest.param("sip:b?Route=x&a=b", SipUri("sip", None, "b", None, (), "Route=x&a=b"), id="headers"),
]


@pytest.mark.parametrize(("text", "uri"), URIS)
def test_a_sip_uri_is_read(text: str, uri: SipUri) -> None:
    assert parse_uri(text) == uri


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("sip:", 400),
        ("sip:@", 400),
        ("sip:a b@c", 400),
        ("sip:a@b:port", 400),
        ("sips:a@b:123456", 400),
        ("sip:b;;c", 400),
        ("tel:+1", 416),
        ("", 416),
        ("b", 416),
        ("mailto:a@b", 416),
    ],
)
def test_what_is_no_sip_uri_is_refused_and_another_scheme_named_so(text: str, status: int) -> None:
    with pytest.raises(PeerError) as error:
        parse_uri(text)
    assert error.value.status == status
    assert is_sip_uri(text) == (status == 400)


@pytest.mark.parametrize(
    ("text", "port"), [("sip:a@b", 5060), ("sips:a@b", 5061), ("sip:a@b:5070", 5070)], ids=["sip", "sips", "explicit"]
)
def test_the_port_is_the_schemes_own_where_none_is_given(text: str, port: int) -> None:
    assert parse_uri(text).address == ("b", port)


def test_an_ipv6_address_to_send_to_has_no_brackets() -> None:
    """They are of the writing (RFC 3261 section 25.1): no socket knows them."""
    assert parse_uri("sip:a@[::1]:5070").address == ("::1", 5070)
    assert parse_via("SIP/2.0/UDP [::1]:5070;branch=z9hG4bK1").address == ("::1", 5070)
    assert parse_via("SIP/2.0/UDP h;received=[::1];branch=z9hG4bK1").address == ("::1", 5060)


ADDRESSES = [
    pytest.param("<sip:a@b>", NameAddress("sip:a@b"), id="brackets"),
    pytest.param("sip:a@b;tag=1", NameAddress("sip:a@b", "", (("tag", "1"),), "1"), id="bare: the header's parameters"),
    pytest.param("<sip:a@b;tag=1>", NameAddress("sip:a@b;tag=1"), id="brackets: the URI's parameters"),
    pytest.param("A. Bell <sip:a@b> ; TAG = x", NameAddress("sip:a@b", "A. Bell", (("TAG", "x"),), "x"), id="tokens"),
    pytest.param('"B, A; <x>"<sip:a@b>', NameAddress("sip:a@b", '"B, A; <x>"'), id="quoted name"),
    pytest.param("Jürgen (work) <sip:a@b>", NameAddress("sip:a@b", "Jürgen (work)"), id="odd but clear name"),
    pytest.param("<tel:+1;phone-context=x>;tag=", NameAddress("tel:+1;phone-context=x", "", (("tag", ""),)), id="tel"),
    pytest.param("*", NameAddress("*"), id="star"),
]


@pytest.mark.parametrize(("value", "address"), ADDRESSES)
def test_an_address_is_read(value: str, address: NameAddress) -> None:
    read = parse_name_address(value)
    assert read == address
    assert read.parameter("tag") == ((read.tag or "") if address.parameters else None)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a b",
        "<sip:a@b",
        "sip:a@b>",
        "< sip:a@b >",
        "<>",
        "a, b <sip:a@b>",
        '"a <sip:a@b>',
        "sip:a@b?c=d",
        "sip:a,b@c",
        "<sip:a@b>x",
        "<sip:a@b>;",
        "<sip:a@b>;;",
        '"a" b <sip:c>',
        "<<sip:a@b>>",
        "<sip:a@b> <sip:c@d>",
    ],
)
def test_what_is_no_address_is_the_peers_fault(value: str) -> None:
    with pytest.raises(PeerError) as error:
        parse_name_address(value)
    assert error.value.status == 400


VIAS = [
    pytest.param("SIP/2.0/UDP a", Via("UDP", "a", None), ("a", 5060), id="short"),
    pytest.param("SIP/2.0/udp a:5070", Via("UDP", "a", 5070), ("a", 5070), id="port"),
    pytest.param("SIP / 2.0 / TCP [::1] : 5070", Via("TCP", "[::1]", 5070), ("::1", 5070), id="white space, IPv6"),
    pytest.param(
        "SIP/2.0/UDP a:5070;branch=z9;received=1.2.3.4;rport=6",
        Via("UDP", "a", 5070, (("branch", "z9"), ("received", "1.2.3.4"), ("rport", "6")), "z9"),
        ("1.2.3.4", 6),
        id="received and rport (RFC 3581)",
    ),
    pytest.param(
        "SIP/2.0/UDP a:5070;rport", Via("UDP", "a", 5070, (("rport", None),)), ("a", 5070), id="rport asked for"
    ),
    pytest.param(
        "SIP/2.0/UDP a;rport=9999999", Via("UDP", "a", None, (("rport", "9999999"),)), ("a", 5060), id="bad rport"
    ),
]


@pytest.mark.parametrize(("value", "via", "address"), VIAS)
def test_a_via_is_read_and_tells_where_responses_go(value: str, via: Via, address: tuple[str, int]) -> None:
    read = parse_via(value)
    assert (read, read.address) == (via, address)
    assert read.branch == (read.parameter("branch") or "")


@pytest.mark.parametrize(
    "value", ["", "SIP/2.0/UDP", "SIP/3.0/UDP a", "HTTP/2.0/UDP a", "SIP/2.0/UDP a;;", "SIP/2.0/UDP a:b"]
)
def test_what_is_no_via_is_the_peers_fault(value: str) -> None:
    with pytest.raises(PeerError):
        parse_via(value)


USUAL = [
    "<sip:alice@192.0.2.1:5060>;tag=8m",
    "<sip:bob@b>",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9",
    "SIP/2.0/TCP b;branch=z",
]
EDITS = st.tuples(st.integers(0, 40), st.integers(0, 2), st.text('<>;:=,." \\\t[]@?a1-', max_size=2))


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(value=st.sampled_from(USUAL), edits=st.lists(EDITS, max_size=2))
@pytest.mark.parametrize("parse", [parse_name_address, parse_via])
def test_what_is_read_at_one_go_is_read_as_the_long_way_would(
    parse: Callable[[str], object], value: str, edits: list[tuple[int, int, str]]
) -> None:
    for at, less, more in edits:
        value = value[:at] + more + value[at + less :]
    assert read(parse, value) == read(parse, f" {value}"), "white space around it has it go the long way"


def read(parse: Callable[[str], object], value: str) -> object:
    try:
        return parse(value)
    except PeerError as error:
        return error.status
