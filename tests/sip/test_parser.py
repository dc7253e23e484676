"""From bytes to messages: what is read, how, and what is refused at which byte."""

from contextlib import suppress

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from simkit.errors import PeerError
from simkit.sip import headers as sip_headers
from simkit.sip.message import Request, Response
from simkit.sip.parser import (
    HEADER_LENGTH_MAX,
    HEADERS_MAX,
    MESSAGE_BYTES_MAX,
    MessageError,
    parse_message,
    parse_prefix,
)

from .messages import MANDATORY, datagram
from .torture_messages import INVALID, UNUSUAL, VALID

BOUNDED = settings(max_examples=100, deadline=None, derandomize=True)


def refused(data: bytes) -> MessageError:
    with pytest.raises(MessageError) as error:
        parse_message(data)
    return error.value


def fault_offset(data: bytes) -> int:
    """Where the fault is; 0 where there is none."""
    try:
        parse_message(data)
    except MessageError as error:
        return error.offset
    return 0


def test_a_request_keeps_order_and_spelling_of_its_headers() -> None:
    message = parse_message(datagram("x-Odd:  1 ", "X: 1800;refresher=uac", "x-ODD: 2", body=b"hello"))
    assert isinstance(message, Request)
    assert (message.method, message.uri) == ("INVITE", "sip:bob@127.0.0.2")
    assert message.headers == (("x-Odd", "1"), ("X", "1800;refresher=uac"), ("x-ODD", "2"), *MANDATORY)
    assert message.body == b"hello"
    assert message.values("X-Odd") == ("1", "2")


def test_a_response_has_status_and_reason_phrase() -> None:
    message = parse_message(datagram(start="SIP/2.0 422 Session Interval Too Small"))
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.method) == (422, "Session Interval Too Small", "INVITE")


@pytest.mark.parametrize("start", ["SIP/2.0 180", "SIP/2.0 180 ", "sip/2.0 180 "])
def test_the_reason_phrase_may_be_missing(start: str) -> None:
    message = parse_message(datagram(start=start))
    assert message.start_line == "SIP/2.0 180 "


@pytest.mark.parametrize(
    "folded",
    [
        pytest.param("Subject: one\r\n two", id="a space"),
        pytest.param("Subject: one\r\n\ttwo", id="a tab"),
        pytest.param("Subject: one \t \r\n \t  two", id="much of both"),
        pytest.param("Subject:\r\n one\r\n two", id="from the colon on"),
        pytest.param("Subject: one\r\n two\r\n  ", id="an empty continuation"),
        pytest.param("Subject: one\n two", id="with a line feed alone"),
    ],
)
def test_a_folded_header_is_unfolded_to_one_space(folded: str) -> None:
    assert parse_message(datagram(folded)).header("Subject") == "one two"


def test_a_line_feed_alone_ends_a_line_too() -> None:
    assert parse_message(datagram(end="\n", body=b"x")) == parse_message(datagram(body=b"x"))


def test_the_first_empty_line_ends_the_headers_whatever_line_ends_follow() -> None:
    assert parse_message(datagram(end="\n", body=b"a\r\n\r\nb")).body == b"a\r\n\r\nb"
    assert parse_message(datagram(body=b"a\n\nb")).body == b"a\n\nb"
    assert parse_message(datagram(end="\n", body=b"\r\na")).body == b"\r\na"


def test_line_ends_before_a_message_are_skipped() -> None:
    assert parse_message(b"\r\n\r\n" + datagram()) == parse_message(datagram())


def test_bytes_that_are_not_utf_8_survive() -> None:
    data = datagram("Subject: caf\udce9", body=b"\xff\x00")
    assert b"caf\xe9" in data
    assert parse_message(data).to_bytes() == data


def test_the_body_is_as_long_as_content_length_says() -> None:
    message, end = parse_prefix(datagram("l: 3", body=b"abcdef"))
    assert message.body == b"abc"
    assert end == len(datagram("l: 3")) + 3


def test_without_content_length_the_body_is_all_the_rest() -> None:
    data = datagram(body=b"abcdef")
    assert parse_prefix(data) == (parse_message(data), len(data))


def test_two_messages_in_a_row_are_read_one_after_the_other() -> None:
    first, second = datagram("l: 3", body=b"abc"), datagram("l: 0", start="INVITE sip:carol@127.0.0.3 SIP/2.0")
    _, end = parse_prefix(first + second)
    assert parse_message((first + second)[end:]) == parse_message(second)


def test_a_missing_max_forwards_is_no_fault() -> None:
    assert parse_message(datagram()).header("Max-Forwards") is None


START_LINE = b"INVITE sip:bob@127.0.0.2 SIP/2.0\r\n"
FAULTS = [
    pytest.param(b"", 0, "there is no message", id="nothing"),
    pytest.param(b"\r\n\r\n", 4, "there is no message", id="a keep-alive"),
    pytest.param(b"\x00\x01\x00\x00!\x12\xa4B", 0, "neither", id="something else (STUN)"),
    pytest.param(datagram(start="INVITE sip:bob@127.0.0.2"), 0, "neither", id="no version"),
    pytest.param(datagram(start="INVITE  SIP/2.0"), 0, "empty", id="no Request-URI"),
    pytest.param(datagram(start="IN(VITE sip:b@c SIP/2.0"), 0, "neither", id="method is no token"),
    pytest.param(datagram(start="INVITE sip:b@ SIP/2.0"), 0, "Request-URI", id="URI without host"),
    pytest.param(datagram(start="INVITE sip:b\r\n @c SIP/2.0"), 0, "folded", id="folded start line"),
    pytest.param(datagram(start="INVITE sip:b@c SIP/3.0"), 0, "the version is SIP/3.0", id="other version"),
    pytest.param(datagram(start="SIP/2.0 099 x"), 0, "from 100 to 699", id="status 099"),
    pytest.param(datagram(start="SIP/2.0 700 x"), 0, "from 100 to 699", id="status 700"),
    pytest.param(datagram(start="SIP/3.0 200 OK"), 0, "SIP/2.0", id="response of other version"),
    pytest.param(b"\r\n" + datagram("Subject"), 36, "'Subject' is not a header", id="no colon, after an empty line"),
    pytest.param(datagram("Sub ject: x"), 34, "is not a header", id="name is no token"),
    pytest.param(datagram(": x"), 34, "is not a header", id="no name"),
    pytest.param(datagram("Subject: é", "Bad"), 34 + 13, "'Bad'", id="after two bytes for one character"),
    pytest.param(datagram("Subject: a\r\n b", "Bad"), 34 + 16, "'Bad'", id="after a folded line"),
    pytest.param(datagram(end="\n", start="INVITE sip:b@c SIP/2.0\nBad"), 23, "'Bad'", id="after line feeds alone"),
    pytest.param(
        datagram("CSeq: 1 INVITE"), datagram("CSeq: 1 INVITE").rindex(b"CSeq"), "CSeq comes twice", id="CSeq twice"
    ),
    pytest.param(datagram("l: 0", "Content-Length: 0"), 40, "Content-Length comes twice", id="length twice"),
    pytest.param(datagram("l: 0", "l: 0", "Bad"), 40, "Content-Length comes twice", id="twice, before a broken line"),
    pytest.param(datagram("Content-Length: 1"), 34, "Content-Length is 1, but 0", id="body too short"),
    pytest.param(datagram("Content-Length: ٣"), 34, "not a number", id="length in other digits"),
    pytest.param(datagram("Contact:"), 34, "Contact: the value is empty", id="empty Contact"),
    pytest.param(datagram("Contact: <sip:a@b>, <sip:c"), 34, "Contact: '<sip:c'", id="second Contact broken"),
    pytest.param(datagram("v: SIP/2.0/UDP"), 34, "Via: 'SIP/2.0/UDP'", id="Via without host"),
    pytest.param(datagram("i:", without="Call-ID"), 34, "Call-ID: ''", id="empty Call-ID"),
    pytest.param(datagram("i: a b", without="Call-ID"), 34, "Call-ID: 'a b'", id="Call-ID of two words"),
    pytest.param(datagram("CALL-ID: a b", without="Call-ID"), 34, "Call-ID: 'a b'", id="in capitals"),
    pytest.param(datagram("CSeq: 4294967296 INVITE", without="CSeq"), 34, "CSeq:", id="CSeq 2**32"),
    pytest.param(datagram("CSeq: INVITE", without="CSeq"), 34, "CSeq:", id="CSeq without number"),
    pytest.param(datagram("CSeq: 1 BYE", without="CSeq"), 34, "CSeq: the method is BYE", id="CSeq of other method"),
    pytest.param(START_LINE + b"Subject: x", len(START_LINE) + 10, "empty line", id="cut off"),
    pytest.param(datagram()[:-2], len(datagram()) - 2, "empty line", id="no empty line"),
]


@pytest.mark.parametrize(("data", "offset", "reason"), FAULTS)
def test_a_fault_is_told_with_its_reason_and_its_byte(data: bytes, offset: int, reason: str) -> None:
    error = refused(data)
    assert reason in str(error)
    assert error.offset == offset
    assert str(error).endswith(f"(at byte {offset})")
    assert error.status == (505 if "version is" in reason else 400)


@pytest.mark.parametrize("name", [name for name, _ in MANDATORY])
def test_a_mandatory_header_may_not_be_missing(name: str) -> None:
    """RFC 3261 section 8.1.1."""
    data = datagram(without=name)
    error = refused(data)
    assert f"{name} is missing" in str(error)
    assert data[error.offset :] == b"\r\n\r\n"[1:]


def test_a_message_may_be_as_long_as_a_datagram_and_no_longer() -> None:
    room = MESSAGE_BYTES_MAX - len(datagram())
    assert len(parse_message(datagram(body=b"x" * room)).body) == room
    error = refused(datagram(body=b"x" * (room + 1)))
    assert (error.offset, error.status) == (MESSAGE_BYTES_MAX, 513)


def test_there_may_be_256_headers_and_no_more() -> None:
    room = HEADERS_MAX - len(MANDATORY)
    assert len(parse_message(datagram(*["X-A: 1"] * room)).headers) == HEADERS_MAX
    data = datagram(*["X-A: 1"] * (room + 1))
    error = refused(data)
    assert "more than 256 headers" in str(error)
    assert data[error.offset :].startswith(b"CSeq")


def test_a_header_may_have_8192_characters_and_no_more() -> None:
    fits = "X-A: " + "x" * (HEADER_LENGTH_MAX - 5)
    assert parse_message(datagram(fits, end="\n")).header("X-A") == fits[5:]
    assert refused(datagram(fits + "x")).offset == 34
    assert refused(datagram(start=f"INVITE sip:{'x' * HEADER_LENGTH_MAX} SIP/2.0")).offset == 0


@BOUNDED
@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_but_a_message_error(data: bytes) -> None:
    for variant in (data, START_LINE + data, datagram()[:-2] + data, datagram(body=data)):
        assert 0 <= fault_offset(variant) <= len(variant)


@BOUNDED
@given(st.data())
def test_no_damage_to_a_torture_message_raises_anything_but_a_message_error(data: st.DataObject) -> None:
    message = bytearray(data.draw(st.sampled_from([*VALID.values(), *INVALID.values(), *UNUSUAL.values()])))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b"\n", b"\r\n", b" ", b"<", b">", b'"', b",", b";", b"\\", b":", b"\x00", b"\xff"])
        )
    assert 0 <= fault_offset(bytes(message)) <= len(message)


@pytest.mark.parametrize("unit", ["<", '"', '\\"', '"\\', " ", ";", ",", "<\\", "= ", " ;"])
@pytest.mark.parametrize("name", ["From", "Contact", "Via", "Session-Expires", "CSeq"])
def test_no_value_however_hostile_takes_long(name: str, unit: str) -> None:
    """One that searched it twice over would take minutes here."""
    value = unit * (8000 // len(unit))
    with pytest.raises(MessageError):
        parse_message(datagram(f"{name}: {value}x{value}"))
    for broken in (value, f"sip:a{value}", f"SIP/2.0/UDP a{value}"):
        try:
            message = parse_message(datagram(f"{name}: {broken}"[:8000], without=name))
        except MessageError:
            continue
        with suppress(PeerError):
            assert (message.session_expires is None) == (name != "Session-Expires")


# --- generated messages ----------------------------------------------------------------------------------------------

SPACE = st.sampled_from(["", " ", "  ", "\t"])
FOLD = st.sampled_from([" ", "  ", "\r\n ", " \r\n\t", "\n "])
WORD = st.text("abcXYZ019-._~é", min_size=1, max_size=8)
EXTRA_NAMES = ("Subject", "Supported", "User-Agent", "Allow", "Session-Expires", "Event", "X-Unknown", "Refer-To")


def compact_form(name: str) -> str:
    """The compact form of a header's name where it has one."""
    return next((short for short, long in sip_headers.COMPACT_FORMS.items() if long == name), name)


@st.composite
def spellings(draw: st.DrawFn, name: str) -> str:
    """The name in any case, or its compact form."""
    chosen = draw(st.sampled_from([name, compact_form(name)]))
    return draw(st.sampled_from([chosen, chosen.lower(), chosen.upper(), chosen.swapcase()]))


@st.composite
def header_lines(draw: st.DrawFn) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Headers as (canonical name, spelling, value), and their lines with white space and folding put in."""
    extra = draw(st.lists(st.tuples(st.sampled_from(EXTRA_NAMES), st.lists(WORD, min_size=1, max_size=4)), max_size=6))
    chosen = [*((name, value.split(" ")) for name, value in MANDATORY), *extra]
    expected, lines = [], []
    for name, words in draw(st.permutations(chosen)):
        spelling = draw(spellings(name))
        folded = "".join(draw(FOLD) + word for word in words)
        lines.append(f"{spelling}{draw(SPACE)}:{folded}{draw(SPACE)}")
        expected.append((name, spelling, words))
    return [(name, spelling, " ".join(words)) for name, spelling, words in expected], lines


def squeezed(value: str) -> str:
    """The value with each run of white space as one space."""
    return " ".join(value.split())


@BOUNDED
@given(header_lines(), st.binary(max_size=20))
def test_names_and_values_are_read_through_any_white_space_case_and_folding(
    generated: tuple[list[tuple[str, str, str]], list[str]], body: bytes
) -> None:
    expected, lines = generated
    data = "\r\n".join(["INVITE sip:bob@127.0.0.2 SIP/2.0", *lines, "", ""]).encode() + body
    message = parse_message(data)
    assert [(name, squeezed(value)) for name, value in message.headers] == [(name, v) for _, name, v in expected]
    assert message.body == body
    for name, _, value in expected:
        assert value in [squeezed(held) for held in _all_values(message, name)]
    assert parse_message(message.to_bytes()) == message


def _all_values(message: Request | Response, name: str) -> list[str]:
    wanted = sip_headers.canonical_name(name)
    return [value for held, value in message.headers if sip_headers.canonical_name(held) == wanted]


# --- agreement with another parser -----------------------------------------------------------------------------------


def agree(data: bytes) -> bool:
    """Whether both parsers accept it; if so they must have read the same."""
    try:
        other = sipmessage.Message.parse(data)
        call_id, cseq = other.call_id, other.cseq
        sender, recipient, vias = other.from_address, other.to_address, other.via
    except (ValueError, KeyError):
        return False
    try:
        ours = parse_message(data)
    except MessageError:
        return False
    assert ours.is_request == isinstance(other, sipmessage.Request)
    assert (ours.call_id, ours.cseq) == (call_id, (cseq.sequence, cseq.method))
    assert [ours.from_tag, ours.to_tag] == [a.parameters.get("tag") for a in (sender, recipient)]
    assert len(ours.values("Via")) == len(vias)
    assert (ours.via.host, ours.via.port, ours.branch) == (
        vias[0].host,
        vias[0].port,
        vias[0].parameters.get("branch", ""),
    )
    assert {name.lower() for name in other.headers.keys()} == {  # noqa: SIM118 - it is no mapping
        sip_headers.canonical_name(name).lower() for name, _ in ours.headers
    }
    return True


READ_OTHERWISE = {  # by the other parser
    "wsinv": "it knows no folding",
    "semiuri": "it knows no folding",
    "esc01": "it knows no folding",
    "intmeth": "it takes % in a branch for an escape",
    "longreq": "it knows no space before the colon",
}


@pytest.mark.parametrize("name", [name for name in VALID if name not in READ_OTHERWISE])
def test_another_parser_reads_the_same_in_a_torture_message(name: str) -> None:
    assert agree(VALID[name])


ADDRESSES = st.builds(
    lambda display, user, host, tag: f"{display}<sip:{user}@{host}>;tag={tag}",
    st.sampled_from(["", "Alice ", '"Alice, A." ', '"a \\" b" ']),
    st.text("abcdef0123", min_size=1, max_size=6),
    st.sampled_from(["127.0.0.1", "example.com:5070", "[2001:db8::1]", "example.com;transport=tcp"]),
    st.text("abcdef0123", min_size=1, max_size=6),
)
VIAS = st.builds(
    lambda transport, port, branch: f"SIP/2.0/{transport} 127.0.0.1{port};branch=z9hG4bK{branch};rport",
    st.sampled_from(["UDP", "TCP", "TLS"]),
    st.sampled_from(["", ":5060", ":65535"]),
    st.text("abcdef0123", min_size=1, max_size=6),
)


@BOUNDED
@given(ADDRESSES, ADDRESSES, st.lists(VIAS, min_size=1, max_size=3), st.integers(0, 2**32 - 1), st.booleans())
def test_another_parser_reads_the_same_in_generated_messages(
    sender: str, recipient: str, vias: list[str], number: int, one_line: bool
) -> None:
    lines = ["Via: " + ", ".join(vias)] if one_line else [f"v: {via}" for via in vias]
    lines += [f"f: {sender}", f"To: {recipient}", "i: 1@a", f"CSeq: {number} INVITE", "Content-Length: 0", "", ""]
    assert agree("\r\n".join(["INVITE sip:bob@127.0.0.2 SIP/2.0", *lines]).encode())
